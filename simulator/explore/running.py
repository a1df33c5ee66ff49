"""Runs one world from its start to its judgement, in a process that can run no other afterwards: moto is global."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.base.errors import StockpipeError
from simulator.base.interrupts import Interrupts
from simulator.base.observations import Observation
from simulator.explore import judging
from simulator.explore.case import STARTS_AT, WorldCase
from simulator.explore.judging import Deeds, GivenUp, WorldProblem
from simulator.explore.telling import Teller, WorldStory
from simulator.faults.plane import Plane, Struck
from simulator.functions.runtimes import Code
from simulator.proof.notifications import objects_of
from simulator.run.invariants import Invariant
from simulator.run.simulation import RunPlan, Simulation
from simulator.run.sources import Inputs
from simulator.stack.model import Stack
from simulator.stack.wiring import own_path
from simulator.telemetry import Telemetry
from simulator.twin.twin import Twin
from simulator.world.playback import Playback
from simulator.world.store import Call
from simulator.world.world import World

Told = tuple[tuple[WorldProblem, ...], WorldStory]
CALM_S = 7_200.0
"""How long a world may take to drain, besides the time in which every message could be received as often as it may."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What is explored, the same in all worlds: the stack in each of its variants, and what must hold.

    `bucket` (AWS name) is where objects are put, empty if there is none; `queue` (logical id) is sent messages.
    """

    stacks: tuple[Stack, ...]
    code: Mapping[str, Code]
    bucket: str
    queue: str | None = None
    invariants: tuple[Invariant, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a world showed. The faults that `struck` repeat it; `arms` counts the outcomes of deliveries."""

    problems: tuple[WorldProblem, ...]
    struck: tuple[Struck, ...]
    arms: Counter[str]
    virtual_s: float
    objects: int


def told(case: WorldCase, application: Explored, sort: str) -> Told:
    """What is wrong with a world now, and its story: it is run again, and watched.

    A problem of this `sort` comes first, and the story ends with the first.
    """
    teller = Teller(case)
    found = run(case, application, Watching(teller.record, teller.call)).problems
    problems = tuple(sorted(found, key=lambda problem: problem.sort != sort))
    return problems, teller.story(problems[0].said if problems else "nothing is wrong")


@dataclass
class Watching:
    """Who looks on while a world runs: all that is observed, each call, and what a dashboard needs."""

    record: Callable[[Observation], object] = bool
    call: Callable[[Call], object] | None = None
    playback: Playback | None = None
    around: Callable[[Telemetry, World], Any] | None = None
    interrupts: Interrupts = field(default_factory=Interrupts)


def run(case: WorldCase, application: Explored, watching: Watching | None = None) -> Outcome:
    """Run the world of `case` and judge it. Raises nothing: what fails in it is among its problems."""
    watching = watching or Watching()
    stack = application.stacks[case.variant % len(application.stacks)]
    plan = _plan(case, application, stack)
    struck: list[Struck] = []
    shares = case.shares if case.faults is None else {}
    plane = Plane(listed=case.faults or (), shares=shares, seed=case.seed, until=STARTS_AT + case.storm_s)
    world = World(case.seed, STARTS_AT, "aws", watching.playback, plane)
    deeds, letters = Deeds(), list[GivenUp]()

    async def main() -> tuple[Simulation, Telemetry]:
        telemetry = Telemetry(stack, plan)

        def record(observation: Observation) -> None:
            telemetry.record(observation)
            deeds.record(observation)
            watching.record(observation)

        async def examine(twin: Twin) -> None:
            letters.extend(await _dead_letters(twin, case))

        async def finished() -> None: ...

        simulation = Simulation(
            stack, plan, telemetry, world, watching.interrupts, record, _located, finished, examine=examine
        )
        if watching.around is None:
            await simulation.run()
        else:
            async with watching.around(telemetry, world):
                await simulation.run()
        return simulation, telemetry

    plane.listen(struck.append)
    world.tell(watching.call)
    try:
        simulation, telemetry = world.run(main)
    except StockpipeError as error:
        return Outcome((_failed(error),), tuple(struck), deeds.arms, world.now() - STARTS_AT, 0)
    problems = tuple(_problems(simulation, telemetry, deeds, letters, struck, world.now()))
    return Outcome(problems, tuple(struck), deeds.arms, world.now() - STARTS_AT, _objects(telemetry, world.now()))


def _located(_: str) -> None:
    """Nobody can reach a world."""


def _objects(telemetry: Telemetry, now: float) -> int:
    return telemetry.snapshot(now).bucket.puts


def _failed(error: StockpipeError) -> WorldProblem:
    return WorldProblem("failed", str(error).partition("\n")[0])


def _problems(
    simulation: Simulation,
    telemetry: Telemetry,
    deeds: Deeds,
    letters: Sequence[GivenUp],
    struck: Sequence[Struck],
    now: float,
) -> list[WorldProblem]:
    if simulation.failure is not None:
        return [_failed(simulation.failure)]
    deliveries = telemetry.snapshot(now).deliveries
    found = [*judging.of_invariants(simulation.outcomes)]
    if simulation.audit is not None:
        found += judging.of_audit(simulation.audit)
    if deliveries is not None:
        found += judging.of_deliveries(deliveries)
    return [*found, *deeds.problems(), *judging.of_dead_letters(letters, struck)]


async def _dead_letters(twin: Twin, case: WorldCase) -> list[GivenUp]:
    """The messages that queues have given up, each with what is known of its object."""
    if twin.store is None:
        return []
    unreadable = {put.key for put in case.puts if put.what == "unreadable"}
    is_pipeline, letters = own_path(twin.stack) is not None, []
    for queue in twin.stack.queues.values():
        sources = [each for each in twin.stack.queues.values() if each.redrive and each.logical_id in twin.polled]
        sources = [each for each in sources if each.redrive and each.redrive.dead_letter_queue == queue.logical_id]
        if not sources or queue.logical_id in twin.polled:
            continue
        maximum = min(each.redrive.maximum_receives for each in sources if each.redrive)
        async for message in twin.store.peek(queue.name):
            refs = objects_of(message.body)
            known = not unreadable.intersection(ref.key for ref in refs) if refs and is_pipeline else None
            about, receives = ", ".join(ref.key for ref in refs), message.receive_count
            letters.append(GivenUp(message.message_id, about, queue.logical_id, receives, maximum, known))
    return letters


def _plan(case: WorldCase, application: Explored, stack: Stack) -> RunPlan:
    queue = application.queue if case.messages else None
    inputs = Inputs(puts=case.puts, bucket=application.bucket, messages=case.messages, queue=queue)
    fires = case.ticks > 0 and any(each.enabled for each in stack.schedules.values())
    redriven = [(each, each.redrive) for each in stack.queues.values() if each.redrive]
    receives_s = max((each.visibility_timeout_s * redrive.maximum_receives for each, redrive in redriven), default=0)
    return RunPlan(
        command="explore",
        seed=case.seed,
        started_at=STARTS_AT,
        start_at=STARTS_AT,
        duration_s=case.storm_s,
        ticks=case.ticks,
        speed=1.0,
        schedule=None,
        fires=fires,
        objects=len(case.puts),
        messages=None,
        invoked=None,
        inputs=inputs,
        left_out=(),
        scenario=None,
        story=None,
        captions_read=False,
        bounds=(),
        code=application.code,
        invariants=application.invariants,
        runtime="inline",
        capacity="aws",
        port=0,
        drain_timeout_s=case.storm_s + CALM_S + 2 * receives_s,
        accepted=frozenset({"overwritten"}),
        ready=None,
        hold=False,
        clock="virtual",
    )
