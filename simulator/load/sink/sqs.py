"""The sink's SQS: standard queues, because messages must come back when a handler fails."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.counters import QueueCounters
from simulator.load.sink.answers import Reply, json_answer
from simulator.store.sqs.depot import Held, MessageDepot
from simulator.store.sqs.receipt_handles import UnknownHandle


@dataclass(slots=True)
class _Message:
    """A message with the fields that the depot reads; instants are in milliseconds."""

    id: str
    body: str
    digest: str
    sent_timestamp: float
    approximate_receive_count: int = 0
    delayed_until: float = 0.0


class SinkQueue:
    """A standard queue on the store's own depot; a receive may wait for a message."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self._clock = name, clock
        self.url = f"http://127.0.0.1/{limits.ACCOUNT_ID}/{name}"
        self.attributes = {"QueueArn": f"arn:aws:sqs:{limits.REGION}:{limits.ACCOUNT_ID}:{name}"}
        self.depot = MessageDepot(b"sink", arrived=self._serve_polls)
        self._dead_letters: SinkQueue | None = None
        self._maximum_receives: int | None = None
        self._polls: deque[tuple[int, Reply]] = deque()
        self._numbers = itertools.count()
        self._due: asyncio.TimerHandle | None = None

    def configure(self, attributes: dict[str, str], named: Callable[[str], SinkQueue | None]) -> None:
        """Set attributes; `named` finds the queue that their redrive policy names."""
        self.attributes |= attributes
        if "RedrivePolicy" in attributes:
            policy = json.loads(attributes["RedrivePolicy"] or "{}")
            self._maximum_receives = int(policy["maxReceiveCount"]) if policy else None
            self._dead_letters = named(policy.get("deadLetterTargetArn", ""))

    def counters(self) -> QueueCounters:
        """Its counters."""
        return self.depot.counters(self._now_ms)

    def counts(self) -> dict[str, str]:
        """How many messages it has, in the form of GetQueueAttributes."""
        held = zip(("", "NotVisible", "Delayed"), self.depot.counts(self._now_ms), strict=True)
        return {f"ApproximateNumberOfMessages{state}": str(count) for state, count in held}

    def add(self, body: str) -> _Message:
        """Add a message to the end of the queue."""
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        message = _Message(f"00000000-0000-4000-8000-{next(self._numbers):012d}", body, digest, self._now_ms)
        self.depot.add(message, self._now_ms)
        return message

    def receive(self, count: int, wait_s: float, reply: Reply) -> None:
        """Reply with up to `count` messages at once, or as soon as one comes, or with none after `wait_s`."""
        taken = self._take(count)
        if taken or wait_s <= 0:
            reply(json_answer({"Messages": taken} if taken else {}), False)
            return
        poll = (count, reply)
        self._polls.append(poll)

        def give_up() -> None:
            if poll in self._polls:
                self._polls.remove(poll)
                reply(json_answer({}), False)

        asyncio.get_running_loop().call_later(wait_s, give_up)
        self._serve_polls_when_due()

    def delete(self, receipt: str) -> None:
        """Delete a message by the receipt handle of its latest receive; a stale one does nothing."""
        with contextlib.suppress(UnknownHandle):
            self.depot.delete(receipt, stale_deletes=False)

    def change_visibility(self, receipt: str, seconds: float) -> None:
        """Make the message visible `seconds` from now."""
        with contextlib.suppress(UnknownHandle):
            held = self.depot.find(receipt)
            if held is not None and held.state == "in_flight" and self.depot.handle_of(held) == receipt:
                self.depot.change_visibility(held, self._now_ms, seconds * 1000)

    @property
    def _now_ms(self) -> float:
        return self._clock.now() * 1000

    def _take(self, count: int) -> list[dict[str, Any]]:
        hide_ms = float(self.attributes.get("VisibilityTimeout", 30)) * 1000
        retention_ms = float(self.attributes.get("MessageRetentionPeriod", 345_600)) * 1000
        maximum = self._maximum_receives if self._dead_letters is not None else None
        received, dead = self.depot.take(count, self._now_ms, hide_ms, retention_ms, maximum)
        if self._dead_letters is not None:
            for held in dead:
                self._dead_letters.depot.add(held.message, self._now_ms, counts_as_sent=False)
        return [self._handed_out(held) for held in received]

    def _handed_out(self, held: Held) -> dict[str, Any]:
        message: _Message = held.message
        return {
            "MessageId": message.id,
            "ReceiptHandle": self.depot.handle_of(held),
            "MD5OfBody": message.digest,
            "Body": message.body,
            "Attributes": {
                "SenderId": limits.ACCOUNT_ID,
                "SentTimestamp": str(int(message.sent_timestamp)),
                "ApproximateReceiveCount": str(held.receives),
                "ApproximateFirstReceiveTimestamp": str(int(held.received_ms)),
            },
        }

    def _serve_polls(self) -> None:
        while self._polls and (taken := self._take(self._polls[0][0])):
            _, reply = self._polls.popleft()
            reply(json_answer({"Messages": taken}), False)
        if self._polls:
            self._serve_polls_when_due()

    def _serve_polls_when_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
        if (due_ms := self.depot.next_due_ms()) is not None:
            delay_s = max(0.0, (due_ms - self._now_ms) / 1000)
            self._due = asyncio.get_running_loop().call_later(delay_s, self._serve_polls)


