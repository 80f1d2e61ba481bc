"""Volumes that programs open: the loaders that zkv brings over real gocryptfs and fscrypt, and a loader of the test's own, which looks at
what it is given and what it is not."""

import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import threading
import unittest

from repository_world import TESTS, World
from volume_world import Volumes

LOADERS = TESTS.parent / "packaging" / "loaders"
PASSPHRASE = "correct horse battery staple"
# Where a machine has no settings of fscrypt, these are there for the test.
FSCRYPT_SETTINGS = pathlib.Path("/etc/fscrypt.conf")
CHEAP = json.dumps({"source": "custom_passphrase", "hash_costs": {"time": "1", "memory": "1024", "parallelism": "1"},
                    "options": {"padding": "32", "contents": "AES_256_XTS", "filenames": "AES_256_CTS", "policy_version": "2"},
                    "use_fs_keyring_for_v1_policies": False, "allow_cross_user_metadata": False})
# Waits inside `open` until it is told to go on.
SLOW = """#!/bin/sh
cd "${0%/*}" || exit 1
case $1 in
    status) [ -e opened ] || exit 13 ;;
    open) cat >key; echo $$ >begun; read -r word <go; touch opened ;;
    close) rm opened ;;
    *) exit 16 ;;
esac
"""


class LoaderWorld(Volumes):
    def loader(self, name):
        """A copy of one of zkv's loaders, where nobody else can write."""
        shutil.copy(LOADERS / name, self.path(name))
        os.chmod(self.path(name), 0o755)
        return self.path(name)

    def add(self, name, program, passphrase, *words, **how):
        return self.world.run("volume", "add", "-k", "-", "--volume-key-file", "-", "--program", program, *words, name,
                              stdin=f"{self.key}\n{passphrase}\n".encode(), **how)

    def mount(self, *words, code=0):
        """What `zkv mount` says: name to result, and name to where it is mounted."""
        report = json.loads(self.world.with_key(self.key, "mount", "--json", *words, code=code))
        return ({volume["volume"]: volume["result"] for volume in report["volumes"]},
                {mount["volume"]: mount["mountpoint"] for mount in report["mounts"] if mount["result"] == "mounted"})

    def unmount(self, *names, code=0):
        report = json.loads(self.world.out("unmount", "--json", *names, code=code))
        return {volume["volume"]: volume["result"] for volume in report["volumes"]}

    def status(self):
        status = json.loads(self.world.out("status", "--json"))
        return {volume["volume"]: (volume["key"], volume["mounted"]) for volume in status["volumes"] if volume["kind"] == "command"}


