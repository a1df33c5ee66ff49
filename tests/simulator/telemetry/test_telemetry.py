"""What a snapshot says after given observations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakes.templates import own_stack
from simulator.base.observations import (
    FILTERED,
    AuditProgressed,
    EnvironmentRetired,
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
    LogWritten,
    MessageSettled,
    MessagesReceived,
    Noted,
    ObjectPut,
    PhaseChanged,
    PollersScaled,
    StoreSampled,
    TickFired,
)
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import Cause, Example, LoadView, RunOptions

BUCKET = "stockpipe-data-123456789012-us-east-1"
Make = Callable[..., Any]
Sample = Callable[..., StoreSampled]


def embedded(namespace: str = "stockpipe", **metrics: Any) -> str:
    """A log line in CloudWatch's embedded metric format."""
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": [{"Name": name} for name in metrics]}
    return json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, **metrics})


def test_the_flow_is_found_in_the_template(telemetry: Telemetry) -> None:
    """The parts that are shown are the template's: names, and the mapping's concurrency."""
    roles = telemetry.snapshot(1000.0).roles
    names = (roles.consumers, roles.queues, roles.dead_letter_queues, roles.tables, roles.schedules)
    assert names == (
        ("ConsumerLambda",),
        ("StockQueue",),
        ("StockDLQ",),
        ("StockData",),
        (("rate(1 minute)", "GeneratorLambda"),),
    )
    assert roles.buckets == ("stockpipe-data-123456789012-us-east-1",)
    assert roles.is_pipeline
    assert roles.concurrency_limit == 10


def test_a_run_without_any_observation_has_a_whole_snapshot(telemetry: Telemetry) -> None:
    """Before anything happened every figure is there, at zero or None."""
    snapshot = telemetry.snapshot(1000.0)
    assert (snapshot.phase, snapshot.ticks, snapshot.queue.sent, snapshot.table.rows_written, snapshot.remaining) == (
        "starting",
        0,
        0,
        0,
        0,
    )
    assert snapshot.latency.p50 is None
    assert snapshot.rows_per_s_mean is None


def test_ticks_count_and_the_first_begins_the_run(telemetry: Telemetry) -> None:
    """The first tick or put is the run's first instant; the next tick's is known until the drain begins."""
    telemetry.record(PhaseChanged(1001.0, "running"))
    telemetry.record(TickFired(1001.5, "Tick", "GeneratorLambda", 0, 1006.5))
    telemetry.record(ObjectPut(1002.0, "b", "k", 70))
    telemetry.record(TickFired(1006.5, "Tick", "GeneratorLambda", 1, 1011.5))
    snapshot = telemetry.snapshot(1007.0)
    assert (snapshot.ticks, snapshot.first_at, snapshot.next_tick_at, snapshot.puts, snapshot.put_bytes) == (
        2,
        1001.5,
        1011.5,
        1,
        70,
    )
    assert snapshot.elapsed_s == 6.0
    telemetry.record(PhaseChanged(1008.0, "draining"))
    assert telemetry.snapshot(1008.0).next_tick_at is None
    telemetry.record(PhaseChanged(1009.0, "auditing"))
    telemetry.record(PhaseChanged(1010.0, "done"))
    assert telemetry.snapshot(1011.0).drained_at == 1009.0


def test_invocations_are_counted_by_function_and_outcome(telemetry: Telemetry, make: Make) -> None:
    """Errors include timeouts, as in CloudWatch; busy and its maximum follow starts and ends."""
    for number in range(4):
        telemetry.record(make(InvocationStarted, request_id=f"r{number}", environment=number))
    assert telemetry.snapshot(1000.5).consumer.busy == 4
    for number, outcome in enumerate(["success", "error", "timeout", "crash"]):
        telemetry.record(make(InvocationEnded, request_id=f"r{number}", outcome=outcome))
    telemetry.record(make(InvocationStarted, request_id="r9"))
    telemetry.record(InvocationThrottled(1001.0, "ConsumerLambda", "reserved concurrency", 10))
    consumer = telemetry.snapshot(1002.0).consumer
    assert (consumer.invocations, consumer.ended, consumer.errors, consumer.timeouts) == (5, 4, 3, 1)
    assert (consumer.busy, consumer.busy_max, consumer.throttles) == (1, 4, 1)
    assert telemetry.snapshot(1002.0).generator.invocations == 0


