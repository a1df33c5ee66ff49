"""Each rule that AWS enforces, in its words; each piece of advice; and no finding about the pipeline's own template."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fakes import declare
from simulator.stack import template
from simulator.stack.model import (
    AsynchronousInvocation,
    Bucket,
    Ignored,
    Notification,
    ProvisionedPollers,
    Redrive,
    Schedule,
    Stack,
)
from simulator.stack.rules import Finding, examine

POLICY = {"Statement": {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}}


class Sound:
    """A stack without a finding, and the findings after one change to it."""

    def __init__(self) -> None:
        self.function = declare.function(timeout_s=60)
        self.queue = declare.queue(visibility_timeout_s=360, redrive=Redrive("DLQ", 5), policy=POLICY)
        self.dead_letters = declare.queue("DLQ", retention_s=1_209_600)
        self.mappings = [declare.mapping(reports_batch_item_failures=True)]
        self.schedules: list[Schedule] = []
        self.notifications = (Notification("Queue", ("s3:ObjectCreated:*",), "stocks/"),)

    def stack(self) -> Stack:
        """The stack as it is."""
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
    """The pipeline's own template has no finding either."""
    found = examine(template.load(None, {}))
    assert (found.violations, found.advice) == ((), ())


def test_visibility_below_timeout(sound: Sound) -> None:
    """AWS refuses the mapping; the finding names it and has its function's line."""
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
        (
            {"provisioned": ProvisionedPollers(1, 5)},
            "1 validation error detected: Value '1' at 'provisionedPollerConfig.minimumPollers' failed to satisfy "
            "constraint: Member must have value greater than or equal to 2",
        ),
        (
            {"provisioned": ProvisionedPollers(2, 10_001)},
            "1 validation error detected: Value '10001' at 'provisionedPollerConfig.maximumPollers' failed to satisfy "
            "constraint: Member must have value less than or equal to 10000",
        ),
    ],
)
def test_mapping_settings(sound: Sound, change: dict[str, Any], text: str) -> None:
    """Settings of the mapping outside AWS's limits, one by one."""
    sound.mappings = [dataclasses.replace(sound.mappings[0], **change)]
    assert sound.refused() == [text]


def test_a_number_out_of_its_range_has_the_path_of_its_property(sound: Sound) -> None:
    """AWS's sentence has the name in its API, the finding that in the template."""
    sound.mappings = [dataclasses.replace(sound.mappings[0], maximum_concurrency=1)]
    (found,) = examine(sound.stack()).violations
    assert found.path == ("ScalingConfig", "MaximumConcurrency")


def test_each_mapping_is_looked_at(sound: Sound) -> None:
    """A mapping without pollers or a function without a reservation does not hide the next; equal bounds are fine."""
    sound.mappings.append(
        dataclasses.replace(sound.mappings[0], logical_id="Other", queue="DLQ", provisioned=ProvisionedPollers(10, 5))
    )
    sound.dead_letters = dataclasses.replace(sound.dead_letters, visibility_timeout_s=360, redrive=Redrive("Queue", 5))
    assert sound.refused() == ["MinimumPollers must not be greater than MaximumPollers"]
    sound.mappings[1] = dataclasses.replace(sound.mappings[1], provisioned=ProvisionedPollers(5, 5))
    assert sound.refused() == []


def test_second_mapping(sound: Sound) -> None:
    """A second mapping with the same queue and function is a conflict."""
    sound.mappings.append(dataclasses.replace(sound.mappings[0], logical_id="Again"))
    (text,) = sound.refused()
    assert text.startswith(f'An event source mapping with SQS arn (" {sound.queue.arn} ") and function (" Consumer ")')


