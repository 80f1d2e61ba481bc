"""New keys at the gateway: an approved request makes an invite of which only its host has the token; whoever comes by it, and nobody else, takes the host's place."""

import hashlib
import json
import secrets
import time
import unittest

import enrolled_world
import passkey_world
from enrolled_world import SUCCESSION_TYPE, decode, encode, sign


class Successor(enrolled_world.OtherHost):
    """The same machine with new keys."""

    def __init__(self, older, token):
        gateway = older.said["gateway"]
        super().__init__(older.gateway, f"#zkv2.{encode(token)}.{encode(bytes.fromhex(gateway))}")
        self.repository = older.repository

    def succession(self, older, signer=None, **changes):
        body = {"host": self.id, "gateway": self.said["gateway"], "predecessor": older.id, "time": int(time.time() * 1000)}
        return sign(SUCCESSION_TYPE, {**body, **changes}, signer or self.key)

    def succeed(self, older, **how):
        return self.gateway.post("/v2/successions", self.succession(older, **how))


class Case(passkey_world.OwnersCase):
    def ask(self, token, **changes):
        return self.host.ask(successor=encode(hashlib.sha256(token).digest()), **changes)

    def approved(self, token):
        """The host's request for new keys, released; what it says."""
        asked = self.ask(token).json
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        answer = self.host.poll(asked["request"])
        self.assertEqual(answer["state"], "released")
        self.assertEqual(self.host.word("acknowledge", asked["request"]).status, 204)
        return asked

    def successor(self):
        token = secrets.token_bytes(20)
        self.approved(token)
        heir = Successor(self.host, token)
        self.assertEqual(heir.enrol().status, 201)
        return heir

    def shares(self):
        return {name.removeprefix("zkv-host-") for (name,) in self.gateway.write_database("SELECT name FROM zkv_secret") if name.startswith("zkv-host-")}

    def problem(self, answer):
        return answer.status, answer.json["type"].rsplit("/", 1)[1]

    def rows(self, kind):
        return [row for row in map(json.loads, self.gateway.command("audit", "list", "--json").splitlines()) if row["kind"] == kind]


class GoesWell(Case):
    def test_the_new_takes_name_and_place_and_the_old_share_is_destroyed(self):
        token = secrets.token_bytes(20)
        asked = self.ask(token).json
        [card] = self.anna.call("GET", "/v2/requests").json["requests"]
        self.assertTrue(card["new_keys"])
        self.assertIn("new keys", self.gateway.command("request", "list"))
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        self.assertEqual(self.host.open_release(self.host.poll(asked["request"])), self.host.share)
        heir = Successor(self.host, token)
        enrolled = heir.enrol()
        self.assertEqual((enrolled.status, enrolled.json["name"], enrolled.json["group"]), (201, f"nas~{asked['id']}", ""))
        self.assertEqual(self.shares(), {self.host.id, heir.id})
        answer = heir.succeed(self.host)
        self.assertEqual((answer.status, answer.json["name"], answer.json["host"]), (200, "nas", heir.id))
        self.assertEqual(self.shares(), {heir.id})
        self.assertEqual([json.loads(decode(json.loads(row["detail"])["payload"]))["host"] for row in self.rows("host.tombstone")], [self.host.id])
        self.assertEqual(self.problem(self.host.ask()), (403, "unknown-host"))
        asked = heir.ask().json
        [card] = self.anna.call("GET", "/v2/requests").json["requests"]
        self.assertEqual((card["host"]["name"], card["compared"]["first_from_address"]), ("nas", False))
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        self.assertEqual(heir.open_release(heir.poll(asked["request"])), heir.share)
        self.gateway.command("audit", "verify")

    def test_until_then_both_are_hosts_and_once_more_is_no_harm(self):
        heir = self.successor()
        for host in (self.host, heir):
            asked = host.ask().json
            self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
            self.assertEqual(host.open_release(host.poll(asked["request"])), host.share)
        self.assertEqual(heir.succeed(self.host).status, 200)
        self.assertEqual(heir.succeed(self.host).json["name"], "nas")
        self.assertEqual(len(self.rows("host.succeed")), 1)

    def test_an_abandoned_try_goes_with_the_next_one(self):
        abandoned, unused = self.successor(), secrets.token_bytes(20)
        self.approved(unused)
        heir = self.successor()
        self.assertEqual(heir.succeed(self.host).status, 200)
        self.assertEqual(self.shares(), {heir.id})
        self.assertEqual(self.problem(abandoned.succeed(self.host)), (403, "unknown-host"))
        self.assertEqual(self.problem(Successor(self.host, unused).enrol()), (403, "invite"))

    def test_a_successor_has_successors(self):
        heir = self.successor()
        self.assertEqual(heir.succeed(self.host).status, 200)
        older, self.host = self.host, heir
        last = self.successor()
        self.assertEqual(last.succeed(self.host).json["name"], "nas")
        self.assertEqual(self.shares(), {last.id})
        self.assertEqual(self.problem(last.succeed(older)), (403, "unknown-host"))

    def test_who_revokes_a_host_revokes_the_successors_of_one_that_waits_too(self):
        nas, waiting = self.host, self.successor()
        self.host = waiting
        last = self.successor()
        self.assertEqual(last.succeed(waiting).json["name"], f"nas~{self.rows('host.successor')[0]['request']}")
        self.host = last
        beyond = self.successor()
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.assertEqual(self.shares(), set())
        for host in (nas, waiting, last, beyond):
            self.assertEqual(self.problem(host.ask()), (403, "unknown-host"))
        self.gateway.command("audit", "verify")

    def test_who_took_the_place_of_one_that_was_the_heir_stays(self):
        nas, heir = self.host, self.successor()
        self.assertEqual(heir.succeed(nas).status, 200)
        self.host = heir
        last = self.successor()
        self.assertEqual(last.succeed(heir).json["name"], "nas")
        self.gateway.command("host", "revoke", nas.id, "--yes")
        self.assertEqual(self.shares(), {last.id})

    def test_a_denied_request_makes_no_invite(self):
        token = secrets.token_bytes(20)
        self.assertEqual(self.anna.decide(self.ask(token).json["id"], "deny").status, 200)
        self.assertEqual(self.problem(Successor(self.host, token).enrol()), (403, "invite"))

    def test_what_the_vault_does_not_give_is_no_reason_to_destroy_what_it_has(self):
        heir = self.successor()
        self.gateway.change_database("DELETE FROM zkv_secret WHERE name = ?", "zkv-host-" + heir.id)
        self.assertEqual(heir.succeed(self.host).status, 503)
        self.assertEqual(self.shares(), {self.host.id})
        self.assertIn(("nas", None), [(host["name"], host["revoked_at"]) for host in self.gateway.hosts()])


