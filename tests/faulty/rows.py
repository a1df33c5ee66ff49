"""Workers that write rows: in batches, once only, step by step."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from shared import TABLE, Event, client, count_once, events, get, hasty, put, put_if, read

s3, dynamodb = client("s3"), client("dynamodb")


def _requests(each: Event) -> list[dict[str, Any]]:
    lines = enumerate(read(s3, each).splitlines())
    items = [{"id": {"S": f"{each.key}/{number}"}, "line": {"S": line}} for number, line in lines]
    return [{"PutRequest": {"Item": item}} for item in items]


# One row for each line, in batches


def writes_all(event: Any, context: Any) -> None:
    """Well: it sends again what was left unprocessed, and fails if that does not help."""
    for each in events(event):
        left = {TABLE: _requests(each)}
        for attempt in range(6):
            left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]
            if not left:
                break
            time.sleep(0.1 * 2**attempt)
        else:
            raise RuntimeError("DynamoDB leaves rows unprocessed")


def writes_once(event: Any, context: Any) -> None:
    """Flaw: an answer with status 200 means that all is written."""
    for each in events(event):
        dynamodb.batch_write_item(RequestItems={TABLE: _requests(each)})


def writes_at_once(event: Any, context: Any) -> None:
    """Well: the rows at once, and one that fails fails the batch."""
    asyncio.run(_at_once(event, return_exceptions=False))


def writes_at_once_and_looks_away(event: Any, context: Any) -> None:
    """Flaw: the exceptions are among the results, at which nobody looks."""
    asyncio.run(_at_once(event, return_exceptions=True))


async def _at_once(event: Any, *, return_exceptions: bool) -> None:
    config = AioConfig(retries={"total_max_attempts": 3})
    async with get_session().create_client("dynamodb", config=config) as aio:
        for each in events(event):
            puts = [aio.put_item(TableName=TABLE, **request["PutRequest"]) for request in _requests(each)]
            await asyncio.gather(*puts, return_exceptions=return_exceptions)


def stops_in_time(event: Any, context: Any) -> None:
    """Well: if there is not enough time for another row, the message comes again."""
    for each in events(event):
        for request in _requests(each):
            if context.get_remaining_time_in_millis() < 6_000:
                raise TimeoutError("the rest is for the next one")
            dynamodb.put_item(TableName=TABLE, **request["PutRequest"])


def stops_and_is_done(event: Any, context: Any) -> None:
    """Flaw: it leaves the rest for a next one, and returns as if it were done."""
    for each in events(event):
        for request in _requests(each):
            if context.get_remaining_time_in_millis() < 6_000:
                return
            dynamodb.put_item(TableName=TABLE, **request["PutRequest"])


def creates(event: Any, context: Any) -> None:
    """Well: only a condition that fails says that the row is there."""
    for each in events(event):
        for number, line in enumerate(read(s3, each).splitlines()):
            put_if(hasty("dynamodb"), f"{each.key}/{number}", "attribute_not_exists(id)", line=line)


def takes_any_error_for_there(event: Any, context: Any) -> None:
    """Flaw: every error means that the row is there."""
    for each in events(event):
        for number, line in enumerate(read(s3, each).splitlines()):
            try:
                put(hasty("dynamodb"), f"{each.key}/{number}", "attribute_not_exists(id)", line=line)
            except ClientError:
                continue


# The sum of all numbers in all objects


def adds_up(event: Any, context: Any) -> None:
    """Well: DynamoDB adds, once for each event."""
    for each in events(event):
        count_once(dynamodb, "sum", each.sequencer, int(read(s3, each)))


def begins_again(event: Any, context: Any) -> None:
    """Flaw: if it cannot read how far it was, it was nowhere."""
    for each in events(event):
        try:
            so_far = int(get(hasty("dynamodb"), "sum").get("times", "0"))
        except BotoCoreError:
            so_far = 0
        put(dynamodb, "sum", times=so_far + int(read(s3, each)))


# How far the work on an object is


def tells_how_far(event: Any, context: Any) -> None:
    """Well: whatever comes late, `begun` never replaces anything."""
    for each in events(event):
        put_if(dynamodb, each.key, "attribute_not_exists(id)", state="begun")
        put(dynamodb, each.key, state="done")


def tells_the_last(event: Any, context: Any) -> None:
    """Flaw: rows are taken to be written in the order of the calls."""
    for each in events(event):
        put(dynamodb, each.key, state="begun")
        put(dynamodb, each.key, state="done")


def works_again(event: Any, context: Any) -> None:
    """Well: that somebody has begun says nothing; it works until it is done."""
    for each in events(event):
        if get(dynamodb, each.key).get("state") != "done":
            put(dynamodb, each.key, state="begun")
            read(s3, each)
            put(dynamodb, each.key, state="done")


def leaves_what_is_begun(event: Any, context: Any) -> None:
    """Flaw: whoever has begun is still at it, and will be done."""
    for each in events(event):
        if get(dynamodb, each.key).get("state") is None:
            put(dynamodb, each.key, state="begun")
            read(s3, each)
            put(dynamodb, each.key, state="done")
