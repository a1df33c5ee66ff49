"""What a load test reads from the observations that pass, and what it adds to them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fakes.plans import plan
from simulator.base import limits
from simulator.base.counters import QueueCounters, StoreCounters, TableCounters
from simulator.base.observations import (
    FILTERED,
    EventSettled,
    InvocationEnded,
    InvocationStarted,
    LogWritten,
    MessageSettled,
    MessagesReceived,
    Observation,
    PollersScaled,
    StoreSampled,
)
from simulator.load.measure.live import Live
from simulator.load.measure.recording import SENT, Recording
from simulator.load.measure.tap import Tap
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import Copies, TargetName
from simulator.stack import template

OBJECTS = Objects("stocks/", 1, 0, 1_790_000_000.0)


def a_tap(target: TargetName = "store") -> tuple[Tap, list[Observation]]:
    """A tap on the pipeline's own stack, and what it passes on."""
    passed: list[Observation] = []
    stack = template.load(None, {})
    return Tap(passed.append, Recording(), stack, OBJECTS, Live(target), plan(target=target)), passed


def a_tap_on_messages(queue: str = "StockQueue") -> Tap:
    """A tap on messages to one queue, of which two are planned."""
    asked = plan(copies=Copies("message", queue, queue, ""))
    tap = Tap(lambda _: None, Recording(), template.load(None, {}), OBJECTS, Live("store"), asked)
    tap.recording.plan([10.0, 11.0])
    return tap


def metrics_line(**figures: int) -> str:
    """A log line of the consumer that publishes these figures."""
    metrics = [{"Namespace": "stockpipe", "Metrics": [{"Name": name} for name in figures]}]
    return json.dumps({"_aws": {"CloudWatchMetrics": metrics}, **figures})


def settled(key: str, at: float, *, deleted: bool = True, reason: str = "success") -> MessageSettled:
    """A message about one object."""
    body = json.dumps({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]})
    return MessageSettled(at, "m", "StockQueue", "1", body, at - 1, at - 0.5, 1, deleted, reason)


def test_a_settled_message_stores_its_object_and_a_left_one_does_not() -> None:
    """Stored is what its function is done with; what a filter deletes, and other people's objects, pass by."""
    tap, passed = a_tap()
    tap.recording.plan([10.0, 11.0])
    tap.record(settled(OBJECTS.key(0), 12.0, deleted=False))
    assert tap.recording.stored_count == 0
    tap.record(settled(OBJECTS.key(0), 13.0))
    tap.record(settled("stocks/2026/11/22/093000-0000.csv", 14.0))
    tap.record(settled(OBJECTS.key(1), 15.0, reason=FILTERED))
    assert list(tap.recording.latencies(range(2))) == [3.0]
    assert list(tap.recording.filtered) == [False, True]
    assert tap.totals.deleted == 3
    assert len(passed) == 4


def test_s3s_test_event_is_neither_received_nor_deleted() -> None:
    """It is no object of the load test; the request that received it was made all the same."""
    tap, _ = a_tap()
    tap.record(MessagesReceived(12.0, "m", "StockQueue", 3, test_events=1))
    tap.record(replace(settled("k", 13.0), body='{"Service": "Amazon S3", "Event": "s3:TestEvent"}'))
    tap.record(settled(OBJECTS.key(0), 13.0))
    assert (tap.totals.receives, tap.totals.received, tap.totals.deleted) == (1, 2, 1)


def test_invocations_give_durations_concurrency_and_metrics() -> None:
    """Two at once for a while; what the function publishes is counted; another function is not."""
    tap, _ = a_tap()
    for at, request in ((1.0, "a"), (2.0, "b")):
        tap.record(InvocationStarted(at, "ConsumerLambda", 1, request, 10, cold=False))
    tap.record(InvocationStarted(2.0, "GeneratorLambda", 1, "c", 0, cold=False))
    assert tap.concurrency == 2
    tap.record(LogWritten(2.5, "ConsumerLambda", 1, metrics_line(RowsWritten=30, BatchWrites=2)))
    ended = InvocationEnded(3.0, "ConsumerLambda", 1, "a", 25, "error", 2.0, None, None, None, None)
    tap.record(ended)
    assert list(tap.durations_s) == [2.0]
    assert (tap.totals.errors, tap.totals.delete_requests, tap.concurrency) == (1, 3, 1)
    assert (tap.written.rows_written, tap.written.batch_writes, tap.written.write_units) == (30, 2, 30.0)


def test_a_table_that_is_made_anew_goes_on_counting() -> None:
    """What was counted before a probe's rows were deleted is added to what comes after."""
    tap, passed = a_tap()
    first = TableCounters(100, 100, 80, 1.0, 2.0, 4, 3, 2, write_units=100.0, read_units=7.0)
    second = TableCounters(20, 20, 90, 3.0, 4.0, 1, write_units=40.0, read_units=0.5)
    third = TableCounters(10, 10, 10, 5.0, 5.0, 1, 1, 1, write_units=10.0)
    tap.carry(first)
    tap.carry(second)
    tap.record(StoreSampled(6.0, StoreCounters(6.0, tables={"StockData": third})))
    (sampled,) = passed
    assert isinstance(sampled, StoreSampled)
    assert sampled.counters.tables["StockData"] == TableCounters(10, 130, 90, 1.0, 5.0, 6, 4, 3, 150.0, 7.5)


