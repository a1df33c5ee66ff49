"""A sample of an audit: which objects it reads, and the items under their rows' keys alone.

Whole objects are drawn, so that a row of theirs that is missing or different is found. An item that no object explains
is not: for that the whole table would have to be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from simulator.base import chance, limits
from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish
from simulator.base.waiting import each
from simulator.base.words import counted
from simulator.proof.scan import Item, unparsed

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

Key = tuple[str, str]


def sample_size(objects: int) -> int:
    """How many of all `objects` a sample has: a twentieth, within bounds."""
    share = math.ceil(objects * limits.AUDIT_SAMPLE_SHARE)
    return min(objects, max(limits.AUDIT_SAMPLE_LEAST, min(share, limits.AUDIT_SAMPLE_MOST)))


def draw(objects: int, seed: int) -> Collection[int]:
    """The numbers of the objects in the sample, of those from 1 to `objects`: the same for the same seed."""
    return frozenset(chance.stream(seed, "audit sample").sample(range(1, objects + 1), sample_size(objects)))


async def read_back(
    dynamodb: DynamoDBClient, table: str, keys: Iterable[Key], take: Callable[[list[Item]], None], clock: Clock
) -> None:
    """Give the items under these keys to `take`, as strongly consistent reads see them.

    At most `limits.AUDIT_AT_ONCE` requests are under way. The keys must differ; those without an item give none. Raises
    `CouldNotFinish`, in a group, if the table does not process the keys.
    """
    waiting = iter(keys)

    async def read(part: list[Key]) -> None:
        asked: Any = {table: {"Keys": [{"PK": {"S": pk}, "SK": {"S": sk}} for pk, sk in part], "ConsistentRead": True}}
        idle = 0
        while asked:
            answer = await dynamodb.batch_get_item(RequestItems=asked)
            take(cast("list[Item]", answer["Responses"].get(table, [])))
            left: Any = answer.get("UnprocessedKeys")
            if left:
                waiting_keys = len(left[table]["Keys"])
                idle = idle + 1 if waiting_keys == len(asked[table]["Keys"]) else 0
                if idle == limits.AUDIT_IDLE_READS:
                    raise CouldNotFinish(
                        f"the audit could not read table '{table}': it processed none of "
                        f"{counted(waiting_keys, 'key')} in {counted(idle, 'read')}",
                        hint="raise the table's read capacity, and run again",
                    )
                await clock.sleep(limits.AUDIT_PAUSE_S)
            asked = left

    with unparsed(dynamodb, "BatchGetItem"):
        parts = iter(lambda: list(islice(waiting, limits.DYNAMODB_BATCH_KEYS)), [])
        await each(parts, read, limits.AUDIT_AT_ONCE)
