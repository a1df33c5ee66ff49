"""The counters' only definition, read and written by every process that counts."""

from __future__ import annotations

import json
from dataclasses import asdict

from simulator.base.counters import (
    BucketCounters,
    OperationCounters,
    QueueCounters,
    StoreCounters,
    TableCounters,
    from_json,
)


def test_counters_come_back_from_their_json_as_they_went() -> None:
    """Every figure of every kind survives `asdict` and JSON."""
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
