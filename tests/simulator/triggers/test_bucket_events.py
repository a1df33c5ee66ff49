"""Buckets that invoke functions: what is asked of the store, and which events the invoker gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from simulator.store.s3.policies import allows_s3

from fakes import declare
from fakes.clock import ManualClock
from fakes.recorder import Recorder
from fakes.sqs import ManualQueue
from simulator.base import limits
from simulator.base.observations import Noted
from simulator.stack.model import Bucket, Notification, Stack
from simulator.triggers.bucket_events import deliver, through_queues
from simulator.triggers.eventbridge import AsynchronousInvoker

TEST_EVENT = '{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}'
CREATED = ("s3:ObjectCreated:*",)


def declared() -> Stack:
    """Two buckets; one tells a queue and two functions, one of them twice."""
    to_queue = Notification("Queue", CREATED, "queue/")
    to_first = (Notification("First", CREATED, "first/", ".csv"), Notification("First", ("s3:ObjectRemoved:*",)))
    to_second = Notification("Second", CREATED, "second/")
    return declare.stack(
        functions={name: declare.function(name) for name in ("First", "Second")},
        queues={"Queue": declare.queue()},
        buckets={
            "A": Bucket("A", "a", "arn:aws:s3:::a", notifications=(to_queue, *to_first, to_second)),
            "B": Bucket("B", "b", "arn:aws:s3:::b", notifications=(Notification("First", CREATED),)),
        },
    )


def test_there_is_a_queue_between_each_bucket_and_each_function() -> None:
    """One for each pair, with names that differ; what the bucket tells a queue of the template stays as it is."""
    stack = declared()
    made = through_queues(stack)
    own = {name: queue for name, queue in made.queues.items() if name not in stack.queues}
    assert list(own) == ["A>First", "A>Second", "B>First"]
    assert len({queue.name for queue in own.values()}) == 3
    assert all(len(queue.name) <= 80 for queue in own.values())
    assert [each.target for each in made.buckets["A"].notifications] == ["Queue", "A>First", "A>First", "A>Second"]
    first = made.buckets["A"].notifications[1]
    assert (first.events, first.prefix, first.suffix) == (CREATED, "first/", ".csv")
    assert {name: through_queues(stack).queues[name] for name in own} == own


def test_s3_may_send_to_them() -> None:
    """Their policy allows what S3 checks when the notification is made."""
    queue = through_queues(declared()).queues["A>First"]
    assert allows_s3(queue.policy, queue.arn, "arn:aws:s3:::a", limits.ACCOUNT_ID)


def test_a_stack_without_such_buckets_stays_the_same() -> None:
    """Nothing is added to a stack whose buckets notify only queues."""
    bucket = Bucket("A", "a", "arn:aws:s3:::a", notifications=(Notification("Queue", CREATED),))
    stack = declare.stack(queues={"Queue": declare.queue()}, buckets={"A": bucket})
    assert through_queues(stack) == stack


class Deliveries:
    """An invoker that remembers what it accepted, and a queue before it."""

    def __init__(self, clock: ManualClock, recorded: Recorder) -> None:
        self.clock, self.sqs, self.record = clock, ManualQueue(clock), recorded.append
        self.pending = 0
        self.accepted: list[tuple[str, Any]] = []

    def accept(self, function: str, event: Any) -> None:
        """Remember it, and that its message was still there."""
        assert any(json.loads(each["body"]) == event for each in self.sqs.messages.values())
        self.accepted.append((function, event))

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[asyncio.Event]:
        """The delivery; it has ended once its stop was set and a slice of a poll has passed."""
        stop = asyncio.Event()
        task = asyncio.create_task(deliver("A>First", "url", cast("AsynchronousInvoker", self), stop))
        yield stop
        stop.set()
        await self.clock.advance(limits.POLL_SLICE_S)
        assert task.done()
        await task


async def test_each_event_is_accepted_at_once_and_then_deleted(clock: ManualClock, recorded: Recorder) -> None:
    """The function gets S3's own JSON the moment it is sent; while it is not accepted, the queue has it."""
    invoker = Deliveries(clock, recorded)
    async with invoker.delivering():
        for number in range(12):
            invoker.sqs.send(json.dumps({"Records": [number]}))
        await clock.advance(0.0)
        assert invoker.accepted == [("First", {"Records": [number]}) for number in range(12)]
        assert invoker.sqs.messages == {}


async def test_s3_sends_a_function_no_test_event(clock: ManualClock, recorded: Recorder) -> None:
    """The one that the queue has from the notification's configuration is dropped."""
    invoker = Deliveries(clock, recorded)
    invoker.sqs.send(TEST_EVENT, '{"Records": []}')
    async with invoker.delivering():
        await clock.advance(0.0)
    assert invoker.accepted == [("First", {"Records": []})]
    assert invoker.sqs.messages == {}


async def test_events_wait_in_the_queue_while_too_many_are_pending(clock: ManualClock, recorded: Recorder) -> None:
    """The invoker's memory is bounded: what does not fit stays in the store until there is room."""
    invoker = Deliveries(clock, recorded)
    invoker.pending = limits.ASYNC_QUEUED_EVENTS
    invoker.sqs.send('{"Records": []}')
    async with invoker.delivering():
        await clock.advance(60.0)
        assert len(invoker.sqs.messages) == 1
        invoker.pending = 0
        await clock.advance(limits.POLL_SLICE_S)
        assert len(invoker.accepted) == 1


async def test_a_store_that_refuses_is_asked_again(
    clock: ManualClock, recorded: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported, and no event is lost."""
    invoker = Deliveries(clock, recorded)
    receive, refusals = invoker.sqs.receive_message, iter([True])

    async def receive_message(**request: Any) -> dict[str, Any]:
        if next(refusals, False):
            raise ClientError({"Error": {"Code": "InternalError"}}, "ReceiveMessage")
        return await receive(**request)

    monkeypatch.setattr(invoker.sqs, "receive_message", receive_message)
    invoker.sqs.send('{"Records": []}')
    async with invoker.delivering():
        await clock.advance(limits.POLL_SLICE_S)
    assert len(invoker.accepted) == 1
    (note,) = recorded.of(Noted)
    assert note.text.startswith("events of A do not arrive: ")
