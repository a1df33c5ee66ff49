"""Lambda's Runtime API for one environment: what the runtime inside asks, and what the service does with it.

AWS: Lambda Developer Guide, "Using the Lambda runtime API" (runtimes-api); the order of calls and its errors as AWS's
own interface emulator has them (`rapi/handlers`, `rapi/rendering`). Loopback only; one server an environment, so the
port tells who asks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Literal

from aiohttp import web

from simulator import limits
from simulator.runtimes import Invocation, Raised, Returned
from simulator.runtimes.reports import response_too_large

State = Literal["starting", "ready", "busy", "failed", "closed"]
_BASE = "/2018-06-01/runtime"
_ACCEPTED = b'{"status":"OK"}\n'


class RuntimeApi:
    """One environment's server: `serve`, `give` events, `close`.

    States: starting (init runs) -> ready (the runtime waits at /next) -> busy (it has an event) -> ready ...; failed
    after an init error. A call out of turn is refused with 403, one with a wrong request id with 400.
    """

    def __init__(self, function_arn: str, on_waiting: Callable[[], None] | None = None) -> None:
        self.state: State = "starting"
        self._arn = function_arn
        self._on_waiting = on_waiting
        self._runner: web.ServerRunner | None = None
        self._event: asyncio.Future[Invocation] | None = None
        self._invocation: Invocation | None = None
        self._answer: asyncio.Future[Returned | Raised] | None = None
        self._init: asyncio.Future[Raised | None] | None = None

    def __repr__(self) -> str:
        return f"<RuntimeApi [{self.state}]>"

    async def serve(self) -> str:
        """Listen on a free loopback port; the address for AWS_LAMBDA_RUNTIME_API."""
        server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.restart()
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    def restart(self) -> None:
        """A new runtime process begins: init again."""
        self.state = "starting"
        if self._event is not None:
            self._event.cancel()
        self._event = self._invocation = self._answer = None
        self._init = asyncio.get_running_loop().create_future()

    async def wait_init(self) -> Raised | None:
        """Until the runtime asks for its first event (None) or reports an init error."""
        assert self._init is not None  # noqa: S101 - restart made it
        return await asyncio.shield(self._init)

    async def give(self, invocation: Invocation) -> Returned | Raised:
        """Hand over one event and wait for its response or error. The runtime must be ready."""
        if self.state != "ready" or self._event is None:
            raise RuntimeError(f"an event was given to a runtime that is {self.state}")
        self._answer = asyncio.get_running_loop().create_future()
        self._event.set_result(invocation)
        return await self._answer

    async def close(self) -> None:
        """Stop serving; a runtime that still waits is cut off."""
        self.state = "closed"
        if self._event is not None:
            self._event.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if request.method == "GET" and path == f"{_BASE}/invocation/next":
            return await self._next()
        if request.method == "POST" and path == f"{_BASE}/init/error":
            return await self._init_error(request)
        if request.method == "POST" and path.startswith(f"{_BASE}/invocation/"):
            request_id, _, what = path.removeprefix(f"{_BASE}/invocation/").partition("/")
            if what in ("response", "error"):
                return await self._invocation_ended(request, request_id, what)
        return _error(404, "NotFound", "no such call")

    async def _next(self) -> web.Response:
        """Wait for an event. The first call ends init; each later one ends the event before it."""
        if self.state not in ("starting", "ready") or self._event is not None:
            return _error(403, "InvalidStateTransition", "State transition is not allowed")
        self.state = "ready"
        self._event = event = asyncio.get_running_loop().create_future()
        if self._init is not None and not self._init.done():
            self._init.set_result(None)
        if self._on_waiting:
            self._on_waiting()
        try:
            invocation: Invocation = await event
        finally:
            if self._event is event:
                self._event = None
        self.state = "busy"
        self._invocation = invocation
        return web.Response(
            body=json.dumps(invocation.event, ensure_ascii=False).encode(),
            content_type="application/json",
            headers={
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline_at * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self._arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    async def _init_error(self, request: web.BaseRequest) -> web.Response:
        if self.state != "starting" or self._init is None or self._init.done():
            return _error(403, "InvalidStateTransition", "State transition is not allowed")
        report = _report(await _read(request) or b"", request)
        self.state = "failed"
        self._init.set_result(report)
        return web.Response(status=202, body=_ACCEPTED, content_type="application/json")

    async def _invocation_ended(self, request: web.BaseRequest, request_id: str, what: str) -> web.Response:
        """A response or an error for the event in hand."""
        body = await _read(request)
        if self._invocation is None or self._answer is None or request_id != self._invocation.request_id:
            return _error(400, "InvalidRequestID", "Invalid request ID")
        if self.state != "busy":
            return _error(403, "InvalidStateTransition", "State transition is not allowed")
        if what == "response" and body is None:
            self._end(_fault("Function.ResponseSizeTooLarge", response_too_large(), request_id))
            return _error(413, "RequestEntityTooLarge", response_too_large())
        self._end(_report(body or b"", request) if what == "error" else _returned(body or b"", request))
        return web.Response(status=202, body=_ACCEPTED, content_type="application/json")

    def _end(self, answer: Returned | Raised) -> None:
        self.state = "ready"
        self._invocation = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


async def _read(request: web.BaseRequest) -> bytes | None:
    """The body; None if it is larger than a response may be (the rest is read away)."""
    parts, size = [], 0
    async for part in request.content.iter_any():
        size += len(part)
        if size <= limits.RESPONSE_PAYLOAD_BYTES:
            parts.append(part)
    return b"".join(parts) if size <= limits.RESPONSE_PAYLOAD_BYTES else None


def _returned(body: bytes, request: web.BaseRequest) -> Returned:
    """The handler's result. What is no JSON (a handler that returns bytes) stays text."""
    text = body.decode(errors="replace")
    if request.content_type == "application/json" or not request.content_type:
        try:
            return Returned(json.loads(text) if text else None)
        except ValueError:
            return Returned(text)
    return Returned(text)


def _report(body: bytes, request: web.BaseRequest) -> Raised:
    """An error report of the runtime; its header names the type where the body does not."""
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        payload = {"errorMessage": body.decode(errors="replace")}
    error_type = str(
        payload.get("errorType") or request.headers.get("Lambda-Runtime-Function-Error-Type") or "Runtime.Unknown"
    )
    payload["errorType"] = error_type
    return Raised(error_type, str(payload.get("errorMessage", "")), payload)


def _fault(error_type: str, message: str, request_id: str) -> Raised:
    return Raised(error_type, message, {"errorType": error_type, "errorMessage": message, "requestId": request_id})


def _error(status: int, error_type: str, message: str) -> web.Response:
    body: dict[str, Any] = {"errorMessage": message, "errorType": error_type}
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")
