"""`zkv rotate --volume-keys`: real LUKS devices in files, and filesystems of a ZFS that is played, get other keys; what cannot is named, what cannot now goes on
later."""

import json
import subprocess
import unittest

from host_world import Host
from terminal import Terminal

import reader
from repository_world import ZKV

CHEAP = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]


class Rotating(unittest.TestCase):
    """A repository of version 2 on a machine with ZFS that is played."""

    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.key = self.host.key = self.host.init("--format", "2")
        (self.host.home / "key").write_text(self.key, encoding="utf-8")

    def rotate(self, *words, code=0):
        out, err = self.host.run("rotate", "--volume-keys", "--key-file", "key", *words, code=code)
        return out.decode() + err.decode()

    def held(self):
        """Name → (key, next key) as the second reader has them."""
        return {volume["name"].decode(): (volume["key"], volume["next_key"]) for volume in reader.read(self.host.path.read_bytes(), self.key.encode())}

    def found_unfinished(self, *words):
        """What `zkv check` says of a change that was cut off."""
        done = subprocess.run([ZKV, "--repository", self.host.path, "check", "--no-heartbeat", "--json", *words], env=self.host.environment,
                              cwd=self.host.home, capture_output=True, check=False)
        findings = json.loads(done.stdout)["findings"]
        self.assertEqual(done.returncode, 3 if findings else 0, done.stderr)
        found = [finding for finding in findings if finding["about"] == "volume keys"]
        self.assertTrue(all(finding["remedy"] == "zkv rotate --volume-keys goes on where it was" for finding in found))
        return [finding["what"] for finding in found]

    def tried(self, code=0):
        outcome = json.loads(self.host.out("volume", "test", "--json", "--key-file", "key", code=code))
        return {volume["volume"]: volume["result"] for volume in outcome["volumes"]}


class Luks(Rotating):
    def image(self, name, key, *words):
        path = self.host.home / f"{name}.img"
        with open(path, "wb") as file:
            file.truncate(20 << 20)
        self.cryptsetup("luksFormat", *words, path, "-", stdin=key)
        return path

    def cryptsetup(self, *words, stdin=b"", code=0):
        done = subprocess.run(["cryptsetup", "--batch-mode", *map(str, words)], input=stdin, check=False, capture_output=True)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.decode()

    def add(self, name, path, key, *words):
        self.host.run("volume", "add", "-k", "-", "--volume-key-file", "-", "--device", str(path), *words, name,
                      stdin=self.key.encode() + b"\n" + key + b"\n")

    def opens(self, path, key):
        done = subprocess.run(["cryptsetup", "open", "--test-passphrase", "--key-file", "-", path], input=key, check=False, capture_output=True)
        return done.returncode == 0

    def test_both_versions_get_a_new_key_and_lose_the_old_one(self):
        for version in ("luks1", "luks2"):
            path = self.image(version, b"the old key", "--type", version, *CHEAP)
            self.add(version, path, b"the old key")
        told = self.rotate()
        for version in ("luks1", "luks2"):
            self.assertIn(f"{version} (luks): has a new key", told)
            path, (key, following) = self.host.home / f"{version}.img", self.held()[version]
            self.assertIsNone(following)
            self.assertTrue(self.opens(path, key))
            self.assertFalse(self.opens(path, b"the old key"))
        self.assertEqual(self.tried(), {"luks1": "key-fits", "luks2": "key-fits"})

    def test_key_slots_of_others_stay(self):
        path = self.image("data", b"the old key", *CHEAP)
        (self.host.home / "other").write_bytes(b"somebody's passphrase")
        self.cryptsetup("luksAddKey", *CHEAP, "--key-file", "-", path, self.host.home / "other", stdin=b"the old key")
        self.add("data", path, b"the old key")
        self.rotate()
        self.assertTrue(self.opens(path, b"somebody's passphrase"))
        self.assertFalse(self.opens(path, b"the old key"))

    def test_what_cannot_be_changed_is_named_and_stays(self):
        path = self.image("slot", b"the old key", *CHEAP)
        self.add("slot", path, b"the old key", "--options", "key-slot=0")
        told = self.rotate()
        self.assertIn("slot (luks): left alone: its options name one key slot", told)
        self.assertIn("zkv volume add --force slot", told)
        self.assertTrue(self.opens(path, b"the old key"))
        self.assertEqual(self.held()["slot"], (b"the old key", None))

    def test_a_device_that_is_away_goes_on_later_and_opens_meanwhile(self):
        path = self.image("data", b"the old key", *CHEAP)
        self.add("data", path, b"the old key")
        away = path.rename(self.host.home / "away")
        generation = json.loads(self.host.out("repository", "show", "--json"))["generation"]
        self.assertIn("data (luks): not yet", self.rotate(code=3))
        self.assertGreater(json.loads(self.host.out("repository", "show", "--json"))["generation"], generation)
        key, following = self.held()["data"]
        self.assertEqual((key, len(following)), (b"the old key", 64))
        out, err = self.host.run("volume", "list", "--json", "--key-file", "key")
        self.assertTrue(json.loads(out)[0]["changing"])
        self.assertIn(b"may be another already: 1;", err)
        self.assertEqual(self.found_unfinished(), ["their change was cut off, and the old ones may still open data"])
        away.rename(path)
        self.assertEqual(self.tried(), {"data": "key-fits"})
        (self.host.home / "state" / "drift.json").unlink()
        self.assertEqual(self.found_unfinished(), [])
        self.assertEqual(len(self.found_unfinished("--key-file", "key")), 1, "the key shows it")
        self.assertEqual(len(self.found_unfinished()), 1, "and it is remembered")
        self.rotate()
        self.assertEqual(self.held()["data"], (following, None))
        self.assertFalse(self.opens(path, b"the old key"))
        self.assertEqual(self.found_unfinished(), [])

    def test_without_a_free_key_slot_nothing_changes(self):
        path = self.image("full", b"the old key", "--type", "luks1", *CHEAP)
        for number in range(7):
            (self.host.home / "other").write_bytes(b"passphrase %d" % number)
            self.cryptsetup("luksAddKey", *CHEAP, "--key-file", "-", path, self.host.home / "other", stdin=b"the old key")
        self.add("full", path, b"the old key")
        self.assertIn("full (luks): not yet", self.rotate(code=3))
        self.assertTrue(self.opens(path, b"the old key"))
        self.cryptsetup("luksKillSlot", "--key-file", "-", path, "3", stdin=b"the old key")
        self.rotate()
        self.assertFalse(self.opens(path, b"the old key"))


