"""What the audit is tested on, in a real store."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from fakes.audited import FIRST, ITEMS, REJECTED, SECOND, Scene
from simulator.base.clients import Clients, connect, offline_session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(store_endpoint: str) -> AsyncIterator[Clients]:
    """One set for all tests: making it costs more than a test."""
    async with connect(store_endpoint, offline_session()) as clients:
        yield clients


@pytest_asyncio.fixture(loop_scope="module")
async def empty(clients: Clients) -> Scene:
    """There are no objects and no items."""
    scene = Scene(clients, f"audit-{uuid.uuid4().hex[:12]}")
    await clients.s3.create_bucket(Bucket=scene.name)
    await clients.dynamodb.create_table(
        TableName=scene.name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    )
    return scene


@pytest_asyncio.fixture(loop_scope="module")
async def scene(empty: Scene) -> Scene:
    """Two objects, stored and rejected as documented."""
    await empty.put("stocks/first.csv", FIRST)
    await empty.put("stocks/sub folder/second+.csv", SECOND)
    await empty.put_rejected(REJECTED)
    for item in ITEMS:
        await empty.store(item)
    return empty
