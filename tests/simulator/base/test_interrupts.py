"""Ctrl-C and SIGTERM: what the first and the second do, and that later work is not affected."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest

from fakes.waiting import until
from simulator.base import interrupts
from simulator.base.errors import CouldNotFinish, Interrupted
from simulator.base.interrupts import SIGNALS, HardStop, Interrupts


async def forever(cleaned: list[str]) -> None:
    """Endless work, which cleans up."""
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        cleaned.append("up")


async def test_the_first_asks_and_the_second_abandons() -> None:
    """One signal sets `soft` and cancels nothing; the next makes the work raise `HardStop`, cleaned up."""
    counted, cleaned = Interrupts(), list[str]()
    running = asyncio.ensure_future(counted.until_second(forever(cleaned)))
    for _ in range(3):
        await asyncio.sleep(0)
    counted.signalled()
    await asyncio.sleep(0)
    assert (counted.soft.is_set(), running.done()) == (True, False)
    counted.signalled()
    counted.signalled()  # impatience changes nothing
    with pytest.raises(HardStop):
        await running
    assert cleaned == ["up"]


async def test_what_the_work_makes_of_it_counts() -> None:
    """A result made despite the signal is returned; our own failure outweighs the signal."""

    async def ends() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "done"

    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise CouldNotFinish("the store died") from None

    outcomes: list[object] = []
    for work in (ends(), fails()):
        counted = Interrupts()
        running = asyncio.ensure_future(counted.until_second(work))
        for _ in range(3):
            await asyncio.sleep(0)
        counted.signalled()
        counted.signalled()
        await asyncio.wait((running,))
        outcomes.append(running.exception() or running.result())
    assert outcomes[0] == "done"
    assert isinstance(outcomes[1], CouldNotFinish)


async def test_after_the_conclusion_nothing_is_abandoned() -> None:
    """Once all requested work is done, any number of signals ends only what waits for the first."""
    counted = Interrupts()

    async def work() -> str:
        counted.concluded()
        await counted.soft.wait()
        await asyncio.sleep(0)
        return "written"

    running = asyncio.ensure_future(counted.until_second(work()))
    for _ in range(3):
        await asyncio.sleep(0)
    counted.signalled()
    counted.signalled()
    assert await running == "written"


async def test_an_owner_that_is_cancelled_takes_its_work_along() -> None:
    """A waiting task may be cancelled for another reason: the work is over when that becomes known."""
    cleaned: list[str] = []
    running = asyncio.ensure_future(Interrupts().until_second(forever(cleaned)))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cleaned == ["up"]


@pytest.mark.parametrize("number", SIGNALS)
async def test_both_signals_count_while_they_are_installed(number: signal.Signals) -> None:
    """The process's own signals arrive; afterwards its handlers are restored, and a command's ignore both."""
    before = {each: signal.getsignal(each) for each in SIGNALS}
    counted = Interrupts()
    with counted.installed():
        os.kill(os.getpid(), number)
        await until(counted.soft.is_set)
    assert {each: signal.getsignal(each) for each in SIGNALS} == before
    try:
        for each in SIGNALS:
            signal.signal(each, lambda *_: pytest.fail("too late"))
        with Interrupts().installed():
            pass
        os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_command_by_its_clean_up(number: signal.Signals) -> None:
    """The first signal cancels, the second cuts the clean-up short; either way it is `Interrupted`."""
    steps: list[str] = []

    async def work(patient: bool) -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            if not patient:
                os.kill(os.getpid(), number)
                await asyncio.Event().wait()
            steps.append("cleaned up")

    with pytest.raises(Interrupted, match=r"^interrupted$"):
        interrupts.run(work(patient=True))
    assert steps == ["cleaned up"]
    with pytest.raises(Interrupted):
        interrupts.run(work(patient=False))
    assert steps == ["cleaned up"]


def test_work_that_is_not_signalled_gives_its_result() -> None:
    """It is like `asyncio.run`: a value, or what was raised."""

    async def fails() -> None:
        raise CouldNotFinish("AWS refused")

    assert interrupts.run(asyncio.sleep(0, "value")) == "value"
    with pytest.raises(CouldNotFinish):
        interrupts.run(fails())


@pytest.mark.parametrize("number", SIGNALS)
def test_work_without_a_loop_is_interrupted_where_it_is(number: signal.Signals) -> None:
    """The block cleans up as after any error, and the handlers are restored."""
    before, cleaned = signal.getsignal(number), list[str]()

    def work() -> None:
        with interrupts.raised():
            try:
                signal.raise_signal(number)
            finally:
                cleaned.append("up")

    with pytest.raises(Interrupted):
        work()
    assert (cleaned, signal.getsignal(number)) == (["up"], before)
