"""Start, restart, stop, and a certificate that changes, while clients wait."""

import contextlib
import http.client
import json
import os
import pathlib
import pty
import shutil
import socket
import sqlite3
import ssl
import stat
import subprocess
import tempfile
import threading
import unittest

from gateway_world import KEY, PATIENCE, PROGRAM, World

TOKEN = "Kk0" + "x" * 40


class Restart(unittest.TestCase):
    def test_a_client_with_a_token_finds_its_request_again_after_a_restart(self):
        with World("--max-wait", "600") as world:
            client = world.ask(token=TOKEN)
            world.stop()
            told = client.answer()
            self.assertEqual((told.status, told.headers["Retry-After"]), (503, "1"))
            world.start()
            again = Reattaching(world)
            self.addCleanup(again.close)
            world.command("request", "approve", client.id)
            answer = again.answer()
            self.assertEqual((answer.status, answer.body), (200, KEY))
            self.assertEqual(answer.headers["ZKV-Request-Id"], client.id)

    def test_a_killed_gateway_loses_no_request_either(self):
        with World("--max-wait", "600") as world:
            client = world.ask(token=TOKEN)
            world.process.kill()
            world.process.wait()
            with self.assertRaises((OSError, http.client.HTTPException)):
                client.answer()
            world.start()
            self.assertEqual(world.state(client.id), "pending")
            again = Reattaching(world)
            self.addCleanup(again.close)
            world.command("request", "approve", client.id)
            self.assertEqual(again.answer().body, KEY)

    def test_an_approval_before_the_client_is_back_waits_for_it(self):
        with World("--max-wait", "600") as world:
            client = world.ask(token=TOKEN)
            world.stop()
            client.answer()
            world.start()
            world.command("request", "approve", client.id)
            answer = world.request("GET", "/request-keys", headers={"ZKV-Request-Token": TOKEN})
            self.assertEqual((answer.status, answer.body), (200, KEY))


class Reattaching:
    """A client that comes back with its token; no new request is announced for it."""

    def __init__(self, world):
        self._answer = None
        self._thread = threading.Thread(target=self._ask, args=(world,), daemon=True)
        self._thread.start()

    def _ask(self, world):
        self._answer = world.request("GET", "/request-keys", headers={"ZKV-Request-Token": TOKEN})

    def answer(self):
        self.close()
        return self._answer

    def close(self):
        self._thread.join(PATIENCE)


class Waiting(unittest.TestCase):
    def test_a_request_that_waits_costs_no_thread(self):
        def threads():
            return len(os.listdir(f"/proc/{world.process.pid}/task"))

        with World("--max-wait", "600") as world:
            first = world.ask("127.0.9.1")
            world.command("request", "deny", first.id)
            first.answer()
            idle = threads()
            clients = [world.ask(f"127.0.{net}.{n}") for net in (1, 2) for n in range(1, 151)]
            self.assertEqual(threads(), idle)
            self.assertIn("approved: 300", world.command("request", "approve", "--all-pending"))
            self.assertEqual({client.answer().body for client in clients}, {KEY})
            self.assertEqual(threads(), idle)


class Stop(unittest.TestCase):
    def test_stopping_is_quick_and_tells_all_that_wait(self):
        with World("--max-wait", "600") as world:
            clients = [world.ask(f"127.0.1.{n}") for n in range(1, 21)]
            idle = world.connect()
            self.addCleanup(idle.close)
            world.stop()
            for client in clients:
                answer = client.answer()
                self.assertEqual((answer.status, answer.body), (503, ""))
            self.assertEqual(idle.recv(1), b"")
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", world.port), PATIENCE)
            world.start()
            states = {request["state"] for request in world.requests("--all")}
            self.assertEqual(states, {"cancelled"})


class SecondGateway(unittest.TestCase):
    def test_a_second_one_does_not_serve_from_the_same_database(self):
        with World("--max-wait", "600") as world:
            client = world.ask()
            second = subprocess.run([PROGRAM, "serve", "--config", world.config, "--data-dir", world.data, "--listen", "127.0.0.1:0"],
                                    text=True, capture_output=True, timeout=PATIENCE)
            self.assertEqual(second.returncode, 1)
            self.assertIn(f"another gateway serves from the database {world.data}/gateway.db", second.stderr)
            other = world.folder / "other"
            other.mkdir()
            (other / "gateway.db").symlink_to(world.data / "gateway.db")
            by_link = subprocess.run([PROGRAM, "serve", "--config", world.config, "--data-dir", other, "--listen", "127.0.0.1:0"],
                                     text=True, capture_output=True, timeout=PATIENCE)
            self.assertEqual(by_link.returncode, 1)
            self.assertIn("another gateway serves from the database", by_link.stderr)
            world.command("request", "approve", client.id)
            self.assertEqual(client.answer().body, KEY)
            world.process.kill()
            world.process.wait()
            world.start()  # What was killed holds nothing.


