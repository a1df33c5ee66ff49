"""The sink's DynamoDB: tables by their name, and of their rows the number."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.counters import TableCounters
from simulator.load.sink.answers import Operation, OperationResult, SinkAnswer, error_answer
from simulator.store.counting.tallies import TableActivity

_TABLE = re.compile(rb'"RequestItems"\s*:\s*\{\s*"([^"]+)"')
_WRITTEN = SinkAnswer(b'{"UnprocessedItems":{}}')
_NO_TABLE = error_answer(400, "ResourceNotFoundException", "Requested resource not found")


class SinkTables:
    """Answers DynamoDB's operations. `operations` has the whole-body ones; BatchWriteItem is not parsed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tables: dict[str, dict[str, Any]] = {}
        self._activities: dict[str, TableActivity] = {}
        self.operations: dict[str, Operation] = {
            "PutItem": self._put_item,
            "CreateTable": self._create_table,
            "DescribeTable": self._describe_table,
            "DeleteTable": self._delete_table,
        }

    def counters(self) -> dict[str, TableCounters]:
        """What each table counted; as far as the sink knows, no row was replaced."""
        return {name: replace(activity, rows=activity.rows_written) for name, activity in self._activities.items()}

    def batch_write(self, body: bytes) -> SinkAnswer:
        """Count the puts of a BatchWriteItem into one table."""
        # The table's name is the first key inside RequestItems; reading all of it would cost as much as the handler.
        named = _TABLE.search(body)
        activity = self._activities.get(named[1].decode()) if named else None
        if activity is None:
            return _NO_TABLE
        rows = body.count(b'"PutRequest"')
        activity.wrote_batch(rows, 0, float(rows), self._clock.now())
        return _WRITTEN

    def _put_item(self, parameters: dict[str, Any]) -> OperationResult:
        activity = self._activities.get(parameters["TableName"])
        if activity is None:
            return _NO_TABLE
        activity.wrote(1, 1.0, self._clock.now())
        return {}

    def _create_table(self, parameters: dict[str, Any]) -> OperationResult:
        name = parameters["TableName"]
        arn = f"arn:aws:dynamodb:{limits.REGION}:{limits.ACCOUNT_ID}:table/{name}"
        self._tables[name] = {**parameters, "TableStatus": "ACTIVE", "TableArn": arn, "ItemCount": 0}
        self._activities[name] = TableActivity()
        return {"TableDescription": self._tables[name]}

    def _describe_table(self, parameters: dict[str, Any]) -> OperationResult:
        table = self._tables.get(parameters["TableName"])
        return _NO_TABLE if table is None else {"Table": table}

    def _delete_table(self, parameters: dict[str, Any]) -> OperationResult:
        self._activities.pop(parameters["TableName"], None)
        return {"TableDescription": self._tables.pop(parameters["TableName"], {})}
