"""DynamoDB's busy operations answered without moto's parser, router and serializer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.store.dynamodb.by_moto import dynamodb_response
from simulator.store.dynamodb.reads import TableReads
from simulator.store.dynamodb.tables import Tables
from simulator.store.dynamodb.writes import TableWrites
from simulator.store.moto.application import LeftToMoto
from simulator.store.moto.replacement import Replacement
from simulator.store.wire.messages import Response, Routed


class DynamoDBAnswers:
    """Answers on the tables of one account and region."""

    def __init__(self, tables: Tables) -> None:
        writes, reads = TableWrites(tables), TableReads(tables)
        self._ways: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
            "BatchWriteItem": writes.batch,
            "PutItem": writes.put,
            "GetItem": reads.get,
            "Scan": reads.scan,
            "Query": reads.query,
        }

    def answer(self, routed: Routed) -> Response:
        """The answer to one request. Raises `AwsError`, and `LeftToMoto`."""
        way = self._ways.get(routed.operation)
        if way is None or routed.parameters is None:
            raise LeftToMoto
        return dynamodb_response(routed, way(routed.parameters))


_HANDLER = "moto.dynamodb.responses:DynamoHandler."
_TABLE = "moto.dynamodb.models.table:Table."
ANSWERS = Replacement(
    name="dynamodb.answers",
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
)
