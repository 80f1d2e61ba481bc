"""Enrolment and what follows from it, with both real programs: the ways it goes well, and the ways it is cut off."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

import gateway_world
import host_world
from enrolled_world import Gateway, Host, OtherHost, decode, encode, open_envelope

VOLUMES = ("tank/hex", "tank/hex/nested", "tank/raw", "tank/words")


class Case(unittest.TestCase):
    def setUp(self):
        self.gateway = self.new_gateway()
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)

    def new_gateway(self, *arguments, **how):
        gateway = Gateway(*arguments, **how)
        self.addCleanup(gateway.close)
        gateway.start()
        return gateway

    def enroll(self):
        return self.host.enroll(self.gateway.invite("nas", "--group", "home"), "--no-test")

    def mount(self, decide="approve", *words):
        """A boot up to its request, which is then decided; the zkv that runs."""
        mark = self.gateway.log.mark()
        running = self.host.begin_mount(*words)
        request = self.gateway.next_request(mark)
        if decide:
            self.gateway.command("request", decide, request)
        running.request = request
        return running

    def assert_locked(self):
        for name in VOLUMES:
            self.assertEqual(self.host.get(name, "keystatus"), "unavailable", name)

    def assert_open(self):
        for name in VOLUMES:
            self.assertEqual(self.host.get(name, "keystatus"), "available", name)

    def gateway_slots(self):
        slots = json.loads(self.host.out("slot", "list", "--json"))
        return [slot["label"] for slot in slots if slot["type"] == "gateway"]


class GoesWell(Case):
    def test_an_approval_opens_everything_and_is_acknowledged(self):
        self.enroll()
        running = self.mount()
        output = running.end(0)
        for name in VOLUMES:
            self.assertIn(f"{name}: opened", output)
        self.assert_open()
        self.assertEqual(self.gateway.state(running.request), "acknowledged")
        kinds = [kind for kind in self.gateway.audit_kinds() if kind.startswith(("host.", "request."))]
        self.assertEqual(kinds, ["host.invite", "host.enrol", "request.ask", "request.approve", "request.release",
                                 "request.acknowledge"])

    def test_another_repository_by_the_option_before_and_after_the_words(self):
        self.enroll()
        elsewhere = self.host.path.rename(self.host.home / "elsewhere")
        self.host.enrolments.rename(f"{elsewhere}.enrolments")
        self.assertEqual(json.loads(self.host.out("status", "--json"))["enrolments"], [])
        self.host.error("slot", "list", "--json")
        option = ("--repository", str(elsewhere))
        for words in ((*option, "status", "--json"), ("status", *option, "--json"), ("status", "--json", *option)):
            with self.subTest(words):
                self.assertEqual([its["name"] for its in json.loads(self.host.out(*words))["enrolments"]], ["nas"])
        for words in ((*option, "slot", "list"), ("slot", *option, "list"), ("slot", "list", *option)):
            with self.subTest(words):
                self.assertIn("gateway", [slot["type"] for slot in json.loads(self.host.out(*words, "--json"))])
        self.mount("approve", *option).end(0)
        self.assert_open()

    def test_a_denial_opens_nothing(self):
        self.enroll()
        self.mount("deny").end(4)
        self.assert_locked()

    def test_a_dry_run_proves_the_road_and_opens_nothing(self):
        self.enroll()
        running = self.mount("approve", "--dry-run")
        running.end(0)
        self.assert_locked()
        self.assertEqual(self.gateway.state(running.request), "acknowledged")

    def test_a_test_request_is_taken_and_cancelled(self):
        said = self.host.enroll(self.gateway.invite("nas"))
        request = re.search(r"test request (\w+) was taken", said).group(1)
        self.assertEqual(self.gateway.state(request), "cancelled")

    def test_an_enrolment_says_what_happens_at_boot_and_what_that_must_trust_and_keeps_its_key_to_itself(self):
        lines = self.enroll().splitlines()
        self.assertEqual(len(lines), 4, lines)
        self.assertIn(f"is enrolled with https://127.0.0.1:{self.gateway.port} as 'nas'", lines[0])
        self.assertIn("At boot zfs-keyvault.service asks it; once somebody approves", lines[1])
        self.assertIn("Without an approval they stay locked", lines[2])
        self.assertIn(f"ZKV_OPTIONS=--cafile={self.host.cafile} in /etc/default/zfs-keyvault", lines[3])
        [key] = self.host.enrolments.glob("*.key")
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)

    def test_the_link_is_a_qr_code_too_at_a_terminal_and_nowhere_else(self):
        block = "\u2588"
        for words, is_drawn in (((), True), (("--no-qr",), False)):
            with self.subTest(words):
                shown = self.at_a_terminal("host", "invite", "nas", *words)
                self.assertIn("zkv enroll 'https://", shown)
                self.assertEqual(block in shown, is_drawn)
        self.assertIn(block, self.at_a_terminal("approver", "invite", "Anna"))
        self.assertNotIn(block, self.gateway.command("host", "invite", "nas"))

    def at_a_terminal(self, *words):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        command = [gateway_world.PROGRAM, *words, "--config", self.gateway.config, "--data-dir", self.gateway.data]
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as program:
            os.close(theirs)
            shown = b""
            with contextlib.suppress(OSError):
                while part := os.read(ours, 65536):
                    shown += part
        self.assertEqual(program.returncode, 0, shown)
        return shown.decode()

    def test_a_machine_without_a_repository_gets_one_and_its_recovery_key(self):
        fresh = host_world.Host()
        self.addCleanup(fresh.__exit__)
        said = fresh.out("enroll", "-", "--cafile", self.gateway.authority.certificate, "--no-test",
                         stdin=self.gateway.invite("fresh").encode() + b"\n")
        key = re.search(r"recovery key is\n(\S{44})\n", said).group(1)
        fresh.out("repository", "check", "-k", "-", stdin=key.encode() + b"\n")

    def enroll_with_two(self):
        """Gives the second gateway."""
        self.enroll()
        other = self.new_gateway()
        joined = self.host.home / "both.pem"
        joined.write_text(self.gateway.authority.certificate.read_text() + other.authority.certificate.read_text())
        self.host.cafile = joined
        self.host.enroll(other.invite("nas"), "--no-test")
        return other

    def test_two_gateways_are_asked_and_either_is_enough(self):
        other = self.enroll_with_two()
        mark = self.gateway.log.mark()
        running = self.host.begin_mount()
        first = self.gateway.next_request(mark)
        second = other.next_request()
        other.command("request", "approve", second)
        running.end(0)
        self.assert_open()
        self.assertEqual(self.gateway.state(first), "cancelled")

    def test_a_gateway_that_no_longer_knows_the_host_does_not_speak_for_the_other(self):
        other = self.enroll_with_two()
        self.gateway.command("host", "revoke", "nas", "--yes")
        running = self.host.begin_mount()
        other.command("request", "approve", other.next_request())
        running.end(0)
        self.assert_open()

    def test_the_hosts_doctor_tries_the_way_and_sees_a_host_that_was_revoked(self):
        self.enroll()

        def found():
            told = json.loads(self.host.out("doctor", "--ask", "--json", "--cafile", self.host.cafile, code=3))
            return [finding["id"] for finding in told["findings"] if finding["id"].startswith(("gateway-", "enrolment-", "nobody-"))]

        self.assertEqual([name for name in found() if name != "gateway-certificate-ends"], ["gateway-asks-nobody"])
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.assertIn("gateway-refuses", found())

    def test_a_gateway_that_is_down_does_not_hold_up_the_other(self):
        self.enroll()
        other = self.new_gateway()
        self.host.cafile = other.authority.certificate
        self.host.enroll(other.invite("nas"), "--no-test")
        self.gateway.stop()
        running = self.host.begin_mount()
        other.command("request", "approve", other.next_request())
        running.end(0)
        self.assert_open()

    def test_the_approver_sees_which_volumes(self):
        self.enroll()
        self.host.add_volume("tank/late", "hex", b"ab" * 32)
        running = self.mount(None)
        shown = json.loads(self.gateway.command("request", "show", running.request, "--json"))
        self.assertEqual(shown["volumes"], [*sorted(VOLUMES), "tank/late"])
        self.assertEqual(shown["host"], "nas")
        running.stop()
        running.end(130)


@unittest.skipUnless(os.geteuid() == 0, "only root asks beside a service, and in a namespace of its own")
class BesideABoot(Case):
    """zfs-keyvault.service asks, and so does a person; systemctl is played."""

    def setUp(self):
        super().setUp()
        self.enroll()
        self.calls = self.host.home / "systemctl-calls"
        self.play("activating")
        self.boot = self.begin("agent")

    def play(self, state, **properties):
        program = self.host.zfs / "systemctl"
        shown = "".join(f"*={name}\\ *) echo {value};; " for name, value in {"InvocationID": "the-boot", **properties}.items())
        program.write_text(f'#!/bin/sh\ncase "$*" in {shown}show*) echo {state};; list-jobs*) ;; *) echo "$@" >>{self.calls};; esac\n')
        program.chmod(0o755)

    def begin(self, *words, **environment):
        """zkv, as root of a namespace, whose keyring no other test's zkv takes a key from."""
        mark = self.gateway.log.mark()
        words = ("unshare", "--user", "--map-root-user", host_world.ZKV, *words, "--cafile", str(self.host.cafile))
        running = host_world.Running(words, self.host.environment | environment, self.host.home)
        running.request = self.gateway.next_request(mark)
        return running

    def tearDown(self):
        self.boot.stop()
        self.boot.process.communicate(timeout=60)

    def assert_asked_again(self):
        self.assertEqual(self.gateway.state(self.boot.request), "superseded")
        self.assertEqual(self.calls.read_text(), "--no-block restart zfs-keyvault.service\n")
        self.calls.unlink()

    def test_who_opens_everything_lets_the_boot_end_without_asking(self):
        running = self.begin("mount")
        running.await_line("zfs-keyvault.service asks already")
        self.gateway.command("request", "approve", running.request)
        running.end(0)
        self.assert_open()
        if "no keyrings" not in "".join(running.errors):
            self.assertIn("begins anew, and asks nobody", "".join(running.errors))
            self.assert_asked_again()

    def test_who_gives_up_or_opens_a_part_lets_the_boot_ask_again(self):
        running = self.begin("mount")
        running.await_line("waiting for approval")
        running.stop()
        running.end(130)
        self.assert_asked_again()
        running = self.begin("mount", "--only", "tank/raw")
        self.gateway.command("request", "approve", running.request)
        running.end(0)
        self.assertIn("zfs-keyvault.service asks again", "".join(running.errors))
        self.assert_asked_again()

    def test_after_a_no_nobody_is_asked_again(self):
        running = self.begin("mount")
        self.gateway.command("request", "deny", running.request)
        running.end(4)
        self.assertIn("asks no more, after a no", "".join(running.errors))
        self.assertEqual(self.calls.read_text(), "--no-block stop zfs-keyvault.service\n")

    def test_where_a_volume_does_not_open_nobody_is_asked_for_that_again(self):
        (self.host.zfs / "datasets" / "tank%2Fraw" / "mount-error").write_text("target is busy")
        running = self.begin("mount")
        self.gateway.command("request", "approve", running.request)
        running.end(3)
        if "no keyrings" not in "".join(running.errors):
            self.assertIn("begins anew, and asks nobody\n", "".join(running.errors))
            self.assert_asked_again()

    def test_of_two_people_the_later_one_counts(self):
        one = self.begin("mount")
        other = self.begin("mount")
        one.end(7)
        self.assertFalse(self.calls.exists(), "the boot would take the other's place")
        self.gateway.command("request", "approve", other.request)
        other.end(0)
        self.assert_open()

    def test_a_dry_run_and_what_the_service_itself_runs_change_nothing(self):
        self.assertIn("waits for somebody already", self.host.error("mount", "--dry-run", "--cafile", self.host.cafile))
        self.assertEqual(self.gateway.state(self.boot.request), "pending")
        running = self.begin("mount", INVOCATION_ID="the-boot")
        self.gateway.command("request", "approve", running.request)
        running.end(0)
        self.assertFalse(self.calls.exists(), "a unit that begins itself anew never ends")

    def test_where_no_service_asks_nothing_is_begun(self):
        self.play("inactive")
        running = self.begin("mount")
        running.stop()
        running.end(130)
        self.assertFalse(self.calls.exists())

    def test_one_that_is_kept_off_or_has_nobody_to_ask_stays_so(self):
        for why_not, called in (({"ConditionResult": "no"}, ""), ({"Result": "exec-condition"}, "--no-block start zfs-keyvault.target\n")):
            self.play("inactive", **{"UnitFileState": "enabled", "ConditionResult": "yes", "Result": "success", **why_not})
            running = self.begin("mount")
            self.gateway.command("request", "approve", running.request)
            running.end(0)
            self.assertEqual(self.calls.read_text() if self.calls.exists() else "", called)
        self.host.run("lock", "--all")  # No trace of it stays in /run.

    def test_a_service_that_somebody_stopped_comes_with_the_volumes(self):
        self.play("inactive", UnitFileState="enabled", ConditionResult="yes", Result="success")
        running = self.begin("mount")
        self.gateway.command("request", "approve", running.request)
        running.end(0)
        if "no keyrings" not in "".join(running.errors):
            self.assertEqual(self.calls.read_text(), "--no-block restart zfs-keyvault.service\n")


