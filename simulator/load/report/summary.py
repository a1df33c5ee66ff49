"""The load test's summary, `stockpipe.load/1`: the run's schema plus what a load test measures.

`build` only arranges what was recorded; nothing is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simulator.base import limits
from simulator.load.measure import cost
from simulator.load.measure.assess import peak_backlog
from simulator.load.measure.recording import SENT, Percentiles, drain_share, percentiles
from simulator.load.measure.result import Result, Span
from simulator.load.measure.series import build as build_series
from simulator.load.measure.tap import Tap
from simulator.load.plan.plan import Plan
from simulator.load.plan.slo import judge_slo
from simulator.run import summary as runs
from simulator.stack.model import Stack
from simulator.telemetry.snapshot import Snapshot

SCHEMA = "stockpipe.load/1"


def build(
    snapshot: Snapshot,
    plan: Plan,
    result: Result,
    tap: Tap,
    stack: Stack,
    *,
    options: Mapping[str, Any],
    ended_at: float,
) -> dict[str, Any]:
    """Everything, with null where a figure does not exist. `slo` is judged last, on the summary itself."""
    recording = result.recording
    everything = recording.all()
    sent = recording.count(everything, SENT)
    summary = runs.build(
        snapshot,
        audit=result.audit,
        resources=result.resources.as_json() if result.resources else None,
        options=options,
        ended_at=ended_at,
        interrupted=result.interrupted,
        source_rows=sent * plan.rows,
        schema=SCHEMA,
    )
    if not plan.audited:
        summary["audit"] = None
    span = result.span or (result.spans[-1] if result.spans else Span(range(0), ended_at, ended_at))
    lag = percentiles(recording.lags(span.numbers)) if not plan.backlog else Percentiles()
    refusal = _refusal(lag)
    summary["arrivals"] = _arrivals(plan)
    summary["planned"] = len(recording)
    summary["sent"] = sent
    summary["dropped"] = recording.dropped
    summary["failed"] = recording.failed
    summary["failures"] = result.failures
    summary["stored"] = recording.stored_count
    summary["generator_lag_s"] = lag.as_json()
    summary["generator_cpu"] = _share(result.generator_cpu_s, result.generator_wall_s)
    summary["latency_s"] = _latencies(result, tap, span, refusal)
    summary["latency_refused"] = refusal
    summary["throughput"].update(_throughput(result, span))
    summary["backlog"] = _backlog(plan, result, span)
    summary["ceiling"] = _ceiling(result, span)
    summary["bottleneck"] = result.verdict.as_json() if result.verdict else None
    summary["find_max"] = _find_max(result) if plan.find_max else None
    bill = cost.per_million_rows(_work(stack, result, tap, summary), _duration_of(plan))
    summary["cost"] = bill.as_json() if bill else None
    summary["cloudwatch"] = result.cloud
    summary["series"] = _series(result, tap, plan, ended_at)
    judged = judge_slo(plan.slo, summary)
    summary["slo"] = [threshold.as_json() for threshold in judged]
    return summary


def _refusal(lag: Percentiles) -> str | None:
    if lag.p99 is None or lag.p99 <= limits.LOAD_LAG_P99_S:
        return None
    return (
        f"the generator sent {lag.p99 * 1000:,.0f} ms late (p99; the limit is {limits.LOAD_LAG_P99_S * 1000:,.0f} ms): "
        "percentiles would measure this machine, not the pipeline; lower the rate or free a core"
    )


def _arrivals(plan: Plan) -> dict[str, Any]:
    if plan.backlog:
        return {"shape": "backlog", "objects": plan.backlog, "rows": plan.rows}
    if plan.find_max:
        return {"shape": "search", "rows": plan.rows}
    return {
        "shape": plan.profile.name,
        "poisson": plan.poisson,
        "rows": plan.rows,
        "duration_s": plan.profile.duration_s,
        "segments": [
            {"duration_s": segment.duration_s, "from_per_s": segment.from_per_s, "to_per_s": segment.to_per_s}
            for segment in plan.profile.segments
        ],
    }


def _latencies(result: Result, tap: Tap, span: Span, refusal: str | None) -> dict[str, Any]:
    """Percentiles of the reported span; the handler's own time does not depend on the generator: never refused."""
    recording, numbers = result.recording, span.numbers
    nothing = Percentiles()
    refused = refusal is not None
    return {
        "planned_to_stored": (nothing if refused else percentiles(recording.latencies(numbers))).as_json(),
        "object_to_stored": (nothing if refused else percentiles(recording.queue_latencies(numbers))).as_json(),
        "send": (nothing if refused else percentiles(recording.sends(numbers))).as_json(),
        "handler": percentiles(tap.durations_s[span.durations]).as_json(),
    }


