"""Whatever `--help` and `config check` name stands in the manuals and the completions, and the manuals are well-formed."""

import functools
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
BIN = pathlib.Path(os.environ["ZKV_BIN"])


def help_of(program, *words):
    answer = subprocess.run([str(BIN / program), *words, "--help"], stdout=subprocess.PIPE, text=True, check=False)
    return answer.stdout


def subcommands(text):
    """The commands that a help text lists under its heading."""
    listed = re.search(r"^(?:Subcommands|Commands|SUBCOMMANDS):\n((?:[ ].*\n|\n(?=[ ]))*)", text, re.M)
    return re.findall(r"^ {2}([a-z][a-z-]*)", listed.group(1), re.M) if listed else []


@functools.cache
def commands(program, words=()):
    """Every command of a program as (words, help text), the program itself first."""
    text = help_of(program, *words)
    found = [(words, text)]
    for name in subcommands(text):
        found += commands(program, (*words, name)) if name not in words else []
    return found


def flags(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z_-]+", text))


def manual(name):
    """A manual as plain text."""
    shown = subprocess.run(["man", "-E", "UTF-8", "-P", "cat", "-l", str(PACKAGING / "man" / name)], stdout=subprocess.PIPE,
                           env={**os.environ, "MANWIDTH": "1000", "LC_ALL": "C.UTF-8"}, text=True, check=True)
    return shown.stdout


class Manuals(unittest.TestCase):
    def missing(self, program, text):
        found = commands(program)
        self.assertGreater(len(found), 5, f"{program} --help lists no commands")
        words = [" ".join(words) for words, _ in found if words and words[-1] not in text.split()]
        named = set().union(*(flags(help_text) for _, help_text in found))
        return words + sorted(flag for flag in named if flag not in flags(text))

    def test_zkv_1_names_every_command_and_flag(self):
        self.assertEqual(self.missing("zkv", manual("zkv.1")), [])

    def test_zkvgateway_1_and_gateway_toml_5_name_every_command_and_flag(self):
        settings = " ".join("--" + name for name in re.findall(r"[a-z][a-z-]+", manual("gateway.toml.5")))
        self.assertEqual(self.missing("zkvgateway", manual("zkvgateway.1") + settings), [])

    def test_the_completions_of_zkv_name_every_command_and_flag(self):
        text = (PACKAGING / "completions" / "zkv").read_text(encoding="utf-8")
        self.assertEqual(self.missing("zkv", text.replace("'", " ")), [])

    def test_gateway_toml_5_names_every_setting(self):
        with tempfile.TemporaryDirectory() as folder:
            shown = subprocess.run([str(BIN / "zkvgateway"), "config", "check", "--data-dir", folder], stdout=subprocess.PIPE,
                                   text=True, check=True, env={}).stdout
        settings = set(re.findall(r"^\s*([a-z]+(?:-[a-z]+)+|listen|legacy|vault|secret|threads|connections)\b", shown, re.M))
        self.assertGreater(len(settings), 20, shown)
        self.assertEqual(settings - set(re.findall(r"[a-z]+(?:-[a-z]+)*", manual("gateway.toml.5"))), set())

    def test_the_settings_file_that_is_installed_is_a_valid_one(self):
        with tempfile.TemporaryDirectory() as folder:
            checked = subprocess.run([str(BIN / "zkvgateway"), "config", "check", "--data-dir", folder, "--config",
                                      str(PACKAGING / "examples" / "gateway.toml")], capture_output=True, text=True, check=False, env={})
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_every_line_that_is_commented_out_in_it_names_a_setting(self):
        text = (PACKAGING / "examples" / "gateway.toml").read_text(encoding="utf-8")
        names = re.findall(r"^#([a-z-]+) = ", text, re.M)
        self.assertGreater(len(names), 10)
        self.assertEqual([n for n in names if n not in re.findall(r"[a-z]+(?:-[a-z]+)*", manual("gateway.toml.5"))], [])

    def test_groff_has_nothing_to_warn_of(self):
        for page in sorted((PACKAGING / "man").iterdir()):
            shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page)], capture_output=True,
                                   env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}, text=True, check=True)
            self.assertEqual(shown.stderr, "", page.name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
