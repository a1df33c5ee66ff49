"""The consumer: an SQS batch of S3 notifications -> rows in the table -> the messages that failed.

Decides which messages are done and which fail, and what is logged about each. A message's outcome does not affect
others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiobotocore.session import AioSession

from pipeline.budget import Budget
from pipeline.chance import environment_seed
from pipeline.counts import ConsumerCounts
from pipeline.environment import Handler, Invoke, access, client, credentials_of, trusted_authorities
from pipeline.events import MalformedEvent, Message, ObjectReference, created_objects, sqs_messages
from pipeline.failures import MessageFailure, ObjectGone, ObjectSkipped, OutOfTime
from pipeline.functions import CLIENT, ConsumerSettings
from pipeline.items import ItemReader, Items
from pipeline.log import Log
from pipeline.objects import ObjectStream, RejectedRows
from pipeline.rows import ObjectUnreadable, RejectedRow
from pipeline.table import ObjectWriter, TableWriter, Transport
from pipeline.transports import ClientTransport, SignedTransport
from pipeline.wire import HttpPool

S3_RETRIES = 4
MEASURED_SHARE = 0.1
"""Once this share of the invocation's time has passed, an object's speed is judged."""
PART_ROWS = 250
"""Rows between two checks of the time."""


@dataclass(frozen=True, slots=True)
class _Consumer:
    """What all invocations share."""

    settings: ConsumerSettings
    s3: Any
    table: TableWriter
    objects: asyncio.Semaphore
    log: Log
    seed: str


@asynccontextmanager
async def open_environment(
    environ: Mapping[str, str], session: AioSession, write: Callable[[str], None]
) -> AsyncIterator[Invoke]:
    """The consumer's core: settings and clients, for as long as the environment lives. Raises `SettingsError`."""
    settings = ConsumerSettings.from_environ(environ)
    async with AsyncExitStack() as stack:
        s3 = await stack.enter_async_context(
            client(session, "s3", access(environ, "s3"), connections=settings.object_concurrency, retries=S3_RETRIES)
        )
        transport = await _open_transport(stack, settings, environ, session)
        name = environ.get("AWS_LAMBDA_FUNCTION_NAME") or "ConsumerLambda"
        environment = _Consumer(
            settings,
            s3,
            TableWriter(transport, settings.write_concurrency, settings.write_rate or None),
            asyncio.Semaphore(settings.object_concurrency),
            Log(write, time.time, name, environ.get("AWS_LAMBDA_LOG_LEVEL")),
            environment_seed(environ),
        )

        async def invoke(event: Any, context: Any) -> dict[str, Any]:
            return await _Invocation(environment, context).run(event)

        yield invoke


async def _open_transport(
    stack: AsyncExitStack, settings: ConsumerSettings, environ: Mapping[str, str], session: AioSession
) -> Transport:
    where = access(environ, "dynamodb")
    endpoint_url = where.endpoint_url
    if settings.batch_writer == CLIENT or endpoint_url is None:
        dynamodb = await stack.enter_async_context(
            # The writer's own retries respect the time budget and the write rate.
            client(session, "dynamodb", where, connections=settings.write_concurrency, retries=0)
        )
        if settings.batch_writer == CLIENT or environ.get("HTTPS_PROXY") or environ.get("https_proxy"):
            # Only botocore can connect through a proxy.
            return ClientTransport(dynamodb, settings.table)
        endpoint_url = str(dynamodb.meta.endpoint_url)
    secure = endpoint_url.startswith("https:")
    pool = HttpPool(endpoint_url, settings.write_concurrency, trusted_authorities(environ) if secure else None)
    stack.callback(pool.close)
    credentials = await credentials_of(session, where)
    return SignedTransport(endpoint_url, where.region, settings.table, pool, credentials, time.time)


