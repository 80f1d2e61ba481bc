"""An encrypted root of a host whose identity and half are in its TPM: the initramfs asks with the chip, and the disk in another machine cannot."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root_luks import RootLuks  # noqa: E402
from tpm import Tpm  # noqa: E402


class RootTpm(RootLuks):
    def setUp(self):
        super().setUp()
        self.tpm = Tpm(self._work / "own")

    def test_a_luks_root_is_opened_by_an_approval_or_at_the_console(self):
        self.prepare()
        self.assert_one_approval_opens_root_and_the_rest()
        self.assert_the_disk_with_another_chip_asks_nobody()


del RootLuks  # Its own test is not run here.

if __name__ == "__main__":
    unittest.main()
