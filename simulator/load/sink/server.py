"""The sink: a loopback server that takes every read and write of the pipeline at once, or after a latency, and counts.

It speaks as much of S3, SQS and DynamoDB as one run needs. It keeps queue messages, because they must come back when a
handler fails, and one object body, the last one put, with which it answers every get; of rows it keeps the number. What
a run against it shows is therefore the cost of handlers and twin alone.

`python -m simulator.load.sink.server --latency 0.008` prints its endpoint as a JSON line and ends with its standard
input. A raw asyncio protocol, because the sink must never be what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator

from simulator.base.clock import Clock, SystemClock
from simulator.base.usage import process_cpu_s
from simulator.load.sink.answers import SinkAnswer, error_answer, json_answer
from simulator.load.sink.services import Sink

_COUNTERS = b"/_sink/counters"
_HEADER_BYTES = 64 * 1024
_BODY_BYTES = 1 << 30


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection: requests in turn, each answered before the next is looked at."""

    def __init__(self, sink: Sink, latency_s: float) -> None:
        self._sink, self._latency_s = sink, latency_s
        self._buffer = bytearray()
        self._busy = False
        self._continued = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server hands out
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def _advance(self) -> None:
        while not self._busy and self._transport is not None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _HEADER_BYTES:
                    self._refuse()
                return
            head = bytes(self._buffer[:end])
            lowered = head.lower()
            length = _header(lowered, b"content-length")
            if b"\r\ntransfer-encoding:" in lowered or (not length.isdigit() and length):
                self._refuse()
                return
            total = end + 4 + int(length or 0)
            if int(length or 0) > _BODY_BYTES:
                self._refuse()
                return
            if len(self._buffer) < total:
                if not self._continued and _header(lowered, b"expect") == b"100-continue":
                    self._continued = True
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = bytes(self._buffer[end + 4 : total])
            del self._buffer[:total]
            self._continued = False
            self._busy = True
            self._handle(head, lowered, body)

    def _handle(self, head: bytes, lowered: bytes, body: bytes) -> None:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0]
        if path == _COUNTERS:
            self._reply(json_answer({**self._sink.counters(), "cpu_s": process_cpu_s()}))
            return
        try:
            target = _header(lowered, b"x-amz-target")
            if target:
                # The lowered header names the operation in lower case; its own spelling is needed.
                at = lowered.find(b"\r\nx-amz-target:")
                target = head[at + 15 :].split(b"\r\n", 1)[0].strip()
                self._sink.call(target.decode(), body, self._later)
            else:
                self._sink.s3(method.decode(), path.decode(), body, self._later)
        except (ValueError, KeyError, TypeError) as error:
            self._reply(error_answer(400, "ValidationException", f"the sink cannot read this request: {error}"))

    def _later(self, answer: SinkAnswer, delayed: bool) -> None:
        if delayed and self._latency_s > 0:
            asyncio.get_running_loop().call_later(self._latency_s, self._reply, answer)
        else:
            self._reply(answer)

    def _reply(self, answer: SinkAnswer) -> None:
        self._busy = False
        if self._transport is None:
            return
        self._transport.write(answer.encoded())
        if self._buffer:
            self._advance()

    def _refuse(self) -> None:
        if self._transport is not None:
            self._transport.write(error_answer(400, "BadRequest", "the sink reads no such request").encoded())
            self._transport.close()


def _header(lowered: bytes, name: bytes) -> bytes:
    at = lowered.find(b"\r\n" + name + b":")
    if at < 0:
        return b""
    return lowered[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip()


@contextlib.asynccontextmanager
async def listening(clock: Clock, latency_s: float) -> AsyncIterator[tuple[str, Sink]]:
    """The sink on a loopback port, as its endpoint and its state; closed at the end."""
    loop, sink = asyncio.get_running_loop(), Sink(clock)
    server = await loop.create_server(lambda: _Connection(sink, latency_s), "127.0.0.1", 0, backlog=1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", sink
    finally:
        server.close()


async def _serve(latency_s: float) -> None:
    async with listening(SystemClock(), latency_s) as (endpoint, _):
        sys.stdout.write(json.dumps({"endpoint": endpoint}) + "\n")
        sys.stdout.flush()
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while await reader.read(4096):
            pass
        transport.close()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m simulator.load.sink.server")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before a read or write is answered")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(arguments.latency))


if __name__ == "__main__":
    main()
