"""A person at the console, with a kit on paper or a passphrase, and neither gateway nor network."""

import json
import os
import subprocess
import unittest

from host_world import Host
from terminal import Terminal

ALL = ("tank/hex", "tank/hex/nested", "tank/raw", "tank/words")


class Case(unittest.TestCase):
    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.host.four_volumes()
        self.host.with_key(self.host.key, "repository", "convert", "-m")

    def kit(self, *words):
        return [line.split() for line in self.host.with_key(self.host.key, "recovery", "create", "-m", *words).splitlines()]

    def terminal(self, *words, before=()):
        terminal = Terminal(self.host, *words, before=before)
        self.addCleanup(terminal.__exit__)
        return terminal

    def type_part(self, terminal, words, first=1):
        for number in range(first, 34, 3):
            terminal.until(f"words {number} to {number + 2}: ")
            terminal.type(" ".join(words[number - 1:number + 2]))

    def assert_all_open(self):
        for name in ALL:
            self.assertEqual(self.host.get(name, "keystatus"), "available", name)
            self.assertEqual(self.host.get(name, "mounted"), "yes", name)

    def assert_all_locked(self):
        for name in ALL:
            self.assertEqual(self.host.get(name, "keystatus"), "unavailable", name)


@unittest.skipUnless(os.geteuid() == 0, "only root begins services anew")
class BesideAService(Case):
    """zfs-keyvault.service asks a gateway that is gone; systemctl is played."""

    def setUp(self):
        super().setUp()
        self.calls = self.host.home / "systemctl-calls"
        (self.host.home / "key").write_text(self.host.key)

    def play(self, state, target=None, jobs=""):
        program = self.host.zfs / "systemctl"
        program.write_text(f'#!/bin/sh\ncase "$*" in *InvocationID*) echo the-boot;; show*.target) echo {target or state};; show*) echo {state};; list-jobs*) echo {jobs};; *) echo "$@" >>{self.calls};; esac\n')
        program.chmod(0o755)

    def in_own_keyring(self, script):
        """In a user namespace, whose root has a keyring that no other test's mount takes the key from."""
        own_keyring = ("unshare", "--user", "--map-root-user")
        if subprocess.run([*own_keyring, "true"], check=False).returncode != 0:
            self.skipTest("no user namespaces here")
        said = self.host.run(before=(*own_keyring, "sh", "-c", script + " || true"))[1].decode()
        if "no keyrings" in said:
            self.skipTest("this kernel has no keyrings")
        return said

    def unlock(self, *words):
        return self.host.run("unlock", "--key-file", "key", *words)[1].decode()

    def test_that_waits_it_is_begun_anew_and_finds_the_key(self):
        self.play("activating")
        said = self.in_own_keyring('"$0" unlock --key-file key && "$0" unmount && INVOCATION_ID=the-boot "$0" mount --timeout 5 https://127.0.0.1:1')
        self.assertIn("begins anew, and asks nobody", said)
        self.assert_all_open()
        self.assertEqual(self.calls.read_text(), "--no-block restart zfs-keyvault.service\n")

    def test_whose_start_is_queued_finds_the_key_once_its_turn_comes_and_nothing_is_started(self):
        self.play("inactive", jobs="7 zfs-keyvault.service start waiting")
        for words in ("unlock --key-file key", "mount --key-file key"):
            with self.subTest(words):
                said = self.in_own_keyring(f'"$0" {words} && "$0" unmount && INVOCATION_ID=the-boot "$0" mount --timeout 5 https://127.0.0.1:1')
                self.assertIn("whose start is queued, asks nobody if its turn comes within 15 minutes", said)
                self.assert_all_open()
                self.assertFalse(self.calls.exists())
                self.host.run("unmount")
        said = self.in_own_keyring('"$0" unlock --key-file key && "$0" lock --all && "$0" mount --timeout 5 https://127.0.0.1:1')
        self.assertIn("nothing listens", said)
        self.assert_all_locked()

    def test_that_runs_or_is_to_end_or_never_was_to_start_gets_no_key(self):
        for state, jobs in (("inactive", ""), ("inactive", "7 zfs-keyvault.service stop waiting"), ("inactive", "7 other.service start waiting"),
                            ("active", "7 zfs-keyvault.service restart waiting")):
            with self.subTest(state, jobs=jobs):
                self.play(state, jobs=jobs)
                self.assertNotIn("zfs-keyvault.service", self.unlock())
                self.assertFalse(self.calls.exists())

    def test_that_cannot_be_begun_anew_it_is_said_what_to_do(self):
        program = self.host.zfs / "systemctl"
        program.write_text('#!/bin/sh\ncase "$1" in show) echo activating;; *) echo no bus >&2; exit 1;; esac\n')
        program.chmod(0o755)
        said = self.unlock()
        self.assert_all_open()
        self.assertIn("still waits: no bus", said)
        self.assertIn("touch /run/zfs-keyvault/mounted", said)

    def test_that_has_nobody_to_ask_what_waits_for_the_volumes_starts_all_the_same(self):
        program = self.host.zfs / "systemctl"
        program.write_text(f"""#!/bin/sh
case "$*" in *InvocationID*) echo the-boot;; *Result*) echo exec-condition;; *UnitFileState*) echo enabled;; show*) echo inactive;; list-jobs*) ;;
  *) ls /run/zkv-opened-by-hand && echo "$@" >>{self.calls};; esac
""")
        program.chmod(0o755)
        script = '"$0" unlock --key-file key --only tank/hex && ! ls /run/zkv-opened-by-hand && "$0" unlock --key-file key && "$0" lock --all && ! ls /run/zkv-opened-by-hand'
        before = ("unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && { " + script + "; }")
        said = self.host.run(before=before)[1].decode()
        self.assertIn("what waits for zfs-keyvault.target starts", said)
        self.assertEqual(self.calls.read_text(), "--no-block start zfs-keyvault.target\n")

    def test_that_does_not_wait_or_where_not_all_was_opened_it_is_left_alone(self):
        self.play("active")
        self.unlock()
        self.play("activating")
        self.unlock("--only", "tank/hex")
        self.assertFalse(self.calls.exists())

    def test_once_all_is_locked_it_and_what_requires_its_target_are_stopped(self):
        self.play("active")
        self.unlock()
        self.host.run("lock", "tank/hex/nested")
        self.assertFalse(self.calls.exists())
        (self.host.zfs / "datasets" / "tank%2Fraw" / "mount-error").write_text("target is busy")
        self.assertIn("zfs-keyvault.target still stands", self.host.run("lock", "--all", code=3)[1].decode())
        self.assertFalse(self.calls.exists(), "something is open")
        (self.host.zfs / "datasets" / "tank%2Fraw" / "mount-error").unlink()
        said = self.host.run("lock", "--all")[1].decode()
        self.assertIn("ends with what requires zfs-keyvault.target", said)
        self.assertEqual(self.calls.read_text(), "--no-block stop zfs-keyvault.target zfs-keyvault.service\n")

    def test_a_target_that_stands_without_its_service_and_a_service_that_still_asks_are_stopped_too(self):
        self.unlock()
        for service, target in (("inactive", "active"), ("failed", "active"), ("activating", "inactive")):
            with self.subTest(service=service, target=target):
                self.play(service, target)
                self.host.run("lock", "--all")
                self.assertEqual(self.calls.read_text(), "--no-block stop zfs-keyvault.target zfs-keyvault.service\n")
                self.calls.unlink()

    def test_where_nothing_is_remembered_of_what_the_boot_opened_it_is_not_said_to_be_locked(self):
        self.play("inactive")
        self.unlock()
        for record in (self.host.home / "state").iterdir():
            record.unlink()
        self.play("active")
        said = self.host.run("lock", "--all", code=1)[1].decode()
        self.assertIn("nothing is remembered", said)
        self.assertIn("zkv lock VOLUME", said)
        self.assertFalse(self.calls.exists())
        self.assert_all_open()

    def test_one_record_is_enough_where_the_other_is_damaged(self):
        self.play("inactive")
        for record in ("drift.json", "last-unlock.json"):
            with self.subTest(record):
                self.unlock()
                (self.host.home / "state" / record).write_text("{")
                self.host.run("lock", "--all")
                self.assert_all_locked()

    def test_what_only_the_drift_guard_remembers_is_locked(self):
        self.play("inactive")
        self.unlock()
        (self.host.home / "state" / "last-unlock.json").unlink()
        self.host.run("lock", "--all")
        self.assert_all_locked()

    def test_where_nothing_runs_nothing_is_stopped(self):
        self.play("inactive")
        self.unlock()
        self.host.run("lock", "--all")
        self.assertFalse(self.calls.exists())


