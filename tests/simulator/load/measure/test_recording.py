"""Instants of every object, and what is computed from them."""

from __future__ import annotations

import math
import random

import pytest

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


def test_percentiles_hold_three_digits() -> None:
    """Against sorting, over six orders of magnitude, within the histogram's 0.1 %."""
    chance = random.Random(3)
    values = [10 ** chance.uniform(-4, 2) for _ in range(20_000)]
    shown, ordered = percentiles(values), sorted(values)
    assert shown.count == 20_000
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)):
        assert getattr(shown, name) == pytest.approx(ordered[math.ceil(share * 20_000) - 1], rel=2e-3)
    assert shown.max == ordered[-1]
    assert shown.mean == pytest.approx(sum(values) / 20_000)


def test_no_values_make_no_percentiles() -> None:
    """Nothing measured is null, never zero; a clock step below zero counts as zero."""
    assert percentiles([]).as_json() == {
        "count": 0, "mean": None, "p50": None, "p90": None, "p95": None, "p99": None, "p999": None, "max": None,
    }  # fmt: skip
    assert percentiles([-0.5]).max == 0.0


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


def test_the_series_adds_up() -> None:
    """Every slot has its arrivals, stores, rows and latencies; the sums are the run's."""
    recording = Recording()
    numbers = recording.plan([1000 + number / 20 for number in range(600)])
    for number in numbers:
        planned = recording.planned[number]
        recording.fate(number, planned, planned + 0.01, SENT)
        recording.store(number, planned + (0.3 if number < 300 else 3.0))
    series = build(recording, numbers, 100, 1033.0, [Gauge(1010.1, store_cpu=0.5), Gauge(1010.15, store_cpu=0.7)])
    assert series.slot_s == 0.5
    assert sum(series.planned) * series.slot_s == pytest.approx(600)
    assert sum(series.stored) * series.slot_s == pytest.approx(600)
    assert sum(series.rows) * series.slot_s == pytest.approx(60_000)
    assert series.p50[2] == pytest.approx(0.3, rel=1e-3)
    assert series.p50[40] == pytest.approx(3.0, rel=1e-3)
    assert sum(map(sum, series.heat)) == 600
    assert max(series.backlog) == pytest.approx(60, abs=2)
    assert series.gauges["store_cpu"][20] == pytest.approx(0.6)
    assert set(series.gauges) == {"store_cpu"}


@pytest.mark.parametrize("length_s", [1, 30, 59, 600, 3_600, 86_400, 10_000_000])
def test_a_long_run_has_no_more_points_than_a_chart(length_s: float) -> None:
    """From a second to months the number of slots stays within the bound."""
    assert length_s / slot_width(length_s) <= 600
