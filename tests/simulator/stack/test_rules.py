"""Each rule that AWS enforces, in its words; each piece of advice; and nothing about the pipeline's own template."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fakes import declare
from simulator.stack import template
from simulator.stack.model import (
    AsynchronousInvocation,
    Bucket,
    Notification,
    ProvisionedPollers,
    Redrive,
    Schedule,
    Stack,
)
from simulator.stack.rules import Finding, examine

POLICY = {"Statement": {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}}


class Sound:
    """A stack without a finding, and what one change to it brings up."""

    def __init__(self) -> None:
        self.function = declare.function(timeout_s=60)
        self.queue = declare.queue(visibility_timeout_s=360, redrive=Redrive("DLQ", 5), policy=POLICY)
        self.dead_letters = declare.queue("DLQ", retention_s=1_209_600)
        self.mappings = [declare.mapping(reports_batch_item_failures=True)]
        self.schedules: list[Schedule] = []
        self.notifications = (Notification("Queue", ("s3:ObjectCreated:*",), "stocks/"),)

    def stack(self) -> Stack:
        """The stack as it stands."""
        return declare.stack(
            functions={"Consumer": self.function},
            queues={"Queue": self.queue, "DLQ": self.dead_letters},
            mappings={each.logical_id: each for each in self.mappings},
            schedules={each.logical_id: each for each in self.schedules},
            buckets={"Bucket": Bucket("Bucket", "bucket", "arn:aws:s3:::bucket", notifications=self.notifications)},
            lines={"Consumer": 10, "Queue": 20, "DLQ": 30, "Bucket": 40},
        )

    def refused(self) -> list[str]:
        """The violations' texts."""
        return [each.text for each in examine(self.stack()).violations]

    def advised(self) -> list[tuple[str, str]]:
        """The advice, by resource."""
        return [(each.logical_id, each.text) for each in examine(self.stack()).advice]


@pytest.fixture
def sound() -> Sound:
    """A stack without a finding."""
    return Sound()


def test_sound(sound: Sound) -> None:
    """A sound stack has no finding."""
    assert examine(sound.stack()).violations == examine(sound.stack()).advice == ()


def test_own_template() -> None:
    """The pipeline's own template has none either."""
    found = examine(template.load(None, {}))
    assert (found.violations, found.advice) == ((), ())


def test_visibility_below_timeout(sound: Sound) -> None:
    """AWS refuses the mapping; the finding names it and its function's line."""
    sound.queue = dataclasses.replace(sound.queue, visibility_timeout_s=59)
    text = "Queue visibility timeout: 59 seconds is less than Function timeout: 60 seconds"
    assert examine(sound.stack()).violations == (Finding("Mapping", text, 10),)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"maximum_concurrency": 1},
            "1 validation error detected: Value '1' at 'scalingConfig.maximumConcurrency' failed to satisfy "
            "constraint: Member must have value greater than or equal to 2",
        ),
        (
            {"maximum_concurrency": 1001},
            "1 validation error detected: Value '1001' at 'scalingConfig.maximumConcurrency' failed to satisfy "
            "constraint: Member must have value less than or equal to 1000",
        ),
        (
            {"batch_size": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        (
            {"batch_size": 10_001, "window_s": 1},
            "1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have "
            "value less than or equal to 10000",
        ),
        (
            {"window_s": 301},
            "1 validation error detected: Value '301' at 'maximumBatchingWindowInSeconds' failed to satisfy "
            "constraint: Member must have value less than or equal to 300",
        ),
        (
            {"provisioned": ProvisionedPollers(2, 200), "maximum_concurrency": 10},
            "ScalingConfig.MaximumConcurrency and ProvisionedPollerConfig cannot be used together",
        ),
        (
            {"provisioned": ProvisionedPollers(10, 5)},
            "MinimumPollers must not be greater than MaximumPollers",
        ),
    ],
)
def test_mapping_settings(sound: Sound, change: dict[str, Any], text: str) -> None:
    """Settings of the mapping outside what AWS takes, one by one."""
    sound.mappings = [dataclasses.replace(sound.mappings[0], **change)]
    assert sound.refused() == [text]


def test_second_mapping(sound: Sound) -> None:
    """The same queue and function a second time is a conflict."""
    sound.mappings.append(dataclasses.replace(sound.mappings[0], logical_id="Again"))
    (text,) = sound.refused()
    assert text.startswith(f'An event source mapping with SQS arn (" {sound.queue.arn} ") and function (" Consumer ")')


def test_unreserved_concurrency(sound: Sound) -> None:
    """Reserving must leave 100 of the account's 1,000."""
    sound.function = dataclasses.replace(sound.function, reserved_concurrency=900)
    assert sound.refused() == []
    sound.function = dataclasses.replace(sound.function, reserved_concurrency=901)
    assert sound.refused() == [
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100]."
    ]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"timeout_s": 901}, "Value '901' at 'timeout'"),
        ({"memory_mb": 127}, "Value '127' at 'memorySize'"),
        ({"environment": {"AWS_REGION": "x", "MINE": "y"}}, "Reserved keys used in this request: AWS_REGION"),
        ({"environment": {"MINE": "x" * 4096}}, "exceeded the 4KB limit"),
        ({"asynchronous": AsynchronousInvocation(maximum_retries=3)}, "Value '3' at 'maximumRetryAttempts'"),
        ({"asynchronous": AsynchronousInvocation(maximum_event_age_s=59)}, "Value '59' at 'maximumEventAgeInSeconds'"),
    ],
)
def test_function_settings(sound: Sound, change: dict[str, Any], part: str) -> None:
    """Settings of the function outside what AWS takes, one by one."""
    sound.queue = dataclasses.replace(sound.queue, visibility_timeout_s=43_200)
    sound.function = dataclasses.replace(sound.function, **change)
    (text,) = sound.refused()
    assert part in text


