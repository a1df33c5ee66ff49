"""What a request means: the service and operation for counters, rules and fast paths, and its parameters.

Parameters of SQS and DynamoDB are read into the JSON protocol's form, whatever protocol they came in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from simulator.base.chance import Identifiers
from simulator.store.wire.messages import HOME, Home, Request, Routed

_TARGETS = {"DynamoDB": "dynamodb", "DynamoDBStreams": "dynamodbstreams", "AmazonSQS": "sqs"}
_SCOPE = re.compile(r"Credential=([^/,\s]*)/\d{8}/([^/,\s]*)/([^/,\s]+)/aws4_request")
# BUCKET.localhost, as SDKs write it with an endpoint of http://localhost, with or without `s3` and a Region between.
_VIRTUAL_HOST = re.compile(
    r"(?:(.+?)\.)??(?:s3(?:[.-][a-z]{2}(?:-[a-z]+)+-[0-9]+)?\.)?(localhost)\.?(:[0-9]+)?", re.IGNORECASE
)

_UNNAMED = "?"
"""The signer, if the signature does not name one in version 4's form."""


def _named_alike(subject: str, queries: str) -> dict[str, str]:
    return {query: f"{{}}{subject}{query.capitalize()}" for query in queries.split()}


# How the query decides the operation; the first match applies. Entries without a verb get the method's.
_BUCKET_QUERIES = {
    "list-type": "ListObjectsV2",
    "uploads": "ListMultipartUploads",
    "versions": "ListObjectVersions",
    "delete": "DeleteObjects",
    "notification": "{}BucketNotificationConfiguration",
    "publicAccessBlock": "{}PublicAccessBlock",
    "lifecycle": "{}BucketLifecycleConfiguration",
    "ownershipControls": "{}BucketOwnershipControls",
    "object-lock": "{}ObjectLockConfiguration",
    **_named_alike("Bucket", "versioning encryption tagging policy location cors acl logging website"),
}
_OBJECT_QUERIES = {
    "uploads": "CreateMultipartUpload",
    "select": "SelectObjectContent",
    "restore": "RestoreObject",
    "legal-hold": "{}ObjectLegalHold",
    **_named_alike("Object", "tagging acl retention attributes torrent"),
}
_UPLOAD = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload", "GET": "ListParts"}
_BUCKET = {"GET": "ListObjects", "PUT": "CreateBucket", "POST": "PostObject"}
_VERBS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete", "HEAD": "Head", "POST": "Post"}


def route(request: Request, identifiers: Identifiers) -> Routed:
    """Find out what a request means; one that nothing identifies goes to S3, as at any AWS endpoint."""
    target = request.headers.get("x-amz-target")
    access_key, home, signed = _signature(request.headers, request.query_text)
    if target:
        service, operation = _targeted(target)
        request_id = _request_id(service, identifiers)
        return Routed(request, service, operation, _read_json(request.body), request_id, "", access_key, home)
    action = None if signed == "s3" else _form_action(request)
    if signed == "s3" or (signed is None and action is None):
        request = _in_path_style(request)
        request_id, extended_id = identifiers.token_hex(8).upper(), identifiers.token_urlsafe(56) + "="
        return Routed(request, "s3", _s3_operation(request), None, request_id, extended_id, access_key, home)
    action = action or ""
    service = signed or ("sts" if action in ("GetCallerIdentity", "AssumeRole") else "sqs")
    parameters = _read_form(request, action) if service == "sqs" else None
    return Routed(request, service, action, parameters, _request_id(service, identifiers), "", access_key, home)


def called(request: Request) -> tuple[str, str]:
    """The service and the operation of a request of a current SDK, which names the target of all but S3's."""
    target = request.headers.get("x-amz-target")
    return _targeted(target) if target else ("s3", _s3_operation(request))


def _targeted(target: str) -> tuple[str, str]:
    prefix, _, operation = target.partition(".")
    return _TARGETS.get(prefix.partition("_")[0], prefix.lower()), operation


