"""Send real files to a bucket and messages to a queue. The lists are known, and that everything can be sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish, InputError, one_failure
from simulator.base.observations import MessageSent, ObjectPut, Record
from simulator.base.waiting import each, wait_for_event
from simulator.files.finding import SourceFile, content_type

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef
    from types_aiobotocore_sqs import SQSClient


class TimedPut(NamedTuple):
    """An object that is put so many seconds after the start; `what` says in a few words what it is."""

    at_s: float
    key: str
    content: bytes
    what: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run sends itself: files to the bucket of this name, messages to `queue`, `event` once to `function`.

    `puts` are objects for the bucket, each at its time. Queue and function are logical ids, None if nothing is sent to
    one.
    """

    files: tuple[SourceFile, ...] = ()
    bucket: str = ""
    messages: tuple[str, ...] = ()
    queue: str | None = None
    function: str | None = None
    event: Any = None
    puts: tuple[TimedPut, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.puts or self.queue or self.function)


async def put_in_time(
    puts: Sequence[TimedPut], *, s3: S3Client, bucket: str, record: Record, clock: Clock, stop: asyncio.Event
) -> None:
    """Put each object at its time, or never once `stop` is set. An `ObjectPut` is recorded for each.

    Raises `CouldNotFinish` if the store refuses one.
    """
    began_at = clock.now()
    for put in puts:
        if await wait_for_event(stop, clock, began_at + put.at_s - clock.now()):
            return
        try:
            await s3.put_object(Bucket=bucket, Key=put.key, Body=put.content, ContentType=content_type(put.key))
        except (BotoCoreError, ClientError, aiohttp.ClientError) as error:
            raise CouldNotFinish(f"'{put.key}' could not be sent: {error}") from error
        record(ObjectPut(clock.now(), bucket, put.key, len(put.content)))


async def send(
    sources: Sequence[SourceFile],
    *,
    s3: S3Client,
    bucket: str,
    record: Record,
    clock: Clock,
    stop: asyncio.Event,
    concurrency: int = 8,
) -> None:
    """Put each file into the bucket, `concurrency` at a time and in order.

    When the store has answered, an `ObjectPut` is recorded. Once `stop` is set, no further file is begun. Each file in
    progress takes `limits.SOURCE_PUT_BYTES` of memory; a larger one is a multipart upload, which is never left half
    done. Raises `InputError` if a file can no longer be read, `CouldNotFinish` if the store refuses one.
    """

    async def put(source: SourceFile) -> None:
        size = await _put(s3, bucket, source)
        record(ObjectPut(clock.now(), bucket, source.key, size))

    with one_failure():
        await each(takewhile(lambda _: not stop.is_set(), sources), put, concurrency)


async def send_messages(
    bodies: Sequence[str],
    *,
    sqs: SQSClient,
    queue_url: str,
    queue: str,
    record: Record,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Send these messages to a queue, in order and in batches, and record a `MessageSent` for each.

    Once `stop` is set, no further batch is sent. Raises `InputError` if the queue refuses a message, `CouldNotFinish`
    if the store does not answer.
    """
    for batch in _batches(bodies):
        if stop.is_set():
            return
        entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
        try:
            answer = await sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        except (BotoCoreError, ClientError, aiohttp.ClientError) as error:
            raise CouldNotFinish(f"messages could not be sent to {queue}: {error}") from error
        if refused := answer.get("Failed"):
            raise InputError(f"{queue} refuses a message: {refused[0].get('Message') or refused[0]['Code']}")
        for _ in batch:
            record(MessageSent(clock.now(), queue))


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    """The messages as SQS takes them at once: ten, and together no larger than one may be."""
    batch: list[str] = []
    room = limits.SQS_MESSAGE_BYTES[1]
    for body in bodies:
        size = len(body.encode())
        if batch and (len(batch) == limits.SQS_BATCH_ENTRIES or size > room):
            yield batch
            batch, room = [], limits.SQS_MESSAGE_BYTES[1]
        batch.append(body)
        room -= size
    if batch:
        yield batch


async def _put(s3: S3Client, bucket: str, source: SourceFile) -> int:
    """Put one file; returns its size in bytes."""
    try:
        with await asyncio.to_thread(source.path.open, "rb") as file:
            body = await asyncio.to_thread(file.read, limits.SOURCE_PUT_BYTES + 1)
            if len(body) > limits.SOURCE_PUT_BYTES:
                file.seek(0)
                await _put_parts(s3, bucket, source.key, file)
            else:
                await s3.put_object(Bucket=bucket, Key=source.key, Body=body, ContentType=content_type(source.key))
            return file.tell()
    except (BotoCoreError, ClientError, aiohttp.ClientError) as error:
        raise CouldNotFinish(f"'{source.path}' could not be sent: {error}") from error
    except OSError as error:
        raise InputError(f"'{source.path}' cannot be read: {error.strerror or error}") from None


async def _put_parts(s3: S3Client, bucket: str, key: str, file: BinaryIO) -> None:
    size = os.fstat(file.fileno()).st_size
    part_bytes = max(limits.SOURCE_PART_BYTES, -(-size // limits.S3_UPLOAD_PARTS))
    upload = (await s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type(key)))["UploadId"]
    parts: list[CompletedPartTypeDef] = []
    try:
        while body := await asyncio.to_thread(file.read, part_bytes):
            number = len(parts) + 1
            answer = await s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        await s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    except BaseException:
        # Parts of an unfinished upload would be stored, and billed, for ever.
        await asyncio.shield(s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload))
        raise
