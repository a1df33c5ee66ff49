"""What a load test reads from the observations that pass, and what it adds to them."""

from __future__ import annotations

import json

import pytest

from simulator.base.counters import StoreCounters, TableCounters
from simulator.base.observations import (
    InvocationEnded,
    InvocationStarted,
    LogWritten,
    MessageSettled,
    Observation,
    StoreSampled,
)
from simulator.load.measure.recording import Recording
from simulator.load.measure.tap import Tap
from simulator.load.plan.objects import Objects
from simulator.stack import template
from simulator.twin.resources import wiring


def a_tap(*, foreign: bool = False) -> tuple[Tap, list[Observation]]:
    """A tap on the pipeline's own stack, and what it passes on."""
    passed: list[Observation] = []
    stack = template.load(None, {})
    return Tap(passed.append, Recording(), wiring(stack), foreign=foreign, sink=False), passed


def settled(key: str, at: float, *, deleted: bool = True) -> MessageSettled:
    """A message about one object."""
    body = json.dumps({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]})
    return MessageSettled(at, "m", "StockQueue", "1", body, at - 1, at - 0.5, 1, deleted, "")


def test_a_settled_message_stores_its_object_and_a_left_one_does_not() -> None:
    """Stored is what is deleted from the queue; other people's objects pass by."""
    tap, passed = a_tap()
    tap.objects = Objects("stocks/", 1, 0, 1_790_000_000.0)
    tap.recording.plan([10.0, 11.0])
    tap.record(settled(tap.objects.key(0), 12.0, deleted=False))
    assert tap.recording.stored_count == 0
    tap.record(settled(tap.objects.key(0), 13.0))
    tap.record(settled("stocks/2026/11/22/093000-0000.csv", 14.0))
    assert list(tap.recording.latencies(range(2))) == [3.0]
    assert len(passed) == 3


def test_invocations_give_durations_concurrency_and_metrics() -> None:
    """Two at once for a while; what the function publishes is counted; another function is not."""
    tap, _ = a_tap()
    for at, request in ((1.0, "a"), (2.0, "b")):
        tap.record(InvocationStarted(at, "ConsumerLambda", 1, request, 10, cold=False))
    tap.record(InvocationStarted(2.0, "GeneratorLambda", 1, "c", 0, cold=False))
    assert (tap.concurrency, tap.concurrency_max) == (2, 2)
    metrics = [{"Namespace": "stockpipe", "Metrics": [{"Name": "RowsWritten"}, {"Name": "BatchWrites"}]}]
    line = json.dumps({"_aws": {"CloudWatchMetrics": metrics}, "RowsWritten": 30, "BatchWrites": 2})
    tap.record(LogWritten(2.5, "ConsumerLambda", 1, line))
    ended = InvocationEnded(3.0, "ConsumerLambda", 1, "a", 25, "error", 2.0, None, None, None, None)
    tap.record(ended)
    assert list(tap.durations_s) == [2.0]
    assert (tap.totals.errors, tap.totals.delete_requests, tap.totals.rows_written, tap.concurrency) == (1, 3, 30, 1)
    assert tap.busy_s(4.0) == pytest.approx(1.0 + 2.0 + 1.0)


def test_a_table_that_is_made_anew_goes_on_counting() -> None:
    """What was counted before a probe's rows were deleted is added to what comes after."""
    tap, passed = a_tap()
    tap.carry(TableCounters(rows_written=100, batch_writes=4, rows_per_s_max=80, first_write_at=1.0, last_write_at=2.0))
    later = TableCounters(
        rows=10, rows_written=10, batch_writes=1, rows_per_s_max=10, first_write_at=5.0, last_write_at=5.0
    )
    tap.record(StoreSampled(6.0, StoreCounters(6.0, tables={"StockData": later})))
    (sampled,) = passed
    assert isinstance(sampled, StoreSampled)
    table = sampled.counters.tables["StockData"]
    assert (table.rows, table.rows_written, table.batch_writes, table.rows_per_s_max) == (10, 110, 5, 80)
    assert (table.first_write_at, table.last_write_at) == (1.0, 5.0)


def test_a_foreign_engines_sample_is_completed_by_what_was_seen() -> None:
    """Its API tells the queue's gauges alone; puts, deletes and rows are known from the run itself."""
    tap, passed = a_tap(foreign=True)
    tap.recording.plan([1.0, 2.0])
    tap.totals.rows_written, tap.totals.deleted = 50, 2
    tap.record(StoreSampled(3.0, StoreCounters(3.0)))
    (sampled,) = passed
    assert isinstance(sampled, StoreSampled)
    assert sampled.counters.tables["StockData"].rows_written == 50
    assert (sampled.counters.queues["StockQueue"].sent, sampled.counters.queues["StockQueue"].deleted) == (2, 2)
