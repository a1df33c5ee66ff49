"""S3's event records as S3 sends them today. Pure: the caller says what happened and when.

Source: S3 User Guide, "Event message structure" (version 2.5) and "Supported event types".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from simulator.base.clock import iso
from simulator.store.wire.messages import Routed


@dataclass(slots=True)
class Sequencers:
    """Texts that order the events of a key: each is greater than all before it."""

    _last: int = 0

    def next(self, at: float) -> str:
        """The next sequencer: hexadecimal, always of the same length."""
        self._last = max(self._last + 1, int(at * 1e9))
        return f"{self._last:018X}"


def written(key: str) -> str:
    """A key as events have it, and as prefix and suffix of a notification are compared with it.

    S3 User Guide, notification-content-structure and notification-how-to-filtering.
    """
    return quote_plus(key, safe="/")


def record(bucket: Any, key: Any, event: str, configuration_id: str, cause: Routed, sequencer: str, at: float) -> str:
    """The message for one event, as JSON text. `bucket` and `key` are moto's objects, `cause` the request."""
    described: dict[str, Any] = {"key": written(key.name)}
    if event.startswith("ObjectCreated"):
        described |= {"size": key.size, "eTag": key.etag.strip('"')}
    if bucket.is_versioned and key.version_id != "null":
        described["versionId"] = key.version_id
    described["sequencer"] = sequencer
    content = {
        "eventVersion": "2.5",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region_name,
        "eventTime": iso(at),
        "eventName": event,
        "userIdentity": {"principalId": f"AWS:{_access_key(cause)}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": cause.request_id, "x-amz-id-2": cause.extended_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {"name": bucket.name, "ownerIdentity": {"principalId": "A3NL1KOZZKEXAMPLE"}, "arn": bucket.arn},
            "object": described,
        },
    }
    return json.dumps({"Records": [content]}, separators=(",", ":"))


def test_event(bucket_name: str, cause: Routed, at: float) -> str:
    """The message that S3 sends when a notification is configured."""
    content = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": iso(at),
        "Bucket": bucket_name,
        "RequestId": cause.request_id,
        "HostId": cause.extended_id,
    }
    return json.dumps(content, separators=(",", ":"))


def _access_key(cause: Routed) -> str:
    _, _, credential = cause.request.headers.get("authorization", "").partition("Credential=")
    return credential.partition("/")[0] or "anonymous"