def with_parameters(routed: Routed, **changed: Any) -> Routed:
    """The same request with other values for some parameters, in its body too, because moto reads that."""
    request, parameters = routed.request, {**(routed.parameters or {}), **changed}
    if routed.is_query:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        body = urlencode([pair for pair in pairs if pair[0] not in changed] + list(changed.items())).encode()
    else:
        body = orjson.dumps(parameters)
    return routed._replace(request=request._replace(body=body), parameters=parameters)


def _request_id(service: str, identifiers: Identifiers) -> str:
    return identifiers.uuid() if service == "sqs" else identifiers.token_hex(26).upper()


def _signature(headers: Mapping[str, str], query: str) -> tuple[str, Home, str | None]:
    """A request's signer, Region and service, from its signature.

    They are empty, home and None without a signature; only the service is None for versions before 4, which name none.
    """
    authorization = headers.get("authorization")
    if authorization:
        # Up to here, a client's text is the same all day.
        return _credential(authorization.partition(",")[0])
    if "X-Amz-Credential=" in query:
        scope = dict(parse_qsl(query)).get("X-Amz-Credential", "").split("/")
        return (scope[0], _home(scope[2]), scope[3].lower()) if len(scope) == 5 else (_UNNAMED, HOME, None)
    return (_UNNAMED if "AWSAccessKeyId=" in query else "", HOME, None)


@lru_cache(256)
def _credential(text: str) -> tuple[str, Home, str | None]:
    found = _SCOPE.search(text)
    return (found[1], _home(found[2]), found[3].lower()) if found else (_UNNAMED, HOME, None)


@lru_cache(64)
def _home(region: str) -> Home:
    return Home(region=region) if region != HOME.region else HOME


def _in_path_style(request: Request) -> Request:
    """The same S3 request with the bucket in its path, if its host named it."""
    host = request.headers.get("host", "")
    if host.startswith(("127.", "localhost")):
        return request
    found = _VIRTUAL_HOST.fullmatch(host)
    if found is None:
        return request
    bucket, *rest = found.groups("")
    plain = "".join(rest)
    raw = tuple((name, plain.encode() if name.lower() == b"host" else value) for name, value in request.raw_headers)
    target = f"/{bucket}{request.target}" if bucket else request.target
    return request._replace(target=target, headers={**request.headers, "host": plain}, raw_headers=raw)


def _form_action(request: Request) -> str | None:
    """The Action of a form-encoded request, in its body or its query."""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = request.body.decode("utf-8", "replace") if form else ""
    actions = [value for text in (body, request.query_text) for name, value in parse_qsl(text) if name == "Action"]
    return actions[0] if actions else None


def _s3_operation(request: Request) -> str:
    """The S3 operation's name, such as `PutObject`, from method, path and query."""
    bucket, key = request.bucket_and_key
    if not bucket:
        return "ListBuckets"
    method, query = request.method, request.query_text
    verb = _VERBS.get(method, method)
    copies = method == "PUT" and "x-amz-copy-source" in request.headers
    if query:
        names = {part.partition("=")[0] for part in query.split("&")}
        if key and "uploadId" in names:
            return "UploadPartCopy" if copies else _UPLOAD.get(method, method)
        for name, operation in (_OBJECT_QUERIES if key else _BUCKET_QUERIES).items():
            if name in names:
                return operation.format(verb)
    if not key:
        return _BUCKET.get(method, f"{verb}Bucket")
    return "CopyObject" if copies else f"{verb}Object"


def _read_json(body: bytes) -> Mapping[str, Any] | None:
    """The parameters in a body of the JSON protocol; None if it is not a JSON object."""
    try:
        read = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return None
    return read if isinstance(read, dict) else None


def _read_form(request: Request, operation: str) -> Mapping[str, Any] | None:
    """The parameters of an SQS operation in the form-encoded protocol; None if moto's parser does not read them."""
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.utils import get_service_model
    from werkzeug.datastructures import MultiDict

    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    pairs += parse_qsl(request.query_text, keep_blank_values=True)
    try:
        parser: Any = PROTOCOL_PARSERS["query"](get_service_model("sqs").operation_model(operation))
        parsed = parser.parse({"values": MultiDict(pairs), "headers": {}})
    except Exception:  # noqa: BLE001 whatever moto's parser stumbles over, moto's answer will say
        return None
    # The oldest clients name the queue by the path they post to.
    return {"QueueUrl": request.path, **parsed}
