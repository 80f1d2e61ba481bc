"""The drift guard and the drill with both real programs: what changed since the last opening is found without a key, and a drill goes a boot's whole road and opens nothing."""

import hashlib
import http.server
import json
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
import unittest

import enrolled_world
import host_world
import passkey_world
import volume_world
from only_world import SHARE_OF
from repository_world import TESTS
from standins import AzureStandIn

FINE = "Nothing was found that the next boot could founder on\n"
CHANGED = "2026-11-28.10:00:00 ioctl change-key\n    input:\n        props:\n2026-11-28.10:00:00 zfs change-key -o keyformat=raw {}\n"


class Case(passkey_world.OwnersCase):
    """A real host whose volumes were open once, beside a gateway."""

    def setUp(self):
        super().setUp()
        self.nas = enrolled_world.Host(self.gateway)
        self.addCleanup(self.nas.__exit__)
        for program in ("zpool", "systemctl"):
            shutil.copy(TESTS / "fake_zfs" / program, self.nas.zfs / program)
        self.nas.enroll(self.gateway.invite("attic"), "--no-test")
        self.key_file = self.nas.home / "key"
        self.key_file.write_text(self.nas.key)
        self.zkv("mount", "--key-file", self.key_file)
        self.units(service="LoadState=loaded\nUnitFileState=enabled\n", target="RequiredBy=\n")

    def zkv(self, *words, code=0):
        return self.nas.out(*words, code=code)

    def check(self, *words, code=0):
        return self.zkv("check", "--cafile", self.nas.cafile, *words, code=code)

    def findings(self, *words, code=3):
        told = json.loads(self.check("--json", *words, code=code))["findings"]
        return {finding["about"]: finding for finding in told}

    def set(self, name, prop, value):
        (self.nas.zfs / "datasets" / name.replace("/", "%2F") / prop).write_text(value)

    def happened(self, text):
        folder = self.nas.zfs / "history"
        folder.mkdir(exist_ok=True)
        with (folder / "tank").open("a", encoding="utf-8") as history:
            history.write(text)

    def units(self, service, target, **others):
        folder = self.nas.zfs / "units"
        folder.mkdir(exist_ok=True)
        (folder / "zfs-keyvault.service").write_text(service)
        (folder / "zfs-keyvault.target").write_text(target)
        for name, text in others.items():
            (folder / f"{name}.service").write_text(text)

    def heartbeat(self):
        [host] = [one for one in self.anna.call("GET", "/v2/hosts").json["hosts"] if one["name"] == "attic"]
        return host["heartbeat"]


