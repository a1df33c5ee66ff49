"""How fast a world passes while somebody watches it, and when it is drawn: by a real time that the tests set."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from fakes.fibers import Nobody
from simulator.world import playback
from simulator.world.loop import VirtualLoop
from simulator.world.playback import LAG_S, SLICE_S, Playback


class Machine:
    """Real time that passes by sleeping, and what it was slept for."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, 0.0
        self.longest = 0.0

    def perf_counter(self) -> float:
        """The machine's time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self.now += seconds
        self.slept += seconds
        self.longest = max(self.longest, seconds)


class Watched(Playback, Nobody):
    """A playback, of whose loop nobody needs to know anything else."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine that every playback of the test reads."""
    made = Machine()
    monkeypatch.setattr(playback, "real_perf_counter", made.perf_counter)
    monkeypatch.setattr(playback, "real_sleep", made.sleep)
    return made


def watch(
    played: Watched, work: Callable[[], Coroutine[Any, Any, None]], draw: Callable[[], None], begins: float = 0
) -> None:
    """Carry out the work in virtual time, from that instant on, while a display draws four times per second."""

    async def main() -> None:
        await asyncio.sleep(begins)
        stop = asyncio.Event()
        watching = asyncio.create_task(played.keep(draw, 0.25, stop))
        await work()
        stop.set()
        await watching

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(played)) as runner:
        runner.run(main())


async def two_minutes() -> None:
    """Twelve times ten seconds, one after the other."""
    for _ in range(12):
        await asyncio.sleep(10)


@pytest.mark.parametrize(("factor", "real_s"), [(None, 0.0), (1.0, 120.0), (60.0, 2.0), (0.5, 240.0)])
def test_virtual_time_passes_at_its_pace(machine: Machine, factor: float | None, real_s: float) -> None:
    """It takes its share of real time, in slices between which a signal is noticed; without a pace it takes none."""
    watch(Watched(factor), two_minutes, lambda: None)
    assert machine.slept == pytest.approx(real_s)
    assert machine.longest <= SLICE_S


def test_the_pace_counts_from_the_display(machine: Machine) -> None:
    """What passed before it costs no time, and what is due within a slice is waited for no longer than that."""
    watch(Watched(60.0), lambda: asyncio.sleep(1), lambda: None, begins=1000)
    assert machine.slept == pytest.approx(1 / 60)


def test_a_display_draws_by_real_time(machine: Machine) -> None:
    """Once per period, from the first instant on, while nothing is due in the world; and nothing once it is stopped."""
    drawn: list[float] = []
    watch(Watched(2.0), two_minutes, lambda: drawn.append(machine.now))
    assert drawn[0] == 100.0
    gaps = [later - earlier for earlier, later in itertools.pairwise(drawn)]
    assert len(gaps) == pytest.approx(240, abs=1)
    assert gaps == pytest.approx([0.25] * len(gaps))


def test_a_display_draws_while_the_world_works(machine: Machine) -> None:
    """A run as fast as it goes is seen, too: the program's own work passes real time."""
    drawn: list[float] = []

    async def work() -> None:
        for _ in range(1000):
            machine.now += 0.01
            await asyncio.sleep(1)

    watch(Watched(), work, lambda: drawn.append(machine.now))
    assert len(drawn) == pytest.approx(40, abs=2)
    assert machine.slept == 0


def test_time_in_between_is_shown(machine: Machine) -> None:
    """Between two events the virtual clock goes on, and what is due comes at its own instant all the same."""
    shown: list[float] = []
    due: list[float] = []

    async def work() -> None:
        await asyncio.sleep(10)
        due.append(asyncio.get_running_loop().time())

    watch(Watched(10.0), work, lambda: shown.append(asyncio.get_running_loop().time()))
    assert due == [10.0]
    assert [round(at) for at in shown[:4]] == [0, 2, 5, 8]


def test_a_late_run_hurries_a_little(machine: Machine) -> None:
    """Work that took ten seconds of real time is not made up for by a jump: at most a quarter of a second is."""

    async def work() -> None:
        await asyncio.sleep(1)
        machine.now += 10
        await two_minutes()

    watch(Watched(1.0), work, lambda: None, begins=1000)
    assert machine.slept == pytest.approx(1 + 120 - LAG_S)


def test_the_first_signal_ends_the_pace(machine: Machine) -> None:
    """What follows Ctrl-C is over at once."""
    hurried = False

    async def work() -> None:
        nonlocal hurried
        await asyncio.sleep(60)
        hurried = True
        await two_minutes()

    watch(Watched(1.0, lambda: hurried), work, lambda: None)
    assert machine.slept == pytest.approx(60)


def test_nobody_waits_for_what_nobody_sees(machine: Machine) -> None:
    """A pace matters only while a display draws: not with --ui quiet."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Watched(1.0))) as runner:
        runner.run(two_minutes())
    assert machine.slept == 0


def test_real_time_counts_from_the_display(machine: Machine) -> None:
    """What `--every` counts in a world has nothing to do with the time that is shown. It draws once, then no more."""
    played, stop, drawn = Watched(), asyncio.Event(), list[float]()
    stop.set()
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(played)) as runner:
        runner.run(played.keep(lambda: drawn.append(machine.now), 0.25, stop))
    machine.now += 7
    played.until(0, 0)
    assert drawn == [100.0]
    assert played.elapsed_s(86_400.0) == 7
