"""Whoever has only the network, or all that a proxy which ends TLS keeps of what passes, has sealed boxes."""

import dataclasses
import json
import unittest

import only_world
import passkey_world
from enrolled_world import ENROLMENT_TYPE, RELEASE_TYPE, OtherHost, decode, encode
from recording_proxy import Case, body_of

GAINS = ("host.enrol", "approver.invite", "approver.passkey", "approver.sign-in", "approver.confirm", "request.ask", "request.evidence",
         "request.approve", "request.release")


class Record(Case):
    """Enrolment, request, sign-in, a second passkey, approval by passkey, release and acknowledgement, all on record."""

    def setUp(self):
        super().setUp()
        self.enroll()
        link = self.gateway.invite_approver("Anna", "--role", "owner")
        self.anna = passkey_world.Approver(self.gateway, link.split("#register=")[1])
        self.sign_in()
        self.assertEqual(self.anna.add_passkey(passkey_world.Passkey(self.gateway.base)).status, 201)
        self.other = OtherHost(self.gateway, self.gateway.invite("other"))
        self.assertEqual(self.other.enrol().status, 201)
        running = self.mount()
        self.assertEqual(self.anna.decide(running.request, "approve").status, 200)
        running.end(0)
        asked = self.other.ask().json
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        self.released = self.other.poll(asked["request"])
        self.assertEqual(self.other.word("acknowledge", asked["request"]).status, 204)

    def sign_in(self):
        asked = self.anna.call("POST", "/v2/session/challenge").json
        made = self.anna.call("POST", "/v2/session", {"credential": self.anna.passkey.get(asked)})
        self.assertEqual(made.status, 200)
        self.anna.cookie = made.headers["Set-Cookie"].split(";")[0]

    def bodies(self, kind):
        """What was signed of this type, in the record."""
        found = []
        for exchange in self.proxy.exchanges:
            for text in (exchange.body, exchange.answer):
                value = json.loads(text) if text.startswith(b"{") else {}
                found += [body_of(one) for one in (value, value.get("release", {})) if one.get("payloadType") == kind]
        return found

    def test_neither_share_nor_key_is_in_it_in_any_writing(self):
        [keys] = [data for name, data in only_world.files_of(self.host.enrolments).items() if name.endswith(".key")]
        share = only_world.vault_share(self.gateway, next(host["id"] for host in self.gateway.hosts() if host["name"] == "nas"))
        everything = only_world.decoded(self.proxy.written())
        kept = [share, keys[:32], keys[32:], self.other.share, bytes(self.other.key.key), self.host.key.encode(), *self.host.keys.values()]
        self.assertEqual(only_world.shown(everything, kept), [])
        sent = [decode(box["sealed"]) for box in self.bodies(RELEASE_TYPE)] + [decode(box["share"]) for box in self.bodies(ENROLMENT_TYPE)]
        self.assertGreaterEqual(len(sent), 4)
        self.assertEqual(only_world.shown(everything, sent), sent)

    def test_nothing_in_it_opens_a_sealed_box_and_the_keys_that_never_passed_would(self):
        keys = only_world.keys_in(only_world.decoded(self.proxy.written()) - {self.proxy.written()})
        [enrolment, *_] = self.bodies(ENROLMENT_TYPE)
        [release] = [body for body in self.bodies(RELEASE_TYPE) if body["host"] == self.other.id]
        sealing, asked_for = decode(self.other.said["sealing"]), bytes(self.other.box.public_key)
        self.assertLessEqual({sealing, asked_for}, keys)
        boxes = [(decode(enrolment["share"]), sealing), (decode(release["sealed"]), asked_for)]
        for box, recipient in boxes:
            self.assertIsNone(only_world.open_box(box, recipient, keys))
        identity = (self.gateway.data / "identity.key").read_bytes()
        self.assertEqual(len(only_world.open_box(*boxes[0], [identity[32:]])), 32)
        self.assertEqual(only_world.open_box(*boxes[1], [bytes(self.other.box)]), self.other.share)

    def gains(self):
        kinds = self.gateway.audit_kinds()
        lists = [self.gateway.command("approver", "show", "Anna", "--json"), self.gateway.command("host", "list", "--json")]
        shown = [[{**row, "last_used": None} if "last_used" in row else row for row in value.get("passkeys", value.get("hosts", []))]
                 for value in map(json.loads, lists)]
        return {kind: kinds.count(kind) for kind in GAINS}, shown

    def test_each_post_sent_again_gains_nothing(self):
        before = self.gains()
        self.assertEqual([before[0][kind] for kind in ("host.enrol", "request.approve", "request.release")], [2, 2, 2])
        paths = {exchange.path.split("/")[-1] for exchange in self.proxy.posts()}
        self.assertEqual(paths, {"enrolments", "requests", "words", "registrations", "session", "passkeys", "challenge", "confirmations",
                                 "decision"})
        for exchange in list(self.proxy.posts()):
            with self.subTest(exchange.path):
                again = self.proxy.replay(exchange)
                self.assertNotIn(b'"release"', again.answer)
                self.assertNotIn("Set-Cookie", dict(again.answer_headers))
                if exchange.path.endswith(("decision", "registrations", "session", "passkeys")):
                    self.assertGreaterEqual(again.status, 400, again.answer)
        self.assertEqual(self.gains(), before)

    def test_a_cookie_in_it_reads_while_it_lives_and_decides_nothing(self):
        running = self.mount()
        cookie = next(exchange.headers["Cookie"] for exchange in reversed(self.proxy.exchanges) if exchange.path.endswith("/decision"))
        self.assertTrue(cookie.startswith("__Host-zkv-session="))
        thief = passkey_world.Approver.__new__(passkey_world.Approver)
        thief.gateway, thief.cookie, thief.passkey = self.gateway, cookie, passkey_world.Passkey(self.gateway.base)
        cards = thief.call("GET", "/v2/requests").json["requests"]
        self.assertEqual([card["id"] for card in cards], [running.request])
        thief.passkey.user = encode(bytes(16))
        self.assertEqual(thief.decide(running.request, "approve").status, 403)
        thief.passkey.id, thief.passkey.user = self.anna.passkey.id, self.anna.passkey.user
        self.assertEqual(thief.decide(running.request, "approve").status, 403)
        self.assertEqual(thief.add_passkey(passkey_world.Passkey(self.gateway.base)).status, 403)
        self.assertEqual(thief.invite("Mallory", "owner").status, 403)
        for exchange in self.proxy.posts():
            if exchange.path.endswith("/decision"):
                moved = dataclasses.replace(exchange, path=f"/v2/requests/{running.request}/decision")
                self.assertGreaterEqual(self.proxy.replay(moved).status, 400)
        self.assertEqual(self.gateway.state(running.request), "pending")
        self.assertEqual(self.anna.decide(running.request, "approve").status, 200)
        running.end(0)


if __name__ == "__main__":
    unittest.main()
