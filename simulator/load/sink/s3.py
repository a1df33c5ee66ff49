"""The sink's S3: buckets that count puts, notify their queue, and keep only the body of the last object put."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

from simulator.base import limits
from simulator.base.clock import Clock, iso
from simulator.base.counters import BucketCounters
from simulator.load.sink.answers import Reply, SinkAnswer, xml_error
from simulator.load.sink.sqs import SinkQueue
from simulator.store.counting.tallies import BucketActivity

_QUEUE_ARN = re.compile(r"<Queue>([^<]+)</Queue>")
_PREFIX = re.compile(r"<Name>prefix</Name>\s*<Value>([^<]*)</Value>", re.IGNORECASE)
_EVENT = (
    '{"Records":[{"eventVersion":"2.5","eventSource":"aws:s3","eventTime":"%s","eventName":"ObjectCreated:Put",'
    '"awsRegion":"%s","userIdentity":{"principalId":"AWS:SINK"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},'
    '"responseElements":{"x-amz-request-id":"SINK","x-amz-id-2":"SINK"},"s3":{"s3SchemaVersion":"1.0",'
    '"configurationId":"sink","bucket":{"name":"%s","ownerIdentity":{"principalId":"SINK"},"arn":"arn:aws:s3:::%s"},'
    '"object":{"key":"%s","size":%d,"eTag":"%s","sequencer":"%018X"}}}]}'
)
"""The notification of one put, as S3 words it (notification-content-structure in the S3 User Guide)."""


@dataclass(slots=True)
class _Bucket:
    activity: BucketActivity = field(default_factory=BucketActivity)
    queue: SinkQueue | None = None
    prefix: str = ""


class SinkBuckets:
    """Answers S3 in path style. `queue_named` finds a queue to notify; `count` counts a request for an object."""

    def __init__(
        self, clock: Clock, queue_named: Callable[[str], SinkQueue | None], count: Callable[[str], None]
    ) -> None:
        self._clock, self._queue_named, self._count = clock, queue_named, count
        self._buckets: dict[str, _Bucket] = {}
        self._body = b""
        self._etag = b""
        self._sequence = 0

    def counters(self) -> dict[str, BucketCounters]:
        """The counters of each bucket."""
        return {name: replace(bucket.activity, objects=bucket.activity.puts) for name, bucket in self._buckets.items()}

    def answer(self, method: str, target: str, body: bytes, reply: Reply) -> None:
        """Answer one request."""
        parts = urlsplit(target)
        name, _, encoded = parts.path.lstrip("/").partition("/")
        key = unquote(encoded)
        bucket = self._buckets.get(name)
        if not name or (bucket is None and not (method == "PUT" and not key)):
            reply(xml_error(404, "NoSuchBucket", "The specified bucket does not exist"), False)
        elif not key:
            self._bucket_call(method, name, parts.query, body, reply)
        elif bucket is not None:
            self._object_call(method, name, bucket, key, body, reply)

    def _bucket_call(self, method: str, name: str, query: str, body: bytes, reply: Reply) -> None:
        if method == "DELETE":
            self._buckets.pop(name, None)
            reply(SinkAnswer(b"", 204), False)
            return
        bucket = self._buckets.setdefault(name, _Bucket())
        if method == "PUT" and query.partition("=")[0] == "notification":
            text = body.decode()
            arn, prefix = _QUEUE_ARN.search(text), _PREFIX.search(text)
            bucket.queue = self._queue_named(arn[1]) if arn else None
            bucket.prefix = prefix[1] if prefix else ""
        listing = f"<ListBucketResult><Name>{escape(name)}</Name><KeyCount>0</KeyCount></ListBucketResult>".encode()
        reply(SinkAnswer(listing if method == "GET" else b"", 200, b"application/xml"), False)

    def _object_call(self, method: str, name: str, bucket: _Bucket, key: str, body: bytes, reply: Reply) -> None:
        self._count(f"{method} object")
        etag: tuple[tuple[bytes, bytes], ...]
        if method == "PUT":
            digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
            etag = ((b"ETag", f'"{digest}"'.encode()),)
            bucket.activity.put(self._clock.now())
            bucket.activity.size_bytes += len(body)
            # Objects without a notification are the handler's own, such as rejected rows; nothing reads them here.
            notified = key.startswith(bucket.prefix)
            if notified:
                self._body, self._etag = body, etag[0][1]
            reply(SinkAnswer(b"", 200, b"application/xml", etag), True)
            if notified and bucket.queue is not None:
                self._sequence += 1
                key, at = quote(key, safe="/"), iso(self._clock.now())
                bucket.queue.add(_EVENT % (at, limits.REGION, name, name, key, len(body), digest, self._sequence))
        elif method in ("GET", "HEAD"):
            etag = ((b"ETag", self._etag), (b"Last-Modified", b"Thu, 01 Jan 2026 00:00:00 GMT"))
            reply(SinkAnswer(self._body, 200, b"text/csv", etag, without_body=method == "HEAD"), True)
        else:
            reply(SinkAnswer(b"", 204), True)