class Guard(Case):
    def test_where_nothing_changed_all_is_fine_and_the_gateway_hears_it(self):
        self.assertEqual(self.check(), FINE)
        self.assertEqual((self.heartbeat()["count"], self.heartbeat()["findings"]), (0, []))
        self.assertEqual(json.loads(self.check("--json"))["gateways"][0]["share"], "there")

    def test_nothing_is_loaded_and_nobody_is_asked(self):
        before = self.nas.calls()
        self.check()
        self.assertEqual({line.split()[1] for line in self.nas.calls()[len(before):]}, {"get", "history", "list"})
        self.assertEqual(self.anna.call("GET", "/v2/requests").json["requests"], [])

    def test_a_passphrase_that_was_changed_shows_by_its_salt(self):
        self.set("tank/words", "pbkdf2salt", "99")
        found = self.findings()
        self.assertEqual(list(found), ["tank/words"])
        self.assertIn("salt", found["tank/words"]["what"])
        self.assertIn("zkv drill", found["tank/words"]["remedy"])
        self.assertEqual(self.heartbeat()["count"], 1)
        self.assertIn("tank/words", self.heartbeat()["findings"][0])

    def test_a_raw_key_that_was_changed_shows_in_the_pools_history(self):
        self.happened(CHANGED.format("tank/raw"))
        found = self.findings()
        self.assertEqual(list(found), ["tank/raw"])
        self.assertIn("2026-11-28.10:00:00", found["tank/raw"]["what"])

    def test_a_change_by_a_program_that_leaves_no_name_concerns_every_volume_whose_properties_do_not_tell(self):
        self.happened("2026-11-28.10:00:00 ioctl change-key\n2026-11-28.11:00:00 zfs snapshot tank@a\n")
        self.assertEqual(sorted(self.findings()), ["tank/hex", "tank/hex/nested", "tank/raw"])

    def test_keys_that_zkv_itself_changed_are_believed(self):
        mark = self.gateway.log.mark()
        running = self.nas.start("rotate", "--volume-keys", "--yes", "--drop", "1", "--cafile", str(self.nas.cafile), "--key-file", str(self.key_file))
        self.assertEqual(self.anna.decide(self.gateway.next_request(mark), "approve").status, 200)
        self.assertEqual(running.end(0).count("has a new key\n"), 4)
        self.assertEqual(self.nas.get("tank/words", "keyformat"), "raw")
        self.assertEqual(self.check(), FINE)
        self.happened(CHANGED.format("tank/raw"))
        self.assertEqual(list(self.findings()), ["tank/raw"], "what others change is told as ever")

    def test_a_filesystem_that_was_made_anew_or_is_gone_or_has_no_key_of_its_own_any_more(self):
        self.set("tank/raw", "guid", "7")
        shutil.rmtree(self.nas.zfs / "datasets" / "tank%2Fhex%2Fnested")
        self.set("tank/hex", "encryptionroot", "tank")
        found = self.findings()
        self.assertEqual(sorted(found), ["tank/hex", "tank/hex/nested", "tank/raw"])
        self.assertIn("guid", found["tank/raw"]["what"])
        self.assertIn("not there", found["tank/hex/nested"]["what"])
        self.assertIn("no key of its own", found["tank/hex"]["what"])

    def test_a_new_encryption_root_is_found_until_it_is_taken_in_or_accepted(self):
        self.nas.add_dataset("tank/new", keyformat="raw", keystatus="available", encryptionroot="tank/new")
        self.assertIn("not in the repository", self.findings()["tank/new"]["what"])
        self.assertIn("tank/new stays out", self.zkv("check", "--accept"))
        self.assertEqual(self.check(), FINE)
        self.nas.add_dataset("tank/newer", keyformat="raw", keystatus="available", encryptionroot="tank/newer")
        self.assertEqual(list(self.findings()), ["tank/newer"])

    def test_with_a_key_each_is_tried_and_what_fits_is_believed_from_then_on(self):
        self.happened(CHANGED.format("tank/raw"))
        self.set("tank/words", "wrapping-key", "00" * 32)
        found = self.findings("--key-file", self.key_file)
        self.assertEqual(list(found), ["tank/words"])
        self.assertIn("is not its key", found["tank/words"]["what"])
        self.assertEqual(list(self.findings()), ["tank/words"], "it is remembered without a key, too")

    def test_a_volume_that_leaves_the_repository_is_looked_for_no_more(self):
        shutil.rmtree(self.nas.zfs / "datasets" / "tank%2Fwords")
        self.assertEqual(list(self.findings()), ["tank/words"])
        self.zkv("volume", "remove", "--force", "--key-file", self.key_file, "tank/words")
        self.assertEqual(self.check(), FINE)

    def test_through_a_link_an_older_repository_and_damage_are_seen_too(self):
        older = self.nas.path.read_bytes()
        self.zkv("slot", "add", "recovery", "--key-file", self.key_file)
        (self.nas.home / "elsewhere").mkdir()
        for name in ("", ".generation", ".previous", ".enrolments"):
            (self.nas.home / f".zkv-repository{name}").rename(self.nas.home / "elsewhere" / f"keys{name}")
        self.nas.path.symlink_to("elsewhere/keys")
        self.assertEqual(self.check(), FINE)
        whole = self.nas.path.read_bytes()
        self.nas.path.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
        self.assertIn("it is damaged", self.check(code=3))
        self.nas.path.write_bytes(older)
        told = self.check(code=3)
        self.assertIn("somebody has put an older file back", told)
        self.assertNotIn("damaged", told)

    def test_an_older_repository_that_was_put_back_stays_told_though_it_opens(self):
        older = self.nas.path.read_bytes()
        self.zkv("slot", "add", "recovery", "--key-file", self.key_file)
        self.nas.path.write_bytes(older)
        salt = 77
        derived = hashlib.pbkdf2_hmac("sha1", self.nas.keys["tank/words"], salt.to_bytes(8, "little"), host_world.ITERATIONS, 32)
        for prop, value in (("pbkdf2salt", str(salt)), ("wrapping-key", derived.hex()), ("keystatus", "unavailable")):
            self.set("tank/words", prop, value)
        self.zkv("mount", "--key-file", self.key_file)
        self.assertIn("somebody has put an older file back", self.check(code=3))

    def test_what_an_older_repository_lacks_is_missed_once_that_was_written_to(self):
        older = self.nas.path.read_bytes()
        self.nas.add_dataset("tank/new", keyformat="raw", keystatus="available", encryptionroot="tank/new")
        (self.nas.home / "new-key").write_bytes(b"n" * 32)
        self.zkv("fs", "add", "--key-file", self.key_file, "--fs-key-file", "new-key", "tank/new")
        for write in (lambda: self.zkv("slot", "add", "recovery", "--key-file", self.key_file),
                      lambda: self.nas.enroll(self.gateway.invite("attic-again"), "--no-test")):
            self.nas.path.write_bytes(older)
            write()
            self.assertIn("not in the repository", self.findings()["tank/new"]["what"])

    def test_what_cannot_be_stored_is_looked_for_by_nobody(self):
        seed = str(self.nas.home / "seed")
        key = self.nas.out("--repository", seed, "fs", "init", "-m", "--format", "seed").strip()
        (self.nas.home / "seed-key").write_text(key)
        record = (self.nas.home / "state" / "drift.json")
        record.unlink()
        self.zkv("--repository", seed, "fs", "add", "--key-file", "seed-key", "--fs-key-file", "seed-key", "tank/raw")
        self.assertIn("cannot hold", self.nas.error("--repository", seed, "volume", "add", "--no-test", "--device", "/dev/disk/by-id/none",
                                                    "--key-file", "seed-key", "--volume-key-file", "seed-key", "data"))
        self.assertFalse(record.exists())

    def test_on_a_machine_that_never_opened_its_volumes_are_no_strangers(self):
        self.nas.environment["STATE_DIRECTORY"] = str(self.nas.home)
        self.nas.add_dataset("tank/new", keyformat="raw", keystatus="available", encryptionroot="tank/new")
        self.assertIn("tank/new stays out", self.zkv("check", "--accept"))
        (self.nas.home / "new-key").write_text("k" * 32)
        self.zkv("fs", "add", "--key-file", self.key_file, "--fs-key-file", "new-key", "tank/new")
        self.assertEqual(json.loads((self.nas.home / "drift.json").read_text())["accepted"], [])
        (self.nas.home / "drift.json").unlink()
        self.zkv("fs", "add", "-f", "--key-file", self.key_file, "--fs-key-file", "new-key", "tank/new")
        self.assertEqual(sorted(json.loads((self.nas.home / "drift.json").read_text())["volumes"]),
                         ["tank/hex", "tank/hex/nested", "tank/new", "tank/raw", "tank/words"])

    def test_another_repository_that_is_opened_here_takes_nothing_from_what_is_known(self):
        other = str(self.nas.home / "other")
        key = self.nas.out("--repository", other, "fs", "init", "-m", "--format", "2").strip()
        (self.nas.home / "other-key").write_text(key)
        self.zkv("--repository", other, "volume", "add", "--no-test", "--key-file", "other-key", "--volume-key-file", "other-key", "pool/other")
        self.nas.run("--repository", other, "unlock", "--key-file", "other-key", code=1)
        self.zkv("--repository", other, "volume", "remove", "--force", "--key-file", "other-key", "pool/other")
        self.assertEqual(self.check(), FINE)
        self.assertIn("tank/words", (self.nas.home / "state" / "last-unlock.json").read_text())
        self.assertIn(f"Note: {other}: what this machine opened last is another repository, {self.nas.path}",
                      self.zkv("--repository", other, "check", "--no-heartbeat"))
        record = self.nas.home / "state" / "drift.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | {"repository": other}))
        self.assertIn("another repository", self.findings()[str(self.nas.path)]["what"])

    def test_a_repository_from_a_backup_makes_strangers_of_nothing_before_it_was_opened(self):
        (self.nas.home / "state" / "drift.json").unlink()
        (self.nas.enrolments / "volumes.json").unlink()
        [finding] = self.findings().values()
        self.assertIn("never opened on this machine", finding["what"])
        self.assertIn("never opened on this machine", self.nas.error("check", "--accept"))
        self.check("--key-file", self.key_file)
        self.assertEqual(self.check(), FINE)

    def test_an_enrolment_that_is_gone(self):
        shutil.rmtree(self.nas.enrolments)
        [finding] = self.findings().values()
        self.assertIn("there is no enrolment with the gateway whose share opens slot", finding["what"])
        self.assertIn("zkv enroll LINK", finding["remedy"])

    def test_an_open_folder_and_a_readable_key(self):
        self.nas.enrolments.chmod(0o755)
        self.assertIn("chmod 700", self.findings()["enrolments"]["remedy"])
        self.nas.enrolments.chmod(0o700)
        [key] = self.nas.enrolments.glob("*.key")
        key.chmod(0o644)
        self.assertEqual(len(self.findings()), 1)

    def test_a_gateway_that_is_down_has_no_share_or_knows_this_host_no_more(self):
        self.gateway.change_database("DELETE FROM zkv_secret")
        [finding] = self.findings().values()
        self.assertIn("does not give this host's share", finding["what"])
        self.gateway.command("host", "revoke", "attic", "--yes")
        [finding] = self.findings().values()
        self.assertIn("refuses this host", finding["what"])
        self.gateway.stop()
        self.assertEqual(len(self.findings()), 1)
        self.assertEqual(self.check("--no-heartbeat"), FINE)
        self.gateway.start()

    def test_what_the_record_holds_is_no_key_and_only_its_owners(self):
        record = self.nas.home / "state" / "drift.json"
        self.assertEqual(record.stat().st_mode & 0o777, 0o600)
        text = record.read_text()
        for name, key in self.nas.keys.items():
            self.assertIn(name, text)
            for form in (key.decode(), key.hex(), hashlib.sha256(key).hexdigest(),
                         host_world.wrapping_key(self.nas.get(name, "keyformat"), key).hex(), self.nas.get(name, "wrapping-key")):
                self.assertNotIn(form, text)

    def test_a_damaged_record_is_told_and_made_anew(self):
        (self.nas.home / "state" / "drift.json").write_text("{}")
        self.assertIn("drift.json", str(self.findings()))
        self.check("--key-file", self.key_file)
        self.assertEqual(self.check(), FINE)


