"""64 encrypted filesystems, nested ones among them, opened and mounted by the approval of one boot."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import Scenario, unit  # noqa: E402

COUNT = 64
# Every fourth has a passphrase, every eighth lies below the one before it.
MAKE = f"""
set -euo pipefail
(umask 077; cp /payload/repository-key /root/recovery-key)
zpool create -O mountpoint=/many many /dev/disk/by-id/virtio-spare
below=many
for number in $(seq {COUNT}); do
  [ $((number % 8)) = 0 ] && place=$below/$number || place=many/$number
  if [ $((number % 4)) = 0 ]; then
    key="passphrase number $number"
    zfs create -o encryption=on -o keyformat=passphrase -o keylocation=prompt -o pbkdf2iters=100000 $place <<<"$key"
  else
    key=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \\n')
    zfs create -o encryption=on -o keyformat=hex -o keylocation=prompt $place <<<"$key"
  fi
  zkv fs add --key-file /root/recovery-key $place - <<<"$key" >/dev/null
  echo "content of $number" >/$place/file
  below=$place
done
zkv check --key-file /root/recovery-key
"""


class Many(Scenario):
    spare = "2G"

    def fill(self, payload):
        (payload / "repository-key").write_bytes((pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_bytes())

    def state_of(self, guest):
        """How many there are, have their key, and are mounted."""
        listed = [volume for volume in json.loads(guest.check("zkv status --json"))["volumes"] if volume["volume"].startswith("many/")]
        return (len(listed), sum(volume["key"] == "loaded" for volume in listed), sum(volume["mounted"] for volume in listed))

    def test_64_filesystems_come_up_by_one_approval(self):
        self.gateway.start()
        guest = self.boot()
        self.approve_next()
        self.finish_boot(guest)
        self.step(f"making {COUNT} filesystems")
        guest.check(MAKE, limit=600)

        self.step("rebooting")
        guest.reboot()
        self.approve_next(lambda: self.assertEqual(self.state_of(guest), (COUNT, 0, 0)))
        self.assertEqual(self.finish_boot(guest), "running")
        self.assertEqual(self.state_of(guest), (COUNT, COUNT, COUNT))
        self.assertEqual(sorted(guest.check("cat /many/*/file /many/*/*/file").splitlines()),
                         sorted(f"content of {number}" for number in range(1, COUNT + 1)))
        self.assert_everything_open(guest)
        self.assert_in_order(guest)
        self.assertEqual(unit(guest, "zfs-keyvault.service", "NRestarts"), "0")
        guest.power_off()


if __name__ == "__main__":
    unittest.main()
