"""Writes to DynamoDB: the rules, the throttles and the fast path of BatchWriteItem and PutItem, on `Rows`.

With `strict`, a batch is validated as AWS does it and carried out as planned. Without it only what moto and AWS treat
alike is answered here; the rest is moto's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from simulator.base.clock import Clock
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb.batch_writes import WriteOperation, plan_batch, plan_write, row_units
from simulator.store.dynamodb.moto_table import rows_of
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.wire.aws_errors import AwsError

_PLAIN_BATCH = {"RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
_PLAIN_PUT = {"TableName", "Item", "ReturnConsumedCapacity"}
_CAPACITY_WISHES = (None, "NONE", "TOTAL", "INDEXES")

WriteResult = dict[str, Any]


class TableWrites:
    """BatchWriteItem and PutItem on the tables of one store."""

    def __init__(
        self,
        tables: Callable[[], Mapping[str, Any]],
        tallies: Tallies,
        throttles: Throttles,
        clock: Clock,
        *,
        strict: bool,
    ) -> None:
        self._tables = tables
        self._tallies = tallies
        self._throttles = throttles
        self._clock = clock
        self._strict = strict

    def batch(self, parameters: Mapping[str, Any], body_bytes: int) -> WriteResult | None:
        """The answer to BatchWriteItem; None where moto must give it. Raises `AwsError`."""
        items = parameters.get("RequestItems")
        if not self._strict:
            if not _PLAIN_BATCH.issuperset(parameters) or not isinstance(items, dict):
                return None
            writes = self._plan_as_moto(items)
            if writes is None:
                return None
        else:
            writes = plan_batch(items, self._tables(), body_bytes)
        if not all(map(_is_plain, {id(write.table): write.table for write in writes}.values())):
            return None
        wish = parameters.get("ReturnConsumedCapacity")
        if wish not in _CAPACITY_WISHES:
            return None
        return self._carry_out(writes, dict(items or {}), wish)

    def put(self, parameters: Mapping[str, Any]) -> WriteResult | None:
        """The answer to a PutItem without condition or return values; None where moto must give it."""
        if not _PLAIN_PUT.issuperset(parameters):
            return None
        wish, name = parameters.get("ReturnConsumedCapacity"), parameters.get("TableName")
        table = self._tables().get(name) if isinstance(name, str) else None
        if table is None or not _is_plain(table) or wish not in _CAPACITY_WISHES:
            return None
        try:
            write = plan_write(table, str(name), {"PutRequest": {"Item": parameters.get("Item")}})
        except AwsError:
            # The same mistakes have other texts for a single put, and those are moto's.
            return None
        if not self._strict:
            write.row = _as_written(write, parameters["Item"])
            if write.row is None:
                return None
        reason = self._apply(write, self._clock.now())
        if reason is not None:
            raise self._throttles.write_error(table, reason)
        return self._capacity_of_put(str(name), wish, write.units)

    def _plan_as_moto(self, items: Mapping[str, Any]) -> list[WriteOperation] | None:
        try:
            writes = plan_batch(items, self._tables(), 0)
        except AwsError:
            return None
        for write in writes:
            put = write.request.get("PutRequest")
            if put is not None:
                write.row = _as_written(write, put["Item"])
                if write.row is None:
                    return None
        return writes

    def _carry_out(self, writes: list[WriteOperation], items: Mapping[str, Any], wish: str | None) -> WriteResult:
        now = self._clock.now()
        unprocessed: dict[str, list[Any]] = {}
        stored: dict[str, int] = {}
        units: dict[str, int] = {}
        refused: tuple[Any, str] | None = None
        for write in writes:
            name = write.table_name
            reason = self._apply(write, now)
            if reason is not None:
                refused = write.table, reason
                unprocessed.setdefault(name, []).append(write.request)
                continue
            units[name] = units.get(name, 0) + write.units
            if write.row is not None:
                stored[name] = stored.get(name, 0) + 1
        if refused is not None and not units:
            for name, requests in items.items():
                self._tallies.tables[name].refused(len(requests))
            raise self._throttles.write_error(*refused)
        for name in items:
            self._tallies.tables[name].wrote_batch(
                stored.get(name, 0), len(unprocessed.get(name, ())), units.get(name, 0), now
            )
        result: WriteResult = {"UnprocessedItems": unprocessed}
        if not self._strict:
            # moto always reports, and always one unit.
            result |= {
                "ConsumedCapacity": [
                    {"TableName": name, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}} for name in items
                ],
                "ItemCollectionMetrics": {},
            }
        elif wish in ("TOTAL", "INDEXES"):
            result["ConsumedCapacity"] = [consumed(name, units.get(name, 0), wish) for name in items]
        return result

    def _apply(self, write: WriteOperation, now: float) -> str | None:
        """Store or delete one row, or name the limit that forbids it."""
        rows = rows_of(write.table)
        assert rows is not None  # noqa: S101 `_is_plain` has looked
        old = rows.row(write.hash_key, write.sort_key)
        if write.row is None:
            write.units = row_units(old)
        elif old is not None and len(old) > 1_024:
            # Replacing a larger item costs what the larger one does.
            write.units = max(write.units, row_units(old))
        reason = self._throttles.write(write.table, write.hash_key, write.units, now)
        if reason is not None:
            return reason
        if write.row is None:
            rows.drop(write.hash_key, write.sort_key)
        else:
            rows.put(write.hash_key, write.sort_key, write.row)
        return None

    def _capacity_of_put(self, name: str, wish: str | None, units: int) -> WriteResult:
        self._tallies.tables[name].wrote(1, units, self._clock.now())
        if wish not in ("TOTAL", "INDEXES"):
            return {}
        return {"ConsumedCapacity": consumed(name, units if self._strict else 1, wish)}


def consumed(name: str, units: float, wish: str) -> dict[str, Any]:
    """ConsumedCapacity of one table, as TOTAL or INDEXES asks for it."""
    result: dict[str, Any] = {"TableName": name, "CapacityUnits": float(units)}
    if wish == "INDEXES":
        result["Table"] = {"CapacityUnits": float(units)}
    return result


def _as_written(write: WriteOperation, item: Mapping[str, Any]) -> bytes | None:
    """The row with its numbers as the client wrote them, as moto keeps them; None where a key is one of them."""
    if "N" in (write.table.hash_key_type, write.table.range_key_type):
        return write.row if write.row == orjson.dumps(item) else None
    # A copy, because orjson's buffer is larger than what it holds.
    return bytes(memoryview(orjson.dumps(item)))


def _is_plain(table: Any) -> bool:
    """Whether writing a row is all there is to it: no stream to feed, no index keys to check."""
    return rows_of(table) is not None and table.stream_shard is None and not table.global_indexes and not table.indexes
