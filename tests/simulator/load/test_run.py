"""The shell of a load test in its parts: failures in one line, objects made ahead, counts that go on."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from simulator.base.counters import StoreCounters, TableCounters
from simulator.base.errors import CouldNotFinish, InputError, StockpipeError
from simulator.base.observations import (
    InvocationEnded,
    InvocationStarted,
    LogWritten,
    MessageSettled,
    Observation,
    StoreSampled,
)
from simulator.load import run
from simulator.load.measure.recording import Recording
from simulator.load.measure.tap import Tap
from simulator.load.plan.arrivals import constant
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import Plan
from simulator.load.send.generator import Prepared
from simulator.load.send.signing import Identity, Signer
from simulator.stack import template
from simulator.twin.resources import wiring

PLAN = Plan(constant(1, 1), 1, 0, target="endpoint", endpoint_url="http://127.0.0.1:4566")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            ClientError({"Error": {"Code": "ResourceInUseException"}}, "CreateTable"),
            InputError,
            "--parameter TableName",
        ),
        (
            ClientError({"Error": {"Code": "Odd", "Message": "a\nb"}}, "PutObject"),
            CouldNotFinish,
            "refused PutObject: a b",
        ),
        (EndpointConnectionError(endpoint_url="http://x"), CouldNotFinish, "does not answer"),
        (InputError("as it is"), InputError, "as it is"),
    ],
)
def test_what_an_engine_does_wrong_is_one_line(error: Exception, kind: type[StockpipeError], said: str) -> None:
    """Each failure of an engine or its client becomes a line with the way out."""
    raised = run._as_error(error, PLAN)
    assert type(raised) is kind
    assert said in str(raised)
    assert "\n" not in str(raised)


def test_a_defect_of_ours_stays_a_defect() -> None:
    """What no engine did is not hidden in a line."""
    with pytest.raises(ZeroDivisionError):
        run._as_error(ZeroDivisionError(), PLAN)


def test_a_groups_failure_is_ours_if_there_is_one() -> None:
    """Of several failures at once, the one that explains the others is raised."""
    ours = CouldNotFinish("the sink's process ended")
    group = BaseExceptionGroup("", [OSError(), BaseExceptionGroup("", [ours])])
    assert run._first(group) is ours


def prepared(rows: int = 1) -> Prepared:
    """Requests for small objects."""
    objects = Objects("stocks/", rows, 0, 1_790_000_000.0)
    return Prepared(
        objects, Signer("http://127.0.0.1:1", Identity("a", "b", None, "us-east-1")), "http://127.0.0.1:1/b"
    )


def test_objects_are_made_ahead_and_no_more_than_will_be_sent() -> None:
    """Ten of twelve at first, the rest in idle time, then none; taken in order."""
    ahead = prepared()
    ahead.begin(5, 12, 10)
    assert [ahead.make_one() for _ in range(4)] == [True, True, False, False]
    assert [ahead.take().about for _ in range(12)] == list(range(5, 17))


def test_what_is_made_ahead_is_bounded() -> None:
    """However many are asked for, no more are kept than the bound on memory allows."""
    ahead = prepared(rows=100_000)
    ahead.begin(0, 1_000_000, 20)
    made = 20
    while made < 100 and ahead.make_one():
        made += 1
    assert made < 100


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
