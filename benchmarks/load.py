"""The load test's own figures: whether the generator keeps its plan, its cost, and whether a drain keeps its rate.

PYTHONPATH=. python benchmarks/load.py [--runs 3] [--quick]

1. planned instants at 500 objects/s against the sink, and at 60 % of its ceiling against the store, while the loop
   runs: generator lag and the generator's share of a core;
2. `--backlog 10000 --rows 1`: the rate of the last tenth of the drain against that of the first;
3. `--find-max` at default settings: how long it takes.

Each part is the command itself, in a process of its own; figures are medians of the runs, which alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

from machine import machine


def load_test(*arguments: str) -> tuple[dict[str, Any], float]:
    """One run's summary and how long the command took."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "stockpipe", "load-test", *arguments, "--ui", "quiet", "--summary", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary, time.monotonic() - begun


def paced(name: str, *arguments: str) -> dict[str, Any]:
    """Lag and cost of the generator in one run."""
    summary, _ = load_test(*arguments)
    lag = summary["generator_lag_s"]
    return {
        "name": name,
        "rate": summary["sent"] / summary["arrivals"]["duration_s"],
        "lag_p50": lag["p50"],
        "lag_p99": lag["p99"],
        "dropped": summary["dropped"],
        "cpu": summary["generator_cpu"],
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="shorter runs, without the backlog and the search")
    options = parser.parse_args()
    duration = "5s" if options.quick else "15s"
    print(machine("moto", "aiobotocore", "aiohttp"))
    print(f"load average at the start {os.getloadavg()[0]:.1f}")
    ceiling, _ = load_test("--rate", "20/s", "--duration", "2s")
    share = round(0.6 * ceiling["ceiling"]["objects_per_s"], 1)
    shapes = {
        "500/s of 1 row, sink": ("--target", "sink", "--rate", "500/s", "--rows", "1", "--duration", duration),
        f"{share}/s of 100 rows, store (60 % of its ceiling)": ("--rate", f"{share}/s", "--duration", duration),
    }
    runs = [paced(name, *arguments) for _ in range(options.runs) for name, arguments in shapes.items()]
    print("\n| load | lag p50, ms | lag p99, ms | dropped | generator, share of a core |")
    print("| --- | --- | --- | --- | --- |")
    for name in shapes:
        mine = [run for run in runs if run["name"] == name]
        p50, p99, cpu = (median(run[key] for run in mine) for key in ("lag_p50", "lag_p99", "cpu"))
        dropped = sum(run["dropped"] for run in mine)
        print(f"| {name} | {p50 * 1000:.2f} | {p99 * 1000:.2f} | {dropped} | {cpu:.1%} |")
    if options.quick:
        return
    drains = [load_test("--backlog", "10000", "--rows", "1")[0]["backlog"] for _ in range(options.runs)]
    shares = median(drain["last_tenth_to_first"] for drain in drains)
    rate = median(drain["drain_objects_per_s"] for drain in drains)
    print(f"\nbacklog of 10,000 objects of one row: {rate:,.0f} objects/s, last tenth against first {shares:.2f}")
    searches = [load_test("--find-max") for _ in range(options.runs)]
    took = median(seconds for _, seconds in searches)
    found = [summary["find_max"] for summary, _ in searches]
    answers = ", ".join(f"{search['rate_per_s']}/s ({len(search['probes'])} probes)" for search in found)
    print(f"--find-max: {took:.0f} s; {answers}")
    print(f"load average at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
