"""The gateway's own Azure vault stores, reads and destroys secrets by the stand-in, which Azure's client has checked."""

import os
import pathlib
import subprocess
import sys
import time
import unittest

INTEGRATION = pathlib.Path(__file__).resolve().parent.parent / "integration"
sys.path.insert(0, str(INTEGRATION))
from memory_scan import places_of  # noqa: E402
from standins import AzureStandIn  # noqa: E402

PROGRAM = os.environ["VAULT_CALLS"]
SHARE = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
NOT_FOUND, EXISTS, DENIED, UNAVAILABLE, UNSUPPORTED = 11, 12, 13, 14, 15  # as vault_calls says them
STEPS = ("DELETE /secrets/", "GET /deletedsecrets/", "DELETE /deletedsecrets/")


class Vault(unittest.TestCase):
    """One stand-in for all; each test has a name of its own."""

    @classmethod
    def setUpClass(cls):
        cls.azure = cls.enterClassContext(AzureStandIn())

    def setUp(self):
        self.azure.clear_faults()
        self.azure.clear_requests()
        self.azure.settings(deletionTime=0, purgeTime=0, purgeProtection=False)
        self.name = self.id().rpartition("_test_")[2].rpartition(".")[2].replace("_", "-")

    def run_call(self, what, value=""):
        environment = os.environ | self.azure.environment()
        done = subprocess.run([PROGRAM, what, self.name], input=value, env=environment, text=True, capture_output=True, timeout=60, check=False)
        self.assertNotIn(SHARE, done.stderr)
        return done

    def deposit(self):
        self.assert_ends(0, self.run_call("deposit", SHARE))

    def assert_ends(self, code, done, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def assert_gone(self):
        self.assert_ends(NOT_FOUND, self.run_call("recover"))
        self.azure.clear_faults()
        self.deposit()

    def test_a_share_comes_back_and_is_gone_afterwards(self):
        self.deposit()
        self.assertEqual(self.run_call("recover").stdout, SHARE)
        self.assert_ends(0, self.run_call("destroy"))
        self.assert_gone()

    def test_all_versions_are_destroyed(self):
        self.azure.put_secret(self.name, "older")
        self.deposit()
        self.assertEqual(self.run_call("recover").stdout, SHARE)
        self.assert_ends(0, self.run_call("destroy"))
        self.assert_gone()

    def test_what_is_gone_may_be_destroyed_again(self):
        self.assert_ends(0, self.run_call("destroy"))

    def test_a_deletion_that_takes_its_time_is_waited_for(self):
        self.deposit()
        self.azure.settings(deletionTime=3000, purgeTime=1500)
        self.assert_ends(0, self.run_call("destroy"))
        self.assert_gone()

    def test_a_deletion_whose_answer_is_lost_is_not_taken_for_gone(self):
        self.deposit()
        self.azure.settings(deletionTime=3000)
        self.azure.fault("drop", match="DELETE /secrets/")
        self.assert_ends(0, self.run_call("destroy"))
        self.assert_gone()

    def test_a_deletion_that_takes_too_long_is_taken_up_later(self):
        self.deposit()
        self.azure.settings(deletionTime=14_000)
        self.assert_ends(UNAVAILABLE, self.run_call("destroy"), "is deleted, but was not purged")
        time.sleep(4)
        self.assert_ends(0, self.run_call("destroy"))
        self.assert_gone()

    def test_purge_protection_is_told_with_its_date(self):
        self.azure.settings(purgeProtection=True)
        self.deposit()
        self.assert_ends(UNSUPPORTED, self.run_call("destroy"), "is deleted, but can be brought back until 20", "purges it by itself")
        self.assert_ends(UNSUPPORTED, self.run_call("destroy"), "purge protection")
        self.assert_ends(NOT_FOUND, self.run_call("recover"))
        self.assert_ends(EXISTS, self.run_call("deposit", SHARE), "holds its name")

    def test_each_missing_permission_is_named(self):
        self.azure.fault("forbidden", match="PUT /secrets/")
        self.assert_ends(DENIED, self.run_call("deposit", SHARE), "may not be stored", "Set on secrets")
        self.deposit()
        self.azure.fault("forbidden", match="DELETE /secrets/")
        self.assert_ends(DENIED, self.run_call("destroy"), "may not be deleted", "Delete on secrets")
        self.azure.fault("forbidden", match="DELETE /deletedsecrets/")
        self.assert_ends(DENIED, self.run_call("destroy"), "is deleted, but may not be purged", "Purge on secrets")

    def test_storing_outlasts_what_passes(self):
        for fault in ({"fault": 429, "retryAfter": 1}, {"fault": 503}, {"fault": "drop"}, {"fault": "cut"}, {"fault": "hang"}, {"fault": "expired"}):
            with self.subTest(**fault):
                self.azure.fault(match="PUT /secrets/", **fault)
                self.deposit()
        self.assertEqual(self.run_call("recover").stdout, SHARE)

    def test_destroying_outlasts_what_passes_at_every_step(self):
        for step in STEPS:
            for fault in ({"fault": 429, "retryAfter": 1}, {"fault": 500}, {"fault": "drop"}, {"fault": "hang"}, {"fault": "expired"}):
                with self.subTest(step=step, **fault):
                    self.deposit()
                    self.azure.fault(match=step, **fault)
                    self.assert_ends(0, self.run_call("destroy"))
                    self.assert_ends(NOT_FOUND, self.run_call("recover"))

    def test_what_is_no_vaults_answer_is_no_success(self):
        for fault in ("garbage", "empty", "404", "endless"):
            with self.subTest(fault=fault):
                self.azure.clear_faults()
                self.azure.fault(fault, match="secrets/", times=100)
                self.assert_ends(UNAVAILABLE, self.run_call("deposit", SHARE))
                self.assert_ends(UNAVAILABLE, self.run_call("destroy"))

    def test_no_redirect_carries_a_secret_away(self):
        self.azure.fault("redirect", match="PUT /secrets/", location=self.azure.http + "/elsewhere", times=100)
        self.assert_ends(UNAVAILABLE, self.run_call("deposit", SHARE))
        self.assertEqual(self.azure.requests("/elsewhere"), [])

    @unittest.skipIf(os.environ.get("VAULT_CALLS_SANITIZED"), "sanitizers keep what is freed")
    def test_nothing_of_a_share_is_left_in_memory(self):
        for what, said in (("deposit", b"done\n"), ("recover", SHARE.encode() + b"done\n")):
            with self.subTest(call=what):
                command = [PROGRAM, what, self.name, "stay"]
                environment = os.environ | self.azure.environment()
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
                    process.stdin.write(SHARE.encode())
                    process.stdin.close()
                    self.assertEqual(process.stdout.readline(), said)
                    left = places_of(process.pid, [SHARE[at : at + 12].encode() for at in range(0, 33, 8)])
                    scanned = places_of(process.pid, [self.name.encode()])
                    process.kill()
                self.assertEqual(left, [])
                self.assertTrue(scanned, "the scan finds what is there")


if __name__ == "__main__":
    unittest.main(verbosity=2)
