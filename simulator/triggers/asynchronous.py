"""What invokes functions asynchronously, schedules and buckets, and Lambda's queue for their events, which retries.

Schedules run on their own clock, which may be sped up; everything after that (retries, back-off, the event's age) runs
in real time, like the functions.

AWS: EventBridge User Guide, "Creating a rule that runs on a schedule"; EventBridge Scheduler User Guide; Lambda
Developer Guide, "Asynchronous invocation" (invocation-async-error-handling, -retain-records), "Process Amazon S3 event
notifications with Lambda" (with-s3).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.chance import Identifiers, Seed, stream
from simulator.base.clock import Clock, iso
from simulator.base.counters import is_test_event
from simulator.base.observations import EventSettled, Noted, Record, TickFired
from simulator.base.waiting import Backoff, wait_for_event
from simulator.base.words import counted
from simulator.faults.plane import NO_FAULTS, Plane
from simulator.functions.environments import Throttled
from simulator.functions.runtimes import Returned
from simulator.functions.service import Failed, LambdaService
from simulator.stack.model import Function, Schedule, Stack
from simulator.stack.schedule import parse

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient


def scheduled_event(schedule: Schedule, due_at: float) -> Any:
    """The event of one tick: always the same for the same schedule and instant, so that a retry has the same `time`.

    `input`, if given, is the whole event; Scheduler replaces the context attributes in it. A rule's and a Scheduler's
    own event differ in the source and in `detail`, which is an object for a rule and the text "{}" for Scheduler.
    """
    is_rule, arn, time = schedule.kind == "rule", schedule.arn, iso(due_at, "seconds")
    identifier = Identifiers(stream(arn, f"event of {due_at}")).uuid()
    if (given := schedule.input) is not None:
        known = {"schedule-arn": arn, "scheduled-time": time, "execution-id": identifier, "attempt-number": "1"}
        for name, value in known.items() if not is_rule else ():
            given = given.replace(f"<aws.scheduler.{name}>", value)
        return json.loads(given)
    return {
        "version": "0",
        "id": identifier,
        "detail-type": "Scheduled Event",
        "source": "aws.events" if is_rule else "aws.scheduler",
        "account": limits.ACCOUNT_ID,
        "time": time,
        "region": limits.REGION,
        "resources": [arn],
        "detail": {} if is_rule else "{}",
    }


@dataclass(slots=True)
class _Event:
    """One event in the queue. Kept as text: each attempt gets a new copy."""

    function: Function
    request_id: str
    text: str
    accepted_at: float
    attempts: int = 0
    last_failure: Failed | None = None


@dataclass(eq=False, repr=False)
class AsynchronousInvoker:
    """Lambda's queue for asynchronous events: accept at once, invoke, retry, and give up as the settings say.

    An asynchronous context manager; leaving it abandons the events that still wait. A function error is retried after
    one and two minutes of real time, a throttle with growing delays until the event is too old. An event given up goes
    to the function's dead-letter queue and on-failure destination, if they are queues of the stack; `settled` counts
    the events that are done or given up. `tick_late_s` is how late an event runs after its tick, and `plane` says which
    faults strike ticks. Each event draws its random values from its own stream of `seed`: for the function's n-th
    event, the n-th.
    """

    service: LambdaService
    stack: Stack
    sqs: SQSClient
    clock: Clock
    record: Record
    seed: Seed
    plane: Plane = NO_FAULTS
    tick_late_s: Callable[[], float] = float

    def __post_init__(self) -> None:
        self._accepted: Counter[str] = Counter()
        self._tasks: dict[asyncio.Task[None], None] = {}  # in order of acceptance
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(limits.ASYNC_CONCURRENCY))
        self.settled = 0

    def __repr__(self) -> str:
        return f"<AsynchronousInvoker [{self.pending} pending]>"

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self._group.__aexit__(*raised)

    @property
    def pending(self) -> int:
        """Events that were accepted and are neither done nor given up."""
        return len(self._tasks)

    def accept(self, function: str, event: Any, after_s: float = 0.0) -> str:
        """Queue `event` for the function (logical id), to run after `after_s` at the earliest; returns the request id.

        Raises `ValueError` over 1 MB.
        """
        content = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
        text = content.decode()
        if len(content) > limits.ASYNC_PAYLOAD_BYTES:
            raise ValueError(f"{len(content)} byte payload is too large for the Event invocation type")
        if len(self._tasks) >= limits.ASYNC_QUEUED_EVENTS:
            raise ValueError(f"the queue of asynchronous events is full ({limits.ASYNC_QUEUED_EVENTS:,} events)")
        name, number = f"event for {function}", self._accepted[function]
        self._accepted[function] += 1
        request_id = Identifiers(stream(self.seed, name, number)).uuid()
        queued = _Event(self.stack.functions[function], request_id, text, self.clock.now())
        backoff = Backoff(*limits.ASYNC_THROTTLE_BACKOFF_S, stream(self.seed, f"{name}, retry {number}"))
        task = self._group.create_task(self._see_through(queued, backoff, after_s))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return request_id

    async def run_schedule(
        self, schedule: Schedule, *, start_at: float, speed: float, ticks: int | None, stop: asyncio.Event
    ) -> None:
        """Fire `schedule` until `ticks` have fired or `stop` is set.

        The schedule's own clock begins at `start_at` and runs `speed` times as fast as ours. Tick 0 fires at once: for
        a rate at `start_at`, for a cron at its first due minute from there on. Tick n fires `(due(n) - due(0)) / speed`
        later in real time; a late tick fires at once and has its own time.
        """
        began_at = self.clock.now()
        most = None if ticks is None else min(ticks, sys.maxsize)
        dues = itertools.islice(parse(schedule.expression, schedule.kind, schedule.time_zone)(start_at), most)
        first_at = due_at = next(dues, None)
        for number in itertools.count():
            if due_at is None or first_at is None or stop.is_set():
                return
            next_due_at = next(dues, None)
            next_at = None if next_due_at is None else began_at + (next_due_at - first_at) / speed
            event = scheduled_event(schedule, due_at)
            time = event.get("time") if isinstance(event, dict) else None
            event_time = time if isinstance(time, str) else None
            tick = TickFired(self.clock.now(), schedule.logical_id, schedule.function, number, next_at, event_time)
            self.record(tick)
            late_s, fault = self.tick_late_s(), self.plane.at(f"tick.{schedule.logical_id}", self.clock.now())
            late_s += fault.argument if fault is not None and fault.kind == "tick-late" else 0.0
            self.accept(schedule.function, event, late_s)
            if fault is not None and fault.kind == "tick-twice":
                self.accept(schedule.function, event, late_s + fault.argument)
            due_at = next_due_at
            if next_at is not None:
                await wait_for_event(stop, self.clock, next_at - self.clock.now())

    async def take(self, queue_url: str, function: str, stop: asyncio.Event, wait_s: int) -> None:
        """Accept the events for the function that a bucket sends to a queue, until `stop`; receives wait for `wait_s`.

        Each is deleted only once it is accepted: at any moment it is in the queue, or pending, or settled. The queue's
        test event is dropped, because S3 sends none to functions.
        """
        while not stop.is_set():
            try:
                if len(self._tasks) > limits.ASYNC_QUEUED_EVENTS // 10:
                    await self.clock.sleep(limits.POLL_SLICE_S)
                    continue
                answer = await self.sqs.receive_message(
                    QueueUrl=queue_url, MaxNumberOfMessages=limits.SQS_BATCH_ENTRIES, WaitTimeSeconds=wait_s
                )
                entries: Any = []
                for number, message in enumerate(answer.get("Messages", [])):
                    if not is_test_event(message["Body"]):
                        self.accept(function, json.loads(message["Body"]))
                    entries.append({"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]})
                if entries:
                    await self.sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                self.record(Noted(self.clock.now(), f"events for {function} do not arrive: {error}", "warning"))
                await self.clock.sleep(limits.POLL_SLICE_S)

    async def _see_through(self, event: _Event, throttles: Backoff, after_s: float) -> None:
        """Attempt the event until success, the last retry or its maximum age."""
        policy = event.function.asynchronous
        if after_s:
            await self.clock.sleep(after_s)
        while True:
            async with self._turns[event.function.logical_id]:
                result = await self.service.invoke(event.function.logical_id, json.loads(event.text))
            if isinstance(result, Returned):
                return self._settle(event, succeeded=True)
            if isinstance(result, Throttled):
                delay_s = throttles.next_s()
            else:
                event.attempts += 1
                event.last_failure = result
                if event.attempts > policy.maximum_retries:
                    return await self._give_up(event, "RetriesExhausted")
                delay_s = limits.ASYNC_ERROR_DELAYS_S[min(event.attempts, len(limits.ASYNC_ERROR_DELAYS_S)) - 1]
            if self.clock.now() + delay_s > event.accepted_at + policy.maximum_event_age_s:
                return await self._give_up(event, "EventAgeExceeded")
            await self.clock.sleep(delay_s)

    async def _give_up(self, event: _Event, condition: str) -> None:
        """Send the event to the failure destinations, and report it."""
        kept, now, policy = False, self.clock.now(), event.function.asynchronous
        name = event.function.logical_id
        text = f"{name}: an event was given up after {counted(event.attempts, 'attempt')} ({condition})"
        self.record(Noted(now, text, "warning"))
        if policy.dead_letter_arn:
            kept = await self._send(policy.dead_letter_arn, event.text, _dead_letter_attributes(event))
        if policy.on_failure_arn:
            kept |= await self._send(policy.on_failure_arn, json.dumps(_destination_record(event, condition, now)), {})
        self._settle(event, succeeded=False, kept=kept)

    async def _send(self, arn: str, body: str, attributes: dict[str, Any]) -> bool:
        """Whether a queue of the stack has the event now. A failure, which AWS would only count, is reported."""
        reason: object = "it is not a queue of the template"
        if name := next((queue.name for queue in self.stack.queues.values() if queue.arn == arn), None):
            try:
                url = (await self.sqs.get_queue_url(QueueName=name))["QueueUrl"]
                await self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
            except (BotoCoreError, ClientError) as error:
                reason = error
            else:
                return True
        self.record(Noted(self.clock.now(), f"a failed event could not be sent to {arn}: {reason}", "warning"))
        return False

    def _settle(self, event: _Event, *, succeeded: bool, kept: bool = False) -> None:
        self.settled += 1
        name = event.function.logical_id
        self.record(EventSettled(self.clock.now(), name, event.text, event.accepted_at, succeeded, kept))


def _dead_letter_attributes(event: _Event) -> dict[str, Any]:
    """What a dead-letter queue gets with the event: request id, status code, the first 1 KB of the error."""
    failure = event.last_failure
    message = failure.message if failure else "Rate Exceeded."
    return {
        "RequestID": {"DataType": "String", "StringValue": event.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200" if failure else "429"},
        "ErrorMessage": {"DataType": "String", "StringValue": message[:1024] or " "},
    }


def _destination_record(event: _Event, condition: str, now: float) -> dict[str, Any]:
    """An invocation record in the form that an on-failure destination gets."""
    record = {
        "version": "1.0",
        "timestamp": iso(now),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{event.function.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": event.attempts,
        },
        "requestPayload": json.loads(event.text),
    }
    if event.last_failure:
        record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
        record["responsePayload"] = event.last_failure.payload
    return record
