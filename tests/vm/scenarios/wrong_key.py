"""A repository in which one key of four is wrong: the three others are opened, and the fourth is named."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402


class WrongKey(Scenario):
    setup = "echo ZKV_REPOSITORY=/var/lib/zkv/one-wrong >>/etc/default/zfs-keyvault\n"

    def test_one_wrong_key_of_four_leaves_three_mounted_and_the_unit_failed_naming_the_fourth(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.assertEqual(self.finish_boot(guest), "degraded")

        self.assert_open(guest, [volume for volume in VOLUMES if volume != "tank/hex"])
        self.assert_locked(guest, ["tank/hex"])
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "failed")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ExecMainStatus"), "3")
        journal = guest.check("journalctl -b -o cat -u zfs-keyvault.service")
        self.assertRegex(journal, r"tank/hex: .*key")
        self.assertNotRegex(journal, r"(tank/raw|tank/pass|tank/raw/nested): .*wrong")
        self.assertEqual(unit(guest, "ledger.service", "ActiveState"), "inactive")
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
