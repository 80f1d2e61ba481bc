"""Codes of an authenticator app before the real gateway: set up, used once, and whoever tries to gain more by them than they give."""

import base64
import concurrent.futures
import json
import time
import unittest

import contract
import passkey_world
from enrolled_world import encode
from totp_world import App, Case, code_of, rewrite, step_now


class Codes(Case):
    def test_an_app_is_set_up_signs_in_approves_and_the_log_says_that_nobody_signed(self):
        self.assertEqual(self.anna.call("GET", "/v2/session/ways").json, {"totp": True})
        self.assertEqual(self.anna.call("GET", "/v2/totp").json, {"groups": ["home"], "state": "none", "made_at": None, "locked_until": None})
        app = App(self.anna, "Anna")
        self.assertTrue(app.made["uri"].startswith("otpauth://totp/zfs-keyvault%20at%20"), app.made)
        self.assertIn(f":Anna?secret={app.made['secret']}&issuer=zfs-keyvault%20at%20", app.made["uri"])
        self.assertEqual(self.anna.call("GET", "/v2/totp").json["state"], "begun")
        app.begin()
        self.assertEqual(self.anna.call("GET", "/v2/totp").json["state"], "active")
        asked, other = self.ask(), self.ask(self.enrolled("safe"))
        signed_in = app.sign_in()
        self.assertEqual((signed_in.status, signed_in.json["by"], signed_in.json["approver"]["name"]), (200, "totp", "Anna"))
        self.assertEqual(app.requests(), {asked["id"]})
        decided = app.decide(asked["id"], "approve")
        self.assertEqual((decided.status, decided.json["decided_by"]), (200, "totp:Anna"))
        self.assertEqual(self.host.open_release(self.host.poll(asked["request"])), self.host.share)
        self.assertEqual(self.gateway.state(other["id"]), "pending")
        self.assertIn("1 decisions by a code of an authenticator app: nobody signed these", self.gateway.command("audit", "verify"))
        self.assertEqual(app.call("DELETE", "/v2/session").status, 204)
        self.assertEqual(app.call("GET", "/v2/session").status, 401)

    def test_the_qr_code_holds_the_uri(self):
        qr = App(self.anna, "Anna").made["qr"]
        dark = set()
        for run in qr["path"].strip("z").split("z"):
            place, length = run[1:].split("v1h-")[0].split("h")
            column, row = map(int, place.split(" "))
            dark.update((row, column + offset) for offset in range(int(length)))
        finder = {(row, column) for row in range(7) for column in range(7) if row in (0, 6) or column in (0, 6) or 2 <= row <= 4 >= column >= 2}
        for down, right in ((0, 0), (0, qr["size"] - 7), (qr["size"] - 7, 0)):
            self.assertTrue(all(((row + down, column + right) in dark) == ((row, column) in finder) for row in range(7) for column in range(7)))

    def test_a_denial_keeps_its_reason(self):
        app = App(self.anna, "Anna").begin()
        asked = self.ask()
        app.sign_in()
        decided = app.decide(asked["id"], "deny").json
        self.assertEqual((decided["state"], decided["reason"], decided["decided_by"]), ("denied", "no", "totp:Anna"))
        self.assertNotIn("release", self.host.poll(asked["request"]))

    def test_each_code_serves_once_whatever_it_is_used_for(self):
        app = App(self.anna, "Anna").begin()
        asked = self.ask()
        first = code_of(app.secret, app.last)
        self.assert_problem(app.try_sign_in(first), 403, "code")
        app.sign_in()
        used = code_of(app.secret, app.last)
        self.assert_problem(app.try_sign_in(used), 403, "code")
        self.assert_problem(app.try_decide(asked["id"], "approve", used), 403, "code")
        self.assert_problem(app.try_decide(asked["id"], "approve", first), 403, "code")
        self.assert_nothing_decided(asked)
        self.gateway.stop()
        self.gateway.start()
        self.assert_problem(app.try_decide(asked["id"], "approve", used), 403, "code")
        self.assertEqual(app.decide(asked["id"], "approve").status, 200)

    def test_of_many_uses_of_a_code_at_once_one_counts(self):
        app = App(self.anna, "Anna").begin()
        app.sign_in()
        asked = [self.ask(self.enrolled(f"host{number}", "home")) for number in range(4)]
        code = app.next()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda one: self.gateway.request(
                "POST", f"/v2/requests/{one['id']}/decision", json.dumps({"decision": "approve", "code": code}),
                {"Origin": self.gateway.base, "Cookie": app.cookie, "Content-Type": "application/json"}), asked))
        self.assertEqual(sorted(answer.status for answer in answers), [200, 403, 403, 403])

    def test_the_code_of_somebody_else_serves_nobody(self):
        bea = App(self.joined("Bea"), "Bea").begin()
        anna = App(self.anna, "Anna").begin()
        asked = self.ask()
        self.assert_problem(bea.try_sign_in(bea.next(), "Anna"), 403, "code")
        anna.sign_in()
        self.assert_problem(anna.try_decide(asked["id"], "approve", bea.next()), 403, "code")
        self.assert_nothing_decided(asked)

    def test_who_signed_in_by_passkey_decides_by_passkey_and_the_other_way_round(self):
        app = App(self.anna, "Anna").begin()
        asked = self.ask()
        by_code = self.anna.call("POST", f"/v2/requests/{asked['id']}/decision", {"decision": "approve", "code": app.next()})
        self.assert_problem(by_code, 403, "passkey-session")
        challenge = self.anna.call("POST", f"/v2/requests/{asked['id']}/challenge", {"decision": "approve"}).json
        app.sign_in()
        body = {"decision": "approve", "credential": self.anna.passkey.get(challenge)}
        self.assert_problem(app.call("POST", f"/v2/requests/{asked['id']}/decision", body), 403, "limited")
        self.assert_nothing_decided(asked)
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)

    def test_codes_end_with_their_removal_and_with_the_approver(self):
        app = App(self.anna, "Anna").begin()
        bea = App(self.joined("Bea"), "Bea").begin()
        for one in (app, bea):
            self.assertEqual(one.sign_in().status, 200)
        self.assertEqual(self.anna.confirmed("/v2/totp/removal", {}, "totp.remove").status, 204)
        self.assertEqual(app.call("GET", "/v2/session").status, 401)
        self.assert_problem(app.try_sign_in(app.next()), 403, "code")
        self.gateway.command("approver", "revoke", "Bea", "--yes")
        self.assertEqual(bea.call("GET", "/v2/requests").status, 401)
        self.assert_problem(bea.try_sign_in(bea.next()), 403, "code")
        self.assertEqual(self.gateway.write_database("SELECT COUNT(*) FROM zkv_totp"), [(0,)])
        self.assertEqual(App(self.anna, "Anna").begin().sign_in().status, 200, "and a new one can be set up")
        self.gateway.command("audit", "verify")


