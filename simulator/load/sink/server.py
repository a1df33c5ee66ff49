"""The sink: a loopback server that counts the pipeline's reads and writes and answers at once, or after a latency.

It supports as much of S3, SQS and DynamoDB as one run needs. It keeps queue messages, because they must come back when
a handler fails; the body of the last object put, with which it answers every get; and the number of rows. So a run
against it shows only the cost of the handlers and the twin.

`python -m simulator.load.sink.server --latency 0.008` prints its endpoint as JSON and ends when its standard input
ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from simulator.base.children import send_to_owner, standard_input
from simulator.base.clock import Clock, SystemClock
from simulator.base.http_server import HttpConnection, HttpRequest, HttpServer
from simulator.base.usage import process_cpu_s
from simulator.load.sink.answers import Reply, SinkAnswer, error_answer, json_answer
from simulator.load.sink.dynamodb import SinkTables
from simulator.load.sink.s3 import SinkBuckets
from simulator.load.sink.sqs import SinkQueues

_BODY_BYTES = 1 << 30
_UNREADABLE = error_answer(400, "BadRequest", "the sink cannot read this request")


class Sink:
    """The three services in one, synchronous and without sockets; resources exist after they are created.

    An answer goes to the request's `reply`, at once or, for a long poll, when a message comes. `s3` answers a request
    in path style.
    """

    def __init__(self, clock: Clock) -> None:
        self._requests: Counter[str] = Counter()
        self._queues = SinkQueues(clock)
        self._tables = SinkTables(clock)
        self._buckets = SinkBuckets(clock, self._queues.named, self._count)
        self.s3 = self._buckets.answer

    def counters(self) -> dict[str, Any]:
        """All counters, in the form that `from_json` of the store's counters reads."""
        return {
            "queues": self._queues.counters(),
            "tables": self._tables.counters(),
            "buckets": self._buckets.counters(),
            "operations": {name: {"requests": count} for name, count in self._requests.items()},
        }

    def call(self, target: str, body: bytes, reply: Reply) -> None:
        """An operation of SQS or DynamoDB, named by its X-Amz-Target."""
        service, _, operation = target.partition(".")
        self._count(operation)
        if operation == "BatchWriteItem":
            reply(self._tables.batch_write(body), True)
            return
        parameters = json.loads(body or b"{}")
        if operation == "ReceiveMessage":
            self._queues.receive(parameters, reply)
            return
        result = (self._queues if service == "AmazonSQS" else self._tables).call(operation, parameters)
        if result is None:
            result = error_answer(400, "UnknownOperationException", f"the sink does not support {operation}")
        reply(result if isinstance(result, SinkAnswer) else json_answer(result), operation == "PutItem")

    def _count(self, name: str) -> None:
        self._requests[name] += 1


def _handle(sink: Sink, latency_s: float, connection: HttpConnection, request: HttpRequest) -> None:
    """Answer one request; reads and writes after the latency."""

    def reply(answer: SinkAnswer, delayed: bool) -> None:
        if delayed and latency_s > 0:
            asyncio.get_running_loop().call_later(latency_s, connection.answer, answer.encoded())
        else:
            connection.answer(answer.encoded())

    if request.target == "/_sink/counters":
        reply(json_answer({**sink.counters(), "cpu_s": process_cpu_s()}), False)
    elif request.body is None:
        reply(_UNREADABLE, False)
    else:
        try:
            if target := request.header(b"x-amz-target"):
                sink.call(target.decode(), request.body, reply)
            else:
                sink.s3(request.method, request.target, request.body, reply)
        except (ValueError, KeyError, TypeError) as error:
            reply(error_answer(400, "ValidationException", f"the sink cannot read this request: {error}"), False)


@contextlib.asynccontextmanager
async def listening(clock: Clock, latency_s: float) -> AsyncIterator[tuple[str, Sink]]:
    """Open the sink on a loopback port, and yield its endpoint and its state."""
    sink = Sink(clock)
    server = HttpServer(partial(_handle, sink, latency_s), body_bytes=_BODY_BYTES, unreadable=_UNREADABLE.encoded())
    try:
        yield f"http://{await server.listen()}", sink
    finally:
        await server.close()


async def _serve(latency_s: float) -> None:
    async with listening(SystemClock(), latency_s) as (endpoint, _):
        send_to_owner(json.dumps({"endpoint": endpoint}))
        async with standard_input() as owner:
            await owner.read()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m simulator.load.sink.server")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before a read or write is answered")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(arguments.latency))


if __name__ == "__main__":
    main()
