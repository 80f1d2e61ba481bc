"""`zkv mount`, `unmount` and `status` as a boot and a person use them."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import unittest

import host_world
from host_world import Host, OurGateway, SeedGateway, SilentListener, free_port, make_certificate


class Case(unittest.TestCase):
    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.host.four_volumes()

    def gateway(self, kind=OurGateway, **how):
        gateway = kind(**how)
        self.addCleanup(gateway.__exit__)
        return gateway

    def volumes(self, output):
        return {entry["volume"]: entry["result"] for entry in json.loads(output)["volumes"]}

    def assert_all_locked(self):
        for name in ("tank/hex", "tank/hex/nested", "tank/raw", "tank/words"):
            self.assertEqual(self.host.get(name, "keystatus"), "unavailable", name)


class Approved(Case):
    def test_everything_is_opened_and_mounted_parents_first(self):
        gateway = self.gateway()
        gateway.approve(self.host.key)
        output = self.host.out("mount", gateway.uri)
        for name in ("tank/hex", "tank/hex/nested", "tank/raw", "tank/words"):
            self.assertIn(f"{name}: opened", output)
        for name in ("tank/hex", "tank/hex/nested", "tank/raw", "tank/raw/child", "tank/words"):
            self.assertIn(f"{name}: mounted at /{name}", output)
        mounts = [call for call in self.host.calls() if call.startswith("zfs mount")]
        for inner in ("tank/hex/nested", "tank/raw/child"):
            self.assertLess(mounts.index(f"zfs mount {os.path.dirname(inner)}"), mounts.index(f"zfs mount {inner}"))
        self.assertFalse([call for call in self.host.calls() if call.startswith("zfs load-key")], "the library was not used")

    def test_the_same_from_the_seeds_own_server(self):
        gateway = self.gateway(SeedGateway)
        gateway.approve(self.host.key)
        self.host.out("mount", gateway.uri)

    def test_the_same_by_the_program(self):
        gateway = self.gateway()
        gateway.approve(self.host.key)
        self.host.out("mount", "--via", "zfs", gateway.uri)
        self.assertEqual(len([call for call in self.host.calls() if call.startswith("zfs load-key")]), 4)

    def test_a_second_run_finds_all_open_and_is_success(self):
        gateway = self.gateway()
        for _ in range(2):
            gateway.approve(self.host.key)
        self.host.out("mount", gateway.uri)
        self.assertEqual(set(self.volumes(self.host.out("mount", "--json", gateway.uri)).values()), {"already-open"})

    def test_one_wrong_key_of_five_is_named_and_the_others_are_mounted(self):
        self.host.add_volume("tank/changed", "hex", b"c" * 64, in_repository=b"d" * 64)
        gateway = self.gateway()
        gateway.approve(self.host.key)
        output, errors = self.host.run("mount", gateway.uri, code=3)
        self.assertIn("tank/changed: the key in the repository is not its key", errors.decode())
        self.assertNotIn("tank/changed", output.decode())
        self.assertEqual(self.host.get("tank/words", "mounted"), "yes")
        self.assertNotIn(b"d" * 64, output + errors)

    def test_a_mount_that_fails_is_3_and_the_others_are_mounted(self):
        (self.host.zfs / "datasets" / "tank%2Fhex" / "mount-error").write_text("directory is not empty")
        gateway = self.gateway()
        gateway.approve(self.host.key)
        errors = self.host.error("mount", gateway.uri, code=3)
        self.assertIn("directory is not empty", errors)
        self.assertEqual(self.host.get("tank/raw", "mounted"), "yes")

    def test_no_volume_at_all_is_1(self):
        for folder in list((self.host.zfs / "datasets").iterdir()):
            folder.rename(self.host.zfs / ("lost" + folder.name))
        gateway = self.gateway()
        gateway.approve(self.host.key)
        self.assertIn("zpool import tank", self.host.error("mount", gateway.uri, code=1))

    def test_only_some(self):
        gateway = self.gateway()
        gateway.approve(self.host.key)
        output = self.host.out("mount", "--json", "--only", "tank/raw", "--only", "tank/words", gateway.uri)
        self.assertEqual(self.volumes(output), {"tank/raw": "opened", "tank/words": "opened"})
        self.assertEqual(self.host.get("tank/hex", "keystatus"), "unavailable")

    def test_no_mount_loads_keys_only(self):
        gateway = self.gateway()
        gateway.approve(self.host.key)
        self.host.out("mount", "--no-mount", gateway.uri)
        self.assertEqual(self.host.get("tank/raw", "keystatus"), "available")
        self.assertEqual(self.host.get("tank/raw", "mounted"), "no")

    def test_a_dry_run_tells_what_would_happen_and_changes_nothing(self):
        self.host.add_volume("tank/changed", "hex", b"c" * 64, in_repository=b"d" * 64)
        gateway = self.gateway()
        gateway.approve(self.host.key)
        output, _ = self.host.run("mount", "--dry-run", "--json", gateway.uri, code=3)
        self.assertEqual(self.volumes(output)["tank/changed"], "wrong-key")
        self.assertEqual(self.volumes(output)["tank/raw"], "key-fits")
        self.assert_all_locked()
        self.assertFalse((self.host.home / "state").exists(), "a dry run is no unlock")

    def test_a_given_key_asks_nobody(self):
        keyfile = self.host.home / "key"
        keyfile.write_text(self.host.key + "\n")
        self.host.out("mount", "--no-mount", "--key-file", "-", stdin=keyfile.read_bytes())
        self.assertEqual(self.host.get("tank/raw", "keystatus"), "available")
        self.host.out("mount", "--key-file", str(keyfile))
        self.assertEqual(self.host.get("tank/raw", "mounted"), "yes")

    def test_another_repository_by_the_option_before_and_after_the_word(self):
        elsewhere = self.host.path.rename(self.host.home / "elsewhere")
        gateway = self.gateway()
        self.host.error("mount", gateway.uri)
        for words in (("--repository", str(elsewhere), "mount"), ("mount", f"--repository={elsewhere}")):
            gateway.approve(self.host.key)
            with self.subTest(words):
                self.assertEqual(len(self.volumes(self.host.out(*words, "--json", gateway.uri))), 4)
                self.host.out("unmount")
        self.assertFalse(self.host.path.exists())

    def test_an_older_repository_that_was_put_back_opens_and_is_told(self):
        self.host.out("repository", "convert", "-k", "-", stdin=self.host.key.encode())
        older = self.host.path.read_bytes()
        self.host.add_volume("tank/new", "hex", b"e" * 64)
        gateway = self.gateway()
        gateway.approve(self.host.key)
        self.assertNotIn("older", self.host.run("mount", "--dry-run", gateway.uri)[1].decode())
        self.host.path.write_bytes(older)
        for _ in range(2):  # no boot takes the older one for the newest
            gateway.approve(self.host.key)
            output, errors = self.host.run("mount", gateway.uri)
            self.assertIn("somebody has put an older file back", errors.decode())
            self.assertNotIn("tank/new", output.decode())
            self.assertEqual(self.host.get("tank/words", "keystatus"), "available")
            self.assertEqual(self.host.path.read_bytes(), older)

    def test_a_key_that_does_not_open_the_repository_says_what_to_do(self):
        gateway = self.gateway()
        gateway.approve("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
        errors = self.host.error("mount", gateway.uri, code=1)
        self.assertIn("vault", errors)
        self.assertIn("recovery key", errors)
        self.assert_all_locked()


class NotApproved(Case):
    def test_denied_is_4_and_nothing_is_opened(self):
        gateway = self.gateway()
        gateway.end(401, "denied")
        self.assertIn("denied", self.host.error("mount", gateway.uri, code=4))
        self.assert_all_locked()

    def test_expired_is_5(self):
        gateway = self.gateway()
        gateway.end(401, "expired")
        self.assertIn("nobody decided in time", self.host.error("mount", gateway.uri, code=5))

    def test_the_seeds_401_is_5_too(self):
        gateway = self.gateway(SeedGateway)
        gateway.decide(401, b"Unauthorized")
        self.host.error("mount", gateway.uri, code=5)

    def test_nobody_until_our_own_limit_is_5(self):
        self.host.error("mount", "--timeout", "2", self.gateway().uri, code=5)
        self.assert_all_locked()

    def test_plain_http_to_a_gateway_that_wants_tls_is_6(self):
        issuer = make_certificate(self.host.home, "issuer")
        gateway = self.gateway(SeedGateway, certificate=make_certificate(self.host.home, "good", signer=issuer))
        self.host.error("mount", "--timeout", "2", gateway.uri.replace("https:", "http:"), code=6)

    def test_no_gateway_until_the_limit_is_6(self):
        errors = self.host.error("mount", "--timeout", "1", f"http://127.0.0.1:{free_port()}/request-keys", code=6)
        self.assertIn("trying again", errors)

    def test_no_gateway_named_is_2(self):
        self.assertIn("GATEWAY_URI", self.host.error("mount", code=2))
        self.assertIn("GATEWAY_URI", self.host.error("mount", "", code=2))
        self.host.error("mount", "ftp://gateway.example", code=2)

    def test_without_a_repository_nobody_is_disturbed(self):
        gateway = self.gateway()
        self.host.path.unlink()
        self.host.error("mount", gateway.uri, code=1)
        self.assertTrue(gateway.requests.empty())


class Patience(Case):
    def test_a_gateway_that_comes_up_late_is_found(self):
        port = free_port()
        running = self.host.start("mount", f"http://127.0.0.1:{port}/request-keys")
        running.await_line("trying again")
        gateway = self.gateway(port=port)
        gateway.approve(self.host.key)
        running.end(0)

    def test_a_restart_in_the_middle_of_the_wait_loses_nothing(self):
        first = self.gateway()
        running = self.host.start("mount", first.uri)
        running.await_line("waiting for approval")
        _, headers = first.requests.get(timeout=60)
        first.decide(503, headers=(("Retry-After", "0"), ("ZKV-Request-Id", "7F3K")))
        running.await_line("waiting for approval of request 7F3K")
        _, again = first.requests.get(timeout=60)
        self.assertEqual(headers["ZKV-Request-Token"], again["ZKV-Request-Token"])
        first.approve(self.host.key)
        running.end(0)
        self.assertNotIn(headers["ZKV-Request-Token"], "".join(running.errors))

    def test_dead_and_silent_gateways_do_not_delay_a_live_one(self):
        gateway = self.gateway()
        gateway.approve(self.host.key)
        with SilentListener() as silent:
            dead = f"http://127.0.0.1:{free_port()}/request-keys"
            self.host.environment["GATEWAY_URI"] = f"{dead} {silent.uri} {gateway.uri}"
            self.host.out("mount", "--timeout", "0")

    def test_a_no_at_one_gateway_ends_the_wait_at_all(self):
        denying = self.gateway()
        denying.end(401, "denied")
        with SilentListener() as silent:
            self.host.error("mount", silent.uri, denying.uri, code=4)


class Interrupted(Case):
    def interrupted(self, number):
        gateway = self.gateway()
        running = self.host.start("mount", gateway.uri)
        running.await_line("waiting for approval")
        running.stop(number)
        running.end(128 + number)
        self.assert_all_locked()

    def test_ctrl_c_leaves_nothing_half_done(self):
        self.interrupted(signal.SIGINT)

    def test_a_stop_of_the_service_too(self):
        self.interrupted(signal.SIGTERM)


class InterruptedWhileKeysAreLoaded(Case):
    """What has begun is ended, and nothing more begins."""

    NAMES = ("tank/hex", "tank/hex/nested", "tank/raw", "tank/words")

    def interrupted(self, number, gated, *words):
        """What zkv printed and said that gets a signal while the keys of `gated` are being loaded."""
        gateway = self.gateway()
        gateway.approve(self.host.key)
        gates = [self.host.zfs / "datasets" / name.replace("/", "%2F") / "key-gate" for name in gated]
        for gate in gates:
            os.mkfifo(gate)
        running = self.host.start("mount", *words, gateway.uri)
        with contextlib.ExitStack() as opened:
            for gate in gates:
                opened.enter_context(open(gate, "wb"))  # opens when the key is being loaded
            running.stop(number)
            running.await_rest(number)
        output = running.end(128 + number)
        for gate in gates:
            gate.unlink()
        return output, "".join(running.errors)

    def loaded(self):
        return [name for name in self.NAMES if self.host.get(name, "keystatus") == "available"]

    def check(self, begun, output, errors):
        self.assertEqual(self.loaded(), list(begun))
        for name in self.NAMES:
            self.assertEqual(self.host.get(name, "mounted"), "no")
            self.assertEqual(f"{name}: opened" in output, name in begun)
            self.assertIn(f"{name}: not mounted: interrupted" if name in begun else f"{name}: not tried, since a stop was asked for", errors)
        self.host.out("mount", "-k", "-", stdin=self.host.key.encode())
        self.assertEqual(self.loaded(), list(self.NAMES))
        self.assertEqual(self.host.get("tank/words", "mounted"), "yes")

    def test_by_the_library(self):
        self.check(self.NAMES[:3], *self.interrupted(signal.SIGTERM, self.NAMES[:1]))

    def test_by_the_program_as_many_as_are_loaded_at_once(self):
        begun = self.NAMES[:os.cpu_count()]
        self.check(begun, *self.interrupted(signal.SIGINT, begun, "--via", "zfs"))


class Service(Case):
    def setUp(self):
        super().setUp()
        self.manager = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.manager.bind(str(self.host.home / "notify"))
        self.host.environment["NOTIFY_SOCKET"] = str(self.host.home / "notify")

    def notices(self):
        """All that the service manager was told by now."""
        self.manager.setblocking(False)
        notices = []
        with contextlib.suppress(BlockingIOError):
            while True:
                notices.append(self.manager.recv(4096).decode())
        return notices

    def test_the_service_manager_is_told_whom_the_boot_waits_for(self):
        gateway = self.gateway()
        gateway.approve(self.host.key)
        self.host.out("mount", gateway.uri)
        self.assertIn("STATUS=waiting for approval", self.notices()[0])

    def test_what_ended_the_service_is_its_last_status(self):
        gateway = self.gateway()
        gateway.end(401, "expired")
        self.host.run("mount", gateway.uri, code=5)
        self.assertEqual(self.notices()[-1], f"STATUS={gateway.uri}: nobody decided in time")

    def test_what_is_not_open_is_named_in_the_last_status(self):
        self.host.add_volume("tank/changed", "hex", b"c" * 64, in_repository=b"d" * 64)
        (self.host.zfs / "datasets" / "tank%2Fhex" / "mount-error").write_text("directory is not empty")
        gateway = self.gateway()
        gateway.approve(self.host.key)
        self.host.run("mount", gateway.uri, code=3)
        self.assertEqual(self.notices()[-1], "STATUS=not everything is open and mounted: "
                         "tank/changed (the key in the repository is not its key), tank/hex, tank/hex/nested")

    def test_a_stop_while_the_last_filesystem_is_mounted_starts_nothing_that_waits(self):
        gateway = self.gateway()
        gateway.approve(self.host.key)
        os.mkfifo(self.host.zfs / "gate")
        (self.host.home / "run").mkdir()
        running = self.host.start("agent", "--via", "zfs", "--only", "tank/words", gateway.uri, RUNTIME_DIRECTORY=str(self.host.home / "run"))
        with open(self.host.zfs / "gate", "w", encoding="ascii") as gate:  # opens when the mount waits at it
            running.stop(signal.SIGTERM)
            gate.write("go")
        running.end(0)
        self.assertEqual(self.host.get("tank/words", "mounted"), "yes")
        self.assertEqual([notice for notice in self.notices() if "READY" in notice], [])
        self.assertEqual(list((self.host.home / "run").iterdir()), [])


class StatusAndUnmount(Case):
    def status(self):
        return {row["volume"]: row for row in json.loads(self.host.out("status", "--json"))["volumes"]}

    def mount(self, *words):
        self.host.out("mount", *words, "-k", "-", stdin=self.host.key.encode() + b"\n")

    def test_status_knows_volumes_before_the_first_unlock(self):
        rows = self.status()
        self.assertEqual(set(rows), {"tank/hex", "tank/hex/nested", "tank/raw", "tank/words"})
        self.assertEqual((rows["tank/raw"]["key"], rows["tank/raw"]["mounted"], rows["tank/raw"]["last_unlock"]), ("not-loaded", False, None))

    def test_status_after_an_unlock_tells_when(self):
        self.mount()
        row = self.status()["tank/raw"]
        self.assertEqual((row["key"], row["mounted"], row["mountpoint"]), ("loaded", True, "/tank/raw"))
        self.assertRegex(row["last_unlock"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(self.host.out("status"), r"tank/raw +zfs +loaded +yes +20")

    def test_status_remembers_volumes_whose_pool_is_gone(self):
        self.mount()
        for folder in list((self.host.zfs / "datasets").iterdir()):
            folder.rename(self.host.zfs / ("lost" + folder.name))
        self.assertEqual(self.status()["tank/raw"]["key"], "pool-missing")

    def test_the_record_holds_no_secret(self):
        self.mount()
        text = (self.host.home / "state" / "last-unlock.json").read_text()
        for secret in (self.host.key.encode(), *self.host.keys.values()):
            self.assertNotIn(secret.decode(), text)

    def test_a_legacy_mount_point_goes_back_by_umount(self):
        self.mount("--only", "tank/raw")
        child = self.host.zfs / "datasets" / "tank%2Fraw%2Fchild"
        (child / "mountpoint").write_text("legacy")
        program = self.host.zfs / "umount"
        program.write_text(f'#!/bin/sh\necho umount "$@" >>{self.host.zfs}/calls\nprintf no >{child}/mounted\n')
        program.chmod(0o755)
        self.host.out("unmount", "tank/raw")
        self.assertIn("umount tank/raw/child", self.host.calls())
        self.assertEqual(self.host.get("tank/raw", "keystatus"), "unavailable")

    def test_unmount_goes_back_children_first(self):
        self.mount()
        self.host.out("unmount")
        self.assert_all_locked()
        unmounts = [call for call in self.host.calls() if call.startswith("zfs unmount")]
        self.assertEqual(unmounts, sorted(unmounts, reverse=True))

    def test_lock_wants_to_be_told_what_and_then_does_it(self):
        self.mount()
        self.assertIn("zkv lock --all", self.host.error("lock", code=2))
        self.assertEqual(self.host.get("tank/hex", "mounted"), "yes")
        self.host.run("lock", "--all", "tank/hex", code=2)
        self.host.out("lock", "tank/raw")
        self.assertEqual(self.host.get("tank/hex", "mounted"), "yes")
        self.host.out("lock", "--all")
        self.assert_all_locked()

    def test_what_is_mounted_is_locked_though_zfs_calls_its_key_unloaded(self):
        self.mount()
        # As after `zfs promote` of a clone of it: its key is another's until it is mounted anew.
        (self.host.zfs / "datasets" / "tank%2Fhex" / "keystatus").write_text("unavailable")
        self.host.out("lock", "--all")
        self.assertEqual(self.host.get("tank/hex", "mounted"), "no")
        self.assert_all_locked()

    def test_unmount_of_one_volume_leaves_the_others(self):
        self.mount()
        self.host.out("unmount", "tank/raw")
        self.assertEqual(self.host.get("tank/raw", "keystatus"), "unavailable")
        self.assertEqual(self.host.get("tank/raw/child", "mounted"), "no")
        self.assertEqual(self.host.get("tank/hex", "mounted"), "yes")

    def test_what_is_in_use_stays_open_and_is_named(self):
        self.mount()
        (self.host.zfs / "datasets" / "tank%2Fraw" / "mount-error").write_text("pool or dataset is busy")
        self.assertIn("busy", self.host.error("unmount", code=3))
        self.assertEqual(self.host.get("tank/raw", "keystatus"), "available")

    def break_zfs(self):
        (self.host.zfs / "zfs").write_text("#!/bin/sh\necho 'The ZFS modules are not loaded.' >&2\nexit 1\n")

    def test_status_is_silent_of_a_kind_that_the_machine_has_not(self):
        self.break_zfs()
        out, err = self.host.run("status", "--json")
        self.assertEqual((json.loads(out)["volumes"], err), ([], b""))

    def test_what_was_taken_in_and_never_opened_has_its_name(self):
        self.mount()
        record = self.host.home / "state" / "drift.json"
        known = json.loads(record.read_text())
        known["volumes"]["data"] = known["volumes"]["tank/raw"] | {"kind": "luks", "device": "UUID=0000"}
        record.write_text(json.dumps(known))
        row = {row["volume"]: row for row in json.loads(self.host.out("status", "--json"))["volumes"]}["data"]
        self.assertEqual((row["key"], row["last_unlock"]), ("missing", None))

    def test_a_kind_that_cannot_be_told_of_hides_no_other(self):
        self.mount()
        self.break_zfs()
        record = self.host.home / "state" / "last-unlock.json"
        known = json.loads(record.read_text())
        known["volumes"]["data"] = known["volumes"]["tank/raw"] | {"kind": "luks", "device": "UUID=0000"}
        record.write_text(json.dumps(known))
        out, err = self.host.run("status", "--json", code=1)
        self.assertEqual([(row["volume"], row["key"]) for row in json.loads(out)["volumes"]], [("data", "missing")])
        self.assertIn(b"not loaded", err)
        self.assertIn("not loaded", self.host.error("unmount"))


class Renamed(Case):
    """A pool that came back under another name (`zpool import tank vault`), and filesystems that `zfs rename` moved."""

    def zfs_rename(self, name, new):
        datasets = self.host.zfs / "datasets"
        for folder in list(datasets.iterdir()):
            whole = folder.name.replace("%2F", "/")
            if whole != name and not whole.startswith(name + "/"):
                continue
            root = folder / "encryptionroot"
            if root.read_text().startswith(name):
                root.write_text(new + root.read_text()[len(name):])
            folder.rename(datasets / (new + whole[len(name):]).replace("/", "%2F"))

    def rename(self, *words, **how):
        return self.host.run("volume", "rename", "-k", "-", *words, stdin=self.host.key.encode(), **how)

    def error(self, *words, code=1):
        return self.rename(*words, code=code)[1].decode()

    def listed(self):
        volumes = json.loads(self.host.out("volume", "list", "-k", "-", "-p", "--json", stdin=self.host.key.encode()))
        return {volume["name"]: volume["key"] for volume in volumes}

    def test_a_renamed_pool_is_followed_and_opens(self):
        before = self.listed()
        self.zfs_rename("tank", "vault")
        told = self.host.error("mount", "-k", "-", stdin=self.host.key.encode(), code=1)
        self.assertIn("zkv volume rename tank NEW", told)
        out = self.rename("tank", "vault")[0].decode()
        self.assertIn("Renamed tank/hex/nested to vault/hex/nested", out)
        self.assertEqual(self.listed(), {"vault" + name[4:]: key for name, key in before.items()})
        self.host.out("mount", "-k", "-", stdin=self.host.key.encode())
        self.assertEqual(self.host.get("vault/words", "keystatus"), "available")

    def last_unlocks(self):
        return {row["volume"]: row["last_unlock"] for row in json.loads(self.host.out("status", "--json"))["volumes"]}

    def test_the_last_unlock_goes_along(self):
        self.host.out("mount", "-k", "-", stdin=self.host.key.encode())
        self.host.out("unmount")
        before = self.last_unlocks()
        self.assertNotIn(None, before.values())
        self.zfs_rename("tank", "vault")
        self.rename("tank", "vault")
        self.assertEqual(self.last_unlocks(), {"vault" + name[4:]: when for name, when in before.items()})

    def test_one_filesystem_goes_without_its_neighbours(self):
        self.zfs_rename("tank/words", "tank/letters")
        self.rename("tank/words", "tank/letters")
        self.assertEqual(set(self.listed()), {"tank/hex", "tank/hex/nested", "tank/raw", "tank/letters"})

    def test_no_key_goes_without_a_word_whatever_is_seen_of_its_filesystem(self):
        def refused():
            told = self.host.error("volume", "remove", "-k", "-", "tank/words", stdin=self.host.key.encode())
            self.assertIn("zkv volume rename tank/words NEW", told)
            self.assertIn("tank/words", self.listed())

        refused()
        self.zfs_rename("tank/words", "tank/letters")
        refused()
        self.host.add_dataset("tank/words")
        refused()
        (self.host.zfs / "datasets" / "tank%2Fletters").rename(self.host.zfs / "away")
        refused()
        self.host.out("volume", "remove", "--force", "-k", "-", "tank/words", stdin=self.host.key.encode())
        self.assertNotIn("tank/words", self.listed())

    def convert(self):
        self.host.out("repository", "convert", "-k", "-", stdin=self.host.key.encode())

    def test_nor_by_the_words_of_the_seed(self):
        self.convert()
        before = self.listed()

        def refused(*words, complaint):
            self.assertIn(complaint, self.host.error("fs", *words, "-k", "-", stdin=self.host.key.encode() + b"\nwrong words\n"))
            self.assertEqual(self.listed(), before)

        refused("remove", "tank/words", complaint="nothing else may open tank/words")
        refused("add", "-f", "tank/words", "-", complaint="zkv volume add --force --no-test tank/words")
        right = self.listed()["tank/words"]
        self.host.out("fs", "add", "-f", "-k", "-", "tank/words", "-", stdin=f"{self.host.key}\n{right}\n".encode())
        self.assertEqual(self.listed(), before)
        self.host.out("fs", "remove", "-f", "-k", "-", "tank/words", stdin=self.host.key.encode())
        self.assertNotIn("tank/words", self.listed())

    def test_the_words_of_the_seed_take_a_new_key_that_opens(self):
        self.convert()
        key = hashlib.pbkdf2_hmac("sha1", b"other words", host_world.SALT.to_bytes(8, "little"), host_world.ITERATIONS, 32)
        (self.host.zfs / "datasets" / "tank%2Fwords" / "wrapping-key").write_text(key.hex())
        self.host.out("fs", "add", "-f", "-k", "-", "tank/words", "-", stdin=self.host.key.encode() + b"\nother words\n")
        self.assertEqual(self.listed()["tank/words"], "other words")

    def test_a_name_under_which_no_key_can_be_tried_wants_a_word(self):
        self.convert()
        self.host.out("volume", "add", "-f", "--keep-key", "--options", "import", "-k", "-", "tank/words", stdin=self.host.key.encode())
        before = self.listed()
        self.zfs_rename("tank/words", "tank/letters")
        self.assertIn("--no-test", self.error("tank/words", "vault/words"))
        self.assertEqual(self.listed(), before)
        record = json.loads((self.host.home / "state" / "drift.json").read_text())
        self.assertNotIn("vault/words", record["volumes"])
        self.rename("--no-test", "tank/words", "vault/words")
        self.assertIn("vault/words", self.listed())

    def test_one_that_is_no_more_is_named_with_the_way_to_rename_the_others(self):
        self.zfs_rename("tank", "vault")
        (self.host.zfs / "datasets" / "vault%2Fwords").rename(self.host.zfs / "away")
        told = self.error("tank", "vault")
        self.assertIn("remove it first (zkv volume remove --force tank/words)", told)
        self.assertIn("(zkv volume rename tank/words ITS-NAME)", told)
        self.assertIn("--no-test tries the key of none of them", told)
        self.host.out("volume", "remove", "--force", "-k", "-", "tank/words", stdin=self.host.key.encode())
        self.rename("tank", "vault")
        self.assertEqual(set(self.listed()), {"vault/hex", "vault/hex/nested", "vault/raw"})

    def test_one_name_twice_renames_nothing(self):
        self.assertIn("both names are tank; nothing was renamed", self.error("tank", "tank"))

    def test_check_speaks_of_the_new_name(self):
        self.host.out("mount", "-k", "-", stdin=self.host.key.encode())
        self.zfs_rename("tank/words", "tank/letters")
        told = self.host.out("check", "--no-heartbeat", code=3)
        self.assertIn("if it has another name now: zkv volume rename tank/words NEW", told)
        self.assertIn("if it is one that is missing, under another name: zkv volume rename OLD NEW", told)
        self.rename("tank/words", "tank/letters")
        self.assertIn("Nothing was found", self.host.out("check", "--no-heartbeat"))

    def test_what_the_key_does_not_open_keeps_its_name_with_all_others(self):
        before = self.listed()
        self.zfs_rename("tank", "vault")
        wrong = self.host.zfs / "datasets" / "vault%2Fraw" / "wrapping-key"
        right = wrong.read_text()
        wrong.write_text("00" * 32)
        self.assertIn("vault/raw: the key of tank/raw does not open it; nothing was renamed", self.error("tank", "vault"))
        self.assertEqual(self.listed(), before)
        self.rename("--no-test", "tank", "vault")
        wrong.write_text(right)
        self.host.out("mount", "-k", "-", stdin=self.host.key.encode())

    def test_nothing_is_renamed_to_what_is_not_there_or_is_taken(self):
        before = self.listed()
        self.assertIn("the pool vault is not imported; nothing was renamed", self.error("tank", "vault"))
        self.assertIn("tank/raw is in the repository already", self.error("--no-test", "tank/words", "tank/raw"))
        self.assertIn("no volume tank/none", self.error("tank/none", "tank/some"))
        self.assertEqual(self.listed(), before)


if __name__ == "__main__":
    unittest.main()
