"""The edges of asynchronous events: a full queue, the last instant of an event's age, what is said of a failure."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakes import declare
from fakes.clock import ManualClock
from fakes.recorder import Recorder
from fakes.runtime import ScriptedRuntime
from fakes.sqs import ManualQueue
from simulator.base import limits
from simulator.base.observations import EventSettled, Noted, TickFired
from simulator.functions.runtimes import Raised, Returned
from simulator.functions.service import LambdaService
from simulator.stack.model import AsynchronousInvocation, Schedule
from simulator.triggers.asynchronous import AsynchronousInvoker

RULE = Schedule("Tick", "tick", "Consumer", "rate(1 minute)", "rule", "arn:aws:events:us-east-1:123456789012:rule/tick")
DLQ, FAILED = (declare.queue(name) for name in ("dlq", "failed"))


class Sent:
    """Queues that take what is sent."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def get_queue_url(self, **request: Any) -> dict[str, str]:
        """Every queue exists."""
        return {"QueueUrl": str(request["QueueName"])}

    async def send_message(self, **request: Any) -> None:
        """Record it."""
        self.messages.append(request)


class Failing:
    """An invoker on a manual clock, whose function fails with `says`, or returns if that is None."""

    def __init__(self, clock: ManualClock, recorded: Recorder) -> None:
        self.clock, self.recorded = clock, recorded
        self.says: str | None = None
        self.started_at: list[float] = []
        self.sent: Any = Sent()

    async def _behave(self, _: Any) -> Any:
        self.started_at.append(self.clock.now())
        if self.says is None:
            return Returned(None)
        return Raised("ValueError", self.says, {"errorMessage": self.says})

    @asynccontextmanager
    async def open(self, **policy: Any) -> AsyncIterator[AsynchronousInvoker]:
        """The invoker with a function that has this policy."""
        functions = {"Consumer": declare.function(asynchronous=AsynchronousInvocation(**policy))}
        stack = declare.stack(functions=functions, queues={each.logical_id: each for each in (DLQ, FAILED)})
        runtime, record = ScriptedRuntime(self._behave), self.recorded.append
        async with (
            LambdaService(functions, runtime=runtime, clock=self.clock, record=record, seed=1) as service,
            AsynchronousInvoker(service, stack, self.sent, clock=self.clock, record=record, seed=2) as invoker,
        ):
            yield invoker


@pytest.fixture
def failing(clock: ManualClock, recorded: Recorder) -> Failing:
    """An invoker to open."""
    return Failing(clock, recorded)


async def test_a_full_queue_takes_no_event(failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last that fits is accepted; each is another event, and runs once."""
    monkeypatch.setattr(limits, "ASYNC_QUEUED_EVENTS", 2)
    async with failing.open() as invoker:
        assert invoker.accept("Consumer", {}) != invoker.accept("Consumer", {})
        assert invoker.pending == 2
        with pytest.raises(ValueError, match="full"):
            invoker.accept("Consumer", {})
        await failing.clock.advance(1)
    settled = failing.recorded.of(EventSettled)
    assert [(each.succeeded, each.kept) for each in settled] == [(True, False)] * 2


async def test_an_event_may_be_as_old_as_its_limit(failing: Failing) -> None:
    """An attempt at that very instant is made."""
    failing.says = "no"
    async with failing.open(maximum_event_age_s=60) as invoker:
        began_at = failing.clock.now()
        invoker.accept("Consumer", {})
        await failing.clock.advance(61)
        assert invoker.pending == 0
    assert failing.started_at == [began_at, began_at + 60]


@pytest.mark.parametrize(("says", "told"), [("", " "), ("x" * 2_000, "x" * 1_024)])
async def test_what_is_told_of_a_failure(failing: Failing, says: str, told: str) -> None:
    """A dead-letter queue gets the first KB of the message, never empty; a destination, the status."""
    failing.says = says
    async with failing.open(maximum_retries=0, dead_letter_arn=DLQ.arn, on_failure_arn=FAILED.arn) as invoker:
        invoker.accept("Consumer", {})
        await failing.clock.advance(1)
    dead, failed = failing.sent.messages
    assert dead["MessageAttributes"]["ErrorMessage"]["StringValue"] == told
    context = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert json.loads(failed["MessageBody"])["responseContext"] == context


async def test_a_failure_that_reaches_no_queue_is_reported(failing: Failing) -> None:
    """With the target, after the event itself was."""
    failing.says = "no"
    async with failing.open(maximum_retries=0, dead_letter_arn="arn:aws:sns:us-east-1:123456789012:dlq") as invoker:
        invoker.accept("Consumer", {})
        await failing.clock.advance(1)
    assert [each.text.partition(" not be sent to ")[2].partition(": ")[0] for each in failing.recorded.of(Noted)] == [
        "",
        "arn:aws:sns:us-east-1:123456789012:dlq",
    ]


@pytest.mark.parametrize(
    ("given", "time"),
    [(None, "1970-01-01T00:00:00Z"), ('{"time": "noon"}', "noon"), ('{"time": 5}', None), ("[1]", None)],
)
async def test_a_tick_tells_the_time_in_its_event(failing: Failing, given: str | None, time: str | None) -> None:
    """If it has one, which is a text in what EventBridge sends."""
    async with failing.open() as invoker:
        schedule = dataclasses.replace(RULE, input=given)
        await invoker.run_schedule(schedule, start_at=0.0, speed=1.0, ticks=1, stop=asyncio.Event())
    assert [each.event_time for each in failing.recorded.of(TickFired)] == [time]


async def test_a_tenth_of_the_queue_may_wait(
    clock: ManualClock, recorded: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While more are pending, a bucket's events stay where they are; then they are taken; a refusal is waited out."""
    monkeypatch.setattr(limits, "ASYNC_QUEUED_EVENTS", 20)
    queue, stop, accepted = ManualQueue(clock), asyncio.Event(), list[Any]()
    theirs: Any = queue
    service: Any = None
    invoker: Any = AsynchronousInvoker(service, declare.stack(), theirs, clock, recorded.append, seed=1)
    monkeypatch.setattr(invoker, "accept", lambda _, event: accepted.append(event))
    pending = [asyncio.get_running_loop().create_future() for _ in range(3)]
    invoker._tasks.update(dict.fromkeys(pending))
    queue.send("1")
    task = asyncio.create_task(invoker.take("url", "First", stop, 20))
    await clock.advance(5)
    assert (accepted, queue.receives) == ([], 0)
    del invoker._tasks[pending[0]]
    await clock.advance(limits.POLL_SLICE_S)
    assert accepted == [1]
    stop.set()
    queue.end_long_polls()
    await clock.advance(limits.POLL_SLICE_S)
    await task
