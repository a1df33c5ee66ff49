"""Clocks that tests move."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools

from simulator.base.clock import Clock, SystemClock


class ManualClock:
    """A clock that moves only on request: `advance` wakes the sleepers that are due, in order."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()

    def now(self) -> float:
        """The present instant."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed `seconds` from now."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._ticket), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, stopping at each sleeper's instant so that what it does happens at its time."""
        end = self._now + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await self._settle()
        self._now = end
        await self._settle()

    @property
    def sleepers(self) -> int:
        """How many are waiting."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    @staticmethod
    async def _settle() -> None:
        # A woken task may yield several times before it sleeps again.
        for _ in range(50):
            await asyncio.sleep(0)


class InstantClock(ManualClock):
    """Moves on whenever a task waits."""

    async def sleep(self, seconds: float) -> None:
        """Arrive at once."""
        self._now += seconds


class ForwardClock(SystemClock):
    """The machine's clock, which a test may set forward: sleepers that are due by then wake."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead_s = 0.0
        self._set_forward = asyncio.Event()

    def now(self) -> float:
        """Seconds since the epoch, plus what it was set forward by."""
        return super().now() + self._ahead_s

    async def sleep(self, seconds: float) -> None:
        """Wait for the time to pass, or for the clock to be set forward."""
        end_at = self.now() + seconds
        await asyncio.sleep(0)
        while (left_s := end_at - self.now()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._set_forward.wait()

    def set_forward(self, seconds: float) -> None:
        """Set the clock forward by this much."""
        self._ahead_s += seconds
        self._set_forward.set()
        self._set_forward = asyncio.Event()


_CLOCK: type[Clock] = ManualClock  # mypy sees that it is one
