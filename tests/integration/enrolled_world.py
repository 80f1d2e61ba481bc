"""A gateway and a host that is enrolled with it, both the real programs; and the host's half of docs/protocol-v2.md in PyNaCl and cryptography.

Wants Debian's own Python, which has python3-nacl and -cryptography.
"""

import base64
import contextlib
import hashlib
import json
import secrets
import sqlite3
import time

import nacl.public
import nacl.signing
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import contract
import gateway_world
import host_world

GATEWAY_TYPE = "application/vnd.zkv.gateway+json"
ENROLMENT_TYPE = "application/vnd.zkv.enrolment+json"
REQUEST_TYPE = "application/vnd.zkv.request+json"
WORD_TYPE = "application/vnd.zkv.word+json"
BOOT_TYPE = "application/vnd.zkv.boot-approval+json"
HEARTBEAT_TYPE = "application/vnd.zkv.heartbeat+json"
ANSWER_TYPE = "application/vnd.zkv.heartbeat-answer+json"
SUCCESSION_TYPE = "application/vnd.zkv.succession+json"
RELEASE_TYPE = "application/vnd.zkv.release+json"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoding(kind, body):
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)


class Ed25519Key:
    """A host's identity in a file."""

    def __init__(self, key=None):
        self.key = key or nacl.signing.SigningKey.generate()
        self.public = bytes(self.key.verify_key)
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": encode(self.public)}

    def sign(self, message):
        return self.key.sign(message).signature


class P256Key:
    """A host's identity as a TPM has it, but here in memory."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        self.public = b"\4" + x + y
        self.jwk = {"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}

    def sign(self, message):
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(kind, body, key):
    """An envelope around `body`, which is an object or the bytes themselves."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {"payloadType": kind, "payload": encode(data),
            "signatures": [{"keyid": hashlib.sha256(key.public).hexdigest(), "sig": encode(key.sign(encoding(kind, data)))}]}


def hash_of(envelope):
    return hashlib.sha256(encoding(envelope["payloadType"], decode(envelope["payload"]))).digest()


def open_envelope(envelope, kind, key):
    """The body, if the 32 bytes `key` signed it."""
    assert envelope["payloadType"] == kind, envelope
    body = decode(envelope["payload"])
    [signature] = envelope["signatures"]
    assert signature["keyid"] == hashlib.sha256(key).hexdigest(), envelope
    nacl.signing.VerifyKey(key).verify(encoding(kind, body), decode(signature["sig"]))
    return json.loads(body)


class Gateway(gateway_world.World):
    """A gateway, each of whose answers is held against its OpenAPI document."""

    def request(self, method, path, *more, **options):
        answer = super().request(method, path, *more, **options)
        contract.check(method, path, answer)
        return answer

    def use_certificate(self, pem):
        """Starts anew with the key and certificate in this file, which is all that clients of the tests trust then."""
        self.stop()
        for path in (self.certificate, self.certificate_key):
            path.write_bytes(pem.read_bytes())
        self.authority.certificate = pem
        self.start()

    def invite(self, name, *words):
        return json.loads(self.command("host", "invite", name, "--json", *words))["url"]

    def change_database(self, statement, *values):
        """Somebody writes the database while the gateway is stopped."""
        self.stop()
        self.write_database(statement, *values)
        self.start()

    def write_database(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.data / "gateway.db")) as database, database:
            return database.execute(statement, values).fetchall()

    def hosts(self):
        return json.loads(self.command("host", "list", "--json"))["hosts"]

    def statement(self):
        envelope = json.loads(self.request("GET", "/v2/gateway").body)
        body = json.loads(decode(envelope["payload"]))
        return open_envelope(envelope, GATEWAY_TYPE, decode(body["signing"]))

    def post(self, path, envelope):
        answer = self.request("POST", path, json.dumps(envelope), {"Content-Type": "application/json"})
        answer.json = json.loads(answer.body) if answer.body else None
        return answer

    def get(self, path):
        answer = self.request("GET", path)
        answer.json = json.loads(answer.body) if answer.body else None
        return answer

    def next_request(self, mark=0):
        return self.log.wait(r"request (\w+) .*waits for approval", mark).group(1)