@unittest.skipUnless(os.path.exists("/dev/fuse") and shutil.which("gocryptfs"), "needs /dev/fuse and gocryptfs")
class Gocryptfs(LoaderWorld):
    def setUp(self):
        super().setUp()
        self.encrypted, self.open = self.path("encrypted"), self.path("made/on the way")
        os.mkdir(self.encrypted)
        subprocess.run(["gocryptfs", "-q", "-init", "-scryptn", "10", self.encrypted], input=PASSPHRASE.encode(), check=True, capture_output=True)
        self.addCleanup(subprocess.run, ["fusermount3", "-q", "-u", self.open], check=False, stderr=subprocess.DEVNULL)
        self.where = ["--device", self.encrypted, "--mount-point", self.open]

    def daemon(self):
        """The process that holds the filesystem."""
        found = subprocess.run(["pgrep", "-f", self.open], check=True, capture_output=True, text=True).stdout.split()
        self.assertEqual(len(found), 1)
        return int(found[0])

    def test_from_adding_it_to_taking_it_away(self):
        loader = self.loader("gocryptfs")
        self.assertIn("nothing was stored", self.add("photos", loader, "wrong", *self.where, code=1)[1].decode())
        self.assertIn(b"photos (command)", self.add("photos", loader, PASSPHRASE, *self.where)[0])
        self.assertIn(f"program:      {loader}\n", self.world.with_key(self.key, "volume", "show", "photos"))
        self.assertIn("photos: its key fits", self.world.with_key(self.key, "volume", "test"))
        self.assertFalse(os.path.exists(self.open))

        self.assertEqual(self.mount(), ({"photos": "opened"}, {"photos": self.open}))
        pathlib.Path(self.open, "file").write_text("content", encoding="utf-8")
        self.assertEqual(self.status(), {"photos": ("loaded", True)})
        self.assertEqual(self.mount()[0], {"photos": "already-open"})
        self.assertIn(f"mounted at {self.open}", self.world.with_key(self.key, "volume", "show", "photos"))
        held = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{self.daemon()}/fd").iterdir()]
        self.assertEqual([target for target in held if "repository" in target], [])

        with open(self.open + "/file", encoding="utf-8"):
            busy, error = self.world.run("unmount", "photos", code=1)
            self.assertIn(b"busy", error)
        self.assertEqual(self.unmount(), {"photos": "closed"})
        self.assertEqual(os.listdir(self.open), [])
        self.assertEqual(self.status(), {"photos": ("not-loaded", False)})
        self.assertEqual(self.unmount("photos"), {"photos": "already-closed"})
        self.assertEqual(self.mount()[0], {"photos": "opened"})
        self.assertEqual(pathlib.Path(self.open, "file").read_text(encoding="utf-8"), "content")
        self.unmount()

    def test_what_goes_wrong_is_named_and_stops_no_other(self):
        loader = self.loader("gocryptfs")
        self.add("good", loader, PASSPHRASE, *self.where)
        self.add("bad", loader, "wrong", "--no-test", "--device", self.encrypted, "--mount-point", self.path("bad"))
        self.add("gone", loader, "x", "--no-test", "--device", self.path("gone"), "--mount-point", self.path("b"))
        self.add("plain", loader, "x", "--no-test", "--device", self.path("made"), "--mount-point", self.path("c"))
        os.mkdir(self.path("made"))
        self.assertEqual(self.mount(code=3)[0], {"good": "opened", "bad": "wrong-key", "gone": "missing", "plain": "not-a-volume"})
        self.assertEqual(self.unmount(), {"good": "closed"})

    def test_a_daemon_that_died_is_not_open_and_is_replaced(self):
        self.add("photos", self.loader("gocryptfs"), PASSPHRASE, *self.where)
        self.mount()
        pathlib.Path(self.open, "file").write_text("content", encoding="utf-8")
        daemon = os.pidfd_open(self.daemon())
        signal.pidfd_send_signal(daemon, signal.SIGKILL)
        select.select([daemon], [], [])
        os.close(daemon)
        self.assertEqual(self.status(), {"photos": ("not-loaded", False)})
        self.assertEqual(self.mount()[0], {"photos": "opened"})
        self.assertEqual(pathlib.Path(self.open, "file").read_text(encoding="utf-8"), "content")
        self.unmount()

    def test_options_reach_gocryptfs(self):
        self.add("photos", self.loader("gocryptfs"), PASSPHRASE, "--options", "ro", *self.where)
        self.assertEqual(self.mount()[0], {"photos": "opened"})
        with self.assertRaises(OSError):
            pathlib.Path(self.open, "file").touch()
        self.unmount()


def can_loop_encrypted():
    """Whether this machine lets us mount an ext4 with encryption."""
    if os.geteuid() != 0 or not shutil.which("fscrypt"):
        return False
    with World() as world:
        return Fscrypt.mounted(world.home) and subprocess.run(["umount", world.home / "mnt"], check=False).returncode == 0


