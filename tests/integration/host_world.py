"""A host for `zkv mount` without ZFS and without a gateway: stand-ins for zfs(8) and libzfs_core, and small gateways in Python.

`SeedGateway` speaks as the Python server that zkv comes from; `OurGateway` adds the headers of docs/protocol.md.
"""

import contextlib
import hashlib
import http.server
import os
import pathlib
import queue
import re
import secrets
import shutil
import signal
import socket
import string
import ssl
import subprocess
import threading
import time

from repository_world import TESTS, ZKV, World
from templates import Templates

SALT = 0x0123456789ABCDEF
ITERATIONS = 100_000
LIMIT = 120


def wrapping_key(keyformat, key):
    """What ZFS makes of `key` (bytes)."""
    if keyformat == "passphrase":
        return hashlib.pbkdf2_hmac("sha1", key, SALT.to_bytes(8, "little"), ITERATIONS, 32)
    return bytes.fromhex(key.decode()) if keyformat == "hex" else key


def random_text(size):
    return "".join(secrets.choice(string.ascii_letters) for _ in range(size)).encode()


class Host(World):
    """A home with a repository, and a machine with ZFS in the directory `zfs`."""

    templates = Templates()

    def __init__(self):
        super().__init__()
        self.number = self.templates.take()
        self.zfs = self.home / "zfs"
        (self.zfs / "datasets").mkdir(parents=True)
        shutil.copy(TESTS / "fake_zfs" / "zfs", self.zfs / "zfs")
        shutil.copy(os.environ["FAKE_ZFS_CORE"], self.zfs / "libzfs_core.so.3")
        self.environment |= {"PATH": f"{self.zfs}:/usr/bin:/bin", "LD_LIBRARY_PATH": str(self.zfs),
                             "STATE_DIRECTORY": str(self.home / "state")}
        self.key = None
        self.keys = {}

    def __exit__(self, *_):
        self.templates.leave(self.number)
        super().__exit__(*_)

    def begin(self, name, make):
        """Does what `make` does to the home, the key and the volumes' keys, or copies it from a host of before."""
        def made():
            make()
            return self.key, dict(self.keys)

        self.key, keys = self.templates.fill(self.home, name, self.number, made)
        self.keys = dict(keys)

    def add_dataset(self, name, **properties):
        folder = self.zfs / "datasets" / name.replace("/", "%2F")
        folder.mkdir()
        ordinary = {"type": "filesystem", "keyformat": "none", "keystatus": "-", "encryptionroot": "-", "pbkdf2iters": "0",
                    "pbkdf2salt": "-", "mounted": "no", "mountpoint": "/" + name, "canmount": "on", "keylocation": "none"}
        for prop, value in (ordinary | properties).items():
            (folder / prop.replace("_", "-")).write_text(value)

    def add_volume(self, name, keyformat, key, in_repository=None):
        """An encryption root that `key` opens, and its entry in the repository: `in_repository`, or else the same key."""
        numbers = {"pbkdf2iters": str(ITERATIONS), "pbkdf2salt": str(SALT)} if keyformat == "passphrase" else {}
        self.add_dataset(name, keyformat=keyformat, keystatus="unavailable", encryptionroot=name,
                         wrapping_key=wrapping_key(keyformat, key).hex(), **numbers)
        self.keys[name] = key
        entry = key if in_repository is None else in_repository
        self.run("fs", "add", "-k", "-", name, "-", stdin=self.key.encode() + b"\n" + entry + b"\n")

    def get(self, name, prop):
        return (self.zfs / "datasets" / name.replace("/", "%2F") / prop).read_text()

    def calls(self):
        path = self.zfs / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def four_volumes(self):
        """raw, hex and passphrase, one of them nested in another, and a child that shares its parent's key."""
        self.begin("four volumes", self.make_four_volumes)

    def make_four_volumes(self):
        self.key = self.init()
        self.add_dataset("tank")
        self.add_volume("tank/hex", "hex", secrets.token_hex(32).encode())
        self.add_volume("tank/hex/nested", "hex", secrets.token_hex(32).encode())
        self.add_volume("tank/raw", "raw", random_text(32))
        self.add_volume("tank/words", "passphrase", random_text(20))
        self.add_dataset("tank/raw/child", keyformat="raw", keystatus="unavailable", encryptionroot="tank/raw")

    def start(self, *words, **environment):
        """zkv in the background; `Running.await_line` reads what it says."""
        return Running([ZKV, *words], self.environment | environment, self.home)


