"""Each property of a function and its schedules, from a template's text to what the handler sees and does."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from fakes.recorder import Recorder
from fakes.templates import proves
from fakes.waiting import until
from simulator.base.observations import InvocationEnded
from simulator.functions.environments import Throttled
from simulator.functions.runtimes import Returned
from simulator.twin.twin import Twin

NOON = 1_790_000_000.0 // 86_400 * 86_400 + 43_200
FAILING = """
    def handler(event, context):
        raise ValueError("not today")
"""


@proves("Function.FunctionName", "Function.Handler", "Function.Runtime", "Function.Timeout")
@proves("Function.Environment.Variables", "Globals", "Condition")
async def test_a_function_sees_what_the_template_says_of_it(open_template: Callable[..., Any]) -> None:
    """It sees name, runtime, time and variables; Globals rank below its own, and conditions can leave some out."""
    async with open_template(
        globals="{Function: {Timeout: 9, Environment: {Variables: {STAGE: test, GREETING: hello}}}}",
        variables="GREETING: good morning",
        conditions="{Production: !Equals [a, b], Trial: !Equals [a, a]}",
        more="""
            Left: {Type: AWS::SQS::Queue, Condition: Production}
            Kept: {Type: AWS::SQS::Queue, Condition: Trial, Properties: {DelaySeconds: !If [Production, 1, 900]}}
        """,
    ) as twin:
        result = await twin.service.invoke("Function", {"a": 1})
        url = twin.resources.queue_urls["Kept"]
        await twin.clients.sqs.send_message(QueueUrl=url, MessageBody="later")
        kept = (await twin.counters()).queues[twin.stack.queues["Kept"].name]
    assert "Left" not in twin.resources.queue_urls
    assert (kept.visible, kept.delayed) == (0, 1)
    assert isinstance(result, Returned)
    assert result.payload["name"] == twin.stack.functions["Function"].name
    assert result.payload["name"].startswith("f-")
    assert 3.0 < result.payload["left_s"] <= 9.0
    environ = result.payload["environ"]
    assert environ["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environ["_HANDLER"].startswith("handlers_")
    assert (environ["STAGE"], environ["GREETING"]) == ("test", "good morning")
    assert environ["TABLE_NAME"] == twin.stack.tables["Table"].name


@proves("Function.ReservedConcurrentExecutions")
async def test_a_reservation_bounds_the_function(open_template: Callable[..., Any]) -> None:
    """Two events run at a time; a third is throttled."""
    async with open_template(function="ReservedConcurrentExecutions: 2") as twin:
        results = await asyncio.gather(*(twin.service.invoke("Function", number) for number in range(3)))
        assert [type(each) for each in results] == [Returned, Returned, Throttled]
        assert isinstance(await twin.service.invoke("Function", 3), Returned)


@proves("Function.LoggingConfig.LogFormat")
async def test_the_log_has_its_format(open_template: Callable[..., Any], recorded: Recorder) -> None:
    """In JSON, the platform's lines are objects; otherwise they are text."""
    for function, is_json in (("LoggingConfig: {LogFormat: JSON}", True), ("MemorySize: 256", False)):
        recorded.clear()
        async with open_template(function=function) as twin:
            await twin.service.invoke("Function", {})
        (report,) = [line for line in recorded.lines() if "REPORT" in line or "platform.report" in line]
        assert report.startswith("{") is is_json


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="awslambdaric has no wheel here")
@proves("Function.MemorySize", "Function.LoggingConfig.ApplicationLogLevel")
async def test_memory_and_log_level_hold_in_a_process(open_template: Callable[..., Any], recorded: Recorder) -> None:
    """200 MB fit into 512, and are too many for 128; at its level the handler's lines are logged."""
    code = """
        import logging

        def handler(event, context):
            logging.getLogger().debug("quiet")
            kept = bytearray(event * 1024 * 1024)
            kept[::4096] = b"x" * len(kept[::4096])
            return len(kept)
    """
    logging = "LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG}"
    for memory_mb, outcome in ((512, "success"), (128, "crash")):
        async with open_template(code, runtime="process", function=f"MemorySize: {memory_mb}\n{logging}") as twin:
            await twin.service.invoke("Function", 200)
        assert recorded.of(InvocationEnded)[-1].outcome == outcome
    said = [json.loads(line).get("message") for line in recorded.lines() if line.startswith("{")]
    assert "quiet" in said


