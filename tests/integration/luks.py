"""`zkv volume` over real LUKS devices in files: what cryptsetup made opens by what the repository holds. Whether a device is mapped and
mounted is tried in the guest (tests/vm/scenarios/luks.py), since it takes a kernel with a device mapper."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "images"))

import forged_luks  # noqa: E402
from volume_world import Volumes  # noqa: E402

CHEAP = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]
MEMORY_HARD = ["--pbkdf", "argon2id", "--pbkdf-memory", "32768", "--pbkdf-force-iterations", "4", "--pbkdf-parallel", "1"]


class Luks(Volumes):
    # -- words --

    def image(self, name, key, *words, size=20):
        """A file with a LUKS device in it that `key` (bytes) opens; gives its path."""
        with open(self.path(name), "wb") as file:
            file.truncate(size << 20)
        self.cryptsetup("luksFormat", *words, self.path(name), "-", stdin=key)
        return self.path(name)

    def cryptsetup(self, *words, stdin=b""):
        subprocess.run(["cryptsetup", "--batch-mode", *words], input=stdin, check=True, env=self.world.environment, capture_output=True)

    # -- what opens --

    def test_both_versions_open_by_the_key_that_cryptsetup_took(self):
        self.add("one", self.image("one.img", b"pass one", "--type", "luks1", "--pbkdf-force-iterations", "1000"), b"pass one\n")
        self.add("two", self.image("two.img", b"pass two", *MEMORY_HARD), b"pass two\n")
        self.assertEqual(self.tried(), {"one": "key-fits", "two": "key-fits"})

    def test_a_key_file_is_taken_to_its_last_byte(self):
        key = b"first line\n\0\xff" + os.urandom(2_000_000) + b"\n"
        device = self.image("raw.img", key, *CHEAP)
        self.assertIn("--encoding raw", self.error_of_add("raw", device, key))
        self.add("raw", device, key, "--encoding", "raw")
        self.assertEqual(self.tried(), {"raw": "key-fits"})

    def test_a_key_in_hexadecimal_stands_for_its_bytes(self):
        key = os.urandom(64)
        self.add("hex", self.image("hex.img", key, *CHEAP), key.hex().encode() + b"\n", "--encoding", "hex")
        self.assertEqual(self.tried("hex"), {"hex": "key-fits"})

    def test_a_detached_header_is_found_where_the_options_say(self):
        with open(self.path("header"), "wb") as file:
            file.truncate(16 << 20)
        device = self.image("bare.img", b"pass", *CHEAP, "--header", self.path("header"), size=4)
        self.assertIn("holds no LUKS header", self.error_of_add("bare", device, b"pass\n"))
        self.add("bare", device, b"pass\n", "--options", f"discard,header={self.path('header')}")
        self.assertEqual(self.tried(), {"bare": "key-fits"})
        os.remove(self.path("header"))
        self.assertEqual(self.tried(code=1), {"bare": "failed"})
        self.assertIn(f"{self.path('header')} is not there", self.error_of_test())
        os.mkdir(self.path("header"))
        self.assertIn(f"{self.path('header')} is neither a block device nor a file", self.error_of_test())

    def test_with_a_key_slot_named_only_that_one_is_tried(self):
        device = self.image("slots.img", b"zero", *CHEAP)
        (self.world.home / "new").write_bytes(b"one")
        self.cryptsetup("luksAddKey", *CHEAP, "--key-file", "-", device, self.path("new"), stdin=b"zero")
        self.assertIn("does not open", self.error_of_add("slots", device, b"one\n", "--options", "key-slot=0"))
        self.assertIn("key slot", self.error_of_add("slots", device, b"one\n", "--options", "key-slot=5"))
        self.add("slots", device, b"one\n", "--options", "key-slot=1")
        self.assertEqual(self.tried(), {"slots": "key-fits"})

    def test_the_ciphers_own_key_opens_without_a_key_slot(self):
        for version in ("luks1", "luks2"):
            device = self.image(version, b"pass", "--type", version, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
            self.cryptsetup("luksDump", "--dump-volume-key", "--volume-key-file", self.path(f"{version}.key"), "--key-file", "-", device,
                            stdin=b"pass")
            key = (self.world.home / f"{version}.key").read_bytes()
            wrong = bytes([key[0] ^ 1]) + key[1:]
            words = ("--encoding", "raw", "--options", "volume-key")
            self.assertIn("nothing was stored", self.error_of_add(version, device, wrong, *words))
            self.assertIn("nothing was stored", self.error_of_add(version, device, key[:-1], *words))
            self.add(version, device, key, *words)
        self.assertEqual(self.tried(), {"luks1": "key-fits", "luks2": "key-fits"})
        self.assertIn("key-slot=", self.error_of_add("a", device, key, "--options", "volume-key,key-slot=1"))

    def test_the_ciphers_own_key_is_one_of_its_size(self):
        key = os.urandom(31) + b"\0"
        for version in ("luks1", "luks2"):
            (self.world.home / "volume.key").write_bytes(key)
            device = self.image(version, b"pass", "--type", version, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
                                "--key-size", "256", "--volume-key-file", self.path("volume.key"))
            words = ("--encoding", "raw", "--options", "volume-key")
            for other in (key[:-1], key + b"\0"):
                self.assertIn("nothing was stored", self.error_of_add(version, device, other, *words))
            self.add(version, device, key, *words)

    def test_a_part_of_a_key_file_is_used_where_the_options_say(self):
        device = self.image("part.img", b"middle", *CHEAP)
        self.add("part", device, b"beforemiddleafter\n", "--options", "keyfile-offset=6,keyfile-size=6")
        self.assertIn("nothing was stored", self.error_of_add("part", device, b"beforemiddleafter\n", "--force", "--options", "keyfile-offset=6"))
        self.assertIn("shorter", self.error_of_add("part", device, b"short\n", "--force", "--options", "keyfile-offset=5"))
        self.assertEqual(self.tried(), {"part": "key-fits"})

    # -- what does not --

    def test_a_wrong_key_is_not_stored(self):
        device = self.image("a.img", b"right", *CHEAP)
        self.assertIn("nothing was stored", self.error_of_add("a", device, b"wrong\n"))
        self.assertEqual(self.listed(), [])

    def test_what_is_no_luks_device_is_said_to_be_none(self):
        with open(self.path("zeros"), "wb") as file:
            file.truncate(20 << 20)
        self.assertIn("holds no LUKS header", self.error_of_add("a", self.path("zeros"), b"key\n"))
        self.assertIn("there is no device UUID=0000", self.error_of_add("a", "UUID=0000", b"key\n"))
        self.assertIn("names no device", self.error_of_add("a", "vdb", b"key\n"))
        self.assertEqual(self.listed(), [])

    def test_a_key_on_the_command_line_is_not_even_understood(self):
        device = self.image("a.img", b"right", *CHEAP)
        self.world.run("volume", "add", "-k", "-", "--device", device, "a", "right", stdin=self.key.encode(), code=2)
        self.assertEqual(self.listed(), [])

    def test_one_wrong_key_and_one_missing_device_stop_no_other(self):
        self.add("good", self.image("good.img", b"right", *CHEAP), b"right\n")
        self.add("bad", self.image("bad.img", b"right", *CHEAP), b"wrong\n", "--no-test")
        self.add("gone", self.path("gone.img"), b"key\n", "--no-test")
        self.assertEqual(self.tried(code=3), {"good": "key-fits", "bad": "wrong-key", "gone": "missing"})
        out, err = self.world.run("volume", "test", "-k", "-", stdin=self.key.encode(), code=3)
        self.assertIn(b"good: its key fits", out)
        self.assertIn(b"zkv volume add --force bad", err)

    def test_a_header_that_was_cut_off_or_scribbled_over_stops_no_other(self):
        self.add("good", self.image("good.img", b"right", *CHEAP), b"right\n")
        for name in ("cut", "scribbled"):
            self.add(name, self.image(f"{name}.img", b"right", *CHEAP), b"right\n")
        with open(self.path("cut.img"), "r+b") as file:
            file.truncate(5000)
        with open(self.path("scribbled.img"), "r+b") as file:
            file.write(b"LUKS\xba\xbe\0\2" + b"\xff" * 40_000)
        results = self.tried(code=3)
        self.assertEqual(results.pop("good"), "key-fits")
        self.assertTrue(all(result in ("not-a-volume", "failed") for result in results.values()), results)

    def test_a_header_that_anybody_can_make_is_not_given_the_key(self):
        for name, forge in (("any", forged_luks.open_by_any_key), ("plain", forged_luks.show_plain)):
            device = self.image(f"{name}.img", b"mine", *CHEAP)
            forge(device)
            self.assertIn("protects nothing", self.error_of_add(name, device, b"mine\n"))
            self.add(name, device, b"mine\n", "--no-test")
        self.assertEqual(self.tried(code=1), {"any": "failed", "plain": "failed"})
        self.assertIn("another disk that somebody put in the place of yours", self.error_of_test())

    # -- the repository --

    def test_settings_are_kept_and_shown_and_changed_by_force(self):
        device = self.image("a.img", b"old", *CHEAP)
        self.add("a", device, b"old\n", "--mount-point", "/srv/ä", "--options", "discard")
        other = self.image("b.img", b"new", *CHEAP)
        self.assertIn("already", self.error_of_add("a", other, b"new\n"))
        self.add("a", other, b"new\n", "--force")
        self.assertEqual(self.listed(), [{"name": "a", "kind": "luks", "device": other, "mountpoint": "/srv/ä", "options": "discard",
                                          "key": "new", "encoding": "text"}])
        wrong = self.world.error("volume", "add", "-k", "-", "--volume-key-file", "-", "--force", "a", stdin=f"{self.key}\nold\n".encode())
        self.assertIn("does not open a", wrong)
        self.world.run("volume", "add", "-k", "-", "--volume-key-file", "-", "--force", "a", stdin=f"{self.key}\nnew\n".encode())
        shown = self.world.with_key(self.key, "volume", "show", "a")
        self.assertIn("3 bytes", shown)
        self.assertNotIn("new", shown)
        self.assertIn("key not-loaded", shown)
        self.assertIn("new", self.world.with_key(self.key, "volume", "show", "-p", "a"))

    def test_the_key_stays_where_only_settings_change(self):
        device = self.image("a.img", b"key", *CHEAP)
        self.add("a", device, b"key\n")
        self.world.with_key(self.key, "volume", "add", "--force", "--keep-key", "--options", "discard", "a")
        self.assertEqual([(volume["key"], volume["options"]) for volume in self.listed()], [("key", "discard")])
        self.world.run("volume", "add", "--keep-key", "-k", "-", "a", stdin=self.key.encode(), code=2)
        self.assertIn("there is no volume b", self.world.error("volume", "add", "--force", "--keep-key", "--device", device, "-k", "-", "b",
                                                               stdin=self.key.encode()))
        self.assertEqual(self.tried(), {"a": "key-fits"})

    def test_one_device_is_one_volume_by_whatever_name(self):
        device = self.image("a.img", b"key", *CHEAP)
        os.symlink(device, self.path("link.img"))
        self.add("a", device, b"key\n")
        said = self.error_of_add("b", self.path("link.img"), b"key\n")
        self.assertIn("is what a lies on; nothing was stored", said)
        self.assertIn("zkv volume rename a b", said)
        self.add("a", self.path("link.img"), b"key\n", "--force")
        self.assertEqual([volume["name"] for volume in self.listed()], ["a"])
        # Of a plain device each part can be a volume.
        words = ("--kind", "plain", "--no-test", "--options")
        plain = self.path("plain.img")
        with open(plain, "wb") as file:
            file.truncate(8 << 20)
        shape = "cipher=aes-xts-plain64,size=512,hash=sha256,offset="
        self.add("first", plain, b"key\n", *words, shape + "0")
        self.assertIn("is what first lies on", self.error_of_add("second", plain, b"key\n", *words, shape + "0"))
        self.add("second", plain, b"key\n", *words, shape + "8192")

    def test_nothing_is_mounted_over_what_the_system_needs(self):
        device = self.image("a.img", b"key", *CHEAP)
        for place in ("/", "/etc", "/usr/../etc/", "/proc", "/sys/fs", "/dev/shm", "/usr/lib", "/lib64/x", "/var", "/var/lib/zkv", "/run/systemd/x"):
            self.assertIn("the running system needs", self.error_of_add("a", device, b"key\n", "--mount-point", place))
        self.assertEqual(self.listed(), [])

    def test_an_empty_word_takes_a_setting_away_and_what_is_not_given_stays(self):
        device = self.image("a.img", b"key", *CHEAP)
        self.add("a", device, b"key\n", "--mount-point", "/srv", "--options", "discard")
        settings = lambda: [(volume["device"], volume.get("mountpoint", ""), volume.get("options", "")) for volume in self.listed()]
        self.assertIn(b"Its mount point stays /srv", self.add("a", device, b"key\n", "--force", "--options", "")[0])
        self.assertEqual(settings(), [(device, "/srv", "")])
        self.assertNotIn(b"stays", self.add("a", device, b"key\n", "--force", "--mount-point", "", "--options", "read-only")[0])
        self.assertEqual(settings(), [(device, "", "read-only")])

    def test_a_mapping_takes_another_name_and_keeps_key_and_settings(self):
        device = self.image("a.img", b"key", *CHEAP)
        self.add("a", device, b"key\n", "--options", "discard")
        before = self.listed()
        told = self.world.with_key(self.key, "volume", "rename", "a", "b")
        self.assertIn("Renamed a to b", told)
        self.assertIn("/etc/crypttab", told)
        self.assertEqual(self.listed(), [before[0] | {"name": "b"}])
        self.assertEqual(self.tried(), {"b": "key-fits"})
        self.assertIn("no mapping", self.world.error("volume", "rename", "-k", "-", "b", "c/d", stdin=self.key.encode()))
        self.assertEqual(self.tried(), {"b": "key-fits"})

    def test_what_has_only_the_name_of_a_pool_is_renamed_alone(self):
        self.world.with_key(self.key, "fs", "add", "tank/a", "zfs key")
        self.world.run("volume", "add", "--kind", "secret", "-k", "-", "--volume-key-file", "-", "tank", stdin=f"{self.key}\ntoken\n".encode())
        self.world.with_key(self.key, "volume", "rename", "tank", "vault")
        self.assertEqual([volume["name"] for volume in self.listed()], ["tank/a", "vault"])

    def test_the_words_of_the_seed_mean_zfs(self):
        self.add("data", self.image("a.img", b"right", *CHEAP), b"right\n")
        self.world.with_key(self.key, "fs", "add", "tank/a", "zfs key")
        self.assertEqual(self.world.with_key(self.key, "fs", "list"), "tank/a\n")
        self.assertIn("zkv volume remove data", self.world.error("fs", "remove", "-k", "-", "data", stdin=self.key.encode()))
        self.assertIn("luks", self.world.error("fs", "add", "-k", "-", "--force", "data", "-", stdin=f"{self.key}\nx\n".encode()))
        self.assertIn("nothing was removed", self.world.error("volume", "remove", "-k", "-", "data", stdin=self.key.encode()))
        os.rename(self.path("a.img"), self.path("away.img"))
        self.assertIn("nothing was removed", self.world.error("volume", "remove", "-k", "-", "data", stdin=self.key.encode()))
        self.world.with_key(self.key, "volume", "remove", "--force", "data")
        self.assertEqual([volume["name"] for volume in self.listed()], ["tank/a"])
        self.assertIn("not in the repository", self.world.error("volume", "remove", "-k", "-", "data", stdin=self.key.encode()))
        self.world.run("volume", "remove", "-f", "-k", "-", "data", stdin=self.key.encode())

    def test_the_seeds_format_holds_no_luks_volume(self):
        seed = self.path("seed")
        key = self.world.out("--repository", seed, "fs", "init", "-m", "--format", "seed").strip()
        device = self.image("a.img", b"right", *CHEAP)
        error = self.world.error("--repository", seed, "volume", "add", "-k", "-", "--volume-key-file", "-", "--device", device, "a",
                                 stdin=f"{key}\nright\n".encode())
        self.assertIn("cannot hold", error)

    def test_words_that_no_volume_can_have_are_refused_before_any_key_is_read(self):
        for words, complaint in ((["--options", "discrad"], "'discrad'"), (["--mount-point", "srv"], "whole path"), ([], "no mapping")):
            name = "a" if words else "a/b"
            self.assertIn(complaint, self.world.error("volume", "add", "--device", "/dev/vdb", *words, name))
        self.assertIn("neither device", self.world.error("volume", "add", "--kind", "zfs", "--device", "/dev/vdb", "tank"))

    def test_libcryptsetup_is_loaded_where_it_is_needed_and_nowhere_else(self):
        self.add("a", self.image("a.img", b"right", *CHEAP), b"right\n")
        self.assertFalse(self.loads_libcryptsetup("fs", "list"))
        self.assertFalse(self.loads_libcryptsetup("volume", "list"))
        self.assertTrue(self.loads_libcryptsetup("volume", "test"))

    def loads_libcryptsetup(self, *words):
        folder = self.world.home / f"loaded-{'-'.join(words)}"
        folder.mkdir()
        self.world.environment |= {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(folder / "log")}
        self.world.with_key(self.key, *words)
        logs = [log.read_text(errors="replace") for log in folder.iterdir()]
        self.assertTrue(any("libc.so" in log for log in logs))
        return any("libcryptsetup" in log for log in logs)


if __name__ == "__main__":
    unittest.main()
