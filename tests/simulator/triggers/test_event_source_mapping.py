"""The mapping on a manual clock: what reaches the function, what is deleted, what comes back."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from fakes import declare
from fakes.clock import ManualClock
from fakes.mapping import Twin
from fakes.recorder import Recorder
from fakes.sqs import ManualQueue
from simulator.base import limits
from simulator.base.observations import (
    InvocationStarted,
    InvocationThrottled,
    MessageSettled,
    MessagesReceived,
    Noted,
    PollersScaled,
)
from simulator.functions.runtimes import Exited, Raised, Returned
from simulator.stack.patterns import read_pattern


@pytest.fixture
def twin(clock: ManualClock, recorded: Recorder) -> Twin:
    """A twin on the manual clock."""
    return Twin(clock, recorded)


async def test_record_has_awss_fields(twin: Twin, clock: ManualClock) -> None:
    """The handler gets exactly AWS's fields, attributes as text, and its messages are deleted."""
    queue = ManualQueue(clock)
    queue.send("hello")
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()):
        await clock.advance(1)
    assert twin.runtime.events == [
        {
            "Records": [
                {
                    "messageId": "id-000000",
                    "receiptHandle": "id-000000#1",
                    "body": "hello",
                    "attributes": {
                        "ApproximateReceiveCount": "1",
                        "SentTimestamp": "1000000000",
                        "SenderId": "sender",
                        "ApproximateFirstReceiveTimestamp": "1000000000",
                    },
                    "messageAttributes": {},
                    "md5OfBody": "md5",
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:Queue",
                    "awsRegion": "us-east-1",
                }
            ]
        }
    ]
    assert queue.messages == {}
    (settled,) = twin.recorded.of(MessageSettled)
    assert (settled.body, settled.sent_at, settled.receive_count) == ("hello", 1_000_000.0, 1)


async def test_md5_quirk_of_a_window(twin: Twin, clock: ManualClock) -> None:
    """With a window, a record without attributes has `md5OfMessageAttributes: null`."""
    queue = ManualQueue(clock)
    queue.send("hello")
    async with twin.run(queue, declare.mapping(window_s=1), declare.function(), declare.queue()):
        await clock.advance(30)
    assert twin.runtime.events[0]["Records"][0]["md5OfMessageAttributes"] is None


async def test_ramp_equals_the_closed_form(twin: Twin, clock: ManualClock) -> None:
    """With a deep queue and slow invocations, the recorded concurrency is 5 + 300 per minute, and is fully used."""
    queue = ManualQueue(clock, visibility_s=7200)
    queue.send(*map(str, range(300)))
    twin.takes_s = 850.0
    function = declare.function(timeout_s=900)
    async with twin.run(queue, declare.mapping(batch_size=1), function, declare.queue(visibility_timeout_s=7200)):
        await clock.advance(30)
        began_at = twin.recorded.of(PollersScaled)[0].at
        for scaled in twin.recorded.of(PollersScaled):
            assert scaled.concurrency == 5 + math.floor((scaled.at - began_at) * 5 + 1e-6)
        assert twin.runtime.running == twin.recorded.of(PollersScaled)[-1].concurrency == 155
        twin.runtime.behaviour = twin.answer
        twin.takes_s = 0.0
        await clock.advance(850)


async def test_maximum_concurrency_holds(twin: Twin, clock: ManualClock) -> None:
    """There are never more batches at once than MaximumConcurrency, however deep the queue."""
    queue = ManualQueue(clock)
    queue.send(*map(str, range(100)))
    twin.takes_s = 1.0
    async with twin.run(
        queue, declare.mapping(maximum_concurrency=2, batch_size=5), declare.function(), declare.queue()
    ):
        await clock.advance(12)
    assert twin.runtime.running_most == 2
    assert not queue.messages


async def test_batch_size(twin: Twin, clock: ManualClock) -> None:
    """No batch is larger than BatchSize; one larger than ten is filled by several receives."""
    queue = ManualQueue(clock)
    queue.send(*map(str, range(50)))
    mapping = declare.mapping(batch_size=25, window_s=5, maximum_concurrency=2)
    async with twin.run(queue, mapping, declare.function(), declare.queue()):
        await clock.advance(1)
    assert [len(event["Records"]) for event in twin.runtime.events] == [25, 25]


