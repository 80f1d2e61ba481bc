"""Every dm-crypt kind, opened and mounted by one approval: plain, TrueCrypt made by tcplay, VeraCrypt, BitLocker, FileVault, LUKS with
checksums, LUKS by its own key and LUKS with NTFS, which a program serves; and what wrong keys do."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "images")]

import bitlocker  # noqa: E402
import filevault  # noqa: E402
import truecrypt  # noqa: E402
from scenario import VOLUMES, Scenario  # noqa: E402

KEY = (HERE.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
KINDS = {"word": "plain", "raw": "plain", "true": "tcrypt", "vera": "tcrypt", "hidden": "tcrypt", "bit": "bitlk", "vault": "fvault2",
         "sums": "luks", "own": "luks", "windows": "luks"}
PLACES = {name: f"/srv/{name}" for name in KINDS}
SHAPE = "cipher=aes-xts-plain64,size=256"
MAKE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)
cp /payload/*.img /var/lib/
fill() {{  # a filesystem with a file onto the open mapping $1, made by the rest of the words, and closed then
  "${{@:2}}" "/dev/mapper/$1"
  mount "/dev/mapper/$1" /mnt
  echo "content of $1" >/mnt/file
  umount /mnt
  cryptsetup close "$1"
}}

truncate -s 16M /var/lib/word.img /var/lib/true.img
truncate -s 32M /var/lib/sums.img /var/lib/own.img /var/lib/windows.img
printf 'word pass' >/root/word.key
cryptsetup open -q --type plain --cipher aes-xts-plain64 --key-size 256 --hash sha256 --key-file - /var/lib/word.img word </root/word.key
fill word mkfs.ext4 -q
head -c 64 /dev/urandom >/root/raw.key
spare=/dev/disk/by-id/virtio-spare
cryptsetup open -q --type plain --cipher aes-xts-plain64 --key-size 256 --offset 2048 --skip 7 --key-file /root/raw.key $spare raw
fill raw mkfs.ext4 -q
echo '/dev/mapper/raw /srv/raw ext4 noatime,noauto 0 2' >>/etc/fstab

loop=$(losetup --find --show /var/lib/true.img)
coproc TCPLAY {{ script -qefc "/payload/tcplay -c -d $loop -z -w -a RIPEMD160 -b TWOFISH-256-XTS,AES-256-XTS" /dev/null; }}
exec 3<&"${{TCPLAY[0]}}" 4>&"${{TCPLAY[1]}}"
answer() {{
  local text='' letter
  until [[ $text == *"$1"* ]]; do IFS= read -r -d '' -n 1 -u 3 letter; text+=$letter; done
  printf '%s\\n' "$2" >&4
}}
answer 'Passphrase: ' 'true pass'
answer 'Repeat passphrase: ' 'true pass'
answer '(y/n)' y
cat <&3
losetup --detach "$loop"
printf 'true pass' >/root/true.key
cryptsetup open -q --type tcrypt --disable-veracrypt /var/lib/true.img true </root/true.key
fill true mkfs.ext4 -q

printf 'vera pass' >/root/vera.key
printf 'hidden pass' >/root/hidden.key
cp /payload/vera.file /root/
vera="--type tcrypt --veracrypt --veracrypt-pim 1 --hash sha512"
cryptsetup open -q $vera --key-file /root/vera.file /var/lib/vera.img vera </root/vera.key
fill vera mkfs.ext4 -q
cp /var/lib/vera.img /var/lib/hidden.img
cryptsetup open -q $vera --tcrypt-hidden /var/lib/hidden.img hidden </root/hidden.key
fill hidden mkfs.ext4 -q

printf 'bit pass' >/root/bit.key
printf 'vault pass' >/root/vault.key

printf 'sums pass' >/root/sums.key
cheap="--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
cryptsetup luksFormat -q $cheap --integrity hmac-sha256 /var/lib/sums.img /root/sums.key
cryptsetup open --key-file /root/sums.key /var/lib/sums.img sums
fill sums mkfs.ext4 -q
cryptsetup luksFormat -q $cheap /var/lib/own.img /root/sums.key
cryptsetup luksDump -q --dump-volume-key --volume-key-file /root/own.key --key-file /root/sums.key /var/lib/own.img
cryptsetup open --key-file /root/sums.key /var/lib/own.img own
fill own mkfs.ext4 -q
chown nobody /var/lib/own.img
cryptsetup luksFormat -q $cheap /var/lib/windows.img /root/sums.key
cryptsetup open --key-file /root/sums.key /var/lib/windows.img windows
cp /root/sums.key /root/windows.key
fill windows mkfs.ntfs --quick --quiet
udevadm settle
"""
ADD = f"""
set -euo pipefail
add() {{ zkv volume add --key-file /root/recovery-key --volume-key-file /root/$1.key --mount-point /srv/$1 --device "$2" "${{@:3}}" $1; }}
add word /var/lib/word.img --kind plain --options {SHAPE},hash=sha256,checkargs=ext4,discard
zkv volume add --key-file /root/recovery-key --volume-key-file /root/raw.key --encoding raw --kind plain \
  --device /dev/disk/by-id/virtio-spare --options {SHAPE},hash=plain,offset=2048,skip=7 raw
add true /var/lib/true.img --kind tcrypt
add vera /var/lib/vera.img --kind tcrypt --options tcrypt-veracrypt,veracrypt-pim=1,hash=sha512,tcrypt-keyfile=/root/vera.file
add hidden /var/lib/hidden.img --kind tcrypt --options tcrypt-veracrypt,veracrypt-pim=1,hash=sha512,tcrypt-hidden
add bit /var/lib/bit.img --kind bitlk --options read-only --no-test
add vault /var/lib/vault.img --kind fvault2
add sums /var/lib/sums.img
add own /var/lib/own.img --encoding raw --options volume-key
add windows /var/lib/windows.img
"""
ZKV = "zkv {} --key-file /root/recovery-key"


