"""A host that enrols with the gateway, and from then on boots by it: approved, approved beforehand, revoked."""

import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import person  # noqa: E402
from scenario import VOLUMES, Scenario, unit  # noqa: E402

# The guest as somebody finds it who never named a gateway to it.
UNCONFIGURED = "rm -f /etc/default/zfs-keyvault\n"
KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()


class Enrolled(Scenario):
    setup = UNCONFIGURED

    def enroll(self, guest):
        """The administrator's two commands."""
        link = json.loads(self.gateway.command("host", "invite", "nas", "--group", "home", "--json"))["url"]
        link = link.replace(self.gateway.page, self.gateway.address_in_guest)
        guest.check(f"(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)")
        return guest.check(f"printf '%s\\n' '{link}' '{KEY}' | zkv enroll - -k - --no-test")

    def begin_by_hand(self, guest, *words):
        """A person asks; gives the id of their request, from what zkv says: the gateway logs no host's fourth request in 90 s."""
        guest.check(f"zkv {' '.join(words)} >/run/by-hand 2>&1 </dev/null & echo $! >/run/by-hand.pid")
        said = guest.check("timeout 60 grep --max-count 1 'waiting for' <(tail --follow --lines +1 /run/by-hand)")
        return re.search(r"request (\w+)", said).group(1)

    def end_of_by_hand(self, guest):
        """What it said, once it has ended."""
        return guest.check("tail --pid=$(cat /run/by-hand.pid) -f /dev/null; cat /run/by-hand")

    def ask_by_hand_beside_the_boot(self, guest, first):
        """One who gives up leaves the boot asking; gives the id of the second one's request, which then is the only one."""
        second = self.begin_by_hand(guest, "mount")
        self.assertEqual(self.gateway.request("show", first)["state"], "superseded")
        guest.check("kill $(cat /run/by-hand.pid)")
        self.assertIn("zfs-keyvault.service asks again", self.end_of_by_hand(guest))
        self.assertEqual(self.gateway.request("show", second)["state"], "cancelled")
        self.assertEqual(self.gateway.wait_for_request(60), second)
        third = self.gateway.wait_for_request(60)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "activating")
        fourth = self.begin_by_hand(guest, "mount")
        self.assertEqual(self.gateway.request("show", third)["state"], "superseded")
        return fourth

    def test_an_enrolled_host_boots_by_its_gateway_and_a_revoked_one_does_not(self):
        self.gateway.start("--public-url", self.gateway.page)
        anna = person.invite(self.gateway, "Anna")
        guest = self.boot()
        self.assertEqual(self.finish_boot(guest), "running")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "inactive")
        self.assert_locked(guest, VOLUMES)

        self.step("enrolling")
        self.assertIn("is enrolled with", self.enroll(guest))

        self.step("rebooting")
        guest.reboot()
        identity = self.gateway.wait_for_request(300)
        shown = self.gateway.request("show", identity)
        self.assertEqual(shown["host"], "nas")
        self.assertEqual(sorted(shown["volumes"]), sorted(VOLUMES))
        number = guest.wait_for_console(r"number (\d\d)", 60).group(1)
        self.assertEqual(shown["number"], number)
        self.assertIn(f'Status: "waiting for approval of request {identity} at {self.gateway.address_in_guest}, number {number}, asked 1 person"',
                      guest.check("systemctl status --no-pager zfs-keyvault.service || test $? = 3"))
        self.assert_locked(guest, VOLUMES)
        self.step(f"request {identity} has arrived with the number on the console, {number}; a person asks beside it")
        identity = self.ask_by_hand_beside_the_boot(guest, identity)
        self.step(f"request {identity} has taken its place; approving that")
        self.assertEqual(anna.decide(identity, "approve").status, 200)
        self.assertIn("begins anew, and asks nobody", self.end_of_by_hand(guest))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        ended = self.gateway.request("show", identity)
        self.assertEqual((ended["decided_by"], ended["state"]), ("approver:Anna", "acknowledged"))

        self.step("having the next boot approved beforehand, and rebooting")
        wish = self.begin_by_hand(guest, "reboot-approval", "--within", "30m")
        self.assertEqual(anna.decide(wish, "approve").status, 200)
        self.assertIn("next boot of this machine is approved", self.end_of_by_hand(guest))
        self.assertIn("approved until", self.gateway.command("host", "list"))
        guest.reboot()
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assertNotIn("approved until", self.gateway.command("host", "list"))
        newest = json.loads(self.gateway.command("request", "list", "--all", "--json"))["requests"][0]
        self.assertEqual((newest["decided_by"].split(":")[0], newest["state"]), ("planned", "acknowledged"))

        self.step("revoking the host, and rebooting")
        self.gateway.command("host", "revoke", "nas", "--yes")
        guest.reboot()
        self.finish_boot(guest)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "failed")
        self.assertIn("refuses this host", guest.check("journalctl -b -o cat -u zfs-keyvault.service"))
        self.assert_locked(guest, VOLUMES)

        self.step("opening it by the recovery key on paper")
        guest.check("zkv mount --key-file /root/recovery-key")
        self.assert_open(guest, VOLUMES)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