def test_environments_are_counted_from_start_to_retirement(telemetry: Telemetry) -> None:
    """A finished cold start adds an environment, a retirement takes it away; cold starts stay counted."""
    telemetry.record(EnvironmentStarted(1000.0, "ConsumerLambda", 1, 0.2))
    telemetry.record(EnvironmentStarted(1000.0, "ConsumerLambda", 2, 0.2))
    telemetry.record(EnvironmentRetired(1001.0, "ConsumerLambda", 1, "crash"))
    consumer = telemetry.snapshot(1001.0).consumer
    assert (consumer.environments, consumer.cold_starts) == (1, 2)


def test_only_what_a_partial_response_names_is_a_batch_item_failure(telemetry: Telemetry, make: Make) -> None:
    """Messages left by an error or by a malformed response are no batch item failures."""
    for reason in ("batch item failure", "batch item failure", "invalid batch item failures", "error"):
        telemetry.record(make(MessageSettled, deleted=False, reason=reason))
    assert telemetry.snapshot(1002.0).consumer.left == 2


def test_latency_counts_stored_objects_alone(telemetry: Telemetry, make: Make) -> None:
    """From the message's sending to the return; a test event, a deletion without records and a failure do not count."""
    telemetry.record(PhaseChanged(1000.0, "running"))
    for latency_s in (0.5, 1.5, 2.5):
        telemetry.record(make(MessageSettled, at=1000.0 + latency_s, sent_at=1000.0))
    telemetry.record(make(MessageSettled, at=1900.0, body='{"Service": "Amazon S3", "Event": "s3:TestEvent"}'))
    telemetry.record(make(MessageSettled, at=1900.0, deleted=False, reason="error"))
    telemetry.record(make(MessageSettled, at=1900.0, reason=FILTERED))
    latency = telemetry.snapshot(1010.0).latency
    assert latency.count == 3
    assert latency.p50 == pytest.approx(1.5, rel=1e-3)
    assert latency.max == 2.5


def test_what_a_filter_deletes_is_an_event_and_counted(telemetry: Telemetry, make: Make) -> None:
    """One line for all of them, which says where and how many; what is about no object is not counted."""
    for _ in range(3):
        telemetry.record(make(MessageSettled, reason=FILTERED))
    telemetry.record(make(MessageSettled))
    snapshot = telemetry.snapshot(1010.0)
    telemetry.record(make(MessageSettled, body="{}", reason=FILTERED))
    assert snapshot.filtered == telemetry.snapshot(1010.0).filtered == 3
    assert {(each.bucket, each.key) for each in telemetry.ledgers(None).filtered} == {("b", "stocks/a.csv")}
    event = snapshot.events[-1]
    assert event.text == "a message in StockQueue was deleted: no filter of ConsumerLambdaBatch matches it"
    assert (event.tone, event.count) == ("lost", 3)


def test_the_last_message_about_an_object_says_whether_it_is_to_be_stored(telemetry: Telemetry, make: Make) -> None:
    """Of an object that is put twice, one message may be filtered and the other not: nothing excuses what follows."""
    for reasons, filtered in (((FILTERED, "success"), 0), (("success", FILTERED), 1), ((FILTERED, "error"), 1)):
        for number, reason in enumerate(reasons):
            sent_at = 1000.0 + number
            settled = make(MessageSettled, at=sent_at + 0.5, sent_at=sent_at, reason=reason, deleted=reason != "error")
            telemetry.record(settled)
        assert len(telemetry.ledgers(None).filtered) == filtered, reasons


