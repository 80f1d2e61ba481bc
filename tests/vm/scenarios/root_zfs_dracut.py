"""An encrypted ZFS root and dracut: what zfs-dracut asks through systemd is opened by an approval, or answered at the console."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import DRIVERS, ZfsRootScenario  # noqa: E402


class RootZfsDracut(ZfsRootScenario):
    package = "zkv-dracut"
    prompt = "Encrypted ZFS password for rpool/root"
    start = "root=zfs:rpool/root"
    # The initramfs imports what is in the system's cache of pools, if that has any, and looks for others only where it has none.
    # `zkv volume add` has the initramfs made; that it is asked for is enough in the new system.
    make_root = f"""
        dpkg-deb -x /root/zfs-dracut_*.deb /
        printf '%s="%s"\\n' hostonly no compress 'gzip -1' drivers '{DRIVERS}' >/etc/dracut.conf.d/guest.conf
        make_zfs_root /etc/zfs/zpool.cache
        printf '%s\\n' '#!/bin/sh' 'touch /var/lib/renewed' >/mnt/etc/zkv/renewed.d/zkv-dracut
        mv "/mnt/boot/initrd.img-$(uname -r)" /mnt/initrd
        done_with_root
        zpool export rpool
    """

    def test_a_zfs_root_is_opened_by_an_approval_or_at_the_console(self):
        self.try_both_ways()


if __name__ == "__main__":
    unittest.main()
