"""The capacity search at work on a pipeline of arithmetic: what it offers, what it reports, what ends it early."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from fakes.clock import ManualClock
from simulator.base import limits
from simulator.load.find_max import SPIKE, START_PER_S, WARM_UP_S, find_max
from simulator.load.measure.bottleneck import Ceiling
from simulator.load.measure.recording import SENT
from simulator.load.measure.result import Span
from simulator.load.plan.arrivals import constant
from simulator.load.plan.plan import Plan
from simulator.load.send.protocol import Offer
from simulator.load.send.sender import Sender
from simulator.load.session import LoadSession
from simulator.stack import template
from simulator.telemetry.snapshot import RunOptions

STEP_S = 0.1


@dataclass
class Pipeline:
    """A generator's process and its target: `capacity_per_s` objects are stored in their order, evenly."""

    clock: ManualClock
    capacity_per_s: float
    cpu_s: float = 0.0
    drains: bool = True
    forgotten: list[Span] = field(default_factory=list)
    offered: list[Offer] = field(default_factory=list)
    on_offer: Callable[[int], None] = lambda _: None
    _waiting: deque[int] = field(default_factory=deque)
    _free_at: float = 0.0
    _stopped: bool = False

    def use(self, session: LoadSession) -> Sender:
        """The sender of a session, over this pipeline."""
        self.recording = session.result.recording
        return Sender(session, self)  # type: ignore[arg-type]

    async def offer(self, order: Offer, fate: Callable[..., None], started: Callable[[float], None]) -> int:
        """Take what arrives, step by step, until the plan's end or a stop."""
        self.offered.append(order)
        self._stopped = False
        self.on_offer(len(self.offered))
        at = self.clock.now()
        started(at)
        arrivals = deque(enumerate((at + offset for offset in order.profile.offsets()), order.first))
        count = 0
        while self.clock.now() < at + order.profile.duration_s and not self._stopped:
            while arrivals and arrivals[0][1] <= self.clock.now():
                number, due_at = arrivals.popleft()
                fate(number, due_at, due_at, SENT)
                self._waiting.append(number)
                count += 1
            self._store()
            await self.clock.sleep(STEP_S)
        return count if self._stopped else count + len(arrivals)

    async def stop(self) -> None:
        """End the offer in hand."""
        self._stopped = True

    async def drain(self, _span: Span) -> str | None:
        """Until all is stored."""
        while self._waiting and self.drains:
            await self.clock.sleep(STEP_S)
            self._store()
        return None if self.drains else "not drained"

    async def forget(self, span: Span) -> None:
        """Keep which one."""
        self.forgotten.append(span)

    def _store(self) -> None:
        while self._waiting:
            planned_at = self.recording.planned[self._waiting[0]]
            done_at = max(self._free_at, planned_at) + 1 / self.capacity_per_s
            if done_at > self.clock.now():
                return
            self._free_at = done_at
            self.recording.store(self._waiting.popleft(), done_at)


@pytest.fixture
def session(clock: ManualClock) -> LoadSession:
    """A search of a twin, nothing begun."""
    plan = Plan(
        constant(1.0, 1.0),
        copies=None,
        rows=1,
        seed=1,
        poisson=False,
        backlog=0,
        find_max=True,
        target="store",
        endpoint_url=None,
        sink_latency_s=0.0,
        runtime="inline",
        slo=(),
        drain_timeout_s=60.0,
        port=0,
        window_s=0.0,
        accepted=frozenset(),
        audit="full",
    )
    options = RunOptions("load-test", 1, "inline", clock.now())
    return LoadSession.create(plan, template.load(), clock, "bucket", options)


async def search(session: LoadSession, pipeline: Pipeline) -> Span:
    """Find the maximum; time passes whenever everybody waits."""
    task = asyncio.create_task(find_max(pipeline, pipeline.use(session)))  # type: ignore[arg-type]
    while not task.done():
        await pipeline.clock.advance(STEP_S)
    return await task


def notes(session: LoadSession) -> str:
    """What whoever watches was told."""
    return "\n".join(event.text for event in session.telemetry.snapshot(session.clock.now()).events)


