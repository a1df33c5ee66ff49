"""Connections in memory: unmodified HTTP clients talk to the store, in the time that the model says."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from fakes.fibers import Nobody
from pipeline.wire import HttpPool
from simulator.base.http_server import ConnectionMark, HttpConnection, HttpRequest
from simulator.store.wire.messages import Request, Response
from simulator.world import model
from simulator.world.borders import Violation
from simulator.world.loop import VirtualLoop
from simulator.world.pins import CALLER
from simulator.world.wire import SLICE_BYTES, Caller, MemoryTransport, Wire, _request

HOST, PORT = "127.0.0.1", 9
URL = f"http://{HOST}:{PORT}"


class Clock:
    """A loop's time, since the epoch."""

    def now(self) -> float:
        """See `Clock`."""
        return 1_767_225_600 + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


class Shop:
    """A store that notes what it is asked, and answers what `replies` says."""

    def __init__(self, reply: Callable[[Request], Response]) -> None:
        self.reply, self.asked, self.instants = reply, list[Request](), list[float]()

    async def answer(self, request: Request) -> Response:
        """The store's answer."""
        self.asked.append(request)
        self.instants.append(asyncio.get_running_loop().time())
        return self.reply(request)


class Client(asyncio.Protocol):
    """Notes what it reads, and what it is told of the end."""

    def __init__(self) -> None:
        self.parts, self.told = list[bytes](), list[str]()

    @property
    def read(self) -> bytes:
        """All that it has read."""
        return b"".join(self.parts)

    def data_received(self, data: bytes) -> None:
        """See `Protocol`."""
        self.parts.append(data)

    def eof_received(self) -> None:
        """See `Protocol`."""
        self.told.append("end")

    def connection_lost(self, _: Exception | None) -> None:
        """See `Protocol`."""
        self.told.append("lost")


def caller(memory_mb: int = 1_769) -> Caller:
    """An environment."""
    return Caller("Consumer[0]", 1, memory_mb, is_own=True)


def run(shop: Shop, work: Coroutine[Any, Any, Any]) -> Any:
    """The work's result in a loop whose only address is the shop's."""

    async def inside() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.lead_to(Wire(Clock(), (HOST, PORT), shop.answer).connect)
        return await work

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Nobody())) as runner:
        return runner.run(inside())


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """aiohttp, unmodified."""
    async with aiohttp.ClientSession() as opened:
        yield opened


def test_a_request_arrives_as_it_was_sent() -> None:
    """Method, target with its escapes, names of headers and the body are the store's to see; so is its answer."""
    shop = Shop(lambda _: Response(201, b"made", [("X-Amz-Thing", "Ä"), ("Connection", "close")]))

    async def put() -> tuple[int, bytes, str | None, str]:
        async with session() as http, http.put(f"{URL}/b/a%2Fb?x=1", data=b"content", headers={"X-Own": "v"}) as got:
            return got.status, await got.read(), got.headers.get("X-Amz-Thing"), got.headers["Date"]

    assert run(shop, put()) == (201, b"made", "Ä", "Thu, 01 Jan 2026 00:00:00 GMT")
    (asked,) = shop.asked
    assert (asked.method, asked.target, asked.body) == ("PUT", "/b/a%2Fb?x=1", b"content")
    assert asked.headers["x-own"] == "v"
    assert (b"X-Own", b"v") in asked.raw_headers


def test_a_client_that_waits_for_permission_gets_it() -> None:
    """`Expect: 100-continue`, which botocore sends with every put, is answered before the body is sent."""
    shop = Shop(lambda request: Response(200, request.body))

    async def put() -> bytes:
        async with session() as http, http.put(f"{URL}/b/k", data=b"body", expect100=True) as got:
            return await got.read()

    assert run(shop, put()) == b"body"


