"""64 passphrase filesystems in one guest: `zkv mount` beside a shell loop of `zfs load-key` and beside bare lzc_load_key calls.
Wants packages in build/packages (make package).
"""

import hashlib
import os
import pathlib

from figure import Figure, median

RAW_LOAD = pathlib.Path(os.environ.get("ZKV_RAW_LOAD", pathlib.Path(__file__).resolve().parent.parent.parent / "build/release/bin/raw_load"))
COUNT, ROUNDS, ITERATIONS = 64, 9, 100000
MAKE = f"""
set -euo pipefail
zpool create -O mountpoint=/many many /dev/disk/by-id/virtio-spare
for number in $(seq {COUNT}); do
  echo "passphrase number $number" | zfs create -o encryption=on -o keyformat=passphrase -o pbkdf2iters={ITERATIONS} many/$number
  echo "passphrase number $number" >/root/$number.key
  zkv fs add --key-file /payload/repository-key --repository /root/many "many/$number" - <<<"passphrase number $number"
done
"""
CLOSE = "zfs unmount -a -f 2>/dev/null; for n in $(seq 64); do zfs unload-key many/$n; done"
# By the shell's own clock: starting date(1) in this guest takes a tenth of what is measured.
TIMED = "begin=${{EPOCHREALTIME//[^0-9]/}}; {}; echo $(( ${{EPOCHREALTIME//[^0-9]/}} - begin ))"
LOOP = "for n in $(seq 64); do zfs load-key many/$n </root/$n.key >/dev/null; done"


def milliseconds(guest, command):
    return int(guest.check(TIMED.format(command), limit=1200).split()[-1]) / 1e3


def wrapping_keys(guest):
    """What libzfs derives: PBKDF2-HMAC-SHA1 over the salt as 8 little-endian bytes."""
    lines = []
    for line in guest.check("zfs get -Hp -r -t filesystem -o name,value pbkdf2salt many").splitlines():
        name, salt = line.split()
        if salt.isdecimal() and name != "many":
            passphrase = f"passphrase number {name.split('/')[1]}".encode()
            key = hashlib.pbkdf2_hmac("sha1", passphrase, int(salt).to_bytes(8, "little"), ITERATIONS, 32)
            lines.append(f"{name} {key.hex()}")
    assert len(lines) == COUNT
    return "\n".join(lines)


def measure():
    import guest_world  # pylint: disable=import-outside-toplevel  # looks for packages, which other figures do not need
    with guest_world.booted(spare="2G", files=[RAW_LOAD], link=False, words="zkv=off") as guest:
        guest.check("zkv fs init --format 2 --repository /root/many --key-file /payload/repository-key")
        guest.check(MAKE, limit=1200)
        guest.check(f"cat >/root/ready <<'E'\n{wrapping_keys(guest)}\nE")
        mount = "zkv mount --no-mount --repository /root/many --key-file /payload/repository-key >/dev/null"
        guest.check(CLOSE, limit=300)
        first = milliseconds(guest, mount)
        ours, floor, loop = [], [], []
        for _ in range(ROUNDS):
            guest.check(CLOSE, limit=300)
            ours.append(milliseconds(guest, mount))
            guest.check(CLOSE, limit=300)
            floor.append(float(guest.check("/payload/raw_load </root/ready", limit=300)))
        guest.check(CLOSE, limit=300)
        loop.append(milliseconds(guest, LOOP))
        guest.power_off()
    ours_ms, floor_ms, loop_ms = median(ours), median(floor), median(loop)
    return [
        Figure("64 passphrase filesystems (100,000 iterations), `zkv mount` beside a loop of `zfs load-key`",
               f"{loop_ms / ours_ms:.0f} times as fast ({ours_ms / 1000:.2f} s and {loop_ms / 1000:.0f} s)", "≥ 10 times", loop_ms >= 10 * ours_ms),
        Figure("the same, beside bare `lzc_load_key` calls with ready keys", f"{ours_ms / floor_ms:.2f} times ({floor_ms / 1000:.2f} s)",
               "≤ 1.2 times", ours_ms <= 1.2 * floor_ms),
        Figure("the same, the first time, when all keys are derived", f"{first / 1000:.1f} s, {loop_ms / first:.1f} times as fast as the loop"),
    ]
