"""What systemd says of the units without running them: that they are well-formed, and how exposed they are."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

UNITS = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "systemd"
# Sandboxing that gives a unit a mount namespace of its own; systemd.exec(5), PrivateMounts=.
NAMESPACING = {
    "BindPaths", "BindReadOnlyPaths", "DynamicUser", "ExecPaths", "ExtensionImages", "InaccessiblePaths", "MountFlags",
    "MountImages", "NoExecPaths", "PrivateDevices", "PrivateIPC", "PrivateMounts", "PrivateTmp", "ProcSubset",
    "ProtectControlGroups", "ProtectHome", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
    "ProtectProc", "ProtectSystem", "ReadOnlyPaths", "ReadWritePaths", "RootDirectory", "RootImage", "TemporaryFileSystem",
}


def settings(unit):
    """The names and values of a unit file, in order."""
    lines = (UNITS / unit).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("=", 1)) for line in lines if "=" in line and not line.startswith("#")]


def exposure(unit):
    """The overall figure of systemd-analyze security; lower is better."""
    answer = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / unit)],
                            stdout=subprocess.PIPE, text=True, check=False).stdout
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer).group(1))


class Units(unittest.TestCase):
    def test_systemd_finds_nothing_wrong_with_them(self):
        with tempfile.TemporaryDirectory() as folder:
            for unit in UNITS.iterdir():
                text = re.sub(r"/usr/bin/(zkv|zkvgateway)\b|/usr/sbin/zfs\b", "/usr/bin/true", unit.read_text(encoding="utf-8"))
                text = text.replace("Documentation=man:", "Documentation=https://localhost/")
                pathlib.Path(folder, unit.name).write_text(text, encoding="utf-8")
            names = sorted(str(p) for p in pathlib.Path(folder).iterdir() if p.suffix in (".service", ".socket", ".target", ".timer"))
            found = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], stderr=subprocess.PIPE, text=True, check=False)
        ours = [line for line in found.stderr.splitlines() if re.search("zfs-keyvault|zkv-|zkvgateway", line)]
        self.assertEqual(ours, [])
        self.assertEqual(found.returncode, 0, found.stderr)

    def test_the_gateway_is_exposed_by_at_most_1_5(self):
        self.assertLessEqual(exposure("zkvgateway.service"), 1.5)

    def test_the_host_is_exposed_by_at_most_what_mounting_for_all_takes(self):
        self.assertLessEqual(exposure("zfs-keyvault.service"), 4.2)

    def test_the_guard_opens_nothing_and_is_exposed_less(self):
        self.assertLessEqual(exposure("zkv-check.service"), 3.0)
        self.assertNotIn("CAP_DAC_OVERRIDE", dict(settings("zkv-check.service"))["CapabilityBoundingSet"])

    def test_they_begin_where_a_repository_is_enrolled_wherever_it_lies(self):
        for unit in ("zfs-keyvault.service", "zkv-check.service"):
            script = re.fullmatch(r"\+?/bin/sh -c '(.*)'", dict(settings(unit))["ExecCondition"]).group(1)
            script = script.replace("$GATEWAY_URI$ZKV_OPTIONS", "").replace("$$", "$")
            with tempfile.TemporaryDirectory() as folder, self.subTest(unit):
                there, link = pathlib.Path(folder, "there"), pathlib.Path(folder, "link")
                there.touch()
                link.symlink_to(there)

                def begins(repository):
                    done = subprocess.run(["/bin/sh", "-c", script], env={"PATH": os.environ["PATH"], "ZKV_REPOSITORY": str(repository)}, check=False)
                    return done.returncode == 0

                without = begins(folder)
                self.assertEqual(begins(there), without)
                pathlib.Path(folder, "there.enrolments").mkdir()
                self.assertTrue(begins(there))
                self.assertTrue(begins(link))

    def test_the_guard_looks_daily_and_not_on_all_machines_at_once(self):
        timer = dict(settings("zkv-check.timer"))
        self.assertEqual((timer["OnCalendar"], timer["Persistent"]), ("daily", "true"))
        self.assertIn("RandomizedDelaySec", timer)

    def test_the_host_mounts_where_every_process_sees_it(self):
        self.assertEqual(NAMESPACING & {name for name, _ in settings("zfs-keyvault.service")}, set())

    def test_the_host_is_never_ordered_before_the_local_filesystems(self):
        self.assertEqual([value for name, value in settings("zfs-keyvault.service") if name == "Before"], ["shutdown.target"])

    def test_no_target_waits_for_a_person(self):
        self.assertIn(("DefaultDependencies", "no"), settings("zfs-keyvault.service"))

    def test_a_persons_no_is_not_asked_again(self):
        self.assertIn("4", dict(settings("zfs-keyvault.service"))["RestartPreventExitStatus"].split())

    def test_the_kernel_argument_turns_the_host_off(self):
        self.assertIn(("ConditionKernelCommandLine", "!zkv=off"), settings("zfs-keyvault.service"))


if __name__ == "__main__":
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing"
    unittest.main(verbosity=2)
