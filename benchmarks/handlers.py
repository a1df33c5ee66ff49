"""The consumer against its peers and against the floor, on the same objects, in one run: `make bench`.

Every measurement is a process of its own (`peers.py`) that talks to a loopback server (`loopback.py`), so that import,
memory and garbage of one do not affect another. Rounds are interleaved and medians taken, because machines are noisy:
quote ratios. `--quick` takes a few minutes, `--full` has more rounds and longer objects; `--only PART` runs one part.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PEERS = ("put_item", "batch_writer", "threads", "powertools", "awswrangler", "aioboto3", "aiodynamo")
FLOORS = ("floor-aiohttp", "floor-wire")
OURS = ("ours", "ours-aiobotocore")
LABELS = {
    "ours": "stockpipe",
    "ours-aiobotocore": "stockpipe, `BATCH_WRITER=aiobotocore`",
    "floor-aiohttp": "floor: encoded bytes signed and sent by aiohttp",
    "floor-wire": "floor: the same by stockpipe's own client",
    "put_item": "boto3 `put_item` a row, sequential",
    "batch_writer": "boto3 `batch_writer`, sequential",
    "threads": "boto3 `batch_writer`, 10 threads",
    "powertools": "Powertools batch processor, boto3 `batch_writer`",
    "awswrangler": "awswrangler `put_df`",
    "aioboto3": "aioboto3 `batch_writer`, objects at once",
    "aiodynamo": "aiodynamo `batch_write`, 8 requests at once",
}
SLOW = {"put_item": 10, "awswrangler": 4, "threads": 2, "powertools": 2, "batch_writer": 2, "aioboto3": 2}
"""By what factor a contestant gets fewer objects, so that rounds stay short."""
Figures = dict[str, float]


@contextmanager
def loopback(delay_ms: float) -> Iterator[int]:
    """A server's port."""
    command = [sys.executable, str(HERE / "loopback.py"), "--delay-ms", str(delay_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


def measure(name: str, port: int, events: int, objects: int, rows: int, *more: str) -> Figures | None:
    """One contestant's figures; None, after printing its last output, if it failed."""
    sizes = ["--events", str(events), "--objects", str(objects), "--rows", str(rows)]
    command = [sys.executable, str(HERE / "peers.py"), name, "--port", str(port), *sizes, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        print(f"  {name} failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}", file=sys.stderr)
        return None
    figures: Figures = json.loads(lines[-1])
    figures["rows"] = figures["rows"] or 1
    return figures | {
        "per_cpu_s": figures["rows"] / figures["cpu_s"],
        "per_s": figures["rows"] / figures["wall_s"],
        "us_a_row": figures["cpu_s"] / figures["rows"] * 1e6,
    }


def medians(runs: list[Figures]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def table(header: list[str], rows: list[list[str]]) -> None:
    """Print a table in Markdown."""
    for line in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(line) + " |")
    print(flush=True)


def against_peers(rounds: int, objects: int) -> None:
    """Rows per CPU-second and per second, memory, ratios; with immediate answers and at 8 ms per answer."""
    for delay_ms, names in ((0.0, (*OURS, *FLOORS, *PEERS)), (8.0, (*OURS, *PEERS))):
        print(f"### {'Immediate answers' if not delay_ms else f'Answers after {delay_ms:.0f} ms'}\n")
        found: dict[str, list[Figures]] = {name: [] for name in names}
        with loopback(delay_ms) as port:
            for _ in range(rounds):
                for name in names:
                    share = SLOW.get(name, 1) * (2 if delay_ms and name in SLOW else 1)
                    figures = measure(name, port, 1, max(1, objects // share), 1000)
                    if figures:
                        found[name].append(figures)
        middle = {name: medians(runs) for name, runs in found.items() if runs}
        ours = middle["ours"]
        lines = []
        for name, figures in sorted(middle.items(), key=lambda pair: -pair[1]["per_cpu_s"]):
            floor = middle.get("floor-aiohttp")
            lines.append(
                [
                    LABELS[name],
                    f"{figures['per_cpu_s']:,.0f}",
                    f"{figures['per_s']:,.0f}",
                    f"{figures['peak_mb']:.0f} MB",
                    f"{ours['per_cpu_s'] / figures['per_cpu_s']:.1f}",
                    f"{ours['per_s'] / figures['per_s']:.1f}",
                    f"{figures['per_cpu_s'] / floor['per_cpu_s']:.0%}" if floor else "",
                ]
            )
        table(["", "rows/CPU-s", "rows/s", "peak", "ours/this, CPU", "ours/this, rows/s", "of the floor"], lines)


def growth(*, full: bool) -> None:
    """Time per row and memory as objects get more numerous and longer."""
    print("### Growth\n")
    shapes = [
        (1, 1, 1000),
        (1, 10, 1000),
        (10, 10, 1000),
        (100, 10, 100),
        (10, 10, 100),
        (1, 1, 10_000),
        (1, 1, 100_000),
    ]
    if full:
        shapes += [(100, 10, 1000), (1, 1, 1_000_000)]
    with loopback(0.0) as port:
        found: dict[tuple[int, int, int], list[Figures]] = {shape: [] for shape in shapes}
        for _ in range(3):
            for shape in shapes:
                figures = measure("ours", port, *shape)
                if figures:
                    found[shape].append(figures)
    lines = []
    for (events, objects, rows), runs in found.items():
        middle = medians(runs)
        lines.append([f"{events * objects:,}", f"{rows:,}", f"{middle['us_a_row']:.2f}", f"{middle['peak_mb']:.0f} MB"])
    table(["objects", "rows per object", "CPU us per row", "peak"], lines)


def memory(megabytes: int) -> None:
    """One object far larger than memory."""
    print(f"### One object of {megabytes} MB\n")
    with loopback(0.0) as port:
        figures = measure("ours", port, 1, 1, 0, "--megabytes", str(megabytes))
    if figures:
        table(
            ["before", "peak", "wall", "MB/s"],
            [
                [
                    f"{figures['warm_mb']:.0f} MB",
                    f"{figures['peak_mb']:.0f} MB",
                    f"{figures['wall_s']:.0f} s",
                    f"{megabytes / figures['wall_s']:.1f}",
                ]
            ],
        )


COLD = """
import json, os, time, asyncio
cpu = time.process_time()
import pipeline.{name} as module
imported = time.process_time() - cpu
from aiobotocore.session import AioSession
async def main():
    begin = time.process_time()
    async with module.handler.open_environment(os.environ, AioSession(), print):
        return time.process_time() - begin
print(json.dumps({{"import_ms": imported * 1e3, "clients_ms": asyncio.run(main()) * 1e3}}))
"""


def cold_start(rounds: int) -> None:
    """CPU of a cold start: importing the handler, making its clients."""
    print("### Cold start (CPU)\n")
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HERE.parent),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "TABLE_NAME": "T",
        "BUCKET_NAME": "bucket",
    }
    found: dict[str, list[Figures]] = {"generator": [], "consumer": []}
    for _ in range(rounds + 1):  # the first one writes the .pyc files
        for name, runs in found.items():
            code = COLD.format(name=name)
            done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
            runs.append(json.loads(done.stdout))
    lines = []
    for name, runs in found.items():
        middle = medians(runs[1:])
        total = middle["import_ms"] + middle["clients_ms"]
        lines.append([name, f"{middle['import_ms']:.0f} ms", f"{middle['clients_ms']:.0f} ms", f"{total:.0f} ms"])
    table(["", "import", "clients", "both"], lines)


def machine() -> str:
    """What this ran on."""
    packages = ("aiobotocore", "botocore", "boto3", "aiohttp", "aiodynamo", "aws-lambda-powertools", "awswrangler")
    versions = []
    for name in packages:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} missing")
    load = os.getloadavg()[0]
    return (
        f"{platform.machine()}, {os.cpu_count()} cores (load {load:.1f}), Python {platform.python_version()}, "
        + ", ".join(versions)
    )


def main() -> None:
    """Run the requested parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more rounds, longer objects, 1 GB for the memory part")
    parser.add_argument("--only", choices=("peers", "growth", "memory", "cold"), help="one part")
    arguments = parser.parse_args()
    parts: dict[str, Any] = {
        "peers": lambda: against_peers(5 if arguments.full else 3, 40 if arguments.full else 20),
        "growth": lambda: growth(full=arguments.full),
        "memory": lambda: memory(1024 if arguments.full else 128),
        "cold": lambda: cold_start(7 if arguments.full else 3),
    }
    print(machine() + "\n", flush=True)
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


if __name__ == "__main__":
    main()
