"""A reverse proxy that ends TLS before a gateway, as nginx or Caddy would, and keeps every exchange in the plain; it can also change what passes."""

import dataclasses
import http.client
import http.server
import json
import socket
import ssl
import threading
import unittest

import passkey_world
from enrolled import VOLUMES
from enrolled_world import Host, decode, encode
from host_world import QuietServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclasses.dataclass
class Exchange:
    method: str
    path: str
    headers: dict
    body: bytes
    status: int = 0
    answer_headers: list = dataclasses.field(default_factory=list)
    answer: bytes = b""

    def written(self):
        """Both ways, as bytes."""
        heads = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items()),
                 str(self.status), *(f"{name}: {value}" for name, value in self.answer_headers)]
        return "\n".join(heads).encode() + b"\n" + self.body + b"\n" + self.answer


class Proxy:
    """Listens at once; `serve` begins to pass on. `change_request` and `change_answer` get an Exchange and may write in it."""

    def __init__(self):
        self.exchanges, self.target = [], None
        self.change_request = self.change_answer = lambda exchange: None
        self.server = QuietServer(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_address[1]
        self.base = f"https://localhost:{self.port}"

    def serve(self, target, certificate, key):
        self.target = target
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def posts(self):
        return [exchange for exchange in self.exchanges if exchange.method == "POST"]

    def written(self):
        """The whole record."""
        return b"\n".join(exchange.written() for exchange in self.exchanges)

    def pass_on(self, exchange):
        """Sends it to the gateway, and fills in the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=90)
        try:
            connection.request(exchange.method, exchange.path, exchange.body or None, exchange.headers)
            answer = connection.getresponse()
            exchange.status, exchange.answer = answer.status, answer.read()
            exchange.answer_headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        finally:
            connection.close()

    def replay(self, exchange):
        """What was sent, once more, byte for byte, with the cookie that went with it."""
        again = dataclasses.replace(exchange, status=0, answer=b"", answer_headers=[])
        self.pass_on(again)
        return again

    def _handler(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "https"}
                exchange = Exchange(self.command, self.path, headers, body)
                proxy.change_request(exchange)
                proxy.pass_on(exchange)
                proxy.change_answer(exchange)
                proxy.exchanges.append(exchange)
                self.send_response(exchange.status)
                for name, value in exchange.answer_headers:
                    self.send_header(name, value)
                if exchange.status != 204:
                    self.send_header("Content-Length", str(len(exchange.answer)))
                self.end_headers()
                self.wfile.write(exchange.answer)

            do_GET = do_POST = do_DELETE = do_PATCH = take

            def log_message(self, *_):
                pass

        return Handler


class Gateway(passkey_world.Gateway):
    """A gateway without TLS behind such a proxy; what is asked of it by `request` goes through the proxy."""

    def __init__(self, *arguments):
        self.proxy = Proxy()
        super().__init__("--trusted-proxies", "127.0.0.1/32", *arguments, base=self.proxy.base)

    def start(self):
        super().start()
        if self.proxy.target is None:
            self.proxy.serve(self.port, self.certificate, self.certificate_key)

    def close(self):
        self.proxy.close()
        super().close()

    def connect(self, source="127.0.0.1"):
        plain = socket.create_connection(("127.0.0.1", self.proxy.port), 30, source_address=(source, 0))
        return self.context().wrap_socket(plain, server_hostname="localhost")


def body_of(envelope):
    return json.loads(decode(envelope["payload"]))


def with_body(envelope, **changes):
    return {**envelope, "payload": encode(json.dumps({**body_of(envelope), **changes}).encode())}


class Case(unittest.TestCase):
    """A gateway behind such a proxy, and a host that knows it by the proxy's address."""

    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.start()
        self.proxy = self.gateway.proxy
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)

    def enroll(self):
        self.host.enroll(self.gateway.invite("nas"), "--no-test")

    def mount(self):
        """A boot up to its request."""
        mark = self.gateway.log.mark()
        running = self.host.begin_mount()
        running.request = self.gateway.next_request(mark)
        return running

    def assert_locked(self):
        self.assertEqual({self.host.get(name, "keystatus") for name in VOLUMES}, {"unavailable"})
