"""The loop of a world: time moves instead of waiting, in one order, and a standstill names who waits."""

from __future__ import annotations

import asyncio
import selectors
import signal
import socket
import threading
import time
from collections.abc import Coroutine
from contextlib import closing
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from fakes.fibers import Nobody
from simulator.world.loop import MANY_TIMERS, TURNS_A_LOOK, Deadlock, VirtualLoop

T = TypeVar("T")


class Seen(Nobody):
    """What the loop tells of the passing of time."""

    def __init__(self, furthest: float = float("inf")) -> None:
        self.instants: list[float] = []
        self.looks = 0
        self.furthest = furthest

    def moved(self, now: float) -> None:
        """See `Passing`."""
        self.instants.append(now)

    def until(self, now: float, when: float) -> float:
        """See `Passing`."""
        self.looks += now == when
        return min(when, self.furthest)


def run(work: Coroutine[Any, Any, T], seen: Seen | None = None) -> T:
    """The work's result, on a virtual loop."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(seen or Seen())) as runner:
        return runner.run(work)


def test_a_day_takes_no_time() -> None:
    """A sleep of a day ends at once, at the very instant that was asked for, and is told."""
    seen = Seen()

    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run(day(), seen) == 86_400
    assert time.monotonic() - began < 60
    assert seen.instants == [86_400]


def test_timeouts_strike_in_virtual_time() -> None:
    """`asyncio.timeout` and `wait_for` share the loop's clock: the earlier one wins."""

    async def late() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 2)
        return asyncio.get_running_loop().time()

    assert run(late()) == 7


def test_ties_go_in_the_order_in_which_they_were_set() -> None:
    """Of many timers for one instant the first set fires first, whatever was set for other instants meanwhile."""

    async def tied() -> list[int]:
        loop, fired = asyncio.get_running_loop(), list[int]()
        for number in range(100):
            loop.call_at(5, fired.append, number)
            loop.call_at(5 + number % 7 / 10 + 0.1, lambda: None)
        await asyncio.sleep(5.05)
        return fired

    assert run(tied()) == list(range(100))


def test_what_is_due_comes_in_the_order_of_its_instants() -> None:
    """An earlier instant comes first although it was set last."""

    async def ordered() -> list[float]:
        loop, fired = asyncio.get_running_loop(), list[float]()
        for when in (3.0, 1.0, 2.0):
            loop.call_at(when, fired.append, when)
        await asyncio.sleep(4)
        return fired

    assert run(ordered()) == [1, 2, 3]


def test_nothing_due_is_an_error_that_names_who_waits() -> None:
    """A loop that would wait for ever says which tasks wait, and where."""

    async def stuck() -> None:
        async def waiting() -> None:
            await asyncio.Event().wait()

        async with asyncio.TaskGroup() as group:
            group.create_task(waiting(), name="the one who waits")

    with pytest.raises(Deadlock, match=r"nothing is due.*the one who waits at locks.py:\d+ in wait"):
        run(stuck())


def test_many_who_wait_are_counted() -> None:
    """The error names five tasks, the oldest first, and says how many more wait."""

    async def stuck(others: int) -> None:
        await asyncio.gather(*(asyncio.Event().wait() for _ in range(others)))

    with pytest.raises(Deadlock, match=r"Task-\d+ at .*, 5 more tasks$") as raised:
        run(stuck(9))
    assert str(raised.value).count(" at ") == 5
    with pytest.raises(Deadlock, match=r"will be: (Task-\d+ at [^,]*, ){4}Task-\d+ at [^,]*$"):
        run(stuck(4))


def test_a_signal_is_no_deadlock() -> None:
    """What comes from outside is looked for before a standstill is an error."""

    async def told() -> str:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(done.set_result, "told"))
        thread.start()
        thread.join()
        return str(await done)

    assert run(told()) == "told"


