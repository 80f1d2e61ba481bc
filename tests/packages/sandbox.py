"""The gateway's unit under its whole sandbox, on a systemd of its own: a container boots with the packages installed,
runs `sandbox-check` as root inside, and the tests look at what that found. To be run as root.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DEBS = sorted(pathlib.Path(os.environ["ZKV_DEBS"]).glob("*.deb"))
CHECK = """[Unit]
Description=What the tests want to know
After=basic.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/check/sandbox-check /check/found
TimeoutStartSec=200
[Install]
WantedBy=multi-user.target
"""


def found_in_container():
    """Boots the container and gives what the check wrote: a name for each answer."""
    with tempfile.TemporaryDirectory(prefix="zkv-container-", dir="/dev/shm") as folder:
        root = pathlib.Path(folder)
        tarball = subprocess.run([HERE / "root"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        subprocess.run(["tar", "--extract", "--file", tarball, "--directory", root, "--exclude=./dev/*"], check=True)
        (root / "check").mkdir()
        for file in (*DEBS, HERE / "sandbox-check"):
            shutil.copy(file, root / "check")
        subprocess.run(["chroot", root, "sh", "-c", "dpkg --install /check/*.deb"], check=True, stdout=subprocess.DEVNULL)
        (root / "etc/systemd/system/check.service").write_text(CHECK, encoding="utf-8")
        subprocess.run(["systemctl", f"--root={root}", "--quiet", "enable", "check.service"], check=True)
        booted = subprocess.run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe",
                                 f"--directory={root}", "/lib/systemd/systemd"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False, timeout=280)
        found = root / "check" / "found"
        if booted.returncode != 0:
            transcript = found / "transcript"
            raise RuntimeError(f"{booted.stdout}\n{transcript.read_text(encoding='utf-8') if transcript.exists() else ''}")
        return {answer.name: answer.read_text(encoding="utf-8").strip() for answer in found.iterdir()}


class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = found_in_container()

    def test_the_machine_is_up_without_failed_units_before_anybody_configures_anything(self):
        self.assertEqual(self.found["failed-after-boot"], "")

    def test_the_gateway_starts_and_says_that_it_is_ready(self):
        self.assertEqual(self.found["state"], "active", self.found["journal"])

    def test_it_serves_on_loopback_only(self):
        self.assertIn("listening on http://127.0.0.1:8443", self.found["status"])

    def test_a_request_that_is_approved_gets_the_key(self):
        self.assertEqual(self.found["fetched"], "the key of this test", self.found["journal"])

    def test_a_request_that_is_denied_gets_none(self):
        self.assertEqual(self.found["fetched-after-no"], "")

    def test_a_restart_keeps_what_the_vault_holds(self):
        self.assertIn("repository-key", self.found["secrets-after-restart"])

    def test_its_data_is_its_own(self):
        self.assertEqual(self.found["data"], "700 zkvgateway:zkvgateway")

    def test_it_holds_no_capability_and_can_gain_none(self):
        self.assertEqual(self.found["CapEff"], "0000000000000000")
        self.assertEqual(self.found["CapBnd"], "0000000000000000")
        self.assertEqual(self.found["NoNewPrivs"], "1")
        self.assertEqual(self.found["Seccomp"], "2")

    def test_it_dumps_no_core(self):
        self.assertEqual(self.found["core-limit"].split()[:2], ["0", "0"])

    def test_a_wrong_setting_fails_once_and_names_itself(self):
        self.assertEqual(self.found["wrong-setting-state"], "failed")
        self.assertEqual(self.found["wrong-setting-restarts"], "0")
        self.assertIn("listne", self.found["wrong-setting-journal"])

    def test_an_address_beyond_loopback_without_a_certificate_is_refused(self):
        self.assertEqual(self.found["public-state"], "failed")


if __name__ == "__main__":
    assert DEBS, "no packages in ZKV_DEBS"
    unittest.main(verbosity=2)
