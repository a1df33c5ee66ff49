"""Two ways to send one BatchWriteItem request: signed and sent by our own client, or through aiobotocore's.

Botocore spends half of such a call on validation and most of the rest on preparing and parsing; `SignedTransport` does
only what remains. `ClientTransport` is the plain way, also used when there is a proxy.
"""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError

from pipeline.failures import answered, is_permanent
from pipeline.items import Key
from pipeline.signing import PostSigner
from pipeline.table import Kind, WriteError, kind_of
from pipeline.wire import HttpPool, Reply, WireError

_ALL_PROCESSED = b'{"UnprocessedItems":{}}'
_CRC32 = re.compile(rb"\r\nx-amz-crc32:[ \t]*([0-9]+)", re.IGNORECASE)
_HEADERS = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem"}


@dataclass(frozen=True, slots=True)
class ClientTransport:
    """Sends through an aiobotocore client, which prepares, signs and parses."""

    dynamodb: Any
    table: str

    async def write(self, puts: Iterable[str], timeout_s: float) -> list[Key]:
        """Put these rows; returns the keys that DynamoDB left unprocessed. Raises `WriteError`."""
        requests = json.loads(f"[{','.join(puts)}]")
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self.dynamodb.batch_write_item(RequestItems={self.table: requests})
        except TimeoutError:
            reason = f"no answer within {timeout_s:.1f} s"
            raise WriteError("timeout", reason, "transient", unanswered=True) from None
        except ClientError as error:
            code, message, status = answered(error)
            raise WriteError(code, message, kind_of(code, status)) from error
        except BotoCoreError as error:
            kind: Kind = "permanent" if is_permanent(error) else "transient"
            raise WriteError(type(error).__name__, str(error), kind, unanswered=_was_sent(error)) from error
        return unprocessed_keys(answer, self.table)


class SignedTransport:
    """Sends over its own connection pool, with a cached signing key."""

    def __init__(
        self,
        endpoint_url: str,
        region: str,
        table: str,
        pool: HttpPool,
        credentials: Callable[[], Awaitable[ReadOnlyCredentials]],
        now: Callable[[], float],
    ) -> None:
        url = urlsplit(endpoint_url)
        # Name the port unless it is the scheme's default.
        host = url.netloc.rpartition("@")[2].removesuffix(":443" if url.scheme == "https" else ":80")
        self._table = table
        self._opening = f'{{"RequestItems":{{{encode_basestring(table)}:['
        self._pool = pool
        self._signer = PostSigner(host, url.path, _HEADERS, region, "dynamodb", credentials, now)

    async def write(self, puts: Iterable[str], timeout_s: float) -> list[Key]:
        """Put these rows; returns the keys that DynamoDB left unprocessed. Raises `WriteError`."""
        body = f"{self._opening}{','.join(puts)}]}}}}".encode()
        head = await self._signer.head(body)
        try:
            reply = await self._pool.request(head + body, timeout_s)
        except WireError as error:
            raise WriteError("connection", str(error), "transient", unanswered=error.sent) from error
        if reply.status == 200 and reply.body == _ALL_PROCESSED:
            return []
        return self._read(reply)

    def _read(self, reply: Reply) -> list[Key]:
        crc32 = _CRC32.search(reply.head)
        if crc32 and int(crc32[1]) != zlib.crc32(reply.body):
            raise WriteError("crc32", "the answer was damaged in transit", "transient", unanswered=True)
        try:
            answer = json.loads(reply.body)
            if reply.status == 200:
                return unprocessed_keys(answer, self._table)
            code = str(answer.get("__type", "")).rpartition("#")[2]
            message = str(answer.get("message") or answer.get("Message") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            # A load balancer's page, or half of an answer.
            done = reply.status == 200
            kind: Kind = "transient" if done else kind_of("", reply.status)
            reason = "the answer did not come from DynamoDB"
            raise WriteError(f"status {reply.status}", reason, kind, unanswered=done) from None
        raise WriteError(code or f"status {reply.status}", message, kind_of(code, reply.status))


def _was_sent(error: BotoCoreError) -> bool:
    """Whether aiobotocore may have sent a request that got no answer: any failure after the connection was made."""
    cause = error.kwargs.get("error")
    return not (
        is_permanent(error) or isinstance(error, ConnectTimeoutError) or isinstance(cause, ClientConnectorError)
    )


def unprocessed_keys(answer: dict[str, Any], table: str) -> list[Key]:
    """The keys of the answer's unprocessed puts."""
    left = answer.get("UnprocessedItems") or {}
    items = [request["PutRequest"]["Item"] for request in left.get(table, ())]
    return [(item["PK"]["S"], item["SK"]["S"]) for item in items]
