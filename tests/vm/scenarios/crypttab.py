"""A disk that stands in crypttab with zkv's socket as key file, a pool on it, and units that take a secret by LoadCredential=: opened,
imported and served by a late approval; and after a no the machine is up, its console asks, and a later approval opens everything."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import VOLUMES, Scenario, unit  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
HEX = "0123456789abcdef" * 4
DEVICE_LIMIT = 60  # seconds: enough for the guest's own devices

# early.service asks for its secret as soon as it can; app.service waits for the volumes; greedy.service is not among those that may have it;
# sitter.service wants the mapping of the disk, at a boot that gives devices less time than that one takes.
MAKE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key; printf 'correct horse' >/root/luks.key; printf '%s\\n' {HEX} >/root/zfs.key)
add() {{ zkv volume add --key-file /root/recovery-key "$@"; }}
disk=/dev/disk/by-id/virtio-spare
cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $disk /root/luks.key
cryptsetup open --key-file /root/luks.key $disk data
zpool create -o cachefile=none -O mountpoint=/store store /dev/mapper/data
zfs create -o encryption=on -o keyformat=hex -o keylocation=file:///root/zfs.key store/safe
echo 'content of safe' >/store/safe/file
add --device "UUID=$(blkid -s UUID -o value $disk)" --volume-key-file /root/luks.key data
add --options import --volume-key-file /root/zfs.key store/safe
printf 's3cret' | add --kind secret --units early.service,app.service --volume-key-file - token
zpool export store
cryptsetup close data
for name in early app greedy; do
  cat >/etc/systemd/system/$name.service <<END
[Service]
Type=oneshot
RemainAfterExit=yes
LoadCredential=token:/run/zkv/credentials.sock
ExecStart=/bin/sh -c 'cat \\$CREDENTIALS_DIRECTORY/token >/run/$name.token'
END
done
printf '[Install]\\nWantedBy=multi-user.target\\n' >>/etc/systemd/system/early.service
printf '[Unit]\\nRequires=zfs-keyvault.target\\nAfter=zfs-keyvault.target\\n[Install]\\nWantedBy=zfs-keyvault.target\\n' \
  >>/etc/systemd/system/app.service
cat >/etc/systemd/system/sitter.service <<END
[Unit]
DefaultDependencies=no
Requires=dev-mapper-data.device
After=dev-mapper-data.device
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target
END
systemctl enable early.service app.service sitter.service
printf '[Manager]\\nDefaultDeviceTimeoutSec={DEVICE_LIMIT}\\n' >/etc/systemd/system.conf.d/zz-impatient.conf
"""
INSTALL = "zkv crypttab {} --key-file /root/recovery-key"
# Who the kernel lets through is root alone; and what root's own programs may not ask for.
ATTACK = """
setpriv --reuid nobody --clear-groups perl -MIO::Socket::UNIX -e '
  exit(defined IO::Socket::UNIX->new(Peer => "/run/zkv/cryptsetup.sock") ? 0 : 1)' && echo 'nobody was let in'
systemctl start greedy.service && echo 'greedy has it'
systemctl start early.service || echo 'early has it no more'
"""