def test_a_foreign_engines_sample_is_completed_by_what_was_seen() -> None:
    """Its API tells the queue's gauges alone; puts, deletes and rows are known from the run itself."""
    tap, passed = a_tap("endpoint")
    tap.recording.plan([1.0, 2.0])
    for number in range(2):
        tap.recording.fate(number, 1.0, 1.1, SENT)
        tap.record(settled(OBJECTS.key(number), 2.0))
    tap.record(LogWritten(2.0, "ConsumerLambda", 1, metrics_line(RowsWritten=50)))
    passed.clear()
    tap.record(StoreSampled(3.0, StoreCounters(3.0, queues=queues(dead_letters=0))))
    (sampled,) = passed
    assert isinstance(sampled, StoreSampled)
    assert sampled.counters.tables["StockData"].rows_written == 50
    assert (sampled.counters.queues["StockQueue"].sent, sampled.counters.queues["StockQueue"].deleted) == (2, 2)


def queues(dead_letters: int) -> dict[str, QueueCounters]:
    """What an engine's API tells of the two."""
    return {"StockQueue": QueueCounters(), "StockDLQ": QueueCounters(visible=dead_letters, in_flight=1, delayed=1)}


def test_what_a_foreign_dead_letter_queue_gains_was_moved_there() -> None:
    """Messages that were there before are others'; one that somebody takes away was moved there all the same."""
    tap, passed = a_tap("endpoint")
    for held in (31, 31, 33, 32, 34):
        tap.record(StoreSampled(3.0, StoreCounters(3.0, queues=queues(held))))
    seen = [each.counters.queues["StockQueue"].dead_lettered for each in passed if isinstance(each, StoreSampled)]
    assert seen == [0, 0, 2, 2, 3]


def deleted(message_id: str, at: float, queue: str = "StockQueue", reason: str = "success") -> MessageSettled:
    """Any message that is gone from its queue."""
    return replace(settled(OBJECTS.key(0), at, reason=reason), message_id=message_id, queue=queue)


def test_a_message_ends_when_it_is_deleted_whenever_its_id_is_known() -> None:
    """The generator may say which one it was after the function is done with it; its body does not matter."""
    tap = a_tap_on_messages()
    tap.accepted("a", 0)
    tap.record(deleted("a", 12.0))
    tap.record(deleted("b", 14.0))
    assert tap.recording.stored_count == 1
    tap.accepted("b", 1)
    assert list(tap.recording.latencies(range(2))) == [2.0, 3.0]
    assert tap.totals.deleted == 2


def test_only_the_messages_that_were_sent_count() -> None:
    """Those of another queue do not, even with the same id; what a filter deletes is not processed."""
    tap = a_tap_on_messages()
    tap.accepted("a", 0)
    tap.accepted("b", 1)
    tap.record(deleted("a", 12.0, queue="Other"))
    tap.record(deleted("b", 13.0, reason=FILTERED))
    assert (tap.recording.stored_count, list(tap.recording.filtered)) == (0, [False, True])


def test_messages_of_others_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function may send to the same queue for ever; only the latest unknown ids are kept."""
    monkeypatch.setattr(limits, "LOAD_EARLY_MESSAGES", 2)
    tap = a_tap_on_messages()
    for message_id in ("b", "x", "y", "a"):
        tap.record(deleted(message_id, 12.0))
    tap.accepted("a", 0)
    tap.accepted("b", 1)
    assert (tap.recording.stored_count, len(tap._early)) == (1, 1)


def test_an_object_without_a_queue_ends_with_its_event() -> None:
    """A bucket may invoke a function; an event that is given up is not processed."""
    tap, _ = a_tap()
    tap.recording.plan([10.0, 11.0])
    for number, succeeded in ((0, True), (1, False)):
        body = settled(OBJECTS.key(number), 0.0).body
        tap.record(EventSettled(13.0 + number, "ConsumerLambda", body, 11.0, succeeded))
    assert list(tap.recording.latencies(range(2))) == [3.0]


def test_the_batches_of_all_mappings_count_together() -> None:
    """Each says for itself how many it may process at once."""
    tap, _ = a_tap()
    assert tap.pollers is None
    for mapping, concurrency in (("a", 5), ("b", 7), ("a", 10)):
        tap.record(PollersScaled(1.0, mapping, concurrency))
    assert tap.pollers == 17


def test_what_functions_pass_on_is_not_lost_at_a_foreign_engine() -> None:
    """A message in a second queue was sent by a function, which only its end shows."""
    own = template.load(None, {})
    worker = replace(own.functions["ConsumerLambda"], logical_id="Worker", is_own=False)
    (mapping,) = own.mappings.values()
    mappings = {name: replace(mapping, logical_id=name, function="Worker", queue=name) for name in ("First", "Second")}
    queues = {name: replace(own.queues["StockQueue"], logical_id=name, name=name, redrive=None) for name in mappings}
    stack = replace(own, functions={"Worker": worker}, mappings=mappings, queues=queues, buckets={}, schedules={})
    passed: list[Observation] = []
    asked = plan(target="endpoint", copies=Copies("message", "First", "First", ""))
    tap = Tap(passed.append, Recording(), stack, OBJECTS, Live("endpoint"), asked)
    tap.recording.plan([1.0])
    tap.recording.fate(0, 1.0, 1.1, SENT)
    for queue in ("First", "Second"):
        tap.record(deleted(queue, 2.0, queue=queue))
    tap.record(StoreSampled(3.0, StoreCounters(3.0, queues={name: QueueCounters() for name in queues})))
    sampled = passed[-1]
    assert isinstance(sampled, StoreSampled)
    assert (sampled.counters.queues["First"].sent, sampled.counters.queues["First"].deleted) == (2, 2)
    assert sampled.counters.queues["Second"].sent == 0
