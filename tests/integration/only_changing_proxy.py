"""A proxy that ends TLS and changes what passes gets no share either: gateway and host find each change."""

import json
import time
import unittest

import nacl.public

from enrolled_world import Ed25519Key, GATEWAY_TYPE, RELEASE_TYPE, REQUEST_TYPE, decode, encode, sign
from recording_proxy import Case, body_of, with_body


class ChangingProxy(Case):
    def requested(self, exchange):
        return exchange.method == "POST" and exchange.path == "/v2/requests"

    def test_another_key_in_the_request_is_refused(self):
        self.enroll()
        thief = nacl.public.PrivateKey.generate()

        def put_own_key(exchange):
            if self.requested(exchange):
                exchange.body = json.dumps(with_body(json.loads(exchange.body), key=encode(bytes(thief.public_key)))).encode()

        self.proxy.change_request = put_own_key
        running = self.host.begin_mount()
        running.end(4)
        self.assertEqual(self.gateway.requests("--all"), [])
        self.assertIn("refused.request", self.gateway.audit_kinds())
        self.assert_locked()

    def test_a_request_signed_anew_is_refused(self):
        self.enroll()
        identity, thief = Ed25519Key(), nacl.public.PrivateKey.generate()

        def sign_anew(exchange):
            if self.requested(exchange):
                true = json.loads(exchange.body)
                forged = sign(REQUEST_TYPE, {**body_of(true), "key": encode(bytes(thief.public_key))}, identity)
                forged["signatures"][0]["keyid"] = true["signatures"][0]["keyid"]
                exchange.body = json.dumps(forged).encode()

        self.proxy.change_request = sign_anew
        self.host.begin_mount().end(4)
        self.assertEqual(self.gateway.requests("--all"), [])
        self.assert_locked()

    def release_changed_by(self, change):
        """A boot whose release `change` gets and gives back; what zkv says."""
        def change_release(exchange):
            answer = json.loads(exchange.answer) if exchange.path.startswith("/v2/requests/") and exchange.answer else {}
            if "release" in answer:
                exchange.answer = json.dumps({**answer, "release": change(answer["release"])}).encode()

        self.proxy.change_answer = change_release
        running = self.mount()
        self.gateway.command("request", "approve", running.request)
        running.end(1)
        self.assert_locked()
        return "".join(running.errors)

    def own_box(self):
        """A box to the key of the host's last request, as anybody can make one."""
        [*_, asked] = [exchange for exchange in self.proxy.exchanges if self.requested(exchange)]
        recipient = nacl.public.PublicKey(decode(body_of(json.loads(asked.body))["key"]))
        return encode(nacl.public.SealedBox(recipient).encrypt(bytes(32)))

    def test_another_box_in_the_release_is_found(self):
        self.enroll()
        said = self.release_changed_by(lambda release: with_body(release, sealed=self.own_box()))
        self.assertIn("answer is not to be trusted", said)

    def test_a_release_signed_anew_is_found(self):
        self.enroll()
        key = Ed25519Key()

        def sign_anew(release):
            forged = sign(RELEASE_TYPE, {**body_of(release), "sealed": self.own_box()}, key)
            return {**forged, "signatures": [{**forged["signatures"][0], "keyid": release["signatures"][0]["keyid"]}]}

        self.assertIn("answer is not to be trusted", self.release_changed_by(sign_anew))

    def test_an_older_release_is_found(self):
        self.enroll()
        kept = []
        self.release_changed_by(lambda release: kept.append(release) or {**release, "payload": release["payload"][:-4]})
        said = self.release_changed_by(lambda _: kept[0])
        self.assertIn("it is for another request", said)

    def test_a_no_that_it_invents_ends_the_asking_opens_nothing_and_stands_in_no_log(self):
        self.enroll()

        def do_not_wait(exchange):
            exchange.path = exchange.path.replace("?wait=25", "")

        def deny(exchange):
            if exchange.method == "GET" and exchange.path.startswith("/v2/requests/"):
                exchange.answer = json.dumps({**json.loads(exchange.answer), "state": "denied"}).encode()

        self.proxy.change_request, self.proxy.change_answer = do_not_wait, deny
        running = self.mount()
        running.end(4)
        self.assertIn(f"request {running.request} was denied", "".join(running.errors))
        self.assertNotIn("request.deny", self.gateway.audit_kinds())
        self.assertEqual(self.gateway.state(running.request), "pending")
        self.assert_locked()

    def test_words_that_steer_a_terminal_are_told_in_plain_text(self):
        def rename(exchange):
            if exchange.path == "/v2/enrolments":
                exchange.answer = json.dumps({**json.loads(exchange.answer), "name": "nas\x1b[2J\n"}).encode()

        self.proxy.change_answer = rename
        self.assertIn("as 'nas?[2J?'", self.host.enroll(self.gateway.invite("nas"), "--no-test"))

    def test_its_own_keys_in_the_gateways_place_get_no_share(self):
        signing, sealing = Ed25519Key(), nacl.public.PrivateKey.generate()

        def put_own_keys(exchange):
            if exchange.path != "/v2/gateway":
                return
            true = json.loads(exchange.answer)
            keys = {"signing": encode(signing.public), "sealing": encode(bytes(sealing.public_key)), "time": int(time.time() * 1000)}
            exchange.answer = json.dumps(answers.pop()(true, keys)).encode()

        def another_identity(true, keys):
            return sign(GATEWAY_TYPE, {**body_of(true), **keys}, signing)

        def sealing_key_alone(true, keys):
            return with_body(true, sealing=keys["sealing"])

        self.proxy.change_answer = put_own_keys
        for answer in (another_identity, sealing_key_alone):
            answers = [answer]
            url = self.gateway.invite(answer.__name__)
            self.host.run("enroll", "-", "--cafile", self.host.cafile, "-k", "-", "--no-test", stdin=f"{url}\n{self.host.key}\n".encode(), code=4)
        self.assertEqual([exchange.path for exchange in self.proxy.posts()], [])
        self.assertEqual(self.gateway.hosts(), [])


if __name__ == "__main__":
    unittest.main()