def test_the_functions_own_metrics_are_summed(telemetry: Telemetry) -> None:
    """Metrics in the embedded format add up by name; other namespaces, other lines and broken lines do not."""
    for line in (
        embedded(FilesWritten=50, RowsGenerated=5000, BytesWritten=310_000),
        embedded(FilesWritten=50, RowsGenerated=[2000, 3000]),
        embedded("other", FilesWritten=1),
        '{"level": "INFO", "message": "FilesWritten"}',
        '{"_aws": 3',
        '{"_aws": {"CloudWatchMetrics": 7}}',
        'plain text with "_aws" in it',
    ):
        telemetry.record(LogWritten(1000.0, "GeneratorLambda", 1, line))
    telemetry.record(LogWritten(1000.0, "ConsumerLambda", 1, embedded(RowsRejected=3)))
    snapshot = telemetry.snapshot(1001.0)
    assert snapshot.generator.metrics == {"FilesWritten": 100, "RowsGenerated": 10_000, "BytesWritten": 310_000}
    assert snapshot.last_written == (50, 5000)
    assert snapshot.rejected_rows == 3
    assert snapshot.folding_errors == 0


def test_rates_are_taken_over_the_last_five_seconds(telemetry: Telemetry, sample: Sample) -> None:
    """A sample that is older than the window no longer counts."""
    telemetry.record(PhaseChanged(1000.0, "running"))
    for second in range(20):
        rows = 1000 * second if second < 10 else 9000 + 100 * (second - 9)
        telemetry.record(sample(1000.0 + second, table={"rows_written": rows, "batch_writes": rows // 25}))
    rates = telemetry.snapshot(1020.0).rates
    assert rates.rows == pytest.approx(100.0)
    assert rates.batch_writes == pytest.approx(4.0)


def test_samples_far_apart_do_not_spread_a_rate(telemetry: Telemetry, sample: Sample) -> None:
    """A store that is sampled when something changed had changed nothing before, and changes nothing until the next."""
    telemetry.record(PhaseChanged(1000.0, "running"))
    telemetry.record(sample(1000.0))
    telemetry.record(sample(1060.0, table={"rows_written": 525}))
    assert telemetry.snapshot(1060.0).rates.rows == pytest.approx(100.0)
    assert telemetry.snapshot(1064.0).rates.rows == pytest.approx(100.0)
    assert telemetry.snapshot(1066.0).rates.rows == 0


def test_maxima_come_from_the_samples(telemetry: Telemetry, sample: Sample) -> None:
    """The deepest queue, the oldest message and the busiest second are kept when they are over."""
    telemetry.record(PhaseChanged(1000.0, "running"))
    telemetry.record(sample(1001.0, queue={"visible": 5, "in_flight": 40, "oldest_age_s": 2.0}))
    telemetry.record(sample(1002.0, queue={"visible": 30, "in_flight": 20, "oldest_age_s": 7.5}))
    telemetry.record(sample(1003.0))
    maxima = telemetry.snapshot(1004.0).maxima
    assert (maxima.visible, maxima.in_flight, maxima.oldest_age_s) == (30, 40, 7.5)
    assert (maxima.depth, maxima.depth_at) == (50, 1002.0)


def test_what_no_sample_saw_counts_for_the_maxima(telemetry: Telemetry, sample: Sample, make: Make) -> None:
    """What a poller received was visible, and is in flight and ages until it is settled; other queues do not count."""
    mapping = next(iter(own_stack().mappings))
    telemetry.record(sample(1001.0, queue={"visible": 1}))
    for at, count, settled in ((1002.0, 3, 0), (1002.1, 2, 4), (1002.2, 2, 0), (1002.3, 0, 0)):
        telemetry.record(MessagesReceived(at, mapping, "StockQueue", count))
        for _ in range(settled):
            telemetry.record(make(MessageSettled, deleted=True))
    telemetry.record(MessagesReceived(1003.0, "Other", "OtherQueue", 50))
    telemetry.record(make(MessageSettled, at=1004.5, sent_at=1002.0, deleted=False))
    seen = telemetry.snapshot(1004.5)
    maxima, course = seen.maxima, seen.history
    assert (maxima.visible, maxima.in_flight, maxima.depth, maxima.depth_at) == (3, 5, 5, 1002.1)
    assert max(map(sum, zip(course.visible, course.in_flight, strict=True))) == maxima.depth
    assert maxima.oldest_age_s == 2.5
    telemetry.record(sample(1005.0, queue={"visible": 4, "in_flight": 4}))
    maxima = telemetry.snapshot(1005.0).maxima
    assert (maxima.visible, maxima.in_flight, maxima.depth, maxima.depth_at) == (4, 5, 8, 1005.0)


def test_s3s_test_event_is_in_no_figure_of_the_queue(telemetry: Telemetry, make: Make) -> None:
    """It was sent before the run began; neither its age nor its delivery says anything about the run."""
    mapping = next(iter(own_stack().mappings))
    body = '{"Service": "Amazon S3", "Event": "s3:TestEvent"}'
    telemetry.record(MessagesReceived(1001.0, mapping, "StockQueue", 1, test_events=1))
    telemetry.record(MessagesReceived(1001.0, mapping, "StockQueue", 3, test_events=1))
    telemetry.record(make(MessageSettled, at=1002.0, sent_at=900.0, body=body))
    telemetry.record(MessagesReceived(1002.0, mapping, "StockQueue", 1))
    maxima = telemetry.snapshot(1002.0).maxima
    assert (maxima.visible, maxima.in_flight, maxima.depth, maxima.oldest_age_s) == (2, 3, 3, None)


def test_a_snapshot_knows_of_the_first_signal() -> None:
    """It asks whenever it is taken."""
    signals: list[int] = []
    options = RunOptions("simulate", 7, "inline", 1000.0)
    telemetry = Telemetry(own_stack(), options, interrupted=lambda: bool(signals))
    assert not telemetry.snapshot(1001.0).interrupted
    signals.append(2)
    assert telemetry.snapshot(1002.0).interrupted


def test_remaining_is_what_is_neither_deleted_nor_dead_lettered(telemetry: Telemetry, sample: Sample) -> None:
    """Sent equals deleted, dead-lettered and remaining together."""
    telemetry.record(sample(1001.0, queue={"sent": 100, "deleted": 60, "dead_lettered": 1}))
    assert telemetry.snapshot(1001.0).remaining == 39


def test_what_the_store_lost_or_refused_is_told(telemetry: Telemetry, sample: Sample) -> None:
    """Messages moved to the dead-letter queue and throttled requests become events with their number."""
    telemetry.record(sample(1001.0))
    telemetry.record(sample(1002.0, queue={"dead_lettered": 2}, table={"throttled_requests": 5}))
    events = {event.text: (event.tone, event.count) for event in telemetry.snapshot(1002.0).events}
    assert events["moved from StockQueue to its dead-letter queue: received too often"] == ("lost", 2)
    assert events["table StockData throttled requests"] == ("grows", 5)


def test_a_single_loss_is_told(telemetry: Telemetry, sample: Sample) -> None:
    """One message moved to the dead-letter queue is an event, and so is one throttled request; none is none."""
    telemetry.record(sample(1001.0))
    telemetry.record(sample(1002.0))
    assert not telemetry.snapshot(1002.0).events
    telemetry.record(sample(1003.0, queue={"dead_lettered": 1}, table={"throttled_requests": 1}))
    assert [(event.tone, event.count) for event in telemetry.snapshot(1003.0).events] == [("lost", 1), ("grows", 1)]


def test_events_say_why_messages_failed_and_rows_were_rejected(
    telemetry: Telemetry, make: Make, sample: Sample
) -> None:
    """The object and the reason, from the consumer's own lines; the same stand in the snapshot by reason."""
    rejected = {"bucket": BUCKET, "key": "stocks/a.csv", "rejected": 3}
    why = {"reason": "unreadable timestamp", "count": 3, "line": 4, "cell": "soon", "setting": "TIMESTAMP_FORMAT"}
    failed = {"messageId": "m", "receiveCount": 1, "reason": "no header", "permanent": True, "key": "stocks/b.csv"}
    for line in (
        json.dumps({"level": "WARN", "message": "rows rejected", **rejected, "reasons": [why]}),
        json.dumps({"level": "ERROR", "message": "message failed", **failed, "setting": "TICKER_COLUMN"}),
        embedded(RowsRejected=3),
    ):
        telemetry.record(LogWritten(1000.0, "GeneratorLambda", 1, line))
        telemetry.record(LogWritten(1000.0, "ConsumerLambda", 1, line))
    left = "batch item failure"
    body = json.dumps({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "stocks/b.csv"}}}]})
    telemetry.record(make(MessageSettled, deleted=False, body=body, receive_count=1, reason=left))
    snapshot = telemetry.snapshot(1001.0)
    assert [(event.text, event.tone) for event in snapshot.events[-2:]] == [
        ("ConsumerLambda rejected rows: unreadable timestamp (stocks/a.csv line 4 'soon')", "lost"),
        ("stocks/b.csv failed for good: no header (receive 1 of 5)", "lost"),
    ]
    assert snapshot.failures == (Cause("no header", True, 1, (Example("stocks/b.csv"),), "TickerColumn", left),)
    assert snapshot.rejections == (
        Cause("unreadable timestamp", True, 3, (Example("stocks/a.csv", 4, "soon"),), "TimestampFormat"),
    )
    assert set(telemetry.failed_for_good) == {"m"}
    telemetry.record(sample(1001.0))
    telemetry.record(make(MessageSettled, deleted=False, body=body, receive_count=5, reason=left))
    telemetry.record(sample(1002.0, queue={"dead_lettered": 1}))
    assert [cause.dead_lettered for cause in telemetry.snapshot(1002.0).failures] == [1]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("error", "KeyError: 'x'"),
        ("throttled", "throttled: reserved concurrency"),
        ("invalid batch item failures", "invalid batch item failures"),
    ],
)
def test_a_whole_batch_fails_for_its_invocations_reason(
    telemetry: Telemetry, make: Make, reason: str, cause: str
) -> None:
    """Of a function that says nothing the messages' reason is its exception, or the limit that kept it from running."""
    telemetry.record(make(InvocationEnded, outcome="error", error_type="KeyError", error_message="'x'"))
    telemetry.record(InvocationThrottled(1001.0, "ConsumerLambda", "reserved concurrency", 1))
    telemetry.record(make(MessageSettled, deleted=False, body="7", receive_count=2, reason=reason))
    snapshot = telemetry.snapshot(1002.0)
    assert snapshot.events[-1].text == f"a message failed and comes back: {cause} (receive 2 of 5)"
    assert [(failure.reason, failure.permanent) for failure in snapshot.failures] == [(cause, None)]


