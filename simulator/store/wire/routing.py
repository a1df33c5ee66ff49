"""Which service and which operation a request means: the names that counters, rules and fast paths go by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from simulator.base.chance import Identifiers
from simulator.store.wire.messages import Request, Routed
from simulator.store.wire.parameters import read_form, read_json

_TARGETS = {"DynamoDB": "dynamodb", "DynamoDBStreams": "dynamodbstreams", "AmazonSQS": "sqs"}
_SCOPE = re.compile(r"Credential=[^/,\s]*/\d{8}/[^/]*/([^/]+)/aws4_request")

_BUCKET_QUERIES = {
    "versioning": "BucketVersioning",
    "notification": "BucketNotificationConfiguration",
    "encryption": "BucketEncryption",
    "publicAccessBlock": "PublicAccessBlock",
    "tagging": "BucketTagging",
    "policy": "BucketPolicy",
    "lifecycle": "BucketLifecycleConfiguration",
    "location": "BucketLocation",
    "cors": "BucketCors",
    "acl": "BucketAcl",
    "ownershipControls": "BucketOwnershipControls",
    "logging": "BucketLogging",
    "object-lock": "ObjectLockConfiguration",
    "website": "BucketWebsite",
}
_OBJECT_QUERIES = {
    "tagging": "ObjectTagging",
    "acl": "ObjectAcl",
    "retention": "ObjectRetention",
    "legal-hold": "ObjectLegalHold",
    "attributes": "ObjectAttributes",
    "torrent": "ObjectTorrent",
}
_VERBS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete", "HEAD": "Head", "POST": "Post"}


def route(request: Request, identifiers: Identifiers) -> Routed:
    """What a request asks for; one that nothing identifies is S3's, as for any AWS endpoint."""
    target = request.headers.get("x-amz-target")
    if target:
        prefix, _, operation = target.partition(".")
        service = _TARGETS.get(prefix.partition("_")[0], prefix.lower())
        return Routed(request, service, operation, read_json(request.body), _request_id(service, identifiers))
    signed = _signed_service(request.headers, request.query_text)
    if signed == "s3" or (signed is None and not _is_form(request)):
        request_id, extended_id = identifiers.token_hex(8).upper(), identifiers.token_urlsafe(56) + "="
        return Routed(request, "s3", _s3_operation(request), None, request_id, extended_id)
    action = _form_action(request) or ""
    service = signed or ("sts" if action in ("GetCallerIdentity", "AssumeRole") else "sqs")
    parameters = read_form(request, action) if service == "sqs" else None
    return Routed(request, service, action, parameters, _request_id(service, identifiers))


def _request_id(service: str, identifiers: Identifiers) -> str:
    return identifiers.uuid() if service == "sqs" else identifiers.token_hex(26).upper()


def _is_form(request: Request) -> bool:
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return (form and b"Action=" in request.body) or "Action=" in request.query_text


def _signed_service(headers: Mapping[str, str], query: str) -> str | None:
    authorization = headers.get("authorization")
    if authorization:
        found = _SCOPE.search(authorization)
        return found.group(1).lower() if found else None
    if "X-Amz-Credential=" in query:
        scope = dict(parse_qsl(query)).get("X-Amz-Credential", "").split("/")
        return scope[3].lower() if len(scope) == 5 else None
    return None


def _form_action(request: Request) -> str | None:
    for text in (request.body.decode("utf-8", "replace"), request.query_text):
        for name, value in parse_qsl(text):
            if name == "Action":
                return value
    return None


def _s3_operation(request: Request) -> str:
    """The S3 operation's name, as `PutObject`, from method, path and query."""
    method, query = request.method, request.query_text
    bucket, key = request.bucket_and_key
    if not query:
        if not bucket:
            return "ListBuckets"
        if not key:
            return {
                "GET": "ListObjects",
                "PUT": "CreateBucket",
                "HEAD": "HeadBucket",
                "DELETE": "DeleteBucket",
                "POST": "PostObject",
            }.get(method, method)
        if method == "PUT":
            return "CopyObject" if "x-amz-copy-source" in request.headers else "PutObject"
        return f"{_VERBS.get(method, method)}Object"
    names = {part.partition("=")[0] for part in query.split("&")}
    if not key:
        return _bucket_operation(method, names, query)
    return _object_operation(method, names, request.headers)


def _bucket_operation(method: str, names: set[str], query: str) -> str:
    if "list-type" in names:
        return "ListObjectsV2"
    for name, operation in (("uploads", "ListMultipartUploads"), ("versions", "ListObjectVersions")):
        if name in names:
            return operation
    if method == "POST" and "delete" in names:
        return "DeleteObjects"
    for name, operation in _BUCKET_QUERIES.items():
        if name in names:
            return _VERBS.get(method, method) + operation
    if method == "GET":
        return "ListObjects" if query else "ListBuckets"
    return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}.get(method, method)


def _object_operation(method: str, names: set[str], headers: Mapping[str, str]) -> str:
    if "uploadId" in names:
        if method == "PUT":
            return "UploadPartCopy" if "x-amz-copy-source" in headers else "UploadPart"
        return {"POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload", "GET": "ListParts"}.get(
            method, method
        )
    if "uploads" in names:
        return "CreateMultipartUpload"
    if "select" in names:
        return "SelectObjectContent"
    if "restore" in names:
        return "RestoreObject"
    for name, operation in _OBJECT_QUERIES.items():
        if name in names:
            return _VERBS.get(method, method) + operation
    if method == "PUT":
        return "CopyObject" if "x-amz-copy-source" in headers else "PutObject"
    return f"{_VERBS.get(method, method)}Object"
