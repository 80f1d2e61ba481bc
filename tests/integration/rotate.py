"""`zkv rotate` with the real gateway: everything that opened the repository opens it afterwards, the old key opens nothing, and nothing changes unless all can."""

import json
import unittest

import enrolled
from enrolled_world import Host
from repository_world import World
from terminal import Terminal

import reader

class Alone(unittest.TestCase):
    """A repository without a gateway."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.key = self.world.init("--format", "2")
        (self.world.home / "key").write_text(self.key)
        (self.world.home / "passphrase").write_text("correct horse")
        self.world.with_key(self.key, "fs", "add", "tank/a", "the key of a")
        self.world.out("slot", "add", "passphrase", "--label", "mine", "--secret-file", "passphrase", "--memory", "8", "--passes", "1", "--key-file", "key")

    def repository_key(self):
        source = reader.Bytes(self.world.path.read_bytes())
        source.take(12)
        size, repository = source.number(4), source.take(16)
        source.take(16)
        slots_source, slots = reader.Bytes(source.take(size)), []
        while slots_source.rest:
            slots.append(reader.read_slot(slots_source))
        return reader.repository_key(slots, repository, self.key.encode())

    def test_changes_the_key_and_nothing_that_people_hold(self):
        before = self.repository_key()
        out = self.world.out("rotate", "--key-file", "key", "--also-key-file", "passphrase")
        self.assertRegex(out, r"new key, generation \d+: slots 1, 2 open it as before")
        self.assertNotEqual(self.repository_key(), before)
        self.assertFalse((self.world.home / ".zkv-repository.previous").exists())
        for key in ("key", "passphrase"):
            self.assertEqual(self.world.out("fs", "list", "-p", "--key-file", key), "tank/a: the key of a\n")

    def test_refuses_until_each_slot_is_accounted_for(self):
        before = self.world.path.read_bytes()
        error = self.world.error("rotate", "--key-file", "key")
        self.assertIn("opens slot 2 (passphrase, mine); nothing was changed", error)
        self.assertIn("--drop 2", error)
        self.assertIn("opens no other slot", self.world.error("rotate", "--key-file", "key", "--also-key-file", "key"))
        self.assertIn("cannot be dropped", self.world.error("rotate", "--key-file", "key", "--also-key-file", "passphrase", "--drop", "1"))
        self.assertEqual(self.world.path.read_bytes(), before)

    def test_drops_a_slot_by_name(self):
        self.assertIn("slot 1 opens it as before; slot 2 is gone", self.world.out("rotate", "--key-file", "key", "--drop", "2"))
        self.assertIn("opens none", self.world.error("fs", "list", "--key-file", "passphrase"))

    def test_asks_for_what_is_missing_at_a_terminal(self):
        with Terminal(self.world, "rotate", "--key-file", "key") as terminal:
            terminal.until("What opens slot 2 (passphrase, mine): ")
            terminal.type("correct horse")
            self.assertIn("slots 1, 2 open it as before", terminal.end())
        with Terminal(self.world, "rotate", "--key-file", "key") as terminal:
            terminal.until("What opens slot 2 (passphrase, mine): ")
            terminal.type("")
            self.assertIn("nothing was changed", terminal.end(1))

    def test_takes_a_kit_in_parts(self):
        parts = self.world.out("recovery", "create", "-m", "--split", "2/3", "--key-file", "key")
        (self.world.home / "kit").write_text("\n".join(parts.splitlines()[1:]))
        self.world.out("rotate", "--key-file", "kit", "--also-key-file", "key", "--also-key-file", "passphrase")
        self.assertIn("slot 3", self.world.out("recovery", "test", "--key-file", "kit"))

    def test_is_not_for_the_seeds_format(self):
        self.world.init("-f")
        self.assertIn("seed's format", self.world.error("rotate", "--key-file", "key"))


class Enrolled(enrolled.Case):
    def setUp(self):
        self.gateway = self.new_gateway()
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)
        (self.host.home / "key").write_text(self.host.key)
        recovery = [slot["id"] for slot in json.loads(self.host.out("slot", "list", "--json")) if slot["type"] == "recovery"]
        for slot in recovery:
            self.host.out("slot", "remove", str(slot), "--key-file", "key")
        self.enroll()

    def rotate(self, decide="approve"):
        mark = self.gateway.log.mark()
        running = self.host.start("rotate", "--key-file", "key", "--cafile", str(self.host.cafile))
        self.gateway.command("request", decide, self.gateway.next_request(mark))
        return running

    def test_with_an_approval_the_gateways_slot_opens_afterwards(self):
        before = self.host.path.read_bytes()
        self.assertIn("open it as before", self.rotate().end(0))
        self.assertNotEqual(self.host.path.read_bytes(), before)
        self.mount().end(0)
        self.assert_open()

    def test_that_is_denied_changes_nothing(self):
        before = self.host.path.read_bytes()
        running = self.rotate("deny")
        running.end(4)
        self.assertIn("nothing was changed", "".join(running.errors))
        self.assertEqual(self.host.path.read_bytes(), before)

    def test_does_not_drop_an_enrolment_by_the_way(self):
        slot = [slot["id"] for slot in json.loads(self.host.out("slot", "list", "--json")) if slot["type"] == "gateway"][0]
        self.assertIn("zkv unenroll", self.host.error("rotate", "--key-file", "key", "--drop", str(slot)))
        self.host.out("unenroll", "--key-file", "key")
        self.assertIn("opens it as before", self.host.out("rotate", "--key-file", "key"))

    def test_after_a_new_enrolment_leaves_the_old_shares_nothing_to_open(self):
        old, = self.host.enrolments.glob("*.key")
        self.host.enroll(self.gateway.invite("nas-2", "--group", "home"), "--no-test")
        self.rotate().end(0)
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.assertFalse(old.exists())
        self.assertEqual(len(self.gateway_slots()), 1)
        self.mount().end(0)
        self.assert_open()


if __name__ == "__main__":
    unittest.main()
