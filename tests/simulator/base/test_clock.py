"""The clocks: the system's never goes back, the manual one moves only on request."""

from __future__ import annotations

import asyncio

from fakes.clock import ManualClock
from simulator.base.clock import SystemClock, iso


def test_system_clock_never_goes_back() -> None:
    """A thousand readings in a row are in order."""
    clock = SystemClock()
    readings = [clock.now() for _ in range(1000)]

    assert readings == sorted(readings)


async def test_manual_clock_wakes_sleepers_at_their_instants() -> None:
    """Each sleeper sees the instant it waited for, in order, even one that sleeps again on waking."""
    clock = ManualClock(100.0)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *lengths: float) -> None:
        for seconds in lengths:
            await clock.sleep(seconds)
            woken.append((name, clock.now()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 5.0))
        group.create_task(sleeper("twice", 1.0, 2.0))
        await clock.advance(4.0)
        assert woken == [("twice", 101.0), ("twice", 103.0)]
        assert (clock.now(), clock.sleepers) == (104.0, 1)
        await clock.advance(1.0)

    assert woken[-1] == ("late", 105.0)


async def test_cancelled_sleeper_is_forgotten() -> None:
    """A sleeper that is cancelled is neither counted nor woken."""
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(1.0))
    await clock.advance(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert clock.sleepers == 0
    await clock.advance(1.0)
    assert task.cancelled()


def test_instants_are_written_as_aws_writes_them() -> None:
    """The form has milliseconds and a Z."""
    assert iso(1795339800.1234) == "2026-11-22T09:30:00.123Z"
