"""A real zkvgateway under TLS with its own authority, and clients of it, for integration tests.

The program is named by $ZKVGATEWAY. Each test class makes one `World`: a folder, a certificate, a gateway.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.parse

from templates import Templates

PROGRAM = os.environ.get("ZKVGATEWAY", "zkvgateway")
PATIENCE = 30
KEY = "cmVwb3NpdG9yeS1rZXktb2YtdGhlLXRlc3RzLTAwMDE="
APPROVER = "+15551234567"
TWILIO_TOKEN = "token-of-the-tests-account"


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, **options)


class Authority:
    """An authority of one's own, by openssl."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self.key = folder / "ca.key"

    def make(self):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=authority of the tests", "-keyout", self.key, "-out", self.certificate)

    def issue(self, certificate, key, name="gateway of the tests"):
        """Puts a new key and a certificate for loopback in place, each by a rename as tools do it."""
        request, extensions = self.folder / "request.pem", self.folder / "extensions"
        extensions.write_text("subjectAltName=DNS:localhost,DNS:gateway.example,IP:127.0.0.1\n")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{key}.new", "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", f"{certificate}.new")
        os.replace(f"{key}.new", key)
        os.replace(f"{certificate}.new", certificate)


def free_port():
    """One that nobody listens at, outside the range from which the kernel gives ports to whoever asks for any: tests run side by side."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Log:
    """The lines of a process's stderr, and waiting for one that fits."""

    def __init__(self, stream):
        self._lines = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        for line in stream:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        stream.close()

    def mark(self):
        with self._changed:
            return len(self._lines)

    def wait(self, pattern, after=0):
        """The first match of `pattern` in the lines from number `after` on."""
        found = None

        def look():
            nonlocal found
            found = next((match for line in self._lines[after:] if (match := re.search(pattern, line))), None)
            return found is not None or self._ended

        with self._changed:
            if not self._changed.wait_for(look, PATIENCE) or found is None:
                raise AssertionError(f"no line like {pattern!r} in the log:\n" + "\n".join(self._lines))
        return found

    def text(self):
        with self._changed:
            return "\n".join(self._lines)

    def whole(self):
        """All of it, when the process has ended."""
        self._thread.join(PATIENCE)
        return self.text()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class World:
    """A folder with a certificate, and a gateway that can be started, stopped and started again at the same port."""

    templates = Templates()

    def __init__(self, *arguments, environment=None, key=KEY, tls=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zkv-gateway-"))
        self.number = self.templates.take()
        self.authority = Authority(self.folder)
        self.certificate, self.certificate_key = self.folder / "gateway.pem", self.folder / "gateway.key"
        self.data = self.folder / "data"
        self.config = self.folder / "gateway.toml"
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.tls = tls
        self.port = 0
        self.process = None
        self.log = None
        if environment:  # It may name ports that are this gateway's alone, so that no other begins like it.
            self._make(key)
        else:
            self.templates.fill(self.folder, key, self.number, lambda: self._make(key))

    def _make(self, key):
        self.authority.make()
        self.authority.issue(self.certificate, self.certificate_key)
        # No name server of the machine is asked; the first protocol is on.
        self.config.write_text("address-names = false\nsecret = \"repository-key\"\n")
        if key is not None:
            self.set_key(key)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.stop()
        finally:
            self.templates.leave(self.number)
            shutil.rmtree(self.folder)

    # The program

    def _environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ZKV_")}
        return {**kept, **self.environment}

    def command(self, *words, **options):
        """Runs another command of the program on this gateway's data; returns what it printed."""
        done = subprocess.run([PROGRAM, *words, "--config", self.config, "--data-dir", self.data], text=True,
                              capture_output=True, timeout=PATIENCE, env=self._environment(), **options)
        if done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def set_key(self, key):
        self.command("secret", "set", "repository-key", input=key)

    def start(self):
        command = [PROGRAM, "serve", "--config", self.config, "--data-dir", self.data,
                   "--listen", f"127.0.0.1:{self.port}", *self.arguments]
        if self.tls:
            command += ["--tls-certificate", self.certificate, "--tls-key", self.certificate_key]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True,
                                        env=self._environment())
        self.log = Log(self.process.stderr)
        try:
            self.port = int(self.log.wait(r"listening on https?://127\.0\.0\.1:(\d+)").group(1))
        except AssertionError:
            self._end()  # What it says is in the error, and its code no more than that.
            raise

    def stop(self):
        """Ends it in the friendly way. Raises where it ends otherwise than well, as by a sanitizer's finding, unless a test killed it."""
        if self.process is None:
            return
        self.process.terminate()
        code = self._end()
        if code not in (0, -signal.SIGKILL):
            raise AssertionError(f"the gateway ended with {code}:\n{self.log.whole()[-8000:]}")

    def _end(self):
        """Waits for its end, then kills it; returns the code."""
        process, self.process = self.process, None
        try:
            return process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    # Clients

    def context(self):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def connect(self, source="127.0.0.1"):
        """A connected socket, with TLS if the gateway has it."""
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=(source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context().wrap_socket(plain, server_hostname="localhost") if self.tls else plain

    def request(self, method, path, body=None, headers=None, source="127.0.0.1"):
        with contextlib.closing(self.connect(source)) as connection:
            client = http.client.HTTPConnection("localhost", self.port)
            client.sock = connection
            client.request(method, path, body, headers or {})
            answer = client.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def ask(self, source="127.0.0.1", token=None, host="localhost"):
        """Starts a client of /request-keys; returns it with the id of the request that it made."""
        mark = self.log.mark()
        client = Asking(self, source, token, host)
        client.id = self.log.wait(rf"request (\w+) from {re.escape(source)} waits", mark).group(1)
        return client

    def raw(self, data, source="127.0.0.1"):
        """Sends bytes and reads until the gateway ends the connection."""
        with contextlib.closing(self.connect(source)) as connection:
            connection.sendall(data)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received

    def webhook(self, body, source="127.0.0.1", **details):
        """An answer by SMS as Twilio posts it; returns the Answer."""
        data, headers = self.webhook_parts(body, **details)
        return self.request("POST", "/incoming-message", data, headers, source)

    def webhook_parts(self, body, sender=APPROVER, sid="SM1", token=TWILIO_TOKEN, signature=None, host="https://gateway.example",
                      headers=None):
        """The body and headers of one, signed for `host` unless told otherwise."""
        fields = {"Body": body, "From": sender, "MessageSid": sid}
        signed = f"{host}/incoming-message" + "".join(name + fields[name] for name in sorted(fields))
        if signature is None:
            signature = base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        if signature:
            headers["X-Twilio-Signature"] = signature
        return urllib.parse.urlencode(fields), headers

    # What a person at the gateway sees

    def audit(self):
        return [json.loads(line) for line in self.command("audit", "list", "--json").splitlines()]

    def audit_kinds(self):
        return [row["kind"] for row in self.audit()]

    def requests(self, *words):
        return json.loads(self.command("request", "list", "--json", *words))["requests"]

    def state(self, request):
        return json.loads(self.command("request", "show", request, "--json"))["state"]


class Asking:
    """One client that waits at /request-keys in a thread."""

    def __init__(self, world, source, token, host):
        self.id = None
        self._outcome = None
        self._connection = world.connect(source)
        fields = f"ZKV-Request-Token: {token}\r\n" if token else ""
        self._connection.sendall(f"GET /request-keys HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            answer = http.client.HTTPResponse(self._connection)
            answer.begin()
            self._outcome = Answer(answer.status, answer.headers, answer.read().decode())
        except (OSError, http.client.HTTPException) as error:
            self._outcome = error

    def answer(self):
        """Waits for the answer; raises what went wrong on the connection."""
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise AssertionError(f"the client of request {self.id} got no answer")
        self._connection.close()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def leave(self):
        """Goes away without waiting."""
        self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._connection.close()


def twilio_environment(api):
    """Settings for Twilio whose messages nobody delivers, with the tests' own token."""
    return {"ZKV_TWILIO_ACCOUNT_ID": "AC00000000000000000000000000000000", "ZKV_TWILIO_TOKEN": TWILIO_TOKEN,
            "ZKV_TWILIO_API_URI": api, "ZKV_SMS_TO": APPROVER, "ZKV_SMS_FROM": "+15557654321",
            "ZKV_PUBLIC_URL": "https://gateway.example"}
