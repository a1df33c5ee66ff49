"""DynamoDB's busy operations answered without moto's parser, router and serializer; and moto's answers, made whole."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from simulator.clock import Clock
from simulator.store.aws_errors import AwsError, request_id
from simulator.store.batch_writes import keys_of, row_units
from simulator.store.dynamodb_reads import TableReads
from simulator.store.dynamodb_writes import TableWrites, consumed
from simulator.store.http import Request, Response
from simulator.store.replacements.dynamodb import rows_of
from simulator.store.replacements.registry import Replacement
from simulator.store.rows import Key, Rows
from simulator.store.tallies import Tallies
from simulator.store.throttles import Throttles

NAME = "dynamodb.answers"


class DynamoDBAnswers:
    """Answers on the tables of one account and region."""

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
        self._writes = TableWrites(tables, tallies, throttles, clock, strict=strict)
        self._reads = TableReads(tables, tallies, throttles, clock, strict=strict)

    def answer(self, request: Request, parameters: Mapping[str, Any]) -> Response | None:
        """The answer, or None where moto must give it. Raises `AwsError`."""
        operation = request.operation
        body: bytes | None = None
        if operation == "BatchWriteItem":
            result = self._writes.batch(parameters, len(request.body))
            body = None if result is None else orjson.dumps(result)
        elif operation == "PutItem":
            result = self._writes.put(parameters)
            body = None if result is None else orjson.dumps(result)
        elif operation == "GetItem":
            body = self._reads.get(parameters)
        elif operation == "Scan":
            body = self._reads.scan(parameters)
        elif operation == "Query":
            body = self._reads.query(parameters)
        return None if body is None else _response(body)

    def through_moto(self, request: Request, call: Callable[[Request], Response]) -> Response:
        """Moto's answer to a request; a write of one item is throttled before it and costs what AWS takes for it."""
        found = self._single_write(request)
        if found is None:
            response = call(request)
            self._settle()
            self._tallies.observe_moto(request, response)
            return response
        table, rows, key = found
        before, now = rows.row(*key), self._clock.now()
        reason = self._throttles.write(table, key[0], row_units(before), now)
        if reason is not None:
            self._tallies.table(table.name).throttled_requests += 1
            raise self._throttles.write_error(table, reason)
        response = call(request)
        self._settle()
        if response.status != 200:
            return response
        units = max(row_units(before), row_units(rows.row(*key)))
        self._tallies.table(table.name).write_units += units
        if request.operation == "PutItem":
            self._tallies.table(table.name).wrote(1, now)
        wish = (request.parameters or {}).get("ReturnConsumedCapacity")
        return self._with_units(response, table.name, units, wish) if self._strict else response

    def _with_units(self, response: Response, name: str, units: float, wish: Any) -> Response:
        # moto reports capacity for some operations whether it was asked for or not, and always the same.
        content = orjson.loads(response.body or b"{}")
        content.pop("ConsumedCapacity", None)
        if wish in ("TOTAL", "INDEXES"):
            content["ConsumedCapacity"] = consumed(name, units, wish)
        return _response(orjson.dumps(content))

    def _single_write(self, request: Request) -> tuple[Any, Rows, tuple[Key, Key]] | None:
        parameters = request.parameters or {}
        member = {"PutItem": "Item", "UpdateItem": "Key", "DeleteItem": "Key"}.get(request.operation)
        table = self._tables().get(str(parameters.get("TableName"))) if member else None
        rows = None if table is None else rows_of(table)
        if rows is None or not isinstance(parameters.get(str(member)), dict):
            return None
        try:
            return table, rows, keys_of(table, parameters[str(member)])
        except AwsError:
            return None

    def _settle(self) -> None:
        """Put the rows that moto borrowed for its answer to rest again."""
        for table in self._tables().values():
            rows = rows_of(table)
            if rows is not None:
                rows.settle()


def _response(body: bytes) -> Response:
    return Response(
        200,
        body,
        [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("x-amzn-RequestId", request_id()),
            ("x-amz-crc32", str(zlib.crc32(body))),
        ],
    )


_HANDLER = "moto.dynamodb.responses:DynamoHandler."
_TABLE = "moto.dynamodb.models.table:Table."
REPLACEMENTS = (
    Replacement(
        name=NAME,
        dated="2026-11-23",
        functions={
            _HANDLER + "batch_write_item": "26221a09e2b2b1fd",
            _HANDLER + "put_item": "4c9efb73275195ec",
            _HANDLER + "get_item": "e84cc4b607a62aa3",
            _HANDLER + "scan": "530223d9fd284f2b",
            _HANDLER + "query": "681834c64038af93",
            _TABLE + "scan": "5ef1ab21eef06a74",
            _TABLE + "query": "002b4d00be6df07c",
            _TABLE + "_validate_item_types": "e6d02fc9cea548e4",
            "moto.dynamodb.models.dynamo_type:Item.is_within_segment": "e33c386bf28ce0c4",
            "moto.dynamodb.parsing.key_condition_expression:parse_expression": "05075ebc0f868fc4",
        },
        why="a request of 25 rows passes a parser and a serializer that walk every attribute by botocore's model, and "
        "a page of a scan copies every item several times",
        keeps="writes to tables without streams and indexes; reads without filter, index or older parameters; pages "
        "end at 1 MB of items as AWS counts them; every other request is moto's",
    ),
)
