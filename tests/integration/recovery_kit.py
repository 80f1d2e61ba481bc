"""`zkv recovery create` and `test`: every kit that is shown opens, by itself and by a second implementation; and nothing else does."""

import base64
import json
import os
import re
import subprocess
import tempfile
import unittest

from repository_world import ZKV, World

import reader
import slip39

ROW = re.compile(r"^ *\d+((?:  +[a-z]+){3}) *$", re.MULTILINE)


def words_on(page):
    return " ".join(" ".join(row.split()) for row in ROW.findall(page))


class Case(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.key = self.world.init("--format", "2")
        (self.world.home / "key").write_text(self.key)
        self.world.with_key(self.key, "fs", "add", "tank/a", "the key of a")

    def create(self, *words):
        return self.world.out("recovery", "create", "--key-file", "key", *words)

    def parts(self, *words):
        return self.create("-m", *words).splitlines()

    def try_kit(self, texts, **how):
        return self.world.run("recovery", "test", "--key-file", "-", stdin="\n".join(texts).encode(), **how)

    def slots(self):
        return [(slot["id"], slot["type"], slot["label"]) for slot in json.loads(self.world.out("slot", "list", "--json"))]

    def opened_by(self, key):
        return {volume["name"]: volume["key"] for volume in reader.read(self.world.path.read_bytes(), key)}


class WholeKit(Case):
    def test_says_what_it_is_and_opens_by_a_second_implementation(self):
        page = self.create()
        words = words_on(page)
        self.assertEqual(len(words.split()), 33)
        key = base64.urlsafe_b64encode(slip39.join([words]))
        self.assertEqual(self.opened_by(key), {b"tank/a": b"the key of a"})
        shown = json.loads(self.world.out("repository", "show", "--json"))
        for wanted in (str(self.world.path), shown["id"], "zkv unlock --recovery", "zkv recovery test"):
            self.assertIn(wanted, page)
        self.assertNotIn(self.key, page)
        self.assertLessEqual(max(len(line) for line in page.splitlines()), 78)
        number = re.search(r"recovery kit (\d+)", page)[1]
        self.assertEqual(self.slots()[1], (2, "recovery", f"kit {number}"))

    def test_is_tested_without_a_trace(self):
        page = self.create()
        before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.world.home.iterdir()}
        (self.world.home / ".zkv-repository.generation").unlink()
        del before[".zkv-repository.generation"]
        for stdin in (page, words_on(page), words_on(page).upper() + "\r\n"):
            out = self.try_kit([stdin])[0].decode()
            self.assertIn("slot 2 (recovery, kit", out)
            self.assertIn("1 volume. Nothing was changed.", out)
        self.assertEqual({path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.world.home.iterdir()}, before)

    def test_is_taken_wherever_a_key_is(self):
        words = self.parts()[0]
        (self.world.home / "kit").write_text(words + "\n")
        self.assertIn("whole", self.world.out("repository", "check", "--key-file", "kit"))
        self.assertIn("whole", self.world.out("repository", "check", "-k", words))
        self.world.out("fs", "add", "-k", "-", "tank/b", "-", stdin=(words + "\nthe key of b\n").encode())
        self.assertEqual(self.world.listed(self.key), ["tank/a: the key of a", "tank/b: the key of b"])

    def test_is_taken_from_a_file_however_its_lines_are_broken(self):
        words = self.parts()[0].split()
        in_rows = [" ".join(words[at:at + 3]) for at in range(0, 33, 3)]
        for text in ("\n".join(in_rows), "\r\n".join(words), "\n".join(in_rows).replace(" ", "\t")):
            (self.world.home / "kit").write_text(text)
            self.assertIn("slot", self.world.out("recovery", "test", "--key-file", "kit"))
        (self.world.home / "kit").write_text("\n".join(in_rows[:-1]))
        self.assertIn("do not fit together", self.world.error("recovery", "test", "--key-file", "kit"))
        halves = [" ".join(part.split()[:17]) + "\n" + " ".join(part.split()[17:]) for part in self.parts("--split", "2/3")]
        (self.world.home / "kit").write_text("\n".join(halves[1:]))
        self.assertIn("slot", self.world.out("recovery", "test", "--key-file", "kit"))

    def test_takes_the_recovery_key_of_before_kits_too(self):
        self.assertIn("slot 1 (recovery)", self.try_kit([self.key])[0].decode())

    def test_names_the_word_that_is_wrong(self):
        words = self.parts()[0].split()
        for mistaken, wanted in (("zero" if words[16] != "zero" else "acid", "word 17 is not the one on the kit"), ("zorro", "no word of a recovery kit: word 17")):
            error = self.try_kit([" ".join(words[:16] + [mistaken] + words[17:])], code=1)[1].decode()
            self.assertIn(wanted, error)
            self.assertNotIn(words[16], error.split(), "what is right must be read, not told")
        self.assertIn("32 words", self.try_kit([" ".join(words[:-1])], code=1)[1].decode())

    def test_of_another_repository_says_so(self):
        words = self.parts()
        self.world.init("-f", "--format", "2")
        error = self.try_kit(words, code=1)[1].decode()
        self.assertIn("opens none of the repository's slots", error)
        self.assertIn("of another repository", error)

    def test_needs_a_repository_with_slots(self):
        self.world.path.unlink()
        self.assertIn("no repository", self.world.error("recovery", "create"))
        self.world.init("-f")
        self.assertIn("has no slots", self.world.error("recovery", "create", "-k", "-", stdin=b"x"))
        self.assertIn("seed's format", self.world.error("recovery", "test", "--key-file", "-", stdin=b"x"))

    def test_needs_the_right_key_and_leaves_no_slot_otherwise(self):
        before = self.world.path.read_bytes()
        self.assertIn("opens none", self.world.error("recovery", "create", "-k", "-", stdin=base64.urlsafe_b64encode(bytes(32))))
        self.assertEqual(self.world.path.read_bytes(), before)