async def test_window_waits_for_the_long_poll(twin: Twin, clock: ManualClock) -> None:
    """On a quiet queue, a batch with a window of one second waits for the 20 s poll in progress."""
    queue = ManualQueue(clock)
    queue.send("lonely")
    async with twin.run(queue, declare.mapping(window_s=1), declare.function(), declare.queue()):
        await clock.advance(limits.SQS_RECEIVE_WAIT_S[1] - 1)
        assert twin.runtime.events == []
        await clock.advance(2)
        assert len(twin.runtime.events) == 1


async def test_six_megabytes_split(twin: Twin, clock: ManualClock) -> None:
    """A batch that would exceed 6 MB is sent before that, the rest in the next one; nothing is left behind."""
    queue = ManualQueue(clock)
    queue.send(*["x" * 1_000_000] * 9)
    mapping = declare.mapping(batch_size=9, maximum_concurrency=2)
    async with twin.run(queue, mapping, declare.function(), declare.queue()):
        await clock.advance(1)
    sizes = [len(json.dumps(event, separators=(",", ":"))) for event in twin.runtime.events]
    assert [len(event["Records"]) for event in twin.runtime.events] == [6, 3]
    assert max(sizes) <= limits.SYNC_PAYLOAD_BYTES
    assert not queue.messages


async def test_partial_failure_stays_until_visibility_ends(twin: Twin, clock: ManualClock) -> None:
    """A listed message is not deleted, and is received again only after its visibility timeout."""
    queue = ManualQueue(clock, visibility_s=30)
    queue.send("good", "bad")

    async def behaviour(event: Any) -> Any:
        bad = [{"itemIdentifier": each["messageId"]} for each in event["Records"] if each["body"] == "bad"]
        return Returned({"batchItemFailures": bad})

    twin.runtime.behaviour = behaviour
    mapping = declare.mapping(reports_batch_item_failures=True)
    async with twin.run(queue, mapping, declare.function(), declare.queue()):
        await clock.advance(29)
        assert [each["body"] for each in queue.messages.values()] == ["bad"]
        assert len(twin.runtime.events) == 1
        await clock.advance(2)
        assert len(twin.runtime.events) == 2
    assert twin.settled() == {("success", True): 1, ("batch item failure", False): 2}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Raised("ValueError", "no", {}), "error"),
        (Exited("exit status 1"), "crash"),
        (Returned("no JSON"), "invalid batch item failures"),
    ],
)
async def test_failures_leave_the_batch(twin: Twin, clock: ManualClock, answer: Any, reason: str) -> None:
    """An exception, a crash and an invalid response delete nothing."""
    queue = ManualQueue(clock)
    queue.send("a", "b")

    async def behaviour(event: Any) -> Any:
        return answer

    twin.runtime.behaviour = behaviour
    mapping = declare.mapping(reports_batch_item_failures=True)
    async with twin.run(queue, mapping, declare.function(), declare.queue()):
        await clock.advance(1)
    assert twin.settled() == {(reason, False): 2}
    assert len(queue.messages) == 2


async def test_timeout_leaves_the_batch(twin: Twin, clock: ManualClock) -> None:
    """An invocation that exceeds the function's timeout is killed then, and deletes nothing."""
    queue = ManualQueue(clock)
    queue.send("a")
    twin.takes_s = 10.0
    async with twin.run(queue, declare.mapping(), declare.function(timeout_s=3), declare.queue()):
        await clock.advance(2.9)
        assert twin.settled() == {}
        await clock.advance(0.2)
        assert twin.settled() == {("timeout", False): 1}