class Fscrypt(LoaderWorld):
    @staticmethod
    def mounted(home):
        with open(home / "image", "wb") as image:
            image.truncate(20 << 20)
        (home / "mnt").mkdir()
        return (subprocess.run(["mkfs.ext4", "-q", "-O", "encrypt", home / "image"], check=False).returncode == 0
                and subprocess.run(["mount", "-o", "loop", home / "image", home / "mnt"], check=False, stderr=subprocess.DEVNULL).returncode == 0)

    def setUp(self):
        if not can_loop_encrypted():
            self.skipTest("needs root, fscrypt, loop devices and a kernel with ext4's encryption")
        super().setUp()
        if not FSCRYPT_SETTINGS.exists():
            FSCRYPT_SETTINGS.write_text(CHEAP, encoding="utf-8")
            self.addCleanup(FSCRYPT_SETTINGS.unlink)
        self.assertTrue(self.mounted(self.world.home))
        self.addCleanup(subprocess.run, ["umount", self.path("mnt")], check=True)
        self.fscrypt("setup", self.path("mnt"), stdin=b"n\n")

    def fscrypt(self, *words, stdin=b""):
        subprocess.run(["fscrypt", *words], input=stdin, check=True, capture_output=True)

    def encrypt(self, name, source, key):
        os.mkdir(self.path(f"mnt/{name}"))
        words = ["--source", source, "--name", name, "--quiet", self.path(f"mnt/{name}")]
        self.fscrypt("encrypt", *words, stdin=key)
        pathlib.Path(self.path(f"mnt/{name}/file")).write_text("content", encoding="utf-8")
        self.fscrypt("lock", self.path(f"mnt/{name}"))

    def test_passphrases_and_raw_keys_open_and_wrong_ones_do_not(self):
        loader = self.loader("fscrypt")
        self.encrypt("a", "custom_passphrase", b"pass\n")
        raw = os.urandom(32)
        self.encrypt("b", "raw_key", raw)
        error = self.add("a", loader, "pass", "--device", self.path("mnt/a"), code=1)[1].decode()
        self.assertIn("--no-test", error)
        self.add("a", loader, "pass", "--no-test", "--device", self.path("mnt/a"))
        self.add("b", loader, raw.hex(), "--encoding", "hex", "--no-test", "--device", self.path("mnt/b"))
        self.add("wrong", loader, "wrong", "--no-test", "--device", self.path("mnt/a"))
        self.assertIn("untried", self.world.with_key(self.key, "volume", "test", "a", "--json"))

        self.assertEqual(self.mount("--only", "wrong", code=1)[0], {"wrong": "wrong-key"})
        self.assertEqual(self.mount("--only", "a", "--only", "b")[0], {"a": "opened", "b": "opened"})
        for name in ("a", "b"):
            self.assertEqual(pathlib.Path(self.path(f"mnt/{name}/file")).read_text(encoding="utf-8"), "content")
        self.assertEqual(self.mount("--only", "a")[0], {"a": "already-open"})
        with open(self.path("mnt/a/file"), encoding="utf-8"):
            self.assertIn(b"still open", self.world.run("unmount", "a", code=1)[1])
        self.assertEqual(self.unmount("a", "b"), {"a": "closed", "b": "closed"})
        self.assertNotIn("file", os.listdir(self.path("mnt/a")))


