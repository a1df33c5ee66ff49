"""DynamoDB requests that moto answers: throttled before, counted after, with their capacity computed as on AWS.

Sources: DynamoDB Developer Guide, "DynamoDB read and write operations" and "Amazon DynamoDB Transactions: How it works"
(capacity management); API Reference, TransactWriteItems, TransactGetItems, ConsumedCapacity.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any

import orjson

from simulator.store.dynamodb.moto_table import rows_of
from simulator.store.dynamodb.rows import UnstorableRow
from simulator.store.dynamodb.rules import (
    WriteOperation,
    keys_of,
    plan_batch,
    plan_write,
    read_units,
    row_units,
    rows_size,
)
from simulator.store.dynamodb.tables import Tables, consumed, stored_row
from simulator.store.dynamodb.throttles import cancellation
from simulator.store.moto.application import LeftOn, LeftToMoto
from simulator.store.moto.scope import SCOPE
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Parameters, Response, Routed, json_response
from simulator.store.wire.routing import with_parameters

Call = Callable[[Routed], Response]

# A transaction reads or writes each of its items twice: to prepare it and to commit it.
TRANSACTION_FACTOR = 2
_WRITES = {"Put", "Update", "Delete", "ConditionCheck"}
_OF_MANY = {"BatchWriteItem", "TransactWriteItems", "TransactGetItems"}
"""Operations that report their capacity per table."""


class ByMoto:
    """Passes requests for the tables of one store to moto; `call` is moto."""

    def __init__(self, tables: Tables, call: Call) -> None:
        self._tables = tables
        self._call_moto = call
        self._ways: dict[str, Callable[[Routed, Parameters], Response]] = {
            **dict.fromkeys(("PutItem", "UpdateItem", "DeleteItem"), self._single_write),
            "BatchWriteItem": self._batch,
            "TransactWriteItems": self._transact_write,
            "TransactGetItems": self._transact_get,
            "Query": self._index_read,
            "Scan": self._index_read,
        }

    def answer(self, routed: Routed) -> Response:
        """Moto's answer. Raises `AwsError` if the request is refused."""
        way, parameters = self._ways.get(routed.operation), routed.parameters
        if way is not None and parameters is not None:
            with suppress(LeftToMoto):
                return way(routed, parameters)
        # Leave unknown input to moto, which refuses it in its own words; it consumes no capacity.
        response = self._call(routed)
        self._tables.tallies.observe_moto(routed, response)
        if response.status == 200 and parameters and routed.operation in ("CreateTable", "UpdateTable"):
            name, created = str(parameters["TableName"]).rsplit("/", 1)[-1], routed.operation == "CreateTable"
            self._tables.throttles.configured(routed.home.full_name(name), parameters, created=created)
        return response

    def _single_write(self, routed: Routed, parameters: Parameters) -> Response:
        write = self._planned(parameters, routed.operation.removesuffix("Item"))
        now = self._tables.clock.now()
        self._tables.admit_single(write, now)
        return self._counted(routed, lambda: consumed(parameters, self._wrote([write], 1, now)))

    def _batch(self, routed: Routed, parameters: Parameters) -> Response:
        """A batch to tables with streams or indexes: allowed operations go to moto, the rest is returned."""
        with LeftOn(AwsError):
            writes = plan_batch(parameters.get("RequestItems"), self._tables.tables())
        now = self._tables.clock.now()
        kept, unprocessed = self._tables.admit_batch(writes, now)
        forwarded = routed
        if unprocessed:
            left: dict[str, list[Any]] = {}
            for write in kept:
                left.setdefault(write.table_name, []).append(write.request)
            forwarded = with_parameters(routed, RequestItems=left)

        def count() -> list[Any]:
            return consumed(parameters, self._tables.wrote_batch(parameters["RequestItems"], kept, unprocessed, now))

        return self._counted(forwarded, count, UnprocessedItems=unprocessed)

    def _transact_write(self, routed: Routed, parameters: Parameters) -> Response:
        writes = [self._planned(content, action) for action, content in _transaction(parameters, _WRITES)]
        now, factor = self._tables.clock.now(), TRANSACTION_FACTOR
        reasons = [self._tables.admit_write(write, now, factor) for write in writes]
        if any(reasons):
            for write, reason in zip(writes, reasons, strict=True):
                if reason is None:
                    self._tables.throttles.charge(write.table, -factor * write.units, now, write.hash_key, writes=True)
            raise self._cancelled(writes, reasons)
        return self._counted(
            routed, lambda: consumed(parameters, self._wrote(writes, factor, now), "WriteCapacityUnits")
        )

    def _transact_get(self, routed: Routed, parameters: Parameters) -> Response:
        reads = [self._planned(content, action) for action, content in _transaction(parameters, {"Get"})]
        now = self._tables.clock.now()
        reasons = [self._tables.throttles.read(read.table, now, read.hash_key) for read in reads]
        if any(reasons):
            raise self._cancelled(reads, reasons)

        def count() -> list[Any]:
            units: dict[str, float] = defaultdict(float)
            for read in reads:
                row = stored_row(read)
                cost = TRANSACTION_FACTOR * read_units(rows_size([row] if row else []), consistent=True)
                self._tables.charge_read(read.table, cost, now, read.hash_key)
                units[read.table_name] += cost
            return consumed(parameters, units, "ReadCapacityUnits")

        return self._counted(routed, count)

    def _index_read(self, routed: Routed, parameters: Parameters) -> Response:
        """A Query or Scan of a secondary index. Its capacity is that of the index entries before any filter."""
        table, wanted = self._tables.named(parameters.get("TableName")), parameters.get("IndexName")
        index = next((each for each in table.all_indexes() if each.name == wanted), None) if table else None
        if index is None:
            raise LeftToMoto
        # A global index has its own throughput; a local one uses its table's.
        own = index if index in table.global_indexes else None
        now = self._tables.clock.now()
        self._tables.admit_read(table, now, index=own)

        def count() -> list[Any]:
            units = read_units(SCOPE.get().index_bytes, consistent=bool(parameters.get("ConsistentRead")))
            self._tables.charge_read(table, units, now, index=own)
            capacity = consumed(parameters, {table.name: units})
            if capacity and "Table" in capacity[0]:
                kind = "LocalSecondaryIndexes" if own is None else "GlobalSecondaryIndexes"
                capacity[0] |= {"Table": {"CapacityUnits": 0.0}, kind: {index.name: {"CapacityUnits": units}}}
            return capacity

        return self._counted(routed, count)

    def _planned(self, content: Parameters, action: str) -> WriteOperation:
        """The operation for an action; one that is not a put stores nothing. Raises `LeftToMoto`."""
        table, item = self._tables.named(content.get("TableName")), content.get("Item" if action == "Put" else "Key")
        if table is None or not isinstance(item, dict):
            raise LeftToMoto
        with LeftOn(AwsError):
            if action == "Put":
                return plan_write(table, table.name, {"PutRequest": {"Item": item}})
            return WriteOperation(table, table.name, *keys_of(table, item), None, 1, content)

    def _wrote(self, writes: Sequence[WriteOperation], factor: int, now: float) -> dict[str, float]:
        """Count what was written: units by table. An update's growth is charged now that it is known."""
        units: dict[str, float] = defaultdict(float)
        for write in writes:
            cost = factor * max(write.units, row_units(stored_row(write)))
            grown = cost - factor * write.units
            self._tables.throttles.charge(write.table, grown, now, write.hash_key, writes=True)
            self._tables.activity(write.table).wrote(int(write.row is not None), cost, now)
            units[write.table_name] += cost
        return units

    def _cancelled(self, planned: Sequence[WriteOperation], reasons: Sequence[str | None]) -> AwsError:
        refused = [each.table for each, reason in zip(planned, reasons, strict=True) if reason is not None]
        for table in {id(table): table for table in refused}.values():
            self._tables.activity(table).throttled_requests += 1
        return cancellation(reasons)

    def _counted(self, routed: Routed, count: Callable[[], list[Any]], **members: Any) -> Response:
        """Moto's answer with `members`; if it succeeded, it is counted, and reports the capacity that `count` gives."""
        response = self._call(routed)
        if response.status != 200:
            return response
        capacity = count()
        content = orjson.loads(response.body or b"{}") | members
        if self._tables.strict:
            # For some operations moto reports capacity even if not asked to, and always the same.
            content.pop("ConsumedCapacity", None)
            if capacity:
                content["ConsumedCapacity"] = capacity if routed.operation in _OF_MANY else capacity[0]
        return dynamodb_response(routed, orjson.dumps(content))

    def _call(self, routed: Routed) -> Response:
        """Moto's answer. Rows lent to moto are stored again, unchanged if moto refused or failed.

        In that case, no stream has a record of them either. Raises `UnstorableRow`, once all others are stored.
        """
        failed: UnstorableRow | None = None
        kept = False
        shards = [table.stream_shard for table in self._tables.tables().values() if table.stream_shard is not None]
        recorded = [len(shard.items) for shard in shards]
        try:
            response = self._call_moto(routed)
            kept = response.status < 400
        finally:
            for shard, before in zip(shards, recorded, strict=True) if not kept else ():
                del shard.items[before:]
            for rows in filter(None, map(rows_of, self._tables.tables().values())):
                if not kept:
                    rows.take_back()
                    continue
                try:
                    rows.settle()
                except UnstorableRow as error:
                    failed = error
        if failed is not None:
            raise failed
        return response


def dynamodb_response(routed: Routed, body: bytes) -> Response:
    """A successful answer from DynamoDB."""
    return json_response(routed, body, ("x-amz-crc32", str(zlib.crc32(body))))


def _transaction(parameters: Parameters, actions: Collection[str]) -> Iterator[tuple[str, Parameters]]:
    """The actions of a transaction with their contents. Raises `LeftToMoto` if one is not among `actions`."""
    items = parameters.get("TransactItems")
    for item in items if isinstance(items, list) else ():
        action, content = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else ("", None)
        if action not in actions or not isinstance(content, dict):
            raise LeftToMoto
        yield action, content