def test_unreserved_concurrency(sound: Sound) -> None:
    """A reservation must leave 100 of the account's 1,000."""
    sound.function = dataclasses.replace(sound.function, reserved_concurrency=900)
    assert sound.refused() == []
    stack = sound.stack()
    other = declare.function("Other")
    stack = dataclasses.replace(stack, functions={"Other": other, **stack.functions})
    assert examine(stack).violations == ()
    sound.function = dataclasses.replace(sound.function, reserved_concurrency=901)
    stack = sound.stack()
    stack = dataclasses.replace(stack, functions={**stack.functions, "Other": other})
    assert [each.logical_id for each in examine(stack).violations] == ["Consumer"]
    assert sound.refused() == [
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100]."
    ]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"timeout_s": 1_801}, "Value '1801' at 'timeout'"),
        ({"memory_mb": 32_769}, "Value '32769' at 'memorySize'"),
        ({"runtime": "python3.16"}, "Value 'python3.16' at 'runtime'"),
        ({"runtime": "Python3.13"}, "Value 'Python3.13' at 'runtime'"),
        ({"memory_mb": 127}, "Value '127' at 'memorySize'"),
        ({"environment": {"AWS_REGION": "x", "MINE": "y"}}, "Reserved keys used in this request: AWS_REGION"),
        ({"environment": {"_HANDLER": "x"}}, "Reserved keys used in this request: _HANDLER"),
        ({"reserved_concurrency": -3}, "Value '-3' at 'reservedConcurrentExecutions'"),
        ({"environment": {"MINE": "x" * 4096}}, "exceeded the 4KB limit"),
        ({"environment": {"A=B": "x"}}, "'A=B' at 'environment.variables' failed to satisfy constraint"),
        ({"environment": {"": "x"}}, "'' at 'environment.variables'"),
        ({"environment": {"_MINE": "x"}}, "'_MINE' at 'environment.variables'"),
        ({"environment": {"ÄB": "x"}}, "'ÄB' at 'environment.variables'"),
        ({"environment": {"AB\n": "x"}}, "pattern: [a-zA-Z]([a-zA-Z0-9_])+"),
        ({"asynchronous": AsynchronousInvocation(maximum_retries=3)}, "Value '3' at 'maximumRetryAttempts'"),
        ({"asynchronous": AsynchronousInvocation(maximum_event_age_s=59)}, "Value '59' at 'maximumEventAgeInSeconds'"),
    ],
)
def test_function_settings(sound: Sound, change: dict[str, Any], part: str) -> None:
    """Settings of the function outside AWS's limits, one by one."""
    sound.queue = dataclasses.replace(sound.queue, visibility_timeout_s=43_200)
    sound.function = dataclasses.replace(sound.function, **change)
    (text,) = sound.refused()
    assert part in text
    assert not any("AWS's API model allows" in text for _, text in sound.advised())


@pytest.mark.parametrize(
    "change",
    [
        {"timeout_s": 1},
        {"timeout_s": 1_800},
        {"memory_mb": 32_768},
        {"reserved_concurrency": 0},
        {"environment": {"MINE": "x" * 4092}},
        {"environment": {"m_": "x", "M2": "y"}},
        {"runtime": "nodejs22.x"},
    ],
)
def test_function_settings_at_their_bounds(sound: Sound, change: dict[str, Any]) -> None:
    """A timeout of a second and 4 KB of variables are fine; runtimes other than Python's are not judged."""
    sound.queue = dataclasses.replace(sound.queue, visibility_timeout_s=10_800)
    sound.function = dataclasses.replace(sound.function, **change)
    assert sound.refused() == []


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"timeout_s": 900}, None),
        ({"timeout_s": 901}, "AWS's API model allows a timeout of 901 s, but more than 900 is not confirmed"),
        ({"timeout_s": 1_800}, "AWS's API model allows a timeout of 1,800 s, but more than 900 is not confirmed"),
        ({"memory_mb": 10_240}, None),
        ({"memory_mb": 10_241}, "AWS's API model allows 10,241 MB of memory, but more than 10,240 is not confirmed"),
        ({"runtime": "python3.14"}, None),
        ({"runtime": "python3.15"}, "AWS's API model lists python3.15, but it is not confirmed that Lambda offers it"),
        ({"runtime": "python3.8"}, None),
        ({"runtime": "python3.7"}, "python3.7 has reached its end: Lambda no longer creates functions with it"),
    ],
)
def test_what_only_the_model_states_is_advised_against(
    sound: Sound, change: dict[str, Any], advice: str | None
) -> None:
    """Figures that we have seen no ordinary function get are advised against, not refused."""
    sound.queue = dataclasses.replace(sound.queue, visibility_timeout_s=10_800)
    sound.function = dataclasses.replace(sound.function, **change)
    assert sound.refused() == []
    said = sound.advised()
    assert [name for name, _ in said] == ["Consumer"] * len(said)
    assert len(said) == (0 if advice is None else 1)
    assert advice is None or said[0][1].startswith(advice)