def test_the_twins_own_calls_take_no_time() -> None:
    """Outside of an environment, a call is answered at the instant at which it is made."""
    shop = Shop(lambda _: Response(200, b"x" * SLICE_BYTES * 2))

    async def get() -> tuple[int, float]:
        async with session() as http, http.get(f"{URL}/b/k") as got:
            return len(await got.read()), asyncio.get_running_loop().time()

    assert run(shop, get()) == (SLICE_BYTES * 2, 0)


def test_an_environments_call_takes_work_and_latency() -> None:
    """Its effect comes after the work and half of the latency, its answer after the other half."""
    shop = Shop(lambda _: Response(200, b"ok"))

    async def get() -> float:
        CALLER.set(caller())
        async with session() as http, http.get(f"{URL}/b/k") as got:
            await got.read()
        return asyncio.get_running_loop().time()

    work_s = model.work_s("GetObject", 1, 0, 1_769, own=True)
    latency_s = caller().latency_s("s3", "GetObject")
    assert run(shop, get()) == pytest.approx(work_s + latency_s)
    assert shop.instants == pytest.approx([work_s + latency_s / 2])


def test_each_item_of_a_batch_is_work() -> None:
    """What is put and what is deleted, counted in the body; a call with neither is about one. Whenever it is made."""
    shop = Shop(lambda _: Response(200))

    async def post(operation: str, body: bytes) -> None:
        CALLER.set(caller())
        await asyncio.sleep(5)
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        async with session() as http, http.post(URL, data=body, headers=headers):
            pass

    for operation, body, items in (
        ("BatchWriteItem", b'[{"PutRequest": 1}, {"PutRequest": 2}, {"DeleteRequest": 3}]', 3),
        ("PutItem", b"{}", 1),
    ):
        run(shop, post(operation, body))
        work_s = model.work_s(operation, items, len(body), 1_769, own=True)
        half_s = caller().latency_s("dynamodb", operation) / 2
        assert shop.instants.pop() == pytest.approx(5 + work_s + half_s, abs=1e-9)


def test_a_small_body_is_as_fast_as_none() -> None:
    """Only what is longer than one part takes time of its own."""
    for size in (0, SLICE_BYTES):
        shop = Shop(lambda _, size=size: Response(200, bytes(size)))  # type: ignore[misc]

        async def get() -> float:
            CALLER.set(caller())
            async with session() as http, http.get(f"{URL}/b/k") as got:
                await got.read()
            return asyncio.get_running_loop().time()

        work_s = model.work_s("GetObject", 1, 0, 1_769, own=True)
        assert run(shop, get()) == pytest.approx(work_s + caller().latency_s("s3", "GetObject"))


