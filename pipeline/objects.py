"""Objects in S3: reading one as a stream that survives broken connections, and writing its rejected rows.

Knows nothing about the contents of an object.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import ClientConnectionError, ClientPayloadError
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.chance import stream
from pipeline.failures import MessageFailure, ObjectGone, answered, is_permanent
from pipeline.reasons import Reasons
from pipeline.rows import RejectedRow

CHUNK_BYTES = 64 * 1024
RESUMES_MAX = 5
"""How often a broken stream of one object is resumed where it broke."""
PAUSE_MAX_S = 2.0
PART_BYTES = 8 * 1024 * 1024
"""Rejected rows held in memory before they become a part of a multipart upload (S3 requires at least 5 MiB)."""


class ObjectStream:
    """One object's bytes. `size_bytes` is set once the first chunk arrives; `bytes_read` counts what was handed out.

    Pauses are drawn from `seed`.
    """

    def __init__(self, s3: Any, bucket: str, key: str, seed: str) -> None:
        self.size_bytes: int | None = None
        self.bytes_read = 0
        self._seed = seed
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._etag: str | None = None

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The bytes, at most `CHUNK_BYTES` at a time.

        A broken connection is resumed at the byte where it broke, as long as the object is still the same.
        Raises `ObjectGone`, `MessageFailure`.
        """
        resumes = 0
        while True:
            body = await self._get()
            try:
                while chunk := await body.read(CHUNK_BYTES):
                    self.bytes_read += len(chunk)
                    yield chunk
            except (BotoCoreError, ClientConnectionError, ClientPayloadError, TimeoutError) as error:
                resumes += 1
                if resumes > RESUMES_MAX:
                    raise MessageFailure(
                        f"the connection broke {resumes} times while reading the object: {error}", permanent=False
                    ) from error
                chance = stream(self._seed, "resume", resumes)
                await asyncio.sleep(chance.uniform(0, min(PAUSE_MAX_S, 0.1 * 2**resumes)))
            else:
                return
            finally:
                body.close()
            if self.bytes_read == self.size_bytes:
                return

    async def _get(self) -> Any:
        position = {"Range": f"bytes={self.bytes_read}-", "IfMatch": self._etag} if self.bytes_read else {}
        try:
            answer = await self._s3.get_object(Bucket=self._bucket, Key=self._key, **position)
        except (ClientError, BotoCoreError) as error:
            raise _read_failure(error) from error
        if not self.bytes_read:
            self.size_bytes = answer["ContentLength"]
            self._etag = answer["ETag"]
        return answer["Body"]


class RejectedRows:
    """The rejected rows of one object, as JSON lines at `key`: collected, and written on completion, in bounded memory.

    `reasons` counts them by kind.
    """

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self.count = 0
        self.reasons = Reasons()
        self._s3 = s3
        self._to = {"Bucket": bucket, "Key": key}
        self._lines: list[bytes] = []
        self._bytes = 0
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []

    async def add(self, row: RejectedRow) -> None:
        """Add one row. Raises `MessageFailure` if a full part cannot be written."""
        line = json.dumps({"line": row.line, "reason": row.reason, "row": row.row}, ensure_ascii=False) + "\n"
        # Lone surrogates represent bytes that are not UTF-8; the output must be.
        self._lines.append(line.encode(errors="backslashreplace"))
        self._bytes += len(self._lines[-1])
        self.count += 1
        self.reasons.add(row)
        if self._bytes >= PART_BYTES:
            await self._write_part()

    async def complete(self) -> None:
        """Write them, if there are any; until then there is nothing at the key. Raises `MessageFailure`."""
        with _writing():
            if self._upload_id is None:
                if self.count:
                    await self._s3.put_object(**self._to, Body=self._take(), ContentType="application/x-ndjson")
                return
            if self._lines:
                await self._write_part()
            parts = {"Parts": self._parts}
            await self._s3.complete_multipart_upload(**self._to, UploadId=self._upload_id, MultipartUpload=parts)

    async def _write_part(self) -> None:
        with _writing():
            if self._upload_id is None:
                begun = await self._s3.create_multipart_upload(**self._to, ContentType="application/x-ndjson")
                self._upload_id = begun["UploadId"]
            place = {"UploadId": self._upload_id, "PartNumber": len(self._parts) + 1}
            part = await self._s3.upload_part(**self._to, **place, Body=self._take())
            self._parts.append({"ETag": part["ETag"], "PartNumber": place["PartNumber"]})

    def _take(self) -> bytes:
        body = b"".join(self._lines)
        self._lines.clear()
        self._bytes = 0
        return body


def _read_failure(error: ClientError | BotoCoreError) -> Exception:
    code, _, _ = answered(error)
    if code == "NoSuchKey":
        return ObjectGone("the key is gone")
    if code in ("PreconditionFailed", "412"):
        return MessageFailure("the object was replaced while being read", permanent=False)
    return MessageFailure(f"reading the object: {error}", permanent=is_permanent(error))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise MessageFailure(f"writing the rejected rows: {error}", permanent=is_permanent(error)) from error
