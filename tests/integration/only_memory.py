"""Whoever has only the memory of the gateway after a release, or of the host once its volumes are open, has no share and no key of it."""

import os
import unittest

import only_world
import passkey_world
from enrolled_world import Host
from host_world import wrapping_key
from memory_scan import places_of


class Memory(unittest.TestCase):
    def setUp(self):
        self.gateway = passkey_world.Gateway("--log-level", "trace")
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.anna = passkey_world.Approver(self.gateway, self.gateway.invite_approver("Anna", "--role", "owner").split("=")[1])
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)
        self.host.enroll(self.gateway.invite("nas"), "--no-test")
        [enrolled] = self.gateway.hosts()
        self.share = only_world.vault_share(self.gateway, enrolled["id"])
        files = only_world.files_of(self.host.home, "zfs")
        [keys] = [data for name, data in files.items() if name.endswith(".key")]
        self.identity, self.local_share = keys[:32], keys[32:]
        self.repository = only_world.Repository(files[".zkv-repository"])
        self.assertEqual(self.repository.by_shares(self.share, self.local_share), self.host.keys)

    def boot(self):
        mark = self.gateway.log.mark()
        running = self.host.begin_mount()
        running.request = self.gateway.next_request(mark)
        self.assertEqual(self.anna.decide(running.request, "approve").status, 200)
        return running

    def test_after_a_release_by_passkey_the_gateway_has_nothing_of_the_share(self):
        running = self.boot()
        running.end(0)
        # Another one, which ends otherwise: the same threads have done something else since.
        mark = self.gateway.log.mark()
        denied = self.host.begin_mount()
        self.anna.decide(self.gateway.next_request(mark), "deny")
        denied.end(4)
        self.assertEqual(self.gateway.state(running.request), "acknowledged")
        pid = self.gateway.process.pid
        halves = [self.share[:16], self.share[16:], self.local_share[:16], self.local_share[16:]]
        self.assertEqual(places_of(pid, halves), [])
        self.assertTrue(places_of(pid, [(self.gateway.data / "master.key").read_bytes()]), "the scan sees locked memory too")
        self.assertEqual(only_world.shown({self.gateway.log.text().encode()}, halves), [])

    def test_once_the_volumes_are_open_the_host_has_nothing_of_either_share_nor_of_a_key(self):
        os.mkfifo(self.host.zfs / "gate")
        running = self.boot()
        with open(self.host.zfs / "gate", "w", encoding="ascii") as gate:  # opens when the first mount waits at it
            joined = self.share + self.local_share
            [slot] = self.repository.gateway_slots
            kek = only_world.reader.wrapping_key(slot, self.repository.id, joined)
            keys = self.host.keys
            as_zfs_has_them = (bytes.fromhex(keys[name].decode()) for name in ("tank/hex", "tank/hex/nested"))
            volumes = [wrapping_key("passphrase", keys["tank/words"]), *keys.values(), *as_zfs_has_them]
            pid = running.process.pid
            found = places_of(pid, [self.share, self.local_share, joined[16:48], kek, self.repository.key_under(slot, kek), *volumes])
            control = places_of(pid, [str(self.host.home).encode()])
            (self.host.zfs / "gate").unlink()
            gate.write("go")
        running.end(0)
        self.assertEqual(found, [])
        self.assertTrue(control, "the scan sees the process's memory")


if __name__ == "__main__":
    unittest.main()
