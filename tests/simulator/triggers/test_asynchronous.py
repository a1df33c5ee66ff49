"""Schedules that fire, and the queue behind them, which retries for long."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes import declare
from fakes.clock import ManualClock
from fakes.recorder import Recorder
from fakes.runtime import ScriptedRuntime
from fakes.sqs import ManualQueue
from simulator.base import limits
from simulator.base.observations import EventSettled, InvocationThrottled, Noted, TickFired
from simulator.faults.plane import NO_FAULTS, Fault, Plane
from simulator.functions.runtimes import Raised, Returned
from simulator.functions.service import LambdaService
from simulator.stack.model import AsynchronousInvocation, Schedule
from simulator.triggers.asynchronous import AsynchronousInvoker, scheduled_event

RULE = Schedule("Tick", "tick", "Consumer", "rate(1 minute)", "rule", "arn:aws:events:us-east-1:123456789012:rule/tick")
START = 1_763_802_000.0  # 2025-11-22T09:00:00Z
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:{}"


def test_rule_event() -> None:
    """A rule's event has EventBridge's fields, and an object as detail."""
    event = scheduled_event(RULE, START)
    identifier = event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2025-11-22T09:00:00Z",
        "region": "us-east-1",
        "resources": [RULE.arn],
        "detail": {},
    }
    assert identifier == scheduled_event(RULE, START)["id"] != scheduled_event(RULE, START + 60)["id"]


def test_scheduler_event_differs() -> None:
    """Scheduler's event has another source, and text as detail."""
    schedule = dataclasses.replace(RULE, kind="scheduler", arn="arn:aws:scheduler:...:schedule/default/tick")
    event = scheduled_event(schedule, START)
    assert (event["source"], event["detail"]) == ("aws.scheduler", "{}")


def test_input_is_the_whole_event() -> None:
    """An Input replaces everything."""
    assert scheduled_event(dataclasses.replace(RULE, input='{"mine": 1}'), START) == {"mine": 1}


def test_scheduler_replaces_context_attributes_in_its_input() -> None:
    """Scheduler writes the tick's own facts into an Input that asks for them; a rule leaves such text as it is."""
    asked = '{"at": "<aws.scheduler.scheduled-time>", "by": "<aws.scheduler.schedule-arn>", "n": "<aws.scheduler.x>"}'
    schedule = dataclasses.replace(RULE, kind="scheduler", input=asked)
    event = scheduled_event(schedule, START)
    assert event == {"at": "2025-11-22T09:00:00Z", "by": RULE.arn, "n": "<aws.scheduler.x>"}
    assert scheduled_event(dataclasses.replace(schedule, kind="rule"), START) == json.loads(asked)

    schedule = dataclasses.replace(schedule, input='["<aws.scheduler.attempt-number>", "<aws.scheduler.execution-id>"]')
    (attempt, execution), (_, other) = (scheduled_event(schedule, at) for at in (START, START + 60))
    assert attempt == "1"
    assert execution != other


class Fired(AsynchronousInvoker):
    """Notes when events are accepted, and their times; no function runs."""

    def accept(self, function: str, event: Any, after_s: float = 0.0) -> str:
        """The event is not queued."""
        assert after_s == 0
        self.events.append((self.clock.now() - self.began_at, event["time"]))
        return function

    def __post_init__(self) -> None:
        self.events: list[tuple[float, str]] = []
        self.began_at = self.clock.now()


async def fire(clock: ManualClock, recorded: Recorder, seconds: float, **given: Any) -> list[tuple[float, str]]:
    """Run the schedule for some real seconds; returns when it fired, and the events' times."""
    stop = given.pop("stop", asyncio.Event())
    nothing: Any = None
    invoker = Fired(nothing, nothing, nothing, clock, recorded.append, seed=1)
    options = {"start_at": START, "stop": stop, "speed": 12.0, "ticks": None} | given
    task = asyncio.create_task(invoker.run_schedule(options.pop("schedule", RULE), **options))
    await clock.advance(seconds)
    stop.set()
    await clock.advance(0)
    await task
    return invoker.events


