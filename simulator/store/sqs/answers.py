"""SQS's busy operations answered without moto's parser, router and serializer, on moto's own queues.

Each has the same result as `SQSResponse` for a clean request on a standard queue. Anything unusual is left to moto
before anything has changed, so that its errors are moto's.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from simulator.base import limits
from simulator.store.moto.application import LeftOn, LeftToMoto
from simulator.store.moto.replacement import Replacement
from simulator.store.moto.scope import StoreContext
from simulator.store.sqs.moto_queue import add, depot_of, new_message, queue_of, receive, with_attributes
from simulator.store.sqs.receipt_handles import UnknownHandle
from simulator.store.wire.messages import Parameters, Response, Routed, json_response

_MD5 = "_stockpipe_md5"
_NAME = re.compile(r"[\w-]{1,80}", re.ASCII)
_PLAIN_SEND = {"QueueUrl", "Id", "MessageBody", "DelaySeconds"}
_RECEIVE = {
    "QueueUrl", "AttributeNames", "MessageSystemAttributeNames", "MessageAttributeNames", "MaxNumberOfMessages",
    "VisibilityTimeout", "WaitTimeSeconds", "ReceiveRequestAttemptId",
}  # fmt: skip


def answer(store: StoreContext, routed: Routed) -> Response:
    """The answer to one request; `store.strict` decides what a stale receipt handle does. Raises `LeftToMoto`."""
    operation, parameters = _OPERATIONS.get(routed.operation), routed.parameters
    if operation is None or parameters is None or routed.is_query:
        raise LeftToMoto
    queue = queue_of(routed)
    LeftToMoto.when(queue is None or queue.fifo_queue)
    return json_response(routed, orjson.dumps(operation(store, queue, parameters)))


def _send(store: StoreContext, queue: Any, parameters: Parameters) -> dict[str, Any]:
    message = _plain_message(store, queue, parameters)
    add(queue, message, store.now_ms())
    return {"MD5OfMessageBody": _md5(message), "MessageId": message.id}


def _send_batch(store: StoreContext, queue: Any, parameters: Parameters) -> dict[str, Any]:
    entries = batch_entries(parameters)
    messages = [_plain_message(store, queue, entry) for entry in entries]
    LeftToMoto.when(sum(len(message.body) for message in messages) > limits.SQS_MESSAGE_BYTES[1])
    now_ms = store.now_ms()
    for message in messages:
        add(queue, message, now_ms)
    sent = zip(entries, messages, strict=True)
    successful = [{"Id": entry["Id"], "MessageId": each.id, "MD5OfMessageBody": _md5(each)} for entry, each in sent]
    return {"Successful": successful, "Failed": []}


def _plain_message(store: StoreContext, queue: Any, entry: Parameters) -> Any:
    """A moto message for a body without attributes."""
    body, delay_s = entry.get("MessageBody"), entry.get("DelaySeconds")
    if delay_s is None:
        delay_s = queue.delay_seconds
    if not _PLAIN_SEND.issuperset(entry) or not isinstance(body, str):
        raise LeftToMoto
    LeftToMoto.when(not 0 < len(body) <= queue.maximum_message_size or not _within(delay_s, limits.SQS_DELAY_S))
    return new_message(store, body, delay_s)


def _receive(store: StoreContext, queue: Any, parameters: Parameters) -> dict[str, Any]:
    limit = parameters.get("MaxNumberOfMessages", 1)
    wait_s = parameters.get("WaitTimeSeconds", 0)
    visibility_s = parameters.get("VisibilityTimeout", queue.visibility_timeout)
    clean = _within(limit, (1, limits.SQS_BATCH_ENTRIES)) and _within(wait_s, limits.SQS_RECEIVE_WAIT_S)
    clean = clean and _within(visibility_s, limits.SQS_VISIBILITY_TIMEOUT_S)
    LeftToMoto.when(not clean or not _RECEIVE.issuperset(parameters))
    received = receive(queue, limit, visibility_s, store.now_ms())
    if not received:
        return {}
    wanted = {*parameters.get("AttributeNames", ()), *parameters.get("MessageSystemAttributeNames", ())}
    names = parameters.get("MessageAttributeNames", ())
    return {"Messages": [_received_message(store, held.message, wanted, names) for held in received]}


def _received_message(store: StoreContext, message: Any, wanted: set[str], names: Any) -> dict[str, Any]:
    result: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": _md5(message),
        "Body": message.body,
    }
    if names and message.message_attributes:
        _add_message_attributes(result, message, names)
    if wanted:
        result["Attributes"] = _system_attributes(message, wanted, strict=store.strict)
    return result


def _delete(store: StoreContext, queue: Any, parameters: Parameters) -> dict[str, Any]:
    _delete_by(store, queue, parameters.get("ReceiptHandle"))
    return {}


def _delete_by(store: StoreContext, queue: Any, handle: Any) -> None:
    LeftToMoto.when(not isinstance(handle, str))
    with LeftOn(UnknownHandle):
        depot_of(queue).delete(handle, stale_deletes=not store.strict)


def _delete_batch(store: StoreContext, queue: Any, parameters: Parameters) -> dict[str, Any]:
    entries = batch_entries(parameters)
    handles = [entry.get("ReceiptHandle") for entry in entries]
    LeftToMoto.when(len({handle for handle in handles if isinstance(handle, str)}) != len(handles))
    successful, failed = [], []
    for entry in entries:
        name, handle = entry["Id"], entry["ReceiptHandle"]
        try:
            _delete_by(store, queue, handle)
            successful.append({"Id": name})
        except LeftToMoto:
            text = f'The input receipt handle "{handle}" is not a valid receipt handle.'
            refusal = {"SenderFault": True, "Code": "ReceiptHandleIsInvalid", "Message": text}
            failed.append({"Id": name, **refusal})
    return {"Successful": successful, "Failed": failed}


def _within(value: Any, bounds: tuple[int, int]) -> bool:
    return isinstance(value, int) and bounds[0] <= value <= bounds[1]


def batch_entries(parameters: Parameters) -> list[dict[str, Any]]:
    """The entries of a valid batch. Raises `LeftToMoto` for wrong names or a wrong number of them."""
    entries = parameters.get("Entries")
    if not isinstance(entries, list) or not 1 <= len(entries) <= limits.SQS_BATCH_ENTRIES:
        raise LeftToMoto
    names = {entry["Id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("Id"), str)}
    LeftToMoto.when(len(names) != len(entries) or not all(map(_NAME.fullmatch, names)))
    return entries


def _md5(message: Any) -> str:
    digest: str | None = message.__dict__.get(_MD5)
    if digest is None:
        digest = hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest()
        setattr(message, _MD5, digest)
    return digest


def _add_message_attributes(result: dict[str, Any], message: Any, names: list[str]) -> None:
    copied = with_attributes(message, names)
    if copied.message_attributes:
        result["MessageAttributes"] = {
            name: _wire_attribute(value) for name, value in copied.message_attributes.items()
        }
        result["MD5OfMessageAttributes"] = copied.attribute_md5


def _wire_attribute(value: Mapping[str, Any]) -> Mapping[str, Any]:
    binary = value.get("BinaryValue")
    return {**value, "BinaryValue": b64encode(binary).decode()} if isinstance(binary, bytes) else value


def _system_attributes(message: Any, wanted: set[str], *, strict: bool) -> dict[str, str]:
    attributes = {
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_timestamp),
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        "AWSTraceHeader": message.system_attributes.get("AWSTraceHeader", {}).get("StringValue"),
        "MessageDeduplicationId": message.deduplication_id,
        "MessageGroupId": message.group_id,
        "DeadLetterQueueSourceArn": message.__dict__.get("dead_letter_source_arn") if strict else None,
    }
    every = "All" in wanted
    return {name: value for name, value in attributes.items() if value is not None and (every or name in wanted)}


_OPERATIONS: dict[str, Callable[[StoreContext, Any, Parameters], dict[str, Any]]] = {
    "SendMessage": _send,
    "SendMessageBatch": _send_batch,
    "ReceiveMessage": _receive,
    "DeleteMessage": _delete,
    "DeleteMessageBatch": _delete_batch,
}
ANSWERS = Replacement("sqs.answers")
