"""What the gateway's check of one passkey's answer costs, beside the check of its bare signature."""

import json
import os
import subprocess

from figure import Figure, median

ROUNDS = 9


def measure():
    command = [os.environ["ZKV_PASSKEY_COST"], "--benchmark_format=json", f"--benchmark_repetitions={ROUNDS}",
               "--benchmark_min_time=0.1", "--benchmark_enable_random_interleaving=true"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    runs = [run for run in json.loads(done.stdout)["benchmarks"] if run["run_type"] == "iteration"]
    whole, bare = (median([run["cpu_time"] / 1000 for run in runs if run["name"].startswith(name)])
                   for name in ("whole_verification", "bare_signature"))
    return [Figure("checking one passkey's answer (P-256)", f"{whole:.0f} µs ({whole / bare:.2f} times the bare signature by OpenSSL, {bare:.0f} µs)")]