async def test_tick_n(clock: ManualClock, recorded: Recorder) -> None:
    """Tick 0 fires at once, tick n after n x rate / speed, and has the time start + n x rate."""
    assert await fire(clock, recorded, 11.0) == [
        (0.0, "2025-11-22T09:00:00Z"),
        (5.0, "2025-11-22T09:01:00Z"),
        (10.0, "2025-11-22T09:02:00Z"),
    ]
    first = recorded.of(TickFired)[0]
    assert (first.number, first.next_at) == (0, first.at + 5.0)


async def test_number_of_ticks(clock: ManualClock, recorded: Recorder) -> None:
    """After the last tick there is no next one."""
    assert len(await fire(clock, recorded, 100.0, ticks=2)) == 2
    assert recorded.of(TickFired)[-1].next_at is None


async def test_stop_ends_the_wait(clock: ManualClock, recorded: Recorder) -> None:
    """A stop between two ticks ends the schedule at once."""
    stop = asyncio.Event()
    stop.set()
    assert await fire(clock, recorded, 0.0, stop=stop) == []


async def test_a_cron_is_due_in_its_time_zone(clock: ManualClock, recorded: Recorder) -> None:
    """Scheduler's cron is local: half past nine in Berlin is half past eight, of the next day."""
    schedule = dataclasses.replace(
        RULE, kind="scheduler", expression="cron(30 9 * * ? *)", time_zone="Europe/Berlin", arn="arn:berlin"
    )
    assert await fire(clock, recorded, 0.0, schedule=schedule, ticks=1) == [(0.0, "2025-11-23T08:30:00Z")]


async def test_cron_begins_at_its_first_due_minute(clock: ManualClock, recorded: Recorder) -> None:
    """A cron's clock starts at the first due minute, so that tick 0 fires at once too."""
    schedule = dataclasses.replace(RULE, expression="cron(30 9,10 * * ? *)")
    fired = await fire(clock, recorded, 400.0, schedule=schedule, ticks=2)
    assert fired == [(0.0, "2025-11-22T09:30:00Z"), (300.0, "2025-11-22T10:30:00Z")]


