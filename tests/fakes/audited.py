"""What the audit is tested on: a test's own bucket and table, two objects and their items."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fakes.clock import ManualClock
from simulator.base.clients import Clients
from simulator.base.observations import Observation
from simulator.proof.account import Audit, ObjectsAtRest
from simulator.proof.audit import audit, nothing
from simulator.proof.notifications import ObjectRef

FIRST = """ticker,timestamp,close,volume,note
AAPL,2026-11-22T09:00:00Z,10.50,100,
MSFT,2026-11-22T09:00:00Z,20.25,007,opening
AAPL,someday,10.75,100,
AAPL,2026-11-22T09:01:00Z,11,120,"a ""quoted"", note"
"""
SECOND = """symbol,date,price
IBM,2000-01-01,100.53
IBM,2000-01-01,100.530
"""
# What the two objects say, written by hand.
ITEMS: tuple[dict[str, dict[str, str]], ...] = (
    {
        "PK": {"S": "AAPL"},
        "SK": {"S": "2026-11-22T09:00:00.000000Z"},
        "close": {"N": "10.50"},
        "volume": {"N": "100"},
    },
    {
        "PK": {"S": "MSFT"},
        "SK": {"S": "2026-11-22T09:00:00.000000Z"},
        "close": {"N": "20.25"},
        "volume": {"S": "007"},
        "note": {"S": "opening"},
    },
    {
        "PK": {"S": "AAPL"},
        "SK": {"S": "2026-11-22T09:01:00.000000Z"},
        "close": {"N": "11"},
        "volume": {"N": "120"},
        "note": {"S": 'a "quoted", note'},
    },
    {"PK": {"S": "IBM"}, "SK": {"S": "2000-01-01"}, "price": {"N": "100.53"}},
)
REJECTED_KEY = "rejected/stocks/first.csv.jsonl"
REJECTED = {"line": 4, "reason": "unreadable timestamp 'someday'", "row": ["AAPL", "someday", "10.75", "100", ""]}
EXACT = Audit(
    parsed_rows=6,
    rejected=1,
    duplicates=1,
    expected_rows=4,
    stored_rows=4,
    missing=0,
    extra=0,
    different=0,
    ambiguous=0,
    overwritten=0,
    superseded=0,
    objects_all_rejected=0,
    objects_many_rejected=0,
    dead_lettered=ObjectsAtRest(0, 0, 0),
    pending=ObjectsAtRest(0, 0, 0),
    filtered=ObjectsAtRest(0, 0, 0),
    verdict="exact",
    differences=(),
    apart=(),
    keys=(),
    unused_settings=(),
    notes={},
)


@dataclass
class Scene:
    """A bucket and a table of its own, and the audit of them."""

    clients: Clients
    name: str
    recorded: list[Observation] = field(default_factory=list)

    async def put(self, key: str, body: str | bytes) -> None:
        """Put an object."""
        await self.clients.s3.put_object(
            Bucket=self.name, Key=key, Body=body if isinstance(body, bytes) else body.encode()
        )

    async def put_rejected(self, *records: object, key: str = REJECTED_KEY) -> None:
        """Put a file of rejected rows."""
        await self.put(key, "".join(json.dumps(record) + "\n" for record in records))

    async def store(self, item: dict[str, Any]) -> None:
        """Store an item, as given."""
        await self.clients.dynamodb.put_item(TableName=self.name, Item=item)

    async def change(self, item: dict[str, dict[str, str]], **attributes: dict[str, Any]) -> None:
        """Change attributes of the item."""
        await self.store(item | attributes)

    async def delete(self, item: dict[str, dict[str, str]]) -> None:
        """Delete the item."""
        await self.clients.dynamodb.delete_item(TableName=self.name, Key={"PK": item["PK"], "SK": item["SK"]})

    async def audit(
        self, *, dead_lettered: tuple[str, ...] = (), pending: tuple[str, ...] = (), **changes: Any
    ) -> Audit:
        """The audit of everything, with a drained queue by default."""
        arguments: dict[str, Any] = {
            "s3": self.clients.s3,
            "dynamodb": self.clients.dynamodb,
            "bucket": self.name,
            "prefix": "stocks/",
            "table": self.name,
            "environ": {"TABLE_NAME": self.name},
            "rejected_prefix": "rejected/",
            "dead_lettered": self._refs(dead_lettered),
            "pending": self._refs(pending),
            "earlier": nothing(),
            "drained": True,
            "record": self.recorded.append,
            "clock": ManualClock(),
        }
        return await audit(**(arguments | changes))

    async def _refs(self, keys: tuple[str, ...]) -> AsyncIterator[ObjectRef]:
        for key in keys:
            yield ObjectRef(self.name, key)
