"""A run's latencies in a dozen equal stretches: what tells a change of the code from chance between two runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from simulator.load.measure.recording import percentiles

STRETCHES = 12
"""Neighbouring latencies resemble each other, and so do neighbouring seconds; a twelfth of a run resembles less."""
OBJECTS_MIN = 4
"""A stretch of fewer says nothing."""
SHOWN = ("p50", "p90", "p99")


def cut(length: int, count: int) -> list[slice]:
    """The places of `count` stretches of a sequence, as equal as they can be and in order."""
    edges = [round(index * length / count) for index in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(edges)]


def of_latencies(latencies_s: Sequence[float]) -> dict[str, list[float]]:
    """Percentiles of each stretch in seconds, in the order of time; empty lists where there are too few latencies."""
    count = min(STRETCHES, len(latencies_s) // OBJECTS_MIN)
    found = [percentiles(latencies_s[place]) for place in cut(len(latencies_s), count)] if count else []
    return {name: [round(getattr(each, name), 6) for each in found] for name in SHOWN}
