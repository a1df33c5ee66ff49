"""Runs the capacity search: probes against the running twin, then a spike at the rate found."""

from __future__ import annotations

from dataclasses import replace

from simulator.base import limits
from simulator.load.measure.recording import DROPPED, FAILED, Recording, backlog, ticks
from simulator.load.measure.result import Result, Span
from simulator.load.plan.arrivals import constant, stairs
from simulator.load.plan.capacity_search import CapacitySearch, Probe, ProbeOutcome, slope
from simulator.load.plan.slo import FIGURES, bounds_latency
from simulator.load.send.sender import Sender
from simulator.load.target import LoadTarget
from simulator.run.bounds import SummaryBound, parse
from simulator.telemetry.history import percentiles

DEFAULT_BOUND = "p99<5s"
START_SHARE = 0.6
"""The first probe's rate as a share of the raw ceiling: close to what one event loop reaches, so few probes suffice."""
START_PER_S = 20.0
WARM_UP_PER_S, WARM_UP_S = 20.0, 1.5
"""Enough objects for one invocation in each environment that the pollers start with."""
GIVE_UP_BACKLOG_S = 2.5
"""A probe may end early when its backlog is this many seconds of arrivals..."""
GIVE_UP_WINDOW_S = 2.0
"""... and this share of its window has passed."""
SPIKE = ((2.0, 0.5), (2.0, 2.0), (3.0, 0.5))
"""The spike after the search, in seconds at a multiple of the rate found: half, twice, then half until it drains."""


async def find_max(target: LoadTarget, sender: Sender) -> Span:
    """Search, then spike; returns the span to drain. The session's result gets the search, its span and the spike."""
    session, result = sender.session, sender.session.result
    bounds = tuple(bound for bound in session.plan.slo if bounds_latency(bound)) or (parse(DEFAULT_BOUND, FIGURES),)
    start_per_s = max(0.5, result.ceiling.objects_per_s * START_SHARE) if result.ceiling else START_PER_S
    search = CapacitySearch(min(limits.LOAD_RATE_PER_S, start_per_s), ceiling_per_s=limits.LOAD_RATE_PER_S)
    await _warm_up(target, sender, min(search.rate_per_s, WARM_UP_PER_S))
    deadline_at = session.clock.now() + limits.LOAD_SEARCH_S
    while (probe := search.probe) is not None and not session.stopped:
        if session.clock.now() >= deadline_at:
            session.note(f"the search ends after {limits.LOAD_SEARCH_S:g} s", "warning")
            search = replace(search, stage="done")
            break
        session.note(f"probe {len(search.outcomes) + 1}: {probe.rate_per_s:,.1f} {session.plan.unit}s/s", "caption")
        span, outcome = await _probe(target, sender, probe, bounds)
        if outcome is None:
            break
        session.note(_outcome_text(outcome))
        search = search.after(outcome)
        result.searched(search, span)
        if search.probe is not None:
            await target.forget(span)
    result.searched(search)
    answer = search.answer_per_s
    if answer is None or session.stopped:
        result.report(result.span or result.spans[-1])
        return result.spans[-1]
    confirmed = _span_at(result, answer)
    result.report(confirmed)
    session.note(f"{answer:,.1f} {session.plan.unit}s/s held; next, a spike at that rate and its drain", "caption")
    spike = await sender.offer(stairs("spike", *((length_s, answer * share) for length_s, share in SPIKE)))
    result.report(confirmed, spike)
    return spike


async def _warm_up(target: LoadTarget, sender: Sender, rate_per_s: float) -> None:
    """Let the cold starts happen before anything is measured."""
    session = sender.session
    session.note("warming up the environments")
    span = await sender.offer(constant(rate_per_s, WARM_UP_S))
    if not session.stopped and await _drain(target, sender, span):
        await target.forget(span)
    if not session.stopped:
        session.result.spans.remove(span)


async def _drain(target: LoadTarget, sender: Sender, span: Span) -> bool:
    drained = await target.drain(span) is None
    sender.end(span, drained=drained)
    return drained


def _span_at(result: Result, rate_per_s: float) -> Span:
    """The longest span probed at the answer, which is its confirmation."""
    rates = [outcome.rate_per_s for outcome in result.search.outcomes] if result.search else []
    at_rate = [span for span, rate in zip(result.spans, rates, strict=False) if rate == rate_per_s]
    return at_rate[-1] if at_rate else result.spans[-1]


async def _probe(
    target: LoadTarget, sender: Sender, probe: Probe, bounds: tuple[SummaryBound, ...]
) -> tuple[Span, ProbeOutcome | None]:
    """Probe one rate. The outcome is None if a signal came or the drain took too long."""
    clock, recording = sender.session.clock, sender.session.result.recording

    def enough(span: Span) -> bool:
        if not len(span.numbers) or clock.now() < span.begun_at + probe.warm_up_s + GIVE_UP_WINDOW_S:
            return False
        return recording.pending(span.numbers) > GIVE_UP_BACKLOG_S * probe.rate_per_s

    span = await sender.offer(constant(probe.rate_per_s, probe.warm_up_s + probe.window_s), enough)
    if sender.session.stopped or not await _drain(target, sender, span):
        return span, None
    return span, outcome_of(recording, span, probe, bounds)


def outcome_of(recording: Recording, span: Span, probe: Probe, bounds: tuple[SummaryBound, ...]) -> ProbeOutcome:
    """What a drained probe showed in its window."""
    begin_at, end_at = span.begun_at + probe.warm_up_s, span.offered_at
    puts, stores = recording.put_instants(span.numbers), recording.stored_instants(span.numbers)
    instants = ticks(begin_at, end_at)
    growth, error = slope(list(zip(instants, map(float, backlog(puts, stores, instants)), strict=True)))
    # All of them, if the span ended before its window began.
    first = next((number for number in span.numbers if recording.planned[number] >= begin_at), span.numbers.start)
    inside = range(first, span.numbers.stop)
    shown = percentiles(recording.latencies(inside))
    lag = percentiles(recording.lags(inside)).p99 or 0.0
    late = 0 if lag <= limits.LOAD_LAG_P99_S else len(inside)
    outcome = ProbeOutcome(
        probe.rate_per_s,
        sum(begin_at <= at < end_at for at in stores) / max(1e-3, end_at - begin_at),
        growth,
        error,
        latency_held=all(bound.holds(getattr(shown, bound.figure, None)) for bound in bounds),
        refused=recording.count(inside, DROPPED) + recording.count(inside, FAILED) + late,
    )
    if not outcome.backlog_grows or len(stores) < 2:
        return outcome
    # Batches end together, a hundred objects at a time, and a window of a few seconds may miss them. An overloading
    # probe keeps every consumer busy from its first arrival to the end of its drain: that stretch shows the capacity.
    return replace(outcome, stored_per_s=len(stores) / max(1e-3, stores[-1] - span.begun_at))


def _outcome_text(outcome: ProbeOutcome) -> str:
    held = "held" if outcome.sustained else "too much"
    return (
        f"{outcome.rate_per_s:,.1f}/s {held}: stored {outcome.stored_per_s:,.1f}/s,"
        f" backlog {outcome.growth_per_s:+,.1f}/s" + (f", {outcome.refused} refused" if outcome.refused else "")
    )
