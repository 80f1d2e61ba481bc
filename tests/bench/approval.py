"""From the approving answer of a passkey to the share at the waiting host, over TLS on loopback; and by the console, turn by turn."""

import json
import time

from bench_world import Control
from figure import Figure, percentile
from people_world import Asking, Line, enrol, make_approver, make_gateway

RUNS = 200


def by_passkey(world, control, number):
    """Signs beforehand, as the phone does; from then on it is the gateway's time."""
    waiting = Asking(world, world.host, 2 * number)
    line, cookie, path = Line(world, 2 * number + 1), world.anna.cookie, f"/v2/requests/{waiting.id}"
    asked = line.call("POST", f"{path}/challenge", {"decision": "approve"}, cookie)
    body = json.dumps({"decision": "approve", "credential": world.anna.passkey.get(asked)})
    begin = time.perf_counter()
    line.send("POST", f"{path}/decision", body, cookie)
    answer = waiting.answer()
    taken = time.perf_counter() - begin
    line.receive()
    line.close()
    waiting.finish(answer)
    return taken


def by_console(world, control, number):
    waiting = Asking(world, world.host, 2 * (RUNS + number))
    control.send("/control/requests/none/approve")  # a round trip, as the challenge is one: the poll waits then
    control.receive()
    begin = time.perf_counter()
    control.send(f"/control/requests/{waiting.id}/approve")
    answer = waiting.answer()
    taken = time.perf_counter() - begin
    control.receive()
    waiting.finish(answer)
    return taken


def measure():
    with make_gateway() as world:
        world.anna, world.host = make_approver(world), enrol(world, "nas")
        control = Control(world)
        taken = {way: [] for way in (by_passkey, by_console)}
        for number in range(RUNS):
            for way, times in taken.items():
                times.append(way(world, control, number))
    (middle, late), (other, other_late) = ([1000 * percentile(times, part) for part in (50, 99)] for times in taken.values())
    return [
        Figure(f"a passkey's answer → the share at the host, {RUNS} runs, p50",
               f"{middle:.2f} ms ({middle / other:.2f} times the console's approval, {other:.2f} ms)", "≤ 10 ms", middle <= 10),
        Figure("the same, p99", f"{late:.2f} ms ({other_late:.2f} ms)", "≤ 50 ms", late <= 50),
    ]
