"""The request and the response, as every layer of the store passes them on; no framework's own types.

A request carries its target exactly as it stood on the wire, because S3 keys are told apart by their escapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CONTROL_PATH = "/_stockpipe/"
"""Where the store's own calls begin: a path that no bucket can have."""

EXIT_PORT_IN_USE = 98
"""How the store's process ends when its port is taken."""


class Request(NamedTuple):
    """One HTTP request. Header names are lower case; `raw_headers` keeps the spelling S3's metadata came with."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw_headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query_text(self) -> str:
        """The query, still percent-encoded; empty without one."""
        return self.target.partition("?")[2]

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """The path as S3 reads it, still percent-encoded; empty texts for what it does not name."""
        bucket, _, key = self.path.lstrip("/").partition("/")
        return bucket, key


class Routed(NamedTuple):
    """A request and what it asks for; `routing.route` makes it.

    `parameters` are SQS's and DynamoDB's, in the JSON protocol's shape whatever protocol they came in; None where the
    body is not what the protocol says: moto answers that. The ids go out with the answer; `extended_id` is S3's alone.
    """

    request: Request
    service: str
    operation: str
    parameters: Mapping[str, Any] | None
    request_id: str
    extended_id: str = ""

    @property
    def is_query(self) -> bool:
        """Whether the client speaks SQS's older form-encoded protocol."""
        return "x-amz-target" not in self.request.headers and self.service in ("sqs", "sts")


@dataclass(slots=True)
class Response:
    """One HTTP response; `Content-Length` is the server's business unless it is given (HEAD)."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


def json_response(routed: Routed, body: bytes, *headers: tuple[str, str], status: int = 200) -> Response:
    """An answer of the JSON protocols."""
    named = ("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", routed.request_id)
    return Response(status, body, [*named, *headers])


def query_response(root: str, content: str, status: int = 200) -> Response:
    """An answer of SQS's older protocol; `content` is XML."""
    body = f'<?xml version="1.0"?><{root} xmlns="http://queue.amazonaws.com/doc/2012-11-05/">{content}</{root}>'
    return Response(status, body.encode(), [("Content-Type", "text/xml")])
