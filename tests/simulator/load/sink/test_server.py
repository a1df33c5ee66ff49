"""The sink, spoken to by AWS's own clients."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from fakes.clock import ManualClock
from simulator.base import limits
from simulator.base.clients import Clients
from simulator.base.clock import SystemClock
from simulator.base.errors import CouldNotFinish
from simulator.load.send.processes import SinkProcess
from simulator.load.sink.answers import SinkAnswer
from simulator.load.sink.server import Sink, listening
from simulator.load.sink.sqs import SinkQueue
from simulator.proof.notifications import objects_of
from simulator.stack.template import load
from simulator.stack.wiring import wiring
from simulator.twin import resources

TEMPLATE = Path("pipeline/template.yaml")


async def counters(endpoint: str) -> dict[str, Any]:
    """What the sink has counted."""
    async with aiohttp.ClientSession() as http, http.get(f"{endpoint}/_sink/counters") as response:
        counted: dict[str, Any] = await response.json(content_type=None)
        return counted


async def test_the_whole_stack_can_be_made_and_used(sink_endpoint: str, sink_clients: Clients) -> None:
    """One object's way: put, notification, receive, get, batch write, delete; each counted, no row kept."""
    stack = load(TEMPLATE)
    made = await resources.create(stack, sink_clients)
    body = b"ticker,timestamp\nA,2026-01-01\n"
    await sink_clients.s3.put_object(Bucket=made.bucket, Key="stocks/a b=1.csv", Body=body)
    await sink_clients.s3.put_object(Bucket=made.bucket, Key="other/b.csv", Body=body)
    received = await sink_clients.sqs.receive_message(QueueUrl=made.queue_url, MaxNumberOfMessages=10)
    (message,) = received["Messages"]
    (ref,) = objects_of(message["Body"])
    assert (ref.bucket, ref.key) == (made.bucket, "stocks/a b=1.csv")
    got = await sink_clients.s3.get_object(Bucket=ref.bucket, Key=ref.key)
    assert await got["Body"].read() == body
    puts: Any = [{"PutRequest": {"Item": {"PK": {"S": "A"}, "SK": {"S": str(row)}}}} for row in range(25)]
    answer = await sink_clients.dynamodb.batch_write_item(RequestItems={made.table: puts})
    assert answer["UnprocessedItems"] == {}
    entries: Any = [{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}]
    await sink_clients.sqs.delete_message_batch(QueueUrl=made.queue_url, Entries=entries)
    counted = await counters(sink_endpoint)
    queue = counted["queues"]["StockQueue"]
    assert (queue["sent"], queue["received"], queue["deleted"], queue["visible"], queue["in_flight"]) == (1, 1, 1, 0, 0)
    assert counted["tables"][made.table]["rows_written"] == 25
    assert counted["buckets"][made.bucket]["puts"] == 2


async def test_what_the_handler_writes_beside_its_data_is_counted_and_not_read_back(sink_clients: Clients) -> None:
    """Rejected rows, under whatever prefix the stack's parameter names, leave the last object's body as it is."""
    stack = load(TEMPLATE, {"RejectedPrefix": "faulty/"})
    path = wiring(stack)
    made = await resources.create(stack, sink_clients)
    data = f"{path.notification.prefix}a.csv"
    await sink_clients.s3.put_object(Bucket=made.bucket, Key=data, Body=b"data")
    await sink_clients.s3.put_object(Bucket=made.bucket, Key=f"{path.rejected_prefix}{data}.jsonl", Body=b"rejected")
    got = await sink_clients.s3.get_object(Bucket=made.bucket, Key=data)
    assert await got["Body"].read() == b"data"
    received = await sink_clients.sqs.receive_message(QueueUrl=made.queue_url, MaxNumberOfMessages=10)
    assert [ref.key for message in received["Messages"] for ref in objects_of(message["Body"])] == [data]


async def test_what_it_does_not_do_is_an_error_and_not_a_success(sink_clients: Clients) -> None:
    """An operation it does not know, a bucket or table that is not there: AWS's kind of error."""
    with pytest.raises(ClientError, match="does not support Scan"):
        await sink_clients.dynamodb.scan(TableName="x")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        await sink_clients.s3.put_object(Bucket="nowhere", Key="a", Body=b"")
    item: Any = {"x": [{"PutRequest": {"Item": {"PK": {"S": "1"}}}}]}
    with pytest.raises(ClientError, match="ResourceNotFound"):
        await sink_clients.dynamodb.batch_write_item(RequestItems=item)


async def test_a_long_poll_is_answered_when_a_message_comes(sink_clients: Clients) -> None:
    """A receive that waits gets the message that is sent meanwhile."""
    url = (await sink_clients.sqs.create_queue(QueueName="waited"))["QueueUrl"]
    polling = asyncio.create_task(sink_clients.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))
    await sink_clients.sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert (await polling)["Messages"][0]["Body"] == "hello"


def a_queue(clock: ManualClock) -> tuple[SinkQueue, list[SinkAnswer]]:
    """A queue on a manual clock, and where its answers go."""
    return SinkQueue("q", clock), []


def messages(answer: SinkAnswer) -> list[dict[str, Any]]:
    """The messages of a receive."""
    found: list[dict[str, Any]] = json.loads(answer.body).get("Messages", [])
    return found


