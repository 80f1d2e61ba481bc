"""`zkv` with secrets: written to a file in memory with owner and mode, taken away again, or only kept for who asks."""

import json
import os
import pathlib
import shutil
import stat
import tempfile
import unittest

from repository_world import World


@unittest.skipUnless(os.path.isdir("/dev/shm"), "needs a directory in memory")
class SecretFiles(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.world.environment |= {"STATE_DIRECTORY": str(self.world.home / "state")}
        self.key = self.world.init("--format", "2")
        self.memory = pathlib.Path(tempfile.mkdtemp(prefix="zkv-secrets-", dir="/dev/shm"))
        self.addCleanup(shutil.rmtree, self.memory)

    def add(self, name, secret, *words, **how):
        return self.world.run("volume", "add", "--kind", "secret", "-k", "-", "--volume-key-file", "-", *words, name,
                              stdin=self.key.encode() + b"\n" + secret, **how)

    def results(self, command, *words, code=0):
        if command == "unmount":
            report = json.loads(self.world.out(command, "--json", *words, code=code))
        else:
            report = json.loads(self.world.with_key(self.key, *command.split(), "--json", *words, code=code))
        return {volume["volume"]: volume["result"] for volume in report["volumes"]}

    def keys(self):
        return {volume["volume"]: volume["key"] for volume in json.loads(self.world.out("status", "--json"))["volumes"]
                if volume["kind"] == "secret"}

    def test_a_secret_is_written_with_its_mode_and_taken_away(self):
        place = self.memory / "made" / "token"
        added = self.add("token", b"s3cret \xff\n", "--encoding", "raw", "--mount-point", str(place), "--options", "mode=0440")
        self.assertIn(b"Added token (secret)", added[0])
        self.assertFalse(place.exists())
        self.assertEqual(self.results("volume test"), {"token": "key-fits"})
        self.assertEqual(self.results("mount"), {"token": "opened"})
        self.assertEqual(place.read_bytes(), b"s3cret \xff\n")
        self.assertEqual(stat.S_IMODE(place.stat().st_mode), 0o440)
        self.assertEqual(self.keys(), {"token": "loaded"})
        self.assertEqual(self.results("mount"), {"token": "already-open"})
        self.assertEqual(self.results("unmount"), {"token": "closed"})
        self.assertEqual(list((self.memory / "made").iterdir()), [])
        self.assertEqual(self.keys(), {"token": "not-loaded"})
        self.assertEqual(self.results("unmount", "token"), {"token": "already-closed"})

    def test_what_is_removed_while_its_file_is_there_is_told(self):
        place = self.memory / "token"
        self.add("token", b"s3cret\n", "--mount-point", str(place))
        self.results("mount")
        self.assertIn(f"shred -u {place}", self.world.with_key(self.key, "volume", "remove", "--force", "token"))

    def test_a_new_key_replaces_the_file(self):
        place = self.memory / "token"
        self.add("token", b"old\n", "--mount-point", str(place))
        self.results("mount")
        self.add("token", b"new\n", "--force")
        self.assertEqual(self.results("mount"), {"token": "opened"})
        self.assertEqual(place.read_bytes(), b"new")

    def test_two_volumes_never_have_one_place(self):
        place = self.memory / "token"
        self.add("token", b"one\n", "--mount-point", str(place))
        self.add("token", b"one\n", "--force", "--mount-point", str(place))
        other = str(self.memory / "." / "token") + "/"
        refused = self.add("other", b"two\n", "--mount-point", other, code=1)[1].decode()
        self.assertIn("is where token belongs; nothing was stored", refused)
        self.assertIn("zkv volume add --force --keep-key --mount-point PATH token", refused)
        self.add("other", b"two\n", "--mount-point", str(place) + "2")
        change = ("volume", "add", "--kind", "secret", "-k", "-", "--force", "--keep-key", "--mount-point", str(place), "other")
        self.assertIn("is where token belongs", self.world.error(*change, stdin=self.key.encode()))
        self.assertEqual(self.results("mount"), {"token": "opened", "other": "opened"})
        self.assertEqual((place.read_bytes(), pathlib.Path(f"{place}2").read_bytes()), (b"one", b"two"))

    def test_nor_have_two_disks(self):
        def words(name, place):
            return ("volume", "add", "-k", "-", "--volume-key-file", "-", "--device", f"/dev/disk/by-id/{name}", "--no-test", "--mount-point", place, name)

        stdin = self.key.encode() + b"\nkey\n"
        self.world.run(*words("one", "/srv/zkv-place"), stdin=stdin)
        self.assertIn("is where one belongs; nothing was stored", self.world.error(*words("two", "/srv//zkv-place"), stdin=stdin))
        self.world.run(*words("two", "/srv/zkv-place/below"), stdin=stdin)

    def test_a_secret_without_a_place_is_served_by_the_service_alone(self):
        self.add("token", b"s3cret\n")
        self.assertEqual(self.results("mount"), {"token": "served"})
        [told] = json.loads(self.world.with_key(self.key, "mount", "--json", "--only", "token"))["volumes"]
        self.assertIn("systemctl restart zfs-keyvault", told["detail"])
        self.assertEqual(self.keys(), {"token": "not-served"}, "no service runs here")
        self.assertIn("key not-served", self.world.with_key(self.key, "volume", "show", "token"))
        self.assertEqual(self.results("unmount", "token"), {"token": "served"})

    def test_a_name_that_nobody_knows_is_no_secret(self):
        report = json.loads(self.world.out("unmount", "--json", "unknown", code=1))
        self.assertNotEqual(report["volumes"][0]["kind"], "secret")

    def test_places_on_disks_over_links_and_of_others_are_refused_and_nothing_is_stored(self):
        (self.memory / "link").symlink_to(self.world.home)
        (self.memory / "open").mkdir()
        (self.memory / "open").chmod(0o777)
        for place, complaint in ((self.world.home / "token", "does not lie in memory"), (self.memory / "link/token", "symbolic link"),
                                 (self.memory / "open/token", "others than its owner can write"), ("/dev/shm/token", "can write /dev/shm")):
            error = self.add("token", b"s3cret\n", "--mount-point", str(place), code=1)[1].decode()
            self.assertIn(complaint, error)
            self.assertIn("nothing was stored", error)
        self.assertEqual(json.loads(self.world.with_key(self.key, "volume", "list", "--json")), [])

    def test_a_link_that_came_later_leads_nowhere(self):
        self.add("token", b"s3cret\n", "--mount-point", str(self.memory / "token"))
        victim = self.world.home / "victim"
        victim.write_text("theirs", encoding="utf-8")
        (self.memory / "token").symlink_to(victim)
        self.assertEqual(self.results("mount", code=1), {"token": "failed"})
        self.assertEqual(victim.read_text(encoding="utf-8"), "theirs")


if __name__ == "__main__":
    unittest.main()
