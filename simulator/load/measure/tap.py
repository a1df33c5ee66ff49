"""What a load test takes from the observations on their way to telemetry.

Stored instants come from settled messages and events or, for a deployed stack, from log lines; handler figures come
from invocations, CPU shares from the target's counters. Hot paths call it, so it only adds.
"""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass, replace
from typing import Any

from simulator.base import limits, observations
from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters, is_test_event, together
from simulator.base.observations import Record
from simulator.base.usage import process_cpu_s
from simulator.load.measure.live import Live
from simulator.load.measure.recording import SENT, Recording
from simulator.load.measure.series import Gauge
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import Plan
from simulator.proof.notifications import objects_of
from simulator.stack.model import Stack
from simulator.stack.wiring import flow
from simulator.telemetry.metrics import embedded_document
from simulator.telemetry.roles import consumers


@dataclass(slots=True)
class TapTotals:
    """Counts of the consumer's work so far."""

    ended: int = 0
    errors: int = 0
    throttled: int = 0
    receives: int = 0
    received: int = 0
    deleted: int = 0
    delete_requests: int = 0
    log_bytes: int = 0
    dead_lettered: int = 0


class Tap:
    """Collects what a load test reports: instants in `recording` and `live`, counts in `totals`.

    The twin samples our own store. For a sink or a deployed stack, its owner calls `sample` or `sample_from_outside`.
    `written` is what the consumers say they wrote, `carried` what was written to tables that no longer exist.
    """

    def __init__(
        self, onwards: Record, recording: Recording, stack: Stack, objects: Objects, live: Live, plan: Plan
    ) -> None:
        self._onwards, self.recording, self._parts = onwards, recording, flow(stack)
        self._objects, self._live, self._target = objects, live, plan.target
        self._queue = plan.copies.to if plan.copies is not None and plan.unit == "message" else None
        polled = {each.logical_id for each in self._parts.queues}
        self.mappings = [each for each in stack.mappings.values() if each.queue in polled]
        self._consumers = frozenset(consumers(stack, self._parts))
        self._numbers: dict[str, int] = {}
        self._early: dict[str, tuple[float, str]] = {}
        self._pollers: dict[str, int] = {}
        self._generator_cpu_s = 0.0
        self.durations_s = array("d")
        self.inits_s = array("d")
        self.totals = TapTotals()
        self.gauges: list[Gauge] = []
        self.pollers: int | None = None
        self.concurrency = 0
        self.written = TableCounters()
        self.carried = TableCounters()
        self._first_put_at: float | None = None
        self._before: tuple[float, float, float, float] | None = None
        self._dead_letters_before: int | None = None

    def record(self, observation: observations.Observation) -> None:
        """The `Record` of the whole run."""
        match observation:
            case observations.MessageSettled(deleted=True):
                self._deleted(observation)
            case observations.EventSettled(succeeded=True):
                self._objects_done(observation.event, observation.at)
            case observations.InvocationStarted():
                self.concurrency += observation.function in self._consumers
            case observations.InvocationEnded():
                self._ended(observation)
            case observations.EnvironmentStarted(function=name) if name in self._consumers:
                self.inits_s.append(observation.init_s)
            case observations.InvocationThrottled():
                self.totals.throttled += 1
            case observations.MessagesReceived():
                self.totals.receives += 1
                self.totals.received += observation.count - observation.test_events
            case observations.PollersScaled():
                self._pollers[observation.mapping] = observation.concurrency
                self.pollers = sum(self._pollers.values())
            case observations.ObjectPut():
                self._first_put_at = self._first_put_at or observation.at
            case observations.LogWritten():
                self._logged(observation)
            case observations.StoreSampled():
                self._sampled(observation.counters)
                return
        self._onwards(observation)

    def accepted(self, message_id: str, number: int) -> None:
        """The queue took the message of this number, and gave it this id."""
        self._numbers[message_id] = number
        if (early := self._early.pop(message_id, None)) is not None:
            self._message_deleted(message_id, *early)

    def carry(self, table: TableCounters | None) -> None:
        """The table is about to be recreated; keep its counts so far."""
        if table is not None:
            self.carried = _added(self.carried, table)

    def sample(self, counters: StoreCounters) -> None:
        """Take the target's counters: CPU shares since the previous ones, and the current concurrency."""
        before, self._before = self._before, (counters.at, counters.cpu_s, process_cpu_s(), self._generator_cpu_s)
        if before is not None and counters.at > before[0]:
            store, own, generator = (
                (after - earlier) / (counters.at - before[0])
                for after, earlier in zip(self._before[1:], before[1:], strict=True)
            )
            self.gauges.append(
                Gauge(
                    counters.at,
                    store_cpu=store if counters.cpu_s > 0 else None,
                    handler_cpu=own,
                    generator_cpu=generator,
                    concurrency=self.concurrency,
                    pollers=self.pollers,
                    machine_load=os.getloadavg()[0],
                )
            )
        self._onwards(observations.StoreSampled(counters.at, counters))

    def sample_from_outside(self, counters: StoreCounters) -> None:
        """Take the queues' gauges, the only counters of an endpoint other than our store, and add this tap's counts.

        Messages in the dead-letter queue beyond those at the first sample count as moved there.
        """
        sent, totals, parts = self.recording.count(self.recording.all(), SENT), self.totals, self._parts
        if parts.dead_letter_queues:
            held = sum(counters.queues[each.name].held for each in parts.dead_letter_queues)
            if self._dead_letters_before is None:
                self._dead_letters_before = held
            totals.dead_lettered = max(totals.dead_lettered, held - self._dead_letters_before)
        if len(parts.queues) > 1:  # what the functions pass on is seen only when it is settled
            held = sum(counters.queues[each.name].held for each in parts.queues)
            sent = max(sent, totals.deleted + totals.dead_lettered + held)
        seen = {name: getattr(totals, name) for name in ("received", "deleted", "dead_lettered")}
        # The figures of a kind are summed, so that what was seen of all of them may stand at the first.
        queues = {
            each.name: replace(counters.queues.get(each.name, QueueCounters()), sent=sent, **seen)
            for each in parts.queues[:1]
        }
        bucket = BucketCounters(puts=0 if self._queue else sent, first_put_at=self._first_put_at)
        self.sample(
            replace(
                counters,
                queues={**counters.queues, **queues},
                tables={each.name: self.written for each in parts.tables[:1]},
                buckets={each.name: bucket for each in parts.buckets[:1]},
            )
        )

    def stored(self, key: str, at: float) -> bool:
        """The object is stored. Returns whether it belongs to this run and was not stored before."""
        return self._done(self._objects.number(key), at)

    def _done(self, number: int | None, at: float) -> bool:
        if number is None or not self.recording.store(number, at):
            return False
        self._live.stored(self.recording.planned[number], at)
        return True

    def stored_far_away(self, key: str, at: float) -> None:
        """The object is stored in a deployed stack: count its unseen message as received and deleted."""
        if self.stored(key, at):
            self.totals.received += 1
            self.totals.deleted += 1

    def generator_used(self, cpu_s: float) -> None:
        """The CPU time of the generator's process so far."""
        self._generator_cpu_s = cpu_s

    def _deleted(self, message: observations.MessageSettled) -> None:
        self.totals.deleted += not is_test_event(message.body)
        if self._queue is None:
            self._objects_done(message.body, message.at, message.reason)
        elif message.queue == self._queue:
            self._message_deleted(message.message_id, message.at, message.reason)

    def _objects_done(self, event: str, at: float, reason: str = "") -> None:
        for ref in objects_of(event):
            if reason != observations.FILTERED:
                self.stored(ref.key, at)
            elif (number := self._objects.number(ref.key)) is not None:
                self.recording.filter(number)

    def _message_deleted(self, message_id: str, at: float, reason: str) -> None:
        number = self._numbers.pop(message_id, None)
        if number is None:  # the generator has not said yet which one it is, or somebody else has sent it
            self._early[message_id] = at, reason
            if len(self._early) > limits.LOAD_EARLY_MESSAGES:
                del self._early[next(iter(self._early))]
        elif reason == observations.FILTERED:
            self.recording.filter(number)
        else:
            self._done(number, at)

    def _ended(self, invocation: observations.InvocationEnded) -> None:
        if invocation.function not in self._consumers:
            return
        self.totals.ended += 1
        self.totals.errors += invocation.outcome != "success"
        self.totals.delete_requests += -(-invocation.messages // limits.SQS_BATCH_ENTRIES)
        self.durations_s.append(invocation.duration_s)
        self.concurrency -= 1

    def _logged(self, log: observations.LogWritten) -> None:
        self.totals.log_bytes += len(log.line) + 1
        if '"_aws"' not in log.line or log.function not in self._consumers:
            return
        _, metrics = embedded_document(log.line)
        figures: dict[str, Any] = {name: round(metrics.get(metric, 0)) for name, metric in _PUBLISHED.items()}
        rows = figures["rows_written"]
        at = log.at if rows else None
        written = TableCounters(
            self.written.rows + rows, first_write_at=at, last_write_at=at, write_units=float(rows), **figures
        )
        self.written = _added(self.written, written)

    def _sampled(self, counters: StoreCounters) -> None:
        if self._target == "endpoint":
            self.sample_from_outside(counters)
        elif self._target == "store":
            names = [each.name for each in self._parts.tables[:1]]
            tables = {name: _added(self.carried, counters.tables.get(name, TableCounters())) for name in names}
            self.sample(replace(counters, tables={**counters.tables, **tables}))


_PUBLISHED = {
    "rows_written": "RowsWritten",
    "batch_writes": "BatchWrites",
    "unprocessed_items": "UnprocessedItems",
    "throttled_requests": "ThrottledRequests",
}


def _added(earlier: TableCounters, later: TableCounters) -> TableCounters:
    """Join two successive counts of one table: add the totals, take the later gauge."""
    return replace(together(TableCounters, (earlier, later)), rows=later.rows)
