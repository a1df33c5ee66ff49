"""How long an audit still takes, by what it has done so far."""

from __future__ import annotations

import pytest

from fakes.clock import ManualClock
from simulator.base.observations import AuditProgressed, Observation
from simulator.proof.progress import Progress, left_s


@pytest.mark.parametrize(
    ("part", "done", "total", "elapsed_s", "left"),
    [
        ("objects", 0, 100, 3.0, None),
        ("objects", 1, 100, 3.0, None),
        ("objects", 50, 100, 5.5, 14.5),
        ("objects", 100, 100, 11.0, 9.0),
        ("items", 50, 100, 6.75, 3.25),
        ("comparison", 100, 100, 7.0, 0.0),
        ("comparison", 0, 0, 7.0, 0.0),
        ("objects", 0, 0, 1.0, None),
    ],
)
def test_the_rest_takes_as_long_as_the_speed_so_far_says(
    part: str, done: int, total: int, elapsed_s: float, left: float | None
) -> None:
    """By the part of the whole that each part is; nothing is said before anything is done."""
    assert left_s(part, done, total, elapsed_s) == (None if left is None else pytest.approx(left))


async def test_progress_is_recorded_a_few_times_a_second_and_at_the_end() -> None:
    """A thousand steps at once are two records: the first and the last."""
    clock, recorded = ManualClock(), list[Observation]()
    progress = Progress(recorded.append, clock)
    for done in range(1001):
        progress.made("objects", done, 1000)
    await clock.advance(2.0)
    progress.made("items", 1, 4)
    told = [(each.part, each.done, each.left_s) for each in recorded if isinstance(each, AuditProgressed)]
    assert told == [("objects", 0, None), ("objects", 1000, 0.0), ("items", 1, pytest.approx(2 * 0.3875 / 0.6125))]
