"""The drift guard and the drill on a machine with real ZFS: a silent change-key and a new encryption root are found without a key, and a drill says that the machine
would not come back."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import person  # noqa: E402
from scenario import VOLUMES, Scenario, unit  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()


class Drift(Scenario):
    setup = "rm -f /etc/default/zfs-keyvault\nprintf 'ZKV_CHECK_OPTIONS=\\n' >/etc/default/zfs-keyvault\n"

    def enroll(self, guest):
        link = json.loads(self.gateway.command("host", "invite", "nas", "--group", "home", "--json"))["url"]
        link = link.replace(self.gateway.page, self.gateway.address_in_guest)
        guest.check(f"(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)")
        guest.check(f"printf '%s\\n' '{link}' '{KEY}' | zkv enroll - -k - --no-test")

    def findings(self, guest):
        """What the guard finds as its timer starts it: in the unit's own sandbox."""
        guest.run("systemctl start zkv-check.service")
        return guest.check("journalctl -b -o cat -u zkv-check.service | tac | sed '/finding\\|Nothing was found/q' | tac")

    def drill(self, guest, anna):
        guest.check("zkv drill --json >/run/drilled 2>/run/drill-errors </dev/null & echo $! >/run/drill.pid")
        request = self.gateway.wait_for_request(60)
        [card] = [card for card in anna.call("GET", "/v2/requests").json["requests"] if card["id"] == request]
        self.assertTrue(card["drill"])
        self.assertEqual(anna.decide(request, "approve").status, 200)
        return json.loads(guest.check("tail --pid=$(cat /run/drill.pid) -f /dev/null; cat /run/drilled"))

    def test_a_silent_change_of_a_key_and_a_new_root_are_found_and_a_drill_says_that_it_would_not_come_back(self):
        self.gateway.start("--public-url", self.gateway.page)
        anna = person.invite(self.gateway, "Anna")
        guest = self.boot()
        self.finish_boot(guest)
        self.assertEqual(unit(guest, "zkv-check.timer", "ActiveState"), "active")
        self.assert_in_order(guest)
        guest.run("systemctl start zkv-check.service")
        self.assertEqual(unit(guest, "zkv-check.service", "ActiveState"), "inactive", "silent where nothing is configured")
        self.enroll(guest)
        guest.check("zkv mount --key-file /root/recovery-key")

        self.step("checking and drilling where all is well")
        self.assertIn("Nothing was found", self.findings(guest))
        before = guest.check("find /var/lib/zkv -type f ! -name 'drift.json*' -exec sha256sum {} + | sort")
        drilled = self.drill(guest, anna)
        self.assertTrue(drilled["comes_back"], drilled)
        self.assertEqual(sorted(volume["result"] for volume in drilled["volumes"]), ["key-fits"] * len(VOLUMES))
        self.assertEqual(guest.check("find /var/lib/zkv -type f ! -name 'drift.json*' -exec sha256sum {} + | sort"), before)
        self.assertIn("The last drill went well", guest.check("zkv status"))
        [host] = json.loads(self.gateway.command("host", "list", "--json"))["hosts"]
        self.assertEqual(host["heartbeat"]["count"], 0)

        self.step("changing a key behind zkv's back, and making a new encryption root")
        guest.check("head -c 32 /dev/urandom >/run/new-key; zfs change-key -o keylocation=file:///run/new-key -o keyformat=raw tank/raw")
        guest.check("head -c 32 /dev/urandom >/run/other-key; "
                    "zfs create -o encryption=on -o keyformat=raw -o keylocation=file:///run/other-key tank/surprise")
        said = self.findings(guest)
        self.assertRegex(said, r"- tank/raw: since .* its key was changed at 20")
        self.assertIn("- tank/surprise: it is encrypted, and not in the repository", said)
        self.assertNotIn("tank/hex", said)
        self.assertEqual(unit(guest, "zkv-check.service", "ExecMainStatus"), "3")
        self.assertEqual(unit(guest, "zkv-check.service", "ActiveState"), "failed")
        [host] = json.loads(self.gateway.command("host", "list", "--json"))["hosts"]
        self.assertEqual(host["heartbeat"]["count"], 2)

        self.step("drilling")
        drilled = self.drill(guest, anna)
        self.assertFalse(drilled["comes_back"])
        self.assertIn("tank/raw", [finding["about"] for finding in drilled["findings"]])
        results = {volume["volume"]: volume["result"] for volume in drilled["volumes"]}
        self.assertEqual(results["tank/raw"], "wrong-key")
        self.assertEqual({result for name, result in results.items() if name != "tank/raw"}, {"key-fits"})
        self.assert_open(guest, VOLUMES)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
