"""After a release the daemon's memory and its most talkative log hold nothing of the key."""

import base64
import secrets
import unittest

from gateway_world import World

BIGGEST = 1 << 30  # sanitizers reserve more than can be read


def memory_of(pid):
    """What is readable of all writable mappings of a process, one after the other."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            start, end = (int(part, 16) for part in place.split("-"))
            if "w" not in rights or end - start > BIGGEST:
                continue
            try:
                memory.seek(start)
                yield memory.read(end - start)
            except (OSError, ValueError):
                continue


def places_of(pid, needles):
    return [needle for part in memory_of(pid) for needle in needles if needle in part]


class Memory(unittest.TestCase):
    def release(self, tls):
        raw = secrets.token_bytes(32)
        key = base64.urlsafe_b64encode(raw).decode()
        with World("--max-wait", "600", "--log-level", "trace", key=key, tls=tls) as world:
            client = world.ask()
            world.command("request", "approve", client.id)
            self.assertEqual(client.answer().body, key)
            # A request that comes later is served by the same threads, after the release has ended.
            world.command("request", "deny", world.ask("127.0.0.2").id)
            self.assertEqual(world.state(client.id), "acknowledged")
            needles = [key[:20].encode(), key[20:40].encode(), raw[:16], raw[16:]]
            self.assertEqual(places_of(world.process.pid, needles), [])
            self.assertTrue(places_of(world.process.pid, [str(world.data).encode()]), "the scan finds what is there")
            self.assertNotIn(key[:20], world.log.text())
            self.assertNotIn(raw[:16].hex(), world.log.text())

    def test_after_a_release_over_tls_no_byte_of_the_key_is_left(self):
        self.release(tls=True)

    def test_after_a_release_in_the_plain_no_byte_of_the_key_is_left(self):
        self.release(tls=False)


if __name__ == "__main__":
    unittest.main()