def test_failed_ticks_have_their_reason(telemetry: Telemetry, make: Make) -> None:
    """Of a function that no queue invokes; a batch's failure is its messages'."""
    for function in ("GeneratorLambda", "GeneratorLambda", "ConsumerLambda"):
        failed = {"outcome": "error", "error_type": "KeyError", "error_message": "'x'", "messages": 0}
        telemetry.record(make(InvocationEnded, function=function, **failed))
    assert telemetry.snapshot(1002.0).tick_failures == (
        Cause("GeneratorLambda: KeyError: 'x'", None, 2, outcome="error"),
    )


def test_a_flood_of_one_event_leaves_the_others_readable(telemetry: Telemetry, make: Make) -> None:
    """Ten thousand equal failures are one line with their number, and the caption before them is still there."""
    telemetry.record(Noted(1000.0, "the lesson begins", "caption"))
    for number in range(10_000):
        failed = make(
            InvocationEnded, at=1000.0 + number / 1e4, outcome="error", error_type="ValueError", error_message="x"
        )
        telemetry.record(failed)
    snapshot = telemetry.snapshot(1002.0)
    assert [(event.text, event.count) for event in snapshot.events] == [
        ("the lesson begins", 1),
        ("ConsumerLambda failed: ValueError: x", 10_000),
    ]
    assert snapshot.caption is not None
    assert snapshot.caption.text == "the lesson begins"


