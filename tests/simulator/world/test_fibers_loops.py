"""The loops of blocking code in a world, and its pools: their time is the world's, and they end with it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from functools import partial
from typing import Any

import pytest

from fakes.fibers import run
from simulator.world.fibers import Fibers, Killed
from simulator.world.loop import VirtualLoop


def in_a_fiber(call: Callable[[Fibers], Any]) -> tuple[Any, float]:
    """What the call returns in a fiber, and the virtual time then."""

    async def main(loop: VirtualLoop, made: Fibers) -> tuple[Any, float]:
        return await made.worker("theirs").run(lambda: call(made)), loop.time()

    return run(main)


def test_a_fiber_can_run_a_loop_of_its_own() -> None:
    """Its time and its connections are the world's, its tasks take turns, and `to_thread` makes the call at once."""

    def call(made: Fibers) -> Any:
        async def theirs() -> Any:
            loop = asyncio.get_running_loop()
            assert hash(loop.create_future()) - hash(loop.create_future()) == -1, "sets of them have one order"
            async with asyncio.timeout(50):
                await asyncio.gather(asyncio.sleep(10), asyncio.sleep(20), asyncio.to_thread(made.sleep, 5))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.create_future(), 5)
            with pytest.raises(ConnectionRefusedError):
                await loop.create_connection(asyncio.Protocol, "127.0.0.1", 9)
            return loop.time()

        return asyncio.run(theirs())

    assert in_a_fiber(call) == (25, 25)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="it makes no loop any more")
@pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning")
def test_a_fiber_is_a_main_thread_for_asyncio() -> None:
    """`get_event_loop` makes a loop there, once."""

    def call(_: Fibers) -> float:
        with contextlib.closing(asyncio.get_event_loop()) as loop:
            loop.run_until_complete(asyncio.sleep(2))
            assert asyncio.get_event_loop() is loop
            return loop.time()

    assert in_a_fiber(call) == (2, 2)


def test_the_outer_loop_can_wake_an_inner_one() -> None:
    """Waiting without a limit ends with what is called from outside; once it is closed, that is no error there."""

    async def main(call: str, loop: VirtualLoop, made: Fibers) -> float:
        inner: asyncio.Future[asyncio.Event] = loop.create_future()
        loops = list[asyncio.AbstractEventLoop]()

        async def theirs() -> float:
            event = asyncio.Event()
            loops.append(asyncio.get_running_loop())
            fiber.post(inner.set_result, event)
            await event.wait()
            return loop.time()

        fiber = made.worker("theirs")
        running = asyncio.ensure_future(fiber.run(lambda: asyncio.run(theirs())))
        event = await inner
        await asyncio.sleep(7)
        getattr(loops[0], call)(event.set)
        took_s = await running
        assert loops[0].call_soon(print) is None
        with pytest.raises(RuntimeError, match="closed"):
            await fiber.run(lambda: loops[0].call_soon(print))
        return took_s

    assert [run(partial(main, call)) for call in ("call_soon", "call_soon_threadsafe")] == [7, 7]


@pytest.mark.filterwarnings("error")
def test_a_killed_fibers_own_loop_ends_in_silence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Python complains neither about coroutines that would wait as they end, nor about those that never begin."""
    said = list[str]()
    monkeypatch.setattr(sys, "unraisablehook", lambda complaint: said.append(str(complaint.exc_value)))

    async def theirs() -> None:
        try:
            await asyncio.gather(asyncio.sleep(50), asyncio.sleep(60))
        finally:
            await asyncio.sleep(1)

    async def cleaning_up() -> None:
        said.append("begun")

    def call() -> None:
        try:
            asyncio.run(theirs())
        finally:
            with contextlib.closing(asyncio.new_event_loop()) as loop:
                for end in (asyncio.run, loop.run_until_complete):
                    with pytest.raises(Killed):
                        end(cleaning_up())

    async def main(_: VirtualLoop, made: Fibers) -> None:
        fiber = made.worker("theirs")
        running = asyncio.ensure_future(fiber.run(call))
        await asyncio.sleep(10)
        fiber.close()
        with pytest.raises(Killed):
            await running

    run(main)
    gc.collect()
    assert (said, caplog.records) == ([], [])


def test_a_pool_makes_each_call_at_once() -> None:
    """One after the other, in the fiber; the futures are done, with what was returned or raised."""

    def call(made: Fibers) -> Any:
        begun = list[str]()
        with ThreadPoolExecutor(4, initializer=begun.append, initargs=("begun",)) as pool:
            calls: tuple[Callable[[], Any], ...] = (lambda: made.sleep(3), threading.get_ident, lambda: int("x"))
            done = [pool.submit(each) for each in calls]
            assert wait(done).not_done == set()
            assert {*done} == {*as_completed(done)}
            assert hash(done[2]) - hash(done[1]) == 1, "sets of them have one order"
            assert done[1].result() == threading.get_ident()
            assert isinstance(done[2].exception(), ValueError)
            assert [*pool.map(str, (1, 2))] == ["1", "2"]
            assert begun == ["begun"]
        with pytest.raises(RuntimeError):
            pool.submit(int)

    assert in_a_fiber(call) == (None, 3)