class Restarts(Case):
    def test_the_gateway_restarts_while_somebody_is_asked(self):
        self.enroll()
        running = self.mount(None)
        self.gateway.stop()
        self.gateway.start()
        self.gateway.command("request", "approve", running.request)
        running.end(0)
        self.assert_open()

    def test_a_request_that_is_damaged_while_the_gateway_is_down_is_asked_anew(self):
        self.enroll()
        running = self.mount(None)
        self.gateway.change_database("UPDATE zkv_request SET state = 'approved' WHERE id = ?", running.request)
        anew = self.gateway.next_request()
        self.assertNotEqual(anew, running.request)
        self.assert_locked()
        self.gateway.command("request", "approve", anew)
        running.end(0)
        self.assert_open()

    def test_the_gateway_restarts_between_approval_and_release(self):
        other = OtherHost(self.gateway, self.gateway.invite("other"))
        self.assertEqual(other.enrol().status, 201)
        asked = other.ask().json
        self.gateway.command("request", "approve", asked["id"])
        self.assertIn("release", other.poll(asked["request"]))
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual(other.open_release(other.poll(asked["request"])), other.share)

    def test_ctrl_c_and_the_end_of_the_terminal_take_the_request_back(self):
        self.enroll()
        for number, code in ((signal.SIGINT, 130), (signal.SIGHUP, 129)):
            with self.subTest(signal=number):
                running = self.mount(None)
                running.await_line("waiting for approval")
                running.stop(number)
                running.end(code)
                self.assertEqual(self.gateway.state(running.request), "cancelled")
                self.assert_locked()

    def test_the_time_limit_takes_the_request_back(self):
        self.enroll()
        running = self.mount(None, "--timeout", "2")
        running.end(5)
        self.assertEqual(self.gateway.state(running.request), "cancelled")

    def test_a_vault_that_comes_back_releases_what_was_approved_before_a_stop(self):
        other = OtherHost(self.gateway, self.gateway.invite("other"))
        other.enrol()
        secret = f"zkv-host-{other.id}"
        self.gateway.change_database("UPDATE zkv_secret SET name = 'elsewhere' WHERE name = ?", secret)
        asked = other.ask().json
        self.gateway.command("request", "approve", asked["id"])
        answer = other.poll(asked["request"])
        self.assertEqual(answer["state"], "approved")
        self.assertIn("holds no secret", answer["reason"])
        self.gateway.change_database("UPDATE zkv_secret SET name = ? WHERE name = 'elsewhere'", secret)
        while "release" not in (answer := other.poll(asked["request"])):
            self.assertEqual(answer["state"], "approved")
        self.assertEqual(other.open_release(answer), other.share)


