"""What S3 refuses and moto accepts: bad digests, keys and bucket names, notifications that could not be delivered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from simulator.base.limits import ACCOUNT_ID, S3_KEY_BYTES
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request, Routed

_BUCKET_NAME = re.compile(r"(?!xn--)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_request(routed: Routed, buckets: Mapping[str, Any], queues: Mapping[str, Any], may_notify: Any) -> None:
    """Raise what S3 would answer; `may_notify(queue, bucket_arn, account)` reads the queue's policy."""
    request, operation = routed.request, routed.operation
    bucket, raw_key = request.bucket_and_key
    if operation in ("PutObject", "CreateMultipartUpload", "CopyObject"):
        _check_key(raw_key)
    if operation in ("PutObject", "UploadPart"):
        check_digests(request)
    elif operation == "CreateBucket" and not _BUCKET_NAME.fullmatch(unquote(bucket)):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", details={"BucketName": bucket})
    elif operation == "PutBucketNotificationConfiguration" and bucket in buckets:
        check_notification(request, buckets[bucket], queues, may_notify)


def _check_key(raw_key: str) -> None:
    # A percent-encoded byte is three characters; shorter targets cannot be too long.
    if len(raw_key) > S3_KEY_BYTES:
        size = len(unquote(raw_key, errors="replace").encode())
        if size > S3_KEY_BYTES:
            details = {"Size": size, "MaxSizeAllowed": S3_KEY_BYTES}
            raise AwsError("KeyTooLongError", "Your key is too long", details=details)


def check_digests(request: Request) -> None:
    """Content-MD5, x-amz-content-sha256 and the checksum headers, against the bytes that came."""
    headers = request.headers
    body = request.body
    stated_md5 = headers.get("content-md5")
    if stated_md5 is not None:
        try:
            wanted = base64.b64decode(stated_md5, validate=True)
        except (binascii.Error, ValueError):
            wanted = b""
        if len(wanted) != 16:
            raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        if wanted != hashlib.md5(body, usedforsecurity=False).digest():
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    stated_sha = headers.get("x-amz-content-sha256", "")
    if _HEX_SHA256.fullmatch(stated_sha) and hashlib.sha256(body).hexdigest() != stated_sha:
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            details={
                "ClientComputedContentSHA256": stated_sha,
                "S3ComputedContentSHA256": hashlib.sha256(body).hexdigest(),
            },
        )
    if "aws-chunked" in headers.get("content-encoding", ""):
        body = unchunked(body)
    for name, compute in _CHECKSUMS.items():
        stated = headers.get(f"x-amz-checksum-{name}")
        if stated is None:
            continue
        if base64.b64encode(compute(body)).decode() != stated:
            raise AwsError("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")


def unchunked(body: bytes) -> bytes:
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


def _table(polynomial: int) -> list[int]:
    table = []
    for value in range(256):
        register = value
        for _ in range(8):
            register = (register >> 1) ^ (polynomial if register & 1 else 0)
        table.append(register)
    return table


def _reflected_crc(body: bytes, polynomial: int, width: int) -> bytes:
    table, mask = _table(polynomial), (1 << width) - 1
    register = mask
    for byte in body:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return (register ^ mask).to_bytes(width // 8, "big")


_CHECKSUMS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "crc32c": lambda body: _reflected_crc(body, 0x82F63B78, 32),
    "crc64nvme": lambda body: _reflected_crc(body, 0x9A6C9329AC4BC9B5, 64),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}


def check_notification(request: Request, bucket: Any, queues: Mapping[str, Any], may_notify: Any) -> None:
    """Every queue named exists, is a standard one, and its policy lets S3 send; no two rules overlap."""
    try:
        root = ET.fromstring(request.body.decode("utf-8"))  # noqa: S314 loopback, and moto parses it too
    except (ET.ParseError, UnicodeDecodeError):
        return
    rules = [_rule(element) for element in root if _local(element) == "QueueConfiguration"]
    _check_overlaps(rules)
    if request.headers.get("x-amz-skip-destination-validation", "").lower() == "true":
        return
    for arn, _, _, _ in rules:
        queue = queues.get(arn.rsplit(":", 1)[-1])
        if queue is None or queue.queue_arn != arn:
            raise _destination_error(arn, "The destination queue does not exist")
        if queue.fifo_queue:
            raise _destination_error(arn, "The destination queue is a FIFO queue, which S3 does not support")
        if not may_notify(queue, bucket.arn, ACCOUNT_ID):
            raise _destination_error(
                arn, "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
            )


def _destination_error(arn: str, reason: str) -> AwsError:
    return AwsError(
        "InvalidArgument",
        "Unable to validate the following destination configurations",
        details={"ArgumentName1": arn, "ArgumentValue1": reason},
    )


def _rule(element: Any) -> tuple[str, list[str], str, str]:
    arn, events, prefix, suffix = "", [], "", ""
    for child in element.iter():
        name, text = _local(child), (child.text or "").strip()
        if name == "Queue":
            arn = text
        elif name == "Event":
            events.append(text)
        elif name == "FilterRule":
            values = {_local(part): (part.text or "") for part in child}
            if values.get("Name", "").lower() == "prefix":
                prefix = values.get("Value", "")
            elif values.get("Name", "").lower() == "suffix":
                suffix = values.get("Value", "")
    return arn, events, prefix, suffix


def _check_overlaps(rules: list[tuple[str, list[str], str, str]]) -> None:
    for number, (_, events, prefix, suffix) in enumerate(rules):
        for _, other_events, other_prefix, other_suffix in rules[number + 1 :]:
            shared = any(_same_event(event, other) for event in events for other in other_events)
            prefixes = prefix.startswith(other_prefix) or other_prefix.startswith(prefix)
            suffixes = suffix.endswith(other_suffix) or other_suffix.endswith(suffix)
            if shared and prefixes and suffixes:
                raise AwsError(
                    "InvalidArgument",
                    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the "
                    "prefixes are overlapping for the same event type.",
                )


def _same_event(first: str, other: str) -> bool:
    return (
        first == other
        or (first.endswith("*") and other.startswith(first[:-1]))
        or (other.endswith("*") and first.startswith(other[:-1]))
    )


def _local(element: Any) -> str:
    return str(element.tag).rsplit("}", 1)[-1]
