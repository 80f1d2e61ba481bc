"""`zkv rotate` with a gateway, killed at the system calls by which it changes files: everything opens by an approval and by the recovery key, and the same command ends what was begun."""

import json
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

import enrolled  # noqa: E402
import rotate  # noqa: E402
from host_world import Running  # noqa: E402
from repository_world import ZKV  # noqa: E402

CALL = os.environ["ZKV_CALL"]


class Killed(rotate.WithShares, enrolled.Case):
    def run_approved(self, *words, before=()):
        """Its exit code; whoever it asks says yes."""
        running = Running([*before, ZKV, *words, "--cafile", str(self.host.cafile)], self.host.environment, self.host.home)
        try:
            line = running.await_line("waiting for approval of request")
            self.gateway.command("request", "approve", re.search(r"request (\w+)", line)[1])
        except AssertionError:
            pass  # It ended before it asked.
        self.said = "".join([*running.errors, *running.process.communicate(timeout=120)])
        return running.process.returncode

    def code_of_rotation(self, *before):
        return self.run_approved("rotate", "--key-file", "key", before=before)

    def killed(self, call, number):
        """Whether it came to that call."""
        return self.code_of_rotation("/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                     f"inject={call}:signal=SIGKILL:when={number}") != 0

    def assert_whole(self, ended):
        self.host.out("repository", "check", "--key-file", "key")
        self.assertEqual(self.run_approved("mount"), 0, self.said)
        self.assertEqual({self.host.get(name, "keystatus") for name in enrolled.VOLUMES}, {"available"})
        self.host.out("unmount")
        if ended:
            key, = self.keys()
            self.assertEqual(self.shares(), {"zkv-host-" + key})
            self.assertEqual([slot["type"] for slot in json.loads(self.host.out("slot", "list", "--json"))].count("gateway"), 1)

    def test_at_every_change_of_a_file(self):
        number = 1
        while self.killed(CALL, number):
            self.assert_whole(ended=False)
            self.assertEqual(self.code_of_rotation(), 0, f"after {CALL} number {number}")
            self.assert_whole(ended=True)
            number += 1
        self.assertGreater(number, 1, f"it was never killed at {CALL}")


if __name__ == "__main__":
    unittest.main()
