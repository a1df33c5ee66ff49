"""AWS's refusals, and how each protocol writes them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from simulator.store.wire.messages import Request, Response

_JSON_PREFIX = {"dynamodb": "com.amazonaws.dynamodb.v20120810#", "sqs": "com.amazonaws.sqs#"}


class AwsError(Exception):
    """A refusal with AWS's own code and text.

    `shape` is the name the JSON protocol uses where it differs from `code`; `details` are further members of it (or,
    for S3, further elements).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        shape: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.shape = shape or code
        self.details = details or {}


def request_id() -> str:
    """A request id in DynamoDB's and SQS's form."""
    return secrets.token_hex(26).upper()


def is_query(request: Request) -> bool:
    """Whether a client speaks SQS's older form-encoded protocol."""
    return "x-amz-target" not in request.headers and request.service in ("sqs", "sts")


def error_response(request: Request, error: AwsError) -> Response:
    """The error as the request's protocol writes it."""
    if request.service == "s3":
        return _s3_error(request, error)
    if is_query(request):
        return _query_error(error)
    return _json_error(request, error)


def _json_error(request: Request, error: AwsError) -> Response:
    text_member = "message"
    content: dict[str, Any] = {
        "__type": _JSON_PREFIX.get(request.service, "") + error.shape,
        text_member: error.message,
        **error.details,
    }
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", request_id())]
    if request.service == "sqs":
        headers.append(("x-amzn-query-error", f"{error.code};{'Sender' if error.status < 500 else 'Receiver'}"))
    return Response(error.status, json.dumps(content).encode(), headers)


def _query_error(error: AwsError) -> Response:
    fault = "Sender" if error.status < 500 else "Receiver"
    body = (
        '<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
        f"<Error><Type>{fault}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"<Detail/></Error><RequestId>{request_id()}</RequestId></ErrorResponse>"
    )
    return Response(error.status, body.encode(), [("Content-Type", "text/xml")])


def _s3_error(request: Request, error: AwsError) -> Response:
    identity, extended = s3_request_ids()
    headers = [
        ("Content-Type", "application/xml"),
        ("x-amz-request-id", identity),
        ("x-amz-id-2", extended),
    ]
    if request.method == "HEAD":
        return Response(error.status, b"", headers)
    details = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.details.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>{details}"
        f"<RequestId>{identity}</RequestId><HostId>{extended}</HostId></Error>"
    )
    return Response(error.status, body.encode(), headers)


def s3_request_ids() -> tuple[str, str]:
    """`x-amz-request-id` and `x-amz-id-2`, in S3's forms."""
    return secrets.token_hex(8).upper(), secrets.token_urlsafe(56) + "="
