"""An approver and a host, both written anew from docs/protocol-v2.md, before the real gateway: the passkey decides, the release names
the evidence, and the evidence is checked again from the audit log alone.
"""

import hashlib
import json
import secrets
import time
import unittest

import enrolled_world
import gateway_world
import passkey_world


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = passkey_world.Gateway()
        cls.gateway.start()
        cls.addClassCleanup(cls.gateway.close)
        link = cls.gateway.invite_approver("Anna", "--role", "owner")
        cls.anna = passkey_world.Approver(cls.gateway, link.split("#register=")[1])

    def enrolled(self, name):
        host = enrolled_world.OtherHost(self.gateway, self.gateway.invite(name))
        self.assertEqual(host.enrol().status, 201)
        return host

    def rows(self, kind, request=""):
        return [row for row in self.gateway.audit() if row["kind"] == kind and row["request"] == request]


class People(Case):
    def test_a_passkey_approves_and_the_release_names_evidence_that_anybody_can_check(self):
        host = self.enrolled("nas")
        envelope = host.request()
        asked = self.gateway.post("/v2/requests", envelope).json
        self.assertEqual((asked["asked"], self.gateway.post("/v2/requests", envelope).json["asked"]), (1, 1))
        decided = self.anna.decide(asked["id"], "approve")
        self.assertEqual((decided.status, decided.json["decided_by"]), (200, "Anna"))
        answer = host.poll(asked["request"])
        self.assertNotIn("asked", answer)
        self.assertEqual(host.open_release(answer), host.share)

        [row] = self.rows("request.evidence", asked["id"])
        release = json.loads(enrolled_world.decode(answer["release"]["payload"]))
        self.assertEqual(release["approvals"], [hashlib.sha256(row["detail"].encode()).hexdigest()])
        evidence = json.loads(row["detail"])
        [registered] = [detail for detail in (json.loads(row["detail"]) for row in self.rows("approver.passkey"))
                        if detail["credential"] == evidence["credential"]]
        cose = enrolled_world.decode(registered["publicKey"])
        request_hash = enrolled_world.hash_of(envelope)
        passkey_world.check_evidence(evidence, cose, request_hash)
        with self.assertRaises(AssertionError):
            passkey_world.check_evidence({**evidence, "decision": "deny"}, cose, request_hash)

    def test_a_client_that_comes_back_from_elsewhere_is_decided_and_logged_as_from_there(self):
        token = enrolled_world.encode(secrets.token_bytes(32))
        first = self.gateway.ask("127.0.6.1", token)
        second = gateway_world.Asking(self.gateway, "127.0.6.2", token, "localhost")
        self.assertNotEqual(first.answer().status, 200, "the second has taken its place")
        self.assertEqual(json.loads(self.gateway.command("request", "show", first.id, "--json"))["address"], "127.0.6.2")
        self.assertEqual(self.anna.decide(first.id, "approve").status, 200)
        self.assertEqual(second.answer().body, gateway_world.KEY)
        self.gateway.requests()  # what happened before is in the log when this is answered
        for kind, address in (("ask", "127.0.6.1"), ("reattach", "127.0.6.2"), ("address", "127.0.6.2"), ("acknowledge", "127.0.6.2")):
            self.assertEqual([row["actor"] for row in self.rows(f"request.{kind}", first.id)], [address], kind)
        self.gateway.command("audit", "verify")

    def test_a_passkey_denies_and_nothing_is_released(self):
        host = self.enrolled("attic")
        asked = host.ask().json
        decided = self.anna.decide(asked["id"], "deny")
        self.assertEqual((decided.status, decided.json["state"], decided.json["reason"]), (200, "denied", "because"))
        self.assertEqual(host.poll(asked["request"])["state"], "denied")
        self.assertNotIn("release", host.poll(asked["request"]))

    def test_a_revoked_host_gets_nothing_that_was_released_before(self):
        host = self.enrolled("hut")
        asked = host.ask().json
        self.anna.decide(asked["id"], "approve")
        while self.gateway.state(asked["id"]) != "released":
            self.assertEqual(self.gateway.state(asked["id"]), "approved")
        self.gateway.command("host", "revoke", "hut", "--yes")
        self.assertNotIn("release", host.poll(asked["request"]))

    def test_the_console_approves_as_itself_and_leaves_no_evidence(self):
        host = self.enrolled("cellar")
        asked = host.ask().json
        self.gateway.command("request", "approve", asked["id"])
        answer = host.poll(asked["request"])
        self.assertEqual(json.loads(enrolled_world.decode(answer["release"]["payload"]))["approvals"], [])
        [row] = self.rows("request.approve", asked["id"])
        self.assertRegex(row["actor"], r"^console:uid \d+$")

    def test_the_command_line_lists_shows_and_revokes_but_not_the_last_owner(self):
        link = self.gateway.invite_approver("Bea")
        bea = passkey_world.Approver(self.gateway, link.split("#register=")[1])
        self.assertIn("Bea", self.gateway.command("approver", "list"))
        self.assertIn("python", self.gateway.command("approver", "show", "Bea"))
        self.gateway.command("approver", "revoke", "Bea", "--yes")
        self.assertEqual(bea.call("GET", "/v2/session").status, 401)
        with self.assertRaisesRegex(AssertionError, "last owner"):
            self.gateway.command("approver", "revoke", "Anna", "--yes")


