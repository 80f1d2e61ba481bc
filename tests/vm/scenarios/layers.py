"""What lies on LUKS without being a filesystem of one disk: a volume group over two, with LUKS on one of its volumes; a btrfs of two; an
array of two. One approval brings all of it up, and locking takes it down."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
DISKS = ["pv1", "pv2", "butter1", "butter2", "half1", "half2"]
PLACES = {"pv1": "/srv/home", "pv2": "/srv/home", "inner": "/srv/inner", "butter1": "/srv/pool", "butter2": "/srv/pool", "half1": "/srv/array",
          "half2": "/srv/array"}
MAKE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)
dpkg-deb --fsys-tarfile /root/mdadm_*.deb | tar -x -C / --keep-directory-symlink
udevadm control --reload
systemctl mask --quiet mdmonitor.service  # there is nobody to mail to
modprobe -a raid1 btrfs
head -c 64 /dev/urandom >/root/disk.key
cheap="--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
fill() {{
  mount "$1" /mnt
  echo "content of $2" >/mnt/file
  umount /mnt
}}
add() {{ zkv volume add --key-file /root/recovery-key --volume-key-file /root/disk.key --encoding raw "$@"; }}
for name in {' '.join(DISKS)}; do
  truncate -s 160M /var/lib/$name
  cryptsetup luksFormat -q $cheap /var/lib/$name /root/disk.key
  cryptsetup open --key-file /root/disk.key /var/lib/$name $name
  add --device /var/lib/$name $name
done

vgcreate -q nas /dev/mapper/pv1 /dev/mapper/pv2
lvcreate -q --stripes 2 --size 64M --name home nas
lvcreate -q --size 32M --name in-ner nas /dev/mapper/pv2
mkfs.ext4 -q /dev/nas/home
fill /dev/nas/home home
lvcreate -q --snapshot --size 8M --name before nas/home
echo '/dev/nas/home /srv/home ext4 nofail,x-systemd.device-timeout=1s 0 2' >>/etc/fstab
cryptsetup luksFormat -q $cheap /dev/nas/in-ner /root/disk.key
cryptsetup open --key-file /root/disk.key /dev/nas/in-ner inner
mkfs.ext4 -q /dev/mapper/inner
fill /dev/mapper/inner inner
add --device /dev/nas/in-ner --mount-point /srv/inner inner

mkfs.btrfs -q --data raid1 --metadata raid1 /dev/mapper/butter1 /dev/mapper/butter2
fill /dev/mapper/butter2 pool
echo "UUID=$(blkid -s UUID -o value /dev/mapper/butter1) /srv/pool btrfs nofail 0 0" >>/etc/fstab

mdadm --create /dev/md7 --run --metadata 1.2 --level 1 --raid-devices 2 /dev/mapper/half1 /dev/mapper/half2
mkfs.ext4 -q /dev/md7
fill /dev/md7 array
echo "UUID=$(blkid -s UUID -o value /dev/md7) /srv/array ext4 nofail 0 2" >>/etc/fstab

mdadm --stop /dev/md7
cryptsetup close inner
vgchange -q -an nas
for name in {' '.join(DISKS)}; do cryptsetup close $name; done
systemctl daemon-reload
"""
ZKV = "zkv {} --key-file /root/recovery-key"


