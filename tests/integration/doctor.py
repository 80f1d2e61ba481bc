"""`zkv doctor` at a machine whose root directory is made up, and its gateways at this one."""

import json
import os
import pathlib
import tempfile
import unittest

from host_world import Host, SeedGateway, free_port, make_certificate

UNIT = "[Unit]\nAfter=network.target\n[Service]\nTimeoutStartSec=15min\nLimitMEMLOCK=64M\n"
CACHE = "tank/home\t/home\ton\ton\ton\ton\ton\toff\ton\toff\ttank/home\tprompt" + "\t-" * 8 + "\n"


class Image(unittest.TestCase):
    """A root directory of its own, on which all is well but that nobody is to be asked."""

    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.root = self.host.home / "image"
        self.write("lib/systemd/system/zfs-keyvault.service", UNIT)
        self.write("lib/systemd/system/systemd-timesyncd.service", "[Service]\n")
        self.link("multi-user.target.wants/zfs-keyvault.service", "/lib/systemd/system/zfs-keyvault.service")
        self.link("sysinit.target.wants/systemd-timesyncd.service", "/lib/systemd/system/systemd-timesyncd.service")
        self.write("etc/default/zfs-keyvault", "GATEWAY_URI=https://kv.example\n")
        self.write("var/lib/zkv/last-unlock.json", json.dumps({"volumes": {
            "tank/home": self.last("zfs"), "data": self.last("luks", device="UUID=12", mountpoint="/srv/data")}}))
        key = self.host.out("--repository", "new", "fs", "init", "-m", "--format", "2").strip()
        (self.host.home / "new").rename(self.root / "var/lib/zkv/repository")
        self.key = key

    @staticmethod
    def last(kind, **settings):
        return {"kind": kind, "tried": 0, "result": "opened", "opened": 0, "device": "", "mountpoint": "", "options": "", "program": "",
                **settings}

    def write(self, path, text, mode=0o644):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        return file

    def link(self, path, target):
        file = self.root / "etc/systemd/system" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)

    def found(self, code=3):
        """id → finding."""
        told = json.loads(self.host.out("doctor", "--root", self.root, "--json", code=code))
        return {finding["id"]: finding for finding in told["findings"]}

    def test_nothing_is_found_where_all_is_well(self):
        self.assertEqual(self.found(code=0), {})
        told = self.host.out("doctor", "--root", self.root)
        self.assertIn("found nothing to mend", told)
        self.assertIn("image of a machine that does not run", told)

    def found_on_a_small_disk(self, fill):
        """With the repository's folder on 16 MiB, of which `fill`, a shell command in it, takes some."""
        folder = self.root / "var/lib/zkv"
        kept = folder.rename(self.host.home / "kept")
        folder.mkdir()
        script = f'mount -t tmpfs -o size=16m,nr_inodes=64,mode=755 none {folder} && cp -a {kept}/. {folder} && cd {folder} && {{ {fill}; cd /; exec "$@"; }}'
        told = self.host.run("doctor", "--root", self.root, "--json", before=("unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"))[0]
        kept.rename(folder)
        return [finding["id"] for finding in json.loads(told)["findings"]]

    def test_a_disk_that_is_full(self):
        self.assertEqual(self.found_on_a_small_disk("true"), [])
        self.assertEqual(self.found_on_a_small_disk("head -c 13m /dev/zero >filler"), ["disk-full"])
        self.assertEqual(self.found_on_a_small_disk("seq 100 | xargs touch 2>/dev/null"), ["disk-full"])

    def test_an_initramfs_that_is_older_than_what_it_holds_a_copy_of(self):
        now = 1_700_000_000
        os.utime(self.root / "var/lib/zkv/repository", (now, now))
        os.utime(self.root / "etc/default/zfs-keyvault", (now, now))
        for name, age in (("initrd.img-6.1", 10), ("vmlinuz-6.1", 10), ("initrd.img-6.12", -10), ("vmlinuz-6.12", 10), ("initrd.img-6.1.bak", 10),
                          ("initrd.img-5.10", 10)):
            os.utime(self.write(f"boot/{name}", ""), (now - age, now - age))
        self.assertEqual(self.found(code=0), {}, "nothing of zkv is in it")
        self.write("usr/share/initramfs-tools/hooks/zkv", "")
        found = self.found()
        self.assertEqual(list(found), ["initramfs-old"])
        self.assertTrue(found["initramfs-old"]["where"].endswith("/boot/initrd.img-6.1"))
        os.utime(self.root / "boot/initrd.img-6.1", (now, now))
        self.assertEqual(self.found(code=0), {})
        os.utime(self.root / "etc/default/zfs-keyvault", (now + 5, now + 5))
        self.assertEqual(list(self.found()), ["initramfs-old"])

    def test_a_unit_that_is_masked_in_the_image(self):
        self.link("zfs-keyvault.service", "/dev/null")
        self.assertIn("systemctl unmask", self.found()["service-masked"]["remedy"])

    def test_a_unit_of_the_python_tool_that_is_over_the_packages(self):
        mends = "rm /etc/systemd/system/zfs-keyvault.service && systemctl daemon-reload && systemctl reenable zfs-keyvault.service"
        over = self.write("etc/systemd/system/zfs-keyvault.service",
                          "[Service]\nType=oneshot\nEnvironmentFile=-/etc/sysconfig/zfs-keyvault\nExecStart=/usr/bin/zkv mount \"$GATEWAY_URI\"\n")
        found = self.found()
        self.assertEqual(list(found), ["service-replaced"])
        self.assertEqual(found["service-replaced"]["remedy"], mends)
        self.assertEqual(found["service-replaced"]["where"], "/etc/systemd/system/zfs-keyvault.service")
        packaged = self.root / "lib/systemd/system/zfs-keyvault.service"
        packaged = packaged.rename(packaged.with_suffix(".away"))
        self.assertEqual(self.found()["service-replaced"]["remedy"], "apt install --reinstall zkv && " + mends)
        packaged.rename(self.root / "lib/systemd/system/zfs-keyvault.service")
        over.write_text("[Service]\nExecStart=/usr/bin/zkv agent $GATEWAY_URI\n", encoding="utf-8")
        self.assertEqual(self.found(code=0), {})
        over.unlink()
        self.write("etc/systemd/system/zfs-keyvault.service.d/own.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/zkv mount\n")
        self.assertEqual(self.found(code=0), {})

    def test_a_link_that_begins_with_a_slash_stays_in_the_image(self):
        (self.root / "lib/systemd/system/zfs-keyvault.service").unlink()
        self.write("opt/units/zfs-keyvault.service", UNIT + "[Unit]\nBefore=local-fs.target\n")
        (self.root / "lib/systemd/system/zfs-keyvault.service").symlink_to("/opt/units/zfs-keyvault.service")
        self.assertEqual(list(self.found()), ["service-too-early"])

    def test_drop_ins_are_read(self):
        self.write("etc/systemd/system/zfs-keyvault.service.d/early.conf", "[Unit]\nBefore=sysinit.target\n")
        self.assertEqual(list(self.found()), ["service-too-early"])
        self.write("etc/systemd/system/zfs-keyvault.service.d/early.conf", "[Service]\nLimitMEMLOCK=1M\n")
        self.assertEqual(list(self.found()), ["service-memory"])
        self.write("etc/systemd/system/zfs-keyvault.service.d/later.conf", "[Service]\nLimitMEMLOCK=64M\n")
        self.assertEqual(self.found(code=0), {})

    def test_drop_ins_for_a_prefix_and_for_a_type_are_read_and_the_nearest_of_a_name_counts(self):
        little = "[Service]\nLimitMEMLOCK=1M\n"
        for folder in ("zfs-.service.d", "service.d"):
            with self.subTest(folder):
                self.write(f"etc/systemd/system/{folder}/memory.conf", little)
                self.assertEqual(list(self.found()), ["service-memory"])
                self.write("usr/lib/systemd/system/zfs-keyvault.service.d/memory.conf", "[Service]\nLimitMEMLOCK=64M\n")
                if folder == "service.d":
                    self.assertEqual(self.found(code=0), {}, "a type's is farther away than a package's for the unit")
                (self.root / "usr/lib/systemd/system/zfs-keyvault.service.d/memory.conf").unlink()
                self.write("etc/systemd/system/zfs-keyvault.service.d/memory.conf", "[Service]\nLimitMEMLOCK=64M\n")
                self.assertEqual(self.found(code=0), {})
                (self.root / "etc/systemd/system/zfs-keyvault.service.d/memory.conf").unlink()
                (self.root / f"etc/systemd/system/{folder}/memory.conf").unlink()

    def test_tables_of_the_image_are_read(self):
        self.write("etc/crypttab", "data UUID=12 none luks\n")
        self.write("etc/fstab", "/dev/mapper/data /srv/data ext4 defaults 0 2\n")
        self.write("etc/zfs/zfs-list.cache/tank", CACHE)
        found = self.found()
        self.assertEqual(list(found), ["crypttab-asks", "fstab-stops-boot", "zfs-asks"])
        self.assertTrue(found["zfs-asks"]["page"].endswith("doctor.md#zfs-asks"))
        self.assertIn("tank/home", found["zfs-asks"]["remedy"])

    def test_a_key_file_is_named_until_it_is_gone(self):
        key = self.write("root/data.key", "not a secret\n", mode=0o600)
        for options, words in [("luks", "opens data at boot"), ("luks,noauto", "/root/data.key is still there")]:
            self.write("etc/crypttab", f"data UUID=12 /root/data.key {options}\n")
            self.assertIn(words, self.found(code=0)["crypttab-key-file"]["what"])
        key.unlink()
        self.assertEqual(self.found(code=0), {})

    def test_services_that_use_a_volume_and_do_not_wait(self):
        self.write("etc/systemd/system/db.service", "[Unit]\nRequiresMountsFor=/srv/data/db\n[Service]\n")
        self.link("multi-user.target.wants/db.service", "../db.service")
        self.assertEqual(self.found()["dependent-unbound"]["where"], "db.service")

    def test_modes_and_owners(self):
        repository = self.root / "var/lib/zkv/repository"
        repository.chmod(0o644)
        self.assertEqual(list(self.found()), ["file-readable"])
        repository.chmod(0o666)
        self.assertEqual(list(self.found()), ["file-writable"])
        repository.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(repository, 12345, 12345)
            self.assertIn("user 12345", self.found()["file-writable"]["what"])

    def test_a_key_and_a_kit_that_lie_about_are_named_and_never_shown(self):
        self.write("root/notes/key.txt", self.key + "\n", 0o600)
        self.host.out("--repository", self.root / "var/lib/zkv/repository", "recovery", "create", "--output", self.root / "root/kit.pdf",
                      "--key-file", self.root / "root/notes/key.txt")
        told = self.host.out("doctor", "--root", self.root, code=0)
        self.assertIn("note   /root/notes/key.txt: it looks like a repository's key", told)
        self.assertIn("note   /root/kit.pdf: it holds words", told)
        self.assertNotIn(self.key, told)
        self.assertEqual(list(self.found(code=0)), ["key-left-lying"])

    def test_a_copy_of_the_repository_elsewhere(self):
        (self.root / "etc/old-repository").write_bytes((self.root / "var/lib/zkv/repository").read_bytes())
        self.assertEqual(list(self.found(code=0)), ["repository-copy"])

    def test_another_repository_is_no_copy_and_nobody_is_told_to_remove_it(self):
        (self.root / "root").mkdir(exist_ok=True)
        self.host.out("--repository", self.root / "root/.zkv-repository", "fs", "init", "--format", "2", "-m")
        found = self.found(code=0)
        self.assertEqual(list(found), ["repository-other"])
        self.assertNotIn("rm ", found["repository-other"]["remedy"])
        (self.root / "var/lib/zkv/repository").write_bytes(b"damaged")
        (self.root / "etc/old-repository").write_bytes((self.root / "root/.zkv-repository").read_bytes())
        self.assertNotIn("repository-copy", self.found())

    def test_hostile_names_do_not_reach_the_terminal(self):
        self.write("root/\x1b[31mkey", self.key, 0o600)
        told = self.host.out("doctor", "--root", self.root)
        self.assertNotIn("\x1b", told)

    def test_a_circle_of_links_ends(self):
        (self.root / "etc/crypttab").symlink_to("/etc/crypttab")
        (self.root / "boot").mkdir()
        (self.root / "boot/boot").symlink_to("/boot")
        self.assertEqual(self.found(code=0), {})

    def test_a_damaged_repository(self):
        (self.root / "var/lib/zkv/repository").write_bytes(b"nonsense")
        self.assertIn("repository-unreadable", self.found())

    def test_the_repository_that_the_settings_name(self):
        (self.root / "srv").mkdir()
        (self.root / "var/lib/zkv/repository").rename(self.root / "srv/keys")
        self.assertIn("repository-unreadable", self.found())
        self.write("etc/default/zfs-keyvault", "GATEWAY_URI=https://kv.example\nZKV_REPOSITORY=/srv/keys\n")
        self.assertEqual(self.found(code=0), {})

    def test_a_directory_that_is_no_image(self):
        with tempfile.TemporaryDirectory() as empty:
            told = json.loads(self.host.out("doctor", "--root", empty, "--json", code=3))
        self.assertIn("service-missing", [finding["id"] for finding in told["findings"]])


