"""What attackers try at the gateway: none gets a key, each attempt is in the audit log, and others are served on."""

import contextlib
import os
import re
import select
import socket
import ssl
import time
import unittest

from gateway_world import APPROVER, KEY, World
from standins import TwilioStandIn


class Attacked(unittest.TestCase):
    """A gateway that is attacked, and serves others on after each test; each test has its own."""

    def attack(self, world):
        self.world = self.enterContext(world)
        self.addCleanup(self.assert_serves_on)

    def assert_serves_on(self):
        self.assertEqual(self.world.request("GET", "/livez", source="127.0.2.99").status, 200)

    def noted(self, kind, actor=None):
        """The audit log's rows of that kind, by that actor if one is named; there are some."""
        self.world.requests()  # what was refused before is on the disk when this is answered
        rows = [row for row in self.world.audit() if row["kind"] == kind and actor in (None, row["actor"])]
        self.assertTrue(rows, f"no {kind} by {actor} in the audit log")
        return rows


class TwilioWorld(Attacked):
    """One that sends PINs by (a stand-in for) Twilio."""

    def setUp(self):
        self.twilio = self.enterContext(TwilioStandIn())
        environment = self.twilio.environment() | {
            "ZKV_SMS_TO": APPROVER, "ZKV_PUBLIC_URL": "https://gateway.example"}
        self.attack(World("--max-wait", "600", environment=environment))

    def ask(self, source="127.0.2.1"):
        """A waiting client, and the PIN that was sent for it."""
        client = self.world.ask(source)
        message = self.twilio.wait_for_message()
        return client, re.search(r"\d{6}", message["body"]).group()

    def send(self, pin, **details):
        return self.world.webhook(pin, token=self.twilio.facts["authToken"], **details).status

    def wrong(self, pin):
        return f"{(int(pin) + 1) % 1000000:06}"


class Guessing(TwilioWorld):
    def test_three_wrong_pins_from_three_addresses_deny_the_request(self):
        client, pin = self.ask()
        for n in range(3):
            self.assertEqual(self.send(self.wrong(pin), sid=f"SM{n}", source=f"127.0.2.{n + 10}"), 404)
        answer = client.answer()
        self.assertEqual((answer.status, answer.body), (401, ""))
        self.assertEqual(self.send(pin, sid="SM9", source="127.0.2.20"), 404)
        self.assertEqual(len(self.noted("pin.wrong", f"sms:{APPROVER}")), 4)
        self.assertEqual([row["request"] for row in self.noted("request.deny")], [client.id])

    def test_ten_wrong_pins_an_hour_are_all_there_are_even_after_a_restart(self):
        _, pin = self.ask()
        statuses = [self.send(self.wrong(pin), sid=f"SM{n}", source=f"127.0.3.{n + 1}") for n in range(12)]
        self.assertEqual(statuses, [404] * 10 + [429] * 2)
        self.world.stop()
        self.world.start()
        client, fresh = self.ask("127.0.2.2")
        self.assertEqual(self.send(fresh, sid="SM99", source="127.0.3.99"), 429)
        self.assertEqual(self.world.state(client.id), "pending")
        self.assertEqual(len(self.noted("pin.refused", f"sms:{APPROVER}")), 3)
        self.world.command("request", "deny", client.id)
        self.assertEqual(client.answer().status, 401)

    def test_one_address_tries_once_a_second(self):
        client, pin = self.ask()
        statuses = [self.send(self.wrong(pin), sid=f"SM{n}", source="127.0.2.30") for n in range(2)]
        self.assertIn(429, statuses)
        self.assertEqual(self.world.state(client.id), "pending")
        self.noted("refused.rate", "127.0.2.30")


