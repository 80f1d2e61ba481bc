"""A gateway under TLS, and clients of it that a benchmark can wait for without threads."""

import http.client
import json
import socket

from gateway_world import World


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


def make_world(*arguments):
    return World("--max-wait", "3600", *arguments)
