"""What the audit costs: rows per second against a local store, whose processor time that is, and memory.

    python benchmarks/audit.py                     50,000 rows in files of 1,000
    python benchmarks/audit.py --rows 200000 --runs 3
    python benchmarks/audit.py --evidence 5000000  only bringing both sides together, with each database that was tried

A bare reader (the same listing, gets and scans, with the answers ignored) alternates with the audit, so that the ratio
shows what the proof costs beyond its reading.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import itertools
import operator
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from simulator.base.clients import Clients, connect, offline_session
from simulator.base.clock import SystemClock
from simulator.proof.audit import audit, nothing
from simulator.proof.comparison import Comparison
from simulator.proof.evidence import Evidence, Kind
from simulator.proof.scan import scan
from simulator.store import Store

NAME = "benchmark"
FILE_ROWS = 1_000


def main() -> None:
    """Measure what the arguments request, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--evidence", type=int, metavar="ROWS")
    parser.add_argument("--method", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method:
        _run_method(arguments.method, arguments.evidence)
        return
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"moto {version('moto')}, aiobotocore {version('aiobotocore')}, SQLite {sqlite3.sqlite_version}"
    )
    if arguments.evidence:
        _measure_methods(arguments.evidence)
    else:
        asyncio.run(_measure_audit(arguments.rows, arguments.runs))


async def _measure_audit(rows: int, runs: int) -> None:
    async with Store.open() as store, connect(store.endpoint, offline_session()) as clients:
        await _fill(clients, rows)
        figures: dict[str, list[tuple[float, float, float]]] = {"bare reader": [], "audit": []}
        reads: dict[str, Callable[[Clients], Awaitable[None]]] = {"bare reader": _read, "audit": _audit}
        memory = _memory_kib()
        for _ in range(runs):
            for name, read in reads.items():
                store_before = (await store.counters()).cpu_s
                wall, own = time.perf_counter(), time.process_time()
                await read(clients)
                wall, own = time.perf_counter() - wall, time.process_time() - own
                figures[name].append((wall, own, (await store.counters()).cpu_s - store_before))
        print(f"{rows} rows in files of {FILE_ROWS}, medians of {runs} interleaved runs")
        print(f"{'':12} {'rows/s':>9} {'own CPU us/row':>15} {'store CPU us/row':>17}")
        for name, runs_of in figures.items():
            wall, own, stores = (statistics.median(figure) for figure in zip(*runs_of, strict=True))
            print(f"{name:12} {rows / wall:9,.0f} {own / rows * 1e6:15.1f} {stores / rows * 1e6:17.1f}")
        walls = {name: statistics.median(figure[0] for figure in runs_of) for name, runs_of in figures.items()}
        print(f"audit / bare reader, wall time: {walls['audit'] / walls['bare reader']:.2f}")
        print(f"memory grew by {(_memory_kib() - memory) / 1024:.0f} MiB at the peak")


