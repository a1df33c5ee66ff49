"""The stack in operation: a store, the resources in it, and what AWS does around the functions, under one owner.

`simulate` and `load-test` both use it. It starts our own store, or uses any that already answers at `endpoint_url`;
either way it makes the stack's resources there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from simulator.base import limits
from simulator.base.clients import Clients
from simulator.base.clock import Clock
from simulator.base.counters import QueueCounters, StoreCounters
from simulator.base.errors import one_failure
from simulator.base.observations import FaultStruck, Record, StoreSampled
from simulator.faults.plane import Plane, Struck
from simulator.functions.runtimes import Code
from simulator.functions.service import LambdaService
from simulator.proof.account import Acceptable, Audit
from simulator.proof.audit import audit
from simulator.proof.ledgers import Ledgers
from simulator.proof.notifications import ObjectRef, objects_of
from simulator.stack.model import Queue, Stack
from simulator.stack.wiring import Flow, flow, wiring
from simulator.store import Store
from simulator.triggers.asynchronous import AsynchronousInvoker
from simulator.triggers.event_source_mapping import MappingRun
from simulator.twin import resources
from simulator.twin.resources import ResourceNotMade, Resources
from simulator.twin.surroundings import Surroundings


@dataclass(eq=False, repr=False)
class Twin:
    """One stack, running. `open` makes it; every task that it starts ends with it."""

    stack: Stack
    flow: Flow
    store: Store | None
    endpoint: str
    clients: Clients
    resources: Resources
    service: LambdaService
    invoker: AsynchronousInvoker
    clock: Clock
    record: Record
    seed: int
    plane: Plane
    _group: asyncio.TaskGroup
    _stop_mappings: asyncio.Event = field(default_factory=asyncio.Event)
    _mappings: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, stack: Stack, surroundings: Surroundings, *, record: Record, seed: int, code: Mapping[str, Code] = {}
    ) -> AsyncIterator[Twin]:
        """The twin with all resources made and nothing running yet. `code` is what `functions.code.prepare` gives.

        Leaving the block, whether or not it raises, cancels what still runs and ends the store's processes. Raises
        `StockpipeError` when the store is not available, or as soon as it dies.
        """
        clock = surroundings.clock
        with one_failure():
            async with contextlib.AsyncExitStack() as owned:
                engine = await owned.enter_async_context(surroundings.open(stack, code, seed))
                store, clients = engine.store, engine.clients
                made = await _make(stack, clients, store)
                plane = engine.plane
                plane.listen(partial(_record_struck, record))
                around: dict[str, Any] = {"clock": clock, "record": record, "seed": seed, "plane": plane}
                service = LambdaService(stack.functions, runtime=engine.runtime, **around)
                await owned.enter_async_context(service)
                invoker = AsynchronousInvoker(service, stack, clients.sqs, tick_late_s=engine.tick_late_s, **around)
                await owned.enter_async_context(invoker)
                group = await owned.enter_async_context(asyncio.TaskGroup())
                parts = made, service, invoker, clock, record, seed, plane, group
                twin = cls(stack, flow(stack), store, engine.endpoint, clients, *parts)
                sampling = group.create_task(twin._sample_often(), name="sample")
                try:
                    yield twin
                finally:
                    for task in (sampling, *twin._mappings):
                        task.cancel()

    def start_mappings(self) -> None:
        """Begin to poll: every enabled event source mapping, and the events of buckets for functions, once."""
        if self._mappings:
            return
        wait_s = limits.POLL_SLICE_S if self.store is None else limits.SQS_RECEIVE_WAIT_S[1]
        for mapping in self.stack.mappings.values():
            if mapping.enabled:
                run = MappingRun(
                    mapping=mapping,
                    queue=self.stack.queues[mapping.queue],
                    queue_url=self.resources.queue_urls[mapping.queue],
                    function=self.stack.functions[mapping.function],
                    sqs=self.clients.sqs,
                    service=self.service,
                    clock=self.clock,
                    record=self.record,
                    seed=self.seed,
                    stop=self._stop_mappings,
                    wait_s=wait_s,
                )
                self._mappings.append(self._group.create_task(run.run(), name=mapping.logical_id))
        for url, function in self.resources.event_queues:
            taking = self.invoker.take(url, function, self._stop_mappings, wait_s)
            self._mappings.append(self._group.create_task(taking, name=f"events for {function}"))

    async def stop_mappings(self) -> None:
        """Soft stop: receive nothing new, settle the batches in progress."""
        self._stop_mappings.set()
        ending = self._group.create_task(self._end_long_polls(), name="end long polls")
        try:
            await asyncio.gather(*self._mappings)
        finally:
            ending.cancel()
        self._mappings.clear()

    async def set_faults(self, shares: Mapping[str, float]) -> None:
        """From now on, let each kind of fault strike this share of the times at which it may; 0 ends it.

        Nothing strikes in a store that is not ours.
        """
        self.plane.set_shares(shares)
        if self.store is not None:
            await self.store.set_faults(shares)

    async def run_schedules(self, *, start_at: float, speed: float, ticks: int | None, stop: asyncio.Event) -> None:
        """Fire every enabled schedule until `ticks` or `stop`; returns once the last event is accepted."""
        async with asyncio.TaskGroup() as schedules:
            for schedule in self.stack.schedules.values():
                if schedule.enabled:
                    run = self.invoker.run_schedule(schedule, start_at=start_at, speed=speed, ticks=ticks, stop=stop)
                    schedules.create_task(run)

    async def counters(self) -> StoreCounters:
        """The store's counters; from a store that is not ours only the queues' gauges, which is all its API offers."""
        if self.store is not None:
            return await self.store.counters()
        queues = {}
        for url in (*self.resources.queue_urls.values(), *(url for url, _ in self.resources.event_queues)):
            answer = await self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            gauges: Mapping[Any, str] = answer["Attributes"]
            queues[_name(url)] = QueueCounters(
                visible=int(gauges.get("ApproximateNumberOfMessages", 0)),
                in_flight=int(gauges.get("ApproximateNumberOfMessagesNotVisible", 0)),
                delayed=int(gauges.get("ApproximateNumberOfMessagesDelayed", 0)),
            )
        return StoreCounters(at=self.clock.now(), queues=queues)

    async def drained(self, timeout_s: float, hopeless: Callable[[int, float], bool] | None = None) -> bool:
        """Wait until no event waits for a function and the queues are empty; False when `timeout_s` has passed.

        Also False as soon as no event waits, and either all messages left are in `unpolled` queues, or `hopeless` is
        true for the messages left in the others and the instant at which the time is up.
        """
        deadline_at, unpolled = self.clock.now() + timeout_s, self.unpolled
        while True:
            settled, counters = self.invoker.settled, await self.counters()
            queues = counters.queues
            arriving = sum(queues[_name(url)].held for url, _ in self.resources.event_queues)
            # An event that ended after the queues were counted may have sent more.
            done = not (arriving or self.invoker.pending or counters.late) and settled == self.invoker.settled
            polled = [queues[each.name] for each in self.flow.queues if each not in unpolled]
            # A function must be done with test events, too.
            left = sum(queue.held + queue.test_events for queue in polled)
            stuck = sum(queues[each.name].held for each in unpolled)
            if done and not left:
                # Perhaps no sample has this yet, and none will.
                self.record(StoreSampled(self.clock.now(), counters))
                return not stuck
            if self.clock.now() >= deadline_at:
                return False
            if done and hopeless is not None and hopeless(left, deadline_at):
                return False
            await self.clock.sleep(limits.DRAIN_LOOK_S)
            if self.store is not None:
                await self.store.changed(counters.at)

    @property
    def polled(self) -> frozenset[str]:
        """The queues (logical ids) that mappings poll."""
        return frozenset(mapping.queue for mapping in self.stack.mappings.values())

    @property
    def unpolled(self) -> tuple[Queue, ...]:
        """The queues of disabled mappings, and of functions that may not run and so never give a message up."""
        live = {
            mapping.queue
            for mapping, queue, function in self.stack.mapped()
            if mapping.enabled and (queue.redrive or function.reserved_concurrency != 0)
        }
        return tuple(each for each in self.flow.queues if each.logical_id not in live)

    async def rows_accepted(self) -> int | None:
        """Puts that the run's tables have accepted so far; None if the store is not ours, and does not report them."""
        if self.store is None:
            return None
        tables = (await self.store.counters()).tables
        return sum(tables[each.name].rows_written for each in self.flow.tables if each.name in tables)

    async def prove(
        self, *, drained: bool, accepted: Set[Acceptable], ledgers: Ledgers, sample_seed: int | None = None
    ) -> Audit:
        """Account for every row, once nothing writes any more; the arguments are the audit's.

        Raises `InputError` for an application that is not the pipeline, and `CouldNotFinish` when a resource cannot be
        read or the disk is full.
        """
        path = wiring(self.stack)
        return await audit(
            s3=self.clients.s3,
            dynamodb=self.clients.dynamodb,
            bucket=path.bucket.name,
            prefix=path.notification.key_prefix,
            table=path.table.name,
            environ=path.consumer.environment,
            rejected_prefix=path.rejected_prefix,
            dead_lettered=self._objects_in(path.dead_letter_queue),
            pending=self._objects_in(path.queue),
            earlier=self._earlier_contents(path.bucket.name),
            drained=drained,
            accepted=accepted,
            ledgers=ledgers,
            sample_seed=sample_seed,
            record=self.record,
            clock=self.clock,
        )

    async def _objects_in(self, queue: Queue | None) -> AsyncIterator[ObjectRef]:
        """The objects of a queue's messages, read without touching those; only our own store can list them."""
        if queue is not None and self.store is not None:
            async for message in self.store.peek(queue.name):
                for ref in objects_of(message.body):
                    yield ref

    async def _earlier_contents(self, bucket: str) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        """The overwritten contents of a bucket, which only our own store keeps."""
        if self.store is not None:
            async for content in self.store.earlier_contents(bucket):
                yield content

    async def _sample_often(self) -> None:
        while True:
            at, counters = self.clock.now(), await self.counters()
            self.record(StoreSampled(at, counters))
            if self.store is not None:
                await self.store.changed(counters.at)
            await self.clock.sleep(limits.SAMPLE_S)

    async def _end_long_polls(self) -> None:
        """Again and again: a receive may still be on its way when the store is told."""
        while self.store is not None:
            await self.store.end_long_polls()
            await self.clock.sleep(limits.SAMPLE_S)


def _record_struck(record: Record, struck: Struck) -> None:
    fault = struck.fault
    record(
        FaultStruck(
            struck.at, fault.site, fault.ordinal, fault.kind, fault.argument, struck.function, struck.environment
        )
    )


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]


async def _make(stack: Stack, clients: Clients, store: Store | None) -> Resources:
    try:
        return await resources.create(stack, clients)
    except ResourceNotMade:
        if store is not None:
            await store.counters()  # if the store has died, this raises with its last output
        raise
