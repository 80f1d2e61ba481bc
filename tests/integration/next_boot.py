"""A next boot that is approved beforehand: it opens without anybody being asked, once, in its time, for that host alone."""

import json
import signal
import unittest

import enrolled_world
import passkey_world
import totp_world
from enrolled_world import BOOT_TYPE, decode, open_envelope


class Case(passkey_world.OwnersCase):
    def setUp(self):
        super().setUp()
        self.acknowledge(self.booted("one", decide="approve"))

    def evidence(self, boot):
        return {"boot_id": boot, "kernel": "6.1", "hostname": "nas", "uptime": 3, "addresses": [], "planned": False}

    def booted(self, boot, decide=None, host=None):
        """The request of a host in this boot."""
        asked = (host or self.host).ask(evidence=self.evidence(boot)).json
        if decide:
            self.assertEqual(self.anna.decide(asked["id"], decide).status, 200)
        return asked

    def acknowledge(self, asked):
        self.assertEqual(self.host.open_release(self.host.poll(asked["request"])), self.host.share)
        self.assertEqual(self.host.word("acknowledge", asked["request"]).status, 204)

    def approve(self, seconds=7200, host=None, act_seconds=None):
        name = (host or self.host).id
        return self.anna.confirmed(f"/v2/hosts/{name}/next-boot", {"seconds": seconds}, "boot.approve", name, str(act_seconds or seconds))

    def next_boot(self):
        [host] = [host for host in self.anna.call("GET", "/v2/hosts").json["hosts"] if host["id"] == self.host.id]
        return host["next_boot"]

    def assert_waits(self, asked, host=None):
        self.assertEqual((host or self.host).poll(asked["request"], 0)["state"], "pending")

    def verify(self):
        return self.gateway.command("audit", "verify")


class Used(Case):
    def test_the_next_boot_opens_by_itself_and_the_one_after_it_waits(self):
        self.assertEqual(self.approve().status, 201)
        self.assertEqual(self.next_boot()["by"], "Anna")
        shown = json.loads(self.gateway.command("host", "show", self.host.id, "--json"))
        self.assertEqual(shown["next_boot"], self.next_boot())
        asked = self.booted("two")
        answer = self.host.poll(asked["request"])
        self.assertEqual(self.host.open_release(answer), self.host.share)
        release = json.loads(decode(answer["release"]["payload"]))
        self.assertEqual(len(release["approvals"]), 1, "the release names what Anna signed")
        self.assertIsNone(self.next_boot())
        self.assertEqual(self.host.word("acknowledge", asked["request"]).status, 204)
        self.assert_waits(self.booted("three"))
        self.assertRegex(self.verify(), "1 other acts confirmed")

    def test_it_outlives_a_restart(self):
        self.approve()
        self.gateway.stop()
        self.gateway.start()
        self.acknowledge(self.booted("two"))

    def test_a_lost_answer_is_fetched_again(self):
        self.approve()
        envelope = self.host.request(evidence=self.evidence("two"))
        first = self.gateway.post("/v2/requests", envelope).json
        again = self.gateway.post("/v2/requests", envelope)
        self.assertEqual((again.status, again.json["request"]), (200, first["request"]))
        self.acknowledge(first)

    def test_the_console_approves_lists_and_takes_back(self):
        self.assertIn("approved until", self.gateway.command("host", "approve-boot", "nas", "--within", "30m"))
        self.assertIn("approved until", self.gateway.command("host", "list"))
        self.gateway.command("host", "take-back-boot", "nas")
        self.assertNotIn("approved until", self.gateway.command("host", "list"))
        self.assert_waits(self.booted("two"))
        self.gateway.command("host", "approve-boot", "nas")
        asked = self.booted("three")
        self.acknowledge(asked)
        self.assertEqual(json.loads(self.gateway.command("request", "show", asked["id"], "--json"))["decided_by"].split(":")[0], "planned")
        self.verify()

    def test_a_host_asks_for_it_and_a_person_approves_that_with_a_passkey(self):
        asked = self.host.ask(evidence=self.evidence("one"), next_boot=3600).json
        [card] = [card for card in self.anna.call("GET", "/v2/requests").json["requests"] if card["id"] == asked["id"]]
        self.assertEqual(card["next_boot"], 3600)
        self.assertEqual(self.anna.decide(asked["id"], "approve").status, 200)
        answer = self.host.poll(asked["request"])
        word = open_envelope(answer["release"], BOOT_TYPE, decode(self.host.said["signing"]))
        self.assertEqual(word["host"], self.host.id)
        self.assertNotIn("sealed", word)
        self.assertEqual(self.host.word("acknowledge", asked["request"]).status, 204)
        self.assertEqual(self.next_boot()["by"], "Anna")
        self.acknowledge(self.booted("two"))
        self.verify()

    def test_a_denied_wish_approves_nothing(self):
        asked = self.host.ask(evidence=self.evidence("one"), next_boot=3600).json
        self.anna.decide(asked["id"], "deny")
        self.assertIsNone(self.next_boot())
        self.assert_waits(self.booted("two"))


