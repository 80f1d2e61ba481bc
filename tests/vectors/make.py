#!/usr/bin/python3
"""Makes the files of tests/vectors/repository/ again, bit by bit the same, with the second implementation (reader.py)."""

import base64
import hashlib
import json
import pathlib
import struct

import reader
from cryptography.fernet import Fernet

FOLDER = pathlib.Path(__file__).parent / "repository"
RECOVERY_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"recovery").digest())
CLASSIC_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"classic").digest())
OTHER_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"other").digest())
PASSPHRASE = "correct horse – battery".encode()


def drawer(seed):
    """Bytes that look random and are the same at each run."""
    stream = hashlib.shake_256(seed.encode()).digest(100_000)
    place = 0

    def draw(size):
        nonlocal place
        place += size
        return stream[place - size : place]

    return draw


def outcome(opens_with=(), refused=(), volumes=()):
    return {
        "opens_with": [key.decode() for key in opens_with],
        "refused": [{"key": key.decode(), "why": why} for key, why in refused],
        "volumes": [{"name": name.decode(), "kind": kind, "key_hex": key.hex(), **dict(*settings)}
                    for name, kind, key, *settings in volumes],
    }


def body(volumes):
    return b"".join(reader.volume_record(name, key, kind) for name, kind, key in volumes)


VOLUMES = ((b"tank/home", 1, b"a passphrase"), ("tank/f\u00f6to".encode(), 1, bytes(range(32))),
           (b"tank/hex", 1, b"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"))
RECOVERY_SLOT = {"slot_type": 1, "key": RECOVERY_KEY}
CLASSIC_SLOT = {"slot_type": 2, "key": CLASSIC_KEY, "label": b"seed"}
PASSPHRASE_SLOT = {"slot_type": 3, "key": PASSPHRASE, "label": b"mine", "cost": (2, 256)}
SHARES = b"the vault share: 32 bytes of it." + b"the local share, as many as that"
GATEWAY_SLOT = {"slot_type": 4, "key": SHARES, "label": b"home", "gateway": hashlib.sha256(b"gateway").digest()}
UNKNOWN_SLOT = {"slot_type": 4, "key": b"", "label": b"gateway.example"}


def flipped(file, place):
    return file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]


def sound_files():
    sound = reader.write(body(VOLUMES), [RECOVERY_SLOT, CLASSIC_SLOT, PASSPHRASE_SLOT, UNKNOWN_SLOT], drawer("all"), 7)
    every = [RECOVERY_KEY, CLASSIC_KEY, PASSPHRASE]
    yield "all-slots", sound, outcome(every, [(OTHER_KEY, "wrong-key"), (b"x", "wrong-key")], VOLUMES)
    gateway = reader.write(body(VOLUMES), [RECOVERY_SLOT, GATEWAY_SLOT], drawer("gateway"), 3)
    swapped = SHARES[32:] + SHARES[:32]
    yield "gateway-slot", gateway, outcome([SHARES, RECOVERY_KEY], [
        (swapped, "wrong-key"), (SHARES[:32], "wrong-key"), (SHARES[:-1] + b"!", "wrong-key")], VOLUMES)
    yield "empty", reader.write(b"", [RECOVERY_SLOT], drawer("empty")), outcome([RECOVERY_KEY])
    no_slots = reader.write(body(VOLUMES), [], drawer("none"))
    yield "no-slots", no_slots, outcome(refused=[(RECOVERY_KEY, "wrong-key")])
    later = reader.volume_record(b"tank/a", b"one", 1, reader.record(99, b"later")) + reader.record(500, b"later still")
    later += reader.volume_record(b"crypt", b"two", 9)
    file = reader.write(later, [RECOVERY_SLOT], drawer("later"))
    yield "unknown-tags", file, outcome([RECOVERY_KEY], volumes=[(b"tank/a", 1, b"one"), (b"crypt", 9, b"two")])
    yield "settings", reader.write(with_settings(), [RECOVERY_SLOT], drawer("settings")), outcome([RECOVERY_KEY], volumes=[
        (b"data", 2, bytes(range(256)), {"device": "UUID=9d9a1f4c-2f7e-4c37-9a0e-7f1f7b1a0c55", "mountpoint": "/srv/d\u00e4ta",
                                         "options": "discard,header=/etc/data.header"}),
        (b"bare", 2, b"a passphrase", {"device": "/dev/vdb"}), (b"tank/a", 1, b"one"), (b"later", 2, b"two", {"device": "/dev/vdc"})])
    derived = reader.record(reader.DERIVED, struct.pack("<QQ", 81985529216486895, 350000) + bytes(range(32)))
    file = reader.write(reader.volume_record(b"tank/a", b"a passphrase", 1, derived), [RECOVERY_SLOT], drawer("derived"))
    yield "derived-key", file, outcome([RECOVERY_KEY], volumes=[(b"tank/a", 1, b"a passphrase")])
    following = reader.record(reader.NEXT_KEY, bytes(range(32))) + reader.record(99, b"later")
    changing = reader.volume_record(b"tank/a", b"old key", 1, following) + reader.volume_record(b"data", b"old key", 2, settings(device="/dev/vdb") + following)
    yield "next-key", reader.write(changing, [RECOVERY_SLOT], drawer("next")), outcome([RECOVERY_KEY], volumes=[
        (b"tank/a", 1, b"old key"), (b"data", 2, b"old key", {"device": "/dev/vdb"})])
    yield "program-and-secret", reader.write(with_program(), [RECOVERY_SLOT], drawer("program")), outcome([RECOVERY_KEY], volumes=[
        (b"photos", 7, b"a passphrase", {"device": "/srv/.photos", "mountpoint": "/srv/photos", "program": "/usr/lib/zkv/loaders/gocryptfs"}),
        (b"token", 8, b"\0\1", {"mountpoint": "/run/secrets/token", "options": "owner=www-data,mode=0400"})])
    seed = Fernet(CLASSIC_KEY)._encrypt_from_parts(
        json.dumps({"tank/f\u00f6to": "\"q\" \u20ac \U0001f600", "tank/b": "two"}).encode(), 1772000000, drawer("iv")(16))
    yield "seed", seed, outcome([CLASSIC_KEY], [(OTHER_KEY, "wrong-key")], [
        ("tank/f\u00f6to".encode(), 1, "\"q\" \u20ac \U0001f600".encode()), (b"tank/b", 1, b"two")])


