"""The proof at the end of a run: the audit, told where a twin keeps its objects, its rows and its dead letters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from simulator.base.clock import Clock
from simulator.base.observations import Record
from simulator.proof.audit import Audit, audit
from simulator.proof.notifications import ObjectRef, objects_of
from simulator.twin.twin import Twin


async def prove(
    twin: Twin, *, drained: bool, record: Record, clock: Clock, on_object: Callable[[str, int], None] | None = None
) -> Audit:
    """Account for every row of a twin that nobody writes to any more; the arguments are `audit`'s.

    Raises `CouldNotFinish` when a resource cannot be read or the disk is full.
    """
    path = twin.wiring
    return await audit(
        s3=twin.clients.s3,
        dynamodb=twin.clients.dynamodb,
        bucket=path.bucket.name,
        prefix=path.notification.prefix,
        table=path.table.name,
        environ=path.consumer.environment,
        rejected_prefix=path.rejected_prefix,
        dead_lettered=_objects(twin, path.dead_letter_queue.name if path.dead_letter_queue else None),
        pending=_objects(twin, path.queue.name),
        drained=drained,
        record=record,
        clock=clock,
        on_object=on_object,
    )


async def _objects(twin: Twin, queue_name: str | None) -> AsyncIterator[ObjectRef]:
    if queue_name is None:
        return
    async for message in twin.messages(queue_name):
        for ref in objects_of(message.body):
            yield ref
