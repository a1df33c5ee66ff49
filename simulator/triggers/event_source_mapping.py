"""A queue that invokes a function: poll, batch, invoke, settle.

A few receivers long-poll the queue; each that finds messages fills one batch, passes it to its own task and polls on.
`scaling.py` decides how many batches may be in progress, `batching.py` when a batch closes, `settlement.py` what
happens to its messages. Each message carries what is needed to settle it: each delivery is settled exactly once.

AWS: Lambda Developer Guide, "Using Lambda with Amazon SQS" and its pages on scaling, configuration, error handling.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.chance import Seed, stream
from simulator.base.clock import Clock
from simulator.base.counters import is_test_event
from simulator.base.observations import FILTERED, MessageSettled, MessagesReceived, Noted, PollersScaled, Record
from simulator.base.waiting import Backoff, wait_for_event
from simulator.functions.environments import Throttled
from simulator.functions.runtimes import Returned
from simulator.functions.service import Failed, InvokeResult, LambdaService
from simulator.stack.model import EventSourceMapping, Function, Queue
from simulator.triggers import batching, filters
from simulator.triggers.batching import EVENT_BYTES, BatchPolicy, fits
from simulator.triggers.scaling import Pace, Scaler, policy_of
from simulator.triggers.settlement import Settlement, of_response

if TYPE_CHECKING:
    from random import Random

    from types_aiobotocore_sqs import SQSClient


@dataclass(frozen=True, slots=True, eq=False)
class _Delivery:
    """One message of one receive, and until when we may keep it."""

    message: dict[str, Any]
    received_at: float
    visible_at: float

    @property
    def message_id(self) -> str:
        return str(self.message["MessageId"])


@dataclass(slots=True)
class _Batch:
    """The `number`-th batch of a receiver, and the size of its event (an upper bound, if that is cheap)."""

    receiver: int
    number: int
    deliveries: list[_Delivery] = field(default_factory=list)
    event_bytes: int = EVENT_BYTES
    opened_at: float = 0.0


@dataclass(eq=False, repr=False, kw_only=True)
class MappingRun:
    """One run of one event source mapping: polls `queue` and invokes `function` until `stop`.

    A receive waits for up to `wait_s`, and is never abandoned: whoever sets `stop` makes the store answer those that
    wait, or chooses a short `wait_s`. Each receiver, and each of its batches, has its own random stream of `seed`.
    """

    mapping: EventSourceMapping
    queue: Queue
    queue_url: str
    function: Function
    sqs: SQSClient
    service: LambdaService
    clock: Clock
    record: Record
    seed: Seed
    stop: asyncio.Event
    wait_s: int

    def __post_init__(self) -> None:
        mapping, own_s, timeout_s = self.mapping, self.queue.visibility_timeout_s, self.function.timeout_s
        self._policy = BatchPolicy(mapping.batch_size, mapping.window_s)
        self._visibility_s = batching.effective_visibility_s(own_s, mapping.window_s, timeout_s)
        scaling = policy_of(mapping)
        self._scaler = Scaler(scaling, self.clock.now())
        self._pace = Pace(scaling)
        self._in_hand = 0  # slots taken: batches being filled, invoked or settled
        self._loaded = 0
        self._waiting_since: dict[int, float] = {}  # by receiver
        self._recorded_concurrency = 0
        self._changed = asyncio.Event()  # a slot may be free
        self._rescale = asyncio.Event()
        self._rescale_at: float | None = None

    async def run(self) -> None:
        """Poll until `stop`; then settle the batches in progress and return (soft stop).

        Cancelling is the hard stop: batches in progress are abandoned, and their messages return when their visibility
        timeout ends. A store that does not answer is polled again, with back-off: only its owner decides whether it
        died.
        """
        self._record_concurrency()
        async with asyncio.TaskGroup() as group:
            around = [group.create_task(self._keep_scaled()), group.create_task(self._pass_on_stop())]
            async with asyncio.TaskGroup() as work:
                for receiver in range(limits.MAPPING_RECEIVERS):
                    work.create_task(self._receive(work, receiver))
            for task in around:
                task.cancel()

    # Receiving

    async def _receive(self, work: asyncio.TaskGroup, receiver: int) -> None:
        """One receiver: take a slot, fill a batch, pass it on with the slot."""
        carried: list[_Delivery] = []
        chance = stream(self.seed, f"receiver of {self.mapping.logical_id}", receiver)
        number = 0
        while await self._take_slot(even_when_stopping=bool(carried)):
            batch = _Batch(receiver, number)
            carried = await self._fill(batch, carried, chance)
            if batch.deliveries:
                number += 1
                work.create_task(self._deliver(batch))
            else:
                self._free_slot()

    async def _fill(self, batch: _Batch, carried: list[_Delivery], chance: Random) -> list[_Delivery]:
        """Fill a batch, unless nothing comes; messages that did not fit begin the next one."""
        carried = self._add(batch, carried)
        while not carried and not self.stop.is_set():
            count = len(batch.deliveries)
            if self._policy.closes(count, batch.opened_at, self.clock.now()):
                break
            found = await self._poll(batch.receiver, self._policy.wants(count), chance)
            if not found and not count:
                break
            carried = self._add(batch, await self._wanted(found))
        return carried

    async def _poll(self, receiver: int, count: int, chance: Random) -> list[_Delivery]:
        """Poll for up to `count` messages, in slices of `wait_s`; empty when 20 s are up, or the mapping stops."""
        backoff = Backoff(*limits.MAPPING_ERROR_BACKOFF_S, chance)
        names = self.mapping.logical_id, self.queue.logical_id
        waited_s = 0.0
        while not self.stop.is_set() and waited_s < limits.SQS_RECEIVE_WAIT_S[1]:
            now = self.clock.now()
            due_at = self._pace.call_at(self._scaler.concurrency, now)
            if due_at > now:
                await self.clock.sleep(due_at - now)
            self._waiting_since[receiver] = max(now, due_at)
            try:
                answer = await self.sqs.receive_message(
                    QueueUrl=self.queue_url,
                    MaxNumberOfMessages=count,
                    WaitTimeSeconds=self.wait_s,
                    VisibilityTimeout=self._visibility_s,
                    AttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
            except (BotoCoreError, ClientError) as error:
                self._note(f"ReceiveMessage failed: {error}")
                del self._waiting_since[receiver]
                await wait_for_event(self.stop, self.clock, backoff.next_s())
                continue
            del self._waiting_since[receiver]
            received_at = self.clock.now()
            if messages := answer.get("Messages", []):
                bodies = [message.get("Body", "") for message in messages]
                tests = sum(map(is_test_event, bodies))
                self.record(MessagesReceived(received_at, *names, len(bodies), tests))
                self._pace.took(sum(map(len, bodies)), self._scaler.concurrency, received_at)
                # Counted from before the call: the queue's own clock started no earlier.
                return [_Delivery(dict(each), received_at, now + self._visibility_s) for each in messages]
            self._scaler.found_nothing(received_at)
            waited_s += self.wait_s
        self.record(MessagesReceived(self.clock.now(), *names, 0))
        return []

    async def _wanted(self, found: list[_Delivery]) -> list[_Delivery]:
        """The messages that the filter criteria allow; the others are deleted from the queue, as on AWS."""
        wanted = [each for each in found if filters.matches(self.mapping.filters, str(each.message["Body"]))]
        if len(wanted) < len(found):
            unwanted = [each for each in found if each not in wanted]
            await self._settle(unwanted, Settlement(), self.clock.now(), FILTERED)
        return wanted

    def _add(self, batch: _Batch, found: list[_Delivery]) -> list[_Delivery]:
        """Put what fits into the batch; returns the rest."""
        for position, delivery in enumerate(found):
            more_bytes = self._bytes(batch, delivery)
            if batch.deliveries and not fits(batch.event_bytes, more_bytes):
                return found[position:]
            if not batch.deliveries:
                batch.opened_at = delivery.received_at
                self._loaded += 1
                self._record_load()
            batch.deliveries.append(delivery)
            batch.event_bytes += more_bytes
        return []

    def _bytes(self, batch: _Batch, delivery: _Delivery) -> int:
        """The record's bytes in the event: measured only if the bound from the body's length would not fit."""
        if not delivery.message.get("MessageAttributes"):
            bound = batching.record_bytes_at_most(str(delivery.message["Body"]))
            if fits(batch.event_bytes, bound * self._policy.size):
                return bound
        return batching.record_bytes(self._sqs_record(delivery))

    # Delivering

    async def _deliver(self, batch: _Batch) -> None:
        """Invoke and settle one batch, then release its slot."""
        try:
            result = await self._invoke(batch)
            returned_at = self.clock.now()
            ids = [delivery.message_id for delivery in batch.deliveries]
            if isinstance(result, Returned):
                reports = self.mapping.reports_batch_item_failures
                settled = of_response(ids, result.payload, reports_batch_item_failures=reports)
            else:
                settled = Settlement(frozenset(ids), result.outcome if isinstance(result, Failed) else "throttled")
            if isinstance(result, Failed):
                self._scaler.invocation_failed(returned_at)
            await self._settle(batch.deliveries, settled, returned_at, "success")
        finally:
            self._loaded -= 1
            self._record_load()
            self._free_slot()

    async def _invoke(self, batch: _Batch) -> InvokeResult:
        """Invoke; while throttled, try again until the messages' visibility ends or the mapping stops."""
        backoff: Backoff | None = None
        visible_at = min(delivery.visible_at for delivery in batch.deliveries)
        while True:
            event = {"Records": [self._sqs_record(delivery) for delivery in batch.deliveries]}
            result = await self.service.invoke(self.mapping.function, event, len(batch.deliveries))
            if not isinstance(result, Throttled):
                return result
            now = self.clock.now()
            self._scaler.invocation_failed(now)
            self._record_concurrency()
            if backoff is None:
                name = f"batch of {self.mapping.logical_id}, receiver {batch.receiver}"
                backoff = Backoff(*limits.MAPPING_THROTTLE_BACKOFF_S, stream(self.seed, name, batch.number))
            delay_s = backoff.next_s()
            if now + delay_s >= visible_at:
                await wait_for_event(self.stop, self.clock, visible_at - now)
                return result
            if await wait_for_event(self.stop, self.clock, delay_s):
                return result

    def _sqs_record(self, delivery: _Delivery) -> dict[str, Any]:
        # A new one each time: the handler may change it.
        return sqs_record(delivery.message, self.queue.arn, window=self.mapping.window_s > 0)

    # Settling

    async def _settle(
        self, deliveries: Sequence[_Delivery], settled: Settlement, returned_at: float, success: str
    ) -> None:
        """Delete the messages that are done, ten per call, and record the outcome of each delivery."""
        done = [delivery for delivery in deliveries if settled.deletes(delivery.message_id)]
        kept = set(await self._delete(done))
        for delivery in deliveries:
            wanted = settled.deletes(delivery.message_id)
            deleted = wanted and delivery not in kept
            attributes = delivery.message.get("Attributes", {})
            self.record(
                MessageSettled(
                    at=returned_at,
                    mapping=self.mapping.logical_id,
                    queue=self.queue.logical_id,
                    message_id=delivery.message_id,
                    body=str(delivery.message["Body"]),
                    sent_at=int(attributes.get("SentTimestamp", 0)) / 1000,
                    received_at=delivery.received_at,
                    receive_count=int(attributes.get("ApproximateReceiveCount", 0)),
                    deleted=deleted,
                    reason=success if deleted else "delete failed" if wanted else settled.reason,
                )
            )

    async def _delete(self, deliveries: Sequence[_Delivery]) -> list[_Delivery]:
        """Delete these; returns those that the queue did not delete, and will deliver again."""
        ten = limits.SQS_BATCH_ENTRIES
        chunks = [deliveries[start : start + ten] for start in range(0, len(deliveries), ten)]
        if len(chunks) == 1:
            return await self._delete_ten(chunks[0])
        return [each for kept in await asyncio.gather(*map(self._delete_ten, chunks)) for each in kept]

    async def _delete_ten(self, deliveries: Sequence[_Delivery]) -> list[_Delivery]:
        handles = enumerate(str(delivery.message["ReceiptHandle"]) for delivery in deliveries)
        entries: Any = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in handles]
        try:
            answer = await self.sqs.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            self._note(f"DeleteMessageBatch failed: {error}")
            return list(deliveries)
        return [deliveries[int(failure["Id"])] for failure in answer.get("Failed", [])]

    # Slots and scaling

    async def _take_slot(self, *, even_when_stopping: bool) -> bool:
        """Wait until one more batch may be in progress. False: the mapping stops."""
        while even_when_stopping or not self.stop.is_set():
            if self._in_hand < self._scaler.concurrency:
                self._in_hand += 1
                return True
            self._changed.clear()
            await self._changed.wait()
        return False

    def _free_slot(self) -> None:
        self._in_hand -= 1
        self._changed.set()

    def _record_load(self) -> None:
        """The number of batches with messages changed, so the scaler decides again."""
        self._scaler.load(self._loaded, self.clock.now())
        self._record_concurrency()
        due_at = self._scaler.next_change_at
        if due_at is not None and (self._rescale_at is None or due_at < self._rescale_at):
            self._rescale.set()

    def _record_concurrency(self) -> None:
        if self._recorded_concurrency != self._scaler.concurrency:
            self._recorded_concurrency = self._scaler.concurrency
            self.record(PollersScaled(self.clock.now(), self.mapping.logical_id, self._recorded_concurrency))
            self._changed.set()

    async def _keep_scaled(self) -> None:
        """Apply the scaler's changes that depend only on time; a receive that waits has found no message either."""
        while True:
            self._rescale.clear()
            self._rescale_at = due_at = self._scaler.next_change_at
            now = self.clock.now()
            await wait_for_event(self._rescale, self.clock, None if due_at is None else due_at - now)
            now = self.clock.now()
            self._scaler.advance(now)
            if now - min(self._waiting_since.values(), default=now) >= limits.MAPPING_QUIET_S:
                self._scaler.found_nothing(now)
            self._record_concurrency()

    async def _pass_on_stop(self) -> None:
        await self.stop.wait()
        self._changed.set()

    def _note(self, text: str) -> None:
        self.record(Noted(self.clock.now(), f"{self.mapping.logical_id}: {text}", "warning"))


def sqs_record(message: Mapping[str, Any], queue_arn: str, *, window: bool) -> dict[str, Any]:
    """A received message as a record of Lambda's event, with AWS's names and quirks.

    With a batching window, a message without attributes has `md5OfMessageAttributes: null`; without one, the key is
    missing (as observed on AWS).
    """
    attributes = {name: str(value) for name, value in message.get("Attributes", {}).items()}
    own = {name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()}
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": attributes,
        "messageAttributes": own,
        "md5OfBody": message.get("MD5OfBody"),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": limits.REGION,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    elif window:
        record["md5OfMessageAttributes"] = None
    return record


def _message_attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """A message attribute in the event's spelling; binary values are base64 text there."""
    found: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return found