class Invites(Case):
    """Links that were made and not used yet: seen by owners and at the console, and ended by them."""

    def listed(self):
        return {invite["name"]: invite for invite in json.loads(self.gateway.command("invite", "list", "--json"))["invites"]}

    def test_one_of_a_host_is_withdrawn_at_the_console_and_enrols_nobody(self):
        link = self.gateway.invite("shed", "--group", "garden")
        shed = self.listed()["shed"]
        self.assertEqual((shed["kind"], shed["group"]), ("host", "garden"))
        self.assertNotIn(shed["id"], link)
        self.assertIn("the invite of shed is withdrawn", self.gateway.command("invite", "withdraw", shed["id"]))
        self.assertNotIn("shed", self.listed())
        refused = enrolled_world.OtherHost(self.gateway, link).enrol()
        self.assertEqual(refused.status, 403, refused.body)
        self.assertEqual(self.rows("invite.withdraw")[-1]["detail"], "host shed")
        with self.assertRaisesRegex(AssertionError, "no such invite that could still be used"):
            self.gateway.command("invite", "withdraw", shed["id"])

    def test_one_of_a_person_is_withdrawn_by_an_owner_even_while_somebody_registers_by_it(self):
        link = self.anna.invite("Gus", "owner").json["url"].split("#register=")[1]
        mallory = passkey_world.Passkey(self.gateway.base)
        visitor = passkey_world.Visitor(self.gateway)
        asked = visitor.call("POST", "/v2/registrations/challenge", {"invite": link}).json
        [gus] = [one for one in self.anna.call("GET", "/v2/invites").json["invites"] if one["name"] == "Gus"]
        self.assertEqual((gus["kind"], gus["role"]), ("approver", "owner"))
        self.assertEqual(self.anna.call("DELETE", f"/v2/invites/{gus['id']}").status, 204)
        made = {"invite": link, "label": "mine", "credential": mallory.create(asked)}
        self.assertEqual(visitor.call("POST", "/v2/registrations", made).status, 403)
        self.assertEqual(self.anna.call("DELETE", f"/v2/invites/{gus['id']}").status, 404)

    def test_who_is_no_owner_sees_and_ends_none(self):
        made = self.anna.invite("Hal", "approver")
        hal = passkey_world.Approver(self.gateway, made.json["url"].split("#register=")[1])
        self.anna.invite("Ida", "approver")
        ida = self.listed()["Ida"]["id"]
        for somebody, status in ((hal, 403), (passkey_world.Visitor(self.gateway), 401)):
            with self.subTest(status=status):
                self.assertEqual(somebody.call("GET", "/v2/invites").status, status)
                self.assertEqual(somebody.call("DELETE", f"/v2/invites/{ida}").status, status)
        self.assertIn("Ida", self.listed())
        self.assertNotIn("Hal", self.listed(), "it was used")


class Names(Case):
    """127.0.0.1 has a name in /etc/hosts: no name server is asked."""

    def test_the_card_shows_what_the_network_calls_the_address_unless_that_is_off(self):
        host = self.enrolled("stall")
        asked = host.ask().json
        self.assertIsNone(self.anna.call("GET", f"/v2/requests/{asked['id']}/card").json["address_name"])
        self.gateway.stop()
        self.gateway.config.write_text("address-names = true\n")
        self.gateway.start()
        deadline = time.monotonic() + gateway_world.PATIENCE
        while not (name := self.anna.call("GET", f"/v2/requests/{asked['id']}/card").json["address_name"]):
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(name, "localhost")


