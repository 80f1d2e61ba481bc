"""Whoever has only the host's disk, or the whole machine, has an encrypted repository, and a request that a person must approve."""

import json
import shutil
import unittest

import nacl.signing
from nacl.bindings import crypto_scalarmult, crypto_sign_ed25519_sk_to_curve25519

import host_world
import only_world
from enrolled import VOLUMES
from enrolled_world import Ed25519Key, Gateway, Host, OtherHost, decode


class StolenIdentity(OtherHost):
    """A program of the thief's own that asks in the stolen host's name, for a key that the thief has made."""

    def __init__(self, gateway, files):  # pylint: disable=super-init-not-called
        self.gateway, self.box = gateway, None
        self.said = gateway.statement()
        [self.id, keys] = next([name.split("/")[1][:-4], data] for name, data in files.items() if name.endswith(".key"))
        self.key, self.local_share = Ed25519Key(nacl.signing.SigningKey(keys[:32])), keys[32:]
        [entry] = [json.loads(data) for name, data in files.items() if name.endswith(f"{self.said['gateway']}.json")]
        self.repository = entry["repository"]


class StolenDisk(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)
        self.host.enroll(self.gateway.invite("nas"), "--no-test")
        mark = self.gateway.log.mark()
        running = self.host.begin_mount()  # so that whatever a boot leaves behind is on the disk
        self.gateway.command("request", "approve", self.gateway.next_request(mark))
        running.end(0)
        # The folder of the stand-in for ZFS has the keys in it to compare with, as no pool has.
        self.files = only_world.files_of(self.host.home, "zfs")
        self.thief = StolenIdentity(self.gateway, self.files)
        self.repositories = [only_world.Repository(data) for data in self.files.values() if data.startswith(b"\x89ZKV")]

    def known(self):
        """What the files are made of and name, and what can be computed with the identity and the gateway's public keys."""
        said = self.thief.said
        signing, sealing = decode(said["signing"]), decode(said["sealing"])
        curve = crypto_sign_ed25519_sk_to_curve25519(bytes(self.thief.key.key) + self.thief.key.public)
        numbers = [slot["id"].to_bytes(4, "little") for repository in self.repositories for slot in repository.slots]
        return [self.thief.local_share, bytes(self.thief.key.key), self.thief.key.public, bytes.fromhex(self.thief.id),
                bytes.fromhex(said["gateway"]), bytes.fromhex(self.thief.repository), signing, sealing,
                crypto_scalarmult(curve, sealing), crypto_scalarmult(self.thief.local_share, sealing), *numbers]

    def test_nothing_on_the_disk_opens_the_repository_and_the_other_share_would(self):
        names = {name.split("/")[0] for name in self.files}
        self.assertLessEqual({".zkv-repository", ".zkv-repository.previous", ".zkv-repository.seed"}, names)
        self.assertTrue(all(repository.slots for repository in self.repositories))
        everything = only_world.everything_in(self.files)
        keys = only_world.keys_in(everything) | only_world.guesses(self.known())
        self.assertIn(self.thief.local_share, keys)
        for repository in self.repositories:
            self.assertIsNone(repository.by_any(keys, [self.thief.local_share]))
        share = only_world.vault_share(self.gateway, self.thief.id)
        self.assertEqual(only_world.shown(everything, [share, *self.host.keys.values()]), [])
        self.assertEqual(only_world.shown(everything, [self.thief.local_share]), [self.thief.local_share])
        opened = [repository.by_any(keys | {share}, [self.thief.local_share]) for repository in self.repositories]
        self.assertIn(self.host.keys, opened)

    def test_the_file_of_the_first_format_beside_it_opens_by_nothing_on_the_disk(self):
        seed = self.files[".zkv-repository.seed"]
        for key in only_world.keys_in(only_world.everything_in(self.files)):
            with self.assertRaises(only_world.reader.Refused):
                only_world.reader.read_seed(seed, only_world.base64.urlsafe_b64encode(key))
        self.assertTrue(only_world.reader.read_seed(seed, self.host.key.encode()))

    def stolen_machine(self):
        machine = host_world.Host()
        self.addCleanup(machine.__exit__)
        shutil.copytree(self.host.home, machine.home, dirs_exist_ok=True)
        for dataset in (machine.zfs / "datasets").iterdir():
            if (dataset / "keystatus").read_text() == "available":
                (dataset / "keystatus").write_text("unavailable")
                (dataset / "mounted").write_text("no")
        return machine

    def assert_locked(self, machine):
        self.assertEqual({machine.get(name, "keystatus") for name in VOLUMES}, {"unavailable"})

    def boot(self, machine, word):
        mark = self.gateway.log.mark()
        running = machine.start("mount", "--cafile", str(self.host.cafile))
        request = self.gateway.next_request(mark)
        self.assertEqual(self.gateway.state(request), "pending")
        self.gateway.command("request", word, request)
        return running

    def test_the_whole_machine_asks_and_gets_what_a_person_decides(self):
        machine = self.stolen_machine()
        self.boot(machine, "deny").end(4)
        self.assert_locked(machine)
        self.boot(machine, "approve").end(0)
        self.assertEqual(machine.get("tank/hex", "keystatus"), "available")

    def test_a_revoked_machine_is_not_even_asked_for(self):
        machine = self.stolen_machine()
        before = len(self.gateway.requests("--all"))
        self.gateway.command("host", "revoke", "nas", "--yes")
        machine.run("mount", "--cafile", self.host.cafile, code=4)
        self.assertEqual(self.thief.ask().status, 403)
        self.assertEqual(len(self.gateway.requests("--all")), before)
        self.assert_locked(machine)

    def test_a_request_in_its_name_gives_nothing_until_it_is_approved(self):
        asked = self.thief.ask().json
        self.assertEqual(asked["state"], "pending")
        self.assertNotIn("release", self.thief.poll(asked["request"], 0))
        self.gateway.command("request", "deny", asked["id"])
        self.assertNotIn("release", self.thief.poll(asked["request"]))
        again = self.thief.ask().json
        self.gateway.command("request", "approve", again["id"])
        share = self.thief.open_release(self.thief.poll(again["request"]))
        opened = [repository.by_shares(share, self.thief.local_share) for repository in self.repositories]
        self.assertIn(self.host.keys, opened)

    def test_silence_gives_nothing(self):
        """That it ends as expired after its hour is shown by the unit tests of the service, with a clock that can be turned."""
        asked = self.thief.ask().json
        waited = self.thief.poll(asked["request"], 2)
        self.assertEqual(waited["state"], "pending")
        self.assertNotIn("release", waited)
        self.assertEqual(self.gateway.audit_kinds().count("request.release"), 1)  # that of the true boot


if __name__ == "__main__":
    unittest.main()
