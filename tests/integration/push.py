"""Web Push from a host's ask to the browser, before a push service that decrypts with the official client's package; and those who would
make the gateway call what they like, read another's subscriptions, or be told after they were revoked.
"""

import contextlib
import hashlib
import json
import os
import stat
import time
import unittest

import enrolled_world
import passkey_world
import totp_world
from standins import PushStandIn

PROBLEM = "https://zfs-keyvault.invalid/problems/"
ELSEWHERE = ["https://evil.example/push/1", "http://127.0.0.1:22/", "http://[::1]:22/", "https://169.254.169.254/latest/meta-data/",
             "https://fcm.googleapis.com.evil.example/wp/1", "https://fcm.googleapis.com:8443/wp/1", "http://fcm.googleapis.com/wp/1",
             "https://evilfcm.googleapis.com/wp/1", "https://push.apple.com/1", "https://0x7f.1/", "https://localhost/"]
MISSHAPEN = ["file:///etc/passwd", "gopher://127.0.0.1/", "https://fcm.googleapis.com@evil.example/", "https://me:x@fcm.googleapis.com/", "",
             "nonsense", "https://fcm.googleapis.com/" + "x" * 2048]


def next_news(push, subscription):
    """The first message there that tells its owner something of their own."""
    after = 0
    while True:
        message = push.wait_for_message(subscription, after)
        if "news" in json.loads(message["text"]):
            return message
        after = message["n"]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.push = stack.enter_context(PushStandIn())
        cls.gateway = passkey_world.Gateway("--push-hosts", f"{cls.push.http},fcm.googleapis.com,*.push.apple.com",
                                            "--totp-groups", "home")
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.start()
        cls.anna = cls.person("Anna", "--role", "owner")

    @classmethod
    def person(cls, name, *words):
        return passkey_world.Approver(cls.gateway, cls.gateway.invite_approver(name, *words).split("#register=")[1])

    def setUp(self):
        self.push.clear_faults()
        for one in self.listed(self.anna):
            self.assertEqual(self.anna.call("DELETE", f"/v2/push/subscriptions/{one['id']}").status, 204)

    def host(self, name):
        host = enrolled_world.OtherHost(self.gateway, self.gateway.invite(name))
        self.assertEqual(host.enrol().status, 201)
        return host

    def take(self, person, subscription, label="phone", **changes):
        body = {name: subscription[name] for name in ("endpoint", "p256dh", "auth")} | {"label": label}
        return person.call("POST", "/v2/push/subscriptions", body | changes)

    def subscribe(self, person, label="phone"):
        """A browser of `person`, bound to the gateway's key: what the push service knows of it."""
        subscription = self.push.subscribe(person.call("GET", "/v2/push/key").json["key"])
        made = self.take(person, subscription, label)
        self.assertEqual(made.status, 201, made.body)
        return subscription | {"number": made.json["id"]}

    def listed(self, person):
        return person.call("GET", "/v2/push/subscriptions").json["subscriptions"]

    def row(self, kind, pattern, request=""):
        """The audit row that says so: it is written once the push service has answered."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = [row for row in self.gateway.audit()
                     if (row["kind"], row["request"]) == (kind, request) and pattern in row["detail"]]
            if found:
                return found[0]
        raise AssertionError(f"no row {kind} with {pattern!r}: {self.gateway.audit()[-5:]}")


class OnesOwn(Case):
    """What happened to one's own ways in is told to oneself and to nobody else, once, and without a secret."""

    def newcomer(self, name):
        person = self.person(name)
        self.addCleanup(self.gateway.command, "approver", "revoke", name, "--yes")
        return person

    def assert_told(self, message, news, *secrets):
        told = json.loads(message["text"])
        self.assertEqual(set(told), {"news", "address", "gateway", "expires"})
        self.assertEqual((told["news"], told["address"]), (news, "127.0.0.1"))
        self.assertTrue(0 < message["ttl"] <= 12 * 3600, message)
        for secret in secrets:
            self.assertNotIn(secret, message["text"])

    def after_a_test(self, person, subscription):
        """The news that arrived by the time that a test message did, which was sent later."""
        def arrived():
            texts = [json.loads(message["text"]) for message in self.push.messages(subscription)]
            return [text for text in texts if "news" in text], [text for text in texts if "news" not in text]

        tests = len(arrived()[1])
        self.assertEqual(person.call("POST", "/v2/push/test", {}).status, 202)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            news, others = arrived()
            if len(others) > tests:
                return news
        raise AssertionError("the test message did not come")

    def test_a_lock_after_wrong_codes(self):
        bea = self.newcomer("Bea")
        app = totp_world.App(bea, "Bea").begin()
        phone, laptop, of_anna = self.subscribe(bea), self.subscribe(bea, "laptop"), self.subscribe(self.anna)
        wrong = app.wrong()
        for _ in range(4):
            app.try_sign_in(wrong)
        self.assertEqual(self.after_a_test(bea, phone), [], "nothing is told before the lock")
        app.try_sign_in(wrong)
        message = next_news(self.push, phone)
        self.assert_told(message, "codes-locked", wrong, app.made["secret"])
        self.assert_told(next_news(self.push, laptop), "codes-locked")
        for _ in range(3):
            app.try_sign_in(wrong)
        self.assertEqual(len(self.after_a_test(bea, phone)), 1, "it is told once, not for each code while it lasts")
        self.assertEqual(self.push.messages(of_anna), [])

    def test_a_recovery_code_that_was_used(self):
        carl = self.newcomer("Carl")
        phone, of_anna = self.subscribe(carl), self.subscribe(self.anna)
        [code, other, *_] = carl.confirmed("/v2/recovery-codes", {}, "recovery.make").json["codes"]
        stranger = object.__new__(passkey_world.Approver)
        stranger.gateway, stranger.passkey, stranger.cookie = self.gateway, passkey_world.Passkey(self.gateway.base), ""
        refused = stranger.call("POST", "/v2/recoveries/challenge", {"code": "0" * 24})
        self.assertEqual(refused.status, 403)
        asked = stranger.call("POST", "/v2/recoveries/challenge", {"code": code})
        made = stranger.call("POST", "/v2/recoveries", {"code": code, "label": "new", "credential": stranger.passkey.create(asked.json)})
        self.assertEqual(made.status, 201, made.body)
        self.assert_told(next_news(self.push, phone), "recovery-used", code, code.replace("-", ""), other)
        stranger.cookie = made.headers["Set-Cookie"].split(";")[0]
        self.assertEqual(len(self.after_a_test(stranger, phone)), 1)
        self.assertEqual(self.push.messages(of_anna), [])

    def test_a_push_service_that_is_away_keeps_no_code_from_being_used(self):
        dora = self.newcomer("Dora")
        phone = self.subscribe(dora)
        self.push.fault("drop", phone["endpoint"].removeprefix(self.push.http), times=2)
        app = totp_world.App(dora, "Dora").begin()
        for _ in range(5):
            app.try_sign_in(app.wrong())
        self.assert_told(next_news(self.push, phone), "codes-locked")


