"""How many releases a second a gateway makes that has one core: all its hosts wait, one approval lets all go."""

import os
import re
import time

from bench_world import Client, Control, make_world, source
from figure import Figure
from gateway_world import KEY
from people_world import Asking, enrol, make_gateway
from processes import processor_seconds

HOSTS = 200


def pin(pid, core):
    """Every thread that there is to this core, and those that come."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {core})


def rate(world, waiting):
    """(answers a second, the gateway's processor time for each in ms), and the answers."""
    control, pid = Control(world), world.process.pid
    before, begin = processor_seconds(pid), time.perf_counter()
    control.send("/control/approve-all")
    answers = [one.answer() for one in waiting]
    taken = time.perf_counter() - begin
    spent = processor_seconds(pid) - before
    control.receive()
    return len(answers) / taken, 1000 * spent / len(answers), answers


def sealed(core):
    with make_gateway("--threads", "1") as world:
        hosts = [enrol(world, f"host-{number}") for number in range(HOSTS)]
        pin(world.process.pid, core)
        waiting = [Asking(world, host, number) for number, host in enumerate(hosts)]
        a_second, each, answers = rate(world, waiting)
        for one, answer in zip(waiting, answers):
            one.finish(answer)
    return a_second, each


class Legacy(Client):
    def answer(self):
        return self.read()


def legacy(core):
    with make_world("--threads", "1") as world:
        pin(world.process.pid, core)
        mark = world.log.mark()
        waiting = [Legacy(world, number) for number in range(HOSTS)]
        for number in range(HOSTS):
            world.log.wait(rf"from {re.escape(source(number))} waits for approval", mark)
        a_second, each, answers = rate(world, waiting)
        assert answers == [(200, KEY)] * HOSTS
        for one in waiting:
            one.close()
    return a_second, each


def measure():
    own, *cores = sorted(os.sched_getaffinity(0))
    core = cores[-1] if cores else own
    os.sched_setaffinity(0, {own})
    try:
        a_second, each = sealed(core)
        bare, bare_each = legacy(core)
    finally:
        os.sched_setaffinity(0, {own, *cores})
    beside = f"{a_second / bare:.2f} times the first protocol's answers, {bare:.0f}/s and {bare_each:.2f} ms"
    return [Figure(f"sealed releases a second on one core, {HOSTS} hosts", f"{a_second:.0f}/s, {each:.2f} ms of processor time each ({beside})")]
