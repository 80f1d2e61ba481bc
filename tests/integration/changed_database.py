"""Somebody who can write the gateway's database while it is stopped, and nothing else, tries to gain power by it: each row that gives
some is refused when it is read, and no share is released.
"""

import hashlib
import json
import re
import secrets
import subprocess
import unittest

import enrolled_world
import gateway_world
import passkey_world

WORDS = "was not written by this gateway"


class Case(passkey_world.OwnersCase):
    def assert_nothing_released(self):
        self.assertNotIn("request.release", self.gateway.audit_kinds())

    def assert_no_passkey_approves(self, asked):
        answer = self.anna.call("POST", f"/v2/requests/{asked['id']}/challenge", {"decision": "approve"})
        self.assertEqual(answer.status, 500, answer.body)

    def assert_damaged(self, asked):
        """The gateway starts and names the request and what to do; nobody approves it, and its host can ask anew."""
        self.gateway.start()
        self.assertIn(f"request {asked['id']} is damaged in the database", self.gateway.log.text())
        self.assertIn(f"zkvgateway request discard {asked['id']}", self.gateway.log.text())
        self.assert_no_passkey_approves(asked)
        with self.assertRaisesRegex(AssertionError, WORDS):
            self.gateway.command("request", "approve", asked["id"])
        self.gateway.command("request", "approve", "--all-pending")
        self.assertEqual(self.gateway.get(f"/v2/requests/{asked['request']}?wait=20").status, 404)
        self.assert_nothing_released()


class Requests(Case):
    def test_unchanged_all_goes_on_after_a_stop(self):
        asked = self.host.ask().json
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        self.assertEqual(self.host.open_release(self.host.poll(asked["request"])), self.host.share)

    def test_a_request_that_is_marked_as_approved(self):
        asked = self.host.ask().json
        self.gateway.stop()
        self.gateway.write_database("UPDATE zkv_request SET state = 'approved', decided_by = 'approver:Anna' WHERE id = ?", asked["id"])
        self.assert_damaged(asked)

    def test_a_denied_request_that_is_opened_again(self):
        asked = self.host.ask().json
        self.anna.decide(asked["id"], "deny")
        self.gateway.stop()
        self.gateway.write_database("UPDATE zkv_request SET state = 'approved' WHERE id = ?", asked["id"])
        self.assert_damaged(asked)

    def test_a_request_that_is_copied_from_an_approved_one(self):
        asked = self.host.ask().json
        self.anna.decide(asked["id"], "approve")
        self.host.poll(asked["request"])
        other = self.host.ask().json
        self.gateway.stop()
        [[seal]] = self.gateway.write_database("SELECT seal FROM zkv_request WHERE id = ?", asked["id"])
        self.gateway.write_database("UPDATE zkv_request SET state = 'approved', seal = ? WHERE id = ?", seal, other["id"])
        self.gateway.start()
        self.assertIn(f"request {other['id']} is damaged in the database", self.gateway.log.text())
        self.assertEqual(self.gateway.audit_kinds().count("request.release"), 1, "that of the first")

    def test_a_request_whose_key_is_replaced_by_the_attackers(self):
        asked = self.host.ask().json
        forged = self.host.request(signer=enrolled_world.Ed25519Key())
        self.gateway.change_database("UPDATE zkv_ask SET envelope = ? WHERE request = ?", json.dumps(forged), asked["id"])
        self.assert_no_passkey_approves(asked)
        with self.assertRaisesRegex(AssertionError, "is damaged in the database"):
            self.gateway.command("request", "approve", asked["id"])
        self.assertEqual(self.host.poll(asked["request"], 0)["state"], "pending")
        self.assert_nothing_released()


