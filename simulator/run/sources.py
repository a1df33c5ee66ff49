"""Send real files to the bucket. Their list is already known, and that the consumer can read them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish, InputError, one_failure
from simulator.base.observations import ObjectPut, Record
from simulator.files.finding import SourceFile

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef


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
    waiting = iter(sources)

    async def worker() -> None:
        for source in waiting:
            if stop.is_set():
                return
            size = await _put(s3, bucket, source)
            record(ObjectPut(clock.now(), bucket, source.key, size))

    with one_failure():
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(sources))):
                group.create_task(worker())


async def _put(s3: S3Client, bucket: str, source: SourceFile) -> int:
    """Put one file; returns its size in bytes."""
    try:
        with await asyncio.to_thread(source.path.open, "rb") as file:
            body = await asyncio.to_thread(file.read, limits.SOURCE_PUT_BYTES + 1)
            if len(body) > limits.SOURCE_PUT_BYTES:
                file.seek(0)
                await _put_parts(s3, bucket, source.key, file)
            else:
                await s3.put_object(Bucket=bucket, Key=source.key, Body=body)
            return file.tell()
    except (BotoCoreError, ClientError, aiohttp.ClientError) as error:
        raise CouldNotFinish(f"'{source.path}' could not be sent: {error}") from error
    except OSError as error:
        raise InputError(f"'{source.path}' cannot be read: {error.strerror or error}") from None


async def _put_parts(s3: S3Client, bucket: str, key: str, file: BinaryIO) -> None:
    size = os.fstat(file.fileno()).st_size
    part_bytes = max(limits.SOURCE_PART_BYTES, -(-size // limits.S3_UPLOAD_PARTS))
    upload = (await s3.create_multipart_upload(Bucket=bucket, Key=key))["UploadId"]
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
