"""SQS and S3 event JSON -> typed messages and object references. No other file knows those shapes.

Lambda Developer Guide, "Using Lambda with Amazon SQS"; S3 User Guide, "Event message structure" and "Event structure"
(of EventBridge); SNS Developer Guide, "Fanout to Amazon SQS queues". Unknown members and newer event versions are
accepted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class MalformedEvent(Exception):
    """The event or message does not have the documented shape; the message says where."""


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message of a batch. A batch item failure names its `id`."""

    id: str
    body: str
    receive_count: int


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """One object that was created; `key` is decoded."""

    bucket: str
    key: str

    @property
    def is_hidden(self) -> bool:
        """Whether its name begins like those of files that are not data: `_SUCCESS`, `.DS_Store`."""
        return self.key.rpartition("/")[2].startswith(("_", "."))

    @property
    def is_folder(self) -> bool:
        """Whether, if it is empty, it is a folder marker as consoles and file systems create them."""
        return self.key.endswith("/")


def sqs_messages(event: object) -> list[Message]:
    """The messages of the batch. Raises `MalformedEvent` if the event is not from an SQS event source mapping."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise MalformedEvent("the event has no Records: the consumer expects batches of an SQS event source mapping")
    return [_message(record) for record in records]


def _message(record: object) -> Message:
    if not isinstance(record, dict) or not isinstance(record.get("messageId"), str):
        raise MalformedEvent("a record without messageId: the consumer expects batches of SQS messages")
    body = record.get("body")
    count = str((record.get("attributes") or {}).get("ApproximateReceiveCount", "1"))
    return Message(record["messageId"], body if isinstance(body, str) else "", int(count) if count.isdigit() else 1)


def created_objects(body: str) -> list[ObjectReference]:
    """The objects that the notification in an SQS message's body announces; none for a test event.

    The notification may come straight from S3, through an SNS topic (in an envelope, unless delivery is raw), or as
    EventBridge's event, which a topic may have forwarded too. Other kinds of event (removal, restore) announce nothing.
    Raises `MalformedEvent`.
    """
    notification = _object_in(body, "the message")
    match notification:
        case {"Type": "Notification", "TopicArn": str(), "Message": str(message)}:
            notification = _object_in(message, "the message in the SNS envelope")
        case {"Type": "SubscriptionConfirmation", "TopicArn": str(topic)}:
            raise MalformedEvent(f"the message asks to confirm the queue's subscription to {topic}; confirm it there")
    if notification.get("source") == "aws.s3" and "detail-type" in notification:
        return _of_eventbridge(notification)
    if notification.get("Event") == "s3:TestEvent":
        return []
    records = notification.get("Records")
    if not isinstance(records, list):
        raise MalformedEvent("the message is not an S3 notification: it has no Records")
    return [reference for record in records if (reference := _created_object(record)) is not None]


def _object_in(text: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedEvent(f"{name} is not JSON") from None
    if not isinstance(found, dict):
        raise MalformedEvent(f"{name} is not an S3 notification")
    return found


def _of_eventbridge(event: dict[str, Any]) -> list[ObjectReference]:
    """Unlike in S3's own notifications, the key is not encoded."""
    if event["detail-type"] != "Object Created":
        return []
    match event.get("detail"):
        case {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}} if bucket and key:
            return [ObjectReference(bucket, key)]
    raise MalformedEvent("the EventBridge event does not name a bucket and a key")


def _created_object(record: object) -> ObjectReference | None:
    match record:
        case {"eventName": str(name), "s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}} if (
            name and bucket and key
        ):
            # Form style: a space is "+". Real S3 leaves "/" alone, moto escapes it; both decode to the same key.
            created = name.removeprefix("s3:").startswith("ObjectCreated:")
            return ObjectReference(bucket, unquote_plus(key)) if created else None
    raise MalformedEvent("a record of the notification does not name an event, a bucket and a key")


def tick_time(event: object) -> str | None:
    """The `time` of a scheduled event; None if it has none, like a test event from the console."""
    time = event.get("time") if isinstance(event, dict) else None
    return time if isinstance(time, str) and time else None
