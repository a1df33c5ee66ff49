"""The figures of several resources as if they were one."""

from __future__ import annotations

from simulator.base.counters import QueueCounters, TableCounters, together


def test_one_resource_keeps_its_figures() -> None:
    """The figures of a single resource are not touched, and no resource has none."""
    queue = QueueCounters(visible=3, oldest_age_s=1.5)
    assert together(QueueCounters, [queue]) is queue
    assert together(QueueCounters, []) == QueueCounters()


def test_figures_add_up_and_instants_span() -> None:
    """Totals and gauges add up; the oldest message, first and last write and the busiest second are of any of them."""
    queues = [QueueCounters(visible=3, oldest_age_s=1.5, sent=4), QueueCounters(visible=2, sent=1)]
    assert together(QueueCounters, queues) == QueueCounters(visible=5, oldest_age_s=1.5, sent=5)
    tables = [
        TableCounters(rows_written=5, rows_per_s_max=4, first_write_at=20.0, last_write_at=30.0),
        TableCounters(rows_written=7, rows_per_s_max=6, first_write_at=10.0, last_write_at=15.0),
        TableCounters(),
    ]
    whole = TableCounters(rows_written=12, rows_per_s_max=6, first_write_at=10.0, last_write_at=30.0)
    assert together(TableCounters, tables) == whole
