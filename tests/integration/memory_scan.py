#!/usr/bin/python3
"""Looks for byte strings in everything that is readable of a process's memory; needs root (or the same user and a dumpable process).

As a program: memory_scan.py PID < NEEDLES, each needle in hexadecimal on a line of its own; prints what was found where, and ends with 1 then.
"""

import base64
import ctypes
import os
import signal
import subprocess
import sys

BIGGEST = 1 << 30  # sanitizers reserve more than can be read


def mappings(pid):
    """(first address, end, rights, name) of every mapping."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            parts = line.split(maxsplit=5)
            start, end = (int(part, 16) for part in parts[0].split("-"))
            yield start, end, parts[1], parts[5].strip() if len(parts) > 5 else ""


def core_image(pid):
    """(first address, bytes, name) of every mapping that can be read, guard pages and all left out."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, rights, name in mappings(pid):
            if "r" not in rights or end - start > BIGGEST or name in ("[vvar]", "[vsyscall]"):
                continue
            try:
                memory.seek(start)
                yield start, memory.read(end - start), name
            except (OSError, ValueError):
                continue


def forms_of(secret):
    """`secret` as it is, in hexadecimal of both cases, and in base64 of both alphabets at each of the three alignments."""
    forms = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + secret)
        inner = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
        forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in forms if len(form) >= 6}


def places_of(pid, secrets):
    """(address, mapping's name, form) of each place where a form of one of `secrets` (bytes of 8 and more) lies."""
    forms = set().union(*(forms_of(secret) for secret in secrets))
    found = []
    for start, image, name in core_image(pid):
        for form in forms:
            place = image.find(form)
            while place >= 0:
                found.append((start + place, name, form))
                place = image.find(form, place + 1)
    return found


TRACEME, CONTINUE, SET_OPTIONS = 0, 7, 0x4200
OPTION_TRACE_EXIT, EVENT_EXIT = 0x40, 6


def ptrace(request, pid, data=0):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


class HeldAtExit:
    """Runs a command to its end and holds it there, when its memory is still whole; use as a context manager. The caller must be one thread."""

    def __init__(self, command, stdin=b"", **how):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        preexec_fn=lambda: ptrace(TRACEME, 0), **how)
        self.pid = self.process.pid
        os.waitpid(self.pid, 0)
        ptrace(SET_OPTIONS, self.pid, OPTION_TRACE_EXIT)
        ptrace(CONTINUE, self.pid)
        self.process.stdin.write(stdin)
        self.process.stdin.close()
        self._wait_for_exit()

    def _wait_for_exit(self):
        while True:
            _, status = os.waitpid(self.pid, 0)
            if status >> 8 == signal.SIGTRAP | EVENT_EXIT << 8:
                return
            if not os.WIFSTOPPED(status):
                raise RuntimeError(f"the command was gone before its exit was seen: {status}")
            ptrace(CONTINUE, self.pid, os.WSTOPSIG(status))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ptrace(CONTINUE, self.pid)
        self.stdout, self.stderr = self.process.stdout.read(), self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        self.exit_code = self.process.wait()


def main():
    needles = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    found = places_of(int(sys.argv[1]), needles)
    for address, name, form in found:
        print(f"{address:#x} {name or 'anonymous'}: {form!r}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
