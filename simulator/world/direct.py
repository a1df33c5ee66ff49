"""The twin's own busy calls straight to the store, without botocore: its polls, its deletes, the objects of the proof.

Everything else passes to the client that each of these wraps. The handlers' clients are never wrapped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import create_parser

from simulator.base import limits
from simulator.base.clients import DUMMY_CREDENTIALS
from simulator.store.wire.messages import Request, Response
from simulator.world.wire import Answer, Caller


@dataclass
class _Direct:
    """A client's own methods, or those of the client behind it."""

    client: Any
    answer: Answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@dataclass
class DirectSqs(_Direct):
    """SQS's busy operations; each takes the time that the model says, for `caller`. They raise `ClientError`."""

    caller: Caller

    async def receive_message(self, **parameters: Any) -> Any:
        """Like the client's, but `MD5OfBody` and the rest are as the store wrote them."""
        return await self._called("ReceiveMessage", parameters)

    async def delete_message_batch(self, **parameters: Any) -> Any:
        """Like the client's."""
        return await self._called("DeleteMessageBatch", parameters)

    async def _called(self, operation: str, parameters: dict[str, Any]) -> Any:
        headers = _headers("sqs") | {"x-amz-target": f"AmazonSQS.{operation}"}
        await asyncio.sleep(self.caller.latency_s("sqs", operation))
        response = await self.answer(Request("POST", "/", headers, (), orjson.dumps(parameters)))
        if response.breaks_after is not None:
            raise ConnectionClosedError(endpoint_url="the queue", error="the connection broke")
        if response.status != 200:
            raise _refused(response, "json", operation)
        return orjson.loads(response.body)


class DirectS3(_Direct):
    """The proof's reading of objects; it takes no time."""

    async def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803 - botocore's names
        """An object's body, to read in parts. Raises `ClientError`."""
        request = Request("GET", f"/{Bucket}/{quote(Key, safe='/~')}", _headers("s3"), (), b"")
        response = await self.answer(request)
        if response.status == 503:
            await asyncio.sleep(1)  # it is too fast for S3, which counts requests by the second
            return await self.get_object(Bucket=Bucket, Key=Key)
        if response.status != 200:
            raise _refused(response, "rest-xml", "GetObject")
        return {"Body": _Body(response.body)}


def _headers(service: str) -> dict[str, str]:
    scope = f"{DUMMY_CREDENTIALS['aws_access_key_id']}/20260101/{limits.REGION}/{service}/aws4_request"
    return {"host": "127.0.0.1", "authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}


def _refused(response: Response, protocol: str, operation: str) -> ClientError:
    """What botocore makes of it."""
    parser: Any = create_parser(protocol)
    told = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
    return ClientError(parser.parse(told, None), operation)


@dataclass
class _Body:
    content: bytes

    async def __aenter__(self) -> _Body:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def iter_chunks(self, size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size]
