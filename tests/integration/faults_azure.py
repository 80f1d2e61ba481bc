"""Every way in which Azure fails, before the real gateway: what the client is told, what a person reads, and that
nothing is released. Requests are approved at the console."""

import json
import time
import unittest

from gateway_world import KEY, World
from standins import AzureStandIn

SECRET = "zkv-nas"
VAULT, LOGIN = "/secrets/", "/oauth2/"


class AzureFaults(unittest.TestCase):
    """One gateway and one Azure for all; each test begins with a secret that is given."""

    @classmethod
    def setUpClass(cls):
        cls.azure = cls.enterClassContext(AzureStandIn())
        environment = cls.azure.environment() | {"ZKV_KEY_VAULT_SECRET": SECRET, "ZKV_LEGACY": "true"}
        cls.world = cls.enterClassContext(World("--max-wait", "600", environment=environment, key=None))
        cls.clients = 0

    def setUp(self):
        self.azure.clear_faults()
        self.azure.clear_requests()
        self.azure.settings(clockAhead=0, tokenLifetime=3599, announcedLifetime=None)
        self.azure.put_secret(SECRET, KEY)

    def approve(self):
        """A request by a client of its own, approved at the console; returns its answer and its id."""
        type(self).clients += 1
        client = self.world.ask(f"127.0.1.{self.clients}")
        self.world.command("request", "approve", client.id)
        return client.answer(), client.id

    def assert_released(self):
        answer, _ = self.approve()
        self.assertEqual((answer.status, answer.body), (200, KEY))

    def assert_fails(self, *words):
        """The client gets an empty 500; the person reads all `words` at the console; no row says released."""
        answer, request = self.approve()
        self.assertEqual((answer.status, answer.body), (500, ""))
        self.assertEqual(answer.headers["ZKV-Request-State"], "failed")
        shown = json.loads(self.world.command("request", "show", request, "--json"))
        for word in words:
            self.assertIn(word, json.dumps(shown))
        kinds = [row["kind"] for row in self.world.audit() if row.get("request") == request]
        self.assertNotEqual(kinds, [])
        self.assertFalse([kind for kind in kinds if "release" in kind], kinds)
        self.assertNotIn(KEY, self.world.log.text())

    # What passes

    def test_a_token_that_expired_in_between_is_renewed(self):
        self.assert_released()
        self.azure.end_tokens()
        self.azure.clear_requests()
        self.assert_released()
        self.assertEqual([entry["status"] for entry in self.azure.secret_requests()], [401, 200])
        self.assertEqual(len(self.azure.token_requests()), 1)

    def test_retry_after_is_heeded(self):
        self.azure.fault(429, match=VAULT, retryAfter=2)
        begin = time.monotonic()
        self.assert_released()
        self.assertGreaterEqual(time.monotonic() - begin, 2)
        self.assertEqual([entry["status"] for entry in self.azure.secret_requests()], [429, 200])

    def test_a_server_error_that_passes_is_tried_again(self):
        self.azure.end_tokens()
        self.azure.fault(500, match=VAULT)
        self.azure.fault(503, match=LOGIN)
        self.assert_released()

    def test_a_slow_answer_is_waited_for(self):
        self.azure.fault("slow", match=VAULT, delayMs=1500)
        self.assert_released()

    def test_answers_that_are_cut_off_or_dropped_are_asked_for_again(self):
        self.azure.fault("cut", match=VAULT)
        self.assert_released()
        self.azure.fault("drop", match=VAULT)
        self.assert_released()

    # What lasts

    def test_a_disabled_secret(self):
        self.azure.put_secret(SECRET, KEY, enabled=False)
        self.assert_fails(SECRET, "disabled")

    def test_an_expired_secret(self):
        self.azure.put_secret(SECRET, KEY, exp=int(time.time()) - 60)
        self.assert_fails(SECRET, "expired at")

    def test_a_secret_whose_time_has_not_come(self):
        self.azure.put_secret(SECRET, KEY, nbf=int(time.time()) + 3600)
        self.assert_fails(SECRET, "not valid before")

    def test_a_missing_permission(self):
        self.azure.fault("forbidden", match=VAULT)
        self.assert_fails(SECRET, "may not be read")

    def test_the_vaults_firewall(self):
        self.azure.fault("firewall", match=VAULT)
        self.assert_fails("not given to this address")

    def test_an_expired_client_secret(self):
        self.azure.end_tokens()
        self.azure.fault("expired", match=LOGIN)
        self.assert_fails("AADSTS7000222")

    def test_a_vault_that_never_takes_the_token(self):
        self.azure.fault("expired", match=VAULT, times=100)
        self.assert_fails("does not accept the token")
        self.assertEqual(len(self.azure.secret_requests()), 2)

    def test_a_vault_that_is_throttled_for_longer_than_the_gateway_waits(self):
        self.azure.fault(429, match=VAULT, times=100, retryAfter=3600)
        self.assert_fails("429")

    def test_an_answer_that_is_no_secret(self):
        self.azure.fault("garbage", match=VAULT, times=100)
        self.assert_fails(SECRET)

    def test_a_redirect_is_not_followed_with_the_token(self):
        self.azure.fault("redirect", match=VAULT, location=self.azure.http + "/elsewhere")
        self.assert_fails(SECRET)
        self.assertEqual(self.azure.requests("/elsewhere"), [])

    def test_after_all_that_the_gateway_still_releases(self):
        self.azure.fault(404, match=VAULT)
        self.assert_fails(SECRET, "does not exist")
        self.assert_released()


if __name__ == "__main__":
    unittest.main()
