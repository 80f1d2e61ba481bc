"""A home directory of its own and short words for running `zkv` in it."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "vectors"))
ZKV = os.environ["ZKV"]


class World:
    """Use as a context manager; everything made in `home` is gone afterwards."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="zkv-home-"))
        self.path = self.home / ".zkv-repository"
        self.environment = {"HOME": str(self.home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                            "STATE_DIRECTORY": str(self.home / "state")}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home)

    def run(self, *words, stdin=b"", code=0, before=()):
        """Runs zkv without a terminal; the exit code must be `code`. Returns stdout and stderr as bytes."""
        done = subprocess.run([*before, ZKV, *words], input=stdin, env=self.environment, cwd=self.home, start_new_session=True,
                              capture_output=True, check=False, timeout=120)
        if done.returncode != code:
            raise AssertionError(f"zkv {words} ended with {done.returncode}, not {code}: {done.stdout} {done.stderr}")
        return done.stdout, done.stderr

    def out(self, *words, **how):
        return self.run(*words, **how)[0].decode()

    def error(self, *words, code=1, **how):
        return self.run(*words, code=code, **how)[1].decode()

    def init(self, *words):
        """Makes a repository and returns its key."""
        return self.out("fs", "init", "-m", *words).strip()

    def with_key(self, key, *words, **how):
        """Runs a command that gets the repository's key on stdin."""
        return self.out(*words, "-k", "-", stdin=key.encode() + b"\n", **how)

    def listed(self, key):
        return self.with_key(key, "fs", "list", "-p").splitlines()
