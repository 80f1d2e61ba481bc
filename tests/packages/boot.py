"""The host's unit and target under a real systemd: what starts, what waits, and what a restart does to the others.

A user's service manager runs the units as they are, but for the sandboxing that only the system's has, with a stand-in
for `zkv` whose exit code the tests set, or which stays and answers at the sockets, or runs the real one (of $ZKV_BIN). To be run in a mount namespace of its own, as root.
"""

import contextlib
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
KEY = "A" * 43 + "="  # of a repository for one test
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


SOCKETS = ("zkv-cryptsetup.socket", "zkv-credentials.socket")
# Its orders: an exit code, "stay", or "real"; a FIFO that it waits for first, if there is one; what is queued at its end gets nothing.
STAND_IN = """#!/usr/bin/python3
import os, pathlib, select, socket, subprocess, sys
home = pathlib.Path({home!r})
with open(home / "asked", "a", encoding="utf-8") as asked:
    asked.write(" ".join(sys.argv[1:]) + "\\n")
listeners = [socket.socket(fileno=3 + place) for place in range(int(os.environ.get("LISTEN_FDS", "0")))]
if (home / "hold").exists():
    open(home / "hold", encoding="utf-8").close()
order = (home / "code").read_text(encoding="utf-8").strip()
def answer(words):
    for listener in listeners:
        listener.setblocking(False)
        while True:
            try:
                connection = listener.accept()[0]
            except BlockingIOError:
                break
            connection.send(words)
            connection.close()
def notify():
    (pathlib.Path(os.environ["RUNTIME_DIRECTORY"]) / "mounted").touch()
    subprocess.run(["systemctl", "--user", "--no-block", "start", "zfs-keyvault.target"], check=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect(os.environ["NOTIFY_SOCKET"])
        manager.send(b"READY=1")
if order == "real":
    elsewhere = home / "manager"
    manager = elsewhere.read_text() if elsewhere.exists() else os.environ["XDG_RUNTIME_DIR"] + "/systemd/private"
    os.dup2(os.open(home / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    os.execv(home / "real", ["zkv", "--repository", str(home / "repository"), "agent", "--key-file", str(home / "key"), "--manager", manager])
if order == "stay":
    notify()
    while True:
        select.select(listeners, [], [])
        answer(b"key")
if order == "0":
    notify()
for listener in listeners:
    os.unlink(listener.getsockname())
answer(b"")
sys.exit(int(order))
"""


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
        service = re.sub(r"(?m)^(Wants|After)=.*zfs.*\n|^Requires=sysinit.*\n|^Standard.*\n", "", service)
        service = re.sub(r"(?m)^RestartSec=.*", "RestartSec=200ms", service)
        service = service.replace("/usr/bin/zkv ", f"{self.home}/zkv ")
        service = service.replace("/etc/default/", f"{self.home}/").replace("/etc/sysconfig/", f"{self.home}/sysconfig-").replace("/run/zfs-keyvault", "%t/zfs-keyvault")
        target = (UNITS / "zfs-keyvault.target").read_text(encoding="utf-8").replace("/run/", "%t/")
        (units / "zfs-keyvault.service").write_text(service, encoding="utf-8")
        (units / "zfs-keyvault.target").write_text(target, encoding="utf-8")
        for name in SOCKETS:
            (units / name).write_text((UNITS / name).read_text(encoding="utf-8").replace("/run/", "%t/"), encoding="utf-8")
        (units / "database.service").write_text(DATABASE.format(fifo=self.fifo), encoding="utf-8")
        (units / "machine.target").write_text(MACHINE, encoding="utf-8")
        (units / "zfs-keyvault.target.wants").mkdir()
        (units / "zfs-keyvault.target.wants" / "database.service").symlink_to(units / "database.service")
        stand_in = self.home / "zkv"
        stand_in.write_text(STAND_IN.format(home=str(self.home)), encoding="utf-8")
        stand_in.chmod(0o755)

    def take_the_real_program(self, manager=None):
        """With a repository that holds nothing, and its key."""
        zkv = [os.environ["ZKV_BIN"] + "/zkv", "--repository", str(self.home / "repository"), "fs", "init", "-k", KEY]
        subprocess.run(zkv, stdout=subprocess.DEVNULL, check=True)
        (self.home / "key").write_text(KEY, encoding="utf-8")
        (self.home / "real").symlink_to(os.environ["ZKV_BIN"] + "/zkv")
        if manager:
            (self.home / "manager").write_text(manager, encoding="utf-8")

    def unlock(self):
        """The real program by hand, which finds this manager; what it says. Its root has a keyring of its own."""
        systemctl = self.home / "by-hand" / "systemctl"
        systemctl.parent.mkdir(exist_ok=True)
        systemctl.write_text(f'#!/bin/sh\nXDG_RUNTIME_DIR={self.runtime} exec /bin/systemctl --user "$@"\n', encoding="utf-8")
        systemctl.chmod(0o755)
        words = [self.home / "real", "--repository", self.home / "repository", "unlock", "--key-file", self.home / "key"]
        environment = {**self.environment(), "PATH": f"{systemctl.parent}:{os.environ['PATH']}", "STATE_DIRECTORY": str(self.home / "state")}
        done = subprocess.run(["unshare", "--user", "--map-root-user", *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stderr

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

    def configure(self, text="GATEWAY_URI=https://gateway.example", place=""):
        (self.home / f"{place}zfs-keyvault").write_text(text + "\n", encoding="utf-8")

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

    def hold(self):
        """From now on the stand-in waits before it does anything, until what this gives is called."""
        os.mkfifo(self.home / "hold")

        def release():
            writer = os.open(self.home / "hold", os.O_WRONLY)
            (self.home / "hold").unlink()
            os.close(writer)
        return release

    def connect(self, name="cryptsetup"):
        """A connection to one of the sockets; None where nobody listens."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LIMIT)
        try:
            connection.connect(str(self.runtime / "zkv" / f"{name}.sock"))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            return None
        return connection

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

    def test_the_program_itself_starts_what_waits(self):
        self.manager.take_the_real_program()
        self.boot("real")
        self.manager.await_database()
        self.assertTrue(self.manager.is_active("zfs-keyvault.target"))

    def test_where_nothing_can_be_started_the_unit_fails_and_says_so(self):
        self.manager.take_the_real_program(manager="/nowhere")
        self.boot("real")
        self.assertEqual(self.manager.systemctl("is-failed", "zfs-keyvault.service").stdout.strip(), "failed")
        self.assertIn("all is open, but what waits for it does not start", (self.manager.home / "said").read_text(encoding="utf-8"))
        self.assert_locked()

    def test_once_all_is_mounted_the_database_starts(self):
        self.boot(0)
        self.manager.await_database()
        self.assertTrue(self.manager.is_active("zfs-keyvault.target"))

    def test_gateways_options_and_time_limit_reach_zkv_as_words(self):
        self.manager.configure('GATEWAY_URI="https://a https://b"\nZKV_OPTIONS="--cafile /ca.pem"\nZKV_TIMEOUT=30')
        self.manager.systemctl("start", "zfs-keyvault.service")
        self.assertEqual(self.manager.asked(), ["agent --timeout 30 --cafile /ca.pem https://a https://b"])

    def test_the_older_place_of_settings_counts_and_the_other_goes_before_it(self):
        self.manager.configure("GATEWAY_URI=https://older\nZKV_TIMEOUT=30", place="sysconfig-")
        self.manager.systemctl("start", "zfs-keyvault.service")
        self.manager.configure("GATEWAY_URI=https://newer")
        self.manager.systemctl("restart", "zfs-keyvault.service")
        self.assertEqual(self.manager.asked(), ["agent --timeout 30 https://older", "agent --timeout 30 https://newer"])

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

    def test_who_asks_before_the_answer_waits_for_it_and_starts_nothing_more(self):
        release = self.manager.hold()
        self.manager.configure()
        self.manager.exit_code("stay")
        self.manager.systemctl("start", "--no-block", "machine.target")
        while (early := self.manager.connect()) is None:
            self.assertIsNone(self.manager.process.poll())
        release()
        with early:
            self.assertEqual(early.recv(10), b"key")
        self.manager.await_database()
        with self.manager.connect("credentials") as late:
            self.assertEqual(late.recv(10), b"key")
        self.assertEqual(len(self.manager.asked()), 1)

    def assert_refused(self):
        """Who connects gets nothing, is not kept waiting, and makes nobody's phone ring."""
        asked = len(self.manager.asked())
        for name in ("cryptsetup", "credentials"):
            if (connection := self.manager.connect(name)) is not None:  # systemd has not stopped the socket yet
                with connection, contextlib.suppress(ConnectionResetError):
                    self.assertEqual(connection.recv(10), b"")
        self.manager.systemctl("daemon-reload")
        self.assertEqual(len(self.manager.asked()), asked)

    def test_after_a_no_who_waits_gets_nothing_and_who_comes_later_is_refused(self):
        release = self.manager.hold()
        self.manager.configure()
        self.manager.exit_code(4)
        self.manager.systemctl("start", "--no-block", "machine.target")
        while (early := self.manager.connect()) is None:
            self.assertIsNone(self.manager.process.poll())
        release()
        with early:
            self.assertEqual(early.recv(10), b"")
        self.assert_refused()
        self.assertEqual(len(self.manager.asked()), 1)

    def test_when_it_will_ask_again_who_waits_is_not_kept_and_asks_nobody(self):
        release = self.manager.hold()
        self.manager.configure()
        self.manager.exit_code(5)
        self.manager.systemctl("start", "--no-block", "machine.target")
        while (unit := self.manager.connect("credentials")) is None:
            self.assertIsNone(self.manager.process.poll())
        release()
        with unit:
            self.assertEqual(unit.recv(10), b"")
        self.manager.exit_code(0)
        self.manager.await_database()

    def test_without_a_gateway_who_comes_is_refused(self):
        self.manager.systemctl("start", "machine.target")
        self.assert_refused()

    def test_once_all_is_served_who_comes_later_is_refused_until_a_restart(self):
        self.boot(0)
        self.assert_refused()
        self.manager.exit_code("stay")
        self.manager.systemctl("restart", "zfs-keyvault.service")
        with self.manager.connect() as connection:
            self.assertEqual(connection.recv(10), b"key")

    def test_the_next_try_by_itself_has_sockets_again(self):
        self.boot(5)
        release = self.manager.hold()
        self.manager.exit_code("stay")
        while (waiting := self.manager.connect()) is None:
            self.assertIsNone(self.manager.process.poll())
        release()
        with waiting:
            self.assertEqual(waiting.recv(10), b"key")
        self.manager.await_database()

    def test_who_opens_all_by_hand_while_its_start_is_queued_starts_nothing_before_its_turn(self):
        self.manager.take_the_real_program()
        self.manager.configure()
        self.manager.exit_code("stay")
        os.mkfifo(self.manager.home / "slow")
        (self.manager.home / ".config/systemd/user/slow.service").write_text(
            f"[Unit]\nBefore=zfs-keyvault.service\n[Service]\nType=oneshot\nExecStart=/bin/cat {self.manager.home}/slow\n", encoding="utf-8")
        self.manager.systemctl("start", "--no-block", "slow.service", "machine.target")
        self.assertIn("zfs-keyvault.service start waiting", " ".join(self.manager.systemctl("list-jobs", "--no-legend").stdout.split()))
        said = self.manager.unlock()
        self.assertIn("whose start is queued, asks nobody if its turn comes", said)
        self.assertEqual(self.manager.asked(), [])
        with open(self.manager.home / "slow", "w", encoding="utf-8"):
            self.assertEqual(self.manager.systemctl("show", "--property=ActiveState", "--value", "zfs-keyvault.service").stdout.strip(), "inactive")
        self.manager.await_database()
        self.assertEqual(len(self.manager.asked()), 1)
        self.assertNotIn("zfs-keyvault.service", self.manager.unlock(), "it runs")

    def test_no_unit_is_in_a_cycle(self):
        self.boot(0)
        self.assertNotIn("ordering cycle", (self.manager.home / "log").read_text(encoding="utf-8"))


if __name__ == "__main__":
    pretend_that_systemd_booted()
    unittest.main(verbosity=2)