class Damaged(Case):
    """One open request is damaged while the gateway is down: that one is named and kept from everybody, and all others go on."""

    def setUp(self):
        super().setUp()
        self.cellar = self.enrolled("cellar")
        self.asked, self.other = self.host.ask().json, self.cellar.ask().json

    def damage(self, change):
        self.gateway.change_database(f"UPDATE zkv_request SET {change} WHERE id = ?", self.asked["id"])

    def doctor(self):
        done = subprocess.run([gateway_world.PROGRAM, "doctor", "--config", self.gateway.config, "--data-dir", self.gateway.data,
                               "--public-url", "https://gateway.example"], text=True, capture_output=True, timeout=gateway_world.PATIENCE)
        return done.returncode, done.stdout

    def test_whatever_is_damaged_the_gateway_starts_and_the_others_go_on(self):
        for change in ("pin_mac = 'not hex'", "created_at = 'yesterday'", "expires_at = x'00ff'", "token_hash = NULL", "seal = ''",
                       "wrong_pins = -1", "host = ''", "address = char(27) || '[2J'"):
            with self.subTest(change):
                self.damage(change)
                self.assertIn(f"request {self.asked['id']} is damaged in the database", self.gateway.log.text())
                self.assertEqual(self.anna.decide(self.other["id"], "approve").status, 200)
                self.assertEqual(self.cellar.open_release(self.cellar.poll(self.other["request"])), self.cellar.share)
                self.assert_no_passkey_approves(self.asked)
                self.gateway.command("request", "discard", self.asked["id"])
                self.asked, self.other = self.host.ask().json, self.cellar.ask().json

    def test_its_host_asks_anew_and_is_given_its_share(self):
        self.damage("state = 'approved'")
        self.assertEqual(self.gateway.get(f"/v2/requests/{self.asked['request']}?wait=20").status, 404)
        self.assertEqual(self.host.word("cancel", self.asked["request"]).status, 404)
        again = self.host.ask()
        self.assertEqual(again.status, 201)
        self.assertEqual(self.anna.decide(again.json["id"], "approve").status, 200)
        self.assertEqual(self.host.open_release(self.host.poll(again.json["request"])), self.host.share)

    def test_the_list_and_doctor_show_it_until_it_is_discarded(self):
        self.assertEqual(self.doctor()[0], 0)
        self.damage("seal = ''")
        lines = self.gateway.command("request", "list").splitlines()
        self.assertEqual([line.split()[:2] for line in lines[1:]], [[self.other["id"], "pending"], [self.asked["id"], "damaged"]])
        listed = json.loads(self.gateway.command("request", "list", "--json"))
        self.assertEqual(listed["damaged"], [self.asked["id"]])
        self.assertEqual(self.anna.call("GET", "/v2/requests").json["damaged"], [self.asked["id"]])
        code, said = self.doctor()
        self.assertEqual(code, 1)
        self.assertIn(f"MEND   request {self.asked['id']} is damaged in the database", said)
        mends = re.search(r"'zkvgateway (request discard \w+)'", said).group(1).split()
        self.assertEqual(self.gateway.command(*mends), f"{self.asked['id']}: discarded\n")
        self.assertEqual(self.doctor()[0], 0)
        self.assertNotIn(self.asked["id"], self.gateway.command("request", "list", "--all"))
        [row] = [row for row in self.gateway.audit() if row["kind"] == "request.discard"]
        self.assertEqual(row["request"], self.asked["id"])
        self.assertTrue(row["actor"].startswith("console:"))
        self.gateway.command("audit", "verify")

    def test_one_that_is_not_damaged_is_not_discarded(self):
        with self.assertRaisesRegex(AssertionError, "is not damaged"):
            self.gateway.command("request", "discard", self.asked["id"])
        self.assertEqual(self.gateway.state(self.asked["id"]), "pending")

    def test_what_its_host_signed_is_gone(self):
        self.gateway.change_database("DELETE FROM zkv_ask WHERE request = ?", self.asked["id"])
        self.assertIn(f"request {self.asked['id']} is damaged in the database", self.gateway.log.text())
        with self.assertRaises(AssertionError):
            self.gateway.command("request", "approve", self.asked["id"])
        self.gateway.command("request", "discard", self.asked["id"])
        self.assertEqual(self.gateway.get(f"/v2/requests/{self.asked['request']}?wait=20").status, 404)
        self.assertEqual(self.anna.decide(self.other["id"], "approve").status, 200)