async def test_a_long_poll_is_answered_when_a_message_comes_back(sink_clients: Clients) -> None:
    """A receive that waits gets the message whose visibility ends meanwhile, and a second one that of the next."""
    attributes: Any = {"VisibilityTimeout": "1"}
    url = (await sink_clients.sqs.create_queue(QueueName="again", Attributes=attributes))["QueueUrl"]
    for body in "ab":
        await sink_clients.sqs.send_message(QueueUrl=url, MessageBody=body)
        await sink_clients.sqs.receive_message(QueueUrl=url)
    polls = [sink_clients.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20) for _ in range(2)]
    answers = await asyncio.gather(*polls)
    assert sorted(answer["Messages"][0]["Body"] for answer in answers) == ["a", "b"]


async def test_a_message_not_deleted_comes_back_when_its_visibility_ends() -> None:
    """At 30 s, not before, with its receive count; the old receipt handle no longer deletes it."""
    clock = ManualClock()
    queue, answers = a_queue(clock)
    queue.add("m")
    for advance in (0.0, 29.9, 0.2):
        await clock.advance(advance)
        queue.receive(10, 0, lambda answer, _: answers.append(answer))
    first, nothing, again = map(messages, answers)
    assert (len(first), len(nothing), len(again)) == (1, 0, 1)
    assert again[0]["Attributes"]["ApproximateReceiveCount"] == "2"
    queue.delete(first[0]["ReceiptHandle"])
    assert queue.counters().deleted == 0
    queue.delete(again[0]["ReceiptHandle"])
    assert (queue.counters().deleted, queue.counters().in_flight) == (1, 0)


async def test_a_message_received_too_often_goes_to_the_dead_letter_queue() -> None:
    """After maxReceiveCount receives it is moved, and counted as moved."""
    clock = ManualClock()
    dead, _ = a_queue(clock)
    queue, answers = a_queue(clock)
    queue.configure({"RedrivePolicy": json.dumps({"maxReceiveCount": 2})}, lambda _: dead)
    queue.add("poison")
    for _ in range(3):
        queue.receive(1, 0, lambda answer, _: answers.append(answer))
        await clock.advance(31)
    assert [len(messages(answer)) for answer in answers] == [1, 1, 0]
    assert (queue.counters().dead_lettered, dead.counters().visible, dead.counters().sent) == (1, 1, 0)


def test_latency_applies_to_reads_and_writes_and_not_to_the_queue() -> None:
    """S3 and DynamoDB answers are marked to be delayed; SQS answers are not, so that polling stays as it is."""
    sink = Sink(SystemClock())
    delayed: list[bool] = []

    def reply(_: SinkAnswer, late: bool) -> None:
        delayed.append(late)

    sink.s3("PUT", "/b", b"", reply)
    sink.call("DynamoDB_20120810.CreateTable", b'{"TableName": "t"}', reply)
    sink.call("AmazonSQS.CreateQueue", b'{"QueueName": "q"}', reply)
    delayed.clear()
    sink.s3("PUT", "/b/k", b"x", reply)
    sink.s3("GET", "/b/k", b"", reply)
    sink.call("DynamoDB_20120810.BatchWriteItem", b'{"RequestItems":{"t":[{"PutRequest":{}}]}}', reply)
    assert delayed == [True] * 3
    sink.call("AmazonSQS.SendMessage", b'{"QueueUrl": "u/q", "MessageBody": "m"}', reply)
    sink.call("AmazonSQS.ReceiveMessage", b'{"QueueUrl": "u/q"}', reply)
    assert delayed[3:] == [False, False]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 3\r\n\r\n{no",
        b"GET /" + b"a" * 70_000,
    ],
)
async def test_a_request_it_cannot_read_gets_an_answer(request_bytes: bytes) -> None:
    """A broken request is answered with 400 and never ends the sink."""
    async with listening(SystemClock(), 0.0) as (endpoint, _):
        host, _, port = endpoint.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request_bytes)
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert "queues" in await counters(endpoint)


async def test_a_request_in_pieces_and_two_in_one_are_both_understood() -> None:
    """Bytes arrive as they like: one at a time, or two requests in one segment."""
    async with listening(SystemClock(), 0.0) as (endpoint, _):
        host, _, port = endpoint.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for byte in b"PUT /b HTTP/1.1\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert b"100" in await reader.readline()
        assert await reader.readline() == b"\r\n"
        assert b"200" in await reader.readline()
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"PUT /b/k HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /b/k HTTP/1.1\r\n\r\n")
        assert b"200" in await reader.readline()
        await reader.readuntil(b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(2) == b"hi"
        writer.close()
        await writer.wait_closed()


async def test_its_process_ends_with_its_owner() -> None:
    """The process answers while the block runs; afterwards nothing listens."""
    async with SinkProcess.open(SystemClock(), 0.0) as sink:
        assert (await sink.counters()).queues == {}
        endpoint = sink.endpoint
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(endpoint)


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGKILL, "ended unexpectedly"), (signal.SIGSTOP, "does not answer")]
)
async def test_a_sink_that_is_lost_is_told(monkeypatch: pytest.MonkeyPatch, number: signal.Signals, said: str) -> None:
    """Killed or frozen, it is one line; nothing waits for it."""
    monkeypatch.setattr(limits, "SILENCE_LOOK_S", 0.01)
    async with SinkProcess.open(SystemClock(), 0.0) as sink:
        sink._process.signal(number)
        with pytest.raises(CouldNotFinish, match=f"the sink's process {said}"):
            await sink.wait_lost()
