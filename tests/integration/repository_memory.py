"""A core image of zkv holds no key once its work is done, and at a prompt only what it still needs, in secret memory."""

import os
import pty
import re
import subprocess
import unittest

from repository_world import ZKV, World

import memory_scan
import reader
import slip39

VOLUME_KEYS = {"tank/text": "the volume's own passphrase", "tank/hex": "5f3a" * 16}


class Memory(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.key = self.world.init()
        for name, key in VOLUME_KEYS.items():
            self.world.with_key(self.key, "fs", "add", name, key)

    def secrets(self, key):
        """All that could be found: the key as text and in bytes, the volumes' keys, and the keys in between."""
        found = [key.encode(), *(volume.encode() for volume in VOLUME_KEYS.values())]
        raw = reader.key_bytes(key.encode())
        if raw:
            found += [raw, raw[:16], raw[16:]]
        file = self.world.path.read_bytes()
        if file.startswith(reader.MAGIC):
            source = reader.Bytes(file)
            source.take(12)
            size, repository = source.number(4), source.take(16)
            source.take(16)
            slots_source, slots = reader.Bytes(source.take(size)), []
            while slots_source.rest:
                slots.append(reader.read_slot(slots_source))
            repository_key = reader.repository_key(slots, repository, key.encode())
            found += [repository_key, reader.hkdf(repository_key, repository, "zkv repository 2 body")]
        return found

    def held(self, *words, stdin):
        return memory_scan.HeldAtExit([ZKV, *words], stdin, env=self.world.environment, cwd=self.world.home)

    def assert_clean_after(self, *words, key=None, stdin=b""):
        key = key or self.key
        secrets = self.secrets(key)
        with self.held(*words, "-k", "-", stdin=key.encode() + b"\n" + stdin) as held:
            self.assertEqual(memory_scan.places_of(held.pid, secrets), [])
            self.assertNotEqual(memory_scan.places_of(held.pid, [b"with keys that a person releases"]), [], "the scan sees the image")
        self.assertEqual(held.exit_code, 0, held.stderr)

    def test_after_listing_the_seeds_format(self):
        self.assert_clean_after("fs", "list")
        self.assert_clean_after("fs", "list", "-p")
        self.assert_clean_after("fs", "list", "-p", "--json")

    def test_after_changing_the_seeds_format(self):
        self.assert_clean_after("fs", "add", "tank/more", "-", stdin=b"the volume's own passphrase\n")
        self.assert_clean_after("fs", "remove", "tank/text")

    def test_after_work_on_version_2(self):
        self.world.with_key(self.key, "repository", "convert")
        self.assert_clean_after("fs", "list", "-p")
        self.assert_clean_after("fs", "add", "tank/more", "-", stdin=b"the volume's own passphrase\n")
        self.assert_clean_after("slot", "add", "recovery")

    def test_after_a_recovery_kit_and_a_new_repository_key(self):
        self.world.with_key(self.key, "repository", "convert")
        (self.world.home / "kit").mkdir()
        self.assert_clean_after("recovery", "create", "--output", "kit", "--split", "2/3")
        parts = [" ".join(" ".join(row.split()) for row in re.findall(r"(?m)^ *\d+((?:  +[a-z]+){3}) *$", path.read_text()))
                 for path in sorted((self.world.home / "kit").glob("*.txt"))]
        key = reader.base64.urlsafe_b64encode(slip39.join(parts[1:])).decode()
        needles = [*self.secrets(key), *(part[at:at + 40].encode() for part in parts for at in (0, 60, 120))]
        for words in (("recovery", "test", "--key-file", "-"), ("rotate", "--key-file", "-", "--drop", "1", "--drop", "2")):
            with self.held(*words, stdin="\n".join(parts[:2]).encode()) as held:
                self.assertEqual(memory_scan.places_of(held.pid, needles), [])
            self.assertEqual(held.exit_code, 0, held.stderr)

    def test_after_a_passphrase(self):
        self.world.with_key(self.key, "repository", "convert")
        (self.world.home / "pass").write_text("correct horse battery")
        self.world.with_key(self.key, "slot", "add", "passphrase", "--secret-file", "pass", "--memory", "4")
        self.assert_clean_after("fs", "list", "-p", key="correct horse battery")

    def test_after_a_conversion(self):
        self.assert_clean_after("repository", "convert")

    def test_after_a_wrong_key(self):
        wrong = reader.base64.urlsafe_b64encode(os.urandom(32)).decode()
        with self.held("fs", "list", "-k", "-", stdin=wrong.encode()) as held:
            self.assertEqual(memory_scan.places_of(held.pid, self.secrets(wrong)), [])
        self.assertEqual(held.exit_code, 1)

    def test_a_key_given_on_the_command_line_is_once_in_memory_at_the_next_prompt(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(["/usr/bin/setsid", "--ctty", ZKV, "fs", "add", "-k", self.key, "name"], stdin=theirs, stdout=theirs,
                                   stderr=theirs, env=self.world.environment, cwd=self.world.home)
        os.close(theirs)
        seen = b""
        while not re.search(b"Key of name: $", seen):
            seen += os.read(ours, 1000)
        places = memory_scan.places_of(process.pid, [self.key.encode()])
        self.assertEqual(len(places), 1, places)
        self.assertEqual({name for _, name, _ in places}, {""}, "neither heap nor stack")
        process.kill()
        process.wait()
        os.close(ours)


if __name__ == "__main__":
    unittest.main()
