"""The loop against the bare store: `simulate` beside a client that makes the same requests at next to no cost.

`PYTHONPATH=. python benchmarks/loop.py [--rounds N] [--files N] [--rows N]`. It first records one run: every request
that it makes, as sent over the wire. Then a run of the loop and a bare client that repeats the recorded requests
(`bare_client.py`) alternate, each in a process of its own, each on a new store of unlimited capacity, with as many
requests at once. Both rates are the store's own figure: rows over the time from the first put to the last write. The
CPU seconds show what limits each: a process that uses as much CPU time as wall time can do no more. Other work on the
machine makes pairs differ; the fastest runs are the closest to an idle machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bare_client import BareClient, Recording, empty_recording, recorder
from machine import machine

from simulator.base import limits
from simulator.base.clients import connect, offline_session
from simulator.base.clock import SystemClock
from simulator.base.collector import kept_for_good
from simulator.base.counters import StoreCounters
from simulator.stack import template
from simulator.stack.model import Stack
from simulator.stack.wiring import wiring
from simulator.store import Store
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import RunOptions
from simulator.twin import resources
from simulator.twin.surroundings import Machine
from simulator.twin.twin import Twin

PUTS_AT_ONCE = 32
OPERATIONS = ("PutObject", "ReceiveMessage", "GetObject", "BatchWriteItem", "DeleteMessageBatch")
START_AT = 1_767_225_600.0
"""The tick's own time; a fixed one gives every run the same objects."""


def stack_of(files: int, rows: int) -> Stack:
    """The pipeline's own template, with one tick's size."""
    return template.load(None, {"FileCount": str(files), "RowsPerFile": str(rows)})


def figures(stack: Stack, counters: StoreCounters, cpu_s: float, store_cpu_s: float, rows: int) -> dict[str, float]:
    """The figures of one run; `cpu_s` is the client's processor time."""
    table = counters.tables[wiring(stack).table.name]
    bucket = counters.buckets[wiring(stack).bucket.name]
    assert table.rows_written == table.rows == rows, f"{table.rows} rows of {rows} are stored"
    assert table.last_write_at is not None
    assert bucket.first_put_at is not None
    wall_s = table.last_write_at - bucket.first_put_at
    return {"rows_per_s": rows / wall_s, "wall_s": wall_s, "cpu_s": cpu_s, "store_cpu_s": store_cpu_s}


async def run_loop(files: int, rows: int) -> dict[str, float]:
    """One tick, as `simulate` runs it, with telemetry, but without a display and the proof that follows the drain."""
    with kept_for_good():  # as the command does
        pass
    stack, clock = stack_of(files, rows), SystemClock()
    telemetry = Telemetry(stack, RunOptions("simulate", 0, "inline", clock.now(), None, "rate(1 minute)", 12.0, None))
    opening = Twin.open(stack, Machine(clock=clock), record=telemetry.record, seed=0)
    async with opening as twin:
        before = await twin.counters()
        cpu_s = time.process_time()
        twin.start_mappings()
        await twin.run_schedules(start_at=START_AT, speed=12.0, ticks=1, stop=asyncio.Event())
        assert await twin.drained(600.0), "the queue did not drain"
        cpu_s = time.process_time() - cpu_s
        after = await twin.counters()
        await twin.stop_mappings()
        return figures(stack, after, cpu_s, after.cpu_s - before.cpu_s, files * rows)


async def run_bare(files: int, rows: int, recording: Recording) -> dict[str, float]:
    """Send the recorded requests again."""
    stack = stack_of(files, rows)
    consumer = wiring(stack).consumer.environment
    async with Store.open(capacity="unlimited") as store:
        async with connect(store.endpoint, offline_session()) as clients:
            await resources.create(stack, clients)
        client = BareClient(
            store.port,
            recording,
            puts=PUTS_AT_ONCE,
            batches=wiring(stack).mapping.maximum_concurrency or limits.MAPPING_INITIAL_CONCURRENCY,
            objects=int(consumer["OBJECT_CONCURRENCY"]),
            writes=int(consumer["WRITE_CONCURRENCY"]),
        )
        before = await store.counters()
        cpu_s = time.process_time()
        await client.replay()
        cpu_s = time.process_time() - cpu_s
        after = await store.counters()
        return figures(stack, after, cpu_s, after.cpu_s - before.cpu_s, files * rows)