def test_an_error_message_cannot_steer_the_terminal(telemetry: Telemetry, make: Make) -> None:
    """Line ends in a message become blanks, and control characters are written as escapes."""
    telemetry.record(make(InvocationEnded, outcome="error", error_type="E", error_message="a\x1b[2Jb\r\nc\x07"))
    assert telemetry.snapshot(1002.0).events[0].text == r"ConsumerLambda failed: E: a\x1b[2Jb c\x07"


def test_recording_never_raises(telemetry: Telemetry, make: Make) -> None:
    """An observation of something the stack does not have is counted as a failure of ours and passed over."""
    telemetry.record(make(InvocationStarted, function="Nobody"))
    telemetry.record(PollersScaled(1000.0, "Nothing", 5))
    telemetry.record("no observation at all")  # type: ignore[arg-type]
    telemetry.record(make(InvocationStarted))
    snapshot = telemetry.snapshot(1001.0)
    assert (snapshot.folding_errors, snapshot.consumer.invocations) == (2, 1)


def test_a_snapshot_does_not_change_afterwards(telemetry: Telemetry, sample: Sample, make: Make) -> None:
    """What is recorded later shows in the next snapshot only."""
    telemetry.record(PhaseChanged(1000.0, "running"))
    telemetry.record(sample(1001.0, queue={"visible": 3}))
    before = telemetry.snapshot(1001.0)
    kept = repr(before)
    telemetry.record(make(MessageSettled))
    telemetry.record(LogWritten(1002.0, "ConsumerLambda", 1, embedded(RowsRejected=3)))
    telemetry.record(sample(1003.0, queue={"visible": 9}))
    telemetry.record(AuditProgressed(1003.0, "objects", 1, 2))
    assert repr(before) == kept
    after = telemetry.snapshot(1003.0)
    assert (after.audit_part, after.audit_done, after.audit_total) == ("objects", 1, 2)


