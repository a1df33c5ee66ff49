"""Processes the same event with one consumer at a time, each in its own process: `python benchmarks/peers.py NAME ...`.

Each is written as its documentation suggests: the object through S3, its rows through Python's csv module, numbers as
`Decimal` where the client requires it, one message after another unless concurrency is the client's purpose. Prints one
JSON line: rows, CPU seconds and wall seconds of the timed part, peak memory of the process.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

sys.path.insert(0, str(Path(__file__).parent.parent))

TABLE = "StockData"
BUCKET = "bucket"
THREADS = 10

Event = dict[str, Any]
Run = Callable[[Event], Any]


def event_of(objects: int, rows: int | str, first: int = 0) -> Event:
    """An SQS batch that announces `objects` objects of `rows` rows."""
    records = []
    for i in range(objects):
        key = f"stocks/2026/11/22/{first + i}-{rows}.csv"
        body = {
            "Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]
        }
        records.append(
            {
                "messageId": str(i),
                "receiptHandle": "r",
                "body": json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:StockQueue",
                "awsRegion": "us-east-1",
            }
        )
    return {"Records": records}


def keys_of(record: dict[str, Any]) -> Iterator[str]:
    """The keys that one SQS record announces."""
    for entry in json.loads(record["body"])["Records"]:
        yield unquote_plus(entry["s3"]["object"]["key"])


def items_of(body: bytes) -> Iterator[dict[str, Any]]:
    """The object's rows in the form that boto3's resource requires."""
    for row in csv.DictReader(io.StringIO(body.decode())):
        item: dict[str, Any] = {"PK": row.pop("ticker"), "SK": row.pop("timestamp")}
        item.update((name, Decimal(text)) for name, text in row.items())
        yield item


def boto3_clients() -> tuple[Any, Any]:
    """An S3 client and a table, as at the top of a handler module."""
    import boto3

    return boto3.client("s3"), boto3.resource("dynamodb").Table(TABLE)


def put_item() -> Run:
    """boto3, one `put_item` per row, one object after another: the usual tutorial."""
    s3, table = boto3_clients()

    def handler(event: Event) -> None:
        for record in event["Records"]:
            for key in keys_of(record):
                for item in items_of(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()):
                    table.put_item(Item=item)

    return handler


def batch_writer() -> Run:
    """boto3's `batch_writer`, one object after another: the better tutorial."""
    s3, table = boto3_clients()

    def handler(event: Event) -> None:
        for record in event["Records"]:
            for key in keys_of(record):
                body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
                with table.batch_writer(overwrite_by_pkeys=["PK", "SK"]) as batch:
                    for item in items_of(body):
                        batch.put_item(Item=item)

    return handler


def threads() -> Run:
    """boto3's `batch_writer` in a pool of threads, one object each, with the required table resource per thread."""
    import threading

    import boto3

    local = threading.local()
    s3 = boto3.client("s3")
    pool = ThreadPoolExecutor(THREADS)
    lock = threading.Lock()

    def one(key: str) -> None:
        if not hasattr(local, "table"):
            with lock:
                local.table = boto3.session.Session().resource("dynamodb").Table(TABLE)
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        with local.table.batch_writer(overwrite_by_pkeys=["PK", "SK"]) as batch:
            for item in items_of(body):
                batch.put_item(Item=item)

    def handler(event: Event) -> None:
        list(pool.map(one, [key for record in event["Records"] for key in keys_of(record)]))

    return handler


def powertools() -> Run:
    """Powertools' batch processor over boto3's `batch_writer`."""
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    s3, table = boto3_clients()
    processor = BatchProcessor(event_type=EventType.SQS)

    def one(record: Any) -> None:
        for entry in record.json_body["Records"]:
            key = unquote_plus(entry["s3"]["object"]["key"])
            body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            with table.batch_writer(overwrite_by_pkeys=["PK", "SK"]) as batch:
                for item in items_of(body):
                    batch.put_item(Item=item)

    def handler(event: Event) -> None:
        process_partial_response(event=event, record_handler=one, processor=processor, context=None)

    return handler


