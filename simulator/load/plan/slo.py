"""Thresholds on a load test's figures: `p99<5s`, `rows_per_s>2000`. Parsing and judging; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.base.errors import InputError
from simulator.base.quantities import Bound, parse_bound, parse_duration


def number_at(summary: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    """The number at a path of names into a summary; None if there is none."""
    held: Any = summary
    for name in path:
        held = held.get(name) if isinstance(held, Mapping) else None
    return held if isinstance(held, int | float) and not isinstance(held, bool) else None


PERCENTILES = ("mean", "p50", "p90", "p95", "p99", "p999", "max")
FIGURES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{name: ("s", ("latency_s", "planned_to_stored", name)) for name in PERCENTILES},
    **{f"send_{name}": ("s", ("latency_s", "send", name)) for name in ("p50", "p90", "p99", "max")},
    **{f"handler_{name}": ("s", ("latency_s", "handler", name)) for name in ("p50", "p90", "p99", "max")},
    "lag_p99": ("s", ("generator_lag_s", "p99")),
    "drain": ("s", ("backlog", "drain_s")),
    "rows_per_s": ("", ("throughput", "rows_per_s_mean")),
    "objects_per_s": ("", ("throughput", "objects_per_s_mean")),
    "max_rate": ("", ("find_max", "rate_per_s")),
    "backlog": ("", ("backlog", "peak")),
    "dropped": ("", ("dropped",)),
    "failed": ("", ("failed",)),
    "errors": ("", ("consumer", "errors")),
    "throttles": ("", ("table", "throttled_requests")),
    "dead_lettered": ("", ("queue", "dead_lettered")),
    "cost": ("", ("cost", "usd_per_million_rows")),
}
"""Every figure a threshold may name: its unit (seconds or a bare number) and where the summary has it."""


@dataclass(frozen=True, slots=True)
class Threshold(Bound):
    """One bound, and how it was written. Its limit is in seconds where the figure is a time."""

    text: str

    @property
    def bounds_latency(self) -> bool:
        """Whether it is an upper bound on planned-to-stored latency, which the capacity search needs."""
        return self.operator in ("<", "<=") and FIGURES[self.figure][0] == "s" and "_" not in self.figure


def parse(text: str) -> Threshold:
    """`p99<5s`, `rows_per_s>2000`; `InputError` says what is wrong and how to write it."""

    def limit_of(figure: str, limit: str) -> float:
        if figure not in FIGURES:
            raise InputError(f"--slo '{text}': there is no figure '{figure}'; there are {', '.join(FIGURES)}")
        is_time = FIGURES[figure][0] == "s"
        try:
            return parse_duration(limit) if is_time else float(limit)
        except ValueError:
            wanted = f"a time; give it a unit, as in {figure}<5s" if is_time else f"a bare number; write {figure}>5"
            raise InputError(f"--slo '{text}': {figure} is {wanted}") from None

    try:
        bound = parse_bound(text, limit_of)
    except ValueError:
        bound = None
    if bound is None or bound.operator in ("==", "!="):
        raise InputError(f"--slo '{text}' is no threshold; write for example 'p99<5s' or 'rows_per_s>2000'")
    return Threshold(bound.figure, bound.operator, bound.limit, text.strip())


def judge_slo(thresholds: tuple[Threshold, ...], summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The summary's `slo`: each threshold, the figure it met (None: not measured), and whether it held."""
    values = [number_at(summary, FIGURES[threshold.figure][1]) for threshold in thresholds]
    return [
        {"threshold": threshold.text, "value": value, "held": threshold.holds(value)}
        for threshold, value in zip(thresholds, values, strict=True)
    ]
