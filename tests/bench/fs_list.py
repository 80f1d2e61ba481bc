"""`zkv fs list` of 1,000 entries in the seed's format, beside `true` and a reader in Python."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from cryptography.fernet import Fernet
from figure import Figure, median

ENTRIES, ROUNDS, SLOW_ROUNDS = 1000, 200, 20
READER = pathlib.Path(__file__).with_name("fernet_reader.py")
PYTHON = "/usr/bin/python3"


def make_repository(folder):
    key = Fernet.generate_key()
    volumes = {f"tank/home/user-{number:04}": os.urandom(32).hex() for number in range(ENTRIES)}
    repository = folder / "repository"
    repository.write_bytes(Fernet(key).encrypt(json.dumps(volumes).encode()))
    key_file = folder / "key"
    key_file.write_bytes(key)
    key_file.chmod(0o600)
    return repository, key_file, key.decode()


def installed(folder):
    """The program as a package installs it: without debug information, written in one go."""
    program = folder / "zkv"
    subprocess.run(["strip", "-o", folder / "stripped", os.environ["ZKV"]], check=True)
    shutil.copy(folder / "stripped", program)
    return program


def seconds_of(command):
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    assert done.returncode == 0
    return time.perf_counter() - begin


def peak_kb(command):
    """Peak memory as time(1) sees it, whose own is smaller."""
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=True)
    return int(done.stderr.split()[-1])


def measure():
    with tempfile.TemporaryDirectory() as name:
        repository, key_file, key = make_repository(pathlib.Path(name))
        ours = [installed(pathlib.Path(name)), "--repository", repository, "fs", "list", "--key-file", key_file]
        python = [PYTHON, READER, repository, key]
        listed = subprocess.run(ours, capture_output=True, text=True, check=True).stdout.split()
        assert len(listed) == ENTRIES, f"{len(listed)} names were listed"
        nothing, fast, slow = [], [], []
        for number in range(ROUNDS):
            nothing.append(seconds_of(["/bin/true"]))
            fast.append(seconds_of(ours))
            if number % (ROUNDS // SLOW_ROUNDS) == 0:
                slow.append(seconds_of(python))
        memory = peak_kb(ours) / 1024
    true_ms, ours_ms, python_ms = (1000 * median(samples) for samples in (nothing, fast, slow))
    more, ratio = ours_ms - true_ms, python_ms / ours_ms
    return [
        Figure("`zkv fs list`, 1,000 entries, more than `true`", f"{more:.1f} ms ({ours_ms:.1f} − {true_ms:.1f})", "≤ 5 ms",
               more <= 5),
        Figure("the same, beside Python with `cryptography`", f"{ratio:.0f} times as fast ({python_ms:.0f} ms)", "≥ 25 times",
               ratio >= 25),
        Figure("the same, peak memory", f"{memory:.1f} MB", "≤ 12 MB", memory <= 12),
    ]
