"""Time: the simulator reads it here, and elsewhere only where a test lists the file and its reason.

Every instant is a float of seconds since the epoch, UTC, and is named `..._at`; every length is seconds, named
`..._s`. Pure code takes instants as arguments; a shell that must wait takes a `Clock`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the shells get the time from."""

    def now(self) -> float:
        """Seconds since the epoch; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` on this clock; zero or less yields to the loop once."""
        ...


class SystemClock:
    """The machine's clock: the wall clock at its creation, carried on by the monotonic one.

    A step of the wall clock (NTP, a resumed laptop) therefore never turns a latency negative.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch; never goes back."""
        return self._offset + time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of real time."""
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """A clock that moves only when told to, for tests: `advance` wakes whoever is due, in order."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()

    def now(self) -> float:
        """The instant last advanced to."""
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
        # A woken task may pass its turn on several times before it sleeps again.
        for _ in range(50):
            await asyncio.sleep(0)


def iso(instant: float) -> str:
    """The instant as `2026-11-22T09:00:00.123Z`, as AWS writes times in events."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
