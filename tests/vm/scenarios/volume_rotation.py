"""The volumes of a machine get other keys, and the power goes in the midst of it, again and again: each boot opens everything, and the same command goes on."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()

# As docs/doctor.md has it for what zkv does not mount itself.
WAITS = "noauto,nofail,x-systemd.requires=zfs-keyvault.target,x-systemd.wanted-by=zfs-keyvault.target"
MAKE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)
printf 'correct horse' >/root/data.key
cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/disk/by-id/virtio-spare /root/data.key
cryptsetup open --key-file /root/data.key /dev/disk/by-id/virtio-spare data
mkfs.ext4 -q /dev/mapper/data
mkdir /srv/data
mount /dev/mapper/data /srv/data
mkdir /srv/data/sub /srv/bind
echo 'content of data' | tee /srv/data/file >/srv/data/sub/file
umount /srv/data
echo "/dev/mapper/data /srv/data ext4 noauto,nofail 0 2" >>/etc/fstab
echo "/srv/data/sub /srv/bind none bind,{WAITS} 0 0" >>/etc/fstab
cryptsetup close data
systemctl daemon-reload
udevadm settle
zkv volume add --key-file /root/recovery-key --device "UUID=$(blkid -s UUID -o value /dev/disk/by-id/virtio-spare)" --volume-key-file /root/data.key data
zkv mount --key-file /root/recovery-key
install -d -m 0755 /etc/zkv/renewed.d
printf '#!/bin/sh\\necho "$1" >>/var/lib/renewed\\n' >/etc/zkv/renewed.d/10-note
chmod 0755 /etc/zkv/renewed.d/10-note
sync
"""
ROTATE = "zkv rotate --volume-keys --yes --key-file /root/recovery-key"
BEGIN = f"systemd-run --quiet --no-block --unit rotation --property StandardOutput=journal bash -c '{ROTATE} >/run/rotated 2>&1; echo $? >>/run/rotated'"
# Ends as soon as so many filesystems of ZFS have a raw key, or the command is done.
AWAIT = """
until [ "$(zfs get -H -r -t filesystem -o value keyformat tank | grep -c raw)" -ge {} ] || ! systemctl -q is-active rotation; do :; done
"""


class VolumeRotation(Scenario):
    spare = "64M"

    def assert_all_open(self, guest):
        self.assert_open(guest, VOLUMES)
        self.assertEqual(guest.check("cat /srv/data/file"), "content of data\n")

    def next_boot(self, guest):
        self.approve_next()
        self.finish_boot(guest)
        self.assert_all_open(guest)
        self.assertEqual(guest.check("systemctl start srv-bind.mount && cat /srv/bind/file"), "content of data\n")
        self.assertNotIn("local-fs.target", guest.check("systemctl show -P Before srv-data.mount srv-bind.mount"))
        self.assert_in_order(guest)

    def raw_keys(self, guest):
        return int(guest.check("zfs get -H -r -t filesystem -o value keyformat tank | grep -c raw || true"))

    def test_a_power_cut_anywhere_leaves_everything_opening(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)
        guest.check(MAKE, 600)
        self.assert_all_open(guest)
        before = self.raw_keys(guest)

        for more in (0, 1, 2):
            self.step(f"the power goes once {more} filesystems have a new key")
            guest.check(BEGIN)
            guest.check(AWAIT.format(before + more), 600)
            guest.cut_power()
            self.next_boot(guest)

        self.step("going on to the end")
        told = guest.check(ROTATE, 900)
        self.assertNotIn("not yet", told)
        self.assertEqual(guest.check("sort -u /var/lib/renewed"), "/var/lib/zkv/repository\n")
        outcome = json.loads(guest.check("zkv volume test --json --key-file /root/recovery-key"))
        self.assertEqual({volume["result"] for volume in outcome["volumes"]}, {"key-fits"})
        self.assertNotEqual(guest.run("cryptsetup open --test-passphrase --key-file /root/data.key /dev/disk/by-id/virtio-spare").code, 0)
        wrong = guest.run("zfs load-key -n -L prompt tank/pass <<<correct-horse-battery-staple")
        self.assertNotEqual(wrong.code, 0)

        self.step("and the boot after it")
        guest.reboot()
        self.next_boot(guest)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
