"""Which parts of a stack the data passes through, and the pipeline's own path among them. Pure.

The row-by-row proof, and everything else that knows what the pipeline stores, follows `own_path`. A stack without one
is another application: of that, only `flow` is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.base.errors import InputError
from simulator.stack.model import (
    Bucket,
    EventSourceMapping,
    Function,
    Notification,
    Queue,
    Stack,
    Table,
    prefix_in_force,
)

CONSUMER = "ConsumerLambda"
"""The logical id of the pipeline's consumer: with any handler it is one, if its table has `KEYS`."""
KEYS = (("PK", "S"), ("SK", "S"))
"""The keys of the rows that the pipeline stores."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts along the pipeline's own path: bucket -> queue -> consumer -> table."""

    bucket: Bucket
    notification: Notification
    queue: Queue
    dead_letter_queue: Queue | None
    mapping: EventSourceMapping
    consumer: Function
    table: Table

    @property
    def rejected_prefix(self) -> str:
        """Where the consumer puts rejected rows; the setting's default if the template does not set it."""
        return prefix_in_force(self.consumer.environment, "REJECTED_PREFIX")


@dataclass(frozen=True, slots=True)
class Flow:
    """The parts of a stack that its data passes through, each kind in the template's order.

    `queues` are those that mappings poll, `dead_letter_queues` those that they and the functions give up to, if nothing
    polls these as well; `functions` those that something invokes by itself.
    """

    buckets: tuple[Bucket, ...]
    queues: tuple[Queue, ...]
    dead_letter_queues: tuple[Queue, ...]
    functions: tuple[Function, ...]
    tables: tuple[Table, ...]


def wiring(stack: Stack) -> Wiring:
    """The pipeline's own path; `InputError` says which piece is missing."""
    if (path := own_path(stack)) is not None:
        return path
    raise InputError(
        "the template is not the pipeline's: it has no bucket that notifies a queue with the consumer behind it",
        hint=f"this needs the pipeline's own consumer, {CONSUMER}",
    )


def own_path(stack: Stack) -> Wiring | None:
    """The first path in the order of the template's mappings; None for another application.

    Raises `InputError` if the pipeline's consumer is there, but not the table that it writes to.
    """
    for mapping, queue, consumer in stack.mapped():
        named = consumer.environment.get("TABLE_NAME")
        table = next((each for each in stack.tables.values() if each.name == named), None)
        if not (consumer.is_own or (consumer.logical_id == CONSUMER and table is not None and table.keys == KEYS)):
            continue
        for bucket in stack.buckets.values():
            for notification in bucket.notifications:
                if notification.target == mapping.queue:
                    if table is None:
                        said = f"TABLE_NAME is '{named or ''}', which is not a table in the template"
                        raise InputError(f"{consumer.logical_id}: {said}")
                    dead_letters = stack.queues[queue.redrive.dead_letter_queue] if queue.redrive else None
                    return Wiring(bucket, notification, queue, dead_letters, mapping, consumer, table)
    return None


def flow(stack: Stack) -> Flow:
    """The parts that the data passes through; of the pipeline, only those along its own path and its generators."""
    path = own_path(stack)
    invoked = {each.function for each in stack.mappings.values()}
    invoked |= {each.function for each in stack.schedules.values() if each.enabled}
    invoked |= {each.target for bucket in stack.buckets.values() for each in bucket.notifications}
    functions = tuple(each for each in stack.functions.values() if each.logical_id in invoked)
    if path is not None:
        dead_letters = (path.dead_letter_queue,) if path.dead_letter_queue else ()
        return Flow((path.bucket,), (path.queue,), dead_letters, functions, (path.table,))
    polled = {each.queue for each in stack.mappings.values()}
    given_up = {each.redrive.dead_letter_queue for each in stack.queues.values() if each.redrive}
    arns = {arn for each in functions for arn in (each.asynchronous.dead_letter_arn, each.asynchronous.on_failure_arn)}
    given_up |= {each.logical_id for each in stack.queues.values() if each.arn in arns}
    return Flow(
        buckets=tuple(stack.buckets.values()),
        queues=tuple(each for each in stack.queues.values() if each.logical_id in polled),
        dead_letter_queues=tuple(each for each in stack.queues.values() if each.logical_id in given_up - polled),
        functions=functions,
        tables=tuple(stack.tables.values()),
    )