async def test_the_capacity_is_found_and_confirmed_and_a_spike_follows(
    session: LoadSession, clock: ManualClock
) -> None:
    """From six tenths of the raw ceiling to the pipeline's own capacity; the report is of the confirmation's span."""
    session.result.measured(Ceiling(objects_per_s=240.0, rows_per_s=240.0, requests_per_s=480.0, seconds=1.0))
    pipeline = Pipeline(clock, capacity_per_s=150.0)
    spike = await search(session, pipeline)
    result = session.result
    assert result.search is not None
    assert result.search.outcomes[0].rate_per_s == 144.0
    assert result.search.confirmed
    assert result.search.answer_per_s == pytest.approx(150, rel=0.05)
    assert result.span is not None
    assert len(result.span.numbers) == max(
        len(span.numbers)
        for span, outcome in zip(result.spans, result.search.outcomes, strict=False)
        if outcome.rate_per_s == result.search.answer_per_s
    )
    assert result.spike is spike is result.spans[-1]
    assert (pipeline.offered[0].profile.duration_s, pipeline.offered[-1].profile.name) == (WARM_UP_S, "spike")
    assert spike.offered_at - spike.begun_at == pytest.approx(sum(length_s for length_s, _ in SPIKE))
    # What a probe left is forgotten before the next one; the last one's and the spike's stay for the audit.
    assert pipeline.forgotten[1:] == result.spans[:-2]
    assert "next, a spike at that rate and its drain" in notes(session)


async def test_a_search_without_an_end_ends_after_its_time(
    session: LoadSession, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No probe begins after that: what held by then is the answer, unconfirmed, and it is said."""
    monkeypatch.setattr(limits, "LOAD_SEARCH_S", 20.0)
    pipeline = Pipeline(clock, capacity_per_s=150.0)
    began_at = clock.now()
    await search(session, pipeline)
    result = session.result
    assert result.search is not None
    assert result.search.outcomes[0].rate_per_s == START_PER_S
    assert (result.search.confirmed, result.search.answer_per_s) == (False, 2 * START_PER_S)
    assert f"the search ends after {limits.LOAD_SEARCH_S:g} s" in notes(session)
    probes = result.spans[: len(result.search.outcomes)]
    assert all(span.begun_at < began_at + limits.LOAD_SEARCH_S + WARM_UP_S + 1 for span in probes)
    assert result.spike is not None


async def test_a_probe_that_has_shown_enough_is_cut_short(session: LoadSession, clock: ManualClock) -> None:
    """A backlog of seconds says all: the rest of the arrivals never come, and the verdict is of that probe."""
    pipeline = Pipeline(clock, capacity_per_s=2.0)
    await search(session, pipeline)
    result = session.result
    assert result.search is not None
    assert not result.search.outcomes[0].sustained
    assert result.limit is not None
    first = result.spans[0]
    assert first.offered_at - first.begun_at < pipeline.offered[1].profile.duration_s
    assert len(first.numbers) < pipeline.offered[1].profile.total


async def test_a_signal_ends_the_search_where_it_is(session: LoadSession, clock: ManualClock) -> None:
    """Nothing new is offered: no further probe, no spike; the report is of the last probe that held."""
    pipeline = Pipeline(clock, capacity_per_s=150.0)
    pipeline.on_offer = lambda count: session.interrupts.soft.set() if count == 3 else None
    last = await search(session, pipeline)
    result = session.result
    assert len(pipeline.offered) == 3
    assert result.spans[-1] is last
    assert result.span is result.spans[0]
    assert result.spike is None


async def test_a_signal_during_the_warm_up_leaves_it_to_be_reported(session: LoadSession, clock: ManualClock) -> None:
    """There is nothing else: what was sent is drained and told, and no lack of spans ends the search."""
    pipeline = Pipeline(clock, capacity_per_s=150.0)
    pipeline.on_offer = lambda _: session.interrupts.soft.set()
    only = await search(session, pipeline)
    assert session.result.spans == [only]
    assert session.result.span is only


async def test_a_pipeline_that_does_not_drain_ends_the_search(session: LoadSession, clock: ManualClock) -> None:
    """The next probe would be measured on what the last one left."""
    pipeline = Pipeline(clock, capacity_per_s=150.0, drains=False)
    last = await search(session, pipeline)
    assert len(pipeline.offered) == 2
    assert (last.drained, session.result.span, session.result.spike) == (False, last, None)
    assert pipeline.forgotten == []
