"""What S3 refuses and moto accepts: bad digests, keys and bucket names, undeliverable notifications, high rates."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from itertools import combinations, product
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from simulator.base.limits import S3_EVENTS, S3_KEY_BYTES, S3_READS_PER_S, S3_WRITES_PER_S
from simulator.base.names import bucket_name_fault
from simulator.store.moto import state as moto_state
from simulator.store.s3.moto_bucket import may_notify
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request, Routed
from simulator.store.wire.token_bucket import TokenBucket

_QUEUE_ARN = re.compile(r"arn:[\w-]+:sqs:([\w-]+):\d+:.+")
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class S3Rates:
    """Admits requests to buckets, by token buckets; applied with `--capacity aws`.

    Source: S3 User Guide, "Optimizing Amazon S3 performance": 3,500 writes and 5,500 reads per second for a partitioned
    prefix. A new bucket is one such prefix. SQS documents no rate for standard queues.
    """

    _buckets: dict[tuple[str, bool], TokenBucket] = field(default_factory=dict)

    def admit(self, request: Request, now: float) -> None:
        """Count the request; raises SlowDown if S3 would."""
        name = request.bucket_and_key[0]
        writes = request.method in ("PUT", "POST", "DELETE")
        bucket = self._buckets.get((name, writes))
        if bucket is None:
            rate = float(S3_WRITES_PER_S if writes else S3_READS_PER_S)
            bucket = self._buckets[name, writes] = TokenBucket(rate, rate, rate, now)
        if not bucket.has(1, now):
            raise AwsError("SlowDown", "Please reduce your request rate.", status=503)
        bucket.take(1, now)


def check_request(routed: Routed) -> None:
    """Raise S3's error, if there is one."""
    request, operation = routed.request, routed.operation
    bucket, raw_key = request.bucket_and_key
    if operation in ("PutObject", "CreateMultipartUpload", "CopyObject"):
        _check_key(raw_key)
    if operation in ("PutObject", "UploadPart", "CreateMultipartUpload", "CopyObject"):
        _check_algorithm(request.headers)
    if operation in ("PutObject", "UploadPart"):
        _check_digests(request)
    elif operation == "CreateBucket" and bucket_name_fault(unquote(bucket)) is not None:
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", details={"BucketName": bucket})
    elif operation == "PutBucketNotificationConfiguration" and bucket in moto_state.buckets(routed.home):
        _check_notification(request, moto_state.buckets(routed.home)[bucket])


def _check_key(raw_key: str) -> None:
    # A percent-encoded byte is three characters, so shorter targets cannot be too long.
    size = len(unquote(raw_key, errors="replace").encode()) if len(raw_key) > S3_KEY_BYTES else 0
    if size > S3_KEY_BYTES:
        details = {"Size": size, "MaxSizeAllowed": S3_KEY_BYTES}
        raise AwsError("KeyTooLongError", "Your key is too long", details=details)


def _check_algorithm(headers: Mapping[str, str]) -> None:
    """Refuse a checksum that nothing here computes, so that it is not stored unchecked."""
    named = headers.get("x-amz-sdk-checksum-algorithm") or headers.get("x-amz-checksum-algorithm") or ""
    if named.upper() in NOT_COMPUTED or not _NOT_COMPUTED_HEADERS.isdisjoint(headers):
        raise AwsError(
            "NotImplemented",
            f"Checksums by {', '.join(NOT_COMPUTED)} are not simulated; choose another algorithm, such as CRC64NVME",
            status=501,
        )


def _check_digests(request: Request) -> None:
    """Check Content-MD5, x-amz-content-sha256 and the checksum headers against the bytes received."""
    headers, body = request.headers, request.body
    stated_md5 = headers.get("content-md5")
    if stated_md5 is not None:
        try:
            wanted = base64.b64decode(stated_md5, validate=True)
        except ValueError:
            wanted = b""
        if len(wanted) != 16:
            raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        if wanted != hashlib.md5(body, usedforsecurity=False).digest():
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    stated_sha = headers.get("x-amz-content-sha256", "")
    computed_sha = hashlib.sha256(body).hexdigest() if _HEX_SHA256.fullmatch(stated_sha) else stated_sha
    if computed_sha != stated_sha:
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            details={"ClientComputedContentSHA256": stated_sha, "S3ComputedContentSHA256": computed_sha},
        )
    if "aws-chunked" in headers.get("content-encoding", ""):
        body = _unchunked(body)
    for name, compute in CHECKSUMS.items():
        stated = headers.get(f"x-amz-checksum-{name}")
        if stated is not None and base64.b64encode(compute(body)).decode() != stated:
            raise AwsError("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")