class SplitKit(Case):
    def test_opens_by_any_parts_that_suffice_and_names_what_lacks(self):
        parts = self.parts("--split", "3/5")
        self.assertEqual(len(parts), 5)
        self.assertIn("any 3 of 5", self.try_kit([parts[4], parts[0], parts[2]])[0].decode())
        self.assertIn("any 3 of 5", self.try_kit(parts)[0].decode())
        key = base64.urlsafe_b64encode(slip39.join([parts[1], parts[3], parts[4]]))
        self.assertEqual(self.opened_by(key), {b"tank/a": b"the key of a"})
        error = self.try_kit([parts[3], parts[1]], code=1)[1].decode()
        self.assertIn("only parts 4, 2", error)
        self.assertIn("1 more part is needed", error)

    def test_tells_doubles_and_strangers(self):
        ours, theirs = self.parts("--split", "2/3"), self.parts("--split", "2/3")
        self.assertIn("part 2 was given twice", self.try_kit([ours[1], ours[1]], code=1)[1].decode())
        self.assertRegex(self.try_kit([ours[0], theirs[2]], code=1)[1].decode(), r"part 3 is of kit \d+, and part 1 of kit \d+")

    def test_each_page_says_which_it_is(self):
        pages = self.create("--split", "2/3").split("zfs-keyvault recovery kit")[1:]
        self.assertEqual([re.search(r"part +(part . of 3, any 2 open)", page)[1] for page in pages], [f"part {i} of 3, any 2 open" for i in (1, 2, 3)])
        self.assertIn("slot 2", self.try_kit(["zfs-keyvault recovery kit" + page for page in pages[1:]])[0].decode())

    def test_is_taken_line_by_line_where_a_key_is(self):
        parts = self.parts("--split", "2/2")
        self.assertIn("whole", self.world.out("repository", "check", "-k", "-", stdin="\n".join(parts).encode()))
        (self.world.home / "kit").write_text("\n".join(parts))
        self.assertIn("whole", self.world.out("repository", "check", "--key-file", "kit"))
        self.assertIn("one argument holds one part", self.world.error("repository", "check", "-k", parts[0]))
        self.assertIn("there is none", self.world.error("repository", "check", "-k", "-", stdin=parts[0].encode()))

    def test_the_pages_are_taken_by_standard_input_as_from_a_file(self):
        pages = ["zfs-keyvault recovery kit" + page for page in self.create("--split", "2/3").split("zfs-keyvault recovery kit")[1:]]
        for option in (("-k", "-"), ("--key-file", "-")):
            self.assertIn("whole", self.world.out("repository", "check", *option, stdin="\n".join(pages[1:]).encode()))
            self.assertIn("any 2 parts", self.world.error("repository", "check", *option, stdin=pages[0].encode()))
            self.assertIn("holds no words", self.world.error("repository", "check", *option, stdin=pages[0][:200].encode()))

    def test_a_file_with_more_parts_than_one_kit_has_is_told_what_is_wrong(self):
        ours, theirs = self.parts("--split", "2/3"), self.parts("--split", "2/3")
        for parts, said in (([*ours[:2], ours[1]], "kit: part 2 was given twice"),
                            ([*ours[:2], *theirs[:2]], "kit holds the parts of more kits than one")):
            (self.world.home / "kit").write_text("\n".join(parts))
            self.assertIn(said, self.world.error("repository", "check", "--key-file", "kit"))

    def test_refuses_what_makes_no_sense_before_it_asks_for_a_key(self):
        for split in ("0/3", "4/3", "2/17", "3", "2/", "a/b", "1/3", "2/3x"):
            self.assertNotIn("terminal", self.world.error("recovery", "create", "--split", split))
        self.assertEqual(len(self.slots()), 1)


