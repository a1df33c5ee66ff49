"""A loopback fake of S3 and DynamoDB that enforces AWS's rules where moto does not, and misbehaves on demand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import web

BUCKET = "bucket"
TABLE = "StockData"
Item = dict[str, dict[str, str]]
Answer = tuple[int, dict[str, Any]] | None
OnWrite = Callable[[list[Item]], Awaitable[Answer]]


def error(code: str, message: str = "", status: int = 400) -> tuple[int, dict[str, Any]]:
    """An error answer in DynamoDB's form."""
    return status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}


def unprocessed(items: list[Item]) -> tuple[int, dict[str, Any]]:
    """An answer that leaves these items unprocessed."""
    return 200, {"UnprocessedItems": {TABLE: [{"PutRequest": {"Item": item}} for item in items]} if items else {}}


class FakeAws:
    """Objects by key, items by (PK, SK) in `table`, and the requests.

    `on_write` sees a request's items before they are stored: what it returns is the answer (items that it names as
    unprocessed are not stored; an error stores nothing); None means that all is well. `refused` maps keys to
    (status, code) for GETs. `cut` maps keys to numbers of bytes after which a GET's connection breaks, once each.
    """

    def __init__(self) -> None:
        self.endpoint = ""
        self.objects: dict[str, bytes] = {}
        self.table: dict[tuple[str, str], Item] = {}
        self.refused: dict[str, tuple[int, str]] = {}
        self.refused_puts: list[tuple[int, str]] = []
        self.cut: dict[str, list[int]] = {}
        self.gets: list[str] = []
        self.puts: list[str] = []
        self.writes: list[list[Item]] = []
        self.writes_at_once = self.writes_at_once_max = 0
        self.on_write: OnWrite | None = None
        self._parts: dict[str, dict[int, bytes]] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of either service."""
        if "X-Amz-Target" in request.headers:
            return await self._write(request)
        key = request.path.removeprefix(f"/{BUCKET}/")
        if request.method == "GET":
            return await self._get(request, key)
        return await self._put(request, key)

    async def _get(self, request: web.Request, key: str) -> web.StreamResponse:
        self.gets.append(key)
        if key in self.refused:
            return _s3_error(*self.refused[key])
        if key not in self.objects:
            return _s3_error(404, "NoSuchKey")
        body = self.objects[key]
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if request.headers.get("If-Match", etag) != etag:
            return _s3_error(412, "PreconditionFailed")
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        response = web.StreamResponse(status=206 if start else 200, headers={"ETag": etag})
        response.content_length = len(body) - start
        await response.prepare(request)
        end = len(body)
        if self.cut.get(key):
            end = start + self.cut[key].pop(0)
        await response.write(body[start:end])
        if end < len(body):
            assert request.transport is not None
            request.transport.close()
        return response

    async def _put(self, request: web.Request, key: str) -> web.StreamResponse:
        body = await request.read()
        if self.refused_puts:
            return _s3_error(*self.refused_puts.pop(0))
        if "uploads" in request.query:
            self._parts[key] = {}
            return web.Response(text=f"<R><Bucket>{BUCKET}</Bucket><Key>{key}</Key><UploadId>1</UploadId></R>")
        if "partNumber" in request.query:
            self._parts[key][int(request.query["partNumber"])] = body
            return web.Response(headers={"ETag": '"part"'})
        self.puts.append(key)
        if "uploadId" in request.query:
            body = b"".join(part for _, part in sorted(self._parts.pop(key).items()))
            self.objects[key] = body
            return web.Response(text=f"<R><Bucket>{BUCKET}</Bucket><Key>{key}</Key></R>")
        self.objects[key] = body
        return web.Response(headers={"ETag": '"whole"'})

    async def _write(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        items: list[Item] = [put["PutRequest"]["Item"] for put in body["RequestItems"][TABLE]]
        self.writes.append(items)
        self.writes_at_once += 1
        self.writes_at_once_max = max(self.writes_at_once_max, self.writes_at_once)
        try:
            answer = _broken_rule(items) or (await self.on_write(items) if self.on_write else None) or unprocessed([])
        finally:
            self.writes_at_once -= 1
        status, payload = answer
        if status == 200:
            left = [put["PutRequest"]["Item"] for put in payload["UnprocessedItems"].get(TABLE, [])]
            self.table |= {(item["PK"]["S"], item["SK"]["S"]): item for item in items if item not in left}
        return web.json_response(payload, status=status, content_type="application/x-amz-json-1.0")


def _broken_rule(items: list[Item]) -> Answer:
    """What DynamoDB's documentation forbids and moto allows."""
    keys = [(item["PK"]["S"], item["SK"]["S"]) for item in items]
    if not 1 <= len(items) <= 25:
        return error("ValidationException", "Too many items requested for the BatchWriteItem call")
    if len(set(keys)) < len(keys):
        return error("ValidationException", "Provided list of item keys contains duplicates")
    for item in items:
        for value in item.values():
            if "N" in value and len(Decimal(value["N"]).normalize().as_tuple().digits) > 38:
                return error("ValidationException", "Attempting to store more than 38 significant digits in a Number")
        if len(json.dumps(item)) > 450 * 1024:
            return error("ValidationException", "Item size has exceeded the maximum allowed size")
    return None


def _s3_error(status: int, code: str) -> web.Response:
    return web.Response(status=status, text=f"<Error><Code>{code}</Code><Message>as told</Message></Error>")


@asynccontextmanager
async def serving(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The URL of a loopback server that answers with `handle`."""
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