class CutOff(Case):
    """Something between host and gateway loses an answer; without TLS, so that it can choose which."""

    def setUp(self):
        self.gateway = self.new_gateway(tls=False)
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)

    class Thief:
        """Passes everything on, but swallows the next `left` answers that hold `word`."""

        def __init__(self, gateway, word, left):
            self.gateway, self.word, self.left, self.stolen = gateway, word, left, threading.Event()
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
            threading.Thread(target=self.serve, daemon=True).start()

        def serve(self):
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = self.listener.accept()
                    threading.Thread(target=self.pass_on, args=(connection,), daemon=True).start()

        def pass_on(self, client):
            with client, self.gateway.connect() as server:
                threading.Thread(target=self.pump, args=(client, server), daemon=True).start()
                with contextlib.suppress(OSError):
                    while data := server.recv(65536):
                        if self.word in data and self.left > 0:
                            self.left -= 1
                            self.stolen.set()
                            return client.shutdown(socket.SHUT_RDWR)
                        client.sendall(data)

        @staticmethod
        def pump(client, server):
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    server.sendall(data)

    def behind(self, word, left):
        thief = self.Thief(self.gateway, word, left)
        self.addCleanup(thief.listener.close)
        return thief

    def test_an_enrolment_whose_answer_was_lost_goes_on_by_the_same_link(self):
        thief = self.behind(b'"group"', left=100)
        url = self.gateway.invite("nas").replace(f":{self.gateway.port}/", f":{thief.port}/")
        words = ("enroll", "-", "--cafile", self.host.cafile, "-k", "-", "--no-test")
        self.host.run(*words, stdin=f"{url}\n{self.host.key}\n".encode(), code=6)
        self.assertTrue(thief.stolen.is_set())
        self.assertEqual(len(self.gateway.hosts()), 1)
        thief.left = 0
        self.host.run(*words, stdin=f"{url}\n{self.host.key}\n".encode())
        self.assertEqual(len(self.gateway.hosts()), 1)
        self.assertEqual(len(self.gateway_slots()), 1)
        self.mount().end(0)
        self.assert_open()

    def test_nor_does_it_go_on_with_a_slot_that_an_older_repository_lacks(self):
        older = self.host.path.read_bytes()
        thief = self.behind(b'"group"', left=100)
        url = self.gateway.invite("nas").replace(f":{self.gateway.port}/", f":{thief.port}/")
        words = ("enroll", "-", "--cafile", self.host.cafile, "-k", "-", "--no-test")
        self.host.run(*words, stdin=f"{url}\n{self.host.key}\n".encode(), code=6)
        thief.left = 0
        self.host.path.write_bytes(older)
        self.host.run(*words, stdin=f"{url}\n{self.host.key}\n".encode(), code=4)
        self.assertEqual(self.gateway_slots(), [])
        self.assertFalse((self.host.enrolments / "pending.json").exists())
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.enroll()
        self.mount().end(0)
        self.assert_open()

    def test_a_release_that_was_lost_is_fetched_again(self):
        thief = self.behind(b'"release"', left=1)
        url = self.gateway.invite("nas").replace(f":{self.gateway.port}/", f":{thief.port}/")
        self.host.enroll(url, "--no-test")
        self.mount().end(0)
        self.assertTrue(thief.stolen.is_set())
        self.assert_open()

    def test_a_refused_enrolment_leaves_nothing(self):
        url = self.gateway.invite("nas")
        self.assertEqual(OtherHost(self.gateway, url).enrol().status, 201)
        before = self.host.out("slot", "list")
        self.host.run("enroll", "-", "--cafile", self.host.cafile, "-k", "-",
                      stdin=f"{url}\n{self.host.key}\n".encode(), code=4)
        self.assertEqual(self.host.out("slot", "list"), before)
        self.assertEqual([path.name for path in (self.host.enrolments).glob("*.key")], [])
        self.assertFalse((self.host.enrolments / "pending.json").exists())