@pytest.mark.parametrize(("timeout_s", "refused"), [(5_400, False), (5_401, True)])
def test_managed_instances_have_limits_of_their_own(sound: Sound, timeout_s: int, refused: bool) -> None:
    """CapacityProviderConfig allows 5,400 s for events of a mapping; the simulator says that it runs it differently."""
    sound.queue = dataclasses.replace(sound.queue, visibility_timeout_s=43_200)
    sound.function = dataclasses.replace(sound.function, timeout_s=timeout_s)
    stack = dataclasses.replace(
        sound.stack(), ignored=(Ignored("Consumer", "CapacityProviderConfig", "not simulated"),)
    )
    found = examine(stack)
    assert bool(found.violations) is refused
    assert [each.text.partition(" (")[0] for each in found.advice] == ["on Managed Instances"]


def test_a_managed_function_takes_no_advice_from_another(sound: Sound) -> None:
    """Each function is judged on its own."""
    functions = {name: declare.function(name, timeout_s=901) for name in ("Managed", "Ordinary")}
    ignored = (Ignored("Managed", "CapacityProviderConfig.CapacityProviderArn", "not simulated"),)
    stack = dataclasses.replace(sound.stack(), functions=functions, mappings={}, ignored=ignored)
    assert [each.logical_id for each in examine(stack).advice] == ["Managed", "Ordinary"]


def test_schedule_expression(sound: Sound) -> None:
    """`rate(1 minutes)` is refused."""
    sound.schedules = [Schedule("Tick", "tick", "Consumer", "rate(1 minutes)", "rule", "arn")]
    (text,) = sound.refused()
    assert text.startswith("Parameter ScheduleExpression is not valid")


@pytest.mark.parametrize(
    ("given", "refused"), [('{"a": 1}', False), ('"text"', False), ("{a: 1}", True), (None, False)]
)
def test_schedule_input(sound: Sound, given: str | None, refused: bool) -> None:
    """A custom event must be JSON, or the rule is refused."""
    sound.schedules = [Schedule("Tick", "tick", "Consumer", "rate(1 minute)", "rule", "arn", input=given)]
    assert [text.startswith("Input is not JSON: ") for text in sound.refused()] == [True] * refused


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
    """Attributes of the queue outside SQS's limits."""
    sound.queue = dataclasses.replace(sound.queue, **change)
    assert sound.refused() == [text]


def test_receive_count_of_zero(sound: Sound) -> None:
    """A redrive policy needs at least one receive."""
    sound.queue = dataclasses.replace(sound.queue, redrive=Redrive("DLQ", 0))
    assert "valid values are from 1 to 1000 both inclusive" in sound.refused()[0]


@pytest.mark.parametrize("receives", [1, 1000])
def test_receive_counts_from_1_to_1000(sound: Sound, receives: int) -> None:
    """Both ends are accepted; one more is not."""
    sound.queue = dataclasses.replace(sound.queue, redrive=Redrive("DLQ", receives))
    assert sound.refused() == []
    sound.queue = dataclasses.replace(sound.queue, redrive=Redrive("DLQ", 1001))
    assert "invalid" in sound.refused()[0]


@pytest.mark.parametrize(
    "policy",
    [
        {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}]},
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sqs:x", "SQS:SendMessage"]}]},
        {"Statement": {"Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com"]}, "Action": "*"}},
    ],
)
def test_a_permission_has_many_forms(sound: Sound, policy: Any) -> None:
    """It may be one statement or a list, one action or several, for S3 or everyone."""
    sound.queue = dataclasses.replace(sound.queue, policy=policy)
    assert sound.refused() == []


