"""A guest whose root is encrypted: made on its spare disk out of the guest that all scenarios start with, and booted by an initramfs of
Debian's own making.
"""

import base64
import json
import pathlib
import shutil
import subprocess

import initramfs
import person
from gateway import GatewayError
from guest import Guest, GuestError
from name_server import NameServer
from scenario import BOOT_LIMIT, NOWHERE, VOLUMES, Scenario, unit
from tpm import Tpm

KEY = (pathlib.Path(__file__).resolve().parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
PASSPHRASE = "typed at the console"
AFTER_PASSPHRASE = 120  # seconds until the system behind it asks
# The drivers of this guest alone: with those of all machines under the sun an emulated one unpacks its initramfs for minutes.
DRIVERS = "virtio_pci virtio_blk virtio_net virtio_console virtio_rng ext4 dm_crypt zfs xts aes cbc sha256 af_packet"

# Of whoever serves names: before the initramfs is made, and for the system that it starts.
FORGET_NAMES = "sed -i /gateway.test/d /etc/hosts"
KNOW_SERVER = "echo nameserver 10.0.2.3 >/mnt/etc/resolv.conf"
KEYS_OF_ROOT = "for file in /root/passphrase /root/root.key; do test ! -e $file || base64 -w0 $file; echo; done"
COPY = """
set -euo pipefail
copy_root() {
  mkdir -p /mnt
  ( cd / && tar -c --one-file-system --exclude=./tmp/* --exclude=./var/log/journal/* --exclude=./mnt --exclude=./usr/share/locale --exclude=./usr/share/zoneinfo --exclude=./usr/include --exclude=./usr/lib/file --exclude=./usr/share/man --exclude=./usr/share/doc \
      --exclude=./var/lib/apt --exclude=./var/cache . ) | tar -x -C /mnt
  mkdir -p /mnt/var/cache /mnt/var/lib/apt
  for folder in dev proc sys; do mount --bind /$folder /mnt/$folder; done
}
make_zfs_root() {  # CACHEFILE
  zpool create -O canmount=off -O mountpoint=none -O compression=lz4 -o cachefile="$1" -R /mnt rpool /dev/disk/by-id/virtio-spare
  zfs create -o encryption=on -o keyformat=passphrase -o pbkdf2iters=100000 -o mountpoint=/ -o canmount=noauto rpool/root </root/passphrase
  zkv volume add --key-file /root/recovery-key --volume-key-file /root/passphrase rpool/root
  zfs mount rpool/root
  copy_root
  echo >/mnt/etc/fstab
}
done_with_root() {
  cp /mnt/initrd /root/initrd
  for folder in dev proc sys; do umount /mnt/$folder; done
}
"""


class RootScenario(Scenario):
    """`package` is the one of ours that the initramfs is made with; `make_root` is bash that makes the root on the spare disk, and leaves
    the initramfs in /root/initrd; `start` are the kernel's words that find it."""

    setup = "rm -f /etc/default/zfs-keyvault\n"
    spare = "2G"
    package = ""
    make_root = ""
    start = ""
    prompt = ""
    volume = "root"  # as the repository has it
    tpm = None  # where identity and share are, if they are in one
    name_server = None

    def fill(self, payload):
        import prepared  # pylint: disable=import-outside-toplevel
        for deb in prepared.packages():
            if deb.name.startswith(self.package):
                shutil.copy(deb, payload)

    def serve_names(self):
        """The gateway's name comes from a name server that DHCP tells of, and stands in no file of the root; for `make_root`, whose
        FORGET_NAMES and KNOW_SERVER belong to this."""
        server = NameServer("gateway.test", "10.0.2.2")
        self._stack.callback(server.end)
        self.name_server = server

    def prepare(self):
        """Enrols the guest, makes the encrypted root, and takes the initramfs out."""
        self.gateway.start("--public-url", self.gateway.page)
        self.anna = person.invite(self.gateway, "Anna")
        guest = self.boot(tpm=self.tpm)
        self.finish_boot(guest)
        self.step("enrolling, and making the encrypted root")
        link = json.loads(self.gateway.command("host", "invite", "nas", "--json"))["url"]
        link = link.replace(self.gateway.page, self.gateway.address_in_guest)
        guest.check(f"(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key; printf '%s' '{PASSPHRASE}' >/root/passphrase)")
        guest.check(f"printf '%s\\n' '{link}' '{KEY}' | zkv enroll - -k - --no-test {'--tpm' if self.tpm else ''}")
        guest.check(f"dpkg -i /payload/{self.package}_*.deb")
        guest.check(COPY + self.make_root, limit=2400)
        self.keys = [base64.b64decode(KEY), *(base64.b64decode(key) for key in guest.check(KEYS_OF_ROOT).split())]
        guest.power_off()
        self.step("taking the initramfs out")
        raw = self._work / "system.raw"
        subprocess.run(["qemu-img", "convert", "-O", "raw", str(self.disks.system), str(raw)], check=True)
        self.initrd = self._work / "initrd"
        subprocess.run(["debugfs", "-R", f"dump /root/initrd {self.initrd}", str(raw)], check=True, capture_output=True)
        raw.unlink()
        self.step(f"the initramfs has {self.initrd.stat().st_size / 2**20:.1f} MiB")

    def assert_initramfs_opens_nothing(self):
        """Of what is this machine's own it carries the repository and the enrolment, and nowhere a key of repository or root."""
        files = initramfs.files_of(self.initrd.read_bytes())
        carried = initramfs.CARRIED.format(identity="tpm" if self.tpm else "key")
        for file in initramfs.own(files):
            self.assertRegex(file, carried)
        self.assertIn(initramfs.REPOSITORY, initramfs.holders_of(files, files[initramfs.REPOSITORY]), "what is there is found")
        for key in self.keys:
            self.assertEqual(initramfs.holders_of(files, key), [])
        self.step(f"the initramfs carries {len(files)} files, and no key")

    def boot_root(self, link=True, words="", **more):
        """Starts the machine with the encrypted root, with `words` for the kernel and `more` for Guest; nothing is awaited."""
        guest = self._stack.enter_context(Guest(self._image, self.disks, self._work / "payload", self._console, link, f"{self.start} {words}", self.tpm,
                                                self._work / "spare.qcow2", self.initrd,
                                                name_server=self.name_server and self.name_server.at, **more))
        self.step("the guest boots by its initramfs")
        return guest

    def requests(self):
        """All requests, newest first."""
        return json.loads(self.gateway.command("request", "list", "--all", "--json"))["requests"]

    def assert_one_approval_opens_root_and_the_rest(self):
        before = len(self.requests())
        guest = self.boot_root()
        identity = self.gateway.wait_for_request(BOOT_LIMIT)
        guest.wait_for_console(self.prompt, BOOT_LIMIT)
        self.step(f"request {identity} has arrived from the initramfs; approving it")
        self.assertEqual(self.anna.decide(identity, "approve").status, 200)
        guest.wait_for_agent(BOOT_LIMIT)
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_root(guest)
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        self.assertEqual(len(self.requests()), before + 1)
        self.assertEqual(self.requests()[0]["state"], "acknowledged")
        self.assertEqual(guest.run("grep -c zkv:repository-key /proc/keys").out.strip(), "0")
        self.assert_root_is_no_data_volume(guest)
        guest.power_off()

    def assert_root_is_no_data_volume(self, guest):
        """It is neither locked nor handed to crypttab's socket, and nobody says that its lines are to be changed."""
        key = "--key-file /root/recovery-key"
        doctor = guest.run("zkv doctor --json").out
        found = {finding["id"] for finding in json.loads(doctor)["findings"]}
        self.assertEqual(found & {"crypttab-asks", "fstab-stops-boot", "repository-on-volume"}, set(), doctor)
        drill = guest.run(f"zkv drill {key} --json 2>&1").out
        self.assertNotRegex(drill, "/etc/(fstab|crypttab)")
        self.assertEqual(guest.run(f"zkv crypttab check {key}").code, 0)
        lines = guest.run("cat /etc/crypttab").out
        guest.check(f"zkv crypttab install {key} --dry-run")
        self.assertEqual(guest.run("cat /etc/crypttab").out, lines)
        self.assertIn("lies on", guest.run(f"zkv lock {self.volume} 2>&1").out)
        self.assertIn(f"{self.volume} stays open", guest.run("zkv lock --all 2>&1").out)
        guest.check("touch /root/still-writable")

    def assert_a_passphrase_at_the_console_opens_it_and_the_rest_is_asked_for(self):
        guest = self.boot_root()
        first = self.gateway.wait_for_request(BOOT_LIMIT)
        guest.wait_for_console(self.prompt, BOOT_LIMIT)
        self.step(f"request {first} waits; typing the passphrase")
        second = self.type_passphrase(guest, self.gateway.wait_for_request)
        guest.wait_for_agent(BOOT_LIMIT)
        self.assert_root(guest)
        self.assert_locked(guest, VOLUMES)
        self.assertIn(self.gateway.request("show", first)["state"], ("cancelled", "superseded"))
        self.assertEqual(self.anna.decide(second, "approve").status, 200)
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        guest.power_off()

    def assert_without_a_cable_the_passphrase_opens_it_and_the_network_comes_later(self):
        before = len(self.requests())
        guest = self.boot_root(link=False)
        guest.wait_for_console(self.prompt, BOOT_LIMIT)
        guest.wait_for_console(r"zkv: .*gateway\.test.*trying again", BOOT_LIMIT)
        self.step("the initramfs reaches no gateway; typing the passphrase")
        self.type_passphrase(guest, guest.wait_for_agent)
        self.assert_root(guest)
        guest.wait_for_console("login:", BOOT_LIMIT)
        self.step("the machine is up; the cable is plugged in")
        guest.set_link(True)
        identity = self.gateway.wait_for_request(BOOT_LIMIT)
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(self.anna.decide(identity, "approve").status, 200)
        self.finish_boot(guest)
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        self.assertRegex(guest.check("networkctl list --no-legend --no-pager"), r" ether +routable +configured")
        self.assertEqual(len(self.requests()), before + 1)
        guest.power_off()

    def assert_told_not_to_ask_it_opens_by_the_passphrase_alone(self):
        before = self.requests()
        guest = self.boot_root(words="zkv=off")
        guest.wait_for_console(self.prompt, BOOT_LIMIT)
        self.step("the initramfs was told not to ask; typing the passphrase")
        self.type_passphrase(guest, guest.wait_for_agent)
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_root(guest)
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ConditionResult"), "no")
        self.assertEqual(self.requests(), before)
        self.assertNotIn("zkv:", guest.console)
        guest.power_off()

    def assert_a_second_card_that_leads_nowhere_keeps_no_request_back(self):
        guest = self.boot_root(extra=NOWHERE)
        self.gateway.wait_for_request(BOOT_LIMIT)
        guest.end()

    def assert_the_disk_with_another_chip_asks_nobody(self):
        before = self.requests()
        self.tpm = Tpm(self._work / "other")
        thief = self.boot_root()
        thief.wait_for_console(self.prompt, BOOT_LIMIT)
        thief.wait_for_console("made by the TPM of another machine", BOOT_LIMIT)
        self.step("the same disk with another chip says so, and prompts")
        self.assertEqual(self.requests(), before)
        thief.end()

    def type_passphrase(self, guest, await_system):
        """As a person does, who types once more where it was shown: then it came before the prompt had put echo off, and is lost. Gives what
        `await_system` does, which takes a limit and waits for a sign of the system that comes up."""
        for _ in range(3):
            since = guest.console_length()
            guest.type(PASSPHRASE + "\n")
            try:
                return await_system(AFTER_PASSPHRASE)
            except (GatewayError, GuestError):
                if PASSPHRASE not in guest.console[since:]:  # it was taken, and the machine is slow
                    return await_system(BOOT_LIMIT)
        raise AssertionError("the passphrase was shown each time that it was typed")

    def assert_root(self, guest):
        """The system runs on the encrypted root."""
        raise NotImplementedError

    def try_both_ways(self):
        self.prepare()
        self.assert_one_approval_opens_root_and_the_rest()
        self.assert_a_passphrase_at_the_console_opens_it_and_the_rest_is_asked_for()


class ZfsRootScenario(RootScenario):
    volume = "rpool/root"

    def assert_root(self, guest):
        self.assertEqual(guest.check("findmnt -n -o SOURCE /").strip(), "rpool/root")