class Targets:
    """The queues for failed events."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    async def get_queue_url(self, **request: Any) -> dict[str, str]:
        """Every queue exists but one."""
        if request["QueueName"] == "gone":
            raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "GetQueueUrl")
        return {"QueueUrl": f"http://{request['QueueName']}"}

    async def send_message(self, **request: Any) -> None:
        """Record it."""
        self.sent.append((request["QueueUrl"], request["MessageBody"], request["MessageAttributes"]))


class Asynchronous:
    """An invoker with a scripted handler that fails as often as requested."""

    def __init__(self, clock: ManualClock, recorded: Recorder) -> None:
        self.clock, self.recorded = clock, recorded
        self.failures = 0
        self.started_at: list[float] = []
        self.runtime = ScriptedRuntime(self._behave)
        self.targets = Targets()

    async def _behave(self, event: Any) -> Any:
        self.started_at.append(self.clock.now() - 1_000_000.0)
        if self.failures > 0:
            self.failures -= 1
            return Raised("ValueError", "no", {"errorType": "ValueError", "errorMessage": "no"})
        return Returned(None)

    def throttled(self) -> list[InvocationThrottled]:
        """The throttled attempts."""
        return list(self.recorded.of(InvocationThrottled))

    @asynccontextmanager
    async def open(self, plane: Plane = NO_FAULTS, **changes: Any) -> AsyncIterator[AsynchronousInvoker]:
        """The invoker with a function that has this policy; faults of `plane` strike its ticks."""
        reserved = changes.pop("reserved_concurrency", None)
        policy = AsynchronousInvocation(**changes)
        function = declare.function(asynchronous=policy, reserved_concurrency=reserved)
        async with (
            LambdaService(
                {"Consumer": function},
                runtime=self.runtime,
                clock=self.clock,
                record=self.recorded.append,
                seed=1,
            ) as service,
            AsynchronousInvoker(
                service,
                declare.stack(
                    functions={"Consumer": function},
                    queues={name: declare.queue(name) for name in ("dlq", "failed", "gone")},
                ),
                self.targets,  # type: ignore[arg-type]
                clock=self.clock,
                record=self.recorded.append,
                seed=2,
                plane=plane,
            ) as invoker,
        ):
            yield invoker


@pytest.fixture
def asynchronous(clock: ManualClock, recorded: Recorder) -> Asynchronous:
    """An invoker to open."""
    return Asynchronous(clock, recorded)


async def test_a_late_event_keeps_its_place_until_it_runs(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """What is to run after a while is pending from the moment it is accepted, and runs when that has passed."""
    async with asynchronous.open() as invoker:
        invoker.accept("Consumer", {"late": True}, 57.0)
        await clock.advance(56.9)
        assert (invoker.pending, asynchronous.runtime.events) == (1, [])
        await clock.advance(0.2)
        assert len(asynchronous.runtime.events) == 1


async def test_two_retries_after_one_and_two_minutes(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """A failing event is tried again after one minute and after two more, always with the same time."""
    asynchronous.failures = 2
    async with asynchronous.open() as invoker:
        invoker.accept("Consumer", scheduled_event(RULE, START))
        await clock.advance(179.0)
        assert invoker.pending == 1
        await clock.advance(2.0)
        assert invoker.pending == 0
    assert asynchronous.started_at == [0.0, 60.0, 180.0]
    assert len({json.dumps(event) for event in asynchronous.runtime.events}) == 1


async def test_given_up_to_the_dead_letter_queue(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """After the last retry the event goes to the dead-letter queue with its error, and to the failure target."""
    asynchronous.failures = 10
    async with asynchronous.open(
        maximum_retries=1, dead_letter_arn=QUEUE_ARN.format("dlq"), on_failure_arn=QUEUE_ARN.format("failed")
    ) as invoker:
        request_id = invoker.accept("Consumer", {"n": 1})
        await clock.advance(61.0)
        assert invoker.pending == 0
    (dlq, body, attributes), (target, record, _) = asynchronous.targets.sent
    assert (dlq, json.loads(body)) == ("http://dlq", {"n": 1})
    assert attributes["RequestID"]["StringValue"] == request_id
    assert attributes["ErrorCode"]["StringValue"] == "200"
    assert attributes["ErrorMessage"]["StringValue"] == "no"
    destination = json.loads(record)
    assert target == "http://failed"
    assert destination["requestContext"]["condition"] == "RetriesExhausted"
    assert destination["requestContext"]["approximateInvokeCount"] == 2
    assert destination["requestPayload"] == {"n": 1}
    assert destination["responsePayload"]["errorType"] == "ValueError"
    assert len(asynchronous.recorded.of(Noted)) == 1


@pytest.mark.parametrize(
    ("targets", "kept"),
    [
        ({}, False),
        ({"dead_letter_arn": QUEUE_ARN.format("dlq")}, True),
        ({"dead_letter_arn": QUEUE_ARN.format("gone"), "on_failure_arn": QUEUE_ARN.format("failed")}, True),
        ({"dead_letter_arn": QUEUE_ARN.format("failed"), "on_failure_arn": QUEUE_ARN.format("gone")}, True),
        ({"dead_letter_arn": QUEUE_ARN.format("gone")}, False),
        ({"dead_letter_arn": "arn:aws:sns:us-east-1:123456789012:dlq"}, False),
    ],
)
async def test_an_event_given_up_is_kept_only_by_a_queue(
    asynchronous: Asynchronous, clock: ManualClock, targets: dict[str, str], kept: bool
) -> None:
    """It settles once, as lost unless a queue of the template has it; a topic of a queue's name does not count."""
    asynchronous.failures = 10
    async with asynchronous.open(maximum_retries=0, **targets) as invoker:
        accepted_at = clock.now()
        invoker.accept("Consumer", {"n": 1})
        await clock.advance(1.0)
        assert (invoker.pending, invoker.settled) == (0, 1)
    (settled,) = asynchronous.recorded.of(EventSettled)
    assert settled == EventSettled(accepted_at, "Consumer", '{"n":1}', accepted_at, succeeded=False, kept=kept)
    assert bool(asynchronous.targets.sent) == kept


