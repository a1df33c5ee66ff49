"""What a snapshot computes from its figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base.counters import BucketCounters, TableCounters
from simulator.store.counting.tallies import TableActivity
from simulator.telemetry.snapshot import RunOptions, Snapshot

OPTIONS = RunOptions("simulate", 0, "inline", 1000.0)


@pytest.mark.parametrize(
    ("first_put_at", "first_write_at", "last_write_at", "mean"),
    [
        (1000.9, 1001.0, 1001.0, 45.0),
        (1000.9, 1000.95, 1000.99, 90.0),
        (1000.0, 1000.5, 1002.0, 30.0),
        (1005.0, 1001.5, 1002.0, 45.0),
        (1000.0, None, 1000.0, 90.0),
        (None, 1000.0, 1000.0, None),
        (1000.0, None, None, None),
    ],
)
def test_the_mean_is_of_whole_seconds(
    first_put_at: float | None, first_write_at: float | None, last_write_at: float | None, mean: float | None
) -> None:
    """Of those that the busiest one is one of, from the first put (or an earlier write) to the last write."""
    table = TableCounters(rows_written=90, first_write_at=first_write_at, last_write_at=last_write_at)
    bucket = BucketCounters(first_put_at=first_put_at)
    assert Snapshot(at=1010.0, options=OPTIONS, table=table, bucket=bucket).rows_per_s_mean == mean


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
