"""The full chain against stand-ins for Azure and Twilio: SMS sent, signed reply, key from the vault at the client."""

import base64
import secrets
import unittest

from chain_world import SECRET, ChainCase
from gateway_world import KEY, TWILIO_TOKEN, World, twilio_environment
from memory_scan import forms_of


class Chain(ChainCase):
    def setUp(self):
        self.begin(KEY)

    def ask_and_reply(self, **details):
        client, pin = self.ask()
        return client, self.reply(pin, **details)

    def release(self):
        client, status = self.ask_and_reply()
        self.assertEqual(status, 204)
        return client.answer()

    def test_a_signed_reply_brings_the_key_from_the_vault(self):
        answer = self.release()
        self.assertEqual((answer.status, answer.body), (200, KEY))

    def test_a_reply_signed_by_twilios_own_library_is_taken(self):
        client, status = self.ask_and_reply(signer="official")
        self.assertEqual(status, 204)
        self.assertEqual(client.answer().body, KEY)

    def test_forged_replies_bring_nothing(self):
        client, status = self.ask_and_reply(fault="wrong-token")
        self.assertEqual(status, 403)
        self.assertEqual(self.world.state(client.id), "pending")
        self.assertEqual(self.azure.secret_requests(), [])

    def test_a_refusal_of_azure_that_lasts_is_an_empty_500_and_in_the_audit_log(self):
        self.azure.fault("forbidden", match="/secrets/", times=100)
        answer = self.release()
        self.assertEqual((answer.status, answer.body), (500, ""))
        self.assertEqual(answer.headers["ZKV-Request-State"], "failed")

    def test_a_disabled_secret_is_a_500(self):
        self.azure.put_secret(SECRET, KEY, enabled=False)
        self.assertEqual(self.release().status, 500)

    def test_an_expired_secret_is_a_500(self):
        self.azure.put_secret(SECRET, KEY, exp=1)
        self.assertEqual(self.release().status, 500)

    def test_faults_that_pass_are_tried_again(self):
        self.azure.fault(503, match="/secrets/")
        self.azure.fault("drop", match="/token")
        answer = self.release()
        self.assertEqual((answer.status, answer.body), (200, KEY))

    def test_a_throttled_vault_is_asked_again_when_it_says(self):
        self.azure.fault(429, match="/secrets/", retryAfter=1)
        self.assertEqual(self.release().body, KEY)

    def test_an_answer_cut_off_gives_no_part_of_the_key(self):
        self.azure.fault("cut", match="/secrets/")
        self.assertEqual(self.release().body, KEY)

    def test_tokens_that_end_early_are_asked_for_again(self):
        self.assertEqual(self.release().body, KEY)
        self.azure.end_tokens()
        second = self.world.ask("127.0.0.2")
        self.twilio.wait_for_message()
        self.world.command("request", "approve", second.id)
        self.assertEqual(second.answer().body, KEY)


class TalkativeLog(ChainCase):
    def test_a_release_leaves_nothing_secret_in_the_log_at_its_most_talkative(self):
        raw = secrets.token_bytes(32)
        key = base64.urlsafe_b64encode(raw).decode()
        self.begin(key, "--log-level", "trace")
        token = secrets.token_urlsafe(32)
        client, pin = self.ask(token)
        self.assertEqual(self.reply(pin), 204)
        self.assertEqual(client.answer().body, key)
        self.assertEqual(self.world.state(client.id), "acknowledged")
        bearer = self.azure.secret_requests()[-1]["headers"]["authorization"].removeprefix("Bearer ")
        self.world.stop()
        log = self.world.log.whole()
        self.assertIn(client.id, log)
        self.assertNotRegex(log, rf"(?<!\d){pin}(?!\d)", "the PIN")
        hidden = {"the Twilio token": self.twilio.facts["authToken"], "Azure's client secret": self.azure.facts["clientSecret"],
                  "Azure's access token": bearer, "the client's token": token, "the key": key, "the key's bytes": raw}
        for name, secret in hidden.items():
            secret = secret if isinstance(secret, bytes) else secret.encode()
            self.assertGreaterEqual(len(secret), 16, name)
            for form in forms_of(secret[:16]) | forms_of(secret[-16:]):
                self.assertNotIn(form, log.encode(), name)


class TwilioAway(unittest.TestCase):
    def test_without_a_message_the_request_waits_for_the_console(self):
        environment = twilio_environment("http://127.0.0.1:9")
        with World("--max-wait", "600", environment=environment) as world:
            client = world.ask()
            self.assertNotIn(TWILIO_TOKEN, world.command("config", "check"))
            world.command("request", "approve", client.id)
            self.assertEqual(client.answer().body, KEY)


if __name__ == "__main__":
    unittest.main()
