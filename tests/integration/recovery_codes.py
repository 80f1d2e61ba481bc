"""Recovery codes before the real gateway: made, used, refused, and checked again from the audit log alone, by somebody who can make the
log's hashes anew and by somebody who can write the database.
"""

import hashlib
import json
import unittest

import passkey_world
from enrolled_world import decode, encode

WORDS = "was not written by this gateway"


def proof_of(code):
    return hashlib.sha256(b"zkv recovery code 1\0" + code.replace("-", "").encode()).digest()


def rehash(rows):
    """The export of `rows` with numbers, links and hashes made anew, and without the checkpoints that would tell."""
    head, *lines = rows
    previous, out = bytes(32), [head]
    for number, row in enumerate((row for row in map(json.loads, lines) if row["kind"] != "audit.checkpoint"), 1):
        row.update(number=number, previous=previous.hex())
        fields = [row[name].encode() for name in ("kind", "request", "actor", "detail")]
        covered = b"".join(len(part).to_bytes(8, "big") + part for part in (b"zkv audit row 1",)) + number.to_bytes(8, "big")
        covered += len(previous).to_bytes(8, "big") + previous + row["time"].to_bytes(8, "big")
        covered += b"".join(len(part).to_bytes(8, "big") + part for part in fields)
        previous = hashlib.sha256(covered).digest()
        row["hash"] = previous.hex()
        out.append(json.dumps(row))
    return out


class Case(unittest.TestCase):
    def setUp(self):
        self.gateway = passkey_world.Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.anna = self.joined("Anna", "owner")

    def joined(self, name, role="approver"):
        link = self.gateway.invite_approver(name, "--role", role)
        return passkey_world.Approver(self.gateway, link.split("#register=")[1])

    def make(self, person):
        made = person.confirmed("/v2/recovery-codes", {}, "recovery.make")
        self.assertEqual(made.status, 201, made.body)
        return made.json["codes"]

    def stranger(self):
        """Somebody with nothing but a new passkey."""
        stranger = object.__new__(passkey_world.Approver)
        stranger.gateway, stranger.passkey, stranger.cookie = self.gateway, passkey_world.Passkey(self.gateway.base), ""
        return stranger

    def recover(self, code, who=None):
        who = who or self.stranger()
        asked = who.call("POST", "/v2/recoveries/challenge", {"code": code})
        if asked.status != 200:
            return asked, who
        made = who.call("POST", "/v2/recoveries", {"code": code, "label": "new phone", "credential": who.passkey.create(asked.json)})
        if made.status == 201:
            who.cookie = made.headers["Set-Cookie"].split(";")[0]
        return made, who

    def left(self, person):
        return person.call("GET", "/v2/recovery-codes").json["left"]


class Codes(Case):
    def test_a_code_makes_one_passkey_ends_the_other_sessions_and_decides_with_the_new_one(self):
        self.assertEqual(self.anna.call("GET", "/v2/recovery-codes").json, {"left": 0, "made_at": None})
        codes = self.make(self.anna)
        self.assertEqual(len(set(codes)), 10)
        self.assertRegex(self.gateway.command("approver", "show", "Anna"), r"recovery codes +10 left")
        made, anna = self.recover(codes[0].lower().replace("-", " "))
        self.assertEqual((made.status, made.json["approver"]["name"]), (201, "Anna"))
        self.assertEqual(self.anna.call("GET", "/v2/session").status, 401)
        self.assertEqual(self.left(anna), 9)
        self.assertRegex(self.gateway.command("approver", "show", "Anna"), r"recovery codes +9 left")
        self.assertEqual(len(anna.call("GET", "/v2/passkeys").json["passkeys"]), 2)
        key = encode(self.anna.passkey.id)
        self.assertEqual(anna.confirmed(f"/v2/passkeys/{key}/removal", {}, "passkey.remove", key).status, 204)
        self.assertEqual(anna.invite("Bea").status, 201)
        self.gateway.command("audit", "verify")

    def test_whatever_is_wrong_with_a_code_is_told_in_the_same_words(self):
        bea = self.joined("Bea")
        old, codes, of_bea = self.make(self.anna), self.make(self.anna), self.make(bea)
        self.recover(codes[0])
        self.gateway.command("approver", "revoke", "Bea", "--yes")
        answers = [self.recover(code)[0] for code in (codes[0], old[0], of_bea[0], "0" * 24, "nonsense", "")]
        self.assertEqual({(answer.status, answer.body) for answer in answers}, {(403, answers[0].body)})
        self.assertTrue(answers[0].json["type"].endswith("/recovery"))
        self.assertIn("refused.recovery", self.gateway.audit_kinds())
        for secret in (codes[0], codes[1], old[0]):
            self.assertNotIn(secret, json.dumps(self.gateway.audit()))
            self.assertNotIn(secret.replace("-", ""), json.dumps(self.gateway.audit()))

    def test_a_session_alone_makes_no_codes_and_a_code_alone_is_no_session(self):
        codes = self.make(self.anna)
        self.assertEqual(self.anna.call("POST", "/v2/recovery-codes", {}).status, 400)
        asked = self.anna.call("POST", "/v2/confirmations", {"act": "recovery.make", "about": []}).json
        mallory = passkey_world.Passkey(self.gateway.base)
        self.assertEqual(self.anna.call("POST", "/v2/recovery-codes", {"confirmation": mallory.get(asked)}).status, 403)
        stranger = self.stranger()
        stranger.cookie = f"zkv-session={codes[0]}"
        for method, path in (("GET", "/v2/recovery-codes"), ("POST", "/v2/recovery-codes"), ("GET", "/v2/requests")):
            self.assertIn(stranger.call(method, path, {} if method == "POST" else None).status, (400, 401))
        self.assertEqual(self.left(self.anna), 10)

    def test_whoever_tries_many_codes_is_told_to_wait(self):
        self.assertIn(429, [self.recover(f"{number:024}")[0].status for number in range(40)])