class Folders(Case):
    """The folder of the repository, or of the enrolments beside it, is not there or cannot be had."""

    def enroll_at(self, repository, url, *words, stdin="", code=0):
        return self.host.run("--repository", repository, "enroll", "-", "--cafile", self.host.cafile, *words,
                             stdin=f"{url}\n{stdin}".encode(), code=code)

    def test_without_the_repositorys_folder_nothing_is_begun_and_the_link_still_serves(self):
        url = self.gateway.invite("nas")
        folder = self.host.home / "nowhere"
        printed, complaints = self.enroll_at(folder / "repository", url, code=1)
        self.assertEqual(printed, b"", "no recovery key of a repository that was not made")
        self.assertIn(f"there is no folder {folder}", complaints.decode())
        self.assertIn(f"mkdir", complaints.decode())
        complaints = self.enroll_at(folder / "repository", url, "-k", "-", stdin=f"{self.host.key}\n", code=1)[1]
        self.assertIn(f"there is no repository at {folder}/repository", complaints.decode())
        self.assertFalse(folder.exists())
        self.assertEqual(self.gateway.hosts(), [])
        folder.mkdir()
        self.assertIn(b"its recovery key is", self.enroll_at(folder / "repository", url, "--no-test")[0])
        self.assertEqual(len(self.gateway.hosts()), 1)

    def test_where_the_enrolments_cannot_lie_nothing_is_enrolled_and_no_slot_stays(self):
        url, slots = self.gateway.invite("nas"), self.host.out("slot", "list")
        self.host.enrolments.write_text("in the way")
        complaints = self.enroll_at(self.host.path, url, "-k", "-", stdin=f"{self.host.key}\n", code=1)[1]
        self.assertIn(str(self.host.enrolments), complaints.decode())
        self.assertEqual((self.gateway.hosts(), self.host.out("slot", "list")), ([], slots))
        self.host.enrolments.unlink()
        self.host.enroll(url, "--no-test")
        self.mount().end(0)
        self.assert_open()

    def test_whoever_lost_the_enrolments_is_told_so_and_enrols_anew(self):
        self.enroll()
        shutil.rmtree(self.host.enrolments)
        self.host.run("mount", "--cafile", self.host.cafile, code=2)
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.enroll()
        self.assertEqual(self.host.enrolments.stat().st_mode & 0o777, 0o700)
        self.mount().end(0)
        self.assert_open()