async def record_requests(files: int, rows: int) -> Recording:
    """Run one tick through the recorder; returns its requests."""
    stack, clock, recording = stack_of(files, rows), SystemClock(), empty_recording()
    async with AsyncExitStack() as owned:
        store = await owned.enter_async_context(Store.open(capacity="unlimited"))
        endpoint = await owned.enter_async_context(recorder(store.endpoint, recording))
        opening = Twin.open(stack, Machine(clock=clock, endpoint_url=endpoint), record=lambda _: None, seed=0)
        twin = await owned.enter_async_context(opening)
        recording.clear()  # drop the requests that made the resources
        twin.start_mappings()
        await twin.run_schedules(start_at=START_AT, speed=12.0, ticks=1, stop=asyncio.Event())
        assert await twin.drained(600.0)
        await twin.stop_mappings()
    return {name: recording[name] for name in OPERATIONS}


def child(*arguments: str) -> dict[str, Any]:
    """Run this program as a child; returns the last line that it prints."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(name: str, runs: list[dict[str, float]]) -> None:
    """One row of the table: medians, and the fastest run's rate."""
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    print(
        f"{name:<12}{middle['rows_per_s']:>10,.0f}{max(run['rows_per_s'] for run in runs):>10,.0f}"
        f"{middle['wall_s']:>9.2f}{middle['cpu_s']:>15.2f}{middle['store_cpu_s']:>14.2f}"
    )


def main() -> None:
    """Parse, record, run in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="pairs of runs (default: %(default)s)")
    parser.add_argument("--files", type=int, default=200, help="objects of the tick (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1000, help="rows of an object (default: %(default)s)")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sizes = (arguments.files, arguments.rows)
    if arguments.child:
        side, *rest = arguments.child
        found: Any
        if side == "record":
            recording = asyncio.run(record_requests(*sizes))
            Path(rest[0]).write_bytes(pickle.dumps(recording))
            found = {name: len(requests) for name, requests in recording.items()}
        elif side == "bare":
            found = asyncio.run(run_bare(*sizes, pickle.loads(Path(rest[0]).read_bytes())))
        else:
            found = asyncio.run(run_loop(*sizes))
        print(json.dumps(found))
        return
    shape = ["--files", str(arguments.files), "--rows", str(arguments.rows)]
    print(machine("moto", "aiobotocore", "aiohttp"))
    with tempfile.TemporaryDirectory(prefix="stockpipe-loop-") as scratch:
        recorded = str(Path(scratch) / "requests")
        requests = child("--child", "record", recorded, *shape)
        print(f"{arguments.files} objects of {arguments.rows:,} rows:", end=" ")
        print(", ".join(f"{count:,} {name}" for name, count in requests.items()))
        loop, bare = [], []
        for _ in range(arguments.rounds):
            bare.append(child("--child", "bare", recorded, *shape))
            loop.append(child("--child", "loop", *shape))
    print(f"medians of {arguments.rounds} interleaved runs each\n")
    print(f"{'':<12}{'rows/s':>10}{'fastest':>10}{'wall, s':>9}{'client CPU, s':>15}{'store CPU, s':>14}")
    show("bare client", bare)
    show("the loop", loop)
    ratios = [whole["rows_per_s"] / other["rows_per_s"] for whole, other in zip(loop, bare, strict=True)]
    fastest = max(run["rows_per_s"] for run in loop) / max(run["rows_per_s"] for run in bare)
    print(f"\nthe loop reaches {statistics.median(ratios):.0%} of the bare client's rate")
    print(f"  pair by pair {', '.join(f'{ratio:.0%}' for ratio in ratios)}; fastest against fastest {fastest:.0%}")


if __name__ == "__main__":
    main()
