"""`zkv agent` at sockets that it was given as systemd gives them: who asks gets the key that it may have, and attackers get none.

Connections are bound to the abstract addresses that systemd binds its own to.
"""

import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "images"))

import forged_luks  # noqa: E402
from host_world import LIMIT, OurGateway, Running  # noqa: E402
from repository_world import ZKV  # noqa: E402
from volume_world import Volumes  # noqa: E402

GO_BETWEEN = """
import os, sys
for place, fd in enumerate(map(int, sys.argv[1].split(',')), 3):
    os.dup2(fd, place)
os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': str(len(sys.argv[1].split(','))), 'LISTEN_FDNAMES': sys.argv[2]}
os.execv(sys.argv[3], sys.argv[3:])
"""
# What another user runs: connects to the socket as systemd does, prints what it gets.
ATTACKER = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.bind('\\0' + 'ab12' + sys.argv[2])
connection.connect(sys.argv[1])
print(connection.recv(4096))
"""


class Agent(Volumes):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="zkv-agent-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.crypttab = self.folder / "crypttab"
        self.crypttab.write_text("", encoding="utf-8")
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.settimeout(LIMIT)
        self.notices.bind(str(self.folder / "notify"))
        self.addCleanup(self.notices.close)
        self.listeners = {name: self.listen(name) for name in ("cryptsetup", "credentials")}
        self.gateway = self.enterContext(OurGateway())

    def listen(self, name):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / f"{name}.sock"))
        (self.folder / f"{name}.sock").chmod(0o666)
        listener.listen(4096)
        self.addCleanup(listener.close)
        return listener

    def secret(self, name, secret, *words):
        self.world.run("volume", "add", "--kind", "secret", "-k", "-", "--volume-key-file", "-", *words, name,
                       stdin=self.key.encode() + b"\n" + secret)

    def noauto_volume(self, name, key, *options):
        """A volume that systemd opens when a person says so, so that its key is served without a device."""
        self.add(name, f"/dev/disk/by-id/{name}", key + b"\n", "--no-test", *options)
        with self.crypttab.open("a", encoding="utf-8") as table:
            table.write(f"{name} /dev/disk/by-id/{name} /run/zkv/cryptsetup.sock luks,_netdev,noauto\n")

    def start(self, *words):
        fds = [listener.fileno() for listener in self.listeners.values()]
        environment = self.world.environment | {"NOTIFY_SOCKET": str(self.folder / "notify")}
        command = [sys.executable, "-c", GO_BETWEEN, ",".join(map(str, fds)), ":".join(self.listeners), ZKV, "agent", "--timeout",
                   "60", "--crypttab", str(self.crypttab), *words, self.gateway.uri]
        process = Running.__new__(Running)
        process.errors = []
        process.process = subprocess.Popen(command, env=environment, cwd=self.world.home, stdin=subprocess.DEVNULL, pass_fds=fds,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(process.process.kill)
        return process

    def approve(self):
        self.gateway.requests.get(timeout=LIMIT)
        self.gateway.approve(self.key)

    def await_notice(self, part):
        while True:
            notice = self.notices.recv(65536).decode()
            if part in notice:
                return notice

    def connect(self, name, address):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LIMIT)
        self.addCleanup(connection.close)
        if address is not None:
            connection.bind(address)
        connection.connect(str(self.folder / f"{name}.sock"))
        return connection

    def ask(self, name, address):
        with self.connect(name, address) as connection:
            return everything(connection)

    def credential(self, name, unit="app.service"):
        """What the unit gets; None for what systemd refuses to take, so that the unit fails."""
        answer = self.ask("credentials", f"\0{secrets.token_hex(8)}/unit/{unit}/{name}")
        if len(answer) > 2**20:
            self.assertFalse(any(answer))
            return None
        return answer

    def volume(self, name):
        return self.ask("cryptsetup", f"\0{secrets.token_hex(8)}/cryptsetup/{name}")

    def ready(self, *words):
        """An agent that has its key and has said so."""
        agent = self.start(*words)
        self.approve()
        self.await_notice("READY=1")
        return agent

    def end(self, agent):
        agent.stop(signal.SIGTERM)
        return agent.end(0)


def everything(connection):
    found = b""
    while part := connection.recv(65536):
        found += part
    return found


class Serving(Agent):
    def test_who_connects_before_the_approval_gets_it_with_the_approval(self):
        self.secret("token", b"s3cret \xff\0\n", "--encoding", "raw")
        early = self.connect("credentials", "\0a1/unit/app.service/token")
        agent = self.start()
        self.gateway.requests.get(timeout=LIMIT)
        early.setblocking(False)
        with self.assertRaises(BlockingIOError):
            early.recv(10)
        early.settimeout(LIMIT)
        self.gateway.approve(self.key)
        self.assertEqual(everything(early), b"s3cret \xff\0\n")
        self.await_notice("READY=1")
        self.assertIn("serving 1 secret", self.await_notice("serving"))
        self.assertEqual(self.credential("token"), b"s3cret \xff\0\n")
        self.end(agent)
        self.assertIn("handing out the secret token for app.service", "".join(agent.errors))

    def test_the_status_line_says_what_it_waits_for(self):
        agent = self.start()
        self.gateway.requests.get(timeout=LIMIT)
        self.assertIn("STATUS=waiting for approval", self.await_notice("waiting for"))
        self.gateway.approve(self.key)
        self.await_notice("READY=1")
        agent.end(0)

    def test_with_nothing_to_serve_it_ends_and_who_comes_later_waits_for_nobody(self):
        agent = self.ready()
        agent.end(0)
        self.assertEqual([path.name for path in self.folder.glob("*.sock")], [])

    def test_the_key_of_a_volume_for_later_is_the_part_that_opens_it(self):
        self.noauto_volume("data", b"xxkeyxx", "--options", "keyfile-offset=2,keyfile-size=3")
        agent = self.ready()
        self.assertEqual(self.volume("data"), b"key")
        self.assertEqual(self.volume("data"), b"key")
        self.end(agent)

    def test_who_asks_for_a_key_that_is_withheld_is_told_why_in_the_journal(self):
        device = self.path("data.img")
        with open(device, "wb") as file:
            file.truncate(20 << 20)
        subprocess.run(["cryptsetup", "luksFormat", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", device, "-"], input=b"mine",
                       env=self.world.environment, check=True)
        self.add("data", device, b"mine\n")
        forged_luks.open_by_any_key(device)
        self.crypttab.write_text(f"data {device} /run/zkv/cryptsetup.sock luks,_netdev\n", encoding="utf-8")
        early = self.connect("cryptsetup", "\0a1/cryptsetup/data")
        agent = self.start()
        self.approve()
        self.assertEqual(everything(early), b"")
        agent.end(1)
        said = "".join(agent.errors)
        for what in ("systemd gets no key of data: ", "refused the key of data: "):
            self.assertRegex(said, what + ".*protects nothing.*; do not type its passphrase")

    def test_only_the_units_that_are_named_get_a_secret(self):
        self.secret("token", b"s3cret\n", "--units", "app.service,worker@.service")
        agent = self.ready()
        self.assertEqual(self.credential("token"), b"s3cret")
        self.assertEqual(self.credential("token", "worker@7.service"), b"s3cret")
        self.assertIsNone(self.credential("token", "worker.service"))
        self.assertIsNone(self.credential("token", "other.service"))
        self.end(agent)
        self.assertRegex("".join(agent.errors), "refused the secret token for other.service")

    def test_names_that_are_no_units_and_options_for_no_file_are_refused(self):
        for words in (("--units", "app"), ("--units", "a b.service"), ("--options", "mode=0440")):
            with self.assertRaises(AssertionError):
                self.secret("token", b"s3cret\n", *words)


class EndingWithoutAKey(Agent):
    def test_after_a_no_crypttab_gets_nothing_and_a_unit_what_it_cannot_take(self):
        self.secret("token", b"s3cret\n")
        unit, volume = self.connect("credentials", "\0a1/unit/app.service/token"), self.connect("cryptsetup", "\0a2/cryptsetup/data")
        agent = self.start()
        self.gateway.requests.get(timeout=LIMIT)
        self.gateway.end(401, "denied")
        self.assertEqual(everything(volume), b"")
        self.assertGreater(len(everything(unit)), 2**20)
        agent.end(4)
        self.assertEqual([path.name for path in self.folder.glob("*.sock")], [])

    def test_a_stop_while_it_waits_closes_what_waits(self):
        waiting = self.connect("cryptsetup", "\0a2/cryptsetup/data")
        agent = self.start()
        self.gateway.requests.get(timeout=LIMIT)
        agent.stop(signal.SIGTERM)
        agent.end(143)
        self.assertEqual(everything(waiting), b"")

    def test_a_volume_that_stays_closed_ends_it_as_mount_does_without_ready(self):
        self.secret("token", b"s3cret\n")
        self.add("gone", self.path("gone"), b"key\n", "--no-test")
        waiting = self.connect("credentials", "\0a1/unit/app.service/token")
        agent = self.start()
        self.approve()
        agent.end(3)
        self.assertEqual(everything(waiting), b"s3cret")
        self.notices.setblocking(False)
        notices = []
        while True:
            try:
                notices.append(self.notices.recv(65536))
            except BlockingIOError:
                break
        self.assertNotIn(b"READY=1", notices)


@unittest.skipUnless(os.geteuid() == 0, "other users are needed")
class Attackers(Agent):
    def setUp(self):
        super().setUp()
        self.secret("token", b"s3cret\n")
        self.noauto_volume("data", b"volume key")
        self.agent = self.ready()

    def tearDown(self):
        self.assertEqual(self.credential("token"), b"s3cret")
        self.assertEqual(self.volume("data"), b"volume key")
        self.end(self.agent)

    def test_another_user_gets_nothing_and_is_named(self):
        for name, address in (("credentials", "/unit/app.service/token"), ("cryptsetup", "/cryptsetup/data")):
            answer = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c", ATTACKER,
                                     str(self.folder / f"{name}.sock"), address], capture_output=True, text=True, timeout=LIMIT, check=True)
            self.assertEqual(answer.stdout, "b''\n")
            self.assertRegex(self.agent.await_line("refused"), r"uid 65534, pid \d+.*only root")

    def test_addresses_that_are_none_of_systemds_get_nothing(self):
        for number, address in enumerate((None, str(self.folder / "a-path"), "\0", "\0/cryptsetup/data", "\0zz/cryptsetup/data", "\0a1/cryptsetup/",
                                          "\0a1/cryptsetup/data/more", "\0a1/cryptsetup", "\0a1/unit/app.service", "\0a1/unit//token",
                                          "\0a1/unit/app.service/token/x", "\0a1/other/data", "\0a1/cryptsetup/da\nta", "\0" + "a" * 100)):
            with self.subTest(number):
                for name in self.listeners:
                    answer = self.ask(name, address)
                    self.assertFalse(any(answer))
                    self.assertEqual(len(answer) > 2**20, name == "credentials", "an empty secret is one that a unit starts with")
                    if address == str(self.folder / "a-path"):
                        os.unlink(address)

    def test_each_socket_has_its_own_kind_only(self):
        self.assertEqual(self.ask("cryptsetup", "\0a1/unit/app.service/token"), b"")
        self.assertEqual(self.ask("credentials", "\0a1/cryptsetup/data"), b"")
        self.assertEqual(self.volume("token"), b"")
        self.assertIsNone(self.credential("data"))
        self.assertEqual(self.volume("unknown"), b"")

    def test_who_is_refused_and_never_reads_holds_up_nobody(self):
        silent = [self.connect("credentials", f"\0{number:x}/unit/app.service/unknown") for number in range(100)]
        self.assertEqual(self.credential("token"), b"s3cret")
        self.assertEqual({len(everything(connection)) for connection in silent}, {2**20 + 1})

    def test_who_never_reads_holds_up_nobody(self):
        silent = [self.connect("credentials", f"\0{number:x}/unit/app.service/token") for number in range(300)]
        self.assertEqual(self.credential("token"), b"s3cret")
        self.assertEqual({everything(connection) for connection in silent}, {b"s3cret"})

    def test_two_hundred_at_once_are_all_answered(self):
        connections = [self.connect("cryptsetup", f"\0{number:x}/cryptsetup/data") for number in range(200)]
        self.assertEqual({everything(connection) for connection in connections}, {b"volume key"})

    def test_who_hangs_up_at_once_ends_nothing(self):
        for number in range(50):
            self.connect("credentials", f"\0{number:x}/unit/app.service/token").close()


if __name__ == "__main__":
    unittest.main()
