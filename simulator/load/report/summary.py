"""The load test's summary, `stockpipe.load/1`: the run's schema plus what a load test measures.

`build` only arranges what was recorded; it measures nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from simulator.base import limits
from simulator.base.usage import machine
from simulator.load.measure import cost, series, stretches
from simulator.load.measure.assess import peak_backlog
from simulator.load.measure.bottleneck import Ceiling
from simulator.load.measure.recording import SENT, drain_share
from simulator.load.measure.result import Result, Span
from simulator.load.measure.tap import Tap
from simulator.load.plan.capacity_search import CapacitySearch
from simulator.load.plan.plan import Plan
from simulator.load.plan.slo import judge_slo
from simulator.load.session import LoadSession
from simulator.run import summary as runs
from simulator.run.advice import Situation
from simulator.run.bounds import judge
from simulator.run.command_line import quoted
from simulator.stack.wiring import wiring
from simulator.telemetry.history import percentiles
from simulator.telemetry.snapshot import Latency

SCHEMA = "stockpipe.load/1"


def build(
    session: LoadSession,
    options: Mapping[str, Any],
    ended_at: float,
    repeat: tuple[str, ...],
    typed: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Build the summary; a figure that does not exist is null. Bounds are judged last, on the summary itself.

    `repeat` is the command that repeats the run, as words; `typed` is the command as the user typed it.
    """
    plan, result, tap = session.plan, session.result, session.tap
    recording = result.recording
    sent = recording.count(recording.all(), SENT)
    situation = Situation(session.stack, repeat, plan.drain_timeout_s, could_not_finish=result.failure is not None)
    summary = runs.build(
        session.telemetry.snapshot(ended_at),
        audit=result.proof.audit,
        resources=result.resources.as_json() if result.resources else None,
        options=options,
        ended_at=ended_at,
        interrupted=result.interrupted,
        bounds=(),
        situation=situation,
        source_rows=sent * plan.rows,
        schema=SCHEMA,
    )
    if not plan.audited:
        summary["audit"] = None
    if plan.target == "stack":
        summary |= _from_outside(summary, result.proof.cloud or {})
    span = result.span or (result.spans[-1] if result.spans else Span(range(0), ended_at, ended_at, slice(0)))
    lag = percentiles(recording.lags(span.numbers)) if not plan.backlog else Latency()
    refusal, rate = _refusal(lag), _stored_per_s(result, span)
    latencies = _latencies(result, tap, span, refusal)
    summary |= {
        "command_line": quoted(typed or repeat),
        "machine": machine(),
        "arrivals": _arrivals(plan),
        "planned": len(recording),
        "sent": sent,
        "dropped": recording.dropped,
        "failed": recording.failed,
        "put_failures": list(result.failures),
        "stored": recording.stored_count,
        "generator_lag_s": lag.as_json(),
        "generator_cpu": _rounded(result.generator_cpu, 4),
        "latency_s": {name: percentiles(held).as_json() for name, held in latencies.items()},
        "stretches": {name: stretches.of_latencies(held) for name, held in latencies.items()},
        "latency_refused": refusal,
        "throughput": {**summary["throughput"], "objects_per_s_mean": _rounded(rate, 2)},
        "backlog": _backlog(plan, result, span),
        "ceiling": _ceiling(result.ceiling, rate) if result.ceiling else None,
        "bottleneck": asdict(result.verdict) if result.verdict else None,
        "find_max": _find_max(result, result.search) if plan.find_max and result.search else None,
    }
    summary["cost"] = _cost(session, sent, summary)
    summary["cloudwatch"] = result.proof.cloud
    summary["series"] = _series(session, ended_at)
    summary["next_steps"] = runs.next_steps(summary, situation)
    summary["slo"] = judge_slo(plan.slo, summary)
    summary["bounds"] = judge(plan.bounds, summary)
    return summary


def _from_outside(summary: Mapping[str, Any], cloud: Mapping[str, float | None]) -> dict[str, Any]:
    """For a deployed stack, take CloudWatch's figures for what cannot be seen from here; others are null."""
    seen = {name: cloud.get(name) for name in ("throttles", "concurrency_max")}
    whole = {name: None if value is None else round(value) for name, value in seen.items()}
    return {
        "queue": {**summary["queue"], "received": None, "filtered": None},
        "consumer": {**summary["consumer"], **whole, "batch_item_failures": None},
    }


def _refusal(lag: Latency) -> str | None:
    if lag.p99 is None or lag.p99 <= limits.LOAD_LAG_P99_S:
        return None
    return (
        f"the generator sent {lag.p99 * 1000:,.0f} ms late (p99; the limit is {limits.LOAD_LAG_P99_S * 1000:,.0f} ms): "
        "percentiles would measure this machine, not the pipeline; lower the rate or free a core"
    )


