"""Triggers in both forms mean the same, and one that cannot be simulated is left out with its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.stack.model import Notification, Schedule, Stack
from simulator.stack.rules import examine
from simulator.stack.template import TemplateError

Load = Callable[..., Stack]

TEMPLATE = """
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: my-bucket%s}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: eater
      Handler: a.b
      Runtime: python3.13
      Events:
        Other: {Type: HttpApi}
%s
  G: {Type: AWS::Lambda::Function, Properties: {Handler: a.b, Runtime: python3.13}}
%s
"""
ARN = "arn:aws:lambda:us-east-1:123456789012:function:eater"


def template(event: str = "", resource: str = "", notifications: str = "") -> str:
    """A template with one more event E, resource R, or bucket configuration."""
    bucket = f", NotificationConfiguration: {{{notifications}}}" if notifications else ""
    return TEMPLATE % (bucket, event and f"        E: {event}", resource and f"  R: {resource}")


def left_out(stack: Stack) -> dict[str, str]:
    """What is left out and why, but for the event that every template here has."""
    return {each.property: each.reason for each in stack.ignored if each.property != "Events.Other"}


@pytest.mark.parametrize("kind", ["Api", "SNS", "Kinesis", "DynamoDB", "EventBridgeRule", "Anything"])
def test_an_event_of_another_type_is_left_out(load_text: Load, kind: str) -> None:
    """The function stays, and the reason names the type and its line."""
    stack = load_text(template(f"{{Type: {kind}, Properties: {{Path: /, Topic: !Ref Queue}}}}"))
    (event,) = [each for each in stack.ignored if each.property == "Events.E"]
    assert (event.logical_id, event.reason, event.line) == ("F", f"a trigger of type {kind} is not simulated", 13)
    assert "F" in stack.functions


@pytest.mark.parametrize("events", ["s3:ObjectCreated:*", "[s3:ObjectCreated:Put, s3:ObjectCreated:Copy]"])
def test_a_bucket_invokes_a_function(load_text: Load, events: str) -> None:
    """SAM makes a notification of each event, as the bucket's own configuration has them."""
    rules = "Filter: {S3Key: {Rules: [{Name: Prefix, Value: in/}, {Name: suffix, Value: .csv}]}}"
    named = tuple(events.strip("[]").split(", "))
    expected = tuple(Notification("F", (name,), "in/", ".csv") for name in named)
    event = load_text(template(f"{{Type: S3, Properties: {{Bucket: !Ref Bucket, Events: {events}, {rules}}}}}"))
    own = load_text(
        template(notifications=f"LambdaConfigurations: [{{Event: {named[0]}, Function: !GetAtt F.Arn, {rules}}}]")
    )
    assert event.buckets["Bucket"].notifications == expected
    assert own.buckets["Bucket"].notifications == expected[:1]
    assert left_out(event) == left_out(own) == {}


def test_of_several_wrong_filter_rules_the_same_one_is_named_each_time(load_text: Load) -> None:
    """The first by its letters, whatever order the process's sets have."""
    rules = "Filter: {S3Key: {Rules: [" + ", ".join(f"{{Name: {name}, Value: x}}" for name in "dbcaef") + "]}}"
    with pytest.raises(TemplateError, match="must be prefix or suffix, not 'a'"):
        load_text(template(f"{{Type: S3, Properties: {{Bucket: !Ref Bucket, Events: 's3:ObjectCreated:*', {rules}}}}}"))


def test_a_bucket_has_the_notifications_of_both_forms(load_text: Load) -> None:
    """Its own come first; topics and EventBridge are left out."""
    stack = load_text(
        template(
            "{Type: S3, Properties: {Bucket: my-bucket, Events: a}}",
            notifications="QueueConfigurations: [{Event: b, Queue: !GetAtt Queue.Arn}], TopicConfigurations: [{}], "
            f"LambdaConfigurations: [{{Event: c, Function: '{ARN}:live'}}, {{Event: d, Function: 'arn:other'}}], "
            "EventBridgeConfiguration: {EventBridgeEnabled: true}",
        )
    )
    assert stack.buckets["Bucket"].notifications == (
        Notification("Queue", ("b",)),
        Notification("F", ("c",)),
        Notification("F", ("a",)),
    )
    assert left_out(stack) == {
        "NotificationConfiguration.LambdaConfigurations[1]": "arn:other is not a function in this template",
        "NotificationConfiguration.TopicConfigurations": "not simulated",
        "NotificationConfiguration.EventBridgeConfiguration": "not simulated",
    }


