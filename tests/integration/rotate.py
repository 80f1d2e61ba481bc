"""`zkv rotate` with the real gateway: everything that opened the repository opens it afterwards, the old key opens nothing, and nothing changes unless all can."""

import json
import os
import unittest

import enrolled
import recording_proxy
import renewed
from host_world import Running
from repository_world import ZKV, World
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
        self.assertRegex(out, r"new key since generation \d+: slots 1, 2 open it as before")
        self.assertNotEqual(self.repository_key(), before)
        self.assertFalse((self.world.home / ".zkv-repository.previous").exists())
        for key in ("key", "passphrase"):
            self.assertEqual(self.world.out("fs", "list", "-p", "--key-file", key), "tank/a: the key of a\n")

    def test_refuses_until_each_slot_is_accounted_for(self):
        before = self.world.path.read_bytes()
        error = self.world.error("rotate", "--key-file", "key")
        self.assertIn("opens slot 2 (passphrase, mine); nothing was changed", error)
        self.assertIn("--drop 2", error)
        self.assertIn("what is in key opens no other slot", self.world.error("rotate", "--key-file", "key", "--also-key-file", "key"))
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

    def test_takes_a_kit_whose_parts_lie_in_files_of_their_own(self):
        parts = self.world.out("recovery", "create", "-m", "--split", "2/3", "--key-file", "key").splitlines()
        for number, part in enumerate(parts):
            (self.world.home / f"part-{number}").write_text(part)
        others = [word for name in ("part-0", "part-2", "passphrase") for word in ("--also-key-file", name)]
        self.assertIn("any 2 parts", self.world.error("rotate", "--key-file", "key", *others[:2], *others[4:]))
        self.assertIn("slots 1, 2, 3 open it as before", self.world.out("rotate", "--key-file", "key", *others))

    def test_is_not_for_the_seeds_format(self):
        self.world.init("-f")
        self.assertIn("seed's format", self.world.error("rotate", "--key-file", "key"))


class WithShares:
    """What a rotation does to an enrolled host and its gateway. Goes before the case that makes both."""

    def setUp(self):
        super().setUp()
        (self.host.home / "key").write_text(self.host.key)
        recovery = [slot["id"] for slot in json.loads(self.host.out("slot", "list", "--json")) if slot["type"] == "recovery"]
        for slot in recovery:
            self.host.out("slot", "remove", str(slot), "--key-file", "key")
        self.enroll()

    def rotate(self, decide="approve", *words):
        mark = self.gateway.log.mark()
        running = self.host.start("rotate", "--key-file", "key", "--cafile", str(self.host.cafile), *words)
        self.gateway.command("request", decide, self.gateway.next_request(mark))
        return running

    def shares(self):
        return {name for (name,) in self.gateway.write_database("SELECT name FROM zkv_secret") if name.startswith("zkv-host-")}

    def keys(self):
        return {path.stem for path in self.host.enrolments.glob("*.key")}

    def record(self):
        path, = [path for path in self.host.enrolments.glob("*.json") if len(path.stem) == 64]
        return json.loads(path.read_text())

    def assert_opens(self):
        mark = self.gateway.log.mark()
        running = self.host.begin_mount()
        self.gateway.command("request", "approve", self.gateway.next_request(mark))
        running.end(0)
        self.assertEqual({self.host.get(name, "keystatus") for name in enrolled.VOLUMES}, {"available"})

    def assert_one_enrolment(self):
        """By which everything opens, and beside which nothing is left on either side."""
        key, = self.keys()
        self.assertEqual(self.shares(), {"zkv-host-" + key})
        self.assertEqual((self.record()["name"], self.record()["host"]), ("nas", key))
        self.assertNotIn("predecessor", self.record())
        slots = [slot["type"] for slot in json.loads(self.host.out("slot", "list", "--json"))]
        self.assertEqual(slots.count("gateway"), 1)
        self.assert_opens()


