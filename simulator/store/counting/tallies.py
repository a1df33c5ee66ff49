"""What the store has done since it started; gauges are read from where the data is kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from simulator.base.clock import Clock
from simulator.base.counters import BucketCounters, OperationCounters, TableCounters
from simulator.store.wire.messages import Response, Routed

_PUTS = {"PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject"}


@dataclass(slots=True)
class TableActivity(TableCounters):
    """One table's writes and reads."""

    _rows_this_second: int = 0

    def wrote(self, rows: int, units: float, at: float) -> None:
        """`rows` puts were accepted at `at`; deletes also cost units."""
        self.write_units += units
        if rows <= 0:
            return
        self.rows_written += rows
        if self.last_write_at is None:
            self.first_write_at = at
        elif int(self.last_write_at) != int(at):
            self._rows_this_second = 0
        self.last_write_at = at
        self._rows_this_second += rows
        self.rows_per_s_max = max(self.rows_per_s_max, self._rows_this_second)

    def wrote_batch(self, rows: int, unprocessed: int, units: float, at: float) -> None:
        """A batch was answered: how many puts were stored, how many operations were returned, and the write units."""
        self.batch_writes += 1
        self.unprocessed_items += unprocessed
        self.throttled_requests += bool(unprocessed)
        self.wrote(rows, units, at)


@dataclass(slots=True)
class BucketActivity(BucketCounters):
    """One bucket's accepted puts."""

    def put(self, at: float) -> None:
        """An object was put."""
        self.puts += 1
        self.last_put_at = at
        if self.first_put_at is None:
            self.first_put_at = at


@dataclass(slots=True)
class Tallies:
    """What each table and bucket accepted, and what each `service.Operation` answered, by name."""

    clock: Clock
    tables: dict[str, TableActivity] = field(default_factory=lambda: defaultdict(TableActivity))
    buckets: dict[str, BucketActivity] = field(default_factory=lambda: defaultdict(BucketActivity))
    operations: dict[str, OperationCounters] = field(default_factory=lambda: defaultdict(OperationCounters))

    def worked(self, routed: Routed, seconds: float) -> OperationCounters:
        """A request took `seconds`, waiting excluded; returns the counters of its operation."""
        operation = self.operations[f"{routed.service}.{routed.operation}"]
        operation.seconds += seconds
        return operation

    def answered(self, routed: Routed, response: Response, seconds: float) -> None:
        """A request was answered."""
        operation = self.worked(routed, seconds)
        operation.requests += 1
        operation.errors += response.status >= 400
        if routed.operation in _PUTS and routed.service == "s3" and response.status == 200:
            self.buckets[routed.request.bucket_and_key[0]].put(self.clock.now())

    def observe_moto(self, routed: Routed, response: Response) -> None:
        """Count a write that moto answered."""
        parameters = routed.parameters or {}
        if routed.operation == "DeleteTable" and response.status == 200:
            name = str(parameters.get("TableName")).rsplit("/", 1)[-1]
            self.tables.pop(routed.home.full_name(name), None)
        elif routed.operation == "BatchWriteItem" and response.status == 200:
            for name, requests in parameters.get("RequestItems", {}).items():
                puts = sum("PutRequest" in each for each in requests)
                name = routed.home.full_name(name.rsplit("/", 1)[-1])
                self.tables[name].wrote_batch(puts, 0, len(requests), self.clock.now())