class OwnLoader(LoaderWorld):
    """A program of the administrator's, and those who would like to be in its place."""

    def setUp(self):
        super().setUp()
        (self.world.home / "bin").mkdir()
        self.program = self.world.home / "bin" / "slow"
        self.program.write_text(SLOW, encoding="utf-8")
        self.program.chmod(0o700)
        os.mkfifo(self.world.home / "bin" / "go")
        os.mkfifo(self.world.home / "bin" / "begun")

    def add_slow(self):
        return self.add("slow", str(self.program), PASSPHRASE, "--no-test")

    def while_it_opens(self, look):
        """Looks at the machine at the moment when the loader holds the key."""
        results = []
        mounting = threading.Thread(target=lambda: results.append(self.mount()))
        mounting.start()
        pid = int((self.world.home / "bin" / "begun").read_text(encoding="utf-8"))
        try:
            look(pid)
        finally:
            (self.world.home / "bin" / "go").write_text("on\n", encoding="utf-8")
            mounting.join()
        self.assertEqual(results[0][0], {"slow": "opened"})

    def test_no_process_shows_the_key_in_its_words_or_environment(self):
        self.add_slow()
        shown = []

        def look(pid):
            for process in pathlib.Path("/proc").iterdir():
                for file in ("cmdline", "environ") if process.name.isdigit() else ():
                    try:
                        if PASSPHRASE.encode() in (process / file).read_bytes():
                            shown.append(process / file)
                    except OSError:
                        pass
            environment = (pathlib.Path("/proc") / str(pid) / "environ").read_bytes()
            self.assertIn(b"ZKV_VOLUME=slow\0", environment)
            self.assertNotIn(b"STATE_DIRECTORY", environment)
            self.assertNotIn(self.key.encode(), environment)

        self.while_it_opens(look)
        self.assertEqual(shown, [])
        self.assertEqual((self.world.home / "bin" / "key").read_text(encoding="utf-8"), PASSPHRASE)

    def test_it_holds_none_of_our_files_and_keeps_the_repository_free(self):
        self.add_slow()

        def look(pid):
            targets = set()
            for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                # The shell closes its copy of stdout only after its word has come.
                with contextlib.suppress(FileNotFoundError):
                    targets.add(os.readlink(fd))
            self.assertTrue(any(target.startswith("pipe:") for target in targets), targets)
            self.assertEqual([target for target in targets if "repository" in target or "state" in target], [])
            self.world.with_key(self.key, "fs", "add", "tank/a", "zfs key")

        self.while_it_opens(look)
        self.world.with_key(self.key, "fs", "remove", "--force", "tank/a")

    def test_it_is_called_no_more_once_others_can_write_it(self):
        self.add_slow()
        self.program.chmod(0o722)
        out, error = self.world.run("mount", "-k", "-", stdin=self.key.encode(), code=1)
        self.assertIn("others than its owner can write", error.decode())
        self.program.chmod(0o700)
        self.program.parent.chmod(0o770)
        self.world.run("mount", "-k", "-", stdin=self.key.encode(), code=1)
        self.program.parent.chmod(0o700)
        self.program.rename(self.program.with_name("original"))
        self.program.symlink_to("original")
        self.assertIn(b"symbolic link", self.world.run("mount", "-k", "-", stdin=self.key.encode(), code=1)[1])
        self.assertFalse((self.world.home / "bin" / "key").exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_it_is_called_no_more_once_it_is_another_users(self):
        self.add_slow()
        os.chown(self.program, 65534, 65534)
        self.assertIn(b"belongs to another user", self.world.run("mount", "-k", "-", stdin=self.key.encode(), code=1)[1])
        self.assertFalse((self.world.home / "bin" / "key").exists())

    def test_words_that_lead_to_no_program_are_refused_before_any_key_is_read(self):
        for program, complaint in (("/nonexistent", "is not there"), ("no-such-loader", "/usr/lib/zkv/loaders/no-such-loader is not there"),
                                   ("./slow", "no whole path")):
            self.assertIn(complaint, self.world.error("volume", "add", "--program", program, "a"))
        self.assertIn("needs --program", self.world.error("volume", "add", "--kind", "command", "a"))
        self.assertIn("opened by no program", self.world.error("volume", "add", "--kind", "luks", "--device", "/dev/x", "--program", "/bin/true", "a"))

    def test_a_setting_of_the_program_is_kept_when_only_the_key_changes(self):
        self.add_slow()
        self.world.run("volume", "add", "-k", "-", "--volume-key-file", "-", "--force", "--no-test", "slow",
                       stdin=f"{self.key}\nother\n".encode())
        listed = json.loads(self.world.with_key(self.key, "volume", "list", "-p", "--json"))
        self.assertEqual(listed, [{"name": "slow", "kind": "command", "program": str(self.program), "key": "other", "encoding": "text"}])


if __name__ == "__main__":
    unittest.main()