class CutOff(WithShares, recording_proxy.Case):
    """A rotation in which one message does not arrive, or its answer does not."""

    def cut(self, path, is_heard):
        """What it says, and ends with."""
        def fail(exchange):
            if exchange.path != path:
                return
            if not is_heard:
                raise ConnectionError("cut off")
            exchange.status, exchange.answer, exchange.answer_headers = 502, b"gone", []
        if is_heard:
            self.proxy.change_answer = fail
        else:
            self.proxy.change_request = fail
        running = self.rotate()
        running.end(6)
        self.proxy.change_answer = self.proxy.change_request = lambda exchange: None
        return "".join(running.errors)

    def enrolment_is_cut(self, is_heard):
        self.assertIn("not done yet", self.cut("/v2/enrolments", is_heard))
        self.assert_opens()
        self.host.out("unmount")
        self.rotate().end(0)
        self.assert_one_enrolment()

    def test_an_enrolment_that_does_not_arrive_is_said_again(self):
        self.enrolment_is_cut(False)

    def test_an_enrolment_whose_answer_does_not_arrive_is_said_again(self):
        self.enrolment_is_cut(True)

    def last_word_is_cut(self, is_heard):
        self.assertIn("it goes on here", self.cut("/v2/successions", is_heard))
        self.assertIn("predecessor", self.record())
        self.assertEqual(len(self.shares()), 1 if is_heard else 2)
        self.assert_opens()
        self.host.out("unmount")
        said = self.host.out("rotate", "--key-file", "key", "--cafile", self.host.cafile)
        self.assertIn("begun before", said)
        self.assert_one_enrolment()

    def test_a_last_word_that_does_not_arrive_is_all_that_is_left(self):
        self.last_word_is_cut(False)

    def test_a_last_word_whose_answer_does_not_arrive_is_all_that_is_left(self):
        self.last_word_is_cut(True)


@unittest.skipUnless(os.geteuid() == 0, "only root has programs run that renew copies")
class Renewing(WithShares, enrolled.Case):
    """With a program in /etc/zkv/renewed.d, as an initramfs has one."""

    def setUp(self):
        super().setUp()
        self.etc = self.host.home / "etc"
        renewed.make_etc(self.etc)
        self.program = self.etc / "zkv/renewed.d/10-copy"

    def rotate_there(self, script, is_asked=True):
        self.program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        self.program.chmod(0o755)
        mark = self.gateway.log.mark()
        words = [*renewed.IN_ITS_ETC, str(self.etc), ZKV, "rotate", "--key-file", "key", "--cafile", str(self.host.cafile)]
        running = Running(words, self.host.environment, self.host.home)
        if is_asked:
            self.gateway.command("request", "approve", self.gateway.next_request(mark))
        return running

    def test_a_copy_is_renewed_once_and_before_the_old_share_goes(self):
        told = self.host.home / "told"
        count = f"sqlite3 {self.gateway.data}/gateway.db \"SELECT COUNT(*) FROM zkv_secret WHERE name LIKE 'zkv-host-%'\""
        self.rotate_there(f"{count} >>{told}").end(0)
        self.assertEqual(told.read_text(), "2\n")
        self.assertEqual(len(self.shares()), 1)

    def test_a_copy_that_is_not_renewed_keeps_the_old_share(self):
        running = self.rotate_there("exit 9")
        running.end(1)
        self.assertIn("the old shares are kept", "".join(running.errors))
        self.assertEqual(len(self.shares()), 2)
        told = self.host.home / "told"
        self.rotate_there(f"echo renewed >>{told}", is_asked=False).end(0)
        self.assertEqual(told.read_text(), "renewed\n")
        self.assert_one_enrolment()


class Enrolled(WithShares, enrolled.Case):
    def test_with_one_approval_key_and_shares_are_new_and_the_old_share_is_destroyed(self):
        before, key = self.host.path.read_bytes(), self.keys()
        said = self.rotate().end(0)
        self.assertRegex(said, r"new key since generation \d+: slot 2 opens it as before")
        self.assertRegex(said, r"has a new share of this machine's, for slot \d+; the old one is destroyed")
        self.assertNotEqual(self.host.path.read_bytes(), before)
        self.assertFalse(key & self.keys())
        self.assertFalse(self.host.path.with_name(self.host.path.name + ".previous").exists())
        self.assertEqual(self.gateway.audit_kinds().count("host.tombstone"), 1)
        self.assert_one_enrolment()

    def test_told_to_keep_them_it_leaves_the_shares_alone(self):
        key, shares = self.keys(), self.shares()
        self.rotate("approve", "--keep-shares").end(0)
        self.assertEqual((self.keys(), self.shares()), (key, shares))
        self.assert_opens()

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