class Crypttab(Scenario):
    spare = "256M"

    def assert_closed(self, guest):
        self.assertEqual(guest.check("ls /dev/mapper"), "control\n")
        self.assertEqual(guest.run("zpool list -H -o name").out.split(), ["tank"])
        self.assertNotEqual(guest.run("ls /run/*.token").code, 0)

    def assert_waiting(self, guest, seen):
        self.assert_closed(guest)
        guest.wait_for_console("login:", 300, seen)
        self.assertRegex(guest.check("systemctl status --no-pager zfs-keyvault.service || test $? = 3"), 'Status: "waiting for approval')
        for name in ("systemd-cryptsetup@data.service", "early.service"):
            self.assertEqual(unit(guest, name, "ActiveState"), "activating", name)

    def assert_waiting_beyond_the_limit_of_devices(self, guest, seen):
        self.assert_waiting(guest, seen)
        self.step("waiting for a device that never comes, until systemd gives that up")
        self.assertIn("Timed out", guest.run("systemctl start dev-never.device 2>&1; journalctl -b -o cat -u dev-never.device", 300).out)
        self.assertNotEqual(unit(guest, "dev-mapper-data.device", "Job"), "")

    def assert_store_open(self, guest):
        self.assertEqual(guest.check("cat /store/safe/file"), "content of safe\n")
        self.assertEqual(guest.check("cat /run/app.token"), "s3cret")
        self.assertEqual(unit(guest, "app.service", "ActiveState"), "active")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "StatusText"), "all volumes are open; serving 1 secret")
        self.assertRegex(guest.check("zkv status"), r"(?m)^token +secret +served ")

    def test_what_stands_in_crypttab_and_asks_for_secrets_waits_for_one_approval(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "SubState"), "exited")
        self.step("making a disk, a pool on it, and units with a secret")
        guest.check(MAKE, 400)
        self.assertIn("data UUID=", guest.check(INSTALL.format("install --dry-run data")))
        self.assertNotEqual(guest.run("grep zkv /etc/crypttab").code, 0)
        guest.check(INSTALL.format("install data"))
        self.assertEqual(guest.run(INSTALL.format("check")).out, "")
        self.assertEqual(guest.run("systemd-analyze verify zfs-keyvault.target zkv-cryptsetup.socket 2>&1 | grep -i cycle").out, "")

        self.step("rebooting")
        seen = len(guest.console)
        guest.reboot()
        self.approve_next(lambda: self.assert_waiting_beyond_the_limit_of_devices(guest, seen))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assertEqual(unit(guest, "sitter.service", "ActiveState"), "active")
        guest.check("rm /etc/systemd/system.conf.d/zz-impatient.conf")
        self.assert_open(guest, VOLUMES)
        self.assert_store_open(guest)
        self.assert_in_order(guest)
        self.assertEqual(guest.check("cat /run/early.token"), "s3cret")
        self.assertEqual(unit(guest, "systemd-cryptsetup@data.service", "ActiveState"), "active")
        journal = guest.check("journalctl -b -o cat -u zfs-keyvault.service")
        self.assertIn("handing out the key of data", journal)
        self.assertIn("data: opened: by systemd-cryptsetup", journal)
        self.assertIn("handing out the secret token for early.service", journal)
        self.assertNotIn("dependent-lacks-secret", guest.run("zkv doctor --json", 300).out)

        self.step("asking as those who may not")
        self.assertEqual(guest.run(ATTACK).out, "")
        self.assertRegex(guest.check("journalctl -b -o cat -u zfs-keyvault.service"), "refused the secret token for greedy.service")
        self.step("closing it, and opening it by hand beside the agent")
        guest.check("zkv lock store/safe data")
        self.assertEqual(guest.run("ls /dev/mapper").out, "control\n")
        guest.check("zkv mount --key-file /root/recovery-key")
        self.assert_store_open(guest)

        self.step("rebooting, and denying")
        seen = len(guest.console)
        guest.reboot()
        identity = self.gateway.wait_for_request(300)
        self.gateway.request("deny", identity)
        guest.wait_for_console("login:", 300, seen)
        guest.check("grep -q -m 1 'Failed to activate' <(journalctl -b -f -n all -o cat -u systemd-cryptsetup@data.service)")
        guest.check("until grep -qs 'Message=.*data' /run/systemd/ask-password/ask.*; do sleep 0.2; done")
        self.assert_closed(guest)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "failed")
        self.assertEqual(unit(guest, "multi-user.target", "ActiveState"), "active")
        self.assertEqual(unit(guest, "early.service", "ActiveState"), "failed")
        self.assertRegex(guest.check("zkv status"), r"(?m)^token +secret +not-served ")
        self.assertEqual(unit(guest, "zkv-cryptsetup.socket", "ActiveState"), "inactive")
        self.assertNotEqual(guest.run("systemctl start early.service").code, 0)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "failed")

        self.step("a later approval opens everything, and starts what waits for it")
        guest.check("systemctl restart --no-block zfs-keyvault.service")
        self.approve_next()
        guest.check("systemctl start zfs-keyvault.service", 300)
        # What the target starts comes after it, and so does what had asked at the console, in vain, and finds what was opened without it.
        guest.check("until [ $(systemctl show -P ActiveState app.service) = active ]; do sleep 0.2; done", 120)
        guest.check("until [ $(systemctl show -P ActiveState systemd-cryptsetup@data.service) = active ]; do sleep 0.2; done", 120)
        self.assert_open(guest, VOLUMES)
        self.assert_store_open(guest)
        self.assert_in_order(guest)

        self.step("rebooting, and opening by hand while the boot asks a gateway and systemd asks the boot")
        guest.reboot()
        self.gateway.wait_for_request(300)
        self.assertEqual(unit(guest, "systemd-cryptsetup@data.service", "ActiveState"), "activating")
        self.assertIn("begins anew, and asks nobody", guest.check("zkv unlock --key-file /root/recovery-key 2>&1"))
        # The socket at which units wait for secrets goes with the service: those are started again.
        self.assertEqual(self.finish_boot(guest), "degraded")
        self.assertEqual(guest.check("systemctl list-units --failed --plain --no-legend --no-pager | cut -d ' ' -f 1"), "early.service\n")
        guest.check("systemctl start early.service")
        # It found what was opened without it: what fstab mounts from there waits for nothing else.
        self.assertEqual(unit(guest, "systemd-cryptsetup@data.service", "ActiveState"), "active")
        self.assert_store_open(guest)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
