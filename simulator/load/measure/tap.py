"""What a load test takes from the observations that pass by, on their way to telemetry.

Stored instants come from settled messages, handler figures from invocations, CPU shares from the engine's counters.
Called between two steps of hot paths: it only adds.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace

from simulator.base import limits
from simulator.base.counters import QueueCounters, StoreCounters, TableCounters
from simulator.base.observations import (
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
    LogWritten,
    MessageSettled,
    MessagesReceived,
    Observation,
    PollersScaled,
    Record,
    StoreSampled,
)
from simulator.base.usage import process_cpu_s
from simulator.load.measure.recording import Recording
from simulator.load.measure.series import Gauge
from simulator.load.plan.objects import Objects
from simulator.proof.notifications import objects_of
from simulator.telemetry.metrics import embedded_metrics
from simulator.twin.resources import Wiring


@dataclass(slots=True)
class TapTotals:
    """Counts of the consumer's work so far. `busy_s` is the sum of all invocations' times, for mean concurrency."""

    invocations: int = 0
    ended: int = 0
    errors: int = 0
    throttled: int = 0
    receives: int = 0
    received: int = 0
    deleted: int = 0
    delete_requests: int = 0
    log_bytes: int = 0
    rows_written: int = 0
    batch_writes: int = 0
    unprocessed_items: int = 0
    table_throttled: int = 0
    busy_s: float = 0.0

    def copy(self) -> TapTotals:
        """As they stand now."""
        return replace(self)


class Tap:
    """Stands between the twin and telemetry. `objects` and `on_stored` are set once the run knows its objects.

    `foreign` is set when the engine is not ours: its samples are completed with what was observed.
    """

    def __init__(self, onwards: Record, recording: Recording, wiring: Wiring, *, foreign: bool, sink: bool) -> None:
        self._onwards, self.recording, self.wiring = onwards, recording, wiring
        self._foreign, self._sink = foreign, sink
        self.objects: Objects | None = None
        self.on_stored: Callable[[int, float], None] | None = None
        self.generator_cpu_s: Callable[[], float] = lambda: 0.0
        self.durations_s = array("d")
        self.inits_s = array("d")
        self.totals = TapTotals()
        self.gauges: list[Gauge] = []
        self.pollers: int | None = None
        self.concurrency = self.concurrency_max = 0
        self._concurrency_at = 0.0
        self._carried = TableCounters()
        self._before: tuple[float, float, float, float] | None = None
        self._first_write_at: float | None = None
        self._last_write_at: float | None = None

    def record(self, observation: Observation) -> None:
        """The `Record` of the whole run."""
        match observation:
            case MessageSettled():
                self._settled(observation)
            case InvocationStarted(function=function) if function == self.wiring.consumer.logical_id:
                self.totals.invocations += 1
                self._concurrent(observation.at, 1)
            case InvocationEnded(function=function) if function == self.wiring.consumer.logical_id:
                self._ended(observation)
            case EnvironmentStarted(function=function) if function == self.wiring.consumer.logical_id:
                self.inits_s.append(observation.init_s)
            case InvocationThrottled():
                self.totals.throttled += 1
            case MessagesReceived():
                self.totals.receives += 1
                self.totals.received += observation.count
            case PollersScaled():
                self.pollers = observation.concurrency
            case LogWritten():
                self._logged(observation)
            case StoreSampled():
                if self._sink:
                    # The sink is sampled by its own counters; of the queue's API there is nothing to add.
                    return
                observation = self._sampled(observation)
        self._onwards(observation)

    def carry(self, table: TableCounters | None) -> None:
        """The table is about to be made anew: what was counted of it so far goes on counting."""
        if table is not None:
            self._carried = _added(self._carried, table)

    def sample(self, counters: StoreCounters) -> None:
        """Counters that somebody else read: the sink's."""
        observation = StoreSampled(counters.at, counters)
        self._gauge(observation)
        self._onwards(observation)

    def _settled(self, message: MessageSettled) -> None:
        if not message.deleted:
            return
        for ref in objects_of(message.body):
            self.stored(ref.key, message.at)
        self.totals.deleted += 1

    def stored(self, key: str, at: float) -> None:
        """The object is stored, if it is one of this run."""
        number = self.objects.number(key) if self.objects is not None else None
        if number is not None and self.recording.store(number, at) and self.on_stored is not None:
            self.on_stored(number, at)

    def _ended(self, invocation: InvocationEnded) -> None:
        self.totals.ended += 1
        self.totals.errors += invocation.outcome != "success"
        self.totals.delete_requests += -(-invocation.messages // limits.SQS_BATCH_ENTRIES)
        self.durations_s.append(invocation.duration_s)
        self._concurrent(invocation.at, -1)

    def _concurrent(self, at: float, change: int) -> None:
        self.totals.busy_s += self.concurrency * max(0.0, at - self._concurrency_at)
        self._concurrency_at = max(at, self._concurrency_at)
        self.concurrency += change
        self.concurrency_max = max(self.concurrency_max, self.concurrency)

    def busy_s(self, now: float) -> float:
        """Invocation time so far, those at work included."""
        return self.totals.busy_s + self.concurrency * max(0.0, now - self._concurrency_at)

    def _logged(self, log: LogWritten) -> None:
        self.totals.log_bytes += len(log.line) + 1
        if '"_aws"' not in log.line or log.function != self.wiring.consumer.logical_id:
            return
        metrics = embedded_metrics(log.line) or {}
        rows = round(metrics.get("RowsWritten", 0))
        self.totals.rows_written += rows
        self.totals.batch_writes += round(metrics.get("BatchWrites", 0))
        self.totals.unprocessed_items += round(metrics.get("UnprocessedItems", 0))
        self.totals.table_throttled += round(metrics.get("ThrottledRequests", 0))
        if rows:
            self._first_write_at = self._first_write_at or log.at
            self._last_write_at = log.at

    def _sampled(self, sample: StoreSampled) -> StoreSampled:
        if self._foreign:
            sample = replace(sample, counters=self._completed(sample.counters))
        elif self._carried.rows_written:
            name = self.wiring.table.name
            table = _added(self._carried, sample.counters.tables.get(name, TableCounters()))
            sample = replace(sample, counters=replace(sample.counters, tables={**sample.counters.tables, name: table}))
        self._gauge(sample)
        return sample

    def _completed(self, counters: StoreCounters) -> StoreCounters:
        """A foreign engine tells the queues' gauges alone; the rest is what was seen to go in and out."""
        totals, name = self.totals, self.wiring.queue.name
        queue = replace(
            counters.queues.get(name, QueueCounters()),
            sent=len(self.recording) - self.recording.dropped - self.recording.failed,
            received=totals.received,
            deleted=totals.deleted,
        )
        table = TableCounters(
            rows=totals.rows_written,
            rows_written=totals.rows_written,
            first_write_at=self._first_write_at,
            last_write_at=self._last_write_at,
            batch_writes=totals.batch_writes,
            unprocessed_items=totals.unprocessed_items,
            throttled_requests=totals.table_throttled,
            write_units=float(totals.rows_written),
        )
        return replace(counters, queues={**counters.queues, name: queue}, tables={self.wiring.table.name: table})

    def _gauge(self, sample: StoreSampled) -> None:
        """CPU shares since the sample before, and the concurrency of the moment."""
        now = (sample.at, sample.counters.cpu_s, process_cpu_s(), self.generator_cpu_s())
        before, self._before = self._before, now
        if before is None or now[0] <= before[0]:
            return
        length_s = now[0] - before[0]
        store, own, generator = (
            (after - earlier) / length_s for after, earlier in zip(now[1:], before[1:], strict=True)
        )
        self.gauges.append(
            Gauge(
                sample.at,
                store_cpu=store if sample.counters.cpu_s > 0 else None,
                handler_cpu=own,
                generator_cpu=generator,
                concurrency=self.concurrency,
                pollers=self.pollers,
                machine_load=os.getloadavg()[0],
            )
        )


def _added(earlier: TableCounters, later: TableCounters) -> TableCounters:
    """The counters of one table that was deleted and made again."""
    return replace(
        later,
        rows_written=earlier.rows_written + later.rows_written,
        rows_per_s_max=max(earlier.rows_per_s_max, later.rows_per_s_max),
        first_write_at=later.first_write_at if earlier.first_write_at is None else earlier.first_write_at,
        last_write_at=earlier.last_write_at if later.last_write_at is None else later.last_write_at,
        batch_writes=earlier.batch_writes + later.batch_writes,
        unprocessed_items=earlier.unprocessed_items + later.unprocessed_items,
        throttled_requests=earlier.throttled_requests + later.throttled_requests,
        write_units=earlier.write_units + later.write_units,
        read_units=earlier.read_units + later.read_units,
    )