def awswrangler() -> Run:
    """awswrangler: `s3.read_csv` and `dynamodb.put_df`."""
    import awswrangler as wr

    wr.config.s3_endpoint_url = wr.config.dynamodb_endpoint_url = os.environ["AWS_ENDPOINT_URL"]

    def handler(event: Event) -> None:
        import boto3

        s3 = boto3.client("s3")
        import pandas as pd

        for record in event["Records"]:
            for key in keys_of(record):
                # Through get_object: wrangler's read_csv lists the bucket first, which the server here does not
                # support.
                body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
                frame = pd.read_csv(io.BytesIO(body), dtype=str).rename(columns={"ticker": "PK", "timestamp": "SK"})
                for name in ("open", "high", "low", "close", "volume"):
                    frame[name] = frame[name].map(Decimal)
                wr.dynamodb.put_df(df=frame, table_name=TABLE)

    return handler


def on_a_loop(make: Callable[[], Awaitable[Callable[[Event], Awaitable[None]]]]) -> Run:
    """A plain handler over one loop that outlives it."""
    runner = asyncio.Runner()
    invoke = runner.run(make())  # type: ignore[arg-type]

    def handler(event: Event) -> None:
        runner.run(invoke(event))  # type: ignore[arg-type]

    return handler


def aioboto3() -> Run:
    """The `batch_writer` of aioboto3, with the objects of a batch at once."""

    async def make() -> Callable[[Event], Awaitable[None]]:
        import aioboto3 as package

        session = package.Session()
        s3 = await session.client("s3").__aenter__()
        resource = await session.resource("dynamodb").__aenter__()
        table = await resource.Table(TABLE)

        async def one(key: str) -> None:
            body = await (await s3.get_object(Bucket=BUCKET, Key=key))["Body"].read()
            async with table.batch_writer(overwrite_by_pkeys=["PK", "SK"]) as batch:
                for item in items_of(body):
                    await batch.put_item(Item=item)

        async def invoke(event: Event) -> None:
            await asyncio.gather(*(one(key) for record in event["Records"] for key in keys_of(record)))

        return invoke

    return on_a_loop(make)


def aiodynamo() -> Run:
    """Batch writes of aiodynamo over aiohttp, 25 rows per request, eight at once; aiobotocore reads the objects."""

    async def make() -> Callable[[Event], Awaitable[None]]:
        import aiohttp
        from aiobotocore.session import AioSession
        from aiodynamo.client import URL, Client
        from aiodynamo.credentials import Credentials
        from aiodynamo.http.aiohttp import AIOHTTP
        from aiodynamo.models import BatchWriteRequest

        s3 = await AioSession().create_client("s3").__aenter__()
        client = Client(
            AIOHTTP(aiohttp.ClientSession()),
            Credentials.auto(),
            "us-east-1",
            endpoint=URL(os.environ["AWS_ENDPOINT_URL"]),
        )
        slots = asyncio.Semaphore(8)

        async def write(items: list[dict[str, Any]]) -> None:
            async with slots:
                left = await client.batch_write({TABLE: BatchWriteRequest(items_to_put=items)})
                assert not left

        async def one(key: str) -> None:
            body = await (await s3.get_object(Bucket=BUCKET, Key=key))["Body"].read()
            rows = list(items_of(body))
            await asyncio.gather(*(write(rows[i : i + 25]) for i in range(0, len(rows), 25)))

        async def invoke(event: Event) -> None:
            for record in event["Records"]:
                for key in keys_of(record):
                    await one(key)

        return invoke

    return on_a_loop(make)


def ours(batch_writer: str) -> Run:
    """The consumer of this project, from event to response."""

    async def make() -> Callable[[Event], Awaitable[None]]:
        from aiobotocore.session import AioSession

        from pipeline.consumer import handler

        environ = {**os.environ, "TABLE_NAME": TABLE, "BATCH_WRITER": batch_writer}
        core = handler.open_environment(environ, AioSession(), lambda _line: None)
        invoke = await core.__aenter__()

        async def call(event: Event) -> None:
            assert await invoke(event, None) == {"batchItemFailures": []}

        call.core = core  # type: ignore[attr-defined] - kept alive
        return call

    return on_a_loop(make)


