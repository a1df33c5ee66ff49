"""A run's course in equal slots of time."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from simulator.load.measure.recording import DROPPED, SENT, Recording
from simulator.load.measure.series import Gauge, build, slot_width


def test_the_series_adds_up() -> None:
    """Every slot has its arrivals, stores, rows and latencies; the sums are the run's."""
    recording = Recording()
    numbers = recording.plan([1000 + number / 20 for number in range(600)])
    for number in numbers:
        planned = recording.planned[number]
        recording.fate(number, planned, planned + 0.01, SENT)
        recording.store(number, planned + (0.3 if number < 300 else 3.0))
    series = build(recording, numbers, 100, 1033.0, [Gauge(1010.1, store_cpu=0.5), Gauge(1010.15, store_cpu=0.7)])
    assert series["slot_s"] == 0.5
    assert sum(series["planned_per_s"]) * 0.5 == pytest.approx(600)
    assert sum(series["stored_per_s"]) * 0.5 == pytest.approx(600)
    assert sum(series["rows_per_s"]) * 0.5 == pytest.approx(60_000)
    assert series["p50_s"][2] == pytest.approx(0.3, rel=1e-3)
    assert series["p50_s"][40] == pytest.approx(3.0, rel=1e-3)
    assert sum(map(sum, series["heat"]["counts"])) == 600
    assert max(series["backlog"]) == pytest.approx(60, abs=2)
    assert series["store_cpu"][20] == pytest.approx(0.6)
    assert not {"handler_cpu", "generator_cpu"} & set(series)


def test_each_object_counts_in_the_slots_of_its_instants() -> None:
    """Exactly: what is planned, sent, stored and waiting in each quarter of a second; who was never sent counts too."""
    recording = Recording()
    numbers = recording.plan([100.0, 100.25, 100.3, 100.5, math.nan])
    recording.fate(0, 100.0, 100.0078125, SENT)
    recording.store(0, 100.0078125)
    recording.fate(1, 100.3, 100.35, SENT)
    recording.store(1, 100.75)
    recording.fate(2, None, None, DROPPED)
    recording.fate(3, 100.5, 100.5, SENT)
    gauges = [Gauge(99.9, store_cpu=9.0), Gauge(100.0, pollers=1), Gauge(100.75, pollers=3), Gauge(101.0, pollers=9)]
    series = build(recording, numbers, 10, 101.0, gauges)
    assert (series["slot_s"], series["t_s"]) == (0.25, [0.0, 0.25, 0.5, 0.75])
    assert series["planned_per_s"] == [4, 8, 4, 0]
    assert series["sent_per_s"] == [4, 4, 4, 0]
    assert series["stored_per_s"] == [4, 0, 0, 4]
    assert series["rows_per_s"] == [40, 0, 0, 40]
    assert series["backlog"] == [0, 1, 2, 2]
    assert series["p50_s"] == [pytest.approx(0.0078125, rel=1e-3), 0.5, None, None]
    assert series["p99_s"] == series["p50_s"]
    counts = series["heat"]["counts"]
    assert [[band for band, count in enumerate(row) if count] for row in counts] == [[0], [5], [], []]
    assert {name: series[name] for name in series if name in Gauge.__slots__} == {"pollers": [1, None, None, 3]}


def test_the_heat_bands_end_where_people_count() -> None:
    """A latency of exactly a bound is in its band, and what is just above is in the next; one is for all the rest."""
    bounds_s = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0]
    recording = Recording()
    numbers = recording.plan([0.0] * 24)
    for number, latency_s in enumerate([*bounds_s, *(bound_s * 1.01 for bound_s in bounds_s)]):
        recording.store(number, latency_s)
    assert build(recording, numbers, 1, 0.25)["heat"] == {"bounds_s": bounds_s, "counts": [[1, *[2] * 11, 1]]}


def test_only_the_numbers_asked_for_count() -> None:
    """Those before and behind belong to other phases, and one without an instant hides none."""
    recording = Recording()
    recording.plan([50.0, math.nan, 100.0, 100.25, 75.0])
    recording.store(3, 200.0)
    series = build(recording, range(1, 4), 1, 100.5)
    assert (series["planned_per_s"], series["stored_per_s"]) == ([4, 4], [0, 4])


def test_the_summary_rounds_what_it_shows() -> None:
    """Rates to two digits, times and gauges to what they are known to."""
    recording = Recording()
    numbers = recording.plan([0.0, 17_000.0])
    recording.fate(0, 0.0, 0.0, SENT)
    recording.store(0, 1 / 3)
    series = build(recording, numbers, 10, 17_010.0, [Gauge(1.0, store_cpu=1 / 3)])
    assert series["slot_s"] == 30
    assert (series["planned_per_s"][0], series["sent_per_s"][0], series["rows_per_s"][0]) == (0.03, 0.03, 0.33)
    assert series["stored_per_s"][0] == 0.03
    assert series["p50_s"][:2] == series["p99_s"][:2] == [0.333333, None]
    assert series["store_cpu"][:2] == [0.333, None]


def test_an_empty_run_has_one_empty_slot() -> None:
    """Nothing planned: the end is the beginning."""
    series = build(Recording(), range(0), 10, 100.0)
    assert (series["t_s"], series["slot_s"], series["planned_per_s"], series["backlog"]) == ([0.0], 0.25, [0], [0])


@pytest.mark.parametrize(
    ("length_s", "width_s"),
    [(30, 0.25), (30.1, 0.5), (60, 0.5), (60.1, 1), (360_001, 1200)]
    + [
        (points_s * 600 + more, width_s)
        for points_s, following in pairwise((1, 2, 5, 10, 20, 30, 60, 120, 300, 600))
        for more, width_s in ((0, points_s), (1, following))
    ],
)
def test_a_slot_is_as_fine_as_the_chart_allows(length_s: float, width_s: float) -> None:
    """120 slots below a second, 600 from a second on."""
    assert slot_width(length_s) == width_s


@pytest.mark.parametrize("length_s", [1, 30, 59, 600, 3_600, 86_400, 10_000_000])
def test_a_long_run_has_no_more_points_than_a_chart(length_s: float) -> None:
    """From a second to months the number of slots stays within the bound."""
    assert length_s / slot_width(length_s) <= 600
