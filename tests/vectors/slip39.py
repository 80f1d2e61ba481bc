"""A second implementation of SLIP-0039 (https://github.com/satoshilabs/slips/blob/master/slip-0039.md) for shares in one group: words to secret."""

import hashlib
import hmac
import pathlib
import re

LIST = pathlib.Path(__file__).resolve().parent.parent.parent / "src" / "recovery" / "word_list.cpp"
WORDS = re.findall(r'"([a-z]{4,8})"', LIST.read_text())
LIST_SHA256 = "bcc4555340332d169718aed8bf31dd9d5248cb7da6e5d355140ef4f1e601eec3"  # of the standard's file
assert hashlib.sha256(("\n".join(WORDS) + "\n").encode()).hexdigest() == LIST_SHA256

GENERATOR = (0xE0E040, 0x1C1C080, 0x3838100, 0x7070200, 0xE0E0009, 0x1C0C2412, 0x38086C24, 0x3090FC48, 0x21B1F890, 0x3F3F120)

EXP, LOG = [], {}
element = 1
for power in range(255):
    EXP.append(element)
    LOG[element] = power
    doubled = element << 1
    element ^= doubled ^ (0x11B if doubled > 255 else 0)


def checksum(values):
    remainder = 1
    for value in values:
        top, remainder = remainder >> 20, (remainder & 0xFFFFF) << 10 ^ value
        for bit, factor in enumerate(GENERATOR):
            remainder ^= factor if top >> bit & 1 else 0
    return remainder


def read(text):
    """(identifier, extendable, exponent, index, threshold, value) of one share."""
    numbers = [WORDS.index(word) for word in text.split()]
    bits = "".join(f"{number:010b}" for number in numbers)
    identifier, extendable, exponent = int(bits[:15], 2), bits[15] == "1", int(bits[16:20], 2)
    assert checksum([*(b"shamir_extendable" if extendable else b"shamir"), *numbers]) == 1
    assert bits[20:32] == "0" * 12, "one group"
    value = bits[40:-30]
    padding = len(value) % 16
    assert "1" not in value[:padding]
    return identifier, extendable, exponent, int(bits[32:36], 2), int(bits[36:40], 2) + 1, int(value[padding:], 2).to_bytes(len(value) // 8 - (padding >= 8), "big")


def interpolate(points, x):
    out = bytearray(len(points[0][1]))
    for own, value in points:
        if own == x:
            return value
        weight = sum(LOG[x ^ other] - LOG[own ^ other] for other, _ in points if other != own)
        for i, byte in enumerate(value):
            out[i] ^= EXP[(LOG[byte] + weight) % 255] if byte else 0
    return bytes(out)


def join(texts, passphrase=b""):
    shares = [read(text) for text in texts]
    (identifier, extendable, exponent, _, threshold, _), = {(*share[:3], 0, share[4], 0) for share in shares}
    assert len(shares) == threshold
    points = [(share[3], share[5]) for share in shares]
    secret = points[0][1]
    if threshold > 1:
        secret, digest = interpolate(points, 255), interpolate(points, 254)
        assert hmac.digest(digest[4:], secret, "sha256")[:4] == digest[:4]
    left, right = secret[: len(secret) // 2], secret[len(secret) // 2 :]
    salt = b"" if extendable else b"shamir" + identifier.to_bytes(2, "big")
    for step in (3, 2, 1, 0):
        mixed = hashlib.pbkdf2_hmac("sha256", bytes([step]) + passphrase, salt + right, 2500 << exponent, len(right))
        left, right = right, bytes(a ^ b for a, b in zip(left, mixed))
    return right + left
