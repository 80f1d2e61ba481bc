"""A full or read-only disk at any call that changes a file: a clear error, exit 1, the old repository intact, no temporary file left."""

import pathlib
import shutil
import subprocess
import unittest

from crash_world import COMMANDS, VOLUMES, Scene, expected_after
from repository_world import ZKV

CHANGING = {"write", "fsync", "rename", "link", "unlink", "unlinkat", "fchmod", "openat", "flock"}


def changes(point, home):
    """Whether the call changes something in `home`: openat only where it may create."""
    in_home = f"<{home}" in point.words or f'"{home}' in point.words
    return point.call in CHANGING and in_home and (point.call != "openat" or "O_CREAT" in point.words)


class FailingDisk(unittest.TestCase):
    def fail_everywhere(self, name, error, text):
        version, words = COMMANDS[name]
        with Scene(version) as scene:
            points = [point for point in scene.points(words) if changes(point, scene.home)]
            codes = []
            for point in points:
                with self.subTest(name, point=point):
                    code, errors = scene.run_with(point, f"error={error}", words)
                    self.check(scene, name, code, errors, text)
                    codes.append(code)
            self.assertGreater(codes.count(1), 6)

    def check(self, scene, name, code, errors, text):
        after = scene.path.read_bytes()
        self.assertEqual(scene.temporaries(), [])
        if code == 0:  # what failed was only the note of the generation
            self.assertEqual(scene.volumes(after), expected_after(name))
            return
        self.assertEqual(code, 1)
        self.assertIn(text, errors)
        # Both come after the rename: the directory's fsync, and the end of the file that the old key opens.
        if after != scene.old and ("syncing" in errors or "has its new key, but removing" in errors):
            self.assertEqual(scene.volumes(after), expected_after(name))
        else:
            self.assertEqual(after, scene.old)
            self.assertEqual(scene.volumes(after), VOLUMES)

    def test_that_is_full_loses_nothing_in_the_seeds_format(self):
        for name in ("fs_add", "fs_remove", "convert"):
            self.fail_everywhere(name, "ENOSPC", "No space left on device")

    def test_that_is_full_loses_nothing_in_version_2(self):
        for name in ("fs_add_2", "slot_add", "slot_remove", "rotate", "convert_2"):
            self.fail_everywhere(name, "ENOSPC", "No space left on device")

    def test_that_is_read_only_loses_nothing(self):
        for name in ("fs_add", "fs_add_2", "convert", "slot_add", "slot_remove"):
            self.fail_everywhere(name, "EROFS", "Read-only file system")

    def test_that_breaks_loses_nothing(self):
        self.fail_everywhere("fs_add_2", "EIO", "Input/output error")


class ReadOnlyDirectory(unittest.TestCase):
    """A directory in which an ordinary user may not write."""

    def setUp(self):
        self.scene = Scene(2)
        self.addCleanup(self.scene.__exit__)
        self.program = shutil.copy(ZKV, "/tmp/zkv-" + self.scene.home.name)
        self.addCleanup(pathlib.Path(self.program).unlink)
        (self.scene.home / ".zkv-repository.generation").unlink()
        for entry in [self.scene.home, *self.scene.home.iterdir()]:
            shutil.chown(entry, "nobody", "nogroup")
        self.scene.home.chmod(0o555)

    def as_nobody(self, *words):
        return subprocess.run(["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", self.program, *words, "--key-file", "key"],
                              env=self.scene.environment, cwd=self.scene.home, capture_output=True, check=False, timeout=120)

    def test_can_be_read(self):
        done = self.as_nobody("fs", "list")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"tank/a\ntank/b\n", b""))

    def test_is_not_changed_and_says_so(self):
        done = self.as_nobody("fs", "remove", "--force", "tank/a")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Permission denied", done.stderr)
        self.assertEqual(self.scene.path.read_bytes(), self.scene.old)
        self.assertEqual(self.scene.temporaries(), [])


if __name__ == "__main__":
    unittest.main()
