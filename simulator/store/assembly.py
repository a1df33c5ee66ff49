"""Puts the store together inside its process: moto, the replacements, the rules, the fast paths, the counters."""

from __future__ import annotations

from collections.abc import Awaitable
from importlib.metadata import version

from simulator.clock import Clock
from simulator.store import dynamodb_answers, moto_state, sqs_answers
from simulator.store.application import Application, Layers
from simulator.store.control import Control
from simulator.store.http import Request, Response
from simulator.store.ledger import Ledger
from simulator.store.long_poll import LongPolls
from simulator.store.moto_application import MotoApplication
from simulator.store.parameters import read_parameters
from simulator.store.replacements import dynamodb as dynamodb_replacements
from simulator.store.replacements import sqs as sqs_replacements
from simulator.store.replacements.registry import Replacements
from simulator.store.tallies import Tallies
from simulator.store.throttles import Throttles

# Everything that stands in for moto's code; each says what for.
REPLACEMENTS = (
    *sqs_replacements.REPLACEMENTS,
    *sqs_answers.REPLACEMENTS,
    *dynamodb_replacements.REPLACEMENTS,
    *dynamodb_answers.REPLACEMENTS,
)


def assemble(clock: Clock, port: int, *, capacity: str, strict: bool) -> Application:
    """The application for one process; moto's state is global, so there is one of these a process."""
    in_force = Replacements()
    in_force.install(REPLACEMENTS, version("moto"))
    moto = MotoApplication(port)
    moto.load()
    ledger, tallies, throttles = Ledger(), Tallies(clock), Throttles(applied=capacity == "aws")
    sqs = sqs_answers.SqsAnswers(moto_state.queues, strict=strict)
    dynamodb = dynamodb_answers.DynamoDBAnswers(moto_state.tables, tallies, throttles, clock, strict=strict)
    polls = LongPolls(announced=sqs_replacements.DEPTH in in_force.active)
    fast_sqs = {sqs_replacements.DEPTH, sqs_answers.NAME} <= in_force.active
    fast_dynamodb = {dynamodb_replacements.DEPTH, dynamodb_answers.NAME} <= in_force.active

    def guard(request: Request) -> None:
        if request.parameters is None:
            read_parameters(request)

    def fast(request: Request) -> Response | None:
        parameters = request.parameters
        if parameters is None:
            return None
        if request.service == "dynamodb" and fast_dynamodb:
            return dynamodb.answer(request, parameters)
        if request.service == "sqs" and fast_sqs:
            return sqs.answer(request, parameters)
        return None

    def by_moto(request: Request) -> Response:
        response = moto.call(request)
        if request.service == "dynamodb":
            dynamodb.settle()
            tallies.observe_moto(request, response)
        return response

    def waiting(request: Request) -> Awaitable[Response] | None:
        if request.service != "sqs" or request.operation != "ReceiveMessage":
            return None
        read_parameters(request)
        queue = sqs.queue_of(request.parameters or {})
        wait_s = 0 if queue is None else polls.wait_s(request, queue)
        return polls.poll(request, queue, wait_s, application.answer_now) if wait_s else None

    control = Control(clock, ledger, tallies, throttles)
    layers = Layers(
        guard=guard, fast=fast, moto=by_moto, waiting=waiting, observe=tallies.observe, control=control.answer
    )
    application = Application(layers, ledger)
    return application
