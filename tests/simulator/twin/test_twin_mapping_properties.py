"""Each property of an event source mapping, from a template's text to what happens to the messages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fakes.clock import ManualClock
from fakes.mapping import Twin as ManualTwin
from fakes.recorder import Recorder
from fakes.sqs import ManualQueue
from fakes.templates import proves
from fakes.waiting import until
from simulator.base.observations import InvocationStarted, MessageSettled, PollersScaled
from simulator.twin.twin import Twin

FILTERS = """
        FilterCriteria:
          Filters:
            - Pattern: '{"body": {"kind": [{"prefix": "quo"}]}}'
            - Pattern: '{"body": ["ping"]}'
"""
OTHER = """
    OtherQueue:
      Type: AWS::SQS::Queue
      Properties: {QueueName: o-{unique}}
    Other:
      Type: AWS::Serverless::Function
      Properties:
        FunctionName: of-{unique}
        Handler: {handler}
        Runtime: python3.13
    Mapping:
      Type: AWS::Lambda::EventSourceMapping
      Properties:
        FunctionName: !Ref Other
        EventSourceArn: !GetAtt OtherQueue.Arn
"""
PARTLY = """
    def handler(event, context):
        failed = [each["messageId"] for each in event["Records"] if each["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
"""


async def send(twin: Twin, *bodies: str, queue: str = "Queue") -> None:
    """Put messages into a queue of the stack."""
    url = twin.resources.queue_urls[queue]
    entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    await twin.clients.sqs.send_message_batch(QueueUrl=url, Entries=entries)


async def settled(recorded: Recorder, number: int, *mappings: str) -> Counter[tuple[str, bool]]:
    """How many deliveries of these mappings had which outcome, once there are this many."""

    def those() -> list[MessageSettled]:
        return [each for each in recorded.of(MessageSettled) if not mappings or each.mapping in mappings]

    await until(lambda: len(those()) >= number)
    return Counter((each.reason, each.deleted) for each in those())


def handled(recorded: Recorder) -> list[str]:
    """The bodies that the handler has printed."""
    events = [json.loads(line)["event"] for line in recorded.lines() if line.startswith('{"event"')]
    return [record["body"] for event in events for record in event["Records"]]


@proves("Mapping.FilterCriteria.Filters[].Pattern", "Mapping.EventSourceArn", "Mapping.FunctionName", "Mapping.Queue")
@pytest.mark.parametrize("form", ["event", "resource"])
async def test_filters_let_through_what_matches(
    open_template: Callable[..., Any], recorded: Recorder, form: str
) -> None:
    """In SAM's and CloudFormation's form, matching messages are handled, and the rest is deleted unseen."""
    sections = {"event": FILTERS} if form == "event" else {"more": OTHER.rstrip() + FILTERS}
    bodies = ('{"kind": "quote"}', '{"kind": "trade"}', "ping", "pong", "42")
    async with open_template(**sections) as twin:
        queue = "Queue" if form == "event" else "OtherQueue"
        await send(twin, *bodies, queue=queue)
        twin.start_mappings()
        assert await settled(recorded, 5) == {("success", True): 2, ("filtered", True): 3}
        counted = (await twin.counters()).queues[twin.stack.queues[queue].name]
    assert sorted(handled(recorded)) == ["ping", '{"kind": "quote"}']
    assert {each.function for each in recorded.of(InvocationStarted)} == {"Function" if form == "event" else "Other"}
    assert counted.visible + counted.in_flight == 0


@proves("Mapping.BatchSize")
async def test_batch_size_bounds_a_batch(open_template: Callable[..., Any], recorded: Recorder) -> None:
    """Eight messages arrive, at most three per batch."""
    async with open_template(event="BatchSize: 3") as twin:
        await send(twin, *map(str, range(8)))
        twin.start_mappings()
        await settled(recorded, 8)
    batches = [each.messages for each in recorded.of(InvocationStarted)]
    assert sum(batches) == 8
    assert max(batches) == 3


@proves("Mapping.FunctionResponseTypes")
async def test_reported_failures_stay(open_template: Callable[..., Any], recorded: Recorder) -> None:
    """With ReportBatchItemFailures the named message stays and the others go; without it the list is ignored."""
    for event, bad_is_deleted in (("FunctionResponseTypes: [ReportBatchItemFailures]", False), ("BatchSize: 10", True)):
        recorded.clear()
        async with open_template(PARTLY, event=event) as twin:
            await send(twin, "good", "bad", "fine")
            twin.start_mappings()
            await settled(recorded, 3)
        deleted = {each.body: each.deleted for each in recorded.of(MessageSettled)}
        assert deleted == {"good": True, "bad": bad_is_deleted, "fine": True}


@proves("Mapping.Enabled")
async def test_a_disabled_mapping_polls_nothing(open_template: Callable[..., Any], recorded: Recorder) -> None:
    """It has not begun even after another one has emptied its queue."""
    async with open_template(event="Enabled: false", more=OTHER) as twin:
        await send(twin, "waits")
        await send(twin, "handled", queue="OtherQueue")
        twin.start_mappings()
        assert await settled(recorded, 1, "Mapping") == {("success", True): 1}
        assert (await twin.counters()).queues[twin.stack.queues["Queue"].name].visible == 1
    assert {each.mapping for each in recorded.of(PollersScaled)} == {"Mapping"}


@pytest.fixture
def manual(clock: ManualClock, recorded: Recorder) -> ManualTwin:
    """A mapping from a template, on a manual clock."""
    return ManualTwin(clock, recorded)


@proves("Mapping.MaximumBatchingWindowInSeconds")
async def test_the_window_is_waited_for(
    load_template: Callable[..., Any], manual: ManualTwin, clock: ManualClock
) -> None:
    """A single message is sent at the window's end, which is checked between two long polls."""
    stack, queue = load_template(event="MaximumBatchingWindowInSeconds: 50"), ManualQueue(clock)
    queue.send("lonely")
    async with manual.run(queue, stack.mappings["FunctionBatch"], stack.functions["Function"], stack.queues["Queue"]):
        await clock.advance(49)
        assert manual.runtime.events == []
        await clock.advance(21)
        assert len(manual.runtime.events) == 1


@proves("Mapping.ScalingConfig.MaximumConcurrency")
async def test_maximum_concurrency_bounds_the_batches_in_hand(
    load_template: Callable[..., Any], manual: ManualTwin, clock: ManualClock
) -> None:
    """There are three at once, where five would be usual."""
    stack = load_template(event="BatchSize: 1\nScalingConfig: {MaximumConcurrency: 3}")
    queue = ManualQueue(clock)
    queue.send(*map(str, range(30)))
    manual.takes_s = 1.0
    async with manual.run(queue, stack.mappings["FunctionBatch"], stack.functions["Function"], stack.queues["Queue"]):
        await clock.advance(11)
    assert manual.runtime.running_most == 3
    assert not queue.messages


@proves(
    "Mapping.ProvisionedPollerConfig.MinimumPollers",
    "Mapping.ProvisionedPollerConfig.MaximumPollers",
    "Function.Timeout",
)
async def test_provisioned_pollers_begin_at_their_minimum_and_end_at_their_maximum(
    load_template: Callable[..., Any], manual: ManualTwin, clock: ManualClock, recorded: Recorder
) -> None:
    """With ten batches per poller there are thirty at once, and forty when there is work for more."""
    stack = load_template(
        event="BatchSize: 1\nProvisionedPollerConfig: {MinimumPollers: 3, MaximumPollers: 4}",
        function="Timeout: 900",
        queue="VisibilityTimeout: 5400",
    )
    queue = ManualQueue(clock, visibility_s=5400)
    queue.send(*map(str, range(60)))
    manual.takes_s = 800.0
    async with manual.run(queue, stack.mappings["FunctionBatch"], stack.functions["Function"], stack.queues["Queue"]):
        await clock.advance(60)
        concurrency = [each.concurrency for each in recorded.of(PollersScaled)]
        assert (concurrency[0], concurrency[-1], manual.runtime.running) == (30, 40, 40)
        manual.takes_s = 0.0
        await clock.advance(800)
