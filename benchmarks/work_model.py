"""What one call to a service costs its caller in processor time: the measured figures of `simulator/world/model.py`.

`python benchmarks/work_model.py [--rounds 5]`, some 20 seconds. The clients talk to `loopback.py`, which answers at
once, so that processor time is the client's own. A figure per item or byte is the slope between a small and a large
request: a call's fixed cost is not in it. Prints medians of interleaved rounds; the model has them rounded.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from handlers import loopback, measure
from machine import machine

from simulator.functions.runtimes.variables import on_loopback

NOWHERE = "http://127.0.0.1:9"
CALLS = 200
LARGE_BYTES = 1_000_000
TIMED = "import time; began = time.process_time(); {}; print((time.process_time() - began) * 1e3)"
INITS = {
    "init of our handlers": "import pipeline.consumer",
    "init of a handler with boto3": "import boto3; boto3.client('s3'); boto3.client('dynamodb')",
}
"""Imports and clients, as at init: with a Runtime API in the environment, ours makes its clients when imported."""


def init_ms(statements: str) -> float:
    """Processor time of these statements in a Python of its own, which finds compiled files."""
    environ = {**os.environ, **on_loopback(NOWHERE), "TABLE_NAME": "StockData", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}
    command = [sys.executable, "-c", TIMED.format(statements)]
    done = subprocess.run(command, env=environ, cwd=Path(__file__).parents[1], capture_output=True, check=True)
    return float(done.stdout)


def us_of(call: Callable[[], Any], calls: int = CALLS) -> float:
    """Microseconds of processor time per call."""
    call()
    began = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - began) / calls * 1e6


def items(count: int) -> dict[str, Any]:
    """A batch of quotes, as boto3's client takes it."""
    columns = {name: {"N": "101.25"} for name in ("open", "high", "low", "close", "volume")}
    puts = [
        {"PutRequest": {"Item": {"PK": {"S": "AAPL"}, "SK": {"S": f"2026-01-01T00:00:00.{number:06}Z"}, **columns}}}
        for number in range(count)
    ]
    return {"StockData": puts}


def with_boto3() -> Iterator[tuple[str, float]]:
    """boto3's clients, one call after another."""
    import boto3

    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    small = us_of(lambda: s3.put_object(Bucket="b", Key="k", Body=b"x"))
    large = us_of(lambda: s3.put_object(Bucket="b", Key="k", Body=b"x" * LARGE_BYTES), 20)
    yield "boto3, PutObject of one byte, us a call", small
    yield "boto3, PutObject, ns a byte", (large - small) / LARGE_BYTES * 1e3
    one = us_of(lambda: dynamodb.batch_write_item(RequestItems=items(1)))
    full = us_of(lambda: dynamodb.batch_write_item(RequestItems=items(25)))
    yield "boto3, BatchWriteItem of one item, us a call", one
    yield "boto3, BatchWriteItem, us an item", (full - one) / 24


async def with_aiobotocore() -> list[tuple[str, float]]:
    """The consumer's way to an object: aiobotocore, read as a stream."""
    from aiobotocore.session import AioSession

    async with AioSession().create_client("s3") as s3:

        async def get(rows: int) -> int:
            answer = await s3.get_object(Bucket="b", Key=f"stocks/x-{rows}.csv")
            async with answer["Body"] as body:
                return len(await body.read())

        found = []
        for rows in (1, 10_000):
            size = await get(rows)
            began = time.process_time()
            for _ in range(50):
                await get(rows)
            found.append((size, (time.process_time() - began) / 50 * 1e6))
    (few, small), (many, large) = found
    return [
        ("aiobotocore, GetObject of one row, us a call", small),
        ("aiobotocore, GetObject, ns a byte", (large - small) / (many - few) * 1e3),
    ]


def with_ours(port: int) -> Iterator[tuple[str, float]]:
    """Our own client's call; the consumer's way from a row's bytes to a put request, without the calls."""
    wire = measure("floor-wire", port, 1, 100, 1000)
    long, short = measure("ours", port, 1, 30, 1000), measure("ours", port, 1, 60, 100)
    assert wire
    assert long
    assert short
    a_call = wire["us_a_row"] * 25
    a_row = (long["us_a_row"] * 1000 - short["us_a_row"] * 100) / 900
    yield "our client, BatchWriteItem, us a call", a_call
    yield "the consumer, us a row", a_row - a_call / 25
    yield "the consumer, us an object, without its rows", (short["us_a_row"] - a_row) * 100


def with_the_market() -> Iterator[tuple[str, float]]:
    """The generator's way to an object's bytes."""
    from pipeline.market import Market

    market, written, began = Market(seed=1, files=5, rows=1000, tickers=50), 0, time.process_time()
    for tick in range(0, 600, 60):
        for number in range(market.files):
            written += sum(map(len, market.csv_chunks(1_767_225_600 + tick, number)))
    yield "the generator, ns a byte", (time.process_time() - began) / written * 1e9


def main() -> None:
    """Measure in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    found: dict[str, list[float]] = {}
    with loopback(0.0) as port:
        os.environ |= on_loopback(f"http://127.0.0.1:{port}")
        for _ in range(rounds):
            figures = [*with_boto3(), *asyncio.run(with_aiobotocore()), *with_ours(port), *with_the_market()]
            figures += [(f"{name}, ms", init_ms(statements)) for name, statements in INITS.items()]
            for name, figure in figures:
                found.setdefault(name, []).append(figure)
    print(machine("boto3", "aiobotocore", "botocore", "aiohttp"))
    print(f"processor time, medians of {rounds} interleaved rounds (least to most)")
    for name, values in found.items():
        print(f"  {name:<50}{statistics.median(values):9.1f}  ({min(values):.1f} to {max(values):.1f})")


if __name__ == "__main__":
    main()
