"""Which of a stack's parts stand along the flow that is shown."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters
from simulator.stack.model import Stack
from simulator.telemetry.snapshot import Roles


@dataclass(frozen=True)
class Along:
    """The store's counters along the flow; zeros for a part that the stack or the store does not have."""

    bucket: BucketCounters
    queue: QueueCounters
    dead_letter_queue: QueueCounters
    table: TableCounters


@dataclass(frozen=True, slots=True)
class Parts:
    """The leading parts: functions by logical id, all by AWS name in `roles`."""

    generator: str | None
    consumer: str | None
    roles: Roles

    def along(self, store: StoreCounters) -> Along:
        """The counters of these parts."""
        return Along(
            bucket=store.buckets.get(self.roles.bucket or "", BucketCounters()),
            queue=store.queues.get(self.roles.queue or "", QueueCounters()),
            dead_letter_queue=store.queues.get(self.roles.dead_letter_queue or "", QueueCounters()),
            table=store.tables.get(self.roles.table or "", TableCounters()),
        )

    @classmethod
    def of(cls, stack: Stack) -> Parts:
        """The parts that lead.

        The first mapping with its queue and function, the bucket that notifies this queue, the first enabled
        schedule's function, the first table.
        """
        mapping = next(iter(stack.mappings.values()), None)
        queue = stack.queues.get(mapping.queue) if mapping else next(iter(stack.queues.values()), None)
        consumer = stack.functions.get(mapping.function) if mapping else None
        dead_letter = stack.queues.get(queue.redrive.dead_letter_queue) if queue and queue.redrive else None
        notifying = [
            bucket
            for bucket in stack.buckets.values()
            if any(queue and notification.queue == queue.logical_id for notification in bucket.notifications)
        ]
        bucket = next(iter([*notifying, *stack.buckets.values()]), None)
        scheduled = [schedule.function for schedule in stack.schedules.values() if schedule.enabled]
        generator = stack.functions.get(next(iter(scheduled), ""))
        table = next(iter(stack.tables.values()), None)
        bounds = (
            mapping.maximum_concurrency if mapping else None,
            consumer.reserved_concurrency if consumer else None,
        )
        return cls(
            generator=generator.logical_id if generator else None,
            consumer=consumer.logical_id if consumer else None,
            roles=Roles(
                generator=generator.name if generator else None,
                bucket=bucket.name if bucket else None,
                queue=queue.name if queue else None,
                dead_letter_queue=dead_letter.name if dead_letter else None,
                consumer=consumer.name if consumer else None,
                table=table.name if table else None,
                concurrency_limit=min((bound for bound in bounds if bound is not None), default=None),
                batch_size=mapping.batch_size if mapping else None,
            ),
        )
