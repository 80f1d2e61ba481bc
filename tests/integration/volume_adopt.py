"""`zkv volume adopt` and `zkv volume create`: on a machine with ZFS that is played, a person at a real terminal."""

import json
import os
import pty
import select
import subprocess
import unittest

from host_world import SALT, ITERATIONS, Host, wrapping_key
from repository_world import ZKV

HEX = b"5b" * 32
END_OF_INPUT = b"\x04"
UUID = "5a17b0c4-9d3e-4f60-8a21-7c5be0d9f312"
# On a machine whose only disk is $0, a file that stands for it, and whose crypttab is empty.
ON_ITS_MACHINE = ("unshare", "--mount", "--map-root-user", "sh", "-euc", """
    dev=$0.dev
    mkdir -p "$dev/disk/by-uuid" "$0.blocks/vdz"
    ln -sf "$0" "$dev/vdz"
    ln -sf ../../vdz "$dev/disk/by-uuid/$1"
    shift
    for node in null zero random urandom tty; do touch "$dev/$node"; mount --bind "/dev/$node" "$dev/$node"; done
    mount --rbind "$dev" /dev
    mount --bind "$0.blocks" /sys/class/block
    [ ! -e /etc/crypttab ] || mount --bind /dev/null /etc/crypttab
    exec "$@"
""")


