"""The request and the response, as every layer of the store passes them on; no framework's own types.

A request carries its target exactly as it stood on the wire, because S3 keys are told apart by their escapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulator.base.limits import ACCOUNT_ID, REGION

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


class Home(NamedTuple):
    """The account and the Region in which what a request names is looked for."""

    account: str = ACCOUNT_ID
    region: str = REGION

    def full_name(self, table_name: str) -> str:
        """What a table is called by all that is counted by name: its own name at home, its ARN elsewhere."""
        if self == HOME:
            return table_name
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{table_name}"


HOME = Home()
"""Where the twin and the control calls are."""


class Routed(NamedTuple):
    """A request and what it asks for; `routing.route` makes it.

    `parameters` are SQS's and DynamoDB's, in the JSON protocol's shape whatever protocol they came in; None where the
    body is not what the protocol says: moto answers that. The ids go out with the answer; `extended_id` is S3's alone.
    `access_key` is whose signature the request has, empty without one; nobody checks the signature itself.
    """

    request: Request
    service: str
    operation: str
    parameters: Mapping[str, Any] | None
    request_id: str
    extended_id: str = ""
    access_key: str = ""
    home: Home = HOME

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


def header_text(wsgi_text: str) -> str:
    """A header's value as text, where WSGI has its bytes as Latin-1; it goes out as the bytes that it came in as.

    Bytes that are not UTF-8 go out as the UTF-8 of that text: the server writes nothing else.
    """
    if wsgi_text.isascii():
        return wsgi_text
    try:
        return wsgi_text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return wsgi_text


def json_response(routed: Routed, body: bytes, *headers: tuple[str, str], status: int = 200) -> Response:
    """An answer of the JSON protocols."""
    named = ("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", routed.request_id)
    return Response(status, body, [*named, *headers])


def query_response(root: str, content: str, status: int = 200) -> Response:
    """An answer of SQS's older protocol; `content` is XML."""
    body = f'<?xml version="1.0"?><{root} xmlns="http://queue.amazonaws.com/doc/2012-11-05/">{content}</{root}>'
    return Response(status, body.encode(), [("Content-Type", "text/xml")])
