"""While zkv waits for a person, the local share that its TPM gave out is in one guarded place of its memory, and nowhere else."""

import pathlib
import tempfile
import unittest

import memory_scan
import tpm


class Memory(tpm.TpmCase):
    def test_the_share_is_in_guarded_memory_alone(self):
        self.enroll()
        with tempfile.TemporaryDirectory() as folder:
            share = self.unseal_with_tools(pathlib.Path(folder))
        self.bus.emulator.power_cycle()
        running = self.mount(None)
        places = memory_scan.places_of(running.process.pid, [share])
        self.gateway.command("request", "approve", running.request)
        running.end(0)
        self.assertEqual(len(places), 1, places)
        [(address, name, _)] = places
        self.assertEqual((name, address % 4096), ("", 4096 - len(share)))  # libsodium's: up against its guard page


if __name__ == "__main__":
    unittest.main()