def encoded_bodies(rows: int) -> list[bytes]:
    """The request bodies that the consumer would send for one object."""
    from loopback import csv_object

    from pipeline.dialect import CsvDialect
    from pipeline.items import ItemReader

    reader = ItemReader("stocks/x.csv", CsvDialect())
    puts = [put for block in [*reader.feed(csv_object(rows)), *reader.feed(b"", final=True)] for put in block.puts]
    return [
        f'{{"RequestItems":{{"{TABLE}":[{",".join(puts[i : i + 25])}]}}}}'.encode() for i in range(0, len(puts), 25)
    ]


def floor(client: str) -> Run:
    """The same bytes, encoded in advance, only signed and sent, 32 at once: by aiohttp, or by this project's client."""

    async def make() -> Callable[[Event], Awaitable[None]]:
        import aiohttp
        from botocore.credentials import ReadOnlyCredentials

        from pipeline.signing import PostSigner
        from pipeline.wire import HttpPool

        url = os.environ["AWS_ENDPOINT_URL"]
        host = url.removeprefix("http://")
        credentials = ReadOnlyCredentials("x", "y", None)
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem"}

        async def given() -> ReadOnlyCredentials:
            return credentials

        signer = PostSigner(host, "/", headers, "us-east-1", "dynamodb", given, time.time)
        pool = HttpPool(url, 32)
        session = aiohttp.ClientSession(
            auto_decompress=False, skip_auto_headers={"User-Agent", "Accept", "Content-Type"}
        )
        bodies: dict[int, list[bytes]] = {}

        async def by_wire(body: bytes) -> None:
            reply = await pool.request(await signer.head(body) + body, 10.0)
            assert reply.status == 200

        async def by_aiohttp(body: bytes) -> None:
            head = (await signer.head(body)).decode().split("\r\n")
            sent = dict(line.split(": ", 1) for line in head[1:] if line)
            async with session.post(url, data=body, headers=sent) as reply:
                await reply.read()
                assert reply.status == 200

        send = by_wire if client == "wire" else by_aiohttp

        async def worker(todo: Iterator[bytes]) -> None:
            for body in todo:
                await send(body)

        async def invoke(event: Event) -> None:
            for record in event["Records"]:
                for key in keys_of(record):
                    rows = int(key.rpartition("-")[2].removesuffix(".csv"))
                    if rows not in bodies:
                        bodies[rows] = encoded_bodies(rows)
                    todo = iter(bodies[rows])
                    await asyncio.gather(*(worker(todo) for _ in range(32)))

        return invoke

    return on_a_loop(make)


CONTESTANTS: dict[str, Callable[[], Run]] = {
    "ours": lambda: ours("signed"),
    "ours-aiobotocore": lambda: ours("aiobotocore"),
    "floor-wire": lambda: floor("wire"),
    "floor-aiohttp": lambda: floor("aiohttp"),
    "put_item": put_item,
    "batch_writer": batch_writer,
    "threads": threads,
    "powertools": powertools,
    "awswrangler": awswrangler,
    "aioboto3": aioboto3,
    "aiodynamo": aiodynamo,
}


def main() -> None:
    """Warm up with one object, then time `--events` events of `--objects` objects."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CONTESTANTS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--events", type=int, default=1)
    parser.add_argument("--objects", type=int, default=10)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, help="one object of this size instead; only for ours")
    arguments = parser.parse_args()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{arguments.port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    handler = CONTESTANTS[arguments.name]()
    handler(event_of(1, min(arguments.rows, 1000), 10_000_000))
    warm_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for number in range(arguments.events):
        size = f"mb{arguments.megabytes}" if arguments.megabytes else arguments.rows
        handler(event_of(arguments.objects, size, number * arguments.objects))
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    print(
        json.dumps(
            {
                "rows": arguments.events * arguments.objects * arguments.rows,
                "cpu_s": cpu_s,
                "wall_s": wall_s,
                "warm_mb": warm_mb,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        ),
        flush=True,
    )
    os._exit(0)


if __name__ == "__main__":
    main()
