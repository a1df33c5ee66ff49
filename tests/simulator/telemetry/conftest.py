"""A telemetry of the pipeline's own stack, and observations with the fields that a test does not care about filled."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from fakes.templates import own_stack
from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters
from simulator.base.observations import InvocationEnded, InvocationStarted, MessageSettled, StoreSampled
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import RunOptions

BUCKET = "stockpipe-data-123456789012-us-east-1"
BODY = json.dumps({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "stocks/a.csv"}}}]})


@pytest.fixture
def telemetry() -> Telemetry:
    """Of a run that started at instant 1000 with seed 7 and lasts a minute."""
    return Telemetry(own_stack(), RunOptions("simulate", 7, "inline", 1000.0, schedule="rate(1 minute)", duration_s=60))


@pytest.fixture
def make() -> Callable[..., Any]:
    """`make(kind, **fields)`: an observation of the consumer with harmless values where none are given."""
    defaults: dict[type, dict[str, Any]] = {
        InvocationStarted: {
            "at": 1000.0,
            "function": "ConsumerLambda",
            "environment": 1,
            "request_id": "r1",
            "messages": 1,
            "cold": False,
        },
        InvocationEnded: {
            "at": 1001.0,
            "function": "ConsumerLambda",
            "environment": 1,
            "request_id": "r1",
            "messages": 1,
            "outcome": "success",
            "duration_s": 0.1,
            "init_s": None,
            "memory_used_mb": None,
            "error_type": None,
            "error_message": None,
        },
        MessageSettled: {
            "at": 1001.0,
            "mapping": next(iter(own_stack().mappings)),
            "queue": "StockQueue",
            "message_id": "m",
            "body": BODY,
            "sent_at": 1000.0,
            "received_at": 1000.5,
            "receive_count": 1,
            "deleted": True,
            "reason": "",
        },
    }

    def build(kind: Any, **fields: Any) -> Any:
        return kind(**{**defaults.get(kind, {}), **fields})

    return build


@pytest.fixture
def sample() -> Callable[..., StoreSampled]:
    """`sample(at, queue={...}, table={...}, bucket={...})`: the store's counters at an instant."""

    def build(at: float, *, queue: Any = None, table: Any = None, bucket: Any = None) -> StoreSampled:
        counters = StoreCounters(
            at=at,
            queues={"StockQueue": dataclasses.replace(QueueCounters(), **(queue or {})), "StockDLQ": QueueCounters()},
            tables={"StockData": dataclasses.replace(TableCounters(), **(table or {}))},
            buckets={BUCKET: dataclasses.replace(BucketCounters(), **(bucket or {}))},
        )
        return StoreSampled(at, counters)

    return build
