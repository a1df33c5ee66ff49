"""The store's single endpoint: control calls, AWS's rules, capacity, the fast paths, and moto for everything else.

Every request passes the layers in this order, on one thread: nothing needs a lock, and each answer is one step. Only a
long poll waits, without blocking other requests.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

from simulator.base.chance import Seed
from simulator.base.clock import Clock
from simulator.base.counters import StoreCounters
from simulator.base.errors import is_out_of_memory
from simulator.faults.plane import Plane
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb import answers as dynamodb_answers
from simulator.store.dynamodb import attribute_updates, moto_table
from simulator.store.dynamodb import requests as dynamodb_requests
from simulator.store.dynamodb.by_moto import ByMoto
from simulator.store.dynamodb.tables import Tables
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.front.control import Control
from simulator.store.front.faulty import Faulty
from simulator.store.front.unsigned import check_unsigned
from simulator.store.moto import state as moto_state
from simulator.store.moto.application import SERVICES, LeftToMoto, MotoApplication
from simulator.store.moto.replacement import UNTRACKED, install
from simulator.store.moto.scope import SCOPE, RequestScope, StoreContext
from simulator.store.s3 import answers as s3_answers
from simulator.store.s3 import moto_bucket
from simulator.store.s3 import rules as s3_rules
from simulator.store.sqs import answers as sqs_answers
from simulator.store.sqs import moto_queue, partial_batches
from simulator.store.sqs import rules as sqs_rules
from simulator.store.sqs.long_poll import LongPolls
from simulator.store.sqs.move_tasks import MoveTasks
from simulator.store.wire.aws_errors import AnswerLost, AwsError, error_response
from simulator.store.wire.messages import CONTROL_PATH, HOME, Request, Response, Routed
from simulator.store.wire.routing import route

# Each either answers at once or raises `LeftToMoto`: then the next one tries, and moto last.
Way = Callable[[Routed], Response]

# Everything that replaces moto's code; each says why. Events look like AWS's only if AWS's rules apply.
FASTER = (
    UNTRACKED,
    moto_queue.DEPTH,
    sqs_answers.ANSWERS,
    moto_table.DEPTH,
    moto_table.INDEX_READS,
    dynamodb_answers.ANSWERS,
    moto_bucket.DEPTH,
    s3_answers.ANSWERS,
)
STRICTER = (moto_bucket.EVENTS, attribute_updates.UPDATES)


def assemble(
    clock: Clock,
    port: int,
    seed: Seed,
    *,
    capacity: str,
    strict: bool,
    plane: Plane,
    notified_s: Callable[[], float] = float,
) -> Application:
    """The application for one process; moto's state is global, so there is only one per process.

    `notified_s` says how long one of S3's events is on its way, `plane` which faults strike.
    """
    active = install((*FASTER, *STRICTER) if strict else FASTER, version("moto"))
    moto = MotoApplication(port, seed)
    store = StoreContext.of(clock, seed, strict=strict, notified_s=notified_s, plane=plane)
    return Application(store, moto.call, active, rates=capacity == "aws")


class Application:
    """Answers requests. A request's failure does not raise, unless memory has run out.

    `moto` answers what is left to it, `active` are the names of the active replacements, and `rates` says whether
    DynamoDB's and S3's request rates apply.
    """

    def __init__(self, store: StoreContext, moto: Way, active: set[str], *, rates: bool) -> None:
        self._store = store
        self._tallies = Tallies(store.clock)
        self._rates = s3_rules.S3Rates() if rates else None
        self._polls = LongPolls(store.clock, announced=moto_queue.DEPTH.name in active)
        throttles = Throttles(applied=rates)
        self._faulty = Faulty(store, throttles, self._respond, self._carry_out)
        self._control = Control(
            store.clock, self._tallies, throttles, self._polls, store.plane, late=lambda: self._faulty.late
        )
        tables = Tables(_tables_of_the_request, self._tallies, throttles, store.clock, store.strict)
        self._ways: dict[str, list[Way]] = {service: [] for service in SERVICES}
        if {moto_queue.DEPTH.name, sqs_answers.ANSWERS.name} <= active:
            self._ways["sqs"].append(partial(sqs_answers.answer, store))
        if store.strict:
            self._ways["sqs"].append(MoveTasks(store).answer)
        if {moto_bucket.DEPTH.name, s3_answers.ANSWERS.name} <= active:
            self._ways["s3"].append(s3_answers.answer)
        if {moto_table.DEPTH.name, dynamodb_answers.ANSWERS.name} <= active:
            self._ways["dynamodb"].append(partial(dynamodb_answers.answer, tables))
        if store.strict:
            # It passes on what it keeps of a batch, so it comes first.
            self._ways["sqs"].insert(0, partial(partial_batches.answer, partial(_first_answer, self._ways["sqs"])))
        for service, ways in self._ways.items():
            ways.append(ByMoto(tables, moto).answer if service == "dynamodb" else moto)

    async def answer(self, request: Request) -> Response:
        """The response to one request."""
        if request.target.startswith(CONTROL_PATH):
            return self._control.answer(request)
        started = time.perf_counter()
        routed = moto_state.at_home(route(request, self._store.requests))
        waiting: Awaitable[Response] | None = None
        try:
            _check_home(routed)
            strike = self._faulty.strikes(routed)
            waiting = self._waiting(routed) if strike is None else strike()
            response = self._carry_out(routed) if waiting is None else await waiting
        except AwsError as error:
            response = error_response(routed, error)
        except AnswerLost:
            return Response(0, breaks_after=-1)
        worked_s = time.perf_counter() - started if waiting is None else 0.0
        self._tallies.answered(routed, response, worked_s)
        return response

    async def _respond(self, routed: Routed) -> Response:
        """The response to a request that no fault strikes, or that goes on after one."""
        waiting = self._waiting(routed)
        return self._carry_out(routed) if waiting is None else await waiting

    def counters(self) -> StoreCounters:
        """All counters, for whoever is in the same process."""
        return self._control.counters()

    def _waiting(self, routed: Routed) -> Awaitable[Response] | None:
        if routed.operation != "ReceiveMessage" or routed.service != "sqs":
            return None
        queue = moto_queue.queue_of(routed)
        wait_s = 0 if queue is None else self._polls.wait_s(routed, queue)
        return self._polls.poll(routed, queue, wait_s, self._receive_now) if wait_s else None

    def _receive_now(self, routed: Routed) -> Response:
        """One look of a long poll into its queue; only the whole poll counts as a request. Raises `AwsError`."""
        started = time.perf_counter()
        try:
            return self._carry_out(routed)
        finally:
            self._tallies.worked(routed, time.perf_counter() - started)

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
            self._check(routed)
            response = _first_answer(ways, routed)
        except (AwsError, AnswerLost):
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            # An unforeseen request must not end the store; the log on standard error says what it was.
            traceback.print_exc(file=sys.stderr)
            raise AwsError("InternalFailure", f"The store failed on this request: {error!r}", status=500) from error
        finally:
            SCOPE.reset(token)
        if routed.service == "s3" and self._store.strict:
            # S3 names every request; the events it caused carry the same ids.
            own = {"x-amz-request-id": routed.request_id, "x-amz-id-2": routed.extended_id}
            response.headers = [*(each for each in response.headers if each[0].lower() not in own), *own.items()]
        return response

    def _check(self, routed: Routed) -> None:
        """Raise `AwsError` if AWS would refuse before carrying anything out."""
        parameters = routed.parameters
        if routed.service == "s3" and self._rates is not None:
            self._rates.admit(routed.request, self._store.clock.now())
        if not self._store.strict:
            return
        if not routed.access_key:
            check_unsigned(routed)
        if routed.service == "s3":
            s3_rules.check_request(routed)
        elif parameters is None:
            return
        elif routed.service == "sqs":
            sqs_rules.check_request(routed.operation, parameters, moto_queue.queue_of(routed), self._store.now_ms())
        elif routed.service == "dynamodb":
            dynamodb_requests.check_request(routed, _tables_of_the_request())


def _check_home(routed: Routed) -> None:
    """Refuse a Region that does not exist. S3 is the same in all Regions."""
    if routed.home == HOME or routed.service in ("s3", "sts") or moto_state.is_region(routed.home):
        return
    raise AwsError(
        "InvalidSignatureException" if routed.service.startswith("dynamodb") else "SignatureDoesNotMatch",
        f"Credential should be scoped to a valid region, not '{routed.home.region}'.",
        status=400 if routed.service.startswith("dynamodb") else 403,
    )


def _tables_of_the_request() -> Mapping[str, Any]:
    return moto_state.tables(SCOPE.get().routed.home)


def _first_answer(ways: list[Way], routed: Routed) -> Response:
    for way in ways:
        try:
            return way(routed)
        except LeftToMoto:
            continue
    raise LookupError("moto answers what is left to it")
