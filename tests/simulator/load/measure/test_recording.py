"""Instants of every object, and what is computed from them."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from simulator.base import limits
from simulator.load.measure.recording import DROPPED, FAILED, SENT, Recording, backlog, drain_share, percentiles
from simulator.load.measure.series import Gauge, build, slot_width


def test_latency_counts_from_the_planned_instant() -> None:
    """An object sent half a second late and stored a second later took a second and a half."""
    recording = Recording()
    numbers = recording.plan([100.0])
    recording.fate(0, 100.5, 100.6, SENT)
    recording.store(0, 101.5)
    assert list(recording.latencies(numbers)) == [1.5]
    assert list(recording.lags(numbers)) == [0.5]
    assert list(recording.sends(numbers)) == [pytest.approx(0.1)]
    assert list(recording.queue_latencies(numbers)) == [pytest.approx(0.9)]


def test_dropped_and_failed_arrivals_are_counted_and_have_no_latency() -> None:
    """They neither vanish nor spoil the percentiles."""
    recording = Recording()
    numbers = recording.plan([1.0, 2.0, 3.0])
    recording.fate(0, 1.0, 1.1, SENT)
    recording.fate(1, None, None, DROPPED)
    recording.fate(2, 3.0, 3.2, FAILED)
    recording.store(0, 1.5)
    assert (recording.dropped, recording.failed, recording.stored_count) == (1, 1, 1)
    assert len(list(recording.latencies(numbers))) == 1
    assert recording.pending(numbers) == 0


def test_a_redelivery_does_not_move_the_stored_instant() -> None:
    """The first return counts; the second is no second object; an unknown number is nobody's."""
    recording = Recording()
    recording.plan([0.0])
    assert recording.store(0, 1.0)
    assert not recording.store(0, 9.0)
    assert not recording.store(5, 1.0)
    assert recording.stored[0] == 1.0


def test_a_fate_is_told_once() -> None:
    """A second report of the same arrival changes nothing."""
    recording = Recording()
    recording.plan([0.0])
    assert recording.fate(0, 0.0, 0.1, SENT)
    assert not recording.fate(0, None, None, DROPPED)
    assert recording.dropped == 0


def test_a_run_that_ends_early_forgets_what_it_only_planned() -> None:
    """Ten planned, four offered: four are left, with their fates."""
    recording = Recording()
    recording.plan(float(number) for number in range(10))
    for number in range(4):
        recording.fate(number, number, number + 0.1, SENT)
    recording.truncate(4)
    assert len(recording) == 4
    assert recording.count(recording.all(), SENT) == 4
    assert not recording.store(5, 1.0)
    assert not recording.fate(5, 1.0, 1.0, SENT)


def test_percentiles_hold_three_digits() -> None:
    """Against sorting, over six orders of magnitude, within the histogram's 0.1 %."""
    chance = random.Random(3)
    values = [10 ** chance.uniform(-4, 2) for _ in range(20_000)]
    shown, ordered = percentiles(values), sorted(values)
    assert shown.count == 20_000
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
        assert getattr(shown, name) == pytest.approx(ordered[math.ceil(share * 20_000) - 1], rel=2e-3)
    assert shown.max == ordered[-1]
    assert shown.mean == pytest.approx(sum(values) / 20_000)


def test_no_values_make_no_percentiles() -> None:
    """Nothing measured is null, never zero; a clock step below zero counts as zero."""
    assert percentiles([]).as_json() == {
        "count": 0, "mean": None, "p50": None, "p90": None, "p95": None, "p99": None, "p999": None, "max": None,
    }  # fmt: skip
    assert percentiles([-0.5]).max == 0.0


def test_percentiles_are_shown_to_the_microsecond() -> None:
    """The histogram knows no less, and the longest is the longest value, not the end of its bucket."""
    shown = percentiles([0.1234564, 0.5]).as_json()
    assert (shown["count"], shown["max"]) == (2, 0.5)
    assert shown["p50"] == pytest.approx(0.1234, rel=1e-3)
    assert percentiles([100.05]).p50 == 100.05
    assert percentiles([0.0, 0.0, 1.0]).p50 == 1e-6
    assert percentiles([2e9]).max == limits.LOAD_LATENCY_LONGEST_S
    assert percentiles([0.00000049]).as_json()["max"] == 0.0


