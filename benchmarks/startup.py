"""Start-up: the processor time of `stockpipe --help`, and the time from `stockpipe simulate` to the first row stored.

`PYTHONPATH=. python benchmarks/startup.py [--rounds N]`. The first row's instant is the store's own figure, read from
its counters; the processor time until then is that of both processes, the command's and the store's. Prints medians,
and the fastest run, which on a shared machine is the closest to an idle one.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from machine import machine

STOCKPIPE = [sys.executable, "-m", "stockpipe"]
PATIENCE_S = 60.0
LOOK_S = 0.02


def help_cpu_s(*arguments: str) -> float:
    """The processor time of one call, start to exit, user and system."""
    with subprocess.Popen([*STOCKPIPE, *arguments], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


def to_first_row(scratch: Path) -> dict[str, float]:
    """One `simulate` with its defaults, ended as soon as its first row is stored."""
    ready = scratch / "ready"
    ready.unlink(missing_ok=True)
    command = [*STOCKPIPE, "simulate", "--ui", "quiet", "--ready", str(ready)]
    began_at = time.time()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            ready_at = _wait(lambda: ready.stat().st_mtime if ready.exists() else None)
            made = json.loads(ready.read_text())
            first_at = _wait(lambda: _counters(made)["tables"][made["resources"]["table"]]["first_write_at"])
            counters = _counters(made)
            cpu_s = _cpu_s(process.pid)
        finally:
            for _ in range(2):
                process.send_signal(signal.SIGINT)
                time.sleep(0.05)
    return {
        "ready_s": ready_at - began_at,
        "first_row_s": first_at - began_at,
        "cpu_s": cpu_s,
        "store_cpu_s": counters["cpu_s"],
    }


def _counters(made: dict[str, Any]) -> Any:
    with urllib.request.urlopen(f"{made['endpoint']}/_stockpipe/counters", timeout=PATIENCE_S) as answer:
        return json.load(answer)


def _wait(look: Any) -> float:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return float(found)
        time.sleep(LOOK_S)
    sys.exit("nothing happened")


def _cpu_s(pid: int) -> float:
    """The processor time of a running process so far; NaN if the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(name: str, values: list[float]) -> None:
    """One line: median and least."""
    print(f"{name:<56}{statistics.median(values):>8.2f} s{min(values):>10.2f} s")


def main() -> None:
    """Parse, measure in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="runs of each (default: %(default)s)")
    rounds = parser.parse_args().rounds
    print(machine("typer", "rich", "moto", "aiobotocore"))
    help_cpu_s("--help")  # the first one writes compiled files
    helps: dict[str, list[float]] = {"--help": [], "simulate --help": []}
    runs = []
    with tempfile.TemporaryDirectory(prefix="stockpipe-startup-") as scratch:
        for _ in range(rounds):
            for call, values in helps.items():
                values.append(help_cpu_s(*call.split()))
            runs.append(to_first_row(Path(scratch)))
    print(f"{rounds} interleaved runs{'':<38}  median   fastest")
    for call, values in helps.items():
        show(f"stockpipe {call}, processor time", values)
    show("stockpipe simulate, until all resources exist", [run["ready_s"] for run in runs])
    show("stockpipe simulate, until the first row is stored", [run["first_row_s"] for run in runs])
    show("  processor time until then, the command's process", [run["cpu_s"] for run in runs])
    show("  processor time until then, the store's process", [run["store_cpu_s"] for run in runs])


if __name__ == "__main__":
    main()
