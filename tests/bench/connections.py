"""New TLS 1.3 connections a second to /livez, beside nginx with the same certificate, turn by turn."""

import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import time

from bench_world import make_world
from figure import Figure, median
from gateway_world import PATIENCE
from processes import cpu_seconds

ROUNDS, SECONDS = 5, 3
CONFIG = """daemon off; pid {folder}/nginx.pid; error_log stderr warn; worker_processes {workers}; master_process on;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen unix:{folder}/ready.sock; listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    location = /livez {{ default_type text/plain; return 200 "alive\\n"; }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(world, workers, port):
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        config = pathlib.Path(name) / "nginx.conf"
        config.write_text(CONFIG.format(folder=name, workers=workers, port=port, certificate=world.certificate,
                                        key=world.certificate_key))
        process = subprocess.Popen(["nginx", "-c", config, "-p", name], stderr=subprocess.DEVNULL)
        try:
            await_port(port, process)
            yield process.pid
        finally:
            process.terminate()
            process.wait(PATIENCE)


def await_port(port, process):
    """curl tries again by itself until something listens."""
    subprocess.run(["curl", "-sk", "--noproxy", "*", "--retry", "30", "--retry-connrefused", "--retry-delay", "1", "-o",
                    "/dev/null", f"https://127.0.0.1:{port}/livez"], check=True, timeout=PATIENCE)
    assert process.poll() is None, "nginx ended"


def connections(port, loaders):
    """How many new connections a second `loaders` clients make, each asking /livez once."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-tls1_3", "-www", "/livez", "-time",
               str(SECONDS)]
    begin = time.perf_counter()
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(loaders)]
    texts = [process.communicate(timeout=PATIENCE)[0] for process in running]
    taken = time.perf_counter() - begin
    return sum(int(re.search(r"(\d+) connections in \d+ real seconds", text).group(1)) for text in texts) / taken


def rate_and_cost(pid, port, loaders):
    before = cpu_seconds(pid)
    rate = connections(port, loaders)
    return rate, (cpu_seconds(pid) - before) * 1e6 / (rate * SECONDS)


def compare(title, target, threads, workers, loaders):
    with make_world(*threads) as world, nginx(world, workers, world.port + 1) as nginx_pid:
        rounds = [(rate_and_cost(world.process.pid, world.port, loaders),
                   rate_and_cost(nginx_pid, world.port + 1, loaders)) for _ in range(ROUNDS)]
    ours, theirs = (median([turn[side][0] for turn in rounds]) for side in (0, 1))
    cost, their_cost = (median([turn[side][1] for turn in rounds]) for side in (0, 1))
    ratio = median([100 * turn[0][0] / turn[1][0] for turn in rounds])
    measured = (f"{ratio:.0f} % of nginx ({ours:.0f}/s and {theirs:.0f}/s; processor time {cost:.0f} µs and "
                f"{their_cost:.0f} µs each)")
    return Figure(title, measured, target, ratio >= 60 if target else None)


def measure():
    return [
        compare("new TLS 1.3 connections to `/livez`, one worker", "≥ 60 %", ("--threads", "1"), "1", 2),
        compare("the same, each as it comes", "≥ 60 %", (), "auto", 2),
    ]
