"""Lambda's Runtime API for one environment: what the runtime inside asks, and what the service does with it.

AWS: Lambda Developer Guide, "Using the Lambda runtime API" (runtimes-api); the order of calls and its errors as AWS's
own interface emulator has them (`rapi/handlers`, `rapi/rendering`). Loopback only; one server an environment, so the
port tells who asks. Two calls an invocation are all there is, so they are answered straight from the protocol's
callback: a web framework's tasks would cost more than everything else together.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from simulator.base import limits
from simulator.functions.runtimes import Answer, Exited, Invocation, Raised, Returned
from simulator.functions.runtimes.reports import response_too_large

State = Literal["starting", "ready", "busy", "answered", "failed", "closed"]
_BASE = "/2018-06-01/runtime"
_ACCEPTED = {"status": "OK"}


class RuntimeApi:
    """One environment's server: `serve`, `give` events, `close`.

    States: starting (init runs) -> ready (the runtime waits at /next) -> busy (it has an event) -> answered (it has
    sent a response or an error) -> ready ...; failed after an init error. A call out of turn is refused with 403, one
    with a wrong request id with 400.
    """

    def __init__(self, function_arn: str) -> None:
        self.state: State = "starting"
        self._arn = function_arn
        self._server: asyncio.Server | None = None
        self.connections: set[_Connection] = set()
        self._waiting: _Connection | None = None
        self._request_id = ""
        self._answer: Returned | Raised | None = None
        self._init: asyncio.Future[Raised | Exited | None] | None = None
        self._done: asyncio.Future[Answer] | None = None

    def __repr__(self) -> str:
        return f"<RuntimeApi [{self.state}]>"

    async def serve(self) -> str:
        """Listen on a free loopback port; the address for AWS_LAMBDA_RUNTIME_API."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def restart(self) -> asyncio.Future[Raised | Exited | None]:
        """A new runtime process begins with init. Done when it asks for its first event (None), or has failed."""
        self.state = "starting"
        self._waiting = self._answer = self._done = None
        self._init = asyncio.get_running_loop().create_future()
        return self._init

    def give(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Hand over one event. Done when the runtime has answered it and asks for the next one."""
        if self.state != "ready" or self._waiting is None:
            raise RuntimeError(f"an event was given to a runtime that is {self.state}")
        connection, self._waiting = self._waiting, None
        self.state, self._answer, self._request_id = "busy", None, invocation.request_id
        self._done = asyncio.get_running_loop().create_future()
        connection.answer(
            HTTPStatus.OK,
            invocation.event,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline_at * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self._arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )
        return self._done

    def gone(self, exited: Exited) -> None:
        """The runtime's process has ended: whoever waits for it learns so. An answer it gave before still counts."""
        self._waiting = None
        if self._init is not None and not self._init.done():
            self._init.set_result(exited)
        if self._done is not None and not self._done.done():
            self._done.set_result(self._answer or exited)

    async def close(self) -> None:
        """Stop serving; a runtime that still waits is cut off."""
        self.state = "closed"
        for connection in tuple(self.connections):
            connection.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    # What connections call

    def handle(self, connection: _Connection, method: str, path: str, error_type: str, body: bytes | None) -> None:
        """One request; `body` is None when it was over the limit of a response."""
        if (method, path) == ("GET", f"{_BASE}/invocation/next"):
            self._next(connection)
        elif (method, path) == ("POST", f"{_BASE}/init/error"):
            self._init_error(connection, error_type, body)
        elif method == "POST" and path.startswith(f"{_BASE}/invocation/") and path.endswith(("/response", "/error")):
            request_id, _, what = path.removeprefix(f"{_BASE}/invocation/").rpartition("/")
            self._invocation_ended(connection, request_id, what, error_type, body)
        else:
            connection.refuse(HTTPStatus.NOT_FOUND, "NotFound", "no such call")

    def _next(self, connection: _Connection) -> None:
        """The runtime waits for an event. The first call ends init; each later one ends the event before it."""
        if self.state not in ("starting", "answered"):
            return _out_of_turn(connection)
        self.state, self._waiting = "ready", connection
        if self._init is not None and not self._init.done():
            self._init.set_result(None)
        if self._done is not None and not self._done.done() and self._answer is not None:
            self._done.set_result(self._answer)
        return None

    def _init_error(self, connection: _Connection, error_type: str, body: bytes | None) -> None:
        if self.state != "starting" or self._init is None or self._init.done():
            return _out_of_turn(connection)
        self.state = "failed"
        connection.answer(HTTPStatus.ACCEPTED, _ACCEPTED)
        return self._init.set_result(_report(body or b"", error_type))

    def _invocation_ended(
        self, connection: _Connection, request_id: str, what: str, error_type: str, body: bytes | None
    ) -> None:
        """A response or an error for the event in hand."""
        if self.state != "busy" or request_id != self._request_id:
            return connection.refuse(HTTPStatus.BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        self.state = "answered"
        if body is None:
            text = response_too_large()
            payload = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text, "requestId": request_id}
            self._answer = Raised("Function.ResponseSizeTooLarge", text, payload)
            return connection.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", text)
        self._answer = _report(body, error_type) if what == "error" else _returned(body)
        return connection.answer(HTTPStatus.ACCEPTED, _ACCEPTED)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 as runtime clients speak it: one request at a time, kept alive, bodies with their length."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._request: tuple[str, str, Mapping[str, str]] | None = None
        self._missing = 0
        self._too_large = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server makes no other
        self._transport = transport
        self._api.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._api.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._advance():
            pass

    def abort(self) -> None:
        """Cut it off."""
        if self._transport is not None:
            self._transport.abort()

    def answer(self, status: HTTPStatus, content: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send JSON."""
        body = json.dumps(content, ensure_ascii=False).encode()
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in (headers or {}).items() if value),
            "\r\n",
        ]
        if self._transport is not None:
            self._transport.write("\r\n".join(lines).encode() + body)

    def refuse(self, status: HTTPStatus, error_type: str, message: str) -> None:
        """Send an error of the API."""
        self.answer(status, {"errorMessage": message, "errorType": error_type})

    def _advance(self) -> bool:
        """Take a head or a body out of the buffer if it is there; whether there was one."""
        return self._take_head() if self._request is None else self._take_body(self._request)

    def _take_head(self) -> bool:
        head, separator, _ = bytes(self._buffer[: limits.RUNTIME_API_HEAD_BYTES]).partition(b"\r\n\r\n")
        if not separator:
            if len(self._buffer) >= limits.RUNTIME_API_HEAD_BYTES:
                self.abort()
            return False
        del self._buffer[: len(head) + len(separator)]
        request, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, _, target = request.partition(" ")
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit():
            self.refuse(HTTPStatus.LENGTH_REQUIRED, "InvalidRequest", "a body needs its length")
            self.abort()
            return False
        if headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._request = (method, target.partition(" ")[0], headers)
        self._missing = int(length)
        self._too_large = self._missing > limits.RESPONSE_PAYLOAD_BYTES
        return True

    def _take_body(self, request: tuple[str, str, Mapping[str, str]]) -> bool:
        if self._too_large:
            # Read away as it comes, never kept.
            taken = min(len(self._buffer), self._missing)
            del self._buffer[:taken]
            self._missing -= taken
            if self._missing:
                return False
        elif len(self._buffer) < self._missing:
            return False
        body = None if self._too_large else bytes(self._buffer[: self._missing])
        if not self._too_large:
            del self._buffer[: self._missing]
        self._request = None
        method, path, headers = request
        self._api.handle(self, method, path, headers.get("lambda-runtime-function-error-type", ""), body)
        return True


def _returned(body: bytes) -> Returned:
    """The handler's result. What is no JSON (a handler that returns bytes) stays text."""
    text = body.decode(errors="replace")
    try:
        return Returned(json.loads(text) if text else None)
    except ValueError:
        return Returned(text)


def _report(body: bytes, header: str) -> Raised:
    """An error report of the runtime; its header names the type where the body does not."""
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        payload = {"errorMessage": body.decode(errors="replace")}
    payload["errorType"] = error_type = str(payload.get("errorType") or header or "Runtime.Unknown")
    return Raised(error_type, str(payload.get("errorMessage", "")), payload)


def _out_of_turn(connection: _Connection) -> None:
    connection.refuse(HTTPStatus.FORBIDDEN, "InvalidStateTransition", "State transition is not allowed")
