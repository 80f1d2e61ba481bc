"""An encrypted ZFS root and initramfs-tools: opened by an approval that covers the rest too, or by a passphrase at the console."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import DRIVERS, RootScenario  # noqa: E402


class RootZfs(RootScenario):
    package = "zkv-initramfs"
    start = "root=ZFS=rpool/root boot=zfs"
    prompt = "Enter passphrase for 'rpool/root'"
    make_root = f"""
        zpool create -O canmount=off -O mountpoint=none -O compression=lz4 -o cachefile=none -R /mnt rpool /dev/disk/by-id/virtio-spare
        zfs create -o encryption=on -o keyformat=passphrase -o pbkdf2iters=100000 -o mountpoint=/ -o canmount=noauto rpool/root </root/passphrase
        zkv volume add --key-file /root/recovery-key --volume-key-file /root/passphrase rpool/root
        zfs mount rpool/root
        copy_root
        echo >/mnt/etc/fstab
        echo 'MODULES=list' >/mnt/etc/initramfs-tools/conf.d/modules
        printf '%s\\n' {DRIVERS} >/mnt/etc/initramfs-tools/modules
        chroot /mnt mkinitramfs -o /initrd "$(uname -r)"
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