class Hosts(Case):
    def test_a_host_that_is_given_the_attackers_identity(self):
        mallory = enrolled_world.Ed25519Key()
        self.gateway.change_database("UPDATE zkv_host SET identity = ?", mallory.public.hex())
        forged = self.host.request(signer=mallory)
        forged["signatures"][0]["keyid"] = self.host.id
        self.assertEqual(self.gateway.post("/v2/requests", forged).status, 500)
        self.assertEqual(self.host.ask().status, 500)
        self.assert_nothing_released()

    def test_a_revoked_host_that_is_made_valid_again(self):
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.gateway.change_database("UPDATE zkv_host SET revoked_at = 0, destroyed_at = 0")
        self.assertEqual(self.host.ask().status, 500)
        self.assert_nothing_released()

    def test_an_invite_that_nobody_made(self):
        token = secrets.token_bytes(20)
        link = self.gateway.invite("decoy")
        self.gateway.change_database(
            "INSERT INTO zkv_invite (hash, kind, name, group_name, created_at, expires_at, used_by) VALUES (?, 'host', 'evil', '', 1, 9000000000000, '')",
            hashlib.sha256(token).hexdigest())
        mallory = enrolled_world.OtherHost(self.gateway, link)
        mallory.token = enrolled_world.encode(token)
        self.assertEqual(mallory.enrol().status, 500)
        self.assertEqual([host["name"] for host in self.gateway.hosts()], ["nas"])


class People(Case):
    def test_a_passkey_that_is_replaced_by_the_attackers(self):
        mallory = passkey_world.Passkey(self.gateway.base)
        asked = self.host.ask().json
        self.gateway.change_database("UPDATE zkv_passkey SET public_key = ?", mallory.cose().hex())
        mallory.id, mallory.user = self.anna.passkey.id, self.anna.passkey.user
        challenge = self.anna.call("POST", "/v2/session/challenge", {}).json
        self.assertEqual(self.anna.call("POST", "/v2/session", {"credential": mallory.get(challenge)}).status, 500)
        self.assertEqual(self.anna.call("POST", f"/v2/requests/{asked['id']}/challenge", {"decision": "approve"}).status, 500)
        self.assert_nothing_released()

    def test_an_ended_passkey_and_a_revoked_approver_that_are_made_valid_again(self):
        bea = passkey_world.Approver(self.gateway, self.gateway.invite_approver("Bea").split("#register=")[1])
        self.gateway.command("approver", "revoke", "Bea", "--yes")
        self.gateway.stop()
        self.gateway.write_database("UPDATE zkv_approver SET revoked_at = 0")
        self.gateway.write_database("UPDATE zkv_passkey SET ended_at = 0, ended_why = ''")
        self.gateway.start()
        challenge = bea.call("POST", "/v2/session/challenge", {}).json
        self.assertEqual(bea.call("POST", "/v2/session", {"credential": bea.passkey.get(challenge)}).status, 500)

    def test_an_approver_who_is_made_an_owner(self):
        bea = passkey_world.Approver(self.gateway, self.gateway.invite_approver("Bea").split("#register=")[1])
        self.gateway.change_database("UPDATE zkv_approver SET role = 'owner'")
        self.assertEqual(bea.call("GET", "/v2/session").status, 500)

    def test_a_session_that_nobody_opened(self):
        token = secrets.token_bytes(32)
        identity = enrolled_world.decode(self.anna.call("GET", "/v2/session").json["approver"]["id"]).hex()
        self.gateway.change_database("INSERT INTO zkv_session (hash, approver, expires_at) VALUES (?, ?, 9000000000000)",
                                     hashlib.sha256(token).hexdigest(), identity)
        self.anna.cookie = "zkv-session=" + enrolled_world.encode(token)
        self.assertEqual(self.anna.call("GET", "/v2/session").status, 500)

    def test_an_invite_for_an_owner_that_nobody_made(self):
        token = secrets.token_bytes(20)
        self.gateway.change_database(
            "INSERT INTO zkv_invite (hash, kind, name, group_name, created_at, expires_at, used_by) "
            "VALUES (?, 'approver', 'Eve', 'owner', 1, 9000000000000, '')", hashlib.sha256(token).hexdigest())
        asked = self.anna.call("POST", "/v2/registrations/challenge", {"invite": enrolled_world.encode(token)})
        self.assertEqual(asked.status, 500)