class Zfs(Rotating):
    def setUp(self):
        super().setUp()
        self.host.add_dataset("tank")
        self.host.add_volume("tank/words", "passphrase", b"correct horse")
        self.host.add_volume("tank/hex", "hex", b"5b" * 32)

    def open(self):
        self.host.run("mount", "--key-file", "key")

    def test_open_filesystems_get_a_raw_key(self):
        self.open()
        told = self.rotate("--yes")
        for name in ("tank/words", "tank/hex"):
            self.assertIn(f"{name} (zfs): has a new key", told)
            self.assertEqual(self.host.get(name, "keyformat"), "raw")
            self.assertEqual(self.host.get(name, "keylocation"), "prompt")
            self.assertEqual(bytes.fromhex(self.host.get(name, "wrapping-key")), self.held()[name][0])
        self.assertEqual(self.tried(), {"tank/words": "key-fits", "tank/hex": "key-fits"})
        self.assertNotIn(self.held()["tank/hex"][0].hex(), "".join(self.host.calls()))

    def test_a_filesystem_that_is_closed_goes_on_once_it_is_open(self):
        self.assertIn("zkv mount", self.rotate("--yes", code=3))
        self.assertIsNotNone(self.held()["tank/hex"][1])
        self.open()
        self.assertEqual(self.host.get("tank/words", "keystatus"), "available")
        self.assertIn("tank/hex (zfs): has a new key", self.rotate())
        self.assertEqual({following for _, following in self.held().values()}, {None})

    def test_no_key_that_nobody_tried_takes_the_place_of_two_of_which_one_is_right(self):
        self.rotate("--yes", code=3)
        before = self.held()
        key = ("--key-file", "key")
        (self.host.home / "other").write_text("cd" * 32)
        for words in (("fs", "add", *key, "-f", "tank/hex", "cd" * 32),
                      ("volume", "add", *key, "--force", "--no-test", "--volume-key-file", "other", "tank/hex")):
            self.assertIn(b"is being changed", self.host.run(*words, code=1)[1])
        self.assertEqual(self.held(), before)

    def test_changed_by_zfs_and_not_yet_in_the_repository_it_opens_by_the_next_key(self):
        self.rotate("--yes", code=3)
        following = self.held()["tank/words"][1]
        folder = self.host.zfs / "datasets" / "tank%2Fwords"
        (folder / "keyformat").write_text("raw")
        (folder / "wrapping-key").write_text(following.hex())
        self.open()
        self.assertEqual(self.host.get("tank/words", "keystatus"), "available")
        self.rotate()
        self.assertEqual(self.held()["tank/words"], (following, None))

    def test_nobody_is_overrun_who_did_not_agree(self):
        self.open()
        before = self.host.path.read_bytes()
        refused = self.rotate(code=1)
        self.assertIn("openzfs#12614", refused)
        self.assertIn("give --yes", refused)
        self.assertEqual(self.host.path.read_bytes(), before)
        with Terminal(self.host, "rotate", "--volume-keys", "--key-file", "key") as terminal:
            terminal.until("Type yes to change them: ")
            terminal.type("no")
            terminal.end(4)
        self.assertEqual(self.host.path.read_bytes(), before)
        with Terminal(self.host, "rotate", "--volume-keys", "--key-file", "key") as terminal:
            terminal.until("Type yes to change them: ")
            terminal.type("yes")
            terminal.end(0)
        self.assertEqual(self.host.get("tank/hex", "keyformat"), "raw")

    def test_a_refusal_of_zfs_is_told_and_its_key_stays(self):
        self.open()
        (self.host.zfs / "datasets" / "tank%2Fhex" / "change-error").write_text("out of luck")
        self.assertIn("tank/hex (zfs): not yet", self.rotate("--yes", code=3))
        self.assertEqual(self.host.get("tank/hex", "keyformat"), "hex")
        self.assertEqual(self.tried(), {"tank/words": "key-fits", "tank/hex": "key-fits"})

    def test_the_seeds_format_takes_no_half_done_change(self):
        self.rotate("--yes", code=3)
        self.assertIn("next key", self.host.error("repository", "convert", "--to", "seed", "--key-file", "key"))


if __name__ == "__main__":
    unittest.main()
