"""The clients' event loop: which failures of tasks it reports."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ClientRequest

from simulator.base.clients import connect, offline_session
from simulator.base.errors import OutOfMemory


class ClosingWriter:
    """A request's writer whose server has just died."""

    def send_headers(self) -> None:
        """Write to a buffer: nothing fails yet."""

    async def drain(self) -> None:
        """Write like aiohttp's own writer."""
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")


def a_request() -> Coroutine[Any, Any, None]:
    """The coroutine of aiohttp itself, at the point where the server's death interrupts it."""
    awaited = asyncio.get_running_loop().create_future()
    request: Any = SimpleNamespace(_upload_tracker=None, _upload_gen=0, _continue=awaited)
    connection: Any = SimpleNamespace(close=lambda: None)
    return ClientRequest.write_bytes(request, ClosingWriter(), connection)  # type: ignore[arg-type]


async def write_bytes() -> None:
    """Our own defect, which only has the same name."""
    raise ZeroDivisionError


async def other_work() -> None:
    """The same error from a task that is not a request's."""
    raise aiohttp.ClientConnectionResetError


@pytest.mark.parametrize(("work", "reported"), [(a_request, False), (write_bytes, True), (other_work, True)])
async def test_only_a_request_that_lost_its_server_fails_in_silence(
    caplog: pytest.LogCaptureFixture, work: Callable[[], Coroutine[Any, Any, None]], reported: bool
) -> None:
    """The loop prints the unread failure of every task except aiohttp's write to a server that died."""
    async with connect("http://127.0.0.1:9", offline_session()):
        task = asyncio.create_task(work())
        await asyncio.wait((task,))
        with caplog.at_level(logging.ERROR, "asyncio"):
            del task
            gc.collect()

    assert ("never retrieved" in caplog.text) is reported


async def test_the_handler_that_was_there_still_gets_the_rest() -> None:
    """Clients on an existing loop keep its exception handler, once, however many are opened."""
    heard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    async with connect("http://127.0.0.1:9", offline_session()), connect("http://127.0.0.1:9", offline_session()):
        loop.call_exception_handler({"message": "a defect"})
        task = asyncio.create_task(a_request())
        await asyncio.wait((task,))
        del task
        gc.collect()

    assert heard == [{"message": "a defect"}]


async def test_a_loop_without_memory_ends() -> None:
    """With no memory left, every callback would print one more traceback."""
    async with connect("http://127.0.0.1:9", offline_session()):
        loop = asyncio.get_running_loop()
        handler = loop.get_exception_handler()
        assert handler is not None
        with pytest.raises(OutOfMemory):
            handler(loop, {"message": "in a callback", "exception": MemoryError()})