async def test_an_event_that_succeeds_at_its_retry_settles_once(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """Until then nothing is said about it."""
    asynchronous.failures = 1
    async with asynchronous.open() as invoker:
        invoker.accept("Consumer", {})
        await clock.advance(59.0)
        assert invoker.settled == 0
        await clock.advance(2.0)
    (settled,) = asynchronous.recorded.of(EventSettled)
    assert (settled.succeeded, settled.at - settled.accepted_at) == (True, 60.0)


async def test_a_flood_of_events_runs_a_few_at_a_time(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """A thousand events open no thousand environments: the next one starts when another ends, and none is lost."""
    running = asyncio.Semaphore(0)
    began = 0

    async def behave(_: Any) -> Returned:
        nonlocal began
        began += 1
        await running.acquire()
        return Returned(None)

    asynchronous.runtime = ScriptedRuntime(behave)
    async with asynchronous.open() as invoker:
        for _ in range(limits.ASYNC_CONCURRENCY * 3):
            invoker.accept("Consumer", {})
        await clock.advance(0.0)
        assert began == limits.ASYNC_CONCURRENCY
        running.release()
        await clock.advance(0.0)
        assert began == limits.ASYNC_CONCURRENCY + 1
        for _ in range(limits.ASYNC_CONCURRENCY * 3):
            running.release()
        await clock.advance(10.0)
        assert (invoker.pending, invoker.settled) == (0, limits.ASYNC_CONCURRENCY * 3)


async def test_too_old(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """An event that would be too old at its next attempt is given up at once."""
    asynchronous.failures = 10
    async with asynchronous.open(maximum_event_age_s=100, on_failure_arn=QUEUE_ARN.format("failed")) as invoker:
        invoker.accept("Consumer", {})
        await clock.advance(61.0)
        assert invoker.pending == 0
    (_, record, _) = asynchronous.targets.sent[0]
    assert json.loads(record)["requestContext"]["condition"] == "EventAgeExceeded"
    assert asynchronous.started_at == [0.0, 60.0]


async def test_throttles_are_retried_for_long(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """A throttled event waits with growing delays until it is too old (six hours by default), and uses no retry."""
    async with asynchronous.open(reserved_concurrency=0, dead_letter_arn=QUEUE_ARN.format("dlq")) as invoker:
        invoker.accept("Consumer", {})
        await clock.advance(20_000.0)
        assert invoker.pending == 1
        await clock.advance(2_000.0)
        assert invoker.pending == 0
    (_, _, attributes) = asynchronous.targets.sent[0]
    assert attributes["ErrorCode"]["StringValue"] == "429"
    assert asynchronous.started_at == []


async def test_faults_send_a_tick_twice_and_late(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """An event may run twice although nothing failed, with the same id, or late, with the time of its tick."""
    plane = Plane(listed=[Fault("tick.Tick", 0, "tick-twice", 1.0), Fault("tick.Tick", 1, "tick-late", 5.0)])
    async with asynchronous.open(plane) as invoker:
        ticking = invoker.run_schedule(RULE, start_at=START, speed=1.0, ticks=2, stop=asyncio.Event())
        task = asyncio.create_task(ticking)
        await clock.advance(66.0)
        await task
    first, second = scheduled_event(RULE, START), scheduled_event(RULE, START + 60)
    assert asynchronous.runtime.events == [first, first, second]
    assert asynchronous.started_at == [0.0, 1.0, 65.0]
    assert plane.struck == {"tick-twice": 1, "tick-late": 1}


async def test_chance_is_the_events_own(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """A throttled event waits equally long, and has the same id, whatever happened to the events before it."""
    delays = []
    for throttled_for_s in (0.0, 90.0):
        async with asynchronous.open(reserved_concurrency=0) as invoker:
            invoker.accept("Consumer", {"n": 1})
            await clock.advance(throttled_for_s)
            began_at = clock.now()
            request_id = invoker.accept("Consumer", {"n": 2})
            asynchronous.recorded.clear()
            await clock.advance(60.0)
            delays.append((request_id, {round(each.at - began_at, 6) for each in asynchronous.throttled()}))
    (first_id, first), (second_id, second) = delays
    assert first_id == second_id
    assert len(first & second) >= 5


async def test_payload_limit(asynchronous: Asynchronous) -> None:
    """An asynchronous event has at most one megabyte."""
    async with asynchronous.open() as invoker:
        with pytest.raises(ValueError, match="too large for the Event invocation type"):
            invoker.accept("Consumer", "x" * limits.ASYNC_PAYLOAD_BYTES)


async def test_an_event_is_as_large_as_its_text(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """Its characters are not escaped, and nothing is between them; half a character has no bytes but its escape."""
    async with asynchronous.open() as invoker:
        for event in ("\u00fc" * (limits.ASYNC_PAYLOAD_BYTES // 2 - 1), [0] * 500_000, "\ud800"):
            invoker.accept("Consumer", event)
        await clock.advance(1.0)
    assert [each.succeeded for each in asynchronous.recorded.of(EventSettled)] == [True] * 3


async def test_an_event_that_we_fail_to_deliver_ends_the_run(
    asynchronous: Asynchronous, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of our own is raised; the event is not taken for done."""

    async def invoke(*_: object) -> None:
        raise OSError("ours")

    async def run() -> None:
        async with asynchronous.open() as invoker:
            monkeypatch.setattr(invoker.service, "invoke", invoke)
            invoker.accept("Consumer", {})
            await clock.advance(1.0)

    with pytest.raises(ExceptionGroup) as raised:
        await run()
    assert raised.group_contains(OSError, match="ours")


async def test_leaving_abandons_what_waits(asynchronous: Asynchronous, clock: ManualClock) -> None:
    """The end of the run does not wait for retries."""
    asynchronous.failures = 1
    async with asynchronous.open() as invoker:
        invoker.accept("Consumer", {})
        await clock.advance(1.0)
        assert repr(invoker) == "<AsynchronousInvoker [1 pending]>"
    assert asynchronous.started_at == [0.0]


async def test_events_are_abandoned_in_the_order_of_their_acceptance(
    asynchronous: Asynchronous, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever follows from it comes in the same order in every run."""
    abandoned: list[int] = []

    async def see_through(queued: Any, *_: Any) -> None:
        try:
            await clock.sleep(60.0)
        finally:
            abandoned.append(json.loads(queued.text))

    async with asynchronous.open() as invoker:
        monkeypatch.setattr(invoker, "_see_through", see_through)
        for number in range(40):
            invoker.accept("Consumer", number)
        await clock.advance(1.0)
    assert abandoned == list(range(40))


TEST_EVENT = '{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}'


class Taken:
    """An invoker that takes a bucket's events from a queue; it only remembers them."""

    def __init__(self, clock: ManualClock, recorded: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.queue = clock, ManualQueue(clock)
        self.invoker = AsynchronousInvoker(
            None,  # type: ignore[arg-type]
            declare.stack(),
            self.queue,  # type: ignore[arg-type]
            clock=clock,
            record=recorded.append,
            seed=1,
        )
        self.accepted: list[tuple[str, Any]] = []
        monkeypatch.setattr(self.invoker, "accept", self._accept)

    def _accept(self, function: str, event: Any) -> None:
        assert any(json.loads(each["body"]) == event for each in self.queue.messages.values())
        self.accepted.append((function, event))

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """It has ended once its stop was set and the store has ended its receive, or its pause is over."""
        stop, pause_s = asyncio.Event(), limits.POLL_SLICE_S if self.invoker.pending else 0
        task = asyncio.create_task(self.invoker.take("url", "First", stop, 20))
        yield
        stop.set()
        self.queue.end_long_polls()
        await self.clock.advance(pause_s)
        assert task.done()
        await task


@pytest.fixture
def taken(clock: ManualClock, recorded: Recorder, monkeypatch: pytest.MonkeyPatch) -> Taken:
    """An invoker with a queue before it."""
    return Taken(clock, recorded, monkeypatch)


async def test_each_event_is_accepted_at_once_and_then_deleted(taken: Taken, clock: ManualClock) -> None:
    """The function gets S3's own JSON at once; the queue has it until then, and deletes what one receive took."""
    async with taken.taking():
        for number in range(12):
            taken.queue.send(json.dumps({"Records": [number]}))
        await clock.advance(0.0)
        assert taken.accepted == [("First", {"Records": [number]}) for number in range(12)]
        assert (taken.queue.messages, taken.queue.deletes) == ({}, [10, 2])


async def test_s3_sends_a_function_no_test_event(taken: Taken, clock: ManualClock) -> None:
    """The one that the queue has from the notification's configuration is dropped."""
    taken.queue.send(TEST_EVENT, '{"Records": []}')
    async with taken.taking():
        await clock.advance(0.0)
    assert taken.accepted == [("First", {"Records": []})]
    assert taken.queue.messages == {}


async def test_a_receive_waits_long_and_a_stop_does_not_break_it_off(taken: Taken, clock: ManualClock) -> None:
    """It waits for as long as it may; the store answers it when the taking stops, and nothing is asked again."""
    async with taken.taking():
        await clock.advance(19.0)
        assert taken.queue.receives == 1
        await clock.advance(2.0)
        assert taken.queue.receives == 2
    assert taken.queue.receives == 2


async def test_events_wait_in_the_queue_while_too_many_are_pending(
    taken: Taken, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The invoker's memory is bounded: what does not fit stays in the store until there is room, or the run stops."""
    monkeypatch.setattr(limits, "ASYNC_QUEUED_EVENTS", 0)
    waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    taken.invoker._tasks[waiting] = None  # type: ignore[index]
    taken.queue.send('{"Records": []}')
    async with taken.taking():
        await clock.advance(60.0)
    assert (len(taken.queue.messages), taken.accepted) == (1, [])
    async with taken.taking():
        taken.invoker._tasks.clear()
        await clock.advance(limits.POLL_SLICE_S)
        assert len(taken.accepted) == 1


async def test_a_store_that_refuses_is_asked_again(
    taken: Taken, clock: ManualClock, recorded: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while; it is reported, and no event is lost."""
    receive, refusals = taken.queue.receive_message, iter([True])

    async def receive_message(**request: Any) -> dict[str, Any]:
        if next(refusals, False):
            raise ClientError({"Error": {"Code": "InternalError"}}, "ReceiveMessage")
        return await receive(**request)

    monkeypatch.setattr(taken.queue, "receive_message", receive_message)
    taken.queue.send('{"Records": []}')
    async with taken.taking():
        await clock.advance(limits.POLL_SLICE_S / 2)
        assert taken.accepted == []
        await clock.advance(limits.POLL_SLICE_S / 2)
    assert len(taken.accepted) == 1
    (note,) = recorded.of(Noted)
    assert note.text.startswith("events for First do not arrive: ")
