"""The store's process: one event loop that serves one loopback port. Run as `python -m simulator.store.front.server`.

Its standard input is a pipe held by its owner: when that pipe closes, for whatever reason, the process exits. It sends,
as JSON, the port it listens on; standard error is for a final message.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NoReturn

from aiohttp import web

from simulator.base.chance import Seed, unforeseen_seed
from simulator.base.children import send_to_owner, standard_input
from simulator.base.clock import SystemClock
from simulator.base.collector import kept_for_good
from simulator.base.doors import refusal
from simulator.base.errors import ExitCode, is_out_of_memory
from simulator.faults.plane import Plane
from simulator.store.wire.messages import EXIT_PORT_IN_USE, Request, Response, sent_headers

# S3 allows 5 GiB in one put; the twin's objects are far smaller, and each one is held in memory.
MAXIMUM_BODY_BYTES = 1 << 30
_OUT_OF_MEMORY = b"out of memory for what it holds; run with less data, or allow more\n"


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="simulator.store.front.server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--capacity", choices=("unlimited", "aws"), default="unlimited")
    parser.add_argument("--stock-answers", action="store_true", help="moto's own behaviour where AWS's differs")
    parser.add_argument("--seed", default=unforeseen_seed(), help="seed for its identifiers")
    options = parser.parse_args(arguments)
    # Ctrl-C in the terminal is for the parent, which stops this process when it is ready.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("default")
    logging.getLogger().addHandler(_LastWords())
    try:
        asyncio.run(serve(options.port, options.seed, capacity=options.capacity, strict=not options.stock_answers))
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            print(error.strerror or str(error), file=sys.stderr)  # noqa: T201 the owner reads it
            return EXIT_PORT_IN_USE
        raise
    return 0


async def serve(port: int, seed: Seed, *, capacity: str, strict: bool) -> None:
    """Listen, report the port, and serve until SIGTERM or the end of standard input."""
    with kept_for_good():
        from simulator.store.front.application import assemble

        plane = Plane(seed=seed)
        application = assemble(SystemClock(), port, seed, capacity=capacity, strict=strict, plane=plane)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = web.Server(
        partial(_handle, application.answer),
        request_factory=partial(web.BaseRequest, loop=loop, client_max_size=MAXIMUM_BODY_BYTES),
        handler_cancellation=True,
        auto_decompress=False,
        access_log=None,
        keepalive_timeout=3_600,
        max_line_size=65_536,
        max_field_size=65_536,
        max_headers=65_536,
    )
    runner = web.ServerRunner(server, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1_024)
    await site.start()
    send_to_owner(json.dumps({"port": runner.addresses[0][1]}))
    # Anything that moto prints from now on goes to standard error, for the final message.
    os.dup2(2, 1)
    lifeline = asyncio.create_task(_lifeline(stopped))
    await stopped.wait()
    lifeline.cancel()
    await runner.cleanup()


async def _lifeline(stopped: asyncio.Event) -> None:
    async with standard_input() as owner:
        await owner.read()
    stopped.set()


class _LastWords(logging.StreamHandler[Any]):
    """Writes what asyncio and aiohttp log to standard error; if they ran out of memory, it ends the process.

    They would carry on without answering anybody.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Like every handler."""
        if record.exc_info and record.exc_info[1] and is_out_of_memory(record.exc_info[1]):
            _die_of_memory()
        super().emit(record)


def _die_of_memory() -> NoReturn:
    os.write(2, _OUT_OF_MEMORY)
    os._exit(ExitCode.COULD_NOT_FINISH)


async def _handle(answer: Callable[[Request], Awaitable[Response]], incoming: web.BaseRequest) -> web.StreamResponse:
    try:
        return await _answered(answer, incoming)
    except Exception as error:
        if is_out_of_memory(error):
            _die_of_memory()
        raise


async def _answered(answer: Callable[[Request], Awaitable[Response]], incoming: web.BaseRequest) -> web.StreamResponse:
    """Converts between aiohttp's types and the store's."""
    headers = {name.lower(): value for name, value in incoming.headers.items()}
    if (why := refusal(headers.get("host"), headers.get("origin"), headers.get("sec-fetch-site"))) is not None:
        # Nothing of it is read, and the connection cannot be reused.
        refused = web.Response(status=403, text=f"{why}\n")
        refused.force_close()
        return refused
    if headers.get("expect", "").lower() == "100-continue":
        # boto3 waits for 100 Continue before every put; the low-level server leaves sending it to us.
        await incoming.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        incoming.writer.output_size = 0
    request = Request(
        method=incoming.method,
        target=incoming.raw_path,
        headers=headers,
        raw_headers=incoming.raw_headers,
        body=await incoming.read(),
        connection=incoming.transport,
    )
    response = await answer(request)
    outgoing: web.StreamResponse
    if response.breaks_after is None:
        outgoing = web.Response(status=response.status, body=response.body)
    else:
        outgoing = web.StreamResponse(status=response.status or 500)
        outgoing.content_length = len(response.body)
    sent = outgoing.headers
    sent.popall("Content-Type", None)
    for name, value in sent_headers(response, is_head=incoming.method == "HEAD"):
        if name == "Content-Length":
            sent[name] = value
        else:
            sent.add(name, value)
    if response.breaks_after is not None:
        if response.breaks_after >= 0:
            await outgoing.prepare(incoming)
            await outgoing.write(response.body[: response.breaks_after])
        if incoming.transport is not None:
            incoming.transport.close()
    return outgoing


if __name__ == "__main__":
    code = main()
    # Only the teardown of moto's modules is left, which would cost the owner half a second.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
