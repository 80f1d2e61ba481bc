"""Many waiting requests: what each costs in memory, and how fast all are answered; and an idle gateway."""

import re
import time

from bench_world import Client, Control, make_world, source
from figure import Figure
from gateway_world import KEY
from processes import resident_kb

CLIENTS = 2000


def wait_until_pending(world, mark):
    for number in range(CLIENTS):
        world.log.wait(rf"from {re.escape(source(number))} waits for approval", mark)


def measure():
    with make_world() as world:
        pid = world.process.pid
        world.request("GET", "/livez")
        idle = resident_kb(pid)
        mark = world.log.mark()
        clients = [Client(world, number) for number in range(CLIENTS)]
        wait_until_pending(world, mark)
        each = (resident_kb(pid) - idle) / CLIENTS
        control = Control(world)
        begin = time.perf_counter()
        control.send("/control/approve-all")
        answers = [client.read() for client in clients]
        taken = time.perf_counter() - begin
        control.receive()
        assert answers == [(200, KEY)] * CLIENTS, "not every client got the key"
        for client in clients:
            client.close()
    return [
        Figure("idle gateway, resident", f"{idle / 1024:.1f} MB", "≤ 20 MB", idle <= 20 * 1024),
        Figure(f"{CLIENTS:,} waiting over TLS, resident for each", f"{each:.1f} KB", "≤ 40 KB", each <= 40),
        Figure(f"all {CLIENTS:,} answered after one approval", f"{taken:.2f} s", "≤ 2 s", taken <= 2),
    ]