class Certificates(unittest.TestCase):
    def test_one_that_ends_soon_is_told_here_and_to_the_gateway(self):
        with enrolled_world.Gateway() as gateway, enrolled_world.Host(gateway) as nas:
            nas.enroll(gateway.invite("attic"), "--no-test")
            soon = host_world.make_certificate(nas.home, "soon", "IP:127.0.0.1,DNS:localhost", days=3)
            gateway.use_certificate(soon)
            told = json.loads(nas.out("check", "--cafile", soon, "--json", code=3))
            self.assertIn("its TLS certificate ends soon", str(told["findings"]))
            self.assertRegex(told["gateways"][0]["certificate_ends"], r"^20\d\d-")
            [host] = gateway.hosts()
            self.assertIn("its TLS certificate ends soon", str(host["heartbeat"]["findings"]))


class Vaults(unittest.TestCase):
    """The gateway keeps the host's share in Azure, where secrets can have an end."""

    def test_a_share_that_expires_soon_is_told(self):
        azure = self.enterContext(AzureStandIn())
        azure.put_secret("zkv-legacy", "nobody's key")
        environment = azure.environment() | {"ZKV_KEY_VAULT_SECRET": "zkv-legacy"}
        with enrolled_world.Gateway(environment=environment, key=None) as gateway, enrolled_world.Host(gateway) as nas:
            nas.enroll(gateway.invite("attic"), "--no-test")

            def check(code):
                told = json.loads(nas.out("check", "--cafile", gateway.authority.certificate, "--json", code=code))
                return str(told["findings"]), told["gateways"][0]["share_expires"]

            found, ends = check(3)  # Nothing was opened here yet.
            self.assertNotIn("share", found)
            self.assertEqual(ends, "")
            [host] = gateway.hosts()
            azure.put_secret(SHARE_OF + host["id"], "half a key", exp=int(time.time()) + 3 * 86400)
            found, ends = check(3)
            self.assertIn("this host's share in its vault ends soon", found)
            self.assertRegex(ends, r"^20\d\d-")


