"""`zkv volume` over the dm-crypt kinds beside LUKS, in files: what libcryptsetup makes of them, and which words each kind takes.

Mapping and mounting them is tried in the guest (tests/vm/scenarios/crypt_kinds.py).
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "images"))

import bitlocker  # noqa: E402
import filevault  # noqa: E402
import truecrypt  # noqa: E402
from volume_world import Volumes  # noqa: E402

RECOVERY = bytes(range(16))
STARTUP = bitlocker.startup_key()
SHAPE = "cipher=aes-xts-plain64,size=256,hash=sha256"
VERACRYPT = "tcrypt-veracrypt,veracrypt-pim=1,hash=sha512"


class BitLocker(Volumes):
    filesystem = os.urandom(1 << 20) + bytes(1 << 20)

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.made = pathlib.Path(folder.name) / "disk"
        bitlocker.make(cls.made, cls.filesystem, "pass word", RECOVERY, STARTUP)

    def setUp(self):
        super().setUp()
        shutil.copy(self.made, self.path("disk"))
        pathlib.Path(self.path("disk.BEK")).write_bytes(STARTUP)

    def add_by_startup_key(self, bek, code=0):
        pathlib.Path(self.path("disk.BEK")).write_bytes(bek)
        return self.world.run("volume", "add", "-k", "-", "--kind", "bitlk", "--device", self.path("disk"), "--volume-key-file",
                              self.path("disk.BEK"), "--encoding", "raw", "disk", stdin=self.key.encode(), code=code)

    def test_passphrase_and_recovery_key_open(self):
        self.add("word", self.path("disk"), b"pass word\n", "--kind", "bitlk")
        shutil.copy(self.made, self.path("copy"))
        self.add("key", self.path("copy"), bitlocker.recovery_key(RECOVERY).encode() + b"\n", "--kind", "bitlk")
        self.assertEqual(self.tried(), {"word": "key-fits", "key": "key-fits"})
        self.assertEqual([volume["kind"] for volume in self.listed()], ["bitlk", "bitlk"])

    def test_a_startup_keys_file_opens(self):
        self.assertIn(b"its key fits", self.add_by_startup_key(STARTUP)[0])
        self.assertEqual(self.tried(), {"disk": "key-fits"})

    def test_a_startup_keys_file_that_is_another_or_was_changed_does_not(self):
        for name, place in (("its identifier", 16), ("its key", len(STARTUP) - 1)):
            with self.subTest(name):
                bek = bytearray(STARTUP)
                bek[place] ^= 1
                self.assertIn(b"does not open disk", self.add_by_startup_key(bytes(bek), code=1)[1])
        self.assertIn(b"does not match BEK file length", self.add_by_startup_key(STARTUP[:-1], code=1)[1])
        self.assertIn(b"does not open disk", self.add_by_startup_key(bitlocker.startup_key(), code=1)[1])
        self.assertEqual(self.listed(), [])

    def test_a_wrong_key_is_told(self):
        other = bitlocker.recovery_key(RECOVERY[::-1]).encode()
        for key in (b"pass Word\n", other + b"\n"):
            self.assertIn("does not open disk", self.error_of_add("disk", self.path("disk"), key, "--kind", "bitlk"))
        self.add("disk", self.path("disk"), b"wrong\n", "--kind", "bitlk", "--no-test")
        self.assertEqual(self.tried(code=1), {"disk": "wrong-key"})
        self.assertIn("none of its protectors", self.error_of_test())

    def test_one_that_anybody_can_make_is_not_opened(self):
        """A suspended volume has its key in the clear: whoever knows a disk's name could bring one in its place."""
        forged = pathlib.Path(self.path("forged"))
        for words in ({}, {"passphrase": "another"}, {"passphrase": "pass word"}):
            with self.subTest(**words):
                bitlocker.make(forged, self.filesystem, is_suspended=True, **words)
                if shutil.which("dislocker-file") and not words:
                    subprocess.run(["dislocker-file", "-V", forged, "-c", "--", self.path("plain")], check=True)
                    self.assertEqual(pathlib.Path(self.path("plain")).read_bytes(), self.filesystem, "it is what it is said to be")
                self.assertIn("nothing was stored", self.error_of_add("forged", str(forged), b"pass word\n", "--kind", "bitlk"))

    def test_what_is_none_is_said_to_be_none(self):
        with open(self.path("zeros"), "wb") as file:
            file.truncate(1 << 20)
        self.assertIn("holds no BitLocker header", self.error_of_add("disk", self.path("zeros"), b"key\n", "--kind", "bitlk"))
        self.assertIn("holds no LUKS header", self.error_of_add("disk", self.path("disk"), b"key\n"))

    def test_a_header_that_was_scribbled_over_is_no_more_than_an_error(self):
        self.add("disk", self.path("disk"), b"pass word\n", "--kind", "bitlk")
        with open(self.path("disk"), "r+b") as file:
            file.seek(1 << 20)
            file.write(os.urandom(200))
        self.assertIn(self.tried(code=1)["disk"], ("not-a-volume", "failed"))

    @unittest.skipUnless(shutil.which("dislocker-file"), "dislocker is not installed")
    def test_another_program_reads_the_volume_that_these_tests_make(self):
        for key in (["-upass word"], ["-f", self.path("disk.BEK")]):
            with self.subTest(key=key[0]):
                subprocess.run(["dislocker-file", "-V", self.path("disk"), *key, "--", self.path("plain")], check=True)
                self.assertEqual(pathlib.Path(self.path("plain")).read_bytes(), self.filesystem)
                os.remove(self.path("plain"))

    def test_cryptsetup_takes_the_startup_keys_file_that_these_tests_make(self):
        subprocess.run(["cryptsetup", "open", "--type", "bitlk", "--test-passphrase", "--key-file", self.path("disk.BEK"), self.path("disk")],
                       check=True, env=self.world.environment)


