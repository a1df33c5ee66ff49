"""DynamoDB requests that moto answers: throttled before, counted after, their capacity reported as AWS computes it.

Sources: DynamoDB Developer Guide, "DynamoDB read and write operations" and "Amazon DynamoDB Transactions: How it works"
(capacity management); API Reference, TransactWriteItems, TransactGetItems, ConsumedCapacity.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from simulator.base.clock import Clock
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb.batch_writes import keys_of, plan_batch, plan_write, row_units
from simulator.store.dynamodb.items import item_size, read_units
from simulator.store.dynamodb.moto_table import IndexMeter, rows_of
from simulator.store.dynamodb.rows import Key
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.dynamodb.writes import consumed
from simulator.store.wire.aws_errors import AwsError, request_id
from simulator.store.wire.messages import Request, Response

Call = Callable[[Request], Response]

# A transaction reads or writes each of its items twice: to prepare it and to commit it.
TRANSACTION_FACTOR = 2
_SINGLE = {"PutItem": "Item", "UpdateItem": "Key", "DeleteItem": "Key"}
_ACTIONS = {"Put": "Item", "Update": "Key", "Delete": "Key", "ConditionCheck": "Key"}


@dataclass(slots=True)
class _Write:
    """One row that a request is about to write. `units` are what is known of its cost before; `puts`: a whole item."""

    table: Any
    key: tuple[Key, Key]
    units: int
    puts: bool

    def units_after(self) -> int:
        """What it has cost, now that it is written: the larger of the item before and after."""
        return max(self.units, row_units(_row(self.table, self.key)))


class ByMoto:
    """The way to moto for the tables of one store."""

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
        self._ways: dict[str, Callable[[Request, Mapping[str, Any], Call], Response | None]] = {
            **dict.fromkeys(_SINGLE, self._single_write),
            "BatchWriteItem": self._batch,
            "TransactWriteItems": self._transact_write,
            "TransactGetItems": self._transact_get,
            "Query": self._index_read,
            "Scan": self._index_read,
        }

    def answer(self, request: Request, call: Call) -> Response:
        """Moto's answer, or the refusal. Raises `AwsError`."""
        way, parameters = self._ways.get(request.operation), request.parameters
        response = way(request, parameters, call) if way is not None and parameters is not None else None
        if response is None:
            # What is not understood here, moto refuses with its own words; it costs nothing.
            response = self._call(request, call)
            self._tallies.observe_moto(request, response)
        return response

    def _single_write(self, request: Request, parameters: Mapping[str, Any], call: Call) -> Response | None:
        write = self._planned(parameters, _SINGLE[request.operation], request.operation == "PutItem")
        if write is None:
            return None
        table, now = write.table, self._clock.now()
        reason = self._throttles.write(table, write.key[0], write.units, now)
        if reason is not None:
            self._tallies.tables[table.name].throttled_requests += 1
            raise self._throttles.write_error(table, reason)
        response = self._call(request, call)
        if response.status != 200:
            return response
        units = self._wrote([write], 1, now)[table.name]
        return self._with_capacity(response, _first(_wished(parameters, {table.name: units})))

    def _batch(self, request: Request, parameters: Mapping[str, Any], call: Call) -> Response | None:
        """A batch to tables with streams or indexes: what may be written goes to moto, the rest comes back."""
        items = parameters.get("RequestItems")
        try:
            plans = plan_batch(items, self._tables(), 0)
        except AwsError:
            return None
        now = self._clock.now()
        kept: dict[str, list[Any]] = {}
        unprocessed: dict[str, list[Any]] = {}
        writes: list[_Write] = []
        refused: tuple[Any, str] | None = None
        for plan in plans:
            key = plan.hash_key, plan.sort_key
            units = max(plan.units, row_units(_row(plan.table, key)))
            reason = self._throttles.write(plan.table, plan.hash_key, units, now)
            if reason is not None:
                refused = plan.table, reason
                unprocessed.setdefault(plan.table_name, []).append(plan.request)
                continue
            kept.setdefault(plan.table_name, []).append(plan.request)
            writes.append(_Write(plan.table, key, units, plan.row is not None))
        if refused is not None and not kept:
            for plan in {plan.table_name: plan for plan in plans}.values():
                self._tallies.tables[plan.table.name].refused(len(unprocessed[plan.table_name]))
            raise self._throttles.write_error(*refused)
        if unprocessed:
            less = {**parameters, "RequestItems": kept}
            request = replace(request, parameters=less, body=orjson.dumps(less))
        response = self._call(request, call)
        if response.status != 200:
            return response
        units_of: dict[str, float] = {}
        for table_name, table in {plan.table_name: plan.table for plan in plans}.items():
            own = [write for write in writes if write.table is table]
            units_of[table_name] = sum(write.units for write in own)
            puts = sum(write.puts for write in own)
            handed_back = len(unprocessed.get(table_name, ()))
            self._tallies.tables[table.name].wrote_batch(puts, handed_back, units_of[table_name], now)
        content = orjson.loads(response.body) | {"UnprocessedItems": unprocessed}
        return self._with_capacity(dynamodb_response(orjson.dumps(content)), _wished(parameters, units_of))

    def _transact_write(self, request: Request, parameters: Mapping[str, Any], call: Call) -> Response | None:
        writes = []
        for action, content in _transaction(parameters):
            write = self._planned(content, _ACTIONS.get(action, ""), action == "Put")
            if write is None:
                return None
            writes.append(write)
        now, factor = self._clock.now(), TRANSACTION_FACTOR
        reasons = [self._throttles.write(each.table, each.key[0], factor * each.units, now) for each in writes]
        if any(reasons):
            for write, reason in zip(writes, reasons, strict=True):
                if reason is None:
                    self._throttles.give_back(write.table, write.key[0], factor * write.units, now)
            raise self._cancelled([write.table for write in writes], reasons)
        response = self._call(request, call)
        if response.status != 200 or not writes:
            return response
        units = self._wrote(writes, factor, now)
        return self._with_transaction_capacity(response, parameters, units, "WriteCapacityUnits")

    def _transact_get(self, request: Request, parameters: Mapping[str, Any], call: Call) -> Response | None:
        found = []
        for action, content in _transaction(parameters):
            table, key = self._located(content, "Key") if action == "Get" else (None, None)
            if table is None or key is None:
                return None
            found.append((table, key))
        now = self._clock.now()
        reasons = [self._throttles.read(table, now, key[0]) for table, key in found]
        if any(reasons):
            raise self._cancelled([table for table, _ in found], reasons)
        response = self._call(request, call)
        if response.status != 200 or not found:
            return response
        units: dict[str, float] = {}
        for table, key in found:
            row = _row(table, key)
            size = 0 if row is None else item_size(orjson.loads(row))
            cost = TRANSACTION_FACTOR * read_units(size, consistent=True)
            self._tallies.tables[table.name].read_units += cost
            self._throttles.charge_read(table, cost, now, key[0])
            units[table.name] = units.get(table.name, 0) + cost
        return self._with_transaction_capacity(response, parameters, units, "ReadCapacityUnits")

    def _index_read(self, request: Request, parameters: Mapping[str, Any], call: Call) -> Response | None:
        """A Query or Scan of a secondary index. What is read is the index's entries, before any filter."""
        name, wanted = parameters.get("TableName"), parameters.get("IndexName")
        table = self._tables().get(name) if isinstance(name, str) else None
        index = next((each for each in table.all_indexes() if each.name == wanted), None) if table else None
        if table is None or index is None:
            return None
        # A global index has a throughput of its own; a local one lives on its table's.
        own = index if index in table.global_indexes else None
        now = self._clock.now()
        reason = self._throttles.read(table, now, index=own)
        if reason is not None:
            self._tallies.tables[table.name].throttled_requests += 1
            raise self._throttles.read_error(table, reason, own)
        IndexMeter.read_bytes = 0
        response = self._call(request, call)
        if response.status != 200:
            return response
        units = read_units(IndexMeter.read_bytes, consistent=bool(parameters.get("ConsistentRead")))
        self._tallies.tables[table.name].read_units += units
        self._throttles.charge_read(table, units, now, index=own)
        capacity = _first(_wished(parameters, {table.name: units}))
        if capacity is not None and "Table" in capacity:
            kind = "LocalSecondaryIndexes" if own is None else "GlobalSecondaryIndexes"
            capacity |= {"Table": {"CapacityUnits": 0.0}, kind: {index.name: {"CapacityUnits": units}}}
        return self._with_capacity(response, capacity)

    def _located(self, content: Mapping[str, Any], member: str) -> tuple[Any, tuple[Key, Key] | None]:
        """The table that a request names, and the key of the item it is about; None where moto must look."""
        name, item = content.get("TableName"), content.get(member)
        table = self._tables().get(name) if isinstance(name, str) else None
        if table is None or rows_of(table) is None or not isinstance(item, dict):
            return None, None
        try:
            return table, keys_of(table, item)
        except AwsError:
            return None, None

    def _planned(self, content: Mapping[str, Any], member: str, puts: bool) -> _Write | None:
        table, key = self._located(content, member)
        if table is None or key is None:
            return None
        units = row_units(_row(table, key))
        if puts:
            try:
                request = {"PutRequest": {"Item": content[member]}}
                units = max(units, plan_write(table, table.name, request).units)
            except AwsError:
                return None
        return _Write(table, key, units, puts)

    def _wrote(self, writes: list[_Write], factor: int, now: float) -> dict[str, float]:
        """Count what was written: units by table. What an update has grown by is taken now that it is known."""
        units: dict[str, float] = {}
        for write in writes:
            cost = factor * write.units_after()
            self._throttles.charge_write(write.table, write.key[0], cost - factor * write.units, now)
            self._tallies.tables[write.table.name].wrote(int(write.puts), cost, now)
            units[write.table.name] = units.get(write.table.name, 0) + cost
        return units

    def _cancelled(self, tables: list[Any], reasons: list[str | None]) -> AwsError:
        for name in {table.name for table, reason in zip(tables, reasons, strict=True) if reason is not None}:
            self._tallies.tables[name].throttled_requests += 1
        return self._throttles.cancellation(reasons)

    def _with_transaction_capacity(
        self, response: Response, parameters: Mapping[str, Any], units: Mapping[str, float], direction: str
    ) -> Response:
        capacity = _wished(parameters, units)
        for usage in capacity or ():
            for place in (usage, usage.get("Table")):
                if place is not None:
                    place[direction] = place["CapacityUnits"]
        return self._with_capacity(response, capacity)

    def _with_capacity(self, response: Response, capacity: Any) -> Response:
        if not self._strict:
            return response
        # moto reports capacity for some operations whether it was asked for or not, and always the same.
        content = orjson.loads(response.body or b"{}")
        content.pop("ConsumedCapacity", None)
        if capacity is not None:
            content["ConsumedCapacity"] = capacity
        return dynamodb_response(orjson.dumps(content))

    def _call(self, request: Request, call: Call) -> Response:
        """Moto's answer; the rows that it borrowed are put to rest again."""
        response = call(request)
        for table in self._tables().values():
            rows = rows_of(table)
            if rows is not None:
                rows.settle()
        return response


