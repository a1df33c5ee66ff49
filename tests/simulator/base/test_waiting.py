"""Silence for ten checks is a failure, slowness is not; much work is done a few things at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.clock import ManualClock
from simulator.base import limits
from simulator.base.waiting import Backoff, each, wait_for_event, wait_silent


class LookingClock:
    """A clock on which each sleep takes an hour, as on a laptop; `looks` counts the sleeps."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> float:
        """Nothing may read the time."""
        raise AssertionError

    async def sleep(self, seconds: float) -> None:
        """Part of `Clock`."""
        assert seconds == limits.SILENCE_LOOK_S
        self.looks += 1
        await asyncio.sleep(0)


async def test_ten_looks_in_a_row_without_an_answer_are_silence() -> None:
    """However long each check took, there must have been ten of them since the last answer."""
    clock = LookingClock()
    questions: list[int] = []

    async def ask() -> None:
        questions.append(clock.looks)
        if len(questions) > 3:
            await asyncio.Event().wait()

    await wait_silent(ask, clock)
    assert questions == [1, 2, 3, 4]
    assert clock.looks == 3 + limits.SILENCE_LOOKS


async def test_silence_from_the_first_question_on_is_silence() -> None:
    """After ten looks too, and the question has ended then."""
    clock, questions = LookingClock(), list[Any]()

    async def ask() -> None:
        questions.append(asyncio.current_task())
        await asyncio.Event().wait()

    await wait_silent(ask, clock)
    assert (clock.looks, [question.cancelled() for question in questions]) == (limits.SILENCE_LOOKS, [True])


async def test_a_slow_answer_is_an_answer() -> None:
    """A question stays open for as long as it takes: eight checks late is not silent."""
    clock = LookingClock()
    questions: list[int] = []

    async def ask() -> None:
        questions.append(clock.looks)
        if len(questions) > 5:
            raise ConnectionError("that is enough")
        for _ in range(limits.SILENCE_LOOKS - 2):
            await asyncio.sleep(0)

    with pytest.raises(ConnectionError):
        await wait_silent(ask, clock)
    assert len(questions) == 6


async def test_who_waits_may_stop_and_no_question_is_left() -> None:
    """A cancelled wait cancels its question."""
    asked: asyncio.Future[asyncio.Task[None] | None] = asyncio.get_running_loop().create_future()

    async def ask() -> None:
        asked.set_result(asyncio.current_task())
        await asyncio.Event().wait()

    waiting = asyncio.ensure_future(wait_silent(ask, LookingClock()))
    question = await asked
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert question is not None
    assert question.cancelled()


async def test_things_are_worked_on_a_few_at_a_time_and_taken_only_then() -> None:
    """Each once, in order, never more than two at a time, and none is taken before a worker is free."""
    taken, begun, most, running = [], [], 0, 0

    def things() -> Iterator[int]:
        for number in range(5):
            taken.append(number)
            yield number

    async def work(number: int) -> None:
        nonlocal most, running
        begun.append(number)
        assert taken == begun
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await each(things(), work, 2)
    assert (begun, most, running) == ([0, 1, 2, 3, 4], 2, 0)


async def test_a_broken_off_wait_ends_its_two_halves_in_the_same_order_each_time() -> None:
    """First the event's, then the clock's: what follows from either must not depend on where the tasks are stored."""
    ended: list[str] = []

    async def endless(name: str) -> bool:
        try:
            return await asyncio.Event().wait()
        finally:
            ended.append(name)

    event: Any = SimpleNamespace(is_set=lambda: False, wait=lambda: endless("event"))
    clock: Any = SimpleNamespace(sleep=lambda _: endless("clock"))
    waits = [asyncio.ensure_future(wait_for_event(event, clock, 1.0)) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    await asyncio.sleep(0)
    assert ended == ["event", "clock"] * 20


@pytest.mark.parametrize("seconds", [None, 5.0])
async def test_a_wait_ends_with_its_event(seconds: float | None) -> None:
    """It says whether that is set: at once if it was, with or without a time limit, and False if the limit is over."""
    event, clock = asyncio.Event(), ManualClock()
    waiting = asyncio.ensure_future(wait_for_event(event, clock, seconds))
    await clock.advance(4.9)
    assert not waiting.done()
    event.set()
    await clock.advance(0)
    assert [waiting.result(), await wait_for_event(event, clock, seconds)] == [True, True]
    over = asyncio.ensure_future(wait_for_event(asyncio.Event(), clock, 5.0))
    await clock.advance(5)
    assert await over is False


def test_delays_double_up_to_the_longest() -> None:
    """Each is between half and all of it, by chance."""

    class Most(Random):
        def uniform(self, a: float, b: float) -> float:
            assert (a, b) == (0.5, 1.0)
            return b / 2

    backoff = Backoff(2, 10, Most())
    assert [backoff.next_s() for _ in range(5)] == [1, 2, 4, 5, 5]
