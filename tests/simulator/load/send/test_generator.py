"""The generator's process against a sink."""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from fakes.waiting import until
from simulator.base import limits
from simulator.base.clients import Clients
from simulator.base.clock import SystemClock
from simulator.base.errors import CouldNotFinish
from simulator.load.measure.recording import SENT, Recording
from simulator.load.plan.arrivals import constant
from simulator.load.plan.objects import Objects
from simulator.load.send.generator import Prepared
from simulator.load.send.processes import GeneratorProcess
from simulator.load.send.protocol import Fill, Hello, MeasureCeiling, Offer
from simulator.load.send.signing import Identity, Signer

WHO = Identity("stockpipe", "stockpipe", None, "us-east-1")


@asynccontextmanager
async def generator(endpoint: str, bucket: str = "b", senders: int = 8) -> AsyncIterator[GeneratorProcess]:
    """A generator of small objects."""
    objects = Objects("stocks/", 2, 1, SystemClock().now())
    async with GeneratorProcess.open(Hello(endpoint, f"{endpoint}/{bucket}", WHO, objects, senders)) as made:
        yield made


async def test_every_arrival_has_its_instants(sink_endpoint: str, sink_clients: Clients) -> None:
    """40 arrivals at 200/s: all sent, none before its planned instant, every put answered."""
    await sink_clients.s3.create_bucket(Bucket="b")
    recording = Recording()
    starts: list[float] = []
    profile = constant(200, 0.2)
    async with generator(sink_endpoint, senders=40) as sender:
        start_at = SystemClock().now() + 0.1
        numbers = recording.plan(start_at + offset for offset in profile.offsets())
        offered = await sender.offer(Offer(profile, 0, start_at), recording.fate, starts.append)
    assert offered == 40
    assert recording.count(numbers, SENT) == 40
    assert all(lag > -0.002 for lag in recording.lags(numbers))
    assert len(recording.put_instants(numbers)) == 40
    assert starts[0] == pytest.approx(start_at, abs=1)
    assert sender.cpu_s > 0


async def test_a_message_that_was_sent_has_its_id(sink_endpoint: str, sink_clients: Clients) -> None:
    """Copies of a file go to the queue itself; each arrival's fate names the message that it became."""
    url = (await sink_clients.sqs.create_queue(QueueName="q"))["QueueUrl"]
    copies = Objects("", 0, 1, SystemClock().now(), "", "YSB7bn0=")  # a {n}
    fates: dict[str, int] = {}

    def fate(number: int, _sent_at: float, _answered_at: float, status: int, message_id: str = "") -> None:
        assert status == SENT
        fates[message_id] = number

    async with GeneratorProcess.open(Hello(sink_endpoint, "", WHO, copies, queue_url=url)) as sender:
        await sender.offer(Fill(5, 0), fate)
    received = (await sink_clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10))["Messages"]
    assert {each["Body"]: fates[each["MessageId"]] for each in received} == {f"a {n}": n for n in range(5)}


@asynccontextmanager
async def holding(release: asyncio.Event) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A target that answers nothing until `release`: its endpoint, and the first line of each request that came."""
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        requests.append(head.partition(b"\r\n")[0])
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


async def test_an_arrival_without_a_free_sender_is_dropped_and_counted() -> None:
    """Two senders against a target that answers nobody: two puts, and all others dropped, never sent late."""
    recording, release = Recording(), asyncio.Event()

    def fate(number: int, sent_at: float | None, answered_at: float | None, status: int) -> None:
        recording.fate(number, sent_at, answered_at, status)
        if recording.dropped + len(requests) >= 30:
            release.set()

    async with holding(release) as (endpoint, requests), generator(endpoint, senders=2) as sender:
        numbers = recording.plan([0.0] * 30)
        await sender.offer(Offer(constant(100, 0.3), 0, 0.0), fate, lambda _: None)
    assert (recording.count(numbers, SENT), len(requests), recording.dropped) == (2, 2, 28)


async def test_a_refused_put_is_counted_with_its_reason(sink_endpoint: str) -> None:
    """A bucket that is not there: every arrival fails, and the reason is told in one line."""
    recording = Recording()
    recording.plan([0.0] * 3)
    async with generator(sink_endpoint, bucket="nowhere") as sender:
        await sender.offer(Fill(3, 0), recording.fate)
        assert recording.failed == 3
        assert "NoSuchBucket" in sender.failures[0]
        assert "\n" not in sender.failures[0]


async def test_a_target_that_is_gone_fails_the_puts_and_not_the_generator() -> None:
    """Connection refused is a failed put, with a reason."""
    recording = Recording()
    recording.plan([0.0])
    async with generator("http://127.0.0.1:9") as sender:
        assert await sender.offer(Fill(1, 0), recording.fate) == 1
        assert recording.failed == 1
        assert "Connect" in sender.failures[0]


async def test_a_fill_puts_everything_unplanned(sink_endpoint: str, sink_clients: Clients) -> None:
    """A backlog's objects are planned when they are sent."""
    await sink_clients.s3.create_bucket(Bucket="b")
    recording = Recording()
    numbers = recording.plan([math.nan] * 100)
    async with generator(sink_endpoint) as sender:
        assert await sender.offer(Fill(100, 0), recording.fate) == 100
    assert recording.count(numbers, SENT) == 100
    assert set(recording.lags(numbers)) == {0.0}


