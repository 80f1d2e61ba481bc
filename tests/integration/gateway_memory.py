"""After a release the daemon's memory and its most talkative log hold nothing of the key."""

import base64
import pathlib
import re
import secrets
import threading
import unittest

from chain_world import ChainCase
from gateway_world import World
from memory_scan import forms_of, places_of


class Fresh:
    """A key made for one test, and what is looked for of it: pieces, as a buffer that was used again leaves some."""

    def __init__(self):
        raw = secrets.token_bytes(32)
        self.text = base64.urlsafe_b64encode(raw).decode()
        self.pieces = [self.text[:20].encode(), self.text[20:40].encode(), raw[:16], raw[16:]]

    def assert_nowhere(self, test, world):
        test.assertEqual(places_of(world.process.pid, self.pieces), [])
        test.assertTrue(places_of(world.process.pid, [str(world.data).encode()]), "the scan finds what is there")
        log = world.log.text().encode()
        for form in set().union(*(forms_of(piece) for piece in self.pieces)):
            test.assertNotIn(form, log)


class Memory(unittest.TestCase):
    def release(self, tls):
        key = Fresh()
        with World("--max-wait", "600", "--log-level", "trace", key=key.text, tls=tls) as world:
            client = world.ask()
            world.command("request", "approve", client.id)
            self.assertEqual(client.answer().body, key.text)
            # A request that comes later is served by the same threads, after the release has ended.
            world.command("request", "deny", world.ask("127.0.0.2").id)
            self.assertEqual(world.state(client.id), "acknowledged")
            key.assert_nowhere(self, world)

    def test_after_a_release_over_tls_no_byte_of_the_key_is_left(self):
        self.release(tls=True)

    def test_after_a_release_in_the_plain_no_byte_of_the_key_is_left(self):
        self.release(tls=False)


class MemoryForStrangers(unittest.TestCase):
    CONNECTIONS, REQUESTS = 20, 6000

    def peak(self, world):
        """The most memory that the gateway ever had, in MiB."""
        status = pathlib.Path(f"/proc/{world.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024

    def test_requests_one_behind_the_other_take_no_more_memory_than_one(self):
        with World(tls=False) as world:
            self.assertEqual(world.request("GET", "/v2/gateway").status, 200)
            before = self.peak(world)
            clients = [world.connect() for _ in range(self.CONNECTIONS)]
            asked = b"GET /v2/gateway HTTP/1.1\r\nHost: x\r\n\r\n" * self.REQUESTS
            senders = [threading.Thread(target=client.sendall, args=(asked,)) for client in clients]
            for sender in senders:
                sender.start()
            for client, sender in zip(clients, senders):
                answers, line = 0, b"HTTP/1.1 "
                rest = b""
                while answers < self.REQUESTS:
                    part = client.recv(1 << 16)
                    self.assertTrue(part, "the connection is kept")
                    answers += (rest + part).count(line)
                    rest = (rest + part)[1 - len(line):]
                sender.join()
                client.close()
            self.assertLess(self.peak(world) - before, 25)


class MemoryOfTheChain(ChainCase):
    def test_after_a_release_from_azure_no_byte_of_the_key_is_left(self):
        key = Fresh()
        self.begin(key.text, "--log-level", "trace")
        client, pin = self.ask()
        self.assertEqual(self.reply(pin), 204)
        self.assertEqual(client.answer().body, key.text)
        self.assertEqual(self.world.state(client.id), "acknowledged")
        key.assert_nowhere(self, self.world)


if __name__ == "__main__":
    unittest.main()
