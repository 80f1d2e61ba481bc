"""Directories of gocryptfs and fscrypt and a secret in memory, opened by the same approval as ZFS; who depends on them, and how they end."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
ZKV = "zkv {} --key-file /root/recovery-key"

# photos lies on an encrypted ZFS filesystem, so that it opens and ends after that; fscrypt wants a filesystem made for it.
MAKE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)
mkdir /tank/raw/.photos
printf 'correct horse' | gocryptfs -q -init -scryptn 10 /tank/raw/.photos
mkfs.ext4 -q -O encrypt -L private /dev/disk/by-id/virtio-spare
mkdir /srv/private
echo 'LABEL=private /srv/private ext4 defaults 0 2' >>/etc/fstab
mount /srv/private
fscrypt setup --time=1ms --quiet --force
fscrypt setup --quiet /srv/private
mkdir /srv/private/papers
printf 'battery staple\\n' | fscrypt encrypt --quiet --source=custom_passphrase --name=papers /srv/private/papers
echo 'content of papers' >/srv/private/papers/file
fscrypt lock --quiet /srv/private/papers
useradd --system reader
cat >/etc/systemd/system/reader.service <<'END'
[Unit]
Requires=zfs-keyvault.target
After=zfs-keyvault.target
[Service]
Type=oneshot
RemainAfterExit=yes
User=reader
ExecStart=/bin/sh -c 'cat /run/secrets/token >/run/reader/token; cat /srv/photos/file >/run/reader/photos'
ExecStop=+/bin/cp /srv/photos/file /var/lib/read-at-the-end
RuntimeDirectory=reader
[Install]
WantedBy=multi-user.target
END
systemctl enable reader.service
"""
ADD = """
set -euo pipefail
add() { zkv volume add --key-file /root/recovery-key --volume-key-file - "$@"; }
printf 'correct horse' | add --program gocryptfs --device /tank/raw/.photos --mount-point /srv/photos photos
printf 'battery staple' | add --program fscrypt --device /srv/private/papers --no-test papers
printf 's3cret' | add --kind secret --mount-point /run/secrets/token --options owner=reader,mode=0400 token
"""


class Loaders(Scenario):
    spare = "64M"

    def assert_closed(self, guest):
        guest.check("test ! -e /srv/photos/file && test ! -e /srv/private/papers/file && test ! -e /run/secrets/token")

    def assert_all_open(self, guest):
        self.assertEqual(guest.check("cat /srv/photos/file /srv/private/papers/file"), "content of photos\ncontent of papers\n")
        self.assertEqual(guest.check("stat -c '%U %a' /run/secrets/token; cat /run/secrets/token"), "reader 400\ns3cret")

    def keys(self, guest):
        status = json.loads(guest.check("zkv status --json"))
        return {volume["volume"]: (volume["kind"], volume["key"], volume["mounted"]) for volume in status["volumes"]
                if volume["kind"] in ("command", "secret")}

    def test_one_approval_opens_directories_and_secrets_beside_zfs(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)

        self.step("making directories and adding them")
        guest.check(MAKE, 400)
        guest.check(ADD)
        self.assertEqual(json.loads(guest.check(ZKV.format("mount --json --only photos")))["volumes"][0]["result"], "opened")
        guest.check("chmod 0755 /srv/photos; echo 'content of photos' >/srv/photos/file; chown reader /srv/photos/file; zkv unmount photos")

        self.step("rebooting")
        guest.reboot()
        self.approve_next(lambda: (self.assert_locked(guest, VOLUMES), self.assert_closed(guest)))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assert_everything_open(guest)
        self.assert_all_open(guest)
        self.assert_in_order(guest)
        self.assertEqual(guest.check("cat /run/reader/token /run/reader/photos"), "s3cretcontent of photos\n")
        self.assertEqual(guest.check("stat -c %U /srv/photos/file"), "reader\n")
        self.assertEqual(self.keys(guest), {"photos": ("command", "loaded", True), "papers": ("command", "loaded", False),
                                            "token": ("secret", "loaded", False)})

        self.step("the daemon lives in a unit of its own, and outlives the boot's")
        self.assertEqual(unit(guest, "zkv-loader-photos.service", "ActiveState"), "active")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "CapabilityBoundingSet"), "cap_dac_override cap_sys_admin")
        guest.check("touch /srv/photos/given && chown reader /srv/photos/given")
        guest.check("systemctl stop zfs-keyvault.service")
        self.assert_all_open(guest)
        for words in ("correct horse", "battery staple", "s3cret"):
            self.assertNotEqual(guest.run(f"grep -alF '{words}' /proc/[0-9]*/environ /run/systemd/transient/* | grep -v /self/").code, 0)
            self.assertNotIn(words, guest.check("systemctl show 'zkv-*'; journalctl -b -o cat -u 'zkv-*' -u zfs-keyvault"))

        self.step("closing what is in use, and then what is not")
        guest.check("systemd-run --quiet --service-type exec --unit user --working-directory /srv/photos sleep infinity")
        self.assertRegex(guest.run("zkv unmount photos").err, "busy")
        guest.check("systemctl stop user reader")
        guest.check("zkv unmount photos papers token")
        self.assert_closed(guest)
        self.assertEqual({key for _, key, _ in self.keys(guest).values()}, {"not-loaded"})
        self.assertEqual(unit(guest, "zkv-loader-photos.service", "ActiveState"), "inactive")
        self.assert_open(guest, VOLUMES)

        self.step("a wrong key in the boot's unit: the others open, and the journal names it")
        guest.check("echo wrong | zkv volume add --key-file /root/recovery-key --force --no-test --volume-key-file - photos")
        guest.check("systemctl start zfs-keyvault.service >/run/started 2>&1 </dev/null & echo $! >/run/starter.pid")
        self.approve_next()
        guest.check("tail --pid=$(cat /run/starter.pid) -f /dev/null")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ExecMainStatus"), "3")
        self.assertRegex(guest.check("journalctl -b -o cat -u zfs-keyvault.service"), "zkv: photos: .*assword incorrect|zkv: photos: the key")
        self.assertEqual(guest.check("cat /srv/private/papers/file"), "content of papers\n")
        self.assertEqual(guest.check("systemctl list-units --failed --plain --no-legend 'zkv-loader-*'"), "")

        self.step("going down: who reads it ends first")
        guest.check("printf 'correct horse' | zkv volume add --key-file /root/recovery-key --force --volume-key-file - photos")
        guest.check(ZKV.format("mount --only photos"))
        guest.check("systemctl reset-failed; rm /var/lib/read-at-the-end; systemctl start --no-block zfs-keyvault.service")
        self.approve_next()
        guest.check("systemctl start zfs-keyvault.service; systemctl start reader.service")
        guest.reboot()
        self.approve_next()
        self.finish_boot(guest)
        self.assertEqual(guest.check("cat /var/lib/read-at-the-end"), "content of photos\n")
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