def test_a_signal_ends_a_wait_without_a_limit() -> None:
    """Though nothing is due, its handler is called: it alone is why the loop looks before a standstill is an error."""

    async def told() -> str:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.add_signal_handler(signal.SIGUSR1, done.set_result, "told")
        signal.raise_signal(signal.SIGUSR1)
        return str(await done)

    assert run(told()) == "told"


def test_a_waiting_signal_is_seen_and_stays() -> None:
    """While the loop is held up, who asks is told of a signal; not of a mere wake-up, and not once it is closed."""

    async def asked() -> list[bool]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        seen = [loop.signalled()]
        loop.add_signal_handler(signal.SIGUSR1, bool)
        loop.call_soon_threadsafe(bool)
        seen.append(loop.signalled())
        signal.raise_signal(signal.SIGUSR1)
        return [*seen, loop.signalled(), loop.signalled()]

    assert run(asked()) == [False, False, True, True]
    with closing(VirtualLoop(Seen())) as loop:
        pass
    assert not loop.signalled()


def test_who_watches_may_help_at_a_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error only if they say that nothing is due still."""
    seen = Seen()
    with closing(VirtualLoop(seen)) as loop:
        monkeypatch.setattr(seen, "stuck", lambda _: True)
        loop.wait(None)
        monkeypatch.setattr(seen, "stuck", lambda _: False)
        with pytest.raises(Deadlock):
            loop.wait(None)


def test_a_task_whose_coroutine_is_closed_waits_nowhere() -> None:
    """The error has a question mark for it, and no traceback of its own."""

    async def named() -> str:
        waiting = asyncio.Event().wait()
        task = asyncio.create_task(waiting, name="closed")
        await asyncio.sleep(0)
        waiting.close()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        with pytest.raises(Deadlock) as raised:
            loop.wait(None)
        task.cancel()
        with pytest.raises(RuntimeError):
            await task
        return str(raised.value)

    assert run(named()).endswith("closed at ?")


def test_a_jump_makes_others_late() -> None:
    """Whoever blocks the loop moves time on; what was due meanwhile happens afterwards, late, in order."""

    async def jumped() -> list[float]:
        loop, fired = asyncio.get_running_loop(), list[float]()
        assert isinstance(loop, VirtualLoop)
        loop.call_at(2, lambda: fired.append(loop.time()))
        loop.call_at(1, lambda: fired.append(loop.time()))
        loop.jump(10)
        loop.jump(-1)
        await asyncio.sleep(1)
        return [*fired, loop.time()]

    assert run(jumped()) == [10, 10, 11]


def test_a_thread_pools_call_runs_at_once() -> None:
    """`to_thread` runs the call in the loop's own thread, in no time; what it raises is raised."""

    async def called() -> tuple[bool, float]:
        here = threading.get_ident()
        same = await asyncio.to_thread(lambda: threading.get_ident() == here)
        with pytest.raises(KeyError):
            await asyncio.to_thread(dict[str, int]().__getitem__, "x")
        return same, asyncio.get_running_loop().time()

    assert run(called()) == (True, 0)


def test_sets_of_tasks_have_one_order() -> None:
    """A task's hash is its number, not its address; its name is its own, or one that counts from the loop's start."""

    async def numbered() -> list[tuple[int, str]]:
        tasks = [asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(asyncio.sleep(0), name="mine")]
        await asyncio.gather(*tasks)
        loop = asyncio.get_running_loop()
        one, two = (loop.run_in_executor(None, int) for _ in tasks)
        assert hash(two) - hash(one) == 1
        return [(hash(task), task.get_name()) for task in tasks]

    (one, name), (two, mine) = run(numbered())
    assert (two - one, name, mine) == (1, f"Task-{one}", "mine")


def test_a_task_has_its_number_from_the_beginning() -> None:
    """In asyncio's own set it has that hash, too; a set in which all had the same one would be slow."""

    async def found() -> bool:
        held: Any = getattr(asyncio.tasks, "_all_tasks", None) or vars(asyncio.tasks)["_scheduled_tasks"]
        task = asyncio.create_task(asyncio.sleep(0))
        await task
        return task in held

    assert run(found())


