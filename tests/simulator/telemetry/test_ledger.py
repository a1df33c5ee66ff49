"""What producer and consumer publish, added up: which reports count, and which work has none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
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


def fired(telemetry: Telemetry, count: int, *times: str | None, function: str = "GeneratorLambda") -> None:
    """The schedule came due so often, a minute apart, or with events of these times."""
    for number, time in enumerate(times or [f"2026-11-22T09:{minute:02d}:00Z" for minute in range(count)]):
        telemetry.record(TickFired(1000.0, "Schedule", function, number, None, time))


def producer(telemetry: Telemetry) -> Producer:
    """What is known of the producer, which there must be."""
    (found,) = telemetry.ledgers(None).producers
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
    assert (ledgers.producers, ledgers.consumer, ledgers.counted_rows) == ((), None, 5)


def test_ticks_are_added_up_and_held_against_the_settings(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """Two ticks: twice the template's FileCount and RowsPerFile were asked."""
    fired(telemetry, 2)
    work("GeneratorLambda", TICK, tick=1)
    work("GeneratorLambda", TICK, tick=2)

    found = producer(telemetry)
    assert (found.name, found.said, found.apart) == ("GeneratorLambda", Amount(100, 10_000, 600_000), ())
    assert (found.asked, found.unique) == (Amount(100, 10_000, None), True)
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
    fired(telemetry, 2)
    work("GeneratorLambda", TICK)
    work("GeneratorLambda", TICK)

    found = producer(telemetry).said
    assert found is not None
    assert found.files == 100


def test_a_generator_that_reports_nothing_is_asked_all_the_same(
    telemetry: Telemetry, work: Callable[..., None]
) -> None:
    """What was asked follows from the schedule and the settings, not from what anybody says."""
    fired(telemetry, 2)
    work("GeneratorLambda", None)

    found = producer(telemetry)
    assert (found.said, found.asked) == (None, Amount(100, 10_000, None))
    assert found.apart == ("1 invocation of GeneratorLambda ended without figures",)


def test_two_ticks_of_one_time_are_one(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """The objects of a tick follow from its event's time: two events of the same second ask for the same objects."""
    fired(telemetry, 0, "2026-11-22T09:00:00Z", "2026-11-22T10:00:00.5+01:00", "2026-11-22T09:00:01Z")
    work("GeneratorLambda", TICK, tick=1)

    assert producer(telemetry).asked == Amount(100, 10_000, None)


@pytest.mark.parametrize("time", [None, "now", "2026-11-22T09:00:00"])
def test_an_event_without_a_time_asks_for_nothing_that_could_be_counted(telemetry: Telemetry, time: str | None) -> None:
    """It means now, whenever that is, or makes the generator fail."""
    fired(telemetry, 0, "2026-11-22T09:00:00Z", time)

    assert producer(telemetry).asked is None


def test_what_the_run_puts_itself_is_its_own_report(telemetry: Telemetry) -> None:
    """Real files and a load test's objects: number and bytes; nobody counted their rows."""
    telemetry.record(ObjectPut(1000.0, "bucket", "stocks/source/a.csv", 70))
    telemetry.record(ObjectPut(1000.0, "bucket", "stocks/source/b.csv", 30))

    found = producer(telemetry)
    assert (found.said, found.asked, found.unique) == (Amount(2, None, 100), None, False)
    assert found.keys.fullmatch("stocks/source/folder/a.csv")
    assert not found.keys.fullmatch("stocks/load/20261122T093000123456-7/00000042.csv")
    assert not found.keys.fullmatch("stocks/2026/11/22/090000-0000.csv")


def test_what_a_load_test_makes_up_never_repeats_a_key(telemetry: Telemetry) -> None:
    """Its objects are the run's own, too."""
    telemetry.record(ObjectPut(1000.0, "bucket", "stocks/load/20261122T093000123456-7/00000042.csv", 70))

    assert (producer(telemetry).unique, producer(telemetry).said) == (True, Amount(1, None, 70))


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
        unbalanced=0,
    )


def test_batches_without_a_report_are_counted_apart(telemetry: Telemetry, work: Callable[..., None]) -> None:
    """An invocation that was killed has published nothing."""
    work("ConsumerLambda", BATCH)
    work("ConsumerLambda", None)
    work("ConsumerLambda", None)

    assert consumer(telemetry).apart == ("2 invocations of ConsumerLambda ended without figures",)


@pytest.mark.parametrize(
    ("read", "failed", "gone", "unbalanced"),
    [(10, 0, 0, 0), (9, 0, 0, 1), (11, 0, 0, 1), (11, 1, 0, 0), (11, 0, 1, 0)],
)
def test_rows_read_are_those_written_replaced_and_rejected(
    telemetry: Telemetry, work: Callable[..., None], read: int, failed: int, gone: int, unbalanced: int
) -> None:
    """In an invocation whose messages all succeeded; of a failed message, or a gone object, a part may be anywhere."""
    work("ConsumerLambda", BATCH | {"RowsRead": read, "MessagesFailed": failed, "ObjectsGone": gone})

    assert consumer(telemetry).unbalanced == unbalanced


GENERATOR = """
  Another:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: Another
      CodeUri: ..
      Handler: mine.handler
      Runtime: python3.13
      Environment: {{Variables: {{{variables}}}}}
      Events:
        Tick:
          Type: Schedule
          Properties: {{Schedule: rate(1 minute)}}
"""


@pytest.mark.parametrize(
    ("variables", "producers"),
    [
        ("FILE_COUNT: many, ROWS_PER_FILE: 3", {"GeneratorLambda": "stocks/"}),
        ("BUCKET_NAME: mine", {"GeneratorLambda": "stocks/"}),
        ("FILE_COUNT: 2, ROWS_PER_FILE: 3, KEY_PREFIX: other/", {"GeneratorLambda": "stocks/"}),
        ("FILE_COUNT: 2, ROWS_PER_FILE: 3", {"Another and GeneratorLambda": "stocks/"}),
        (
            "FILE_COUNT: 2, ROWS_PER_FILE: 3, KEY_PREFIX: stocks/us/",
            {"Another": "stocks/us/", "GeneratorLambda": "stocks/"},
        ),
    ],
)
def test_every_scheduled_function_with_a_generators_settings_is_held_to_them(
    tmp_path: Path, variables: str, producers: dict[str, str]
) -> None:
    """By the prefix below which it writes: one producer each; what is no generator's, or lies elsewhere, is none."""
    file = tmp_path / "template.yaml"
    text = (Path(template.__file__).parents[2] / "pipeline" / "template.yaml").read_text("utf-8")
    another = GENERATOR.format(variables=variables)
    file.write_text(text.replace("\nResources:\n", f"\nResources:\n{another}"))
    telemetry = Telemetry(template.load(file), RunOptions("simulate", 7, "inline", 1000.0))
    for function in ("GeneratorLambda", "Another"):
        fired(telemetry, 1, function=function)

    found = telemetry.ledgers(None).producers
    assert [each.name for each in found] == list(producers)
    for each, prefix in zip(found, producers.values(), strict=True):
        assert each.keys.fullmatch(f"{prefix}2026/11/22/090000-0000.csv")
    # Both write the objects of one tick under one prefix: as many as the larger settings say.
    assert found[-1].asked == Amount(50, 5_000, None)