def test_pollers_are_shown_as_the_mapping_scales(telemetry: Telemetry) -> None:
    """The consumer's concurrency is the mapping's last word; only a change is told."""
    mapping = next(iter(own_stack().mappings))
    telemetry.record(PollersScaled(1000.0, mapping, 5))
    telemetry.record(PollersScaled(1001.0, mapping, 10))
    snapshot = telemetry.snapshot(1001.0)
    assert snapshot.consumer.concurrency == 10
    assert [event.text for event in snapshot.events] == ["pollers of ConsumerLambda: 10 batches at once"]


def test_a_load_test_adds_its_view() -> None:
    """The load test is asked for its view at each snapshot, with its instant."""
    options = RunOptions("load-test", 7, "inline", 1000.0)
    telemetry = Telemetry(own_stack(), options, lambda now: LoadView(target="sink", origin_at=now, slot_s=1.0))
    assert telemetry.snapshot(1005.0).load == LoadView(target="sink", origin_at=1005.0, slot_s=1.0)


def test_means_are_of_the_window_or_else_of_the_whole_run(telemetry: Telemetry, make: Make, sample: Sample) -> None:
    """A function that ran in the last five seconds shows their mean; one that did not shows what it took before."""
    telemetry.record(sample(1000.0))
    telemetry.record(make(InvocationStarted, messages=10))
    telemetry.record(make(InvocationEnded, duration_s=3.0))
    telemetry.record(sample(1001.0))
    telemetry.record(sample(1010.0))
    telemetry.record(sample(1015.0))
    idle = telemetry.snapshot(1015.0).consumer
    assert (idle.duration_mean_s, idle.batch_mean) == (3.0, 10.0)
    telemetry.record(make(InvocationStarted, messages=4))
    telemetry.record(make(InvocationEnded, duration_s=1.0))
    telemetry.record(sample(1020.0))
    busy = telemetry.snapshot(1020.0).consumer
    assert (busy.duration_mean_s, busy.batch_mean) == (1.0, 4.0)
