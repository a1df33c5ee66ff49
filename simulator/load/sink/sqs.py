"""The sink's SQS: standard queues in memory, because messages must come back when a handler fails."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.load.sink.answers import Operation, Reply, json_answer

Timer = Callable[[float, Callable[[], None]], Any]
"""The loop's `call_later`: a delay in seconds, and what is called then."""


@dataclass(slots=True)
class _Message:
    id: str
    body: str
    digest: str
    sent_at: float
    receipt: str = ""
    received_at: float | None = None
    receive_count: int = 0


@dataclass
class SinkQueue:
    """A standard queue in memory: messages wait, are in flight until their visibility ends, and are deleted."""

    name: str
    url: str
    arn: str
    clock: Clock
    later: Timer
    attributes: dict[str, str] = field(default_factory=dict)
    waiting: deque[_Message] = field(default_factory=deque)
    in_flight: dict[str, _Message] = field(default_factory=dict)
    invisible: list[tuple[float, str]] = field(default_factory=list)
    polls: deque[tuple[int, Reply]] = field(default_factory=deque)
    sent: int = 0
    received: int = 0
    deleted: int = 0
    dead_lettered: int = 0
    dead_letters: SinkQueue | None = None
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def visibility_s(self) -> float:
        """Seconds that a received message stays unseen."""
        return float(self.attributes.get("VisibilityTimeout", 30))

    @property
    def maximum_receives(self) -> int | None:
        """The redrive policy's count, if there is one."""
        policy = self.attributes.get("RedrivePolicy")
        return int(json.loads(policy)["maxReceiveCount"]) if policy else None

    def counters(self) -> dict[str, Any]:
        """What it had counted at the last `refresh`, in the shape of the store's counters."""
        return {
            "visible": len(self.waiting),
            "in_flight": len(self.in_flight),
            "oldest_age_s": self._oldest_age_s(),
            "sent": self.sent,
            "received": self.received,
            "deleted": self.deleted,
            "dead_lettered": self.dead_lettered,
        }

    def add(self, body: str) -> _Message:
        """A message for the back of the queue."""
        number = next(self.numbers)
        message = _Message(
            f"00000000-0000-4000-8000-{number:012d}",
            body,
            hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            self.clock.now(),
        )
        self.sent += 1
        self.waiting.append(message)
        self._serve_polls()
        return message

    def receive(self, count: int, wait_s: float, reply: Reply) -> None:
        """Up to `count` messages at once, or when the first comes, or none when `wait_s` has passed."""
        taken = self._take(count)
        if taken or wait_s <= 0:
            reply(json_answer({"Messages": taken} if taken else {}), False)
            return
        poll = (count, reply)
        self.polls.append(poll)

        def give_up() -> None:
            if poll in self.polls:
                self.polls.remove(poll)
                reply(json_answer({}), False)

        self.later(wait_s, give_up)
        if self.invisible:
            self.later(max(0.0, self.invisible[0][0] - self.clock.now()), self._serve_polls)

    def delete(self, receipt: str) -> None:
        """Delete a message by the receipt handle of its latest receive; a stale one does nothing."""
        message = self.in_flight.get(receipt.partition("/")[0])
        if message is not None and message.receipt == receipt:
            del self.in_flight[message.id]
            self.deleted += 1

    def change_visibility(self, receipt: str, seconds: float) -> None:
        """The message is seen again `seconds` from now."""
        message = self.in_flight.get(receipt.partition("/")[0])
        if message is not None and message.receipt == receipt:
            self._hide(message, seconds)

    def refresh(self) -> None:
        """Messages whose visibility has ended wait again; one received too often goes to the dead-letter queue."""
        now = self.clock.now()
        while self.invisible and self.invisible[0][0] <= now:
            _, receipt = heapq.heappop(self.invisible)
            message = self.in_flight.get(receipt.partition("/")[0])
            if message is None or message.receipt != receipt:
                continue
            del self.in_flight[message.id]
            maximum = self.maximum_receives
            if maximum is not None and message.receive_count >= maximum and self.dead_letters is not None:
                self.dead_letters.waiting.append(message)
                self.dead_lettered += 1
            else:
                self.waiting.append(message)

    def _oldest_age_s(self) -> float | None:
        oldest = min((message.sent_at for message in (*list(self.waiting)[:1], *self.in_flight.values())), default=None)
        return None if oldest is None else self.clock.now() - oldest

    def _take(self, count: int) -> list[dict[str, Any]]:
        self.refresh()
        return [self._hand_out(self.waiting.popleft()) for _ in range(min(count, len(self.waiting)))]

    def _hand_out(self, message: _Message) -> dict[str, Any]:
        now = self.clock.now()
        message.receive_count += 1
        message.received_at = message.received_at or now
        message.receipt = f"{message.id}/{message.receive_count}"
        self.in_flight[message.id] = message
        self.received += 1
        self._hide(message, self.visibility_s)
        return {
            "MessageId": message.id,
            "ReceiptHandle": message.receipt,
            "MD5OfBody": message.digest,
            "Body": message.body,
            "Attributes": {
                "SenderId": limits.ACCOUNT_ID,
                "SentTimestamp": str(int(message.sent_at * 1000)),
                "ApproximateReceiveCount": str(message.receive_count),
                "ApproximateFirstReceiveTimestamp": str(int(message.received_at * 1000)),
            },
        }

    def _hide(self, message: _Message, seconds: float) -> None:
        heapq.heappush(self.invisible, (self.clock.now() + seconds, message.receipt))

    def _serve_polls(self) -> None:
        self.refresh()
        while self.polls and self.waiting:
            count, reply = self.polls.popleft()
            reply(json_answer({"Messages": self._take(count)}), False)