class ByKit(Case):
    def test_typed_row_by_row_opens_and_mounts_everything(self):
        words, = self.kit()
        terminal = self.terminal("unlock", "--recovery")
        self.type_part(terminal, words)
        shown = terminal.end()
        for name in ALL:
            self.assertIn(f"{name}: opened", shown)
            self.assertIn(f"{name}: mounted at /{name}", shown)
        self.assert_all_open()
        for word in words:
            self.assertNotIn(f" {word} ", terminal.seen.replace("\n", " "))

    def test_typed_as_it_stands_on_the_paper(self):
        words, = self.kit()
        terminal = self.terminal("unlock", "--recovery")
        for number in range(1, 34, 3):
            terminal.until(f"words {number} to {number + 2}: ")
            terminal.type(f"{number}  {words[number - 1]}, {words[number]}\t{words[number + 1].upper()}.")
        terminal.end()
        self.assert_all_open()

    def test_opens_where_there_is_no_network_at_all(self):
        words, = self.kit()
        apart = ("unshare", "--user", "--map-root-user", "--net")
        if subprocess.run([*apart, "true"], check=False).returncode != 0:
            self.skipTest("no user namespaces here")
        alone = ("sh", "-c", 'test "$(ls /proc/sys/net/ipv4/conf)" = "$(printf "all\\ndefault\\nlo")" && exec "$@"', "sh")
        terminal = self.terminal("unlock", "--recovery", before=(*apart, *alone))
        self.type_part(terminal, words)
        terminal.end()
        self.assert_all_open()

    def test_in_parts_asks_for_as_many_as_are_needed(self):
        parts = self.kit("--split", "2/3")
        terminal = self.terminal("unlock", "--recovery")
        self.type_part(terminal, parts[2])
        terminal.until("One more part of kit")
        terminal.type(" ".join(word[:4] for word in parts[0]))
        terminal.end()
        self.assert_all_open()

    def test_asks_once_more_for_the_row_with_a_mistake_alone(self):
        words, = self.kit()
        terminal = self.terminal("unlock", "--recovery")
        mistaken = words[:16] + ["zero" if words[16] != "zero" else "acid"] + words[17:]
        self.type_part(terminal, mistaken)
        terminal.until("word 17 is not the one on the kit")
        terminal.until("words 16 to 18: ")
        terminal.type(" ".join(words[15:18]))
        terminal.end()
        self.assert_all_open()

    def test_asks_once_more_for_a_row_with_a_word_that_is_none(self):
        words, = self.kit()
        terminal = self.terminal("unlock", "--recovery")
        terminal.until("words 1 to 3: ")
        terminal.type(" ".join([words[0], "zkvzkv", words[2]]))
        terminal.until("no word of a recovery kit: word 2")
        terminal.until("words 1 to 3: ")
        terminal.type("")
        self.type_part(terminal, words)
        terminal.end()
        self.assert_all_open()

    def test_asks_once_more_for_a_row_with_another_number_of_words(self):
        words, = self.kit()
        terminal = self.terminal("unlock", "--recovery")
        for wrong in (words[:4], words[:2]):
            terminal.until("words 1 to 3: ")
            terminal.type(" ".join(wrong))
            terminal.until(f"these are words 1 to 3, and not {len(wrong)}")
        terminal.until("words 1 to 3: ")
        terminal.type(" ".join(words[:6]))
        for first in range(6, 33, 3):
            terminal.until(f"words {first + 1} to {first + 3}: ")
            terminal.type(" ".join(words[first:first + 3]))
        terminal.end()
        self.assert_all_open()

    def test_begins_the_part_anew_when_several_words_are_wrong(self):
        words, = self.kit()
        terminal = self.terminal("unlock", "--recovery")
        mistaken = ["zero" if i in (7, 20) and word != "zero" else word for i, word in enumerate(words)]
        self.type_part(terminal, mistaken)
        terminal.until("at least two of them are wrong")
        self.type_part(terminal, words)
        terminal.end()
        self.assert_all_open()

    def test_tells_a_part_that_was_typed_twice_and_goes_on(self):
        parts = self.kit("--split", "2/3")
        terminal = self.terminal("unlock", "--recovery")
        self.type_part(terminal, parts[0])
        self.type_part(terminal, parts[0])
        terminal.until("part 1 was given twice")
        self.type_part(terminal, parts[1])
        terminal.end()
        self.assert_all_open()

    def test_shows_what_is_typed_only_if_it_is_asked_to(self):
        words, = self.kit()
        terminal = self.terminal("unlock", "--recovery", "--echo", "--dry-run")
        self.type_part(terminal, words)
        terminal.end()
        self.assertIn(" ".join(words[:3]), terminal.seen)
        self.assert_all_locked()

    def test_takes_a_recovery_key_in_one_line(self):
        key = self.host.with_key(self.host.key, "slot", "add", "recovery", "-m").strip()
        terminal = self.terminal("unlock", "--recovery")
        terminal.until("words 1 to 3: ")
        terminal.type(key)
        terminal.end()
        self.assert_all_open()

    def test_ends_when_the_input_ends_or_is_interrupted(self):
        for ending, code in ((b"\x04", 1), (b"\x03", -2)):
            terminal = self.terminal("unlock", "--recovery")
            terminal.until("words 1 to 3: ")
            os.write(terminal.ours, ending)
            terminal.end(code)
        self.assert_all_locked()

    def test_of_another_repository_opens_nothing_and_says_why(self):
        words, = self.kit()
        slot = json.loads(self.host.out("slot", "list", "--json"))[-1]["id"]
        self.host.with_key(self.host.key, "slot", "remove", str(slot))
        terminal = self.terminal("unlock", "--recovery")
        terminal.until("words 1 to 3: ")
        terminal.type(" ".join(words))
        self.assertIn("their slot was removed", terminal.end(1))
        self.assert_all_locked()

    def test_comes_from_files_too(self):
        parts = self.kit("--split", "2/3")
        for number, words in enumerate(parts):
            (self.host.home / str(number)).write_text(" ".join(words) + "\n")
        self.assertIn("holds no part", self.host.error("unlock", "--key-file", "0", "--key-file", ".zkv-repository.generation"))
        report = json.loads(self.host.out("unlock", "--key-file", "2", "--key-file", "1", "--json"))
        self.assertEqual({volume["result"] for volume in report["volumes"]}, {"opened"})
        self.assert_all_open()


