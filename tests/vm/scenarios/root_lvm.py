"""A root as Debian's installer encrypts it: LVM with root, swap and home on one LUKS disk, and initramfs-tools; the gateway's name is known
to a name server alone."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import DRIVERS, FORGET_NAMES, KNOW_SERVER, RootScenario  # noqa: E402


class RootLvm(RootScenario):
    package = "zkv-initramfs"
    start = "root=/dev/mapper/host-root"
    prompt = "Please unlock disk sda3_crypt"
    volume = "sda3_crypt"
    # The installer writes no `initramfs` into crypttab: the hook finds out what the root lies on.
    make_root = f"""
        {FORGET_NAMES}
        spare=/dev/disk/by-id/virtio-spare
        cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $spare /root/passphrase
        cryptsetup open --key-file /root/passphrase $spare sda3_crypt
        source="UUID=$(blkid -s UUID -o value $spare)"
        zkv volume add --key-file /root/recovery-key --device "$source" --volume-key-file /root/passphrase sda3_crypt
        vgcreate -q host /dev/mapper/sda3_crypt
        lvcreate -q --size 64M --name swap host
        lvcreate -q --size 64M --name home host
        lvcreate -q --extents 100%FREE --name root host
        mkswap -q /dev/host/swap
        mkfs.ext4 -q /dev/host/root
        mkfs.ext4 -q /dev/host/home
        mkdir -p /mnt
        mount /dev/host/home /mnt
        echo 'content of home' >/mnt/file
        umount /mnt
        mount /dev/host/root /mnt
        copy_root
        printf '%s\\n' '/dev/mapper/host-root / ext4 errors=remount-ro 0 1' '/dev/mapper/host-home /home ext4 defaults 0 2' \
          '/dev/mapper/host-swap none swap sw 0 0' >/mnt/etc/fstab
        echo "sda3_crypt $source none luks,discard" >/mnt/etc/crypttab
        echo 'MODULES=list' >/mnt/etc/initramfs-tools/conf.d/modules
        printf '%s\\n' {DRIVERS} >/mnt/etc/initramfs-tools/modules
        chroot /mnt mkinitramfs -o /initrd "$(uname -r)"
        {KNOW_SERVER}
        done_with_root
        umount /mnt
        vgchange -q -an host
        cryptsetup close sda3_crypt
    """

    def assert_root(self, guest):
        self.assertEqual(guest.check("findmnt -n -o SOURCE /").strip(), "/dev/mapper/host-root")
        guest.check("systemctl start home.mount swap.target")
        self.assertEqual(guest.check("cat /home/file"), "content of home\n")
        self.assertEqual(guest.check("swapon --noheadings --show=NAME | wc -l").strip(), "1")

    def test_a_root_in_a_volume_group_is_opened_by_an_approval_or_at_the_console(self):
        self.serve_names()
        self.try_both_ways()
        self.assertIn("gateway.test", self.name_server.asked)


if __name__ == "__main__":
    unittest.main()
