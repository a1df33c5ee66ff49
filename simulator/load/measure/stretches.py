"""A run's latencies in equal stretches, from which `compare` distinguishes changes from chance. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from simulator.telemetry.history import percentiles
from simulator.telemetry.snapshot import Latency

STRETCHES = 12
"""Neighbouring latencies are similar, and so are neighbouring seconds; twelfths of a run are more independent."""
OBJECTS_MIN = 4
"""A stretch with fewer latencies says nothing."""
SHOWN = {"p50": STRETCHES, "p90": STRETCHES, "p99": 8}
"""Each percentile, and the number of stretches for it: a p99 rests on few objects, and needs longer ones."""


def cut(length: int, count: int) -> list[slice]:
    """Slices that cut a sequence into `count` consecutive stretches of nearly equal length."""
    edges = [round(index * length / count) for index in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(edges)]


def of_latencies(latencies_s: Sequence[float]) -> dict[str, list[float]]:
    """Latency of each stretch in seconds, in order of time; empty lists if there are too few latencies."""
    found: dict[int, list[Latency]] = {}
    for most in set(SHOWN.values()):
        count = min(most, len(latencies_s) // OBJECTS_MIN)
        places = cut(len(latencies_s), count) if count else []
        found[most] = [percentiles(latencies_s[place]) for place in places]
    return {name: [round(getattr(each, name), 6) for each in found[most]] for name, most in SHOWN.items()}
