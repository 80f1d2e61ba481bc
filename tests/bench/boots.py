"""What `zkv` adds to a boot whose approval was given beforehand, beside the same boot with key files on the disk; when the machine is up while
its gateway does not answer; and what it adds to an initramfs. Wants packages in build/packages (make package).
"""

import json
import os
import pathlib
import tempfile

from figure import Figure, median

ROUNDS = 3
VM = pathlib.Path(__file__).resolve().parent.parent / "vm"
# The key files' boot: the same volumes by Debian's own tools, in a unit at the same place.
PLAIN_UNIT = """[Unit]
Wants=zfs.target
After=network.target zfs-import.target zfs-mount.service zfs.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'zfs load-key -a && zfs mount -a'
[Install]
WantedBy=multi-user.target
"""
PLAIN = f"""
set -euo pipefail
grep -v '^#' /root/volumes | while read -r volume format key; do
  file=/root/keys/${{volume//\\//-}}
  mkdir -p /root/keys
  if [ "$format" = raw ]; then base64 -d <<<"$key" >"$file"; else printf '%s' "$key" >"$file"; fi
  zfs set keylocation="file://$file" "$volume"
done
cat >/etc/systemd/system/plain.service <<'E'
{PLAIN_UNIT}E
systemctl mask --quiet zfs-keyvault.service
systemctl enable --quiet plain.service
"""
# The same volumes, of which none has a passphrase that must be derived.
READY_KEYS = """
set -euo pipefail
head -c 32 /dev/urandom >/root/keys/ready
zfs list -H -o name,encryptionroot,keyformat,keystatus | while read -r volume root format status; do
  [ "$volume $format" = "$root passphrase" ] || continue
  [ "$status" = available ] || zfs load-key "$volume"
  zfs change-key -o keyformat=raw -o keylocation=file:///root/keys/ready "$volume"
done
test -z "$(zfs get -H -o value keyformat | grep passphrase)"
"""
INITRAMFS = """
set -euo pipefail
echo GATEWAY_URI=https://gateway.test:8443 >/etc/default/zfs-keyvault
dpkg -i /root/zkv-initramfs_*.deb >/dev/null
printf 'MODULES=list\\n' >/etc/initramfs-tools/conf.d/modules
mkinitramfs -o /root/with "$(uname -r)" 2>/dev/null
mv /usr/share/initramfs-tools/hooks/zkv /root/hook
mkinitramfs -o /root/without "$(uname -r)" 2>/dev/null
echo $(( $(stat -c %s /root/with) - $(stat -c %s /root/without) ))
"""


def milliseconds_of(guest, unit):
    """From the unit's start to its being active, as systemd-analyze blame counts it."""
    shown = guest.check(f"systemctl show -P InactiveExitTimestampMonotonic -P ActiveEnterTimestampMonotonic {unit}").split()
    assert int(shown[1]) > 0, f"{unit} did not become active"
    return (int(shown[1]) - int(shown[0])) / 1000


def boots_of(guest, unit):
    """What each of some boots took that unit."""
    took = []
    for _ in range(ROUNDS):
        guest.reboot()
        guest.run("systemctl is-system-running --wait", limit=400)
        took.append(milliseconds_of(guest, unit))
    return took


def seconds_until_up(guest):
    """From the first process to multi-user.target, whatever else is still being started."""
    guest.reboot()
    guest.check("systemctl start multi-user.target", limit=400)
    reached = int(guest.check("systemctl show -P ActiveEnterTimestampMonotonic multi-user.target"))
    return (reached - int(guest.check("systemctl show -P UserspaceTimestampMonotonic"))) / 1e6


def until_up(guest):
    """Boots in turn with nobody to ask, and without anything that asks."""
    asking, alone = [], []
    for _ in range(ROUNDS):
        asking.append(seconds_until_up(guest))
        state = guest.check("systemctl show -P ActiveState zfs-keyvault.service").strip()
        assert state == "activating", f"zfs-keyvault.service is {state}"
        guest.check("systemctl mask --quiet zfs-keyvault.service")
        alone.append(seconds_until_up(guest))
        guest.check("systemctl unmask --quiet zfs-keyvault.service")
    return asking, alone