async def test_throttled_deliveries_fill_the_dead_letter_queue(twin: Twin, clock: ManualClock) -> None:
    """With reserved concurrency 1 and a low receive count, good messages are dead-lettered unseen by the handler."""
    queue = ManualQueue(clock, visibility_s=30, maximum_receives=2)
    queue.send(*map(str, range(100)))
    twin.takes_s = 25.0
    function = declare.function(timeout_s=30, reserved_concurrency=1)
    async with twin.run(queue, declare.mapping(reports_batch_item_failures=True), function, declare.queue()):
        await clock.advance(100)
    handled = {record["body"] for event in twin.runtime.events for record in event["Records"]}
    assert queue.dead_letters
    assert set(queue.dead_letters) - handled
    assert twin.recorded.of(InvocationThrottled)[0].reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert twin.settled()["throttled", False] >= len(queue.dead_letters)
    throttled = [each for each in twin.recorded.of(MessageSettled) if each.reason == "throttled"]
    assert max(each.at - each.received_at for each in throttled) <= 30


async def test_maximum_concurrency_cures_it(twin: Twin, clock: ManualClock) -> None:
    """With the same load and MaximumConcurrency within the reservation, nothing is throttled or dead-lettered."""
    queue = ManualQueue(clock, visibility_s=30, maximum_receives=2)
    queue.send(*map(str, range(100)))
    twin.takes_s = 25.0
    function = declare.function(timeout_s=30, reserved_concurrency=2)
    mapping = declare.mapping(reports_batch_item_failures=True, maximum_concurrency=2)
    async with twin.run(queue, mapping, function, declare.queue()):
        await clock.advance(150)
    assert not queue.dead_letters
    assert not queue.messages
    assert not twin.recorded.of(InvocationThrottled)


@pytest.mark.parametrize(("visibility_s", "doubled"), [(3, True), (18, False)])
async def test_short_visibility_doubles_the_work(
    twin: Twin, clock: ManualClock, visibility_s: int, doubled: bool
) -> None:
    """A batch delayed by a throttle outlasts a visibility of one timeout and is handled twice; with six, once."""
    queue = ManualQueue(clock, visibility_s=visibility_s)
    queue.send(*map(str, range(240)))
    twin.takes_s = 2.2
    function = declare.function(timeout_s=3, reserved_concurrency=2)
    declared = declare.queue(visibility_timeout_s=visibility_s)
    mapping = declare.mapping(reports_batch_item_failures=True, maximum_concurrency=5)
    async with twin.run(queue, mapping, function, declared):
        await clock.advance(60)
    handled = Counter(record["body"] for event in twin.runtime.events for record in event["Records"])
    assert not queue.messages
    assert set(handled) == set(map(str, range(240)))
    assert (handled.total() > 240) is doubled


async def test_throttle_retries_the_same_batch(twin: Twin, clock: ManualClock) -> None:
    """A throttled batch is tried again with back-off while it is ours, and counts as one receive."""
    queue = ManualQueue(clock, visibility_s=30)
    queue.send("first", "second")
    twin.takes_s = 2.0
    function = declare.function(reserved_concurrency=1)
    async with twin.run(queue, declare.mapping(batch_size=1, maximum_concurrency=2), function, declare.queue()):
        await clock.advance(8)
    assert not queue.messages
    assert [each.receive_count for each in twin.recorded.of(MessageSettled)] == [1, 1]
    assert 1 <= len(twin.recorded.of(InvocationThrottled)) < 10


@pytest.mark.parametrize(("reports", "least"), [(False, 2), (True, 5)])
async def test_errors_scale_down(twin: Twin, clock: ManualClock, reports: bool, least: int) -> None:
    """Errors reduce concurrency without partial batch responses, but not with them."""
    queue = ManualQueue(clock, visibility_s=5)
    queue.send(*map(str, range(4)))

    async def behaviour(event: Any) -> Any:
        return Raised("ValueError", "no", {})

    twin.runtime.behaviour = behaviour
    mapping = declare.mapping(batch_size=1, reports_batch_item_failures=reports)
    async with twin.run(queue, mapping, declare.function(), declare.queue(visibility_timeout_s=5)):
        await clock.advance(20)
    assert min(each.concurrency for each in twin.recorded.of(PollersScaled)) == least


