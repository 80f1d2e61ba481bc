"""Signs of life: what a host's drift guard found reaches the people, what the vault has reaches the host, and nobody speaks for another."""

import json
import secrets
import time
import unittest

import enrolled_world
import passkey_world
from enrolled_world import ANSWER_TYPE, HEARTBEAT_TYPE, REQUEST_TYPE, decode, encode, hash_of, open_envelope, sign


class Case(passkey_world.OwnersCase):
    def heartbeat(self, lines=(), count=None, host=None, kind=HEARTBEAT_TYPE, key=None, **changes):
        host = host or self.host
        body = {"host": host.id, "gateway": host.said["gateway"], "time": int(time.time() * 1000), "version": "1.2.3",
                "repository": {"id": host.repository, "generation": 12},
                "findings": {"count": len(lines) if count is None else count, "lines": list(lines)}}
        return sign(kind, {**body, **changes}, key or host.key)

    def beat(self, *lines, **changes):
        return self.gateway.post("/v2/heartbeats", self.heartbeat(lines, **changes))

    def shown(self, host=None):
        [found] = [one for one in self.anna.call("GET", "/v2/hosts").json["hosts"] if one["id"] == (host or self.host).id]
        return found["heartbeat"]

    def rows(self, kind):
        lines = self.gateway.command("audit", "list", "--json").splitlines()
        return [row for row in map(json.loads, lines) if row["kind"] == kind]


class Heard(Case):
    def test_what_was_found_is_shown_and_the_vault_has_the_share(self):
        self.assertIsNone(self.shown())
        sent = self.heartbeat(["tank/a: its key was changed", "tank/b: not in the repository"], 5)
        answer = self.gateway.post("/v2/heartbeats", sent)
        self.assertEqual(answer.status, 200)
        said = open_envelope(answer.json, ANSWER_TYPE, decode(self.host.said["signing"]))
        self.assertEqual((said["heartbeat"], said["host"], said["gateway"]), (hash_of(sent).hex(), self.host.id, self.host.said["gateway"]))
        self.assertEqual(said["share"], "there")
        self.assertNotIn("sealed", said)
        shown = self.shown()
        self.assertEqual((shown["count"], shown["findings"], shown["version"], shown["generation"], shown["overdue"]),
                         (5, ["tank/a: its key was changed", "tank/b: not in the repository"], "1.2.3", 12, False))
        self.assertIn("5 findings at", self.gateway.command("host", "list"))
        self.assertIn("  tank/a: its key was changed", self.gateway.command("host", "show", "nas"))

    def test_only_a_change_is_a_row_of_the_audit_log(self):
        for lines in ([], ["one"], ["one", "two"], [], []):
            self.assertEqual(self.beat(*lines).status, 200)
            time.sleep(0.002)  # Each is later than the one before, in milliseconds.
        self.assertEqual([row["detail"].split(": ", 1)[1] for row in self.rows("host.findings")], ["1 finding: one"])
        self.assertEqual([row["detail"].split(": ", 1)[1] for row in self.rows("host.fine")], ["fine again"])
        self.gateway.command("audit", "verify")

    def test_a_host_that_says_another_thing_each_time_is_heard_thirty_times_an_hour(self):
        for turn in range(30):
            self.assertEqual(self.beat(*(["one"] if turn % 2 else [])).status, 200)
            time.sleep(0.002)  # Each is later than the one before, in milliseconds.
        shown = self.shown()
        refused = self.beat()
        self.assertEqual((refused.status, refused.json["type"].rsplit("/", 1)[1]), (429, "rate"))
        self.assertEqual(self.shown(), shown)
        self.assertEqual(len(self.rows("host.findings")) + len(self.rows("host.fine")), 29)
        other = self.enrolled("cellar")
        self.assertEqual(self.beat("two", host=other, key=other.key).status, 200)

    def test_it_outlives_a_restart_and_becomes_overdue(self):
        self.assertEqual(self.beat().status, 200)
        self.gateway.change_database("UPDATE zkv_heartbeat SET at = at - 36 * 3600 * 1000")
        self.assertTrue(self.shown()["overdue"])
        self.assertIn("overdue", self.gateway.command("host", "list"))

    def test_a_share_that_is_gone_is_told(self):
        self.gateway.change_database("DELETE FROM zkv_secret")
        said = open_envelope(self.beat().json, ANSWER_TYPE, decode(self.host.said["signing"]))
        self.assertEqual(said["share"], "missing")
        self.assertIn("zkv-host-" + self.host.id, said["why"])

    def test_nothing_is_released_by_it(self):
        self.beat()
        self.assertEqual(self.anna.call("GET", "/v2/requests").json["requests"], [])
        self.assertEqual(self.rows("request.release"), [])

    def test_text_that_could_steer_a_terminal_or_a_page_is_made_harmless(self):
        self.beat("\x1b[2Jgone\u202e", "two\nlines")
        self.assertEqual(self.shown()["findings"], ["?[2Jgone?", "two?lines"])


