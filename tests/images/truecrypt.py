"""Makes an empty TrueCrypt or VeraCrypt volume in a file, a hidden one in it, or a disk with system encryption.

Written from VeraCrypt's "Encryption Scheme" and "VeraCrypt Volume Format Specification": AES-XTS with 256 bits, PBKDF2 with SHA-512.
"""

import hashlib
import os
import struct
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HEADERS = 128 << 10          # the same at the end, for their backups
HIDDEN = 64 << 10            # where the hidden volume's header lies
SYSTEM = 62 * 512            # where the header of system encryption lies on its disk
POOL = 64
FLAG_SYSTEM = 1


def make(path, passphrase, size, pim=None, key_files=(), hidden=None):
    """Writes `path`. With `pim` it is VeraCrypt's, else TrueCrypt's. `key_files` are the bytes of key files; `hidden` is the
    passphrase of a hidden volume in the second half."""
    image = bytearray(os.urandom(size))
    headers = [(0, passphrase, HEADERS, size - 2 * HEADERS, 0, key_files)]
    if hidden:
        headers.append((HIDDEN, hidden, size // 2, size // 2 - HEADERS, size // 2 - HEADERS, ()))
    for place, words, begin, length, hidden_size, files in headers:
        keys = os.urandom(64)
        for copy in (place, size - HEADERS + place):
            image[copy:copy + 512] = _header(_mixed(words, files), keys, begin, length, hidden_size, pim)
    with open(path, "wb") as file:
        file.write(image)


def make_system(path, passphrase, size, begin, pim=None):
    """Writes `path`, a disk whose encrypted partition begins at `begin` and ends with the disk. The header lies before it."""
    image = bytearray(os.urandom(size))
    image[SYSTEM:SYSTEM + 512] = _header(passphrase, os.urandom(64), begin, size - begin, 0, pim, FLAG_SYSTEM)
    with open(path, "wb") as file:
        file.write(image)


def _mixed(passphrase, key_files):
    """The passphrase with the pool of the key files added to it."""
    pool = bytearray(POOL)
    for content in key_files:
        place, sum_so_far = 0, 0xffffffff
        for byte in content[:1 << 20]:
            sum_so_far = zlib.crc32(bytes([byte]), sum_so_far ^ 0xffffffff) ^ 0xffffffff
            for part in struct.pack(">I", sum_so_far):
                pool[place] = (pool[place] + part) % 256
                place = (place + 1) % POOL
    if not key_files:
        return passphrase
    return bytes((a + b) % 256 for a, b in zip(passphrase.ljust(POOL, b"\0"), pool))


def _header(passphrase, keys, begin, length, hidden_size, pim, flags=0):
    is_vera = pim is not None
    rounds = 15_000 + 1_000 * pim if is_vera else 1_000
    magic, version, program = (b"VERA", 5, 0x10b) if is_vera else (b"TRUE", 5, 0x700)
    area = keys.ljust(256, b"\0")
    head = struct.pack(">4sHHI16xQQQQII120x", magic, version, program, zlib.crc32(area), hidden_size, length, begin, length, flags, 512)
    head = head[:188] + struct.pack(">I", zlib.crc32(head[:188]))
    salt = os.urandom(64)
    key = hashlib.pbkdf2_hmac("sha512", passphrase, salt, rounds, 64)
    sealed = Cipher(algorithms.AES(key), modes.XTS(bytes(16))).encryptor().update(head + area)
    return salt + sealed
