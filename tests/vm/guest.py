"""A QEMU guest for tests: disks, boot, serial console, and a channel to run commands in it.

Everything waits for events (a console line, an answer on the control channel, the end of QEMU), each with a time limit.
"""

import base64
import collections
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from qmp import Monitor

NETWORK = "user,id=network"
Answer = collections.namedtuple("Answer", "code out err")
KERNEL_WORDS = ("console=ttyS0 root=/dev/vda rw loglevel=4 systemd.show_status=true TERM=dumb"
                " mitigations=off audit=0 cryptomgr.notests")
CONSOLE_LINES = 40
# A guest that has this long shown nothing, not even systemd's greeting, which comes after 5 s of a machine of its own, hangs.
SILENCE_LIMIT = 120
# A harness that is killed takes what it started with it.
ENDS_WITH_US = ["setpriv", "--pdeathsig", "KILL"]
Disks = collections.namedtuple("Disks", "system pool")


class GuestError(Exception):
    """The guest did not do what was awaited; the message names the guest's console log."""


def make_overlay(backing, overlay):
    """Makes `overlay`, a qcow2 disk that starts as `backing` and keeps its own changes."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(backing), str(overlay)], check=True)


def make_disk(path, size):
    """Makes an empty qcow2 disk."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), size], check=True)


def make_payload(folder, disk):
    """Makes a raw ext4 `disk` with the files of `folder`; the guest mounts it at /payload and runs its `setup`."""
    files = [f for f in pathlib.Path(folder).rglob("*") if f.is_file()]
    size = 8 + 2 * sum(f.stat().st_size for f in files) // 2**20
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(folder), str(disk), f"{size}M"],
                   stdout=subprocess.DEVNULL, check=True)


