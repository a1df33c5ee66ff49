"""The one path that a run follows through a stack: bucket -> queue -> consumer -> table."""

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


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts along the path."""

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


def wiring(stack: Stack) -> Wiring:
    """The first path in the order of the template's mappings; `InputError` says which piece is missing."""
    for mapping in stack.mappings.values():
        for bucket in stack.buckets.values():
            for notification in bucket.notifications:
                if notification.queue == mapping.queue:
                    queue = stack.queues[mapping.queue]
                    consumer = stack.functions[mapping.function]
                    dead_letters = stack.queues[queue.redrive.dead_letter_queue] if queue.redrive else None
                    table = _table_of(stack, consumer)
                    return Wiring(bucket, notification, queue, dead_letters, mapping, consumer, table)
    raise InputError(
        "the template has no bucket that notifies a queue with a function behind it",
        hint="it needs a QueueConfigurations entry and an SQS event on the same queue",
    )


def _table_of(stack: Stack, consumer: Function) -> Table:
    named = consumer.environment.get("TABLE_NAME")
    for table in stack.tables.values():
        if table.name == named:
            return table
    raise InputError(f"{consumer.logical_id}: TABLE_NAME is '{named or ''}', which is not a table in the template")
