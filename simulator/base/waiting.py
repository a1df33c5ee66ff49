"""Two ways to wait: for an event with a time limit, and longer after each failure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulator.base.clock import Clock

if TYPE_CHECKING:
    from random import Random


async def wait_for_event(event: asyncio.Event, clock: Clock, seconds: float | None) -> bool:
    """Wait until `event` is set, at most `seconds` on `clock` (None: as long as it takes). Whether it is set."""
    if event.is_set():
        return True
    if seconds is None:
        return await event.wait()
    tasks = {asyncio.create_task(event.wait()), asyncio.create_task(clock.sleep(seconds))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    return event.is_set()


class Backoff:
    """Delays that double from `low_s` to `high_s`, each between half and all of it at random."""

    def __init__(self, low_s: float, high_s: float, chance: Random) -> None:
        self._next_s, self._high_s, self._chance = low_s, high_s, chance

    def next_s(self) -> float:
        """How long to wait now."""
        delay_s = self._next_s * self._chance.uniform(0.5, 1.0)
        self._next_s = min(self._next_s * 2, self._high_s)
        return delay_s
