"""A repository of version 2, and the words by which tests add volumes to it and try their keys."""

import json
import unittest

from repository_world import World


class Volumes(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.__exit__)
        self.world.environment |= {"STATE_DIRECTORY": str(self.world.home / "state")}
        self.key = self.world.init("--format", "2")

    def path(self, name):
        return str(self.world.home / name)

    def add(self, name, device, key, *words, **how):
        """`zkv volume add`, repository's key and volume's key on stdin."""
        return self.world.run("volume", "add", "-k", "-", "--volume-key-file", "-", "--device", device, *words, name,
                              stdin=self.key.encode() + b"\n" + key, **how)

    def error_of_add(self, *words):
        return self.add(*words, code=1)[1].decode()

    def listed(self):
        return json.loads(self.world.with_key(self.key, "volume", "list", "-p", "--json"))

    def tried(self, *names, code=0):
        """What `zkv volume test` says: name to result."""
        outcome = json.loads(self.world.with_key(self.key, "volume", "test", "--json", *names, code=code))
        return {volume["volume"]: volume["result"] for volume in outcome["volumes"]}

    def error_of_test(self, code=1):
        return self.world.run("volume", "test", "-k", "-", stdin=self.key.encode(), code=code)[1].decode()
