"""What a load test takes from the observations on their way to telemetry.

Stored instants come from settled messages or, for a deployed stack, from log lines; handler figures come from
invocations, CPU shares from the target's counters. Hot paths call it, so it only adds.
"""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass, replace
from typing import Any

from simulator.base import limits, observations
from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters, is_test_event
from simulator.base.observations import Record
from simulator.base.usage import process_cpu_s
from simulator.load.measure.live import Live
from simulator.load.measure.recording import SENT, Recording
from simulator.load.measure.series import Gauge
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import TargetName
from simulator.proof.notifications import objects_of
from simulator.stack.wiring import Wiring
from simulator.telemetry.metrics import embedded_metrics


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
    `written` is the number of rows that the consumer says it wrote.
    """

    def __init__(
        self, onwards: Record, recording: Recording, wiring: Wiring, objects: Objects, live: Live, target: TargetName
    ) -> None:
        self._onwards, self.recording, self.wiring = onwards, recording, wiring
        self._objects, self._live, self._target = objects, live, target
        self._consumer = wiring.consumer.logical_id
        self._generator_cpu_s = 0.0
        self.durations_s = array("d")
        self.inits_s = array("d")
        self.totals = TapTotals()
        self.gauges: list[Gauge] = []
        self.pollers: int | None = None
        self.concurrency = 0
        self.written = TableCounters()
        self._carried = TableCounters()
        self._first_put_at: float | None = None
        self._before: tuple[float, float, float, float] | None = None
        self._dead_letters_before: int | None = None

    def record(self, observation: observations.Observation) -> None:
        """The `Record` of the whole run."""
        match observation:
            case observations.MessageSettled(deleted=True):
                self._deleted(observation)
            case observations.InvocationStarted(function=self._consumer):
                self.concurrency += 1
            case observations.InvocationEnded(function=self._consumer):
                self._ended(observation)
            case observations.EnvironmentStarted(function=self._consumer):
                self.inits_s.append(observation.init_s)
            case observations.InvocationThrottled():
                self.totals.throttled += 1
            case observations.MessagesReceived():
                self.totals.receives += 1
                self.totals.received += observation.count - observation.test_events
            case observations.PollersScaled():
                self.pollers = observation.concurrency
            case observations.ObjectPut():
                self._first_put_at = self._first_put_at or observation.at
            case observations.LogWritten():
                self._logged(observation)
            case observations.StoreSampled():
                self._sampled(observation.counters)
                return
        self._onwards(observation)

    def carry(self, table: TableCounters | None) -> None:
        """The table is about to be recreated; keep its counts so far."""
        if table is not None:
            self._carried = _added(self._carried, table)

    @property
    def carried_rows(self) -> int:
        """Rows written to tables that no longer exist."""
        return self._carried.rows_written

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
        sent, name = self.recording.count(self.recording.all(), SENT), self.wiring.queue.name
        queue, totals = counters.queues.get(name, QueueCounters()), self.totals
        if self.wiring.dead_letter_queue is not None:
            held = counters.queues[self.wiring.dead_letter_queue.name].held
            if self._dead_letters_before is None:
                self._dead_letters_before = held
            totals.dead_lettered = max(totals.dead_lettered, held - self._dead_letters_before)
        queue = replace(
            queue,
            sent=sent,
            received=totals.received,
            deleted=totals.deleted,
            dead_lettered=totals.dead_lettered,
        )
        bucket = BucketCounters(puts=sent, first_put_at=self._first_put_at)
        self.sample(
            replace(
                counters,
                queues={**counters.queues, name: queue},
                tables={self.wiring.table.name: self.written},
                buckets={self.wiring.bucket.name: bucket},
            )
        )

    def stored(self, key: str, at: float) -> bool:
        """The object is stored. Returns whether it belongs to this run and was not stored before."""
        number = self._objects.number(key)
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
        for ref in objects_of(message.body):
            if message.reason != observations.FILTERED:
                self.stored(ref.key, message.at)
            elif (number := self._objects.number(ref.key)) is not None:
                self.recording.filter(number)

    def _ended(self, invocation: observations.InvocationEnded) -> None:
        self.totals.ended += 1
        self.totals.errors += invocation.outcome != "success"
        self.totals.delete_requests += -(-invocation.messages // limits.SQS_BATCH_ENTRIES)
        self.durations_s.append(invocation.duration_s)
        self.concurrency -= 1

    def _logged(self, log: observations.LogWritten) -> None:
        self.totals.log_bytes += len(log.line) + 1
        if '"_aws"' not in log.line or log.function != self._consumer:
            return
        metrics = embedded_metrics(log.line) or {}
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
            name = self.wiring.table.name
            table = _added(self._carried, counters.tables.get(name, TableCounters()))
            self.sample(replace(counters, tables={**counters.tables, name: table}))


_PUBLISHED = {
    "rows_written": "RowsWritten",
    "batch_writes": "BatchWrites",
    "unprocessed_items": "UnprocessedItems",
    "throttled_requests": "ThrottledRequests",
}
_SUMS = (*_PUBLISHED, "write_units", "read_units")


def _added(earlier: TableCounters, later: TableCounters) -> TableCounters:
    """Join two successive counts of one table: add the totals, take the later gauges."""
    sums: dict[str, Any] = {name: getattr(earlier, name) + getattr(later, name) for name in _SUMS}
    return replace(
        later,
        **sums,
        rows_per_s_max=max(earlier.rows_per_s_max, later.rows_per_s_max),
        first_write_at=earlier.first_write_at or later.first_write_at,
        last_write_at=later.last_write_at or earlier.last_write_at,
    )