class FileVault(Volumes):
    def test_the_passphrase_opens_and_no_other(self):
        filevault.make(self.path("disk"), os.urandom(1 << 20), b"pass word")
        self.assertIn("nothing was stored", self.error_of_add("disk", self.path("disk"), b"wrong\n", "--kind", "fvault2"))
        self.add("disk", self.path("disk"), b"pass word\n", "--kind", "fvault2")
        self.assertEqual(self.tried(), {"disk": "key-fits"})

    def test_what_is_none_is_said_to_be_none(self):
        with open(self.path("zeros"), "wb") as file:
            file.truncate(1 << 20)
        self.assertIn("holds no FileVault header", self.error_of_add("disk", self.path("zeros"), b"key\n", "--kind", "fvault2"))


def has_ciphers_of_the_kernel():
    """Without AF_ALG, libcryptsetup gives up at the first cipher that OpenSSL lacks, where with it it tries them all."""
    try:
        socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()
    except OSError:
        return False
    return True


class TrueCrypt(Volumes):
    wrong_key = ("wrong-key", "opens no header there")
    if not has_ciphers_of_the_kernel():
        wrong_key = ("failed", "Required kernel crypto interface not available")

    def add_tcrypt(self, name, device, key, options, *words, **how):
        return self.add(name, device, key, "--kind", "tcrypt", "--options", options, *words, **how)

    def assert_wrong(self, device, key, options):
        self.assertIn(b"nothing was stored", self.add_tcrypt("wrong", device, key, options, code=1)[1])
        self.add_tcrypt("wrong", device, key, options, "--no-test")
        self.assertEqual(self.tried("wrong", code=1), {"wrong": self.wrong_key[0]})
        self.assertIn(self.wrong_key[1], self.error_of_test())
        self.world.with_key(self.key, "volume", "remove", "--force", "wrong")

    def partition_of(self, disk, begin, size):
        """A loop device's partition, as the kernel has it without a table on the disk."""
        loop = subprocess.run(["losetup", "--find", "--show", disk], check=True, capture_output=True, text=True).stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", loop], check=True)
        subprocess.run(["addpart", loop, "1", str(begin // 512), str(size // 512)], check=True)
        self.addCleanup(subprocess.run, ["delpart", loop, "1"], check=True)
        return f"{loop}p1"

    def test_its_volumes_open(self):
        truecrypt.make(self.path("disk"), b"outer", 2 << 20, hidden=b"inner")
        self.add_tcrypt("outer", self.path("disk"), b"outer\n", "hash=sha512")
        self.add_tcrypt("inner", self.path("disk"), b"inner\n", "hash=sha512,tcrypt-hidden")
        self.add_tcrypt("backup", self.path("disk"), b"outer\n", "hash=sha512,tcrypt-backup")
        self.assertEqual(set(self.tried().values()), {"key-fits"})

    def test_veracrypts_open_with_key_files_and_pim(self):
        for name in ("one", "two"):
            pathlib.Path(self.path(name)).write_bytes(os.urandom(3000))
        files = [pathlib.Path(self.path(name)).read_bytes() for name in ("one", "two")]
        truecrypt.make(self.path("disk"), b"vera", 1 << 20, pim=1, key_files=files)
        self.add_tcrypt("vera", self.path("disk"), b"vera\n", "tcrypt-veracrypt,veracrypt-pim=1,hash=sha512,"
                        f"tcrypt-keyfile={self.path('one')},tcrypt-keyfile={self.path('two')}")
        self.assertEqual(self.tried(), {"vera": "key-fits"})
        os.remove(self.path("two"))
        self.assertIn(f"{self.path('two')} is not there", self.error_of_test())

    def test_a_wrong_key_or_word_opens_none(self):
        truecrypt.make(self.path("disk"), b"vera", 1 << 20, pim=1)
        for key, options in ((b"Vera\n", VERACRYPT), (b"vera\n", VERACRYPT.replace("pim=1", "pim=2")), (b"vera\n", "hash=sha512"),
                             (b"vera\n", VERACRYPT + ",tcrypt-hidden"), (b"vera\n", VERACRYPT + ",tcrypt-system")):
            with self.subTest(key=key, options=options):
                self.assert_wrong(self.path("disk"), key, options)
        self.add_tcrypt("disk", self.path("disk"), b"vera\n", VERACRYPT)

    def assert_opens_as_system(self, device):
        self.assert_wrong(device, b"System\n", VERACRYPT + ",tcrypt-system")
        self.assert_wrong(device, b"system\n", VERACRYPT)
        self.add_tcrypt("system", device, b"system\n", VERACRYPT + ",tcrypt-system")
        self.assertEqual(self.tried(), {"system": "key-fits"})

    def test_the_image_of_an_encrypted_systems_disk_opens(self):
        truecrypt.make_system(self.path("disk"), b"system", 4 << 20, 1 << 20, pim=1)
        self.assert_opens_as_system(self.path("disk"))

    @unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/dev/loop-control"), "only root makes block devices, where there are such")
    def test_an_encrypted_systems_partition_opens_by_the_header_before_it(self):
        truecrypt.make_system(self.path("disk"), b"system", 4 << 20, 1 << 20, pim=1)
        self.assert_opens_as_system(self.partition_of(self.path("disk"), 1 << 20, 3 << 20))


class Plain(Volumes):
    def setUp(self):
        super().setUp()
        with open(self.path("disk"), "wb") as file:
            file.truncate(1 << 20)

    def error_of_plain(self, options, *words, key=b"key\n"):
        return self.error_of_add("disk", self.path("disk"), key, "--kind", "plain", "--options", options, *words)

    def test_all_that_no_header_says_has_to_be_said(self):
        for options in ("", "cipher=aes-xts-plain64,size=256", "size=256,hash=sha256", "cipher=aes-xts-plain64,hash=sha256"):
            self.assertIn("cipher=, size= and hash=", self.error_of_plain(options))

    def test_values_that_cannot_be_are_refused(self):
        for option in ("cipher=aes", "cipher=-x", "size=0", "size=100", "offset=-1", "skip=x", "sector-size=513", "check=maybe"):
            self.assertIn(option.split("=")[0] + "=", self.error_of_plain(SHAPE + "," + option))
        self.assertIn("checkargs=", self.error_of_plain(SHAPE + ",check=none,checkargs=ext4"))

    def test_what_nobody_looks_at_is_neither_tried_nor_mounted(self):
        self.assertIn("nothing tells whether its key is right", self.error_of_plain(SHAPE + ",check=none"))
        self.assertIn("do not go together", self.error_of_plain(SHAPE + ",check=none", "--mount-point", "/srv", "--no-test"))

    def test_a_key_that_is_the_ciphers_own_is_long_enough(self):
        self.assertIn("shorter than the 32 bytes", self.error_of_plain("cipher=aes-xts-plain64,size=256,hash=plain"))
        self.assertIn("keyfile-offset", self.error_of_plain(SHAPE + ",keyfile-offset=3"))

    @unittest.skipIf("device-mapper" in pathlib.Path("/proc/misc").read_text(encoding="ascii"), "this machine has a device mapper")
    def test_without_a_device_mapper_no_key_is_called_right(self):
        self.assertIn("nothing was stored", self.error_of_plain(SHAPE))
        self.add("disk", self.path("disk"), b"key\n", "--kind", "plain", "--options", SHAPE, "--no-test")
        self.assertEqual(self.tried(code=1), {"disk": "failed"})


class Words(Volumes):
    def test_each_kind_knows_its_own_words_only(self):
        for kind, option in (("luks", "offset=8"), ("luks", "tcrypt-hidden"), ("bitlk", "header=/h"), ("bitlk", "volume-key"),
                             ("fvault2", "key-slot=1"), ("tcrypt", "size=256"), ("tcrypt", "cipher=aes-xts-plain64"),
                             ("plain", "tcrypt-veracrypt"), ("plain", "luks")):
            error = self.error_of_add("disk", "/dev/null", b"key\n", "--kind", kind, "--options", option)
            self.assertIn(f"'{option}' is not known for a volume of kind {kind}", error)
            self.assertIn("discard", error)

    def test_words_that_do_not_go_together_are_refused(self):
        for options, complaint in (("veracrypt-pim=5", "tcrypt-veracrypt"), ("tcrypt-hidden,tcrypt-system", "tcrypt-hidden and tcrypt-system"),
                                   ("tcrypt-keyfile=relative", "whole path"), ("tcrypt-veracrypt,veracrypt-pim=x", "veracrypt-pim=")):
            self.assertIn(complaint, self.error_of_add("disk", "/dev/null", b"key\n", "--kind", "tcrypt", "--options", options))

    def test_a_kind_that_is_none_is_told_with_those_there_are(self):
        error = self.error_of_add("disk", "/dev/null", b"key\n", "--kind", "bitlocker")
        self.assertIn("no kind of volume named bitlocker", error)
        self.assertIn("bitlk", error)


if __name__ == "__main__":
    unittest.main()
