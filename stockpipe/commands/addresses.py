"""Checks the ports and endpoints on a command line before anything starts or is sent."""

from __future__ import annotations

import errno
import http.client
import json
import socket
from contextlib import closing
from urllib.parse import SplitResult, urlsplit

from simulator.base.errors import InputError

REACH_S = 3.0
"""How long an endpoint may take to accept a connection, and to answer."""
_ANSWER_BYTES = 1024 * 1024
_ASK = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.ListTables",
    "X-Amz-Date": "20260101T000000Z",
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=stockpipe/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=0"
    ),
}
"""A harmless request that every DynamoDB endpoint answers, even if only with an error."""


def require_free_port(port: int) -> None:
    """Raise `InputError` for a local port that our server cannot have; 0 means any free port."""
    if not port:
        return
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
            tried.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InputError(f"port {port} is in use", hint="`--port 0` uses a free one") from None
            said = f"port {port} cannot be used: {error.strerror}"
            raise InputError(said, hint="choose one above 1023, or use `--port 0` for a free one") from None


def require_url(url: str) -> SplitResult:
    """The parts of an endpoint's URL. Raises `InputError` for anything else."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # for unclosed brackets, or an invalid port
        known = False
    if not known or not url.isprintable() or " " in url:
        raise InputError(f"--endpoint-url: '{url}' is not the URL of an endpoint", hint="write http://127.0.0.1:4566")
    return parts


def require_endpoint(url: str) -> None:
    """Raise `InputError` if nothing answers at the URL, or something that is not an endpoint for AWS's services."""
    parts = require_url(url)
    hint = "start the endpoint, or correct its address"
    try:
        status, body = _answer(parts)
    except TimeoutError:
        raise InputError(f"--endpoint-url: '{url}' does not answer within {REACH_S:g} s", hint=hint) from None
    except http.client.HTTPException:
        raise InputError(f"--endpoint-url: '{url}' does not speak HTTP", hint=hint) from None
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise InputError(f"--endpoint-url: '{url}' does not answer: {said}", hint=hint) from None
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not answer.keys() & {"TableNames", "__type"}:
        said = f"--endpoint-url: '{url}' is not an endpoint for AWS's services: it answered HTTP {status} to ListTables"
        raise InputError(said, hint=hint)


def _answer(parts: SplitResult) -> tuple[int, bytes]:
    connection = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(connection(parts.hostname or "", parts.port, timeout=REACH_S)) as asked:
        asked.request("POST", parts.path or "/", body=b"{}", headers=_ASK)
        answer = asked.getresponse()
        return answer.status, answer.read(_ANSWER_BYTES)
