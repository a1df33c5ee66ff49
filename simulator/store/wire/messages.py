"""The request and the response, as every layer of the store passes them on; no framework's types.

A request keeps its target exactly as it was on the wire, because S3 keys may differ only in their escapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulator.base.limits import ACCOUNT_ID, REGION

Parameters = Mapping[str, Any]
"""What SQS and DynamoDB are asked, in the JSON protocol's form whatever protocol it came in."""

CONTROL_PATH = "/_stockpipe/"
"""The beginning of the store's own calls: a path that no bucket can have."""

EXIT_PORT_IN_USE = 98
"""The exit code of the store's process if its port is taken."""


class Request(NamedTuple):
    """One HTTP request. Header names are lower case; `raw_headers` keeps the original spelling for S3's metadata.

    `connection` stands for what it came over: the same object for all requests of one connection.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    raw_headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    connection: object = None

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query_text(self) -> str:
        """The query, still percent-encoded; empty if there is none."""
        return self.target.partition("?")[2]

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """The path as S3 reads it, still percent-encoded; empty texts for what it does not name."""
        bucket, _, key = self.path.lstrip("/").partition("/")
        return bucket, key


class Home(NamedTuple):
    """The account and the Region in which to look for what a request names."""

    account: str = ACCOUNT_ID
    region: str = REGION

    def full_name(self, table_name: str) -> str:
        """The name under which a table is counted: its own name at home, its ARN elsewhere."""
        if self == HOME:
            return table_name
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{table_name}"


HOME = Home()
"""The home of the twin and the control calls."""


class Routed(NamedTuple):
    """A request and what it means; `routing.route` makes it.

    `parameters` is None if the body does not follow the protocol, which moto then answers. The ids go out with the
    answer; only S3 uses `extended_id`. `access_key` is the signer's, empty without a signature, which is not checked.
    """

    request: Request
    service: str
    operation: str
    parameters: Parameters | None
    request_id: str
    extended_id: str = ""
    access_key: str = ""
    home: Home = HOME

    @property
    def is_query(self) -> bool:
        """Whether the client uses the older form-encoded protocol: SQS's older one, or that of STS, SNS and others."""
        is_form = self.service in ("sqs", "sts") or (self.operation != "" and self.service != "s3")
        return "x-amz-target" not in self.request.headers and is_form


@dataclass(slots=True)
class Response:
    """One HTTP response; the server sets `Content-Length` unless it is given (HEAD).

    With `breaks_after`, the connection breaks once so many bytes of the body have been sent; below zero, before any
    byte of the response.
    """

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    breaks_after: int | None = None


def sent_headers(response: Response, *, is_head: bool) -> list[tuple[str, str]]:
    """The headers that go out: the server itself says how the body is sent, and where it ends.

    Only the answer to HEAD states a length that its body does not have; moto spells that header in two ways.
    """
    held = ("connection", "transfer-encoding", *(() if is_head else ("content-length",)))
    named = [(name.lower(), name, value) for name, value in response.headers]
    return [
        ("Content-Length" if low == "content-length" else name, value) for low, name, value in named if low not in held
    ]


def header_text(wsgi_text: str) -> str:
    """A header's value as text, from WSGI's Latin-1 form of its bytes; it goes out as the bytes that it came in as.

    Bytes that are not UTF-8 go out as the UTF-8 of that text: the server writes nothing else.
    """
    if wsgi_text.isascii():
        return wsgi_text
    try:
        return wsgi_text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return wsgi_text


def json_response(routed: Routed, body: bytes, *headers: tuple[str, str], status: int = 200) -> Response:
    """An answer in the JSON protocols."""
    named = ("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", routed.request_id)
    return Response(status, body, [*named, *headers])


def query_response(root: str, content: str, status: int = 200) -> Response:
    """An answer in SQS's older protocol; `content` is XML."""
    body = f'<?xml version="1.0"?><{root} xmlns="http://queue.amazonaws.com/doc/2012-11-05/">{content}</{root}>'
    return Response(status, body.encode(), [("Content-Type", "text/xml")])


def empty_response(routed: Routed) -> Response:
    """SQS's answer with nothing in it, in the request's protocol."""
    if not routed.is_query:
        return json_response(routed, b"{}")
    result = f"<{routed.operation}Result></{routed.operation}Result>"
    metadata = f"<ResponseMetadata><RequestId>{routed.request_id}</RequestId></ResponseMetadata>"
    return query_response(f"{routed.operation}Response", result + metadata)