class Refused(Case):
    def refusal(self, answer):
        return answer.status, answer.json["type"].rsplit("/", 1)[1]

    def test_a_stranger_a_revoked_host_and_another_hosts_signature(self):
        stranger = enrolled_world.Ed25519Key()
        self.assertEqual(self.refusal(self.beat(key=stranger)), (403, "unknown-host"))
        other = self.enrolled("other")
        forged = self.heartbeat(key=other.key)
        forged["signatures"][0]["keyid"] = self.host.id
        self.assertEqual(self.refusal(self.gateway.post("/v2/heartbeats", forged)), (403, "signature"))
        self.assertEqual(self.beat(key=other.key).status, 403)
        self.assertIsNone(self.shown())
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.assertEqual(self.refusal(self.beat()), (403, "unknown-host"))

    def test_the_same_again_an_older_one_and_one_from_another_time(self):
        first = self.heartbeat(["one"])
        self.assertEqual(self.gateway.post("/v2/heartbeats", first).status, 200)
        self.assertEqual(self.refusal(self.gateway.post("/v2/heartbeats", first)), (409, "stale"))
        self.assertEqual(self.refusal(self.beat(time=int(time.time() * 1000) - 60_000)), (409, "stale"))
        self.assertEqual(self.refusal(self.beat(time=int(time.time() * 1000) + 400_000)), (409, "clock"))
        self.assertEqual(self.shown()["count"], 1)

    def test_what_was_said_before_the_clock_was_put_back_does_not_count(self):
        self.assertEqual(self.beat().status, 200)
        for ahead, status in ((250_000, 409), (86_400_000, 200)):
            self.gateway.change_database("UPDATE zkv_heartbeat SET said_at = ?", int(time.time() * 1000) + ahead)
            self.assertEqual(self.beat().status, status)

    def test_one_for_another_gateway_or_of_another_repository(self):
        self.assertEqual(self.beat(gateway="ab" * 32).status, 403)
        self.assertEqual(self.beat(repository={"id": secrets.token_hex(16), "generation": 1}).status, 403)

    def test_a_request_is_no_heartbeat_and_the_other_way_round(self):
        self.assertEqual(self.refusal(self.beat(kind=REQUEST_TYPE)), (403, "signature"))
        self.assertEqual(self.refusal(self.gateway.post("/v2/requests", self.heartbeat())), (403, "signature"))

    def test_more_than_there_is_room_for(self):
        self.assertEqual(self.beat(*["line"] * 9).status, 400)
        self.assertEqual(self.beat("x" * 201).status, 400)
        self.assertEqual(self.beat("one", count=0).status, 400)
        self.assertEqual(self.beat(count=100_001).status, 400)
        self.assertIsNone(self.shown())

    def test_a_changed_byte(self):
        sent = self.heartbeat(["all is well"])
        body = decode(sent["payload"]).replace(b"all is well", b"all is lost")
        sent["payload"] = encode(body)
        self.assertEqual(self.refusal(self.gateway.post("/v2/heartbeats", sent)), (403, "signature"))


if __name__ == "__main__":
    unittest.main()
