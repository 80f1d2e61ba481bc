"""The real zkvgateway on this machine's loopback, under TLS, for a guest that reaches it as gateway.test.

It runs on its embedded defaults: SQLite, embedded vault, console channel. What a person would type, `request` types.
"""

import json
import os
import pathlib
import re
import select
import socket
import subprocess
import time

from guest import ENDS_WITH_US

HERE = pathlib.Path(__file__).resolve().parent
WAITS = re.compile(r"request (\w+)(?: of \S+)? from \S+ waits for approval")
OWN = {name: value for name, value in os.environ.items() if not name.startswith("ZKV_")}
LISTENS = re.compile(r"listening on (https://\S+)")


class GatewayError(Exception):
    """The gateway did not do what was awaited; the message holds what it logged."""


class Gateway:
    """One gateway. Its port is taken from the start: before `start` a connection to it is refused.

    `authority` is the certificate that a client must trust, `address` and `address_in_guest` are where it serves, `page` where people reach it.
    """

    def __init__(self, program, folder):
        self._program, self._folder = str(program), pathlib.Path(folder)
        self._data = self._folder / "gateway"
        self._process = None
        self._log, self._read = "", 0
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        port = self._port.getsockname()[1]
        self.address = f"https://127.0.0.1:{port}"
        self.address_in_guest = f"https://gateway.test:{port}"
        self.page = f"https://localhost:{port}"
        self.authority = self._folder / "gateway.crt"
        self.port = port
        self._listen = f"127.0.0.1:{port}"
        self._make_certificate()
        self._run("secret", "set", "repository-key", given=(HERE / "guest" / "repository-key").read_bytes().strip())

    def _make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=gateway.test", "-addext", "subjectAltName=DNS:gateway.test,DNS:localhost,IP:127.0.0.1",
             "-keyout", str(self._folder / "gateway.key"), "-out", str(self.authority)],
            check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _run(self, *words, given=None):
        command = [self._program, *words, "--data-dir", str(self._data)]
        done = subprocess.run(command, input=given, capture_output=True, timeout=60, check=False, env=OWN)
        if done.returncode != 0:
            raise GatewayError(f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr.decode()}{self._log}")
        return done.stdout.decode()

    def leave_port(self):
        """From now on another program can serve there."""
        self._port.close()

    def start(self, *words):
        """Serves from now on; `words` are further ones of `serve`."""
        self._port.close()
        self._process = subprocess.Popen(
            [*ENDS_WITH_US, self._program, "serve", "--listen", self._listen, "--data-dir", str(self._data), "--max-wait", "600", "--secret", "repository-key",
             "--tls-certificate", str(self.authority), "--tls-key", str(self._folder / "gateway.key"), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=OWN)
        self._wait_for_line(LISTENS, 60)

    def stop(self):
        """Ends it in order."""
        self._port.close()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stderr.close()

    def wait_for_request(self, limit):
        """Waits until a request that was not seen before waits for a person; gives its id."""
        return self._wait_for_line(WAITS, limit).group(1)

    def request(self, verb, identity, *words):
        """`zkvgateway request VERB`; for `show` the request as a dictionary, else what it printed."""
        if verb == "show":
            return json.loads(self._run("request", "show", identity, "--json"))
        return self._run("request", verb, identity, *words)

    def command(self, *words):
        """Another command of the program; what it printed."""
        return self._run(*words)

    @property
    def log(self):
        """What it logged so far, as far as it was read."""
        return self._log

    def _wait_for_line(self, pattern, limit):
        """The next match of `pattern` in the log, after the one found before."""
        end = time.monotonic() + limit
        while True:
            found = pattern.search(self._log, self._read)
            if found:
                self._read = found.end()
                return found
            left = end - time.monotonic()
            if left <= 0:
                raise GatewayError(f"waited {limit} s for the gateway to log /{pattern.pattern}/; it logged:\n{self._log}")
            if select.select([self._process.stderr], [], [], left)[0]:
                data = self._process.stderr.read1(65536)
                if not data:
                    raise GatewayError(f"the gateway ended with {self._process.wait(30)}; it logged:\n{self._log}")
                self._log += data.decode(errors="replace")
