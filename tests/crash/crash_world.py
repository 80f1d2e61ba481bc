"""Runs one zkv command many times, each time with a system call of it made to fail or to be its last (strace's injection)."""

import base64
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from repository_world import ZKV, World  # noqa: E402  (finds the reader too)

import reader  # noqa: E402

CALL = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<words>.*)$")
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
SECOND_KEY = base64.urlsafe_b64encode(bytes(range(1, 33))).decode()
VOLUMES = {b"tank/a": b"key a", b"tank/b": b"key b"}

# By `make test-all`: no call is left out.
EVERY_CALL = "ZKV_EVERY_CALL" in os.environ

# strace's own, before zkv is there; it cannot be injected into.
NOT_OURS = "execve"
# Waits for another thread, or does not where that was quicker.
UNSURE = "futex"

Point = collections.namedtuple("Point", "call number words")


class Scene(World):
    """A home with a filled repository, put back to that state before each run."""

    def __init__(self, version):
        super().__init__()
        (self.home / "key").write_text(KEY + "\n")
        (self.home / "second-key").write_text(SECOND_KEY + "\n")
        (self.home / "fs-key").write_text("key c\n")
        self.file("fs", "init", "-m")
        for name, key in VOLUMES.items():
            (self.home / "volume-key").write_bytes(key)
            self.file("fs", "add", name.decode(), "--fs-key-file", "volume-key")
        if version == 2:
            self.file("repository", "convert")
            self.file("slot", "add", "classic", "--secret-file", "second-key")
            (self.home / ".zkv-repository.seed").unlink()
        self.kept = self.home.with_name(self.home.name + ".kept")
        shutil.copytree(self.home, self.kept)
        self.old = self.path.read_bytes()
        self.old_previous = (self.home / ".zkv-repository.previous").read_bytes()

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.kept)

    def file(self, *words, **how):
        return self.out(*words, "--key-file", "key", **how)

    def put_back(self):
        shutil.rmtree(self.home)
        shutil.copytree(self.kept, self.home)

    def points(self, words):
        """Every system call at which the command can be made to fail, in order, with its arguments as strace shows them. strace counts calls for each
        thread by itself, and a fault befalls the thread that comes to its number first: the one that `rotate` has besides waits for signals, and
        what it does between two calls of the main thread changes nothing."""
        self.put_back()
        trace = self.kept / "trace"
        self.run(*words, before=("/usr/bin/strace", "-f", "-y", "-s", "0", "-o", str(trace)))
        seen, points = collections.Counter(), {}
        for line in trace.read_text().splitlines():
            if (match := CALL.match(line)) and match["name"] != NOT_OURS:
                seen[match["thread"], match["name"]] += 1
                place = match["name"], seen[match["thread"], match["name"]]
                points.setdefault(place, Point(*place, match["words"]))
        return list(points.values())

    def run_with(self, point, fault, words):
        """Exit code and stderr of the command when `fault` befalls it at `point`."""
        self.put_back()
        done = subprocess.run(
            ["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={point.call}",
             "-e", f"inject={point.call}:{fault}:when={point.number}", ZKV, *words],
            env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
        return done.returncode, done.stderr.decode()

    def volumes(self, file, key=KEY):
        return {volume["name"]: volume["key"] for volume in reader.read(file, key.encode())}

    def temporaries(self):
        return [entry.name for entry in self.home.iterdir() if entry.name.endswith(".tmp")]


# What leaves files and locks as they are: killed at one of these, a command leaves what it leaves at the next other one.
HARMLESS = re.compile(r"(p?read(v|64)?|mmap|munmap|mremap|mprotect|madvise|brk|m(un)?lock2?|[fl]?stat|newfstatat|statx|lseek|access|faccessat2?|readlink|"
                      r"getdents64|getcwd|getrandom|rt_sig\w+|sigaltstack|clock_\w+|gettid|getpid|get[ep]?[ug]id|prlimit64|sched_\w+|"
                      r"rseq|set_robust_list|set_tid_address|arch_prctl|uname|sysinfo|poll|ppoll)$")


def sample(points, home):
    """All points from the first that touches `home` on; of the loader's before, and of those that change nothing, every twentieth. With EVERY_CALL
    all there are."""
    if EVERY_CALL:
        return points
    points = [point for point in points if point.call != UNSURE]
    first = next(number for number, point in enumerate(points) if f'"{home}' in point.words)
    harmless = [number for number, point in enumerate(points) if number < first or HARMLESS.match(point.call)]
    left_out = {number for place, number in enumerate(harmless) if place % 20}
    return [point for number, point in enumerate(points) if number not in left_out]


COMMANDS = {
    "fs_add": (0, ("fs", "add", "tank/c", "--key-file", "key", "--fs-key-file", "fs-key")),
    "fs_add_2": (2, ("fs", "add", "tank/c", "--key-file", "key", "--fs-key-file", "fs-key")),
    "fs_remove": (0, ("fs", "remove", "tank/a", "--key-file", "key")),
    "fs_remove_2": (2, ("fs", "remove", "--force", "tank/a", "--key-file", "key")),
    "convert": (0, ("repository", "convert", "--key-file", "key")),
    "convert_2": (2, ("repository", "convert", "--to", "seed", "--key-file", "key")),
    "slot_add": (2, ("slot", "add", "recovery", "--key-file", "key")),
    "rotate": (2, ("rotate", "--key-file", "key", "--also-key-file", "second-key", "--drop", "1")),
    "recovery_create": (2, ("recovery", "create", "--split", "2/3", "--key-file", "key")),
    "slot_remove": (2, ("slot", "remove", "3", "--key-file", "key")),
}
VOLUMES_AFTER = {
    "fs_add": {**VOLUMES, b"tank/c": b"key c"},
    "fs_remove": {b"tank/b": b"key b"},
}


def expected_after(name):
    return VOLUMES_AFTER.get(name.removesuffix("_2"), VOLUMES)


def slot_ids(scene):
    return [slot["id"] for slot in json.loads(scene.out("slot", "list", "--json"))]