def accelerator():
    """QEMU's words for hardware virtualisation where a short boot proves that it works, else for emulation."""
    # A plain processor boots a third faster under emulation than `max`: fewer drivers, no emulated AVX.
    emulation = ["-accel", "tcg,thread=multi", "-cpu", "qemu64"]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return emulation
    hardware = ["-accel", "kvm", "-cpu", "host"]
    firmware = ["qemu-system-x86_64", *hardware, "-m", "64", "-nodefaults", "-display", "none", "-no-reboot",
                "-debugcon", "stdio", "-global", "isa-debugcon.iobase=0x402"]
    with subprocess.Popen(firmware, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as probe:
        alive = bool(select.select([probe.stdout], [], [], 10)[0]) and b"SeaBIOS" in os.read(probe.stdout.fileno(), 200)
        probe.kill()
    return hardware if alive else emulation


class Guest:
    """One virtual machine. Use it as a context manager: it ends QEMU whatever happens.

    `disks` are written to. `payload` is a folder for /payload. `log` is the console's file, kept by the caller.
    `link` False boots with the network cable out; see `set_link`. `words` are added to the kernel's. `tpm` is a Tpm.
    `spare` is one more qcow2 disk, /dev/disk/by-id/virtio-spare. `initrd` stands in the place of the image's own,
    `network` in that of QEMU's user network; `extra` are further words for QEMU. `name_server` is the address of the one that answers
    for QEMU's, in place of this machine's.
    """

    MEMORY = "1024"

    def __init__(self, image, disks, payload, log, link=True, words="", tpm=None, spare=None, initrd=None,
                 network=NETWORK, extra=(), name_server=None):
        self.log = pathlib.Path(log)
        self._link, self._words, self._tpm, self._spare = link, words, tpm, spare
        self._image, self._disks = pathlib.Path(image), disks
        self._network, self._extra, self._name_server = network, extra, name_server
        self._initrd = initrd or self._image / "initrd"
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="zkv-guest-"))
        self._console = self._log_file = self._control = self._monitor = self._process = None
        self._text, self._this_start, self._answers, self._ended = "", 0, b"", False
        self._changed = threading.Condition()
        self._reader = None
        make_payload(payload, self._folder / "payload.raw")

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    # -- life --

    def _own_resolver(self):
        """Words before a command that asks our name server."""
        if self._name_server is None:
            return []
        file = self._folder / "resolv.conf"
        file.write_text(f"nameserver {self._name_server}\n", encoding="ascii")
        return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(file)]

    def _start(self):
        sockets = {name: self._folder / name for name in ("console", "control", "monitor")}
        chardev = [w for name, path in sockets.items() for w in
                   ("-chardev", f"socket,id={name},path={path},server=on,wait=off")]
        command = [
            *ENDS_WITH_US, *self._own_resolver(), "qemu-system-x86_64", *accelerator(), "-smp", "2", "-m", self.MEMORY, "-nodefaults", "-display", "none",
            "-kernel", str(self._image / "vmlinuz"), "-initrd", str(self._initrd),
            "-append", f"{KERNEL_WORDS} {self._words}",
            *self._drive("system", self._disks.system, "qcow2"), *self._drive("pool", self._disks.pool, "qcow2"),
            *self._drive("payload", self._folder / "payload.raw", "raw"),
            "-netdev", self._network, "-device", "virtio-net-pci,netdev=network,id=card",
            *chardev, "-serial", "chardev:console", "-mon", "chardev=monitor,mode=control",
            "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=control,name=control",
            "-device", "virtio-rng-pci", "-no-reboot", "-S", *self._extra]
        if self._spare is not None:
            command += self._drive("spare", self._spare, "qcow2")
        if self._tpm is not None:
            self._tpm.switch_on()
            command += self._tpm.words()
        self._log_file = open(self.log, "ab")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log_file, stderr=subprocess.STDOUT)
        self._console, self._control = self._connect(sockets["console"]), self._connect(sockets["control"])
        self._monitor = Monitor(self._connect(sockets["monitor"]))
        if not self._link:
            self.set_link(False)
        self._this_start, self._answers, self._ended = len(self._text), b"", False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._monitor.command("cont")

    @staticmethod
    def _drive(name, path, kind):
        return ["-drive", f"file={path},format={kind},if=none,id={name},cache=unsafe",
                "-device", f"virtio-blk-pci,drive={name},serial={name}"]

    def _connect(self, path):
        """Connects to a socket that QEMU makes as it starts."""
        connection = socket.socket(socket.AF_UNIX)
        limit = time.monotonic() + 30
        while True:
            try:
                connection.connect(str(path))
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                if self._process.poll() is not None or time.monotonic() > limit:
                    raise GuestError(f"QEMU did not start; see {self.log}") from None
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.02)

    def end(self):
        """Ends QEMU if it still runs and gives back what it used."""
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        if self._tpm is not None:
            self._tpm.switch_off()
        if self._reader is not None:
            self._reader.join()
        for thing in (self._console, self._control, self._monitor, self._log_file):
            if thing is not None:
                thing.close()

    def power_off(self, limit=180):
        """Shuts the guest down in order and waits for the end of QEMU."""
        self._send("systemctl --no-block poweroff")
        self._wait(lambda: self._process.poll() is not None, limit, "the guest to power off")

    def reboot(self, limit=400):
        """Reboots the guest in order and waits until its agent answers again.

        The machine's reset is a new QEMU on the same disks: under emulation a warm reset with two processors can hang.
        """
        self._send("systemctl --no-block reboot")
        self._wait(lambda: self._process.poll() is not None, limit, "the guest to shut down")
        self._stop()
        self._start()
        self.wait_for_agent(limit)

    def cut_power(self, limit=400):
        """Takes the power away in the midst of things, and starts the machine from what its disks hold."""
        self._stop()
        self._start()
        self.wait_for_agent(limit)

    def set_link(self, up):
        """Plugs the network cable in or out; it stays so over a reboot."""
        self._link = up
        self._monitor.command("set_link", name="card", up=up)

    # -- events --

    @property
    def console(self):
        """What the console has shown so far, all boots."""
        return self._text

    def wait_for_console(self, pattern, limit, since=0):
        """Waits until the console, from character `since` on, shows `pattern`; gives the match."""
        found = []

        def seen():
            match = re.search(pattern, self._text[since:], re.MULTILINE)
            found.extend([match] if match else [])
            return bool(match)
        self._wait(seen, limit, f"the console to show /{pattern}/")
        return found[0]

    def console_length(self):
        """How many characters the console has shown, for wait_for_console's `since`."""
        with self._changed:
            return len(self._text)

    def type(self, text):
        """Types at the console."""
        self._console.sendall(text.encode())

    def wait_for_agent(self, limit=300):
        """Waits until the guest's agent says hello, early in a boot.

        Under emulation a machine with two processors can hang before its system begins; it is started anew once then.
        """
        with self._changed:
            begins = self._changed.wait_for(lambda: self._text[self._this_start:].strip() or self._ended, SILENCE_LIMIT)
            doing = "" if begins else self._what_it_does()
        if not begins:
            print(f"the guest hangs before it begins, {doing}and is started anew", file=sys.stderr, flush=True)
            self._stop()
            self._start()
        while not self._answer(limit, "the guest's agent").startswith(b"hello "):
            pass

    def run(self, script, limit=120):
        """Runs a bash script as root in the guest; gives its exit code, stdout and stderr."""
        self._send(script)
        code, out, err = self._answer(limit, f"an answer to: {script}").split(b" ")
        return Answer(int(code), base64.b64decode(out).decode(), base64.b64decode(err).decode())

    def check(self, script, limit=120):
        """As `run`, but an exit code other than 0 is an error; gives stdout."""
        answer = self.run(script, limit)
        if answer.code != 0:
            raise GuestError(f"in the guest: {script}\nexit code {answer.code}\n{answer.out}{answer.err}see {self.log}")
        return answer.out

    def _send(self, script):
        self._control.sendall(base64.b64encode(script.encode()) + b"\n")

    def _answer(self, limit, awaited):
        self._wait(lambda: b"\n" in self._answers, limit, awaited)
        line, _, self._answers = self._answers.partition(b"\n")
        return line

    def _wait(self, happened, limit, awaited):
        """Waits until `happened()`; at most `limit` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: happened() or self._ended, limit):
                raise GuestError(f"waited {limit} s for {awaited}; {self._what_it_does()}see {self.log}")
            if self._ended:
                self._process.wait(30)
            if not happened():
                raise GuestError(f"QEMU ended while waiting for {awaited}; see {self.log}")

    def _what_it_does(self):
        """The end of the console and where the processors are, for whoever has to find out why a guest says nothing."""
        shown = "\n".join(self._text[self._this_start:].splitlines()[-CONSOLE_LINES:]) or "nothing"
        try:
            registers = self._monitor.command("human-monitor-command", **{"command-line": "info registers -a"})
            state = self._monitor.command("query-status")["status"]
        except (OSError, ValueError) as error:
            return f"its monitor does not answer: {error}; its console has shown:\n{shown}\n"
        places = re.findall(r"^(CPU#\d+)|\b([RE]IP=\w+)|\b(HLT=\d)", registers, re.MULTILINE)
        return f"it is {state} at {' '.join(''.join(place) for place in places)}, and has shown:\n{shown}\n"

    def _read(self):
        """Reads console and control channel until QEMU ends: a console that nobody reads would stop the guest."""
        ended = False
        while not ended:
            readable, _, _ = select.select([self._console, self._control], [], [])
            data = {source: source.recv(65536) for source in readable}
            ended = not all(data.values())
            self._log_file.write(data.get(self._console, b""))
            self._log_file.flush()
            with self._changed:
                self._text += data.get(self._console, b"").decode(errors="replace").replace("\r", "")
                self._answers += data.get(self._control, b"")
                self._ended = ended
                self._changed.notify_all()