class Forgeries(Case):
    def verify(self, rows):
        """What is said of the rows where nothing is wrong but that, made anew, no checkpoint ends them; raises whatever else is."""
        path = self.gateway.folder / "export.jsonl"
        path.write_text("\n".join(rehash(rows)) + "\n", encoding="utf-8")
        with self.assertRaises(AssertionError) as refused:
            self.gateway.command("audit", "verify", "--file", path, "--key", self.gateway.statement()["gateway"])
        if "no signed checkpoint" not in str(refused.exception):
            raise refused.exception
        return str(refused.exception)

    def test_every_forged_recovery_is_found_in_the_log(self):
        eve = self.joined("Eve")
        replaced, codes = self.make(self.anna), self.make(self.anna)
        of_eve = self.make(eve)
        self.assertEqual(self.recover(codes[0])[0].status, 201)
        rows = self.gateway.command("audit", "export").splitlines()
        self.verify(rows)
        [use] = [row for row in map(json.loads, rows[1:]) if row["kind"] == "recovery.use"]
        [_, _, made_by_eve] = [row for row in map(json.loads, rows[1:]) if row["kind"] == "recovery.make"]
        passkey = [row for row in map(json.loads, rows[1:]) if row["kind"] == "approver.passkey"][-1]
        detail = json.loads(use["detail"])
        self.assertEqual(decode(detail["approver"]), decode(json.loads(passkey["detail"])["approver"]))
        self.assertEqual(detail["proof"], proof_of(codes[0]).hex())

        def by(code, **changed):
            return {**use, "detail": json.dumps({**detail, "proof": proof_of(code).hex()}), **changed}

        new = {**passkey, "detail": passkey["detail"].replace('"credential":"', '"credential":"AAAA')}
        of_other = {**new, "detail": json.dumps({**json.loads(new["detail"]), "approver": json.loads(made_by_eve["detail"])["approver"]})}
        hash_of_another = hashlib.sha256(proof_of(codes[1])).hexdigest()
        forgeries = {
            "the same code again": ([use, new], "not any more"),
            "a code of the old set": ([by(replaced[0]), new], "not any more"),
            "somebody else's code": ([by(of_eve[0]), new], "this person had not made"),
            "the hash in place of the proof": ([{**use, "detail": json.dumps({**detail, "proof": hash_of_another})}, new], "had not made"),
            "a passkey without a code": ([new], "without a passkey's confirmation"),
            "two passkeys by one code": ([by(codes[1]), passkey, new], "without a passkey's confirmation"),
            "a row in between": ([by(codes[1]), {**use, "kind": "refused.rate", "actor": "", "detail": ""}, new], "without a passkey's"),
            "a passkey of another": ([by(codes[1]), of_other], "without a passkey's confirmation"),
            "codes that nothing confirmed": ([made_by_eve], "without a passkey's confirmation"),
            "nothing to read": ([{**use, "detail": "{}"}], "cannot be read"),
        }
        for what, (forged, why) in forgeries.items():
            with self.subTest(what), self.assertRaisesRegex(AssertionError, why):
                self.verify(rows + [json.dumps(row) for row in forged])
        self.verify(rows + [json.dumps(row) for row in (by(codes[1]), new)])

    def test_a_code_that_was_written_into_the_database_is_refused(self):
        self.make(self.anna)
        mallory = self.joined("Mallory")
        theirs = self.make(mallory)
        hash_of_theirs = hashlib.sha256(proof_of(theirs[0])).hexdigest()
        self.gateway.stop()
        self.gateway.write_database("UPDATE zkv_recovery_code SET approver = (SELECT id FROM zkv_approver WHERE name = 'Anna') WHERE hash = ?",
                                    hash_of_theirs)
        self.gateway.start()
        answer, _ = self.recover(theirs[0])
        self.assertNotEqual(answer.status, 200)
        self.assertNotIn("recovery.use", self.gateway.audit_kinds())
        self.assertIn(WORDS, answer.body if isinstance(answer.body, str) else answer.body.decode())


if __name__ == "__main__":
    unittest.main()
