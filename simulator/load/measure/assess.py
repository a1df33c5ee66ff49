"""Computes, from a run's current recording, tap and result, the measurements that the verdict is based on."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.base import limits
from simulator.load.measure.bottleneck import Measurements
from simulator.load.measure.recording import DROPPED, FAILED, STEP_S, Recording, backlog, deepest, ticks
from simulator.load.measure.result import Result, Span
from simulator.load.measure.series import Gauge
from simulator.load.measure.tap import Tap
from simulator.load.plan.plan import Plan
from simulator.stack.model import EventSourceMapping
from simulator.telemetry.history import percentiles

FLOOR_S = 1.0
"""A backlog of fewer seconds of the planned rate than this is only the pipeline's own latency."""
PASSING = 0.2
"""A backlog that existed for less than this share of the time, and is gone at the end, does not count."""
LIVE_WINDOW_S = 5.0


def peak_backlog(recording: Recording, span: Span) -> tuple[int, float | None]:
    """The deepest backlog of a span and its instant: the highest point of the series."""
    puts, stores = recording.put_instants(span.numbers), recording.stored_instants(span.numbers)
    if not puts:
        return 0, None
    ((peak, at),) = deepest(puts, stores, (puts[0], math.nextafter(puts[-1], math.inf)))
    return peak, at if peak else None


@dataclass(frozen=True, slots=True)
class Lag:
    """When a span's backlog was more than its latency explains: from `from_at` to `to_at`.

    `share` is the deepest backlog as a share of the objects put by then; 0 means that it kept up.
    """

    share: float = 0.0
    from_at: float | None = None
    to_at: float | None = None


def lag_of(recording: Recording, span: Span, end_at: float, window_s: float) -> Lag:
    """When a span fell behind. A backlog from a cold start, or one that soon went away, does not count."""
    puts, stores = recording.put_instants(span.numbers), recording.stored_instants(span.numbers)
    end_at = min(end_at, span.offered_at)
    if not puts or end_at <= puts[0]:
        return Lag()
    instants = ticks(puts[0], end_at)
    depths = backlog(puts, stores, instants)
    floor = (FLOOR_S + window_s) * len(puts) / max(STEP_S, puts[-1] - puts[0])
    late = [at for at, depth in zip(instants, depths, strict=True) if depth > floor]
    if not late or (len(late) <= PASSING * len(instants) and depths[-1] <= floor):
        return Lag()
    deepest = max(range(len(depths)), key=depths.__getitem__)
    return Lag(depths[deepest] / max(1, bisect_left(puts, instants[deepest])), late[0], late[-1] + STEP_S)


def busy_until(recording: Recording, span: Span) -> float:
    """The end of the stretch that the verdict is about: until nothing more arrives and nine tenths are stored.

    After that, some consumers are already idle. It is never before the planned end, however early the last object came:
    the rate of a single object in the milliseconds that it took would be invented.
    """
    stores = recording.stored_instants(span.numbers)
    return max(span.offered_at, stores[int(len(stores) * 0.9)]) if stores else span.offered_at


def pace(recording: Recording, span: Span, from_at: float, to_at: float) -> tuple[float, float]:
    """The objects of a span that were planned, and those that were stored, per second between two instants.

    The planned rate is that of the time in which objects arrive.
    """
    planned = [at for at in recording.planned[span.numbers.start : span.numbers.stop] if from_at <= at <= to_at]
    stores = recording.stored_instants(span.numbers)
    stored = bisect_left(stores, to_at) - bisect_left(stores, from_at)
    arriving_s = min(to_at, span.offered_at) - from_at
    return len(planned) / max(STEP_S, arriving_s), stored / max(STEP_S, to_at - from_at)


def measurements_of(plan: Plan, result: Result, tap: Tap, *, live_only: bool) -> Measurements:
    """The measurements of the current span (`live_only`: of its last seconds), or of the span to report.

    CPU and concurrency are means over the time in which the pipeline was behind or, if it never was, over all of it.
    """
    reported = result.limit or result.span
    span = result.spans[-1] if live_only or reported is None else reported
    recording, numbers = result.recording, span.numbers
    now = tap.gauges[-1].at if tap.gauges else span.offered_at
    begun_at = max(span.begun_at, now - LIVE_WINDOW_S) if live_only else span.begun_at
    end_at = now if live_only else busy_until(recording, span)
    planned_per_s, stored_per_s = pace(recording, span, begun_at, end_at)
    lag = Lag(1.0) if plan.backlog else lag_of(recording, span, end_at, plan.window_s)
    from_at, to_at = (begun_at, end_at) if live_only or lag.from_at is None else (lag.from_at, lag.to_at or end_at)
    gauges = [gauge for gauge in tap.gauges if from_at <= gauge.at <= to_at]
    return Measurements(
        target=plan.target,
        planned_per_s=0.0 if plan.backlog else planned_per_s,
        stored_per_s=stored_per_s,
        behind=lag.share,
        lag_p99_s=None if plan.backlog else percentiles(recording.lags(numbers)).p99,
        dropped=recording.count(numbers, DROPPED),
        failed=recording.count(numbers, FAILED),
        send_p50_s=percentiles(recording.sends(numbers)).p50,
        store_cpu=_mean(gauges, "store_cpu"),
        handler_cpu=_mean(gauges, "handler_cpu") if plan.local and plan.runtime == "inline" else None,
        concurrency=_mean(gauges, "concurrency") if plan.local else None,
        pollers=tap.pollers,
        pollers_limit=sum(_pollers_limit(mapping) for mapping in tap.mappings) or None,
        invocations=tap.totals.ended,
        errors=tap.totals.errors,
        invocations_throttled=tap.totals.throttled,
        batch_writes=tap.written.batch_writes,
        table_throttled=tap.written.throttled_requests,
        ceiling_per_s=result.ceiling.objects_per_s if result.ceiling else None,
        machine_load=_mean(gauges, "machine_load") if plan.local else None,
        cores=os.cpu_count() or 1,
    )


def _mean(gauges: Sequence[Gauge], name: str) -> float | None:
    values = [value for gauge in gauges if (value := getattr(gauge, name)) is not None]
    return sum(values) / len(values) if values else None


def _pollers_limit(mapping: EventSourceMapping) -> int:
    if mapping.maximum_concurrency:
        return mapping.maximum_concurrency
    provisioned = mapping.provisioned
    return provisioned.maximum * limits.PROVISIONED_POLLER_CONCURRENCY if provisioned else limits.MAPPING_CONCURRENCY