class Webhooks(TwilioWorld):
    def test_the_right_pin_of_the_approver_releases_the_key_to_its_client_only(self):
        first, first_pin = self.ask("127.0.2.1")
        second, _ = self.ask("127.0.2.2")
        self.assertEqual(self.send(first_pin, sid="SM1"), 204)
        self.assertEqual(first.answer().body, KEY)
        self.assertEqual(self.world.state(second.id), "pending")
        self.world.command("request", "deny", second.id)
        self.assertEqual(second.answer().status, 401)

    def test_a_replayed_webhook_approves_nothing_more(self):
        client, pin = self.ask()
        self.assertEqual(self.send(pin, sid="SM1", source="127.0.2.40"), 204)
        self.assertEqual(client.answer().body, KEY)
        other, _ = self.ask("127.0.2.2")
        self.assertEqual(self.send(pin, sid="SM1", source="127.0.2.41"), 204)
        self.assertEqual(self.world.state(other.id), "pending")
        self.assertEqual(len(self.noted("pin.replayed", f"sms:{APPROVER}")), 1)

    def test_a_used_pin_is_no_pin_any_more(self):
        client, pin = self.ask()
        self.assertEqual(self.send(pin, sid="SM1", source="127.0.2.40"), 204)
        self.assertEqual(client.answer().body, KEY)
        other, _ = self.ask("127.0.2.2")
        self.assertEqual(self.send(pin, sid="SM2", source="127.0.2.41"), 404)
        self.assertEqual(self.world.state(other.id), "pending")
        self.assertEqual(len(self.noted("pin.wrong", f"sms:{APPROVER}")), 1)

    def test_unsigned_and_wrongly_signed_webhooks_are_refused(self):
        client, pin = self.ask()
        self.assertEqual(self.send(pin, signature="", source="127.0.2.40"), 403)
        self.assertEqual(self.send(pin, signature="AAAAAAAAAAAAAAAAAAAAAAAAAAA=", source="127.0.2.41"), 403)
        self.assertEqual(self.world.webhook(pin, token="another", source="127.0.2.42").status, 403)
        self.assertEqual(self.world.state(client.id), "pending")
        refused = self.noted("refused.webhook-signature")
        self.assertEqual({row["actor"] for row in refused}, {"127.0.2.40", "127.0.2.41", "127.0.2.42"})

    def test_a_signature_for_another_host_stays_wrong_with_forged_headers(self):
        client, pin = self.ask()
        forged = {"Host": "other.example", "X-Forwarded-Host": "other.example", "X-Forwarded-Proto": "https",
                  "X-Forwarded-For": "127.0.0.1"}
        self.assertEqual(self.send(pin, host="https://other.example", headers=forged, source="127.0.2.40"), 403)
        self.assertEqual(self.world.state(client.id), "pending")
        self.noted("refused.webhook-signature", "127.0.2.40")

    def test_another_senders_pin_is_refused_though_signed(self):
        client, pin = self.ask()
        self.assertEqual(self.send(pin, sender="+15559999999", source="127.0.2.40"), 403)
        self.assertEqual(self.world.state(client.id), "pending")
        self.noted("refused.webhook-sender", "127.0.2.40")

    def test_the_address_with_its_port_is_signed_alike(self):
        client, pin = self.ask()
        self.assertEqual(self.send(pin, host="https://gateway.example:443"), 204)
        self.assertEqual(client.answer().body, KEY)


class SecondUse(Attacked):
    def setUp(self):
        self.attack(World("--max-wait", "600"))

    def test_a_released_request_cannot_be_approved_or_fetched_again(self):
        token = "B" * 43
        client = self.world.ask("127.0.2.1", token)
        self.world.command("request", "approve", client.id)
        self.assertEqual(client.answer().body, KEY)
        for verb in "approve", "deny":
            with self.assertRaisesRegex(AssertionError, f"request {client.id} is already"):
                self.world.command("request", verb, client.id)
        again = self.world.ask("127.0.2.2", token)
        self.assertNotEqual(again.id, client.id)
        self.assertEqual(self.world.state(again.id), "pending")
        first = self.noted("refused.decision", f"console:uid {os.geteuid()}")[0]
        self.assertIn(f"request {client.id} is already", first["detail"])
        self.assertEqual([row["request"] for row in self.noted("request.release")], [client.id])
        self.assertEqual([row["request"] for row in self.noted("request.ask", "127.0.2.2")], [again.id])


