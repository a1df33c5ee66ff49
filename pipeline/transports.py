"""BatchWriteItem through aiobotocore: the plain way, which needs nothing but the client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from pipeline.items import Key
from pipeline.table import WriteError, kind_of


class ClientTransport:
    """Sends through an aiobotocore client, which prepares, signs and parses."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    async def write(self, puts: Iterable[str], timeout_s: float) -> list[Key]:
        """Put these; the keys that DynamoDB left unprocessed. Raises `WriteError`."""
        requests = json.loads(f"[{','.join(puts)}]")
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._dynamodb.batch_write_item(RequestItems={self._table: requests})
        except TimeoutError:
            raise WriteError("timeout", f"no answer within {timeout_s:.1f} s", "transient") from None
        except ClientError as error:
            detail = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = detail.get("Code", "")
            raise WriteError(code, detail.get("Message", ""), kind_of(code, status)) from error
        except BotoCoreError as error:
            kind = "transient" if isinstance(error, HTTPClientError) else "permanent"
            raise WriteError(type(error).__name__, str(error), kind) from error  # type: ignore[arg-type]
        return unprocessed_keys(answer, self._table)


def unprocessed_keys(answer: dict[str, Any], table: str) -> list[Key]:
    """The keys of the answer's unprocessed puts."""
    left = answer.get("UnprocessedItems") or {}
    items = [request["PutRequest"]["Item"] for request in left.get(table, ())]
    return [(item["PK"]["S"], item["SK"]["S"]) for item in items]
