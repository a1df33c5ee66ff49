"""The run's course in bounded memory, and its latencies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.telemetry.history import Course, Latencies, band
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
    assert latencies.view().max == 0.0
    latencies.add(1e9)
    assert latencies.view().p99 == latencies.view().max == 86_400.0


def test_a_latency_belongs_to_the_band_that_ends_with_it() -> None:
    """A band includes its upper end; what is slower than all ends is in the last band."""
    assert [band(end) for end in LATENCY_BANDS_S] == list(range(len(LATENCY_BANDS_S)))
    assert (band(0.0), band(LATENCY_BANDS_S[0] + 0.001), band(1e6)) == (0, 1, len(LATENCY_BANDS_S))