async def test_a_throttled_batch_ends_with_its_first_message(twin: Twin, clock: ManualClock) -> None:
    """It is given up when the visibility of its first message ends, not that of a later one."""
    queue = ManualQueue(clock, visibility_s=60)
    queue.send("first")
    mapping = declare.mapping(window_s=20, batch_size=2, maximum_concurrency=2)
    function = declare.function(reserved_concurrency=0)
    async with twin.run(queue, mapping, function, declare.queue(visibility_timeout_s=60)):
        await clock.advance(15)
        queue.send("second")
        await clock.advance(61)
        settled = [each for each in twin.recorded.of(MessageSettled) if each.receive_count == 1]
    first, second = settled
    assert (first.reason, second.reason) == ("throttled", "throttled")
    assert second.received_at == pytest.approx(first.received_at + 15, abs=1)
    assert first.at == second.at == pytest.approx(first.received_at + 60, abs=1)


async def test_receivers_back_off_each_by_its_own_chance(twin: Twin, clock: ManualClock) -> None:
    """A seed gives each receiver the same delays, in whatever order the receivers' tasks run."""

    async def asked(turns: list[int]) -> list[list[float]]:
        """The instants of each receiver's calls, where a failed call takes this many turns of the loop."""
        began_at, tasks, calls = clock.now(), [], []

        async def receive_message(**_: Any) -> Any:
            task = asyncio.current_task()
            if task not in tasks:
                tasks.append(task)
                calls.append([])
            receiver = tasks.index(task)
            calls[receiver].append(round(clock.now() - began_at, 6))
            for _ in range(turns[receiver]):
                await asyncio.sleep(0)
            raise EndpointConnectionError(endpoint_url="http://queue")

        queue = ManualQueue(clock)
        queue.receive_message = receive_message
        twin.stop = asyncio.Event()
        async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()):
            await clock.advance(8)
        return calls

    in_order = await asked([0, 0, 0, 0, 0])
    assert in_order == await asked([9, 7, 5, 3, 1])
    assert len({tuple(calls) for calls in in_order}) == limits.MAPPING_RECEIVERS


async def test_back_to_five_and_two_when_idle(twin: Twin, clock: ManualClock) -> None:
    """After the last message the mapping goes back to five, then to two, and still polls."""
    queue = ManualQueue(clock)
    queue.send(*map(str, range(200)))
    twin.takes_s = 2.0
    async with twin.run(queue, declare.mapping(batch_size=1), declare.function(), declare.queue()):
        await clock.advance(400)
        assert max(each.concurrency for each in twin.recorded.of(PollersScaled)) > 5
        assert [each.concurrency for each in twin.recorded.of(PollersScaled)][-2:] == [5, 2]
        queue.send("late")
        await clock.advance(3)
        assert not queue.messages


@pytest.mark.parametrize(("wait_s", "calls"), [(20, 20), (limits.POLL_SLICE_S, 305)])
async def test_idle_receives(twin: Twin, clock: ManualClock, wait_s: int, calls: int) -> None:
    """Five pollers make fifteen empty receives of 20 s per minute on an empty queue, also if each is many calls."""
    queue = ManualQueue(clock)
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue(), wait_s=wait_s):
        await clock.advance(60)
        assert [each.count for each in twin.recorded.of(MessagesReceived)] == [0] * 15
        assert queue.receives == calls


async def test_a_receive_says_how_many_messages_are_test_events(twin: Twin, clock: ManualClock) -> None:
    """They are delivered like all others, but whoever counts deliveries can leave them out."""
    queue = ManualQueue(clock)
    queue.send('{"Service": "Amazon S3", "Event": "s3:TestEvent"}', '{"Records": "s3:TestEvent"}')
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()):
        await clock.advance(1)
    assert [(each.count, each.test_events) for each in twin.recorded.of(MessagesReceived) if each.count] == [(2, 1)]


async def test_a_delete_that_fails(twin: Twin, clock: ManualClock) -> None:
    """A message whose delete fails stays, is reported as such, and is handled again."""
    queue = ManualQueue(clock, visibility_s=30)
    queue.send("a", "b")
    queue.refuse_deletes = 1
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()):
        await clock.advance(31)
    assert twin.settled() == {("delete failed", False): 2, ("success", True): 2}
    assert [len(event["Records"]) for event in twin.runtime.events] == [2, 2]


