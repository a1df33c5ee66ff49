"""SQS's busy operations answered without moto's parser, router and serializer, on moto's own queues.

Each does what `SQSResponse` does for a clean request on a standard queue with the same result; anything out of the
ordinary is left to moto, before anything has changed, so that its errors are moto's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from simulator.store.moto.replacement import Replacement
from simulator.store.moto.scope import StoreContext
from simulator.store.sqs.depot import Held
from simulator.store.sqs.moto_queue import add, copy_message, depot_of, new_message, queue_of, receive
from simulator.store.sqs.receipt_handles import UnknownHandle
from simulator.store.wire.messages import Response, Routed, json_response

NAME = "sqs.answers"
_MD5 = "_stockpipe_md5"
_PLAIN_SEND = {"QueueUrl", "MessageBody", "DelaySeconds"}
_RECEIVE = {
    "QueueUrl",
    "AttributeNames",
    "MessageSystemAttributeNames",
    "MessageAttributeNames",
    "MaxNumberOfMessages",
    "VisibilityTimeout",
    "WaitTimeSeconds",
    "ReceiveRequestAttemptId",
}

# The parameters of a request already read, by whoever read them first.
Parameters = Mapping[str, Any]


class SqsAnswers:
    """Answers on the queues of one account and region; a strict store decides what a stale receipt handle does."""

    def __init__(self, store: StoreContext) -> None:
        self._store = store
        self._operations: dict[str, Callable[[Any, Parameters], dict[str, Any] | None]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibility": self._change_visibility,
        }

    def answer(self, routed: Routed) -> Response | None:
        """The answer, or None where moto must give it."""
        operation, parameters = self._operations.get(routed.operation), routed.parameters
        if operation is None or parameters is None or routed.is_query:
            return None
        queue = queue_of(parameters)
        if queue is None or queue.fifo_queue:
            return None
        result = operation(queue, parameters)
        return None if result is None else json_response(routed, orjson.dumps(result))

    def _send(self, queue: Any, parameters: Parameters) -> dict[str, Any] | None:
        if not _PLAIN_SEND.issuperset(parameters):
            return None
        message = self._plain_message(queue, parameters)
        if message is None:
            return None
        add(queue, message, self._store.now_ms())
        return {"MD5OfMessageBody": _md5(message), "MessageId": message.id}

    def _send_batch(self, queue: Any, parameters: Parameters) -> dict[str, Any] | None:
        entries = parameters.get("Entries")
        if not isinstance(entries, list) or not 1 <= len(entries) <= 10:
            return None
        ids, messages, size = [], [], 0
        for entry in entries:
            identity = entry.get("Id")
            if not isinstance(identity, str) or not identity.isascii() or not identity.isalnum():
                return None
            if not (_PLAIN_SEND | {"Id"}).issuperset(entry):
                return None
            message = self._plain_message(queue, entry)
            if message is None:
                return None
            size += len(message.body)
            ids.append(identity)
            messages.append(message)
        if len(set(ids)) != len(ids) or max(map(len, ids)) > 80 or size > 1_048_576:
            return None
        for message in messages:
            add(queue, message, self._store.now_ms())
        return {
            "Successful": [
                {"Id": identity, "MessageId": message.id, "MD5OfMessageBody": _md5(message)}
                for identity, message in zip(ids, messages, strict=True)
            ],
            "Failed": [],
        }

    def _plain_message(self, queue: Any, entry: Parameters) -> Any:
        """A moto message for a body without attributes; None where moto's own checks must speak."""
        body, delay_s = entry.get("MessageBody"), entry.get("DelaySeconds")
        if not isinstance(body, str) or not body or len(body) > queue.maximum_message_size:
            return None
        if delay_s is None:
            delay_s = queue.delay_seconds
        if not isinstance(delay_s, int) or not 0 <= delay_s <= 900:
            return None
        return new_message(self._store, body, delay_s)

    def _receive(self, queue: Any, parameters: Parameters) -> dict[str, Any] | None:
        if not _RECEIVE.issuperset(parameters):
            return None
        limit = parameters.get("MaxNumberOfMessages", 1)
        wait_s = parameters.get("WaitTimeSeconds", 0)
        visibility_s = parameters.get("VisibilityTimeout", queue.visibility_timeout)
        clean = isinstance(limit, int) and isinstance(wait_s, int) and isinstance(visibility_s, int)
        if not clean or not (1 <= limit <= 10 and 0 <= wait_s <= 20 and 0 <= visibility_s <= 43_200):
            return None
        received = receive(queue, limit, visibility_s, self._store.now_ms())
        if not received:
            return {}
        wanted = {*parameters.get("AttributeNames", ()), *parameters.get("MessageSystemAttributeNames", ())}
        names = parameters.get("MessageAttributeNames", ())
        return {"Messages": [self._received_message(held, wanted, names) for held in received]}

    def _received_message(self, held: Held, wanted: set[str], names: Any) -> dict[str, Any]:
        message = held.message
        result: dict[str, Any] = {
            "MessageId": message.id,
            "ReceiptHandle": message.receipt_handle,
            "MD5OfBody": _md5(message),
            "Body": message.body,
        }
        if names and message.message_attributes:
            _add_message_attributes(result, message, names)
        if wanted:
            result["Attributes"] = _system_attributes(message, wanted, strict=self._store.strict)
        return result

    def _delete(self, queue: Any, parameters: Parameters) -> dict[str, Any] | None:
        handle = parameters.get("ReceiptHandle")
        if not isinstance(handle, str):
            return None
        try:
            depot_of(queue).delete(handle, stale_deletes=not self._store.strict)
        except UnknownHandle:
            return None
        return {}

    def _delete_batch(self, queue: Any, parameters: Parameters) -> dict[str, Any] | None:
        entries = parameters.get("Entries")
        if not isinstance(entries, list) or not 1 <= len(entries) <= 10:
            return None
        try:
            pairs = [(entry["Id"], entry["ReceiptHandle"]) for entry in entries]
        except (KeyError, TypeError):
            return None
        if len({handle for _, handle in pairs}) != len(pairs) or len({identity for identity, _ in pairs}) != len(pairs):
            return None
        depot = depot_of(queue)
        successful, failed = [], []
        for identity, handle in pairs:
            try:
                depot.delete(handle, stale_deletes=not self._store.strict)
                successful.append({"Id": identity})
            except UnknownHandle:
                failed.append(
                    {
                        "Id": identity,
                        "SenderFault": True,
                        "Code": "ReceiptHandleIsInvalid",
                        "Message": f'The input receipt handle "{handle}" is not a valid receipt handle.',
                    }
                )
        return {"Successful": successful, "Failed": failed}

    def _change_visibility(self, queue: Any, parameters: Parameters) -> dict[str, Any] | None:
        handle, timeout_s = parameters.get("ReceiptHandle"), parameters.get("VisibilityTimeout")
        if not isinstance(handle, str) or not isinstance(timeout_s, int) or not 0 <= timeout_s <= 43_200:
            return None
        depot, now_ms = depot_of(queue), self._store.now_ms()
        try:
            held = depot.find(handle)
        except UnknownHandle:
            return None
        if held is None:
            return None
        # AWS counts the twelve hours from the receive, moto from the send.
        since_ms = held.received_ms if self._store.strict else held.sent_ms
        if now_ms + timeout_s * 1000 - since_ms > 43_200_000:
            return None
        depot.change_visibility(held, now_ms, timeout_s * 1000)
        return {}