def _unchunked(body: bytes) -> bytes:
    """The payload of an aws-chunked body: hexadecimal sizes, data, trailers."""
    parts: list[bytes] = []
    position = 0
    while True:
        end = body.find(b"\r\n", position)
        if end < 0:
            return body if not parts else b"".join(parts)
        try:
            size = int(body[position:end].split(b";")[0], 16)
        except ValueError:
            return body
        if size == 0:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        position = end + 2 + size + 2


@cache
def _table(polynomial: int) -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [(register >> 1) ^ (polynomial if register & 1 else 0) for register in table]
    return table


def _reflected_crc(body: bytes, polynomial: int, width: int) -> bytes:
    table, mask = _table(polynomial), (1 << width) - 1
    register = mask
    for byte in body:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return (register ^ mask).to_bytes(width // 8, "big")


CHECKSUMS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "crc32c": lambda body: _reflected_crc(body, 0x82F63B78, 32),
    "crc64nvme": lambda body: _reflected_crc(body, 0x9A6C9329AC4BC9B5, 64),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "sha512": lambda body: hashlib.sha512(body).digest(),
    "md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
}
NOT_COMPUTED = ("XXHASH64", "XXHASH3", "XXHASH128")
"""S3's other algorithms (API Reference, PutObject): no available library computes them."""
_NOT_COMPUTED_HEADERS = {f"x-amz-checksum-{algorithm.lower()}" for algorithm in NOT_COMPUTED}


def _check_notification(request: Request, bucket: Any) -> None:
    """Check that every queue exists, is standard and lets S3 send by its policy, and that no two rules overlap."""
    try:
        root = ET.fromstring(request.body.decode("utf-8"))  # noqa: S314 loopback, and moto parses it too
    except (ET.ParseError, UnicodeDecodeError):
        return
    rules = [_QueueRule.read(element) for element in root.iterfind("{*}QueueConfiguration")]
    if any(first.overlaps(other) for first, other in combinations(rules, 2)):
        raise AwsError(
            "InvalidArgument",
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the "
            "prefixes are overlapping for the same event type.",
        )
    if request.headers.get("x-amz-skip-destination-validation", "").lower() == "true":
        return
    if any(rule.region != bucket.region_name or not S3_EVENTS.issuperset(rule.events) for rule in rules):
        return  # moto refuses that, as S3 does before it looks for the queues
    unreachable: dict[str, str] = {}
    for arn in dict.fromkeys(rule.arn for rule in rules):
        queue = moto_state.queue_by_arn(arn)
        if queue is None:
            reason = "The destination queue does not exist"
        elif queue.fifo_queue:
            reason = "The destination queue is a FIFO queue, which S3 does not support"
        elif not may_notify(queue, bucket.arn, bucket.account_id):
            reason = "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
        else:
            continue
        number = len(unreachable) // 2 + 1
        unreachable |= {f"ArgumentName{number}": arn, f"ArgumentValue{number}": reason}
    if unreachable:
        text = "Unable to validate the following destination configurations"
        raise AwsError("InvalidArgument", text, details=unreachable)


@dataclass(frozen=True, slots=True)
class _QueueRule:
    """One QueueConfiguration; a missing filter is an empty text."""

    arn: str
    region: str
    events: list[str]
    prefix: str
    suffix: str

    @classmethod
    def read(cls, element: ET.Element) -> _QueueRule:
        """Raises S3's error if the ARN is not a queue's."""
        events = [(event.text or "").strip() for event in element.iterfind("{*}Event")]
        filters = {
            rule.findtext("{*}Name", "").lower(): rule.findtext("{*}Value", "")
            for rule in element.iterfind(".//{*}FilterRule")
        }
        arn = element.findtext("{*}Queue", "").strip()
        if (found := _QUEUE_ARN.fullmatch(arn)) is None:
            text = "The ARN is not well formed" if arn.startswith("arn:") else "The ARN could not be parsed"
            raise AwsError("InvalidArgument", text, details={"ArgumentName": "Queue", "ArgumentValue": arn})
        return cls(arn, found[1], events, filters.get("prefix", ""), filters.get("suffix", ""))

    def overlaps(self, other: _QueueRule) -> bool:
        # An event's name may be a pattern, too: `s3:ObjectCreated:*`.
        shared = any(fnmatchcase(*pair) or fnmatchcase(*pair[::-1]) for pair in product(self.events, other.events))
        prefixes = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        suffixes = self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix)
        return shared and prefixes and suffixes