async def test_deletes_come_in_tens(twin: Twin, clock: ManualClock) -> None:
    """A batch of 25 is deleted by three calls of at most ten."""
    queue = ManualQueue(clock)
    queue.send(*map(str, range(25)))
    mapping = declare.mapping(batch_size=25, window_s=5, maximum_concurrency=2)
    async with twin.run(queue, mapping, declare.function(), declare.queue()):
        await clock.advance(1)
    assert sorted(queue.deletes) == [5, 10, 10]


async def test_filtered_messages_are_deleted(twin: Twin, clock: ManualClock) -> None:
    """Messages that the filter criteria reject never reach the function and are deleted from the queue."""
    queue = ManualQueue(clock)
    queue.send('{"kind": "wanted"}', '{"kind": "other"}', "no JSON")
    mapping = declare.mapping(filters=(read_pattern('{"body": {"kind": ["wanted"]}}'),))
    async with twin.run(queue, mapping, declare.function(), declare.queue()):
        await clock.advance(1)
    assert [record["body"] for event in twin.runtime.events for record in event["Records"]] == ['{"kind": "wanted"}']
    assert twin.settled() == {("filtered", True): 2, ("success", True): 1}
    assert not queue.messages


async def test_soft_stop_settles_what_is_in_hand(twin: Twin, clock: ManualClock) -> None:
    """After stop nothing new is received, the batches in progress are settled, and then the mapping returns."""
    queue = ManualQueue(clock)
    queue.send(*map(str, range(100)))
    twin.takes_s = 2.0
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()) as task:
        await clock.advance(0.1)
        received = sum(each.count for each in twin.recorded.of(MessagesReceived))
        twin.stop.set()
        await clock.advance(1.0)
        assert not task.done()
        await clock.advance(1.0)
        assert task.done()
    assert received == sum(each.count for each in twin.recorded.of(MessagesReceived))
    assert twin.settled() == {("success", True): received}


async def test_soft_stop_releases_a_throttled_batch(twin: Twin, clock: ManualClock) -> None:
    """A batch that waits for a free environment is given back at once, although its visibility lasts for minutes."""
    queue = ManualQueue(clock)
    queue.send("a")
    function = declare.function(reserved_concurrency=0)
    declared = declare.queue(visibility_timeout_s=600)
    async with twin.run(queue, declare.mapping(), function, declared) as task:
        await clock.advance(5)
        twin.stop_softly(queue)
        await clock.advance(0)
        assert task.done()
    assert twin.settled() == {("throttled", False): 1}


async def test_growth_ends_with_the_backlog(twin: Twin, clock: ManualClock) -> None:
    """Once a receive has to wait, no more concurrency is permitted, however many batches are in progress."""
    queue = ManualQueue(clock, visibility_s=7200)
    queue.send(*map(str, range(60)))
    twin.takes_s = 100.0
    function, declared = declare.function(timeout_s=200), declare.queue(visibility_timeout_s=7200)
    async with twin.run(queue, declare.mapping(batch_size=1), function, declared):
        await clock.advance(40)
        assert twin.runtime.running == 60
        assert 60 < twin.recorded.of(PollersScaled)[-1].concurrency <= 67
        await clock.advance(100)


async def test_soft_stop_does_not_wait_for_a_long_poll(twin: Twin, clock: ManualClock) -> None:
    """On an empty queue the mapping returns as soon as the store ends its receives, and cuts none off itself."""
    queue = ManualQueue(clock)
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()) as task:
        await clock.advance(5.5)
        twin.stop.set()
        await clock.advance(5.5)
        assert not task.done()
        twin.stop_softly(queue)
        await clock.advance(0)
        assert task.done()
    assert queue.receives == limits.MAPPING_RECEIVERS


async def test_soft_stop_takes_a_slice_where_nobody_can_end_a_receive(twin: Twin, clock: ManualClock) -> None:
    """At a store that is not ours the mapping returns within a second of stop, without cutting off a receive."""
    queue = ManualQueue(clock)
    function, declared = declare.function(), declare.queue()
    async with twin.run(queue, declare.mapping(), function, declared, wait_s=limits.POLL_SLICE_S) as task:
        await clock.advance(5.5)
        twin.stop.set()
        await clock.advance(limits.POLL_SLICE_S)
        assert task.done()


