"""Puts the store together inside its process: moto, what stands in for its code, and the application in front."""

from __future__ import annotations

from importlib.metadata import version

from simulator.base.chance import Seed
from simulator.base.clock import Clock
from simulator.store.dynamodb import answers as dynamodb_answers
from simulator.store.dynamodb import moto_table
from simulator.store.front.application import Application
from simulator.store.moto.application import MotoApplication
from simulator.store.moto.replacement import install
from simulator.store.moto.scope import StoreContext
from simulator.store.s3 import answers as s3_answers
from simulator.store.s3 import moto_bucket
from simulator.store.sqs import answers as sqs_answers
from simulator.store.sqs import moto_queue

# Everything that stands in for moto's code; each says what for. Events are AWS's only with AWS's rules.
FASTER = (
    moto_queue.DEPTH,
    sqs_answers.ANSWERS,
    moto_table.DEPTH,
    moto_table.INDEX_READS,
    dynamodb_answers.ANSWERS,
    moto_bucket.DEPTH,
    s3_answers.ANSWERS,
)
STRICTER = (moto_bucket.EVENTS,)


def assemble(clock: Clock, port: int, seed: Seed, *, capacity: str, strict: bool) -> Application:
    """The application for one process; moto's state is global, so there is one of these a process."""
    active = install((*FASTER, *STRICTER) if strict else FASTER, version("moto"))
    moto = MotoApplication(port)
    moto.load(seed)
    return Application(StoreContext.of(clock, seed, strict=strict), moto, active, rates=capacity == "aws")
