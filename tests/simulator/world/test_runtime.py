"""Environments of a world: how long they take, whose calls they make, and whose chance they have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import random
from typing import Any

import pytest

from fakes import declare
from fakes.fibers import run
from fakes.runtime import ScriptedRuntime
from simulator.base.chance import stream
from simulator.functions.runtimes import Exited, Invocation, Raised, Returned
from simulator.world import model
from simulator.world.pins import CALLER, pinned
from simulator.world.runtime import WorldRuntime

FUNCTION = declare.function("Consumer", memory_mb=512)
EVENT = Invocation("r", {}, 100.0, "t")
FAILED = Raised("E", "m", {})


def in_world(
    main: Callable[[ScriptedRuntime, WorldRuntime, list[float]], Awaitable[Any]],
    behaviour: Callable[[Any], Awaitable[Any]] | None = None,
) -> Any:
    """What `main` returns of a runtime with this behaviour; it gets the instants at which a handler ended, too."""

    async def nothing(_: Any) -> Returned:
        return Returned(None)

    async def inside(loop: Any, _: Any) -> Any:
        ended = list[float]()
        scripted = ScriptedRuntime(behaviour or nothing)
        return await main(scripted, WorldRuntime(scripted, 7, lambda: ended.append(loop.time())), ended)

    with pinned(7, 0, lambda _: None):
        return run(inside)


def now() -> float:
    """The world's instant."""
    return asyncio.get_running_loop().time()


def test_it_takes_the_time_that_the_model_says() -> None:
    """Start and invocation draw from the environment's own stream; a handler's end is told when it has ended."""

    async def main(scripted: ScriptedRuntime, runtime: WorldRuntime, ended: list[float]) -> list[Any]:
        environment = runtime.environment(FUNCTION, 3, "stream", print)
        found: list[Any] = [await environment.start(), now(), list(ended)]
        found += [await environment.invoke(EVENT), now(), list(ended)]
        return [*found, scripted.calls]

    chance = stream(7, "runtime of Consumer[3]")
    ready_s = model.cold_start_s(FUNCTION, chance)
    ended_s = ready_s + model.INVOKE.draw(chance)
    assert in_world(main) == [None, ready_s, [], Returned(None), ended_s, [ended_s], ["start 3"]]


@pytest.mark.parametrize("failure", [FAILED, Exited("exit status 1")])
def test_a_failed_start_is_passed_on(failure: Raised | Exited) -> None:
    """As the runtime behind it says it."""

    async def main(scripted: ScriptedRuntime, runtime: WorldRuntime, _: list[float]) -> Any:
        async def init() -> Raised | Exited:
            return failure

        scripted.init = init
        return await runtime.environment(FUNCTION, 0, "stream", print).start()

    assert in_world(main) == failure


def test_what_runs_in_it_calls_as_it_and_nobody_else_does() -> None:
    """The caller is the environment while its handler runs, also in a task that it starts; never afterwards."""
    seen = list[Any]()

    async def behaviour(_: Any) -> Returned:
        async def later() -> None:
            await asyncio.sleep(1)
            seen.append(CALLER.get())

        seen.append(CALLER.get())
        await asyncio.create_task(later())
        return Returned(None)

    async def main(_: Any, runtime: WorldRuntime, __: Any) -> Any:
        environments = [runtime.environment(FUNCTION, number, "stream", print) for number in range(2)]
        await asyncio.gather(*(each.invoke(EVENT) for each in environments))
        return CALLER.get()

    assert in_world(main, behaviour) is None
    assert sorted(caller.name for caller in seen) == ["Consumer[0]"] * 2 + ["Consumer[1]"] * 2
    assert {caller.memory_mb for caller in seen} == {512}


def test_each_environment_has_chance_of_its_own() -> None:
    """What one draws does not change what another one draws, nor what is drawn outside."""

    async def behaviour(event: dict[str, int]) -> Returned:
        return Returned([random() for _ in range(event["draws"])])

    def drawn(draws: int) -> tuple[Any, Any, float]:
        async def main(_: Any, runtime: WorldRuntime, __: Any) -> tuple[Any, Any, float]:
            first, second = (runtime.environment(FUNCTION, number, "stream", print) for number in (0, 1))
            one = await first.invoke(Invocation("r", {"draws": draws}, 100.0, "t"))
            return one, await second.invoke(Invocation("r", {"draws": 1}, 100.0, "t")), random()

        found: tuple[Any, Any, float] = in_world(main, behaviour)
        return found

    few, many = drawn(1), drawn(5)
    assert few[1:] == many[1:]
    assert few[0].payload == many[0].payload[:1]
    assert few[0] != few[1]


@pytest.mark.parametrize("when_s", [0.001, 5.0])
def test_a_cancelled_invocation_leaves_nothing_behind(when_s: float) -> None:
    """Before the handler has begun it is never called; after that its end is told. The caller is nobody again."""

    async def behaviour(_: Any) -> Returned:
        await asyncio.sleep(60)
        return Returned(None)

    async def main(scripted: ScriptedRuntime, runtime: WorldRuntime, ended: list[float]) -> Any:
        environment = runtime.environment(FUNCTION, 0, "stream", print)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(when_s):
                await environment.invoke(EVENT)
        return len(scripted.events), ended, CALLER.get(), scripted.running

    begun = int(when_s > 1)
    assert in_world(main, behaviour) == (begun, [when_s] * begun, None, 0)


def test_kill_close_and_memory_are_the_runtimes() -> None:
    """They take no time of their own."""

    async def main(scripted: ScriptedRuntime, runtime: WorldRuntime, _: list[float]) -> Any:
        environment = runtime.environment(FUNCTION, 4, "stream", print)
        await environment.kill()
        await environment.close()
        await runtime.close()
        return scripted.calls, environment.memory_used_mb, now()

    assert in_world(main) == (["kill 4", "close 4", "close runtime"], 31, 0)