class History(Case):
    def test_a_card_is_found_by_its_id_and_the_history_goes_on_before_it(self):
        host = self.enrolled("stable")
        ids = []
        for _ in range(3):
            asked = host.ask().json
            ids.append(asked["id"])
            self.assertEqual(self.anna.decide(asked["id"], "deny").status, 200)
        newest = self.anna.call("GET", "/v2/requests?all=1").json
        self.assertEqual([card["id"] for card in newest["requests"][:3]], ids[::-1])
        older = self.anna.call("GET", f"/v2/requests?all=1&before={ids[1]}").json
        self.assertEqual((older["requests"][0]["id"], older["more"]), (ids[0], False))
        self.assertEqual(self.anna.call("GET", "/v2/requests?all=1&before=NOPE").json, {"requests": [], "more": False, "damaged": []})
        card = self.anna.call("GET", f"/v2/requests/{ids[0]}/card")
        self.assertEqual((card.status, card.json["state"]), (200, "denied"))
        self.assertEqual(self.anna.call("GET", "/v2/requests/NOPE/card").status, 404)
        self.assertEqual(passkey_world.Visitor(self.gateway).call("GET", f"/v2/requests/{ids[0]}/card").status, 401)


class Power(Case):
    """What gives or takes power wants a fresh answer of the passkey, over exactly that."""

    def approver(self, name, role="approver"):
        made = self.anna.invite(name, role)
        self.assertEqual(made.status, 201, made.body)
        return passkey_world.Approver(self.gateway, made.json["url"].split("#register=")[1])

    def test_an_owner_invites_and_revokes_people_and_hosts_and_each_is_confirmed_in_the_log(self):
        bea = self.approver("Bea")
        identity = bea.call("GET", "/v2/session").json["approver"]["id"]
        self.assertEqual(self.anna.confirmed(f"/v2/approvers/{identity}/revocation", {}, "approver.revoke", identity).status, 204)
        self.assertEqual(bea.call("GET", "/v2/session").status, 401)
        host = self.enrolled("barn")
        self.assertEqual(self.anna.confirmed(f"/v2/hosts/{host.id}/revocation", {}, "host.revoke", host.id).status, 204)
        self.assertEqual(host.ask().status, 403)
        acts = [json.loads(row["detail"])["act"] for row in self.rows("approver.confirm")]
        self.assertEqual(sorted(set(acts) & {"approver.invite", "approver.revoke", "host.revoke"}),
                         ["approver.invite", "approver.revoke", "host.revoke"])

    def test_a_second_passkey_is_added_used_and_removed(self):
        carl = self.approver("Carl")
        second = passkey_world.Passkey(self.gateway.base)
        self.assertEqual(carl.add_passkey(second).status, 201)
        asked = self.enrolled("loft").ask().json
        first, carl.passkey = carl.passkey, second

        def last_used():
            return {one["id"]: one["last_used"] for one in carl.call("GET", "/v2/passkeys").json["passkeys"]}

        self.assertIsNone(last_used()[enrolled_world.encode(second.id)])
        self.assertEqual(carl.decide(asked["id"], "deny").status, 200)
        self.assertRegex(last_used()[enrolled_world.encode(second.id)], r"^20\d\d-")
        key = enrolled_world.encode(first.id)
        self.assertEqual(carl.confirmed(f"/v2/passkeys/{key}/removal", {}, "passkey.remove", key).status, 204)

    def test_a_removed_passkey_ends_the_sessions_that_it_may_have_opened(self):
        dora = self.approver("Dora")
        second = passkey_world.Passkey(self.gateway.base)
        dora.add_passkey(second)
        asked = dora.call("POST", "/v2/session/challenge", {}).json
        signed_in = dora.call("POST", "/v2/session", {"credential": second.get(asked)})
        thief = {"Origin": self.gateway.base, "Cookie": signed_in.headers["Set-Cookie"].split(";")[0]}
        self.assertEqual(self.gateway.request("GET", "/v2/session", None, thief).status, 200)
        key = enrolled_world.encode(second.id)
        self.assertEqual(dora.confirmed(f"/v2/passkeys/{key}/removal", {}, "passkey.remove", key).status, 204)
        self.assertEqual(self.gateway.request("GET", "/v2/session", None, thief).status, 401)
        self.assertEqual(dora.call("GET", "/v2/session").status, 200, "who removed it goes on")

    def test_a_stolen_cookie_adds_no_passkey_invites_nobody_and_revokes_nothing(self):
        mallory = passkey_world.Passkey(self.gateway.base)
        made = mallory.create(self.anna.call("POST", "/v2/passkeys/challenge", {}).json)
        key = enrolled_world.encode(mallory.id)
        before = self.anna.call("GET", "/v2/passkeys").json

        def with_answer(act, *about):
            asked = self.anna.call("POST", "/v2/confirmations", {"act": act, "about": about}).json
            self.assertNotIn(key, asked["allow"])
            return mallory.get(asked)

        body = {"label": "mine", "credential": made}
        self.assertEqual(self.anna.call("POST", "/v2/passkeys", body).status, 400)
        self.assertEqual(self.anna.call("POST", "/v2/passkeys", {**body, "confirmation": with_answer("passkey.add", key, "mine")}).status, 403)
        invite = {"name": "Mallory", "role": "owner"}
        self.assertEqual(self.anna.call("POST", "/v2/approvers/invites", invite).status, 400)
        answer = with_answer("approver.invite", "Mallory", "owner")
        self.assertEqual(self.anna.call("POST", "/v2/approvers/invites", {**invite, "confirmation": answer}).status, 403)
        self.assertEqual(self.anna.call("GET", "/v2/passkeys").json, before)
        self.assertEqual([row for row in self.rows("approver.invite") if "Mallory" in row["detail"]], [])


    def test_a_cookie_that_was_planted_before_the_sign_in_is_no_session_after_it(self):
        erik = self.approver("Erik")
        planted = "zkv-session=" + enrolled_world.encode(b"x" * 32)
        victim = passkey_world.Visitor(self.gateway)
        victim.cookie = planted
        asked = victim.call("POST", "/v2/session/challenge", {}).json
        signed_in = victim.call("POST", "/v2/session", {"credential": erik.passkey.get(asked)})
        self.assertEqual(signed_in.status, 200)
        self.assertNotEqual(signed_in.headers["Set-Cookie"].split(";")[0], planted)
        self.assertEqual(victim.call("GET", "/v2/session").status, 401)
        victim.cookie = erik.cookie
        victim.call("POST", "/v2/session", {"credential": erik.passkey.get(victim.call("POST", "/v2/session/challenge", {}).json)})
        self.assertNotEqual(signed_in.headers["Set-Cookie"].split(";")[0], erik.cookie, "each sign-in makes a session of its own")


