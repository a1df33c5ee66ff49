"""The sink's DynamoDB: tables by their name, and of their rows the number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.load.sink.answers import Operation, Reply, SinkAnswer, error_answer, json_answer

_TABLE = re.compile(rb'"RequestItems"\s*:\s*\{\s*"([^"]+)"')
_WRITTEN = SinkAnswer(b'{"UnprocessedItems":{}}')
_NO_TABLE = error_answer(400, "ResourceNotFoundException", "Requested resource not found")


@dataclass
class _Rows:
    """One table's count of rows."""

    rows_written: int = 0
    batch_writes: int = 0
    first_write_at: float | None = None
    last_write_at: float | None = None
    second: int = 0
    in_second: int = 0
    rows_per_s_max: int = 0

    def write(self, rows: int, now: float) -> None:
        self.rows_written += rows
        self.batch_writes += 1
        self.first_write_at = now if self.first_write_at is None else self.first_write_at
        self.last_write_at = now
        if int(now) != self.second:
            self.second, self.in_second = int(now), 0
        self.in_second += rows
        self.rows_per_s_max = max(self.rows_per_s_max, self.in_second)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows_written,
            "rows_written": self.rows_written,
            "rows_per_s_max": self.rows_per_s_max,
            "first_write_at": self.first_write_at,
            "last_write_at": self.last_write_at,
            "batch_writes": self.batch_writes,
            "write_units": float(self.rows_written),
        }


class SinkTables:
    """Answers DynamoDB's operations. `operations` has the whole-body ones; BatchWriteItem is not parsed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tables: dict[str, dict[str, Any]] = {}
        self._rows: dict[str, _Rows] = {}
        self.operations: dict[str, Operation] = {
            "PutItem": self._put_item,
            "CreateTable": self._create_table,
            "DescribeTable": self._describe_table,
            "DeleteTable": self._delete_table,
        }

    def counters(self) -> dict[str, Any]:
        """What each table counted, in the shape of the store's counters."""
        return {name: rows.as_json() for name, rows in self._rows.items()}

    def batch_write(self, body: bytes, reply: Reply) -> None:
        """Count the puts of a BatchWriteItem into one table."""
        now = self._clock.now()
        # The table's name is the first key inside RequestItems; reading all of it would cost as much as the handler.
        named = _TABLE.search(body)
        rows = self._rows.get(named[1].decode()) if named else None
        if rows is None:
            reply(_NO_TABLE, False)
            return
        rows.write(body.count(b'"PutRequest"'), now)
        reply(_WRITTEN, True)

    def _put_item(self, parameters: dict[str, Any], reply: Reply) -> None:
        rows = self._rows.get(parameters["TableName"])
        if rows is None:
            reply(_NO_TABLE, False)
            return
        rows.write(1, self._clock.now())
        reply(json_answer({}), True)

    def _create_table(self, parameters: dict[str, Any], reply: Reply) -> None:
        name = parameters["TableName"]
        arn = f"arn:aws:dynamodb:{limits.REGION}:{limits.ACCOUNT_ID}:table/{name}"
        self._tables[name] = {**parameters, "TableStatus": "ACTIVE", "TableArn": arn, "ItemCount": 0}
        self._rows[name] = _Rows()
        reply(json_answer({"TableDescription": self._tables[name]}), False)

    def _describe_table(self, parameters: dict[str, Any], reply: Reply) -> None:
        table = self._tables.get(parameters["TableName"])
        reply(_NO_TABLE if table is None else json_answer({"Table": table}), False)

    def _delete_table(self, parameters: dict[str, Any], reply: Reply) -> None:
        self._rows.pop(parameters["TableName"], None)
        reply(json_answer({"TableDescription": self._tables.pop(parameters["TableName"], {})}), False)
