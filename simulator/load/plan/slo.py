"""Thresholds on a load test's figures: `p99<5s`, `rows_per_s>2000`. Parsing and judging; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.base.errors import InputError
from simulator.base.quantities import Bound, parse_bound, parse_duration


def _at(*path: str) -> Callable[[Mapping[str, Any]], float | None]:
    def read(summary: Mapping[str, Any]) -> float | None:
        held: Any = summary
        for name in path:
            held = held.get(name) if isinstance(held, Mapping) else None
        return held if isinstance(held, int | float) and not isinstance(held, bool) else None

    return read


_STORED = ("latency_s", "planned_to_stored")
FIGURES: dict[str, tuple[str, Callable[[Mapping[str, Any]], float | None]]] = {
    **{name: ("s", _at(*_STORED, name)) for name in ("mean", "p50", "p90", "p95", "p99", "p999", "max")},
    **{f"send_{name}": ("s", _at("latency_s", "send", name)) for name in ("p50", "p90", "p99", "max")},
    **{f"handler_{name}": ("s", _at("latency_s", "handler", name)) for name in ("p50", "p90", "p99", "max")},
    "lag_p99": ("s", _at("generator_lag_s", "p99")),
    "drain": ("s", _at("backlog", "drain_s")),
    "rows_per_s": ("", _at("throughput", "rows_per_s_mean")),
    "objects_per_s": ("", _at("throughput", "objects_per_s_mean")),
    "max_rate": ("", _at("find_max", "rate_per_s")),
    "backlog": ("", _at("backlog", "peak")),
    "dropped": ("", _at("dropped")),
    "failed": ("", _at("failed")),
    "errors": ("", _at("consumer", "errors")),
    "throttles": ("", _at("table", "throttled_requests")),
    "dead_lettered": ("", _at("queue", "dead_lettered")),
    "cost": ("", _at("cost", "usd_per_million_rows")),
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


@dataclass(frozen=True, slots=True)
class Judged:
    """A threshold against a run: the figure it met (None: not measured), and whether it held."""

    threshold: Threshold
    value: float | None
    held: bool

    def as_json(self) -> dict[str, Any]:
        """One entry of the summary's `slo`."""
        return {"threshold": self.threshold.text, "value": self.value, "held": self.held}


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


def judge_slo(thresholds: tuple[Threshold, ...], summary: Mapping[str, Any]) -> tuple[Judged, ...]:
    """Each threshold against a summary."""
    judged = []
    for threshold in thresholds:
        value = FIGURES[threshold.figure][1](summary)
        judged.append(Judged(threshold, value, threshold.holds(value)))
    return tuple(judged)