def test_an_event_that_the_bucket_tells_of_itself_is_not_told_twice(load_text: Load) -> None:
    """SAM adds no notification that is there already, so that S3 does not call the two ambiguous."""
    stack = load_text(
        template(
            "{Type: S3, Properties: {Bucket: my-bucket, Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*']}}",
            notifications="LambdaConfigurations: [{Event: 's3:ObjectCreated:*', Function: !GetAtt F.Arn}]",
        )
    )
    assert stack.buckets["Bucket"].notifications == (
        Notification("F", ("s3:ObjectCreated:*",)),
        Notification("F", ("s3:ObjectRemoved:*",)),
    )


def mapping(function: str, queue: str = "!GetAtt Queue.Arn") -> str:
    """A mapping as a resource."""
    properties = f"{{FunctionName: {function}, EventSourceArn: {queue}, BatchSize: 7}}"
    return f"{{Type: AWS::Lambda::EventSourceMapping, Properties: {properties}}}"


@pytest.mark.parametrize(
    "function",
    ["eater", "eater:live", "!Ref F", ARN, f"{ARN}:7", "123456789012:function:eater", "function:eater:live"],
)
def test_a_mapping_names_its_function_in_any_way(load_text: Load, function: str) -> None:
    """Lambda takes a name, an ARN or a part of one, each with a version or an alias."""
    stack = load_text(template(resource=mapping(function)))
    assert (stack.mappings["R"].function, stack.mappings["R"].queue, left_out(stack)) == ("F", "Queue", {})


@pytest.mark.parametrize(
    ("function", "queue", "reason"),
    [
        ("somebody", "!GetAtt Queue.Arn", "somebody is not a function in this template"),
        (ARN.replace("us-east-1", "eu-west-1"), "!GetAtt Queue.Arn", "is not a function in this template"),
        ("!Ref F", "arn:aws:kinesis:us-east-1:123456789012:stream/s", "stream/s is not a queue in this template"),
        ("!Ref F", "!ImportValue shared", 'Fn::ImportValue("shared") is not a queue in this template'),
        ("!Ref F", "!Ref AWS::NoValue", "EventSourceArn is not a queue in this template"),
        ("!Ref F", "!GetAtt Bucket.Arn", "arn:aws:s3:::my-bucket is not a queue in this template"),
    ],
)
def test_a_mapping_of_something_else_is_left_out(load_text: Load, function: str, queue: str, reason: str) -> None:
    """Its reason names what it has instead, and none of its properties is listed besides."""
    stack = load_text(template(resource=mapping(function, queue)))
    assert stack.mappings == {}
    assert list(left_out(stack)) == ["AWS::Lambda::EventSourceMapping"]
    assert left_out(stack)["AWS::Lambda::EventSourceMapping"].endswith(reason)


@pytest.mark.parametrize("queue", ["!Ref Queue", "!GetAtt Queue.QueueName"])
def test_aws_wants_a_queues_arn(load_text: Load, queue: str) -> None:
    """A URL or a name in its place is refused, and the line says what to write."""
    for text in (
        template(resource=mapping("!Ref F", queue)),
        template(f"{{Type: SQS, Properties: {{Queue: {queue}}}}}"),
    ):
        with pytest.raises(TemplateError, match=r"must be an ARN, like !GetAtt Queue\.Arn"):
            load_text(text)


def test_aws_wants_a_functions_arn(load_text: Load) -> None:
    """S3 and EventBridge do not take a function's name."""
    with pytest.raises(TemplateError, match=r"Function: must be an ARN, like !GetAtt F\.Arn, not 'eater'"):
        load_text(template(notifications="LambdaConfigurations: [{Event: a, Function: !Ref F}]"))


def of_scheduler(more: str = "", target: str = "!GetAtt F.Arn") -> str:
    """A schedule of EventBridge Scheduler as a resource."""
    return (
        "{Type: AWS::Scheduler::Schedule, Properties: {ScheduleExpression: rate(1 hour), "
        f"FlexibleTimeWindow: {{Mode: 'OFF'}}, Target: {{Arn: {target}, Input: '1'}}, {more}}}}}"
    )


