"""Blocking code in a world: one thread at a time, in virtual time, and none is left behind."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fakes import declare
from fakes.fibers import run
from fakes.recorder import Recorder
from simulator.functions.runtimes import Code, Returned
from simulator.functions.runtimes.imports import CodeModules
from simulator.functions.runtimes.inline import InlineRuntime
from simulator.functions.runtimes.isolation import installed, seen_as
from simulator.functions.service import LambdaService
from simulator.world import fibers
from simulator.world.borders import Violation, closed
from simulator.world.fibers import Fiber, Fibers, Killed, Runaway, current_fiber
from simulator.world.loop import VirtualLoop

owner: ContextVar[str] = ContextVar("owner", default="nobody")


class LoopClock:
    """The loop's time, since the epoch."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.now = loop.time

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


def in_a_fiber(call: Callable[[Fibers], Any]) -> tuple[Any, float]:
    """What the call returns in a fiber, and the virtual time then."""

    async def main(loop: VirtualLoop, made: Fibers) -> tuple[Any, float]:
        return await made.worker("theirs").run(lambda: call(made)), loop.time()

    return run(main)


def test_what_blocks_takes_virtual_time_and_turns() -> None:
    """Fibers and tasks go on when they are due; of two that are due at once, the first that asked."""

    async def main(loop: VirtualLoop, made: Fibers) -> list[tuple[float, str]]:
        seen = list[tuple[float, str]]()

        def call(name: str, seconds: float) -> None:
            for _ in range(2):
                made.sleep(seconds)
                seen.append((loop.time(), name))

        async def task() -> None:
            for _ in range(2):
                await asyncio.sleep(20)
                seen.append((loop.time(), "task"))

        one, other = made.worker("one"), made.worker("other")
        await asyncio.gather(one.run(lambda: call("one", 10)), other.run(lambda: call("other", 20)), task())
        return seen

    expected = [(10, "one"), (20, "other"), (20, "task"), (20, "one"), (40, "other"), (40, "task")]
    assert sorted(run(main)) == sorted(expected)
    assert run(main) == run(main)


def test_calls_are_made_in_one_thread_of_their_own() -> None:
    """In order, with the context variables of who asks, and not in the loop's thread."""

    async def main(_: VirtualLoop, made: Fibers) -> list[tuple[str, bool, str]]:
        fiber = made.worker("theirs")

        def call() -> tuple[str, bool, str]:
            return threading.current_thread().name, current_fiber() is fiber, owner.get()

        owner.set("first")
        first = await fiber.run(call)
        owner.set("second")
        return [first, await fiber.run(call)]

    assert run(main) == [("theirs", True, "first"), ("theirs", True, "second")]
    assert current_fiber() is None


def test_what_a_call_raises_is_raised() -> None:
    """Also what would end a thread."""

    def call(_: Fibers) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        in_a_fiber(call)


def test_a_call_can_wait_for_the_loop() -> None:
    """It gets what a coroutine returns or raises, when that is over in virtual time."""

    async def theirs(divisor: int) -> float:
        await asyncio.sleep(5)
        return 1 / divisor

    def call(_: Fibers) -> float:
        fiber = current_fiber()
        assert fiber is not None
        with pytest.raises(ZeroDivisionError):
            fiber.wait_for(theirs(0))
        return fiber.wait_for(theirs(2))

    assert in_a_fiber(call) == (0.5, 10)


def test_what_a_call_posts_comes_before_its_result() -> None:
    """In order, and outside of the call's context."""

    async def main(_: VirtualLoop, made: Fibers) -> list[tuple[int, str]]:
        fiber, posted = made.worker("theirs"), list[tuple[int, str]]()

        def call() -> None:
            owner.set("call")
            for number in range(3):
                fiber.post(lambda number=number: posted.append((number, owner.get())))

        await fiber.run(call)
        return posted

    assert run(main) == [(0, "nobody"), (1, "nobody"), (2, "nobody")]


async def kill(call: Callable[[Fibers, Fiber], Any], loop: VirtualLoop, made: Fibers) -> list[Any]:
    """What `call` notes, in a fiber that is killed after 3 seconds."""
    fiber, noted = made.worker("theirs"), list[Any]()

    def noting() -> None:
        try:
            call(made, fiber)
        except BaseException as error:
            noted.append(type(error))
            raise
        finally:
            fiber.post(noted.append, "posted")
            with pytest.raises(Killed):
                made.sleep(1)

    running = asyncio.ensure_future(fiber.run(noting))
    await asyncio.sleep(3)
    running.cancel()
    fiber.close(lambda: noted.append("last"))
    assert loop.time() == 3
    await asyncio.sleep(200)
    return noted


