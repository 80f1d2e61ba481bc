"""An encrypted LUKS root and initramfs-tools: opened by an approval that covers the rest too, or by a passphrase at the console, and by
that alone where no cable is in or nobody is to be asked."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import DRIVERS, RootScenario  # noqa: E402


class RootLuks(RootScenario):
    package = "zkv-initramfs"
    start = "root=/dev/mapper/root"
    prompt = "Please unlock disk root"
    # A key of any bytes, as `zkv volume create` makes them, beside the passphrase.
    make_root = f"""
        head -c 64 /dev/urandom >/root/root.key
        cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/disk/by-id/virtio-spare /root/root.key
        cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /root/root.key /dev/disk/by-id/virtio-spare /root/passphrase
        cryptsetup open --key-file /root/root.key /dev/disk/by-id/virtio-spare root
        source="UUID=$(blkid -s UUID -o value /dev/disk/by-id/virtio-spare)"
        zkv volume add --key-file /root/recovery-key --device "$source" --volume-key-file /root/root.key --encoding raw root
        mkfs.ext4 -q /dev/mapper/root
        mkdir -p /mnt
        mount /dev/mapper/root /mnt
        copy_root
        echo '/dev/mapper/root / ext4 errors=remount-ro 0 0' >/mnt/etc/fstab
        echo "root $source none luks,initramfs" >/mnt/etc/crypttab
        echo 'MODULES=list' >/mnt/etc/initramfs-tools/conf.d/modules
        printf '%s\\n' {DRIVERS} >/mnt/etc/initramfs-tools/modules
        chroot /mnt mkinitramfs -o /initrd "$(uname -r)"
        test "$(stat -c %a /mnt/initrd)" = 600
        done_with_root
        umount /mnt
        cryptsetup close root
    """

    def assert_root(self, guest):
        self.assertEqual(guest.check("findmnt -n -o SOURCE /").strip(), "/dev/mapper/root")

    def test_a_luks_root_is_opened_by_an_approval_or_at_the_console(self):
        self.try_both_ways()
        self.assert_initramfs_opens_nothing()
        self.assert_without_a_cable_the_passphrase_opens_it_and_the_network_comes_later()
        self.assert_told_not_to_ask_it_opens_by_the_passphrase_alone()
        self.assert_a_second_card_that_leads_nowhere_keeps_no_request_back()


if __name__ == "__main__":
    unittest.main()
