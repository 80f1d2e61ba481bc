"""LUKS beside ZFS: a disk that fstab mounts and an image with a detached header, opened by the same approval; and what goes wrong."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
CHEAP = "--pbkdf-force-iterations 1000"

# A disk with LUKS2 and a memory-hard passphrase, which fstab mounts with nofail, so that systemd wants to mount it too; an image
# file with LUKS1, a binary key and a detached header, which the repository says where to mount; and one with a cipher that only the kernel has, and
# no filesystem.
MAKE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)
printf 'correct horse' >/root/data.key
truncate -s 20M /var/lib/serpent
cryptsetup luksFormat -q --cipher serpent-xts-plain64 {CHEAP} --pbkdf pbkdf2 /var/lib/serpent /root/data.key
cryptsetup luksFormat -q --pbkdf argon2id --pbkdf-memory 65536 --pbkdf-force-iterations 4 --pbkdf-parallel 1 \
  /dev/disk/by-id/virtio-spare /root/data.key
cryptsetup open --key-file /root/data.key /dev/disk/by-id/virtio-spare data
mkfs.ext4 -q -L data /dev/mapper/data
mkdir /srv/data
mount /dev/mapper/data /srv/data
echo 'content of data' >/srv/data/file
umount /srv/data
echo "UUID=$(blkid -s UUID -o value /dev/mapper/data) /srv/data ext4 noatime,nofail,x-systemd.device-timeout=0 0 2" >>/etc/fstab
cryptsetup close data
systemctl daemon-reload

head -c 3000 /dev/urandom >/root/image.key
truncate -s 32M /var/lib/image
truncate -s 4M /var/lib/image.header
cryptsetup luksFormat -q --type luks1 {CHEAP} --header /var/lib/image.header /var/lib/image /root/image.key
cryptsetup open --key-file /root/image.key --header /var/lib/image.header /var/lib/image image
mkfs.ext4 -q /dev/mapper/image
mkdir /run/image
mount /dev/mapper/image /run/image
echo 'content of image' >/run/image/file
umount /run/image
cryptsetup close image
udevadm settle
"""
# Holds the disk as e2fsck does while it looks at it, and goes on when it is told to.
SLOW_FSCK = """
set -euo pipefail
mkfifo /var/lib/fsck.begun /var/lib/fsck.go
rm /sbin/fsck.ext4
cat >/sbin/fsck.ext4 <<'EOF'
#!/usr/bin/perl
use Fcntl;
if (-p "/var/lib/fsck.go" && -e "/dev/mapper/data") {
  sysopen(my $disk, "/dev/mapper/data", O_RDWR | O_EXCL) or exit 8;
  open(my $begun, ">", "/var/lib/fsck.begun");
  close $begun;
  open(my $go, "<", "/var/lib/fsck.go");
}
exec "/sbin/e2fsck", @ARGV;
EOF
chmod +x /sbin/fsck.ext4
"""
ADD = """
set -euo pipefail
zkv volume add --key-file /root/recovery-key --device "UUID=$(blkid -s UUID -o value /dev/disk/by-id/virtio-spare)" \
  --options discard,no-read-workqueue --volume-key-file /root/data.key data
zkv volume add --key-file /root/recovery-key --device /var/lib/image --options header=/var/lib/image.header,read-only \
  --mount-point /srv/made/on/the/way --volume-key-file /root/image.key --encoding raw image
zkv volume add --key-file /root/recovery-key --device /var/lib/serpent --volume-key-file /root/data.key serpent
"""
ZKV = "zkv {} --key-file /root/recovery-key"


