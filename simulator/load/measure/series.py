"""A run over time, in equal slots: the report draws these series, and `compare` compares them. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

from simulator.base import limits
from simulator.load.measure.recording import SENT, Recording, deepest
from simulator.telemetry.history import percentiles

HEAT_BOUNDS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""The upper ends of the heat map's latency bands; one more band has everything slower."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One sample of the figures that are not derived from objects' instants."""

    at: float
    store_cpu: float | None = None
    handler_cpu: float | None = None
    generator_cpu: float | None = None
    concurrency: int | None = None
    pollers: int | None = None
    machine_load: float | None = None


def build(
    recording: Recording, numbers: range, rows: int, end_at: float, gauges: Sequence[Gauge] = ()
) -> dict[str, Any]:
    """The summary's `series`: `numbers`, of `rows` rows each, from the first planned instant to `end_at`.

    All columns have the same length; slot i covers `slot_s` seconds from `t_s[i]` on. Rates are per second. Latencies,
    `planned_per_s` and `sent_per_s` count in the slot of the planned instant, `stored_per_s` and `rows_per_s` in the
    slot in which objects were stored. `backlog` is the deepest in each slot. `heat` has one row per slot and one column
    per band of `HEAT_BOUNDS_S`. A sampled gauge is a column of means.
    """
    planned = [at for at in recording.planned[numbers.start : numbers.stop] if not math.isnan(at)]
    origin_at = min(planned, default=end_at)
    length_s = max(1e-3, end_at - origin_at)
    slot_s = slot_width(length_s)
    slots = max(1, math.ceil(length_s / slot_s - 1e-9))

    def slot(at: float) -> int:
        return min(slots - 1, max(0, int((at - origin_at) / slot_s)))

    planned_counts, sent_counts, stored_counts = ([0] * slots for _ in range(3))
    latencies: list[list[float]] = [[] for _ in range(slots)]
    heat = [[0] * (len(HEAT_BOUNDS_S) + 1) for _ in range(slots)]
    for number in numbers:
        planned_at, stored_at = recording.planned[number], recording.stored[number]
        if math.isnan(planned_at):
            continue
        at = slot(planned_at)
        planned_counts[at] += 1
        sent_counts[at] += recording.status[number] == SENT
        if not math.isnan(stored_at):
            stored_counts[slot(stored_at)] += 1
            latencies[at].append(stored_at - planned_at)
            heat[at][bisect_left(HEAT_BOUNDS_S, stored_at - planned_at)] += 1
    shown = [percentiles(held) for held in latencies]
    edges = [origin_at + index * slot_s for index in range(slots)] + [math.inf]
    depths = deepest(recording.put_instants(numbers), recording.stored_instants(numbers), edges)
    return {
        "slot_s": slot_s,
        "t_s": [slot * slot_s for slot in range(slots)],
        "planned_per_s": [round(count / slot_s, 2) for count in planned_counts],
        "sent_per_s": [round(count / slot_s, 2) for count in sent_counts],
        "stored_per_s": [round(count / slot_s, 2) for count in stored_counts],
        "rows_per_s": [round(count * rows / slot_s, 2) for count in stored_counts],
        "backlog": [depth for depth, _ in depths],
        "p50_s": _rounded((latency.p50 for latency in shown), 6),
        "p99_s": _rounded((latency.p99 for latency in shown), 6),
        **_gauges(gauges, origin_at, slot_s, slots),
        "heat": {"bounds_s": list(HEAT_BOUNDS_S), "counts": heat},
    }


def slot_width(length_s: float) -> float:
    """The finest of 0.25, 0.5, 1, 2, 5, ... seconds with which a run stays within the limit on points."""
    for width_s in (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600):
        if length_s / width_s <= (120 if width_s < 1 else limits.LOAD_SERIES_POINTS):
            return float(width_s)
    return math.ceil(length_s / limits.LOAD_SERIES_POINTS / 600) * 600.0


def _gauges(gauges: Sequence[Gauge], origin_at: float, slot_s: float, slots: int) -> dict[str, list[float | None]]:
    columns = {}
    for name in (each.name for each in fields(Gauge) if each.name != "at"):
        held: list[list[float]] = [[] for _ in range(slots)]
        for gauge in gauges:
            value, index = getattr(gauge, name), math.floor((gauge.at - origin_at) / slot_s)
            if value is not None and 0 <= index < slots:
                held[index].append(value)
        if any(held):
            columns[name] = _rounded((fmean(values) if values else None for values in held), 3)
    return columns


def _rounded(values: Iterable[float | None], digits: int) -> list[float | None]:
    return [None if value is None else round(value, digits) for value in values]