class Running(unittest.TestCase):
    """At this machine; only what is found of the host's own files counts, since nobody knows what else it has."""

    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.__exit__)
        self.host.init("--format", "2")
        self.folder = self.host.home / ".zkv-repository.enrolments"

    def enrol(self, address):
        """As `zkv enroll` leaves it, but for what is secret."""
        self.folder.mkdir(mode=0o700)
        shown = json.loads(self.host.out("repository", "show", "--json"))
        enrolment = {"address": address, "gateway": "11" * 32, "host": "22" * 32, "name": "nas", "repository": shown["id"], "slot": 1,
                     "tpm": False}
        (self.folder / f"{enrolment['gateway']}.json").write_text(json.dumps(enrolment), encoding="utf-8")

    def found(self, *words):
        told = json.loads(self.host.run("doctor", "--json", *words, code=3)[0])
        return {finding["id"]: finding for finding in told["findings"]}

    def of_gateways(self, *words):
        return {name: finding for name, finding in self.found(*words).items() if name.startswith("gateway-")}

    def test_it_changes_nothing(self):
        before = sorted(path.name for path in self.host.home.iterdir())
        self.assertIn("nobody-to-ask", self.found())
        self.assertEqual(sorted(path.name for path in self.host.home.iterdir()), before)

    def test_a_name_that_nobody_knows(self):
        self.enrol("https://gateway.invalid")
        self.assertEqual(list(self.of_gateways()), ["gateway-name"])

    def test_a_port_at_which_nobody_listens(self):
        self.enrol(f"https://127.0.0.1:{free_port()}")
        self.assertIn("connection refused", self.of_gateways()["gateway-unreached"]["what"])

    def test_a_certificate_that_is_not_trusted_and_one_that_ends(self):
        certificate = make_certificate(self.host.home, "short")
        with SeedGateway(certificate) as gateway:
            self.enrol(f"https://127.0.0.1:{gateway.port}")
            self.assertIn("self-signed", self.of_gateways()["gateway-untrusted"]["what"])
            found = self.of_gateways("--cafile", certificate)
        self.assertIn("gateway-certificate-ends", found)
        self.assertNotIn("gateway-untrusted", found)

    def test_a_key_of_the_enrolment_that_is_gone(self):
        self.enrol("https://gateway.invalid")
        told = json.loads(self.host.run("doctor", "--json", code=3)[0])
        self.assertIn(f"{'22' * 32}.key does not exist", str([one["what"] for one in told["findings"] if one["id"] == "enrolment-unusable"]))

    def test_files_of_the_enrolment_that_others_can_read(self):
        self.enrol("https://gateway.invalid")
        self.assertNotIn("file-readable", self.found())
        self.folder.chmod(0o755)
        self.assertIn("chmod go=", self.found()["file-readable"]["remedy"])

    def test_an_enrolment_for_another_repository(self):
        self.enrol("https://gateway.invalid")
        self.host.init("--format", "2", "--force")
        self.assertIn("another repository", self.found()["enrolment-unusable"]["what"])


if __name__ == "__main__":
    unittest.main()
