"""The counters' one definition, read and written by every process that counts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from simulator.base.counters import (
    BucketCounters,
    OperationCounters,
    QueueCounters,
    StoreCounters,
    TableCounters,
    from_json,
    gathered,
)


def test_counters_come_back_from_their_json_as_they_went() -> None:
    """Every figure of every kind, through `asdict` and JSON."""
    counters = StoreCounters(
        5.0,
        cpu_s=1.5,
        memory_bytes=7,
        queues={"q": QueueCounters(visible=1, oldest_age_s=2.5)},
        tables={"t": TableCounters(rows=3, first_write_at=4.0)},
        buckets={"b": BucketCounters(puts=9)},
        operations={"s3.PutObject": OperationCounters(9, 1, 0.25)},
    )
    assert from_json(json.loads(json.dumps(asdict(counters)))) == counters


def test_what_the_json_leaves_out_is_zero() -> None:
    """The sink counts less than the store does."""
    read = from_json({"at": 1.0, "queues": {"q": {"sent": 2}}})
    assert read == StoreCounters(1.0, queues={"q": QueueCounters(sent=2)})


def test_counters_are_gathered_from_totals_and_gauges() -> None:
    """Totals by their names; what the caller gives is a gauge and is not asked of them."""

    @dataclass
    class _Totals:
        puts: int = 2
        first_put_at: float | None = 1.0
        last_put_at: float | None = 3.0
        anything_else: str = "not a figure"

    assert gathered(BucketCounters, _Totals(), objects=1, size_bytes=10) == BucketCounters(1, 10, 2, 1.0, 3.0)
