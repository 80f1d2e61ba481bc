"""The full chain against stand-ins for Azure and Twilio: SMS sent, signed reply, key from the vault at the client."""

import re
import unittest

from gateway_world import APPROVER, KEY, TWILIO_TOKEN, World, twilio_environment
from standins import AzureStandIn, TwilioStandIn

SECRET = "zkv-nas"


class Chain(unittest.TestCase):
    def setUp(self):
        self.azure = self.enterContext(AzureStandIn())
        self.twilio = self.enterContext(TwilioStandIn())
        self.azure.put_secret(SECRET, KEY)
        environment = self.azure.environment() | self.twilio.environment() | {
            "ZKV_KEY_VAULT_SECRET": SECRET, "ZKV_SMS_TO": APPROVER}
        self.world = self.enterContext(World("--max-wait", "600", environment=environment, key=None))

    def url(self):
        return f"https://localhost:{self.world.port}/incoming-message"

    def ask_and_reply(self, **details):
        client = self.world.ask()
        message = self.twilio.wait_for_message()
        self.assertEqual(message["to"], APPROVER)
        self.assertRegex(message["body"], r"^Request received for repository encryption key, respond with this PIN to "
                                          r"confirm: \d{6}$")
        pin = re.search(r"\d{6}", message["body"]).group()
        outcome = self.twilio.send_reply(self.url(), pin, APPROVER, ca=str(self.world.authority.certificate), **details)
        return client, outcome["attempts"][-1]["status"]

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
