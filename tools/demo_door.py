"""Lets a browser on this machine reach a gateway whose certificate is signed by itself: http://localhost:PORT, and TLS from here on.

Browsers make no passkeys for a page whose certificate they do not trust, but do for localhost. Only for the demo.
"""

import contextlib
import select
import socket
import ssl
import threading


class Door:
    """Serves on a free port of loopback until `close`; `address` is where."""

    def __init__(self, host, port, authority):
        self._target = (host, port)
        self._context = ssl.create_default_context(cafile=authority)
        self._context.check_hostname = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://localhost:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        with contextlib.suppress(OSError), client, socket.create_connection(self._target) as plain, \
                self._context.wrap_socket(plain) as gateway:
            self._pump(client, gateway)

    @staticmethod
    def _pump(client, gateway):
        """Both ways in one thread: a TLS connection is not for two."""
        while True:
            ready = [gateway] if gateway.pending() else select.select([client, gateway], [], [])[0]
            for source in ready:
                data = source.recv(65536)
                if not data:
                    return
                (gateway if source is client else client).sendall(data)
