"""Totals of tables and buckets, folded from the answers that went out; gauges are asked of the data's keepers."""

from __future__ import annotations

from typing import Any

import orjson

from simulator.clock import Clock
from simulator.store.activity import BucketActivity, TableActivity
from simulator.store.http import Request, Response

_PUTS = {"PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject"}
_THROTTLES = (b"ProvisionedThroughputExceededException", b"ThrottlingException", b"RequestLimitExceeded")


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
        if request.service == "dynamodb":
            self._observe_table(request, response)
        elif request.service == "s3" and request.operation in _PUTS and response.status == 200:
            bucket = request.path.lstrip("/").partition("/")[0]
            activity = self.buckets.get(bucket)
            if activity is None:
                activity = self.buckets[bucket] = BucketActivity()
            activity.put(self._clock.now())

    def _observe_table(self, request: Request, response: Response) -> None:
        parameters = request.parameters or {}
        operation = request.operation
        if operation == "BatchWriteItem":
            self._observe_batch(parameters, response)
            return
        name = parameters.get("TableName")
        if not isinstance(name, str):
            return
        if response.status == 200:
            if operation == "PutItem":
                self.table(name).wrote(1, self._clock.now())
            elif operation == "DeleteTable":
                self.tables.pop(name, None)
        elif any(code in response.body for code in _THROTTLES):
            self.table(name).throttled_requests += 1

    def _observe_batch(self, parameters: Any, response: Response) -> None:
        items = parameters.get("RequestItems")
        if not isinstance(items, dict):
            return
        if response.status != 200:
            if any(code in response.body for code in _THROTTLES):
                for name, requests in items.items():
                    activity = self.table(name)
                    activity.throttled_requests += 1
                    activity.unprocessed_items += len(requests)
            return
        refused: Any = {}
        if b'"UnprocessedItems":{}' not in response.body and b'"UnprocessedItems": {}' not in response.body:
            refused = orjson.loads(response.body).get("UnprocessedItems") or {}
        now = self._clock.now()
        for name, requests in items.items():
            left = refused.get(name, ())
            activity = self.table(name)
            activity.batch_writes += 1
            activity.unprocessed_items += len(left)
            if left:
                activity.throttled_requests += 1
            puts = sum("PutRequest" in request for request in requests)
            activity.wrote(puts - sum("PutRequest" in request for request in left), now)

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
            "objects": len(bucket.keys),
            "size_bytes": sum(key.size for key in bucket.keys.values()),
            "puts": activity.puts,
            "first_put_at": activity.first_put_at,
            "last_put_at": activity.last_put_at,
        }