class Again(Case):
    def test_a_second_enrolment_takes_the_place_of_the_first(self):
        self.enroll()
        self.gateway.command("host", "rename", "nas", "nas-old")
        self.enroll()
        self.assertEqual(len(self.gateway_slots()), 1)
        self.assertEqual(len(list((self.host.enrolments).glob("*.key"))), 1)
        self.mount().end(0)
        self.assert_open()

    def numbers(self):
        return [slot["id"] for slot in json.loads(self.host.out("slot", "list", "--json"))]

    def enroll_and_put_an_older_repository_back(self):
        """Gives the number of the slot that the enrolment names, and the repository no longer has; nor does the note beside it know."""
        older = self.host.path.read_bytes()
        self.enroll()
        slots = self.numbers()
        self.host.path.write_bytes(older)
        (self.host.home / ".zkv-repository.generation").unlink()
        self.assertEqual(self.gateway_slots(), [])
        return max(slots)

    def test_for_an_older_repository_that_was_put_back_nobody_is_asked_in_vain(self):
        lost = self.enroll_and_put_an_older_repository_back()
        said = self.host.error("mount", "--cafile", self.host.cafile, code=1)
        self.assertIn("nobody is asked: ", said)
        self.assertIn(f"has no slot {lost} of this gateway", said)
        self.assertIn("zkv enroll LINK", said)
        for words in (("check", "--no-heartbeat"), ("drill", "-k", "-")):
            told = self.host.out(*words, "--cafile", self.host.cafile, stdin=self.host.key.encode() + b"\n", code=3)
            self.assertIn(f"has no slot {lost} of this gateway", told)
        self.assertNotIn("waits for approval", self.gateway.log.text())

    def test_who_enrols_then_keeps_the_new_slot_though_it_has_the_number_of_the_lost_one(self):
        self.enroll_and_put_an_older_repository_back()
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.enroll()
        self.assertEqual(len(self.gateway_slots()), 1)
        self.mount().end(0)
        self.assert_open()

    def test_nor_is_a_kit_taken_away_that_has_that_number(self):
        lost = self.enroll_and_put_an_older_repository_back()
        self.host.out("recovery", "create", "-k", "-", "-m", stdin=self.host.key.encode() + b"\n")
        before = self.numbers()
        self.assertEqual(before[-1], lost)
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.enroll()
        self.assertEqual(self.numbers(), [*before, lost + 1])
        self.host.out("unenroll", "-k", "-", stdin=self.host.key.encode() + b"\n")
        self.assertEqual(self.numbers(), before)

    def test_an_older_repository_is_told_of_before_it_is_changed_and_gives_no_number_twice(self):
        older = self.host.path.read_bytes()
        self.enroll()
        lost = max(self.numbers())
        self.host.path.write_bytes(older)
        key = self.host.key.encode() + b"\n"
        _, complaints = self.host.run("recovery", "create", "-k", "-", "-m", stdin=key)
        self.assertIn(b"somebody has put an older file back", complaints)
        self.assertEqual(max(self.numbers()), lost + 1)
        self.assertNotIn(b"older", self.host.run("recovery", "create", "-k", "-", "-m", stdin=key)[1])

    def test_a_lost_slot_that_has_another_owner_by_now_is_no_gateways_to_rotate(self):
        lost = self.enroll_and_put_an_older_repository_back()
        key = self.host.key.encode() + b"\n"
        self.host.out("slot", "add", "recovery", "-m", "-k", "-", stdin=key)
        self.assertEqual(max(self.numbers()), lost)
        self.assertIn(f"{lost} (recovery)", self.host.error("rotate", "-k", "-", stdin=key))
        self.host.out("rotate", "-k", "-", "--drop", "1", "--drop", str(lost), stdin=key)
        self.assertNotIn(lost, self.numbers())
        self.assertNotIn("waits for approval", self.gateway.log.text())

    def test_a_repository_of_the_seeds_format_opens_by_no_gateway_and_that_is_told(self):
        self.enroll()
        key = self.host.key.encode() + b"\n"
        self.host.out("volume", "remove", "--force", "-k", "-", "tank/raw", stdin=key)
        self.assertIn(" cannot open it any more, and is not asked", self.host.out("repository", "convert", "--to", "seed", "-k", "-", stdin=key))
        self.assertIn("has the seed's format", self.host.out("check", "--no-heartbeat", "--cafile", self.host.cafile, code=3))
        self.assertIn("has the seed's format", self.host.out("drill", "-k", "-", "--cafile", self.host.cafile, stdin=key, code=3))

    def test_unenroll_forgets_slot_identity_and_share(self):
        self.enroll()
        self.host.out("unenroll", "-k", "-", stdin=self.host.key.encode() + b"\n")
        self.assertEqual(self.gateway_slots(), [])
        self.assertEqual(list((self.host.enrolments).glob("*.key")), [])
        self.host.run("mount", code=2)

    def test_a_self_signed_certificate_is_pinned_by_the_link(self):
        certificate = host_world.make_certificate(self.gateway.folder, "own")
        self.gateway.use_certificate(certificate)
        url = self.gateway.invite("nas")
        self.assertEqual(len(url.split("#zkv2.")[1].split(".")), 3)
        self.host.run("enroll", "-", "-k", "-", "--no-test", stdin=f"{url}\n{self.host.key}\n".encode())
        mark = self.gateway.log.mark()
        running = self.host.start("mount")
        self.gateway.command("request", "approve", self.gateway.next_request(mark))
        running.end(0)
        self.assert_open()


