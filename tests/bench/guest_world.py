"""The guest of tests/vm, for benchmarks: on throw-away disks, with the packages of build/packages in it."""

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "vm"))
os.environ.setdefault("ZKV_DEBS", str(ROOT / "build" / "packages"))

import prepared  # noqa: E402  # pylint: disable=wrong-import-position
from guest import Disks, Guest, make_disk, make_overlay  # noqa: E402  # pylint: disable=wrong-import-position


@contextlib.contextmanager
def booted(spare=None, files=(), setup="", **more):
    """A booted guest without a gateway; `spare` is the size of one more disk, `files` are for its /payload."""
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zkv-bench-")))
        image, base = prepared.disks()
        disks = Disks(work / "system.qcow2", work / "pool.qcow2")
        for new, old in zip(disks, base):
            make_overlay(old, new)
        payload = work / "payload"
        payload.mkdir()
        for file in (ROOT / "tests" / "vm" / "guest" / "repository-key", *files):
            shutil.copy(file, payload)
        (payload / "setup").write_text(setup)
        if spare:
            more["spare"] = work / "spare.qcow2"
            make_disk(more["spare"], spare)
        guest = stack.enter_context(Guest(image, disks, payload, work / "console.log", **more))
        guest.wait_for_agent()
        guest.run("systemctl is-system-running --wait", limit=400)
        yield guest
