"""`zkv fetch` against the seed's server, over TLS that is wrong in each way, and through proxies."""

import http.server
import select
import socket
import threading
import unittest

from host_world import Host, OurGateway, QuietServer, SeedGateway, free_port, make_certificate

KEY = "Zm9yIHRlc3RzIG9ubHksIHRoaXMgaXMgbm8ga2V5ISE="


class Case(unittest.TestCase):
    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)

    def gateway(self, kind=SeedGateway, **how):
        gateway = kind(**how)
        self.addCleanup(gateway.__exit__)
        return gateway


class TheSeedsServer(Case):
    def test_the_key_is_printed_with_a_newline_and_nothing_else(self):
        gateway = self.gateway()
        gateway.approve(KEY)
        self.assertEqual(self.host.out("fetch", gateway.uri), KEY + "\n")

    def test_the_address_is_used_as_it_stands(self):
        gateway = self.gateway()
        self.host.error("fetch", gateway.uri.replace("/request-keys", "/elsewhere/request-keys"))
        self.assertEqual(gateway.requests.get_nowait()[0], "/elsewhere/request-keys")

    def test_an_address_without_a_path_gets_the_usual_one(self):
        gateway = self.gateway()
        gateway.approve(KEY)
        self.assertEqual(self.host.out("fetch", gateway.uri.replace("/request-keys", "")), KEY + "\n")
        self.assertEqual(gateway.requests.get_nowait()[0], "/request-keys")

    def test_each_failure_is_1_as_the_seed_has_it(self):
        gateway = self.gateway(OurGateway)
        for status, headers in ((401, ()), (401, (("ZKV-Request-State", "denied"),)), (429, (("Retry-After", "1"),)), (500, ()),
                                (503, (("Retry-After", "9"),)), (404, ())):
            gateway.decide(status, headers=headers)
            with self.subTest(status=status):
                self.assertIn(gateway.uri, self.host.error("fetch", gateway.uri, code=1))
        self.assertEqual(gateway.requests.qsize(), 6, "fetch asks once and not again")

    def test_nobody_listening_is_1_and_says_so(self):
        self.assertIn("refused", self.host.error("fetch", f"http://127.0.0.1:{free_port()}/request-keys"))

    def test_without_an_address_it_takes_the_environments(self):
        gateway = self.gateway()
        gateway.approve(KEY)
        self.host.environment["GATEWAY_URI"] = gateway.uri
        self.assertEqual(self.host.out("fetch"), KEY + "\n")
        del self.host.environment["GATEWAY_URI"]
        self.assertIn("GATEWAY_URI", self.host.error("fetch"))

    def test_an_answer_that_would_play_with_the_terminal_is_not_printed(self):
        gateway = self.gateway()
        gateway.decide(200, b"\x1b]0;owned\x07")
        output, errors = self.host.run("fetch", gateway.uri, code=1)
        self.assertEqual(output, b"")
        self.assertNotIn(b"\x1b", errors)

    def test_a_key_without_end_is_refused(self):
        gateway = self.gateway()
        gateway.decide(200, b"A" * 10_000_000)
        output, errors = self.host.run("fetch", gateway.uri, code=1)
        self.assertEqual(output, b"")
        self.assertNotIn(b"AAAA", errors)

    def test_plain_http_to_a_foreign_address_is_refused_before_anything_is_sent(self):
        error = self.host.error("fetch", "http://192.0.2.1/request-keys")
        self.assertIn("http", error)
        self.assertNotIn("refused the connection", error)


