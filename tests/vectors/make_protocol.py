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


VECTORS = {
    "envelopes": [
        envelope(counted(0), "application/vnd.zkv.gateway+json", b'{"name":"home","time":1795000000000}'),
        envelope(counted(100), "application/vnd.zkv.request+json", '{"volumes":["tank/é"]}'.encode()),
        envelope(counted(7), "application/vnd.zkv.word+json", b""),
    ],
    "boxes": [sealed_box(counted(1), counted(50), counted(200)), sealed_box(counted(2), counted(60), b"")],
}

if __name__ == "__main__":
    target = pathlib.Path(__file__).with_name("protocol") / "v2.json"
    target.write_text(json.dumps(VECTORS, indent=1) + "\n", encoding="utf-8")
