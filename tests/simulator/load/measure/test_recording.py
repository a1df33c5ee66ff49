"""Instants of every object, and what is computed from them."""

from __future__ import annotations

import math

import pytest

from simulator.load.measure.recording import (
    DROPPED,
    FAILED,
    SENT,
    Recording,
    backlog,
    deepest,
    drain_share,
    ticks,
)


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


def test_what_a_filter_deleted_is_no_backlog() -> None:
    """An object whose message nobody gets waits for nothing, whether its put was told before or after."""
    recording = Recording()
    numbers = recording.plan([1.0, 2.0, 3.0])
    for number in numbers:
        if number == 2:
            recording.filter(number)
        recording.fate(number, number + 1.0, number + 1.5, SENT)
    assert recording.pending(numbers) == 2
    recording.filter(0)
    recording.filter(3)
    assert recording.pending(numbers) == 1
    assert recording.put_instants(numbers) == [2.5]
    assert recording.put_instants(range(2, 3)) == []
    recording.truncate(1)
    assert recording.pending(recording.all()) == 0


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
    assert backlog([1.0, 2.0], [2.0], [1.0, 2.0]) == [0, 1]


def test_a_backlog_is_looked_at_four_times_a_second() -> None:
    """From the first instant to the last, if it is one of them."""
    assert ticks(100.0, 101.0) == [100.0, 100.25, 100.5, 100.75, 101.0]
    assert ticks(100.0, 100.74) == [100.0, 100.25, 100.5]


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


def test_the_deepest_backlog_is_exact() -> None:
    """It is found between two puts and between two edges, at the put that made it; what is stored is none."""
    puts, stores = [1.0, 1.1, 1.2, 3.0], [1.15, 1.3, 1.4, 5.0]
    assert deepest(puts, stores, [0.0, 1.0, 2.0, 4.0, 4.5, 6.0]) == [(0, 0.0), (2, 1.1), (1, 3.0), (1, 4.0), (1, 4.5)]
    assert deepest([2.0], [1.9], [0.0, math.inf]) == [(0, 0.0)]
    assert deepest([], [], [0.0, 1.0]) == [(0, 0.0)]
    assert deepest([1.0, 1.0], [1.0], [0.0, 2.0]) == [(1, 1.0)]
    assert deepest([1.0], [3.0], [1.0, 2.0]) == [(1, 1.0)]
    assert deepest([0.0], [1.0], [1.0, 2.0]) == [(1, 1.0)]