def test_the_first_and_the_last_number_are_known_and_none_beside_them() -> None:
    """A fate or a store is for an object that was planned; a put that failed has no answer to count from."""
    recording = Recording()
    assert recording.plan([1.0, 2.0]) == range(2)
    assert recording.plan([3.0]) == range(2, 3)
    for number in (-1, 3):
        assert not recording.fate(number, 1.0, 1.0, SENT)
        assert not recording.store(number, 1.0)
    assert recording.fate(0, 1.0, 1.25, SENT)
    assert recording.fate(1, 2.0, 2.25, FAILED)
    assert recording.fate(2, 3.0, 3.25, SENT)
    assert recording.put_instants(recording.all()) == [1.25, 3.25]
    assert recording.pending(recording.all()) == 2
    assert recording.store(2, 3.5)
    assert recording.store(0, 4.5)
    assert recording.stored_instants(recording.all()) == [3.5, 4.5]
    assert recording.stored_instants(range(1)) == [4.5]
    assert recording.stored_instants(range(1, 3)) == [3.5]
    assert recording.put_instants(range(2)) == [1.25]
    assert [recording.count(range(1, 2), status) for status in (SENT, FAILED)] == [0, 1]
    assert recording.put_instants(range(1, 3)) == [3.25]
    assert recording.pending(recording.all()) == 0
    assert recording.pending(range(1, 2)) == 0
    assert list(recording.lags(range(1, 3))) == [0.0, 0.0]


def test_what_nobody_planned_is_planned_when_it_is_sent() -> None:
    """A backlog has no instants of its own; an arrival that has keeps them."""
    recording = Recording()
    recording.plan([math.nan, 1.0])
    recording.fate(0, 5.0, 5.5, SENT)
    recording.fate(1, 5.0, None, SENT)
    assert recording.put_instants(recording.all()) == [5.5]
    assert list(recording.planned) == [5.0, 1.0]


def test_the_backlog_is_what_was_put_and_not_stored() -> None:
    """Four puts, two stores: the depth at each instant; a store that precedes its put's answer counts as none."""
    assert backlog([1, 2, 3, 4], [2.5, 5], [0, 2.1, 2.6, 4.5, 6]) == [0, 2, 1, 3, 2]
    assert backlog([2.0], [1.9], [1.95]) == [0]


def test_a_drain_that_slows_down_shows_in_its_last_tenth() -> None:
    """An even drain is 1; one whose last tenth takes twice the time is a half; a short one says nothing."""
    even = [number * 0.1 for number in range(1001)]
    assert drain_share(even) == pytest.approx(1, abs=0.01)
    slowing = [number * 0.1 for number in range(901)]
    slowing += [slowing[-1] + number * 0.2 for number in range(1, 101)]
    assert drain_share(slowing) == pytest.approx(0.5, abs=0.01)
    assert drain_share(even[:99]) is None
    assert drain_share(even[:100]) == pytest.approx(1, abs=0.01)
    assert drain_share([0.0] * 50 + [1.0] * 60) is None
    exact = [*range(11), *(10.0 + number / 10 for number in range(1, 81)), *(18.0 + 2 * n for n in range(1, 10))]
    assert len(exact) == 100
    assert drain_share(exact) == 10 / 18.1
    assert drain_share([128 + at for at in exact]) == pytest.approx(10 / 18.1)


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
    assert series["backlog"] == [0, 1, 2, 1]
    assert series["p50_s"] == [pytest.approx(0.0078125, rel=1e-3), 0.5, None, None]
    assert series["p99_s"] == series["p50_s"]
    counts = series["heat"]["counts"]
    assert [[band for band, count in enumerate(row) if count] for row in counts] == [[0], [5], [], []]
    assert {name: series[name] for name in series if name in ("pollers", "store_cpu")} == {
        "pollers": [1, None, None, 3]
    }


def test_the_heat_bands_end_where_people_count() -> None:
    """A latency of exactly a bound is in its band; one more band is for all that is slower."""
    latencies = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 60.1]
    recording = Recording()
    numbers = recording.plan([0.0] * len(latencies))
    for number, latency_s in enumerate(latencies):
        recording.store(number, latency_s)
    assert build(recording, numbers, 1, 0.25)["heat"]["counts"] == [[1] * 13]


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
