#!/usr/bin/env python3
"""Writes protocol/v2.json: keys, envelopes and sealed boxes of docs/protocol-v2.md, made without any code of this project.

Where the protocol takes random bytes, these are fixed, so that the file is the same at each run.
"""

import base64
import hashlib
import json
import pathlib

import nacl.bindings
import nacl.public
import nacl.signing
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def counted(first, size=32):
    return bytes((first + i) % 256 for i in range(size))


def pre_authentication_encoding(kind, body):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


def envelope(seed, kind, body):
    key = nacl.signing.SigningKey(seed)
    signed = pre_authentication_encoding(kind.encode(), body)
    document = {"payloadType": kind, "payload": text(body),
                "signatures": [{"keyid": hashlib.sha256(bytes(key.verify_key)).hexdigest(), "sig": text(key.sign(signed).signature)}]}
    return {"seed": seed.hex(), "public": bytes(key.verify_key).hex(), "type": kind, "body": body.decode(),
            "hash": hashlib.sha256(signed).hexdigest(), "json": json.dumps(document, separators=(",", ":"))}


def sealed_box(secret, ephemeral, plaintext):
    """crypto_box_seal with its ephemeral key given."""
    receiver, sender = nacl.public.PrivateKey(secret), nacl.public.PrivateKey(ephemeral)
    nonce = hashlib.blake2b(bytes(sender.public_key) + bytes(receiver.public_key), digest_size=24).digest()
    box = nacl.bindings.crypto_box(plaintext, nonce, bytes(receiver.public_key), ephemeral)
    return {"secret": secret.hex(), "public": bytes(receiver.public_key).hex(), "plaintext": plaintext.hex(),
            "sealed": text(bytes(sender.public_key) + box)}


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def p256(secret):
    return ec.derive_private_key(secret, ec.SECP256R1())


def coordinates(secret):
    numbers = p256(secret).public_key().public_numbers()
    return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")


def es256(secret, nonce, message):
    """ECDSA with its nonce given, as numbers; held against an implementation of others."""
    r = p256(nonce).public_key().public_numbers().x % ORDER
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    s = pow(nonce, -1, ORDER) * (digest + r * secret) % ORDER
    p256(secret).public_key().verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    return r, s


def p256_envelope(what, taken, x, y, r, s, kind, body, key_id=None):
    document = {"payloadType": kind, "payload": text(body),
                "signatures": [{"keyid": key_id or hashlib.sha256(b"\4" + x + y).hexdigest(),
                                "sig": text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}]}
    return {"what": what, "taken": taken, "jwk": {"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)},
            "id": hashlib.sha256(b"\4" + x + y).hexdigest(), "type": kind, "body": body.decode(),
            "hash": hashlib.sha256(pre_authentication_encoding(kind.encode(), body)).hexdigest(),
            "json": json.dumps(document, separators=(",", ":"))}


def p256_envelopes():
    secret, kind, body = 0x1234567890ABCDEF << 128, "application/vnd.zkv.request+json", b'{"volumes":["tank/home"]}'
    x, y = coordinates(secret)
    r, s = es256(secret, 0xFEDCBA09 << 200, pre_authentication_encoding(kind.encode(), body))
    ed25519 = bytes(nacl.signing.SigningKey(counted(0)).verify_key)

    def one(what, taken, x=x, y=y, r=r, s=s, body=body, key_id=None):
        return p256_envelope(what, taken, x, y, r, s, kind, body, key_id)

    return [
        one("signed", True),
        one("signed, with s as n - s", True, s=ORDER - s),
        one("r is zero", False, r=0),
        one("s is zero", False, s=0),
        one("r and s are zero", False, r=0, s=0),
        one("r is the order", False, r=ORDER),
        one("s is the order", False, s=ORDER),
        one("s and the order together", False, s=s + ORDER if s + ORDER < 1 << 256 else (1 << 256) - 1),
        one("r and s changed about", False, r=s, s=r),
        one("another body", False, body=body + b" "),
        one("called by another key's id", False, key_id="00" * 32),
        one("another key", False, *coordinates(3)),
        one("the point's mirror image", False, y=(2**256 - 2**224 + 2**192 + 2**96 - 1 - int.from_bytes(y, "big")).to_bytes(32, "big")),
        one("a point off the curve", False, y=x),
        one("the point of zeros", False, x=bytes(32), y=bytes(32)),
        one("a coordinate beyond the field", False, x=b"\xff" * 32),
        one("an Ed25519 key that is called P-256", False, x=ed25519, y=ed25519),
    ]


VECTORS = {
    "envelopes": [
        envelope(counted(0), "application/vnd.zkv.gateway+json", b'{"name":"home","time":1795000000000}'),
        envelope(counted(100), "application/vnd.zkv.request+json", '{"volumes":["tank/é"]}'.encode()),
        envelope(counted(7), "application/vnd.zkv.word+json", b""),
    ],
    "p256": p256_envelopes(),
    "boxes": [sealed_box(counted(1), counted(50), counted(200)), sealed_box(counted(2), counted(60), b"")],
}

if __name__ == "__main__":
    target = pathlib.Path(__file__).with_name("protocol") / "v2.json"
    target.write_text(json.dumps(VECTORS, indent=1) + "\n", encoding="utf-8")
