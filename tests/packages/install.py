"""The packages installed, upgraded, removed and purged by dpkg in a minimal Debian of their own. To be run as root."""

import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DEBS = sorted(pathlib.Path(os.environ["ZKV_DEBS"]).glob("*.deb"))
NAMES = [deb.name.split("_")[0] for deb in DEBS]
SETTINGS = ("/etc/zkv/gateway.toml", "/etc/default/zfs-keyvault")
OLDER_LINE = "# as version 0.0.1 has it\n"
# Stands for systemd while dpkg works: maintainer scripts talk to it only where it runs.
RECORDER = "#!/bin/sh\necho \"$*\" >>/systemd-was-told\n"


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Root:
    """A minimal Debian in a folder."""

    def __init__(self, path):
        self.path = path

    def dpkg(self, *words):
        return run("chroot", self.path, "dpkg", *words, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"})

    def install(self, *debs, options=()):
        for deb in debs:
            shutil.copy(deb, self.path / "tmp")
        return self.dpkg(*options, "--install", *(f"/tmp/{deb.name}" for deb in debs))

    def file(self, name):
        return self.path / name.lstrip("/")

    def mode(self, name):
        return stat.S_IMODE(self.file(name).stat().st_mode)

    def owner(self, name):
        """The owner's names as this Debian knows them, USER:GROUP."""
        return run("chroot", self.path, "stat", "--format=%U:%G", name).strip()

    def is_enabled(self, unit):
        done = subprocess.run(["systemctl", f"--root={self.path}", "is-enabled", unit], stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout.strip()

    def systemd_was_told(self):
        """What the maintainer scripts told systemd to do since this was last asked."""
        record = self.file("/systemd-was-told")
        told = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return told


def older(deb, folder):
    """The same package under an older version, whose settings files have a line that the newer one's lack."""
    tree = folder / deb.stem
    run("dpkg-deb", "--raw-extract", deb, tree)
    for name in SETTINGS:
        path = tree / name.lstrip("/")
        if path.exists():
            with path.open("a", encoding="utf-8") as settings:
                settings.write(OLDER_LINE)
    control = tree / "DEBIAN" / "control"
    lines = control.read_text(encoding="utf-8").splitlines(keepends=True)
    control.write_text("".join("Version: 0.0.1\n" if line.startswith("Version:") else line for line in lines), encoding="utf-8")
    built = folder / f"{deb.name.split('_')[0]}_0.0.1.deb"
    run("dpkg-deb", "--root-owner-group", "--build", "-Znone", tree, built)
    return built


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="zkv-packages-")))
        cls.tarball = run(HERE / "root", env=os.environ).strip().splitlines()[-1]
        cls.older = [older(deb, cls.folder) for deb in DEBS]

    def setUp(self):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="zkv-root-", dir="/dev/shm")))
        run("tar", "--extract", "--file", self.tarball, "--directory", path, "--exclude=./dev/*")
        self.root = Root(path)
        run("mknod", "-m", "666", path / "dev/null", "c", "1", "3")
        (path / "run/systemd/system").mkdir(parents=True, exist_ok=True)
        (path / "usr/bin/deb-systemd-invoke").write_text(RECORDER, encoding="utf-8")

    def test_both_packages_install_and_their_programs_run(self):
        self.root.install(*DEBS)
        self.assertIn("0.", run("chroot", self.root.path, "zkv", "--version"))
        self.assertIn("0.", run("chroot", self.root.path, "zkvgateway", "--version"))

    def test_installing_starts_nothing(self):
        self.root.install(*DEBS)
        self.assertEqual(self.root.systemd_was_told(), [])

    def test_the_host_asks_at_the_next_boot_and_the_gateway_waits_to_be_enabled(self):
        self.root.install(*DEBS)
        self.assertEqual(self.root.is_enabled("zfs-keyvault.service"), "enabled")
        self.assertEqual(self.root.is_enabled("zkv-check.timer"), "enabled")
        self.assertEqual(self.root.is_enabled("zkvgateway.service"), "disabled")

    def test_what_was_opened_is_shared_once_the_target_is_reached(self):
        self.root.install(*DEBS)
        self.assertRegex(self.root.file("/lib/systemd/system/zfs-keyvault.target").read_text(encoding="utf-8"), "(?m)^Wants=.* zkv-share.service$")
        self.assertTrue(self.root.file("/lib/systemd/system/zkv-share.service").exists())

    def test_a_fresh_host_names_no_gateway(self):
        self.root.install(*DEBS)
        lines = self.root.file("/etc/default/zfs-keyvault").read_text(encoding="utf-8").splitlines()
        self.assertEqual([line for line in lines if line and not line.startswith("#")], [])

    def test_settings_and_keys_are_closed_to_others(self):
        self.root.install(*DEBS)
        self.assertEqual((self.root.mode("/etc/zkv/gateway.toml"), self.root.owner("/etc/zkv/gateway.toml")), (0o640, "root:zkvgateway"))
        self.assertEqual((self.root.mode("/var/lib/zkv"), self.root.owner("/var/lib/zkv")), (0o700, "root:root"))

    def test_the_gateway_gets_a_user_that_nobody_can_log_in_as(self):
        self.root.install(*DEBS)
        user = run("chroot", self.root.path, "getent", "passwd", "zkvgateway").strip().split(":")
        self.assertEqual(user[5:], ["/var/lib/zkvgateway", "/usr/sbin/nologin"])

    def test_nothing_that_is_installed_can_be_written_by_others_or_is_setuid(self):
        self.root.install(*DEBS)
        listed = set(run("chroot", self.root.path, "dpkg", "--listfiles", *NAMES).split())
        files = [name for name in sorted(listed) if self.root.file(name).exists()]
        self.assertIn("/usr/bin/zkvgateway", files)
        loose = [name for name in files if self.root.mode(name) & 0o6022]
        self.assertEqual(loose, [])

    def settings(self):
        return [self.root.file(name).read_text(encoding="utf-8") for name in SETTINGS]

    def test_an_upgrade_replaces_settings_that_nobody_edited(self):
        self.root.install(*self.older)
        before = self.settings()
        self.root.install(*DEBS)
        self.assertEqual([text + OLDER_LINE for text in self.settings()], before)

    def test_an_upgrade_keeps_edited_settings_and_their_mode(self):
        self.root.install(*self.older)
        for name in SETTINGS:
            with self.root.file(name).open("a", encoding="utf-8") as settings:
                settings.write("# edited\n")
        edited = self.settings()
        said = self.root.install(*DEBS, options=("--force-confold",))
        self.assertEqual(said.count("Package distributor has shipped an updated version"), len(SETTINGS), said)
        self.assertEqual(self.settings(), edited)
        for name in SETTINGS:
            self.assertNotIn(OLDER_LINE, self.root.file(name + ".dpkg-dist").read_text(encoding="utf-8"))
        self.assertEqual((self.root.mode("/etc/zkv/gateway.toml"), self.root.owner("/etc/zkv/gateway.toml")), (0o640, "root:zkvgateway"))

    def test_an_upgrade_asks_nobody_and_restarts_a_gateway_only_where_it_runs(self):
        self.root.install(*self.older)
        self.root.systemd_was_told()
        self.root.install(*DEBS)
        self.assertEqual(self.root.systemd_was_told(), ["try-restart zkvgateway.service"])

    def test_an_upgrade_leaves_a_unit_that_was_disabled_disabled(self):
        self.root.install(*self.older)
        run("systemctl", f"--root={self.root.path}", "disable", "zfs-keyvault.service")
        self.root.install(*DEBS)
        self.assertEqual(self.root.is_enabled("zfs-keyvault.service"), "disabled")

    def test_removing_stops_them(self):
        self.root.install(*DEBS)
        self.root.dpkg("--remove", *NAMES)
        self.assertEqual(sorted(self.root.systemd_was_told()), ["stop zfs-keyvault.service zkv-check.timer zkv-check.service", "stop zkvgateway.service"])

    def test_purging_keeps_repository_and_keys_and_says_where_they_are(self):
        self.root.install(*DEBS)
        kept = ["/var/lib/zkv/repository", "/root/.zkv-repository", "/var/lib/zkvgateway/master.key"]
        self.root.file("/var/lib/zkvgateway").mkdir(mode=0o700)
        for name in kept:
            self.root.file(name).write_bytes(b"all there is")
        said = self.root.dpkg("--purge", *NAMES)
        self.assertEqual([self.root.file(name).read_bytes() for name in kept], [b"all there is"] * 3)
        self.assertIn("/var/lib/zkv/repository is kept", said)
        self.assertIn("/var/lib/zkvgateway is kept", said)

    def test_purging_leaves_nothing_else(self):
        self.root.install(*DEBS)
        files = set(run("chroot", self.root.path, "dpkg", "--listfiles", *NAMES).split())
        self.root.dpkg("--purge", *NAMES)
        self.assertEqual([name for name in sorted(files) if "zkv" in name and self.root.file(name).exists()], [])
        self.assertEqual(run("find", self.root.path / "etc", "-name", "*zkv*", "-o", "-name", "*zfs-keyvault*"), "")

    def test_removing_keeps_the_settings_for_the_next_installation(self):
        self.root.install(*DEBS)
        self.root.dpkg("--remove", *NAMES)
        self.assertTrue(self.root.file("/etc/zkv/gateway.toml").exists())
        self.assertTrue(self.root.file("/etc/default/zfs-keyvault").exists())


if __name__ == "__main__":
    assert DEBS, "no packages in ZKV_DEBS"
    unittest.main(verbosity=2)