async def _fill(clients: Clients, rows: int) -> None:
    await clients.s3.create_bucket(Bucket=NAME)
    await clients.dynamodb.create_table(
        TableName=NAME,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    )

    async def file(number: int) -> None:
        lines, puts = ["ticker,timestamp,open,high,low,close,volume"], []
        for row in range(number * FILE_ROWS, (number + 1) * FILE_ROWS):
            ticker, second, price = f"T{row % 50:02d}", row // 50, f"{100 + row % 977 / 100:.2f}"
            stamp = f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            day = f"2026-11-{1 + second // 86400:02d}"
            lines.append(f"{ticker},{day}T{stamp}Z,{price},{price},{price},{price},{row}")
            item = {name: {"N": price} for name in ("open", "high", "low", "close")}
            key = {"PK": {"S": ticker}, "SK": {"S": f"{day}T{stamp}.000000Z"}}
            puts.append({"PutRequest": {"Item": item | key | {"volume": {"N": str(row)}}}})
        await clients.s3.put_object(Bucket=NAME, Key=f"stocks/{number:06d}.csv", Body="\n".join(lines).encode())
        for first in range(0, FILE_ROWS, 25):
            await clients.dynamodb.batch_write_item(RequestItems={NAME: puts[first : first + 25]})

    for first in range(0, rows // FILE_ROWS, 4):
        await asyncio.gather(*(file(n) for n in range(first, min(first + 4, rows // FILE_ROWS))))


async def _read(clients: Clients) -> None:
    """The same requests as the audit's, with the answers ignored."""
    limit = asyncio.Semaphore(8)

    async def get(key: str) -> None:
        async with limit:
            answer = await clients.s3.get_object(Bucket=NAME, Key=key)
            await answer["Body"].read()

    async for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix="stocks/"):
        await asyncio.gather(*(get(entry["Key"]) for entry in page["Contents"]))
    await scan(clients.dynamodb, NAME, _ignore)


async def _audit(clients: Clients) -> None:
    found = await audit(
        s3=clients.s3,
        dynamodb=clients.dynamodb,
        bucket=NAME,
        prefix="stocks/",
        table=NAME,
        environ={},
        rejected_prefix="rejected/",
        dead_lettered=nothing(),
        pending=nothing(),
        earlier=nothing(),
        drained=True,
        record=_ignore,
        clock=SystemClock(),
    )
    assert found.verdict == "exact", found.differences


def _ignore(_: object) -> None:
    """Ignore items and progress."""


def _measure_methods(rows: int) -> None:
    """Claims and items of `rows` keys, far from sorted, brought together by each method.

    Each runs in a process of its own, so that each has its own peak of memory.
    """
    for name in _METHODS:
        subprocess.run([sys.executable, __file__, "--evidence", str(rows), "--method", name], check=True)


def _run_method(name: str, rows: int) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        agreed = _METHODS[name](rows)
    except ImportError as error:
        print(f"{name:12} not measured: {error}; run this with .venv-bench/bin/python")
        return
    assert agreed == rows, f"{agreed} of {rows} keys agree"
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        f"{name:12} {cpu / rows * 1e6:6.2f} us CPU and {wall / rows * 1e6:6.2f} us per key of both sides, "
        f"{_memory_kib() / 1024:,.0f} MiB at the peak"
    )


def _statements(rows: int) -> Iterator[tuple[list[tuple[str, str, int, str]], list[tuple[str, str, str]]]]:
    """What objects claim and what the table shows, some of each at a time."""

    def row(number: int) -> tuple[str, str, str]:
        price = f'{{"N":"{number}.5"}}'
        return f"T{number % 50:02d}", f"{number:09d}", ",".join(f'"{name}":{price}' for name in "abcde")

    for first in range(0, rows, FILE_ROWS):
        numbers = range(first, min(first + FILE_ROWS, rows))
        claims = [row(number) for number in numbers]
        yield (
            [(pk, sk, number, content) for (pk, sk, content), number in zip(claims, numbers, strict=True)],
            [row(number * 7919 % rows) for number in numbers],
        )


def _rows_only(rows: int) -> int:
    """Only makes the rows, to show what that costs."""
    return sum(len(claims) for claims, _ in _statements(rows))


def _by_partitions(rows: int) -> int:
    with Evidence() as evidence:
        evidence.add_objects("b", ["stocks/a.csv"])
        for claims, items in _statements(rows):
            evidence.claim(Kind.ROW, 1, claims)
            evidence.show(Kind.ROW, items)
        comparison, unsettled = Comparison(evidence.object_key), evidence.unsettled()
        for part in evidence.parts(unsettled):
            comparison.judge(part, unsettled)
        return comparison.counts["expected_rows"]


def _by_sqlite(rows: int) -> int:
    db = sqlite3.connect("", isolation_level=None)
    db.executescript(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; PRAGMA cache_size=-65536;"
    )
    db.executescript("CREATE TABLE statement (pk BLOB, sk BLOB, line INTEGER, content TEXT); BEGIN;")
    for claims, items in _statements(rows):
        for side in (claims, ((pk, sk, None, content) for pk, sk, content in items)):
            encoded = ((pk.encode(), sk.encode(), line, content) for pk, sk, line, content in side)
            db.executemany("INSERT INTO statement VALUES (?, ?, ?, ?)", encoded)
    agreed = 0
    in_order = db.execute("SELECT pk, sk, line, content FROM statement ORDER BY pk, sk, line")
    for _, about in itertools.groupby(in_order, key=operator.itemgetter(0, 1)):
        item, claim = about
        agreed += item[3] == claim[3]
    return agreed


def _by_duckdb(rows: int) -> int:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        with (
            Path(folder, "claim.csv").open("w", newline="") as claim,
            Path(folder, "item.csv").open("w", newline="") as item,
        ):
            for claims, items in _statements(rows):
                csv.writer(claim).writerows(claims)
                csv.writer(item).writerows(items)
        db = duckdb.connect(f"{folder}/database")
        db.execute(f"SET memory_limit = '200MB'; SET threads = 2; SET temp_directory = '{folder}/spilled'")
        db.execute("SET preserve_insertion_order = false")
        for name, columns in (("claim", "pk, sk, line, content"), ("item", "pk, sk, content")):
            typed = dict.fromkeys(columns.split(", "), "VARCHAR")
            db.execute(
                f"CREATE TABLE {name} AS SELECT * FROM read_csv('{folder}/{name}.csv', header=false, columns={typed})"
            )
        row = db.execute(
            "SELECT count(*) FROM claim JOIN item USING (pk, sk) WHERE claim.content = item.content"
        ).fetchone()
        return int(row[0])


def _memory_kib() -> int:
    """The peak of resident memory so far."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


_METHODS: dict[str, Callable[[int], int]] = {
    "nothing": _rows_only,
    "partitions": _by_partitions,
    "SQLite sort": _by_sqlite,
    "DuckDB join": _by_duckdb,
}

if __name__ == "__main__":
    main()
