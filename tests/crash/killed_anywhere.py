"""A command that is killed at any of its system calls leaves the whole old or the whole new repository, its keys, and the previous file; and the
next command goes through. The first argument names the command; with ZKV_EVERY_CALL in the environment no call is left out."""

import sys
import unittest

from crash_world import COMMANDS, EVERY_CALL, SECOND_KEY, UNSURE, VOLUMES, Scene, expected_after, sample

NAME = sys.argv.pop(1)
ASIDE = {"convert": ".zkv-repository.seed", "convert_2": ".zkv-repository.v2"}


class Killed(unittest.TestCase):
    def check(self, scene):
        after = scene.path.read_bytes()
        is_new = after != scene.old
        self.assertEqual(scene.volumes(after), expected_after(NAME) if is_new else VOLUMES)
        if COMMANDS[NAME][0] == 2 and NAME not in ("convert_2", "slot_remove"):
            self.assertEqual(scene.volumes(after, SECOND_KEY), expected_after(NAME) if is_new else VOLUMES)
        if NAME in ASIDE:
            self.check_aside(scene, is_new)
        kept = scene.home / ".zkv-repository.previous"
        if NAME == "rotate" and is_new and not kept.exists():  # what the old key opens is to go
            return is_new
        previous = kept.read_bytes()
        self.assertIn(previous, (scene.old, scene.old_previous))
        if is_new:
            self.assertEqual(previous, scene.old)
        return is_new

    def check_aside(self, scene, is_new):
        """The old file under its second name: there before the new one takes the first, and never another."""
        aside = scene.home / ASIDE[NAME]
        if is_new or aside.exists():
            self.assertEqual(aside.read_bytes(), scene.old)

    def go_on(self, scene, words, is_new):
        """The same command, or the next one, goes through and sweeps up."""
        scene.run(*(("fs", "add", "one-more", "--key-file", "key", "--fs-key-file", "fs-key") if is_new else words))
        wanted = {**expected_after(NAME), b"one-more": b"key c"} if is_new else expected_after(NAME)
        self.assertEqual(scene.volumes(scene.path.read_bytes()), wanted)
        self.assertEqual(scene.temporaries(), [])

    def test_at_every_system_call(self):
        version, words = COMMANDS[NAME]
        with Scene(version) as scene:
            points = sample(scene.points(words), scene.home)
            self.assertGreater(len(points), 150 if EVERY_CALL else 30)
            outcomes = []
            for number, point in enumerate(points):
                with self.subTest(point=point):
                    code, _ = scene.run_with(point, "signal=SIGKILL", words)
                    self.assertIn(code, (-9, 137, 0) if point.call == UNSURE else (-9, 137))
                    is_new = self.check(scene)
                    if code == 0:
                        self.assertTrue(is_new)
                        continue
                    outcomes.append(is_new)
                    if number % 4 == 0 or scene.temporaries():
                        self.go_on(scene, words, is_new)
            self.assertIn(False, outcomes)
            self.assertIn(True, outcomes)
            self.assertEqual(sorted(outcomes), outcomes, "once the new file is in place it stays")


if __name__ == "__main__":
    unittest.main()
