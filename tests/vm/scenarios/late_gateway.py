"""A gateway that cannot be reached for the first half minute: the host keeps asking, unlocks when it comes, shares what is to be shared, and locks all again."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402

AWAY = 30
# No NFS server is in the image: zfs(8) writes its table, and has this program read it.
EXPORTFS = "printf '#!/bin/sh\\n' >/usr/sbin/exportfs && chmod +x /usr/sbin/exportfs && zfs set sharenfs=on tank/raw"
# As docs/operations.md has it.
LEGACY = """
zfs create -o mountpoint=legacy tank/raw/legacy
mkdir /srv/legacy
echo 'tank/raw/legacy /srv/legacy zfs noauto,nofail,x-systemd.requires=zfs-keyvault.target,x-systemd.wanted-by=zfs-keyvault.target 0 0' >>/etc/fstab
systemctl daemon-reload
systemctl start srv-legacy.mount
"""


class LateGateway(Scenario):
    def test_a_gateway_that_comes_half_a_minute_late_is_found_and_everything_is_mounted(self):
        guest = self.boot()
        complaint = guest.wait_for_console(r"zkv(\[\d+\])?: .*gateway.*", 300)
        self.step(f"the guest says: {complaint.group(0).strip()}")
        self.assert_keeps_asking(guest, AWAY)
        guest.check(EXPORTFS)
        self.gateway.start()
        self.approve_next()
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        self.assert_shared(guest)

        guest.check(LEGACY)
        self.step("closing everything while a service stands on it, and opening it again")
        guest.check("zkv lock --all")
        self.assert_locked(guest, VOLUMES)
        for name in ("zfs-keyvault.service", "zfs-keyvault.target", "ledger.service"):
            self.assertEqual(unit(guest, name, "ActiveState"), "inactive", name)
        self.assertEqual(guest.run("findmnt -n /srv/legacy").out, "")
        self.assertNotIn("/tank/raw", guest.check("cat /etc/exports.d/zfs.exports"))
        guest.check("systemctl start --no-block zfs-keyvault.service")
        self.approve_next(lambda: self.assert_locked(guest, VOLUMES))
        guest.check("systemctl start zfs-keyvault.service")
        # What the target starts is in systemd's queue by then.
        guest.check('until [ -z "$(systemctl list-jobs --no-legend)" ]; do :; done')
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_shared(guest)
        self.assertEqual(guest.check("findmnt -n -o SOURCE /srv/legacy").strip(), "tank/raw/legacy")
        guest.power_off()

    def assert_shared(self, guest):
        self.assertRegex(guest.check("cat /etc/exports.d/zfs.exports"), r"(?m)^/tank/raw \*")


if __name__ == "__main__":
    unittest.main()