def test_a_connections_answers_do_not_mix() -> None:
    """A second request on it is asked and answered once the first one's large body is complete, to its last part."""
    shop = Shop(lambda request: Response(200, b"x" * SLICE_BYTES * 2 if request.path == "/b/1" else b"second"))

    async def pipelined() -> bytes:
        loop = asyncio.get_running_loop()
        CALLER.set(caller(128))
        client = Client()
        transport, _ = await loop.create_connection(lambda: client, HOST, PORT)
        transport.write(b"".join(b"GET /b/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % number for number in (1, 2)))
        assert [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()] == ["GET /b/1"]
        await asyncio.sleep(10)
        return client.read

    first, _, second = run(shop, pipelined()).partition(b"x" * SLICE_BYTES * 2)
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.endswith(b"\r\n\r\nsecond")


def test_the_wire_keeps_what_it_works_on() -> None:
    """Until it is done; the loop itself would not."""
    shop = Shop(lambda _: Response(200))

    async def kept() -> list[int]:
        wire = Wire(Clock(), (HOST, PORT), shop.answer)
        transport, _ = wire.connect((HOST, PORT, 0, 0), Client, asyncio.get_running_loop())
        transport.write(b"GET /b/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        during = len(wire._tasks)
        await asyncio.sleep(1)
        return [during, len(wire._tasks)]

    assert run(shop, kept()) == [1, 0]


def joined(loop: asyncio.AbstractEventLoop) -> tuple[MemoryTransport, Client, MemoryTransport, Client]:
    """Two ends of a connection, the second one prompt, and who reads there."""
    near, client, far, server = MemoryTransport(loop), Client(), MemoryTransport(loop, prompt=True), Client()
    near.join(client, far, server)
    return near, client, far, server


def test_one_end_reads_in_the_next_turn_and_the_other_at_once() -> None:
    """As clients and servers do; a client that writes twice has not read in between. No bytes are no message."""

    async def exchanged() -> None:
        near, client, far, server = joined(asyncio.get_running_loop())
        near.write(b"ask")
        near.write(b"")
        assert server.parts == [b"ask"]
        far.write(b"answer")
        assert client.parts == []
        await asyncio.sleep(0)
        assert client.parts == [b"answer"]
        assert near.get_write_buffer_size() == 0

    asyncio.run(exchanged())


def test_what_arrives_in_a_pause_is_read_after_it() -> None:
    """In order, at both ends."""

    async def paused() -> None:
        near, client, far, server = joined(asyncio.get_running_loop())
        for writer, reader, protocol in ((far, near, client), (near, far, server)):
            reader.pause_reading()
            writer.write(b"1")
            writer.write(b"2")
            await asyncio.sleep(0)
            assert protocol.parts == []
            reader.resume_reading()
            await asyncio.sleep(0)
            assert protocol.parts == [b"1", b"2"]

    asyncio.run(paused())


def test_both_ends_are_closed_by_one() -> None:
    """The other is told of the end first; what is written afterwards goes nowhere."""

    async def closed() -> None:
        near, client, far, server = joined(asyncio.get_running_loop())
        assert (near.is_closing(), far.is_closing()) == (False, False)
        near.close()
        near.write(b"late")
        far.write(b"late")
        assert (near.is_closing(), far.is_closing()) == (True, True)
        await asyncio.sleep(0)
        assert (client.told, server.told) == (["lost"], ["end", "lost"])
        assert client.parts == server.parts == []

    asyncio.run(closed())


def test_an_answer_has_the_words_of_its_status() -> None:
    """None for a status without any; a body that was too long to be read is none."""
    for status, reason in ((201, "Created"), (299, "")):

        async def put() -> str | None:
            async with session() as http, http.put(f"{URL}/b/k") as got:
                return got.reason

        assert run(Shop(lambda _, status=status: Response(status)), put()) == reason  # type: ignore[misc]
    request = HttpRequest(b"PUT /b/k HTTP/1.1\r\n")
    request.body = None
    assert _request(request, ConnectionMark()).body == b""


def test_an_environment_has_one_processor() -> None:
    """Two calls at once: the second one's work waits for the first one's, however many connections there are."""
    environment = caller()
    assert environment.worked_at(10, 2) == 12
    assert environment.worked_at(11, 2) == 14
    assert environment.worked_at(20, 2) == 22


def test_a_latency_does_not_depend_on_other_services_or_environments() -> None:
    """Each environment draws each service's latencies from a stream of its own."""
    one, other = caller(), caller()
    other.latency_s("sqs", "SendMessage")
    Caller("Consumer[1]", 1, 128, is_own=True).latency_s("s3", "GetObject")
    assert one.latency_s("s3", "GetObject") == other.latency_s("s3", "GetObject")
    assert Caller("Consumer[1]", 1, 128, is_own=True).latency_s("s3", "GetObject") != caller().latency_s("s3", "x")


def test_a_large_body_comes_as_the_network_brings_it() -> None:
    """Parts arrive one after the other, and slower with less memory."""
    shop = Shop(lambda _: Response(200, b"x" * SLICE_BYTES * 3))

    async def get(memory_mb: int) -> list[float]:
        CALLER.set(caller(memory_mb))
        instants = []
        async with session() as http, http.get(f"{URL}/b/k") as got:
            while await got.content.readany():
                instants.append(asyncio.get_running_loop().time())
        return instants

    fast, slow = (run(shop, get(memory_mb)) for memory_mb in (1_769, 256))
    assert len(set(fast)) == 3
    assert fast[-1] - fast[0] == pytest.approx(2 * model.transfer_s(SLICE_BYTES, 1_769))
    assert slow[-1] - slow[0] == pytest.approx(2 * model.transfer_s(SLICE_BYTES, 256))


def test_a_large_body_takes_its_time_to_the_store_too() -> None:
    """What is put arrives when the network has carried it, later with less memory; a small body is as fast as none."""
    shop = Shop(lambda _: Response(200))

    async def put(size: int, memory_mb: int) -> None:
        CALLER.set(caller(memory_mb))
        async with session() as http, http.put(f"{URL}/b/k", data=bytes(size)):
            pass

    for size, memory_mb in ((SLICE_BYTES, 1_769), (SLICE_BYTES + 1, 1_769), (SLICE_BYTES + 1, 256)):
        run(shop, put(size, memory_mb))
        work_s = model.work_s("PutObject", 1, size, memory_mb, own=True)
        sent_s = model.transfer_s(size, memory_mb) if size > SLICE_BYTES else 0
        half_s = caller().latency_s("s3", "PutObject") / 2
        assert shop.instants.pop() == pytest.approx(work_s + sent_s + half_s)


def test_our_own_client_talks_over_it_too() -> None:
    """The pipeline's bare client reuses its connection, and one that it closes is gone at both ends."""
    shop = Shop(lambda request: Response(200, request.body * 2))

    async def exchange() -> list[bytes]:
        pool = HttpPool(URL, 1)
        replies = [
            await pool.request(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n" + body, 5)
            for body in (b"ab", b"cd")
        ]
        pool.close()
        await asyncio.sleep(0)
        return [reply.body for reply in replies]

    assert run(shop, exchange()) == [b"abab", b"cdcd"]


def test_nothing_is_left_of_a_closed_connection() -> None:
    """Neither end keeps the other: a world has no collector of cycles, and many connections."""
    shop = Shop(lambda _: Response(200, b"ok"))

    async def get() -> None:
        for _ in range(3):
            async with session() as http, http.get(f"{URL}/b/k") as got:
                await got.read()
        await asyncio.sleep(1)

    gc.collect()
    gc.disable()
    try:
        run(shop, get())
        assert not [each for each in gc.get_objects() if isinstance(each, MemoryTransport | HttpConnection)]
    finally:
        gc.enable()


def test_nowhere_else_is_anybody() -> None:
    """A connection to another address is an error that names who connects."""
    shop = Shop(lambda _: Response(200))

    async def elsewhere() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(Violation, match=r"test_wire.py:\d+ in elsewhere connects to 127.0.0.1:10"):
            await loop.create_connection(asyncio.Protocol, HOST, 10)

    run(shop, elsewhere())


def test_a_foreign_page_is_refused_and_told_so() -> None:
    """The store's doors are those of the real one; the last answer arrives although the connection closes after it."""
    shop = Shop(lambda _: Response(200))

    async def foreign() -> int:
        async with session() as http, http.get(f"{URL}/b/k", headers={"Host": "evil.example"}) as got:
            return got.status

    assert run(shop, foreign()) == 403
    assert shop.asked == []


@pytest.mark.parametrize("spelled", ["Content-Length", "content-length"])
def test_head_states_a_length_without_a_body(spelled: str) -> None:
    """The answer to HEAD has the length that the object has, once, however moto spells the header."""
    shop = Shop(lambda _: Response(200, b"", [(spelled, "77")]))

    async def head() -> list[str]:
        async with session() as http, http.head(f"{URL}/b/k") as got:
            return got.headers.getall("Content-Length")

    assert run(shop, head()) == ["77"]
