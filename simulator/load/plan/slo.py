"""Thresholds on a load test's figures: `p99<5s`, `rows_per_s>2000`. Parsing and judging; no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.base.errors import InputError

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_FORM = re.compile(r"\s*([a-z_][a-z0-9_.]*)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*([a-z%/]*)\s*")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}


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
class Threshold:
    """One bound. `text` is how it was written, `limit` in seconds where the figure is a time."""

    text: str
    figure: str
    operator: str
    limit: float

    def holds(self, value: float | None) -> bool:
        """A figure that does not exist keeps no promise."""
        return value is not None and _OPERATORS[self.operator](value, self.limit)

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
    found = _FORM.fullmatch(text)
    if not found:
        raise InputError(f"--slo '{text}' is no threshold; write for example 'p99<5s' or 'rows_per_s>2000'")
    figure, operator, number, unit = found.groups()
    if figure not in FIGURES:
        raise InputError(f"--slo '{text}': there is no figure '{figure}'; there are {', '.join(FIGURES)}")
    kind = FIGURES[figure][0]
    if kind == "s" and unit not in _UNITS_S:
        raise InputError(f"--slo '{text}': {figure} is a time; give it a unit, as in {figure}{operator}{number}s")
    if kind != "s" and unit:
        raise InputError(f"--slo '{text}': {figure} is a bare number; write {figure}{operator}{number}")
    return Threshold(text.strip(), figure, operator, float(number) * (_UNITS_S[unit] if kind == "s" else 1.0))


def judge_slo(thresholds: tuple[Threshold, ...], summary: Mapping[str, Any]) -> tuple[Judged, ...]:
    """Each threshold against a summary."""
    judged = []
    for threshold in thresholds:
        value = FIGURES[threshold.figure][1](summary)
        judged.append(Judged(threshold, value, threshold.holds(value)))
    return tuple(judged)
