"""The guest as all scenarios find it: powered off, its pool made and its keys not loaded, packages installed.

Run as a program it makes the disks, once for each base image, guest folder and packages, and prints their folder.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from guest import Disks, Guest, make_disk, make_overlay

HERE = pathlib.Path(__file__).resolve().parent
POOL_SIZE = "256M"
KEPT = 3


def image():
    """The folder of the base image, which is built if it has to be."""
    built = subprocess.run([str(HERE / "image")], stdout=subprocess.PIPE, check=True, text=True)
    return pathlib.Path(built.stdout.strip())


def packages():
    """The packages under test: the .deb files in the folder that ZKV_DEBS names; none when it is not set."""
    folder = os.environ.get("ZKV_DEBS")
    found = sorted(pathlib.Path(folder).glob("*.deb")) if folder else []
    if folder and not found:
        raise FileNotFoundError(f"ZKV_DEBS: no .deb file in {folder}; 'make package' builds them")
    return found


def disks():
    """The prepared disks, which are made if they have to be, and the folder of the image they stand on."""
    base, debs = image(), packages()
    digest = hashlib.sha256(base.name.encode())
    for file in sorted((HERE / "guest").iterdir()) + debs:
        digest.update(file.name.encode() + file.read_bytes())
    folder = base.parent / f"prepared-{digest.hexdigest()[:16]}"
    with _locked(base.parent / "prepared.lock"):
        if not folder.exists():
            _drop_old(base.parent)
            _prepare(base, debs, folder)
        folder.touch()
    return base, Disks(folder / "system.qcow2", folder / "pool.qcow2")


@contextlib.contextmanager
def _locked(path):
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _drop_old(cache):
    """Keeps the disks that were used last: each build of the packages leaves a pair."""
    pairs = [path for path in cache.glob("prepared-*") if path.is_dir() and path.suffix != ".new"]
    for folder in sorted(pairs, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(folder)
        folder.with_suffix(".log").unlink(missing_ok=True)


def _prepare(base, debs, folder):
    """Boots the base image once, makes the pool, installs the packages, and powers off."""
    print("guest: making the pool and installing the packages, once", file=sys.stderr)
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    made = Disks(new / "system.qcow2", new / "pool.qcow2")
    make_overlay(base / "base.qcow2", made.system)
    make_disk(made.pool, POOL_SIZE)
    with tempfile.TemporaryDirectory() as payload:
        shutil.copytree(HERE / "guest", payload, dirs_exist_ok=True)
        (pathlib.Path(payload) / "debs").mkdir()
        for deb in debs:
            shutil.copy(deb, pathlib.Path(payload) / "debs")
        with Guest(base, made, payload, folder.with_suffix(".log")) as guest:
            guest.wait_for_agent()
            guest.check("systemctl is-system-running --wait", limit=300)
            guest.check("bash /payload/pool", limit=300)
            if debs:
                guest.check("bash /payload/install", limit=300)
            guest.power_off()
    new.rename(folder)


if __name__ == "__main__":
    print(disks()[1].system.parent)
