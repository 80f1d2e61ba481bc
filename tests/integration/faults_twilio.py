"""Every way in which Twilio fails, before the real gateway: whether the approver gets the PIN, what a person reads
where not, and that the request can then be decided at the console."""

import json
import re
import time
import unittest

from gateway_world import APPROVER, KEY, PATIENCE, World
from standins import TwilioStandIn

MESSAGES = "/Messages.json"


class TwilioFaults(unittest.TestCase):
    """One gateway and one Twilio for all; each test is a client of its own."""

    @classmethod
    def setUpClass(cls):
        cls.twilio = cls.enterClassContext(TwilioStandIn())
        environment = cls.twilio.environment() | {"ZKV_SMS_TO": APPROVER, "ZKV_PUBLIC_URL": "https://gateway.example"}
        cls.world = cls.enterClassContext(World("--max-wait", "600", "--log-level", "trace", environment=environment))
        cls.clients = 0

    def setUp(self):
        self.twilio.clear_faults()
        self.twilio.clear_requests()
        self.twilio.skip_messages()

    def ask(self):
        type(self).clients += 1
        return self.world.ask(f"127.0.1.{self.clients}")

    def assert_sent(self):
        """The approver gets a PIN, and its answer brings the key."""
        client = self.ask()
        body = self.twilio.wait_for_message()["body"]
        pin = re.search(r"\d{6}", body).group()
        token = self.twilio.facts["authToken"]
        source = f"127.0.2.{self.clients}"
        self.assertEqual(self.world.webhook(pin, sid=f"SM{self.clients}", source=source, token=token).status, 204)
        self.assertEqual(client.answer().body, KEY)
        self.assertEqual([row for row in self.world.audit() if row["kind"] == "notice.failed" and row["request"] == client.id], [])

    def statuses(self):
        return [entry.get("status") for entry in self.twilio.requests(MESSAGES)]

    def failure_of(self, request):
        deadline = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < deadline:
            for row in self.world.audit():
                if row["kind"] == "notice.failed" and row["request"] == request:
                    return row["detail"]
            time.sleep(0.2)
        raise AssertionError(f"no row says that the notice of {request} failed")

    def assert_fails(self, *words):
        """A row says all `words`, without PIN or token; the request waits on, and is approved at the console."""
        client = self.ask()
        detail = self.failure_of(client.id)
        for word in words:
            self.assertIn(word, detail)
        self.assertEqual(self.world.state(client.id), "pending")
        self.world.command("request", "approve", client.id)
        self.assertEqual(client.answer().body, KEY)
        said = self.world.log.text() + json.dumps(self.world.audit())
        self.assertNotIn(self.twilio.facts["authToken"], said)
        self.assertNotIn("respond with this PIN", said)

    # What passes

    def test_retry_after_is_heeded(self):
        self.twilio.fault(429, match=MESSAGES, retryAfter=2)
        begin = time.monotonic()
        self.assert_sent()
        self.assertGreaterEqual(time.monotonic() - begin, 2)
        self.assertEqual(self.statuses(), [429, 201])

    def test_server_errors_that_pass_are_tried_again(self):
        self.twilio.fault(500, match=MESSAGES)
        self.twilio.fault(503, match=MESSAGES)
        self.assert_sent()
        self.assertEqual(self.statuses(), [500, 503, 201])

    def test_a_slow_answer_is_waited_for(self):
        self.twilio.fault("slow", match=MESSAGES, delayMs=1500)
        self.assert_sent()

    def test_an_answer_that_is_cut_off_sends_the_same_pin_once_more(self):
        for fault in "cut", "drop":
            with self.subTest(fault):
                self.twilio.fault(fault, match=MESSAGES)
                self.twilio.clear_requests()
                before = len(self.twilio.messages(APPROVER))
                self.assert_sent()
                first = self.twilio.requests(MESSAGES)[0]["n"]
                self.assertTrue(self.twilio.requests(MESSAGES, after=first, wait=PATIENCE), "it is tried again")
                sent = [message["body"] for message in self.twilio.messages(APPROVER)[before:]]
                self.assertEqual(len(set(sent)), 1, sent)
                self.twilio.skip_messages()

    # What lasts

    def test_a_server_error_that_lasts(self):
        self.twilio.fault(503, match=MESSAGES, times=100)
        self.assert_fails("does not send the SMS", "status 503")
        self.assertEqual(self.statuses(), [503] * 4)

    def test_being_throttled_for_longer_than_the_gateway_waits(self):
        self.twilio.fault(429, match=MESSAGES, times=100, retryAfter=3600)
        self.assert_fails("status 429")
        self.assertEqual(self.statuses(), [429])

    def test_a_connection_that_is_always_cut(self):
        self.twilio.fault("drop", match=MESSAGES, times=100)
        self.assert_fails(self.twilio.https.removeprefix("https://"))

    def test_a_redirect_is_not_followed_with_the_token(self):
        self.twilio.fault("redirect", match=MESSAGES, location=self.twilio.http + "/elsewhere")
        self.assert_fails("does not send the SMS")
        self.assertEqual(self.twilio.requests("/elsewhere"), [])


if __name__ == "__main__":
    unittest.main()