class Malformed(Attacked):
    def setUp(self):
        self.attack(World("--max-wait", "600", "--legacy-allow", "127.0.0.0/16"))

    def status(self, data, source="127.0.4.1"):
        received = self.world.raw(data, source)
        return int(received.split()[1]) if received else None

    def test_oversized_headers_and_bodies_are_refused(self):
        head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
        self.assertEqual(self.status(head + b"X: " + b"x" * 100_000 + b"\r\n\r\n", "127.0.4.2"), 431)
        self.assertEqual(self.status(head + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n"), 431)
        post = b"POST /incoming-message HTTP/1.1\r\nHost: localhost\r\n"
        self.assertEqual(self.status(post + b"Content-Length: 99999999\r\n\r\n", "127.0.4.3"), 413)
        self.assertEqual(self.status(post + b"Content-Length: 18446744073709551617\r\n\r\n"), 400)
        chunked = post + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n" + b"x" * 50_000
        self.assertEqual(self.status(chunked, "127.0.4.4"), 413)
        for source, status in ("127.0.4.2", "431"), ("127.0.4.3", "413"), ("127.0.4.4", "413"):
            self.assertRegex(self.noted("refused.http", source)[0]["detail"], f"^{status} ")

    def test_garbage_is_refused_and_others_are_served(self):
        self.assertEqual(self.status(b"\x00\x01\x02\x03\r\n\r\n"), 400)
        self.assertEqual(self.status(b"GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n"), 400)
        self.assertEqual(self.status(b"GET /livez HTTP/9.9\r\nHost: a\r\n\r\n"), 400)
        self.assertRegex(self.noted("refused.http", "127.0.4.1")[0]["detail"], "^400 ")

    def test_plain_http_at_the_tls_port_gets_nothing(self):
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.world.port), 30)) as plain:
            plain.sendall(b"GET /request-keys HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := plain.recv(4096):
                    received += chunk
        self.assertNotIn(b"HTTP/1.1 200", received)
        self.assertNotIn(KEY.encode(), received)

    def test_forged_forwarding_headers_do_not_pass_legacy_allow(self):
        forged = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"}
        answer = self.world.request("GET", "/request-keys", headers=forged, source="127.9.0.1")
        self.assertEqual((answer.status, answer.body), (403, ""))
        self.assertEqual({row["actor"] for row in self.noted("refused.address")}, {"127.9.0.1"})

    def test_forged_host_changes_nothing_for_an_asking_client(self):
        client = self.world.ask("127.0.4.9", host="127.0.0.1.other.example")
        self.world.command("request", "approve", client.id)
        self.assertEqual(client.answer().body, KEY)
        self.assertEqual([row["request"] for row in self.noted("request.ask", "127.0.4.9")], [client.id])

    def drip(self, clients, each):
        """Sends each client's next byte every 50 ms, until the gateway has ended all; returns what each received."""
        received = {client: b"" for client in clients}
        going_on = set(clients)
        began = time.monotonic()
        while going_on:
            self.assertLess(time.monotonic() - began, 30, f"{len(going_on)} clients drip on")
            for client in list(going_on):
                with contextlib.suppress(OSError):
                    client.send(each[client])
            readable, _, _ = select.select(list(going_on), [], [], 0.05)
            for client in readable:
                try:
                    chunk = client.recv(4096)
                except ssl.SSLWantReadError:
                    continue
                except OSError:
                    chunk = b""
                received[client] += chunk
                if not chunk:
                    going_on.remove(client)
        return received

    def test_slow_clients_hold_neither_places_nor_others_up(self):
        """Bytes keep coming: what ends these is the deadline of the whole request, and of the handshake."""
        heads = [self.world.connect("127.0.5.1") for _ in range(20)]
        body = self.world.connect("127.0.5.3")
        silent, hello = (socket.create_connection(("127.0.0.1", self.world.port), 30, source_address=(source, 0))
                         for source in ("127.0.5.4", "127.0.5.5"))
        clients = [*heads, body, silent, hello]
        self.addCleanup(lambda: [client.close() for client in clients])
        for head in heads:
            head.sendall(b"GET /request-keys HTTP/1.1\r\nHost: localhost\r\nX: ")
        body.sendall(b"POST /incoming-message HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n")
        hello.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        for client in clients:
            client.setblocking(False)
        self.assert_serves_on()
        received = self.drip(clients, dict.fromkeys(clients, b"x") | {silent: b""})
        for client in *heads, body:
            self.assertTrue(received[client].startswith(b"HTTP/1.1 408 "), received[client])
        self.assertEqual((received[silent], received[hello]), (b"", b""))
        for source, detail in (("127.0.5.1", "^408 "), ("127.0.5.3", "^408 "),
                               ("127.0.5.4", "handshake did not end in time"), ("127.0.5.5", "handshake did not end in time")):
            self.assertRegex(self.noted("refused.http", source)[0]["detail"], detail)

    def test_one_address_cannot_take_all_connections(self):
        held = []
        self.addCleanup(lambda: [one.close() for one in held])
        with self.assertRaises(OSError):
            for _ in range(300):
                held.append(self.world.connect("127.0.6.1"))
        self.assertGreaterEqual(len(held), 256)
        self.assert_serves_on()
        self.noted("refused.connections", "127.0.6.1")


if __name__ == "__main__":
    unittest.main()