class Setting(Case):
    def test_a_host_of_another_group_is_neither_seen_nor_decided(self):
        app = App(self.anna, "Anna").begin()
        asked, none = self.ask(self.enrolled("safe")), self.ask(self.enrolled("bare", ""))
        app.sign_in()
        self.assertEqual(app.requests(), set())
        self.assert_problem(app.call("GET", "/v2/requests?all=1"), 403, "limited")
        self.assert_problem(app.call("GET", f"/v2/requests/{asked['id']}/card"), 403, "totp-group")
        seen = self.ask()
        self.assertEqual(app.call("GET", f"/v2/requests/{seen['id']}/card").json["id"], seen["id"])
        for one in (asked, none):
            for decision in ("approve", "deny"):
                self.assert_problem(app.decide(one["id"], decision), 403, "totp-group")
        client = self.gateway.ask()
        self.assert_problem(app.decide(client.id, "approve"), 403, "totp-group")
        client.leave()
        self.assert_nothing_decided(asked, none)

    def test_a_next_boot_is_not_approved_by_a_code(self):
        app = App(self.anna, "Anna").begin()
        host = self.enrolled("yard")
        asked = host.ask(next_boot=3600).json
        app.sign_in()
        self.assertEqual(app.requests(), set())
        self.assert_problem(app.decide(asked["id"], "approve"), 403, "totp-group")
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200, "with the passkey it is")

    def test_a_setting_that_shrinks_ends_what_a_living_session_could_decide(self):
        app = App(self.anna, "Anna").begin()
        asked = self.ask()
        app.sign_in()
        self.restart("vault")
        self.assertEqual(app.requests(), set())
        self.assert_problem(app.decide(asked["id"], "approve"), 403, "totp-group")
        self.restart("")
        self.assert_problem(app.decide(asked["id"], "approve"), 404, "totp-off")
        for method, path in (("GET", "/v2/session"), ("GET", "/v2/requests"), ("GET", "/v2/events")):
            self.assert_problem(app.call(method, path), 401, "session")
        self.assert_nothing_decided(asked)
        self.restart("other, home")
        self.assertEqual(app.requests(), {asked["id"]})


    def test_while_codes_are_off_an_app_is_removed_and_does_not_come_back_with_them(self):
        app = App(self.anna, "Anna").begin()
        self.restart("")
        self.assertEqual(self.anna.confirmed("/v2/totp/removal", {}, "totp.remove").status, 204)
        self.restart("home")
        self.assert_problem(app.with_code(app.try_sign_in), 403, "code")


