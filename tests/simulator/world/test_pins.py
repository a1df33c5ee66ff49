"""What a world pins: every clock and every source of chance that Python has, and the machine's again afterwards."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import random
import secrets
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from random import choice, randint
from random import random as number
from secrets import token_hex
from time import clock_gettime, monotonic, perf_counter_ns, process_time
from time import sleep as pause
from time import time as wall
from types import BuiltinFunctionType, ModuleType
from typing import Any
from uuid import uuid1, uuid4

import pytest

from simulator.base.usage import process_cpu_s
from simulator.world.pins import CALLER, Pins, _seed, pinned, real_perf_counter
from simulator.world.wire import Caller

START_NS = 1_767_225_600_123_456_789
"""2026-01-01T00:00:00.123456789Z."""
SECOND_NS = 1_000_000_000


@contextmanager
def world(seed: int = 1, sleep: Callable[[float], None] = lambda _: None) -> Iterator[Pins]:
    """A world that begins at `START_NS`."""
    with pinned(seed, START_NS, sleep) as pins:
        yield pins


def names_of_this_file() -> list[Callable[..., Any]]:
    """What this file imported from `time`, `random` and others before any world began."""
    return [number, randint, choice, monotonic, perf_counter_ns, process_time, clock_gettime, pause]


def kept_as_a_default(draw: Callable[[], float] = random.random) -> float:
    """As in botocore's retries."""
    return draw()


def drawn() -> list[Any]:
    """One value of every source of chance."""
    random.shuffle(cards := list(range(20)))
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.basename(folder)  # noqa: PTH119 - the name alone
    return [
        random.random(),
        number(),
        kept_as_a_default(),
        randint(0, 10**9),
        choice(range(10**9)),
        random.gauss(0, 1),
        random.Random().random(),
        random.SystemRandom().random(),
        cards,
        os.urandom(8),
        secrets.token_bytes(8),
        token_hex(8),
        uuid.uuid4(),
        uuid4(),
        uuid1(),
        uuid.getnode(),
        name,
    ]


def test_time_is_the_worlds_for_whoever_imported_it_before() -> None:
    """Wall clocks show the world's instant, to the nanosecond; local time is UTC; it stands still until it is moved."""
    with world() as pins:
        assert [time.time_ns(), time.clock_gettime_ns(time.CLOCK_REALTIME)] == [START_NS, START_NS]
        assert wall() == clock_gettime(time.CLOCK_REALTIME) == START_NS / SECOND_NS
        assert datetime.now(UTC) == datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC)
        assert datetime.now() == dt.datetime(2026, 1, 1, 0, 0, 0, 123_456)  # noqa: DTZ001, DTZ005 - as handlers do
        pins.move(START_NS + 86_400 * SECOND_NS + 1)
        assert time.time_ns() == START_NS + 86_400 * SECOND_NS + 1
        assert (date.today().day, time.localtime().tm_mday, time.strftime("%d")) == (2, 2, "02")  # noqa: DTZ011
    assert abs(time.time() - datetime.now(UTC).timestamp()) < 5
    assert time.time_ns() != START_NS


def test_clocks_that_count_from_anywhere_count_from_the_worlds_start() -> None:
    """`time.monotonic` and its like start at 0 and move with the world, also by names that were imported before."""
    counters = ["monotonic", "perf_counter", "process_time", "thread_time"]
    with world() as pins:
        assert (monotonic(), time.perf_counter(), perf_counter_ns()) == (0, 0, 0)
        pins.move(START_NS + 1_500_000_000)
        assert [getattr(time, name)() for name in counters] == [1.5] * 4
        assert [getattr(time, f"{name}_ns")() for name in counters] == [1_500_000_000] * 4
        assert (monotonic(), perf_counter_ns(), process_time()) == (1.5, 1_500_000_000, 1.5)
        assert (clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_MONOTONIC)) == (1.5, 15 * 10**8)
    assert monotonic() != 1.5


def test_many_moves_do_not_drift() -> None:
    """The instant is exact after any number of moves of odd lengths."""
    with world() as pins:
        for step in range(1, 2000):
            pins.move(START_NS + step * 43_200_000_000_007)
        assert time.time_ns() == START_NS + 1999 * 43_200_000_000_007


def test_sleep_is_what_the_world_makes_of_it() -> None:
    """`time.sleep` goes to the world, also by a name that was imported before; less than nothing is an error."""
    slept: list[float] = []
    with world(sleep=slept.append):
        time.sleep(3600)
        pause(0)
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)
    assert slept == [3600, 0]


def test_the_use_of_the_machine_and_the_waits_of_threads_are_real() -> None:
    """The dashboard's pace, processor time, and the clock by which Python's locks wait stay the machine's."""
    with world():
        held = [vars(sys.modules[name])["_time"] for name in ("threading", "subprocess")]
        assert all(clock() > 0 for clock in (real_perf_counter, process_cpu_s, *held))
        condition = threading.Condition()
        with condition:
            assert not condition.wait_for(lambda: False, timeout=0.001)


