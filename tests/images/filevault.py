"""Makes a FileVault 2 volume in a file, of what a filesystem's image holds.

Written from the layout that libfvde documents ("FileVault Drive Encryption (FVDE) format"), as far as libcryptsetup reads it: volume
header, disk label, encrypted metadata with the keys, one logical volume with AES-XTS and 128 bits. macOS was not asked.
"""

import base64
import hashlib
import os
import struct
import uuid

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

SECTOR = 512
BLOCK = 4096
METADATA_BLOCK = 8192
LABEL, METADATA, VOLUME = 16, 64, 256       # where they begin, in blocks
METADATA_BLOCKS = 3
DESCRIPTOR = 256                            # of the volume groups, in bytes from the disk label's beginning
ROUNDS = 20_000


def make(path, filesystem, passphrase):
    """Writes `path`: the bytes of `filesystem`, opened by `passphrase` (bytes)."""
    key_data, physical, family = os.urandom(16), os.urandom(16), uuid.uuid4()
    kek, volume_key, salt = os.urandom(16), os.urandom(16), os.urandom(16)
    wrapped_kek = aes_key_wrap(hashlib.pbkdf2_hmac("sha256", passphrase, salt, ROUNDS, 16), kek)
    image = bytearray(VOLUME * BLOCK)
    image[:SECTOR] = _volume_header(len(image) + len(filesystem), key_data, physical)
    image[LABEL * BLOCK:LABEL * BLOCK + METADATA_BLOCK] = _disk_label()
    for number, block in enumerate((_keys(salt, wrapped_kek, aes_key_wrap(kek, volume_key)), _family(family, len(filesystem)), _place())):
        start = METADATA * BLOCK + number * METADATA_BLOCK
        image[start:start + METADATA_BLOCK] = _xts(key_data + physical, number, block)
    second = hashlib.sha256(volume_key + family.bytes).digest()[:16]
    with open(path, "wb") as file:
        file.write(image)
        for place in range(0, len(filesystem), SECTOR):
            file.write(_xts(volume_key + second, place // SECTOR, filesystem[place:place + SECTOR]))


def _xts(key, number, data):
    return Cipher(algorithms.AES(key), modes.XTS(struct.pack("<QQ", number, 0))).encryptor().update(data)


def _volume_header(size, key_data, physical):
    head = struct.pack("<HH52xQ16x", 1, 0x10, size) + b"CS" + struct.pack("<I2xIIQ3Q32xII", 1, BLOCK, 8 * METADATA_BLOCK, LABEL,
                                                                         LABEL, LABEL, LABEL, 16, 2)
    return _summed((head + key_data + bytes(112) + physical).ljust(SECTOR - 8, b"\0"))


def _disk_label():
    block = bytearray(_block(0x11, b""))
    block[220:224] = struct.pack("<I", DESCRIPTOR)
    block[DESCRIPTOR:DESCRIPTOR + 40] = struct.pack("<8xQ16xQ", METADATA_BLOCKS, METADATA)
    return _summed(bytes(block[8:]))


def _keys(salt, wrapped_kek, wrapped_key):
    by_passphrase = (struct.pack("<II", 3, 16) + salt + struct.pack("<II", 0x10, 24) + wrapped_kek + bytes(112)
                     + struct.pack("<I", ROUNDS)).ljust(284, b"\0")
    by_kek = (struct.pack("<II", 0x10, 24) + wrapped_key).ljust(256, b"\0")
    text = (f"<dict><key>PassphraseWrappedKEKStruct</key><data ID=\"1\">{_base64(by_passphrase)}</data>"
            f"<key>KEKWrappedVolumeKeyStruct</key><data ID=\"2\">{_base64(by_kek)}</data></dict>")
    return _block(0x19, struct.pack("<40xIIII", len(text), len(text), 256, len(text)), text)


def _family(family, size):
    text = (f"<dict><key>com.apple.corestorage.lv.familyUUID</key><string>{str(family).upper()}</string>"
            f"<key>com.apple.corestorage.lv.size</key><integer size=\"64\">{size:#x}</integer></dict>")
    return _block(0x1a, struct.pack("<64xII", 256, len(text)), text)


def _place():
    return _block(0x305, struct.pack("<I36xI", 1, VOLUME))


def _block(kind, fields, text=""):
    head = struct.pack("<HH20xQ8xI12x", 1, kind, 0, METADATA_BLOCK)
    return _summed(((head + fields).ljust(256 - 8, b"\0") + text.encode()).ljust(METADATA_BLOCK - 8, b"\0"))


def _summed(body):
    """With the CRC-32C over `body` before it, and that sum's seed."""
    total = 0xffffffff
    for byte in body:
        total ^= byte
        for _ in range(8):
            total = total >> 1 ^ (0x82f63b78 if total & 1 else 0)
    return struct.pack("<II", total, 0xffffffff) + body


def _base64(data):
    return base64.b64encode(data).decode()
