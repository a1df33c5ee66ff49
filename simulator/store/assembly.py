"""Puts the store together inside its process: moto, the replacements, the rules, the fast paths, the counters."""

from __future__ import annotations

from collections.abc import Awaitable
from importlib.metadata import version

from simulator.clock import Clock
from simulator.store import moto_state, replacements, sqs_answers
from simulator.store.application import Application, Layers
from simulator.store.control import Control
from simulator.store.http import Request, Response
from simulator.store.ledger import Ledger
from simulator.store.long_poll import LongPolls
from simulator.store.moto_application import MotoApplication
from simulator.store.parameters import read_parameters
from simulator.store.replacements import sqs as sqs_replacements
from simulator.store.replacements.registry import Replacements
from simulator.store.tallies import Tallies


def assemble(clock: Clock, port: int, *, capacity: str, strict: bool) -> Application:
    """The application for one process; moto's state is global, so there is one of these a process."""
    in_force = Replacements()
    in_force.install(replacements.ALL, version("moto"))
    moto = MotoApplication(port)
    moto.load()
    ledger, tallies, faults = Ledger(), Tallies(clock), dict[str, float]()
    sqs = sqs_answers.SqsAnswers(moto_state.queues, strict=strict)
    polls = LongPolls(announced=sqs_replacements.DEPTH in in_force.active)
    fast_sqs = {sqs_replacements.DEPTH, sqs_answers.NAME} <= in_force.active

    def guard(request: Request) -> None:
        if request.parameters is None:
            read_parameters(request)

    def fast(request: Request) -> Response | None:
        if request.service == "sqs" and fast_sqs and request.parameters is not None:
            return sqs.answer(request, request.parameters)
        return None

    def waiting(request: Request) -> Awaitable[Response] | None:
        if request.service != "sqs" or request.operation != "ReceiveMessage":
            return None
        read_parameters(request)
        queue = sqs.queue_of(request.parameters or {})
        wait_s = 0 if queue is None else polls.wait_s(request, queue)
        return polls.poll(request, queue, wait_s, application.answer_now) if wait_s else None

    control = Control(clock, ledger, tallies, faults)
    layers = Layers(guard=guard, fast=fast, waiting=waiting, observe=tallies.observe, control=control.answer)
    application = Application(moto, layers, ledger)
    return application
