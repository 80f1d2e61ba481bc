"""Makes a BitLocker volume in a file, of what a filesystem's image holds.

Written from the layout that libbde documents ("BitLocker Drive Encryption (BDE) format"): version 2 of the metadata, AES-XTS
with 128 bits, protectors for a passphrase, for a recovery key and for a startup key. Real Windows was not asked.
"""

import hashlib
import os
import struct
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

SECTOR = 512
METADATA_SIZE = 64 << 10
MOVED_SIZE = 8 << 10          # so many bytes from the beginning lie elsewhere, to make room for the boot sector
ROUNDS = 1 << 20
IDENTIFIER = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
AES_XTS_128, AES_CCM_256 = 0x8004, 0x2002
ENTRY_PROPERTY, ENTRY_VMK, ENTRY_FVEK, ENTRY_STARTUP_KEY, ENTRY_DESCRIPTION, ENTRY_VOLUME_HEADER = 0, 2, 3, 6, 7, 15
VALUE_KEY, VALUE_STRING, VALUE_STRETCH_KEY, VALUE_ENCRYPTED_KEY, VALUE_VMK, VALUE_EXTERNAL_KEY, VALUE_OFFSET_SIZE = 1, 2, 3, 5, 8, 9, 15
PROTECTED_BY_NOTHING, PROTECTED_BY_STARTUP_KEY, PROTECTED_BY_RECOVERY_KEY, PROTECTED_BY_PASSPHRASE = 0, 0x0200, 0x0800, 0x2000
FILETIME = 133_000_000_000_000_000


def recovery_key(secret):
    """The 48 digits that stand for 16 bytes."""
    return "-".join(f"{11 * part:06}" for part in struct.unpack("<8H", secret))


def startup_key():
    """The bytes of a .BEK file."""
    named = os.urandom(16)
    described = _entry(ENTRY_PROPERTY, VALUE_STRING, "ExternalKey\0".encode("utf-16-le"))
    key = _entry(ENTRY_PROPERTY, VALUE_KEY, struct.pack("<I", AES_CCM_256) + os.urandom(32))
    entry = _entry(ENTRY_STARTUP_KEY, VALUE_EXTERNAL_KEY, named + struct.pack("<Q", FILETIME) + described + key)
    return _header(named, 0, entry)


def make(path, filesystem, passphrase=None, recovery=None, startup=None, is_suspended=False):
    """Writes `path`: the bytes of `filesystem`, which must use nothing between its middle and its end, opened by `passphrase` (text),
    by the recovery key that stands for `recovery` (16 bytes), or by `startup` (a startup_key()). One that `is_suspended` has the key
    to its key in the clear."""
    size = len(filesystem)
    metadata = [size // 2 + place for place in (0, 2 * METADATA_SIZE, 4 * METADATA_SIZE)]
    moved = metadata[0] + METADATA_SIZE
    sector_key, volume_key = os.urandom(32), os.urandom(32)
    protectors = _clear_protector(volume_key) if is_suspended else b""
    if passphrase:
        protectors += _protector(PROTECTED_BY_PASSPHRASE, _hash(_hash(passphrase.encode("utf-16-le"))), volume_key)
    if recovery:
        protectors += _protector(PROTECTED_BY_RECOVERY_KEY, _hash(recovery), volume_key)
    if startup:
        protectors += _wrapped(PROTECTED_BY_STARTUP_KEY, b"", _sealed(startup[-32:], volume_key), startup[16:32])
    entries = (_entry(ENTRY_DESCRIPTION, VALUE_STRING, "made by a test\0".encode("utf-16-le")) + protectors
               + _entry(ENTRY_FVEK, VALUE_ENCRYPTED_KEY, _sealed(volume_key, sector_key))
               + _entry(ENTRY_VOLUME_HEADER, VALUE_OFFSET_SIZE, struct.pack("<QQ", moved, MOVED_SIZE)))
    block = _metadata(size, metadata, moved, entries)
    image = bytearray(_encrypted(sector_key, filesystem, 0))
    image[moved:moved + MOVED_SIZE] = _encrypted(sector_key, filesystem[:MOVED_SIZE], moved // SECTOR)
    image[:MOVED_SIZE] = _boot_sector(size, metadata).ljust(MOVED_SIZE, b"\0")
    for place in metadata:
        image[place:place + METADATA_SIZE] = block
    with open(path, "wb") as file:
        file.write(image)


def _hash(data):
    return hashlib.sha256(data).digest()


def _stretched(initial, salt):
    last = bytes(32)
    for count in range(ROUNDS):
        last = _hash(last + initial + salt + struct.pack("<Q", count))
    return last


def _entry(kind, value, content):
    return struct.pack("<4H", 8 + len(content), kind, value, 1) + content


def _sealed(key, secret):
    plain = struct.pack("<IHHI", 12 + len(secret), 1, 0, AES_XTS_128) + secret
    nonce = os.urandom(12)
    sealed = AESCCM(key, tag_length=16).encrypt(nonce, plain, None)
    return nonce + sealed[-16:] + sealed[:-16]


def _protector(kind, initial, volume_key):
    salt = os.urandom(16)
    parts = _entry(ENTRY_PROPERTY, VALUE_STRETCH_KEY, struct.pack("<I", 0x1000) + salt)
    return _wrapped(kind, parts, _sealed(_stretched(initial, salt), volume_key))


def _clear_protector(volume_key):
    key = os.urandom(32)
    return _wrapped(PROTECTED_BY_NOTHING, _entry(ENTRY_PROPERTY, VALUE_KEY, struct.pack("<I", AES_CCM_256) + key), _sealed(key, volume_key))


def _wrapped(kind, parts, sealed, named=None):
    parts += _entry(ENTRY_PROPERTY, VALUE_ENCRYPTED_KEY, sealed)
    return _entry(ENTRY_VMK, VALUE_VMK, (named or os.urandom(16)) + struct.pack("<QHH", FILETIME, 0, kind) + parts)


def _header(named, encryption, entries):
    size = 48 + len(entries)
    return struct.pack("<IIII16sIHHQ", size, 1, 48, size, named, 100, encryption, 0, FILETIME) + entries


def _metadata(volume_size, places, moved, entries):
    body = _header(os.urandom(16), AES_XTS_128, entries)
    units = (64 + len(body) + 15) // 16
    head = struct.pack("<8sHHHHQII3QQ", b"-FVE-FS-", units, 2, 4, 4, volume_size, 0, MOVED_SIZE // SECTOR, *places, moved)
    block = (head + body).ljust(16 * units, b"\0")
    return (block + struct.pack("<HHI", 8, 1, zlib.crc32(block))).ljust(METADATA_SIZE, b"\0")


def _boot_sector(size, places):
    sector = bytearray(SECTOR)
    sector[0:11] = b"\xeb\x58\x90-FVE-FS-"
    sector[11:14] = struct.pack("<HB", SECTOR, 8)
    sector[21] = 0xf8
    sector[40:48] = struct.pack("<Q", size // SECTOR)
    sector[160:200] = IDENTIFIER + struct.pack("<3Q", *places)
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def _encrypted(key, data, first):
    sectors = []
    for place in range(0, len(data), SECTOR):
        tweak = struct.pack("<QQ", first + place // SECTOR, 0)
        sectors.append(Cipher(algorithms.AES(key), modes.XTS(tweak)).encryptor().update(data[place:place + SECTOR]))
    return b"".join(sectors)