class Refused(Case):
    def test_a_stranger_another_host_and_the_old_one_itself(self):
        heir = self.successor()
        stranger, other = enrolled_world.Ed25519Key(), self.enrolled("other")
        body = {"host": other.id, "gateway": self.host.said["gateway"], "predecessor": self.host.id, "time": int(time.time() * 1000)}
        forged = heir.succession(self.host, signer=stranger)
        self.assertEqual(self.problem(self.gateway.post("/v2/successions", forged)), (403, "unknown-host"))
        forged["signatures"][0]["keyid"] = heir.id
        self.assertEqual(self.problem(self.gateway.post("/v2/successions", forged)), (403, "signature"))
        self.assertEqual(self.problem(self.gateway.post("/v2/successions", sign(SUCCESSION_TYPE, body, other.key))), (403, "unknown-host"))
        own = {**body, "host": self.host.id}
        self.assertEqual(self.problem(self.gateway.post("/v2/successions", sign(SUCCESSION_TYPE, own, self.host.key))), (403, "unknown-host"))
        self.assertEqual(self.gateway.post("/v2/successions", heir.succession(other)).status, 403)
        self.assertEqual(self.gateway.post("/v2/successions", heir.succession(self.host, gateway="00" * 32)).status, 403)
        self.assertEqual(self.problem(self.gateway.post("/v2/successions", heir.succession(self.host, time=1))), (409, "clock"))
        self.assertEqual(self.gateway.post("/v2/successions", heir.succession(self.host, predecessor="zz")).status, 400)
        self.assertEqual(self.shares(), {self.host.id, heir.id, other.id})
        self.assertIn("refused.succession", self.gateway.audit_kinds())

    def test_who_revokes_the_host_revokes_all_who_could_come_after(self):
        heir, unused = self.successor(), secrets.token_bytes(20)
        self.approved(unused)
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.assertEqual(self.shares(), set())
        self.assertEqual(self.problem(heir.ask()), (403, "unknown-host"))
        self.assertEqual(self.problem(heir.succeed(self.host)), (403, "unknown-host"))
        self.assertEqual(self.problem(Successor(self.host, unused).enrol()), (403, "invite"))

    def test_the_token_of_another_invite_is_not_taken_over(self):
        url = self.gateway.invite("printer")
        token = decode(url.split("#zkv2.")[1].split(".")[0])
        asked = self.ask(token).json
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        answer = self.host.poll(asked["request"], 1)
        self.assertEqual(answer["state"], "approved")
        self.assertIn("used before", answer["reason"])
        self.assertEqual(enrolled_world.OtherHost(self.gateway, url).enrol().json["name"], "printer")

    def test_it_takes_nothing_from_a_boot(self):
        evidence = {"boot_id": "one", "kernel": "6.1", "hostname": "nas", "uptime": 3, "addresses": [], "planned": False}
        boot = self.host.ask(evidence=evidence).json
        self.assertEqual(self.problem(self.ask(secrets.token_bytes(20))), (409, "boot-waits"))
        self.assertEqual(self.anna.decide(boot["id"], "deny").status, 200)
        self.assertEqual(self.anna.confirmed(f"/v2/hosts/{self.host.id}/next-boot", {"seconds": 7200}, "boot.approve", self.host.id, "7200").status, 201)
        asked = self.ask(secrets.token_bytes(20), evidence={**evidence, "boot_id": "two"}).json
        self.assertEqual(asked["state"], "pending")

    def test_a_misshapen_wish_is_refused(self):
        token = encode(secrets.token_bytes(32))
        for changes in ({"successor": "AA"}, {"successor": 5}, {"successor": token, "drill": True}, {"successor": token, "next_boot": 600}):
            self.assertEqual(self.host.ask(**changes).status, 400, changes)

    def test_a_row_that_somebody_wrote_makes_nobody_a_successor(self):
        other = self.enrolled("other")
        [(invite,)] = self.gateway.write_database("SELECT hash FROM zkv_invite WHERE used_by = ?", other.id)
        self.gateway.change_database("INSERT INTO zkv_succession (invite, predecessor, seal) VALUES (?, ?, '00')", invite, self.host.id)
        body = {"host": other.id, "gateway": self.host.said["gateway"], "predecessor": self.host.id, "time": int(time.time() * 1000)}
        self.assertGreaterEqual(self.gateway.post("/v2/successions", sign(SUCCESSION_TYPE, body, other.key)).status, 500)
        self.assertEqual(self.shares(), {self.host.id, other.id})


if __name__ == "__main__":
    unittest.main()
