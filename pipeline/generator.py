"""The generator: one tick -> its CSV objects in the bucket.

Everything derives from the seed and the event's time, so a retried tick writes the same bytes to the same keys.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.budget import Budget
from pipeline.chance import environment_seed, stream
from pipeline.environment import Handler, Invoke, access, client
from pipeline.events import MalformedEvent, tick_time
from pipeline.failures import is_permanent
from pipeline.functions import GeneratorSettings
from pipeline.log import Log
from pipeline.market import tick_of

UPLOADS = 32
"""Uploads in flight at once."""
S3_RETRIES = 2
ATTEMPTS = 4
PAUSE_BASE_S = 0.1
"""Full jitter: the n-th pause is between zero and this base doubled n times."""


class TickFailed(Exception):
    """Some objects of the tick could not be written. EventBridge retries the tick, which writes the same objects."""


@asynccontextmanager
async def open_environment(
    environ: Mapping[str, str], session: AioSession, write: Callable[[str], None]
) -> AsyncIterator[Invoke]:
    """The generator's core: settings and client, for as long as the environment lives. Raises `SettingsError`."""
    settings = GeneratorSettings.from_environ(environ)
    seed = environment_seed(environ)
    name = environ.get("AWS_LAMBDA_FUNCTION_NAME") or "GeneratorLambda"
    environment_log = Log(write, time.time, name, environ.get("AWS_LAMBDA_LOG_LEVEL"))
    async with client(session, "s3", access(environ, "s3"), connections=UPLOADS, retries=S3_RETRIES) as s3:

        async def invoke(event: Any, context: Any) -> dict[str, Any]:
            log = environment_log.of_invocation(context)
            tick = _tick(event)
            budget = Budget.of(context, asyncio.get_running_loop().time())
            uploads = _Uploads(s3, settings, tick, budget, f"{seed}/{log.request_id}")
            try:
                await uploads.run()
            finally:
                files, rows, size_bytes = uploads.files, uploads.files * settings.market.rows, uploads.size_bytes
                log.metrics({"FilesWritten": files, "RowsGenerated": rows, "BytesWritten": size_bytes}, tick=tick)
            wanted = settings.market.files
            if files < wanted:
                log.error("tick failed", tick=tick, failed=wanted - files, reason=uploads.reason)
                raise TickFailed(f"{wanted - files} of {wanted} objects of the tick were not written: {uploads.reason}")
            written = {"files": files, "rows": rows, "bytes": size_bytes}
            log.info("tick written", tick=tick, **written)
            return written

        yield invoke


@dataclass
class _Uploads:
    """Uploads the objects of one tick, several at a time. `reason` is that of the first failure."""

    s3: Any
    settings: GeneratorSettings
    tick: int
    budget: Budget
    seed: str
    files: int = 0
    size_bytes: int = 0
    reason: str | None = None

    def __post_init__(self) -> None:
        self._numbers = iter(range(self.settings.market.files))
        self._making = asyncio.Lock()

    async def run(self) -> None:
        """Write what can be written; one failed object does not stop the others."""
        try:
            async with asyncio.timeout_at(self.budget.soft_at), asyncio.TaskGroup() as group:
                for _ in range(min(UPLOADS, self.settings.market.files)):
                    group.create_task(self._worker())
        except TimeoutError:
            self.reason = self.reason or "no time left in this invocation"

    async def _worker(self) -> None:
        for number in self._numbers:
            # One object at a time: the first upload starts at once, and other tasks wait for one chunk at most.
            async with self._making:
                body = bytearray()
                for chunk in self.settings.market.csv_chunks(self.tick, number):
                    body += chunk
                    await asyncio.sleep(0)
            key = self.settings.market.key(self.settings.key_prefix, self.tick, number)
            if await self._put(key, bytes(body)):
                self.files += 1
                self.size_bytes += len(body)

    async def _put(self, key: str, body: bytes) -> bool:
        for attempt in itertools.count(1):
            try:
                await self.s3.put_object(
                    Bucket=self.settings.bucket, Key=key, Body=body, ContentType="text/csv; charset=utf-8"
                )
                break
            except (ClientError, BotoCoreError) as error:
                if attempt == ATTEMPTS or is_permanent(error):
                    self.reason = self.reason or f"{key}: {error}"
                    return False
            await asyncio.sleep(stream(self.seed, key, attempt).uniform(0, PAUSE_BASE_S * 2**attempt))
        return True


def _tick(event: object) -> int:
    """The tick that the event's time names; now for an event without one, like the console's test event."""
    text = tick_time(event)
    if text is None:
        return tick_of(time.time())
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedEvent(f"the event's time {text!r} is not ISO 8601") from None
    if instant.tzinfo is None:
        raise MalformedEvent(f"the event's time {text!r} has no zone")
    return tick_of(instant.timestamp())


handler = Handler(open_environment)