class ControlSocket(unittest.TestCase):
    def test_a_file_in_its_place_is_left_alone(self):
        with World() as world:
            world.stop()
            there = world.folder / "notes"
            there.write_text("mine")
            done = subprocess.run([PROGRAM, "serve", "--config", world.config, "--data-dir", world.data, "--listen", "127.0.0.1:0",
                                   "--control-socket", there], text=True, capture_output=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{there} is there already, and is no socket", done.stderr)
            self.assertEqual(there.read_text(), "mine")
            world.start()


class TwoAtOnce(unittest.TestCase):
    def test_each_gets_only_what_was_decided_for_it(self):
        with World("--max-wait", "600") as world:
            one, two = world.ask("127.0.1.1"), world.ask("127.0.1.2")
            world.command("request", "approve", two.id)
            self.assertEqual(two.answer().body, KEY)
            self.assertEqual(world.state(one.id), "pending")
            world.command("request", "deny", one.id)
            self.assertEqual(one.answer().status, 401)

    def test_a_group_approval_releases_all_that_wait(self):
        with World("--max-wait", "600") as world:
            clients = [world.ask(f"127.0.1.{n}") for n in range(1, 31)]
            world.command("request", "approve", "--all-pending")
            self.assertEqual({client.answer().body for client in clients}, {KEY})


class Certificates(unittest.TestCase):
    def name(self, world):
        with contextlib.closing(world.connect()) as connection:
            return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]

    def test_a_new_certificate_is_taken_and_a_broken_one_is_not(self):
        with World("--max-wait", "600") as world:
            waiting = world.ask()
            mark = world.log.mark()
            world.authority.issue(world.certificate, world.certificate_key, "renewed")
            world.log.wait("read the certificate again", mark)
            self.assertEqual(self.name(world), "renewed")
            mark = world.log.mark()
            world.certificate.write_text("this is not a certificate")
            world.log.wait("the old certificate stays in use", mark)
            self.assertEqual(self.name(world), "renewed")
            world.command("request", "approve", waiting.id)
            self.assertEqual(waiting.answer().body, KEY)

    def test_tls_is_1_2_or_1_3_and_speaks_http_1_1(self):
        with World() as world:
            with contextlib.closing(world.connect()) as connection:
                self.assertEqual(connection.version(), "TLSv1.3")
                self.assertEqual(connection.selected_alpn_protocol(), "http/1.1")
            with contextlib.closing(socket.create_connection(("127.0.0.1", world.port), PATIENCE)) as plain:
                context = world.context()
                context.set_alpn_protocols(["h2"])
                with self.assertRaises(ssl.SSLError):
                    context.wrap_socket(plain, server_hostname="localhost")
            client = ["openssl", "s_client", "-connect", f"127.0.0.1:{world.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
            refused = subprocess.run(client, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
            self.assertNotEqual(refused.returncode, 0)


class FirstStart(unittest.TestCase):
    def test_it_makes_its_data_for_itself_only(self):
        with World(key=None) as world:
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [world.data, *world.data.iterdir()]}
            self.assertEqual(modes.pop("data"), 0o700)
            self.assertLessEqual({"gateway.db", "master.key", "control.sock"}, modes.keys())
            self.assertEqual({mode & 0o077 for mode in modes.values()}, {0})

    def test_a_wrong_setting_ends_it_with_2_and_names_the_place(self):
        with World() as world:
            world.config.write_text("max_wait = 5\n")
            done = subprocess.run([PROGRAM, "serve", "--config", world.config], capture_output=True, text=True,
                                  timeout=PATIENCE)
            self.assertEqual(done.returncode, 2)
            self.assertIn("gateway.toml:1: unknown setting 'max_wait'", done.stderr)
            self.assertIn("did you mean 'max-wait'?", done.stderr)
            checked = subprocess.run([PROGRAM, "config", "check", "--config", world.config], capture_output=True,
                                     text=True, timeout=PATIENCE)
            self.assertEqual(checked.returncode, 1)

    def test_a_port_in_use_is_said_so(self):
        with World() as world:
            done = subprocess.run([PROGRAM, "serve", "--config", world.config, "--data-dir", world.folder / "other",
                                   "--listen", f"127.0.0.1:{world.port}"], capture_output=True, text=True,
                                  timeout=PATIENCE)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"listening on 127.0.0.1:{world.port}: Address already in use", done.stderr)

    def test_readiness_is_told_to_systemd(self):
        with World() as world:
            path = world.folder / "notify"
            with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
                manager.bind(str(path))
                manager.settimeout(PATIENCE)
                world.stop()
                world.environment["NOTIFY_SOCKET"] = str(path)
                world.start()
                self.assertIn(b"READY=1", manager.recv(4096))
                world.stop()
                self.assertIn(b"STOPPING=1", manager.recv(4096))


