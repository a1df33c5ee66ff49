"""DynamoDB's busy operations answered without moto's parser, router and serializer: reads, and the writes here.

With `strict`, a batch is validated as AWS does it and carried out as planned. Without it, this file answers only what
moto and AWS treat alike; moto does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from simulator.store.dynamodb.by_moto import dynamodb_response
from simulator.store.dynamodb.moto_table import rows_of
from simulator.store.dynamodb.reads import TableReads
from simulator.store.dynamodb.rows import Rows
from simulator.store.dynamodb.rules import WriteOperation, plan_batch, plan_write
from simulator.store.dynamodb.tables import CAPACITY_WISHES, Tables, consumed
from simulator.store.moto.application import LeftToMoto
from simulator.store.moto.replacement import Replacement
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Response, Routed

_PLAIN_BATCH = {"RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
_PLAIN_PUT = {"TableName", "Item", "ReturnConsumedCapacity"}


@dataclass(frozen=True, slots=True)
class TableWrites:
    """BatchWriteItem and PutItem on the tables of one store. Both may also raise `LeftToMoto`."""

    tables: Tables

    def batch(self, parameters: Mapping[str, Any]) -> bytes:
        """The answer to BatchWriteItem. Raises `AwsError`."""
        items, strict = parameters.get("RequestItems"), self.tables.strict
        LeftToMoto.when(not strict and (not _PLAIN_BATCH.issuperset(parameters) or not isinstance(items, dict)))
        try:
            writes = plan_batch(items, self.tables.tables())
        except AwsError:
            if strict:
                raise
            raise LeftToMoto from None
        tables = {id(write.table): write.table for write in writes}.values()
        LeftToMoto.when(not (strict or all(map(_keep_numbers, writes))) or not all(map(_is_plain, tables)))
        LeftToMoto.when(parameters.get("ReturnConsumedCapacity") not in CAPACITY_WISHES)
        now = self.tables.clock.now()
        kept, unprocessed = self.tables.admit_batch(writes, now)
        for write in kept:
            _apply(write)
        units = self.tables.wrote_batch(items or (), kept, unprocessed, now)
        result: dict[str, Any] = {"UnprocessedItems": unprocessed}
        if not strict:
            # moto always reports capacity, and always one unit.
            usual = [{"TableName": name, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}} for name in units]
            result |= {"ConsumedCapacity": usual, "ItemCollectionMetrics": {}}
        elif capacity := consumed(parameters, units):
            result["ConsumedCapacity"] = capacity
        return orjson.dumps(result)

    def put(self, parameters: Mapping[str, Any]) -> bytes:
        """The answer to a PutItem without condition or return values."""
        table = self.tables.named(parameters.get("TableName"))
        LeftToMoto.when(table is None or not _is_plain(table) or not _PLAIN_PUT.issuperset(parameters))
        LeftToMoto.when(parameters.get("ReturnConsumedCapacity") not in CAPACITY_WISHES)
        with LeftToMoto.on(AwsError):  # For a single put, the same mistakes have different messages.
            write = plan_write(table, table.name, {"PutRequest": {"Item": parameters.get("Item")}})
        LeftToMoto.when(not self.tables.strict and not _keep_numbers(write))
        now = self.tables.clock.now()
        self.tables.admit_single(write, now)
        _apply(write)
        self.tables.activity(table).wrote(1, write.units, now)
        capacity = consumed(parameters, {table.name: write.units if self.tables.strict else 1})
        return orjson.dumps({"ConsumedCapacity": capacity[0]} if capacity else {})


def _apply(write: WriteOperation) -> None:
    rows: Rows = write.table.items
    if write.row is None:
        rows.drop(write.hash_key, write.sort_key)
    else:
        rows.put(write.hash_key, write.sort_key, write.row)


def _keep_numbers(write: WriteOperation) -> bool:
    """Make the row hold its numbers as the client wrote them, as moto does; False if a key is among them."""
    put = write.request.get("PutRequest")
    if put is None:
        return True
    # A copy, because orjson's buffer is larger than its content.
    written = bytes(memoryview(orjson.dumps(put["Item"])))
    if "N" in (write.table.hash_key_type, write.table.range_key_type):
        return write.row == written
    write.reads_back(written)
    return True


def _is_plain(table: Any) -> bool:
    """Whether writing a row involves nothing else: no stream to feed, no index keys to check."""
    return rows_of(table) is not None and table.stream_shard is None and not table.global_indexes and not table.indexes


def answers(tables: Tables) -> Callable[[Routed], Response]:
    """A function that answers a request on those tables. Raises `AwsError`, and `LeftToMoto`."""
    writes, reads = TableWrites(tables), TableReads(tables)
    ways: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
        "BatchWriteItem": writes.batch,
        "PutItem": writes.put,
        "GetItem": reads.get,
        "BatchGetItem": reads.batch_get,
        "Scan": reads.scan,
        "Query": reads.query,
    }

    def answer(routed: Routed) -> Response:
        way = ways.get(routed.operation)
        if way is None or routed.parameters is None:
            raise LeftToMoto
        return dynamodb_response(routed, way(routed.parameters))

    return answer


ANSWERS = Replacement("dynamodb.answers")
