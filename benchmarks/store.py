"""The store: the loop against moto_server as shipped, depth, the rules' cost, reads, and two processes for one.

    python benchmarks/store.py                all parts, about two minutes
    python benchmarks/store.py loop rules     some of them
    python benchmarks/store.py depth --messages 100000 --rows 200000 --objects 20000

Runs to compare alternate, and medians are printed with their ratio: machines are shared and noisy.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import platform
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import aiohttp
import orjson

from pipeline.consumer import handler
from simulator.base.clients import Clients, connect, offline_session
from simulator.base.clock import SystemClock
from simulator.store import Store
from simulator.store.wire.messages import Request, Response

OBJECT_ROWS = 100
WORKERS = 8
POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
        }
    ]
}
CSV = "ticker,timestamp,open,high,low,close,volume\n"


def main() -> None:
    """Measure the parts that the arguments name, and print them."""
    parts = {"loop": _loop_part, "rules": _rules_part, "depth": _depth_part, "split": _split_part}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--loop-objects", type=int, default=100, help="of 100 rows each, for every run of the loop")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--objects", type=int, default=20_000)
    options = parser.parse_args()
    unknown = set(options.parts) - set(parts)
    if unknown:
        parser.error(f"unknown part '{unknown.pop()}'; the parts are {', '.join(parts)}")
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"moto {version('moto')}, aiohttp {version('aiohttp')}, aiobotocore {version('aiobotocore')}"
    )
    for name in options.parts or parts:
        asyncio.run(parts[name](options))


@dataclass(frozen=True)
class Server:
    """Where the loop runs: clients, the endpoint for the rows (usually the same), and whose CPU it uses."""

    clients: Clients
    tables: Clients
    tables_endpoint: str
    endpoint: str
    cpu_s: Callable[[], float]


def _cpu_of(*pids: int) -> float:
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _store(*, strict: bool = True) -> AsyncIterator[Server]:
    async with Store.open(strict=strict) as store, connect(store.endpoint, offline_session()) as clients:
        yield Server(clients, clients, store.endpoint, store.endpoint, lambda: _cpu_of(store.pid))


@asynccontextmanager
async def _two_stores() -> AsyncIterator[Server]:
    """DynamoDB in a process of its own, reached directly: the most that a split could gain, without any forwarding."""
    async with (
        Store.open() as one,
        Store.open() as other,
        connect(one.endpoint, offline_session()) as clients,
        connect(other.endpoint, offline_session()) as tables,
    ):
        yield Server(clients, tables, other.endpoint, one.endpoint, lambda: _cpu_of(one.pid, other.pid))


@asynccontextmanager
async def _moto_server() -> AsyncIterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "moto.server",
        "-H",
        "127.0.0.1",
        "-p",
        str(port),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.1)
        endpoint = f"http://127.0.0.1:{port}"
        async with connect(endpoint, offline_session()) as clients:
            yield Server(clients, clients, endpoint, endpoint, lambda: _cpu_of(process.pid))
    finally:
        process.terminate()
        await process.wait()


def _item(ticker: str, stamp: str, number: int) -> dict[str, Any]:
    prices = {name: {"N": f"{100 + number % 97}.{number % 9 + 1}"} for name in ("open", "high", "low", "close")}
    return {"PK": {"S": ticker}, "SK": {"S": stamp}, **prices, "volume": {"N": str(number + 1)}}


class Loop:
    """Put, receive the notification, run the pipeline's own consumer (get, parse, write in batches of 25), delete."""

    def __init__(self, server: Server, name: str) -> None:
        self._server, self._name = server, name
        self._url = ""
        self._invokes: list[Any] = []
        self._done_at = 0.0

    async def prepare(self) -> None:
        """Bucket, queue, notification and table."""
        clients, name = self._server.clients, self._name
        self._url = (await clients.sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps(POLICY)}))[
            "QueueUrl"
        ]
        await clients.s3.create_bucket(Bucket=name)
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        queues = [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        await clients.s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"QueueConfigurations": queues}
        )
        await self._server.tables.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "PK", "AttributeType": "S"},
                {"AttributeName": "SK", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    @asynccontextmanager
    async def environments(self) -> AsyncIterator[None]:
        """One warm execution environment of the consumer per worker."""
        environ = {
            "TABLE_NAME": self._name,
            "AWS_ENDPOINT_URL_S3": self._server.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": self._server.tables_endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_LOG_LEVEL": "ERROR",
        }
        session = offline_session()
        async with contextlib.AsyncExitStack() as stack:
            self._invokes = [
                await stack.enter_async_context(handler.open_environment(environ, session, lambda _line: None))
                for _ in range(WORKERS)
            ]
            yield

    async def run(self, objects: int, number: int) -> float:
        """Process that many objects; `number` keeps their keys apart from other runs'. Returns when it was done.

        The pollers still wait a second for messages then; that is not the server's time.
        """
        numbers, left = iter(range(objects)), [objects]
        producers = [self._produce(numbers, number) for _ in range(WORKERS)]
        self._done_at = 0.0
        await asyncio.gather(*producers, *(self._consume(left, invoke) for invoke in self._invokes))
        return self._done_at

    async def _produce(self, numbers: Any, run: int) -> None:
        for number in numbers:
            second = f"2026-11-{run + 1:02d}T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
            rows = (f"T{row % 50},{second}.{row:06d}Z,1.5,2.5,1.25,2.25,{row}" for row in range(OBJECT_ROWS))
            body = (CSV + "\n".join(rows)).encode()
            key = f"stocks/{run}/{number:06d}.csv"
            await self._server.clients.s3.put_object(Bucket=self._name, Key=key, Body=body)

    async def _consume(self, left: list[int], invoke: Any) -> None:
        sqs = self._server.clients.sqs
        context = SimpleNamespace(aws_request_id="benchmark", get_remaining_time_in_millis=lambda: 60_000)
        while left[0] > 0:
            answer = await sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = answer.get("Messages", ())
            # S3's test event is a message, too.
            left[0] -= sum("Records" in each["Body"] for each in messages)
            if messages:
                result = await invoke({"Records": [_record(each) for each in messages]}, context)
                assert not (result or {}).get("batchItemFailures"), result
                entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
                await sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
                self._done_at = time.perf_counter()


def _record(message: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:benchmark",
        "awsRegion": "us-east-1",
    }


async def _compare_loops(
    servers: dict[str, Callable[[], Any]], objects: int, runs: int
) -> dict[str, tuple[float, float, float]]:
    """Rows per second, the server's CPU microseconds per row and our own, for each; medians of alternating runs."""
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in servers}
    async with contextlib.AsyncExitStack() as stack:
        opened = {}
        for name, open_server in servers.items():
            server = await stack.enter_async_context(open_server())
            loop = Loop(server, "benchmark")
            await loop.prepare()
            await stack.enter_async_context(loop.environments())
            opened[name] = server, loop
        for number in range(runs + 1):
            for name, (server, loop) in opened.items():
                cpu, own, wall = server.cpu_s(), time.process_time(), time.perf_counter()
                done_at = await loop.run(objects, number)
                wall, own, cpu = done_at - wall, time.process_time() - own, server.cpu_s() - cpu
                rows = objects * OBJECT_ROWS
                if number:  # the first run pays for imports and connections
                    figures[name].append((rows / wall, cpu / rows * 1e6, own / rows * 1e6))
    return {
        name: tuple(statistics.median(column) for column in zip(*runs_of, strict=True))  # type: ignore[misc]
        for name, runs_of in figures.items()
    }


