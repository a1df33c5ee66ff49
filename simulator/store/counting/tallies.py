"""Totals of tables and buckets since each was first used; gauges are asked of the data's keepers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from simulator.base.clock import Clock
from simulator.store.wire.messages import Response, Routed

_PUTS = {"PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject"}


@dataclass(slots=True)
class TableActivity:
    """One table's writes and reads, named as in `TableCounters`."""

    rows_written: int = 0
    rows_per_s_max: int = 0
    first_write_at: float | None = None
    last_write_at: float | None = None
    batch_writes: int = 0
    unprocessed_items: int = 0
    throttled_requests: int = 0
    write_units: float = 0.0
    read_units: float = 0.0
    _second: int = -1
    _rows_this_second: int = 0

    def wrote(self, rows: int, units: float, at: float) -> None:
        """`rows` puts were accepted at `at`; deletes cost units, too."""
        self.write_units += units
        if rows <= 0:
            return
        self.rows_written += rows
        if self.first_write_at is None:
            self.first_write_at = at
        self.last_write_at = at
        second = int(at)
        if second != self._second:
            self._second, self._rows_this_second = second, 0
        self._rows_this_second += rows
        self.rows_per_s_max = max(self.rows_per_s_max, self._rows_this_second)

    def wrote_batch(self, rows: int, unprocessed: int, units: float, at: float) -> None:
        """A batch was answered: so many puts stored, so many operations handed back, so many write units."""
        self.batch_writes += 1
        self.unprocessed_items += unprocessed
        self.throttled_requests += bool(unprocessed)
        self.wrote(rows, units, at)

    def refused(self, operations: int) -> None:
        """A write request was refused as a whole."""
        self.throttled_requests += 1
        self.unprocessed_items += operations


@dataclass(slots=True)
class BucketActivity:
    """One bucket's accepted puts, named as in `BucketCounters`."""

    puts: int = 0
    first_put_at: float | None = None
    last_put_at: float | None = None


@dataclass(slots=True)
class Tallies:
    """What each table and bucket took in, by name."""

    clock: Clock
    tables: dict[str, TableActivity] = field(default_factory=lambda: defaultdict(TableActivity))
    buckets: dict[str, BucketActivity] = field(default_factory=lambda: defaultdict(BucketActivity))

    def observe(self, routed: Routed, response: Response) -> None:
        """Count an object that was put."""
        if routed.operation in _PUTS and routed.service == "s3" and response.status == 200:
            bucket = self.buckets[routed.request.bucket_and_key[0]]
            bucket.puts += 1
            bucket.last_put_at = self.clock.now()
            if bucket.first_put_at is None:
                bucket.first_put_at = bucket.last_put_at

    def observe_moto(self, routed: Routed, response: Response) -> None:
        """Fold in a write that moto answered."""
        parameters = routed.parameters or {}
        if routed.operation == "DeleteTable" and response.status == 200:
            self.tables.pop(str(parameters.get("TableName")), None)
        elif routed.operation == "BatchWriteItem" and response.status == 200:
            for name, requests in parameters.get("RequestItems", {}).items():
                puts = sum("PutRequest" in each for each in requests)
                self.tables[name].wrote_batch(puts, 0, len(requests), self.clock.now())