class Host(host_world.Host):
    """The real zkv, on a machine whose ZFS is a stand-in."""

    def __init__(self, gateway):
        super().__init__()
        self.cafile = gateway.authority.certificate
        self.enrolments = self.home / ".zkv-repository.enrolments"
        self.begin("four volumes in version 2", self.make_version_2)

    def make_version_2(self):
        self.make_four_volumes()
        self.run("repository", "convert", "-k", "-", "-m", stdin=self.key.encode() + b"\n")

    def enroll(self, url, *words, **how):
        return self.out("enroll", "-", "--cafile", self.cafile, "-k", "-", *words,
                        stdin=f"{url}\n{self.key}\n".encode(), **how)

    def begin_mount(self, *words):
        return self.start("mount", "--cafile", str(self.cafile), *words)


class OtherHost:
    """A host written anew from docs/protocol-v2.md, which can also misbehave."""

    def __init__(self, gateway, url, key=None):
        self.gateway = gateway
        self.said = gateway.statement()
        self.key = key or Ed25519Key()
        self.id = hashlib.sha256(self.key.public).hexdigest()
        self.repository = secrets.token_hex(16)
        self.share = secrets.token_bytes(32)
        parts = url.split("#zkv2.")[1].split(".")
        self.token = parts[0]
        assert decode(parts[1]).hex() == self.said["gateway"]
        self.box = None

    def enrolment(self, **changes):
        sealed = nacl.public.SealedBox(nacl.public.PublicKey(decode(self.said["sealing"]))).encrypt(self.share)
        body = {"invite": self.token, "gateway": self.said["gateway"],
                "identity": self.key.jwk,
                "repository": self.repository, "share": encode(sealed), "time": int(time.time() * 1000)}
        return sign(ENROLMENT_TYPE, {**body, **changes}, self.key)

    def enrol(self):
        return self.gateway.post("/v2/enrolments", self.enrolment())

    def request(self, signer=None, **changes):
        self.box = nacl.public.PrivateKey.generate()
        body = {"host": self.id, "gateway": self.said["gateway"], "key": encode(bytes(self.box.public_key)),
                "time": int(time.time() * 1000), "number": "47", "repository": {"id": self.repository, "generation": 1},
                "volumes": ["tank/home"],
                "evidence": {"boot_id": "b", "kernel": "6.1", "hostname": "other", "uptime": 3, "addresses": ["192.0.2.7"],
                             "planned": False}}
        return sign(REQUEST_TYPE, {**body, **changes}, signer or self.key)

    def ask(self, **changes):
        return self.gateway.post("/v2/requests", self.request(**changes))

    def heartbeat(self, *lines, **changes):
        body = {"host": self.id, "gateway": self.said["gateway"], "time": int(time.time() * 1000), "version": "1.2.3",
                "repository": {"id": self.repository, "generation": 12}, "findings": {"count": len(lines), "lines": list(lines)}}
        return sign(HEARTBEAT_TYPE, {**body, **changes}, self.key)

    def word(self, word, asked, signer=None, **changes):
        body = {"word": word, "request": decode(asked).hex(), "time": int(time.time() * 1000)}
        return self.gateway.post(f"/v2/requests/{asked}/words", sign(WORD_TYPE, {**body, **changes}, signer or self.key))

    def poll(self, request, wait=20):
        return self.gateway.get(f"/v2/requests/{request}?wait={wait}").json

    def open_release(self, answer, box=None):
        release = open_envelope(answer["release"], RELEASE_TYPE, decode(self.said["signing"]))
        assert release["request"] == decode(answer["request"]).hex()
        assert release["host"] == self.id and release["gateway"] == self.said["gateway"]
        return nacl.public.SealedBox(box or self.box).decrypt(decode(release["sealed"]))
