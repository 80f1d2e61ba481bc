"""`zkv doctor` on a real machine: nothing that a boot there needs is called wrong, and what is spoilt afterwards is found."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import Scenario  # noqa: E402

SPOIL = """
set -euo pipefail
systemctl disable -q zfs-keyvault.service
echo 'tank/pass/child /srv/child zfs defaults 0 0' >>/etc/fstab
mkdir -p /etc/zfs/zfs-list.cache
sed -i '/^After=/d' /etc/systemd/system/ledger.service
zfs list -H -t filesystem -o name,mountpoint,canmount,atime,relatime,devices,exec,readonly,setuid,nbmand,encroot,keylocation,\
org.openzfs.systemd:requires,org.openzfs.systemd:requires-mounts-for,org.openzfs.systemd:before,org.openzfs.systemd:after,\
org.openzfs.systemd:wanted-by,org.openzfs.systemd:required-by,org.openzfs.systemd:nofail,org.openzfs.systemd:ignore >/etc/zfs/zfs-list.cache/tank
"""
FOUND = {"service-disabled", "dependent-unordered", "fstab-stops-boot", "zfs-asks"}


class Doctor(Scenario):
    def found(self, guest):
        """id → finding, of those that are to be mended."""
        told = json.loads(guest.run("zkv doctor --cafile /etc/zkv/gateway-ca.pem --json", 300).out)
        return {finding["id"]: finding for finding in told["findings"] if finding["weight"] == "mend"}

    def test_what_is_spoilt_is_found_and_nothing_else_is_new(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)
        before = self.found(guest)
        self.step(f"found on a machine that works: {sorted(before)}")
        self.assertEqual(set(before) & FOUND, set())
        self.assertNotIn("gateway-unreached", before)
        guest.check(SPOIL)
        after = self.found(guest)
        self.assertEqual(set(after) - set(before), FOUND)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
