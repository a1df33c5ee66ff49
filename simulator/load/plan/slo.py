"""Thresholds of a load test, such as `p99<5s` or `objects_per_s>20`: bounds on a run's figures and its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.base.errors import InputError
from simulator.load.plan.plan import Plan
from simulator.run import bounds
from simulator.run.bounds import Path, SummaryBound, SummaryFigure, numeric, timed

PERCENTILES = {
    "mean": "mean",
    "p50": "median",
    "p90": "90th percentile",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "p999": "99.9th percentile",
    "max": "longest",
}
"""The figures of each distribution in the summary, and their names in words."""
_DISTRIBUTIONS = {
    "": ("latency_s.planned_to_stored", "from planned to stored"),
    "object_to_stored_": ("latency_s.object_to_stored", "from put to stored"),
    "send_": ("latency_s.send", "from put to its answer"),
    "handler_": ("latency_s.handler", "an invocation of the consumer"),
    "lag_": ("generator_lag_s", "from planned to sent"),
}
FIGURES: Mapping[str, SummaryFigure] = {
    **bounds.FIGURES,
    **{
        f"{prefix}{name}": timed(f"{path}.{name}", f"{what}, {words}")
        for prefix, (path, what) in _DISTRIBUTIONS.items()
        for name, words in PERCENTILES.items()
    },
    "drain": timed("backlog.drain_s", "from the last arrival to the last object stored"),
    "drain_objects_per_s": numeric(
        "backlog.drain_objects_per_s", "objects/s", "objects per second while a backlog drained"
    ),
    "drain_rows_per_s": numeric("backlog.drain_rows_per_s", "rows/s", "rows per second while a backlog drained"),
    "objects_per_s": numeric("throughput.objects_per_s_mean", "objects/s", "objects per second, mean"),
    "max_rate": numeric("find_max.rate_per_s", "objects/s", "objects per second, the highest rate that held"),
    "backlog": numeric("backlog.peak", "object", "objects put and not yet stored, at most"),
    "planned": numeric("planned", "object", "objects planned"),
    "stored": numeric("stored", "object", "objects stored", "planned"),
    "dropped": numeric("dropped", "arrival", "arrivals that found no sender free", "planned"),
    "failed": numeric("failed", "put", "puts that failed", "planned"),
    "cost": numeric("cost.usd_per_million_rows", "USD", "USD per million rows on AWS"),
}
"""Every figure of a load test's summary that a threshold may name."""


def bounds_latency(bound: SummaryBound) -> bool:
    """Whether this is an upper bound on planned-to-stored latency, which the capacity search needs."""
    return bound.operator in ("<", "<=") and bound.figure in PERCENTILES


def require_measured(plan: Plan) -> None:
    """Raise `InputError` for the first threshold on a figure that a run by this plan cannot have."""
    for bound in plan.slo:
        if reason := _unmeasured(bound.of.path, plan):
            raise InputError(f"--slo: '{bound.text}' cannot be judged, because {reason[0]}", hint=reason[1])


def _unmeasured(path: Path, plan: Plan) -> tuple[str, str] | None:
    """Why no run by this plan has a figure, and what to do; None if one may have it."""
    if plan.copies is not None and (path[0] in ("audit", "cost") or path == ("backlog", "drain_rows_per_s")):
        return "only the pipeline's rows are known", "leave out this bound"
    if path[0] == "audit" and not plan.audited:
        return _UNAUDITED.get(plan.target, ("--audit none reads no rows", "leave out --audit none, or this bound"))
    if path in _OF_THE_WHOLE_TABLE and plan.audit == "sample":
        return "--audit sample does not count the whole table", "use --audit full, or leave out this bound"
    if path in _UNSEEN_ON_AWS and plan.target == "stack":
        return "nobody outside a deployed stack can see this figure", "leave out this bound"
    if path[0] == "find_max" and not plan.find_max:
        return "only a search has a highest rate", "add --find-max, or leave out this bound"
    if path in _OF_A_BACKLOG and not plan.backlog:
        return "only a backlog has this rate", "add --backlog N, or leave out this bound"
    if path[0] == "generator_lag_s" and plan.backlog:
        return "with --backlog nothing is planned by the clock", "leave out this bound"
    return None


_UNAUDITED = {
    "sink": ("the sink keeps no rows to audit", "use --target store, or leave out this bound"),
    "stack": ("stockpipe verify audits a deployed stack", "leave out this bound, and run stockpipe verify afterwards"),
}
_OF_THE_WHOLE_TABLE = {("audit", name) for name in ("parsed_rows", "expected_rows", "stored_rows", "extra")}
_UNSEEN_ON_AWS = {
    ("queue", "received"),
    ("queue", "filtered"),
    ("consumer", "batch_item_failures"),
    ("throughput", "rows_per_s_max"),
}
_OF_A_BACKLOG = {("backlog", "drain_objects_per_s"), ("backlog", "drain_rows_per_s")}


def judge_slo(thresholds: Iterable[SummaryBound], summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The summary's `slo`: each threshold, its figure's value (None: not measured), and whether it held."""
    return [
        {"threshold": judged["bound"], "value": judged["value"], "held": judged["held"]}
        for judged in bounds.judge(thresholds, summary)
    ]
