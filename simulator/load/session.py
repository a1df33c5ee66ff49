"""One load test: its plan and what measures it. Created once, before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.base.clock import Clock
from simulator.base.interrupts import Interrupts
from simulator.base.observations import Noted, NoteKind
from simulator.load.measure.live import Live
from simulator.load.measure.result import Result
from simulator.load.measure.tap import Tap
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import Plan
from simulator.stack.model import Stack
from simulator.stack.wiring import wiring
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import RunOptions


@dataclass(frozen=True, slots=True)
class LoadSession:
    """What every phase of a load test needs. Observations go to `tap.record`, and from there to `telemetry`.

    `destination` is the name of the bucket or queue that everything is sent to.
    """

    plan: Plan
    stack: Stack
    clock: Clock
    interrupts: Interrupts
    destination: str
    objects: Objects
    live: Live
    telemetry: Telemetry
    result: Result
    tap: Tap

    @classmethod
    def create(cls, plan: Plan, stack: Stack, clock: Clock, destination: str, options: RunOptions) -> LoadSession:
        """Create the session for a plan and a stack whose bucket or queue has this name."""
        copies, now = plan.copies, clock.now()
        if copies is None:
            objects = Objects(wiring(stack).notification.key_prefix, plan.rows, plan.seed, now)
        else:
            objects = Objects(copies.prefix, 0, plan.seed, now, copies.end, copies.content)
        live = Live(plan.target, plan.objects)
        interrupts = Interrupts()
        telemetry = Telemetry(stack, options, load_view=live.view, interrupted=interrupts.soft.is_set)
        result = Result()
        tap = Tap(telemetry.record, result.recording, stack, objects, live, plan)
        return cls(plan, stack, clock, interrupts, destination, objects, live, telemetry, result, tap)

    @property
    def stopped(self) -> bool:
        """Whether the first signal has come, so that nothing new begins."""
        return self.interrupts.soft.is_set()

    def note(self, text: str, kind: NoteKind = "note") -> None:
        """Show a sentence to the user."""
        self.tap.record(Noted(self.clock.now(), text, kind))
