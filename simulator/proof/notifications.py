"""Reads an S3 notification in a queue: which objects a message is about.

The simulator reads message bodies with this file; the handlers have their own code for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object, with its key as in S3 (not as the notification encodes it)."""

    bucket: str
    key: str


def objects_of(body: str) -> tuple[ObjectRef, ...]:
    """The objects that a queue's message body is about, in its order.

    An `s3:TestEvent`, and a body that is not an S3 notification, has none: count such messages separately. Keys are
    form-encoded in S3's own notification
    (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html) and plain in EventBridge's event
    (the same guide, ev-events.html). SNS puts either into the `Message` of an envelope, as text
    (docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html).
    """
    found = _loaded(body)
    if found.get("Type") == "Notification" and "TopicArn" in found:
        found = _loaded(found.get("Message"))
    if found.get("source") == "aws.s3":
        if found.get("detail-type") != "Object Created":
            return ()
        return _refs([{"s3": found.get("detail")}], decode=False)
    return _refs(found.get("Records"), decode=True)


def _loaded(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refs(records: Any, *, decode: bool) -> tuple[ObjectRef, ...]:
    found = []
    for record in records if isinstance(records, list) else ():
        match record:
            case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}}:
                found.append(ObjectRef(bucket, unquote_plus(key) if decode else key))
    return tuple(found)
