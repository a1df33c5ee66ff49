"""The store's one endpoint: control calls, AWS's rules, capacity, the fast paths, and moto for all the rest.

Every request passes the layers in this order, on one thread: nothing needs a lock, and each answer is one step. The
only thing that waits is a long poll, and it waits without holding anybody up.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence

from simulator.store.counting.ledger import Ledger
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb import answers as dynamodb_answers
from simulator.store.dynamodb import moto_table
from simulator.store.dynamodb.by_moto import ByMoto
from simulator.store.dynamodb.tables import Tables
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.front.control import Control
from simulator.store.front.guards import Guards
from simulator.store.moto import state as moto_state
from simulator.store.moto.application import SERVICES, LeftToMoto, MotoApplication
from simulator.store.moto.scope import SCOPE, RequestScope, StoreContext
from simulator.store.s3 import answers as s3_answers
from simulator.store.s3 import moto_bucket
from simulator.store.sqs import answers as sqs_answers
from simulator.store.sqs import moto_queue
from simulator.store.sqs.long_poll import LongPolls
from simulator.store.sqs.move_tasks import MoveTasks
from simulator.store.wire.aws_errors import AwsError, error_response
from simulator.store.wire.messages import CONTROL_PATH, Request, Response, Routed
from simulator.store.wire.routing import route

# A way that answers at once, or raises `LeftToMoto`: then the next one does, at last moto.
Way = Callable[[Routed], Response]


class Application:
    """Answers requests; never raises for one. `active` are the names of the replacements that are in force."""

    def __init__(self, store: StoreContext, moto: MotoApplication, active: set[str], *, rates: bool) -> None:
        self._store = store
        self._tallies = Tallies(store.clock)
        self._ledger = Ledger()
        self._guards = Guards(store.clock, strict=store.strict, rates=rates)
        self._polls = LongPolls(store.clock, announced=moto_queue.DEPTH.name in active)
        throttles = Throttles(applied=rates)
        self._control = Control(store.clock, self._ledger, self._tallies, throttles)
        tables = Tables(moto_state.tables, self._tallies, throttles, store.clock, store.strict)
        self._ways: dict[str, list[Way]] = {service: [] for service in SERVICES}
        if {moto_queue.DEPTH.name, sqs_answers.ANSWERS.name} <= active:
            self._ways["sqs"].append(sqs_answers.SqsAnswers(store).answer)
        if store.strict:
            self._ways["sqs"].append(MoveTasks(store).answer)
        if {moto_bucket.DEPTH.name, s3_answers.ANSWERS.name} <= active:
            self._ways["s3"].append(s3_answers.S3Answers().answer)
        if {moto_table.DEPTH.name, dynamodb_answers.ANSWERS.name} <= active:
            self._ways["dynamodb"].append(dynamodb_answers.DynamoDBAnswers(tables).answer)
        for service, ways in self._ways.items():
            ways.append(ByMoto(tables, moto.call).answer if service == "dynamodb" else moto.call)

    async def answer(self, request: Request) -> Response:
        """The response to one request."""
        if request.target.startswith(CONTROL_PATH):
            return self._control.answer(request)
        started = time.perf_counter()
        routed = route(request, self._store.requests)
        waiting = self._waiting(routed)
        try:
            response = self._carry_out(routed) if waiting is None else await waiting
        except AwsError as error:
            response = error_response(routed, error)
        worked_s = time.perf_counter() - started if waiting is None else 0.0
        self._ledger.add(routed.service, routed.operation, worked_s, response.status)
        self._tallies.observe(routed, response)
        return response

    def _waiting(self, routed: Routed) -> Awaitable[Response] | None:
        if routed.operation != "ReceiveMessage" or routed.service != "sqs":
            return None
        queue = moto_queue.queue_of(routed.parameters or {})
        wait_s = 0 if queue is None else self._polls.wait_s(routed, queue)
        return self._polls.poll(routed, queue, wait_s, self._receive_now) if wait_s else None

    def _receive_now(self, routed: Routed) -> Response:
        """One look of a long poll into its queue; the poll as a whole is the request that counts. Raises `AwsError`."""
        started = time.perf_counter()
        try:
            return self._carry_out(routed)
        finally:
            self._ledger.add(routed.service, routed.operation, time.perf_counter() - started)

    def _carry_out(self, routed: Routed) -> Response:
        ways = self._ways.get(routed.service)
        if ways is None:
            raise AwsError(
                "NotImplemented",
                f"The stockpipe store serves S3, SQS and DynamoDB; not {routed.service or 'this request'}.",
                status=501,
            )
        token = SCOPE.set(RequestScope(self._store, routed))
        try:
            self._guards.check(routed)
            response = _first_answer(ways, routed)
        except AwsError:
            raise
        except Exception as error:
            # One request that nobody foresaw must not end the store; what it was is among its last words.
            traceback.print_exc(file=sys.stderr)
            raise AwsError("InternalFailure", f"The store failed on this request: {error!r}", status=500) from error
        finally:
            SCOPE.reset(token)
        if routed.service == "s3" and self._store.strict:
            _name(response, routed)
        return response


def _first_answer(ways: Sequence[Way], routed: Routed) -> Response:
    for way in ways:
        try:
            return way(routed)
        except LeftToMoto:
            continue
    raise LookupError("moto answers what is left to it")


def _name(response: Response, routed: Routed) -> None:
    """S3 names every request; the events it caused carry the same ids."""
    own = {"x-amz-request-id": routed.request_id, "x-amz-id-2": routed.extended_id}
    response.headers = [*(each for each in response.headers if each[0].lower() not in own), *own.items()]