async def given_up(twin: Twin, queue: str) -> Any:
    """The only message of a queue of the stack, once it is there."""
    url = twin.resources.queue_urls[queue]

    async def message() -> Any:
        return (await twin.clients.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])).get("Messages")

    (found,) = await until(message)
    return found


@proves("Function.EventInvokeConfig.MaximumRetryAttempts", "Function.EventInvokeConfig.MaximumEventAgeInSeconds")
@proves("Function.EventInvokeConfig.DestinationConfig.OnFailure.Destination", "Function.DeadLetterQueue.TargetArn")
@pytest.mark.parametrize(
    ("bound", "condition"),
    [("MaximumRetryAttempts: 0", "RetriesExhausted"), ("MaximumEventAgeInSeconds: 60", "EventAgeExceeded")],
)
async def test_a_failed_event_is_given_up_where_the_template_says(
    open_template: Callable[..., Any], bound: str, condition: str
) -> None:
    """Without a retry, or one within a minute, the event is in the dead-letter queue, its record at the destination."""
    function = f"""
        DeadLetterQueue: {{Type: SQS, TargetArn: !GetAtt DeadLetters.Arn}}
        EventInvokeConfig:
          {bound}
          DestinationConfig: {{OnFailure: {{Type: SQS, Destination: !GetAtt Failures.Arn}}}}
    """
    more = "Failures: {Type: AWS::SQS::Queue}"
    async with open_template(FAILING, function=function, more=more) as twin:
        twin.invoker.accept("Function", {"a": 1})
        dead = await given_up(twin, "DeadLetters")
        record = json.loads((await given_up(twin, "Failures"))["Body"])
    assert json.loads(dead["Body"]) == {"a": 1}
    assert dead["MessageAttributes"]["ErrorMessage"]["StringValue"] == "not today"
    assert record["requestContext"]["condition"] == condition
    assert record["requestContext"]["approximateInvokeCount"] == 1


@proves("Function.Events[].Type", "Schedule.Schedule", "Schedule.Name", "Schedule.Input")
@proves("Schedule.Enabled", "Schedule.State", "ScheduleV2.ScheduleExpression", "ScheduleV2.Name", "ScheduleV2.Input")
@proves("ScheduleV2.Enabled", "ScheduleV2.State")
async def test_schedules_fire_as_they_are_declared(open_template: Callable[..., Any], recorded: Recorder) -> None:
    """Both of SAM's types fire on time, under their names, with their own events; a disabled one stays silent."""
    events = """
        Rule: {Type: Schedule, Properties: {Schedule: "cron(30 12 * * ? *)", Name: rule-name}}
        RuleWithInput: {Type: Schedule, Properties: {Schedule: rate(1 hour), Input: '{"own": "rule"}'}}
        RuleOff: {Type: Schedule, Properties: {Schedule: rate(1 hour), Input: '"off"', Enabled: false}}
        RuleDisabled: {Type: Schedule, Properties: {Schedule: rate(1 hour), Input: '"off"', State: DISABLED}}
        Later: {Type: ScheduleV2, Properties: {ScheduleExpression: "cron(45 12 * * ? *)", Name: later-name}}
        LaterWithInput: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), Input: '{"own": "later"}'}}
        LaterOff: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), Input: '"off"', State: DISABLED}}
        LaterNot: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), Input: '"off"', Enabled: false}}
    """
    async with open_template(events=events) as twin:
        await twin.run_schedules(start_at=NOON, speed=1.0, ticks=1, stop=asyncio.Event())
        await until(lambda: not twin.invoker.pending)
    seen = [json.loads(line)["event"] for line in recorded.lines() if line.startswith('{"event"')]
    own = [each["own"] for each in seen if "own" in each]
    assert sorted(own) == ["later", "rule"]
    assert len(seen) == 4
    (rule,) = [each for each in seen if each.get("source") == "aws.events"]
    (later,) = [each for each in seen if each.get("source") == "aws.scheduler"]
    assert rule["time"].endswith("T12:30:00Z")
    assert rule["resources"][0].endswith(":rule/rule-name")
    assert later["time"].endswith("T12:45:00Z")
    assert later["resources"][0].endswith(":schedule/default/later-name")