class OlderGateway(Case):
    """One whose statement does not say what it knows: it would take a drill for a boot."""

    def setUp(self):
        super().setUp()
        key, asked = enrolled_world.Ed25519Key(), []
        identity = hashlib.sha256(key.public).hexdigest()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = {"gateway": identity, "signing": enrolled_world.encode(key.public), "sealing": enrolled_world.encode(bytes(32)),
                        "name": "older", "time": int(time.time() * 1000)}
                text = json.dumps(enrolled_world.sign(enrolled_world.GATEWAY_TYPE, body, key)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_POST(self):
                asked.append(self.path)
                self.send_error(404)

            def log_message(self, *_):
                pass

        server = host_world.QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.asked = asked
        [path] = [path for path in self.nas.enrolments.glob("*.json") if len(path.stem) == 64]
        said = json.loads(path.read_text()) | {"gateway": identity, "address": f"http://127.0.0.1:{server.server_address[1]}"}
        path.unlink()
        (self.nas.enrolments / f"{identity}.json").write_text(json.dumps(said))
        repository = self.nas.path.read_bytes()
        self.assertIn(bytes.fromhex(path.stem), repository)
        self.nas.path.write_bytes(repository.replace(bytes.fromhex(path.stem), bytes.fromhex(identity)))

    def test_is_not_asked_for_a_drill(self):
        self.assertIn("knows no drills", self.nas.error("drill"))
        self.assertEqual(self.asked, [])

    def test_is_told_nothing_and_that_is_no_finding(self):
        told = json.loads(self.zkv("check", "--json", code=3))
        [finding] = told["findings"]
        self.assertIn("somebody changed it", finding["what"], "the slot became the older one's")
        self.assertIn("older than heartbeats", str(told["notes"]))
        self.assertEqual(self.asked, [])


class Drill(Case):
    def tree(self):
        """Of everything but what a drill is to remember."""
        left_out = {"calls", "environments", "drift.json", "drift.json.lock"}
        return {path: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.nas.home.rglob("*")) if path.is_file() and path.name not in left_out}

    def drill(self, decide="approve"):
        mark = self.gateway.log.mark()
        running = self.nas.start("drill", "--cafile", str(self.nas.cafile))
        running.await_line("waiting for approval")
        request = self.gateway.next_request(mark)
        if decide:
            self.assertEqual(self.anna.decide(request, decide).status, 200)
        return running

    def test_a_machine_that_would_come_back_and_nothing_is_changed(self):
        self.zkv("unmount")
        before = self.tree()
        told = self.drill().end(0)
        self.assertIn("This machine would come back after a reboot: 4 volumes would open", told)
        self.assertEqual(told.count("its key fits"), 4)
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.nas.get("tank/raw", "keystatus"), "unavailable")
        self.assertIn("The last drill went well at", self.zkv("status"))
        self.assertIsNotNone(json.loads(self.zkv("status", "--json"))["last_drill"])
        self.assertIn("acknowledged", self.gateway.command("request", "list", "--all"))

    def test_a_wrong_key_and_a_missing_volume_are_found_while_all_is_open(self):
        self.set("tank/raw", "wrapping-key", secrets.token_hex(32))
        shutil.rmtree(self.nas.zfs / "datasets" / "tank%2Fwords")
        told = self.drill().end(3)
        self.assertIn("This machine would NOT come back", told)
        self.assertIn("- tank/raw: the key in the repository is not its key", told)
        self.assertIn("- tank/words: it does not exist", told)
        self.assertNotIn("last drill went well", self.zkv("status"))

    def test_denied_it_says_so_and_remembers_nothing(self):
        self.drill(decide="deny").end(4)
        self.assertNotIn("last drill went well", self.zkv("status"))

    def test_a_person_who_gives_up_takes_the_request_back(self):
        running = self.drill(decide=None)
        running.stop(signal.SIGINT)
        running.end(130)
        self.assertIn("cancelled", self.gateway.command("request", "list", "--all"))

    def test_beside_a_boot_that_waits_it_ends_at_once(self):
        waiting = self.nas.begin_mount()
        waiting.await_line("waiting for approval")
        self.assertIn("waits for somebody already", self.nas.error("drill", "--cafile", self.nas.cafile))
        waiting.stop(signal.SIGINT)
        waiting.end(130)

    def with_key(self, code=3):
        return json.loads(self.zkv("drill", "--key-file", self.key_file, "--json", code=code))

    def test_with_a_key_nobody_is_asked(self):
        self.assertTrue(self.with_key(0)["comes_back"])
        self.assertEqual(self.anna.call("GET", "/v2/requests").json["requests"], [])

    def test_a_service_that_is_masked_disabled_or_unknown_asks_nobody(self):
        for state, word in (("LoadState=masked\n", "masked"), ("LoadState=loaded\nUnitFileState=disabled\n", "not enabled"),
                            ("LoadState=not-found\n", "does not know")):
            self.units(service=state, target="RequiredBy=\n")
            [finding] = self.with_key()["findings"]
            self.assertIn(word, finding["what"])
            self.assertEqual(finding["about"], "zfs-keyvault.service")

    def test_what_waits_for_the_volumes_and_cannot_start(self):
        self.units("LoadState=loaded\nUnitFileState=enabled\n", "RequiredBy=postgresql.service nginx.service\n",
                   postgresql="LoadState=masked\n", nginx="LoadState=loaded\n")
        [finding] = self.with_key()["findings"]
        self.assertEqual(finding["about"], "postgresql.service")

    def test_without_systemd_it_says_that_units_were_not_looked_at(self):
        shutil.rmtree(self.nas.zfs / "units")
        self.assertIn("units were not looked at", str(self.with_key(0)["notes"]))

    def test_a_mount_point_that_is_a_file(self):
        place = self.nas.home / "place"
        place.write_text("in the way")
        self.set("tank/raw", "mountpoint", str(place))
        [finding] = self.with_key()["findings"]
        self.assertIn("is no directory", finding["what"])