def settings(**texts):
    numbers = {word: tag for tag, word in reader.SETTINGS.items()}
    return b"".join(reader.record(numbers[word], text.encode()) for word, text in texts.items())


def with_settings():
    """Volumes with all settings, with one, with none, and with one that stands behind what nobody knows."""
    yes = settings(device="UUID=9d9a1f4c-2f7e-4c37-9a0e-7f1f7b1a0c55", mountpoint="/srv/d\u00e4ta", options="discard,header=/etc/data.header")
    late = settings(device="/dev/vdc") + reader.record(99, b"later") + settings(options="discard")
    return (reader.volume_record(b"data", bytes(range(256)), 2, yes) + reader.volume_record(b"bare", b"a passphrase", 2, settings(device="/dev/vdb"))
            + reader.volume_record(b"tank/a", b"one") + reader.volume_record(b"later", b"two", 2, late))


def with_program():
    """A volume that a program opens, and a secret."""
    photos = settings(device="/srv/.photos", mountpoint="/srv/photos", program="/usr/lib/zkv/loaders/gocryptfs")
    return (reader.volume_record(b"photos", b"a passphrase", 7, photos)
            + reader.volume_record(b"token", b"\0\1", 8, settings(mountpoint="/run/secrets/token", options="owner=www-data,mode=0400")))


def hostile_files():
    sound = reader.write(body(VOLUMES), [RECOVERY_SLOT, CLASSIC_SLOT], drawer("hostile"), 7)
    slots = struct.unpack_from("<I", sound, 12)[0]
    corrupt = outcome(refused=[(RECOVERY_KEY, "corrupt")])
    yield "bad-magic", flipped(sound, 0), corrupt
    yield "later-version", flipped(sound, 8), outcome(refused=[(RECOVERY_KEY, "unsupported")])
    yield "flipped-generation", flipped(sound, 32), corrupt
    yield "flipped-id", flipped(sound, 16), outcome(refused=[(RECOVERY_KEY, "wrong-key")])
    yield "flipped-other-slot", flipped(sound, 48 + slots - 1), corrupt
    yield "flipped-own-slot", flipped(sound, 48 + 24), outcome(refused=[(RECOVERY_KEY, "wrong-key")])
    yield "flipped-body", flipped(sound, len(sound) - 20), corrupt
    yield "cut-off", sound[:-1], corrupt
    yield "too-long", sound + b"\0", corrupt
    yield "name-twice", reader.write(body(VOLUMES + VOLUMES[:1]), [RECOVERY_SLOT], drawer("twice")), corrupt
    for name, text in (("empty-setting", ""), ("setting-with-a-control-character", "/dev/vdb\n"), ("overlong-setting", "x" * 4097)):
        file = reader.write(reader.volume_record(b"data", b"key", 2, settings(device=text)), [RECOVERY_SLOT], drawer(name))
        yield name, file, corrupt
    short = reader.volume_record(b"tank/a", b"a passphrase", 1, reader.record(reader.DERIVED, bytes(47)))
    yield "short-derived-key", reader.write(short, [RECOVERY_SLOT], drawer("short derived")), corrupt
    hollow = reader.volume_record(b"tank/a", b"old key", 1, reader.record(reader.NEXT_KEY, b""))
    yield "empty-next-key", reader.write(hollow, [RECOVERY_SLOT], drawer("empty next")), corrupt
    yield "unbearable-cost", costly(), outcome(refused=[(PASSPHRASE, "corrupt")])
    number = Fernet(CLASSIC_KEY)._encrypt_from_parts(b'{"a": 1}', 1772000000, drawer("number")(16))
    yield "seed-number", number, outcome(refused=[(CLASSIC_KEY, "corrupt")])


def costly():
    """A passphrase slot that asks for 4 GiB; its wrapped key is made under a cheap one, since nobody gets that far."""
    file = reader.write(body(VOLUMES), [PASSPHRASE_SLOT], drawer("costly"))
    cheap, dear = reader.record(3, struct.pack("<I", 256)), reader.record(3, struct.pack("<I", 4 << 20))
    assert file.count(cheap) == 1
    return file.replace(cheap, dear)


def main():
    FOLDER.mkdir(exist_ok=True)
    outcomes = {}
    for name, file, expected in [*sound_files(), *hostile_files()]:
        (FOLDER / f"{name}.repository").write_bytes(file)
        outcomes[name] = expected
    (FOLDER / "outcomes.json").write_text(json.dumps(outcomes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
