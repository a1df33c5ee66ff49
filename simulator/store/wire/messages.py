"""The request and the response, as every layer of the store passes them on; no framework's own types.

A request carries its target exactly as it stood on the wire, because S3 keys are told apart by their escapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

CONTROL_PATH = "/_stockpipe/"
"""Where the store's own calls begin: a path that no bucket can have."""

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Request:
    """One HTTP request. Header names are lower case; `raw_headers` keeps the spelling S3's metadata came with.

    Routing fills in service and operation, and reading the body once fills in `parameters` (None: not readable).
    """

    method: str
    target: str
    headers: Mapping[str, str]
    raw_headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    service: str = ""
    operation: str = ""
    parameters: Mapping[str, Any] | None = None

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query_text(self) -> str:
        """The query, still percent-encoded; empty without one."""
        return self.target.partition("?")[2]

    def query(self) -> dict[str, str]:
        """The query's parameters; a name without a value has the empty text."""
        text = self.query_text
        return dict(parse_qsl(text, keep_blank_values=True)) if text else {}


@dataclass(slots=True)
class Response:
    """One HTTP response; `Content-Length` is the server's business unless it is given (HEAD)."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)
