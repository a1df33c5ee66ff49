"""From a run's recording and gauges to the evidence that the verdict is judged by. Pure."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence

from simulator import limits
from simulator.load.bottleneck import Evidence
from simulator.load.plan import Plan, Result, Span
from simulator.load.recording import SENT, Recording, backlog, percentiles
from simulator.load.series import Gauge
from simulator.load.tap import Tap

FLOOR_S = 1.0
"""A backlog of less than this many seconds of the planned rate is the pipeline's own latency, not a lag behind."""
LIVE_WINDOW_S = 5.0
STEP_S = 0.25


def peak_backlog(recording: Recording, span: Span) -> tuple[int, float | None]:
    """The deepest backlog of a span and its instant, looked at as often as the series does."""
    puts, stores = recording.put_instants(span.numbers), recording.stored_instants(span.numbers)
    if not puts:
        return 0, None
    end_at = max(puts[-1], stores[-1] if stores else puts[-1])
    instants = [puts[0] + step * STEP_S for step in range(int((end_at - puts[0]) / STEP_S) + 2)]
    # The instant of the last put too: with a backlog put beforehand it is the deepest.
    instants = sorted({*instants, puts[-1] + 1e-6})
    depths = backlog(puts, stores, instants)
    peak = max(depths)
    return peak, instants[depths.index(peak)] if peak else None


def evidence_of(plan: Plan, result: Result, tap: Tap, *, live_only: bool) -> Evidence:
    """The evidence of the span in hand (`live_only`: its last seconds), or of the span that is reported."""
    span = result.spans[-1] if live_only or result.span is None else result.span
    recording = result.recording
    numbers = span.numbers
    now = tap.gauges[-1].at if tap.gauges else span.offered_at
    begun_at = max(span.begun_at, now - LIVE_WINDOW_S) if live_only else span.begun_at
    end_at = now if live_only else min(span.drained_at or now, max(span.offered_at, _busy_until(recording, span)))
    length_s = max(1e-3, end_at - begun_at)
    stores, puts = recording.stored_instants(numbers), recording.put_instants(numbers)
    stored = bisect_left(stores, end_at) - bisect_left(stores, begun_at)
    planned = [at for at in recording.planned[numbers.start : numbers.stop] if begun_at <= at <= end_at]
    rate = len(planned) / max(1e-3, min(length_s, max(STEP_S, span.offered_at - begun_at)))
    gauges = [gauge for gauge in tap.gauges if begun_at <= gauge.at <= end_at]
    sends = percentiles(recording.sends(numbers))
    mapping = tap.wiring.mapping
    return Evidence(
        target=plan.target,
        planned_per_s=0.0 if plan.backlog else rate,
        stored_per_s=stored / length_s,
        behind=_behind(plan, recording, span, puts, stores, end_at, live_only),
        lag_p99_s=percentiles(recording.lags(numbers)).p99 if not plan.backlog else None,
        dropped=recording.dropped,
        failed=recording.failed,
        sent=recording.count(numbers, SENT),
        send_p50_s=sends.p50,
        store_cpu=_mean(gauges, "store_cpu"),
        handler_cpu=_mean(gauges, "handler_cpu") if plan.runtime == "inline" else None,
        concurrency=_mean(gauges, "concurrency"),
        pollers=tap.pollers,
        pollers_limit=mapping.maximum_concurrency or _poller_ceiling(tap),
        invocations=tap.totals.ended,
        errors=tap.totals.errors,
        invocations_throttled=tap.totals.throttled,
        batch_writes=tap.totals.batch_writes,
        table_throttled=tap.totals.table_throttled,
        ceiling_per_s=result.ceiling["objects_per_s"] if result.ceiling else None,
        machine_load=_mean(gauges, "machine_load"),
        cores=os.cpu_count() or 1,
    )


def _behind(
    plan: Plan,
    recording: Recording,
    span: Span,
    puts: Sequence[float],
    stores: Sequence[float],
    end_at: float,
    live_only: bool,
) -> float:
    """The deepest backlog as a share of what was put by then; zero where it is no more than latency."""
    if plan.backlog:
        return 1.0
    if live_only:
        depth: float = backlog(puts, stores, [end_at])[0]
        at: float | None = end_at
    else:
        depth, at = peak_backlog(recording, span)
    if at is None or not puts:
        return 0.0
    rate = len(puts) / max(STEP_S, puts[-1] - puts[0])
    return 0.0 if depth <= rate * (FLOOR_S + plan.window_s) else depth / max(1, bisect_left(puts, at))


def _busy_until(recording: Recording, span: Span) -> float:
    """The instant by which nine tenths of the span are stored: after it, what works is already idling."""
    stores = recording.stored_instants(span.numbers)
    return stores[int(len(stores) * 0.9)] if stores else span.offered_at


def _mean(gauges: Sequence[Gauge], name: str) -> float | None:
    values = [value for gauge in gauges if (value := getattr(gauge, name)) is not None]
    return sum(values) / len(values) if values else None


def _poller_ceiling(tap: Tap) -> int | None:
    provisioned = tap.wiring.mapping.provisioned
    return provisioned.maximum * limits.PROVISIONED_POLLER_CONCURRENCY if provisioned else limits.MAPPING_CONCURRENCY