class Tls(Case):
    def setUp(self):
        super().setUp()
        self.issuer = make_certificate(self.host.home, "issuer")

    def serve(self, certificate):
        return self.gateway(certificate=certificate)

    def test_a_good_certificate_of_a_given_issuer_is_trusted(self):
        gateway = self.serve(make_certificate(self.host.home, "good", signer=self.issuer))
        gateway.approve(KEY)
        self.assertEqual(self.host.out("fetch", gateway.uri, "--cafile", str(self.issuer)), KEY + "\n")

    def refused(self, certificate, *words):
        gateway = self.serve(certificate)
        error = self.host.error("fetch", gateway.uri, *words)
        self.assertTrue(gateway.requests.empty(), "the request was sent over a connection that is not trusted")
        return error

    def test_the_secrets_of_the_connection_go_into_no_file(self):
        log = self.host.home / "secrets"
        self.host.environment["SSLKEYLOGFILE"] = str(log)
        self.test_a_good_certificate_of_a_given_issuer_is_trusted()
        self.assertFalse(log.exists())

    def test_a_self_signed_certificate_is_called_so(self):
        self.assertIn("self-signed", self.refused(make_certificate(self.host.home, "selfish")))

    def test_another_hosts_certificate_is_called_so(self):
        other = make_certificate(self.host.home, "other", "DNS:other.example", signer=self.issuer)
        self.assertIn("other.example", self.refused(other, "--cafile", str(self.issuer)))

    def test_an_expired_certificate_is_called_so(self):
        old = make_certificate(self.host.home, "old", days=-1, signer=self.issuer)
        self.assertIn("expired", self.refused(old, "--cafile", str(self.issuer)))

    def test_an_unknown_issuer_is_not_trusted(self):
        self.refused(make_certificate(self.host.home, "unknown", signer=self.issuer))

    def test_a_given_issuer_takes_the_place_of_all_others(self):
        stranger = make_certificate(self.host.home, "stranger")
        self.refused(make_certificate(self.host.home, "again", signer=self.issuer), "--cafile", str(stranger))

    def test_plain_http_at_a_tls_address_is_no_key(self):
        plain = self.gateway()
        plain.approve(KEY)
        self.assertIn("TLS", self.host.error("fetch", plain.uri.replace("http:", "https:")))


class Proxy:
    """Remembers what it was asked for. `answer` does what it does with a request of that method, given its handler."""

    def __init__(self, method, answer):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

        def do(handler):
            outer.asked.append(handler.path)
            answer(handler)

        setattr(Handler, f"do_{method}", do)
        self.server = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.uri = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def tunnel_to(port):
    """A proxy that tunnels to one address, whatever was asked for."""

    def connect(handler):
        with socket.create_connection(("127.0.0.1", port)) as far:
            handler.send_response(200)
            handler.end_headers()
            pass_on(handler.connection, far)

    return Proxy("CONNECT", connect)


def pass_on(near, far):
    """Bytes both ways until one side ends."""
    while True:
        for ready in select.select([near, far], [], [])[0]:
            chunk = ready.recv(65536)
            if not chunk:
                return
            (far if ready is near else near).sendall(chunk)


def answering_proxy():
    """One that answers each GET with the key by itself."""

    def get(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(KEY)))
        handler.end_headers()
        handler.wfile.write(KEY.encode())

    return Proxy("GET", get)


class Proxies(Case):
    def test_plain_http_to_another_machine_goes_only_where_it_is_allowed_by_name(self):
        proxy = answering_proxy()
        self.addCleanup(proxy.close)
        self.host.environment["http_proxy"] = proxy.uri
        address = "http://192.0.2.1/request-keys"
        self.assertIn("--allow-plain-http", self.host.error("fetch", address))
        self.assertEqual(proxy.asked, [])
        self.assertEqual(self.host.out("fetch", "--allow-plain-http", address), KEY + "\n")
        self.assertEqual(proxy.asked, [address])

    def test_https_goes_through_the_proxy_of_the_environment(self):
        issuer = make_certificate(self.host.home, "issuer")
        gateway = self.gateway(certificate=make_certificate(self.host.home, "far", "DNS:gateway.example", signer=issuer))
        gateway.approve(KEY)
        proxy = tunnel_to(gateway.port)
        self.addCleanup(proxy.close)
        self.host.environment["https_proxy"] = proxy.uri
        self.assertEqual(self.host.out("fetch", "https://gateway.example", "--cafile", str(issuer)), KEY + "\n")
        self.assertEqual(proxy.asked, ["gateway.example:443"])

    def test_a_proxy_that_meddles_with_tls_is_noticed(self):
        issuer = make_certificate(self.host.home, "issuer")
        meddler = self.gateway(certificate=make_certificate(self.host.home, "gateway.example", "DNS:gateway.example"))
        proxy = tunnel_to(meddler.port)
        self.addCleanup(proxy.close)
        self.host.environment["https_proxy"] = proxy.uri
        self.host.error("fetch", "https://gateway.example", "--cafile", str(issuer))
        self.assertTrue(meddler.requests.empty())

    def test_a_dead_proxy_is_named(self):
        self.host.environment["https_proxy"] = f"http://127.0.0.1:{free_port()}"
        self.assertIn("the proxy does not answer", self.host.error("fetch", "https://gateway.example"))


if __name__ == "__main__":
    unittest.main()
