"""The raw ceiling: bare requests, in the mix that one object needs, show what the target alone can do.

One object needs a put (with its notification), a tenth of a receive, a get, a batch write per 25 rows and a tenth of a
delete. There is no handler, no CSV and no waiting for each other. It runs in the generator's process, on resources
created only for it.
"""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from simulator.base.clock import Clock
from simulator.base.errors import one_failure
from simulator.load.measure.bottleneck import Ceiling
from simulator.load.plan.objects import Objects
from simulator.load.send.protocol import MeasureCeiling
from simulator.load.send.signing import SignedRequest, Signer

BATCH = 10
ITEMS = 25
_STAMP = "1970-01-01T00:00:00.000000Z"


class CeilingRefused(Exception):
    """The target answered a bare request with an error."""


def write_bodies(table: str, rows: int) -> list[bytes]:
    """The bodies of the batch writes that store one object of `rows` rows; the last one may be shorter."""

    def put(row: int) -> dict[str, Any]:
        figures = {name: {"N": "123.45"} for name in ("open", "high", "low", "close")}
        item = {"PK": {"S": f"CL{row % 1000:03d}"}, "SK": {"S": _STAMP}, **figures, "volume": {"N": "48211"}}
        return {"PutRequest": {"Item": item}}

    starts = range(0, rows, ITEMS)
    return [
        json.dumps({"RequestItems": {table: [put(row) for row in range(start, min(rows, start + ITEMS))]}}).encode()
        for start in starts
    ]


@dataclass
class _Client:
    """One bare client: in each cycle it puts ten objects, and receives, reads, writes and deletes as many."""

    order: MeasureCeiling
    http: aiohttp.ClientSession
    signer: Signer
    objects: Objects
    bodies: list[bytes]
    number: int
    requests: int = 0
    done: int = 0

    async def cycle(self) -> None:
        bucket_url, queue_url = self.order.bucket_url, self.order.queue_url
        keys = []
        for _ in range(BATCH):
            keys.append(self.objects.key(self.number))
            await self._do(self.signer.put_object(bucket_url, keys[-1], self.objects.body(self.number)))
            self.number += self.order.clients
        receipts: list[dict[str, str]] = []
        while not receipts:
            question = {"QueueUrl": queue_url, "MaxNumberOfMessages": BATCH, "WaitTimeSeconds": 1}
            answer = await self._call("sqs", "AmazonSQS.ReceiveMessage", json.dumps(question).encode())
            receipts = answer.get("Messages") or []
        for index, key in enumerate(keys[: len(receipts)]):
            await self._do(self.signer.get_object(bucket_url, key))
            # Every object has its own timestamp, because new items cost a table more than repeated ones.
            stamp = f"{self.number + index:026d}Z".encode()
            for body in self.bodies:
                fresh = body.replace(_STAMP.encode(), stamp)
                await self._call("dynamodb", "DynamoDB_20120810.BatchWriteItem", fresh)
        handles = enumerate(message["ReceiptHandle"] for message in receipts)
        entries = [{"Id": str(index), "ReceiptHandle": handle} for index, handle in handles]
        question = {"QueueUrl": queue_url, "Entries": entries}
        await self._call("sqs", "AmazonSQS.DeleteMessageBatch", json.dumps(question).encode())
        self.done += len(receipts)

    async def _call(self, service: str, target: str, body: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await self._do(self.signer.call(service, target, body)) or b"{}")
        return answer

    async def _do(self, request: SignedRequest) -> bytes:
        self.requests += 1
        async with self.http.request(
            request.method, URL(request.url, encoded=True), data=request.body or None, headers=request.headers
        ) as response:
            body = await response.read()
            if response.status >= 300:
                reason = " ".join(body[:300].decode(errors="replace").split())
                raise CeilingRefused(f"{request.method} {request.url} answered HTTP {response.status}: {reason}")
            return body


async def measure(
    order: MeasureCeiling,
    http: aiohttp.ClientSession,
    signer: Signer,
    objects: Objects,
    clock: Clock,
    stop: asyncio.Event,
) -> Ceiling:
    """Run the clients for the order's time; returns the rates that the target reached.

    Each client finishes its last cycle, and its rate is over its own time, so the end cuts no cycle short.
    """
    bodies = write_bodies(order.table, order.rows)
    begun_at = clock.now()

    async def run(client: _Client) -> tuple[float, float]:
        while not stop.is_set() and clock.now() - begun_at < order.seconds:
            await client.cycle()
        took_s = max(1e-6, clock.now() - begun_at)
        return client.done / took_s, client.requests / took_s

    clients = [_Client(order, http, signer, objects, bodies, number) for number in range(order.clients)]
    with one_failure():
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(run(client)) for client in clients]
    rates = [task.result() for task in running]
    objects_per_s, requests_per_s = (math.fsum(column) for column in zip(*rates, strict=True))
    return Ceiling(objects_per_s, objects_per_s * order.rows, requests_per_s, clock.now() - begun_at)
