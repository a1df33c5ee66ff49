"""One load test against a local engine: engine and twin up, the ceiling, the load, the drain, the proof.

Owns the order of the phases and what ends each; what is measured is decided in the pure rooms beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.clients import DUMMY_CREDENTIALS
from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish, InputError, StockpipeError
from simulator.base.interrupts import HardStop, Interrupts
from simulator.base.observations import Phase, PhaseChanged
from simulator.load.find_max import find_max
from simulator.load.measure.assess import measurements_of
from simulator.load.measure.bottleneck import judge
from simulator.load.measure.live import Live
from simulator.load.measure.result import Result
from simulator.load.measure.tap import Tap
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import Plan
from simulator.load.send.processes import GeneratorProcess, SinkProcess
from simulator.load.send.scratch import scratch
from simulator.load.send.signing import Identity
from simulator.load.session import Load
from simulator.stack.model import Stack
from simulator.twin.prove import prove
from simulator.twin.twin import Twin

LOCAL = Identity(
    DUMMY_CREDENTIALS["aws_access_key_id"],
    DUMMY_CREDENTIALS["aws_secret_access_key"],
    DUMMY_CREDENTIALS["aws_session_token"],
    limits.REGION,
)

_TAKEN = {
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "QueueAlreadyExists",
    "QueueNameExists",
    "ResourceInUseException",
}


async def run_load(
    stack: Stack,
    plan: Plan,
    tap: Tap,
    live: Live,
    clock: Clock,
    interrupts: Interrupts,
    result: Result,
    *,
    located: Callable[[str], None],
    finished: Callable[[], Awaitable[None]],
) -> None:
    """Run the plan to its end; what comes out stands in `result`, even if a failure or a signal ends it."""

    def phase(name: Phase) -> None:
        tap.record(PhaseChanged(clock.now(), name))

    try:
        async with contextlib.AsyncExitStack() as owned:
            phase("starting")
            sink, twin = await _engine(stack, plan, tap, clock, owned)
            result.resources, result.endpoint = twin.resources, twin.endpoint
            located(twin.endpoint)
            objects = Objects(twin.wiring.notification.prefix, plan.rows, plan.seed, clock.now())
            tap.objects = objects
            tap.on_stored = lambda number, at: live.stored(result.recording.planned[number], at)
            generator = await owned.enter_async_context(
                GeneratorProcess.open(
                    endpoint=twin.endpoint,
                    bucket_url=f"{twin.endpoint}/{twin.resources.bucket}",
                    identity=LOCAL,
                    objects=objects,
                )
            )
            tap.generator_cpu_s = lambda: generator.cpu_s
            load = Load(twin, plan, twin.resources.bucket, generator, objects, tap, live, clock, interrupts, result)
            group = await owned.enter_async_context(asyncio.TaskGroup())
            background = [group.create_task(_judge_often(load))]
            if sink is not None:
                background.append(group.create_task(_sample_often(sink, tap, clock)))
            try:
                await _measure_ceiling(load)
                await _work(load, phase)
                result.failures = generator.failures
                result.verdict = judge(measurements_of(plan, result, tap, live_only=False))
                phase("auditing")
                if plan.audited:
                    await _prove(load)
                phase("done")
            finally:
                for task in background:
                    task.cancel()
            await finished()
    except HardStop:
        result.interrupted = True
    except BaseExceptionGroup as failures:
        result.failure = _as_error(_first(failures), plan)
    except (StockpipeError, BotoCoreError, ClientError) as error:
        result.failure = _as_error(error, plan)


async def _engine(
    stack: Stack, plan: Plan, tap: Tap, clock: Clock, owned: contextlib.AsyncExitStack
) -> tuple[SinkProcess | None, Twin]:
    sink = None
    if plan.target == "sink":
        sink = await owned.enter_async_context(SinkProcess.open(clock, plan.sink_latency_s))
    twin = await owned.enter_async_context(
        Twin.open(
            stack,
            clock=clock,
            record=tap.record,
            seed=plan.seed,
            store_port=plan.port,
            capacity="unlimited",
            runtime=plan.runtime,
            endpoint_url=sink.endpoint if sink else plan.endpoint_url,
        )
    )
    return sink, twin


async def _measure_ceiling(load: Load) -> None:
    load.note(f"measuring the raw ceiling: {limits.LOAD_CEILING_S:g} s of bare requests")
    async with scratch(load.twin.clients, load.twin.endpoint, load.plan.rows, limits.LOAD_CEILING_S) as order:
        load.result.ceiling = await load.generator.ceiling(order)
    if load.result.ceiling:
        shown = load.result.ceiling
        load.note(f"raw ceiling {shown['objects_per_s']:,.0f} objects/s, {shown['rows_per_s']:,.0f} rows/s")


async def _work(load: Load, phase: Callable[[Phase], None]) -> None:
    """The load itself, by the mode that was asked for, until the queue is empty."""
    plan, result = load.plan, load.result
    begun_at, cpu_s = load.clock.now(), load.generator.cpu_s
    load.live.objects = plan.backlog or (None if plan.find_max else plan.profile.total)
    if plan.backlog:
        phase("running")
        load.note(f"putting a backlog of {plan.backlog:,} objects; the consumer starts when they are there", "caption")
        span = result.span = await load.fill(plan.backlog)
        span.begun_at = span.offered_at = load.clock.now()
        load.twin.start_mappings()
        load.note("the consumer starts: watch the backlog drain", "caption")
    elif plan.find_max:
        load.twin.start_mappings()
        phase("running")
        span = await find_max(load)
    else:
        load.twin.start_mappings()
        phase("running")
        span = result.span = await load.offer(plan.profile)
    result.interrupted = load.stopped
    result.generator_cpu_s = load.generator.cpu_s - cpu_s
    result.generator_wall_s = load.clock.now() - begun_at
    phase("draining")
    if not await load.drain(span):
        load.note(f"not drained within {plan.drain_timeout_s:g} s", "warning")
    await load.twin.stop_mappings()


async def _prove(load: Load) -> None:
    drained = all(span.drained for span in load.result.spans)
    load.result.audit = await prove(load.twin, drained=drained, record=load.tap.record, clock=load.clock)


async def _judge_often(load: Load) -> None:
    """The verdict so far, for the dashboard."""
    while True:
        await load.clock.sleep(1.0)
        if load.result.spans and len(load.result.spans[-1].numbers):
            load.live.verdict = judge(measurements_of(load.plan, load.result, load.tap, live_only=True))


async def _sample_often(sink: SinkProcess, tap: Tap, clock: Clock) -> None:
    while True:
        tap.sample(await sink.counters())
        await clock.sleep(limits.SAMPLE_S)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure to tell of a group: one of ours if there is one, else the first that is no cancellation."""
    ours = failures.subgroup(StockpipeError)
    first = (ours or failures).exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _as_error(error: BaseException, plan: Plan) -> StockpipeError:
    """The line to tell; what is no failure of ours, of the engine or of its clients is raised as it is."""
    if isinstance(error, StockpipeError):
        return error
    where = plan.endpoint_url or "the store"
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        code, message = said.get("Code", ""), " ".join(str(said.get("Message", "")).split())
        if code in _TAKEN:
            return InputError(
                f"{where} has resources of these names already ({error.operation_name}: {message or code});"
                " empty the engine, or give other names with --parameter TableName=..., BucketName=..., QueueName=..."
            )
        return CouldNotFinish(f"{where} refused {error.operation_name}: {message or 'no reason given'} ({code})")
    if isinstance(error, BotoCoreError):
        return CouldNotFinish(f"{where} does not answer: {' '.join(str(error).split())}")
    raise error