class _Invocation:
    """One batch. Messages about the same object share one read of it, and its outcome."""

    def __init__(self, environment: _Consumer, context: object) -> None:
        self._environment = environment
        self._now = asyncio.get_running_loop().time
        self._budget = Budget.of(context, self._now())
        self._log = environment.log.of_invocation(context)
        self._counts = ConsumerCounts()
        self._outcomes: dict[ObjectReference, asyncio.Task[MessageFailure | None]] = {}
        self._reading = 0

    async def run(self, event: object) -> dict[str, Any]:
        """The batch item failures. Raises `MalformedEvent` if the event is not a batch."""
        messages = sqs_messages(event)
        self._counts.messages_received += len(messages)
        async with asyncio.TaskGroup() as group:
            done = [(message.id, group.create_task(self._message(group, message))) for message in messages]
        failed = [identifier for identifier, task in done if not task.result()]
        self._counts.messages_failed += len(failed)
        self._log.metrics(self._counts.metrics())
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    async def _message(self, group: asyncio.TaskGroup, message: Message) -> bool:
        """Process one message; returns whether it is done. Raises nothing but cancellation."""
        try:
            references = created_objects(message.body)
        except MalformedEvent as error:
            self._failed(message, MessageFailure(str(error), permanent=True))
            return False
        for reference in references:
            if reference not in self._outcomes:
                self._outcomes[reference] = group.create_task(self._object(reference))
        outcomes = [(reference, await self._outcomes[reference]) for reference in references]
        failures = [(reference, failure) for reference, failure in outcomes if failure is not None]
        for reference, failure in failures:
            self._failed(message, failure, bucket=reference.bucket, key=reference.key)
        return not failures

    def _failed(self, message: Message, failure: MessageFailure, **fields: object) -> None:
        self._log.error(
            "message failed",
            messageId=message.id,
            receiveCount=message.receive_count,
            reason=failure.reason,
            permanent=failure.permanent,
            **fields,
            **({"setting": failure.setting} if failure.setting else {}),
        )

    async def _object(self, reference: ObjectReference) -> MessageFailure | None:
        """Store one object; returns why it failed, or None. Raises nothing but cancellation."""
        try:
            async with asyncio.timeout_at(self._budget.soft_at):
                await self._environment.objects.acquire()
        except TimeoutError:
            return OutOfTime()
        self._reading += 1
        try:
            await self._ingest(reference)
        except ObjectGone:
            self._counts.objects_gone += 1
            self._log.warn("object gone", bucket=reference.bucket, key=reference.key)
        except ObjectSkipped:
            self._counts.objects_skipped += 1
            self._log.info("object skipped", bucket=reference.bucket, key=reference.key)
        except ObjectUnreadable as error:
            self._counts.objects_unreadable += 1
            return MessageFailure(f"the object cannot be read: {error}", permanent=True, setting=error.setting)
        except MessageFailure as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - a defect that one object brings out must not hurt the others
            return MessageFailure(f"{type(error).__name__}: {error}", permanent=False)
        finally:
            self._reading -= 1
            self._environment.objects.release()
        return None

    async def _ingest(self, reference: ObjectReference) -> None:
        """Store the object, or raise the reason why not; either way, nothing is left in flight."""
        if reference.is_hidden:
            raise ObjectSkipped
        environment = self._environment
        seed = f"{environment.seed}/{self._log.request_id}/{reference.bucket}/{reference.key}"
        to_key = f"{environment.settings.rejected_prefix}{reference.key}.jsonl"
        ingest = _Ingest(
            ObjectStream(environment.s3, reference.bucket, reference.key, seed),
            ItemReader(reference.key, environment.settings.dialect),
            ObjectWriter(environment.table, self._budget, self._counts, seed),
            RejectedRows(environment.s3, reference.bucket, to_key),
            self._now(),
            may_be_empty=reference.is_folder,
        )
        try:
            async with asyncio.timeout_at(self._budget.soft_at):
                await self._store(ingest)
        except Exception as error:
            await ingest.writer.settle()
            self._say_rejected(reference, ingest)
            if isinstance(error, TimeoutError):
                raise OutOfTime from None
            raise
        except BaseException:
            await ingest.writer.abandon()
            raise
        finally:
            self._counts.bytes_read += ingest.stream.bytes_read
        self._counts.objects_ingested += 1
        self._log.info(
            "object stored",
            bucket=reference.bucket,
            key=reference.key,
            rows=ingest.rows_added - ingest.rejected.count,
            rejected=ingest.rejected.count,
            duration=round(self._now() - ingest.started_at, 6),
        )
        self._say_rejected(reference, ingest)

    def _say_rejected(self, reference: ObjectReference, ingest: _Ingest) -> None:
        """Log how many rows were rejected, if any, and why: each kind of reason with one example."""
        if ingest.rejected.count:
            self._log.warn(
                "rows rejected",
                bucket=reference.bucket,
                key=reference.key,
                rejected=ingest.rejected.count,
                reasons=ingest.rejected.reasons.most_frequent(),
            )

    async def _store(self, ingest: _Ingest) -> None:
        async with aclosing(ingest.stream.chunks()) as chunks:
            async for chunk in chunks:
                await self._take(ingest, ingest.reader.feed(chunk))
                self._check_time(ingest)
        if ingest.may_be_empty and not ingest.stream.bytes_read:
            raise ObjectSkipped
        await self._take(ingest, ingest.reader.feed(b"", final=True))
        await ingest.writer.finish()
        await self._reject(ingest, ingest.writer.refused)
        await ingest.rejected.complete()

    async def _take(self, ingest: _Ingest, blocks: Iterator[Items | RejectedRow]) -> None:
        for block in blocks:
            if isinstance(block, Items):
                self._counts.rows_read += len(block.keys)
                ingest.rows_seen += len(block.keys)
                for part in block.parts(PART_ROWS):
                    await ingest.writer.add(part)
                    ingest.rows_added += len(part.keys)
                    self._check_time(ingest)
                await self._reject(ingest, ingest.writer.refused)
            else:
                self._counts.rows_read += 1
                ingest.rows_seen += 1
                ingest.rows_added += 1
                await self._reject(ingest, [block])
                if ingest.rejected.count % PART_ROWS == 0:
                    self._check_time(ingest)
            # Neither a buffered read nor a free slot yields to the event loop, so a long chunk would block it.
            await asyncio.sleep(0)

    async def _reject(self, ingest: _Ingest, rows: list[RejectedRow]) -> None:
        """Reject these rows, whether DynamoDB refused them or we know that it would."""
        while rows:
            self._counts.rows_rejected += 1
            await ingest.rejected.add(rows.pop(0))

    def _check_time(self, ingest: _Ingest) -> None:
        """Raise if time is up, or if the object would not be done in time even with the environment to itself."""
        now = self._now()
        if now >= self._budget.soft_at:
            raise OutOfTime
        elapsed_s = now - ingest.started_at
        size = ingest.stream.size_bytes
        if not size or elapsed_s < MEASURED_SHARE * (self._budget.soft_at - self._budget.started_at):
            return
        done = ingest.stream.bytes_read
        if ingest.rows_seen:
            done = done * ingest.rows_added // ingest.rows_seen
        left_s = self._budget.soft_at - now
        needed_s = (size - done) * elapsed_s / (max(1, done) * self._reading)
        if needed_s > left_s:
            raise MessageFailure(
                f"too large for the time left: {size} bytes, of which {done} were stored in {elapsed_s:.1f} s "
                f"({done / elapsed_s:.0f} bytes/s, {ingest.rows_added / elapsed_s:.0f} rows/s); "
                f"{needed_s:.1f} s more are needed, {left_s:.1f} s are left",
                permanent=ingest.started_at - self._budget.started_at < elapsed_s,
            )


@dataclass(slots=True)
class _Ingest:
    """One object while it is being stored."""

    stream: ObjectStream
    reader: ItemReader
    writer: ObjectWriter
    rejected: RejectedRows
    started_at: float
    may_be_empty: bool
    rows_seen: int = 0
    rows_added: int = 0


handler = Handler(open_environment)