def test_a_queue_outside_the_stack_is_taken_on_trust(sound: Sound) -> None:
    """The template cannot say more about a notification to it, or a mapping of it."""
    sound.notifications = (dataclasses.replace(sound.notifications[0], target="Elsewhere"),)
    sound.mappings.append(dataclasses.replace(sound.mappings[0], logical_id="Other", queue="Elsewhere"))
    sound.mappings.append(dataclasses.replace(sound.mappings[0], logical_id="Third", function="Outside"))
    found = examine(sound.stack())
    assert (found.violations, found.advice) == ((), ())
    sound.notifications = (*sound.notifications, dataclasses.replace(sound.notifications[0], prefix="other/"))
    sound.notifications = (sound.notifications[0], dataclasses.replace(sound.notifications[1], target="Queue"))
    sound.queue = dataclasses.replace(sound.queue, policy=None)
    assert ["policy of Queue does not let S3" in text for text in sound.refused()] == [True]


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
    (text,) = sound.refused()
    assert text.startswith("Unable to validate the following destination configurations: the policy of Queue")


@pytest.mark.parametrize(
    ("condition", "is_refused"),
    [
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:bucket"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, False),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::another"}}, True),
        ({"StringLike": {"aws:SourceArn": "arn:aws:s3:::other-*"}}, True),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, False),
    ],
)
def test_a_policy_may_be_about_another_bucket_or_account(sound: Sound, condition: Any, is_refused: bool) -> None:
    """S3 refuses such a destination; what cannot be evaluated here is taken on trust."""
    sound.queue = dataclasses.replace(
        sound.queue, policy={"Statement": {**POLICY["Statement"], "Condition": condition}}
    )
    said = [text for text in sound.refused() if text.endswith("events of arn:aws:s3:::bucket in account 123456789012")]
    assert len(said) == len(sound.refused()) == is_refused


@pytest.mark.parametrize("name", ['Fn::ImportValue("Bucket")', "{{resolve:ssm:/bucket}}", "a-Fn::Cidr([1])"])
def test_what_only_aws_knows_is_never_refused(sound: Sound, name: str) -> None:
    """A name or a policy with another stack's output, for example; that it keeps a function from running is said."""
    sound.function = dataclasses.replace(sound.function, name=name)
    assert sound.refused() == []
    condition = {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{name}"}}
    policy = {"Statement": {**POLICY["Statement"], "Condition": condition}}
    sound.queue = dataclasses.replace(sound.queue, policy=policy)
    assert sound.refused() == []
    sound.function = dataclasses.replace(sound.function, runtime=name)
    assert [each.kind for each in examine(sound.stack()).obstacles] == ["not simulated"]


def test_a_parameter_that_systems_manager_has_is_never_refused(sound: Sound) -> None:
    """Its value in the template is only where the value is."""
    for kind, count in (("AWS::SSM::Parameter::Value<String>", 0), ("String", 1)):
        document = {
            "Parameters": {"Name": {"Type": kind}},
            "Resources": {"Queue": {"Properties": {"QueueName": {"Ref": "Name"}}}},
        }
        sound.queue = dataclasses.replace(sound.queue, name="/app/queue")
        stack = dataclasses.replace(sound.stack(), document=document, parameters={"Name": "/app/queue"})
        assert len(examine(stack).violations) == count, kind


def test_a_policy_in_parts_is_taken_on_trust(sound: Sound) -> None:
    """AWS::SQS::QueueInlinePolicy adds to a policy, and is not read."""
    sound.queue = dataclasses.replace(sound.queue, policy=None)
    ignored = (Ignored("Inline", "AWS::SQS::QueueInlinePolicy", "not simulated"),)
    assert examine(dataclasses.replace(sound.stack(), ignored=ignored)).violations == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dt=2024/", "'dt=2024/' matches none on AWS, 'dt%3D2024/' does"),
        ("my files/", "'my files/' matches none on AWS, 'my+files/' does"),
        ("50%/", "'50%/' matches none on AWS, '50%25/' does"),
        ("dt%3d2024/", "'dt%3d2024/' matches none on AWS, 'dt%3D2024/' does"),
        ("%61/", "'%61/' matches none on AWS, 'a/' does"),
        ("*.csv", "'*' is not a wildcard in a filter: '*.csv' matches only keys with that character"),
        ("dt%3D2024/", None),
        ("my+files/", None),
        ("a-z_0.9/~", None),
    ],
)
def test_a_filter_has_keys_as_events_write_them(sound: Sound, text: str, said: str | None) -> None:
    """Prefixes and suffixes that no key can have on AWS are advised against, once each."""
    for part in ("prefix", "suffix"):
        sound.notifications = (dataclasses.replace(sound.notifications[0], **{"prefix": "", part: text}),)
        assert [where for where, _ in sound.advised()] == ["Bucket"] * (said is not None)
        assert all(str(said) in each for _, each in sound.advised())
        assert sound.refused() == []


