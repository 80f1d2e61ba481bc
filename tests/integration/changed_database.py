"""Somebody who can write the gateway's database while it is stopped, and nothing else, tries to gain power by it: each row that gives
some is refused when it is read, and no share is released.
"""

import hashlib
import json
import secrets
import unittest

import enrolled_world
import passkey_world

WORDS = "was not written by this gateway"


class Case(passkey_world.OwnersCase):
    def assert_nothing_released(self):
        self.assertNotIn("request.release", self.gateway.audit_kinds())

    def assert_does_not_start(self):
        """What stands open is read at the start: a gateway that cannot trust it says so and serves nobody."""
        with self.assertRaises(AssertionError):
            self.gateway.start()
        self.assertIn(WORDS, self.gateway.log.text())
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
        self.assert_does_not_start()

    def test_a_denied_request_that_is_opened_again(self):
        asked = self.host.ask().json
        self.anna.decide(asked["id"], "deny")
        self.gateway.stop()
        self.gateway.write_database("UPDATE zkv_request SET state = 'approved' WHERE id = ?", asked["id"])
        self.assert_does_not_start()

    def test_a_request_that_is_copied_from_an_approved_one(self):
        asked = self.host.ask().json
        self.anna.decide(asked["id"], "approve")
        self.host.poll(asked["request"])
        other = self.host.ask().json
        self.gateway.stop()
        [[seal]] = self.gateway.write_database("SELECT seal FROM zkv_request WHERE id = ?", asked["id"])
        self.gateway.write_database("UPDATE zkv_request SET state = 'approved', seal = ? WHERE id = ?", seal, other["id"])
        with self.assertRaises(AssertionError):
            self.gateway.start()
        self.assertIn(WORDS, self.gateway.log.text())

    def test_a_request_whose_key_is_replaced_by_the_attackers(self):
        asked = self.host.ask().json
        forged = self.host.request(signer=enrolled_world.Ed25519Key())
        self.gateway.change_database("UPDATE zkv_ask SET envelope = ? WHERE request = ?", json.dumps(forged), asked["id"])
        answer = self.anna.call("POST", f"/v2/requests/{asked['id']}/challenge", {"decision": "approve"})
        self.assertEqual(answer.status, 500, "what is shown is no longer what was signed")
        self.gateway.command("request", "approve", asked["id"])
        answer = self.host.poll(asked["request"])
        self.assertEqual(answer["state"], "approved")
        self.assertIn("is damaged", answer["reason"])
        self.assert_nothing_released()


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
        for table in set(tables) & {"zkv_boot_approval", "zkv_push_subscription", "zkv_recovery_code", "zkv_totp"}:
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
        self.assert_does_not_start()

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
