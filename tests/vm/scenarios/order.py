"""Volumes that lie on one another, of both kinds: a disk with LUKS, on it a pool, in that a block device with LUKS, on that a filesystem,
and below its mount point a filesystem of another pool. One approval opens them all, each after what it lies on."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
CHEAP = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
HEX = "0123456789abcdef" * 4

MAKE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key; printf 'correct horse' >/root/luks.key; printf '%s\\n' {HEX} >/root/zfs.key)
add() {{ zkv volume add --key-file /root/recovery-key "$@"; }}
encrypted() {{ zfs create -o encryption=on -o keyformat=hex -o keylocation=file:///root/zfs.key "$@"; }}
disk=/dev/disk/by-id/virtio-spare
cryptsetup luksFormat -q {CHEAP} $disk /root/luks.key
cryptsetup open --key-file /root/luks.key $disk disk
zpool create -o cachefile=none -O mountpoint=/deep deep /dev/mapper/disk
encrypted deep/safe
encrypted -V 24M deep/block
udevadm settle
cryptsetup luksFormat -q {CHEAP} /dev/zvol/deep/block /root/luks.key
cryptsetup open --key-file /root/luks.key /dev/zvol/deep/block inner
mkfs.ext4 -q /dev/mapper/inner
mkdir /srv/inner
mount /dev/mapper/inner /srv/inner
encrypted -o mountpoint=/srv/inner/below tank/below
for place in /deep /deep/safe /srv/inner /srv/inner/below; do echo "content of $place" >$place/file; done
add --device $disk --volume-key-file /root/luks.key disk
add --options import --volume-key-file /root/zfs.key deep/safe
add --options import --volume-key-file /root/zfs.key deep/block
add --device /dev/zvol/deep/block --mount-point /srv/inner --volume-key-file /root/luks.key inner
add --volume-key-file /root/zfs.key tank/below
zfs unmount tank/below
zfs unload-key tank/below
umount /srv/inner
cryptsetup close inner
zpool export deep
cryptsetup close disk
"""
PLACES = ["/deep", "/deep/safe", "/srv/inner", "/srv/inner/below"]


class Order(Scenario):
    spare = "256M"

    def assert_closed(self, guest):
        self.assertEqual(guest.check("ls /dev/mapper"), "control\n")
        self.assertEqual(guest.run("zpool list -H -o name").out.split(), ["tank"])

    def assert_whole(self, guest):
        for place in PLACES:
            self.assertEqual(guest.check(f"cat {place}/file"), f"content of {place}\n")
        self.assertEqual(guest.check("findmnt -n -o SOURCE --target /srv/inner/below").strip(), "tank/below")

    def test_one_approval_opens_a_tower_of_volumes_from_below(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)
        self.step("building the tower")
        guest.check(MAKE, limit=400)
        self.assert_closed(guest)

        self.step("rebooting")
        guest.reboot()
        self.approve_next(lambda: self.assert_closed(guest))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_whole(guest)
        self.assert_in_order(guest)

        self.step("closing it from above, in one go")
        guest.check("systemd-run --quiet --service-type exec --unit user --working-directory /srv/inner/below sleep infinity")
        busy = guest.run("zkv lock disk deep/safe deep/block inner tank/below")
        self.assertEqual(busy.code, 3, busy.err)
        self.assertRegex(busy.err, r"in use by sleep \(\d+\)")
        self.assertEqual(guest.check("cat /srv/inner/below/file"), "content of /srv/inner/below\n")
        guest.check("systemctl stop user")
        guest.check("zkv lock disk deep/safe deep/block inner tank/below")
        self.assert_closed(guest)
        self.assert_open(guest, VOLUMES)

        self.step("without the disk nothing above it is tried, and the reason is told")
        guest.check("cryptsetup luksErase -q /dev/disk/by-id/virtio-spare")
        answer = guest.run("zkv mount --json --key-file /root/recovery-key")
        self.assertEqual(answer.code, 3, answer.err)
        outcome = {volume["volume"]: (volume["result"], volume["detail"]) for volume in json.loads(answer.out)["volumes"]}
        self.assertEqual(outcome["disk"][0], "failed")
        self.assertEqual(outcome["deep/safe"], ("pool-missing", "cannot import 'deep': no such pool available"))
        self.assertEqual(outcome["inner"][0], "missing")
        self.assertIn("which is not open", outcome["inner"][1])
        below = [mount for mount in json.loads(answer.out)["mounts"] if mount["filesystem"] == "tank/below"]
        self.assertEqual([mount["result"] for mount in below], ["failed"])
        guest.check("test ! -e /srv/inner/below/file")
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
