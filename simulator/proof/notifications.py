"""What an S3 notification in a queue says: which objects a message is about.

Owns the reading of message bodies on the simulator's side of the handlers; the handlers read events by themselves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import unquote_plus


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object, its key as S3 knows it (not as the notification encodes it)."""

    bucket: str
    key: str


def objects_of(body: str) -> tuple[ObjectRef, ...]:
    """The objects that a queue's message body is about, in its order.

    An `s3:TestEvent` is about none, and so is a body that is no S3 notification: whoever counts messages must count
    them by themselves. Keys are form-encoded in a notification
    (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
    """
    try:
        records = json.loads(body)["Records"]
    except (ValueError, KeyError, TypeError):
        return ()
    found = []
    for record in records if isinstance(records, list) else ():
        match record:
            case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}}:
                found.append(ObjectRef(bucket, unquote_plus(key)))
    return tuple(found)