class Off(Case):
    groups = ""

    def test_without_the_setting_there_are_no_codes_at_all(self):
        self.assertEqual(self.anna.call("GET", "/v2/session/ways").json, {"totp": False})
        self.assert_problem(self.anna.call("GET", "/v2/totp"), 404, "totp-off")
        asked = self.anna.call("POST", "/v2/confirmations", {"act": "totp.set", "about": []}).json
        self.assert_problem(self.anna.call("POST", "/v2/totp", {"confirmation": self.anna.passkey.get(asked)}), 404, "totp-off")
        self.assert_problem(self.anna.call("POST", "/v2/totp/first-code", {"code": "123456"}), 404, "totp-off")
        self.assert_problem(self.anna.call("POST", "/v2/session/totp", {"name": "Anna", "code": "123456"}), 404, "totp-off")
        decision = {"decision": "approve", "code": "123456"}
        self.assert_problem(self.anna.call("POST", f"/v2/requests/{self.ask()['id']}/decision", decision), 404, "totp-off")


class Power(Case):
    """A session by a code looks and decides, and does nothing else: each call that the document knows is tried."""

    ALLOWED = {("GET", "/v2/session"), ("DELETE", "/v2/session"), ("GET", "/v2/requests"), ("GET", "/v2/requests/{id}/card"), ("GET", "/v2/events")}

    def value_of(self, schema, credential, name=""):
        if "$ref" in schema:
            kind = schema["$ref"].rsplit("/", 1)[1]
            return credential[kind] if kind in credential else self.value_of(contract.DOCUMENT["components"]["schemas"][kind], credential)
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "object":
            return {key: self.value_of(value, credential, key) for key, value in schema["properties"].items() if key != "reason"}
        return {"integer": 600, "array": [], "boolean": True}.get(schema.get("type"), {"act": "recovery.make", "endpoint": "https://fcm.googleapis.com/x",
                "p256dh": encode(b"\4" + bytes(64)), "auth": encode(bytes(16))}.get(name, "AAAA"))

    def test_every_other_call_is_refused_to_a_session_by_a_code(self):
        app = App(self.anna, "Anna").begin()
        passkey = passkey_world.Passkey(self.gateway.base)
        asked = self.anna.call("POST", "/v2/passkeys/challenge", {}).json
        made = passkey.create(asked)
        ask_act = self.anna.call("POST", "/v2/confirmations", {"act": "recovery.make", "about": []}).json
        credential = {"RegistrationCredential": made, "AssertionCredential": self.anna.passkey.get(ask_act)}
        identity = self.anna.call("GET", "/v2/session").json["approver"]["id"]
        before = self.gateway.audit_kinds()
        app.sign_in()
        tried = 0
        for path, item in contract.DOCUMENT["paths"].items():
            for method, operation in item.items():
                if not operation.get("security") or (method.upper(), path) in self.ALLOWED:
                    continue
                schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
                body = self.value_of(schema, credential) if schema else ({} if method != "get" else None)
                if path == "/v2/requests/{id}/decision":
                    del body["code"]
                answer = app.call(method.upper(), path.replace("{id}", identity).replace("{host}", self.host.id), body)
                with self.subTest(f"{method} {path}"):
                    self.assert_problem(answer, 403, "limited")
                tried += 1
        self.assertGreater(tried, 24)
        after = [kind for kind in self.gateway.audit_kinds()[len(before):] if not kind.startswith(("refused.", "audit."))]
        self.assertEqual(after, ["totp.sign-in"])

    def test_a_stolen_session_sets_up_nothing_and_removes_nothing(self):
        mallory = passkey_world.Passkey(self.gateway.base)
        for path, act in (("/v2/totp", "totp.set"), ("/v2/totp/removal", "totp.remove")):
            self.assertEqual(self.anna.call("POST", path, {}).status, 400)
            asked = self.anna.call("POST", "/v2/confirmations", {"act": act, "about": []}).json
            self.assert_problem(self.anna.call("POST", path, {"confirmation": mallory.get(asked)}), 403, "passkey")
            asked = self.anna.call("POST", "/v2/confirmations", {"act": "recovery.make", "about": []}).json
            self.assert_problem(self.anna.call("POST", path, {"confirmation": self.anna.passkey.get(asked)}), 409, "challenge")
        self.assertEqual(self.anna.call("GET", "/v2/totp").json["state"], "none")

    def test_a_secret_is_good_for_nothing_before_its_first_code_and_an_active_one_is_not_replaced(self):
        app = App(self.anna, "Anna")
        self.assert_problem(app.try_sign_in(code_of(app.secret, step_now())), 403, "code")
        newer = App(self.anna, "Anna")
        self.assert_problem(self.anna.call("POST", "/v2/totp/first-code", {"code": app.next()}), 403, "code")
        newer.begin()
        self.assertEqual(self.anna.confirmed("/v2/totp", {}, "totp.set").status, 409)
        self.assertEqual(self.anna.call("POST", "/v2/totp/first-code", {"code": newer.next()}).status, 409)
        self.assertEqual(newer.sign_in().status, 200)