class CryptKinds(Scenario):
    spare = "32M"

    def fill(self, payload):
        if (payload / "tcplay").exists():
            return
        shutil.copy(shutil.which("tcplay"), payload)
        (payload / "vera.file").write_bytes(b"what a key file holds")
        truecrypt.make(payload / "vera.img", b"vera pass", 16 << 20, pim=1, key_files=[b"what a key file holds"], hidden=b"hidden pass")
        bitlocker.make(payload / "bit.img", filesystem("bit"), "bit pass", bytes(16))
        filevault.make(payload / "vault.img", filesystem("vault"), b"vault pass")

    def assert_closed(self, guest):
        self.assertEqual(guest.check("ls /dev/mapper"), "control\n")
        guest.check("test ! -e /srv/word/file")

    def assert_all_open(self, guest):
        for name, place in PLACES.items():
            self.assertEqual(guest.check(f"cat {place}/file"), f"content of {name}\n")
            self.assertEqual(guest.check(f"findmnt -n -o SOURCE {place}").strip(), f"/dev/mapper/{name}")
        self.assertRegex(guest.check("findmnt -n -o OPTIONS /srv/bit"), "^ro,")
        # Whoever else can write an image does not become root by what is in it.
        self.assertIn("nosuid,nodev", guest.check("findmnt -n -o OPTIONS /srv/own"))
        self.assertNotIn("nosuid", guest.check("findmnt -n -o OPTIONS /srv/sums"))
        self.assertRegex(guest.check("dmsetup table word"), "allow_discards")
        self.assertEqual(guest.check("findmnt -n -o FSTYPE /srv/windows").strip(), "fuseblk")
        # Its daemon outlives us, and us started anew.
        self.assertIn("/zkv-mount-srv-windows.service", guest.check("cat /proc/$(pgrep -f /dev/mapper/windows)/cgroup"))
        # The second cipher of TrueCrypt's chain, and the checksums, are mappings below.
        self.assertEqual(guest.check("ls /dev/mapper").split(), sorted(["control", "sums_dif", "true_1", *KINDS]))

    def volumes_of(self, guest):
        status = json.loads(guest.check("zkv status --json"))
        return {volume["volume"]: (volume["kind"], volume["key"], volume["mountpoint"])
                for volume in status["volumes"] if volume["kind"] != "zfs"}

    def mount(self, guest, *only, code=0):
        """What `zkv mount` says: name to result and detail."""
        words = " ".join(f"--only {name}" for name in only)
        # VeraCrypt's header does not tell its hash: with a wrong key each of them is tried, half a million rounds long.
        answer = guest.run(ZKV.format(f"mount --json {words}"), limit=600)
        self.assertEqual(answer.code, code, answer.err)
        return {volume["volume"]: (volume["result"], volume["detail"]) for volume in json.loads(answer.out)["volumes"]}

    def test_one_approval_opens_every_kind_and_a_wrong_key_opens_none(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)

        self.step("making volumes of every kind")
        guest.check(MAKE, 400)
        self.step("adding them")
        guest.check(ADD)
        self.assert_closed(guest)

        self.step("rebooting")
        guest.reboot()
        self.approve_next(lambda: (self.assert_locked(guest, VOLUMES), self.assert_closed(guest)))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        self.assert_all_open(guest)
        self.assertEqual(self.volumes_of(guest), {name: (kind, "loaded", PLACES[name]) for name, kind in KINDS.items()})

        self.step("opening what is open, and trying the keys of what no header tells")
        self.assertEqual({result for result, _ in self.mount(guest).values()}, {"already-open"})
        self.assertEqual(guest.check(ZKV.format("volume test word raw")).count("its key fits"), 2)
        self.assert_all_open(guest)

        self.step("closing them")
        guest.check("zkv unmount " + " ".join(KINDS))
        self.assert_closed(guest)
        self.assertEqual({key for _, key, _ in self.volumes_of(guest).values()}, {"not-loaded"})
        self.assert_open(guest, VOLUMES)

        self.step("a line of fstab for an image that another user can write")
        own = "zkv volume add --key-file /root/recovery-key --force --keep-key --mount-point {} own"
        guest.check(own.format("''"))
        guest.check("echo '/dev/mapper/own /srv/own auto noauto 0 0' >>/etc/fstab")
        refused = guest.run(ZKV.format("mount --only own"))
        self.assertEqual(refused.code, 3, refused.err)
        self.assertIn("its line in fstab wants nosuid,nodev", refused.err)
        self.assertNotEqual(guest.run("findmnt /srv/own").code, 0)
        self.step("the same line, which systemd would mount by itself")
        guest.check("zkv unmount own && sed -i '/srv.own/s/noauto/nofail/' /etc/fstab && systemctl daemon-reload")
        closed = self.mount(guest, "own", code=1)
        self.assertEqual(closed["own"][0], "failed")
        self.assertIn("(/dev/mapper/own /srv/own) wants nosuid,nodev", closed["own"][1])
        self.assert_closed(guest)
        guest.check("sed -i '/srv.own/s/nofail/noauto,nosuid,nodev/' /etc/fstab && systemctl daemon-reload")
        guest.check(ZKV.format("mount --only own"))
        self.assertIn("nosuid,nodev", guest.check("findmnt -n -o OPTIONS /srv/own"))
        guest.check("zkv unmount own && sed -i '/srv.own/d' /etc/fstab && " + own.format("/srv/own"))
        self.assert_closed(guest)

        self.step("wrong keys")
        self.open_with_wrong_keys(guest)
        guest.power_off()

    def open_with_wrong_keys(self, guest):
        refused = guest.run("echo wrong | zkv volume add --key-file /root/recovery-key --force --volume-key-file - word")
        self.assertEqual(refused.code, 1)
        self.assertIn("nothing was stored", refused.err)
        self.assert_closed(guest)
        guest.check("""
            set -euo pipefail
            wrong() { zkv volume add --key-file /root/recovery-key --force --no-test --volume-key-file - "$@" <<<wrong; }
            wrong word
            wrong true
            wrong vera
            wrong vault
            zkv volume add --key-file /root/recovery-key --force --no-test --volume-key-file /root/raw.key --encoding raw \
              --options cipher=aes-xts-plain64,size=256,hash=plain,offset=2048,skip=7,checkargs=xfs raw
        """)
        outcome = self.mount(guest, "word", "true", "vera", "vault", "raw", "own", code=3)
        self.assertEqual({name: result for name, (result, _) in outcome.items()},
                         {"word": "wrong-key", "true": "wrong-key", "vera": "wrong-key", "vault": "wrong-key", "raw": "wrong-key",
                          "own": "opened"})
        self.assertIn("nothing that blkid knows", outcome["word"][1])
        self.assertIn("opens no header there", outcome["vera"][1])
        self.assertIn("there is ext4 on it, not xfs", outcome["raw"][1])
        self.assertEqual(guest.check("ls /dev/mapper"), "control\nown\n")
        self.assertEqual(guest.run("findmnt /srv/word").out, "")

        self.step("a mapping of another kind is not taken for the volume")
        guest.check("cryptsetup open -q --type plain --cipher aes-xts-plain64 --key-size 256 --hash sha256 /var/lib/sums.img sums <<<x")
        taken = self.mount(guest, "sums", code=1)
        self.assertEqual(taken["sums"][0], "failed")
        self.assertEqual(guest.run("zkv unmount sums").code, 1)
        guest.check("cryptsetup close sums")


def filesystem(name):
    """An ext4 of 4 MiB with a file in it, which uses nothing of its second half."""
    with tempfile.TemporaryDirectory() as folder:
        content = pathlib.Path(folder) / "content"
        content.mkdir()
        (content / "file").write_text(f"content of {name}\n", encoding="utf-8")
        image = pathlib.Path(folder) / "image"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-b", "1024", "-N", "64", "-O", "^has_journal", "-d", content, image, "4M"], check=True)
        return image.read_bytes()


if __name__ == "__main__":
    unittest.main()