@pytest.mark.parametrize(("zone", "is_refused"), [("Europe/Berlin", False), ("Berlin", True), ("", True)])
def test_a_time_zone_must_exist(sound: Sound, zone: str, is_refused: bool) -> None:
    """Scheduler knows IANA's names."""
    sound.schedules = [Schedule("Tick", "tick", "Consumer", "rate(1 minute)", "scheduler", "arn", time_zone=zone)]
    assert [text.split(" is ")[0] for text in sound.refused()] == ["Parameter ScheduleExpressionTimezone"] * is_refused


def test_overlapping_notifications(sound: Sound) -> None:
    """Two rules that could both apply are ambiguous; two that cannot are not."""
    first = sound.notifications[0]
    sound.notifications = (first, dataclasses.replace(first, events=("s3:ObjectCreated:Put",), prefix="stocks/a"))
    assert sound.refused()[0].startswith("Configuration is ambiguously defined.")
    sound.notifications = (first, dataclasses.replace(first, prefix="other/"))
    assert sound.refused() == []


@pytest.mark.parametrize(
    ("one", "other", "ambiguous"),
    [
        ({}, {}, True),
        ({"prefix": "a/b"}, {"prefix": "a/"}, True),
        ({"prefix": "b/a/"}, {"prefix": "a/"}, False),
        ({"suffix": ".csv"}, {"suffix": ".gz"}, False),
        ({"suffix": ".csv.gz"}, {"suffix": ".gz"}, True),
        ({"suffix": ".gz"}, {"suffix": ".csv.gz"}, True),
        ({"suffix": ".gz.csv"}, {"suffix": ".gz"}, False),
        ({"suffix": ".gz"}, {"suffix": ".gz.csv"}, False),
        ({"events": ("s3:ObjectRemoved:*",)}, {"events": ("s3:ObjectCreated:*",)}, False),
        ({"events": ("s3:ObjectCreated:Put",)}, {"events": ("s3:ObjectCreated:Put",)}, True),
        ({"events": ("s3:ObjectCreated:Put",)}, {"events": ("s3:ObjectCreated:Post",)}, False),
        ({"events": ("s3:ObjectCreated:P",)}, {"events": ("s3:ObjectCreated:Put",)}, False),
        ({"events": ("s3:ObjectCreated:*",)}, {"events": ("s3:ObjectCreatedX:Put",)}, False),
        ({"events": ("s3:A:*", "s3:B:*")}, {"events": ("s3:C:*", "s3:B:Put")}, True),
    ],
)
def test_what_overlaps(sound: Sound, one: dict[str, Any], other: dict[str, Any], ambiguous: bool) -> None:
    """Two rules are ambiguous if an object and an event can match both: prefixes, suffixes and events."""
    plain = Notification("Queue", ("s3:ObjectCreated:*",))
    for pair in ((one, other), (other, one)):
        sound.notifications = tuple(dataclasses.replace(plain, **change) for change in pair)
        assert any("ambiguously" in text for text in sound.refused()) is ambiguous


