"""A gateway with people, and a passkey in Python, written from WebAuthn and docs/protocol-v2.md: what a browser and an authenticator would give, and the check of
the evidence of an approval from the audit log alone. Wants python3-cryptography.
"""

import hashlib
import json
import secrets
import unittest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import enrolled_world
import gateway_world
from enrolled_world import decode, encode

PRESENT_AND_VERIFIED, HAS_CREDENTIAL = 0x05, 0x40


class Gateway(enrolled_world.Gateway):
    """One whose page is at http://localhost, where browsers have passkeys without a certificate; or with TLS there, or behind `base`."""

    def __init__(self, *arguments, base=None, tls=False):
        port = gateway_world.free_port()
        self.base = base or f"{'https' if tls else 'http'}://localhost:{port}"
        super().__init__("--public-url", self.base, *arguments, tls=tls)
        self.port = port

    def invite_approver(self, name, *words):
        return json.loads(self.command("approver", "invite", name, "--json", *words))["url"]


def cbor_bytes(data):
    return bytes([0x58, len(data)]) + data if len(data) < 256 else b"\x59" + len(data).to_bytes(2, "big") + data


class Passkey:
    def __init__(self, origin):
        self.origin, self.rp = origin, origin.split("://")[1].split(":")[0]
        self.id, self.key, self.user, self.counter = secrets.token_bytes(16), ec.generate_private_key(ec.SECP256R1()), None, 0

    def cose(self):
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21" + cbor_bytes(x) + b"\x22" + cbor_bytes(y)

    def client_data(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def authenticator_data(self, flags):
        return hashlib.sha256(self.rp.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def create(self, asked):
        """What navigator.credentials.create() gives."""
        self.user = asked["user"]["id"]
        data = self.authenticator_data(PRESENT_AND_VERIFIED | HAS_CREDENTIAL) + bytes(16)
        data += len(self.id).to_bytes(2, "big") + self.id + self.cose()
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData" + cbor_bytes(data)
        return {"id": encode(self.id), "attestationObject": encode(attestation),
                "clientDataJSON": encode(self.client_data("webauthn.create", asked["challenge"]))}

    def get(self, asked):
        """What navigator.credentials.get() gives."""
        self.counter += 1
        data = self.authenticator_data(PRESENT_AND_VERIFIED)
        client_data = self.client_data("webauthn.get", asked["challenge"])
        signed = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return {"id": encode(self.id), "authenticatorData": encode(data), "clientDataJSON": encode(client_data),
                "signature": encode(signed), "userHandle": self.user}


class Visitor:
    """A browser that the gateway knows nothing of."""

    def __init__(self, gateway):
        self.gateway, self.cookie = gateway, ""

    def call(self, method, path, body=None):
        headers = {"Origin": self.gateway.base, "Cookie": self.cookie, "Content-Type": "application/json"}
        answer = self.gateway.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer.json = json.loads(answer.body) if answer.body else None
        return answer


class Approver(Visitor):
    """Somebody with a passkey and a session, by HTTP."""

    def __init__(self, gateway, invite):
        super().__init__(gateway)
        self.passkey = Passkey(gateway.base)
        asked = self.call("POST", "/v2/registrations/challenge", {"invite": invite}).json
        body = {"invite": invite, "label": "python", "credential": self.passkey.create(asked)}
        made = self.call("POST", "/v2/registrations", body)
        assert made.status == 201, made.body
        self.cookie = made.headers["Set-Cookie"].split(";")[0]

    def confirmed(self, path, body, act, *about):
        """Does what wants a passkey's confirmation, with it."""
        asked = self.call("POST", "/v2/confirmations", {"act": act, "about": about})
        assert asked.status == 200, asked.body
        return self.call("POST", path, {**body, "confirmation": self.passkey.get(asked.json)})

    def invite(self, name, role="approver"):
        return self.confirmed("/v2/approvers/invites", {"name": name, "role": role}, "approver.invite", name, role)

    def add_passkey(self, passkey):
        asked = self.call("POST", "/v2/passkeys/challenge", {}).json
        body = {"label": "second", "credential": passkey.create(asked)}
        return self.confirmed("/v2/passkeys", body, "passkey.add", encode(passkey.id), "second")

    def decide(self, request, decision):
        asked = self.call("POST", f"/v2/requests/{request}/challenge", {"decision": decision})
        assert asked.status == 200, asked.body
        body = {"decision": decision, "reason": "because", "credential": self.passkey.get(asked.json)}
        return self.call("POST", f"/v2/requests/{request}/decision", body)


class OwnersCase(unittest.TestCase):
    """A gateway of its own for each test, with Anna, who owns it, and the host nas."""

    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        link = self.gateway.invite_approver("Anna", "--role", "owner")
        self.anna = Approver(self.gateway, link.split("#register=")[1])
        self.host = self.enrolled("nas")

    def enrolled(self, name):
        host = enrolled_world.OtherHost(self.gateway, self.gateway.invite(name))
        self.assertEqual(host.enrol().status, 201)
        return host


def check_evidence(evidence, cose, request_hash):
    """That this approval was given, by what the audit log and the request's envelope hold: raises where it was not."""
    data, client_data = decode(evidence["authenticatorData"]), decode(evidence["clientDataJSON"])
    decision = {"approve": b"\x01", "deny": b"\x02"}[evidence["decision"]]
    bound = b"zkv approval 2\0" + decision + request_hash + decode(evidence["approver"]) + decode(evidence["random"])
    assert json.loads(client_data)["challenge"] == encode(hashlib.sha256(bound).digest())
    assert data[32] & PRESENT_AND_VERIFIED == PRESENT_AND_VERIFIED
    x, y = (int.from_bytes(cose[start:start + 32], "big") for start in (10, 45))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    key.verify(decode(evidence["signature"]), data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
