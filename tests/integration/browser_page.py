"""The page in a browser before the real gateway, over plain http at localhost: people come by the invite that the command line
printed, hosts written anew from docs/protocol-v2.md ask, and the browser tests of tests/browser do the rest.

`browser_page.py ask` is what these tests call to have a host ask: members of a CARD on its input, the request's id on its output.
"""

import json
import os
import pathlib
import secrets
import shlex
import subprocess
import sys
import unittest

import enrolled_world
import passkey_world
from standins import PushStandIn

TESTS = pathlib.Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "web" / "dist"


class Attached(enrolled_world.Gateway):
    """A gateway that another process has started."""

    def __init__(self, folder, port):
        self.folder = pathlib.Path(folder)
        self.data, self.config = self.folder / "data", self.folder / "gateway.toml"
        self.environment, self.tls, self.port = {}, False, port


def ask():
    """One more host asks."""
    spec = json.load(sys.stdin)
    gateway = Attached(os.environ["ZKV_FOLDER"], int(os.environ["ZKV_PORT"]))
    wanted = spec.get("host") or {}
    name = f"{wanted.get('name', 'nas')}-{secrets.token_hex(2)}"
    host = enrolled_world.OtherHost(gateway, gateway.invite(name, "--group", wanted.get("group", "home")))
    assert host.enrol().status == 201
    asked = host.ask(**{key: spec[key] for key in ("volumes", "number", "evidence") if key in spec})
    assert asked.status == 201, asked.body
    print(asked.json["id"])


class BrowserPage(unittest.TestCase):
    def test_people_use_the_page_before_the_real_gateway(self):
        with PushStandIn() as push, passkey_world.Gateway("--page-dir", str(PAGE), "--push-hosts", push.http, "--totp-groups", "home") as gateway:
            link = gateway.invite_approver("Anna", "--role", "owner")
            self.assertTrue(link.startswith(f"{gateway.base}/#register="), link)
            environment = {**os.environ, "ZKV_BASE": gateway.base, "ZKV_INVITE": link.split("#register=")[1],
                           "ZKV_ASK": shlex.join([sys.executable, __file__, "ask"]),
                           "ZKV_PUSH": push.facts["control"], "ZKV_PUSH_ORIGIN": push.http, "ZKV_FOLDER": str(gateway.folder), "ZKV_PORT": str(gateway.port)}
            done = subprocess.run(["node", "--test", "--test-concurrency=1", "page.test.mjs"], cwd=TESTS / "browser",
                                  env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + gateway.log.text())
            kinds = gateway.audit_kinds()
            self.assertIn("approver.passkey", kinds)
            self.assertIn("request.evidence", kinds)
            self.assertEqual(kinds.count("refused.cloned"), 1, "the copy that the tests make, and no other")


if __name__ == "__main__":
    if sys.argv[1:] == ["ask"]:
        ask()
    else:
        unittest.main()