async def test_an_order_can_be_ended_early(sink_endpoint: str, sink_clients: Clients) -> None:
    """`stop` ends a plan of an hour; what was offered is told."""
    await sink_clients.s3.create_bucket(Bucket="b")
    recording = Recording()
    recording.plan([0.0] * 1000)
    async with generator(sink_endpoint) as sender:
        stopping: list[object] = []

        def fate(number: int, sent_at: float | None, answered_at: float | None, status: int) -> None:
            recording.fate(number, sent_at, answered_at, status)
            if not stopping:
                stopping.append(asyncio.ensure_future(sender.stop()))

        offered = await sender.offer(Offer(constant(50, 3600), 0, 0.0), fate, lambda _: None)
    assert 0 < offered < 1000
    assert recording.count(range(offered), SENT) == offered


async def test_the_ceiling_goes_an_objects_whole_way(sink_endpoint: str, sink_clients: Clients) -> None:
    """Bare requests put, receive, get, write and delete; the rates belong together."""
    url = (await sink_clients.sqs.create_queue(QueueName="q"))["QueueUrl"]
    await sink_clients.s3.create_bucket(Bucket="b")
    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    await sink_clients.s3.put_bucket_notification_configuration(
        Bucket="b",
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    keys: Any = [{"AttributeName": "PK", "KeyType": "HASH"}]
    names: Any = [{"AttributeName": "PK", "AttributeType": "S"}]
    await sink_clients.dynamodb.create_table(
        TableName="t", KeySchema=keys, AttributeDefinitions=names, BillingMode="PAY_PER_REQUEST"
    )
    order = MeasureCeiling(f"{sink_endpoint}/b", url, "t", rows=30, seconds=0.2, clients=2)
    async with generator(sink_endpoint) as sender:
        shown = await sender.ceiling(order)
        assert shown.rows_per_s == pytest.approx(30 * shown.objects_per_s)
        # A put, a get and two batch writes each, with a fifth of a call for the queue.
        assert shown.requests_per_s == pytest.approx(4.2 * shown.objects_per_s)
        with pytest.raises(CouldNotFinish, match="ResourceNotFound"):
            await sender.ceiling(replace(order, table="none"))


async def test_an_empty_file_has_copies() -> None:
    """Their number is limited like that of others."""
    hello = Hello("http://127.0.0.1:1", "http://127.0.0.1:1/b", WHO, Objects("in/", 0, 1, 0.0, "-empty", ""), 8)
    ahead = Prepared(SystemClock(), hello, Signer(hello.endpoint, WHO))
    await ahead.begin(0, 2, 2)
    assert [ahead.take().body, ahead.take().body] == [b"", b""]


def prepared(rows: int = 1) -> Prepared:
    """Requests for small objects."""
    objects = Objects("stocks/", rows, 0, 1_790_000_000.0)
    hello = Hello("http://127.0.0.1:1", "http://127.0.0.1:1/b", WHO, objects)
    return Prepared(SystemClock(), hello, Signer(hello.endpoint, WHO))


async def test_objects_are_made_ahead_and_no_more_than_will_be_sent() -> None:
    """Ten of twelve at first, the rest in idle time, then none; taken in order."""
    ahead = prepared()
    await ahead.begin(5, 12, 10)
    assert [ahead.make_one() for _ in range(4)] == [True, True, False, False]
    assert [ahead.take().url[-12:] for _ in range(12)] == [f"{number:08d}.csv" for number in range(5, 17)]


async def test_what_is_made_ahead_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are asked for, no more are kept than the bound on memory allows."""
    monkeypatch.setattr(limits, "LOAD_PREPARED_BYTES", 2_000_000)
    ahead = prepared(rows=1_000)
    await ahead.begin(0, 1_000_000, 20)
    made = 20
    while made < 100 and ahead.make_one():
        made += 1
    assert made < 100


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGKILL, "ended unexpectedly"), (signal.SIGSTOP, "does not answer")]
)
async def test_a_generator_that_is_lost_is_told(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, said: str
) -> None:
    """Killed or frozen with an order in hand, it is one line; an order far from its next arrival is neither."""
    monkeypatch.setattr(limits, "SILENCE_LOOK_S", 0.3)
    async with generator("http://127.0.0.1:9") as made:
        started: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        order = Offer(constant(0.01, 1_000), 0, 0.0)
        offering = asyncio.ensure_future(made.offer(order, lambda *_: None, started.set_result))
        await started
        used = made.cpu_s
        await until(lambda: made.cpu_s > used)  # a sign of life without an arrival
        made._process.signal(number)
        with pytest.raises(CouldNotFinish, match=f"the load generator's process {said}"):
            await offering