class SinkQueues:
    """SQS's operations on queues, by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queues: dict[str, SinkQueue] = {}

    def named(self, name: str) -> SinkQueue | None:
        """The queue with this name, ARN or URL, if it exists."""
        return self._queues.get(name.replace("/", ":").rpartition(":")[2])

    def counters(self) -> dict[str, QueueCounters]:
        """The counters of each queue."""
        return {name: queue.counters() for name, queue in self._queues.items()}

    def receive(self, parameters: dict[str, Any], reply: Reply) -> None:
        """Answer ReceiveMessage, perhaps later."""
        queue = self._queue(parameters)
        wait_s = parameters.get("WaitTimeSeconds", queue.attributes.get("ReceiveMessageWaitTimeSeconds", 0))
        queue.receive(int(parameters.get("MaxNumberOfMessages", 1)), float(wait_s), reply)

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        """The result of any other operation; None if it is not supported. Raises `KeyError` for an unknown queue."""
        if operation == "CreateQueue":
            name = parameters["QueueName"]
            self._queues.setdefault(name, SinkQueue(name, self._clock))
        queue = self._queue(parameters)
        match operation:
            case "CreateQueue" | "SetQueueAttributes":
                queue.configure(parameters.get("Attributes") or {}, self.named)
                return {"QueueUrl": queue.url} if operation == "CreateQueue" else {}
            case "GetQueueUrl":
                return {"QueueUrl": queue.url}
            case "GetQueueAttributes":
                return {"Attributes": {**queue.attributes, **queue.counts()}}
            case "DeleteQueue":
                del self._queues[queue.name]
            case "SendMessage":
                message = queue.add(parameters["MessageBody"])
                return {"MessageId": message.id, "MD5OfMessageBody": message.digest}
            case "DeleteMessage":
                queue.delete(parameters["ReceiptHandle"])
            case "DeleteMessageBatch":
                for entry in parameters["Entries"]:
                    queue.delete(entry["ReceiptHandle"])
                return {"Successful": [{"Id": entry["Id"]} for entry in parameters["Entries"]], "Failed": []}
            case "ChangeMessageVisibility":
                queue.change_visibility(parameters["ReceiptHandle"], float(parameters["VisibilityTimeout"]))
            case _:
                return None
        return {}

    def _queue(self, parameters: dict[str, Any]) -> SinkQueue:
        if (queue := self.named(parameters.get("QueueUrl") or parameters["QueueName"])) is None:
            raise KeyError("no such queue")
        return queue
