"""Hosts that are enrolled and a person with a passkey, each on connections of their own that stay open, as real ones do."""

import http.client
import json
import socket

import enrolled_world
import passkey_world
from bench_world import source


class Line:
    """One open connection, from a loopback address of its own, since calls are limited by address."""

    def __init__(self, gateway, number):
        self._origin = gateway.base
        self._client = http.client.HTTPConnection("localhost")
        self._client.sock = gateway.connect(source(number))
        self._client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as curl and browsers do

    def send(self, method, path, body=None, cookie=""):
        """Sends without waiting for the answer; `body` is a value for JSON, or a text that was made of one beforehand."""
        headers = {"Content-Type": "application/json", "Origin": self._origin, "Cookie": cookie}
        self._client.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)

    def receive(self, status=200):
        """Blocks until the whole answer is there, which must be of this status."""
        answer = self._client.getresponse()
        body = answer.read()
        assert answer.status == status, (answer.status, body)
        return json.loads(body) if body else None

    def call(self, method, path, body=None, cookie="", status=200):
        self.send(method, path, body, cookie)
        return self.receive(status)

    def close(self):
        self._client.close()


class Asking:
    """An enrolled host that has asked and waits in a long poll."""

    def __init__(self, gateway, host, number):
        self.host, self.line = host, Line(gateway, number)
        self.asked = self.line.call("POST", "/v2/requests", host.request(), status=201)
        self.id, self.box = self.asked["id"], host.box
        self.poll()

    def poll(self):
        self.line.send("GET", f"/v2/requests/{self.asked['request']}?wait=60")

    def answer(self):
        """Blocks until the release is there; asks again where the poll came back before it, as zkv does."""
        while "release" not in (answer := self.line.receive()):
            assert answer["state"] == "approved" and "reason" not in answer, answer
            self.poll()
        return answer

    def finish(self, answer):
        """Opens the release, which must hold the host's share, and says so to the gateway."""
        assert self.host.open_release(answer, self.box) == self.host.share
        body = {"word": "acknowledge", "request": enrolled_world.decode(self.asked["request"]).hex(), "time": self.host.said["time"]}
        word = enrolled_world.sign(enrolled_world.WORD_TYPE, body, self.host.key)
        self.line.call("POST", f"/v2/requests/{self.asked['request']}/words", word, status=204)
        self.line.close()


def make_gateway(*arguments):
    """With TLS on loopback; not started."""
    return passkey_world.Gateway(*arguments, tls=True)


def enrol(gateway, name):
    host = enrolled_world.OtherHost(gateway, gateway.invite(name))
    assert host.enrol().status == 201
    return host


def make_approver(gateway):
    return passkey_world.Approver(gateway, gateway.invite_approver("Anna", "--role", "owner").split("#register=")[1])
