"""DynamoDB's busy operations answered without moto's parser, router and serializer: reads, and the writes here.

With `strict`, a batch is validated as AWS does it and carried out as planned. Without it, this file answers only what
moto and AWS treat alike; moto does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import orjson

from simulator.store.dynamodb import reads
from simulator.store.dynamodb.by_moto import dynamodb_response
from simulator.store.dynamodb.moto_table import rows_of
from simulator.store.dynamodb.rows import Rows
from simulator.store.dynamodb.rules import WriteOperation, plan_batch, plan_write
from simulator.store.dynamodb.tables import CAPACITY_WISHES, Tables, consumed
from simulator.store.moto.application import LeftOn, LeftToMoto
from simulator.store.moto.replacement import Replacement
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Parameters, Response, Routed

_PLAIN_BATCH = {"RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
_PLAIN_PUT = {"TableName", "Item", "ReturnConsumedCapacity"}


def answer(tables: Tables, routed: Routed) -> Response:
    """The answer to one request on those tables. Raises `AwsError`, and `LeftToMoto`."""
    way = _WAYS.get(routed.operation)
    if way is None or routed.parameters is None:
        raise LeftToMoto
    return dynamodb_response(routed, way(tables, routed.parameters))


def _batch(tables: Tables, parameters: Parameters) -> bytes:
    """The answer to BatchWriteItem. Raises `AwsError`."""
    items, strict = parameters.get("RequestItems"), tables.strict
    LeftToMoto.when(not strict and (not _PLAIN_BATCH.issuperset(parameters) or not isinstance(items, dict)))
    with nullcontext() if strict else LeftOn(AwsError):
        writes = plan_batch(items, tables.tables())
    LeftToMoto.when(not (strict or all(map(_keep_numbers, writes))))
    LeftToMoto.when(not all(map(_is_plain, {id(write.table): write.table for write in writes}.values())))
    LeftToMoto.when(parameters.get("ReturnConsumedCapacity") not in CAPACITY_WISHES)
    now = tables.clock.now()
    kept, unprocessed = tables.admit_batch(writes, now)
    for write in kept:
        _apply(write)
    units = tables.wrote_batch(items or (), kept, unprocessed, now)
    result: dict[str, Any] = {"UnprocessedItems": unprocessed}
    if not strict:
        # moto always reports capacity, and always one unit.
        usual = [{"TableName": name, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}} for name in units]
        result |= {"ConsumedCapacity": usual, "ItemCollectionMetrics": {}}
    elif capacity := consumed(parameters, units):
        result["ConsumedCapacity"] = capacity
    return orjson.dumps(result)


def _put(tables: Tables, parameters: Parameters) -> bytes:
    """The answer to a PutItem without condition or return values."""
    table = tables.plain(parameters, _PLAIN_PUT)
    LeftToMoto.when(not _is_plain(table))
    with LeftOn(AwsError):  # the same mistakes have other messages for a single put
        write = plan_write(table, table.name, {"PutRequest": {"Item": parameters.get("Item")}})
    LeftToMoto.when(not tables.strict and not _keep_numbers(write))
    now = tables.clock.now()
    tables.admit_single(write, now)
    _apply(write)
    tables.activity(table).wrote(1, write.units, now)
    capacity = consumed(parameters, {table.name: write.units if tables.strict else 1})
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


_WAYS: Mapping[str, Callable[[Tables, Parameters], bytes]] = {
    "BatchWriteItem": _batch,
    "PutItem": _put,
    "GetItem": reads.get,
    "BatchGetItem": reads.batch_get,
    "Scan": reads.scan,
    "Query": reads.query,
}
ANSWERS = Replacement("dynamodb.answers")
