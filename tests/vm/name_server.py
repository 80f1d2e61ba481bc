"""A name server for the guest, behind the one that QEMU gives it: it knows one name."""

import os
import socket
import struct
import threading

TYPE_A = 1
NO_SUCH_NAME = 3
HEADER = struct.Struct("!6H")


class NameServer:
    """Answers that `name` has the IPv4 address `address`, and that there is no other name, from this process's own address within
    127.0.0.0/8, port 53. Wants root. `asked` are the names that were asked for."""

    def __init__(self, name, address):
        self._name, self._address = name.rstrip(".").lower(), socket.inet_aton(address)
        self.asked = []
        process = os.getpid() % 65000 + 1
        self.at = f"127.53.{process >> 8}.{process & 255}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.at, 53))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def end(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (self.at, 53))
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            question, asker = self._socket.recvfrom(512)
            if not question:
                return
            if len(question) > HEADER.size:
                self._socket.sendto(self._answer(question), asker)

    def _answer(self, message):
        """Source: RFC 1035, section 4."""
        identity, flags, *_ = HEADER.unpack_from(message)
        labels, place = [], HEADER.size
        while message[place]:
            labels.append(message[place + 1:place + 1 + message[place]].decode("ascii"))
            place += 1 + message[place]
        wanted, = struct.unpack_from("!H", message, place + 1)
        question = message[HEADER.size:place + 5]
        name = ".".join(labels).lower()
        self.asked.append(name)
        found = name == self._name
        answers = found and wanted == TYPE_A
        head = HEADER.pack(identity, 0x8180 | (flags & 0x0100) | (0 if found else NO_SUCH_NAME), 1, 1 if answers else 0, 0, 0)
        record = struct.pack("!HHHIH", 0xC00C, TYPE_A, 1, 60, 4) + self._address
        return head + question + (record if answers else b"")
