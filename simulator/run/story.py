"""Plays a scenario: waits for each step's trigger, shows its caption and carries out its actions.

The next step waits until a caption could have been read aloud. A step whose trigger does not come before the run ends
is skipped, and the reason is recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.observations import Noted, Record
from simulator.base.words import significant
from simulator.run.captions import reading_s
from simulator.run.scenario import REFUSED, Scenario, Step
from simulator.telemetry.snapshot import Snapshot
from simulator.twin.twin import Twin


@dataclass(frozen=True, slots=True)
class SkippedStep:
    """A step whose trigger never came: its number from 1, its caption and the reason."""

    step: int
    caption: str | None
    reason: str


@dataclass(eq=False, repr=False)
class Story:
    """Plays a scenario once, against a twin.

    `hurried` says whether captions need not be waited for. `skipped` grows during the run. `acted` is set whenever the
    story puts an object; the code that waits for the drain clears it.
    """

    scenario: Scenario
    twin: Twin
    look: Callable[[], Snapshot]
    clock: Clock
    record: Record
    hurried: Callable[[], bool]
    skipped: list[SkippedStep] = field(default_factory=list)
    acted: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        made = self.twin.resources
        self._bucket, self._table = made.bucket or "", made.table or ""
        self._began_at = self.clock.now()
        self._read_at = 0.0
        self._over_at: dict[str, float] = {}  # of each fault that is on
        self._ended_at: float | None = None
        self._drained = True

    def ending(self, ended_at: float, *, drained: bool = True) -> None:
        """The queue has been empty since `ended_at`, or the wait for it ended then (`drained` is False).

        Triggers still have the time in which a caption is read, and a little more, unless the story puts more.
        """
        self._ended_at, self._drained = ended_at, drained

    async def play(self) -> None:
        """Carry out or skip every step, in order. At the end, no fault is left on."""
        came = True
        try:
            for number, step in enumerate(self.scenario.steps, start=1):
                came = await self._comes(step) if step.trigger else came
                if came:
                    await self._until_read()
                    await self._carry_out(step)
                else:
                    self._skip(number, step)
            await self._until_read()
            while self._over_at and self._ended_at is None:
                await self._wait()
        finally:
            for kind in self._over_at:
                await self._set(kind, 0.0)

    async def _comes(self, step: Step) -> bool:
        while not step.due(self.clock.now() - self._began_at, self.look):
            if self._over():
                return False
            await self._wait()
        return True

    def _over(self) -> bool:
        """Whether it is too late for a trigger to come: the run waits for nothing else, and the figures show it."""
        if self._ended_at is None or self.clock.now() < self._ended_at + limits.SCENARIO_END_S or not self._is_read():
            return False
        store = self.look().store
        return store is None or store.at >= self._ended_at

    async def _until_read(self) -> None:
        while not self._is_read():
            await self._wait()

    def _is_read(self) -> bool:
        return self.clock.now() >= self._read_at or self.hurried()

    async def _carry_out(self, step: Step) -> None:
        now, twin = self.clock.now(), self.twin
        if step.caption:
            self.record(Noted(now, step.caption, "caption"))
            self._read_at = now + reading_s(step.caption)
        for put in step.puts:
            await twin.clients.s3.put_object(Bucket=self._bucket, Key=put.key, Body=put.text.encode())
            self.acted.set()
            self._ended_at = None  # there is something to store again
        for strike in step.strikes:
            for kind, share in strike.shares.items():
                await self._set(kind, share)
                self._over_at[kind] = max(self._over_at.get(kind, 0.0), now + strike.for_s)
                refused = f"fault: table {self._table} refuses {percent(share)} of the writes"
                self.record(Noted(now, refused if kind == REFUSED else begins(kind, share), "fault"))

    async def _set(self, kind: str, share: float) -> None:
        """From now on, let this fault strike with this share; 0 ends it."""
        if kind != REFUSED:
            await self.twin.set_faults({kind: share})
        elif self.twin.store is not None:
            await self.twin.store.refuse_writes(self._table, share)

    def _skip(self, number: int, step: Step) -> None:
        ended_s = max(0.0, (self._ended_at or self._began_at) - self._began_at)
        if step.at_s is not None:
            end = "the queue was empty" if self._drained else "the wait for an empty queue ended"
            came = f"{end} after {ended_s:.1f} s and nothing else was to come"
            reason = f"it was due {significant(step.at_s, 6)} s after the start; {came}"
        elif step.trigger:
            reason = f"'{step.trigger}' did not come true in {self.clock.now() - self._began_at:.1f} s"
        else:
            reason = f"it follows step {number - 1}"
        self.skipped.append(SkippedStep(number, step.caption, reason))
        self.record(Noted(self.clock.now(), f"step {number} of the scenario was skipped: {reason}", "warning"))

    async def _wait(self) -> None:
        """Wait until the next look, and end the faults whose time is over."""
        now = self.clock.now()
        for kind in [kind for kind, over_at in self._over_at.items() if over_at <= now]:
            del self._over_at[kind]
            await self._set(kind, 0.0)
            said = f"table {self._table} takes writes again" if kind == REFUSED else kind
            self.record(Noted(now, f"the fault is over: {said}", "fault"))
        await self.clock.sleep(limits.SCENARIO_LOOK_S)


def begins(kind: str, share: float) -> str:
    """What is said when a fault begins to strike."""
    return f"fault: {kind} strikes {percent(share)} of the times"


def percent(share: float) -> str:
    """A share as people read it, however small."""
    return f"{share * 100:.3g}%"