class SinkQueues:
    """Answers SQS's operations, by their names in `operations`."""

    def __init__(self, clock: Clock, later: Timer) -> None:
        self._clock, self._later = clock, later
        self._queues: dict[str, SinkQueue] = {}
        self.operations: dict[str, Operation] = {
            "CreateQueue": self._create_queue,
            "SetQueueAttributes": self._set_queue_attributes,
            "GetQueueUrl": self._get_queue_url,
            "GetQueueAttributes": self._get_queue_attributes,
            "DeleteQueue": self._delete_queue,
            "SendMessage": self._send_message,
            "ReceiveMessage": self._receive_message,
            "DeleteMessage": self._delete_message,
            "DeleteMessageBatch": self._delete_message_batch,
            "ChangeMessageVisibility": self._change_message_visibility,
        }

    def named(self, name: str) -> SinkQueue | None:
        """The queue of that name, if it exists."""
        return self._queues.get(name)

    def counters(self) -> dict[str, Any]:
        """What each queue counted. All are looked at first: a message may move to another's dead letters."""
        for queue in self._queues.values():
            queue.refresh()
        return {name: queue.counters() for name, queue in self._queues.items()}

    def _queue(self, parameters: dict[str, Any]) -> SinkQueue:
        name = parameters["QueueUrl"].rpartition("/")[2] if "QueueUrl" in parameters else parameters["QueueName"]
        if name not in self._queues:
            raise KeyError(f"no queue {name}")
        return self._queues[name]

    def _create_queue(self, parameters: dict[str, Any], reply: Reply) -> None:
        name = parameters["QueueName"]
        url = f"http://127.0.0.1/{limits.ACCOUNT_ID}/{name}"
        arn = f"arn:aws:sqs:{limits.REGION}:{limits.ACCOUNT_ID}:{name}"
        queue = self._queues.setdefault(name, SinkQueue(name, url, arn, self._clock, self._later))
        self._set_attributes(queue, parameters.get("Attributes") or {})
        reply(json_answer({"QueueUrl": url}), False)

    def _set_queue_attributes(self, parameters: dict[str, Any], reply: Reply) -> None:
        self._set_attributes(self._queue(parameters), parameters.get("Attributes") or {})
        reply(json_answer({}), False)

    def _set_attributes(self, queue: SinkQueue, attributes: dict[str, str]) -> None:
        queue.attributes.update(attributes)
        policy = queue.attributes.get("RedrivePolicy")
        if policy:
            queue.dead_letters = self._queues.get(json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2])

    def _get_queue_url(self, parameters: dict[str, Any], reply: Reply) -> None:
        reply(json_answer({"QueueUrl": self._queue(parameters).url}), False)

    def _get_queue_attributes(self, parameters: dict[str, Any], reply: Reply) -> None:
        queue = self._queue(parameters)
        queue.refresh()
        counts = {
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": str(len(queue.waiting)),
            "ApproximateNumberOfMessagesNotVisible": str(len(queue.in_flight)),
            "ApproximateNumberOfMessagesDelayed": "0",
        }
        reply(json_answer({"Attributes": {**queue.attributes, **counts}}), False)

    def _delete_queue(self, parameters: dict[str, Any], reply: Reply) -> None:
        self._queues.pop(self._queue(parameters).name)
        reply(json_answer({}), False)

    def _send_message(self, parameters: dict[str, Any], reply: Reply) -> None:
        message = self._queue(parameters).add(parameters["MessageBody"])
        reply(json_answer({"MessageId": message.id, "MD5OfMessageBody": message.digest}), False)

    def _receive_message(self, parameters: dict[str, Any], reply: Reply) -> None:
        queue = self._queue(parameters)
        wait_s = parameters.get("WaitTimeSeconds", queue.attributes.get("ReceiveMessageWaitTimeSeconds", 0))
        queue.receive(int(parameters.get("MaxNumberOfMessages", 1)), float(wait_s), reply)

    def _delete_message(self, parameters: dict[str, Any], reply: Reply) -> None:
        self._queue(parameters).delete(parameters["ReceiptHandle"])
        reply(json_answer({}), False)

    def _delete_message_batch(self, parameters: dict[str, Any], reply: Reply) -> None:
        queue = self._queue(parameters)
        for entry in parameters["Entries"]:
            queue.delete(entry["ReceiptHandle"])
        deleted = [{"Id": entry["Id"]} for entry in parameters["Entries"]]
        reply(json_answer({"Successful": deleted, "Failed": []}), False)

    def _change_message_visibility(self, parameters: dict[str, Any], reply: Reply) -> None:
        self._queue(parameters).change_visibility(parameters["ReceiptHandle"], float(parameters["VisibilityTimeout"]))
        reply(json_answer({}), False)