class SetUpByInit(Case):
    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.said = self.gateway.command("init", "--name", "gateway.example", "--name", "localhost", "--name", "127.0.0.1")
        self.gateway.certificate, self.gateway.certificate_key = self.gateway.data / "tls.crt", self.gateway.data / "tls.key"
        self.gateway.authority.certificate = self.gateway.certificate
        self.gateway.start()
        self.host = Host(self.gateway)
        self.addCleanup(self.host.__exit__)

    def test_the_certificate_names_the_gateway_and_its_key_is_private(self):
        shown = gateway_world.run("openssl", "x509", "-in", self.gateway.certificate, "-noout", "-ext", "subjectAltName").stdout
        self.assertIn(b"DNS:gateway.example, DNS:localhost, IP Address:127.0.0.1", shown)
        self.assertEqual(self.gateway.certificate_key.stat().st_mode & 0o777, 0o600)
        self.assertIn(self.gateway.statement()["gateway"], self.said)

    def test_a_host_trusts_it_by_its_invite_alone(self):
        url = self.gateway.invite("nas")
        self.host.run("enroll", "-", "-k", "-", stdin=f"{url}\n{self.host.key}\n".encode())
        self.assertEqual(len(self.gateway.hosts()), 1)

    def test_doctor_says_what_is_to_be_mended(self):
        address = ("--tls-certificate", self.gateway.certificate, "--tls-key", self.gateway.certificate_key)
        with self.assertRaisesRegex(AssertionError, "MEND +public-url is not set"):
            self.gateway.command("doctor", *address)
        with self.assertRaisesRegex(AssertionError, "MEND +the certificate is not for elsewhere.example"):
            self.gateway.command("doctor", *address, "--public-url", "https://elsewhere.example")
        with self.assertRaisesRegex(AssertionError, "which no phone finds"):
            self.gateway.command("doctor", *address, "--public-url", "https://localhost")
        with self.assertRaisesRegex(AssertionError, "MEND +.*/nowhere"):
            self.gateway.command("doctor", *address, "--public-url", "https://gateway.example", "--page-dir", "/nowhere")
        said = self.gateway.command("doctor", *address, "--public-url", "https://gateway.example", "--totp-groups", "homee")
        self.assertIn("note   no host is of the group 'homee'", said)
        self.assertIn("'zkvgateway host list' shows the groups", said)
        self.assertIn("signed by itself: hosts pin it, browsers refuse it", said)
        self.gateway.stop()
        with self.assertRaisesRegex(AssertionError, "MEND +the daemon does not answer"):
            self.gateway.command("doctor", *address, "--public-url", "https://gateway.example")

    def doctor(self, *words, url="https://gateway.example"):
        """Exit code and lines, findings with what to do about them."""
        done = subprocess.run([gateway_world.PROGRAM, "doctor", "--config", self.gateway.config, "--data-dir", self.gateway.data,
                               "--public-url", url, *words], text=True, capture_output=True, timeout=gateway_world.PATIENCE)
        return done.returncode, " ".join(done.stdout.split())

    def test_doctor_sees_what_others_can_write_or_read(self):
        data, key = self.gateway.data, self.gateway.data / "identity.key"
        self.assertIn(f"good nobody else can write in {data} or the settings, or read its keys", self.doctor()[1])
        for path, mode, word, remedy in [(data, 0o777, "write", "go-w"), (data / "gateway.db", 0o666, "write", "go="), (key, 0o644, "read", "go="),
                                         (self.gateway.config, 0o646, "write", "go-w")]:
            with self.subTest(path):
                before = path.stat().st_mode
                path.chmod(mode)
                code, said = self.doctor()
                self.assertEqual(code, 1, said)
                self.assertIn(f"MEND others than the gateway can {word} {path} (mode {mode:04o}) chmod {remedy} {path}", said)
                self.assertNotIn("good nobody else can write", said)
                path.chmod(before)
        if os.geteuid() == 0:
            os.chown(key, 65534, -1)
            code, said = self.doctor()
            self.assertEqual(code, 1, said)
            self.assertIn(f"MEND {key} belongs to another user (uid 65534) chown --reference={data} {key}", said)
            os.chown(key, 0, -1)

    def test_doctor_names_each_finding_with_its_remedy(self):
        mine = ("--tls-certificate", self.gateway.certificate, "--tls-key", self.gateway.certificate_key)
        ending = self.gateway.folder / "ending.pem"
        gateway_world.run("openssl", "req", "-x509", "-key", self.gateway.certificate_key, "-out", ending, "-days", "3", "-subj", "/CN=ending",
                          "-addext", "subjectAltName=DNS:gateway.example")
        findings = [
            (1, ["http://gateway.example"], mine, "MEND public-url is no https:// address: http://gateway.example", "passkeys work over https only"),
            (1, ["https://192.0.2.7"], mine, "MEND nobody can sign in at public-url, an IP address", "set public-url to one, as https://gateway.example"),
            (1, ["https://gateway.example"], ("--tls-certificate", ending, "--tls-key", self.gateway.certificate_key),
             "MEND the certificate ends at", "renew it; a new file is read by itself"),
            (1, ["https://gateway.example"], ("--tls-certificate", "/nowhere.pem", "--tls-key", self.gateway.certificate_key), "MEND", "/nowhere.pem"),
            (0, ["https://gateway.example"], (), "note no certificate: plain http on loopback", "its address belongs into trusted-proxies"),
            (0, ["https://gateway.example"], mine, "note there is no page: requests are approved at this console alone", "set page-dir to the folder"),
            (0, ["https://gateway.example"], mine, "note the first protocol is on, which has no host identity, and any address may ask by it", "legacy = false when all hosts are enrolled"),
            (0, ["https://gateway.example"], (*mine, "--legacy-allow", "192.0.2.7/32"), "note the first protocol is on for the addresses in legacy-allow; it has no host identity",
             "enrol the hosts"),
            (0, ["https://gateway.example"], (*mine, "--legacy=false"), "good the first protocol is off", ""),
            (0, ["https://gateway.example"], mine, "good the certificate is good until", "hosts pin it, browsers refuse it"),
            (0, ["https://gateway.example"], mine, f"good the database is {self.gateway.data}/gateway.db", ""),
            (1, ["https://gateway.example"], (*mine, "--sqlalchemy-database-uri", "sqlite:////tmp/db.sqlite"),
             "MEND the database /tmp/db.sqlite lies outside the data directory", f"move the file (with its -wal, if there is one) to {self.gateway.data}/gateway.db"),
            (0, ["https://gateway.example"], (*mine, "--sqlalchemy-database-uri", "sqlite:////opt/db.sqlite"),
             "note the database /opt/db.sqlite lies outside the data directory", "take sqlalchemy-database-uri away"),
            (0, ["https://gateway.example"], mine, "good the daemon answers; 0 hosts are enrolled", ""),
        ]
        for code, [url], words, finding, remedy in findings:
            with self.subTest(finding):
                ended, said = self.doctor(*words, url=url)
                self.assertIn(finding, said)
                self.assertIn(remedy, said)
                self.assertEqual(ended, code, said)

    def test_a_second_init_leaves_everything_and_says_so(self):
        def everything():
            return {path.name: path.read_bytes() for path in self.gateway.data.iterdir() if path.is_file()}

        self.gateway.stop()
        before = everything()
        with self.assertRaisesRegex(AssertionError, r"tls.key exists already[\s\S]*this gateway has its certificate; to make another one, move tls.key and tls.crt"):
            self.gateway.command("init", "--name", "elsewhere.example")
        self.assertEqual(everything(), before)

    def test_an_init_that_was_cut_off_between_key_and_certificate_is_told_what_to_move(self):
        self.gateway.certificate.unlink()
        with self.assertRaisesRegex(AssertionError, "move tls.key and tls.crt in .* away first"):
            self.gateway.command("init")


