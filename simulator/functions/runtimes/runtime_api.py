"""Lambda's Runtime API for one environment: what the runtime inside requests, and what the service does with it.

AWS: Lambda Developer Guide, "Using the Lambda runtime API" (runtimes-api); the order of calls and its errors as AWS's
own interface emulator has them (`rapi/handlers`, `rapi/rendering`). One server per environment: the port identifies it.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from simulator.base import limits
from simulator.base.http_server import HttpConnection, HttpRequest, HttpServer
from simulator.functions.runtimes import Answer, Exited, Invocation, Raised, Returned
from simulator.functions.runtimes.reports import RESPONSE_TOO_LARGE

T = TypeVar("T")
State = Literal["starting", "ready", "busy", "answered", "failed", "closed"]


class RuntimeApi:
    """One environment's server: `listen`, `give` events, `close`.

    Its states: starting (init runs) -> ready (the runtime waits at /next) -> busy (it has an event) -> answered (it has
    sent a response or an error) -> ready ...; failed after an init error. A call in the wrong state is refused with
    403, one with a wrong request id with 400.
    """

    def __init__(self, function_arn: str) -> None:
        self.state: State = "starting"
        self._arn = function_arn
        unreadable = _refusal(HTTPStatus.LENGTH_REQUIRED, "InvalidRequest", "a body needs a Content-Length")
        self._server = HttpServer(self._handle, body_bytes=limits.RESPONSE_PAYLOAD_BYTES, unreadable=unreadable)
        self._waiting: HttpConnection | None = None
        self._request_id = ""
        self._answer: Returned | Raised | None = None
        self._loop = asyncio.get_running_loop()
        self._init: asyncio.Future[Raised | Exited | None] = self._loop.create_future()
        self._done: asyncio.Future[Answer] = self._loop.create_future()

    async def listen(self) -> str:
        """Listen on a free port; returns the address for AWS_LAMBDA_RUNTIME_API."""
        return await self._server.listen()

    def restart(self) -> asyncio.Future[Raised | Exited | None]:
        """A new runtime process begins with init. Done when it asks for its first event (None), or has failed."""
        self.state, self._waiting, self._answer = "starting", None, None
        self._init = self._loop.create_future()
        return self._init

    def give(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Pass one event on. Done when the runtime has answered it and asks for the next one."""
        if self.state != "ready" or self._waiting is None:
            raise RuntimeError(f"an event was given to a runtime that is {self.state}")
        connection, self._waiting = self._waiting, None
        self.state, self._answer, self._request_id = "busy", None, invocation.request_id
        self._done = self._loop.create_future()
        headers = {
            "Aws-Request-Id": invocation.request_id,
            "Deadline-Ms": int(invocation.deadline_at * 1000),
            "Invoked-Function-Arn": self._arn,
            "Trace-Id": invocation.trace_id,
        }
        lines = (f"Lambda-Runtime-{name}: {value}" for name, value in headers.items())
        connection.answer(_response(HTTPStatus.OK, invocation.event, *lines))
        return self._done

    def gone(self, exited: Exited) -> None:
        """The runtime's process has exited: tell the waiting caller. An answer given before that still counts."""
        self._waiting = None
        _settle(self._init, exited)
        _settle(self._done, self._answer or exited)

    async def close(self) -> None:
        """Stop serving, and disconnect a runtime that still waits."""
        self.state = "closed"
        await self._server.close()

    def _handle(self, connection: HttpConnection, request: HttpRequest) -> None:
        """Handle one call from the runtime."""
        error_type = request.header(b"lambda-runtime-function-error-type").decode("latin-1")
        match request.method, *request.target.removeprefix("/2018-06-01/runtime/").split("/"):
            case "GET", "invocation", "next":
                response = self._next(connection)
            case "POST", "init", "error":
                response = self._init_error(error_type, request.body)
            case "POST", "invocation", request_id, "response" | "error" as what:
                response = self._invocation_ended(request_id, what, error_type, request.body)
            case _:
                response = _refusal(HTTPStatus.NOT_FOUND, "NotFound", "no such call")
        if response is not None:
            connection.answer(response)

    def _next(self, connection: HttpConnection) -> bytes | None:
        """The runtime waits for an event. The first call ends init; each later one ends the previous event."""
        if self.state not in ("starting", "answered"):
            return _OUT_OF_TURN
        self.state, self._waiting = "ready", connection
        _settle(self._init, None)
        if self._answer is not None:
            _settle(self._done, self._answer)
        return None

    def _init_error(self, error_type: str, body: bytes | None) -> bytes:
        if self.state != "starting":
            return _OUT_OF_TURN
        self.state = "failed"
        _settle(self._init, _report(body or b"", error_type))
        return _ACCEPTED

    def _invocation_ended(self, request_id: str, what: str, error_type: str, body: bytes | None) -> bytes:
        """A response or error for the current event; no body: it exceeded the limit of a response."""
        if self.state != "busy" or request_id != self._request_id:
            return _refusal(HTTPStatus.BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        self.state = "answered"
        if body is None:
            kind, text = "Function.ResponseSizeTooLarge", RESPONSE_TOO_LARGE
            self._answer = Raised(kind, text, {"errorType": kind, "errorMessage": text, "requestId": request_id})
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", text)
        self._answer = _report(body, error_type) if what == "error" else _returned(body)
        return _ACCEPTED


def _settle(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _response(status: HTTPStatus, content: Any, *headers: str) -> bytes:
    body = json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")  # half a character, as JSON has it
    about = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join((f"HTTP/1.1 {status.value} {status.phrase}", *about, *headers, "\r\n")).encode() + body


def _refusal(status: HTTPStatus, error_type: str, message: str) -> bytes:
    return _response(status, {"errorMessage": message, "errorType": error_type})


_ACCEPTED = _response(HTTPStatus.ACCEPTED, {"status": "OK"})
_OUT_OF_TURN = _refusal(HTTPStatus.FORBIDDEN, "InvalidStateTransition", "State transition is not allowed")


def _returned(body: bytes) -> Returned:
    """The handler's result. If it is not JSON (a handler that returns bytes), it stays text."""
    text = body.decode(errors="replace")
    try:
        return Returned(json.loads(text) if text else None)
    except ValueError:
        return Returned(text)


def _report(body: bytes, header: str) -> Raised:
    """An error report from the runtime; its header names the type if the body does not."""
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        payload = {"errorMessage": body.decode(errors="replace")}
    payload["errorType"] = error_type = str(payload.get("errorType") or header or "Runtime.Unknown")
    return Raised(error_type, str(payload.get("errorMessage", "")), payload)
