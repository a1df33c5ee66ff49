"""Time: in the simulator only this file reads the clock, and those that a test lists with a reason.

Every instant is a float of seconds since the epoch, UTC, and is named `..._at`; every duration is in seconds and named
`..._s`. Pure code takes instants as arguments; a shell that must wait takes a `Clock`.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the shells get the time."""

    def now(self) -> float:
        """Seconds since the epoch; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` on this clock; zero or less yields to the loop once."""
        ...


class SystemClock:
    """The machine's clock: the wall clock at its creation, continued by the monotonic clock.

    So a step of the wall clock (NTP, a resumed laptop) never makes a latency negative.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch; never goes back."""
        return self._offset + time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of real time."""
        await asyncio.sleep(max(0.0, seconds))


def iso(instant: float, timespec: str = "milliseconds") -> str:
    """The instant as AWS writes times in events: `2026-11-22T09:00:00.123Z`, or in whole `seconds`."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