class CutLog(Case):
    """The newest signed checkpoint lies beside the database: what is missing before it shows."""

    def delete(self, statement):
        self.gateway.stop()
        self.gateway.write_database(statement)

    def test_a_log_that_was_cut_off_is_found(self):
        self.enroll()
        self.delete("DELETE FROM zkv_audit WHERE number > 1")
        with self.assertRaisesRegex(AssertionError, "the audit log ends at row 1"):
            self.gateway.command("audit", "verify")

    def test_an_older_database_that_was_put_back_is_found(self):
        self.gateway.stop()
        before = (self.gateway.data / "gateway.db").read_bytes()
        self.gateway.start()
        self.enroll()
        self.gateway.stop()
        (self.gateway.data / "gateway.db").write_bytes(before)
        for ending in ("-wal", "-shm"):
            (self.gateway.data / f"gateway.db{ending}").unlink(missing_ok=True)
        with self.assertRaisesRegex(AssertionError, "the audit log ends at row"):
            self.gateway.command("audit", "verify")

    def test_an_untouched_log_verifies_with_its_checkpoints(self):
        self.enroll()
        self.gateway.stop()
        self.assertIn("signed checkpoints; the gateway's key vouches for the first", self.gateway.command("audit", "verify"))


class Shown(Case):
    def members(self, name):
        return {line[:20].strip(): line[20:] for line in self.gateway.command("host", "show", name).splitlines()}

    def test_a_host_is_shown_in_words(self):
        self.enroll()
        self.mount().end(0)
        [host] = self.gateway.hosts()
        shown = self.members("nas")
        self.assertEqual({name: shown[name] for name in ("id", "name", "group", "identity", "last_address", "next_boot", "revoked_at")},
                         {"id": host["id"], "name": "nas", "group": "home", "identity": "file (Ed25519)", "last_address": "127.0.0.1",
                          "next_boot": "not approved", "revoked_at": ""})
        for name in ("enrolled_at", "last_seen", "last_release"):
            self.assertEqual(shown[name], host[name])
        self.assertEqual(self.members(host["id"]), shown)
        self.gateway.command("host", "approve-boot", "nas", "--within", "30m")
        self.assertRegex(self.members("nas")["next_boot"], r"approved until 20\d\d-")
        self.gateway.command("host", "revoke", "nas", "--yes")
        shown = self.members(host["id"])
        self.assertRegex(shown["revoked_at"], r"20\d\d-")
        self.assertRegex(shown["share_destroyed_at"], r"20\d\d-")

    def test_a_host_that_is_renamed_is_found_by_its_new_name_alone_and_takes_nobodys(self):
        self.enroll()
        other = OtherHost(self.gateway, self.gateway.invite("cellar"))
        self.assertEqual(other.enrol().status, 201)
        with self.assertRaisesRegex(AssertionError, "cellar"):
            self.gateway.command("host", "rename", "nas", "cellar")
        with self.assertRaisesRegex(AssertionError, "is the id of a host, not a name"):
            self.gateway.command("host", "rename", "nas", "0123456789abcdef" * 4)
        self.assertEqual(self.gateway.command("host", "rename", "nas", "attic"), "nas is now attic\n")
        self.assertEqual(self.members("attic")["name"], "attic")
        with self.assertRaises(AssertionError):
            self.gateway.command("host", "show", "nas")
        self.assertIn("host.rename", self.gateway.audit_kinds())
        self.mount().end(0)

    def test_one_that_is_not_there_is_said_so(self):
        for name, words in (("nas", "nas"), ("../requests", r"is not the name of a host[\s\S]*host list")):
            with self.assertRaisesRegex(AssertionError, words):
                self.gateway.command("host", "show", name)


