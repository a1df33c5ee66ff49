"""Blocking calls beside the loop, and their ways back to it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from functools import partial

import pytest

from simulator.base.workers import Worker

seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="outside")


async def test_calls_are_made_in_order_in_one_daemon_thread() -> None:
    """Thread-local state and context variables last from call to call; the loop's thread is another one."""
    worker = Worker("theirs")
    seen.set("loop")
    threads = await asyncio.gather(worker.run(threading.current_thread), worker.run(threading.current_thread))
    assert await worker.run(seen.get) == "outside"
    await worker.run(partial(seen.set, "thread"))
    assert await worker.run(seen.get) == "thread"
    worker.close()
    (thread,) = {*threads}
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive(), "closing it ends a thread that has nothing to do"
    assert (thread.name, thread.daemon, thread is threading.current_thread()) == ("theirs", True, False)


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), asyncio.CancelledError()])
async def test_what_a_call_raises_is_raised(error: BaseException) -> None:
    """Whatever it is, and the thread makes the next call all the same."""

    def call() -> None:
        raise error

    worker = Worker("theirs")
    with pytest.raises(type(error)) as raised:
        await worker.run(call)
    assert raised.value is error
    assert await worker.run(lambda: 1) == 1
    worker.close()


async def test_a_call_can_wait_for_the_loop() -> None:
    """It gets the result of a coroutine that the loop runs, or what that raises."""

    async def theirs(divisor: int) -> tuple[float, threading.Thread]:
        await asyncio.sleep(0)
        return 1 / divisor, threading.current_thread()

    worker = Worker("theirs")
    assert await worker.run(lambda: worker.wait_for(theirs(2))) == (0.5, threading.current_thread())
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: worker.wait_for(theirs(0)))
    worker.close()


async def test_what_a_call_posts_comes_before_its_result() -> None:
    """In order, on the loop, outside of the call's context."""
    worker, posted = Worker("theirs"), list[tuple[int, str]]()

    def call() -> None:
        seen.set("thread")
        for number in range(3):
            worker.post(lambda number=number: posted.append((number, seen.get())))

    await worker.run(call)
    assert posted == [(0, "outside"), (1, "outside"), (2, "outside")]
    worker.close()


async def test_a_closed_worker_abandons_what_runs() -> None:
    """What that posts is ignored; then the last call is made, none that waited for its turn, and the thread ends."""
    worker, posted, made = Worker("theirs"), list[str](), list[str]()
    begun, end = threading.Event(), threading.Event()

    def call() -> threading.Thread:
        begun.set()
        end.wait()
        worker.post(posted.append, "late")
        return threading.current_thread()

    running = asyncio.ensure_future(worker.run(call))
    waiting = asyncio.ensure_future(worker.run(lambda: made.append("waiting")))
    await asyncio.to_thread(begun.wait)
    worker.close(lambda: made.append("last"))
    end.set()
    await asyncio.to_thread((await running).join)
    waiting.cancel()
    assert (posted, made) == ([], ["last"])


async def test_an_abandoned_call_may_return() -> None:
    """Nobody is told of its result, and the loop has nothing to complain about."""
    worker, complaints, end = Worker("theirs"), list[object](), threading.Event()
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    running = asyncio.ensure_future(worker.run(end.wait))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    end.set()
    assert await worker.run(lambda: "next") == "next"
    worker.close()
    assert complaints == []
