"""An encrypted ZFS root and dracut: what zfs-dracut asks through systemd is opened by an approval, or answered at the console."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import DRIVERS, RootScenario  # noqa: E402


class RootZfsDracut(RootScenario):
    package = "zkv-dracut"
    prompt = "Encrypted ZFS password for rpool/root"
    start = "root=zfs:rpool/root"
    # `zkv volume add` has the initramfs made; that it is asked for is enough in the new system.
    make_root = f"""
        dpkg-deb -x /root/zfs-dracut_*.deb /
        printf '%s="%s"\\n' hostonly no compress 'gzip -1' drivers '{DRIVERS}' >/etc/dracut.conf.d/guest.conf
        zpool create -O canmount=off -O mountpoint=none -O compression=lz4 -o cachefile=none -R /mnt rpool /dev/disk/by-id/virtio-spare
        zfs create -o encryption=on -o keyformat=passphrase -o pbkdf2iters=100000 -o mountpoint=/ -o canmount=noauto rpool/root </root/passphrase
        zkv volume add --key-file /root/recovery-key --volume-key-file /root/passphrase rpool/root
        zfs mount rpool/root
        copy_root
        echo >/mnt/etc/fstab
        printf '%s\\n' '#!/bin/sh' 'touch /var/lib/renewed' >/mnt/etc/zkv/renewed.d/zkv-dracut
        mv "/mnt/boot/initrd.img-$(uname -r)" /mnt/initrd
        done_with_root
        zpool export rpool
    """

    def assert_root(self, guest):
        self.assertEqual(guest.check("findmnt -n -o SOURCE /").strip(), "rpool/root")

    def test_a_zfs_root_is_opened_by_an_approval_or_at_the_console(self):
        self.prepare()
        self.assert_one_approval_opens_root_and_the_rest()
        self.assert_a_passphrase_at_the_console_opens_it_and_the_rest_is_asked_for()


if __name__ == "__main__":
    unittest.main()
