"""What a snapshot computes from its figures."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base.counters import BucketCounters, TableCounters
from simulator.store.counting.tallies import TableActivity
from simulator.telemetry.snapshot import Roles, RunOptions, Snapshot

OPTIONS = RunOptions("simulate", 0, "inline", 1000.0)


@pytest.mark.parametrize(
    ("first_put_at", "first_write_at", "last_write_at", "busiest", "mean"),
    [
        (1000.9, 1001.0, 1001.9, 90, 90.0),
        (1000.9, 1000.95, 1000.99, 90, 90.0),
        (1000.5, 1000.9, 1003.5, 40, 30.0),
        (1000.9, 1001.0, 1002.4, 50, 50.0),
        (1000.9, 1001.0, 1002.4, 0, 60.0),
        (1005.0, 1001.5, 1003.5, 80, 45.0),
        (1000.0, None, 1000.0, 90, 90.0),
        (None, 1000.0, 1000.0, 90, None),
        (1000.0, None, None, 90, None),
    ],
)
def test_the_mean_is_over_the_time_from_the_first_put_to_the_last_write(
    first_put_at: float | None,
    first_write_at: float | None,
    last_write_at: float | None,
    busiest: int,
    mean: float | None,
) -> None:
    """Over at least a second, and at most what the busiest second had, if that is known; an earlier write counts."""
    table = TableCounters(
        rows_written=90, first_write_at=first_write_at, last_write_at=last_write_at, rows_per_s_max=busiest
    )
    bucket = BucketCounters(first_put_at=first_put_at)
    shown = Snapshot(at=1010.0, options=OPTIONS, table=table, bucket=bucket).rows_per_s_mean
    assert shown == (mean if mean is None else pytest.approx(mean))


@given(st.floats(0, 1), st.integers(3, 60), st.integers(1, 50))
def test_a_steady_load_has_its_own_rate_as_mean(within_s: float, duration_s: int, per_s: int) -> None:
    """Wherever in a second of the clock it begins: no part of a second counts as a whole one."""
    table = TableActivity()
    begin_at = 1000.0 + within_s
    for number in range(duration_s * per_s):
        table.wrote(1, 1, begin_at + number / per_s)
    bucket = BucketCounters(first_put_at=begin_at)
    mean = Snapshot(at=1100.0, options=OPTIONS, table=table, bucket=bucket).rows_per_s_mean
    assert mean == pytest.approx(per_s, rel=1 / (duration_s - 1 / per_s) / per_s + 0.01)


@given(st.lists(st.tuples(st.floats(1000, 1010), st.integers(1, 500)), min_size=1), st.floats(0, 2))
def test_the_mean_is_never_above_the_busiest_second(writes: list[tuple[float, int]], before_s: float) -> None:
    """However the writes lie, as the store counts them."""
    table = TableActivity()
    for at, rows in sorted(writes):
        table.wrote(rows, rows, at)
    bucket = BucketCounters(first_put_at=min(writes)[0] - before_s)
    mean = Snapshot(at=1010.0, options=OPTIONS, table=table, bucket=bucket).rows_per_s_mean
    assert mean is not None
    assert mean <= table.rows_per_s_max


def test_a_run_without_puts_has_a_mean_if_its_rows_are_not_the_pipelines() -> None:
    """Another application writes without objects: then the first write begins the stretch."""
    table = TableCounters(rows_written=90, first_write_at=1000.0, last_write_at=1003.0)
    shown = Snapshot(at=1010.0, options=OPTIONS, table=table, roles=Roles(is_pipeline=False))
    assert shown.rows_per_s_mean == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("given", "sends"),
    [
        ({}, {}),
        ({"ticks": 1}, {}),
        ({"messages": 3, "invoked": "Function"}, {"message": 3, "event": 1}),
        ({"objects": 2}, {"object": 2}),
    ],
)
def test_a_run_that_sends_something_has_an_end(given: dict[str, Any], sends: dict[str, int]) -> None:
    """As one with a number of ticks has; without either it goes on until it is interrupted."""
    options = dataclasses.replace(OPTIONS, **given)
    assert options.sends == sends
    assert options.endless == (not given)
