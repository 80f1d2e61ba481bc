"""Codes of an authenticator app, and somebody who can read or write the gateway's database, or make the audit log's hashes anew."""

import base64
import json
import unittest

import recovery_codes
from totp_world import COLUMNS, App, Case, rewrite

WORDS = "was not written by this gateway"


class Database(Case):
    def setUp(self):
        super().setUp()
        self.app = App(self.anna, "Anna").begin()

    def assert_refused(self, app=None):
        app = app or self.app
        answer = app.with_code(app.try_sign_in)
        self.assertEqual(answer.status, 500, answer.body)
        self.assertIn(WORDS, answer.body)

    def row(self):
        return self.gateway.write_database(f"SELECT {', '.join(COLUMNS)}, seal FROM zkv_totp WHERE approver = ?", self.identity())[0]

    def identity(self):
        return self.gateway.write_database("SELECT id FROM zkv_approver WHERE name = 'Anna'")[0][0]

    def put_back(self, row):
        names = (*COLUMNS, "seal")
        self.gateway.stop()
        self.gateway.write_database("DELETE FROM zkv_totp WHERE approver = ?", self.identity())
        self.gateway.write_database(f"INSERT INTO zkv_totp ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", *row)
        self.gateway.start()

    def test_unchanged_all_goes_on_and_the_tests_own_seal_is_the_gateways(self):
        rewrite(self.gateway, wrong=1)
        self.assertEqual(self.app.sign_in().status, 200)

    def test_each_column_that_is_changed_is_found(self):
        changes = {"sealed": "sealed || '00'", "made_at": "made_at + 1", "begun_at": "begun_at + 1", "last_step": "last_step - 1",
                   "wrong": "wrong + 1", "locked_until": "locked_until + 1", "logged": "logged + 1000"}
        last = self.app.last
        for column, value in changes.items():
            self.app.last = last
            with self.subTest(column):
                before = self.row()
                self.gateway.change_database(f"UPDATE zkv_totp SET {column} = {value}")
                self.assert_refused()
                self.put_back(before)
        self.app.last = last
        self.assertEqual(self.app.sign_in().status, 200)

    def test_a_row_or_a_secret_of_the_attackers_own_is_not_taken_for_another(self):
        eve = App(self.joined("Eve"), "Eve").begin()
        self.gateway.stop()
        self.gateway.write_database("UPDATE zkv_totp SET sealed = (SELECT sealed FROM zkv_totp WHERE approver <> ?) WHERE approver = ?",
                                    self.identity(), self.identity())
        self.gateway.start()
        answer = eve.try_sign_in(eve.next(), "Anna")
        self.assertEqual(answer.status, 500)
        self.gateway.stop()
        self.gateway.write_database("DELETE FROM zkv_totp WHERE approver = ?", self.identity())
        self.gateway.write_database("UPDATE zkv_totp SET approver = ?", self.identity())
        self.gateway.start()
        answer = eve.try_sign_in(eve.next(), "Anna")
        self.assertEqual(answer.status, 500)
        self.assertIn(WORDS, answer.body)

    def test_an_older_row_that_the_gateway_did_write_gives_no_used_code_back(self):
        before = self.row()
        self.app.sign_in()
        used = self.app.last
        self.put_back(before)
        self.app.last = used - 1
        self.assert_refused()
        self.assertIn("the audit log knows a newer one", self.app.try_sign_in("000000").body)

    def test_an_older_row_gives_no_wrong_try_back(self):
        before = self.row()
        for _ in range(4):
            self.app.try_sign_in(self.app.wrong())
        self.put_back(before)
        self.assert_refused()

    def test_a_damaged_row_does_not_keep_its_owner_from_beginning_anew(self):
        self.gateway.change_database("UPDATE zkv_totp SET wrong = wrong + 1")
        self.assert_refused()
        self.assertEqual(self.anna.confirmed("/v2/totp", {}, "totp.set").status, 409)
        self.assertEqual(self.anna.confirmed("/v2/totp/removal", {}, "totp.remove").status, 204)
        self.assertEqual(App(self.anna, "Anna").begin().sign_in().status, 200)
        self.gateway.command("audit", "verify")

    def test_an_older_row_ends_no_lock_and_brings_no_removed_app_back(self):
        before = self.row()
        for _ in range(5):
            self.app.try_sign_in(self.app.wrong())
        self.put_back(before)
        self.assert_refused()
        self.gateway.stop()
        self.gateway.write_database("DELETE FROM zkv_totp")
        self.gateway.start()
        newer = App(self.anna, "Anna").begin()
        old = self.row()
        self.assertEqual(self.anna.confirmed("/v2/totp/removal", {}, "totp.remove").status, 204)
        self.put_back(old)
        self.assert_refused(newer)

    def test_a_session_by_a_code_that_is_made_one_by_passkey(self):
        self.app.sign_in()
        self.gateway.change_database("UPDATE zkv_session SET kind = 'passkey'")
        for path in ("/v2/session", "/v2/passkeys", "/v2/approvers"):
            answer = self.app.call("GET", path)
            self.assertEqual(answer.status, 500)
            self.assertIn(WORDS, answer.body)

    def test_a_host_that_is_moved_into_a_group_for_codes(self):
        asked = self.ask(self.enrolled("safe"))
        self.app.sign_in()
        self.gateway.change_database("UPDATE zkv_host SET group_name = 'home'")
        self.assertEqual(self.app.decide(asked["id"], "approve").status, 500)
        self.assertNotIn("request.release", self.gateway.audit_kinds())

    def test_whoever_reads_the_database_and_the_log_has_no_secret(self):
        self.app.sign_in()
        log = json.dumps(self.gateway.audit()) + self.gateway.log.text()
        self.gateway.stop()
        held = b"".join(path.read_bytes() for path in self.gateway.data.glob("gateway.db*")) + log.encode()
        secret = self.app.secret
        forms = [secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b32encode(secret), base64.b64encode(secret).rstrip(b"="),
                 base64.urlsafe_b64encode(secret).rstrip(b"=")]
        self.assertEqual([form for form in forms if form in held], [])
        self.gateway.start()
        self.assertEqual(self.app.sign_in().status, 200, "it was there to be found")

    def test_with_another_seal_key_the_app_is_gone_and_decides_nothing(self):
        self.gateway.stop()
        (self.gateway.data / "seal.key").unlink()
        self.gateway.start()
        self.assert_problem(self.app.with_code(self.app.try_sign_in), 403, "code")


