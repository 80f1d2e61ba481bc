"""The keeping of guest images, tried with recipes that take no time: what failed or was interrupted is never used."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BASE = 'echo made >"$1/base.qcow2"; echo base >>"$COUNT"'
KERNEL = 'mkdir "$1/modules"; echo kernel >>"$COUNT"'


class Image(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="zkv-image-")
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)
        self.count, self.cache = self.work / "count", self.work / "cache"
        shutil.copytree(HERE / "image.d", self.work / "image.d")
        shutil.copy(HERE / "image", self.work / "image")
        self.recipe("kernel", KERNEL)
        self.recipe("base", BASE)

    def recipe(self, name, script):
        (self.work / "image.d" / name).write_text(f"#!/bin/bash\nset -euo pipefail\n{script}\n")

    def start(self):
        return subprocess.Popen([str(self.work / "image")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                env={**os.environ, "ZKV_CACHE_DIR": str(self.cache), "COUNT": str(self.count)},
                                start_new_session=True)

    def built(self):
        return self.count.read_text().split() if self.count.exists() else []

    def test_a_second_run_builds_nothing_and_names_the_same_folder(self):
        first, second = self.start().communicate()[0], self.start().communicate()[0]
        self.assertEqual(first, second)
        self.assertEqual((pathlib.Path(first.strip()) / "base.qcow2").read_text(), "made\n")
        self.assertEqual(self.built(), ["kernel", "base"])

    def test_a_change_to_what_the_guest_holds_builds_the_base_again_but_not_the_kernel(self):
        first = self.start().communicate()[0]
        (self.work / "image.d" / "packages").write_text("systemd-sysv\n")
        self.assertNotEqual(self.start().communicate()[0], first)
        self.assertEqual(self.built(), ["kernel", "base", "base"])

    def test_a_recipe_that_fails_fails_the_build_and_leaves_nothing_that_looks_ready(self):
        self.recipe("kernel", "false\n" + KERNEL)
        build = self.start()
        self.assertEqual(build.communicate()[0], "")
        self.assertNotEqual(build.returncode, 0)
        self.assertEqual([f.name for f in self.cache.glob("kernel-*")], [])
        self.assertEqual(self.built(), [])

    def test_an_interrupted_build_is_begun_anew(self):
        self.recipe("base", 'touch "$1/half"; echo begun >"$COUNT.begun"; read -r _ <"$COUNT.never"')
        os.mkfifo(self.work / "count.begun")
        os.mkfifo(self.work / "count.never")
        build = self.start()
        (self.work / "count.begun").read_text()
        os.killpg(build.pid, signal.SIGKILL)
        build.communicate()
        self.recipe("base", 'test ! -e "$1/half"; ' + BASE)
        again = self.start()
        self.assertTrue(again.communicate()[0])
        self.assertEqual(again.returncode, 0)

    def test_two_builders_at_once_build_once(self):
        builders = [self.start() for _ in range(2)]
        folders = {builder.communicate()[0] for builder in builders}
        self.assertEqual(len(folders), 1)
        self.assertEqual(self.built(), ["kernel", "base"])


if __name__ == "__main__":
    unittest.main()