@pytest.mark.parametrize("event", ["s3:ObjectCreated:Get", "ObjectCreated:Put", "s3:ObjectCreated", "s3:*"])
def test_unknown_events(sound: Sound, event: str) -> None:
    """S3 has no such event, and names it."""
    sound.notifications = (Notification("Queue", ("s3:ObjectAnnotation:Put", event)),)
    assert sound.refused() == [f"The event '{event}' is not supported for notifications"]


def test_findings_are_in_the_templates_order(sound: Sound) -> None:
    """They are ordered by line; those without one come first; a schedule's line is its function's."""
    sound.queue = dataclasses.replace(sound.queue, delay_s=901)
    sound.function = dataclasses.replace(sound.function, memory_mb=1)
    sound.schedules = [
        Schedule("Tick", "tick", "Consumer", "rate(1 minutes)", "rule", "arn"),
        Schedule("Stray", "stray", "Elsewhere", "rate(1 minutes)", "rule", "arn"),
    ]
    found = [(each.logical_id, each.line) for each in examine(sound.stack()).violations]
    assert found == [("Stray", None), ("Consumer", 10), ("Tick", 10), ("Queue", 20)]


def test_visibility_equal_to_the_timeout_is_accepted_and_advised_against(sound: Sound) -> None:
    """AWS refuses less; it advises six times as much."""
    sound.queue = dataclasses.replace(sound.queue, visibility_timeout_s=60)
    assert sound.refused() == []
    assert [where for where, _ in sound.advised()] == ["Queue"]


@pytest.mark.parametrize(("batch_size", "reports", "told"), [(1, False, False), (2, False, True), (2, True, False)])
def test_a_batch_of_one_needs_no_report(sound: Sound, batch_size: int, reports: bool, told: bool) -> None:
    """A bad message can make good ones come back only if they are in its batch."""
    mapping = dataclasses.replace(sound.mappings[0], batch_size=batch_size, reports_batch_item_failures=reports)
    sound.mappings = [mapping]
    assert bool(sound.advised()) is told


def test_a_destination_on_failure_is_not_used_either(sound: Sound) -> None:
    """Like a dead-letter queue of the function, it is unused by a mapping; a schedule uses both."""
    failing = AsynchronousInvocation(on_failure_arn="arn:aws:sqs:::x")
    sound.function = dataclasses.replace(sound.function, asynchronous=failing)
    ((where, _),) = sound.advised()
    assert where == "Consumer"
    sound.schedules = [Schedule("Tick", "tick", "Consumer", "rate(1 minute)", "rule", "arn")]
    assert sound.advised() == []


def test_only_queues_that_are_notified_need_room_for_notifications(sound: Sound) -> None:
    """64 KiB are enough room."""
    sound.dead_letters = dataclasses.replace(sound.dead_letters, maximum_message_bytes=1024)
    sound.queue = dataclasses.replace(sound.queue, maximum_message_bytes=65_536)
    assert sound.advised() == []


def test_six_times_the_timeout(sound: Sound) -> None:
    """A visibility timeout under six function timeouts plus the window is advised against."""
    sound.mappings = [dataclasses.replace(sound.mappings[0], window_s=5)]
    ((where, text),) = sound.advised()
    assert where == "Queue"
    assert text.endswith(": 360 s of visibility, not six timeouts and the window (365 s)")


def test_receive_count_under_five(sound: Sound) -> None:
    """A low receive count is advised against, and so is a missing dead-letter queue."""
    sound.queue = dataclasses.replace(sound.queue, redrive=Redrive("DLQ", 4))
    assert sound.advised()[0][1].endswith("maxReceiveCount 4 is below 5")
    sound.queue = dataclasses.replace(sound.queue, redrive=None)
    assert sound.advised()[0][1].endswith("there is no dead-letter queue")


def test_dead_letter_retention(sound: Sound) -> None:
    """A dead-letter queue must keep messages longer than its source, because they keep their age."""
    sound.dead_letters = dataclasses.replace(sound.dead_letters, retention_s=345_600)
    ((where, text),) = sound.advised()
    assert where == "DLQ"
    assert "may expire on arrival" in text