class Layers(Scenario):
    def assert_down(self, guest):
        self.assertEqual(guest.check("ls /dev/mapper"), "control\n")
        self.assertNotIn("md7", guest.check("cat /proc/partitions"))
        for place in set(PLACES.values()):
            guest.check(f"test ! -e {place}/file")

    def assert_up(self, guest):
        for place, content in (("home", "home"), ("inner", "inner"), ("pool", "pool"), ("array", "array")):
            self.assertEqual(guest.check(f"cat /srv/{place}/file"), f"content of {content}\n")
        self.assertEqual(guest.check("findmnt -n -o SOURCE /srv/home").strip(), "/dev/mapper/nas-home")
        self.assertEqual(guest.check("findmnt -n -o FSTYPE /srv/pool").strip(), "btrfs")
        self.assertIn("[UU]", guest.check("cat /proc/mdstat"))
        status = json.loads(guest.check("zkv status --json"))
        self.assertEqual({volume["volume"]: volume["mountpoint"] for volume in status["volumes"] if volume["kind"] == "luks"}, PLACES)

    def mount(self, guest, code=0):
        """What `zkv mount` says: name to result."""
        answer = guest.run(ZKV.format("mount --json"))
        self.assertEqual(answer.code, code, answer)
        return {volume["volume"]: volume["result"] for volume in json.loads(answer.out)["volumes"] if volume["kind"] == "luks"}

    def test_one_approval_brings_up_what_lies_on_luks_and_locking_takes_it_down(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)

        self.step("making a volume group, a btrfs and an array on LUKS")
        guest.check(MAKE, 600)
        self.assert_down(guest)

        self.step("rebooting")
        guest.reboot()
        self.approve_next(lambda: (self.assert_locked(guest, VOLUMES), self.assert_down(guest)))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_up(guest)
        self.assert_in_order(guest)

        self.step("opening what is open")
        self.assertEqual(self.mount(guest), dict.fromkeys(PLACES, "already-open"))
        self.assert_up(guest)
        self.assertEqual(guest.run("zkv check").code, 0)

        self.step("lines that a boot would wait for are told, by path and by UUID")
        guest.check("cp /etc/fstab /root/fstab; sed -i 's/nofail/defaults/' /etc/fstab")
        found = [finding for finding in json.loads(guest.run("zkv doctor --json").out)["findings"] if finding["id"] == "fstab-stops-boot"]
        self.assertEqual(len(found), 3, found)
        told = guest.run(ZKV.format("drill")).out
        for place in ("/srv/home", "/srv/pool", "/srv/array"):
            self.assertIn(place, told)
        guest.check("cp /root/fstab /etc/fstab")

        self.step("what is in use stays up")
        guest.check("systemd-run --quiet --service-type exec --unit user --working-directory /srv/home sleep infinity")
        busy = guest.run("zkv unmount pv1")
        self.assertEqual(busy.code, 1)
        self.assertRegex(busy.err, "the mapping pv1 is in use, mounted at /srv/home")
        self.assertRegex(busy.err, r"in use by sleep \(\d+\)")
        guest.check("systemctl stop user")
        kept = guest.run("zkv unmount pv2")
        self.assertEqual(kept.code, 1, "inner lies on it, and is open")
        self.assertEqual(guest.check("cat /srv/inner/file"), "content of inner\n")

        self.step("locking all, and opening it again")
        guest.check("zkv lock --all")
        self.assert_down(guest)
        outcome = self.mount(guest)
        self.assertEqual(outcome, dict.fromkeys(PLACES, "opened"))
        self.assert_up(guest)

        self.step("one disk of each is gone: nothing comes up by halves")
        # By mdadm's own rule half of an array is started 30 s after its disk came; a slow machine takes longer for what follows.
        guest.check("systemctl mask --runtime mdadm-last-resort@.timer")
        guest.check("zkv lock --all; mkdir /root/away; mv /var/lib/pv2 /var/lib/butter2 /var/lib/half2 /root/away/")
        self.assertEqual(self.mount(guest, code=3)["pv1"], "opened")
        told = guest.run(ZKV.format("mount"))
        self.assertEqual(told.code, 3)
        self.assertIn("the volume group nas waits for 1 more of its disks", told.out + told.err)
        self.assertEqual(guest.check("lsblk -n -o NAME /dev/mapper/pv1").split(), ["pv1"])
        guest.check("test ! -e /srv/home/file; test ! -e /srv/pool/file; test ! -e /srv/array/file")
        guest.check("zkv lock --all")
        self.assert_down(guest)
        guest.check("mv /root/away/* /var/lib/")
        self.mount(guest)
        self.assert_up(guest)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