class Running:
    """A zkv at work. Its stderr can be awaited line by line."""

    def __init__(self, words, environment, home):
        self.process = subprocess.Popen(words, env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.errors = []

    def await_line(self, part):
        for line in self.process.stderr:
            self.errors.append(line)
            if part in line:
                return line
        raise AssertionError(f"zkv ended without saying {part!r}: {self.errors}")

    def end(self, code):
        """Waits for its end, which must be with `code`; returns stdout."""
        output, rest = self.process.communicate(timeout=LIMIT)
        self.errors.append(rest)
        if self.process.returncode != code:
            raise AssertionError(f"zkv ended with {self.process.returncode}, not {code}: {output} {self.errors}")
        return output

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def await_rest(self, number):
        """Returns once it has taken the signal, and each of its threads waits for something else."""
        folder = pathlib.Path("/proc", str(self.process.pid))
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            pending = int(re.search(r"^ShdPnd:\s*(\w+)$", (folder / "status").read_text(), re.MULTILINE)[1], 16)
            states = {(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in (folder / "task").iterdir()}
            if not pending & 1 << (number - 1) and states == {"S"}:
                return
            os.sched_yield()
        raise AssertionError(f"zkv did not take signal {number}")


class QuietServer(http.server.ThreadingHTTPServer):
    """Clients that leave, or that do not trust us, are what the tests are about."""

    daemon_threads = True

    def handle_error(self, *_):
        pass


class SeedGateway:
    """GET /request-keys answers what `decisions` says next: (status, body[, headers]), or waits until there is one."""

    def __init__(self, certificate=None, port=0):
        self.decisions = queue.Queue()
        self.requests = queue.Queue()
        self.gone = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.put((self.path, dict(self.headers)))
                if self.path != "/request-keys":
                    return self.answer(404, b"Not Found")
                return self.answer(*outer.decisions.get(timeout=LIMIT))

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in (("Content-Type", "text/plain; charset=utf-8"), *headers):
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", port), Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def uri(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/request-keys"

    def decide(self, status, body=b"", headers=()):
        self.decisions.put((status, body, headers))

    def approve(self, key):
        self.decide(200, key.encode())


class OurGateway(SeedGateway):
    """The same with the headers of our own gateway."""

    def end(self, status, state):
        self.decide(status, headers=(("ZKV-Request-Id", "7F3K"), ("ZKV-Request-State", state)))


class SilentListener:
    """Takes connections and never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.socket.getsockname()[1]}/request-keys"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def free_port():
    """A port at which nothing listens (yet)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder, name, alternative="IP:127.0.0.1", days=1, signer=None):
    """A key and certificate in one PEM file, signed by itself or by `signer` (another such file); `days` may be negative."""
    path = pathlib.Path(folder) / f"{name}.pem"
    request = pathlib.Path(folder) / f"{name}.csr"
    extensions = pathlib.Path(folder) / f"{name}.ext"
    extensions.write_text(f"subjectAltName={alternative}\n" + ("" if signer else "basicConstraints=critical,CA:TRUE\n"))
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path,
            "-subj", f"/CN={name}", "-out", request)
    signed_by = ("-CA", signer, "-CAkey", signer, "-CAcreateserial") if signer else ("-signkey", path)
    certificate = openssl("x509", "-req", "-in", request, *signed_by, "-days", str(days), "-extfile", extensions)
    path.write_bytes(path.read_bytes() + certificate)
    return path


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout
