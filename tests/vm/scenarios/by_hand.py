"""A machine told to boot without asking, on which a person then opens the volumes by hand, through zfs(8)."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402

# Ends by telling the pipe its exit code, so that whoever started it can wait for that.
MOUNT = """
mkfifo /run/by-hand
cat >/run/by-hand.sh <<'SCRIPT'
. /etc/default/zfs-keyvault
zkv mount --via zfs $ZKV_OPTIONS "$GATEWAY_URI" >/run/by-hand.out 2>&1
echo $? >/run/by-hand
SCRIPT
systemd-run --quiet --no-block --unit by-hand bash /run/by-hand.sh
"""


class ByHand(Scenario):
    def test_a_machine_told_not_to_ask_comes_up_locked_and_opens_when_a_person_asks(self):
        self.gateway.start()
        guest = self.boot(words="zkv=off")
        self.finish_boot(guest)
        self.assertEqual(unit(guest, "multi-user.target", "ActiveState"), "active")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ConditionResult"), "no")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "inactive")
        self.assertEqual(unit(guest, "ledger.service", "ActiveState"), "inactive")
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(json.loads(self.gateway.request("list", "--json"))["requests"], [])
        self.assert_in_order(guest)

        self.step("opening the volumes by hand")
        guest.check(MOUNT)
        self.approve_next(lambda: self.assert_locked(guest, VOLUMES))
        code = guest.check("cat /run/by-hand").strip()
        self.assertEqual(code, "0", guest.check("cat /run/by-hand.out"))
        self.assert_open(guest, VOLUMES)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