async def test_a_receive_that_the_store_ends_early_is_an_empty_one(twin: Twin, clock: ManualClock) -> None:
    """If nobody wanted to stop, the mapping counts it and polls on."""
    queue = ManualQueue(clock)
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()):
        await clock.advance(5)
        queue.end_long_polls()
        await clock.advance(0)
        assert len(twin.recorded.of(MessagesReceived)) == limits.MAPPING_RECEIVERS
        assert queue.receives == 2 * limits.MAPPING_RECEIVERS


async def test_soft_stop_sends_an_open_batch(twin: Twin, clock: ManualClock) -> None:
    """A batch that still waits for its window goes to the function at once."""
    queue = ManualQueue(clock)
    queue.send("a")
    async with twin.run(queue, declare.mapping(window_s=300), declare.function(), declare.queue()):
        await clock.advance(2)
        twin.stop_softly(queue)
        await clock.advance(0)
        assert len(twin.runtime.events) == 1


async def test_store_that_fails_is_tried_again(twin: Twin, clock: ManualClock) -> None:
    """A receive that fails is reported and repeated with back-off."""
    from botocore.exceptions import EndpointConnectionError

    queue = ManualQueue(clock)
    queue.send("a")
    works, failures = queue.receive_message, iter(range(3))

    async def receive(**request: Any) -> Any:
        if next(failures, None) is not None:
            raise EndpointConnectionError(endpoint_url="http://queue")
        return await works(**request)

    queue.receive_message = receive
    async with twin.run(queue, declare.mapping(), declare.function(), declare.queue()):
        await clock.advance(5)
    assert not queue.messages
    assert [each.kind for each in twin.recorded.of(Noted)] == ["warning"] * 3


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("reports", [True, False])
async def test_chaos(twin: Twin, clock: ManualClock, seed: int, reports: bool) -> None:
    """Whatever fails at random, each delivery is settled once, and every message ends deleted or dead-lettered."""
    rng = random.Random(seed)
    queue = ManualQueue(clock, visibility_s=20, maximum_receives=3)
    bodies = [f"message {number}" for number in range(120)]
    queue.send(*bodies)
    succeeded: set[str] = set()

    async def behaviour(event: Any) -> Any:
        await clock.sleep(rng.choice([0.1, 1.0, 2.0, 9.0]))
        kind = rng.choice(["good", "good", "partial", "error", "crash"])
        if kind == "error":
            return Raised("ValueError", "chaos", {})
        if kind == "crash":
            return Exited("signal: killed")
        failed = [each for each in event["Records"] if kind == "partial" and rng.random() < 0.5]
        succeeded.update(each["body"] for each in event["Records"] if each not in failed or not reports)
        return Returned({"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in failed]})

    twin.runtime.behaviour = behaviour
    deletes = queue.delete_message_batch

    async def delete(**request: Any) -> Any:
        queue.refuse_deletes = int(rng.random() < 0.1)
        return await deletes(**request)

    queue.delete_message_batch = delete
    function = declare.function(timeout_s=5, reserved_concurrency=3)
    mapping = declare.mapping(reports_batch_item_failures=reports)
    async with twin.run(queue, mapping, function, declare.queue(visibility_timeout_s=20)):
        for _ in range(400):
            await clock.advance(2)
            assert twin.runtime.running <= 3
            if not queue.messages:
                break
    settled = twin.recorded.of(MessageSettled)
    assert not queue.messages
    assert Counter(each.body for each in settled if each.deleted).most_common(1)[0][1] == 1
    assert {each.body for each in settled if each.deleted} | set(queue.dead_letters) == set(bodies)
    assert len(settled) == sum(each.count for each in twin.recorded.of(MessagesReceived))
    assert len({(each.message_id, each.receive_count) for each in settled}) == len(settled)
    assert {each.body for each in settled if each.deleted} <= succeeded
    assert sum(each.messages for each in twin.recorded.of(InvocationStarted)) <= len(settled)
