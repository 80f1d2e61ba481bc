"""Loaders and secrets as systemd runs them: a container boots with the packages installed, opens a gocryptfs directory from within the unit's
sandbox, and the tests look at what `loaders-check` found. To be run as root.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from sandbox import CHECK, DEBS, HERE

EXTRA = ["fuse3", "gocryptfs"]


def found_in_container():
    """Boots the container and gives what the check wrote: a name for each answer."""
    with tempfile.TemporaryDirectory(prefix="zkv-container-", dir="/dev/shm") as folder:
        root = pathlib.Path(folder)
        tarball = subprocess.run([HERE / "root", *EXTRA], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        subprocess.run(["tar", "--extract", "--file", tarball, "--directory", root, "--exclude=./dev/*"], check=True)
        (root / "check").mkdir()
        for file in (*DEBS, HERE / "loaders-check"):
            shutil.copy(file, root / "check")
        subprocess.run(["chroot", root, "sh", "-c", "dpkg --install /check/zkv_*.deb"], check=True, stdout=subprocess.DEVNULL)
        (root / "etc/systemd/system/check.service").write_text(CHECK.replace("sandbox-check", "loaders-check"), encoding="utf-8")
        subprocess.run(["systemctl", f"--root={root}", "--quiet", "enable", "check.service"], check=True)
        booted = subprocess.run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe",
                                 "--bind=/dev/fuse", f"--directory={root}", "/lib/systemd/systemd"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=280)
        found = root / "check" / "found"
        if booted.returncode != 0:
            raise RuntimeError(f"{booted.stdout}\n{(found / 'transcript').read_text(encoding='utf-8') if found.exists() else ''}")
        return {answer.name: answer.read_text(encoding="utf-8", errors="replace").strip() for answer in found.iterdir()}


@unittest.skipUnless(os.path.exists("/dev/fuse"), "needs /dev/fuse")
class Loaders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = found_in_container()

    def test_the_boot_opens_all_but_what_is_missing_and_says_that(self):
        self.assertEqual(self.found["unit-code"], "3", self.found["transcript"])
        self.assertIn("photos: mounted at /srv/photos", self.found["unit-journal"])
        self.assertIn("zkv: missing: no such thing: /nowhere", self.found["unit-journal"])
        self.assertEqual(self.found["failed-units"], "")

    def test_a_loader_has_the_whole_rights_of_root_and_nothing_of_ours(self):
        self.assertIn("NoNewPrivs:\t0", self.found["process"])
        self.assertEqual(self.found["key"], "own key")
        self.assertEqual([line for line in self.found["descriptors"].splitlines() if "repository" in line], [])
        self.assertIn("ZKV_VOLUME=own", self.found["environment"])
        self.assertNotIn("ZKV_TIMEOUT", self.found["environment"])

    def test_what_it_leaves_behind_lives_in_a_unit_of_its_own_and_outlives_the_boots(self):
        self.assertEqual(self.found["loader-state"], "active")
        self.assertIn("Before=zfs-keyvault.target", self.found["loader-properties"])
        self.assertIn("RequiresMountsFor=/srv/.photos", self.found["loader-properties"])
        self.assertEqual(self.found["given-away"], "")
        self.assertEqual(self.found["after-stop"], "content")

    def test_no_key_is_in_units_or_journals(self):
        for answer in ("loader-properties", "unit-journal", "environment"):
            for key in ("correct horse", "own key", "s3cret"):
                self.assertNotIn(key, self.found[answer])

    def test_a_secret_belongs_to_whom_it_is_for(self):
        self.assertEqual(self.found["secret-file"], "reader 440")
        self.assertEqual(self.found["secret"], "s3cret")

    def test_all_is_closed_again(self):
        self.assertIn("photos: closed", self.found["unmount"])
        self.assertIn("token: closed", self.found["unmount"])
        self.assertEqual(self.found["loader-state-closed"], "inactive")
        self.assertEqual(self.found["secrets-closed"], "")

    def test_a_daemon_that_died_and_a_stale_unit_are_replaced(self):
        for when in ("after-death", "beside-a-stale-unit"):
            self.assertIn("photos: opened", self.found[when])
            self.assertEqual(self.found["content-" + when], "content")

    def test_a_wrong_key_is_told(self):
        self.assertIn("Password incorrect", self.found["wrong-key"])


if __name__ == "__main__":
    assert DEBS, "no packages in ZKV_DEBS"
    unittest.main(verbosity=2)
