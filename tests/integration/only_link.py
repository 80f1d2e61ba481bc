"""Whoever has only the approver's telephone, mailbox or the link to a request has the news that a machine asks, and no say in it."""

import json
import pathlib
import re
import unittest

import passkey_world
from enrolled import VOLUMES
from enrolled_world import Host, encode
from gateway_world import APPROVER, KEY
from standins import TwilioStandIn

PAGE = pathlib.Path(__file__).resolve().parents[2] / "web" / "dist"
HOST = "nas-of-the-cellar"


class OnlyTheLink(unittest.TestCase):
    def setUp(self):
        self.sent = 0
        self.twilio = self.enterContext(TwilioStandIn())
        environment = self.twilio.environment() | {"ZKV_SMS_TO": APPROVER}
        self.gateway = passkey_world.Gateway("--page-dir", str(PAGE), "--max-wait", "600")
        self.gateway.environment = environment
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.anna = passkey_world.Approver(self.gateway, self.gateway.invite_approver("Anna", "--role", "owner").split("=")[1])
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)
        self.host.enroll(self.gateway.invite(HOST), "--no-test")
        self.mark = self.gateway.log.mark()
        self.running = self.host.begin_mount()
        self.request = self.gateway.next_request(self.mark)
        self.number = re.search(r"\b(\d\d)\b", self.running.await_line("number")).group(1)

    def tearDown(self):
        """Nothing came of it, and the one who may decide still can."""
        self.assertEqual(self.gateway.state(self.request), "pending")
        self.assertEqual(self.anna.decide(self.request, "approve").status, 200)
        self.running.end(0)

    def call(self, method, path, body=None, **more):
        headers = {"Origin": self.gateway.base, "Content-Type": "application/json", **more}
        return self.gateway.request(method, path, json.dumps(body) if body is not None else None, headers)

    def test_the_link_opens_a_page_that_knows_nothing_without_a_session(self):
        shown = json.dumps(self.anna.call("GET", "/v2/requests").json)
        for word in (HOST, *VOLUMES, self.request):
            self.assertIn(word, shown)
        files = [path for path in PAGE.rglob("*") if path.is_file() and path.suffix != ".gz" and path.name != "index.html"]
        served = ["/", *(f"/{path.relative_to(PAGE)}" for path in files)]
        self.assertGreater(len(served), 3)
        answers = [self.gateway.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()) for path in served]
        calls = [("GET", "/v2/requests"), ("GET", "/v2/requests?all=1"), ("GET", "/v2/hosts"), ("GET", "/v2/session"), ("GET", "/v2/events"),
                 ("GET", "/v2/passkeys"), ("GET", "/v2/approvers")]
        refused = [self.call(method, path) for method, path in calls]
        self.assertEqual({answer.status for answer in refused}, {401})
        self.assertTrue(all(answer.startswith(b"HTTP/1.1 200") for answer in answers))
        everything = b"".join(answers) + "".join(answer.body for answer in refused).encode()
        for word in (HOST, *VOLUMES):
            self.assertNotIn(word.encode(), everything)

    def test_its_id_is_not_the_one_by_which_the_host_asks(self):
        for path in (self.request, self.request.lower(), encode(self.request.encode()), encode(self.request.encode().ljust(32, b"\0"))):
            self.assertEqual(self.gateway.get(f"/v2/requests/{path}?wait=0").status, 404)

    def test_without_a_session_nothing_is_decided_even_with_a_passkey_of_ones_own(self):
        own = passkey_world.Passkey(self.gateway.base)
        own.user = encode(bytes(16))
        asked = self.call("POST", f"/v2/requests/{self.request}/challenge", {"decision": "approve"})
        self.assertEqual(asked.status, 401)
        signing_in = json.loads(self.call("POST", "/v2/session/challenge").body)
        self.assertEqual(self.call("POST", "/v2/session", {"credential": own.get(signing_in)}).status, 403)
        body = {"decision": "approve", "reason": "mine", "credential": own.get(signing_in)}
        for cookie in ("", f"zkv-session={encode(bytes(32))}", f"zkv-session={self.request}"):
            self.assertEqual(self.call("POST", f"/v2/requests/{self.request}/decision", body, Cookie=cookie).status, 401)
        for invite in (self.request, encode(bytes(20))):
            self.assertEqual(self.call("POST", "/v2/registrations/challenge", {"invite": invite}).status, 403)
        self.assertNotIn("request.approve", self.gateway.audit_kinds())

    def test_the_notice_says_who_asks_and_holds_nothing_to_answer_with(self):
        notice = self.gateway.log.wait(rf".*request {self.request} .*waits for approval.*", self.mark).group(0)
        self.assertIn(HOST, notice)
        beside_times = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "", notice)  # A number of two digits can be a day or an hour.
        for word in (self.number, *VOLUMES):
            self.assertNotRegex(beside_times, rf"(?<![\d:.]){re.escape(word)}(?![\d:.])")
        self.assertEqual(self.twilio.messages(), [])

    def test_the_telephone_decides_about_its_own_kind_of_request_alone(self):
        for body in (self.request, self.number, "yes", "approve " + self.request, "000000"):
            self.assertEqual(self.answer_by_telephone(body), 404)
        legacy = self.gateway.ask()
        pin = re.search(r"\d{6}", self.twilio.wait_for_message()["body"]).group()
        self.assertEqual(self.answer_by_telephone(f"{self.request} {pin}"), 404)
        self.assertEqual(self.answer_by_telephone(pin), 204)
        self.assertEqual(legacy.answer().body, KEY)  # so these answers do count, where an SMS may decide

    def answer_by_telephone(self, body):
        """As Twilio passes it on, each from an address of its own, since one sends a message a second at most."""
        self.sent += 1
        return self.gateway.webhook(body, sid=f"SM{self.sent}", source=f"127.0.0.{self.sent + 1}", token=self.twilio.facts["authToken"],
                                    host=self.gateway.base).status


if __name__ == "__main__":
    unittest.main()
