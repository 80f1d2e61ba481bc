"""Version 2 at the gateway, checked by a second implementation of docs/protocol-v2.md in PyNaCl."""

import base64
import hashlib
import json
import stat
import time
import unittest

from gateway_world import World
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

GATEWAY_TYPE = "application/vnd.zkv.gateway+json"


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def open_envelope(text, kind, key_of):
    """The body of an envelope whose signature fits; `key_of(body)` gives the key that it must be signed with."""
    envelope = json.loads(text)
    assert envelope["payloadType"] == kind
    body = unpadded(envelope["payload"])
    [signature] = envelope["signatures"]
    key = key_of(json.loads(body))
    assert signature["keyid"] == hashlib.sha256(key).hexdigest()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)
    VerifyKey(key).verify(signed, unpadded(signature["sig"]))
    return json.loads(body)


class Statement(unittest.TestCase):
    def setUp(self):
        self.gateway = World()
        self.addCleanup(self.gateway.close)
        self.gateway.start()

    def statement(self):
        answer = self.gateway.request("GET", "/v2/gateway")
        self.assertEqual(answer.status, 200)
        return answer.body

    def read(self, text):
        return open_envelope(text, GATEWAY_TYPE, lambda body: unpadded(body["signing"]))

    def test_is_signed_by_the_key_whose_hash_is_the_gateways_id(self):
        said = self.read(self.statement())
        self.assertEqual(said["gateway"], hashlib.sha256(unpadded(said["signing"])).hexdigest())
        self.assertEqual(len(unpadded(said["sealing"])), 32)
        self.assertLess(abs(said["time"] / 1000 - time.time()), 60)

    def test_stays_the_same_over_a_restart(self):
        before = self.read(self.statement())
        self.gateway.stop()
        self.gateway.start()
        after = self.read(self.statement())
        for member in ("gateway", "signing", "sealing"):
            self.assertEqual(after[member], before[member])

    def test_changed_on_the_way_does_not_verify(self):
        envelope = json.loads(self.statement())
        body = json.loads(unpadded(envelope["payload"]))
        body["sealing"] = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
        envelope["payload"] = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
        with self.assertRaises(BadSignatureError):
            self.read(json.dumps(envelope))

    def test_comes_from_keys_that_nobody_else_can_read(self):
        self.statement()
        self.assertEqual(stat.S_IMODE((self.gateway.data / "identity.key").stat().st_mode), 0o600)


if __name__ == "__main__":
    unittest.main()