class Files(Case):
    def files(self):
        return sorted(path.name for path in (self.world.home / "kit").iterdir())

    def test_are_one_each_private_and_hold_the_same(self):
        (self.world.home / "kit").mkdir()
        out = self.create("--split", "2/3", "--output", "kit")
        number = re.search(r"kit (\d+)", out)[1]
        names = self.files()
        self.assertEqual(names, sorted(f"zkv-kit-{number}-part-{i}-of-3.{ending}" for i in (1, 2, 3) for ending in ("pdf", "txt")))
        for name in names:
            self.assertEqual((self.world.home / "kit" / name).stat().st_mode & 0o777, 0o600)
        texts = [(self.world.home / "kit" / name).read_text() for name in names if name.endswith("txt")]
        self.assertNotIn(words_on(texts[0]).split()[20], out)
        self.assertIn("slot 2", self.world.out("recovery", "test", "--key-file", f"kit/{names[1]}", "--key-file", f"kit/{names[5]}"))
        for name, text in zip((name for name in names if name.endswith("pdf")), texts):
            self.check_pdf(self.world.home / "kit" / name, text)

    def check_pdf(self, path, text):
        shown = subprocess.run(["/usr/bin/pdftotext", "-layout", path, "-"], capture_output=True, check=True)
        self.assertEqual(shown.stderr, b"")
        self.assertEqual(words_on(re.sub(r"(?m)^ +", " ", shown.stdout.decode())), words_on(text))
        subprocess.run(["/usr/bin/pdftoppm", "-r", "150", "-png", path, path.with_suffix("")], check=True)
        image, = path.parent.glob(path.stem + "*.png")
        code = subprocess.run(["/usr/bin/zbarimg", "-q", "--raw", image], capture_output=True, check=True)
        self.assertEqual(code.stdout.decode().strip(), words_on(text))

    def test_can_be_one_with_a_page_for_each_part(self):
        self.create("--split", "2/3", "--output", "kit.pdf")
        shown = subprocess.run(["/usr/bin/pdfinfo", self.world.home / "kit.pdf"], capture_output=True, check=True).stdout.decode()
        self.assertRegex(shown, r"Pages: +3")
        self.create("--split", "2/3", "--output", "kit.txt")
        self.assertIn("slot 3", self.world.out("recovery", "test", "--key-file", "kit.txt"))

    def test_are_never_written_over_and_then_no_slot_stays(self):
        (self.world.home / "kit.txt").write_text("mine")
        self.assertIn("is there already", self.world.error("recovery", "create", "--key-file", "key", "--output", "kit.txt"))
        self.assertIn("neither with .txt nor with .pdf", self.world.error("recovery", "create", "--key-file", "key", "--output", "kit.doc"))
        self.assertIn("No such file", self.world.error("recovery", "create", "--key-file", "key", "--output", "nowhere/kit.txt"))
        self.assertEqual((self.world.home / "kit.txt").read_text(), "mine")
        self.assertEqual(len(self.slots()), 1)

    def test_that_cannot_be_shown_leave_no_slot(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([ZKV, "recovery", "create", "--key-file", "key"], stdout=full,
                                  stderr=subprocess.PIPE, env=self.world.environment, cwd=self.world.home, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(self.slots()), 1)
        self.assertEqual(self.world.listed(self.key), ["tank/a: the key of a"])


class OlderKeys(Case):
    def test_stay_and_are_named(self):
        out, error = self.world.run("recovery", "create", "--key-file", "key")
        self.assertIn(b"still open the repository: slot 1", error)
        self.assertEqual(len(self.slots()), 2)

    def test_go_once_the_kit_is_there_if_so_wished(self):
        (self.world.home / "passphrase").write_text("correct horse battery staple")
        self.world.out("slot", "add", "passphrase", "--secret-file", "passphrase", "--memory", "8", "--passes", "1", "--key-file", "key")
        self.world.out("slot", "add", "recovery", "--key-file", "key")
        error = self.create_into("kit", "--replace", "--key-file", "key", "-m", "--split", "2/3")
        out = (self.world.home / "kit").read_bytes()
        self.assertIn(b"removed slots 1, 3", error)
        self.assertEqual([slot[1] for slot in self.slots()], ["passphrase", "recovery"])
        self.assertIn("opens none", self.world.error("repository", "check", "--key-file", "key"))
        self.assertIn("slot 4", self.try_kit(out.decode().splitlines())[0].decode())

    def create_into(self, place, *words, code=0):
        """As a shell does it by `>place`; gives what was said aside."""
        return self.world.run(*words, before=("sh", "-c", f'exec "$0" recovery create "$@" >{place}'), code=code)[1]

    def test_stay_where_nobody_knows_what_becomes_of_the_words(self):
        for place in ("/dev/null", "/dev/shm/kit-of-a-test", "/dev/stdout"):
            with self.subTest(place=place):
                self.assertIn(b"older kits are not taken away", self.create_into(place, "--replace", "--key-file", "key", code=1))
        os.remove("/dev/shm/kit-of-a-test")
        self.assertEqual(len(self.slots()), 1)

    def test_all_go_at_once(self):
        for _ in range(2):
            self.world.out("slot", "add", "recovery", "--key-file", "key")
        before = json.loads(self.world.out("repository", "show", "--json"))["generation"]
        self.create_into("kit", "--replace", "--key-file", "key", "-m")
        # One for the new slot, one for all that go: nothing in between has fewer ways in.
        self.assertEqual(json.loads(self.world.out("repository", "show", "--json"))["generation"], before + 2)
        self.assertEqual(len(self.slots()), 1)

    def test_stay_while_the_new_kit_is_only_in_memory(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            error = self.world.error("recovery", "create", "--replace", "--key-file", "key", "--output", memory)
            self.assertIn("zkv recovery test --replace", error)
            self.assertEqual(os.listdir(memory), [])
        self.assertEqual(len(self.slots()), 1)

    def test_go_once_the_paper_has_opened_the_repository(self):
        self.world.run("recovery", "create", "--key-file", "key", "--output", "kit.txt")
        (self.world.home / "garbled").write_text("no words of a kit")
        self.world.error("recovery", "test", "--replace", "--key-file", "garbled")
        self.assertEqual(len(self.slots()), 2)
        out, error = self.world.run("recovery", "test", "--replace", "--key-file", "kit.txt")
        self.assertIn(b"removed slot 1", error)
        self.assertNotIn(b"Nothing was changed", out)
        self.assertEqual(len(self.slots()), 1)
        self.assertIn("opens none", self.world.error("repository", "check", "--key-file", "key"))
        self.world.out("recovery", "test", "--key-file", "kit.txt")

    def test_a_pdf_is_named_as_what_it_is(self):
        self.world.run("recovery", "create", "--key-file", "key", "--output", "kit.pdf")
        self.assertIn("kit.pdf is a PDF", self.world.error("recovery", "test", "--key-file", "kit.pdf"))

    def test_stay_when_the_kit_cannot_be_written(self):
        self.world.error("recovery", "create", "--replace", "--key-file", "key", "--output", "nowhere/kit.txt")
        self.assertEqual(len(self.slots()), 1)


if __name__ == "__main__":
    unittest.main()