class Luks(volume_world.Volumes):
    """Real headers in files, made by cryptsetup."""

    CHEAP = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]

    def cryptsetup(self, *words, stdin=b""):
        subprocess.run(["cryptsetup", "--batch-mode", *words], input=stdin, check=True, env=self.world.environment, capture_output=True)

    def add_image(self, kind, *words):
        device = self.path(f"{kind}.img")
        with open(device, "wb") as file:
            file.truncate(20 << 20)
        self.cryptsetup("luksFormat", "--type", kind, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", device, "-", stdin=b"right")
        self.add(kind, device, b"right\n", *words)
        (self.world.home / "other").write_bytes(b"other")
        return device

    def findings(self, code=3):
        told = json.loads(self.world.out("check", "--json", code=code))["findings"]
        return {finding["about"]: finding["what"] for finding in told}

    def test_a_key_slot_that_is_added_changes_nothing_and_one_that_is_changed_or_gone_does(self):
        for kind in ("luks1", "luks2"):
            with self.subTest(kind):
                device = self.add_image(kind)
                self.assertEqual(self.findings(0), {})
                self.cryptsetup("luksAddKey", *self.CHEAP, "--key-file", "-", device, self.path("other"), stdin=b"right")
                self.assertEqual(self.findings(0), {}, "somebody else may have a key as well")
                self.cryptsetup("luksKillSlot", device, "0", "--key-file", self.path("other"))
                self.assertIn("key slot 0 is gone", self.findings()[kind])
                self.world.with_key(self.key, "volume", "remove", "--force", kind)

    def test_a_device_that_was_made_anew_is_damaged_or_gone(self):
        device = self.add_image("luks2")
        self.cryptsetup("luksFormat", *self.CHEAP, device, "-", stdin=b"right")
        self.assertIn("is another", self.findings()["luks2"])
        with open(device, "r+b") as file:
            file.write(bytes(4096))
        self.assertIn("is gone", self.findings()["luks2"])
        os.remove(device)
        self.assertIn("not there", self.findings()["luks2"])

    def test_damage_in_the_area_of_a_key_slot_is_seen(self):
        device = self.add_image("luks2")
        with open(device, "r+b") as file:
            file.seek(32_768 + 1_000)
            file.write(b"damage")
        self.assertIn("key slot 0 is another", self.findings()["luks2"])

    def test_where_the_options_name_a_key_slot_others_do_not_matter(self):
        device = self.add_image("luks2")
        self.cryptsetup("luksAddKey", *self.CHEAP, "--key-file", "-", device, self.path("other"), stdin=b"right")
        self.add("luks2", device, b"right\n", "--options", "key-slot=0", "--force")
        self.cryptsetup("luksKillSlot", device, "1", "--key-file", "-", stdin=b"right")
        self.assertEqual(self.findings(0), {})


if __name__ == "__main__":
    unittest.main()
