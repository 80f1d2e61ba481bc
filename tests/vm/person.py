"""Somebody with a passkey, who approves where the gateway's page does: over TLS, on this machine. The passkey is written in Python."""

import contextlib
import http.client
import json
import pathlib
import ssl
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from gateway_world import Answer  # noqa: E402
from passkey_world import Approver  # noqa: E402


class Door:
    """The gateway as a browser reaches it."""

    def __init__(self, gateway):
        self.base, self._port = gateway.page, gateway.port
        self._trust = ssl.create_default_context(cafile=gateway.authority)

    def request(self, method, path, body=None, headers=None):
        with contextlib.closing(http.client.HTTPSConnection("localhost", self._port, timeout=60, context=self._trust)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())


def invite(gateway, name, role="owner"):
    """A person who has registered a passkey by an invitation."""
    link = json.loads(gateway.command("approver", "invite", name, "--role", role, "--json"))["url"]
    return Approver(Door(gateway), link.split("#register=")[1])
