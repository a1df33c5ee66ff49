"""How a fiber and the loop take turns: what wakes it, what does not, how long it may work, and what is left of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from fakes.fibers import run
from simulator.world import fibers
from simulator.world.fibers import Fibers, Resume
from simulator.world.loop import VirtualLoop


class Turn:
    """A lock that nobody releases; it can be asked twenty times."""

    def __init__(self) -> None:
        self.looks = 0

    def acquire(self, timeout: float = 0) -> bool:
        """Not acquired."""
        self.looks += 1
        assert self.looks < 20
        return timeout < 0

    def release(self) -> None:
        """Nothing."""


def test_a_wait_ends_by_its_own_signal_only() -> None:
    """One that comes late, for an earlier wait, shortens no other; a time limit that is not needed is forgotten."""

    async def main(loop: VirtualLoop, made: Fibers) -> float:
        resumes, fiber = list[Resume](), made.worker("theirs")

        def call() -> float:
            fiber.block(resumes.append, 100)
            assert loop.time() == 1
            made.sleep(10)
            return loop.time()

        running = asyncio.ensure_future(fiber.run(call))
        await asyncio.sleep(1)
        for _ in range(3):
            resumes[0]()
            await asyncio.sleep(1)
        ended = await running
        assert [when for when, _, timer in loop._timers if not timer.cancelled()] == []
        return ended

    assert run(main) == 11


def test_a_closed_fiber_is_never_woken() -> None:
    """Though it was about to go on: its thread has ended when `close` returns, and nobody keeps it."""

    async def main(_: VirtualLoop, made: Fibers) -> None:
        fiber = made.worker("theirs")
        running = asyncio.ensure_future(fiber.run(lambda: made.sleep(1)))
        await asyncio.sleep(1)
        running.cancel()
        fiber.close()
        assert (made.open, fiber._thread.is_alive()) == ({}, False)
        await asyncio.sleep(1)
        assert not fiber._gone, "it was not waited for in vain"

    run(main)


def test_what_a_killed_fiber_waits_for_is_cancelled() -> None:
    """The loop does not work on it for nobody."""
    ended = list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main(_: VirtualLoop, made: Fibers) -> None:
        fiber = made.worker("theirs")
        running = asyncio.ensure_future(fiber.run(lambda: fiber.wait_for(work())))
        await asyncio.sleep(1)
        running.cancel()
        fiber.close()
        await asyncio.sleep(1)
        assert ended == ["cancelled"]

    run(main)


@pytest.mark.parametrize(("signalled_at", "alive", "looks"), [(None, True, 4), (2, True, 3), (None, False, 1)])
def test_how_long_a_fiber_may_work(
    signalled_at: int | None, alive: bool, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it may without a signal; after the first, for the grace from then on; a thread that died may not."""
    monkeypatch.setattr(fibers, "LOOK_S", 0.25)
    monkeypatch.setattr(fibers, "RUNAWAY_S", 1.0)
    monkeypatch.setattr(fibers, "GRACE_S", 0.5)
    lost = list[Any]()

    async def main(loop: VirtualLoop, made: Fibers) -> int:
        fiber, turn = made.worker("theirs"), Turn()
        await fiber.run(bool)
        with monkeypatch.context() as patched:
            patched.setattr(loop, "signalled", lambda: signalled_at is not None and turn.looks >= signalled_at)
            for name in ("_turn", "_loops_turn"):
                patched.setattr(fiber, name, turn)
            for name in ("_closed", "_gone"):
                patched.setattr(fiber, name, False)
            if not alive:
                patched.setattr(fiber, "_thread", threading.Thread())
            fiber._go_on()
            assert fiber._gone
        return turn.looks

    assert run(main, lost=lost.append) == looks
    assert len(lost) == alive


def test_a_thread_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a fiber tells of the runaway that it is then, and goes on."""
    monkeypatch.setattr(fibers, "RUNAWAY_S", 0.0)
    lost, joined = list[Any](), list[float | None]()

    async def main(_: VirtualLoop, made: Fibers) -> None:
        fiber = made.worker("theirs")
        await fiber.run(bool)
        theirs, thread = fiber._turn, fiber._thread
        with monkeypatch.context() as patched:
            for name in ("_turn", "_loops_turn"):
                patched.setattr(fiber, name, Turn())
            patched.setattr(thread, "join", joined.append)
            fiber.close()
        theirs.release()
        thread.join()

    run(main, lost=lost.append)
    assert (len(lost), joined) == (1, [0])


def test_who_interrupts_a_turn_leaves_the_fiber(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is raised while the loop waits for it is raised, and the fiber is not asked for anything again."""

    def interrupted(timeout: float = 0) -> bool:
        raise KeyboardInterrupt

    async def main(_: VirtualLoop, made: Fibers) -> None:
        fiber, turn = made.worker("theirs"), Turn()
        await fiber.run(bool)
        monkeypatch.setattr(turn, "acquire", interrupted)
        with monkeypatch.context() as patched:
            for name in ("_turn", "_loops_turn"):
                patched.setattr(fiber, name, turn)
            for name in ("_closed", "_gone"):
                patched.setattr(fiber, name, False)
            with pytest.raises(KeyboardInterrupt):
                fiber._go_on()
            assert (fiber._closed, fiber._gone) == (True, True)

    run(main)