class ByPassphrase(Case):
    def test_opens_everything(self):
        (self.host.home / "passphrase").write_text("correct horse")
        self.host.with_key(self.host.key, "slot", "add", "passphrase", "--secret-file", "passphrase", "--memory", "8", "--passes", "1")
        terminal = self.terminal("unlock", "--passphrase")
        terminal.until("Passphrase of the repository")
        terminal.type("correct horse")
        terminal.end()
        self.assert_all_open()

    def test_that_is_wrong_opens_nothing(self):
        terminal = self.terminal("unlock", "--passphrase")
        terminal.until(": ")
        terminal.type("wrong horse")
        self.assertIn("opens none of the repository's slots", terminal.end(1))
        self.assert_all_locked()


class ByWhateverThereIs(Case):
    def test_asks_for_a_key_when_nothing_says_which(self):
        terminal = self.terminal("unlock", "--only", "tank/raw")
        terminal.until("Key of the repository")
        terminal.type(self.host.key)
        terminal.end()
        self.assertEqual(self.host.get("tank/raw", "keystatus"), "available")
        self.assertEqual(self.host.get("tank/hex", "keystatus"), "unavailable")

    def test_takes_the_words_at_the_same_prompt(self):
        parts = self.kit("--split", "2/2")
        terminal = self.terminal("unlock")
        terminal.until("Key of the repository")
        terminal.type(" ".join(parts[1]))
        terminal.until("The words of one more part of kit")
        terminal.type(" ".join(parts[0]))
        terminal.end()
        self.assert_all_open()

    def test_works_on_the_seeds_format(self):
        self.host.with_key(self.host.key, "repository", "convert", "--to", "seed")
        (self.host.home / "key").write_text(self.host.key)
        self.host.out("unlock", "--key-file", "key")
        self.assert_all_open()

    def test_needs_a_terminal_or_a_file(self):
        self.assertIn("no terminal", self.host.error("unlock", "--recovery"))
        self.assertEqual(self.host.run("unlock", "--recovery", "--passphrase", code=2)[0], b"")


if __name__ == "__main__":
    unittest.main()
