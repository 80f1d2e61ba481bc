"""`zkv crypttab`: checks, writes and takes out the lines by which systemd opens volumes with keys from zkv."""

import json
import os
import pathlib
import stat
import unittest

from volume_world import Volumes

SYSTEMCTL = """#!/bin/sh
echo "$*" >>{calls}
[ "$1" != enable ] || {{ mkdir -p {units}/multi-user.target.wants; ln -sf /lib/systemd/system/$2 {units}/multi-user.target.wants/; }}
"""


class Crypttab(Volumes):
    def setUp(self):
        super().setUp()
        self.table = self.world.home / "crypttab"
        self.units = self.world.home / "units"
        self.calls = self.world.home / "calls"
        tools = self.world.home / "tools"
        tools.mkdir()
        (tools / "systemctl").write_text(SYSTEMCTL.format(calls=self.calls, units=self.units), encoding="utf-8")
        (tools / "systemctl").chmod(0o755)
        self.world.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
        self.table.write_text("# the swap\nswap /dev/sda /dev/urandom swap\ndata UUID=1-2 none luks\n", encoding="utf-8")
        self.add("data", "UUID=1-2", b"key\n", "--no-test", "--options", "discard")

    def crypttab(self, command, *words, code=0):
        key = () if command == "remove" else ("-k", "-")
        stdin = b"" if command == "remove" else self.key.encode()
        return self.world.run("crypttab", command, *key, "--crypttab", str(self.table), "--units", str(self.units), *words, stdin=stdin,
                              code=code)

    def findings(self, code):
        report = json.loads(self.crypttab("check", "--json", code=code)[0])
        return [(finding["volume"], finding["command"]) for finding in report["findings"]]

    def test_a_check_says_what_is_missing_until_it_is_installed_and_removing_takes_it_back(self):
        self.assertEqual(self.findings(1), [("data", "zkv crypttab install data")])
        self.assertIn(b"on the console", self.crypttab("check", code=1)[0])

        before = self.table.read_text()
        shown = self.crypttab("install", "--dry-run", "data")[0].decode()
        self.assertIn("- data UUID=1-2 none luks\n+ data UUID=1-2 /run/zkv/cryptsetup.sock luks,discard,_netdev,nofail\n", shown)
        self.assertEqual((self.table.read_text(), self.calls.exists()), (before, False))

        self.crypttab("install", "data")
        self.assertEqual(self.table.read_text(), "# the swap\nswap /dev/sda /dev/urandom swap\n"
                         "data UUID=1-2 /run/zkv/cryptsetup.sock luks,discard,_netdev,nofail\n")
        self.assertEqual(pathlib.Path(f"{self.table}.zkv-old").read_text(), before)
        self.assertEqual(self.calls.read_text(), "enable remote-cryptsetup.target\ndaemon-reload\n")
        self.assertEqual(self.findings(1), [("", "systemctl enable zfs-keyvault.service")])
        (self.units / "multi-user.target.wants" / "zfs-keyvault.service").symlink_to("/lib/systemd/system/zfs-keyvault.service")
        self.assertEqual(self.findings(0), [])
        self.assertEqual(stat.S_IMODE((self.units / "dev-mapper-data.device.d" / "zkv.conf").stat().st_mode), 0o644)

        self.crypttab("remove", "data")
        self.assertEqual(self.table.read_text(), "# the swap\nswap /dev/sda /dev/urandom swap\n")
        self.assertFalse((self.units / "dev-mapper-data.device.d").exists())
        self.assertEqual(pathlib.Path(f"{self.table}.zkv-old").read_text(), before)
        self.assertIn(b"no line", self.crypttab("remove", "data", code=1)[1])

    def test_without_the_key_the_last_unlock_says_which_volumes_there_are(self):
        table = ("--crypttab", str(self.table), "--units", str(self.units))
        error = self.world.run("crypttab", "install", *table, "data", code=1)[1]
        self.assertIn(b"--key-file", error)
        record = self.world.home / "state" / "last-unlock.json"
        record.parent.mkdir(exist_ok=True)
        record.write_text(json.dumps({"volumes": {"data": {"kind": "luks", "tried": 1, "result": "opened", "opened": 1, "device": "UUID=1-2",
                                                           "mountpoint": "", "options": "", "program": ""}}}))
        self.world.run("crypttab", "install", *table)
        self.assertIn("/run/zkv/cryptsetup.sock luks,_netdev,nofail", self.table.read_text())

    def test_without_the_key_what_was_adopted_is_known_too(self):
        table = ("--crypttab", str(self.table), "--units", str(self.units))
        record = self.world.home / "state" / "drift.json"
        record.parent.mkdir(exist_ok=True)
        record.write_text(json.dumps({"volumes": {"data": {"kind": "luks", "proved": 1, "device": "UUID=1-2"}}}))
        self.world.run("crypttab", "install", *table)
        self.assertIn("data UUID=1-2 /run/zkv/cryptsetup.sock luks,_netdev,nofail", self.table.read_text().replace("\t", " "))


if __name__ == "__main__":
    unittest.main()
