"""A run's latencies in equal stretches."""

from __future__ import annotations

from array import array

import pytest

from simulator.load.measure.stretches import cut, of_latencies


@pytest.mark.parametrize(
    ("length", "count", "lengths"), [(24, 12, [2] * 12), (5, 2, [2, 3]), (10, 4, [2, 3, 3, 2]), (0, 1, [0])]
)
def test_a_sequence_is_cut_evenly(length: int, count: int, lengths: list[int]) -> None:
    """In order, nothing twice and nothing left out."""
    places = cut(length, count)
    assert [index for place in places for index in range(length)[place]] == list(range(length))
    assert [len(range(length)[place]) for place in places] == lengths


@pytest.mark.parametrize(("latencies", "stretches"), [(0, 0), (3, 0), (4, 1), (47, 11), (48, 12), (600, 12)])
def test_a_stretch_has_four_latencies_at_least(latencies: int, stretches: int) -> None:
    """And there are twelve at most, or eight for a p99, which needs longer ones."""
    found = of_latencies([0.1] * latencies)
    lengths = {"p50": stretches, "p90": stretches, "p99": min(stretches, 8)}
    assert {name: len(values) for name, values in found.items()} == lengths


def test_each_stretch_has_its_own_percentiles() -> None:
    """In the order of time, to the microsecond."""
    found = of_latencies(array("d", [0.1] * 40 + [0.2] * 36 + [0.9] * 4))
    assert found["p50"][:6] == pytest.approx([0.1] * 6, rel=0.001)
    assert found["p50"][6:11] == pytest.approx([0.2] * 5, rel=0.001)
    assert found["p99"][-1] == pytest.approx(0.9, rel=0.001)
