"""The power fails at random moments while the repository is changed: afterwards it opens with the recovery key, and its keys, old or new, open
the volumes, with the one that is being added or adopted if the repository has it.
"""

import json
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scenario import BOOT_LIMIT, VOLUMES, Scenario  # noqa: E402

KEY = (pathlib.Path(__file__).resolve().parent.parent / "guest" / "repository-key").read_text(encoding="utf-8").strip()
# Two slots: by the one everything is done, and both must open afterwards.
PREPARE = f"""
set -euo pipefail
(umask 077; printf '%s\\n' '{KEY}' >/root/first-key; zkv slot add recovery --machine-readable --key-file /root/first-key >/root/recovery-key)
udevadm wait --timeout 100 /dev/disk/by-id/virtio-spare
cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/disk/by-id/virtio-spare /root/first-key
cryptsetup open --key-file /root/first-key /dev/disk/by-id/virtio-spare data
printf 'content of data' | dd of=/dev/mapper/data conv=fsync status=none
cryptsetup close data
echo 'data /dev/disk/by-id/virtio-spare /root/first-key noauto' >/etc/crypttab
zkv repository check --key-file /root/recovery-key
sync
"""
ADD = ("zkv volume add --key-file /root/recovery-key --device /dev/disk/by-id/virtio-spare --encoding raw "
       "--volume-key-file /root/first-key data")
REMOVE = "zkv volume remove --force --key-file /root/recovery-key data"
# Each is repeated until the power fails, so that a cut lands in the middle of one.
CHANGES = {
    "rotate": "while zkv rotate --key-file /root/recovery-key --also-key-file /root/first-key; do :; done",
    "add": f"while {ADD} && {REMOVE}; do :; done",
    "adopt": f"while zkv volume adopt --key-file /root/recovery-key && {REMOVE}; do :; done",
}


class PowerCut(Scenario):
    setup = "rm -f /etc/default/zfs-keyvault\n"
    spare = "64M"
    cuts = int(os.environ.get("ZKV_CUTS", "6"))

    def test_whatever_is_cut_off_the_repository_opens(self):
        seed = int(os.environ.get("ZKV_SEED", random.randrange(2**32)))
        self.step(f"seed {seed}")
        moments = random.Random(seed)
        guest = self.boot()
        guest.check(PREPARE)
        for number in range(self.cuts):
            name = list(CHANGES)[number % len(CHANGES)]
            guest.run(f"{REMOVE}; cp /var/lib/zkv/repository /run/before")
            guest.check(f"({CHANGES[name]}) >/run/changes 2>&1 </dev/null & echo $! >/run/changing; "
                        "until ! cmp -s /run/before /var/lib/zkv/repository; do sleep 0.1; done", limit=300)
            # A moment is what is tried here, not an event: it is not awaited but chosen.
            moment = moments.uniform(0, 6)
            guest.check(f"sleep {moment:.3f}; kill -0 $(cat /run/changing) || {{ cat /run/changes; exit 1; }}")
            self.step(f"cut {number + 1} of {self.cuts}: the power goes {moment:.3f} s after the first {name}")
            guest.end()
            guest = self.boot_from(self.disks)
            guest.run("systemctl is-system-running --wait", BOOT_LIMIT)
            for key in ("recovery-key", "first-key"):
                guest.check(f"zkv repository check --key-file /root/{key}")
            opened = guest.check("zkv mount --key-file /root/recovery-key --only " + " --only ".join(VOLUMES))
            self.assertEqual(opened.count("opened"), len(VOLUMES), opened)
            self.assert_open(guest, VOLUMES)
            self.assert_data_opens_if_it_is_there(guest)
        guest.power_off()
        self.assert_a_person_can_approve_its_next_boot()

    def assert_a_person_can_approve_its_next_boot(self):
        self.setup = ""
        self.gateway.start()
        guest = self.boot_from(self.disks)
        self.approve_next()
        self.finish_boot(guest)
        self.assert_everything_open(guest)
        guest.power_off()

    def assert_data_opens_if_it_is_there(self, guest):
        names = {volume["name"] for volume in json.loads(guest.check("zkv volume list --json --key-file /root/recovery-key"))}
        self.step(f"the repository holds {len(names)} volumes")
        self.assertEqual(names - {"data"}, set(VOLUMES))
        if "data" in names:
            outcome = json.loads(guest.check("zkv volume test --json --key-file /root/recovery-key data"))
            self.assertEqual([(volume["volume"], volume["result"]) for volume in outcome["volumes"]], [("data", "key-fits")])
            guest.check("zkv mount --key-file /root/recovery-key --only data")
            self.assertEqual(guest.check("head -c 15 /dev/mapper/data"), "content of data")
            guest.check("zkv unmount data")


if __name__ == "__main__":
    unittest.main()