def test_chance_is_the_seeds() -> None:
    """Every source of chance, from `random` to `uuid1`, draws the same for the same seed, and another for another."""
    with world(1):
        first, more = drawn(), drawn()
    with world(1):
        assert (drawn(), drawn()) == (first, more)
    with world(2):
        other = drawn()
    assert all(a != b for a, b in zip(first, other, strict=True))
    assert all(a != b for a, b in zip(first, more, strict=True) if a != first[-2])


@contextmanager
def chance_of(owner: str) -> Iterator[None]:
    """What the block and its tasks draw is this environment's."""
    token = CALLER.set(Caller(owner, 1, 128, is_own=True))
    yield
    CALLER.reset(token)


def test_an_owner_has_its_own_chance() -> None:
    """One more draw, or a new seed, in one execution environment changes nothing in another, nor in the world."""

    def run(extra: int) -> list[Any]:
        with world():
            with chance_of("a"):
                values: list[Any] = [randint(0, 10**9), uuid4()]
                for _ in range(extra):
                    random.seed(7)
                    random.random()
                    os.urandom(3)
            with chance_of("b"):
                values += [randint(0, 10**9), uuid4()]
            values += [random.random(), os.urandom(4)]
            with chance_of("c"):
                return [*values, random.random(), random.Random().random(), os.urandom(4)]

    assert run(0) == run(3)
    assert len({str(value) for value in run(0)}) == len(run(0))


def test_tasks_draw_from_the_chance_of_who_started_them() -> None:
    """A task that an environment starts belongs to it, whatever runs in between."""

    async def task(values: list[float]) -> None:
        for _ in range(3):
            values.append(random.random())
            await asyncio.sleep(0)

    async def run(pins: Pins, owners: list[str]) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {owner: [] for owner in owners}
        async with asyncio.TaskGroup() as group:
            for owner in owners:
                with chance_of(owner):
                    group.create_task(task(found[owner]))
        return found

    both: list[dict[str, list[float]]] = []
    for owners in (["a", "b"], ["b", "c", "a"]):
        loop = asyncio.new_event_loop()
        with world() as pins:
            both.append(loop.run_until_complete(run(pins, owners)))
        loop.close()
    assert [both[0][owner] for owner in "ab"] == [both[1][owner] for owner in "ab"]


def test_a_log_record_counts_its_milliseconds_from_the_start() -> None:
    """`relativeCreated` tells nothing of how long the process had run before."""
    with world() as pins:
        pins.move(START_NS + 2 * SECOND_NS)
        record = logging.LogRecord("name", logging.INFO, "file", 1, "said", None, None)
        assert record.relativeCreated == pytest.approx(2000, abs=0.01)


def test_all_is_the_machines_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a world no name, no attribute, no state of a generator differs, and a module loaded inside works on."""
    late = ModuleType("loaded_inside")

    def state() -> list[Any]:
        modules = time, os, random, secrets, uuid, tempfile, logging
        kept = [{name: value for name, value in vars(each).items() if "_last_" not in name} for each in modules]
        return [*kept, random.Random.seed, random.getstate(), names_of_this_file(), os.environ.get("TZ")]

    random.random()
    before = state()
    for _ in range(2):
        with world():
            vars(late).update({"now": time.monotonic, "bytes": os.urandom, "number": random.random, "wait": time.sleep})
            monkeypatch.setitem(sys.modules, "loaded_inside", late)
            kept = time.monotonic, os.urandom, random.random, time.sleep
        assert state() == before
        assert (type(time.monotonic), random.Random.seed) == (BuiltinFunctionType, _seed), "not left by another test"
        assert [late.now, late.bytes, late.number, late.wait] == [
            time.monotonic,
            os.urandom,
            random.random,
            time.sleep,
        ]
    assert abs(kept[0]() - time.monotonic()) < 5
    assert (len(kept[1](4)), 0 <= kept[2]() < 1, kept[3](0)) == (4, True, None)


def test_an_error_inside_restores_it_too() -> None:
    """However a world ends, the machine's time goes on."""
    with pytest.raises(KeyError), world():
        raise KeyError
    assert time.monotonic is monotonic
    assert random.Random().random() != random.Random().random()


def test_a_seed_of_somebodys_own_is_theirs() -> None:
    """`Random(seed)` draws in a world what it draws elsewhere, also from a text."""
    real = random.Random("theirs").random()
    with world():
        assert random.Random("theirs").random() == real


def test_no_machine_has_a_worlds_address() -> None:
    """What `uuid.getnode` says has the bit that no network card has (RFC 9562, section 6.10), by any seed."""
    for seed in range(8):
        with world(seed):
            assert uuid.getnode() >> 40 & 1


def test_whether_pytest_is_loaded_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """time-machine, which would load it too, does not find it."""
    with world():
        assert sys.modules["pytest"] is pytest
    monkeypatch.delitem(sys.modules, "pytest")
    with world():
        assert "pytest" not in sys.modules
