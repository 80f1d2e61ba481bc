"""The host's unit and target under a real systemd: what starts, what waits, and what a restart does to the others.

A user's service manager runs the units as they are, but for the sandboxing that only the system's has, with a stand-in
for `zkv` whose exit code the tests set. To be run in a mount namespace of its own, as root.
"""

import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import tempfile
import unittest

UNITS = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "systemd"
LIMIT = 30  # seconds that anything awaited may take

DATABASE = """[Unit]
Requires=zfs-keyvault.target
After=zfs-keyvault.target
[Service]
ExecStart=/bin/sh -c 'echo started >{fifo}; exec sleep infinity'
[Install]
WantedBy=zfs-keyvault.target
"""
MACHINE = """[Unit]
Wants=zfs-keyvault.service database.service
After=zfs-keyvault.service database.service
"""


def pretend_that_systemd_booted():
    """systemd refuses to be a user's manager where it is not the system's; it looks at this folder."""
    if not os.path.isdir("/run/systemd/system"):
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
        os.makedirs("/run/systemd/system")


class Manager:
    """A service manager with the units, its own home and runtime folder."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="zkv-boot-"))
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="zkv-boot-", dir="/dev/shm"))  # systemd clears tmpfs only
        self.fifo = self.home / "fifo"
        os.mkfifo(self.fifo)
        self.started = os.open(self.fifo, os.O_RDWR)
        self.lay_out_units()
        self.exit_code(0)
        self.process = self.start()

    def lay_out_units(self):
        units = self.home / ".config" / "systemd" / "user"
        units.mkdir(parents=True)
        service = (UNITS / "zfs-keyvault.service").read_text(encoding="utf-8")
        service = re.sub(r"(?s)# No setting that makes.*?(?=\[Install\])", "", service)
        service = re.sub(r"(?m)^(Wants|After)=.*network-online.*\n|^Standard.*\n", "", service)
        service = re.sub(r"(?m)^RestartSec=.*", "RestartSec=200ms", service)
        service = service.replace("/usr/bin/zkv ", f"{self.home}/zkv ").replace("systemctl --no", "systemctl --user --no")
        service = service.replace("/etc/default/", f"{self.home}/").replace("/run/zfs-keyvault", "%t/zfs-keyvault")
        target = (UNITS / "zfs-keyvault.target").read_text(encoding="utf-8").replace("/run/", "%t/")
        (units / "zfs-keyvault.service").write_text(service, encoding="utf-8")
        (units / "zfs-keyvault.target").write_text(target, encoding="utf-8")
        (units / "database.service").write_text(DATABASE.format(fifo=self.fifo), encoding="utf-8")
        (units / "machine.target").write_text(MACHINE, encoding="utf-8")
        (units / "zfs-keyvault.target.wants").mkdir()
        (units / "zfs-keyvault.target.wants" / "database.service").symlink_to(units / "database.service")
        stand_in = self.home / "zkv"
        stand_in.write_text(f'#!/bin/sh\necho "$*" >>{self.home}/asked\nexit $(cat {self.home}/code)\n', encoding="utf-8")
        stand_in.chmod(0o755)

    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH",)}
        return {**kept, "HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime)}

    def start(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(self.home / "ready"))
            ready.settimeout(LIMIT)
            log = open(self.home / "log", "wb")  # the manager's for as long as it runs
            manager = subprocess.Popen(["/lib/systemd/systemd", "--user", "--log-target=console"], stdout=log, stderr=log,
                                       env={**self.environment(), "NOTIFY_SOCKET": str(self.home / "ready")})
            log.close()
            while b"READY=1" not in ready.recv(4096):
                pass
        return manager

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)
        os.close(self.started)
        shutil.rmtree(self.home)
        shutil.rmtree(self.runtime)

    def systemctl(self, *words):
        return subprocess.run(["systemctl", "--user", *words], env=self.environment(), timeout=LIMIT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def configure(self, text="GATEWAY_URI=https://gateway.example"):
        (self.home / "zfs-keyvault").write_text(text + "\n", encoding="utf-8")

    def exit_code(self, code):
        (self.home / "code").write_text(f"{code}\n", encoding="utf-8")

    def asked(self):
        """The command lines that the stand-in was called with."""
        asked = self.home / "asked"
        return asked.read_text(encoding="utf-8").splitlines() if asked.exists() else []

    def is_active(self, unit):
        return self.systemctl("is-active", unit).stdout.strip() == "active"

    def await_database(self):
        """Waits until the database has started once more."""
        if not select.select([self.started], [], [], LIMIT)[0]:
            raise TimeoutError("database.service did not start")
        os.read(self.started, 64)

    def database_pid(self):
        return self.systemctl("show", "--property=MainPID", "--value", "database.service").stdout.strip()


class Boot(unittest.TestCase):
    def setUp(self):
        self.manager = Manager()
        self.addCleanup(self.manager.stop)

    def boot(self, code):
        self.manager.configure()
        self.manager.exit_code(code)
        self.manager.systemctl("start", "machine.target")

    def assert_locked(self):
        self.assertFalse(self.manager.is_active("zfs-keyvault.target"))
        self.assertFalse(self.manager.is_active("database.service"))

    def test_without_a_gateway_nothing_is_asked_and_nothing_fails(self):
        self.manager.systemctl("start", "zfs-keyvault.service")
        self.assertEqual(self.manager.asked(), [])
        self.assertFalse(self.manager.is_active("zfs-keyvault.target"))
        self.assertEqual(self.manager.systemctl("--failed", "--plain", "--no-legend").stdout, "")

    def test_without_a_gateway_the_database_does_not_start_on_an_empty_mount_point(self):
        self.manager.systemctl("start", "machine.target")
        self.assert_locked()

    def test_once_all_is_mounted_the_database_starts(self):
        self.boot(0)
        self.manager.await_database()
        self.assertTrue(self.manager.is_active("zfs-keyvault.target"))

    def test_gateways_options_and_time_limit_reach_zkv_as_words(self):
        self.manager.configure('GATEWAY_URI="https://a https://b"\nZKV_OPTIONS="--cafile /ca.pem"\nZKV_TIMEOUT=30')
        self.manager.systemctl("start", "zfs-keyvault.service")
        self.assertEqual(self.manager.asked(), ["mount --timeout 30 --cafile /ca.pem https://a https://b"])

    def test_after_a_no_the_machine_is_up_without_the_database_and_nobody_is_asked_again(self):
        self.boot(4)
        self.assert_locked()
        self.assertTrue(self.manager.is_active("machine.target"))
        self.assertEqual(self.manager.systemctl("is-failed", "zfs-keyvault.service").stdout.strip(), "failed")
        self.assertEqual(len(self.manager.asked()), 1)

    def test_one_volume_that_stays_locked_keeps_the_database_off(self):
        self.boot(3)
        self.assert_locked()

    def test_when_nobody_decided_it_asks_again_and_the_database_starts_then(self):
        self.boot(5)
        self.assertTrue(self.manager.is_active("machine.target"))
        self.manager.exit_code(0)
        self.manager.await_database()
        self.assertTrue(self.manager.is_active("zfs-keyvault.target"))

    def test_when_no_gateway_was_there_it_asks_again_and_the_database_starts_then(self):
        self.boot(6)
        self.manager.exit_code(0)
        self.manager.await_database()
        self.assertTrue(self.manager.is_active("zfs-keyvault.target"))

    def test_a_later_restart_by_hand_that_succeeds_starts_the_database(self):
        self.boot(4)
        self.manager.exit_code(0)
        self.manager.systemctl("restart", "zfs-keyvault.service")
        self.manager.await_database()
        self.assertTrue(self.manager.is_active("zfs-keyvault.target"))

    def test_a_restart_leaves_the_running_database_alone(self):
        self.boot(0)
        self.manager.await_database()
        before = self.manager.database_pid()
        self.manager.systemctl("restart", "zfs-keyvault.service")
        self.assertEqual(self.manager.database_pid(), before)
        self.assertEqual(len(self.manager.asked()), 2)

    def test_a_restart_that_fails_leaves_the_running_database_alone(self):
        self.boot(0)
        self.manager.await_database()
        before = self.manager.database_pid()
        self.manager.exit_code(3)
        self.manager.systemctl("restart", "zfs-keyvault.service")
        self.assertEqual(self.manager.database_pid(), before)
        self.assertTrue(self.manager.is_active("zfs-keyvault.target"))


if __name__ == "__main__":
    pretend_that_systemd_booted()
    unittest.main(verbosity=2)
