"""An encrypted LUKS root and dracut: systemd in the initramfs asks, and is answered by an approval or at the console; the gateway's
name is known to a name server alone."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import DRIVERS, FORGET_NAMES, KNOW_SERVER, RootScenario  # noqa: E402

UUID = "5f0d6fc5-3a0c-4a8a-9a0a-0d6c8d3c6a11"


class RootDracut(RootScenario):
    package = "zkv-dracut"
    prompt = "Please enter passphrase for disk"
    start = f"root=/dev/mapper/root rd.luks.name={UUID}=root"
    # The key is one that systemd's prompt takes, without zero bytes, beside the passphrase. `zkv volume add` has the initramfs made. To
    # make it in the new system once more would take minutes: that it is asked for is enough there.
    make_root = f"""
        {FORGET_NAMES}
        printf '%s="%s"\\n' hostonly no compress 'gzip -1' drivers '{DRIVERS}' >/etc/dracut.conf.d/guest.conf
        head -c 32 /dev/urandom | base64 -w0 >/root/root.key
        cryptsetup luksFormat -q --uuid {UUID} --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/disk/by-id/virtio-spare /root/root.key
        cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /root/root.key /dev/disk/by-id/virtio-spare /root/passphrase
        cryptsetup open --key-file /root/root.key /dev/disk/by-id/virtio-spare root
        zkv volume add --key-file /root/recovery-key --device UUID={UUID} --volume-key-file /root/root.key root
        test "$(stat -c %a "/boot/initrd.img-$(uname -r)")" = 600
        mkfs.ext4 -q /dev/mapper/root
        mkdir -p /mnt
        mount /dev/mapper/root /mnt
        copy_root
        echo '/dev/mapper/root / ext4 errors=remount-ro 0 0' >/mnt/etc/fstab
        printf '%s\\n' '#!/bin/sh' 'touch /var/lib/renewed' >/mnt/etc/zkv/renewed.d/zkv-dracut
        mv "/mnt/boot/initrd.img-$(uname -r)" /mnt/initrd
        {KNOW_SERVER}
        done_with_root
        umount /mnt
        cryptsetup close root
    """

    def assert_root(self, guest):
        self.assertEqual(guest.check("findmnt -n -o SOURCE /").strip(), "/dev/mapper/root")
        guest.check("test -e /var/lib/renewed")

    def test_a_luks_root_is_opened_by_an_approval_or_at_the_console(self):
        self.serve_names()
        self.try_both_ways()
        self.assertIn("gateway.test", self.name_server.asked)
        self.assert_initramfs_opens_nothing()
        self.assert_without_a_cable_the_passphrase_opens_it_and_the_network_comes_later()


if __name__ == "__main__":
    unittest.main()