class Restarted(passkey_world.OwnersCase):
    """The gateway is started anew between every two steps."""

    def again(self):
        self.gateway.stop()
        self.gateway.start()

    def test_from_the_invite_to_the_acknowledgement(self):
        link = self.gateway.invite_approver("Bea")
        self.again()
        bea = passkey_world.Approver(self.gateway, link.split("#register=")[1])
        link = self.gateway.invite("barn")
        self.again()
        host = enrolled_world.OtherHost(self.gateway, link)
        enrolment = host.enrolment()
        self.assertEqual(self.gateway.post("/v2/enrolments", enrolment).status, 201)
        self.again()
        self.assertEqual(self.gateway.post("/v2/enrolments", enrolment).status, 201, "the answer was lost")
        asked = host.ask().json
        self.again()
        self.assertEqual(host.poll(asked["request"], 0)["state"], "pending")
        challenge = bea.call("POST", f"/v2/requests/{asked['id']}/challenge", {"decision": "approve"}).json
        self.again()
        answer = {"decision": "approve", "reason": "", "credential": bea.passkey.get(challenge)}
        refused = bea.call("POST", f"/v2/requests/{asked['id']}/decision", answer)
        self.assertEqual(refused.status, 409, "a challenge does not outlive the gateway that made it")
        self.assertEqual(bea.decide(asked["id"], "approve").status, 200)
        self.again()
        self.assertEqual(host.open_release(host.poll(asked["request"])), host.share)
        self.again()
        self.assertEqual(host.open_release(host.poll(asked["request"])), host.share, "until it is acknowledged")
        self.assertEqual(host.word("acknowledge", asked["request"]).status, 204)
        self.again()
        self.assertNotIn("release", host.poll(asked["request"]))
        self.assertEqual(self.gateway.audit_kinds().count("request.release"), 1)
        self.gateway.command("audit", "verify")


