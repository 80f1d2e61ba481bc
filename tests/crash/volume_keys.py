"""`zkv rotate --volume-keys` killed at each of the system calls that ZKV_CALLS names: what the repository holds opens every volume, and the same command goes on."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from repository_world import ZKV, World  # noqa: E402  (finds the reader too)

import reader  # noqa: E402

NAMES = ("one", "two")
OLD = b"the old key"
CHANGING = os.environ["ZKV_CALLS"].split()
WORDS = ("rotate", "--volume-keys", "--key-file", "key")


class Scene(World):
    """Two LUKS devices in files, and a repository that opens them; put back before each run."""

    def __init__(self):
        super().__init__()
        self.key = self.init("--format", "2")
        (self.home / "key").write_text(self.key, encoding="utf-8")
        (self.home / "old").write_bytes(OLD)
        for name in NAMES:
            self.cryptsetup("luksFormat", "--batch-mode", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", self.image(name), self.home / "old")
            self.out("volume", "add", "--key-file", "key", "--volume-key-file", "old", "--device", self.image(name), name)
        self.kept = self.home.with_name(self.home.name + ".kept")
        subprocess.run(["cp", "-a", "--sparse=always", self.home, self.kept], check=True)

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.kept)

    def image(self, name):
        path = self.home / f"{name}.img"
        if not path.exists():
            with open(path, "wb") as file:
                file.truncate(18 << 20)
        return path

    @staticmethod
    def cryptsetup(*words, code=0):
        done = subprocess.run(["cryptsetup", *map(str, words)], check=False, capture_output=True)
        assert (done.returncode == 0) == (code == 0), done

    def put_back(self):
        shutil.rmtree(self.home)
        subprocess.run(["cp", "-a", "--sparse=always", self.kept, self.home], check=True)

    def killed(self, call, number):
        """Whether zkv, or one of its children, came to that call and was killed there."""
        self.put_back()
        trace = self.kept / "trace"
        done = subprocess.run(["/usr/bin/strace", "-f", "-qq", "-o", trace, "-e", f"trace={call}", "-e",
                               f"inject={call}:signal=SIGKILL:when={number}", ZKV, *WORDS], env=self.environment, cwd=self.home,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
        return done.returncode != 0 or "SIGKILL" in trace.read_text(errors="replace")

    def held(self):
        return {volume["name"].decode(): [key for key in (volume["key"], volume["next_key"]) if key]
                for volume in reader.read(self.path.read_bytes(), self.key.encode())}

    def opens(self, name, key):
        done = subprocess.run(["cryptsetup", "open", "--test-passphrase", "--key-file", "-", self.image(name)], input=key, check=False,
                              capture_output=True)
        return done.returncode == 0


class Killed(unittest.TestCase):
    def test_at_every_call_that_changes_anything(self):
        killed = {}
        with Scene() as scene:
            for call in CHANGING:
                number = 1
                while scene.killed(call, number):
                    with self.subTest(call=call, number=number):
                        for name, keys in scene.held().items():
                            self.assertTrue(any(scene.opens(name, key) for key in keys), name)
                        scene.out("volume", "test", "--key-file", "key")
                        scene.out(*WORDS)
                        for name, keys in scene.held().items():
                            self.assertEqual(len(keys), 1)
                            self.assertTrue(scene.opens(name, keys[0]))
                            self.assertFalse(scene.opens(name, OLD))
                    number += 1
                killed[call] = number - 1
        print("killed:", killed, flush=True)
        self.assertGreater(sum(killed.values()), 5)


if __name__ == "__main__":
    unittest.main()
