"""A machine told to boot without asking, on which a person then opens the volumes by hand, through zfs(8), and makes new ones."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from root import KEY  # noqa: E402
from scenario import VOLUMES, Scenario, unit  # noqa: E402

# Ends by telling the pipe its exit code, so that whoever started it can wait for that.
MOUNT = """
mkfifo /run/by-hand
cat >/run/by-hand.sh <<'SCRIPT'
. /etc/default/zfs-keyvault
zkv mount --via zfs $ZKV_OPTIONS "$GATEWAY_URI" >/run/by-hand.out 2>&1
echo $? >/run/by-hand
SCRIPT
systemd-run --quiet --no-block --unit by-hand bash /run/by-hand.sh
"""

# A filesystem, a block device and a disk, under keys that nobody sees; and a clone elsewhere in the pool, under the key of another.
CREATE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/recovery-key)
create() {{ zkv volume create --key-file /root/recovery-key "$@"; }}
create -o compression=zstd tank/made
create --size 16M tank/block
create --device /dev/disk/by-id/virtio-spare --filesystem ext4 --mount-point /srv/box box
zfs snapshot tank/pass@monday
zfs clone tank/pass@monday tank/restored
echo 'content of made' >/tank/made/file
echo 'content of box' >/srv/box/file
udevadm settle
printf 'content of block' | dd of=/dev/zvol/tank/block conv=fsync status=none
"""


class ByHand(Scenario):
    spare = "64M"

    def test_a_machine_told_not_to_ask_comes_up_locked_and_opens_when_a_person_asks(self):
        self.gateway.start()
        guest = self.boot(words="zkv=off")
        self.finish_boot(guest)
        self.assertEqual(unit(guest, "multi-user.target", "ActiveState"), "active")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ConditionResult"), "no")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "inactive")
        self.assertEqual(unit(guest, "ledger.service", "ActiveState"), "inactive")
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(json.loads(self.gateway.request("list", "--json"))["requests"], [])
        self.assert_in_order(guest)

        self.step("opening the volumes by hand")
        guest.check(MOUNT)
        self.approve_next(lambda: self.assert_locked(guest, VOLUMES))
        code = guest.check("cat /run/by-hand").strip()
        self.assertEqual(code, "0", guest.check("cat /run/by-hand.out"))
        self.assert_open(guest, VOLUMES)

        self.step("making new volumes, closing everything, and opening it again")
        guest.check(CREATE)
        self.assertEqual(guest.check("zfs get -H -o value keyformat,keylocation,compression tank/made").split(), ["raw", "prompt", "zstd"])
        guest.check("zkv unmount")
        self.assert_locked(guest, VOLUMES)
        self.assertEqual(guest.check("ls /dev/mapper; test ! -e /tank/made/file; test ! -e /srv/box/file; test ! -e /tank/restored/file"), "control\n")
        guest.check("zkv mount --key-file /root/recovery-key && udevadm settle")
        self.assert_open(guest, VOLUMES)
        self.assertEqual(guest.check("zfs get -H -o value encryptionroot tank/restored; cat /tank/restored/file"), "tank/pass\ncontent of tank/pass\n")
        self.assertEqual(guest.check("cat /tank/made/file /srv/box/file; head -c 16 /dev/zvol/tank/block"),
                         "content of made\ncontent of box\ncontent of block")

        self.step("the pool comes back under another name, and the repository follows")
        refused = guest.run("zkv volume rename --key-file /root/recovery-key box crate")
        self.assertEqual(refused.code, 1)
        self.assertIn("box is open under that name", refused.err)
        guest.check("zkv unmount && zpool export tank && zpool import -d /dev/disk/by-id tank vault")
        self.assertIn("zkv volume rename tank NEW", guest.run("zkv mount --key-file /root/recovery-key").err)
        self.assertIn("Renamed tank/raw/nested to vault/raw/nested", guest.check("zkv volume rename --key-file /root/recovery-key tank vault"))
        guest.check("zkv unmount box && zkv volume rename --key-file /root/recovery-key box crate")
        guest.check("zkv mount --key-file /root/recovery-key && udevadm settle")
        for volume in VOLUMES:
            mounted = guest.check(f"zfs get -H -o value keystatus,mounted {volume.replace('tank', 'vault')} && cat /{volume}/file")
            self.assertEqual(mounted.splitlines(), ["available", "yes", f"content of {volume}"])  # The pool's mount point is set.
        self.assertEqual(guest.check("cat /tank/made/file /srv/box/file; head -c 16 /dev/zvol/vault/block; ls /dev/mapper"),
                         "content of made\ncontent of box\ncontent of blockcontrol\ncrate\n")

        self.step("with no gateway to ask, all is opened by hand, and what waits for it starts")
        guest.check("rm /etc/default/zfs-keyvault; mkdir -p /etc/systemd/system/zfs-keyvault.service.d; "
                    "printf '[Unit]\\nConditionKernelCommandLine=\\n' >/etc/systemd/system/zfs-keyvault.service.d/ask.conf; systemctl daemon-reload")
        guest.check("zkv lock --all && systemctl start zfs-keyvault.service")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "Result"), "exec-condition")
        self.assertEqual(guest.run("systemctl start zfs-keyvault.target").code, 1)
        self.assertIn("what waits for zfs-keyvault.target starts", guest.run("zkv unlock --key-file /root/recovery-key").err)
        guest.check("systemctl start zfs-keyvault.target")
        guest.check("zkv lock --all && systemctl start multi-user.target")
        self.assertNotEqual(unit(guest, "zfs-keyvault.target", "ActiveState"), "active")
        self.assertEqual(guest.run("systemctl start zfs-keyvault.target").code, 1)
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
