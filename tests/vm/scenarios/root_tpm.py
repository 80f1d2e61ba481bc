"""An encrypted root of a host whose identity and half are in its TPM: the initramfs asks with the chip, and the disk in another machine cannot."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root_luks import RootLuks  # noqa: E402
from scenario import BOOT_LIMIT  # noqa: E402
from tpm import Tpm  # noqa: E402


class RootTpm(RootLuks):
    def setUp(self):
        super().setUp()
        self.tpm = Tpm(self._work / "own")

    def test_a_luks_root_is_opened_by_an_approval_or_at_the_console(self):
        self.prepare()
        self.assert_one_approval_opens_root_and_the_rest()

        self.step("the same disk with another chip asks nobody; the prompt is there")
        before = self.requests()
        self.tpm = Tpm(self._work / "other")
        thief = self.boot_root()
        thief.wait_for_console(self.prompt, BOOT_LIMIT)
        thief.wait_for_console("made by the TPM of another machine", BOOT_LIMIT)
        self.assertEqual(self.requests(), before)


del RootLuks  # Its own test is not run here.

if __name__ == "__main__":
    unittest.main()
