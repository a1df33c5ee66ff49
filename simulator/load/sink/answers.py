"""The sink's HTTP responses, and errors as the services word them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import orjson

Reply = Callable[["SinkAnswer", bool], None]
"""Receives an answer, and whether the sink's latency applies to it (to reads and writes, not to queue calls)."""


@dataclass(frozen=True, slots=True)
class SinkAnswer:
    """One HTTP response."""

    body: bytes = b""
    status: int = 200
    content_type: bytes = b"application/x-amz-json-1.0"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    without_body: bool = False

    def encoded(self) -> bytes:
        """The response in wire format; for HEAD, it has the length but no body."""
        extra = b"".join(b"%s: %s\r\n" % header for header in self.headers)
        return b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s" % (
            self.status,
            self.content_type,
            len(self.body),
            extra,
            b"" if self.without_body else self.body,
        )


def json_answer(value: Any) -> SinkAnswer:
    """A result of SQS or DynamoDB."""
    return SinkAnswer(orjson.dumps(value))


def error_answer(status: int, code: str, message: str) -> SinkAnswer:
    """An error as DynamoDB and SQS word it."""
    return SinkAnswer(orjson.dumps({"__type": f"com.amazonaws#{code}", "message": message}), status)


def xml_error(status: int, code: str, message: str) -> SinkAnswer:
    """An error as S3 words it."""
    text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return SinkAnswer(text.encode(), status, b"application/xml")