def test_schedule_expression(sound: Sound) -> None:
    """`rate(1 minutes)` is refused."""
    sound.schedules = [Schedule("Tick", "tick", "Consumer", "rate(1 minutes)", "rule", "arn")]
    (text,) = sound.refused()
    assert text.startswith("Parameter ScheduleExpression is not valid")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"visibility_timeout_s": 43_201}, "Invalid value for the parameter VisibilityTimeout."),
        ({"retention_s": 59}, "Invalid value for the parameter MessageRetentionPeriod."),
        ({"delay_s": 901}, "Invalid value for the parameter DelaySeconds."),
        ({"receive_wait_s": 21}, "Invalid value for the parameter ReceiveMessageWaitTimeSeconds."),
    ],
)
def test_queue_settings(sound: Sound, change: dict[str, Any], text: str) -> None:
    """Attributes of the queue outside what SQS takes."""
    sound.queue = dataclasses.replace(sound.queue, **change)
    assert sound.refused() == [text]


def test_receive_count_of_zero(sound: Sound) -> None:
    """A redrive policy needs at least one receive."""
    sound.queue = dataclasses.replace(sound.queue, redrive=Redrive("DLQ", 0))
    assert "valid values are from 1 to 1000 both inclusive" in sound.refused()[0]


@pytest.mark.parametrize(
    "policy",
    [
        None,
        {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]},
        {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*"}]},
        {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["sqs:ReceiveMessage"]}]},
    ],
)
def test_notification_needs_permission(sound: Sound, policy: Any) -> None:
    """S3 refuses a queue that does not let it send."""
    sound.queue = dataclasses.replace(sound.queue, policy=policy)
    assert sound.refused() == ["Unable to validate the following destination configurations"]


def test_overlapping_notifications(sound: Sound) -> None:
    """Two rules that could both hold are ambiguous; two that cannot are not."""
    first = sound.notifications[0]
    sound.notifications = (first, dataclasses.replace(first, events=("s3:ObjectCreated:Put",), prefix="stocks/a"))
    assert sound.refused()[0].startswith("Configuration is ambiguously defined.")
    sound.notifications = (first, dataclasses.replace(first, prefix="other/"))
    assert sound.refused() == []


def test_six_times_the_timeout(sound: Sound) -> None:
    """Visibility under six timeouts, plus the window, is advised against."""
    sound.mappings = [dataclasses.replace(sound.mappings[0], window_s=5)]
    ((where, text),) = sound.advised()
    assert where == "Queue"
    assert "six times the function's timeout plus the window" in text
    assert text.endswith("at least 365 s")


def test_receive_count_under_five(sound: Sound) -> None:
    """A low receive count is advised against, and so is no dead-letter queue."""
    sound.queue = dataclasses.replace(sound.queue, redrive=Redrive("DLQ", 4))
    assert sound.advised()[0][1].startswith("maxReceiveCount 4")
    sound.queue = dataclasses.replace(sound.queue, redrive=None)
    assert sound.advised()[0][1].startswith("no dead-letter queue")


def test_dead_letter_retention(sound: Sound) -> None:
    """A dead-letter queue must keep messages longer than its source, because they keep their age."""
    sound.dead_letters = dataclasses.replace(sound.dead_letters, retention_s=345_600)
    ((where, text),) = sound.advised()
    assert where == "DLQ"
    assert "may expire on arrival" in text


def test_reservation_below_the_pollers(sound: Sound) -> None:
    """A reservation under what the mapping has in hand throttles."""
    sound.function = dataclasses.replace(sound.function, reserved_concurrency=3)
    assert "below the 5 batches" in sound.advised()[0][1]
    sound.mappings = [dataclasses.replace(sound.mappings[0], maximum_concurrency=3)]
    assert sound.advised() == []


def test_silent_losses(sound: Sound) -> None:
    """What would lose or repeat messages without a word is advised against."""
    sound.function = dataclasses.replace(
        sound.function, asynchronous=AsynchronousInvocation(dead_letter_arn="arn:aws:sqs:::x")
    )
    sound.mappings = [dataclasses.replace(sound.mappings[0], reports_batch_item_failures=False)]
    sound.queue = dataclasses.replace(sound.queue, maximum_message_bytes=1024)
    advice = dict(sound.advised())
    assert "never used" in advice["Consumer"]
    assert "ReportBatchItemFailures" in advice["Mapping"]
    assert "larger ones are lost" in advice["Queue"]


def test_own_template_with_a_reservation() -> None:
    """The pipeline's `ReservedConcurrency` reaches the function, and one below the mapping's concurrency is told."""
    stack = template.load(None, {"ReservedConcurrency": "2"})
    assert stack.functions["ConsumerLambda"].reserved_concurrency == 2
    (advice,) = examine(stack).advice
    assert "reserved concurrency 2 is below the 10 batches" in advice.text