class TheLog(Case):
    """What the gateway signed last lies beside the database: an older or shorter log is found before anything is served."""

    def assert_refused(self):
        with self.assertRaises(AssertionError):
            self.gateway.start()
        self.assertIn("the audit log is not the one of", self.gateway.log.text())

    def test_a_log_that_was_cut_off(self):
        self.gateway.stop()
        self.gateway.write_database("DELETE FROM zkv_audit WHERE number > 2")
        self.assert_refused()

    def test_rows_that_no_checkpoint_has_signed_yet_leave_their_requests_behind(self):
        self.gateway.command("audit", "verify")
        for decision, state in (("approve", "release"), ("deny", "deny")):
            with self.subTest(decision):
                asked = self.host.ask().json
                [[last]] = self.gateway.write_database("SELECT MAX(number) FROM zkv_audit")
                self.anna.decide(asked["id"], decision)
                self.host.poll(asked["request"])
                self.gateway.command("audit", "verify")
                self.gateway.process.kill()
                self.gateway.stop()
                self.gateway.write_database("DELETE FROM zkv_audit WHERE number > ?", last)
                self.gateway.start()
                with self.assertRaisesRegex(AssertionError, f"no row 'request.{state}' of request {asked['id']}"):
                    self.gateway.command("audit", "verify")
                self.gateway.write_database("DELETE FROM zkv_request")
                self.gateway.command("audit", "verify")

    def test_an_older_database_in_place_of_the_newest(self):
        self.gateway.stop()
        older = (self.gateway.data / "gateway.db").read_bytes()
        self.gateway.start()
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.gateway.stop()
        for name in ("gateway.db-wal", "gateway.db-shm"):
            (self.gateway.data / name).unlink(missing_ok=True)
        (self.gateway.data / "gateway.db").write_bytes(older)
        self.assert_refused()

    def test_an_empty_database_and_another_identity(self):
        self.gateway.stop()
        (self.gateway.data / "gateway.db").rename(self.gateway.data / "kept.db")
        self.assert_refused()
        (self.gateway.data / "kept.db").rename(self.gateway.data / "gateway.db")
        identity = (self.gateway.data / "identity.key").read_bytes()
        (self.gateway.data / "identity.key").unlink()
        self.assert_refused()
        (self.gateway.data / "identity.key").write_bytes(identity)
        self.gateway.start()

    def test_a_restored_backup_goes_on_when_that_is_meant(self):
        self.gateway.stop()
        self.gateway.write_database("DELETE FROM zkv_audit WHERE number > 2")
        self.assert_refused()
        (self.gateway.data / "audit.checkpoint").unlink()
        self.gateway.start()


class TheKey(Case):
    def make_it_older(self):
        """The database as it was before the seals: schema version 3."""
        tables = [name for [name] in self.gateway.write_database("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in set(tables) & {"zkv_boot_approval", "zkv_heartbeat", "zkv_push_subscription", "zkv_recovery_code", "zkv_succession", "zkv_totp"}:
            self.gateway.write_database(f"DROP TABLE {table}")
        for table in ("request", "host", "invite", "approver", "passkey", "session"):
            self.gateway.write_database(f"ALTER TABLE zkv_{table} DROP COLUMN seal")
        self.gateway.write_database("ALTER TABLE zkv_ask DROP COLUMN replaces_other_boot")
        self.gateway.write_database("ALTER TABLE zkv_session DROP COLUMN kind")
        self.gateway.write_database("DROP INDEX zkv_audit_totp")
        self.gateway.write_database("UPDATE zkv_schema SET version = 3")

    def test_a_database_that_is_made_to_look_older_is_not_taken_for_one_to_be_sealed(self):
        asked = self.host.ask().json
        self.gateway.stop()
        self.make_it_older()
        self.gateway.write_database("UPDATE zkv_request SET state = 'approved' WHERE id = ?", asked["id"])
        self.gateway.start()
        self.assertIn(f"request {asked['id']} is damaged in the database", self.gateway.log.text())
        self.assert_nothing_released()

    def test_a_database_from_before_the_seals_is_taken_over_once(self):
        asked = self.host.ask().json
        self.gateway.stop()
        self.make_it_older()
        (self.gateway.data / "seal.key").unlink()
        self.gateway.start()
        self.gateway.command("request", "approve", asked["id"])
        self.assertEqual(self.host.open_release(self.host.poll(asked["request"])), self.host.share)

    def test_a_key_that_is_gone_is_told_in_the_log_and_the_audit_log(self):
        self.gateway.stop()
        (self.gateway.data / "seal.key").unlink()
        self.gateway.start()
        self.assertIn("sealed anew", self.gateway.log.text())
        self.assertIn("gateway.adopt", self.gateway.audit_kinds())

    def test_the_keys_file_is_closed_to_others(self):
        self.assertEqual((self.gateway.data / "seal.key").stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
