"""Reads an initramfs as the kernel does, archives one after another, as they are or compressed with gzip; and what it may carry of a
machine's own files."""

import base64
import re
import stat
import zlib

HEADER = 110
MAGIC = b"070701"
GZIP = b"\x1f\x8b"
END = "TRAILER!!!"
# Where a machine keeps what is its own, and keys; and what may be there: nothing of it opens anything by itself.
PLACES = re.compile(r"/(var|root|home|srv|etc/zkv|etc/keys|cryptroot/keyfiles|(etc|run)/cryptsetup-keys\.d)/")
REPOSITORY = "/var/lib/zkv/repository"
CARRIED = rf"^{REPOSITORY}($|\.enrolments/[0-9a-z]+\.(json|{{identity}})$)"


def files_of(data):
    """Name to content. Source: buffer-format.rst of the kernel."""
    files = {}
    while data := data.lstrip(b"\0"):
        if data.startswith(GZIP):
            stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            files |= files_of(stream.decompress(data))
            data = stream.unused_data
        else:
            data = data[_read_archive(data, files):]
    return files


def own(files):
    """The names of those that are the machine's own."""
    return sorted(name for name in files if PLACES.match(name))


def holders_of(files, key):
    """The names of those that have the key in them, as it is, in base64 or in hex."""
    forms = (key, base64.b64encode(key), key.hex().encode())
    return sorted(name for name, content in files.items() if any(form in content for form in forms))


def _read_archive(data, files):
    """Puts the files of the archive at the beginning of `data` into `files`; gives where it ends."""
    place, name = 0, ""
    while name != END:
        if data[place:place + len(MAGIC)] != MAGIC:
            raise ValueError(f"no archive at {place}: {data[place:place + len(MAGIC)]}")
        fields = [int(data[place + 6 + 8 * i:place + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[place + HEADER:place + HEADER + name_size - 1].decode()
        place += _padded(HEADER + name_size)
        if stat.S_ISREG(mode):
            files[f"/{name}"] = data[place:place + size]
        place += _padded(size)
    return place


def _padded(size):
    return -(-size // 4) * 4
