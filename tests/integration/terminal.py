"""zkv at a terminal of its own, as a person at the console has it."""

import os
import pty
import subprocess

from repository_world import ZKV


class Terminal:
    """Use as a context manager. What zkv says is awaited, never slept for."""

    def __init__(self, world, *words, before=()):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(["/usr/bin/setsid", "--ctty", "--wait", *before, ZKV, *words], stdin=theirs, stdout=theirs, stderr=theirs,
                                        env=world.environment, cwd=world.home)
        os.close(theirs)
        self.seen, self.unread = "", ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def read(self):
        try:
            return os.read(self.ours, 4096).decode(errors="replace").replace("\r\n", "\n")
        except OSError:
            return ""

    def until(self, wanted):
        """What is shown until `wanted` is."""
        while wanted not in self.unread:
            more = self.read()
            if not more:
                raise AssertionError(f"zkv ended without {wanted!r}: {self.unread!r}")
            self.unread += more
        shown, self.unread = self.unread.split(wanted, 1)
        self.seen += shown + wanted
        return shown + wanted

    def type(self, line):
        os.write(self.ours, line.encode() + b"\n")

    def end(self, code=0):
        """All that is shown to the end, which must be with `code`."""
        shown, self.unread = self.unread, ""
        while more := self.read():
            shown += more
        self.seen += shown
        ended = self.process.wait(timeout=60)
        if ended != code:
            raise AssertionError(f"zkv ended with {ended}, not {code}: {self.seen!r}")
        return shown
