"""An emulated TPM (swtpm), and the bus between it and whoever uses it, at which the tests listen and meddle."""

import contextlib
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

LIMIT = 60
CREATE_PRIMARY, CREATE, LOAD, UNSEAL, SIGN, START_SESSION, FLUSH = 0x131, 0x153, 0x157, 0x15E, 0x15D, 0x176, 0x165
HEADER = struct.Struct(">HII")


def error(code):
    """A TPM's answer that is nothing but this code."""
    return HEADER.pack(0x8001, HEADER.size, code)


def receive(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the other end went away")
        data += more
    return data


def receive_message(connection):
    """One command or response of a TPM: its header says how long it is."""
    header = receive(connection, HEADER.size)
    return header + receive(connection, HEADER.unpack(header)[1] - HEADER.size)


class Emulator:
    """A TPM of its own, with its own seeds; what it keeps outlasts a power cut."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zkv-tpm-"))
        self.data, self.control = self.folder / "data", self.folder / "control"
        (self.folder / "state").mkdir()
        self.process = None
        self.switch_on()

    def switch_on(self):
        for path in (self.data, self.control):
            path.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder / 'state'}", "--flags", "startup-clear",
             "--server", f"type=unixio,path={self.data}", "--ctrl", f"type=unixio,path={self.control}",
             "--daemon", "--pid", f"file={self.folder / 'pid'}"])
        assert self.process.wait(LIMIT) == 0

    def switch_off(self):
        """As when the power goes."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid = int((self.folder / "pid").read_text())
            (self.folder / "pid").unlink()
            watched = os.pidfd_open(pid)
            os.kill(pid, 9)
            wait_for_end(watched)

    def power_cycle(self):
        self.switch_off()
        self.switch_on()

    @staticmethod
    def connect(path):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            raise
        return connection

    def close(self):
        self.switch_off()
        shutil.rmtree(self.folder)


def wait_for_end(watched):
    assert select.select([watched], [], [], LIMIT)[0]
    os.close(watched)


class Bus:
    """Where tpm2-tss finds the emulator by TCP. Records what passes; `meddle(number, code, command)` may give an answer of
    its own (bytes), or `Bus.CUT`; `change(code, response)` may give another response."""

    CUT = object()

    def __init__(self, emulator):
        self.emulator = emulator
        self.passed = []
        self.meddle = lambda number, code, command: None
        self.change = lambda code, response: response
        self.data, self.control = two_listeners()
        self.device = f"swtpm:host=127.0.0.1,port={self.data.getsockname()[1]}"
        for listener, serve in ((self.data, self.serve_commands), (self.control, self.serve_control)):
            threading.Thread(target=self.accept, args=(listener, serve), daemon=True).start()

    def close(self):
        for listener in (self.data, self.control):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def quiet(self):
        """Nobody meddles from now on, and what was recorded is forgotten."""
        self.passed.clear()
        self.meddle = lambda number, code, command: None
        self.change = lambda code, response: response

    def codes(self):
        return [HEADER.unpack(command[:HEADER.size])[2] for command, _ in self.passed]

    def traffic(self):
        return b"".join(command + response for command, response in self.passed)

    @staticmethod
    def accept(listener, serve):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, contextlib.suppress(OSError):
                    serve(client)

    def serve_commands(self, client):
        with self.emulator.connect(self.emulator.data) as tpm:
            while True:
                command = receive_message(client)
                response = self.answer(tpm, command)
                if response is self.CUT:
                    return
                client.sendall(response)

    def answer(self, tpm, command):
        code = HEADER.unpack(command[:HEADER.size])[2]
        response = self.meddle(len(self.passed), code, command)
        if response is None:
            tpm.sendall(command)
            response = self.change(code, receive_message(tpm))
        self.passed.append((command, b"" if response is self.CUT else response))
        return response

    def serve_control(self, client):
        with self.emulator.connect(self.emulator.control) as tpm:
            threading.Thread(target=self.pump, args=(tpm, client), daemon=True).start()
            self.pump(client, tpm)

    @staticmethod
    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


def two_listeners():
    """On neighbouring ports: tpm2-tss takes the one after the data's for control."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        with contextlib.suppress(OSError, OverflowError):
            return first, socket.create_server(("127.0.0.1", first.getsockname()[1] + 1))
        first.close()


def tools(bus, folder, *words, **how):
    """A program of tpm2-tools at this TPM."""
    environment = {**os.environ, "TPM2TOOLS_TCTI": bus.device, "TSS2_LOG": "all+none"}
    return subprocess.run(list(words), env=environment, cwd=folder, check=True, capture_output=True, timeout=LIMIT, **how).stdout


def make_storage_key(bus, folder):
    """The storage key as docs/protocol-v2.md's TPM section has it, made by tpm2-tools; its context is storage.ctx."""
    coordinate = struct.pack("=H", 32) + bytes(128)
    (folder / "unique").write_bytes(coordinate * 2)
    attributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt"
    tools(bus, folder, "tpm2_createprimary", "-Q", "-C", "o", "-g", "sha256", "-G", "ecc256:null:aes128cfb", "-a", attributes,
          "-u", "unique", "-c", "storage.ctx")
    tools(bus, folder, "tpm2_flushcontext", "-t")
