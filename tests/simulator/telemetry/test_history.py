"""The run's course in bounded memory, and its latencies."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base import limits
from simulator.telemetry.history import Course, Latencies, band, percentiles
from simulator.telemetry.snapshot import LATENCY_BANDS_S


@given(
    st.lists(
        st.tuples(st.floats(0.05, 4.0), st.integers(0, 5000), st.integers(0, 300), st.integers(0, 50)),
        min_size=1,
        max_size=80,
    )
)
def test_no_row_is_lost_whatever_the_resolution(samples: list[tuple[float, int, int, int]]) -> None:
    """However often the resolution was halved, rows and objects add up and the deepest sample is still there."""
    course, at, rows, objects, deepest = Course(1000.0, slots=16), 1000.0, 0, 0, 0
    for length_s, written, visible, in_flight in samples:
        course.add_rows(at, at + length_s, written)
        at += length_s
        course.sample_depth(at, visible, in_flight)
        course.add_latency(at, 0.3)
        rows, objects, deepest = rows + written, objects + 1, max(deepest, visible + in_flight)
    view = course.view(at)
    assert sum(view.rows) == pytest.approx(rows)
    assert sum(map(sum, view.heat)) == objects
    assert max(map(sum, zip(view.visible, view.in_flight, strict=True))) == deepest
    assert len(view.rows) <= 16
    assert view.origin_at == 1000.0


def test_rows_lie_in_the_slots_in_which_they_were_written() -> None:
    """Rows between two samples are spread over the time between, by its share of each slot."""
    course = Course(0.0)
    course.add_rows(0.0, 1.0, 100)
    course.add_rows(1.0, 1.5, 20)
    assert course.view(1.75).rows == pytest.approx((25, 25, 25, 25, 10, 10, 0, 0))


def test_the_last_sample_of_the_depth_holds() -> None:
    """Between two samples the queue is as deep as the last one said."""
    course = Course(0.0)
    course.sample_depth(0.1, 4, 1)
    course.sample_depth(1.1, 0, 0)
    assert course.view(1.2).visible == (4, 4, 4, 4, 4)
    assert course.view(1.6).visible == (4, 4, 4, 4, 4, 0, 0)


def test_an_instant_between_two_samples_is_shown_and_does_not_last() -> None:
    """The slot has its deepest instant; the next one is as deep as the last sample said."""
    course = Course(0.0)
    course.sample_depth(0.1, 4, 1)
    course.glimpse_depth(0.3, 0, 9)
    course.glimpse_depth(0.5, 0, 2)
    view = course.view(0.7)
    assert (view.visible, view.in_flight) == ((4, 0, 4), (1, 9, 1))


def test_a_run_without_end_forgets_its_beginning() -> None:
    """Once it covers what is to be kept, the oldest quarter goes; resolution and memory stay as they are."""
    course = Course(0.0, keep_s=30.0, slots=160)
    for second in range(1000):
        course.add_rows(second, second + 1, 1)
    view = course.view(1000.0)
    assert view.slot_s == 0.25
    assert 30.0 <= 1000.0 - view.origin_at <= 40.0
    assert len(view.rows) <= 160


def test_percentiles_are_exact_to_three_digits() -> None:
    """Of 1 to 1000 ms the percentiles are the ranks themselves; the maximum is exact."""
    latencies = Latencies()
    for number in range(1, 1001):
        latencies.add(number / 1000)
    view = latencies.view()
    assert view.count == 1000
    assert view.p50 == pytest.approx(0.5, rel=2e-3)
    assert view.p90 == pytest.approx(0.9, rel=2e-3)
    assert view.p99 == pytest.approx(0.99, rel=2e-3)
    assert view.max == 1.0


def test_percentiles_never_exceed_the_maximum() -> None:
    """A single value is its own percentile, a negative one counts as zero, one of days as one day."""
    latencies = Latencies()
    latencies.add(-3.0)
    assert latencies.view().max == latencies.view().mean == 0.0
    latencies.add(1e9)
    assert latencies.view().p99 == latencies.view().max == 86_400.0


def test_a_latency_belongs_to_the_band_that_ends_with_it() -> None:
    """A band includes its upper end; what is slower than all ends is in the last band."""
    assert [band(end) for end in LATENCY_BANDS_S] == list(range(len(LATENCY_BANDS_S)))
    assert (band(0.0), band(LATENCY_BANDS_S[0] + 0.001), band(1e6)) == (0, 1, len(LATENCY_BANDS_S))


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


def test_the_dashboard_and_the_summary_have_the_same_percentiles() -> None:
    """Of the same latencies, to the last digit: two figures for one thing agree."""
    chance = random.Random(5)
    held = [chance.lognormvariate(-4, 1.5) for _ in range(300)]
    latencies = Latencies()
    for latency_s in held:
        latencies.add(latency_s)
    live, written = latencies.view(), percentiles(held)
    assert (live.p50, live.p90, live.p99) == pytest.approx((written.p50, written.p90, written.p99), abs=1e-12)
    assert (live.count, live.max) == (written.count, written.max)
