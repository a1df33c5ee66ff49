"""Runs the store in the tests' process, on its own thread, so that tests over HTTP can notice its mutants."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import web

from simulator.base.clock import SystemClock
from simulator.store.front import server
from simulator.store.front.application import assemble
from simulator.store.store import Store


def _serve(started: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, int]], seed: Any, **options: Any) -> None:
    async def run() -> None:
        application = assemble(SystemClock(), 0, seed, **options)
        loop = asyncio.get_running_loop()
        factory = partial(web.BaseRequest, loop=loop, client_max_size=server.MAXIMUM_BODY_BYTES)
        handler = partial(server._handle, application.answer)
        listening = web.Server(
            handler, request_factory=factory, handler_cancellation=True, auto_decompress=False, access_log=None
        )
        runner = web.ServerRunner(listening, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started.put((loop, runner.addresses[0][1]))
        await asyncio.Event().wait()

    asyncio.run(run())


@asynccontextmanager
async def open_inside(
    port: int = 0, capacity: str = "unlimited", strict: bool = True, seed: Any = None
) -> AsyncIterator[Store]:
    """Replaces `Store.open`. The thread ends with the process, which the caller ends."""
    started: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, int]] = queue.SimpleQueue()
    options = {"capacity": capacity, "strict": strict}
    threading.Thread(target=_serve, args=(started, seed or 1), kwargs=options, daemon=True).start()
    _, at = await asyncio.to_thread(started.get)
    async with aiohttp.ClientSession() as session:
        yield Store(SimpleNamespace(pid=0), at, session)  # type: ignore[arg-type]
