"""One run of `simulate`: the twin, its schedule or real files, the drain, the proof.

Owns the order of the phases and what ends each; everything that works during them belongs to the rooms it calls.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.errors import InputError, StockpipeError
from simulator.base.files import write_whole
from simulator.base.interrupts import HardStop, Interrupts
from simulator.base.observations import (
    EnvironmentStarted,
    InvocationEnded,
    Noted,
    Observation,
    Phase,
    PhaseChanged,
    Record,
)
from simulator.functions.runtimes import RuntimeName
from simulator.proof.audit import Audit
from simulator.run import sources
from simulator.run.scenario import Scenario, play
from simulator.run.sources import SourceFile
from simulator.stack.model import Stack
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import Snapshot
from simulator.twin.prove import prove
from simulator.twin.resources import Resources
from simulator.twin.twin import Twin


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is asked to do. None for `duration_s` and `ticks` together: until interrupted.

    `start_at` is the schedule's first instant on its own clock, `speed` how many times faster than real time it runs.
    """

    seed: int
    start_at: float
    duration_s: float | None
    ticks: int | None
    speed: float
    schedule: bool
    sources: tuple[SourceFile, ...]
    scenario: Scenario | None
    runtime: RuntimeName
    code_dir: Path | None
    capacity: Literal["aws", "unlimited"]
    port: int
    drain_timeout_s: float
    ready: Path | None
    hold: bool

    @property
    def endless(self) -> bool:
        """Whether it goes on until it is interrupted."""
        return self.duration_s is None and self.ticks is None and not self.sources


@dataclass(slots=True)
class Progress:
    """How far a run has come, so that whatever ends it can tell what was done."""

    resources: Resources | None = None
    endpoint: str | None = None
    audit: Audit | None = None
    source_rows: int = 0
    interrupted: bool = False
    failure: StockpipeError | None = None


class Starts:
    """Notices a function that cannot start: an observation's recorder that fails no one but the run.

    A handler whose settings are wrong fails at each init; on AWS its messages end in the dead-letter queue after
    hours, here the run ends with the handler's own line.
    """

    def __init__(self) -> None:
        self._started: set[str] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def record(self, observation: Observation) -> None:
        """Look at what concerns a start."""
        if isinstance(observation, EnvironmentStarted):
            self._started.add(observation.function)
        elif (
            isinstance(observation, InvocationEnded)
            and observation.outcome == "init-error"
            and observation.function not in self._started
            and not self._failure.done()
        ):
            reason = observation.error_message or observation.error_type
            self._failure.set_exception(InputError(f"{observation.function} cannot start: {reason}"))

    async def watch(self) -> None:
        """Wait for such a function, and raise `InputError`."""
        await self._failure


class Simulation:
    """One run of a plan. What comes out stands in `progress`, even if a failure or a signal ends it.

    `observe` gets every observation; `located` gets the endpoint once all resources exist; `finished` is awaited
    after the proof, before a hold.
    """

    def __init__(
        self,
        stack: Stack,
        plan: RunPlan,
        telemetry: Telemetry,
        clock: Clock,
        observe: Record,
        *,
        located: Callable[[str], None],
        finished: Callable[[], Awaitable[None]],
    ) -> None:
        self.progress = Progress()
        self._stack, self._plan, self._telemetry, self._clock = stack, plan, telemetry, clock
        self._observe, self._located, self._finished = observe, located, finished
        self._interrupts = Interrupts()
        self._starts = Starts()

    async def run(self) -> None:
        """Run the plan to its end. A failure of ours is in `progress.failure`, not raised."""
        try:
            with self._interrupts.installed():
                await self._phases()
        except HardStop:
            self.progress.interrupted = True
        except StockpipeError as error:
            self.progress.failure = error

    async def _phases(self) -> None:
        plan = self._plan
        self._enter("starting")
        async with Twin.open(
            self._stack,
            clock=self._clock,
            record=self._record,
            seed=plan.seed,
            store_port=plan.port,
            capacity=plan.capacity,
            runtime=plan.runtime,
            code_dir=plan.code_dir,
        ) as twin:
            self.progress.resources, self.progress.endpoint = twin.resources, twin.endpoint
            if plan.ready is not None:
                await asyncio.to_thread(_write_ready, plan.ready, twin)
            self._located(twin.endpoint)
            twin.start_mappings()
            drained = await self._run_and_drain(twin)
            await twin.stop_mappings()
            self._enter("auditing")
            await self._prove(twin, drained)
            self._enter("done")
            await self._finished()
            if plan.hold:
                await self._hold()

    async def _run_and_drain(self, twin: Twin) -> bool:
        """Let rows come in and be stored, while a scenario tells its story; whether everything was drained."""
        plan, clock = self._plan, self._clock
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._starts.watch())
            shown = asyncio.Event()
            story = None
            self._enter("running")
            if plan.scenario is not None:
                story = group.create_task(play(plan.scenario, twin, self._look, clock, self._record, shown))
            await self._work(twin)
            self.progress.interrupted = self._interrupts.soft.is_set() and not plan.endless
            self._enter("draining")
            drained = await twin.drained(plan.drain_timeout_s)
            if story is not None:
                # The last steps tell of the end of the drain; those whose moment never came are left out.
                await asyncio.wait({story}, timeout=limits.SCENARIO_END_S)
            shown.set()
            watching.cancel()
        if not drained:
            self._record(Noted(clock.now(), f"not drained within {plan.drain_timeout_s:g} s", "warning"))
        return drained

    async def _work(self, twin: Twin) -> None:
        """Let rows come in until what was asked for is done, the time is over or the first signal comes."""
        plan, clock = self._plan, self._clock
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            waits: list[asyncio.Task[Any]] = [group.create_task(self._interrupts.soft.wait())]
            if plan.duration_s is not None:
                waits.append(group.create_task(clock.sleep(plan.duration_s)))
            work: list[asyncio.Task[Any]] = []
            if plan.sources:
                s3, bucket = twin.clients.s3, twin.resources.bucket
                sending = sources.send(plan.sources, s3=s3, bucket=bucket, record=self._record, clock=clock, stop=stop)
                work.append(group.create_task(sending))
            elif plan.schedule:
                ticking = twin.run_schedules(start_at=plan.start_at, speed=plan.speed, ticks=plan.ticks, stop=stop)
                work.append(group.create_task(ticking))
            await asyncio.wait([*waits, *work], return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            for task in waits:
                task.cancel()

    async def _prove(self, twin: Twin, drained: bool) -> None:
        def count_rows(_: str, rows: int) -> None:
            if self._plan.sources:
                self.progress.source_rows += rows

        self.progress.audit = await prove(
            twin,
            drained=drained,
            record=self._record,
            clock=self._clock,
            on_object=count_rows,
        )

    async def _hold(self) -> None:
        """Keep the store up until a signal that comes after the run's own end."""
        self._interrupts.soft.clear()
        await self._interrupts.soft.wait()

    def _record(self, observation: Observation) -> None:
        self._starts.record(observation)
        self._observe(observation)

    def _enter(self, phase: Phase) -> None:
        self._record(PhaseChanged(self._clock.now(), phase))

    def _look(self) -> Snapshot:
        return self._telemetry.snapshot(self._clock.now())


def _write_ready(file: Path, twin: Twin) -> None:
    """Write the ready file: whoever waits for it reads it the moment it appears."""
    text = json.dumps({"endpoint": twin.endpoint, "resources": twin.resources.as_json()}, indent=2)
    write_whole(file, text + "\n")