def dynamodb_response(body: bytes) -> Response:
    """A successful answer of DynamoDB's."""
    return Response(
        200,
        body,
        [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("x-amzn-RequestId", request_id()),
            ("x-amz-crc32", str(zlib.crc32(body))),
        ],
    )


def _wished(parameters: Mapping[str, Any], units: Mapping[str, float]) -> list[dict[str, Any]] | None:
    """ConsumedCapacity by table, if the request asks for it."""
    wish = parameters.get("ReturnConsumedCapacity")
    if wish not in ("TOTAL", "INDEXES"):
        return None
    return [consumed(name, cost, wish) for name, cost in units.items()]


def _first(capacity: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    """Of operations on one table, ConsumedCapacity is no list."""
    return None if capacity is None else capacity[0]


def _row(table: Any, key: tuple[Key, Key]) -> bytes | None:
    rows = rows_of(table)
    return None if rows is None else rows.row(*key)


def _transaction(parameters: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The actions of a transaction with their contents; one that cannot be read has no name."""
    items = parameters.get("TransactItems")
    actions: list[tuple[str, Mapping[str, Any]]] = []
    for item in items if isinstance(items, list) else ():
        action, content = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else ("", {})
        actions.append((action, content) if isinstance(content, dict) else ("", {}))
    return actions
