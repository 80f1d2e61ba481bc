"""What every scenario has: the prepared guest on throw-away disks, a gateway for it, and looks into the guest.

The programs come from $ZKV_BIN, the packages from $ZKV_DEBS; console logs stay in $ZKV_VM_LOGS.
"""

import contextlib
import os
import pathlib
import sys
import tempfile
import time
import unittest

import prepared
from gateway import Gateway
from guest import Disks, Guest, make_disk, make_overlay

BOOT_LIMIT = 300
STILL_AT_WORK = 124  # timeout(1) gave up waiting
# QEMU's words for one more network card, whose cable ends at a switch with nobody else.
NOWHERE = ["-netdev", "hubport,id=nowhere,hubid=7", "-device", "virtio-net-pci,netdev=nowhere"]
VOLUMES = ["tank/raw", "tank/hex", "tank/pass", "tank/raw/nested"]
SETUP = """
printf 'GATEWAY_URI={address}\\nZKV_OPTIONS=--cafile=/etc/zkv/gateway-ca.pem\\n' >/etc/default/zfs-keyvault
install -D -m 0644 /payload/ca.pem /etc/zkv/gateway-ca.pem
"""


class Scenario(unittest.TestCase):
    """A test case with one guest and one gateway; `setup` is further bash that the guest runs as it boots, `spare` the size of one
    more disk that it has."""

    setup = ""
    spare = None

    def setUp(self):
        self._begun = time.monotonic()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self._work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zkv-scenario-")))
        logs = pathlib.Path(os.environ.get("ZKV_VM_LOGS", tempfile.gettempdir()))
        self._console = logs / f"{type(self).__name__}.console.log"
        self._console.unlink(missing_ok=True)
        self._image, self._prepared = prepared.disks()
        self.gateway = Gateway(pathlib.Path(os.environ["ZKV_BIN"]) / "zkvgateway", self._work)
        stack.callback(self.gateway.stop)
        self._stack = stack

    def step(self, text):
        """Says where the scenario is, for whoever watches it."""
        print(f"[{time.monotonic() - self._begun:5.1f} s] {text}", file=sys.stderr, flush=True)

    def boot(self, link=True, words="", tpm=None, **more):
        """Starts the guest on fresh copies of the prepared disks, with `words` for the kernel and `more` for Guest; gives it once its
        agent answers."""
        self.disks = self.copy_of(self._prepared, "")
        return self.boot_from(self.disks, link, words, tpm, **more)

    def fill(self, payload):
        """Puts what the scenario needs besides into the folder that is /payload in the guest."""

    def copy_of(self, disks, name):
        """Disks that start as these, and keep their own changes."""
        copies = Disks(self._work / f"{name}system.qcow2", self._work / f"{name}pool.qcow2")
        for new, old in zip(copies, disks):
            make_overlay(old, new)
        return copies

    def boot_from(self, disks, link=True, words="", tpm=None, **more):
        """Starts a machine with these disks."""
        payload = self._work / "payload"
        payload.mkdir(exist_ok=True)
        (payload / "setup").write_text(SETUP.format(address=self.gateway.address_in_guest) + self.setup)
        (payload / "ca.pem").write_bytes(self.gateway.authority.read_bytes())
        self.fill(payload)
        spare = self._work / "spare.qcow2" if self.spare else None
        if spare and not spare.exists():
            make_disk(spare, self.spare)
        guest = self._stack.enter_context(Guest(self._image, disks, payload, self._console, link, words, tpm, spare, **more))
        self.step("the guest boots")
        guest.wait_for_agent(BOOT_LIMIT)
        return guest

    def approve_next(self, look=lambda: None):
        """Waits for the guest's request, takes a `look` at the guest, and approves as a person at the gateway does."""
        identity = self.gateway.wait_for_request(BOOT_LIMIT)
        look()
        self.step(f"request {identity} has arrived; approving it")
        self.assertIn("approved", self.gateway.request("approve", identity))

    def assert_keeps_asking(self, guest, seconds):
        """While no gateway can be reached, the unit is at work for as long as that, and the volumes are locked."""
        joined = guest.run(f"timeout {seconds} systemctl start zfs-keyvault.service")
        self.assertEqual(joined.code, STILL_AT_WORK, joined.err)
        self.assert_locked(guest, VOLUMES)
        self.step(f"the guest has asked for {seconds} s")

    def finish_boot(self, guest):
        """Waits until nothing is left to start; gives systemd's word for the machine."""
        state = guest.run("systemctl is-system-running --wait", BOOT_LIMIT).out.strip()
        self.step(f"the boot is over: {state}")
        if state != "running":
            print(guest.run("systemctl list-units --failed --plain --no-legend; journalctl --boot --priority warning --no-pager --lines 40").out)
        return state

    # -- looks into the guest --

    def assert_open(self, guest, volumes):
        """The keys of `volumes` are loaded, they are mounted where they belong, and their files are there."""
        for volume in volumes:
            self.assertEqual(look_at(guest, volume), f"available yes /{volume} content of {volume}")

    def assert_locked(self, guest, volumes):
        """The pool is imported, the keys of `volumes` are not loaded, and nothing of theirs is to be seen."""
        for volume in volumes:
            self.assertEqual(look_at(guest, volume), f"unavailable no /{volume} nothing")

    def assert_everything_open(self, guest):
        """All volumes are open, and what depends on them has started after them."""
        self.assert_open(guest, VOLUMES)
        self.assertEqual(guest.check("cat /tank/pass/child/file"), "content of tank/pass/child\n")
        self.assertEqual(unit(guest, "zfs-keyvault.service", "ActiveState"), "active")
        self.assertEqual(unit(guest, "ledger.service", "ActiveState"), "active")
        opened = int(unit(guest, "zfs-keyvault.service", "ActiveEnterTimestampMonotonic"))
        self.assertGreater(int(unit(guest, "ledger.service", "InactiveExitTimestampMonotonic")), opened)

    def assert_in_order(self, guest):
        """systemd found no cycle in this boot's units."""
        self.assertEqual(guest.run("journalctl -b -o cat | grep -i 'ordering cycle'").out, "")


def look_at(guest, volume):
    """Key status, mounted, mount point, and the file's content, as the guest's own tools see them."""
    return guest.check(f"""
        echo $(zfs get -H -o value keystatus,mounted,mountpoint {volume}) $(cat /{volume}/file 2>/dev/null || echo nothing)
    """).strip()


def unit(guest, name, what):
    """One property of a systemd unit of the guest."""
    return guest.check(f"systemctl show -P {what} {name}").strip()
