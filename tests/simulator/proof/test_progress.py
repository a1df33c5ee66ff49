"""How long an audit still takes, by what it has done so far."""

from __future__ import annotations

import pytest

from fakes.clock import ManualClock
from simulator.base.observations import AuditProgressed, Observation
from simulator.proof.progress import Progress, done_share


@pytest.mark.parametrize(
    ("part", "done", "total", "rows_per_object", "share"),
    [
        ("listing", 100, 0, 100.0, 0.0),
        ("objects", 0, 100, 100.0, 0.0),
        ("objects", 50, 100, 100.0, 0.3),
        ("objects", 100, 100, 100.0, 0.6),
        ("rejected rows", 0, 0, 100.0, 0.6),
        ("items", 50, 100, 100.0, 0.7),
        ("comparison", 100, 100, 100.0, 1.0),
        ("comparison", 0, 0, 100.0, 1.0),
        ("objects", 50, 100, 1_000_000.0, 1 / 6),
        ("objects", 100, 100, 0.0, 1.0),
        ("items", 0, 0, 0.0, 1.0),
    ],
)
def test_the_share_that_is_done_follows_objects_and_rows(
    part: str, done: int, total: int, rows_per_object: float, share: float
) -> None:
    """Small objects take their time when they are read, rows in each of three parts."""
    assert done_share(part, done, total, rows_per_object) == pytest.approx(share, abs=1e-4)


async def test_progress_is_recorded_a_few_times_a_second_and_at_the_end() -> None:
    """A thousand steps at once are two records, the first and the last; the rest takes as long as the speed says."""
    clock, recorded = ManualClock(), list[Observation]()
    progress = Progress(recorded.append, clock)
    for done in range(1001):
        progress.made("objects", done, 1000, 100.0)
    await clock.advance(6.5)
    progress.made("items", 1, 4, 100.0)
    told = [(each.part, each.done, each.left_s) for each in recorded if isinstance(each, AuditProgressed)]
    assert told == [("objects", 0, None), ("objects", 1000, 0.0), ("items", 1, pytest.approx(3.5))]