def _md5(message: Any) -> str:
    digest: str | None = message.__dict__.get(_MD5)
    if digest is None:
        digest = hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest()
        setattr(message, _MD5, digest)
    return digest


def _add_message_attributes(result: dict[str, Any], message: Any, names: list[str]) -> None:
    from moto.sqs import models

    copied = copy_message(message)
    models._filter_message_attributes(copied, names)  # noqa: SLF001 moto's filter
    if copied.message_attributes:
        result["MessageAttributes"] = _wire_attributes(copied.message_attributes)
        result["MD5OfMessageAttributes"] = copied.attribute_md5


def _wire_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    import base64

    wire = {}
    for name, value in attributes.items():
        written = dict(value)
        if isinstance(written.get("BinaryValue"), bytes):
            written["BinaryValue"] = base64.b64encode(written["BinaryValue"]).decode()
        wire[name] = written
    return wire


def _system_attributes(message: Any, wanted: set[str], *, strict: bool) -> dict[str, str]:
    every = "All" in wanted
    attributes = {
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_timestamp),
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }
    trace = (message.system_attributes or {}).get("AWSTraceHeader")
    if trace:
        attributes["AWSTraceHeader"] = trace.get("StringValue")
    if message.deduplication_id is not None:
        attributes["MessageDeduplicationId"] = message.deduplication_id
    if message.group_id is not None:
        attributes["MessageGroupId"] = message.group_id
    source = message.__dict__.get("dead_letter_source_arn")
    if strict and source:
        attributes["DeadLetterQueueSourceArn"] = source
    return attributes if every else {name: value for name, value in attributes.items() if name in wanted}


_RESPONSES = "moto.sqs.responses:SQSResponse."
REPLACEMENTS = (
    Replacement(
        name=NAME,
        dated="2026-11-23",
        functions={
            _RESPONSES + "send_message": "f486fa48de9f0fc7",
            _RESPONSES + "send_message_batch": "c68cdac5e2afa47d",
            _RESPONSES + "receive_message": "0027050ecd1294f8",
            _RESPONSES + "delete_message": "ea1bab65ef349241",
            _RESPONSES + "delete_message_batch": "79dfc09563eaa074",
            _RESPONSES + "change_message_visibility": "9935ebc46afeb010",
            "moto.sqs.models:SQSBackend.send_message": "bf161af09a9e6b86",
            "moto.sqs.models:SQSBackend.send_message_batch": "0707ad219481c867",
            "moto.sqs.models:SQSBackend.delete_message_batch": "53c0bc5d5f51468a",
            "moto.sqs.models:_filter_message_attributes": "2e61eb0503c8ea0a",
            "moto.sqs.models:Message.__init__": "4ab16d5eb16ec41c",
        },
        why="each request passes Flask's router, botocore's model, a parser and a serializer built for any service: "
        "over a millisecond before the queue is touched",
        keeps="requests of the JSON protocol on standard queues, well formed, without message attributes; every other "
        "one, and every refusal, is moto's",
    ),
)