class OfHosts(Case):
    def beat(self, host, *lines):
        self.assertEqual(self.gateway.post("/v2/heartbeats", host.heartbeat(*lines)).status, 200)
        time.sleep(0.002)  # The next must be later, in milliseconds.

    def test_a_host_that_was_fine_and_is_so_no_more_is_told_to_everybody_and_once(self):
        phone, host = self.subscribe(self.anna), self.host("shed")
        self.beat(host)
        self.beat(host, "tank/a: its key was changed")
        message = next_news(self.push, phone)
        told = json.loads(message["text"])
        self.assertEqual((told["news"], told["host"], told["words"]), ("host-findings", "shed", "1 finding: tank/a: its key was changed"))
        self.beat(host, "tank/a: its key was changed", "tank/b: not there")
        self.beat(host)
        self.assertEqual(self.anna.call("POST", "/v2/push/test", {}).status, 202)
        after = self.push.wait_for_message(phone, message["n"])
        self.assertNotIn("news", json.loads(after["text"]))

    def test_a_drill_is_called_one(self):
        phone, host = self.subscribe(self.anna), self.host("barn")
        host.ask(drill=True)
        self.assertIs(json.loads(self.push.wait_for_message(phone)["text"])["drill"], True)


class Telling(Case):
    def test_a_hosts_ask_reaches_the_browser_with_the_link_to_its_card(self):
        phone = self.subscribe(self.anna)
        host = self.host("nas")
        asked = host.ask().json
        message = self.push.wait_for_message(phone)
        told = json.loads(message["text"])
        self.assertEqual(set(told), {"request", "host", "gateway", "expires"})
        self.assertEqual((told["request"], told["host"]), (asked["id"], "nas"))
        self.assertEqual(told["gateway"], self.anna.call("GET", "/v2/session").json["gateway"])
        self.assertIn(told["request"], [card["id"] for card in self.anna.call("GET", "/v2/requests").json["requests"]])
        self.assertTrue(0 < message["ttl"] <= 900, message)
        self.assertEqual(message["urgency"], "high")
        self.row("notice.sent", "web push: told 1 of 1", asked["id"])
        self.assertIsNotNone(self.listed(self.anna)[0]["last_told"])

        host.ask()
        again = self.push.wait_for_message(phone, message["n"])
        self.assertEqual(again["topic"], message["topic"])
        self.host("cellar").ask()
        other = self.push.wait_for_message(phone, again["n"])
        self.assertNotEqual(other["topic"], message["topic"])
        self.assertNotIn(hashlib.sha256(b"nas").hexdigest()[:12], message["topic"])

    def test_one_can_send_a_message_to_oneself_and_to_nobody_else(self):
        bea = self.person("Bea")
        theirs, phone, laptop = self.subscribe(bea), self.subscribe(self.anna), self.subscribe(self.anna, "laptop")
        sent = self.anna.call("POST", "/v2/push/test", {})
        self.assertEqual((sent.status, sent.json), (202, {"devices": 2}))
        for mine in (phone, laptop):
            told = json.loads(self.push.wait_for_message(mine)["text"])
            self.assertEqual((told["request"], told["host"]), (None, None))
        self.assertEqual(self.push.messages(theirs), [])
        self.gateway.command("approver", "revoke", "Bea", "--yes")

    def test_a_browser_that_is_gone_is_asked_no_more(self):
        phone = self.subscribe(self.anna)
        self.push.end(phone)
        self.host("attic").ask()
        self.row("approver.push-end", "status 410")
        self.assertEqual(self.listed(self.anna), [])

    def test_a_busy_service_is_asked_again_when_it_says(self):
        phone = self.subscribe(self.anna)
        path = phone["endpoint"].removeprefix(self.push.http)
        self.push.fault(429, path, retryAfter=2)
        self.push.fault(503, path)
        self.push.fault("drop", path)
        asked = self.host("shed").ask().json
        message = self.push.wait_for_message(phone)
        self.assertEqual(json.loads(message["text"])["request"], asked["id"])
        self.row("notice.sent", "told 1 of 1", asked["id"])
        tries = self.push.requests(path)
        self.assertEqual([one["fault"] for one in tries], ["429", "503", "drop", None])
        times = [time.mktime(time.strptime(one["at"][:19], "%Y-%m-%dT%H:%M:%S")) for one in tries]
        self.assertGreaterEqual(times[1] - times[0], 1)

    def test_what_the_service_refuses_is_not_tried_again_and_is_said_without_the_endpoint(self):
        phone = self.subscribe(self.anna)
        path = phone["endpoint"].removeprefix(self.push.http)
        self.push.fault(403, path)
        asked = self.host("barn").ask().json
        self.row("notice.failed", "told 0 of 1: 127.0.0.1: status 403", asked["id"])
        self.assertEqual(len(self.push.requests(path)), 1)
        self.assertEqual(self.listed(self.anna)[0]["failure"], "status 403")

    def test_whose_service_hangs_keeps_nobody_else_waiting(self):
        slow = [self.subscribe(self.anna, f"slow {number}") for number in range(20)]
        bea = self.person("Bea")
        phone = self.subscribe(bea)
        for one in slow:
            self.push.fault("hang", one["endpoint"].removeprefix(self.push.http), times=100)
        begun = time.monotonic()
        self.host("loft").ask()
        self.push.wait_for_message(phone, timeout=8)
        self.assertLess(time.monotonic() - begun, 8)
        self.gateway.command("approver", "revoke", "Bea", "--yes")