class Commands(unittest.TestCase):
    """Commands without a gateway, each test in a folder of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zkv-gateway-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.config = self.folder / "gateway.toml"
        self.config.write_text("secret = \"repository-key\"\n")
        self.data = self.folder / "data"

    def run_program(self, *words, **options):
        return subprocess.run([PROGRAM, *words], text=True, capture_output=True, timeout=PATIENCE, **options)

    def on_data(self, *words, **options):
        return self.run_program(*words, "--config", self.config, "--data-dir", self.data, **options)

    def test_those_that_only_look_make_no_vault(self):
        for words in [("secret", "list"), ("secret", "delete", "nas"), ("audit", "list"), ("audit", "verify")]:
            with self.subTest(words):
                done = self.on_data(*words)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"there is no database {self.data}/gateway.db", done.stderr)
                self.assertFalse(self.data.exists())

    def test_setting_a_secret_says_which_files_it_made(self):
        done = self.on_data("secret", "set", "repository-key", input=KEY)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"made {self.data}/gateway.db", done.stderr)
        self.assertIn(f"made {self.data}/master.key", done.stderr)
        again = self.on_data("secret", "set", "repository-key", input=KEY)
        self.assertEqual((again.returncode, again.stderr), (0, ""))

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_files_that_root_makes_belong_to_the_directorys_owner(self):
        self.folder.chmod(0o755)
        self.data.mkdir(0o700)
        os.chown(self.data, 12345, 12346)
        done = self.on_data("secret", "set", "repository-key", input=KEY)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("for uid 12345", done.stderr)
        owners = {(path.stat().st_uid, path.stat().st_gid) for path in self.data.iterdir()}
        self.assertEqual(owners, {(12345, 12346)})

    def test_a_key_that_is_none_is_stored_with_a_warning(self):
        for value in ["abc", f" {KEY} ", f"{KEY}\n\n", KEY[:-1] + "?"]:
            with self.subTest(value):
                done = self.on_data("secret", "set", "repository-key", input=value)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("warning: 'repository-key' is what hosts get", done.stderr)
                self.assertNotIn(value.strip(), done.stderr)
        self.assertNotIn("warning", self.on_data("secret", "set", "repository-key", input=KEY + "\n").stderr)
        self.assertNotIn("warning", self.on_data("secret", "set", "other", input="abc").stderr)

    def test_a_secret_that_was_deleted_is_gone(self):
        for name in "repository-key", "other":
            self.on_data("secret", "set", name, input=KEY)
        self.assertEqual(self.names_of_secrets(), ["other", "repository-key"])
        deleted = self.on_data("secret", "delete", "repository-key")
        self.assertEqual((deleted.returncode, deleted.stdout), (0, "deleted secret 'repository-key'\n"), deleted.stderr)
        self.assertEqual(self.names_of_secrets(), ["other"])
        again = self.on_data("secret", "delete", "repository-key")
        self.assertEqual(again.returncode, 1)
        self.assertIn("repository-key", again.stderr)

    def names_of_secrets(self):
        listed = self.on_data("secret", "list")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        return sorted(line.split()[0] for line in listed.stdout.splitlines() if not line.startswith("NAME"))

    def test_the_settings_as_json_have_each_ones_origin_and_no_secret(self):
        token, secret = "token-of-nobody-but-us", "secret-of-nobody-but-us"
        self.config.write_text("secret = \"repository-key\"\nmax-wait = 30\n")
        file = self.folder / "twilio-token"
        file.write_text(token + "\n")
        environment = os.environ | {"ZKV_AAD_CLIENT_SECRET": secret, "ZKV_PIN_LENGTH": "7", "ZKV_PINLENGTH": "8"}
        done = self.on_data("config", "check", "--json", "--log-level", "debug", "--twilio-token-file", file, env=environment)
        told = json.loads(done.stdout)
        settings = {setting["name"]: (setting["value"], setting["origin"]) for setting in told["settings"]}
        self.assertEqual(settings["max-wait"], ("30", f"{self.config}:2"))
        self.assertEqual(settings["pin-length"], ("7", "environment ZKV_PIN_LENGTH"))
        self.assertEqual(settings["log-level"], ("debug", "flag --log-level"))
        self.assertEqual(settings["listen"], ("127.0.0.1:8443", "default"))
        self.assertEqual(settings["aad-client-secret"], ("(secret)", "environment ZKV_AAD_CLIENT_SECRET"))
        self.assertEqual(settings["twilio-token"], ("(secret)", f"flag --twilio-token-file ({file})"))
        self.assertNotIn(token, done.stdout + done.stderr)
        self.assertNotIn(secret, done.stdout + done.stderr)
        self.assertIn("ZKV_PIN_LENGTH", "".join(told["warnings"]))
        self.assertEqual(done.returncode, 1)
        self.assertIn("twilio needs 'sms-to', which is not set", told["problems"])

    def test_a_database_that_the_packaged_service_would_lose_is_said_so(self):
        done = self.on_data("config", "check", env=os.environ | {"ZKV_SQLALCHEMY_DATABASE_URI": "sqlite:////tmp/db.sqlite"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "warning: environment ZKV_SQLALCHEMY_DATABASE_URI: .*/tmp/db.sqlite.* vanishes at each stop.*; stop the gateway, move")
        self.assertNotIn("vanishes", self.on_data("config", "check").stderr)

    def test_at_a_terminal_one_line_is_the_secret(self):
        terminal, its_end = pty.openpty()
        self.addCleanup(os.close, terminal)
        command = [PROGRAM, "secret", "set", "repository-key", "--config", self.config, "--data-dir", self.data]
        with subprocess.Popen(command, stdin=its_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
            os.close(its_end)
            prompt = program.stderr.read(len("The secret, then Enter (it is not shown): "))
            self.assertTrue(prompt.startswith("The secret, then Enter ("), prompt)
            os.write(terminal, f"{KEY}\nmore".encode())
            printed, complaints = program.communicate(timeout=PATIENCE)
        self.assertEqual(program.returncode, 0, complaints)
        self.assertEqual(printed, "stored secret 'repository-key'\n")
        self.assertNotIn("warning", complaints)

    def test_a_configuration_that_cannot_be_read_is_found(self):
        for config in [self.folder, "/dev/zero", self.folder / "none.toml"]:
            with self.subTest(config):
                done = self.run_program("config", "check", "--config", config)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"configuration file: {config}", done.stderr)

    def test_a_certificate_that_cannot_be_read_is_found_and_said_below_the_table(self):
        done = self.run_program("config", "check", "--config", self.config, "--page-dir", "/nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere", done.stderr)
        words = ["config", "check", "--config", self.config, "--tls-certificate", "/nonexist", "--tls-key", "/nonexist"]
        done = subprocess.run([PROGRAM, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("SETTING"), lines)
        self.assertRegex(lines[-1] + lines[-2], "zkvgateway: .*/nonexist")

    def test_an_address_without_a_port_is_one_problem(self):
        done = self.run_program("config", "check", "--config", self.config, "--listen", "127.0.0.1")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("plain http", done.stderr)

    def test_words_that_are_not_expected_are_said_in_their_order(self):
        done = self.run_program("serve", "--lissten", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("not expected here: --lissten x\n", done.stderr)
        self.assertIn("did you mean --listen?", done.stderr)


class Ids(unittest.TestCase):
    def test_an_id_may_be_written_in_lower_case(self):
        with World("--max-wait", "600") as world:
            client = world.ask()
            self.assertEqual(world.state(client.id.lower()), "pending")
            printed = world.command("request", "approve", client.id.lower().replace("0", "o").replace("1", "l"))
            self.assertEqual(printed, f"{client.id}: approved\n")
            self.assertEqual(client.answer().body, KEY)


class Audit(unittest.TestCase):
    def test_a_command_beside_the_gateway_takes_nothing_away_from_what_it_writes_later(self):
        with World("--max-wait", "600") as world:
            world.command("audit", "list")
            client = world.ask()
            world.command("request", "approve", client.id)
            self.assertEqual(client.answer().body, KEY)
            world.process.kill()
            world.process.wait()
            kinds = world.audit_kinds()
            self.assertLessEqual({"request.ask", "request.approve", "request.release"}, set(kinds))

    def test_an_edited_row_is_found(self):
        with World("--max-wait", "600") as world:
            client = world.ask()
            world.command("request", "approve", client.id)
            client.answer()
            self.assertIn("each unchanged", world.command("audit", "verify"))
            world.stop()
            edit_audit(world.data / "gateway.db")
            with self.assertRaisesRegex(AssertionError, "row 2"):
                world.command("audit", "verify")


def edit_audit(database):
    """Puts another actor into row 2, past whatever the schema does against that."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE zkv_audit SET actor = 'somebody else' WHERE number = 2")
        connection.commit()


if __name__ == "__main__":
    unittest.main()