def _arrivals(plan: Plan) -> dict[str, Any]:
    sent = {"rows": plan.rows or None, "unit": plan.unit}
    if plan.backlog:
        return {"shape": "backlog", "objects": plan.backlog, **sent}
    if plan.find_max:
        return {"shape": "search", **sent}
    return {
        "shape": plan.profile.name,
        "poisson": plan.poisson,
        **sent,
        "duration_s": plan.profile.duration_s,
        "segments": [asdict(segment) for segment in plan.profile.segments],
    }


def _latencies(result: Result, tap: Tap, span: Span, refusal: str | None) -> dict[str, Sequence[float]]:
    """The reported span's latencies, in order. A slow generator does not affect handler times, so they stay."""
    recording, numbers = result.recording, span.numbers
    seen = {
        "planned_to_stored": recording.latencies(numbers),
        "object_to_stored": recording.queue_latencies(numbers),
        "send": recording.sends(numbers),
    }
    shown = {name: () if refusal else tuple(latencies_s) for name, latencies_s in seen.items()}
    return {**shown, "handler": tap.durations_s[span.durations]}


def _stored_per_s(result: Result, span: Span) -> float | None:
    """Objects stored per second, from the start of the span to the last one; None with fewer than two."""
    stores = result.recording.stored_instants(span.numbers)
    return len(stores) / max(1e-6, stores[-1] - min(span.begun_at, stores[0])) if len(stores) > 1 else None


def _backlog(plan: Plan, result: Result, span: Span) -> dict[str, Any]:
    drained = result.spike or span
    stores = result.recording.stored_instants(drained.numbers)
    peak, peak_at = peak_backlog(result.recording, drained)
    found = {
        "peak": peak,
        "peak_at_s": None if peak_at is None else round(peak_at - _origin_at(result), 3),
        "drain_s": round(max(0.0, stores[-1] - drained.offered_at), 3) if stores and drained.drained else None,
        "drained": all(span.drained and span.drained_at for span in result.spans) if result.spans else None,
    }
    rate = _stored_per_s(result, drained)
    if plan.backlog and rate is not None:
        found["drain_objects_per_s"] = round(rate, 2)
        found["drain_rows_per_s"] = round(rate * plan.rows, 1) or None
        found["last_tenth_to_first"] = _rounded(drain_share(stores), 3)
    return found


def _origin_at(result: Result) -> float:
    """The first planned instant, at which the series begin."""
    return min((at for at in result.recording.planned if not math.isnan(at)), default=0.0)


def _ceiling(ceiling: Ceiling, stored_per_s: float | None) -> dict[str, Any]:
    share = None if stored_per_s is None else stored_per_s / ceiling.objects_per_s
    return {**{name: round(value, 2) for name, value in asdict(ceiling).items()}, "share": _rounded(share, 4)}


def _find_max(result: Result, search: CapacitySearch) -> dict[str, Any]:
    """The answer and its probes; each has its time in seconds from the first planned instant."""
    origin_at = _origin_at(result)
    return {
        "rate_per_s": _rounded(search.answer_per_s, 3),
        "confirmed": search.confirmed,
        "reason": search.reason,
        "probes": [
            {
                "rate_per_s": round(outcome.rate_per_s, 3),
                "stored_per_s": round(outcome.stored_per_s, 3),
                "backlog_growth_per_s": round(outcome.growth_per_s, 3),
                "latency_held": outcome.latency_held,
                "refused": outcome.refused,
                "sustained": outcome.sustained,
                "begin_s": round(span.begun_at - origin_at, 3),
                "end_s": round(span.offered_at - origin_at, 3),
            }
            for outcome, span in zip(search.outcomes, result.spans, strict=False)
        ],
    }


def _cost(session: LoadSession, sent: int, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    plan, tap, table = session.plan, session.tap, summary["table"]
    if plan.copies is not None:
        return None
    totals, memory_mb = tap.totals, wiring(session.stack).consumer.memory_mb
    quantities = {
        **cost.duration(session.stack.parameters, memory_mb, cost.billed_s(tap.durations_s, tap.inits_s)),
        "lambda_requests": totals.ended,
        "s3_put": sent,
        "s3_get": totals.received,
        "sqs": (summary["queue"]["sent"] or 0) + totals.receives + totals.delete_requests,
        "dynamodb_write": table["write_units"] or table["rows_written"] or 0,
        "logs": totals.log_bytes,
    }
    durations_of = "this machine, not AWS Lambda" if plan.local else "AWS Lambda"
    return cost.per_million_rows(summary["stored"] * plan.rows, quantities, durations_of)


def _series(session: LoadSession, ended_at: float) -> dict[str, Any] | None:
    result = session.result
    if not result.spans:
        return None
    end_at = max(span.drained_at or span.offered_at for span in result.spans)
    if math.isnan(end_at):
        end_at = ended_at
    recording = result.recording
    return series.build(recording, recording.all(), session.plan.rows, end_at, session.tap.gauges)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
