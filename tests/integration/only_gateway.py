"""Whoever has only the gateway with its database, its vault and its keys, or only a part of them, has halves of keys at most."""

import json
import pathlib
import shutil
import sqlite3
import ssl
import tempfile
import unittest
import urllib.parse
import urllib.request

import only_world
import passkey_world
from enrolled_world import Gateway, Host, decode, encode
from gateway_world import KEY
from standins import AzureStandIn


class StolenGateway(unittest.TestCase):
    """The whole data directory, after an approval by passkey and while another request waits."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = passkey_world.Gateway()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.start()
        cls.anna = passkey_world.Approver(cls.gateway, cls.gateway.invite_approver("Anna", "--role", "owner").split("=")[1])
        cls.host = Host(cls.gateway)
        cls.addClassCleanup(cls.host.__exit__)
        cls.host.enroll(cls.gateway.invite("nas"), "--no-test")
        cls.gateway.invite("unused")
        running = cls.host.begin_mount()
        assert cls.anna.decide(cls.gateway.next_request(), "approve").status == 200
        running.end(0)
        mark = cls.gateway.log.mark()
        waiting = cls.host.begin_mount()
        cls.waiting = cls.gateway.next_request(mark)
        cls.addClassCleanup(waiting.end, 130)
        cls.addClassCleanup(waiting.stop)
        cls.stolen = pathlib.Path(tempfile.mkdtemp(prefix="zkv-stolen-"))
        cls.addClassCleanup(shutil.rmtree, cls.stolen)
        shutil.copytree(cls.gateway.data, cls.stolen, dirs_exist_ok=True, ignore=lambda _, names: [n for n in names if n.endswith(".sock")])
        with sqlite3.connect(cls.stolen / "gateway.db") as database:  # as a restart would, so that all is in one file
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        cls.files = only_world.files_of(cls.stolen)
        cls.host_files = only_world.files_of(cls.host.enrolments.parent, "zfs")
        [cls.local_share] = [data[32:] for name, data in cls.host_files.items() if name.endswith(".key")]
        cls.repository = only_world.Repository(cls.host_files[".zkv-repository"])
        [enrolled] = cls.gateway.hosts()
        cls.secret = only_world.SHARE_OF + enrolled["id"]

    def vault(self):
        return only_world.vault_of(self.stolen / "gateway.db", [self.files["master.key"]])

    def test_it_has_the_vaults_share_but_not_the_hosts_and_not_with_the_repository_either(self):
        share = decode(self.vault()[self.secret].decode())
        everything = only_world.everything_in(self.files) | only_world.rows_of(self.stolen / "gateway.db")
        everything = everything.union(*map(only_world.decoded, everything))
        self.assertEqual(only_world.shown(everything, [self.local_share, *self.host.keys.values()]), [])
        keys = only_world.keys_in({blob for blob in everything if len(blob) < 100_000})
        keys |= only_world.guesses([share, self.files["master.key"], self.files["identity.key"][:32], self.files["identity.key"][32:]])
        self.assertIn(self.files["master.key"], keys)
        self.assertIsNone(self.repository.by_any(keys, [share]))
        self.assertEqual(self.repository.by_any({self.local_share}, [share]), self.host.keys)

    def test_the_database_alone_has_no_share_and_opens_none(self):
        database = self.stolen / "gateway.db"
        share = decode(self.vault()[self.secret].decode())
        everything = only_world.decoded(self.files["gateway.db"]).union(*map(only_world.decoded, only_world.rows_of(database)))
        self.assertEqual(only_world.shown(everything, [share, self.local_share, self.files["master.key"], self.files["identity.key"][32:]]), [])
        self.assertEqual(only_world.shown(everything, [bytes.fromhex(self.secret[-64:])]), [bytes.fromhex(self.secret[-64:])])
        keys = only_world.keys_in({blob for blob in everything if len(blob) < 20_000}) | only_world.guesses([])
        self.assertGreater(len(keys), 1000)
        self.assertEqual(only_world.vault_of(database, keys), {})
        self.assertIn(self.secret, only_world.vault_of(database, keys | {self.files["master.key"]}))

    def test_the_database_alone_signs_nobody_in_and_enrols_nobody(self):
        before = self.gateway.audit_kinds()
        with sqlite3.connect(self.stolen / "gateway.db") as database:
            [(session,)] = database.execute("SELECT hash FROM zkv_session").fetchall()
            invites = [one for (one,) in database.execute("SELECT hash FROM zkv_invite WHERE used_by = ''")]
        database.close()
        self.assertEqual(len(invites), 1)
        self.assertEqual(self.anna.call("GET", "/v2/session").status, 200)
        for text in (session, encode(bytes.fromhex(session)), encode(bytes.fromhex(session)[:20])):
            headers = {"Origin": self.gateway.base, "Cookie": f"zkv-session={text}", "Content-Type": "application/json"}
            self.assertEqual(self.gateway.request("GET", "/v2/session", None, headers).status, 401)
            body = json.dumps({"decision": "approve"})
            self.assertEqual(self.gateway.request("POST", f"/v2/requests/{self.waiting}/challenge", body, headers).status, 401)
        for text in (invites[0], encode(bytes.fromhex(invites[0])), encode(bytes.fromhex(invites[0])[:20])):
            body = json.dumps({"invite": text})
            headers = {"Origin": self.gateway.base, "Content-Type": "application/json"}
            self.assertEqual(self.gateway.request("POST", "/v2/registrations/challenge", body, headers).status, 403)
        self.assertEqual(self.gateway.state(self.waiting), "pending")
        self.assertEqual([kind for kind in self.gateway.audit_kinds()[len(before):] if not kind.startswith("refused.")], [])


class StolenVault(unittest.TestCase):
    """All that Azure's Key Vault holds, read with the gateway's own credentials for it."""

    def read_all(self, azure):
        context = ssl.create_default_context(cafile=azure.ca)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        form = {"grant_type": "client_credentials", "client_id": azure.facts["clientId"], "client_secret": azure.facts["clientSecret"],
                "scope": azure.facts["resource"] + "/.default"}
        with opener.open(f"{azure.https}/{azure.facts['tenant']}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode()) as answer:
            headers = {"Authorization": "Bearer " + json.load(answer)["access_token"]}

        def get(path):
            with opener.open(urllib.request.Request(f"{azure.https}{path}?api-version=7.4", headers=headers)) as answer:
                return json.load(answer)

        names = [secret["id"].split("/secrets/")[1].split("/")[0] for secret in get("/secrets")["value"]]
        return {name: get(f"/secrets/{name}")["value"] for name in names}

    def test_it_has_halves_that_open_nothing_beside_the_repository(self):
        azure = self.enterContext(AzureStandIn())
        azure.put_secret("zkv-legacy", KEY)
        gateway = Gateway(environment=azure.environment() | {"ZKV_KEY_VAULT_SECRET": "zkv-legacy"}, key=None)
        self.addCleanup(gateway.close)
        gateway.start()
        host = Host(gateway)
        self.addCleanup(host.__exit__)
        host.enroll(gateway.invite("nas"), "--no-test")
        vault = self.read_all(azure)
        [enrolled] = gateway.hosts()
        self.assertEqual(set(vault), {"zkv-legacy", only_world.SHARE_OF + enrolled["id"]})
        share = decode(vault[only_world.SHARE_OF + enrolled["id"]])
        files = only_world.files_of(host.home, "zfs")
        repository = only_world.Repository(files[".zkv-repository"])
        [local_share] = [data[32:] for name, data in files.items() if name.endswith(".key")]
        keys = only_world.keys_in(only_world.everything_in({name: value.encode() for name, value in vault.items()}))
        keys |= only_world.guesses([share, bytes.fromhex(enrolled["id"]), repository.id])
        self.assertIn(share, keys)
        self.assertIsNone(repository.by_any(keys, [share]))
        self.assertEqual(repository.by_any(keys, [local_share]), host.keys)
        self.assertEqual(only_world.shown(only_world.everything_in(only_world.files_of(gateway.data)), [share]), [])


if __name__ == "__main__":
    unittest.main()
