"""Attackers who try to get a share of a host that is not theirs, or twice, or without an approval."""

import hashlib
import json
import time
import unittest

import nacl.exceptions
import nacl.public
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import contract
import host_world
from enrolled_world import (ENROLMENT_TYPE, REQUEST_TYPE, Ed25519Key, Gateway, Host, OtherHost, P256Key, decode, encode, hash_of,
                            sign)


class Case(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.victim = OtherHost(self.gateway, self.gateway.invite("victim"))
        self.assertEqual(self.victim.enrol().status, 201)

    def approve(self, asked):
        self.gateway.command("request", "approve", asked["id"])

    def problem(self, answer):
        return answer.json["type"].rsplit("/", 1)[1]

    def assert_refused(self, answer, status, kind):
        self.assertEqual(answer.status, status, answer.body)
        self.assertIn(kind, self.gateway.audit_kinds())
        self.assertEqual(self.gateway.request("GET", "/livez").status, 200)

    def assert_nothing_released(self):
        self.assertNotIn("request.release", self.gateway.audit_kinds())


class Invites(Case):
    def test_a_second_host_by_a_used_invite(self):
        thief = OtherHost(self.gateway, "#zkv2." + self.victim.token + "." + encode(bytes.fromhex(self.victim.said["gateway"])))
        self.assert_refused(thief.enrol(), 403, "refused.enrolment")
        self.assertEqual(len(self.gateway.hosts()), 1)

    def test_an_invented_invite(self):
        thief = OtherHost(self.gateway, self.gateway.invite("other"))
        thief.token = encode(bytes(20))
        self.assert_refused(thief.enrol(), 403, "refused.enrolment")

    def test_an_invite_that_is_over(self):
        url = self.gateway.invite("other", "--expires", "1s")
        over = time.time() + 1.1
        while time.time() < over:
            time.sleep(over - time.time())
        answer = OtherHost(self.gateway, url).enrol()
        self.assert_refused(answer, 403, "refused.enrolment")
        self.assertIn("is over since", answer.json["detail"])

    def test_the_same_message_again_makes_no_second_host(self):
        other = OtherHost(self.gateway, self.gateway.invite("other"))
        envelope = other.enrolment()
        first, second = (self.gateway.post("/v2/enrolments", envelope) for _ in range(2))
        self.assertEqual((first.status, second.status), (201, 201))
        self.assertEqual(first.json, second.json)
        self.assertEqual(self.gateway.audit_kinds().count("host.enrol"), 2)  # the victim's, and this one

    def test_an_enrolment_that_another_key_signed(self):
        other = OtherHost(self.gateway, self.gateway.invite("other"))
        envelope = other.enrolment()
        body = json.loads(decode(envelope["payload"]))
        forged = sign(ENROLMENT_TYPE, body, Ed25519Key())
        self.assert_refused(self.gateway.post("/v2/enrolments", forged), 403, "refused.enrolment")

    def test_an_enrolment_for_another_gateway(self):
        other = OtherHost(self.gateway, self.gateway.invite("other"))
        answer = self.gateway.post("/v2/enrolments", other.enrolment(gateway="00" * 32))
        self.assert_refused(answer, 403, "refused.enrolment")

    def test_a_share_that_is_not_sealed_to_the_gateway(self):
        other = OtherHost(self.gateway, self.gateway.invite("other"))
        box = nacl.public.SealedBox(nacl.public.PrivateKey.generate().public_key).encrypt(bytes(32))
        answer = self.gateway.post("/v2/enrolments", other.enrolment(share=encode(box)))
        self.assert_refused(answer, 400, "refused.enrolment")
        self.assertEqual(other.enrol().status, 201)  # and the invite was not used up

    def test_the_token_is_not_in_the_database(self):
        url = self.gateway.invite("other")
        self.gateway.stop()
        token = url.split("#zkv2.")[1].split(".")[0]
        for path in self.gateway.data.iterdir():
            self.assertNotIn(token.encode(), path.read_bytes() if path.is_file() else b"")
        self.gateway.start()


class Requests(Case):
    def test_a_forged_signature(self):
        thief = Ed25519Key()
        envelope = self.victim.request(signer=thief)
        envelope["signatures"][0]["keyid"] = self.victim.id
        self.assert_refused(self.gateway.post("/v2/requests", envelope), 403, "refused.request")
        self.assertEqual(self.gateway.requests(), [])

    def test_a_stranger(self):
        thief = Ed25519Key()
        answer = self.gateway.post("/v2/requests", self.victim.request(signer=thief))
        self.assert_refused(answer, 403, "refused.host")
        self.assertEqual(self.problem(answer), "unknown-host")

    def test_a_flipped_bit_in_every_byte_of_the_message(self):
        envelope = self.victim.request()
        body = bytearray(decode(envelope["payload"]))
        for position in range(0, len(body), 7):
            body[position] ^= 1
            forged = dict(envelope, payload=encode(bytes(body)))
            self.assertIn(self.gateway.post("/v2/requests", forged).status, (400, 403, 429))
            body[position] ^= 1
        self.assertEqual(self.gateway.requests(), [])

    def test_another_host_in_the_message_than_the_one_that_signs(self):
        thief = OtherHost(self.gateway, self.gateway.invite("thief"))
        thief.enrol()
        self.assert_refused(thief.ask(host=self.victim.id), 403, "refused.request")

    def test_another_gateway_or_repository_in_the_message(self):
        self.assert_refused(self.victim.ask(gateway="11" * 32), 403, "refused.request")
        self.assert_refused(self.victim.ask(repository={"id": "22" * 16, "generation": 1}), 403, "refused.request")

    def test_a_clock_that_is_wrong(self):
        for seconds in (-301, 301):
            answer = self.victim.ask(time=int((time.time() + seconds) * 1000))
            self.assert_refused(answer, 409, "refused.clock")
            self.assertEqual(self.problem(answer), "clock")

    def test_an_older_message_out_of_order(self):
        old = self.victim.request()
        self.assertEqual(self.victim.ask().status, 201)
        answer = self.gateway.post("/v2/requests", old)
        self.assert_refused(answer, 409, "refused.stale")
        self.assertEqual(self.problem(answer), "stale")

    def test_the_same_message_again_is_the_same_request(self):
        envelope = self.victim.request()
        first, second = (self.gateway.post("/v2/requests", envelope) for _ in range(2))
        self.assertEqual((first.status, second.status), (201, 200))
        self.assertEqual(first.json["request"], second.json["request"])
        self.assertEqual(first.json["request"], encode(hash_of(envelope)))
        self.assertEqual(len(self.gateway.requests()), 1)

    def test_a_replay_after_the_release_gives_a_box_that_only_the_first_asker_opens(self):
        envelope = self.victim.request()
        box = self.victim.box
        asked = self.gateway.post("/v2/requests", envelope).json
        self.approve(asked)
        self.victim.poll(asked["request"])
        replayed = self.gateway.post("/v2/requests", envelope)
        self.assertEqual(replayed.status, 200)
        self.assertEqual(self.victim.open_release(replayed.json, box), self.victim.share)
        with self.assertRaises(nacl.exceptions.CryptoError):
            self.victim.open_release(replayed.json, nacl.public.PrivateKey.generate())

    def test_a_key_of_small_order_is_not_sealed_to(self):
        for key in (bytes(32), bytes([1]) + bytes(31)):
            self.assert_refused(self.victim.ask(key=encode(key)), 403, "refused.request")
        self.assert_nothing_released()

    def test_a_second_machine_with_the_same_identity_is_told_to_the_approver(self):
        evidence = {"kernel": "6.1", "hostname": "victim", "uptime": 3, "addresses": [], "planned": False}
        first = self.victim.ask(evidence={**evidence, "boot_id": "its own"}).json
        again = self.victim.ask(evidence={**evidence, "boot_id": "its own"}).json
        thief = self.victim.ask(evidence={**evidence, "boot_id": "the thief's"}).json
        told = [json.loads(self.gateway.command("request", "show", asked["id"], "--json"))["replaces_other_boot"]
                for asked in (first, again, thief)]
        self.assertEqual(told, [False, False, True])

    def test_a_second_request_inherits_no_approval(self):
        share = f"zkv-host-{self.victim.id}"
        self.gateway.change_database("UPDATE zkv_secret SET name = 'elsewhere' WHERE name = ?", share)
        first = self.victim.ask().json
        first_box = self.victim.box
        self.approve(first)
        self.assertEqual(self.gateway.state(first["id"]), "approved")
        second = self.victim.ask().json
        self.assertEqual(self.gateway.state(first["id"]), "superseded")
        with self.assertRaises(AssertionError):
            self.gateway.command("request", "approve", first["id"])
        self.gateway.change_database("UPDATE zkv_secret SET name = ? WHERE name = 'elsewhere'", share)
        self.assertEqual(self.victim.poll(second["request"], 0)["state"], "pending")
        self.approve(second)
        answer = self.victim.poll(second["request"])
        with self.assertRaises(nacl.exceptions.CryptoError):
            self.victim.open_release(answer, first_box)
        self.assertEqual(self.victim.open_release(answer), self.victim.share)

    def test_an_approval_of_one_host_is_none_of_another(self):
        thief = OtherHost(self.gateway, self.gateway.invite("thief"))
        thief.enrol()
        hers, his = self.victim.ask().json, thief.ask().json
        self.approve(his)
        self.assertEqual(thief.open_release(thief.poll(his["request"])), thief.share)
        self.assertEqual(self.victim.poll(hers["request"], 0)["state"], "pending")

    def test_nothing_is_released_once_it_was_acknowledged_or_denied(self):
        asked = self.victim.ask().json
        self.approve(asked)
        self.victim.poll(asked["request"])
        self.assertEqual(self.victim.word("acknowledge", asked["request"]).status, 204)
        self.assertEqual(self.victim.word("acknowledge", asked["request"]).status, 204)
        self.assertNotIn("release", self.victim.poll(asked["request"]))
        denied = self.victim.ask().json
        self.gateway.command("request", "deny", denied["id"])
        self.assertEqual(self.victim.poll(denied["request"])["state"], "denied")
        self.assertEqual(self.victim.word("acknowledge", denied["request"]).status, 409)

    def test_words_of_others_and_about_others(self):
        thief = OtherHost(self.gateway, self.gateway.invite("thief"))
        thief.enrol()
        asked = self.victim.ask().json
        self.assert_refused(self.victim.word("cancel", asked["request"], signer=thief.key), 403, "refused.word")
        self.assert_refused(self.victim.word("cancel", asked["request"], request="33" * 32), 403, "refused.word")
        self.assertEqual(self.gateway.state(asked["id"]), "pending")
        self.assertEqual(self.victim.word("cancel", asked["request"]).status, 204)
        self.assertEqual(self.gateway.state(asked["id"]), "cancelled")

    def test_ids_that_are_guessed(self):
        self.victim.ask()
        for guess in (encode(bytes(32)), "short", "A" * 43, "..", "%00"):
            self.assertEqual(self.gateway.get(f"/v2/requests/{guess}").status, 404)

    def test_nonsense_is_answered_in_words(self):
        for body in ("", "{", "[]", "{}", '{"payloadType": 1}', json.dumps({"payloadType": REQUEST_TYPE, "payload": "!",
                                                                              "signatures": []})):
            answer = self.gateway.request("POST", "/v2/requests", body)
            self.assertEqual(answer.status, 400, body)
            self.assertTrue(json.loads(answer.body)["detail"])
        self.assertEqual(self.gateway.request("POST", "/v2/requests", "x" * 70_000).status, 413)


class P256Hosts(Case):
    """The identity that hosts have in their TPMs: how attackers could bend it."""

    def setUp(self):
        super().setUp()
        self.victim = OtherHost(self.gateway, self.gateway.invite("nas"), P256Key())

    def enrol_with(self, **changes):
        jwk = {**self.victim.key.jwk, **changes}
        return self.gateway.post("/v2/enrolments", self.victim.enrolment(identity=jwk))

    def order(self):
        return 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    def with_signature(self, envelope, r, s):
        both = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return {**envelope, "signatures": [{**envelope["signatures"][0], "sig": encode(both)}]}

    def parts(self, envelope):
        both = decode(envelope["signatures"][0]["sig"])
        return int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big")

    def test_it_enrols_asks_and_is_given_its_share(self):
        self.assertEqual(self.victim.enrol().status, 201)
        kinds = {host["name"]: host["identity"] for host in self.gateway.hosts()}
        self.assertEqual(kinds, {"nas": "TPM (P-256)", "victim": "file (Ed25519)"})
        self.assertIn("TPM (P-256)", self.gateway.command("host", "show", "nas"))
        self.assertIn("IDENTITY", self.gateway.command("host", "list"))
        asked = self.victim.ask().json
        self.approve(asked)
        self.assertEqual(self.victim.open_release(self.victim.poll(asked["request"])), self.victim.share)
        self.assertEqual(self.victim.word("acknowledge", asked["request"]).status, 204)

    def test_it_is_known_again_after_a_restart(self):
        self.victim.enrol()
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual(self.victim.ask().status, 201)

    def test_points_that_are_on_no_curve_enrol_nobody(self):
        key = self.victim.key.jwk
        for changes in ({"y": key["x"]}, {"x": encode(bytes(32)), "y": encode(bytes(32))}, {"x": encode(b"\xff" * 32)},
                        {"x": encode(decode(key["x"])[1:])}, {"y": encode(b"\0" + decode(key["y"]))}, {"y": ""}, {"y": None},
                        {"crv": "P-384"}, {"kty": "OKP"}, {"crv": "Ed25519"}):
            answer = self.enrol_with(**changes)
            self.assertIn(answer.status, (400, 403), changes)
        self.assertEqual([host["name"] for host in self.gateway.hosts()], ["victim"])
        self.assertEqual(self.victim.enrol().status, 201)  # and the invite was not used up

    def test_an_ed25519_key_that_calls_itself_p256(self):
        thief = OtherHost(self.gateway, self.gateway.invite("thief"))
        x = encode(thief.key.public)
        answer = self.gateway.post("/v2/enrolments", thief.enrolment(identity={"kty": "EC", "crv": "P-256", "x": x, "y": x}))
        self.assert_refused(answer, 400, "refused.enrolment")
        answer = self.gateway.post("/v2/enrolments", thief.enrolment(identity={"kty": "EC", "crv": "P-256", "x": x}))
        self.assert_refused(answer, 400, "refused.enrolment")

    def test_another_hosts_point_with_ones_own_signature(self):
        thief = OtherHost(self.gateway, self.gateway.invite("thief"), P256Key())
        answer = self.gateway.post("/v2/enrolments", thief.enrolment(identity=self.victim.key.jwk))
        self.assert_refused(answer, 403, "refused.enrolment")

    def test_signatures_of_zeros_and_beyond_the_order(self):
        self.victim.enrol()
        envelope = self.victim.request()
        r, s = self.parts(envelope)
        for forged in ((0, s), (r, 0), (0, 0), (self.order(), s), (r, self.order()), (s, r), (1, 1)):
            self.assertEqual(self.gateway.post("/v2/requests", self.with_signature(envelope, *forged)).status, 403, forged)
        self.assertEqual(self.gateway.requests(), [])

    def test_signatures_of_another_length_or_form(self):
        self.victim.enrol()
        envelope = self.victim.request()
        signature = decode(envelope["signatures"][0]["sig"])
        der = self.victim.key.key.sign(b"", ec.ECDSA(hashes.SHA256()))
        for other in (b"", signature[:63], signature + b"\0", der):
            forged = {**envelope, "signatures": [{**envelope["signatures"][0], "sig": encode(other)}]}
            self.assertEqual(self.gateway.post("/v2/requests", forged).status, 400, other)
        self.assertEqual(self.gateway.requests(), [])

    def test_another_signature_that_fits_makes_no_second_request(self):
        self.victim.enrol()
        envelope = self.victim.request()
        r, s = self.parts(envelope)
        first = self.gateway.post("/v2/requests", envelope)
        second = self.gateway.post("/v2/requests", self.with_signature(envelope, r, self.order() - s))
        self.assertEqual((first.status, second.status), (201, 200))
        self.assertEqual(first.json["request"], second.json["request"])
        self.assertEqual(len(self.gateway.requests()), 1)

    def test_another_key_of_the_same_kind_under_the_hosts_id(self):
        self.victim.enrol()
        envelope = self.victim.request(signer=P256Key())
        envelope["signatures"][0]["keyid"] = self.victim.id
        self.assert_refused(self.gateway.post("/v2/requests", envelope), 403, "refused.request")

    def test_an_ed25519_signature_under_the_hosts_id(self):
        self.victim.enrol()
        envelope = self.victim.request(signer=Ed25519Key())
        envelope["signatures"][0]["keyid"] = self.victim.id
        self.assert_refused(self.gateway.post("/v2/requests", envelope), 403, "refused.request")


class Downgrade(Case):
    def test_the_first_protocols_endpoint_never_gives_a_hosts_share(self):
        client = self.gateway.ask()
        self.gateway.command("request", "approve", client.id)
        body = client.answer().body
        self.assertNotIn(encode(self.victim.share), body)
        self.assertEqual(body.strip(), "cmVwb3NpdG9yeS1rZXktb2YtdGhlLXRlc3RzLTAwMDE=")

    def test_the_first_protocols_secret_cannot_be_a_hosts_share(self):
        self.gateway.stop()
        environment = {"ZKV_KEY_VAULT_SECRET": f"zkv-host-{self.victim.id}"}
        with self.assertRaisesRegex(AssertionError, "zkv-host-"):
            self.gateway.environment = environment
            self.gateway.command("config", "check")
        self.gateway.environment = {}
        self.gateway.start()


class Description(Case):
    def test_the_document_is_served_as_it_stands(self):
        served = json.loads(self.gateway.request("GET", "/v2/openapi.json").body)
        self.assertEqual(served, contract.DOCUMENT)
        self.assertTrue(served["openapi"].startswith("3.1"))


class FalseGateway(unittest.TestCase):
    """Another gateway at the address of the one that was pinned."""

    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)
        self.host.enroll(self.gateway.invite("nas"), "--no-test")

    def test_it_is_refused_although_its_certificate_is_good(self):
        self.gateway.stop()
        for name in ("identity.key", "audit.checkpoint"):
            (self.gateway.data / name).unlink()
        self.gateway.start()
        running = self.host.begin_mount()
        running.end(4)
        self.assertIn("is not the gateway that was pinned", "".join(running.errors))
        self.assertEqual(self.gateway.requests("--all"), [])

    def test_a_link_with_another_pin_enrols_nobody(self):
        url = self.gateway.invite("other")
        gateway = url.split(".")[-1]
        forged = url.replace(gateway, encode(hashlib.sha256(b"another").digest()))
        before = self.host.out("slot", "list")
        self.host.run("enroll", "-", "--cafile", self.host.cafile, "-k", "-",
                      stdin=f"{forged}\n{self.host.key}\n".encode(), code=4)
        self.assertEqual(self.host.out("slot", "list"), before)
        self.assertEqual(len(self.gateway.hosts()), 1)

    def test_a_certificate_with_another_key_than_the_pinned_one(self):
        certificate = host_world.make_certificate(self.gateway.folder, "own")
        self.gateway.use_certificate(certificate)
        other = Host(self.gateway)
        self.addCleanup(other.__exit__)
        other.run("enroll", "-", "-k", "-", "--no-test",
                  stdin=f"{self.gateway.invite('other')}\n{other.key}\n".encode())
        impostor = host_world.make_certificate(self.gateway.folder, "impostor")
        self.gateway.use_certificate(impostor)
        running = other.start("mount", "--cafile", str(impostor))
        running.end(4)
        self.assertIn("another key than the one that was pinned", "".join(running.errors))


if __name__ == "__main__":
    unittest.main()