def test_reservation_below_the_pollers(sound: Sound) -> None:
    """A reservation below the mapping's concurrency throttles."""
    sound.function = dataclasses.replace(sound.function, reserved_concurrency=3)
    assert "below the 5 batches" in sound.advised()[0][1]
    sound.mappings = [dataclasses.replace(sound.mappings[0], maximum_concurrency=3)]
    assert sound.advised() == []


def test_a_function_without_a_reservation_does_not_hide_the_next(sound: Sound) -> None:
    """Each mapping's function is examined."""
    other = declare.function("Other", timeout_s=60, reserved_concurrency=3)
    sound.mappings.append(dataclasses.replace(sound.mappings[0], logical_id="Second", function="Other"))
    stack = sound.stack()
    stack = dataclasses.replace(stack, functions={**stack.functions, "Other": other})
    assert [each.logical_id for each in examine(stack).advice] == ["Other"]


def test_silent_losses(sound: Sound) -> None:
    """What would lose or repeat messages silently is advised against."""
    sound.function = dataclasses.replace(
        sound.function, asynchronous=AsynchronousInvocation(dead_letter_arn="arn:aws:sqs:::x")
    )
    sound.mappings = [dataclasses.replace(sound.mappings[0], reports_batch_item_failures=False)]
    sound.queue = dataclasses.replace(sound.queue, maximum_message_bytes=1024)
    advice = dict(sound.advised())
    assert "never reach the function's dead-letter queue" in advice["Consumer"]
    assert "ReportBatchItemFailures" in advice["Mapping"]
    assert "larger notifications are lost" in advice["Queue"]


def test_a_polled_function_that_a_bucket_invokes_too_has_asynchronous_events(sound: Sound) -> None:
    """Its dead-letter queue gets the bucket's events, so it is not set in vain."""
    asynchronous = AsynchronousInvocation(dead_letter_arn="arn:aws:sqs:::x")
    sound.function = dataclasses.replace(sound.function, asynchronous=asynchronous)
    assert ["never reach" in text for _, text in sound.advised()] == [True]
    sound.notifications = (*sound.notifications, Notification("Consumer", ("s3:ObjectRemoved:*",)))
    assert sound.advised() == []


def test_own_template_with_a_reservation() -> None:
    """The pipeline's `ReservedConcurrency` reaches the function, and one below the mapping's concurrency is found."""
    stack = template.load(None, {"ReservedConcurrency": "2"})
    assert stack.functions["ConsumerLambda"].reserved_concurrency == 2
    (advice,) = examine(stack).advice
    assert "reserved concurrency 2 is below the 10 batches" in advice.text


def test_a_bucket_has_at_most_a_hundred_notifications() -> None:
    """With more, they are counted and no longer compared with each other; the next bucket is still judged."""
    for count in (100, 101):
        each = tuple(Notification("Nowhere", ("s3:ObjectCreated:*",)) for _ in range(count))
        buckets = {name: Bucket(name, name.lower(), "arn", notifications=each) for name in ("Bucket", "Other")}
        found = examine(declare.stack(buckets=buckets)).violations
        said = {finding.logical_id: finding.text for finding in found}
        assert len(found) == len(said) == 2
        for name in buckets:
            assert said[name].startswith("101 event" if count > 100 else "Configuration is ambiguously defined")


def test_a_statement_that_is_none_allows_nothing() -> None:
    """It also does not hide one that does."""
    allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    bucket = Bucket("Bucket", "bucket", "arn", notifications=(Notification("Queue", ("s3:ObjectCreated:*",)),))
    for statements, refused in (
        ([5, "x", allowed], False),
        ([5, None], True),
        (7, True),
        ([{**allowed, "Action": 5}], True),
    ):
        queue = declare.queue(policy={"Statement": statements})
        found = examine(declare.stack(queues={"Queue": queue}, buckets={"Bucket": bucket})).violations
        assert [finding.logical_id for finding in found] == ["Bucket"] * refused