def _print_loops(title: str, figures: dict[str, tuple[float, float, float]], runs: int) -> None:
    print(f"\n{title}; medians of {runs} alternating runs")
    print(f"{'':34} {'rows/s':>8} {'ratio':>6} {'server CPU us/row':>18} {'client CPU us/row':>18}")
    first = next(iter(figures.values()))[0]
    for name, (rate, cpu, own) in figures.items():
        print(f"{name:34} {rate:8,.0f} {rate / first:6.2f} {cpu:18.1f} {own:18.1f}")


async def _loop_part(options: argparse.Namespace) -> None:
    figures = await _compare_loops(
        {"moto_server as shipped": _moto_server, "store": _store}, options.loop_objects, options.runs
    )
    _print_loops(f"The whole loop, {options.loop_objects} objects of {OBJECT_ROWS} rows", figures, options.runs)


async def _rules_part(options: argparse.Namespace) -> None:
    """The same requests straight to the store's application, with its checks and with checks that do nothing."""
    from simulator.store.dynamodb import rules as dynamodb_rules
    from simulator.store.front.application import assemble
    from simulator.store.s3 import rules as s3_rules
    from simulator.store.sqs import rules as sqs_rules

    application = assemble(SystemClock(), 0, 0, capacity="unlimited", strict=True)
    requests = Requests(application.answer)
    await requests.prepare()
    checks = [(dynamodb_rules, "check_item"), (dynamodb_rules, "_too_long"), (dynamodb_rules, "check_request_sizes")]
    checks += [(s3_rules, "check_request"), (sqs_rules, "check_request")]
    times: dict[bool, list[float]] = {True: [], False: []}
    # The collector would walk through the prepared requests, which a store does not have.
    gc.disable()
    for number in range(options.runs + 1):
        for checked in (True, False):
            with contextlib.ExitStack() as stack:
                for module, name in () if checked else checks:
                    stack.enter_context(mock.patch.object(module, name, _checks_nothing))
                if not checked:
                    stack.enter_context(mock.patch.object(dynamodb_rules, "is_plain_row", _finds_nothing))
                prepared = [requests.batches() for _ in range(100)]
                started = time.process_time()
                for batches in prepared:
                    await requests.object_of_100_rows(batches)
                if number:
                    times[checked].append(time.process_time() - started)
    with_rules, without = statistics.median(times[True]), statistics.median(times[False])
    print(
        f"\nThe cost of the rules in the store, without HTTP; medians of {options.runs} alternating runs of 100 objects"
    )
    print(f"with {with_rules * 100:.1f} us per row, without {without * 100:.1f}, ratio {with_rules / without:.3f}")


