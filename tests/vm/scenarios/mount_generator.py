"""zfs-mount-generator beside zfs-keyvault: filesystems that it is told to leave alone are opened by the approval, and no unit asks at the
console; the generator's other mounts come as ever.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402

# What zed's history_event-zfs-list-cacher writes: zfs-mount-generator(8).
PROPERTIES = ("name,mountpoint,canmount,atime,relatime,devices,exec,readonly,setuid,nbmand,encroot,keylocation,org.openzfs.systemd:requires,"
              "org.openzfs.systemd:requires-mounts-for,org.openzfs.systemd:before,org.openzfs.systemd:after,org.openzfs.systemd:wanted-by,"
              "org.openzfs.systemd:required-by,org.openzfs.systemd:nofail,org.openzfs.systemd:ignore")
GENERATE = f"""
set -euo pipefail
for volume in {' '.join(VOLUMES)}; do zfs set org.openzfs.systemd:ignore=on $volume; done
zfs create -o mountpoint=/plain tank/plain
echo plain >/plain/file
mkdir -p /etc/zfs/zfs-list.cache
zfs list -H -t filesystem -o {PROPERTIES} -r tank >/etc/zfs/zfs-list.cache/tank
systemctl mask --quiet zfs-mount.service
"""


class MountGenerator(Scenario):
    def test_the_generator_and_one_approval_go_together(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)
        guest.check(GENERATE)
        self.step("rebooting with the generator")
        guest.reboot()
        self.approve_next(lambda: self.assert_locked(guest, VOLUMES))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        self.assertEqual(unit(guest, "plain.mount", "FragmentPath"), "/run/systemd/generator/plain.mount")
        self.assertEqual(guest.check("cat /plain/file"), "plain\n")
        self.assertEqual(guest.check("systemctl list-units --all --plain --no-legend 'zfs-load-key*'").strip(), "")
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
