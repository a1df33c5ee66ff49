"""Real CSV files: which ones a command line names, and their way into the bucket.

Owns names, keys and a cheap look at each file's beginning. What a header and a row mean is the consumer's business:
a CSV file that it cannot read is sent all the same, and ends in the dead-letter queue for all to see.
"""

from __future__ import annotations

import asyncio
import codecs
import csv
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish, InputError, one_failure
from simulator.base.observations import ObjectPut, Record

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

SUFFIXES = (".csv", ".csv.gz")
FOLDER = "source/"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to send: where it is, and the key of the object that it becomes."""

    path: Path
    key: str


def find(paths: Sequence[Path], prefix: str) -> tuple[SourceFile, ...]:
    """The CSV files that `paths` name, in the order of the paths and, within a directory, of their names.

    A file becomes `prefix` + `source/` + its name, whatever its suffix. A directory gives every `*.csv` and
    `*.csv.gz` below it (any case; hidden files and directories are left out), each under its path relative to the
    directory. A file that is named twice with the same key is sent once; two files with one key are refused.

    `prefix` is the one that the bucket's notification is set on. Raises `InputError` with one line: nothing there, no
    CSV files, no CSV, unreadable.
    """
    found: dict[str, SourceFile] = {}
    for path in paths:
        for file, name in _files(path):
            source = SourceFile(file, _key(prefix, name, file))
            _require_csv(file)
            other = found.setdefault(source.key, source)
            if not other.path.samefile(file):
                raise InputError(f"{other.path} and {file} would both become {source.key}; send one of them at a time")
    return tuple(found.values())


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """Each file that the path names, with its name relative to it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if stat.S_ISREG(mode):
        yield path, path.name
        return
    if not stat.S_ISDIR(mode):
        raise InputError(f"{path} is neither a file nor a directory")
    files = sorted(_below(path))
    if not files:
        raise InputError(f"{path} holds no CSV files ({' or '.join('*' + suffix for suffix in SUFFIXES)})")
    for file in files:
        yield file, PurePosixPath(file.relative_to(path)).as_posix()


def _below(directory: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}")

    for folder, folders, names in os.walk(directory, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _key(prefix: str, name: str, file: Path) -> str:
    key = f"{prefix}{FOLDER}{name}"
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise InputError(f"{os.fsencode(file)!r}: a key in S3 is UTF-8, and this name is not") from None
    if length > limits.S3_KEY_BYTES:
        raise InputError(f"{file} would have a key of {length} bytes; S3 takes {limits.S3_KEY_BYTES}")
    return key


def _require_csv(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            head = opened.read(limits.SOURCE_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from None
    if (reason := not_csv(head)) is not None:
        raise InputError(f"{file} is no CSV file: {reason}")


def not_csv(head: bytes) -> str | None:
    """Why a file that begins like this is no CSV file with a header; None if it may be one.

    Text is UTF-8, or UTF-16 with its mark, plain or gzip; the header has a comma and does not open another format.
    """
    if head.startswith(b"\x1f\x8b"):
        inflater = zlib.decompressobj(wbits=31)
        try:
            head = inflater.decompress(head, limits.SOURCE_HEAD_BYTES)
        except zlib.error as error:
            return f"the gzip stream is damaged ({error})"
        if not head and not inflater.eof:
            return "the gzip stream ends early"
    utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return "it is no text"
    if "\0" in text:
        return "it is no text"
    if not (text := text.lstrip()):
        return "it is empty"
    if text.startswith(("{", "[", "<")):
        return f"it begins with {text[0]!r}, as JSON or a web page does"
    try:
        header = next(csv.reader(text.splitlines(keepends=True)))
    except csv.Error as error:
        return f"its header cannot be read ({error})"
    if len(header) < 2:
        return "its first line has no comma, so it is no header of columns"
    return None


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

    Each is told as an `ObjectPut` when the store has answered. Once `stop` is set no further file is begun. Memory
    holds `limits.SOURCE_PUT_BYTES` for each in hand; a larger file goes as a multipart upload, none left half done.
    Raises `InputError` when a file can no longer be read, `CouldNotFinish` when the store refuses one.
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
    """Put one file, and return how many bytes it had."""
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
        raise CouldNotFinish(f"{source.path} could not be sent: {error}") from error
    except OSError as error:
        raise InputError(f"{source.path} cannot be read: {error.strerror or error}") from None


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
        # Parts of an upload that nobody ends are stored, and paid for, for ever.
        await asyncio.shield(s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload))
        raise
