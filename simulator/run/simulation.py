"""One run of `simulate`: the twin, its schedule or real files, the drain, the proof.

This module decides the order of the phases and what ends each. The work in them is done by the rooms it calls.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.base import limits
from simulator.base.errors import OUT_OF_MEMORY, CouldNotFinish, InputError, StockpipeError, one_failure
from simulator.base.files import write_whole
from simulator.base.interrupts import HardStop, Interrupts
from simulator.base.nearest import listed
from simulator.base.observations import (
    EnvironmentStarted,
    FaultStruck,
    InvocationEnded,
    MessageSent,
    Noted,
    Observation,
    Phase,
    PhaseChanged,
    Record,
    StoreSampled,
)
from simulator.base.words import counted, significant
from simulator.functions.runtimes import Code, RuntimeName
from simulator.proof.account import Acceptable, Audit
from simulator.run import sources
from simulator.run.application import ApplicationUnderTest
from simulator.run.bounds import SummaryBound
from simulator.run.drain import waits_for_nothing
from simulator.run.invariants import Invariant, InvariantOutcome, check
from simulator.run.scenario import Scenario
from simulator.run.sources import Inputs
from simulator.run.story import SkippedStep, Story, begins
from simulator.stack.model import Stack
from simulator.stack.wiring import own_path
from simulator.store.store import Capacity
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import RunOptions, Snapshot
from simulator.twin.resources import Resources
from simulator.twin.surroundings import Surroundings
from simulator.twin.twin import Twin


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan(RunOptions):
    """Everything that a run needs to know; `RunOptions` is the part that is shown.

    `start_at` is the first instant on the schedules' own clock; `fires` says whether schedules fire at all. `left_out`
    has one line per file that is not sent, `code` what to run of each function that is not the pipeline's own.
    `faults` strike with these shares until all is sent, and a little longer. `captions_read` says whether somebody sees
    the captions of `story`.
    """

    runtime: RuntimeName
    start_at: float
    fires: bool
    inputs: Inputs
    left_out: tuple[str, ...]
    story: Scenario | None
    captions_read: bool
    bounds: tuple[SummaryBound, ...]
    code: Mapping[str, Code]
    faults: Mapping[str, float] = field(default_factory=dict)
    invariants: tuple[Invariant, ...]
    capacity: Capacity
    port: int
    drain_timeout_s: float
    accepted: Set[Acceptable]
    ready: Path | None
    hold: bool


@dataclass(eq=False, repr=False)
class Simulation:
    """One run of a plan. Its last six fields are the outcome, even if a failure or a signal ends it.

    The caller installs `interrupts`, until it has written the result. `observe` gets every observation; `located` gets
    the endpoint once all resources exist; the run awaits `examine` and `finished` after the proof and before a hold.
    """

    stack: Stack
    plan: RunPlan
    telemetry: Telemetry
    surroundings: Surroundings
    interrupts: Interrupts
    observe: Record
    located: Callable[[str], None]
    finished: Callable[[], Awaitable[None]]
    examine: Callable[[Twin], Awaitable[None]] | None = None
    resources: Resources | None = None
    audit: Audit | None = None
    outcomes: tuple[InvariantOutcome, ...] = ()
    interrupted: bool = False
    failure: StockpipeError | None = None
    skipped: tuple[SkippedStep, ...] = ()

    def __post_init__(self) -> None:
        self.clock = self.surroundings.clock
        self._started: set[str] = set()
        self._cannot_start: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Run the plan to its end. If we fail, the exception is in `failure`; it is not raised."""
        try:
            await self.interrupts.until_second(self._phases())
        except HardStop:
            self.interrupted = True
        except StockpipeError as error:
            self.failure = error

    async def _phases(self) -> None:
        plan = self.plan
        self._enter("starting")
        async with Twin.open(
            self.stack, self.surroundings, record=self._record, seed=plan.seed, code=plan.code
        ) as twin:
            self.resources = twin.resources
            if plan.ready is not None:
                ready = {"endpoint": twin.endpoint, "resources": twin.resources.as_json()}
                await asyncio.to_thread(write_whole, plan.ready, json.dumps(ready, indent=2) + "\n")
            self.located(twin.endpoint)
            await self._begin_faults(twin)
            twin.start_mappings()
            drained_at = await self._run_and_drain(twin)
            drained = drained_at is not None
            await twin.stop_mappings()
            # The drain's time ends when the queue is empty, not when a scenario's last caption was read.
            drained_at = self.clock.now() if drained_at is None else drained_at
            self._record(PhaseChanged(drained_at, "auditing", twin.invoker.pending))
            if own_path(self.stack) is not None:
                ledgers = self.telemetry.ledgers(await twin.rows_accepted())
                self.audit = await twin.prove(drained=drained, accepted=plan.accepted, ledgers=ledgers)
            self._record(StoreSampled(self.clock.now(), await twin.counters()))
            self.outcomes = await self._hold_invariants(twin)
            if self.examine is not None:
                await self.examine(twin)
            self._enter("done")
            self.interrupts.concluded()
            await self.finished()
            if plan.hold:
                # Only a signal that comes from now on ends the hold.
                self.interrupts.soft.clear()
                await self.interrupts.soft.wait()

    async def _run_and_drain(self, twin: Twin) -> float | None:
        """Generate, store and drain, and play the scenario. Returns when the queue was drained, None if it was not."""
        plan, clock, path = self.plan, self.clock, own_path(self.stack)
        reason = f"not drained within {significant(plan.drain_timeout_s, 6)} s"

        async def watch() -> None:
            await self._cannot_start

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            story = playing = None
            self._enter("running")
            if plan.story is not None:
                story = Story(plan.story, twin, self._look, clock, self._record, self._hurried)
                playing = group.create_task(story.play())
            await self._work(twin)
            self.interrupted = self.interrupts.soft.is_set() and not plan.endless
            await self._end_faults(twin)
            self._enter("draining")
            deadline_at = clock.now() + plan.drain_timeout_s

            def hopeless(left: int, deadline_at: float) -> bool:
                nonlocal reason
                if playing is not None and not playing.done():
                    return False
                for_good = self.telemetry.failed_for_good
                if path is not None and waits_for_nothing(left, for_good, path, deadline_at):
                    reason = f"all that is left failed for good: {counted(left, 'message')}"
                    return True
                return False

            if story is None or playing is None:
                drained = await twin.drained(plan.drain_timeout_s, hopeless)
                drained_at = clock.now()
            else:
                drained = acted = True
                while drained and acted:
                    story.acted.clear()
                    drained = await twin.drained(plan.drain_timeout_s, hopeless)
                    drained_at = clock.now()
                    acted = await _ended(story, playing, drained_at, drained=drained)
                await playing
                self.skipped = tuple(story.skipped)
            watching.cancel()
        if not drained:
            if twin.unpolled and path is None and drained_at < deadline_at:
                reason = f"nothing polls what is left in {listed(queue.logical_id for queue in twin.unpolled)}"
            self._record(Noted(clock.now(), reason, "warning"))
        return drained_at if drained else None

    def _hurried(self) -> bool:
        """Whether a scenario need not wait until its captions are read."""
        return not self.plan.captions_read or self.interrupts.soft.is_set()

    async def _work(self, twin: Twin) -> None:
        """Accept rows until the plan is done, the time is up or the first signal comes."""
        plan, clock = self.plan, self.clock
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            waits: list[asyncio.Task[Any]] = [group.create_task(self.interrupts.soft.wait())]
            if plan.duration_s is not None:
                waits.append(group.create_task(clock.sleep(plan.duration_s)))
            # Without anything to send, the user does: until the time is up or a signal comes.
            work = [group.create_task(self._send(twin, stop))] if plan.inputs or plan.fires else []
            await asyncio.wait([*waits, *work], return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            for task in waits:
                task.cancel()

    async def _begin_faults(self, twin: Twin) -> None:
        for kind, share in self.plan.faults.items():
            self._record(Noted(self.clock.now(), begins(kind, share), "fault"))
        await twin.set_faults(self.plan.faults)

    async def _end_faults(self, twin: Twin) -> None:
        """Let the plan's faults strike what was sent last, too, for a while; then end them: the drain is calm."""
        faults = self.plan.faults
        if not faults:
            return
        async with asyncio.TaskGroup() as group:
            drained = group.create_task(twin.drained(limits.FAULTS_STAY_S))
            stopped = group.create_task(self.interrupts.soft.wait())
            await asyncio.wait([drained, stopped], return_when=asyncio.FIRST_COMPLETED)
            drained.cancel()
            stopped.cancel()
        await twin.set_faults(dict.fromkeys(faults, 0.0))
        self._record(Noted(self.clock.now(), f"no more faults: {', '.join(faults)}", "fault"))

    async def _send(self, twin: Twin, stop: asyncio.Event) -> None:
        """Send the plan's inputs, and let the schedules fire if they are to."""
        plan, inputs, clock, record = self.plan, self.plan.inputs, self.clock, self._record
        with one_failure():
            async with asyncio.TaskGroup() as group:
                if plan.fires:
                    schedules = twin.run_schedules(
                        start_at=plan.start_at, speed=plan.speed, ticks=plan.ticks, stop=stop
                    )
                    group.create_task(schedules)
                if inputs.puts:
                    putting = sources.put_in_time(
                        inputs.puts, s3=twin.clients.s3, bucket=inputs.bucket, record=record, clock=clock, stop=stop
                    )
                    group.create_task(putting)
                if inputs.function is not None:
                    record(MessageSent(clock.now(), inputs.function))
                    twin.invoker.accept(inputs.function, inputs.event)
                if inputs.files:
                    putting = sources.send(
                        inputs.files, s3=twin.clients.s3, bucket=inputs.bucket, record=record, clock=clock, stop=stop
                    )
                    group.create_task(putting)
                if inputs.queue is not None:
                    sqs, url, name = twin.clients.sqs, twin.resources.queue_urls[inputs.queue], inputs.queue
                    sending = sources.send_messages(
                        inputs.messages, sqs=sqs, queue_url=url, queue=name, record=record, clock=clock, stop=stop
                    )
                    group.create_task(sending)

    async def _hold_invariants(self, twin: Twin) -> tuple[InvariantOutcome, ...]:
        """What the user's invariants say about the application; what they print is shown with the events."""
        if not self.plan.invariants or twin.store is None:
            return ()
        worker = self.surroundings.worker("invariants")
        application = ApplicationUnderTest(self.stack, twin.endpoint, twin.store.peek, worker, self.telemetry.failed)
        return await check(
            self.plan.invariants,
            application,
            lambda line: self._record(Noted(self.clock.now(), line, "progress")),
            worker,
        )

    def _record(self, observation: Observation) -> None:
        """Pass it on, and notice a function that cannot start.

        A handler whose settings are wrong fails at each init. On AWS, its messages are in the dead-letter queue after
        hours; here the run ends at once, with the handler's own error.
        """
        self.observe(observation)
        match observation:
            case EnvironmentStarted():
                self._started.add(observation.function)
            case FaultStruck(site=site):
                if site.startswith("init."):  # the function can start, and is kept from it
                    self._started.add(observation.function)
            case InvocationEnded(function=function, outcome="init-error") if (
                function not in self._started and not self._cannot_start.done()
            ):
                if observation.error_type == "MemoryError":
                    failure: StockpipeError = CouldNotFinish(f"{function} cannot start: {OUT_OF_MEMORY}")
                else:
                    kinds = (observation.error_type,) if own_path(self.stack) is None else ()
                    reason = ": ".join(filter(None, (*kinds, observation.error_message))) or observation.error_type
                    failure = InputError(f"{function} cannot start: {reason}")
                self._cannot_start.set_exception(failure)

    def _enter(self, phase: Phase) -> None:
        self._record(PhaseChanged(self.clock.now(), phase))

    def _look(self) -> Snapshot:
        return self.telemetry.snapshot(self.clock.now())


async def _ended(story: Story, playing: asyncio.Task[None], drained_at: float, *, drained: bool) -> bool:
    """After a drain, wait until the story ends. True: it put more objects instead, so there is more to drain."""
    story.ending(drained_at, drained=drained)
    acting = asyncio.ensure_future(story.acted.wait())
    try:
        await asyncio.wait({playing, acting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        acting.cancel()
    return story.acted.is_set()
