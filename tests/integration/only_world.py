"""What a thief can try with one thing that was really taken, by ordinary cryptography alone: the attacks of the tests only_*.py.

Wants Debian's own Python, which has python3-nacl and python3-argon2.
"""

import base64
import binascii
import hashlib
import re
import sqlite3

import nacl.bindings as sodium
from nacl.exceptions import CryptoError

import repository_world  # noqa: F401  (finds the next one)
import reader
from enrolled_world import decode
from memory_scan import forms_of

KEY = 32
SHARE_OF = "zkv-host-"
TOKEN = re.compile(rb"[0-9A-Za-z+/_-]{20,}")
DEEPEST = 6


def files_of(folder, *without):
    """{path: bytes} of every file below `folder`, but for what lies in the folders `without`."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    kept = (path for path in paths if path.relative_to(folder).parts[0] not in without)
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def _readings(token):
    """What `token` may stand for: hexadecimal, and base64 of either alphabet with or without its padding."""
    for read in (binascii.unhexlify, lambda text: base64.b64decode(text + b"=" * (-len(text) % 4), b"-_" if {*b"-_"} & {*text} else b"+/", True)):
        try:
            yield read(token)
        except (ValueError, binascii.Error):
            continue


def decoded(data, depth=DEEPEST):
    """`data`, and all that is written in it in an encoding, and in that again; JSON's escapes are read as well."""
    found, last = {data}, {data}
    for _ in range(depth):
        plain = last | {blob.replace(rb"\/", b"/").replace(rb"\u003d", b"=") for blob in last}
        last = {read for blob in plain for token in TOKEN.findall(blob) for read in _readings(token)} - found
        found |= last
    return found


def everything_in(files):
    return set().union(*(decoded(data) for data in files.values()), *(decoded(name.encode()) for name in files))


def shown(blobs, secrets):
    """Those of `secrets` that stand in one of `blobs` in any form."""
    return [secret for secret in secrets if any(form in blob for form in forms_of(secret) for blob in blobs)]


def keys_in(blobs):
    """Every 32 bytes in a row: whatever in there may be a key is one of these."""
    return {blob[place:place + KEY] for blob in blobs for place in range(len(blob) - KEY + 1)}


def guesses(known):
    """What a lazy program might have made a share of, by what the thief has: nothing, the same again, hashes, mixes."""
    made = {bytes(KEY), b"\xff" * KEY}
    for one in known:
        made |= {one, one[::-1], hashlib.sha256(one).digest(), hashlib.blake2b(one, digest_size=KEY).digest(),
                 one.ljust(KEY, b"\0")[:KEY], one.rjust(KEY, b"\0")[-KEY:]}
    whole = [one for one in known if len(one) == KEY]
    return made | {bytes(a ^ b for a, b in zip(left, right)) for left in whole for right in whole}


class Repository:
    """A stolen repository file, which each method tries to open; the volumes' keys by their names, or None."""

    def __init__(self, file):
        source = reader.Bytes(file)
        source.take(10)
        number, size = source.number(2), source.number(4)
        self.id = source.take(16)
        source.take(16)
        slots = reader.Bytes(source.take(size))
        self.slots = [reader.read_slot(slots) for _ in range(number)]
        self.gateway_slots = [slot for slot in self.slots if slot["type"] == reader.GATEWAY]
        self.head, self.nonce, self.sealed = file[:48 + size], source.take(24), source.rest

    def by_repository_key(self, key):
        try:
            plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                self.sealed, self.head, self.nonce, reader.hkdf(key, self.id, "zkv repository 2 body"))
        except CryptoError:
            return None
        return {volume["name"].decode(): volume["key"] for volume in reader.read_body(plain)}

    def key_under(self, slot, wrapping):
        """The repository key, if this is the slot's wrapping key."""
        wrapped = slot["wrapped"]
        try:
            return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                wrapped[24:], reader.slot_associated(self.id, slot["head"]), wrapped[:24], wrapping)
        except CryptoError:
            return None

    def by_wrapping_key(self, slot, wrapping):
        key = self.key_under(slot, wrapping)
        return None if key is None else self.by_repository_key(key)

    def by_shares(self, vault, local):
        for slot in self.gateway_slots:
            opened = self.by_wrapping_key(slot, reader.wrapping_key(slot, self.id, vault + local))
            if opened is not None:
                return opened
        return None

    def by_key(self, key):
        """As the repository key, as any slot's wrapping key, and as what a person would type."""
        opened = self.by_repository_key(key)
        for slot in self.slots if opened is None else ():
            typed = reader.wrapping_key(slot, self.id, base64.urlsafe_b64encode(key)) if slot["type"] in reader.WORDS else key
            for wrapping in {key, typed}:
                opened = self.by_wrapping_key(slot, wrapping) if opened is None else opened
        return opened

    def by_any(self, keys, halves):
        """With each of `keys` alone, and beside each of `halves` as the other share, in either order."""
        for key in keys:
            tries = (self.by_key(key), *(self.by_shares(*pair) for half in halves for pair in ((key, half), (half, key))))
            for opened in tries:
                if opened is not None:
                    return opened
        return None


def rows_of(database):
    """Every value of every table, as bytes."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in connection.execute(f'SELECT * FROM "{table}"')]
    connection.close()
    return {str(value).encode() for row in rows for value in row}


def vault_of(database, keys):
    """{name: value} of those secrets of an embedded vault that one of `keys` opens."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT name, sealed FROM zkv_secret").fetchall()
    connection.close()
    opened = {}
    for name, sealed in ((name, bytes.fromhex(sealed)) for name, sealed in rows):
        for key in keys:
            try:
                opened[name] = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                    sealed[24:], b"zfs-keyvault embedded vault 1:" + name.encode(), sealed[:24], key)
            except CryptoError:
                continue
    return opened


def vault_share(gateway, host):
    """The share of the host with this id, by whoever has the whole data directory of the gateway."""
    vault = vault_of(gateway.data / "gateway.db", [(gateway.data / "master.key").read_bytes()])
    return decode(vault[SHARE_OF + host].decode())


def open_box(box, recipient, keys):
    """What is in a sealed box to the public key `recipient`, if one of `keys` is its secret half; else None."""
    for key in keys:
        if sodium.crypto_scalarmult_base(key) == recipient:
            return sodium.crypto_box_seal_open(box, recipient, key)
    return None
