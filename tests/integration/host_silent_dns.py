"""`zkv mount` where the name server takes questions and never answers, in a network namespace of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

from host_world import LIMIT, Host
from repository_world import ZKV

MAPPED = [] if os.geteuid() == 0 else ["--map-root-user"]
# Runs zkv beside the silent name server; prints its exit code, what it said and the first question as JSON.
INSIDE = """
import json, signal, socket, subprocess, sys
resolver, interrupt, *words = sys.argv[1:]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
host = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
server.settimeout(60)
question = server.recv(512)
if interrupt == "interrupt":
    host.send_signal(signal.SIGTERM)
said = host.communicate(timeout=60)[1]
json.dump({"code": host.returncode, "said": said, "question": question.decode("latin-1")}, sys.stdout)
"""


class SilentNameServer(unittest.TestCase):
    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.host.four_volumes()

    def mount(self, interrupt, *words):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolver:
            resolver.write("nameserver 127.0.0.1\n")
            resolver.flush()
            done = subprocess.run(
                ["unshare", *MAPPED, "--mount", "--net", sys.executable, "-c", INSIDE, resolver.name, interrupt,
                 ZKV, "mount", *words, "https://gateway.example/"],
                env=self.host.environment | {"PATH": self.host.environment["PATH"] + ":/usr/sbin:/sbin"},
                cwd=self.host.home, capture_output=True, text=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = json.loads(done.stdout)
        self.assertIn("gateway", seen["question"])
        return seen

    def test_the_time_limit_holds_and_the_name_is_said(self):
        seen = self.mount("wait", "--timeout", "2")
        self.assertEqual(seen["code"], 6, seen["said"])
        self.assertIn("gateway.example", seen["said"])

    def test_an_interruption_ends_it_long_before_the_time_limit(self):
        seen = self.mount("interrupt", "--timeout", "600")
        self.assertEqual(seen["code"], 128 + signal.SIGTERM, seen["said"])


if __name__ == "__main__":
    unittest.main()
