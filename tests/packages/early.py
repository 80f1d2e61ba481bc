"""The loop that asks from an initramfs: when it asks again, after which pause, and what ends it."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "early" / "ask"
LIMIT = 30  # seconds that anything awaited may take
# Does what the next line of `orders` says, and ends as after a person's no when there is none left.
ZKV = """#!/bin/sh
echo "$@" >>{home}/asked
order=$(head -n 1 {home}/orders)
sed -i 1d {home}/orders
eval "${{order:-exit 4}}"
"""
SLEEP = """#!/bin/sh
echo "$1" >>{home}/pauses
"""
# One that says so in a FIFO and does not end by itself.
LONG_SLEEP = """#!/bin/sh
echo "$1" >{home}/fifo
exec /bin/sleep infinity
"""


class Early(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        text = SCRIPT.read_text(encoding="utf-8").replace("/usr/bin/zkv", f"{self.home}/zkv")
        self.script = self.program("ask", re.sub("/etc/(sysconfig|default)/", f"{self.home}/etc-", text))
        self.program("zkv", ZKV.format(home=self.home))
        self.program("sleep", SLEEP.format(home=self.home))

    def program(self, name, text):
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def begin(self, *orders):
        (self.home / "orders").write_text("".join(f"{order}\n" for order in orders), encoding="utf-8")
        return subprocess.Popen([self.script], env={"PATH": f"{self.home}:{os.environ['PATH']}"}, stderr=subprocess.DEVNULL)

    def lines(self, name):
        path = self.home / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def pauses_after(self, *orders):
        """Runs the loop to its end; the pauses between the times that it asked."""
        with self.begin(*orders) as running:
            self.assertEqual(running.wait(LIMIT), 0)
        pauses = self.lines("pauses")
        self.assertEqual(len(self.lines("asked")), len(pauses) + 1)
        return pauses

    def test_where_nobody_decided_it_asks_again_as_seldom_as_the_service(self):
        self.assertEqual(self.pauses_after("exit 5", "exit 5"), ["900", "900"])

    def test_where_no_gateway_was_reached_it_asks_again_soon(self):
        self.assertEqual(self.pauses_after("exit 6"), ["30"])

    def test_who_asks_in_this_hosts_name_does_not_end_the_asking(self):
        self.assertEqual(self.pauses_after("exit 7"), ["900"])

    def test_a_crash_does_not_end_the_asking(self):
        for name in ("SEGV", "ABRT", "BUS", "KILL", "HUP"):
            with self.subTest(name):
                (self.home / "pauses").unlink(missing_ok=True)
                (self.home / "asked").unlink(missing_ok=True)
                self.assertEqual(self.pauses_after(f"kill -{name} $$"), ["30"])

    def test_a_no_or_what_only_a_change_by_hand_mends_ends_it(self):
        for code in (0, 1, 2, 3, 4, 126, 127):
            with self.subTest(code):
                (self.home / "asked").unlink(missing_ok=True)
                self.assertEqual(self.pauses_after(f"exit {code}", "exit 6"), [])

    def test_a_zkv_that_was_told_to_end_is_not_begun_anew(self):
        self.assertEqual(self.pauses_after("kill -TERM $$"), [])

    def test_told_to_end_it_ends_in_a_pause_too(self):
        os.mkfifo(self.home / "fifo")
        self.program("sleep", LONG_SLEEP.format(home=self.home))
        with self.begin("exit 5") as running:
            self.assertEqual((self.home / "fifo").read_text(encoding="utf-8"), "900\n")
            running.send_signal(signal.SIGTERM)
            self.assertEqual(running.wait(LIMIT), 0)

    def test_it_asks_as_the_settings_say(self):
        (self.home / "etc-zfs-keyvault").write_text('GATEWAY_URI="https://a https://b"\nZKV_OPTIONS="--timeout 60"\n', encoding="utf-8")
        self.pauses_after()
        self.assertEqual(self.lines("asked"), ["early --timeout 60 https://a https://b"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