class Guessing(Case):
    def test_five_wrong_codes_lock_for_a_while_and_a_restart_does_not_unlock(self):
        app = App(self.anna, "Anna").begin()
        asked, last = self.ask(), app.last
        for _ in range(5):
            self.assert_problem(app.try_sign_in(app.wrong()), 403, "code")
        self.assert_problem(app.with_code(app.try_sign_in), 403, "code")
        self.assertAlmostEqual(app_locked_for(self.anna), 15 * 60, delta=20)
        self.assertEqual(self.gateway.audit_kinds().count("totp.lock"), 1)
        self.gateway.stop()
        self.gateway.start()
        self.assert_problem(app.with_code(app.try_sign_in), 403, "code")
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200, "passkeys go on")
        rewrite(self.gateway, locked_until=int(time.time() * 1000) - 1)
        app.last = last
        self.assertEqual(app.sign_in().status, 200)
        self.gateway.command("audit", "verify")

    def test_a_right_code_in_between_begins_the_count_anew(self):
        app = App(self.anna, "Anna").begin()
        for _ in range(4):
            app.try_sign_in(app.wrong())
        self.assertEqual(app.sign_in().status, 200)
        for _ in range(4):
            app.try_sign_in(app.wrong())
        self.assertNotIn("totp.lock", self.gateway.audit_kinds())

    def test_guesses_at_decisions_lock_too(self):
        app = App(self.anna, "Anna").begin()
        asked = self.ask()
        app.sign_in()
        for _ in range(5):
            self.assert_problem(app.try_decide(asked["id"], "approve", app.wrong()), 403, "code")
        self.assert_problem(app.decide(asked["id"], "approve"), 403, "code")
        self.assert_nothing_decided(asked)

    def test_a_name_that_nobody_has_is_answered_as_one_that_somebody_has(self):
        app = App(self.anna, "Anna").begin()
        self.joined("Bea")
        App(self.joined("Carl"), "Carl")
        self.joined("Dora")
        self.gateway.command("approver", "revoke", "Dora", "--yes")
        answers = [app.try_sign_in(app.wrong(), name) for name in ("Anna", "Bea", "Carl", "Dora", "Nobody", "", "a" * 200)]
        answers += [app.try_sign_in(code) for code in ("", "12345", "1234567", "abcdef", "１２３４")]
        self.assertEqual({(answer.status, answer.body) for answer in answers}, {(403, answers[0].body)})
        self.assertIn("refused.code", self.gateway.audit_kinds())

    def test_who_tries_many_codes_is_told_to_wait(self):
        app = App(self.anna, "Anna").begin()
        self.assertIn(429, [app.try_sign_in(app.wrong()).status for _ in range(40)])


def app_locked_for(person):
    until = person.call("GET", "/v2/totp").json["locked_until"]
    return time.mktime(time.strptime(until[:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())


if __name__ == "__main__":
    unittest.main()
