"""AWS's refusals, and how each protocol writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import orjson

from simulator.store.wire.messages import Response, Routed, json_response, query_response

_JSON_PREFIX = {"dynamodb": "com.amazonaws.dynamodb.v20120810#", "sqs": "com.amazonaws.sqs#"}

# Errors raised before a service has looked at a request.
_CORAL = "com.amazon.coral.service#"


class AwsError(Exception):
    """A refusal with AWS's own code and text; `details` are its further members (or, for S3, further elements).

    The JSON protocol omits a code's prefix for its service: `AWS.SimpleQueueService.`.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.details = details or {}


class AnswerLost(Exception):
    """The request has had its effect, and its answer never arrives."""


def error_response(routed: Routed, error: AwsError) -> Response:
    """The error in the request's protocol."""
    if routed.service == "s3":
        return _s3_error(routed, error)
    fault = "Sender" if error.status < 500 else "Receiver"
    if routed.is_query:
        xml = (
            f"<Error><Type>{fault}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
            f"<Detail/></Error><RequestId>{routed.request_id}</RequestId>"
        )
        return query_response("ErrorResponse", xml, error.status)
    code = error.code.rpartition(".")[2]
    shape = (_CORAL if code == "MissingAuthenticationTokenException" else _JSON_PREFIX.get(routed.service, "")) + code
    content = {"__type": shape, "message": error.message, **error.details}
    named = [("x-amzn-query-error", f"{error.code};{fault}")] if routed.service == "sqs" else []
    return json_response(routed, orjson.dumps(content), *named, status=error.status)


def _s3_error(routed: Routed, error: AwsError) -> Response:
    headers = [
        ("Content-Type", "application/xml"),
        ("x-amz-request-id", routed.request_id),
        ("x-amz-id-2", routed.extended_id),
    ]
    if routed.request.method == "HEAD":
        return Response(error.status, b"", headers)
    details = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.details.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>{details}"
        f"<RequestId>{routed.request_id}</RequestId><HostId>{routed.extended_id}</HostId></Error>"
    )
    return Response(error.status, body.encode(), headers)
