"""Writes to DynamoDB: the rules, the throttles and the fast path of BatchWriteItem and PutItem, on `Rows`.

With `strict`, a batch is validated as AWS does it and carried out as planned. Without it only what moto and AWS treat
alike is answered here; the rest is moto's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from simulator.store.dynamodb.batch_writes import WriteOperation, plan_batch, plan_write
from simulator.store.dynamodb.moto_table import rows_of
from simulator.store.dynamodb.tables import CAPACITY_WISHES, Tables, consumed
from simulator.store.moto.application import LeftToMoto
from simulator.store.wire.aws_errors import AwsError

_PLAIN_BATCH = {"RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
_PLAIN_PUT = {"TableName", "Item", "ReturnConsumedCapacity"}


class TableWrites:
    """BatchWriteItem and PutItem on the tables of one store. Each raises `LeftToMoto`, too."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def batch(self, parameters: Mapping[str, Any]) -> bytes:
        """The answer to BatchWriteItem. Raises `AwsError`."""
        items, strict = parameters.get("RequestItems"), self._tables.strict
        if not strict and (not _PLAIN_BATCH.issuperset(parameters) or not isinstance(items, dict)):
            raise LeftToMoto
        try:
            writes = plan_batch(items, self._tables.tables())
        except AwsError:
            if strict:
                raise
            raise LeftToMoto from None
        if not strict and not all(map(_keep_numbers, writes)):
            raise LeftToMoto
        if not all(map(_is_plain, {id(write.table): write.table for write in writes}.values())):
            raise LeftToMoto
        if parameters.get("ReturnConsumedCapacity") not in CAPACITY_WISHES:
            raise LeftToMoto
        now = self._tables.clock.now()
        kept, unprocessed = self._tables.admit_batch(writes, now)
        for write in kept:
            _apply(write)
        units = self._tables.wrote_batch(items or (), kept, unprocessed, now)
        result: dict[str, Any] = {"UnprocessedItems": unprocessed}
        if not strict:
            # moto always reports, and always one unit.
            usual = [{"TableName": name, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}} for name in units]
            result |= {"ConsumedCapacity": usual, "ItemCollectionMetrics": {}}
        elif capacity := consumed(parameters, units):
            result["ConsumedCapacity"] = capacity
        return orjson.dumps(result)

    def put(self, parameters: Mapping[str, Any]) -> bytes:
        """The answer to a PutItem without condition or return values."""
        table = self._tables.named(parameters.get("TableName"))
        if table is None or not _is_plain(table) or not _PLAIN_PUT.issuperset(parameters):
            raise LeftToMoto
        if parameters.get("ReturnConsumedCapacity") not in CAPACITY_WISHES:
            raise LeftToMoto
        try:
            write = plan_write(table, table.name, {"PutRequest": {"Item": parameters.get("Item")}})
        except AwsError:
            # The same mistakes have other texts for a single put, and those are moto's.
            raise LeftToMoto from None
        if not self._tables.strict and not _keep_numbers(write):
            raise LeftToMoto
        now = self._tables.clock.now()
        self._tables.admit_single(write, now)
        _apply(write)
        self._tables.tallies.tables[table.name].wrote(1, write.units, now)
        capacity = consumed(parameters, {table.name: write.units if self._tables.strict else 1})
        return orjson.dumps({"ConsumedCapacity": capacity[0]} if capacity else {})


def _apply(write: WriteOperation) -> None:
    rows = rows_of(write.table)
    assert rows is not None  # noqa: S101 `_is_plain` has looked
    if write.row is None:
        rows.drop(write.hash_key, write.sort_key)
    else:
        rows.put(write.hash_key, write.sort_key, write.row)


def _keep_numbers(write: WriteOperation) -> bool:
    """Make the row hold its numbers as the client wrote them, as moto does; False where a key is one of them."""
    put = write.request.get("PutRequest")
    if put is None:
        return True
    # A copy, because orjson's buffer is larger than what it holds.
    written = bytes(memoryview(orjson.dumps(put["Item"])))
    if "N" in (write.table.hash_key_type, write.table.range_key_type):
        return write.row == written
    write.row = written
    return True


def _is_plain(table: Any) -> bool:
    """Whether writing a row is all there is to it: no stream to feed, no index keys to check."""
    return rows_of(table) is not None and table.stream_shard is None and not table.global_indexes and not table.indexes
