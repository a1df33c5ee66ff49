"""Ways to wait: for an event with a time limit, a silent process, much work, and longer after each failure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from simulator.base import limits
from simulator.base.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from random import Random

T = TypeVar("T")


async def wait_for_event(event: asyncio.Event, clock: Clock, seconds: float | None) -> bool:
    """Wait until `event` is set, for at most `seconds` on `clock` (None: no limit). Returns whether it is set."""
    if event.is_set():
        return True
    if seconds is None:
        return await event.wait()
    tasks = asyncio.create_task(event.wait()), asyncio.create_task(clock.sleep(seconds))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    return event.is_set()


async def wait_silent(ask: Callable[[], Awaitable[object]], clock: Clock) -> None:
    """Ask repeatedly, and return once a question stays without an answer for `limits.SILENCE_LOOKS`.

    Checks are counted, not seconds: however long a laptop sleeps or Ctrl-Z stops us, that is one check. Whatever `ask`
    raises is raised.
    """
    asking, looks = asyncio.ensure_future(ask()), 0
    try:
        while looks < limits.SILENCE_LOOKS:
            await clock.sleep(limits.SILENCE_LOOK_S)
            looks += 1
            if asking.done():
                asking.result()
                asking, looks = asyncio.ensure_future(ask()), 0
    finally:
        asking.cancel()
        await asyncio.wait((asking,))


async def each(things: Iterable[T], work: Callable[[T], Awaitable[object]], at_once: int) -> None:
    """Work on each thing, on `at_once` at a time; the next one is taken only when another is done.

    Failures come in a group.
    """
    left = iter(things)

    async def worker() -> None:
        for thing in left:
            await work(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


class Backoff:
    """Delays that double from `low_s` to `high_s`, each randomly between half and all of it."""

    def __init__(self, low_s: float, high_s: float, chance: Random) -> None:
        self._next_s, self._high_s, self._chance = low_s, high_s, chance

    def next_s(self) -> float:
        """How long to wait now."""
        delay_s = self._next_s * self._chance.uniform(0.5, 1.0)
        self._next_s = min(self._next_s * 2, self._high_s)
        return delay_s