@proves("ScheduleV2.ScheduleExpressionTimezone", "ScheduleV2.GroupName", "ScheduleV2.Target.Arn")
@proves("ScheduleV2.Target.Input", "Rule.ScheduleExpression", "Rule.Name", "Rule.State", "Rule.Targets[].Arn")
@proves("Rule.Targets[].Input")
async def test_schedules_of_their_own_fire_as_they_are_declared(
    open_template: Callable[..., Any], recorded: Recorder
) -> None:
    """Scheduler's fire in their zone and group, rules for each of their functions; what is disabled stays silent."""
    more = """
        Tokyo:
          Type: AWS::Scheduler::Schedule
          Properties:
            Name: tokyo
            GroupName: asia
            ScheduleExpression: cron(30 21 * * ? *)
            ScheduleExpressionTimezone: Asia/Tokyo
            Target: {Arn: !GetAtt Function.Arn}
        Given:
          Type: AWS::Scheduler::Schedule
          Properties: {ScheduleExpression: rate(1 hour), Target: {Arn: !GetAtt Function.Arn, Input: '{"own": "given"}'}}
        Rule:
          Type: AWS::Events::Rule
          Properties:
            Name: hourly
            ScheduleExpression: cron(0 13 * * ? *)
            Targets:
              - {Id: a, Arn: !GetAtt Function.Arn}
              - {Id: b, Arn: !GetAtt Function.Arn, Input: '{"own": "b"}'}
        Off:
          Type: AWS::Events::Rule
          Properties:
            ScheduleExpression: rate(1 hour)
            State: DISABLED
            Targets: [{Id: a, Arn: !GetAtt Function.Arn, Input: '{"own": "off"}'}]
    """
    async with open_template(more=more) as twin:
        await twin.run_schedules(start_at=NOON, speed=1.0, ticks=1, stop=asyncio.Event())
        await until(lambda: not twin.invoker.pending)
    seen = [json.loads(line)["event"] for line in recorded.lines() if line.startswith('{"event"')]
    assert sorted(each["own"] for each in seen if "own" in each) == ["b", "given"]
    times = {each["resources"][0].rpartition(":")[2]: each["time"][11:] for each in seen if "own" not in each}
    assert times == {"schedule/asia/tokyo": "12:30:00Z", "rule/hourly": "13:00:00Z"}


@proves("Function.DeadLetterConfig.TargetArn")
def test_a_plain_function_gives_up_to_its_dead_letter_queue(load_template: Callable[..., Any]) -> None:
    """It is the queue that SAM calls DeadLetterQueue, which the twin sends to."""
    sam = load_template(function="DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt DeadLetters.Arn}")
    more = """
        Plain:
          Type: AWS::Lambda::Function
          Properties: {Handler: a.b, Runtime: python3.13, DeadLetterConfig: {TargetArn: !GetAtt DeadLetters.Arn}}
    """
    plain = load_template(more=more)
    for stack, function in ((sam, "Function"), (plain, "Plain")):
        assert stack.functions[function].asynchronous.dead_letter_arn == stack.queues["DeadLetters"].arn