def test_schedules_in_both_forms_mean_the_same(load_text: Load) -> None:
    """Scheduler's schedules have a group and a zone, which rules do not."""
    more = "Name: n, ScheduleExpression: rate(1 hour), Input: '1', GroupName: g, ScheduleExpressionTimezone: Asia/Tokyo"
    event = load_text(template(f"{{Type: ScheduleV2, Properties: {{{more}}}}}")).schedules["FE"]
    own = load_text(
        template(resource=of_scheduler("Name: n, GroupName: g, ScheduleExpressionTimezone: Asia/Tokyo"))
    ).schedules["R"]
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/g/n"
    assert own == Schedule("R", "n", "F", "rate(1 hour)", "scheduler", arn, "1", True, "Asia/Tokyo")
    assert event == Schedule("FE", "n", "F", "rate(1 hour)", "scheduler", arn, "1", True, "Asia/Tokyo")


def test_a_schedule_of_scheduler_may_be_disabled_or_for_something_else(load_text: Load) -> None:
    """What it does besides is listed; a target that is no function leaves it out."""
    stack = load_text(template(resource=of_scheduler("State: DISABLED, EndDate: x")))
    assert (stack.schedules["R"].enabled, left_out(stack)) == (False, {"EndDate": "not simulated"})
    other = load_text(template(resource=of_scheduler(target="!GetAtt Queue.Arn")))
    assert other.schedules == {}
    assert list(left_out(other)) == ["AWS::Scheduler::Schedule"]


def rule(text: str) -> str:
    """A rule as a resource."""
    return f"{{Type: AWS::Events::Rule, Properties: {{{text}}}}}"


def test_a_rule_with_a_schedule_is_one_schedule_per_function(load_text: Load) -> None:
    """Each has its own input and an id that no resource can have; a target that is not a function is left out."""
    second = "{Id: b, Arn: !GetAtt G.Arn, Input: '{\"n\": 1}'}"
    targets = f"[{{Id: a, Arn: !GetAtt F.Arn}}, {second}, {{Id: c, Arn: !GetAtt Queue.Arn}}]"
    stack = load_text(template(resource=rule(f"Name: n, ScheduleExpression: rate(1 hour), Targets: {targets}")))
    arn = "arn:aws:events:us-east-1:123456789012:rule/n"
    assert stack.schedules == {
        "R": Schedule("R", "n", "F", "rate(1 hour)", "rule", arn),
        "R.b": Schedule("R.b", "n", "G", "rate(1 hour)", "rule", arn, '{"n": 1}'),
    }
    assert stack.lines["R.b"] == 15
    assert list(left_out(stack)) == ["Targets[2]"]


def test_an_input_that_is_not_json_is_found_with_everything_else(load_text: Load) -> None:
    """Reading goes on: the rules say it, at its line, together with what else is refused."""
    stack = load_text(template("{Type: Schedule, Properties: {Schedule: rate(1 hours), Input: '{a'}}"))
    found = [(each.logical_id, each.text.partition(" is not ")[0], each.line) for each in examine(stack).violations]
    assert {("FE", "Parameter ScheduleExpression", 13), ("FE", "Input", 13)} <= {*found}


def test_a_rule_of_a_pattern_is_left_out(load_text: Load) -> None:
    """Event buses are not simulated."""
    stack = load_text(template(resource=rule("EventPattern: {source: [x]}, Targets: [{Id: a, Arn: !GetAtt F.Arn}]")))
    assert (stack.schedules, left_out(stack)) == ({}, {"AWS::Events::Rule": "event buses are not simulated"})


def test_a_disabled_rule_stays_disabled(load_text: Load) -> None:
    """A rule that also sees management events is enabled."""
    for state, enabled in (("DISABLED", False), ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", True)):
        text = rule(f"ScheduleExpression: rate(1 hour), State: {state}, Targets: [{{Id: a, Arn: !GetAtt F.Arn}}]")
        assert load_text(template(resource=text)).schedules["R"].enabled is enabled


def test_a_rule_without_a_name_has_one_name_for_all_its_targets(load_text: Load) -> None:
    """Events name the rule that sent them, whatever target they reach."""
    targets = "[{Id: a, Arn: !GetAtt F.Arn}, {Id: b, Arn: !GetAtt G.Arn}]"
    stack = load_text(template(resource=rule(f"ScheduleExpression: rate(1 hour), Targets: {targets}")))
    assert {each.arn for each in stack.schedules.values()} == {"arn:aws:events:us-east-1:123456789012:rule/stockpipe-R"}
