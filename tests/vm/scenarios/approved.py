"""Boots that a person approves: one, a reboot, and one that reaches its gateway half a minute late."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402

AWAY = 30


class Approved(Scenario):
    def test_each_boot_mounts_everything_once_a_person_approves_and_however_late_the_network(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next(lambda: self.assert_locked(guest, VOLUMES))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_in_order(guest)

        self.step("restarting the unit while a service stands on the volumes")
        running = unit(guest, "ledger.service", "InvocationID")
        guest.check("systemctl restart --no-block zfs-keyvault.service")
        self.approve_next()
        guest.check("systemctl start zfs-keyvault.service")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "active")
        self.assertEqual(unit(guest, "ledger.service", "InvocationID"), running)
        self.assert_open(guest, VOLUMES)

        self.step("rebooting")
        guest.reboot()
        self.approve_next(lambda: self.assert_locked(guest, VOLUMES))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)

        self.step("rebooting with the network cable out: the gateway cannot be reached")
        guest.set_link(False)
        seen = len(guest.console)
        guest.reboot()
        complaint = guest.wait_for_console(r"zkv(\[\d+\])?: .*gateway.*", 300, seen)
        self.step(f"the guest has no network and says: {complaint.group(0).strip()}")
        self.assert_keeps_asking(guest, AWAY)
        guest.set_link(True)
        self.approve_next()
        self.finish_boot(guest)
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
