"""From the approving POST to the key at the waiting client, over TLS on loopback."""

import os
import tempfile
import time

from bench_world import Client, Control, make_world
from figure import Figure, percentile
from gateway_world import KEY

RUNS = 200


def one_run(world, control, number):
    client = Client(world, number)
    request = world.log.wait(r"request (\w+) from", world.mark).group(1)
    world.mark = world.log.mark()
    begin = time.perf_counter()
    control.send(f"/control/requests/{request}/approve")
    status, body = client.read()
    taken = time.perf_counter() - begin
    assert (status, body) == (200, KEY), (status, body)
    control.receive()
    client.close()
    return taken


def sync_seconds(folder):
    """One append and fdatasync on the same file system, as a commit of the database does at least once."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        begin = time.perf_counter()
        file.write(bytes(4096))
        file.flush()
        os.fdatasync(file.fileno())
        return time.perf_counter() - begin


def measure():
    with make_world() as world:
        control = Control(world)
        world.mark = world.log.mark()
        taken = [one_run(world, control, number) for number in range(RUNS)]
        syncs = [sync_seconds(world.folder) for _ in range(RUNS)]
    middle, late, sync = (1000 * value for value in (percentile(taken, 50), percentile(taken, 99), percentile(syncs, 50)))
    beside = f"one fdatasync here: {sync:.2f} ms"
    return [
        Figure(f"approving POST → key at the client, {RUNS} runs, p50", f"{middle:.2f} ms ({beside})", "≤ 5 ms", middle <= 5),
        Figure("the same, p99", f"{late:.2f} ms", "≤ 25 ms", late <= 25),
    ]
