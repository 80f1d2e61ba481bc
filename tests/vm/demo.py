"""`make demo`, and what it shows at its end: each encrypted filesystem open and mounted, with a file read from it."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The pool's encryption roots, and the filesystem that shares the key of one of them.
FILESYSTEMS = sorted([*(line.split()[0] for line in (ROOT / "tests/vm/guest/volumes").read_text(encoding="utf-8").splitlines() if line[0] != "#"),
                      "tank/pass/child"])
HEADER = ["NAME", "KEYSTATUS", "MOUNTED", "MOUNTPOINT", "A FILE IN IT"]


def table(output):
    """The rows below the last such header, up to the empty line behind them."""
    rows = None
    for line in output.splitlines():
        words = re.split(r" {2,}", line.strip())
        if words == HEADER:
            rows = []
        elif rows is not None and words == [""]:
            break
        elif rows is not None:
            rows.append(words)
    return rows


class Demo(unittest.TestCase):
    def output(self):
        """What it prints, which whoever runs the test sees, too."""
        printed = []
        with subprocess.Popen([ROOT / "tools" / "demo"], env={**os.environ, "DEMO_YES": "1"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, encoding="utf-8") as demo:
            for line in demo.stdout:
                print(line, end="", file=sys.stderr, flush=True)
                printed.append(line)
        self.assertEqual(demo.returncode, 0)
        return "".join(printed)

    def test_ends_with_every_filesystem_mounted_and_read(self):
        before, approved, after = self.output().partition("approved; the gateway seals its share")
        self.assertTrue(approved)
        locked = {words[0]: words[1:] for line in before.splitlines() if len(words := line.split()) == 3 and words[0] in FILESYSTEMS}
        self.assertEqual(locked, {name: ["unavailable", "no"] for name in FILESYSTEMS})
        self.assertEqual(table(after), [[name, "available", "yes", f"/{name}", f"content of {name}"] for name in FILESYSTEMS])


if __name__ == "__main__":
    unittest.main()
