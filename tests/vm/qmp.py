"""QEMU's machine protocol, as much of it as the guest needs: one command, one answer."""

import json


class Monitor:
    """Speaks over a connected socket, which it owns."""

    def __init__(self, connection):
        self._connection = connection
        self._connection.settimeout(30)
        self._lines = connection.makefile("r", encoding="utf-8")
        self._lines.readline()
        self.command("qmp_capabilities")

    def command(self, name, /, **arguments):
        """Has QEMU carry out a command; gives its return value. Events that come between are passed over."""
        words = {"execute": name, **({"arguments": arguments} if arguments else {})}
        self._connection.sendall(json.dumps(words).encode() + b"\n")
        while True:
            line = self._lines.readline()
            if not line:
                raise OSError(f"QEMU closed its monitor during '{name}'")
            answer = json.loads(line)
            if "error" in answer:
                raise OSError(f"QEMU refused '{name}': {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def close(self):
        self._lines.close()
        self._connection.close()
