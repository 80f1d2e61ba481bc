#!/usr/bin/python3
"""A second implementation of docs/repository-format.md, written from that page: reads both formats, writes version 2.

As a program: reader.py FILE KEY prints the volumes as JSON lines, or ends with 1 and the reason.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from argon2.low_level import Type, hash_secret_raw
from cryptography.fernet import Fernet, InvalidToken
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_seal
from nacl.exceptions import CryptoError

MAGIC = bytes.fromhex("895a4b560d0a1a0a")
VERSION = 2
RECOVERY, CLASSIC, PASSPHRASE, GATEWAY = 1, 2, 3, 4
WORDS = {RECOVERY: "recovery", CLASSIC: "classic", PASSPHRASE: "passphrase"}
LATEST = 253402300799999
SETTINGS = {4: "device", 5: "mountpoint", 6: "options", 7: "program"}
DERIVED = 8
NEXT_KEY = 9


class Refused(Exception):
    """The file does not open; the first word says why: corrupt, wrong-key or unsupported."""


class Bytes:
    """Takes bytes from the front."""

    def __init__(self, rest):
        self.rest = rest

    def take(self, size):
        if size > len(self.rest):
            raise Refused("corrupt: cut off")
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def record(self):
        before = self.rest
        tag = self.number(2)
        value = self.take(self.number(4))
        return tag, value, before[: len(before) - len(self.rest)]


def hkdf(key, salt, info):
    pseudorandom = hmac.new(salt, key, hashlib.sha256).digest()
    return hmac.new(pseudorandom, (info if isinstance(info, bytes) else info.encode()) + b"\x01", hashlib.sha256).digest()


def key_bytes(key):
    """The 32 bytes of a 44-character key, or None."""
    text = key.strip()
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        return None
    return raw if len(text) == 44 and len(raw) == 32 else None


def read_slot(source):
    slot = {}
    before = source.rest
    slot["id"], slot["type"], slot["created"] = source.number(4), source.number(2), source.number(8)
    slot["label"] = source.take(source.number(2))
    slot["parameters"] = source.take(source.number(2))
    slot["head"] = before[: len(before) - len(source.rest)]
    slot["wrapped"] = source.take(source.number(2))
    if slot["created"] > LATEST or len(slot["label"]) > 255:
        raise Refused("corrupt: slot")
    return slot


def stretch(slot, passphrase):
    source = Bytes(slot["parameters"])
    (salt_tag, salt, _), (pass_tag, passes, _), (memory_tag, memory, _) = (source.record() for _ in range(3))
    if (salt_tag, pass_tag, memory_tag) != (1, 2, 3) or source.rest or (len(salt), len(passes), len(memory)) != (16, 4, 4):
        raise Refused("corrupt: passphrase parameters")
    passes, memory = int.from_bytes(passes, "little"), int.from_bytes(memory, "little")
    if not 1 <= passes <= 64 or not 8 <= memory <= 1 << 20 or passes * (memory // 1024) > 8192:
        raise Refused("corrupt: unbearable cost")
    return hash_secret_raw(passphrase, salt, passes, memory, 1, 32, Type.ID)


def gateway_id(slot):
    """None unless the parameters are those of a gateway slot."""
    try:
        source = Bytes(slot["parameters"])
        tag, value, _ = source.record()
    except Refused:
        return None
    return value if tag == 1 and len(value) == 32 and not source.rest else None


def wrapping_key(slot, repository, key):
    if slot["type"] == GATEWAY:
        gateway = gateway_id(slot)
        return hkdf(key, repository, b"zkv repository 2 gateway slot" + gateway) if gateway and len(key) == 64 else None
    material = stretch(slot, key) if slot["type"] == PASSPHRASE else key_bytes(key)
    if material is None:
        return None
    return hkdf(material, repository, f"zkv repository 2 {WORDS[slot['type']]} slot")


def slot_associated(repository, head):
    return MAGIC + struct.pack("<H", VERSION) + repository + head


def unwrap(slot, repository, key):
    wrapping = wrapping_key(slot, repository, key) if len(slot["wrapped"]) == 72 else None
    if wrapping is None:
        return None
    nonce, sealed = slot["wrapped"][:24], slot["wrapped"][24:]
    try:
        return aead_open(sealed, slot_associated(repository, slot["head"]), nonce, wrapping)
    except CryptoError:
        return None


def repository_key(slots, repository, key):
    quick = [slot for slot in slots if slot["type"] in (RECOVERY, CLASSIC, GATEWAY)]
    slow = [slot for slot in slots if slot["type"] == PASSPHRASE]
    for slot in quick + slow[:8]:
        found = unwrap(slot, repository, key)
        if found is not None:
            return found
    raise Refused("wrong-key: no slot opens")


def read_settings(source):
    """The settings at the front; what follows is kept by a writer and means nothing to a reader."""
    settings, last = {}, 3
    while source.rest:
        ahead = Bytes(source.rest)
        try:
            tag, value, _ = ahead.record()
        except Refused:
            break
        if not last < tag <= max(SETTINGS):
            break
        try:
            text = value.decode()
        except UnicodeDecodeError:
            raise Refused("corrupt: setting") from None
        if not 0 < len(value) <= 4096 or any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
            raise Refused("corrupt: setting")
        settings[SETTINGS[tag]], last, source.rest = text, tag, ahead.rest
    return settings


def take_if(source, wanted):
    """The value of the record at the front, if it has that tag; else None, and nothing is taken."""
    ahead = Bytes(source.rest)
    try:
        tag, value, _ = ahead.record()
    except Refused:
        return None
    if tag != wanted:
        return None
    source.rest = ahead.rest
    return value


def read_derived(source):
    """Salt, iterations and wrapping key that came from a passphrase; None where they do not stand at the front."""
    value = take_if(source, DERIVED)
    if value is None:
        return None
    if len(value) != 48:
        raise Refused("corrupt: derived key")
    return int.from_bytes(value[:8], "little"), int.from_bytes(value[8:16], "little"), value[16:]


def read_next_key(source):
    """The key that takes the place of the volume's own; None where no change was begun."""
    value = take_if(source, NEXT_KEY)
    if value == b"":
        raise Refused("corrupt: next key")
    return value


