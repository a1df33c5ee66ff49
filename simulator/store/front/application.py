"""The store's one endpoint: control calls, AWS's rules, capacity, the fast paths, and moto for all the rest.

Every request passes the layers in this order, on one thread: nothing needs a lock, and each answer is one step. The
only thing that waits is a long poll, and it waits without holding anybody up.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from simulator.store.counting.ledger import Ledger
from simulator.store.moto.application import SERVICES
from simulator.store.wire.aws_errors import AwsError, error_response
from simulator.store.wire.messages import CONTROL_PATH, Request, Response
from simulator.store.wire.routing import route

# A fast path answers, or returns None: then moto does.
WaitingAnswer = Callable[[Request], Awaitable[Response | None]]


@dataclass(slots=True)
class Layers:
    """What a request meets. `guard` raises `AwsError`; `waiting` may take its time; `fast` answers at once, or None.

    `moto` answers the rest.
    `observe` sees every request with its answer.
    """

    guard: Callable[[Request], None]
    fast: Callable[[Request], Response | None]
    moto: Callable[[Request], Response]
    waiting: Callable[[Request], Awaitable[Response] | None]
    observe: Callable[[Request, Response], None]
    control: WaitingAnswer


class Application:
    """Answers requests; never raises for one."""

    def __init__(self, layers: Layers, ledger: Ledger) -> None:
        self._layers = layers
        self._ledger = ledger

    async def answer(self, request: Request) -> Response:
        """The response to one request."""
        if request.target.startswith(CONTROL_PATH):
            return await self._layers.control(request) or Response(404, b"unknown control call\n")
        route(request)
        waiting = self._layers.waiting(request)
        if waiting is None:
            return self._answer_now(request)
        try:
            response = await waiting
        except AwsError as error:
            response = error_response(request, error)
        self._ledger.add(request.service, request.operation, 0.0, response.status)
        self._layers.observe(request, response)
        return response

    def receive_now(self, request: Request) -> Response:
        """One look of a long poll into its queue; the poll as a whole is the request that counts. Raises `AwsError`."""
        started = time.perf_counter()
        try:
            return self._carry_out(request)
        finally:
            self._ledger.add(request.service, request.operation, time.perf_counter() - started)

    def _answer_now(self, request: Request) -> Response:
        started = time.perf_counter()
        try:
            response = self._carry_out(request)
        except AwsError as error:
            response = error_response(request, error)
        self._ledger.add(request.service, request.operation, time.perf_counter() - started, response.status)
        self._layers.observe(request, response)
        return response

    def _carry_out(self, request: Request) -> Response:
        if request.service not in SERVICES:
            raise AwsError(
                "NotImplemented",
                f"The stockpipe store serves S3, SQS and DynamoDB; not {request.service or 'this request'}.",
                status=501,
            )
        try:
            self._layers.guard(request)
            return self._layers.fast(request) or self._layers.moto(request)
        except AwsError:
            raise
        except Exception as error:
            # One request that nobody foresaw must not end the store; what it was is among its last words.
            traceback.print_exc(file=sys.stderr)
            raise AwsError("InternalFailure", f"The store failed on this request: {error!r}", status=500) from error
