"""What the system says about a process: memory and processor time, with those of its children where asked."""

import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def resident_kb(pid):
    """VmRSS now, in KiB."""
    return _status(pid, "VmRSS")


def _status(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise LookupError(f"process {pid} has no {field}")


def family(pid):
    """The process and its living children."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu_seconds(pid):
    """User and system time of the process and its living children."""
    total = 0
    for member in family(pid):
        fields = pathlib.Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def processor_seconds(pid):
    """What all threads of the process have had of processors, to the nanosecond; of those that are gone, nothing."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
