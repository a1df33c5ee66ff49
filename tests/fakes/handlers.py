"""Opens a handler's core in a test, and makes the events that Lambda would pass to it."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.session import AioSession

from fakes.aws import BUCKET, TABLE


class Context:
    """Lambda's context object, as far as the handlers use it."""

    def __init__(self, remaining_s: float = 60.0) -> None:
        self.aws_request_id = "request-1"
        self.function_name = "Function"
        self._remaining_s = remaining_s

    def get_remaining_time_in_millis(self) -> int:
        """The time left when the handler is called."""
        return int(self._remaining_s * 1000)


class Opened:
    """An open environment: `invoke`, and what it wrote as `lines`."""

    def __init__(self, invoke: Any, lines: list[dict[str, Any]]) -> None:
        self._invoke = invoke
        self.lines = lines

    async def __call__(self, event: Any, remaining_s: float = 60.0) -> Any:
        """Invoke with this much time left."""
        return await self._invoke(event, Context(remaining_s))

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The log lines with this message."""
        return [line for line in self.lines if line.get("message") == message]

    @property
    def metrics(self) -> dict[str, Any]:
        """The last line of metrics."""
        return next(line for line in reversed(self.lines) if "_aws" in line)

    async def ingest(self, *keys: str, remaining_s: float = 60.0) -> list[str]:
        """Send one batch that announces these keys, one message each; returns the keys whose messages failed."""
        answer = await self(batch(*keys), remaining_s)
        return [keys[int(failure["itemIdentifier"])] for failure in answer["batchItemFailures"]]


def environ(endpoint: str, **settings: str) -> dict[str, str]:
    """A function's variables for a loopback endpoint."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "BUCKET_NAME": BUCKET,
        "TABLE_NAME": TABLE,
        **settings,
    }


def notification(*keys: str, event_name: str = "ObjectCreated:Put", bucket: str = BUCKET) -> str:
    """The body of an SQS message in which S3 announces these keys."""
    return json.dumps(
        {
            "Records": [
                {
                    "eventVersion": "2.5",
                    "eventName": event_name,
                    "s3": {"bucket": {"name": bucket}, "object": {"key": urllib.parse.quote_plus(key), "size": 1}},
                }
                for key in keys
            ]
        }
    )


def sqs_event(*bodies: str) -> dict[str, Any]:
    """An SQS batch; a message's id is its position."""
    return {
        "Records": [
            {
                "messageId": str(i),
                "body": body,
                "attributes": {"ApproximateReceiveCount": "2"},
                "eventSource": "aws:sqs",
            }
            for i, body in enumerate(bodies)
        ]
    }


def batch(*keys: str) -> dict[str, Any]:
    """An SQS batch that announces these keys, one message each."""
    return sqs_event(*(notification(key) for key in keys))


@asynccontextmanager
async def opened(handler: Any, session: AioSession, variables: dict[str, str]) -> AsyncIterator[Opened]:
    """An environment of this handler."""
    lines: list[dict[str, Any]] = []
    async with handler.open_environment(variables, session, lambda line: lines.append(json.loads(line))) as invoke:
        yield Opened(invoke, lines)


def tasks_of_the_pipeline() -> list[asyncio.Task[Any]]:
    """What the pipeline has left running on this loop."""
    tasks = asyncio.all_tasks()
    return [task for task in tasks if "/pipeline/" in repr(task) and "/tests/" not in repr(task)]
