"""A boot that a person denies: the machine comes up, locked, and says why; keys can still be given by hand."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402


class Denied(Scenario):
    def test_a_denied_machine_comes_up_with_nothing_mounted_and_says_why(self):
        self.gateway.start()
        guest = self.boot()
        identity = self.gateway.wait_for_request(300)
        self.step(f"request {identity} has arrived; denying it")
        self.assertIn("denied", self.gateway.request("deny", identity, "--reason", "not today"))
        self.assertEqual(self.finish_boot(guest), "degraded")

        self.assertEqual(unit(guest, "multi-user.target", "ActiveState"), "active")
        guest.wait_for_console(r"guest login:", 120)
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(guest.check("zfs mount").split(), ["tank", "/tank"])
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "failed")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ExecMainStatus"), "4")
        self.assertIn(f"{self.gateway.address_in_guest}/request-keys: the request was denied",
                      guest.run("systemctl status --no-pager --full zfs-keyvault.service").out)
        self.assertEqual(unit(guest, "zfs-keyvault.target", "ActiveState"), "inactive")
        self.assertEqual(unit(guest, "ledger.service", "ActiveState"), "inactive")
        self.assert_in_order(guest)

        self.step("giving one key by hand, as ever")
        key = [line.split()[2] for line in self.volumes_file() if line.startswith("tank/hex ")][0]
        guest.check(f"echo {key} | zfs load-key tank/hex && zfs mount tank/hex")
        self.assert_open(guest, ["tank/hex"])
        guest.power_off()

    @staticmethod
    def volumes_file():
        return (pathlib.Path(__file__).resolve().parent.parent / "guest" / "volumes").read_text().splitlines()


if __name__ == "__main__":
    unittest.main()
