"""A database that the gateway's first version left goes on with all that is in it."""

import contextlib
import pathlib
import sqlite3
import time
import unittest

from gateway_world import KEY, World

SCHEMA_1 = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "gateway-schema-1.sql"
MASTER_KEY = bytes.fromhex("66ea67e9b06097ff90800cf1dccb8ee20103d5dc51e2349091690c2e16f18089")
TOKEN = "T" * 43  # of the client that waits


def rows_of(database, query):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.world = World("--max-wait", "600", key=None)
        self.addCleanup(self.world.close)
        self.world.data.mkdir(0o700)
        self.database = self.world.data / "gateway.db"
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            connection.executescript(SCHEMA_1.read_text(encoding="ascii").replace("NOW", str(int(time.time() * 1000))))
        master_key = self.world.data / "master.key"
        master_key.write_bytes(MASTER_KEY)
        master_key.chmod(0o600)

    def test_requests_audit_log_and_secret_of_schema_1_are_kept(self):
        audit = rows_of(self.database, "SELECT * FROM zkv_audit ORDER BY number")
        self.world.start()
        requests = {request["id"]: request for request in self.world.requests("--all")}
        self.assertEqual({name: request["state"] for name, request in requests.items()},
                         {"N99MS20E59": "acknowledged", "ZYA18YQJQN": "denied", "34MHKF3H88": "pending"})
        denied = requests["ZYA18YQJQN"]
        self.assertEqual((denied["address"], denied["decided_by"], denied["reason"], denied["wrong_pins"]),
                         ("127.0.1.2", "console:uid 0", "not mine", 2))
        self.assertEqual(rows_of(self.database, f"SELECT * FROM zkv_audit WHERE number <= {len(audit)} ORDER BY number"), audit)
        self.assertEqual(rows_of(self.database, "SELECT message, outcome FROM zkv_message"), [("SM1", "approved")])
        self.assertEqual(rows_of(self.database, "SELECT COUNT(*) FROM zkv_wrong_pin"), [(1,)])
        self.assertIn("each unchanged", self.world.command("audit", "verify"))

    def test_a_client_that_waited_before_the_upgrade_comes_back_and_gets_the_key(self):
        self.world.start()
        with contextlib.closing(self.world.connect()) as connection:
            connection.sendall(f"GET /request-keys HTTP/1.1\r\nHost: g\r\nConnection: close\r\nZKV-Request-Token: {TOKEN}\r\n\r\n".encode())
            self.world.command("request", "approve", "34MHKF3H88")
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        self.assertIn(b"ZKV-Request-Id: 34MHKF3H88", received)
        self.assertTrue(received.endswith(KEY.encode()), received)

    def test_what_was_upgraded_starts_again(self):
        self.world.start()
        self.world.stop()
        [(version,)] = rows_of(self.database, "SELECT version FROM zkv_schema")
        self.assertGreater(version, 1)
        self.world.start()
        self.assertEqual(self.world.state("34MHKF3H88"), "pending")


if __name__ == "__main__":
    unittest.main()
