"""The control socket answers root and the gateway's own user, whatever the rights on it have become."""

import os
import subprocess
import unittest

from gateway_world import PATIENCE, World

NOBODY = 65534
ASK = """
import socket, sys
control = socket.socket(socket.AF_UNIX)
control.connect(sys.argv[1])
try:
    control.sendall(sys.argv[2].encode())
    while got := control.recv(65536):
        sys.stdout.buffer.write(got)
except OSError:
    pass
"""


@unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody else")
class Control(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(World("--max-wait", "600"))
        self.socket = self.world.data / "control.sock"

    def ask_as(self, user, request):
        """What the socket answers to a process of that user."""
        command = ["/usr/bin/python3", "-I", "-c", ASK, self.socket, f"{request} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]
        return subprocess.run(command, user=user, group=user, extra_groups=[], cwd="/", capture_output=True, timeout=PATIENCE, check=True).stdout

    def test_its_rights_are_its_owners_alone(self):
        self.assertEqual(self.socket.stat().st_mode & 0o777, 0o600)

    def test_another_user_is_refused_even_where_the_rights_let_them_in(self):
        client = self.world.ask()
        for folder in self.world.folder, self.world.data:
            folder.chmod(0o711)
        self.socket.chmod(0o666)
        self.assertEqual(self.ask_as(NOBODY, "GET /control/requests"), b"")
        self.assertEqual(self.ask_as(NOBODY, f"POST /control/requests/{client.id}/approve"), b"")
        self.assertIn(client.id.encode(), self.ask_as(0, "GET /control/requests"))
        self.assertEqual(self.world.state(client.id), "pending")
        [first] = [row for row in self.world.audit() if row["kind"] == "refused.control"]
        self.assertEqual(first["actor"], f"uid {NOBODY}")


if __name__ == "__main__":
    unittest.main()
