"""A load test against a twin: what its phases share, and how a stretch of load ends."""

from __future__ import annotations

from typing import Any

from simulator.base import limits
from simulator.load.measure.result import Span
from simulator.load.send.sender import Sender
from simulator.twin import resources
from simulator.twin.twin import Twin


class Load(Sender):
    """A load test against a twin: what its phases share."""

    def __init__(self, twin: Twin, *sending: Any) -> None:
        super().__init__(*sending)
        self.twin = twin

    async def drain(self, span: Span) -> bool:
        """Wait until the queue is empty; whether it was in time."""
        span.drained = await self.twin.drained(self.plan.drain_timeout_s)
        span.durations = slice(span.durations.start, len(self.tap.durations_s))
        stores = self.recording.stored_instants(span.numbers)
        span.drained_at = stores[-1] if stores else self.clock.now()
        return span.drained

    async def forget(self, span: Span) -> None:
        """Delete what a probe left in our own store, so that the next one finds it as small and as fast.

        Its objects are counted first: all that were sent are stored. If not, everything stays for the audit to tell.
        """
        if self.plan.target != "store" or not span.drained or self.recording.pending(span.numbers):
            return
        twin = self.twin
        keys = [self.objects.key(number) for number in span.numbers]
        for start in range(0, len(keys), limits.LOAD_DELETES):
            batch: Any = [{"Key": key} for key in keys[start : start + limits.LOAD_DELETES]]
            await twin.clients.s3.delete_objects(Bucket=twin.resources.bucket, Delete={"Objects": batch, "Quiet": True})
        self.tap.carry((await twin.counters()).tables.get(twin.resources.table))
        await twin.clients.dynamodb.delete_table(TableName=twin.resources.table)
        await resources.create_table(twin.wiring.table, twin.clients)