def test_it_looks_up_from_its_work_now_and_then() -> None:
    """Every so many turns it tells that it looks, so that a display is drawn and a signal seen."""

    async def busy() -> None:
        for _ in range(TURNS_A_LOOK * 3):
            await asyncio.sleep(0)

    seen = Seen()
    run(busy(), seen)
    assert 3 <= seen.looks <= 4


def test_it_looks_for_signals_in_some_turns_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every so many, when nothing is due, and when time may not move as far as it would; it never waits for them."""
    waits = list[float | None]()
    select = selectors.DefaultSelector.select

    def noting(selector: Any, limit: float | None = None) -> Any:
        waits.append(limit)
        return select(selector, limit)

    monkeypatch.setattr(selectors.DefaultSelector, "select", noting)
    with closing(VirtualLoop(Seen(furthest=5))) as loop:

        async def busy() -> None:
            for _ in range(TURNS_A_LOOK * 2 - 1):
                await asyncio.sleep(0)

        loop.run_until_complete(busy())
        assert waits == [0, 0]
        for turn, when, looks in ((1, 5, 2), (1, 9, 3), (TURNS_A_LOOK, 5, 4)):
            loop._turn = turn
            loop.wait(when)
            assert (loop.time(), len(waits)) == (5, looks)
    with pytest.raises(Deadlock):
        run(asyncio.Event().wait())
    assert set(waits) == {0}


def test_neither_the_machines_clock_nor_its_debug_mode_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due a moment later is not due yet, though a machine cannot tell these instants apart."""
    monkeypatch.setattr(time, "get_clock_info", lambda _: SimpleNamespace(resolution=1.0))
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")

    async def instants() -> list[float]:
        loop, fired = asyncio.get_running_loop(), list[float]()
        assert not loop.get_debug()
        for when in (1, 1.25):
            loop.call_at(when, lambda: fired.append(loop.time()))
        await asyncio.sleep(2)
        return fired

    assert run(instants()) == [1, 1.25]


def test_cancelled_timers_are_forgotten() -> None:
    """Also those far in the future: a world of a day sets many time limits that never strike."""

    async def kept() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        for _ in range(3 * MANY_TIMERS):
            loop.call_at(1, bool)
            loop.call_at(2, bool).cancel()
        return len(loop._timers)

    assert run(kept()) < 5 * MANY_TIMERS


def test_a_closed_loop_takes_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    """Neither timers nor tasks, and nothing is told of a task that never was one."""
    with closing(VirtualLoop(Seen())) as loop:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_at(1, bool)
    with closing(asyncio.sleep(0)) as work, pytest.raises(RuntimeError, match="closed"):
        loop.create_task(work)
    assert not caplog.records


def test_a_task_takes_what_newer_pythons_pass() -> None:
    """Its name with it, and the wish to begin at once, which would change the order of a world."""

    async def made() -> tuple[str, bool]:
        began = list[bool]()

        async def begins() -> None:
            began.append(True)

        task = asyncio.get_running_loop().create_task(begins(), name="mine", eager_start=True)  # type: ignore[call-arg]
        before = not began
        await task
        return task.get_name(), before

    assert run(made()) == ("mine", True)


def test_connections_are_made_where_they_lead() -> None:
    """By address, or by a socket that was connected first; that socket is closed, as nothing needs it."""
    asked = list[Any]()

    def connect(*given: Any) -> Any:
        asked.append(given)
        return "transport", "protocol"

    async def connected() -> list[Any]:
        loop: Any = asyncio.get_running_loop()
        loop.lead_to(connect)
        one = await loop.create_connection(asyncio.Protocol, "127.0.0.1", 9)
        with socket.socket() as theirs:
            await loop.sock_connect(theirs, ("127.0.0.1", 10))
            other = await loop.create_connection(asyncio.Protocol, sock=theirs)
            assert theirs.fileno() == -1
        assert asked == [(("127.0.0.1", port), asyncio.Protocol, loop) for port in (9, 10)]
        return [one, other]

    assert run(connected()) == [("transport", "protocol")] * 2
