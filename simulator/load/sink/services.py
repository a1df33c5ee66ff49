"""What the sink answers: the operations of S3, SQS and DynamoDB that one run makes. Counts, and a queue that holds.

Synchronous and without sockets; an answer goes to the `reply` of its request, at once or, for a long poll, when a
message comes.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

from simulator.base import limits
from simulator.base.clock import Clock, iso

Reply = Callable[["Answer", bool], None]
"""Takes an answer, and whether the sink's latency applies to it (reads and writes; not the queue's calls)."""


class Timer(Protocol):
    """The loop's `call_later`."""

    def __call__(self, delay: float, callback: Callable[[], None], /) -> Any:
        """Call back after `delay` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    body: bytes = b""
    status: int = 200
    content_type: bytes = b"application/x-amz-json-1.0"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    without_body: bool = False

    def encoded(self) -> bytes:
        """The response as it goes over the wire; to HEAD the length is told and the body left out."""
        extra = b"".join(b"%s: %s\r\n" % header for header in self.headers)
        return b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s" % (
            self.status,
            self.content_type,
            len(self.body),
            extra,
            b"" if self.without_body else self.body,
        )


def error_answer(status: int, code: str, message: str) -> Answer:
    """An error as DynamoDB and SQS word it."""
    return Answer(json.dumps({"__type": f"com.amazonaws#{code}", "message": message}).encode(), status)


def _xml_error(status: int, code: str, message: str) -> Answer:
    text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Answer(text.encode(), status, b"application/xml")


def _json(answer: Any) -> Answer:
    return Answer(json.dumps(answer).encode())


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
class Queue:
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
    dead_letters: Queue | None = None
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
            reply(_json({"Messages": taken} if taken else {}), False)
            return
        poll = (count, reply)
        self.polls.append(poll)

        def give_up() -> None:
            if poll in self.polls:
                self.polls.remove(poll)
                reply(_json({}), False)

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
            reply(_json({"Messages": self._take(count)}), False)


class Sink:
    """The three services in one. Resources exist once they are created."""

    def __init__(self, clock: Clock, later: Timer) -> None:
        self._clock, self._later = clock, later
        self._queues: dict[str, Queue] = {}
        self._tables: dict[str, dict[str, Any]] = {}
        self._buckets: dict[str, _Bucket] = {}
        self._body = b""
        self._etag = b""
        self._sequence = 0
        self._rows: dict[str, _Rows] = {}
        self._requests: dict[str, int] = {}

    def counters(self) -> dict[str, Any]:
        """Everything counted, in the shapes of the store's counters."""
        for queue in self._queues.values():
            queue.refresh()
        return {
            "queues": {
                name: {
                    "visible": len(queue.waiting),
                    "in_flight": len(queue.in_flight),
                    "oldest_age_s": self._oldest_age_s(queue),
                    "sent": queue.sent,
                    "received": queue.received,
                    "deleted": queue.deleted,
                    "dead_lettered": queue.dead_lettered,
                }
                for name, queue in self._queues.items()
            },
            "tables": {name: rows.as_json() for name, rows in self._rows.items()},
            "buckets": {
                name: {
                    "objects": bucket.puts,
                    "size_bytes": bucket.size_bytes,
                    "puts": bucket.puts,
                    "first_put_at": bucket.first_put_at,
                    "last_put_at": bucket.last_put_at,
                }
                for name, bucket in self._buckets.items()
            },
            "operations": {name: {"requests": count} for name, count in self._requests.items()},
        }

    def _oldest_age_s(self, queue: Queue) -> float | None:
        oldest = min(
            (message.sent_at for message in (*list(queue.waiting)[:1], *queue.in_flight.values())), default=None
        )
        return None if oldest is None else self._clock.now() - oldest

    def call(self, target: str, body: bytes, reply: Reply) -> None:
        """An operation of SQS or DynamoDB, named by its X-Amz-Target."""
        service, _, operation = target.partition(".")
        self._requests[operation] = self._requests.get(operation, 0) + 1
        if operation == "BatchWriteItem":
            self._batch_write(body, reply)
            return
        asked = json.loads(body or b"{}")
        method = getattr(self, f"_{'sqs' if service == 'AmazonSQS' else 'table'}_{operation}", None)
        if method is None:
            reply(error_answer(400, "UnknownOperationException", f"the sink does no {operation}"), False)
        else:
            method(asked, reply)

    # DynamoDB.

    def _batch_write(self, body: bytes, reply: Reply) -> None:
        now = self._clock.now()
        # The table's name is the first key inside RequestItems; reading all of it would cost as much as the handler.
        named = _TABLE.search(body)
        rows = self._rows.get(named[1].decode()) if named else None
        if rows is None:
            reply(error_answer(400, "ResourceNotFoundException", "Requested resource not found"), False)
            return
        rows.write(body.count(b'"PutRequest"'), now)
        reply(_WRITTEN, True)

    def _table_PutItem(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802 - the operation's name
        rows = self._rows.get(asked["TableName"])
        if rows is None:
            reply(error_answer(400, "ResourceNotFoundException", "Requested resource not found"), False)
            return
        rows.write(1, self._clock.now())
        reply(_json({}), True)

    def _table_CreateTable(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        name = asked["TableName"]
        arn = f"arn:aws:dynamodb:{limits.REGION}:{limits.ACCOUNT_ID}:table/{name}"
        self._tables[name] = {**asked, "TableStatus": "ACTIVE", "TableArn": arn, "ItemCount": 0}
        self._rows[name] = _Rows()
        reply(_json({"TableDescription": self._tables[name]}), False)

    def _table_DescribeTable(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        table = self._tables.get(asked["TableName"])
        if table is None:
            reply(error_answer(400, "ResourceNotFoundException", "Requested resource not found"), False)
        else:
            reply(_json({"Table": table}), False)

    def _table_DeleteTable(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        self._rows.pop(asked["TableName"], None)
        reply(_json({"TableDescription": self._tables.pop(asked["TableName"], {})}), False)

    # SQS.

    def _queue(self, asked: dict[str, Any]) -> Queue:
        name = asked["QueueUrl"].rpartition("/")[2] if "QueueUrl" in asked else asked["QueueName"]
        if name not in self._queues:
            raise KeyError(f"no queue {name}")
        return self._queues[name]

    def _sqs_CreateQueue(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        name = asked["QueueName"]
        url = f"http://127.0.0.1/{limits.ACCOUNT_ID}/{name}"
        arn = f"arn:aws:sqs:{limits.REGION}:{limits.ACCOUNT_ID}:{name}"
        queue = self._queues.setdefault(name, Queue(name, url, arn, self._clock, self._later))
        self._set_attributes(queue, asked.get("Attributes") or {})
        reply(_json({"QueueUrl": url}), False)

    def _sqs_SetQueueAttributes(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        self._set_attributes(self._queue(asked), asked.get("Attributes") or {})
        reply(_json({}), False)

    def _set_attributes(self, queue: Queue, attributes: dict[str, str]) -> None:
        queue.attributes.update(attributes)
        policy = queue.attributes.get("RedrivePolicy")
        if policy:
            queue.dead_letters = self._queues.get(json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2])

    def _sqs_GetQueueUrl(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        reply(_json({"QueueUrl": self._queue(asked).url}), False)

    def _sqs_GetQueueAttributes(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        queue = self._queue(asked)
        queue.refresh()
        counts = {
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": str(len(queue.waiting)),
            "ApproximateNumberOfMessagesNotVisible": str(len(queue.in_flight)),
            "ApproximateNumberOfMessagesDelayed": "0",
        }
        reply(_json({"Attributes": {**queue.attributes, **counts}}), False)

    def _sqs_DeleteQueue(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        self._queues.pop(self._queue(asked).name)
        reply(_json({}), False)

    def _sqs_SendMessage(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        message = self._queue(asked).add(asked["MessageBody"])
        reply(_json({"MessageId": message.id, "MD5OfMessageBody": message.digest}), False)

    def _sqs_ReceiveMessage(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        queue = self._queue(asked)
        wait_s = asked.get("WaitTimeSeconds", queue.attributes.get("ReceiveMessageWaitTimeSeconds", 0))
        queue.receive(int(asked.get("MaxNumberOfMessages", 1)), float(wait_s), reply)

    def _sqs_DeleteMessage(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        self._queue(asked).delete(asked["ReceiptHandle"])
        reply(_json({}), False)

    def _sqs_DeleteMessageBatch(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        queue = self._queue(asked)
        for entry in asked["Entries"]:
            queue.delete(entry["ReceiptHandle"])
        reply(_json({"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}), False)

    def _sqs_ChangeMessageVisibility(self, asked: dict[str, Any], reply: Reply) -> None:  # noqa: N802
        self._queue(asked).change_visibility(asked["ReceiptHandle"], float(asked["VisibilityTimeout"]))
        reply(_json({}), False)

    # S3.

    def s3(self, method: str, target: str, body: bytes, reply: Reply) -> None:
        """A request to S3 in path style."""
        parts = urlsplit(target)
        name, _, encoded = parts.path.lstrip("/").partition("/")
        key = unquote(encoded)
        bucket = self._buckets.get(name)
        if not name or (bucket is None and not (method == "PUT" and not key)):
            reply(_xml_error(404, "NoSuchBucket", "The specified bucket does not exist"), False)
        elif not key:
            self._bucket_call(method, name, parts.query, body, reply)
        elif bucket is not None:
            self._object_call(method, name, bucket, key, body, reply)

    def _bucket_call(self, method: str, name: str, query: str, body: bytes, reply: Reply) -> None:
        if method == "DELETE":
            self._buckets.pop(name, None)
            reply(Answer(b"", 204), False)
            return
        bucket = self._buckets.setdefault(name, _Bucket())
        if method == "PUT" and query.partition("=")[0] == "notification":
            text = body.decode()
            arn, prefix = _QUEUE_ARN.search(text), _PREFIX.search(text)
            bucket.queue = self._queues.get(arn[1].rpartition(":")[2]) if arn else None
            bucket.prefix = prefix[1] if prefix else ""
        listing = f"<ListBucketResult><Name>{escape(name)}</Name><KeyCount>0</KeyCount></ListBucketResult>".encode()
        reply(Answer(listing if method == "GET" else b"", 200, b"application/xml"), False)

    def _object_call(self, method: str, name: str, bucket: _Bucket, key: str, body: bytes, reply: Reply) -> None:
        self._requests[f"{method} object"] = self._requests.get(f"{method} object", 0) + 1
        etag: tuple[tuple[bytes, bytes], ...]
        if method == "PUT":
            digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
            if not key.startswith("rejected/"):
                self._body, self._etag = body, f'"{digest}"'.encode()
            bucket.puts += 1
            bucket.last_put_at = self._clock.now()
            bucket.first_put_at = bucket.first_put_at or bucket.last_put_at
            bucket.size_bytes += len(body)
            etag = ((b"ETag", f'"{digest}"'.encode()),)
            reply(Answer(b"", 200, b"application/xml", etag), True)
            if bucket.queue is not None and key.startswith(bucket.prefix):
                bucket.queue.add(self._event(name, key, len(body), digest))
        elif method in ("GET", "HEAD"):
            etag = ((b"ETag", self._etag), (b"Last-Modified", b"Thu, 01 Jan 2026 00:00:00 GMT"))
            reply(Answer(self._body, 200, b"text/csv", etag, without_body=method == "HEAD"), True)
        else:
            reply(Answer(b"", 204), True)

    def _event(self, bucket: str, key: str, size_bytes: int, digest: str) -> str:
        """The notification of one put, as S3 words it (notification-content-structure in the S3 User Guide)."""
        self._sequence += 1
        return _EVENT % (
            iso(self._clock.now()),
            limits.REGION,
            bucket,
            bucket,
            quote(key, safe="/"),
            size_bytes,
            digest,
            self._sequence,
        )


@dataclass
class _Bucket:
    queue: Queue | None = None
    prefix: str = ""
    puts: int = 0
    size_bytes: int = 0
    first_put_at: float | None = None
    last_put_at: float | None = None


@dataclass
class _Rows:
    """One table's count of rows."""

    rows_written: int = 0
    batch_writes: int = 0
    first_write_at: float | None = None
    last_write_at: float | None = None
    second: int = 0
    in_second: int = 0
    rows_per_s_max: int = 0

    def write(self, rows: int, now: float) -> None:
        self.rows_written += rows
        self.batch_writes += 1
        self.first_write_at = now if self.first_write_at is None else self.first_write_at
        self.last_write_at = now
        if int(now) != self.second:
            self.second, self.in_second = int(now), 0
        self.in_second += rows
        self.rows_per_s_max = max(self.rows_per_s_max, self.in_second)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows_written,
            "rows_written": self.rows_written,
            "rows_per_s_max": self.rows_per_s_max,
            "first_write_at": self.first_write_at,
            "last_write_at": self.last_write_at,
            "batch_writes": self.batch_writes,
            "write_units": float(self.rows_written),
        }


_TABLE = re.compile(rb'"RequestItems"\s*:\s*\{\s*"([^"]+)"')
_QUEUE_ARN = re.compile(r"<Queue>([^<]+)</Queue>")
_PREFIX = re.compile(r"<Name>prefix</Name>\s*<Value>([^<]*)</Value>", re.IGNORECASE)
_WRITTEN = Answer(b'{"UnprocessedItems":{}}')
_EVENT = (
    '{"Records":[{"eventVersion":"2.5","eventSource":"aws:s3","eventTime":"%s","eventName":"ObjectCreated:Put",'
    '"awsRegion":"%s","userIdentity":{"principalId":"AWS:SINK"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},'
    '"responseElements":{"x-amz-request-id":"SINK","x-amz-id-2":"SINK"},"s3":{"s3SchemaVersion":"1.0",'
    '"configurationId":"sink","bucket":{"name":"%s","ownerIdentity":{"principalId":"SINK"},"arn":"arn:aws:s3:::%s"},'
    '"object":{"key":"%s","size":%d,"eTag":"%s","sequencer":"%018X"}}}]}'
)
