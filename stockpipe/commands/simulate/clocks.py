"""What `--clock` decides: what does not go with a virtual one, what it changes in a plan, and where the run is."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, NamedTuple

from simulator.base.clock import SystemClock
from simulator.base.errors import InputError
from simulator.base.interrupts import Interrupts
from simulator.dashboard.ui import ByClock, Cadence
from simulator.run.simulation import RunPlan
from simulator.twin.surroundings import Machine, Surroundings
from stockpipe.commands.simulate.options import SimulateOptions

WORLD_BEGINS_AT = 1_767_225_600.0
"""2026-01-01T00:00:00Z: fixed, so that the same seed gives the same bytes on any day."""
WORLD_DRAINS_S = 3_600.0
"""Enough for late notifications and for retries that end in the dead-letter queue: virtual time costs nothing."""
FAULTY_DRAINS_S = 900.0
"""With faults in real time: whatever failed comes again after the template's visibility timeout, or is late itself."""
_UNREACHABLE = "nothing outside can reach a run in virtual time"


class Whereabouts(NamedTuple):
    """Where a run is, when its display draws, and the signals that may end it."""

    surroundings: Surroundings
    cadence: Cadence
    interrupts: Interrupts


def require_possible(options: SimulateOptions) -> None:
    """Raise `InputError` for an option that makes no sense with a virtual clock."""
    if options.clock == "real":
        return
    if options.runtime == "process":
        said = "'--runtime process' does not go with '--clock virtual', which runs everything in one process"
        raise InputError(said, hint="write --runtime inline, or --clock real")
    for name in ("port", "hold", "ready"):
        if getattr(options, name):
            word = options.flag_of(name)
            raise InputError(f"'{word}' does not go with '--clock virtual': {_UNREACHABLE}", hint=f"leave out {word}")


def by_clock(options: SimulateOptions, plan: RunPlan) -> RunPlan:
    """The plan under the clock of the options.

    Raises `InputError` for a world that would wait for data from outside, and for `lambda-clock-apart` where all
    environments have the same clock.

    In a world the schedule's clock is the world's, except in a scenario: its steps are timed for its own `speed`. The
    run must not depend on who looks on, so captions always take their time.
    """
    if options.clock == "real":
        faults = {*plan.faults, *(plan.story.faults if plan.story else ())}
        if "lambda-clock-apart" in faults and plan.runtime == "inline":
            said = "'lambda-clock-apart' needs environments with clocks of their own"
            raise InputError(said, hint="write --runtime process, or --clock virtual")
        return plan
    if not (plan.inputs or plan.fires or plan.story):
        way_out = "add --send, --source or --event, or write --clock real"
        if options.no_schedule:
            way_out = f"leave out --no-schedule, {way_out}"
        raise InputError(f"nothing is sent, and {_UNREACHABLE}", hint=way_out)
    began_at = math.floor(WORLD_BEGINS_AT if options.start_at is None else options.start_at)
    speed = plan.story.options.get("speed", SimulateOptions.speed) if plan.story else 1.0
    return replace(
        plan,
        clock="virtual",
        started_at=began_at,
        start_at=began_at,
        speed=speed,
        runtime="inline",
        captions_read=True,
    )


def drain_timeout_s(options: SimulateOptions) -> float:
    """The drain's timeout in force."""
    if "drain_timeout_s" in options.given:
        return options.drain_timeout_s
    if options.clock == "virtual":
        return WORLD_DRAINS_S
    return FAULTY_DRAINS_S if options.faults else options.drain_timeout_s


def run(options: SimulateOptions, plan: RunPlan, main: Callable[[Whereabouts], Coroutine[Any, Any, int]]) -> int:
    """Run `main` on this machine in real time, or in a world; returns what it returns.

    In a world, `--speed` is the pace of the display, until Ctrl-C: nobody wants to watch what follows.
    """
    interrupts = Interrupts()
    if plan.clock == "virtual":
        from simulator.world.playback import Playback
        from simulator.world.world import World  # imports all of moto

        playback = Playback(options.speed if "speed" in options.given else None, interrupts.soft.is_set)
        world = World(plan.seed, plan.started_at, plan.capacity, playback)
        return world.run(lambda: main(Whereabouts(world, playback, interrupts)))
    clock = SystemClock()
    machine = Machine(clock=clock, runtime=plan.runtime, capacity=plan.capacity, store_port=plan.port)
    return asyncio.run(main(Whereabouts(machine, ByClock(clock), interrupts)))
