"""Worlds agree: the same seed gives the same observations, whatever the process has done and however it hashes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fakes import declare
from simulator.base import clients
from simulator.base.clients import Clients
from simulator.functions.runtimes.faulty import FaultyRuntime
from simulator.world import world as world_module
from simulator.world.borders import Violation
from simulator.world.direct import DirectS3, DirectSqs
from simulator.world.loop import Deadlock
from simulator.world.playback import Playback
from simulator.world.wire import MemoryTransport
from simulator.world.world import HOST, PORT, World

START_AT = 1_767_225_600.0
SEEDS = range(20)
TESTS = Path(__file__).parents[2]


def first_difference(one: Sequence[str], other: Sequence[str]) -> str | None:
    """The first observation that is not the same in both logs; None if they agree."""
    for number, (this, that) in enumerate(zip_longest(one, other, fillvalue="nothing more")):
        if this != that:
            return f"observation {number} differs:\n  {this}\nand\n  {that}"
    return None


def test_the_first_observation_that_differs_is_named() -> None:
    """Two logs differ where they first do, be it that one goes on."""
    assert first_difference(["a", "b"], ["a", "b"]) is None
    assert first_difference(["a", "b", "x"], ["a", "c", "y"]) == "observation 1 differs:\n  b\nand\n  c"
    assert first_difference(["a"], ["a", "b"]) == "observation 1 differs:\n  nothing more\nand\n  b"


def test_all_clocks_of_a_world_agree() -> None:
    """Its own, the loop's and Python's, for whoever awaits, blocks the loop or blocks in a worker."""
    world = World(1, START_AT)

    async def main() -> list[float]:
        instants = [world.now()]
        await world.clock.sleep(60)
        await world.clock.sleep(-1)
        instants.append(world.now())
        time.sleep(5)  # noqa: ASYNC251 - it is what a careless handler does
        instants.append(world.now())
        worker = world.worker("theirs")
        await worker.run(lambda: time.sleep(0.25))
        assert time.time() == world.now()
        assert time.monotonic() == asyncio.get_running_loop().time()
        return [*instants, world.now()]

    assert world.run(main) == [START_AT, START_AT + 60, START_AT + 65, START_AT + 65.25]


def test_the_process_is_as_before_after_a_world() -> None:
    """Whether it ends well or not: its collector, its variables, its time; and the error is the one that was raised."""
    before = gc.isenabled(), dict(os.environ), random.getstate()

    async def main() -> None:
        assert not gc.isenabled()
        random.random()
        os.environ["OURS"] = "1"
        raise LookupError("theirs")

    with pytest.raises(LookupError, match="theirs"):
        World(1, START_AT).run(main)
    assert (gc.isenabled(), dict(os.environ), random.getstate()) == before
    assert gc.isenabled()
    assert time.time() != START_AT


def test_a_standstill_that_nobody_watches_is_raised() -> None:
    """It names who waits."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="nothing is due"):
        World(1, START_AT).run(main)


def test_who_watches_ends_the_run_at_a_standstill() -> None:
    """Once, with its error; when nothing is due after that either, nobody else will."""
    world, seen = World(1, START_AT), list[str]()

    async def main() -> None:
        with pytest.raises(Deadlock, match="nothing is due"):
            await world._watch()
        seen.append("ending")
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        world.run(main)
    assert seen == ["ending"]


def test_time_moves_on_as_the_playback_lets_it() -> None:
    """Which is what the world is given."""

    class Slow(Playback):
        def until(self, now: float, when: float) -> float:
            return min(when, now + 1)

    assert World(1, START_AT, playback=Slow()).until(5, 9) == 6
    assert World(1, START_AT).until(5, 9) == 9


def test_an_engine_leads_to_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections lead to its store, AWS's limits hold, the twin's busy calls are direct, and a standstill ends it."""
    given = dict[str, Any]()

    def assemble(*_: Any, **named: Any) -> Any:
        given.update(named)
        return SimpleNamespace(answer=None)

    @contextlib.asynccontextmanager
    async def connecting(endpoint: str, *_: Any, **named: Any) -> AsyncIterator[Clients]:
        given.update(named, endpoint=endpoint)
        usual: Any = "usual"
        yield Clients(usual, usual, usual)

    monkeypatch.setattr(world_module, "assemble", assemble)
    monkeypatch.setattr(world_module, "connect", connecting)
    world = World(1, START_AT, "aws")

    async def main() -> None:
        async with world.open(declare.stack(), {}, 1) as engine:
            theirs: Any = engine.clients
            assert isinstance(theirs.s3, DirectS3)
            assert isinstance(theirs.sqs, DirectSqs)
            assert (theirs.s3.client, theirs.sqs.client, theirs.dynamodb) == ("usual",) * 3
            assert isinstance(engine.runtime, FaultyRuntime)
            assert 0 < engine.tick_late_s() < 60
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, HOST, PORT)
            assert isinstance(transport, MemoryTransport)
        async with world.open(declare.stack(), {}, 1):
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        world.run(main)
    assert raised.group_contains(Deadlock)
    assert (given["strict"], given["capacity"]) == (True, "aws")
    assert (given["endpoint"], 0 < given["notified_s"]() <= 60) == (f"http://{HOST}:{PORT}", True)


def test_what_every_world_needs_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto, what botocore knows of the services; and the collector leaves it alone afterwards."""
    done = list[str]()

    async def prepared(_: object) -> None:
        done.append("clients")

    monkeypatch.setattr(world_module, "load", lambda: done.append("moto"))
    monkeypatch.setattr(clients, "prepare", prepared)
    monkeypatch.setattr(gc, "freeze", lambda: done.append("frozen"))
    world_module.prepare()
    assert done == ["moto", "clients", "frozen"]


def test_a_border_is_closed_in_a_world() -> None:
    """Whoever crosses it gets an error."""

    async def main() -> None:
        subprocess.run(["true"], check=True)  # noqa: ASYNC221 - it is refused

    with pytest.raises(Violation, match="main starts true"):
        World(1, START_AT).run(main)


def test_twenty_worlds_twice(tmp_path: Path) -> None:
    """Twenty seeds, each in two processes with other hashes, time zones, folders and orders: each log is the same.

    Every fourth world is of functions that block, draw and wait in the ways of `worlds/application`. No two seeds have
    the same log.
    """
    logs: list[dict[int, list[str]]] = []
    running = []
    for name, zone, seeds in (("1", "UTC", SEEDS), ("2", "Asia/Tokyo", SEEDS[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        environ = {**os.environ, "PYTHONHASHSEED": name, "TZ": zone, "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
        command = [sys.executable, "-m", "worlds", str(folder), *map(str, seeds)]
        running.append((folder, subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.PIPE, text=True)))
    for folder, process in running:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
        logs.append({seed: (folder / str(seed)).read_text(encoding="utf-8").split("\n") for seed in SEEDS})
    once, again = logs
    assert {seed: found for seed in SEEDS if (found := first_difference(once[seed], again[seed]))} == {}
    assert len({"\n".join(log) for log in once.values()}) == len(SEEDS)
    assert all(log[-1].startswith("None ") for log in once.values()), "a world failed"
