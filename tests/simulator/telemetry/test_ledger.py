"""What producer and consumer publish, added up: which reports count, and which work has none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.base.observations import InvocationEnded, LogWritten, ObjectPut, TickFired
from simulator.proof.ledgers import Amount, Consumer, Producer
from simulator.stack import template
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import RunOptions

FILES, ROWS = 50, 100
"""What the template asks the generator for."""
TICK = {"FilesWritten": FILES, "RowsGenerated": FILES * ROWS, "BytesWritten": 300_000}
BATCH = {
    "MessagesFailed": 0,
    "ObjectsIngested": 2,
    "RowsRead": 10,
    "RowsWritten": 7,
    "RowsDuplicate": 2,
    "RowsRejected": 1,
    "RowsUnanswered": 0,
}


def published(function: str, request_id: str, metrics: dict[str, int], **members: Any) -> LogWritten:
    """The line of metrics of an invocation."""
    directive = {"Namespace": "stockpipe", "Dimensions": [[]], "Metrics": [{"Name": name} for name in metrics]}
    line = {"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, "requestId": request_id, **metrics, **members}
    return LogWritten(1000.0, function, 1, json.dumps(line))


@pytest.fixture
def work(telemetry: Telemetry, make: Callable[..., Any]) -> Callable[..., None]:
    """An invocation that publishes these metrics, if any, and ends."""
    numbers = iter(range(1_000))

    def work(function: str, metrics: dict[str, int] | None, **members: Any) -> None:
        request_id = f"request {next(numbers)}"
        if metrics is not None:
            telemetry.record(published(function, request_id, metrics, **members))
        telemetry.record(make(InvocationEnded, function=function, request_id=request_id))

    return work


def fired(telemetry: Telemetry, count: int) -> None:
    """The generator's schedule came due so often."""
    for number in range(count):
        telemetry.record(TickFired(1000.0, "Schedule", "GeneratorLambda", number, None))


def producer(telemetry: Telemetry) -> Producer:
    """What is known of the producer, which there must be."""
    found = telemetry.ledgers(None).producer
    assert found is not None
    return found


def consumer(telemetry: Telemetry) -> Consumer:
    """What is known of the consumer, which there must be."""
    found = telemetry.ledgers(None).consumer
    assert found is not None
    return found


def test_a_run_in_which_nobody_reports_has_no_ledgers(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """Handlers of somebody else's publish no such metrics, and are not held to any."""
    work("GeneratorLambda", None)
    work("ConsumerLambda", {"Other": 3})

    ledgers = telemetry.ledgers(5)
    assert (ledgers.producer, ledgers.consumer, ledgers.counted_rows) == (None, None, 5)


def test_ticks_are_added_up_and_held_against_the_settings(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """Two ticks: twice the template's FileCount and RowsPerFile were asked."""
    fired(telemetry, 2)
    work("GeneratorLambda", TICK, tick=1)
    work("GeneratorLambda", TICK, tick=2)

    found = producer(telemetry)
    assert (found.name, found.said, found.apart) == ("GeneratorLambda", Amount(100, 10_000, 600_000), ())
    assert found.asked == found.planned == Amount(100, 10_000, None)
    assert found.keys.fullmatch("stocks/2026/11/22/090000-0000.csv")
    assert not found.keys.fullmatch("stocks/2026/11/22/mine.csv")


def test_a_tick_that_is_tried_again_is_one_tick(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """The second attempt writes the same objects: what counts is the attempt that wrote most."""
    fired(telemetry, 1)
    work("GeneratorLambda", {"FilesWritten": 12, "RowsGenerated": 1_200, "BytesWritten": 72_000}, tick=1)
    work("GeneratorLambda", TICK, tick=1)
    work("GeneratorLambda", {"FilesWritten": 3, "RowsGenerated": 300, "BytesWritten": 18_000}, tick=1)

    assert producer(telemetry).said == Amount(50, 5_000, 300_000)
    assert producer(telemetry).asked == Amount(50, 5_000, None)


def test_ticks_of_a_generator_that_does_not_name_them_are_told_apart_by_their_requests(
    telemetry: Telemetry, work: Callable[..., None]
) -> None:
    """Without the member `tick` each invocation is one of its own."""
    work("GeneratorLambda", TICK)
    work("GeneratorLambda", TICK)

    assert producer(telemetry).said.files == 100


def test_a_tick_without_a_report_is_counted_apart(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """It is not in what was asked of the reported ones, and in what was planned for all."""
    fired(telemetry, 2)
    work("GeneratorLambda", TICK, tick=1)
    work("GeneratorLambda", None)

    found = producer(telemetry)
    assert (found.asked, found.planned) == (Amount(50, 5_000, None), Amount(100, 10_000, None))
    assert found.apart == ("1 invocation of GeneratorLambda ended without figures",)


def test_what_the_run_puts_itself_is_its_own_report(telemetry: Telemetry) -> None:
    """Real files and a load test's objects: number and bytes; nobody counted their rows."""
    telemetry.record(ObjectPut(1000.0, "bucket", "stocks/source/a.csv", 70))
    telemetry.record(ObjectPut(1000.0, "bucket", "stocks/source/b.csv", 30))

    found = producer(telemetry)
    assert (found.said, found.asked, found.planned) == (Amount(2, None, 100), None, None)
    assert found.keys.fullmatch("stocks/source/folder/a.csv")
    assert found.keys.fullmatch("stocks/load/20261122T093000123456-7/00000042.csv")
    assert not found.keys.fullmatch("stocks/2026/11/22/090000-0000.csv")


def test_batches_are_added_up(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """Every figure of the consumer, over all invocations that published theirs."""
    work("ConsumerLambda", BATCH)
    work("ConsumerLambda", BATCH | {"MessagesFailed": 1, "RowsRead": 99, "RowsUnanswered": 25})

    assert consumer(telemetry) == Consumer(
        "ConsumerLambda",
        objects=4,
        messages_failed=1,
        rows_read=109,
        rows_written=14,
        rows_rejected=2,
        rows_unanswered=25,
    )


def test_batches_without_a_report_are_counted_apart(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """An invocation that was killed has published nothing."""
    work("ConsumerLambda", BATCH)
    work("ConsumerLambda", None)
    work("ConsumerLambda", None)

    assert consumer(telemetry).apart == ("2 invocations of ConsumerLambda ended without figures",)


@pytest.mark.parametrize(("read", "failed", "unbalanced"), [(10, 0, 0), (9, 0, 1), (11, 0, 1), (11, 1, 0)])
def test_rows_read_are_those_written_replaced_and_rejected(
    telemetry: Telemetry, work: Callable[..., None], read: int, failed: int, unbalanced: int
) -> None:
    """In an invocation whose messages all succeeded; of a failed message a part may be anywhere."""
    work("ConsumerLambda", BATCH | {"RowsRead": read, "MessagesFailed": failed})

    assert consumer(telemetry).unbalanced == unbalanced


def test_settings_that_are_not_numbers_ask_for_nothing(work: Callable[..., None], make: Callable[..., Any]) -> None:
    """Another generator's variables may say anything."""
    stack = template.load(None, {}, defaults={})
    variables = stack.functions["GeneratorLambda"].environment
    assert isinstance(variables, dict)
    variables["FILE_COUNT"] = "many"
    telemetry = Telemetry(stack, RunOptions("simulate", 7, "inline", 1000.0))
    telemetry.record(published("GeneratorLambda", "r", TICK, tick=1))

    assert producer(telemetry).asked is None