def measure():
    import guest_world  # pylint: disable=import-outside-toplevel,unused-import  # puts tests/vm into the path
    import person  # pylint: disable=import-outside-toplevel
    from gateway import Gateway  # pylint: disable=import-outside-toplevel
    ours = []
    with tempfile.TemporaryDirectory(prefix="zkv-bench-") as folder:
        gateway = Gateway(os.environ["ZKVGATEWAY"], folder)
        setup = (f"install -D -m 0644 /payload/gateway.crt /etc/zkv/gateway-ca.pem; cp /payload/volumes /root/; cp /payload/*.deb /root/\n"
                 "echo ZKV_OPTIONS=--cafile=/etc/zkv/gateway-ca.pem >/etc/default/zfs-keyvault\n")
        debs = sorted(pathlib.Path(os.environ["ZKV_DEBS"]).glob("zkv-initramfs_*.deb"))
        try:
            gateway.start("--public-url", gateway.page)
            anna = person.invite(gateway, "Anna")
            with guest_world.booted(files=[gateway.authority, VM / "guest" / "volumes", *debs], setup=setup) as guest:
                enroll(guest, gateway)
                for _ in range(ROUNDS):
                    approve_beforehand(guest, gateway, anna)
                    guest.reboot()
                    guest.run("systemctl is-system-running --wait", limit=400)
                    ours.append(milliseconds_of(guest, "zfs-keyvault.service"))
                gateway.stop()
                guest.check("systemctl disable --quiet ledger.service")  # it is ordered after zfs-keyvault.target
                asking, alone = until_up(guest)
                guest.check(PLAIN)
                plain = boots_of(guest, "plain.service")
                guest.check(READY_KEYS)
                ready = boots_of(guest, "plain.service")
                size = int(guest.check(INITRAMFS, limit=900).split()[-1]) / 1e6
                guest.power_off()
        finally:
            gateway.stop()
    more = median(ours) - median(plain)
    later = median(asking) / median(alone)
    most = median(ours) - median(ready)
    rounds = ", ".join(f"{one:.0f}" for one in ours) + " beside " + ", ".join(f"{one:.0f}" for one in plain)
    return [
        Figure("a boot with 4 volumes, approved beforehand, more than with key files and `zfs load-key -a`",
               f"{more:.0f} ms ({median(ours):.0f} − {median(plain):.0f}, emulated; {rounds})", "≤ 300 ms", more <= 300),
        Figure("the same, where no passphrase is derived from the key files either", f"{most:.0f} ms ({median(ours):.0f} − {median(ready):.0f})"),
        Figure("`multi-user.target` while the gateway does not answer, beside the same boot with zfs-keyvault.service masked",
               f"{later:.2f} times as late ({median(asking):.1f} s and {median(alone):.1f} s)", "≤ 1.1 times", later <= 1.1),
        Figure("`zkv` in an initramfs with all that it needs, compressed", f"{size:.1f} MB", "≤ 12 MB", size <= 12),
    ]


def enroll(guest, gateway):
    link = json.loads(gateway.command("host", "invite", "nas", "--json"))["url"].replace(gateway.page, gateway.address_in_guest)
    key = (VM / "guest" / "repository-key").read_text(encoding="utf-8").strip()
    guest.check(f"printf '%s\\n' '{link}' '{key}' | zkv enroll - -k - --no-test --cafile /etc/zkv/gateway-ca.pem")


def approve_beforehand(guest, gateway, person_):
    guest.check("zkv reboot-approval --within 30m --cafile /etc/zkv/gateway-ca.pem >/run/planned 2>&1 </dev/null & echo $! >/run/planned.pid")
    wish = gateway.wait_for_request(60)
    assert person_.decide(wish, "approve").status == 200
    guest.check("tail --pid=$(cat /run/planned.pid) -f /dev/null; grep 'next boot of this machine is approved' /run/planned")
