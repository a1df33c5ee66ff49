"""The proof: every row of every object under a prefix against every item of the table, cell by cell.

This file sets the order of the reading. It knows what a row is, and what an item should look like, from the documented
contract and a reader of its own (`reader.py`), not from the code that writes items; `evidence.py` brings together what
was read in bounded memory, `comparison.py` decides. It works for a deployed stack as well as the twin: it needs only
two clients.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Set
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish, StockpipeError, one_failure
from simulator.base.observations import Record
from simulator.base.waiting import each
from simulator.proof.account import Acceptable, Audit, ObjectsAtRest, Sampled, keys_text, unused_text, verdict
from simulator.proof.columns import KeyColumns
from simulator.proof.comparison import Comparison, shown
from simulator.proof.content import item_content, rejection_content
from simulator.proof.dialect import Dialect
from simulator.proof.evidence import Evidence, Kind, Standing
from simulator.proof.failures import Unreadable
from simulator.proof.ledgers import Audited, Counted, Ledgers, disagreements
from simulator.proof.notifications import ObjectRef
from simulator.proof.progress import Progress
from simulator.proof.reader import ObjectReader, ReadRows
from simulator.proof.rejections import line_key, recorded_rejection, whole_lines
from simulator.proof.sampling import draw, read_back
from simulator.proof.scan import Item, scan

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient
    from types_aiobotocore_s3.client import S3Client

STATEMENTS_A_TURN = 10_000
REJECTED_SUFFIX = ".jsonl"

T = TypeVar("T")
_BROKE_OFF = (HTTPClientError, IncompleteReadError, aiohttp.ClientError)


async def audit(
    *,
    s3: S3Client,
    dynamodb: DynamoDBClient,
    bucket: str,
    prefix: str,
    table: str,
    environ: Mapping[str, str],
    rejected_prefix: str,
    dead_lettered: AsyncIterable[ObjectRef],
    pending: AsyncIterable[ObjectRef],
    earlier: AsyncIterable[tuple[str, AsyncIterable[bytes]]],
    drained: bool,
    accepted: Set[Acceptable] = frozenset(),
    ledgers: Ledgers | None = None,
    record: Record,
    clock: Clock,
    sample_seed: int | None = None,
) -> Audit:
    """Compare the objects under `prefix`, the rejected rows under `rejected_prefix` and the items of `table`.

    `environ` are the consumer's variables, which decide how a row is read. `dead_lettered` and `pending` are the
    objects for which the dead-letter queue and the queue hold a message; `earlier` has the key and bytes of contents
    that were overwritten, as far as they were kept. `drained` says whether the queue was seen empty: without that, or
    with anything pending, the verdict is `unproven`. Whatever is `accepted` is not a loss; the figures in `ledgers`
    must agree with what is read.

    At most `limits.AUDIT_AT_ONCE` objects are read at once. Nothing may write meanwhile.

    With a `sample_seed`, the audit reads only some objects, drawn by it, and of the table only the items under their
    keys (`sampling.py`); no two objects may then have rows with the same key. The verdict is about these objects.

    Raises `CouldNotFinish` when a resource cannot be read or the disk is full, `InputError` when one of the consumer's
    variables is malformed.
    """
    with Evidence() as evidence, one_failure(_explain):
        dialect = Dialect.from_environ(environ)
        held = ledgers or Ledgers()
        auditor = _Auditor(s3, bucket, environ, dialect, held, evidence, Progress(record, clock), sample_seed)
        for refs, standing in ((dead_lettered, Standing.DEAD_LETTERED), (pending, Standing.PENDING)):
            async for ref in refs:
                evidence.refer(ref.bucket, ref.key, standing)
        for ref in auditor.ledgers.filtered:
            evidence.refer(ref.bucket, ref.key, Standing.FILTERED)
        await auditor.read_objects(prefix)
        await auditor.read_earlier(earlier, prefix)
        await auditor.read_rejections(rejected_prefix, prefix)
        if sample_seed is None:
            await scan(dynamodb, table, auditor.take_items)
        else:
            await read_back(dynamodb, table, evidence.claimed_keys(), auditor.take_items, clock)
        await auditor.compare()
        return auditor.result(drained, accepted)


async def nothing() -> AsyncIterator[Any]:
    """An empty iterator, for what is unknown."""
    for item in tuple[Any, ...]():
        yield item


def is_hidden(key: str) -> bool:
    """Whether an object holds no data judging by its key alone, as in Hadoop and Spark: `_SUCCESS`, `.crc`.

    Another kind of object without data is an empty one whose key ends in `/`.
    """
    return key.rpartition("/")[2].startswith(("_", "."))


def _explain(error: BaseException) -> StockpipeError | None:
    if isinstance(error, BotoCoreError | ClientError | aiohttp.ClientError | OSError):
        return CouldNotFinish(f"the audit could not go on reading: {error}")
    return None


@dataclass
class _Auditor:
    """One audit: its parts in order, and the resulting counts."""

    s3: S3Client
    bucket: str
    environ: Mapping[str, str]
    dialect: Dialect
    ledgers: Ledgers
    evidence: Evidence
    progress: Progress
    sample_seed: int | None

    def __post_init__(self) -> None:
        self.sampled: Sampled | None = None
        self.comparison = Comparison(self.evidence.object_key)
        self.parsed_rows = self.stored_rows = self.objects_read = 0
        self._keys: list[KeyColumns] = []
        self._used: set[str] | None = None
        self._put = tuple(Counted() for _ in self.ledgers.producers)
        self._settled_put = [0] * len(self.ledgers.producers)
        self._settled = Counted()
        self._settled_rejected = 0
        self._changed = False
        self._gone: list[str] = []
        self._deleted: set[str] = set()

    async def read_objects(self, prefix: str) -> None:
        """Read every object under the prefix: its rows become claims."""
        async for listed in self._listed(prefix):
            self.evidence.add_objects(self.bucket, [key for key, _ in listed])
            for key, size in listed:
                self._count_put(key, files=1, size=size)
            self._made("listing", self.evidence.object_count(), 0)
        total = self.evidence.object_count()
        if self.sample_seed is not None:
            chosen = draw(total, self.sample_seed)
            self.evidence.keep(chosen)
            self.sampled = Sampled(len(chosen), total)
            total = len(chosen)

        async def read(listed: tuple[int, str, Standing]) -> None:
            if not is_hidden(listed[1]):
                await self._read_object(*listed)
            self.objects_read += 1
            self._made("objects", self.objects_read, total)

        await each(self.evidence.objects(), read, limits.AUDIT_AT_ONCE)

    async def _read_object(self, source: int, key: str, standing: Standing) -> None:
        for attempt in range(1, limits.AUDIT_READ_ATTEMPTS + 1):
            reading = _Reading(self.evidence, source, key, ObjectReader(key, self.dialect))
            try:
                async with aclosing(self._chunks(key)) as chunks:
                    await reading.claim_all(chunks)
            except Unreadable as unreadable:
                if key.endswith("/") and not reading.size:
                    return  # consoles create this to show a folder
                if standing is Standing.SETTLED:
                    self.evidence.set_standing(source, Standing.UNREADABLE)
                    self.comparison.unreadable(key, str(unreadable))
            except ClientError as refusal:
                if refusal.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
                    self._vanished(source, key, standing)
                elif standing is Standing.SETTLED:
                    raise CouldNotFinish(f"the audit could not read s3://{self.bucket}/{key}: {refusal}") from refusal
            except _BROKE_OFF as broken:
                if attempt == limits.AUDIT_READ_ATTEMPTS:
                    raise CouldNotFinish(f"the audit could not read s3://{self.bucket}/{key}: {broken}") from broken
                source = self.evidence.begin_again(source)
                continue
            else:
                if standing is Standing.SETTLED:
                    self.comparison.read_whole(key, reading.rows, reading.rejected)
            self._count(key, standing, reading)
            self._remember(source, reading.reader)
            return

    def _vanished(self, source: int, key: str, standing: Standing) -> None:
        self.evidence.set_standing(source, Standing.VOID)
        if standing is Standing.SETTLED and self.sampled is not None:
            self._gone.append(f"{shown(key)} is in the sample, but was gone before it was read")

    def _count(self, key: str, standing: Standing, reading: _Reading) -> None:
        self.parsed_rows += reading.rows
        self._count_put(key, rows=reading.rows)
        if standing is Standing.SETTLED:
            self._settled.add(files=1, rows=reading.rows)
            for number, producer in enumerate(self.ledgers.producers):
                self._settled_put[number] += producer.keys.fullmatch(key) is not None
            self._settled_rejected += reading.rejected

    def _count_put(self, key: str, **more: int) -> None:
        for producer, put in zip(self.ledgers.producers, self._put, strict=True):
            if producer.keys.fullmatch(key):
                put.add(**more)

    def _remember(self, source: int, reader: ObjectReader) -> None:
        """Remember where an object's keys come from, and which settings it needed, if its header could be read."""
        keys = reader.keys
        if keys is None:
            return
        self._used = reader.used | (self._used or set())
        if keys not in self._keys:
            self._keys.append(keys)
        if number := self._keys.index(keys):
            self.evidence.set_keys(source, number)

    async def read_earlier(self, contents: AsyncIterable[tuple[str, AsyncIterable[bytes]]], prefix: str) -> None:
        """Read overwritten contents of objects, and of deleted ones: their rows may be stored, but need not be."""
        async for key, chunks in contents:
            is_gone = key.startswith(prefix) and self.evidence.standing_of(key) is None and self.sampled is None
            if is_hidden(key) or not (is_gone or self.evidence.standing_of(key) is not None):
                continue
            self._changed = True
            reading = _Reading(self.evidence, self.evidence.add_replaced(key), key, ObjectReader(key, self.dialect))
            with contextlib.suppress(Unreadable):
                await reading.claim_all(chunks)
            self._count_put(key, files=1, size=reading.size, rows=reading.rows)
            if is_gone:
                self._deleted.add(key)

    async def read_rejections(self, rejected_prefix: str, prefix: str) -> None:
        """Read every file of rejected rows for an object under the prefix: its records become what is stored."""
        done = 0
        async for listed in self._listed(rejected_prefix + prefix):
            names = [name for name, _ in listed]
            await each(names, lambda name: self._read_rejections(name, len(rejected_prefix)), limits.AUDIT_AT_ONCE)
            done += len(names)
            self._made("rejected rows", done, done)

    async def _read_rejections(self, name: str, prefix_length: int) -> None:
        if not name.endswith(REJECTED_SUFFIX):
            return
        key = name[prefix_length : -len(REJECTED_SUFFIX)]
        standing = self.evidence.standing_of(key)
        if standing is None and self.sampled is None and key not in self._deleted:
            self.comparison.unexplained_rejections(name)
        if standing is not Standing.SETTLED:
            return
        number = 0
        async with aclosing(self._chunks(name)) as chunks:
            async for lines in whole_lines(chunks):
                records = []
                for line in lines:
                    number += 1
                    if (record := recorded_rejection(line)) is None:
                        self.comparison.no_rejection(name, number)
                    else:
                        records.append((key, *record))
                self.evidence.show(Kind.REJECTION, records)

    def take_items(self, items: list[Item]) -> None:
        """Take a part of the table: its items become what is stored."""
        stored = []
        for item in items:
            try:
                pk, sk = item.pop("PK")["S"], item.pop("SK")["S"]
            except KeyError:
                raise CouldNotFinish(
                    "the table's keys are not PK and SK as text: it is not a table of this pipeline"
                ) from None
            stored.append((pk, sk, item_content(item)))
        self.evidence.show(Kind.ROW, stored)
        self.stored_rows += len(stored)
        self._made("items", self.stored_rows, max(self.stored_rows, self.parsed_rows))

    async def compare(self) -> None:
        """Judge every key, in a thread, because the computation would block a dashboard."""
        unsettled = self.evidence.unsettled()
        parts, total, done = self.evidence.parts(unsettled), self.evidence.statements, 0

        def judge_some() -> int:
            judged = 0
            for part in parts:
                self.comparison.judge(part, unsettled)
                judged += part.statements
                if judged >= STATEMENTS_A_TURN:
                    break
            return judged

        self._made("comparison", 0, total)
        while judged := await self._in_thread(judge_some):
            done += judged
            self._made("comparison", done, total)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run one turn's work, and leave only when the thread is done: nothing may close the evidence before that."""
        running = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait({running})
            raise

    def result(self, drained: bool, accepted: Set[Acceptable]) -> Audit:
        """The account of everything that was read and compared."""
        found = self.comparison
        dead_lettered, pending, filtered = (
            ObjectsAtRest(self.evidence.referred(standing), found.held_rows[standing], found.held_rows_stored[standing])
            for standing in (Standing.DEAD_LETTERED, Standing.PENDING, Standing.FILTERED)
        )
        audited = Audited(
            self._put,
            tuple(self._settled_put),
            self._settled,
            self._settled_rejected,
            found.counts["expected_rows"],
            changed=self._changed,
            whole=self.sampled is None,
        )
        disagreed = tuple(disagreements(self.ledgers, audited))
        # A scan of the whole table would find the rows of an object that is gone; a sample reads only known keys.
        complete = drained and not pending.objects and not self._gone
        counts: dict[str, Any] = dict(found.counts)
        if self.sampled is not None and not counts["extra"]:
            counts["extra"] = None  # nobody looked
        # One sentence for each way in which keys were chosen.
        sources = () if "overwritten" in accepted else reversed(found.overwriting)
        keys = {self.evidence.keys_of(source): source for source in sources}
        unused = () if self._used is None else tuple(sorted(self.dialect.chosen - self._used))
        return Audit(
            parsed_rows=self.parsed_rows,
            stored_rows=self.stored_rows,
            **counts,
            dead_lettered=dead_lettered,
            pending=pending,
            filtered=filtered,
            verdict=verdict(found.counts, complete=complete, agreed=not disagreed, accepted=accepted),
            differences=(*disagreed, *sorted(self._gone)[: limits.AUDIT_DIFFERENCES], *found.differences(accepted)),
            apart=self.ledgers.apart,
            keys=tuple(
                keys_text(shown(self.evidence.object_key(source)), self._keys[number], self.dialect)
                for number, source in sorted(keys.items())
            ),
            unused_settings=unused,
            notes=found.notes | {name: unused_text(name, self.environ[name]) for name in unused},
            sampled=self.sampled and Sampled(self.sampled.objects - len(self._gone), self.sampled.of),
        )

    def _made(self, part: str, done: int, total: int) -> None:
        self.progress.made(part, done, total, self.parsed_rows / max(1, self.objects_read))

    async def _listed(self, prefix: str) -> AsyncIterator[list[tuple[str, int]]]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        async for page in pages:
            if listed := [(entry["Key"], entry["Size"]) for entry in page.get("Contents", [])]:
                yield listed

    async def _chunks(self, key: str) -> AsyncGenerator[bytes, None]:
        body = (await self.s3.get_object(Bucket=self.bucket, Key=key))["Body"]
        async with body:
            async for chunk in body.iter_chunks(limits.AUDIT_CHUNK_BYTES):
                yield chunk


@dataclass
class _Reading:
    """Brings one object's rows into the evidence."""

    evidence: Evidence
    source: int
    key: str
    reader: ObjectReader
    rows: int = 0
    rejected: int = 0
    size: int = 0

    async def claim_all(self, chunks: AsyncIterable[bytes]) -> None:
        """Read the object to its end. Raises `Unreadable`, and whatever the chunks raise."""
        async for chunk in chunks:
            self.size += len(chunk)
            self._claim(self.reader.feed(chunk))
        self._claim(self.reader.feed(b"", final=True))

    def _claim(self, read: Iterable[ReadRows]) -> None:
        for rows in read:
            self.evidence.claim(Kind.ROW, self.source, rows.stored)
            rejected = [(self.key, line_key(line), line, rejection_content(fields)) for line, fields in rows.rejected]
            self.evidence.claim(Kind.REJECTION, self.source, rejected)
            self.rows += len(rows.stored) + len(rejected)
            self.rejected += len(rejected)
