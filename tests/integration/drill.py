"""A drill at the gateway: a release like a boot's, marked as a drill to whoever approves it, which takes nothing from a boot."""

import json
import unittest

import nacl.exceptions

import passkey_world
from enrolled_world import decode, encode


class Case(passkey_world.OwnersCase):
    def ask(self, boot="one", host=None, **changes):
        evidence = {"boot_id": boot, "kernel": "6.1", "hostname": "nas", "uptime": 3, "addresses": [], "planned": False}
        return (host or self.host).ask(evidence=evidence, **changes)

    def card(self, asked):
        [card] = [card for card in self.anna.call("GET", "/v2/requests").json["requests"] if card["id"] == asked["id"]]
        return card

    def state(self, asked):
        return self.host.poll(asked["request"], 0)["state"]

    def problem(self, answer):
        return answer.status, answer.json["type"].rsplit("/", 1)[1]

    def approve_next_boot(self):
        name = self.host.id
        self.assertEqual(self.anna.confirmed(f"/v2/hosts/{name}/next-boot", {"seconds": 7200}, "boot.approve", name, "7200").status, 201)

    def next_boot(self):
        [host] = [host for host in self.anna.call("GET", "/v2/hosts").json["hosts"] if host["id"] == self.host.id]
        return host["next_boot"]


class Approved(Case):
    def test_the_whole_road_is_gone_and_marked_as_a_drill(self):
        asked = self.ask(drill=True).json
        self.assertTrue(self.card(asked)["drill"])
        self.assertIn("a drill", self.gateway.command("request", "list"))
        self.gateway.log.wait(rf"drill: request {asked['id']} of nas ")
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        answer = self.host.poll(asked["request"])
        self.assertEqual(self.host.open_release(answer), self.host.share)
        self.assertEqual(self.host.word("acknowledge", asked["request"]).status, 204)
        rows = [json.loads(line) for line in self.gateway.command("audit", "list", "--json").splitlines()]
        [row] = [row for row in rows if row["kind"] == "request.ask"]
        self.assertIn("(drill)", row["detail"])
        self.assertIn("1 decision", self.gateway.command("audit", "verify"))

    def test_a_boot_is_none(self):
        self.assertFalse(self.card(self.ask().json)["drill"])
        self.assertFalse(self.card(self.ask(drill=False).json)["drill"])


class BesideABoot(Case):
    def test_it_does_not_take_the_place_of_a_request_that_waits(self):
        boot = self.ask().json
        self.assertEqual(self.problem(self.ask(drill=True)), (409, "boot-waits"))
        self.assertEqual(self.state(boot), "pending")

    def test_a_boot_takes_its_place(self):
        drill = self.ask(drill=True).json
        boot = self.ask().json
        self.assertEqual((self.state(drill), self.state(boot)), ("superseded", "pending"))

    def test_a_later_drill_takes_the_place_of_an_earlier_one(self):
        first, second = self.ask(drill=True).json, self.ask(drill=True).json
        self.assertEqual((self.state(first), self.state(second)), ("superseded", "pending"))

    def test_it_does_not_use_up_an_approval_of_the_next_boot(self):
        self.assertEqual(self.anna.decide(self.ask(boot="one").json["id"], "deny").status, 200)
        self.approve_next_boot()
        drill = self.ask(boot="two", drill=True).json
        self.assertEqual(self.state(drill), "pending")
        self.assertIsNotNone(self.next_boot())

    def test_the_next_boot_still_finds_its_approval(self):
        self.assertEqual(self.anna.decide(self.ask(boot="one").json["id"], "deny").status, 200)
        self.approve_next_boot()
        self.ask(boot="one", drill=True)
        boot = self.ask(boot="two").json
        self.assertEqual(self.host.open_release(self.host.poll(boot["request"])), self.host.share)
        self.assertIsNone(self.next_boot())


class Attacked(Case):
    def relabelled(self, envelope, **changes):
        body = {**json.loads(decode(envelope["payload"])), **changes}
        return {**envelope, "payload": encode(json.dumps(body).encode())}

    def test_a_boot_that_is_called_a_drill_on_its_way_and_the_other_way_round_fails_its_signature(self):
        boot = self.host.request()
        self.assertEqual(self.problem(self.gateway.post("/v2/requests", self.relabelled(boot, drill=True))), (403, "signature"))
        drill = self.host.request(drill=True)
        self.assertEqual(self.problem(self.gateway.post("/v2/requests", self.relabelled(drill, drill=False))), (403, "signature"))

    def test_what_was_approved_for_a_drill_is_not_released_to_the_boot_after_it(self):
        drill = self.ask(drill=True).json
        challenge = self.anna.call("POST", f"/v2/requests/{drill['id']}/challenge", {"decision": "approve"}).json
        boot = self.ask(boot="two").json
        signed = {"decision": "approve", "reason": "", "credential": self.anna.passkey.get(challenge)}
        self.assertEqual(self.anna.call("POST", f"/v2/requests/{boot['id']}/decision", signed).status, 409)
        self.assertEqual(self.anna.call("POST", f"/v2/requests/{drill['id']}/decision", signed).status, 409)
        self.assertEqual(self.state(boot), "pending")

    def test_its_release_opens_for_nobody_else(self):
        other = self.enrolled("other")
        drill = self.ask(drill=True).json
        self.assertEqual(self.anna.decide(drill["id"], "approve").status, 200)
        answer = self.host.poll(drill["request"])
        other.request()
        with self.assertRaises(nacl.exceptions.CryptoError):
            self.host.open_release(answer, other.box)

    def test_a_drill_that_wants_its_next_boot_too_and_one_in_other_words_are_refused(self):
        self.assertEqual(self.ask(drill=True, next_boot=3600).status, 400)
        self.assertEqual(self.ask(drill="yes").status, 400)

    def test_drills_ring_no_phone_more_often_than_boots(self):
        for _ in range(5):
            last = self.ask(drill=True).json
        self.assertEqual(self.state(last), "pending")
        self.gateway.stop()  # What it still had to tell is told by then.
        self.assertEqual(self.gateway.log.text().count("waits for approval"), 3)


if __name__ == "__main__":
    unittest.main()
