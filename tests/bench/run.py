#!/usr/bin/python3
"""Measures the figures that zfs-keyvault promises, each beside what it is compared with in the same run, and prints
them as a Markdown table. Programs: build/bin/, or those that $ZKV, $ZKVGATEWAY and $ZKV_PASSKEY_COST name. `run.py PART...` measures
only these parts. Ends with 1 when a figure misses its target."""

import argparse
import os
import pathlib
import platform
import resource
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
os.environ.setdefault("ZKV", str(ROOT / "build/bin/zkv"))
os.environ.setdefault("ZKVGATEWAY", str(ROOT / "build/bin/zkvgateway"))
os.environ.setdefault("ZKV_PASSKEY_COST", str(ROOT / "build/release/bin/passkey_cost"))
sys.path.insert(0, str(HERE.parent / "integration"))

import approval  # noqa: E402  (needs the paths above)
import boots  # noqa: E402
import connections  # noqa: E402
import first_view  # noqa: E402
import fs_list  # noqa: E402
import latency  # noqa: E402
import passkey  # noqa: E402
import releases  # noqa: E402
import volumes  # noqa: E402
import waiting  # noqa: E402

PARTS = {"fs-list": fs_list, "latency": latency, "waiting": waiting, "connections": connections, "passkey": passkey,
         "approval": approval, "releases": releases, "first-view": first_view, "volumes": volumes, "boots": boots}


def print_table(figures):
    print(f"Measured on {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}.\n")
    print("| figure | measured | target | holds |\n|---|---|---|---|")
    for figure in figures:
        print(f"| {figure.name} | {figure.measured} | {figure.target} | {figure.verdict()} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := [part for part in chosen if part not in PARTS]:
        parser.error(f"no such part: {unknown[0]}; there are {', '.join(PARTS)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = []
    for part in chosen:
        print(f"measuring {part} ...", file=sys.stderr)
        figures += PARTS[part].measure()
    print_table(figures)
    return 0 if all(figure.holds is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