def test_a_killed_fiber_is_over_at_once() -> None:
    """What it waits for raises, then and later; what it posts is ignored; the last call is made; the thread ends."""
    before = threading.active_count()
    calls: tuple[Callable[[Fibers, Fiber], Any], ...] = (
        lambda made, _: made.sleep(100),
        lambda _, fiber: fiber.wait_for(asyncio.sleep(100)),
        lambda made, _: asyncio.run(asyncio.sleep(100)),
        lambda made, _: ThreadPoolExecutor().submit(made.sleep, 100),
    )
    for call in calls:
        noted = run(partial(kill, call))
        assert noted == [Killed, "last"]
        assert threading.active_count() == before


def test_code_that_catches_its_end_never_goes_on() -> None:
    """Such as a loop that tries again whatever happens: the world does."""
    tries = list[int]()

    def call(made: Fibers, _: Fiber) -> None:
        while True:
            try:
                made.sleep(2)
            except BaseException:  # noqa: BLE001 - as some handlers do
                tries.append(1)

    assert run(partial(kill, call)) == []
    assert len(tries) == fibers.DEATHS


def test_a_world_leaves_no_thread_behind() -> None:
    """Neither one that waits for a call, nor one in a call, nor one that never began."""
    before = threading.active_count()

    async def main(_: VirtualLoop, made: Fibers) -> int:
        idle = made.worker("idle")
        await idle.run(bool)
        running = asyncio.ensure_future(made.worker("running").run(lambda: made.sleep(100)))
        made.worker("new")
        await asyncio.sleep(1)
        running.cancel()
        return threading.active_count()

    assert run(main) == before + 3
    assert threading.active_count() == before


def test_sleeping_on_the_loop_makes_all_else_late() -> None:
    """As blocking a real loop does."""

    async def main(loop: VirtualLoop, made: Fibers) -> float:
        loop.call_later(1, lambda: made.sleep(10))
        await asyncio.sleep(2)
        return loop.time()

    assert run(main) == 11


def test_a_runaway_is_named_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The world goes on; the thread is killed where it waits at last."""
    monkeypatch.setattr(fibers, "RUNAWAY_S", 0.0)
    monkeypatch.setattr(fibers, "LOOK_S", 0.001)
    end, killed, lost = threading.Event(), threading.Event(), list[Runaway]()

    async def main(_: VirtualLoop, made: Fibers) -> threading.Thread:
        fiber, threads = made.worker("Consumer"), list[threading.Thread]()

        def call() -> None:
            threads.append(threading.current_thread())
            end.wait()
            try:
                made.sleep(1)
            except Killed:
                killed.set()

        running = asyncio.ensure_future(fiber.run(call))
        await asyncio.sleep(1)
        running.cancel()
        again = asyncio.ensure_future(fiber.run(bool))
        await asyncio.sleep(1)
        again.cancel()
        fiber.close()
        end.set()
        return threads[0]

    run(main, lost=lost.append).join()
    assert killed.is_set()
    (told,) = lost
    assert str(told).startswith("Consumer never lets time pass: ")
    assert str(told).endswith(" in call computes, or waits for a thread")


def test_a_signal_ends_the_patience_with_a_runaway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants to end the program waits a moment only."""
    monkeypatch.setattr(fibers, "GRACE_S", 0.0)
    monkeypatch.setattr(fibers, "LOOK_S", 0.001)
    end, lost = threading.Event(), list[Runaway]()

    async def main(loop: VirtualLoop, made: Fibers) -> None:
        monkeypatch.setattr(loop, "signalled", lambda: True)
        running = asyncio.ensure_future(made.worker("Consumer").run(end.wait))
        await asyncio.sleep(1)
        running.cancel()
        end.set()

    run(main, lost=lost.append)
    assert len(lost) == 1


def test_leaving_the_process_leaves_the_call() -> None:
    """A handler's `os._exit` must not end the world."""
    with pytest.raises(SystemExit) as left:
        in_a_fiber(lambda _: os._exit(3))
    assert left.value.code == 3


def test_asyncios_debug_mode_makes_no_difference() -> None:
    """It complains about calls from other threads, but a fiber's are in turn."""

    async def main(loop: VirtualLoop, made: Fibers) -> float:
        loop.set_debug(True)
        await made.worker("theirs").run(lambda: asyncio.run(asyncio.sleep(2), debug=True))
        return loop.time()

    assert run(main) == 2


