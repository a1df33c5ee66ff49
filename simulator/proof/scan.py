"""A whole table, page by page, in DynamoDB's own JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

Item = dict[str, dict[str, Any]]
PART_ITEMS = 500


async def scan(dynamodb: DynamoDBClient, table: str, take: Callable[[list[Item]], None]) -> None:
    """Pass every item once to `take`, with strongly consistent reads, in parts of up to `PART_ITEMS`.

    One page (1 MB, docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html) is held at a time. Binary values
    stay base64 text.
    """
    with unparsed(dynamodb, "Scan"):
        async for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            items = cast("list[Item]", page["Items"])
            for first in range(0, len(items), PART_ITEMS):
                take(items[first : first + PART_ITEMS])
                await asyncio.sleep(0)  # a page takes long enough to make a dashboard stutter


@contextmanager
def unparsed(dynamodb: DynamoDBClient, operation: Literal["BatchGetItem", "Scan"]) -> Iterator[None]:
    """Leave an operation's answers unparsed while the block runs.

    botocore walks every attribute by its model, which costs more than the rest of the audit. A botocore without this
    event would give the same items, more slowly.
    """

    def take(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
        if response_dict["status_code"] == 200:
            customized_response_dict.update(json.loads(response_dict["body"]))
            response_dict["body"] = b"{}"

    dynamodb.meta.events.register(f"before-parse.dynamodb.{operation}", take)
    try:
        yield
    finally:
        dynamodb.meta.events.unregister(f"before-parse.dynamodb.{operation}", take)
