"""Once the volumes are open, no key lies in the memory of `zkv mount`: looked for while it waits for its first mount. Nor does it say one."""

import base64
import os
import secrets
import unittest

from host_world import Host, OurGateway, wrapping_key
from memory_scan import places_of


class Memory(unittest.TestCase):
    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.host.four_volumes()

    def secrets(self):
        """The repository's key, the volumes' keys as the repository has them, and as ZFS gets them."""
        keys = self.host.keys
        passphrase = wrapping_key("passphrase", keys["tank/words"])
        return [self.host.key.encode(), passphrase, *keys.values(), *(bytes.fromhex(keys[name].decode()) for name in ("tank/hex", "tank/hex/nested"))]

    def assert_silent(self, output, errors):
        said = (output + "".join(errors)).encode()
        self.assertIn(b"tank/hex", said)
        for secret in self.secrets():
            for form in (secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"="), base64.urlsafe_b64encode(secret).rstrip(b"=")):
                self.assertNotIn(form, said)

    def found_while_mounting(self, *words, code=0):
        os.mkfifo(self.host.zfs / "gate")
        with OurGateway() as gateway:
            gateway.approve(self.host.key)
            running = self.host.start("mount", *words, gateway.uri)
            with open(self.host.zfs / "gate", "w", encoding="ascii") as gate:  # opens when the first mount waits at it
                found = places_of(running.process.pid, self.secrets())
                control = places_of(running.process.pid, [str(self.host.home).encode()])
                (self.host.zfs / "gate").unlink()
                gate.write("go")
            self.assert_silent(running.end(code), running.errors)
        self.assertTrue(control, "the scan sees the process's memory")
        return found

    def test_no_key_is_left_after_loading_by_the_library(self):
        self.assertEqual(self.found_while_mounting(), [])

    def test_no_key_is_left_after_loading_by_the_program(self):
        self.assertEqual(self.found_while_mounting("--via", "zfs"), [])

    def test_no_key_is_left_or_said_where_one_does_not_fit(self):
        unfit = secrets.token_hex(32).encode()
        self.host.add_volume("tank/changed", "hex", secrets.token_hex(32).encode(), in_repository=unfit)
        self.host.keys["tank/changed in the repository"] = unfit
        self.assertEqual(self.found_while_mounting("--json", code=3), [])


if __name__ == "__main__":
    unittest.main()