def test_a_call_that_had_not_begun_is_not_made() -> None:
    """A closed fiber makes its last call, and none that waited for its turn."""
    calls = list[str]()

    async def main(_: VirtualLoop, made: Fibers) -> None:
        fiber = made.worker("theirs")
        waiting = asyncio.ensure_future(fiber.run(lambda: calls.append("late")))
        await asyncio.sleep(0)
        waiting.cancel()
        fiber.close(lambda: calls.append("last"))

    run(main)
    assert calls == ["last"]


@pytest.mark.parametrize("body", ["time.sleep(100)", "asyncio.run(asyncio.sleep(100))"])
def test_the_deadline_of_a_plain_handler_strikes(
    body: str, tmp_path: Path, recorded: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In virtual time, wherever it waits; the next event is for a new environment, with its module run again."""
    (tmp_path / "plain.py").write_text(
        f"import asyncio, time\nprint('loaded')\ndef handler(event, context):\n    if event:\n        {body}\n"
        "    time.sleep(1)\n    return context.get_remaining_time_in_millis()\n"
    )

    async def main(loop: VirtualLoop, made: Fibers) -> list[Any]:
        clock = LoopClock(loop)
        code = {"Consumer": Code(tmp_path)}
        runtime = InlineRuntime("http://127.0.0.1:9", object(), clock=clock, code=code, workers=made.worker)
        functions = {"Consumer": declare.function(handler="plain.handler", timeout_s=3)}
        async with LambdaService(functions, runtime=runtime, clock=clock, record=recorded.append, seed=1) as service:
            results = []
            for event in (0, 1, 0):
                monkeypatch.setattr(time, "sleep", made.sleep)
                result = await service.invoke("Consumer", event)
                results.append(
                    (loop.time(), result.payload if isinstance(result, Returned) else getattr(result, "outcome", None))
                )
        return results

    assert run(main) == [(1, 2000), (4, "timeout"), (5, 2000)]
    assert recorded.lines().count("loaded") == 2


def test_environments_load_their_modules_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each waits as it loads: they have modules of their own, whatever else is called so meanwhile."""
    (tmp_path / "plain.py").write_text("import time\ntime.sleep(1)\nimport beside\ndef handler(*_): return beside.n\n")
    (tmp_path / "beside.py").write_text("import time\ntime.sleep(1)\nn = [time]\n")
    monkeypatch.setitem(sys.modules, "beside", ModuleType("beside"))

    async def main(loop: VirtualLoop, made: Fibers) -> tuple[float, int, bool]:
        monkeypatch.setattr(time, "sleep", made.sleep)
        environments, path = [CodeModules(Code(tmp_path)) for _ in range(3)], sys.path[:]

        def load(modules: CodeModules) -> Any:
            with modules.seen():
                return importlib.import_module("plain").handler()

        running = [asyncio.ensure_future(made.worker("x").run(partial(load, each))) for each in environments]
        await asyncio.sleep(1.5)
        assert not hasattr(importlib.import_module("beside"), "n")
        loaded = await asyncio.gather(*running)
        return loop.time(), len({id(each) for each in loaded}), sys.path == path

    assert run(main) == (2, 3, True)


def test_a_thread_of_a_handlers_own_is_a_violation_of_the_handler() -> None:
    """Though what gives each handler its own output is between it and Python's `Thread.start`."""
    told = list[Violation]()

    def call(_: Fibers) -> None:
        violated = pytest.raises(Violation, match=r"test_fibers\.py:\d+ in call starts a thread for print")
        with installed(), seen_as({}, print), closed(told.append), violated:
            threading.Thread(target=print).start()

    in_a_fiber(call)
    assert len(told) == 1


def test_other_threads_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is no fiber sleeps for real, has pools with threads and no loop; asynchronous code has none."""
    slept = list[float]()
    monkeypatch.setattr(fibers, "real_sleep", slept.append)

    async def main(loop: VirtualLoop, made: Fibers) -> None:
        seen = list[Any]()

        def call() -> None:
            made.sleep(100)
            with pytest.raises(RuntimeError):
                asyncio.get_event_loop()
            with ThreadPoolExecutor() as pool:
                seen.append(pool.submit(threading.get_ident).result() != threading.get_ident())

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        with ThreadPoolExecutor() as pool:
            seen.append(pool.submit(threading.get_ident).result() == threading.get_ident())
        assert (seen, slept, loop.time()) == ([True, True], [100], 0)

    run(main)