def _throughput(result: Result, span: Span) -> dict[str, float | None]:
    stores = result.recording.stored_instants(span.numbers)
    if len(stores) < 2:
        return {"objects_per_s_mean": None}
    length_s = max(1e-6, stores[-1] - min(span.begun_at, stores[0]))
    return {"objects_per_s_mean": round(len(stores) / length_s, 2)}


def _backlog(plan: Plan, result: Result, span: Span) -> dict[str, Any]:
    drained = result.spike or span
    stores = result.recording.stored_instants(drained.numbers)
    peak, peak_at = peak_backlog(result.recording, drained)
    drain_s = max(0.0, stores[-1] - drained.offered_at) if stores and drained.drained else None
    found = {
        "peak": peak,
        "peak_at_s": None if peak_at is None else round(peak_at - _origin_at(result), 3),
        "drain_s": None if drain_s is None else round(drain_s, 3),
        "drained": all(span.drained for span in result.spans) if result.spans else None,
    }
    if plan.backlog and len(stores) > 1:
        rate = len(stores) / max(1e-6, stores[-1] - drained.begun_at)
        share = drain_share(stores)
        found["drain_objects_per_s"] = round(rate, 2)
        found["drain_rows_per_s"] = round(rate * plan.rows, 1)
        found["last_tenth_to_first"] = None if share is None else round(share, 3)
    return found


def _ceiling(result: Result, span: Span) -> dict[str, Any] | None:
    if not result.ceiling:
        return None
    stores = result.recording.stored_instants(span.numbers)
    length_s = max(1e-6, stores[-1] - span.begun_at) if len(stores) > 1 else None
    share = len(stores) / length_s / result.ceiling["objects_per_s"] if length_s else None
    return {
        **{name: round(value, 2) for name, value in result.ceiling.items()},
        "share": None if share is None else round(share, 4),
    }


def _find_max(result: Result) -> dict[str, Any] | None:
    search = result.search
    if search is None:
        return None
    return {
        "rate_per_s": None if search.answer_per_s is None else round(search.answer_per_s, 3),
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
            }
            for outcome in search.outcomes
        ],
    }


def _work(stack: Stack, result: Result, tap: Tap, summary: Mapping[str, Any]) -> cost.Work:
    consumer, totals = tap.wiring.consumer, tap.totals
    queue, table = summary["queue"], summary["table"]
    sent = queue["sent"] or 0
    architecture: Any = stack.parameters.get("Architecture", "arm64")
    return cost.Work(
        rows=result.recording.stored_count * (summary["arrivals"]["rows"] or 0),
        puts=result.recording.count(result.recording.all(), SENT),
        gets=totals.received,
        queue_requests=sent + totals.receives + totals.delete_requests,
        invocations=totals.ended,
        billed_s=cost.billed_s(tap.durations_s, tap.inits_s),
        memory_mb=consumer.memory_mb,
        architecture="x86_64" if architecture == "x86_64" else "arm64",
        write_units=float(table["write_units"] or table["rows_written"] or 0),
        log_bytes=totals.log_bytes,
    )


def _duration_of(plan: Plan) -> str:
    return "AWS Lambda" if plan.target == "stack" else "this machine, not AWS Lambda"


def _series(result: Result, tap: Tap, plan: Plan, ended_at: float) -> dict[str, Any] | None:
    if not result.spans:
        return None
    end_at = max((span.drained_at or span.offered_at for span in result.spans), default=ended_at)
    if math.isnan(end_at):
        end_at = ended_at
    return build_series(result.recording, result.recording.all(), plan.rows, end_at, tap.gauges).as_json()


def _origin_at(result: Result) -> float:
    planned = [at for at in result.recording.planned if not math.isnan(at)]
    return min(planned, default=0.0)


def _share(cpu_s: float, wall_s: float) -> float | None:
    return round(cpu_s / wall_s, 4) if wall_s > 0 else None