class Machine(unittest.TestCase):
    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.key = self.host.init("--format", "2")
        (self.host.home / "key").write_text(self.key + "\n", encoding="utf-8")
        self.host.add_dataset("tank")

    def root(self, name, keyformat, key, **more):
        self.host.add_dataset(name, keyformat=keyformat, keystatus="unavailable", encryptionroot=name, pbkdf2iters=str(ITERATIONS),
                              pbkdf2salt=str(SALT), wrapping_key=wrapping_key(keyformat, key).hex(), **more)

    def keys(self):
        """Name to key of what the repository holds."""
        listed = json.loads(self.host.run("volume", "list", "-p", "--json", "--key-file", "key")[0])
        return {volume["name"]: volume["key"] for volume in listed}

    def at_terminal(self, *words, answers, code=0, after_first=None, before=()):
        """Runs zkv on a terminal of its own, answers each question with a colon, and gives all that was to be seen. `after_first` is
        called with the terminal when the first answer was given."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.host.home)
            command = [*before, ZKV, *words]
            os.execvpe(command[0], command, self.host.environment)
        seen, asked = b"", 0
        while select.select([terminal], [], [], 120)[0]:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            seen += part
            while asked < min(seen.count(b"(empty: leave it out): "), len(answers)):
                os.write(terminal, answers[asked] + b"\n")
                asked += 1
                if asked == 1 and after_first:
                    after_first(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), code, seen)
        os.close(terminal)
        return seen.decode()


class Adopt(Machine):
    def test_each_is_shown_asked_for_tried_and_kept(self):
        self.root("tank/a", "hex", HEX)
        self.root("tank/b", "passphrase", b"correct horse")
        self.root("tank/c", "hex", HEX)
        seen = self.at_terminal("volume", "adopt", "--key-file", "key", answers=[HEX, b"wrong horse", b"correct horse", b""])
        self.assertIn("this key does not open it", seen)
        self.assertIn("2 of 3 are in", seen)
        self.assertNotIn("correct horse", seen)
        self.assertEqual(self.keys(), {"tank/a": HEX.decode(), "tank/b": "correct horse"})
        for name in ("tank/a", "tank/b"):
            self.assertEqual((self.host.zfs / "datasets" / name.replace("/", "%2F") / "keystatus").read_text(), "unavailable")

    def test_a_key_file_of_zfs_is_taken_and_what_is_left_lying_is_told(self):
        path = self.host.home / "a.key"
        path.write_bytes(HEX + b"\n")
        self.root("tank/a", "hex", HEX, keylocation=f"file://{path}")
        seen = self.at_terminal("volume", "adopt", "--key-file", "key", answers=[])
        self.assertIn(f"{path} still opens tank/a without any approval", seen)
        self.assertIn("zfs set keylocation=prompt tank/a", seen)
        self.assertEqual(list(self.keys()), ["tank/a"])
        self.assertTrue(path.exists())

    def test_a_key_file_that_does_not_open_it_leads_to_the_question(self):
        path = self.host.home / "a.key"
        path.write_bytes(b"00" * 32)
        self.root("tank/a", "hex", HEX, keylocation=f"file://{path}")
        self.at_terminal("volume", "adopt", "--key-file", "key", answers=[HEX])
        self.assertEqual(self.keys(), {"tank/a": HEX.decode()})

    def test_three_wrong_keys_leave_it_out(self):
        self.root("tank/a", "hex", HEX)
        seen = self.at_terminal("volume", "adopt", "--key-file", "key", answers=[b"00" * 32] * 3)
        self.assertIn("0 of 1 are in", seen)
        self.assertEqual(self.keys(), {})

    def test_who_ends_the_input_is_told_what_was_done_until_then(self):
        path = self.host.home / "a.key"
        path.write_bytes(HEX + b"\n")
        self.root("tank/a", "hex", HEX, keylocation=f"file://{path}")
        self.root("tank/b", "hex", HEX)
        seen = self.at_terminal("volume", "adopt", "--key-file", "key", answers=[END_OF_INPUT], code=1)
        self.assertIn("1 of 2 are in", seen)
        self.assertIn(f"{path} still opens tank/a without any approval", seen)
        self.assertEqual(list(self.keys()), ["tank/a"])

    def test_what_is_typed_while_a_key_is_tried_is_neither_shown_nor_taken(self):
        self.root("tank/a", "hex", HEX)
        gate = self.host.zfs / "datasets" / "tank%2Fa" / "key-gate"
        os.mkfifo(gate)

        def type_ahead(terminal):
            with open(gate, "wb"):  # opens once the key is being tried
                gate.unlink()
                os.write(terminal, b"typed too early\n")
        seen = self.at_terminal("volume", "adopt", "--key-file", "key", answers=[b"00" * 32, HEX], after_first=type_ahead)
        self.assertNotIn("typed too early", seen)
        self.assertIn("1 of 1 are in", seen)

    def test_a_list_asks_nothing_and_changes_nothing(self):
        self.root("tank/a", "hex", HEX)
        before = self.host.path.read_bytes()
        self.assertIn(b"tank/a", self.host.run("volume", "adopt", "--list", "--key-file", "key")[0])
        listed = json.loads(self.host.run("volume", "adopt", "--json", "--key-file", "key")[0])
        self.assertEqual([volume["volume"] for volume in listed["volumes"]], ["tank/a"])
        self.assertEqual(self.keys(), {})
        self.assertEqual(self.host.path.read_bytes(), before)

    def test_without_a_terminal_it_says_so(self):
        self.root("tank/a", "hex", HEX)
        self.assertIn(b"no terminal", self.host.run("volume", "adopt", "--key-file", "key", code=1)[1])

    def test_without_a_terminal_what_has_a_key_file_is_taken_all_the_same(self):
        path = self.host.home / "b.key"
        path.write_bytes(HEX + b"\n")
        self.root("tank/a", "hex", HEX)
        self.root("tank/b", "hex", HEX, keylocation=f"file://{path}")
        out, error = self.host.run("volume", "adopt", "--key-file", "key", code=1)
        self.assertIn(b"1 of 2 are in", out)
        self.assertIn(b"no terminal to ask for the other keys on", error)
        self.assertEqual(list(self.keys()), ["tank/b"])


class AdoptLuks(Machine):
    def setUp(self):
        super().setUp()
        disk = self.host.home / "disk"
        disk.write_bytes(bytes(20 << 20))
        subprocess.run(["/usr/sbin/cryptsetup", "luksFormat", "--batch-mode", "--uuid", UUID, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations",
                        "1000", disk, "-"], input=b"correct horse", check=True, capture_output=True)
        self.machine = (*ON_ITS_MACHINE, str(disk), UUID)

    def test_a_disk_that_is_not_in_crypttab_is_shown_asked_for_tried_and_kept(self):
        adopt = ("volume", "adopt", "--key-file", "key")
        row = ["luks-5a17b0c4", "luks", f"UUID={UUID}", "is", "asked", "for"]
        listed = self.host.run(*adopt, "--list", before=self.machine)[0].decode()
        self.assertEqual([line.split() for line in listed.splitlines()[1:]], [row])
        seen = self.at_terminal(*adopt, answers=[b"wrong horse", b"correct horse"], before=self.machine)
        self.assertIn(row, [line.split() for line in seen.splitlines()])
        self.assertEqual(seen.count("Key of luks-5a17b0c4 (empty: leave it out): "), 2)
        self.assertEqual(seen.count("luks-5a17b0c4: this key does not open it"), 1)
        self.assertIn("1 of 1 are in", seen)
        self.assertNotIn("horse", seen)
        self.assertNotIn("crypttab", seen)
        self.assertEqual(self.keys(), {"luks-5a17b0c4": "correct horse"})
        tried = json.loads(self.host.run("volume", "test", "--json", "--key-file", "key", before=self.machine)[0])
        self.assertEqual([(volume["volume"], volume["result"]) for volume in tried["volumes"]], [("luks-5a17b0c4", "key-fits")])
        self.assertIn(b"Nothing on this machine is encrypted that the repository does not hold", self.host.run(*adopt, before=self.machine)[0])

    def test_wrong_keys_leave_it_out(self):
        seen = self.at_terminal("volume", "adopt", "--key-file", "key", answers=[b"wrong horse"] * 3, before=self.machine)
        self.assertEqual(seen.count("this key does not open it"), 3)
        self.assertIn("0 of 1 are in", seen)
        self.assertEqual(self.keys(), {})


class Create(Machine):
    def create(self, *words, **how):
        return self.host.run("volume", "create", "--key-file", "key", *words, **how)

    def test_a_new_filesystem_opens_by_what_the_repository_holds_and_nothing_else_knows_it(self):
        out = self.create("-o", "compression=zstd", "tank/new")[0].decode()
        self.assertIn("Made tank/new (zfs)", out)
        self.assertIn("It is mounted at /tank/new", out)
        key = self.keys()["tank/new"].removeprefix("hex:")
        self.assertNotIn(key, out)
        made = self.host.zfs / "datasets" / "tank%2Fnew"
        self.assertEqual((made / "wrapping-key").read_text(), key)
        self.assertNotIn(b"never seen to fit", b"".join(self.host.run("check")))
        self.assertNotIn(key, (self.host.zfs / "calls").read_text() + (self.host.zfs / "environments").read_text())
        (made / "keystatus").write_text("unavailable")
        (made / "mounted").write_text("no")
        self.host.run("mount", "--key-file", "key")
        self.assertEqual((made / "keystatus").read_text(), "available")

    def test_what_cannot_be_made_leaves_no_key_behind(self):
        self.host.add_dataset("tank/there")
        self.assertIn(b"already exists", self.create("tank/there", code=1)[1])
        self.assertIn(b"parent does not exist", self.create("lost/new", code=1)[1])
        self.assertEqual(self.keys(), {})

    def test_beside_one_that_has_a_key_already_nothing_is_made_or_kept(self):
        self.root("tank/own", "hex", HEX)
        self.assertIn(b"tank/own is there already", self.create("tank/own", code=1)[1])
        self.assertEqual(self.keys(), {})

    def test_what_was_made_though_zfs_ended_with_an_error_keeps_its_key(self):
        (self.host.zfs / "unmountable").touch()
        error = self.create("tank/new", code=1)[1].decode()
        self.assertIn("successfully created, but not mounted", error)
        self.assertIn("its key stays in the repository", error)
        made = self.host.zfs / "datasets" / "tank%2Fnew"
        self.assertEqual(self.keys()["tank/new"].removeprefix("hex:"), (made / "wrapping-key").read_text())

    def test_words_that_would_make_it_open_otherwise_are_refused_before_anything_is_made(self):
        for words in (["-o", "keylocation=file:///x"], ["-o", "encryption=off"], ["-o", "mountpoint=/etc/"], ["-o", "keyformat=hex"], ["-o", "nonsense"],
                      ["--filesystem", "ext4"], ["--size", "-s"]):
            self.create(*words, "tank/new", code=1)
        self.create("tank", code=1)
        self.create("--kind", "luks", "box", code=1)
        self.assertNotIn("zfs create", (self.host.zfs / "calls").read_text() if (self.host.zfs / "calls").exists() else "")
        self.assertEqual(self.keys(), {})

    def test_nothing_is_formatted_that_holds_something(self):
        image = self.host.home / "image"
        image.write_bytes(b"\0" * (1 << 20))
        self.host.environment["PATH"] += ":/usr/sbin:/sbin"
        self.assertEqual(os.spawnve(os.P_WAIT, "/usr/sbin/mkfs.ext4", ["mkfs.ext4", "-q", "-F", str(image)], self.host.environment), 0)
        before = image.read_bytes()
        error = self.create("--device", str(image), "box", code=1)[1].decode()
        self.assertIn("holds something already: ext4", error)
        self.assertIn("wipefs", error)
        self.assertEqual(image.read_bytes(), before)
        self.assertEqual(self.keys(), {})

    def test_nothing_is_formatted_that_a_volume_without_a_header_on_it_lies_on(self):
        bare, data, header = (self.host.home / name for name in ("bare", "data", "header"))
        for file in (bare, data, header):
            file.write_bytes(b"\0" * (1 << 20))
        add = ("volume", "add", "--key-file", "key", "--volume-key-file", "volume-key", "--no-test")
        (self.host.home / "volume-key").write_text("k" * 32)
        self.host.run(*add, "--kind", "plain", "--device", str(bare), "--options", "cipher=aes-xts-plain64,size=256,hash=plain", "bare")
        self.host.run(*add, "--kind", "luks", "--device", str(data), "--options", f"header={header}", "data")
        before = self.keys()
        (self.host.home / "link").symlink_to(bare)
        for place, name in ((bare, "bare"), (self.host.home / "link", "bare"), (data, "data"), (header, "data")):
            with self.subTest(place=place):
                error = self.create("--device", str(place), "box", code=1)[1].decode()
                self.assertIn(f"is what {name} lies on", error)
                self.assertEqual(place.read_bytes(), b"\0" * (1 << 20))
        self.assertEqual(self.keys(), before)


if __name__ == "__main__":
    unittest.main()