class Forgeries(Case):
    """Nobody signs a code: but who makes the hashes anew still cannot make decisions by codes that were never given."""

    verify = recovery_codes.Forgeries.verify

    def test_every_forged_use_of_a_code_is_found_in_the_log(self):
        app = App(self.anna, "Anna").begin()
        self.joined("Eve")
        asked, other = self.ask(), self.ask(self.enrolled("attic", "home"))
        app.sign_in()
        self.assertEqual(app.decide(asked["id"], "approve").status, 200)
        self.assertIn("release", self.host.poll(asked["request"]))
        rows = self.gateway.command("audit", "export").splitlines()
        self.assertIn("1 decisions by a code", self.verify(rows))
        read = [json.loads(row) for row in rows[1:]]

        def last(kind):
            return [row for row in read if row["kind"] == kind][-1]

        decide, approve = last("totp.decide"), last("request.approve")
        detail = json.loads(decide["detail"])
        later = {**detail, "step": detail["step"] + 1}
        for_other = {"request": other["id"]}
        hash_of_other = next(row for row in read if row["kind"] == "request.ask" and row["request"] == other["id"])["detail"].split()[-1]

        def decided(**changed):
            return {**decide, **for_other, "detail": json.dumps({**later, "request": hash_of_other, **changed})}

        forgeries = {
            "no code at all": ([{**approve, **for_other}], "without the evidence of a passkey or a code"),
            "the same code again": ([decided(step=detail["step"]), {**approve, **for_other}], "used before"),
            "an older code": ([decided(step=1), {**approve, **for_other}], "used before"),
            "a code for another request": ([{**decided(), "detail": json.dumps(later)}, {**approve, **for_other}], "for another request"),
            "a code for the other decision": ([decided(decision="deny"), {**approve, **for_other}], "without the evidence"),
            "in the name of somebody else": ([{**decided(), "actor": "totp:Eve"}, {**approve, **for_other, "actor": "totp:Eve"}], "somebody else's app"),
            "by somebody without an app": ([decided(approver="AAAAAAAAAAAAAAAAAAAAAA"), {**approve, **for_other}], "nobody had set up"),
            "a removal that nothing confirmed": ([{**last("totp.set"), "kind": "totp.remove"}], "without a passkey's confirmation"),
            "an app that nothing confirmed": ([last("totp.set")], "without a passkey's confirmation"),
            "nothing to read": ([{**decide, "detail": "{}"}], "cannot be read"),
        }
        for what, (forged, why) in forgeries.items():
            with self.subTest(what), self.assertRaisesRegex(AssertionError, why):
                self.verify(rows + [json.dumps(row) for row in forged])
        self.assertIn("2 decisions by a code", self.verify(rows + [json.dumps(row) for row in (decided(), {**approve, **for_other})]))


if __name__ == "__main__":
    unittest.main()