class Luks(Scenario):
    spare = "128M"

    def assert_luks_closed(self, guest):
        self.assertEqual(guest.check("ls /dev/mapper"), "control\n")
        guest.check("test ! -e /srv/data/file")

    def assert_luks_open(self, guest):
        self.assertEqual(guest.check("cat /srv/data/file /srv/made/on/the/way/file"), "content of data\ncontent of image\n")
        self.assertEqual(guest.check("findmnt -n -o SOURCE /srv/made/on/the/way").strip(), "/dev/mapper/image")
        self.assertIn("noatime", guest.check("findmnt -n -o OPTIONS /srv/data"))
        self.assertRegex(guest.check("dmsetup table data"), "allow_discards.*no_read_workqueue")
        self.assertRegex(guest.check("findmnt -n -o OPTIONS /srv/made/on/the/way"), "^ro,")
        self.assertNotEqual(guest.run("dd if=/dev/zero of=/dev/mapper/image count=1 conv=notrunc").code, 0)

    def assert_waits_for_fsck(self, guest):
        """What fstab has checked at boot is mounted after the check, not beside it, and zkv waits for that."""
        guest.check("timeout 300 cat /var/lib/fsck.begun", 330)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "activating")
        self.assertNotEqual(guest.run("findmnt /srv/data").code, 0)
        guest.check("timeout 60 sh -c ': >/var/lib/fsck.go'; rm /var/lib/fsck.go")

    def volumes_of(self, guest):
        """What `zkv status` says of the LUKS volumes: name to key, mounted and mount point."""
        status = json.loads(guest.check("zkv status --json"))
        return {volume["volume"]: (volume["key"], volume["mounted"], volume["mountpoint"])
                for volume in status["volumes"] if volume["kind"] == "luks"}

    def mount(self, guest, *only, code=0):
        """What `zkv mount` says: name to result and detail."""
        words = " ".join(f"--only {name}" for name in only)
        answer = guest.run(ZKV.format(f"mount --json {words}"))
        self.assertEqual(answer.code, code, answer.err)
        return {volume["volume"]: (volume["result"], volume["detail"]) for volume in json.loads(answer.out)["volumes"]}

    def test_one_approval_opens_luks_and_zfs_and_what_goes_wrong_is_named(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)

        self.step("making LUKS volumes and adding them")
        guest.check(MAKE, 400)
        guest.check(ADD)
        self.assert_luks_closed(guest)
        refused = guest.run("echo wrong | zkv volume add --key-file /root/recovery-key --force --volume-key-file - data")
        self.assertEqual(refused.code, 1)
        self.assertIn("nothing was stored", refused.err)

        self.step("rebooting")
        guest.check(SLOW_FSCK)
        guest.reboot()
        self.approve_next(lambda: (self.assert_locked(guest, VOLUMES), self.assert_luks_closed(guest)))
        self.assert_waits_for_fsck(guest)
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_luks_open(guest)
        self.assert_in_order(guest)
        self.assertEqual(self.volumes_of(guest), {"data": ("loaded", True, "/srv/data"), "image": ("loaded", True, "/srv/made/on/the/way"),
                                                  "serpent": ("loaded", False, "")})

        self.step("changing a key behind zkv's back: what the boot's opening proved is what it is compared with")
        self.assertEqual(guest.run("zkv check").code, 0)
        change = f"cryptsetup luksChangeKey -q {CHEAP} --pbkdf pbkdf2 --key-file {{}} /var/lib/serpent {{}}"
        guest.check("printf another >/root/another.key; " + change.format("/root/data.key", "/root/another.key"))
        found = guest.run("zkv check")
        self.assertEqual(found.code, 3, found)
        self.assertIn("- serpent: ", found.out)
        self.assertNotIn("- image: ", found.out)
        guest.check(change.format("/root/another.key", "/root/data.key"))

        self.step("opening what is open, and trying its keys")
        self.assertEqual({result for result, _ in self.mount(guest).values()}, {"already-open"})
        self.assertIn("data: its key fits", guest.check(ZKV.format("volume test data")))

        self.step("another type in fstab: told before a boot founders on it, and after an opening did")
        guest.check("sed -i 's/ ext4 noatime/ xfs noatime/' /etc/fstab; systemctl daemon-reload")
        wrong = "data: it cannot be mounted at /srv/data: fstab calls it xfs, and it is ext4"
        for command, code in (("check", 3), ("drill --key-file /root/recovery-key", 3)):
            told = guest.run(f"zkv {command}")
            self.assertEqual(told.code, code, told)
            self.assertIn(wrong, told.out)
        self.assertNotEqual(guest.run("systemctl start zkv-check.service").code, 0)
        self.assertIn(wrong, guest.check("journalctl -b -o cat -u zkv-check.service"))
        self.assertIn("fstab-type", guest.run("zkv doctor --json").out)
        guest.check("zkv unmount data")
        outcome = guest.run(ZKV.format("mount --only data"))
        self.assertEqual(outcome.code, 3, outcome)
        self.assertIn("fstab calls it xfs, and it is ext4", outcome.out + outcome.err)
        self.assertIn("last-opening", guest.run("zkv doctor --json").out)
        guest.check("sed -i 's/ xfs noatime/ ext4 noatime/' /etc/fstab; systemctl daemon-reload; systemctl reset-failed")
        self.assertIn("data: it was not mounted at /srv/data when it was last opened: ", guest.run("zkv check").out)
        guest.check("mkdir -p /srv/data; umount /srv/data 2>/dev/null; echo hidden >/srv/data/written-meanwhile")
        self.assertIn("it hides what lay in that directory", guest.check(ZKV.format("mount --only data")))
        self.assertEqual(guest.run("zkv check").code, 0)
        self.assert_luks_open(guest)

        self.step("closing what is in use, and then what is not")
        guest.check("systemd-run --quiet --service-type exec --unit user --working-directory /srv/data sleep infinity")
        busy = guest.run("zkv unmount data")
        self.assertEqual(busy.code, 1)
        self.assertRegex(busy.err, "busy")
        self.assertRegex(busy.err, "the mapping data is in use, mounted at /srv/data\n.*lsblk /dev/mapper/data")
        self.assertRegex(busy.err, r"in use by sleep \(\d+\)")
        self.assertEqual(guest.check("cat /srv/data/file"), "content of data\n")
        guest.check("systemctl stop user")
        guest.check("zkv unmount data image serpent")
        self.assert_luks_closed(guest)
        self.assertEqual(self.volumes_of(guest), dict.fromkeys(("data", "image", "serpent"), ("not-loaded", False, "")))
        self.assert_open(guest, VOLUMES)

        self.step("locking what is open while a copy of its disk lies beside it")
        guest.check(ZKV.format("mount --only data"))
        guest.check("cp /dev/disk/by-id/virtio-spare /var/lib/twin && losetup --find --show /var/lib/twin >/run/twin && udevadm settle")
        guest.check('ln -sf "$(cat /run/twin)" "/dev/disk/by-uuid/$(blkid -s UUID -o value "$(cat /run/twin)")"')
        self.assertEqual(self.volumes_of(guest)["data"], ("loaded", True, "/srv/data"))
        guest.check("zkv lock data")
        self.assertEqual(guest.check("ls /dev/mapper"), "control\n")
        guest.check("losetup --detach $(cat /run/twin); rm /var/lib/twin; udevadm trigger --settle /dev/disk/by-id/virtio-spare")

        self.step("opening one of several that cannot")
        self.fail_in_every_way(guest)
        guest.power_off()

    def fail_in_every_way(self, guest):
        guest.check(f"""
            set -euo pipefail
            add() {{ zkv volume add --key-file /root/recovery-key --no-test --volume-key-file - "$@" <<<wrong; }}
            add --device UUID=00000000-0000-0000-0000-000000000000 gone
            add --device /dev/disk/by-id/virtio-pool no-luks
            truncate -s 20M /var/lib/other /var/lib/bad /var/lib/third
            for name in other bad third; do
              cryptsetup luksFormat -q {CHEAP} --pbkdf pbkdf2 /var/lib/$name /root/image.key
            done
            add --device /var/lib/bad bad
            add --device /var/lib/third taken
            cryptsetup open --key-file /root/image.key /var/lib/other taken
            add --device /var/lib/other second
            systemctl stop zfs-keyvault.service
        """)
        outcome = self.mount(guest, "data", "gone", "no-luks", "bad", "taken", "second", code=3)
        self.assertEqual({name: result for name, (result, _) in outcome.items()},
                         {"data": "opened", "gone": "missing", "no-luks": "not-a-volume", "bad": "wrong-key", "taken": "failed",
                          "second": "failed"})
        self.assertIn("belongs to another device", outcome["taken"][1])
        self.assertIn("open already, as /dev/mapper/taken", outcome["second"][1])
        self.assertEqual(guest.check("cat /srv/data/file"), "content of data\n")
        self.assertEqual(guest.check("ls /dev/mapper").split(), ["control", "data", "taken"])

        self.step("restarting the unit with them: the others are open, and the journal names each")
        guest.check("systemctl start zfs-keyvault.service >/run/started 2>&1 </dev/null & echo $! >/run/starter.pid")
        self.approve_next()
        guest.check("tail --pid=$(cat /run/starter.pid) -f /dev/null")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ExecMainStatus"), "3")
        journal = guest.check("journalctl -b -o cat -u zfs-keyvault.service")
        for name in ("gone", "no-luks", "bad", "taken", "second"):
            self.assertRegex(journal, f"zkv: {name}: ")
        self.assert_luks_open(guest)


if __name__ == "__main__":
    unittest.main()
