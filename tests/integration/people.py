"""An approver and a host, both written anew from docs/protocol-v2.md, before the real gateway: the passkey decides, the release names
the evidence, and the evidence is checked again from the audit log alone.
"""

import hashlib
import json
import unittest

import enrolled_world
import passkey_world


class People(unittest.TestCase):
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

    def test_a_passkey_approves_and_the_release_names_evidence_that_anybody_can_check(self):
        host = self.enrolled("nas")
        envelope = host.request()
        asked = self.gateway.post("/v2/requests", envelope).json
        decided = self.anna.decide(asked["id"], "approve")
        self.assertEqual((decided.status, decided.json["decided_by"]), (200, "Anna"))
        answer = host.poll(asked["request"])
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

    def test_a_passkey_denies_and_nothing_is_released(self):
        host = self.enrolled("attic")
        asked = host.ask().json
        decided = self.anna.decide(asked["id"], "deny")
        self.assertEqual((decided.status, decided.json["state"], decided.json["reason"]), (200, "denied", "because"))
        self.assertEqual(host.poll(asked["request"])["state"], "denied")
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


if __name__ == "__main__":
    unittest.main()
