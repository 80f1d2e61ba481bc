"""An encrypted ZFS root and initramfs-tools: opened by an approval that covers the rest too, or by a passphrase at the console."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import DRIVERS, ZfsRootScenario  # noqa: E402


class RootZfs(ZfsRootScenario):
    package = "zkv-initramfs"
    start = "root=ZFS=rpool/root boot=zfs"
    prompt = "Enter passphrase for 'rpool/root'"
    make_root = f"""
        make_zfs_root none
        echo 'MODULES=list' >/mnt/etc/initramfs-tools/conf.d/modules
        printf '%s\\n' {DRIVERS} >/mnt/etc/initramfs-tools/modules
        chroot /mnt mkinitramfs -o /initrd "$(uname -r)"
        done_with_root
        zpool export rpool
    """

    def test_a_zfs_root_is_opened_by_an_approval_or_at_the_console(self):
        self.try_both_ways()


if __name__ == "__main__":
    unittest.main()
