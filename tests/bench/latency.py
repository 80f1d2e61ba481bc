"""From the approving POST to the key at the waiting client, over TLS on loopback: a webhook as Twilio posts it, signed, with the PIN of the SMS."""

import http.client
import os
import tempfile
import time

from bench_world import Client, Twilio, make_world, source
from figure import Figure, percentile
from gateway_world import KEY, twilio_environment

RUNS = 200
RUNS_OF_A_GATEWAY = 25  # it sends 30 SMS an hour


def one_run(world, twilio, number):
    client = Client(world, number)
    pin = twilio.pin()
    webhook = http.client.HTTPConnection("localhost")
    webhook.sock = world.connect(source(RUNS + number))
    body, headers = world.webhook_parts(pin, sid=f"SM{number}")
    begin = time.perf_counter()
    webhook.request("POST", "/incoming-message", body, headers)
    status, key = client.read()
    taken = time.perf_counter() - begin
    assert (status, key) == (200, KEY), (status, key)
    assert webhook.getresponse().status == 204
    webhook.close()
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
    taken, syncs = [], []
    with Twilio() as twilio:
        for first in range(0, RUNS, RUNS_OF_A_GATEWAY):
            with make_world(environment=twilio_environment(twilio.address)) as world:
                taken += [one_run(world, twilio, number) for number in range(first, first + RUNS_OF_A_GATEWAY)]
                syncs += [sync_seconds(world.folder) for _ in range(RUNS_OF_A_GATEWAY)]
    middle, late, sync = (1000 * value for value in (percentile(taken, 50), percentile(taken, 99), percentile(syncs, 50)))
    beside = f"one fdatasync here: {sync:.2f} ms"
    return [
        Figure(f"approving POST → key at the client, {RUNS} runs, p50", f"{middle:.2f} ms ({beside})", "≤ 5 ms", middle <= 5),
        Figure("the same, p99", f"{late:.2f} ms", "≤ 25 ms", late <= 25),
    ]
