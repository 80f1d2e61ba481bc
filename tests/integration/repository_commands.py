"""`zkv fs`, `slot` and `repository` as a person and as the seed's scripts use them: words, outputs, exit codes, and where keys may come from."""

import json
import os
import pty
import signal
import stat
import subprocess
import time
import unittest

from repository_world import ZKV, World
from cryptography.fernet import Fernet


class SeedCommands(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)

    def plaintext(self, key):
        return Fernet(key).decrypt(self.world.path.read_bytes())

    def test_init_prints_place_key_and_warning(self):
        lines = self.world.out("fs", "init").splitlines()
        self.assertIn(str(self.world.path), lines[0])
        self.assertEqual(self.plaintext(lines[1]), b"{}")
        self.assertIn("not shown again", lines[2])

    def test_init_for_machines_prints_the_key_only(self):
        for flag in ("-m", "--machine-readable"):
            self.world.path.unlink(missing_ok=True)
            key = self.world.out("fs", "init", flag)
            self.assertRegex(key, r"^[A-Za-z0-9_-]{43}=\n$")

    def test_init_leaves_an_existing_repository_alone_unless_forced(self):
        key = self.world.init()
        before = self.world.path.read_bytes()
        self.assertIn("already", self.world.error("fs", "init"))
        self.assertEqual(self.world.run("fs", "init", "-m", code=1), (b"", b""))
        self.assertEqual(self.world.path.read_bytes(), before)
        self.assertNotEqual(self.world.init("-f"), key)
        [kept] = self.world.home.glob(".zkv-repository.replaced-*")
        self.assertEqual((kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)), (before, 0o600))

    def test_what_init_replaced_outlasts_all_that_comes_after(self):
        old = self.world.init()
        self.world.out("fs", "add", "-k", old, "tank/a", "one")
        printed = self.world.out("fs", "init", "-f").splitlines()
        self.assertRegex(printed[0], r"^The repository that was there is \S+/\.zkv-repository\.replaced-[0-9a-f]{8} now\.$")
        kept, new = printed[0].split()[-2], printed[2]
        for name in ("tank/b", "tank/c"):
            self.world.out("fs", "add", "-k", new, name, "two")
        self.assertEqual(self.world.out("--repository", kept, "fs", "list", "-p", "-k", old), "tank/a: one\n")

    def on_a_machine(self, *words, code=0, before="true"):
        """As root where the package was installed and /var/lib/zkv is empty; what is there afterwards ends the output."""
        script = f'mount -t tmpfs none /var/lib && mkdir /var/lib/zkv && cd /var/lib/zkv && {before} && {{ "$@"; code=$?; ls /var/lib/zkv; exit $code; }}'
        return b"".join(self.world.run(*words, code=code, before=("unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"))).decode()

    def test_init_hides_no_repository_that_was_the_machines(self):
        key = self.world.init()
        system = ("fs", "init", "--repository", "/var/lib/zkv/repository", "-m")
        told = self.on_a_machine(*system, code=1)
        self.assertIn(f"this machine's repository is {self.world.path}", told)
        self.assertNotIn("repository", told.splitlines())
        self.assertIn("repository", self.on_a_machine(*system, "--force").split())
        self.world.out("fs", "list", "-k", key)
        self.world.path.unlink()
        self.assertIn("repository", self.on_a_machine(*system).split())

    def test_the_machines_own_repository_that_is_gone_is_missed_and_not_made_anew(self):
        for words in (("fs", "list"), ("fs", "init", "--repository", "/var/lib/zkv/repository")):
            told = self.on_a_machine(*words, code=1, before="touch repository.previous")
            self.assertIn("put that back: cp -p /var/lib/zkv/repository.previous /var/lib/zkv/repository", told)

    def test_the_last_copy_of_a_repository_that_is_gone_is_not_written_over(self):
        key = self.world.init()
        self.world.out("fs", "add", "-k", key, "tank/a", "one")
        self.world.out("fs", "add", "-k", key, "tank/b", "two")
        self.world.path.unlink()
        previous = self.world.path.with_name(".zkv-repository.previous")
        for words in (("fs", "list", "-k", key), ("fs", "init")):
            self.assertIn(f"put that back: cp -p {previous} {self.world.path}", self.world.error(*words))
        self.assertFalse(self.world.path.exists())
        new = self.world.init("-f")
        self.world.out("fs", "add", "-k", new, "tank/c", "three")
        [kept] = self.world.home.glob(".zkv-repository.replaced-*")
        self.assertEqual(self.world.out("--repository", str(kept), "fs", "list", "-p", "-k", key), "tank/a: one\n")

    def test_init_takes_a_key_and_warns_of_argv_but_not_machines(self):
        key = Fernet.generate_key().decode()
        self.assertEqual(self.world.run("fs", "init", "-m", "-k", key), (key.encode() + b"\n", b""))
        self.assertIn("command line", self.world.run("fs", "init", "-f", "--repository-key", key)[1].decode())

    def test_init_refuses_a_key_of_another_shape(self):
        self.assertIn("44 characters", self.world.error("fs", "init", "-k", "short"))
        self.assertFalse(self.world.path.exists())

    def test_add_list_and_remove_in_the_seeds_words(self):
        key = self.world.init()
        self.world.out("fs", "add", "-k", key, "tank/b", "one")
        self.world.out("fs", "add", "--repository_key", key, "tank/a", "two")
        self.world.out("fs", "add", "--repository-key", key, "-f", "tank/b", "three")
        self.assertEqual(self.world.out("fs", "list", "-k", key), "tank/b\ntank/a\n")
        self.assertEqual(self.world.out("fs", "list", "--repository_key", key, "-p"), "tank/b: three\ntank/a: two\n")
        self.assertEqual(self.world.out("fs", "list", "-k", key, "--plaintext"), "tank/b: three\ntank/a: two\n")
        self.world.out("fs", "remove", "-k", key, "tank/b")
        self.assertEqual(self.world.out("fs", "list", "-k", key), "tank/a\n")

    def test_add_of_a_name_that_is_there_and_remove_of_one_that_is_not(self):
        key = self.world.init()
        self.world.out("fs", "add", "-k", key, "a", "one")
        self.assertIn("already", self.world.error("fs", "add", "-k", key, "a", "two"))
        self.assertIn("not in the repository", self.world.error("fs", "remove", "-k", key, "b"))
        self.world.out("fs", "remove", "-k", key, "-f", "b")
        self.assertEqual(self.world.listed(key), ["a: one"])

    def test_a_name_that_no_filesystem_can_have_is_refused(self):
        key = self.world.init()
        for name in ("tank@snapshot", "/tank", "tank//a", "tank/", "tank\x1b]0;x\a"):
            told = self.world.error("fs", "add", "-k", key, name, "one")
            self.assertIn("name", told)
            self.assertNotRegex(told.replace("\n", ""), "[\0-\x1f]")
        self.assertEqual(self.world.listed(key), [])

    def test_force_replaces_repositories_and_nothing_else(self):
        self.world.path.write_bytes(b"a letter to my mother")
        self.assertIn("not a repository", self.world.error("fs", "init", "-f"))
        self.assertEqual(self.world.path.read_bytes(), b"a letter to my mother")
        self.world.path.unlink()
        pipe = self.world.home / "pipe"
        os.mkfifo(pipe)
        self.world.path.symlink_to(pipe)
        self.assertIn("not a regular file", self.world.error("fs", "init", "-f"))
        self.assertTrue(pipe.is_fifo())

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_root_who_changes_somebodys_repository_leaves_it_theirs(self):
        key = self.world.init()
        os.chown(self.world.path, 1234, 5678)
        self.world.with_key(key, "fs", "add", "a", "one")
        changed = self.world.path.stat()
        self.assertEqual((changed.st_uid, changed.st_gid, stat.S_IMODE(changed.st_mode)), (1234, 5678, 0o600))

    def test_no_key_is_asked_for_when_there_is_no_repository(self):
        for words in (("list",), ("remove", "a"), ("add", "a")):
            self.assertIn("there is no repository", self.world.error("fs", *words))

    def test_no_command_and_half_a_command_show_usage_and_fail(self):
        for words in ((), ("fs",), ("slot",), ("repository",)):
            self.assertIn("Usage: zkv", self.world.error(*words))

    def test_wrong_usage_is_told_apart(self):
        self.world.error("nonsense", code=2)
        self.world.error("fs", "add", code=2)
        self.assertIn("zkv", self.world.out("--version"))
        self.assertIn("Usage", self.world.out("help"))

    def test_the_seeds_client_reads_what_zkv_writes(self):
        key = self.world.init()
        self.world.out("fs", "add", "-k", key, "tank/é", "ключ \"q\" \\ 😀")
        self.world.out("fs", "add", "-k", key, "tank/b", "two")
        self.assertEqual(list(json.loads(self.plaintext(key)).items()), [("tank/é", "ключ \"q\" \\ 😀"), ("tank/b", "two")])

    def test_zkv_reads_and_changes_what_the_seeds_client_writes(self):
        key = Fernet.generate_key()
        entries = {"tank/é": "ключ 😀", "tank/b": "two"}
        self.world.path.write_bytes(Fernet(key).encrypt(json.dumps(entries).encode()))
        self.world.with_key(key.decode(), "fs", "add", "c", "three")
        self.assertEqual(json.loads(self.plaintext(key)), {**entries, "c": "three"})

    def test_the_file_is_for_its_owner_only_whatever_the_umask(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        key = self.world.init()
        self.world.with_key(key, "fs", "add", "a", "one")
        self.assertEqual(stat.S_IMODE(self.world.path.stat().st_mode), 0o600)


class Keys(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.key = self.world.init()

    def file(self, name, content):
        (self.world.home / name).write_bytes(content)
        return name

    def test_come_from_a_file_or_stdin_without_a_warning(self):
        self.file("key", self.key.encode() + b"\n")
        self.file("fs-key", b"one\n")
        self.assertEqual(self.world.run("fs", "add", "--key-file", "key", "--fs-key-file", "fs-key", "a")[1], b"")
        both = self.key.encode() + b"\ntwo words\n"
        self.assertEqual(self.world.run("fs", "add", "-k", "-", "b", "-", stdin=both)[1], b"")
        self.assertEqual(self.world.listed(self.key), ["a: one", "b: two words"])

    def test_on_the_command_line_are_warned_of_on_stderr_only(self):
        out, error = self.world.run("fs", "list", "-k", self.key)
        self.assertEqual(out, b"")
        self.assertIn(b"command line", error)
        self.assertNotIn(self.key.encode(), error)

    def test_that_are_missing_without_a_terminal_are_said_to_be(self):
        self.assertIn("--key-file", self.world.error("fs", "list"))
        self.assertIn("standard input", self.world.error("fs", "list", "-k", "-"))
        self.assertIn("does not exist", self.world.error("fs", "list", "--key-file", "nowhere"))

    def test_that_contradict_one_another_are_refused(self):
        self.file("key", self.key.encode())
        for words in (("fs", "list", "-k", "-", "--key-file", "key"), ("fs", "add", "--key-file", "key", "a", "typed", "--fs-key-file", "key"),
                      ("slot", "add", "classic", "--key-file", "key", "--secret", "-", "--secret-file", "key")):
            self.world.error(*words, code=2)

    def test_in_files_may_be_standard_input_and_are_never_empty(self):
        self.file("key", self.key.encode())
        self.file("empty", b"\n")
        self.world.out("fs", "add", "--key-file", "key", "a", "--fs-key-file", "-", stdin=b"one\n")
        self.assertEqual(self.world.listed(self.key), ["a: one"])
        self.assertIn("empty", self.world.error("fs", "list", "--key-file", "empty"))

    def test_that_are_wrong_never_show_in_messages(self):
        wrong = Fernet.generate_key().decode()
        for words in (("fs", "list", "-k", wrong), ("fs", "add", "-k", wrong, "name", "the-secret-of-it"), ("slot", "add", "classic", "-k", wrong)):
            error = self.world.error(*words)
            self.assertNotIn(wrong, error)
            self.assertNotIn("the-secret-of-it", error)

    def test_in_hex_base64_and_raw_are_bytes_in_version_2(self):
        self.world.with_key(self.key, "repository", "convert", "-m")
        raw = bytes(range(200, 232))
        self.file("raw", raw)
        self.world.with_key(self.key, "fs", "add", "a", raw.hex(), "--encoding", "hex")
        self.world.with_key(self.key, "fs", "add", "b", "yMnKy8zNzs_Q0dLT1NXW19jZ2tvc3d7f4OHi4-Tl5uc=", "--encoding", "base64")
        self.world.with_key(self.key, "fs", "add", "c", "--fs-key-file", "raw", "--encoding", "raw")
        shown = json.loads(self.world.with_key(self.key, "fs", "list", "-p", "--json"))
        self.assertEqual({(volume["key"], volume["encoding"]) for volume in shown}, {(raw.hex(), "hex")})

    def test_of_a_wrong_encoding_change_nothing(self):
        error = self.world.error("fs", "add", "-k", "-", "a", "xyz", "--encoding", "hex", stdin=self.key.encode())
        self.assertIn("hexadecimal", error)
        self.assertEqual(self.world.listed(self.key), [])

    def test_that_are_no_text_are_refused_by_the_seeds_format(self):
        error = self.world.error("fs", "add", "-k", "-", "a", "ff00", "--encoding", "hex", stdin=self.key.encode())
        self.assertIn("not text", error)

    def test_vanish_from_the_process_list_while_zkv_runs(self):
        process, terminal = self.at_prompt("fs", "add", "-k", self.key, "name")
        with open(f"/proc/{process.pid}/cmdline", "rb") as words:
            self.assertNotIn(self.key.encode(), words.read())
        process.kill()
        process.wait()
        os.close(terminal)

    def at_prompt(self, *words):
        """zkv on a terminal of its own, when it has asked its first question."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(["/usr/bin/setsid", "--ctty", "--wait", ZKV, *words], stdin=theirs, stdout=theirs, stderr=theirs,
                                   env=self.world.environment, cwd=self.world.home)
        os.close(theirs)
        self.expect(ours, b": ")
        return process, ours

    def expect(self, terminal, wanted):
        seen = b""
        while not seen.endswith(wanted):
            try:
                more = os.read(terminal, 1000)
            except OSError:
                more = b""
            self.assertTrue(more, seen)
            seen += more
        return seen

    def rest(self, terminal):
        seen = b""
        while True:
            try:
                more = os.read(terminal, 1000)
            except OSError:
                break
            if not more:
                break
            seen += more
        os.close(terminal)
        return seen

    def test_are_asked_for_on_the_terminal_and_not_shown(self):
        process, terminal = self.at_prompt("fs", "add", "a")
        os.write(terminal, self.key.encode() + b"\n")
        shown = self.expect(terminal, b": ")
        os.write(terminal, b"volume key\n")
        shown += self.expect(terminal, b"once more: ")
        os.write(terminal, b"volume key\n")
        shown += self.rest(terminal)
        self.assertEqual(process.wait(), 0)
        self.assertNotIn(self.key.encode(), shown)
        self.assertNotIn(b"volume key", shown)
        self.assertEqual(self.world.listed(self.key), ["a: volume key"])

    def test_that_are_typed_differently_change_nothing(self):
        process, terminal = self.at_prompt("fs", "add", "a", "-k", self.key)
        os.write(terminal, b"one\n")
        self.expect(terminal, b"once more: ")
        os.write(terminal, b"two\n")
        self.assertIn(b"differ", self.rest(terminal))
        self.assertEqual(process.wait(), 1)
        self.assertEqual(self.world.listed(self.key), [])

    def test_an_interrupted_question_gives_the_echo_back(self):
        process, terminal = self.at_prompt("fs", "list")
        self.assertFalse(self.echo(terminal))
        os.write(terminal, b"\x03")
        self.assertNotEqual(process.wait(), 0)
        self.assertTrue(self.echo(terminal))
        os.close(terminal)

    @staticmethod
    def echo(terminal):
        import termios

        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


class SlotsAndConversion(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.key = self.world.init()
        self.world.with_key(self.key, "fs", "add", "tank/b", "one")
        self.world.with_key(self.key, "fs", "add", "tank/a", "two")

    def slots(self):
        return {slot["id"]: slot["type"] for slot in json.loads(self.world.out("slot", "list", "--json"))}

    def test_conversion_keeps_all_and_makes_a_recovery_key(self):
        old = self.world.path.read_bytes()
        recovery = self.world.with_key(self.key, "repository", "convert", "-m").strip()
        self.assertEqual((self.world.home / ".zkv-repository.seed").read_bytes(), old)
        for key in (self.key, recovery):
            self.assertEqual(self.world.listed(key), ["tank/b: one", "tank/a: two"])
        self.assertEqual(self.slots(), {1: "recovery", 2: "classic"})
        self.assertIn('"format": "2"', self.world.out("repository", "show", "--json"))

    def test_conversion_goes_back_too(self):
        self.world.with_key(self.key, "repository", "convert")
        self.assertIn("--to seed", self.world.error("repository", "convert", "-k", "-", stdin=self.key.encode()))
        self.assertEqual(self.slots(), {1: "recovery", 2: "classic"})
        self.world.with_key(self.key, "repository", "convert", "--to", "seed")
        self.assertEqual(json.loads(Fernet(self.key).decrypt(self.world.path.read_bytes())), {"tank/b": "one", "tank/a": "two"})

    def test_slots_are_added_listed_and_removed(self):
        self.world.with_key(self.key, "repository", "convert")
        (self.world.home / "pass").write_bytes(b"correct horse\n")
        self.world.with_key(self.key, "slot", "add", "passphrase", "--secret-file", "pass", "--memory", "1", "--passes", "1")
        recovery = self.world.with_key(self.key, "slot", "add", "recovery", "-m").strip()
        self.assertEqual(self.slots(), {1: "recovery", 2: "classic", 3: "passphrase", 4: "recovery"})
        self.assertEqual(self.world.listed("correct horse"), ["tank/b: one", "tank/a: two"])
        self.world.with_key(recovery, "slot", "remove", "2")
        self.assertIn("opens none", self.world.error("fs", "list", "-k", "-", stdin=self.key.encode()))
        self.world.with_key(recovery, "slot", "remove", "1")
        self.world.with_key(recovery, "slot", "remove", "3")
        self.assertIn("--force", self.world.error("slot", "remove", "4", "-k", "-", stdin=recovery.encode()))
        self.assertEqual(self.slots(), {4: "recovery"})

    def test_the_last_slot_goes_by_force_and_then_nothing_opens_it(self):
        recovery = self.world.with_key(self.key, "repository", "convert", "-m").strip()
        self.world.with_key(self.key, "slot", "remove", "1")
        self.assertIn("--force", self.world.error("slot", "remove", "2", "-k", "-", stdin=self.key.encode()))
        self.world.with_key(self.key, "slot", "remove", "--force", "2")
        self.assertEqual(self.slots(), {})
        for key in (self.key, recovery):
            self.assertIn("opens none", self.world.error("fs", "list", "-k", "-", stdin=key.encode()))
        self.world.path.write_bytes((self.world.home / ".zkv-repository.previous").read_bytes())
        self.assertEqual(self.world.listed(self.key), ["tank/b: one", "tank/a: two"])

    def test_the_seeds_format_says_that_it_has_no_slots(self):
        self.assertIn("convert", self.world.error("slot", "list"))

    def test_check_tells_of_an_older_file_put_back_and_of_open_permissions(self):
        self.world.with_key(self.key, "repository", "convert")
        old = self.world.path.read_bytes()
        self.world.with_key(self.key, "fs", "add", "c", "three")
        self.world.path.write_bytes(old)
        self.world.path.chmod(0o644)
        out, error = self.world.run("repository", "check", "-k", "-", stdin=self.key.encode())
        self.assertIn(b"2 volumes", out)
        self.assertIn(b"older file", error)
        self.assertIn(b"chmod 600", error)

    def test_another_place_by_option_and_by_environment(self):
        key = self.world.init("--repository", "elsewhere", "--format", "2")
        self.assertEqual(self.world.with_key(key, "--repository", "elsewhere", "fs", "list"), "")
        self.world.environment["ZKV_REPOSITORY"] = "elsewhere"
        self.assertIn("elsewhere", self.world.out("repository", "show"))

    def test_two_changes_at_once_both_last(self):
        processes = [subprocess.Popen([ZKV, "fs", "add", "-k", self.key, f"n{number}", "key"], env=self.world.environment,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for number in range(12)]
        self.assertEqual([process.wait() for process in processes], [0] * 12)
        self.assertEqual(len(self.world.listed(self.key)), 14)


if __name__ == "__main__":
    unittest.main()
