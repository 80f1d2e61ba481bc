"""Hosts whose identity and local share are in a TPM, which is emulated: the ways it goes well, and those who steal or meddle."""

import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

import enrolled
import tpm_world
from enrolled_world import Gateway, Host, decode, encode
from repository_world import ZKV
from tpm_world import CREATE, CREATE_PRIMARY, LOAD, SIGN, UNSEAL, Bus, Emulator

BUSY, LOCKED, FULL = 0x922, 0x921, 0x902

# The leak checker of a sanitizer build cannot work below strace; and tpm2-tss forgets the words it was given when it reaches no TPM.
NO_LEAK_CHECK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


class TpmCase(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.bus = self.new_tpm()
        self.host = self.new_host(self.bus)

    def new_tpm(self):
        emulator = Emulator()
        self.addCleanup(emulator.close)
        bus = Bus(emulator)
        self.addCleanup(bus.close)
        return bus

    def new_host(self, bus):
        host = Host(self.gateway)
        self.addCleanup(host.__exit__)
        host.environment["ZKV_TPM_DEVICE"] = bus.device
        return host

    def enroll(self):
        said = self.host.enroll(self.gateway.invite("nas"), "--tpm", "--no-test")
        self.bus.quiet()
        return said

    def enroll_badly(self, code):
        """An enrolment by a link of its own that must fail; what it says."""
        if not hasattr(self, "link"):
            self.link = self.gateway.invite("nas")
        return self.host.run("enroll", "-", "--cafile", self.host.cafile, "-k", "-", "--tpm", "--no-test",
                             stdin=f"{self.link}\n{self.host.key}\n".encode(), code=code)[1].decode()

    def mount(self, decide="approve"):
        mark = self.gateway.log.mark()
        running = self.host.begin_mount()
        running.request = self.gateway.next_request(mark)
        if decide:
            self.gateway.command("request", decide, running.request)
        return running

    def mount_badly(self, code, host=None):
        """A mount that must fail before anybody is asked; what it says."""
        host = host or self.host
        said = host.run("mount", "--cafile", host.cafile, "--timeout", "20", code=code)[1].decode()
        self.assertEqual(self.gateway.requests("--all"), [])
        return said

    def key_file(self, host=None):
        [path] = (host or self.host).enrolments.glob("*.tpm")
        return path

    def unseal_with_tools(self, folder):
        """The local share, by tpm2-tools and without encryption."""
        share = json.loads(self.key_file().read_text())["share"]
        (folder / "public").write_bytes(decode(share["public"]))
        (folder / "private").write_bytes(decode(share["private"]))
        tpm_world.make_storage_key(self.bus, folder)
        tpm_world.tools(self.bus, folder, "tpm2_load", "-Q", "-C", "storage.ctx", "-u", "public", "-r", "private", "-c", "share.ctx")
        tpm_world.tools(self.bus, folder, "tpm2_flushcontext", "-t")
        return tpm_world.tools(self.bus, folder, "tpm2_unseal", "-c", "share.ctx")

    def assert_open(self):
        for name in enrolled.VOLUMES:
            self.assertEqual(self.host.get(name, "keystatus"), "available", name)

    def assert_nothing_half_done(self):
        slots = json.loads(self.host.out("slot", "list", "--json"))
        self.assertEqual([slot for slot in slots if slot["type"] == "gateway"], [])
        self.assertFalse(self.host.enrolments.exists())
        self.assertEqual(self.gateway.hosts(), [])


class GoesWell(TpmCase):
    def test_an_approval_opens_everything_and_is_acknowledged(self):
        self.assertIn("by a key in its TPM", self.enroll())
        running = self.mount()
        running.end(0)
        self.assert_open()
        self.assertEqual(self.gateway.state(running.request), "acknowledged")

    def test_the_gateway_and_the_host_say_where_the_key_is(self):
        self.enroll()
        [host] = self.gateway.hosts()
        self.assertEqual(host["identity"], "TPM (P-256)")
        self.assertIn("TPM (P-256)", self.gateway.command("host", "show", "nas"))
        self.assertIn("as nas, by a key in its TPM", self.host.out("status"))
        [enrolment] = json.loads(self.host.out("status", "--json"))["enrolments"]
        self.assertEqual((enrolment["name"], enrolment["identity"]), ("nas", "tpm"))

    def test_the_request_says_that_the_key_is_in_a_tpm(self):
        self.enroll()
        running = self.mount("deny")
        running.end(4)
        with contextlib.closing(sqlite3.connect(self.gateway.data / "gateway.db")) as database:
            [[envelope]] = database.execute("SELECT envelope FROM zkv_ask")
        self.assertTrue(json.loads(decode(json.loads(envelope)["payload"]))["evidence"]["tpm"])

    def test_a_test_request_is_signed_by_the_tpm(self):
        said = self.host.enroll(self.gateway.invite("nas"), "--tpm")
        self.assertRegex(said, r"test request \w+ was taken, and is cancelled")
        self.assertGreaterEqual(self.bus.codes().count(SIGN), 3)  # enrolment, request, cancel

    def test_nothing_of_the_identity_is_in_a_file_but_what_the_tpm_alone_can_use(self):
        self.enroll()
        self.assertEqual(list(self.host.enrolments.glob("*.key")), [])
        self.assertEqual(self.key_file().stat().st_mode & 0o777, 0o600)
        self.assertEqual(sorted(json.loads(self.key_file().read_text())), ["identity", "share", "storage"])

    def test_it_outlasts_a_power_cut_of_the_machine(self):
        self.enroll()
        self.bus.emulator.power_cycle()
        self.mount().end(0)
        self.assert_open()

    def test_nothing_stays_behind_in_the_tpm(self):
        self.enroll()
        self.mount().end(0)
        with tempfile.TemporaryDirectory() as folder:
            for what in ("handles-transient", "handles-loaded-session", "handles-persistent"):
                self.assertEqual(tpm_world.tools(self.bus, folder, "tpm2_getcap", what), b"")

    def test_a_second_enrolment_takes_the_place_of_the_first(self):
        self.enroll()
        first = self.key_file()
        self.gateway.command("host", "rename", "nas", "nas-old")
        self.enroll()
        self.assertNotEqual(self.key_file(), first)
        self.mount().end(0)

    def test_an_enrolment_by_a_file_can_follow_one_by_the_tpm(self):
        self.enroll()
        self.gateway.command("host", "rename", "nas", "nas-old")
        self.host.enroll(self.gateway.invite("nas"), "--no-test")
        self.assertEqual(list(self.host.enrolments.glob("*.tpm")), [])
        self.bus.emulator.switch_off()
        self.mount().end(0)

    def test_unenroll_needs_no_tpm(self):
        self.enroll()
        self.bus.emulator.switch_off()
        self.host.out("unenroll", "-k", "-", stdin=self.host.key.encode() + b"\n")
        self.assertFalse(self.host.enrolments.exists())

    def test_a_tpm_that_dies_while_somebody_is_asked_keeps_nothing_locked(self):
        self.enroll()
        self.host.environment |= NO_LEAK_CHECK
        running = self.mount(None)
        self.bus.emulator.switch_off()
        self.gateway.command("request", "approve", running.request)
        running.end(0)
        self.assert_open()
        self.assertEqual(self.gateway.state(running.request), "released")


class LostAnswer(unittest.TestCase):
    """An enrolment by a key in a file, whose answer was lost, is not what somebody wants who then says --tpm."""

    def test_it_is_taken_back_and_not_gone_on_from(self):
        gateway = Gateway(tls=False)
        self.addCleanup(gateway.close)
        gateway.start()
        emulator = Emulator()
        self.addCleanup(emulator.close)
        bus = Bus(emulator)
        self.addCleanup(bus.close)
        host = Host(gateway)
        self.addCleanup(host.__exit__)
        thief = enrolled.CutOff.Thief(gateway, b'"group"', 100)
        self.addCleanup(thief.listener.close)
        url = gateway.invite("nas").replace(f":{gateway.port}/", f":{thief.port}/")
        words = ("enroll", "-", "--cafile", host.cafile, "-k", "-", "--no-test", "--tpm-device", bus.device)
        stdin = f"{url}\n{host.key}\n".encode()
        host.run(*words, stdin=stdin, code=6)
        self.assertEqual(len(list(host.enrolments.glob("*.key"))), 1)
        thief.left = 0
        said = host.run(*words, "--tpm", stdin=stdin, code=4)[1].decode()
        self.assertIn("it was used before", said)
        self.assertFalse(host.enrolments.exists())
        gateway.command("host", "revoke", "nas", "--yes")
        host.run(*words, "--tpm", stdin=f"{gateway.invite('nas')}\n{host.key}\n".encode())
        self.assertEqual([path.suffix for path in host.enrolments.iterdir() if path.suffix in (".key", ".tpm")], [".tpm"])


class Libraries(TpmCase):
    """Only who has a key in a TPM pays for the TPM's libraries."""

    def opened(self, *words, stdin):
        log = self.host.home / "strace"
        subprocess.run(["strace", "-f", "-qq", "-e", "trace=openat,open", "-o", log, ZKV, *words], input=stdin, check=True,
                       env=self.host.environment | NO_LEAK_CHECK, cwd=self.host.home, capture_output=True)
        return log.read_text()

    def test_a_list_does_not_load_them(self):
        key = self.host.key.encode() + b"\n"
        self.assertNotIn("libtss2", self.opened("fs", "list", "-k", "-", stdin=key))
        link = f"{self.gateway.invite('nas')}\n{self.host.key}\n".encode()
        words = ("enroll", "-", "--cafile", str(self.host.cafile), "-k", "-", "--tpm", "--no-test")
        self.assertIn("libtss2-esys", self.opened(*words, stdin=link))

    def test_a_mount_by_a_key_in_a_file_does_not_load_them(self):
        self.host.enroll(self.gateway.invite("nas"), "--no-test")
        running = self.mount(None)
        maps = pathlib.Path(f"/proc/{running.process.pid}/maps").read_text()
        self.assertIn("libcurl", maps)
        self.assertNotIn("libtss2", maps)
        self.gateway.command("request", "approve", running.request)
        running.end(0)


class Theft(TpmCase):
    """Whoever has the disk, but not the TPM."""

    def setUp(self):
        super().setUp()
        self.enroll()
        self.stolen = self.new_host(self.bus)
        for path in (".zkv-repository", ".zkv-repository.enrolments"):
            target = self.stolen.home / path
            shutil.rmtree(target, ignore_errors=True)
            copy = shutil.copytree if (self.host.home / path).is_dir() else shutil.copy
            copy(self.host.home / path, target)

    def test_the_copied_disk_asks_where_its_tpm_is(self):
        running = self.stolen.begin_mount()
        self.gateway.command("request", "deny", self.gateway.next_request())
        running.end(4)

    def test_the_copied_disk_cannot_even_ask_elsewhere(self):
        self.stolen.environment["ZKV_TPM_DEVICE"] = self.new_tpm().device
        self.assertIn("made by the TPM of another machine", self.mount_badly(1, self.stolen))

    def test_it_cannot_with_the_other_tpms_name_in_its_file(self):
        other = self.new_tpm()
        self.stolen.environment["ZKV_TPM_DEVICE"] = other.device
        thief = self.new_host(other)
        thief.enroll(self.gateway.invite("thief"), "--tpm", "--no-test")
        name = json.loads(self.key_file(thief).read_text())["storage"]
        self.rewrite(lambda made: {**made, "storage": name})
        self.assertIn("made by the TPM of another machine", self.mount_badly(1, self.stolen))

    def test_it_cannot_with_the_share_of_a_host_of_the_thief(self):
        other = self.new_tpm()
        self.stolen.environment["ZKV_TPM_DEVICE"] = other.device
        thief = self.new_host(other)
        thief.enroll(self.gateway.invite("thief"), "--tpm", "--no-test")
        own = json.loads(self.key_file(thief).read_text())
        self.rewrite(lambda made: {**own, "identity": made["identity"]})
        self.assertIn("made by the TPM of another machine", self.mount_badly(1, self.stolen))

    def test_it_cannot_with_an_identity_of_the_thief(self):
        other = self.new_tpm()
        self.stolen.environment["ZKV_TPM_DEVICE"] = other.device
        thief = self.new_host(other)
        thief.enroll(self.gateway.invite("thief"), "--tpm", "--no-test")
        own = json.loads(self.key_file(thief).read_text())
        self.rewrite(lambda made: own)
        self.assertIn("holds another host's identity", self.mount_badly(1, self.stolen))

    def test_a_machine_without_a_tpm_says_so(self):
        self.stolen.environment["ZKV_TPM_DEVICE"] = "/dev/no-such-tpm"
        self.assertIn("there is no TPM at /dev/no-such-tpm", self.mount_badly(1, self.stolen))

    def rewrite(self, change):
        path = self.key_file(self.stolen)
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    def test_keys_that_were_changed_in_any_part_are_refused(self):
        for what in ("identity", "share"):
            for part in ("public", "private"):
                whole = bytearray(decode(json.loads(self.key_file().read_text())[what][part]))
                for place in range(0, len(whole), 11):
                    changed = bytearray(whole)
                    changed[place] ^= 1
                    with self.subTest(what=what, part=part, place=place):
                        self.refuse(what, part, bytes(changed))

    def refuse(self, what, part, changed):
        original = self.key_file().read_text()
        self.rewrite(lambda made: {**made, what: {**made[what], part: encode(changed)}})
        process = subprocess.run([ZKV, "mount", "--cafile", self.stolen.cafile, "--timeout", "20"], env=self.stolen.environment,
                                 cwd=self.stolen.home, capture_output=True, timeout=tpm_world.LIMIT)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(self.gateway.requests("--all"), [], process.stderr)
        self.key_file(self.stolen).write_text(original)

    def test_a_file_that_is_cut_or_no_json_is_damaged(self):
        text = self.key_file(self.stolen).read_text()
        for damage in ("", "{}", text[:len(text) // 2], text.replace('"storage":"', '"storage":"00')):
            self.key_file(self.stolen).write_text(damage)
            self.assertIn("is damaged", self.mount_badly(1, self.stolen))


class Listening(TpmCase):
    """Who sits at the wire between processor and TPM."""

    def test_the_share_is_never_on_the_wire(self):
        self.host.enroll(self.gateway.invite("nas"), "--tpm", "--no-test")
        self.mount().end(0)
        heard = self.bus.traffic()
        self.assertIn(UNSEAL, self.bus.codes())
        self.bus.quiet()
        self.bus.emulator.power_cycle()
        with tempfile.TemporaryDirectory() as folder:
            share = self.unseal_with_tools(pathlib.Path(folder))
        self.assertEqual(len(share), 32)
        self.assertIn(share, self.bus.traffic())  # who asks without encryption shows it
        self.assertNotIn(share, heard)

    def test_the_storage_key_is_the_one_that_the_specification_describes(self):
        self.enroll()
        with tempfile.TemporaryDirectory() as folder:
            tpm_world.make_storage_key(self.bus, pathlib.Path(folder))
            tpm_world.tools(self.bus, folder, "tpm2_readpublic", "-Q", "-c", "storage.ctx", "-n", "name")
            name = (pathlib.Path(folder) / "name").read_bytes()
        self.assertEqual(json.loads(self.key_file().read_text())["storage"], name.hex())

    def test_an_answer_that_was_changed_is_not_believed(self):
        self.enroll()
        for code in (LOAD, UNSEAL):
            self.bus.change = lambda passing, response, code=code: response if passing != code else flipped(response)
            self.assertIn("changed on the way", self.mount_badly(4))
            self.bus.emulator.power_cycle()  # in which the object stayed; the kernel's /dev/tpmrm0 clears it away

    def test_a_signature_that_was_changed_is_not_believed(self):
        self.enroll()
        self.bus.change = lambda passing, response: response if passing != SIGN else flipped(response)
        self.assertIn("changed on the way", self.mount_badly(4))

    def test_another_tpm_put_in_between_is_known_by_its_storage_key(self):
        self.enroll()
        mine, self.bus.emulator = self.bus.emulator, self.new_tpm().emulator
        self.assertIn("made by the TPM of another machine", self.mount_badly(1))
        self.bus.emulator = mine
        self.mount().end(0)

    def test_a_key_of_the_listener_under_the_name_of_the_storage_key_is_found(self):
        self.enroll()
        other = self.new_tpm()
        self.new_host(other).enroll(self.gateway.invite("thief"), "--tpm", "--no-test")
        own = POINT.search(other.passed[other.codes().index(CREATE_PRIMARY)][1])[0]
        self.bus.change = lambda kind, response: POINT.sub(lambda _: own, response) if kind == CREATE_PRIMARY else response
        self.assertIn("changed on the way", self.mount_badly(4))


# The curve, no scheme for derivation, x and y, as they stand in a public area.
POINT = re.compile(rb"\x00\x03\x00\x10\x00\x20.{32}\x00\x20.{32}", re.DOTALL)


def flipped(response):
    """The last byte of the first parameter, which the session's HMAC covers, is another one."""
    changed = bytearray(response)
    changed[-60] ^= 1
    return bytes(changed)


class GoesAway(TpmCase):
    """The TPM is cut off at each of its commands in turn."""

    def setUp(self):
        super().setUp()
        self.host.environment |= NO_LEAK_CHECK

    def cut_at(self, number):
        self.bus.quiet()
        self.bus.meddle = lambda passed, code, command: Bus.CUT if passed == number else None

    def test_an_enrolment_that_is_cut_leaves_nothing_half_done(self):
        self.bus.quiet()
        self.host.enroll(self.gateway.invite("whole"), "--tpm", "--no-test")
        commands = len(self.bus.passed)
        self.host.out("unenroll", "-k", "-", stdin=self.host.key.encode() + b"\n")
        self.gateway.command("host", "revoke", "whole", "--yes")
        self.assertGreater(commands, 10)
        flushes = self.flushes_of_an_enrolment()
        for number in (place for place in range(commands) if place not in flushes):
            with self.subTest(command=number):
                self.bus.emulator.power_cycle()
                self.cut_at(number)
                self.enroll_badly(6)
                self.assertEqual([host for host in self.gateway.hosts() if not host["revoked_at"]], [])
                self.assertFalse(self.host.enrolments.exists())
        self.bus.emulator.power_cycle()
        self.bus.quiet()
        self.host.enroll(self.link, "--tpm", "--no-test")
        self.mount().end(0)

    def flushes_of_an_enrolment(self):
        """The commands by which room is made again; what was wanted is had by then."""
        return {place for place, code in enumerate(self.bus.codes()) if code == tpm_world.FLUSH}

    def test_a_request_that_is_cut_is_not_made_and_can_be_made_again(self):
        self.enroll()
        running = self.mount("deny")
        running.end(4)
        commands = self.bus.codes()
        before = len(self.gateway.requests("--all"))
        for number in range(commands.index(UNSEAL) + 1):
            with self.subTest(command=number):
                self.bus.emulator.power_cycle()
                self.cut_at(number)
                said = self.host.run("mount", "--cafile", self.host.cafile, "--timeout", "5", code=6)[1].decode()
                self.assertRegex(said, "it went away|cannot be reached")
        self.assertEqual(len(self.gateway.requests("--all")), before)
        self.bus.emulator.power_cycle()
        self.bus.quiet()
        self.mount().end(0)

    def test_a_tpm_that_is_killed_while_it_makes_the_key(self):
        def kill(passed, code, command):
            if code == CREATE:
                self.bus.emulator.switch_off()
        self.bus.meddle = kill
        self.assertIn("the TPM failed at making a signing key: it went away", self.enroll_badly(6))
        self.assert_nothing_half_done()

    def test_no_tpm_at_all(self):
        self.bus.emulator.switch_off()
        self.assertRegex(self.enroll_badly(6), "cannot be reached|it went away")
        self.assert_nothing_half_done()


class Refuses(TpmCase):
    """What a TPM can answer instead of doing it."""

    def answers(self, code, of=None):
        """The TPM says nothing but `code`, to every command or to those of one kind."""
        self.bus.meddle = lambda passed, kind, command: tpm_world.error(code) if of in (None, kind) else None

    def is_busy_at_first(self, often):
        """The TPM is busy `often` times at each kind of command."""
        told = collections.Counter()

        def meddle(passed, kind, command):
            told[kind] += 1
            return tpm_world.error(BUSY) if told[kind] <= often and kind != tpm_world.FLUSH else None
        self.bus.meddle = meddle

    def test_a_tpm_that_is_busy_for_a_moment_is_asked_again(self):
        self.is_busy_at_first(7)
        self.enroll()
        self.is_busy_at_first(7)
        self.mount().end(0)
        self.assert_open()
        for kind in (CREATE_PRIMARY, LOAD, UNSEAL, SIGN):
            self.assertGreaterEqual(self.bus.codes().count(kind), 8, kind)

    def test_a_tpm_that_stays_busy(self):
        self.answers(BUSY)
        self.assertIn("it is busy", self.enroll_badly(6))
        self.assert_nothing_half_done()

    def test_a_tpm_that_is_locked(self):
        self.answers(LOCKED, of=CREATE)
        said = self.enroll_badly(6)
        self.assertIn("it is locked", said)
        self.assertIn("--clear-lockout", said)
        self.assert_nothing_half_done()

    def test_a_tpm_without_room(self):
        self.answers(FULL, of=LOAD)
        self.assertIn("no room for another key", self.enroll_badly(6))
        self.assert_nothing_half_done()

    def test_an_owner_with_a_password(self):
        with tempfile.TemporaryDirectory() as folder:
            tpm_world.tools(self.bus, folder, "tpm2_changeauth", "-c", "owner", "secret")
        said = self.enroll_badly(4)
        self.assertIn("its owner hierarchy has a password", said)
        self.assertIn("tpm2_changeauth", said)
        self.assert_nothing_half_done()

    def test_what_it_says_otherwise_comes_with_its_code(self):
        self.answers(0x101)
        said = self.enroll_badly(1)
        self.assertIn("code 0x101", said)
        self.assertIn("tpm2_rc_decode 0x101", said)
        self.assert_nothing_half_done()

    def test_a_device_that_is_none(self):
        for device in ("tpm0", "libevil.so:x", "pcap:device", "/tmp/evil.so:x"):
            self.host.environment["ZKV_TPM_DEVICE"] = device
            self.assertRegex(self.enroll_badly(1), "is not a TPM's device|there is no TPM at")
        self.assert_nothing_half_done()


if __name__ == "__main__":
    unittest.main()
