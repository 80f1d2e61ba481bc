"""Programs in /etc/zkv/renewed.d run after the commands that replaced the repository, and after no others; in a mount namespace with an /etc of its own."""

import os
import shutil
import unittest

from repository_world import World

IN_ITS_ETC = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"')


def make_etc(folder):
    """What takes the place of /etc there; gives its renewed.d."""
    folder.mkdir(mode=0o755)
    for name in ("passwd", "group", "hosts", "ld.so.cache", "nsswitch.conf"):
        shutil.copy(f"/etc/{name}", folder / name)
    programs = folder / "zkv/renewed.d"
    programs.mkdir(parents=True)
    return programs


@unittest.skipUnless(os.geteuid() == 0, "only root has these programs run")
class Renewed(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.etc, self.told = self.world.home / "etc", self.world.home / "told"
        self.programs = make_etc(self.etc)
        self.add("10-tell", f'echo "$@" >>{self.told}')

    def add(self, name, script):
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    def run_zkv(self, *words, code=0, **how):
        out, err = self.world.run(*words, code=code, before=(*IN_ITS_ETC, str(self.etc)), **how)
        return out.decode(), err.decode()

    def times(self):
        """How often the program was run, each time with the repository's path."""
        lines = self.told.read_text().splitlines() if self.told.exists() else []
        self.assertEqual(set(lines) - {str(self.world.path)}, set())
        return len(lines)

    def test_each_change_of_the_repository_and_nothing_else_runs_them(self):
        key, _ = self.run_zkv("fs", "init", "-m", "--format", "2")
        self.assertEqual(self.times(), 1)
        stdin = key.encode()
        self.run_zkv("fs", "add", "-k", "-", "tank/a", "-", stdin=stdin + b"the key of a\n")
        self.assertEqual(self.times(), 2)
        self.run_zkv("fs", "list", "-k", "-", stdin=stdin)
        self.run_zkv("slot", "list")
        self.run_zkv("fs", "add", "-k", "-", "tank/a", "-", stdin=stdin + b"another\n", code=1)
        self.assertEqual(self.times(), 2)
        self.run_zkv("rotate", "-k", "-", stdin=stdin)
        self.assertEqual(self.times(), 3)

    def test_one_that_fails_is_told_and_the_change_stands(self):
        self.add("20-fails", "echo no room >&2; exit 9")
        self.add("30-later", f'echo "$@" >>{self.told}')
        key, err = self.run_zkv("fs", "init", "-m", "--format", "2", code=1)
        self.assertIn("the change stands", err)
        self.assertIn("20-fails: it ended with 9: no room", err)
        self.assertEqual(self.times(), 2)
        self.assertEqual(self.world.with_key(key.strip(), "fs", "list"), "")

    def test_one_that_others_can_write_is_not_run(self):
        (self.programs / "10-tell").chmod(0o777)
        _, err = self.run_zkv("fs", "init", "-m", code=1)
        self.assertIn("chmod go-w", err)
        self.assertEqual(self.times(), 0)


if __name__ == "__main__":
    unittest.main()
