"""S3's request rates for each bucket, as token buckets; applied with `--capacity aws`.

Source: S3 User Guide, "Optimizing Amazon S3 performance": 3,500 writes and 5,500 reads a second for a partitioned
prefix. A new bucket is one such prefix. SQS documents no rate for standard queues.
"""

from __future__ import annotations

from simulator.base.limits import S3_READS_PER_S, S3_WRITES_PER_S
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request
from simulator.store.wire.token_bucket import TokenBucket

_WRITES = ("PUT", "POST", "DELETE")


class S3Rates:
    """Admits requests to buckets."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, bool], TokenBucket] = {}

    def admit(self, request: Request, now: float) -> None:
        """Count the request; raises SlowDown where S3 would."""
        name = request.bucket_and_key[0]
        writes = request.method in _WRITES
        bucket = self._buckets.get((name, writes))
        if bucket is None:
            rate = float(S3_WRITES_PER_S if writes else S3_READS_PER_S)
            bucket = self._buckets[name, writes] = TokenBucket(rate, rate, rate, now)
        if not bucket.has(1, now):
            raise AwsError("SlowDown", "Please reduce your request rate.", status=503)
        bucket.take(1)