def _signed(service: str) -> dict[str, str]:
    credential = f"Credential=bench/20261128/us-east-1/{service}/aws4_request"
    return {"host": "127.0.0.1", "authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}


def _json_request(target: str, parameters: dict[str, Any]) -> Request:
    signed = _signed("sqs" if target.startswith("AmazonSQS") else "dynamodb")
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.0", **signed}
    raw = tuple((name.encode(), value.encode()) for name, value in headers.items())
    return Request("POST", "/", headers, raw, orjson.dumps(parameters))


def _finds_nothing(*_: Any) -> bool:
    return True


def _checks_nothing(*_: Any) -> None:
    return None


class Requests:
    """The requests that one object of 100 rows causes, made once and answered repeatedly."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer
        self._rows = 0

    async def _json(self, target: str, parameters: dict[str, Any]) -> Any:
        return await self._sent(_json_request(target, parameters))

    async def _sent(self, request: Request) -> Any:
        response = await self._answer(request)
        assert response.status == 200, response.body
        return orjson.loads(response.body)

    async def _s3(self, method: str, target: str, body: bytes = b"") -> None:
        headers = _signed("s3")
        raw = tuple((name.encode(), value.encode()) for name, value in headers.items())
        response = await self._answer(Request(method, target, headers, raw, body))
        assert response.status == 200, response.body

    async def prepare(self) -> None:
        """Queue, bucket, notification, table."""
        await self._json("AmazonSQS.CreateQueue", {"QueueName": "q", "Attributes": {"Policy": json.dumps(POLICY)}})
        await self._s3("PUT", "/rules")
        queue = "<Queue>arn:aws:sqs:us-east-1:123456789012:q</Queue><Event>s3:ObjectCreated:*</Event>"
        rule = f"<QueueConfiguration>{queue}</QueueConfiguration>"
        document = f"<NotificationConfiguration>{rule}</NotificationConfiguration>"
        await self._s3("PUT", "/rules?notification", document.encode())
        keys = (("PK", "HASH"), ("SK", "RANGE"))
        await self._json(
            "DynamoDB_20120810.CreateTable",
            {
                "TableName": "t",
                "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in keys],
                "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
                "BillingMode": "PAY_PER_REQUEST",
            },
        )

    def batches(self) -> list[Request]:
        """The batch writes of the next object."""
        self._rows += 100
        return [
            _json_request(
                "DynamoDB_20120810.BatchWriteItem",
                {
                    "RequestItems": {
                        "t": [
                            {"PutRequest": {"Item": _item(f"T{n % 50}", f"{n:09d}", n)}}
                            for n in range(start, start + 25)
                        ]
                    }
                },
            )
            for start in range(self._rows, self._rows + 100, 25)
        ]

    async def object_of_100_rows(self, batches: list[Request]) -> None:
        """Put, receive, get, four batches, delete."""
        await self._s3("PUT", f"/rules/stocks/{self._rows}.csv", b"x" * 5_000)
        got = await self._json("AmazonSQS.ReceiveMessage", {"QueueUrl": "q", "MaxNumberOfMessages": 10})
        await self._s3("GET", f"/rules/stocks/{self._rows}.csv")
        for batch in batches:
            await self._sent(batch)
        for message in got["Messages"]:
            await self._json("AmazonSQS.DeleteMessage", {"QueueUrl": "q", "ReceiptHandle": message["ReceiptHandle"]})


async def _split_part(options: argparse.Namespace) -> None:
    servers: dict[str, Callable[[], Any]] = {
        "one process": _store,
        "DynamoDB apart, reached directly": _two_stores,
    }
    figures = await _compare_loops(servers, 3 * options.loop_objects, options.runs)
    _print_loops("One process or two", figures, options.runs)


class Depth:
    """Bare requests over one connection, without any cost of a client."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        self._session, self._endpoint = session, endpoint

    async def json(self, target: str, **parameters: Any) -> Any:
        """One request of the JSON protocol."""
        headers = {"X-Amz-Target": target, **_signed("sqs" if target.startswith("AmazonSQS") else "dynamodb")}
        async with self._session.post(self._endpoint, data=json.dumps(parameters), headers=headers) as response:
            body = await response.read()
            assert response.status == 200, body
            return json.loads(body or b"{}")

    async def s3(self, method: str, target: str, body: bytes = b"") -> bytes:
        """One request to S3."""
        address, headers = self._endpoint + target, _signed("s3")
        async with self._session.request(method, address, data=body, headers=headers) as response:
            content = await response.read()
            assert response.status < 300, content
            return content


async def _depth_part(options: argparse.Namespace) -> None:
    async with Store.open() as store, Store.open() as fresh, aiohttp.ClientSession() as session:
        depth = Depth(session, store.endpoint)
        print("\nThe same call at two depths, milliseconds; medians of alternating calls")
        print(f"{'':38} {'shallow':>9} {'deep':>9} {'ratio':>6}")
        await _queue_depth(depth, options.messages)
        before = (await store.counters()).memory_bytes
        await _table_depth(depth, options.rows)
        grown = ((await store.counters()).memory_bytes - before) / (options.rows + 1_000)
        await _bucket_depth(depth, options.objects)
        await _compare("counters, of an empty store and of this one", fresh.counters, store.counters, 50)
        print(f"memory per row of seven attributes: {grown:.0f} bytes")


async def _compare(
    label: str, shallow: Callable[[], Awaitable[Any]], deep: Callable[[], Awaitable[Any]], calls: int = 200
) -> None:
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(calls + 20):
        for times, call in zip(taken, (shallow, deep), strict=True):
            started = time.perf_counter()
            await call()
            if number >= 20:
                times.append((time.perf_counter() - started) * 1_000)
    first, other = map(statistics.median, taken)
    print(f"{label:38} {first:9.2f} {other:9.2f} {other / first:6.2f}")


async def _queue_depth(depth: Depth, messages: int) -> None:
    body = "x" * 800

    async def send(name: str, count: int) -> str:
        url = (await depth.json("AmazonSQS.CreateQueue", QueueName=name))["QueueUrl"]
        for start in range(0, count, 10):
            entries = [{"Id": str(n), "MessageBody": body} for n in range(min(10, count - start))]
            await depth.json("AmazonSQS.SendMessageBatch", QueueUrl=url, Entries=entries)
        return str(url)

    urls = [await send("shallow", 10), await send("deep", messages)]
    entries = [{"Id": str(n), "MessageBody": body} for n in range(10)]

    def receive(url: str) -> Callable[[], Awaitable[Any]]:
        return lambda: depth.json("AmazonSQS.ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)

    def turn(url: str) -> Callable[[], Awaitable[Any]]:
        async def run() -> None:
            await depth.json("AmazonSQS.SendMessageBatch", QueueUrl=url, Entries=entries)
            got = await depth.json("AmazonSQS.ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)
            handles = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(got["Messages"])]
            await depth.json("AmazonSQS.DeleteMessageBatch", QueueUrl=url, Entries=handles)

        return run

    def attributes(url: str) -> Callable[[], Awaitable[Any]]:
        return lambda: depth.json("AmazonSQS.GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])

    label = f"10 and {messages:,} messages: "
    await _compare("ReceiveMessage of 10", *map(receive, urls))
    await _compare("send, receive and delete 10", *map(turn, urls))
    await _compare("GetQueueAttributes", *map(attributes, urls))
    print(f"  ({label.rstrip(': ')})")


async def _table_depth(depth: Depth, rows: int) -> None:
    def batch(number: int) -> list[Any]:
        return [{"PutRequest": {"Item": _item(f"T{n % 50}", f"{n:09d}", n)}} for n in range(number, number + 25)]

    async def fill(name: str, count: int) -> None:
        keys = (("PK", "HASH"), ("SK", "RANGE"))
        await depth.json(
            "DynamoDB_20120810.CreateTable",
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        for start in range(0, count, 25):
            await depth.json("DynamoDB_20120810.BatchWriteItem", RequestItems={name: batch(start)})

    await fill("shallow", 1_000)
    await fill("deep", rows)
    written = {"shallow": 1_000_000, "deep": 1_000_000}

    def write(name: str) -> Callable[[], Awaitable[Any]]:
        async def run() -> None:
            written[name] += 25
            await depth.json("DynamoDB_20120810.BatchWriteItem", RequestItems={name: batch(written[name])})

        return run

    def read(name: str, operation: str, **parameters: Any) -> Callable[[], Awaitable[Any]]:
        return lambda: depth.json(f"DynamoDB_20120810.{operation}", TableName=name, **parameters)

    both = ("shallow", "deep")
    start = {"PK": {"S": "T25"}, "SK": {"S": "000000500"}}
    query = {"KeyConditionExpression": "PK = :p AND SK > :s", "Limit": 10}
    query |= {"ExpressionAttributeValues": {":p": {"S": "T7"}, ":s": {"S": "000000300"}}}
    await _compare("BatchWriteItem of 25", *map(write, both))
    await _compare(
        "Scan, a page of 200", *(read(n, "Scan", Limit=200, ExclusiveStartKey=start) for n in both), calls=100
    )
    await _compare("Query, 10 rows", *(read(name, "Query", **query) for name in both))
    await _compare("GetItem", *(read(n, "GetItem", Key={"PK": {"S": "T7"}, "SK": {"S": "000000007"}}) for n in both))
    print(f"  (1,000 and {rows:,} rows)")


async def _bucket_depth(depth: Depth, objects: int) -> None:
    body = b"x" * 5_000
    for name, count in (("shallow", 10), ("deeper", objects)):
        await depth.json("AmazonSQS.CreateQueue", QueueName=f"of-{name}", Attributes={"Policy": json.dumps(POLICY)})
        await depth.s3("PUT", f"/{name}")
        arn = f"arn:aws:sqs:us-east-1:123456789012:of-{name}"
        rule = f"<QueueConfiguration><Queue>{arn}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
        document = f"<NotificationConfiguration>{rule}</NotificationConfiguration>"
        await depth.s3("PUT", f"/{name}?notification", document.encode())
        for number in range(count):
            await depth.s3("PUT", f"/{name}/stocks/{number:06d}.csv", body)
    put = {"shallow": 1_000_000, "deeper": 1_000_000}

    def write(name: str) -> Callable[[], Awaitable[Any]]:
        async def run() -> None:
            put[name] += 1
            await depth.s3("PUT", f"/{name}/stocks/{put[name]}.csv", body)

        return run

    def read(name: str, target: str) -> Callable[[], Awaitable[Any]]:
        return lambda: depth.s3("GET", f"/{name}{target}")

    both = ("shallow", "deeper")
    await _compare("PutObject with its notification", *map(write, both))
    await _compare("GetObject", *(read(name, "/stocks/000007.csv") for name in both))
    await _compare("ListObjectsV2, a page of 10", *(read(name, "?list-type=2&max-keys=10") for name in both))
    print(f"  (10 and {objects:,} objects of 5 KB)")


if __name__ == "__main__":
    main()