class Attacks(Case):
    def test_the_gateway_calls_no_address_but_those_of_push_services(self):
        browser = self.push.subscribe()
        for endpoint in ELSEWHERE:
            with self.subTest(endpoint):
                answer = self.take(self.anna, browser, endpoint=endpoint)
                self.assertEqual((answer.status, answer.json["type"]), (403, PROBLEM + "push-host"))
        for endpoint in MISSHAPEN:
            with self.subTest(endpoint):
                self.assertEqual(self.take(self.anna, browser, endpoint=endpoint).json["type"], PROBLEM + "malformed")
        self.assertEqual(self.listed(self.anna), [])

    def test_a_redirect_is_not_followed(self):
        phone, trap = self.subscribe(self.anna), self.push.subscribe()
        path = phone["endpoint"].removeprefix(self.push.http)
        self.push.fault("redirect", path, location=trap["endpoint"])
        asked = self.host("garage").ask().json
        self.row("notice.failed", "status 307", asked["id"])
        self.assertEqual(self.push.requests(trap["endpoint"].removeprefix(self.push.http)), [])

    def test_an_endless_answer_is_cut_off(self):
        phone = self.subscribe(self.anna)
        path = phone["endpoint"].removeprefix(self.push.http)
        self.push.fault("endless", path)
        self.host("pantry").ask()
        [first, *_] = self.push.messages(phone, wait=30)
        self.assertTrue(self.push.messages(phone, first["n"], wait=30), "it was not tried again")

    def test_nobody_sees_or_ends_anothers_subscriptions(self):
        eve = self.person("Eve")
        phone = self.subscribe(self.anna)
        self.assertEqual(self.listed(eve), [])
        answer = eve.call("DELETE", f"/v2/push/subscriptions/{phone['number']}")
        unknown = eve.call("DELETE", "/v2/push/subscriptions/" + "A" * 22)
        self.assertEqual((answer.status, answer.body), (404, unknown.body))
        self.assertEqual(eve.call("POST", "/v2/push/test", {}).status, 404)
        self.assertEqual([one["id"] for one in self.listed(self.anna)], [phone["number"]])
        # The same endpoint under another name is another subscription: hers is as it was.
        self.assertEqual(self.take(eve, phone, "eve's").status, 201)
        self.assertEqual([one["label"] for one in self.listed(self.anna)], ["phone"])
        self.gateway.command("approver", "revoke", "Eve", "--yes")

    def test_without_a_session_or_from_another_page_there_is_nothing(self):
        nobody = passkey_world.Approver.__new__(passkey_world.Approver)
        nobody.gateway, nobody.cookie = self.gateway, ""
        browser = self.push.subscribe()
        self.assertEqual(self.take(nobody, browser).status, 401)
        for method, path in (("GET", "key"), ("GET", "subscriptions"), ("POST", "test"), ("DELETE", "subscriptions/" + "A" * 22)):
            body = {} if method == "POST" else None
            self.assertEqual(nobody.call(method, f"/v2/push/{path}", body).status, 401, path)
        headers = {"Origin": "https://evil.example", "Cookie": self.anna.cookie, "Content-Type": "application/json"}
        for path in ("subscriptions", "test"):
            self.assertEqual(self.gateway.request("POST", f"/v2/push/{path}", "{}", headers).status, 403)

    def test_who_is_revoked_is_told_nothing(self):
        mallory = self.person("Mallory")
        theirs = self.subscribe(mallory)
        late = self.subscribe(mallory, "late")
        mine = self.subscribe(self.anna)
        self.push.fault(429, late["endpoint"].removeprefix(self.push.http), retryAfter=1, times=100)
        self.host("stable").ask()
        self.push.wait_for_message(theirs)
        self.gateway.command("approver", "revoke", "Mallory", "--yes")
        self.push.clear_faults()
        before = self.push.wait_for_message(mine)["n"]
        asked = self.host("mill").ask().json
        self.push.wait_for_message(mine, before)
        self.row("notice.sent", "told 1 of 1", asked["id"])
        self.assertEqual(len(self.push.messages(theirs)), 1)
        self.assertEqual(self.push.messages(late), [])
        self.assertEqual(self.take(mallory, theirs).status, 401)

    def test_one_person_keeps_twenty_and_the_oldest_gives_way(self):
        kept = [self.subscribe(self.anna, f"device {number}")["number"] for number in range(21)]
        self.assertEqual([one["id"] for one in self.listed(self.anna)], kept[1:])
        self.row("approver.push-end", "device 0 at 127.0.0.1: gave way to a newer one")

    def test_the_same_browser_again_is_the_same_subscription(self):
        phone = self.subscribe(self.anna)
        again = self.take(self.anna, phone, "renamed")
        self.assertEqual((again.status, again.json["id"]), (201, phone["number"]))
        [one] = self.listed(self.anna)
        self.assertEqual(one["label"], "renamed")
        self.assertEqual(one["hash"], hashlib.sha256(phone["endpoint"].encode()).hexdigest())

    def test_keys_that_are_none_are_refused(self):
        browser = self.push.subscribe()
        point = bytearray(enrolled_world.decode(browser["p256dh"]))
        point[40] ^= 1
        for changes in ({"p256dh": enrolled_world.encode(point)}, {"p256dh": browser["p256dh"][:-2]}, {"auth": "AAAA"}, {"auth": ""},
                        {"label": ""}, {"label": "x" * 257}, {"p256dh": 7}):
            with self.subTest(changes):
                self.assertEqual(self.take(self.anna, browser, **changes).json["type"], PROBLEM + "malformed")

    def test_the_key_stays_over_a_restart_and_belongs_to_the_gateway_alone(self):
        before = self.anna.call("GET", "/v2/push/key").json
        self.assertEqual(stat.S_IMODE(os.stat(self.gateway.data / "push.key").st_mode), 0o600)
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual(self.anna.call("GET", "/v2/push/key").json, before)

    def test_no_endpoint_is_written_or_shown_anywhere(self):
        phone = self.subscribe(self.anna)
        capability = phone["endpoint"].rsplit("/", 1)[1]
        self.push.fault("hang", capability)
        self.push.fault("drop", capability)
        self.push.fault(500, capability)
        self.push.fault(404, capability)
        mark = self.gateway.log.mark()
        self.host("tower").ask()
        self.row("approver.push-end", "status 404")
        self.gateway.log.wait("a push message was not taken: 127.0.0.1: status 404", mark)
        self.assertNotIn(capability, self.gateway.log.text())
        self.assertNotIn(capability, json.dumps(self.gateway.audit()))
        self.assertNotIn(capability, self.anna.call("GET", "/v2/push/subscriptions").body)


if __name__ == "__main__":
    unittest.main()
