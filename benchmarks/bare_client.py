"""Records the requests that a run makes, and repeats them with a client that costs next to nothing.

The client writes recorded bytes to raw sockets and reads no more of an answer than it must: its rate is what the store
itself can do. Only receipt handles cannot come from a recording.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
TARGET = re.compile(rb"\r\nx-amz-target:[ \t]*[A-Za-z0-9_]+\.([A-Za-z]+)", re.IGNORECASE)
Recording = dict[str, list[bytes]]
"""Requests as sent over the wire, by operation, in order."""


def operation(request: bytes) -> str:
    """`PutObject`, `BatchWriteItem`, ...; S3's by their method."""
    target = TARGET.search(request, 0, request.find(b"\r\n\r\n") + 2)
    if target:
        return target[1].decode()
    return {b"PUT": "PutObject", b"GET": "GetObject"}.get(request.partition(b" ")[0], "other")


class Messages:
    """Cuts a stream of HTTP messages that state their length."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete now."""
        self._data += data
        while (head := self._data.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._data, 0, head + 2)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(self._data) < end:
                return
            yield bytes(self._data[:end])
            del self._data[:end]


@asynccontextmanager
async def recorder(endpoint: str, recording: Recording) -> AsyncIterator[str]:
    """An endpoint that forwards everything to another one, and records every request."""
    host, port = endpoint.removeprefix("http://").split(":")
    passing: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, outward = await asyncio.open_connection(host, int(port))
        messages = Messages()

        def note(data: bytes) -> None:
            for request in messages.feed(data):
                recording[operation(request)].append(request)

        for work in (_pass(reader, outward, note), _pass(onward, writer, lambda _: None)):
            task = asyncio.create_task(work)
            passing.add(task)
            task.add_done_callback(passing.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        while passing:
            for task in passing:
                task.cancel()
            await asyncio.wait(passing)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]) -> None:
    try:
        while data := await reader.read(262_144):
            note(data)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def empty_recording() -> Recording:
    """A recording for `recorder` to fill."""
    return defaultdict(list)


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[bytes] | None = None
        self._parts: list[bytes] = []
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError("the store closed the connection"))

    def send(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; returns its whole answer, to await."""
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiter

    def data_received(self, data: bytes) -> None:
        """asyncio: a piece of the answer. This store sends a head in one piece."""
        if not self._missing:
            if data.startswith(b"HTTP/1.1 100"):
                data = data[data.index(b"\r\n\r\n") + 4 :]
                if not data:
                    return
            head = data.index(b"\r\n\r\n")
            length = LENGTH.search(data, 0, head + 2)
            self._missing = head + 4 + (int(length[1]) if length else 0)
        self._parts.append(data)
        self._missing -= len(data)
        if not self._missing and self._waiter is not None and not self._waiter.done():
            answer = b"".join(self._parts)
            self._parts.clear()
            if not answer.startswith(b"HTTP/1.1 200"):
                self._waiter.set_exception(RuntimeError(answer[:500].decode("utf-8", "replace")))
            else:
                self._waiter.set_result(answer)

    def close(self) -> None:
        """Close at once."""
        self._transport.abort()


class BareClient:
    """Replays a recording with the same limits on concurrency as the loop.

    `puts` objects at once; `batches` of messages at once, each with `objects` at once and `writes` in flight.
    """

    def __init__(self, port: int, recording: Recording, *, puts: int, batches: int, objects: int, writes: int) -> None:
        self._port = port
        self._puts, self._batches, self._objects, self._writes = puts, batches, objects, writes
        self._bodies = iter(recording["PutObject"])
        self._gets = {request.split(b" ", 2)[1]: request for request in recording["GetObject"]}
        self._rows = iter(recording["BatchWriteItem"])
        self._rows_requests = len(recording["BatchWriteItem"]) // len(self._gets)
        self._receive, self._delete = recording["ReceiveMessage"][0], recording["DeleteMessageBatch"][0]
        self._left = len(self._gets)
        self._done = asyncio.Event()
        self._idle: list[Connection] = []
        self._all: list[Connection] = []

    async def replay(self) -> None:
        """Replay everything, until each message is deleted."""
        try:
            async with asyncio.TaskGroup() as group:
                work = [group.create_task(self._put()) for _ in range(self._puts)]
                work += [group.create_task(self._consume()) for _ in range(self._batches)]
                await self._done.wait()
                for task in work:
                    task.cancel()
        finally:
            for connection in self._all:
                connection.close()

    async def _put(self) -> None:
        for request in self._bodies:
            await self._ask(request)

    async def _consume(self) -> None:
        slots, objects = asyncio.Semaphore(self._writes), asyncio.Semaphore(self._objects)
        while True:
            answer = await self._ask(self._receive)
            messages = orjson.loads(answer.partition(b"\r\n\r\n")[2]).get("Messages", [])
            if not messages:
                continue
            paths = [path for message in messages for path in paths_of(message["Body"])]
            async with asyncio.TaskGroup() as group:
                for path in paths:
                    group.create_task(self._ingest(path, slots, objects))
            await self._ask(deletion(self._delete, messages))
            self._left -= len(paths)
            if not self._left:
                self._done.set()

    async def _ingest(self, path: bytes, slots: asyncio.Semaphore, objects: asyncio.Semaphore) -> None:
        async with objects:
            await self._ask(self._gets[path])
            async with asyncio.TaskGroup() as group:
                for _ in range(self._rows_requests):
                    await slots.acquire()
                    group.create_task(self._write(slots))

    async def _write(self, slots: asyncio.Semaphore) -> None:
        await self._ask(next(self._rows))
        slots.release()

    async def _ask(self, request: bytes) -> bytes:
        if self._idle:
            connection = self._idle.pop()
        else:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(Connection, "127.0.0.1", self._port)
            self._all.append(connection)
        answer = await connection.send(request)
        self._idle.append(connection)
        return answer


def paths_of(body: str) -> list[bytes]:
    """The paths of the objects that a notification names; none for S3's test event."""
    described = [record["s3"] for record in orjson.loads(body).get("Records", [])]
    return [f"/{each['bucket']['name']}/{each['object']['key']}".encode() for each in described]


def deletion(recorded: bytes, messages: list[dict[str, Any]]) -> bytes:
    """The recorded DeleteMessageBatch with these messages' receipt handles."""
    head, _, body = recorded.partition(b"\r\n\r\n")
    content = orjson.loads(body)
    content["Entries"] = [
        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
    ]
    body = orjson.dumps(content)
    length = LENGTH.search(head)
    assert length is not None
    return head[: length.start(1)] + b"%d" % len(body) + head[length.end(1) :] + b"\r\n\r\n" + body