class AuditOfDecisions(Case):
    """Somebody who can write the database, and even make the chain of hashes anew, cannot decide in a person's name."""

    def rehash(self, rows):
        """The export of `rows` with numbers, links and hashes made anew, and without the checkpoints that would tell."""
        head, *lines = rows
        previous, out = bytes(32), [head]
        for number, line in enumerate((line for line in lines if json.loads(line)["kind"] != "audit.checkpoint"), 1):
            row = json.loads(line)
            row.update(number=number, previous=previous.hex())

            def field(data):
                return len(data).to_bytes(8, "big") + data

            covered = (field(b"zkv audit row 1") + number.to_bytes(8, "big") + field(previous) + row["time"].to_bytes(8, "big")
                       + b"".join(field(row[name].encode()) for name in ("kind", "request", "actor", "detail")))
            previous = hashlib.sha256(covered).digest()
            row["hash"] = previous.hex()
            out.append(json.dumps(row))
        return out

    def test_an_export_ends_with_a_signed_checkpoint_and_says_where(self):
        self.enrolled("barn").ask()
        lines = self.gateway.command("audit", "export").splitlines()
        last = json.loads(lines[-1])
        self.assertEqual(last["kind"], "audit.checkpoint")
        checkpoint = enrolled_world.open_envelope(json.loads(last["detail"]), "application/vnd.zkv.checkpoint+json",
                                                  enrolled_world.decode(self.gateway.statement()["signing"]))
        before = json.loads(lines[-2])
        self.assertEqual((checkpoint["number"], checkpoint["hash"]), (before["number"], before["hash"]))
        self.assertIn(f"of rows after number {len(lines) - 1} a file tells nothing", self.verify(lines))

    def test_a_tail_that_was_cut_off_an_export_is_found(self):
        self.enrolled("byre").ask()
        lines = self.gateway.command("audit", "export").splitlines()
        checkpoints = {number for number, line in enumerate(lines) if number and json.loads(line)["kind"] == "audit.checkpoint"}
        ends = [kept for kept in range(2, len(lines)) if kept - 1 not in checkpoints][-5:]
        self.assertEqual(len(ends), 5)
        for kept in ends:
            with self.subTest(kept), self.assertRaisesRegex(AssertionError, f"ends at row {kept - 1}, which is no signed checkpoint"):
                self.verify(lines[:kept])

    def verify(self, lines):
        path = self.gateway.folder / "export.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.gateway.command("audit", "verify", "--file", path, "--key", self.gateway.statement()["gateway"])

    def test_a_log_of_decisions_verifies_and_every_forgery_of_one_is_found(self):
        host = self.enrolled("shed")
        asked = host.ask().json
        self.anna.decide(asked["id"], "approve")
        self.assertIn("release", host.poll(asked["request"]))
        other = host.ask().json
        self.assertEqual(self.anna.invite("Dora").status, 201)
        rows = self.gateway.command("audit", "export").splitlines()
        self.assertRegex(self.verify(rows), r"[1-9]\d* decisions by passkey, each signature checked again")
        with self.assertRaisesRegex(AssertionError, r"1 other acts confirmed by passkey[\s\S]*no signed checkpoint"):
            self.verify(self.rehash(rows))

        evidence = next(row for row in map(json.loads, rows[1:]) if row["kind"] == "request.evidence" and row["request"] == asked["id"])
        approve = next(row for row in map(json.loads, rows[1:]) if row["kind"] == "request.approve" and row["request"] == asked["id"])
        invite = next(row for row in map(json.loads, rows[1:]) if row["kind"] == "approver.invite" and row["detail"].startswith("Dora"))
        passkey = next(row for row in map(json.loads, rows[1:]) if row["kind"] == "approver.passkey")
        release = next(row for row in map(json.loads, rows[1:]) if row["kind"] == "request.release" and row["request"] == asked["id"])
        forgeries = {
            "release without an approval": [{**release, "request": other["id"]}],
            "another request": [{**evidence, "request": other["id"]}, {**approve, "request": other["id"]}],
            "without the evidence": [{**approve, "request": other["id"]}],
            "does not hold": [{**evidence, "detail": evidence["detail"].replace('"signature":"M', '"signature":"N')
                               .replace('"decision":"approve"', '"decision":"deny"')}],
            "without a passkey's confirmation": [{**invite, "detail": "Mallory as owner"}],
            "did this without": [{**passkey, "detail": passkey["detail"].replace('"credential":"', '"credential":"AAAA')}],
            "cannot be read": [{**evidence, "detail": "{}"}],
        }
        for why, forged in forgeries.items():
            with self.subTest(why), self.assertRaisesRegex(AssertionError, why):
                self.verify(self.rehash(rows + [json.dumps(row) for row in forged]))
        unregistered = [line for line in rows if json.loads(line).get("kind") != "approver.passkey"]
        with self.assertRaisesRegex(AssertionError, "never registered"):
            self.verify(self.rehash(unregistered))
        with self.assertRaisesRegex(AssertionError, "another gateway"):
            self.gateway.command("audit", "verify", "--file", self.gateway.folder / "export.jsonl", "--key", "00" * 32)


if __name__ == "__main__":
    unittest.main()
