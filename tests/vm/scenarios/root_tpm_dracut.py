"""An encrypted root and dracut, of a host whose identity and half are in its TPM: as root_tpm."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root_dracut import RootDracut  # noqa: E402
from tpm import Tpm  # noqa: E402


class RootTpmDracut(RootDracut):
    def setUp(self):
        super().setUp()
        self.tpm = Tpm(self._work / "own")

    def test_a_luks_root_is_opened_by_an_approval_or_at_the_console(self):
        self.serve_names()
        self.prepare()
        self.assert_initramfs_opens_nothing()
        self.assert_one_approval_opens_root_and_the_rest()
        self.assert_the_disk_with_another_chip_asks_nobody()


del RootDracut  # Its own test is not run here.

if __name__ == "__main__":
    unittest.main()
