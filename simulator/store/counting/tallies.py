"""Totals of tables and buckets, folded from the answers that went out; gauges are asked of the data's keepers."""

from __future__ import annotations

from typing import Any

from simulator.base.clock import Clock
from simulator.store.counting.activity import BucketActivity, TableActivity
from simulator.store.wire.messages import Request, Response

_PUTS = {"PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject"}


class Tallies:
    """What each table and bucket took in, by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tables: dict[str, TableActivity] = {}
        self.buckets: dict[str, BucketActivity] = {}

    def table(self, name: str) -> TableActivity:
        """The activity of a table, made on first use."""
        activity = self.tables.get(name)
        if activity is None:
            activity = self.tables[name] = TableActivity()
        return activity

    def observe(self, request: Request, response: Response) -> None:
        """Fold one answered request in."""
        if request.service == "s3" and request.operation in _PUTS and response.status == 200:
            bucket = request.path.lstrip("/").partition("/")[0]
            activity = self.buckets.get(bucket)
            if activity is None:
                activity = self.buckets[bucket] = BucketActivity()
            activity.put(self._clock.now())

    def batch_written(self, name: str, rows: int, unprocessed: int, units: float, now: float) -> None:
        """A batch was answered: so many puts stored, so many operations handed back, so many write units."""
        activity = self.table(name)
        activity.batch_writes += 1
        activity.unprocessed_items += unprocessed
        activity.write_units += units
        if unprocessed:
            activity.throttled_requests += 1
        activity.wrote(rows, now)

    def put_written(self, name: str, units: float, now: float) -> None:
        """A single put was stored."""
        activity = self.table(name)
        activity.write_units += units
        activity.wrote(1, now)

    def refused(self, name: str, operations: int) -> None:
        """A write request was refused as a whole."""
        activity = self.table(name)
        activity.throttled_requests += 1
        activity.unprocessed_items += operations

    def observe_moto(self, request: Request, response: Response) -> None:
        """Fold in a write that moto answered."""
        parameters = request.parameters or {}
        now = self._clock.now()
        if request.operation == "DeleteTable" and response.status == 200:
            self.tables.pop(str(parameters.get("TableName")), None)
        elif request.operation == "BatchWriteItem" and response.status == 200:
            for name, requests in parameters.get("RequestItems", {}).items():
                puts = sum("PutRequest" in each for each in requests)
                self.batch_written(name, puts, 0, len(requests), now)

    def table_counters(self, name: str, table: Any) -> dict[str, Any]:
        """One table's part of the counters."""
        activity = self.table(name)
        return {
            "rows": len(table),
            "rows_written": activity.rows_written,
            "rows_per_s_max": activity.rows_per_s_max,
            "first_write_at": activity.first_write_at,
            "last_write_at": activity.last_write_at,
            "batch_writes": activity.batch_writes,
            "unprocessed_items": activity.unprocessed_items,
            "throttled_requests": activity.throttled_requests,
            "write_units": activity.write_units,
            "read_units": activity.read_units,
        }

    def bucket_counters(self, name: str, bucket: Any) -> dict[str, Any]:
        """One bucket's part of the counters."""
        activity = self.buckets.get(name, BucketActivity())
        return {
            "objects": getattr(bucket.keys, "object_count", len(bucket.keys)),
            "size_bytes": getattr(bucket.keys, "size_bytes", 0),
            "puts": activity.puts,
            "first_put_at": activity.first_put_at,
            "last_put_at": activity.last_put_at,
        }
