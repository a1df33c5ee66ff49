"""Thresholds of a load test, such as `p99<5s` or `objects_per_s>20`: bounds on a run's figures and its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.run import bounds
from simulator.run.bounds import SummaryBound, SummaryFigure, numeric, timed

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


def judge_slo(thresholds: Iterable[SummaryBound], summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The summary's `slo`: each threshold, its figure's value (None: not measured), and whether it held."""
    return [
        {"threshold": judged["bound"], "value": judged["value"], "held": judged["held"]}
        for judged in bounds.judge(thresholds, summary)
    ]
