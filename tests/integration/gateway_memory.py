"""After a release the daemon's memory and its most talkative log hold nothing of the key."""

import base64
import secrets
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