class Refused(Case):
    def test_the_boot_in_which_it_was_given_does_not_use_it_up(self):
        self.approve()
        self.assert_waits(self.booted("one"))
        self.acknowledge(self.booted("two"))

    def test_a_boot_without_an_id_or_with_the_same_in_other_letters_uses_none(self):
        self.approve()
        self.assert_waits(self.booted(""))
        self.assert_waits(self.booted("ONE"))
        self.acknowledge(self.booted("two"))

    def test_it_is_none_of_another_host(self):
        other = self.enrolled("other")
        self.approve()
        self.assert_waits(self.booted("two", host=other), other)

    def test_after_its_time_it_is_over(self):
        self.approve(60)
        self.gateway.stop()
        [row] = self.gateway.write_database("SELECT host, approved_by, approved_at, until, boot, evidence, used_by FROM zkv_boot_approval")
        row = [value - 61_000 if column in (2, 3) else value for column, value in enumerate(row)]
        seal = totp_world.seal((self.gateway.data / "seal.key").read_bytes(), row, "zkv_boot_approval")
        self.gateway.write_database("UPDATE zkv_boot_approval SET approved_at = ?, until = ?, seal = ?", row[2], row[3], seal)
        self.gateway.start()
        self.assertIsNone(self.next_boot())
        self.assert_waits(self.booted("two"))

    def test_nobody_but_the_gateway_changes_its_time(self):
        self.approve(60)
        self.gateway.stop()
        self.gateway.write_database("UPDATE zkv_boot_approval SET until = until - 61000, approved_at = approved_at - 61000")
        self.gateway.start()
        self.assertEqual(self.host.ask(evidence=self.evidence("two")).status, 500)

    def test_what_was_taken_back_serves_no_more(self):
        self.approve()
        self.assertEqual(self.anna.call("DELETE", f"/v2/hosts/{self.host.id}/next-boot").status, 204)
        self.assertEqual(self.anna.call("DELETE", f"/v2/hosts/{self.host.id}/next-boot").status, 404)
        self.assert_waits(self.booted("two"))
        self.verify()

    def test_a_revoked_approvers_ends_with_them(self):
        bea = passkey_world.Approver(self.gateway, self.gateway.invite_approver("Bea").split("#register=")[1])
        made = bea.confirmed(f"/v2/hosts/{self.host.id}/next-boot", {"seconds": 600}, "boot.approve", self.host.id, "600")
        self.assertEqual(made.status, 201)
        self.gateway.command("approver", "revoke", "Bea", "--yes")
        self.assertIsNone(self.next_boot())
        self.assert_waits(self.booted("two"))

    def test_a_revoked_host_has_none(self):
        self.approve()
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.assertEqual(self.host.ask(evidence=self.evidence("two")).status, 403)
        self.assertEqual(self.approve().status, 409)
        self.assertIsNone(self.next_boot())

    def test_a_session_alone_or_an_answer_for_another_time_approves_nothing(self):
        path = f"/v2/hosts/{self.host.id}/next-boot"
        self.assertEqual(self.anna.call("POST", path, {"seconds": 600}).status, 400)
        self.assertEqual(self.approve(86400, act_seconds=600).status, 409)
        self.assertEqual(self.approve(59).status, 400)
        self.assertEqual(self.approve(86401).status, 400)
        self.assertIsNone(self.next_boot())

    def test_one_that_nobody_gave_is_refused_when_it_is_read(self):
        self.gateway.change_database("INSERT INTO zkv_boot_approval (host, approved_by, approved_at, until, boot, evidence, used_by, seal) "
                                     "VALUES (?, 'approver:Anna', 1, 9000000000000, '', '', '', '')", self.host.id)
        self.assertEqual(self.host.ask(evidence=self.evidence("two")).status, 500)

    def test_a_used_one_that_is_put_back_is_refused(self):
        self.approve()
        self.acknowledge(self.booted("two"))
        self.gateway.change_database("UPDATE zkv_boot_approval SET used_by = ''")
        self.assertEqual(self.host.ask(evidence=self.evidence("three")).status, 500)


class RealHost(Case):
    def test_zkv_asks_for_it_and_this_boot_does_not_use_it_up(self):
        host = enrolled_world.Host(self.gateway)
        self.addCleanup(host.__exit__)
        host.enroll(self.gateway.invite("attic"), "--no-test")
        mark = self.gateway.log.mark()
        running = host.start("reboot-approval", "--within", "30m")
        running.await_line("waiting for approval")
        request = self.gateway.next_request(mark)
        self.assertEqual(self.anna.decide(request, "approve").status, 200)
        self.assertIn("The next boot of this machine is approved", running.end(0))
        waiting = host.start("mount")
        self.assertRegex(waiting.await_line("waiting for approval"), ", asked 1 person$")
        waiting.stop(signal.SIGINT)
        waiting.end(130)


if __name__ == "__main__":
    unittest.main()
