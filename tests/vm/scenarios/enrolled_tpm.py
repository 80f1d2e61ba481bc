"""A host whose identity and local share are in its TPM: it boots by its gateway, and a copy of its disk elsewhere cannot even ask."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import person  # noqa: E402
from scenario import VOLUMES, Scenario, unit  # noqa: E402
from tpm import Tpm  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()


class EnrolledTpm(Scenario):
    setup = "rm -f /etc/default/zfs-keyvault\n"

    def chip(self, name):
        return Tpm(self._work / name)

    def enroll(self, guest):
        link = json.loads(self.gateway.command("host", "invite", "nas", "--json"))["url"]
        link = link.replace(self.gateway.page, self.gateway.address_in_guest)
        return guest.check(f"printf '%s\\n' '{link}' '{KEY}' | zkv enroll - -k - --tpm --no-test")

    def requests(self):
        return json.loads(self.gateway.command("request", "list", "--all", "--json"))["requests"]

    def test_it_boots_with_its_own_tpm_and_its_disk_with_no_other(self):
        self.gateway.start("--public-url", self.gateway.page)
        anna = person.invite(self.gateway, "Anna")
        own = self.chip("own")
        guest = self.boot(tpm=own)
        self.assertEqual(self.finish_boot(guest), "running")
        guest.check("test -c /dev/tpmrm0")
        self.step("enrolling")
        self.assertIn("by a key in its TPM", self.enroll(guest))
        [host] = json.loads(self.gateway.command("host", "list", "--json"))["hosts"]
        self.assertEqual(host["identity"], "TPM (P-256)")

        self.step("rebooting with the same TPM")
        guest.reboot()
        identity = self.gateway.wait_for_request(300)
        self.assertEqual(self.gateway.request("show", identity)["host"], "nas")
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(anna.decide(identity, "approve").status, 200)
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        self.assertIn("by a key in its TPM", guest.check("zkv status"))
        ended = self.gateway.request("show", identity)
        self.assertEqual((ended["decided_by"], ended["state"]), ("approver:Anna", "acknowledged"))

        self.step("the TPM's driver comes late: it is waited for")
        driver = guest.check("readlink -f /sys/class/tpm/tpm0/device/driver").strip()
        device = guest.check("basename $(readlink -f /sys/class/tpm/tpm0/device)").strip()
        guest.check(f"zkv lock --all; echo {device} >{driver}/unbind; test ! -e /dev/tpmrm0")
        guest.check("systemctl start --no-block zfs-keyvault.service")
        guest.wait_for_console("there is no TPM at /dev/tpmrm0 yet: waiting for it", 60)
        # Linux counts on while anything holds the old one.
        guest.check(f"echo {device} >{driver}/bind; test -e /dev/tpmrm0 || ln -s tpmrm1 /dev/tpmrm0")
        self.assertEqual(anna.decide(self.gateway.wait_for_request(60), "approve").status, 200)
        guest.check("systemctl start zfs-keyvault.service")
        self.assert_open(guest, VOLUMES)
        guest.power_off()

        self.step("the copied disk boots in another machine, with another TPM")
        before = self.requests()
        thief = self.boot_from(self.copy_of(self.disks, "stolen-"), tpm=self.chip("other"))
        self.finish_boot(thief)
        thief.wait_for_console("made by the TPM of another machine", 60)
        self.assertEqual(unit(thief, "zfs-keyvault.service", "ActiveState"), "failed")
        self.assert_locked(thief, VOLUMES)
        self.assertEqual(self.requests(), before)
        thief.power_off()


if __name__ == "__main__":
    unittest.main()
