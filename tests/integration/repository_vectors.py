"""zkv and the second implementation of the format agree: over the vectors, over files fresh from zkv, and over files fresh from the other."""

import json
import os
import secrets
import unittest

from repository_world import TESTS, World

import reader

FOLDER = TESTS / "vectors" / "repository"
OUTCOMES = json.loads((FOLDER / "outcomes.json").read_text(encoding="utf-8"))
EXPLAINS = {"wrong-key": ("opens none", "does not fit", "44 characters"), "corrupt": ("damaged", "not a repository", "unbearable", "JSON"), "unsupported": ("format version",)}


def expected(outcome):
    return [(volume["name"].encode(), volume["kind"], bytes.fromhex(volume["key_hex"]), settings_in(volume))
            for volume in outcome["volumes"]]


def settings_in(volume):
    return {word: volume[word] for word in ("device", "mountpoint", "options", "program") if word in volume}


def second_reader(file, key):
    return [(volume["name"], volume["kind"], volume["key"], volume["settings"]) for volume in reader.read(file, key.encode())]


class Vectors(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)

    def zkv_reads(self, key):
        volumes = json.loads(self.world.with_key(key, "volume", "list", "-p", "--json"))
        decode = {"text": str.encode, "hex": bytes.fromhex}
        kinds = {"zfs": 1, "luks": 2, "command": 7, "secret": 8}
        return [(volume["name"].encode(), kinds.get(volume["kind"]) or int(volume["kind"].removeprefix("kind ")),
                 decode[volume["encoding"]](volume["key"]), settings_in(volume)) for volume in volumes]

    def test_every_vector_opens_with_its_keys(self):
        self.assertGreater(len(OUTCOMES), 10)
        for name, outcome in OUTCOMES.items():
            self.world.path.write_bytes((FOLDER / f"{name}.repository").read_bytes())
            for key in outcome["opens_with"]:
                with self.subTest(name, key=key):
                    self.assertEqual(self.zkv_reads(key), expected(outcome))
                    self.assertEqual(second_reader(self.world.path.read_bytes(), key), expected(outcome))

    def test_every_vector_refuses_what_it_must(self):
        for name, outcome in OUTCOMES.items():
            self.world.path.write_bytes((FOLDER / f"{name}.repository").read_bytes())
            for refusal in outcome["refused"]:
                with self.subTest(name, why=refusal["why"]):
                    error = self.world.error("fs", "list", "-k", "-", stdin=refusal["key"].encode())
                    self.assertTrue(any(text in error for text in EXPLAINS[refusal["why"]]), error)
                    with self.assertRaisesRegex(reader.Refused, refusal["why"]):
                        second_reader(self.world.path.read_bytes(), refusal["key"])

    def test_the_second_reader_reads_what_zkv_made(self):
        key = self.world.init()
        self.world.with_key(key, "fs", "add", "tank/é", "text \u20ac")
        recovery = self.world.with_key(key, "repository", "convert", "-m").strip()
        self.world.with_key(key, "fs", "add", "tank/raw", "00ff80", "--encoding", "hex")
        (self.world.home / "pass").write_text("correct horse")
        self.world.with_key(key, "slot", "add", "passphrase", "--secret-file", "pass", "--memory", "2")
        wanted = [("tank/é".encode(), 1, "text \u20ac".encode(), {}), (b"tank/raw", 1, b"\x00\xff\x80", {})]
        for opener in (key, recovery, "correct horse"):
            self.assertEqual(second_reader(self.world.path.read_bytes(), opener), wanted)
        seed = (self.world.home / ".zkv-repository.seed").read_bytes()
        self.assertEqual(second_reader(seed, key), wanted[:1])

    def test_zkv_changes_what_the_second_writer_made_and_keeps_what_it_does_not_know(self):
        key = reader.base64.urlsafe_b64encode(os.urandom(32))
        plaintext = reader.volume_record(b"a", b"one", 1, reader.record(99, b"extra")) + reader.record(300, b"later") + reader.volume_record(b"b", b"two", 5)
        slots = [{"slot_type": 4, "key": b"", "label": b"gateway"}, {"slot_type": 2, "key": key}]
        self.world.path.write_bytes(reader.write(plaintext, slots, secrets.token_bytes))
        self.world.with_key(key.decode(), "fs", "add", "c", "three")
        self.world.with_key(key.decode(), "slot", "add", "recovery", "-m")
        file = self.world.path.read_bytes()
        self.assertEqual(second_reader(file, key.decode()), [(b"a", 1, b"one", {}), (b"b", 5, b"two", {}), (b"c", 1, b"three", {})])
        self.assertIn(b"gateway", file)
        self.assertEqual([slot["type"] for slot in json.loads(self.world.out("slot", "list", "--json"))], ["gateway", "classic", "recovery"])


if __name__ == "__main__":
    unittest.main()
