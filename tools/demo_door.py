"""Lets a browser on this machine reach a gateway whose certificate is signed by itself: http://localhost:PORT, and TLS from here on.

Browsers make no passkeys for a page whose certificate they do not trust, but do for localhost. Only for the demo.
"""

import asyncio
import contextlib
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
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _serve(self):
        self._loop.run_until_complete(asyncio.start_server(self._pass_on, sock=self._listener))
        self._loop.run_forever()

    async def _pass_on(self, reader, writer):
        with contextlib.suppress(OSError):
            gateway_reader, gateway_writer = await asyncio.open_connection(*self._target, ssl=self._context, server_hostname="localhost")
            await asyncio.gather(self._pump(reader, gateway_writer), self._pump(gateway_reader, writer))

    @staticmethod
    async def _pump(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