def read_volume(value):
    source = Bytes(value)
    (name_tag, name, _), (kind_tag, kind, _), (key_tag, key, _) = (source.record() for _ in range(3))
    if (name_tag, kind_tag, key_tag) != (1, 2, 3) or len(kind) != 2:
        raise Refused("corrupt: volume")
    settings = read_settings(source)
    derived = read_derived(source)
    return {"name": name, "kind": int.from_bytes(kind, "little"), "key": key, "settings": settings, "derived": derived,
            "next_key": read_next_key(source)}


def read_body(plaintext):
    source, volumes = Bytes(plaintext), []
    while source.rest:
        tag, value, _ = source.record()
        if tag == 1:
            volumes.append(read_volume(value))
    if len({volume["name"] for volume in volumes}) != len(volumes):
        raise Refused("corrupt: a name comes twice")
    return volumes


def read_version2(file, key):
    source = Bytes(file)
    source.take(8)
    if source.number(2) != VERSION:
        raise Refused("unsupported: format version")
    slot_number, slot_size = source.number(2), source.number(4)
    repository, _generation, written = source.take(16), source.number(8), source.number(8)
    slot_source = Bytes(source.take(slot_size))
    nonce, sealed = source.take(24), source.rest
    if slot_number > 64 or written > LATEST or len(sealed) < 16:
        raise Refused("corrupt: header")
    slots = [read_slot(slot_source) for _ in range(slot_number)]
    if slot_source.rest:
        raise Refused("corrupt: bytes after the slots")
    body_key = hkdf(repository_key(slots, repository, key), repository, "zkv repository 2 body")
    try:
        return read_body(aead_open(sealed, file[: 48 + slot_size], nonce, body_key))
    except CryptoError:
        raise Refused("corrupt: body") from None


def read_seed(file, key):
    if key_bytes(key) is None:
        raise Refused("wrong-key: not 44 characters")
    try:
        plaintext = Fernet(key.strip()).decrypt(file.strip())
    except InvalidToken:
        raise Refused("wrong-key: Fernet") from None
    try:
        entries = json.loads(plaintext)
    except ValueError:
        raise Refused("corrupt: JSON") from None
    if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
        raise Refused("corrupt: not an object of strings")
    return [{"name": name.encode("utf-8", "surrogateescape"), "kind": 1, "key": value.encode("utf-8", "surrogateescape"), "settings": {}}
            for name, value in entries.items()]


def read(file, key):
    """The volumes of a repository: dicts of name (bytes), kind (number), key (bytes) and settings (words to text). Raises Refused."""
    if file.startswith(MAGIC):
        return read_version2(file, key)
    if file.startswith(b"gAAA"):
        return read_seed(file, key)
    raise Refused("corrupt: no repository")


def record(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


def volume_record(name, key, kind=1, more=b""):
    return record(1, record(1, name) + record(2, struct.pack("<H", kind)) + record(3, key) + more)


def write_slot(repository, repository_key_, draw, number, slot_type, key, label=b"", cost=(1, 64), gateway=None):
    parameters = record(1, gateway) if gateway else b""
    if slot_type == PASSPHRASE:
        parameters = record(1, draw(16)) + record(2, struct.pack("<I", cost[0])) + record(3, struct.pack("<I", cost[1]))
    head = struct.pack("<IHQH", number, slot_type, 1772000000000, len(label)) + label
    head += struct.pack("<H", len(parameters)) + parameters
    nonce = draw(24)
    if slot_type in WORDS or gateway:
        wrapping = wrapping_key({"type": slot_type, "parameters": parameters}, repository, key)
        wrapped = nonce + aead_seal(repository_key_, slot_associated(repository, head), nonce, wrapping)
    else:
        wrapped = draw(100)
    return head + struct.pack("<H", len(wrapped)) + wrapped


def write(plaintext, slots, draw, generation=1):
    """A version 2 file around `plaintext` (records). `slots`: keyword arguments for write_slot; `draw(n)` gives n bytes."""
    repository, secret = draw(16), draw(32)
    written = b"".join(write_slot(repository, secret, draw, number, **slot) for number, slot in enumerate(slots, 1))
    head = MAGIC + struct.pack("<HHI", VERSION, len(slots), len(written)) + repository
    head += struct.pack("<QQ", generation, 1772000000000) + written
    nonce = draw(24)
    return head + nonce + aead_seal(plaintext, head, nonce, hkdf(secret, repository, "zkv repository 2 body"))


def main():
    with open(sys.argv[1], "rb") as source:
        file = source.read()
    try:
        volumes = read(file, sys.argv[2].encode())
    except Refused as refused:
        sys.exit(str(refused))
    for volume in volumes:
        print(json.dumps({"name": volume["name"].decode("utf-8", "surrogateescape"), "kind": volume["kind"],
                          "key_hex": volume["key"].hex(), **volume["settings"]}))


if __name__ == "__main__":
    main()
