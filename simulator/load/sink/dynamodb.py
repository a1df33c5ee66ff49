"""The sink's DynamoDB: tables, with only the number of their rows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.counters import TableCounters
from simulator.load.sink.answers import SinkAnswer, error_answer
from simulator.store.counting.tallies import TableActivity

_TABLE = re.compile(rb'"RequestItems"\s*:\s*\{\s*"([^"]+)"')
_WRITTEN = SinkAnswer(b'{"UnprocessedItems":{}}')
_NO_TABLE = error_answer(400, "ResourceNotFoundException", "Requested resource not found")


class SinkTables:
    """DynamoDB's operations on tables, by name. It does not parse the body of BatchWriteItem."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tables: dict[str, dict[str, Any]] = {}
        self._activities: dict[str, TableActivity] = {}

    def counters(self) -> dict[str, TableCounters]:
        """The counters of each table. The sink assumes that no row was replaced."""
        return {name: replace(activity, rows=activity.rows_written) for name, activity in self._activities.items()}

    def batch_write(self, body: bytes) -> SinkAnswer:
        """Count the puts of a BatchWriteItem into one table."""
        # The table's name is the first key in RequestItems; parsing everything would cost as much as the handler does.
        named = _TABLE.search(body)
        activity = self._activities.get(named[1].decode()) if named else None
        if activity is None:
            return _NO_TABLE
        rows = body.count(b'"PutRequest"')
        activity.wrote_batch(rows, 0, float(rows), self._clock.now())
        return _WRITTEN

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | SinkAnswer | None:
        """The result of any other operation, or an error; None if the sink does not support it."""
        name = parameters.get("TableName", "")
        table = self._tables.get(name)
        match operation:
            case "CreateTable":
                arn = f"arn:aws:dynamodb:{limits.REGION}:{limits.ACCOUNT_ID}:table/{name}"
                table = {**parameters, "TableStatus": "ACTIVE", "TableArn": arn, "ItemCount": 0}
                self._tables[name], self._activities[name] = table, TableActivity()
                return {"TableDescription": table}
            case "PutItem" | "DescribeTable" | "DeleteTable" if table is None:
                return _NO_TABLE
            case "PutItem":
                self._activities[name].wrote(1, 1.0, self._clock.now())
                return {}
            case "DescribeTable":
                return {"Table": table}
            case "DeleteTable":
                del self._tables[name], self._activities[name]
                return {"TableDescription": table}
        return None
