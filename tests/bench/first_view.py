"""From opening the link to a request to its card, in Chromium slowed down to a cheap phone on 3G, before the real gateway."""

import json
import pathlib
import subprocess

import enrolled_world
import passkey_world
from figure import Figure, median

ROOT = pathlib.Path(__file__).resolve().parents[2]


def figure_of(network):
    paint, card, again = (median([one[what] for one in network[when]])
                          for when, what in (("cold", "paint"), ("cold", "card"), ("warm", "card")))
    name = f"page's first view, 4 × slower processor, {network['name']}"
    return Figure(name, f"first paint {paint:.0f} ms, first card {card:.0f} ms; opened again, first card {again:.0f} ms",
                  "card ≤ 1 s", card <= 1000)


def measure():
    with passkey_world.Gateway("--page-dir", str(ROOT / "web" / "dist")) as gateway:
        host = enrolled_world.OtherHost(gateway, gateway.invite("nas", "--group", "home"))
        assert host.enrol().status == 201
        request = host.ask().json["id"]
        invite = gateway.invite_approver("Anna", "--role", "owner").split("#register=")[1]
        done = subprocess.run(["node", "first_view.mjs", gateway.base, invite, request], cwd=ROOT / "tests" / "browser",
                              check=True, stdout=subprocess.PIPE)
    return [figure_of(network) for network in json.loads(done.stdout)]