class Revoked(Case):
    def test_a_revoked_host_gets_nothing_and_its_share_is_destroyed(self):
        self.enroll()
        [host] = self.gateway.hosts()
        secret = f"zkv-host-{host['id']}"
        self.assertIn(secret, self.gateway.command("secret", "list"))
        running = self.mount(None)
        self.gateway.command("host", "revoke", "nas", "--yes")
        running.end(4)
        self.assertEqual(self.gateway.state(running.request), "cancelled")
        self.host.run("mount", "--cafile", self.host.cafile, code=4)
        self.assert_locked()
        self.assertNotIn(secret, self.gateway.command("secret", "list"))
        [row] = [row for row in self.gateway.audit() if row["kind"] == "host.tombstone"]
        tombstone = open_envelope(json.loads(row["detail"]), "application/vnd.zkv.tombstone+json",
                                  decode(self.gateway.statement()["signing"]))
        self.assertEqual(tombstone["host"], host["id"])
        self.assertEqual(tombstone["secret"], secret)

    def test_an_approval_before_the_revocation_releases_nothing_after_it(self):
        other = OtherHost(self.gateway, self.gateway.invite("other"))
        other.enrol()
        self.gateway.change_database("UPDATE zkv_secret SET name = 'elsewhere' WHERE name = ?", f"zkv-host-{other.id}")
        asked = other.ask().json
        self.gateway.command("request", "approve", asked["id"])
        self.assertEqual(self.gateway.state(asked["id"]), "approved")
        self.gateway.command("host", "revoke", "other", "--yes")
        self.assertEqual(other.poll(asked["request"])["state"], "cancelled")
        self.assertEqual(other.ask().status, 403)
        self.assertEqual(other.word("acknowledge", asked["request"]).status, 403)

    def test_the_name_is_free_again(self):
        self.enroll()
        self.gateway.command("host", "revoke", "nas", "--yes")
        self.enroll()
        self.mount().end(0)


if __name__ == "__main__":
    unittest.main()
