"""Both endpoints of the seed, byte for byte, over TLS against the real program."""

import re
import unittest

from gateway_world import KEY, World


def without_date(received):
    return re.sub(rb"Date: [^\r]*\r\n", b"", received)


def ask_raw(world, source):
    """The whole answer of a client that sends the least a client can."""
    request = "GET /request-keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return world.raw(request.encode(), source)


class Compatible(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("--max-wait", "600")
        cls.world.start()
        cls.addClassCleanup(cls.world.close)

    def test_an_approved_request_gets_the_key_as_plain_text(self):
        client = self.world.ask("127.0.1.1")
        printed = self.world.command("request", "approve", client.id)
        answer = client.answer()
        self.assertEqual((answer.status, answer.body), (200, KEY))
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.headers["ZKV-Request-Id"], client.id)
        self.assertIn(client.id, printed)

    def test_a_denied_request_is_an_empty_401(self):
        client = self.world.ask("127.0.1.2")
        self.world.command("request", "deny", client.id, "--reason", "not mine")
        answer = client.answer()
        self.assertEqual((answer.status, answer.body), (401, ""))
        self.assertEqual(answer.headers["ZKV-Request-State"], "denied")

    def test_a_second_ask_within_a_second_is_an_empty_429(self):
        first = self.world.ask("127.0.1.3")
        received = ask_raw(self.world, "127.0.1.3")
        self.world.command("request", "deny", first.id)
        first.answer()
        self.assertEqual(
            without_date(received),
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    def test_the_log_says_that_this_mode_has_no_host_identity(self):
        self.world.log.wait(r"warning.*/request-keys is served: this mode has no host identity.*any address may ask \(legacy-allow\)")

    def test_without_twilio_there_is_no_webhook(self):
        self.assertEqual(self.world.webhook("1", source="127.0.1.4").status, 404)

    def test_health_is_told(self):
        self.assertEqual(self.world.request("GET", "/livez").body, "alive\n")
        self.assertEqual(self.world.request("GET", "/readyz").body, "ready\n")
        head = self.world.request("HEAD", "/livez")
        self.assertEqual((head.status, head.body, head.headers["Content-Length"]), (200, "", "6"))

    def test_a_client_that_goes_away_cancels_its_request(self):
        client = self.world.ask("127.0.1.5")
        client.leave()
        # The next ask is committed after what came before it.
        following = self.world.ask("127.0.1.6")
        self.assertEqual(self.world.state(client.id), "cancelled")
        self.world.command("request", "approve", following.id)
        self.assertEqual(following.answer().body, KEY)


class Expiry(unittest.TestCase):
    def test_nobody_deciding_is_a_401_after_max_wait(self):
        with World("--max-wait", "1") as world:
            answer = world.ask().answer()
            self.assertEqual((answer.status, answer.body), (401, ""))
            self.assertEqual(answer.headers["ZKV-Request-State"], "expired")


class EmbeddedVaultWithoutTheKey(unittest.TestCase):
    def test_a_missing_secret_is_an_empty_500(self):
        with World("--max-wait", "600", key=None) as world:
            client = world.ask()
            world.command("request", "approve", client.id)
            answer = client.answer()
            self.assertEqual((answer.status, answer.body), (500, ""))
            self.assertEqual(answer.headers["ZKV-Request-State"], "failed")
            world.log.wait("warning: hosts of the first protocol cannot get their key yet: .*no secret 'repository-key'.* secret set")
            world.log.wait("error: an approved request got no key: .*no secret 'repository-key'.* secret set")

    def test_with_the_secret_there_is_no_warning(self):
        with World() as world:
            self.assertNotIn("hosts cannot get their key", world.log.text())


if __name__ == "__main__":
    unittest.main()
