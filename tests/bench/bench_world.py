"""A gateway under TLS, and clients of it that a benchmark can wait for without threads."""

import http.client
import http.server
import json
import queue
import re
import socket
import threading
import urllib.parse

from gateway_world import PATIENCE, World


def source(number):
    """A loopback address of its own for each client, since asks are limited by address."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


class Client:
    """One connection that asks /request-keys and is read when the benchmark wants."""

    def __init__(self, world, number):
        self.connection = world.connect(source(number))
        self.connection.sendall(b"GET /request-keys HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def read(self):
        """Blocks until the whole answer is there; returns its status and body."""
        answer = http.client.HTTPResponse(self.connection)
        answer.begin()
        return answer.status, answer.read().decode()

    def close(self):
        self.connection.close()


class Control:
    """One connection to the control socket; the gateway ends it when it idles for long."""

    def __init__(self, world):
        self._client = http.client.HTTPConnection("localhost")
        self._client.sock = socket.socket(socket.AF_UNIX)
        self._client.sock.connect(str(world.data / "control.sock"))

    def send(self, path):
        """Posts without waiting for the answer."""
        self._client.request("POST", path)

    def receive(self):
        answer = self._client.getresponse()
        return json.loads(answer.read())


class Twilio:
    """Takes messages as Twilio's API does, and gives the PIN in each."""

    def __init__(self):
        self._pins = pins = queue.Queue()

        class Messages(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(201)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
                pins.put(re.search(r"\d{6}", form["Body"][0]).group())

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Messages)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def pin(self):
        """That of the next message."""
        return self._pins.get(timeout=PATIENCE)


def make_world(*arguments, environment=None):
    return World("--max-wait", "3600", *arguments, environment=environment)
