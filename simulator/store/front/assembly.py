"""Puts the store together inside its process: moto, the replacements, the rules, the fast paths, the counters."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from importlib.metadata import version

import orjson

from simulator.base.clock import Clock
from simulator.store.counting.ledger import Ledger
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb import answers as dynamodb_answers
from simulator.store.dynamodb import moto_table
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.front.application import Application, Layers
from simulator.store.front.control import Control
from simulator.store.front.guards import Guards
from simulator.store.moto import state as moto_state
from simulator.store.moto.application import MotoApplication
from simulator.store.moto.replacement import Replacements
from simulator.store.s3 import answers as s3_answers
from simulator.store.s3 import moto_bucket
from simulator.store.sqs import answers as sqs_answers
from simulator.store.sqs import moto_queue
from simulator.store.sqs.long_poll import LongPolls
from simulator.store.sqs.move_tasks import OPERATIONS as MOVE_OPERATIONS
from simulator.store.sqs.move_tasks import MoveTasks
from simulator.store.wire.aws_errors import AwsError, is_query
from simulator.store.wire.messages import Request, Response
from simulator.store.wire.parameters import read_parameters

# Everything that stands in for moto's code; each says what for. Events are AWS's only with AWS's rules.
FASTER = (
    *moto_queue.REPLACEMENTS,
    *sqs_answers.REPLACEMENTS,
    *moto_table.REPLACEMENTS,
    *dynamodb_answers.REPLACEMENTS,
    *moto_bucket.DEPTH_REPLACEMENTS,
    *s3_answers.REPLACEMENTS,
)
STRICTER = moto_bucket.EVENT_REPLACEMENTS


def assemble(clock: Clock, port: int, *, capacity: str, strict: bool) -> Application:
    """The application for one process; moto's state is global, so there is one of these a process."""
    in_force = Replacements()
    in_force.install((*FASTER, *STRICTER) if strict else FASTER, version("moto"))
    moto_queue.QueueTime.clock = moto_bucket.CurrentCause.clock = clock
    moto_queue.QueueTime.stale_deletes = not strict
    return _Assembly(clock, port, in_force.active, capacity=capacity, strict=strict).application


class _Assembly:
    """The parts of one store, and the order in which they are asked."""

    def __init__(self, clock: Clock, port: int, active: set[str], *, capacity: str, strict: bool) -> None:
        self._strict = strict
        self._moto = MotoApplication(port)
        self._moto.load()
        self._tallies = Tallies(clock)
        self._throttles = Throttles(applied=capacity == "aws")
        self._sqs = sqs_answers.SqsAnswers(moto_state.queues, strict=strict)
        self._s3 = s3_answers.S3Answers(moto_state.s3_backend, moto_state.buckets)
        self._dynamodb = dynamodb_answers.DynamoDBAnswers(
            moto_state.tables, self._tallies, self._throttles, clock, strict=strict
        )
        self._moves = MoveTasks(moto_state.queues, clock)
        self._polls = LongPolls(announced=moto_queue.DEPTH in active)
        self._fast_sqs = {moto_queue.DEPTH, sqs_answers.NAME} <= active
        self._fast_dynamodb = {moto_table.DEPTH, dynamodb_answers.NAME} <= active
        self._fast_s3 = {moto_bucket.DEPTH, s3_answers.NAME} <= active
        guards = Guards(clock, self._sqs.queue_of, strict=strict, rates=capacity == "aws")
        ledger = Ledger()
        control = Control(clock, ledger, self._tallies, self._throttles)
        layers = Layers(
            guard=guards.check,
            fast=self._fast,
            moto=self._by_moto,
            waiting=self._waiting,
            observe=self._tallies.observe,
            control=control.answer,
        )
        self.application = Application(layers, ledger)

    def _fast(self, request: Request) -> Response | None:
        if request.service == "s3":
            response = self._s3.answer(request) if self._fast_s3 else None
            return None if response is None else self._with_ids(response)
        parameters = request.parameters
        if parameters is None:
            return None
        if request.service == "dynamodb" and self._fast_dynamodb:
            return self._dynamodb.answer(request, parameters)
        if request.service == "sqs":
            if self._strict and request.operation in MOVE_OPERATIONS:
                return self._move(request)
            if self._fast_sqs:
                return self._sqs.answer(request, parameters)
        return None

    def _move(self, request: Request) -> Response:
        if is_query(request):
            raise AwsError(
                "AWS.SimpleQueueService.UnsupportedOperation",
                f"{request.operation} is served to clients of the JSON protocol; use a newer SDK.",
            )
        result = self._moves.answer(request.operation, request.parameters or {})
        headers = [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", str(uuid.uuid4()))]
        return Response(200, orjson.dumps(result), headers)

    def _by_moto(self, request: Request) -> Response:
        if request.service == "dynamodb":
            response = self._dynamodb.through_moto(request, self._moto.call)
            if response.status == 200 and request.operation in ("CreateTable", "UpdateTable"):
                parameters = request.parameters or {}
                self._throttles.configured(str(parameters.get("TableName")), parameters.get("OnDemandThroughput"))
            return response
        response = self._moto.call(request)
        return self._with_ids(response) if request.service == "s3" else response

    def _with_ids(self, response: Response) -> Response:
        """S3 names every request; the events it caused carry the same ids."""
        if self._strict:
            cause = moto_bucket.CurrentCause.cause
            kept = [(name, value) for name, value in response.headers if not name.lower().startswith("x-amz-id-2")]
            response.headers = [each for each in kept if each[0].lower() != "x-amz-request-id"]
            response.headers += [("x-amz-request-id", cause.request_id), ("x-amz-id-2", cause.extended_id)]
        return response

    def _waiting(self, request: Request) -> Awaitable[Response] | None:
        if request.service != "sqs" or request.operation != "ReceiveMessage":
            return None
        read_parameters(request)
        queue = self._sqs.queue_of(request.parameters or {})
        wait_s = 0 if queue is None else self._polls.wait_s(request, queue)
        return self._polls.poll(request, queue, wait_s, self.application.receive_now) if wait_s else None
