"""One load test, whatever the target: the ceiling, the load, the drain, the proof.

This module decides the order of the phases and what ends each; the neighbouring rooms decide what to measure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from simulator.base.errors import StockpipeError, one_failure
from simulator.base.interrupts import HardStop
from simulator.base.observations import Phase, PhaseChanged
from simulator.base.words import counted
from simulator.load.find_max import find_max
from simulator.load.measure.assess import measurements_of
from simulator.load.measure.bottleneck import judge
from simulator.load.measure.result import Span
from simulator.load.send.processes import GeneratorProcess
from simulator.load.send.protocol import Hello
from simulator.load.send.sender import Sender
from simulator.load.session import LoadSession
from simulator.load.target import LoadTarget


async def run(
    session: LoadSession,
    opening: AbstractAsyncContextManager[LoadTarget],
    *,
    located: Callable[[str], None],
    finished: Callable[[], Awaitable[None]],
) -> None:
    """Run the session's plan against the target that `opening` opens; the outcome is in the session's result.

    That holds however the run ends. `located` gets the endpoint once the target is up; the run awaits `finished` before
    it closes the target. The caller installs the session's interrupts.
    """

    async def whole() -> None:
        _enter(session, "starting")
        async with opening as target:
            place = target.place
            session.result.located(place.resources)
            located(place.endpoint)
            hello = Hello(place.endpoint, place.bucket_url, place.identity, session.objects, queue_url=place.queue_url)
            async with GeneratorProcess.open(hello, session.tap.generator_used) as generator:
                await _phases(session, target, generator)
                session.interrupts.concluded()
                await finished()

    try:
        await session.interrupts.until_second(whole())
    except HardStop:
        session.result.ended_early()
    except StockpipeError as error:
        session.result.ended_early(error)


async def _phases(session: LoadSession, target: LoadTarget, generator: GeneratorProcess) -> None:
    result = session.result
    with one_failure():
        async with asyncio.TaskGroup() as group:
            judging = group.create_task(_judge_often(session))
            result.measured(await target.ceiling(generator))
            sender = Sender(session, generator)
            span = await _load(session, target, sender)
            result.sent(sender.cpu, generator.failures, interrupted=session.stopped)
            _enter(session, "draining")
            if left := await target.drain(span):
                session.note(left, "warning")
            await target.settle()
            sender.end(span, drained=left is None)
            judged = judge(measurements_of(session.plan, result, session.tap, live_only=False))
            result.judged(judged)
            result.proved(await target.prove())
            judging.cancel()
            session.live.judged(judged)
            _enter(session, "done")


async def _load(session: LoadSession, target: LoadTarget, sender: Sender) -> Span:
    """Apply the load, in the mode of the plan; returns the span to drain."""
    plan = session.plan
    if plan.backlog:
        _enter(session, "running")
        backlog = counted(plan.backlog, plan.unit)
        session.note(f"putting a backlog of {backlog}; the consumer starts when all are queued", "caption")
        span = await sender.fill(plan.backlog)
        target.consume()
        session.note("the consumer starts: watch the backlog drain", "caption")
    else:
        target.consume()
        _enter(session, "running")
        if plan.find_max:
            return await find_max(target, sender)
        span = await sender.offer(plan.profile)
    session.result.report(span)
    return span


def _enter(session: LoadSession, phase: Phase) -> None:
    session.tap.record(PhaseChanged(session.clock.now(), phase))


async def _judge_often(session: LoadSession) -> None:
    """Keep the verdict so far up to date for the dashboard; for a deployed stack, figures come too late."""
    while session.plan.local:
        await session.clock.sleep(1.0)
        if session.result.spans and len(session.result.spans[-1].numbers):
            measured = measurements_of(session.plan, session.result, session.tap, live_only=True)
            session.live.judged(judge(measured))
