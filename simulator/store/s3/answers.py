"""PutObject, GetObject and ListObjectsV2 answered without Flask and moto's parser, on moto's own buckets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

from simulator.store.moto import state as moto_state
from simulator.store.moto.application import LeftOn, LeftToMoto
from simulator.store.moto.replacement import Replacement
from simulator.store.moto.scope import SCOPE
from simulator.store.wire.messages import Request, Response, Routed, header_text

# The headers that a put may have without needing moto: those for signing, checksums and the content.
_PLAIN_PUT = {
    "host", "accept-encoding", "user-agent", "content-length", "content-type", "content-md5", "expect", "connection",
    "accept", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-checksum-crc32", "x-amz-security-token",
    "x-amz-sdk-checksum-algorithm", "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-user-agent", "date",
    "x-amzn-trace-id", "transfer-encoding",
}  # fmt: skip
_PLAIN_GET = (_PLAIN_PUT - {"content-md5"}) | {"x-amz-checksum-mode"}
_OPERATIONS = {"PutObject", "GetObject", "ListObjectsV2"}
_LISTING = {"list-type", "prefix", "max-keys", "continuation-token", "start-after", "encoding-type"}


def answer(routed: Routed) -> Response:
    """The answer to one request, on the buckets of its own account. Raises `LeftToMoto`."""
    request, operation = routed.request, routed.operation
    bucket_name, raw_key = request.bucket_and_key
    bucket = moto_state.buckets(routed.home).get(bucket_name) if operation in _OPERATIONS else None
    # moto decides what an unsigned request may do, and writes the access logs.
    LeftToMoto.when(bucket is None or not routed.access_key or bucket.logging or type(bucket).__name__ != "FakeBucket")
    if operation == "ListObjectsV2":
        return _list(routed, bucket)
    with LeftOn(UnicodeDecodeError):
        key = unquote(raw_key, errors="strict")
    LeftToMoto.when(request.query_text not in ("", f"x-id={operation}"))
    return _put(routed, bucket, key) if operation == "PutObject" else _get(request, bucket, key)


def _put(routed: Routed, bucket: Any, key_name: str) -> Response:
    request, headers = routed.request, routed.request.headers
    LeftToMoto.when(bucket.object_lock_enabled or bucket.policy is not None or not _PLAIN_PUT.issuperset(headers))
    algorithm = headers.get("x-amz-sdk-checksum-algorithm", "")
    checksum = headers.get("x-amz-checksum-crc32")
    LeftToMoto.when(not headers.get("content-type", "").isascii())
    # moto also has an event for a put's tags, even if there are none.
    LeftToMoto.when(bucket.notification_configuration is not None and not SCOPE.get().store.strict)
    LeftToMoto.when((algorithm or checksum) and (algorithm.upper() != "CRC32" or checksum is None))
    backend = moto_state.backend("s3", routed.home)
    etag = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
    key = backend.put_object(
        bucket.name, key_name, request.body, storage="STANDARD", etag=etag, checksum_value=checksum
    )
    if "content-type" in headers:
        key.set_metadata({"Content-Type": headers["content-type"]})
    key.set_acl(bucket.acl)
    if algorithm:
        key.checksum_algorithm = algorithm
    backend.tagger.delete_all_tags_for_resource(key.arn)
    answer = [("ETag", key.etag), ("last-modified", key.last_modified_RFC1123)]
    if checksum:
        answer += [("x-amz-checksum-crc32", checksum), ("x-amz-sdk-checksum-algorithm", algorithm)]
    if bucket.is_versioned:
        answer.append(("x-amz-version-id", key.version_id))
    if key.encryption is not None:
        answer.append(("x-amz-server-side-encryption", key.encryption))
    return Response(200, b"", answer)


def _get(request: Request, bucket: Any, key_name: str) -> Response:
    LeftToMoto.when(bucket.policy is not None or not _PLAIN_GET.issuperset(request.headers))
    key = bucket.keys.get(key_name)
    LeftToMoto.when(key is None or type(key).__name__ != "FakeKey" or key.storage_class != "STANDARD")
    described = dict(key.response_dict)
    if key.version_id != "null":
        described["x-amz-version-id"] = key.version_id
    if request.headers.get("x-amz-checksum-mode") == "ENABLED" and key.checksum_algorithm:
        LeftToMoto.when(key.checksum_type)
        described[f"x-amz-checksum-{key.checksum_algorithm.lower()}"] = key.checksum_value
    described.update(key.metadata)
    described["Accept-Ranges"] = "bytes"
    return Response(200, key.value, [(name, header_text(str(value))) for name, value in described.items()])


def _list(routed: Routed, bucket: Any) -> Response:
    query = dict(parse_qsl(routed.request.query_text, keep_blank_values=True))
    wanted = query.get("max-keys", "1000")
    LeftToMoto.when(not _LISTING.issuperset(query) or not wanted.isdigit() or not 1 <= int(wanted) <= 1_000)
    LeftToMoto.when(query.get("encoding-type", "url") != "url" or bucket.policy is not None)
    # These are moto's own tokens, so that either side can read them.
    tokens = moto_state.backend("s3", routed.home)._pagination_tokens  # noqa: SLF001
    token = query.get("continuation-token")
    after = query.get("start-after") if token is None else tokens.get(token)
    LeftToMoto.when(token is not None and after is None)
    limit = int(wanted)
    found = bucket.keys.current(after, query.get("prefix"), limit + 1)
    page, more = found[:limit], len(found) > limit
    next_token = None
    if more:
        last = page[-1].name
        next_token = hashlib.md5(last.encode(), usedforsecurity=False).hexdigest()
        tokens[next_token] = last
    body = _listing(bucket.name, query, limit, page, next_token)
    return Response(200, body.encode(), [("Content-Type", "application/xml")])


def _listing(name: str, query: Mapping[str, str], limit: int, page: list[Any], next_token: str | None) -> str:
    encoded = "encoding-type" in query

    def written(text: str) -> str:
        return quote(text) if encoded else escape(text)

    contents = "".join(
        f"<Contents><Key>{written(key.name)}</Key><LastModified>{key.last_modified_ISO8601}</LastModified>"
        f"<ETag>{escape(key.etag)}</ETag><Size>{key.size}</Size><StorageClass>{key.storage_class}</StorageClass>"
        f"{_element('ChecksumAlgorithm', key.checksum_algorithm)}</Contents>"
        for key in page
    )
    after = None if "continuation-token" in query else query.get("start-after")
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{name}</Name><Prefix>{written(query.get('prefix', ''))}</Prefix><MaxKeys>{limit}</MaxKeys>"
        f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{'true' if next_token else 'false'}</IsTruncated>{contents}"
        f"{_element('EncodingType', 'url' if encoded else None)}{_element('NextContinuationToken', next_token)}"
        f"{_element('StartAfter', after)}</ListBucketResult>"
    )


def _element(name: str, text: str | None) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else ""


ANSWERS = Replacement("s3.answers")
