"""The results of the consumer's readers and the proof's for an object, in one form, and whether they agree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fuzz.bounds import Bounds, within
from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader, Items, put_request
from pipeline.rows import ObjectUnreadable, RejectedRow, Row, RowReader
from pipeline.settings import SettingsError
from simulator.base.errors import InputError
from simulator.proof.content import item_content
from simulator.proof.dialect import Dialect
from simulator.proof.failures import Unreadable
from simulator.proof.reader import ObjectReader


@dataclass(frozen=True, slots=True)
class Example:
    """An object, the consumer's variables, the limits in force, and where its bytes are split for each reader."""

    key: str
    environ: dict[str, str]
    body: bytes
    cuts: tuple[tuple[int, ...], ...] = ((), (), ())
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(slots=True)
class Reading:
    """Items as (partition key, sort key, line, content) and rejected rows as (line, fields), in order.

    `unreadable` is the reason, None if the object can be read.
    """

    stored: list[tuple[str, str, int, str]] = field(default_factory=list)
    rejected: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    unreadable: str | None = None


def chunks(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The body in pieces."""
    places = [0, *sorted(place % (len(body) + 1) for place in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(places)]


def _feed(reading: Reading, pieces: list[bytes], feed: Callable[[bytes, bool], Iterator[None]]) -> Reading:
    try:
        for piece in pieces:
            for _ in feed(piece, False):
                pass
        for _ in feed(b"", True):
            pass
    except (ObjectUnreadable, Unreadable) as refusal:
        reading.unreadable = str(refusal)
    return reading


def _put(text: str, line: int) -> tuple[str, str, int, str]:
    item = json.loads(text)["PutRequest"]["Item"]
    return item.pop("PK")["S"], item.pop("SK")["S"], line, item_content(item)


def by_items(example: Example) -> Reading:
    """The consumer's main reader: put requests made from columns."""
    reader = ItemReader(example.key, CsvDialect.from_environ(example.environ))
    reading = Reading()

    def feed(piece: bytes, final: bool) -> Iterator[None]:
        for found in reader.feed(piece, final=final):
            if isinstance(found, Items):
                rows = [_put(text, line) for text, line in zip(found.puts, found.lines, strict=True)]
                if [row[:2] for row in rows] != found.keys:
                    raise AssertionError(f"keys {found.keys} beside the items {rows}")
                reading.stored += rows
            else:
                reading.rejected.append((found.line, found.row))
            yield

    return _feed(reading, chunks(example.body, example.cuts[0]), feed)


def by_rows(example: Example) -> Reading:
    """The consumer's other reader: one row after another."""
    reader = RowReader(example.key, CsvDialect.from_environ(example.environ))
    reading = Reading()

    def feed(piece: bytes, final: bool) -> Iterator[None]:
        for found in reader.feed(piece, final=final):
            if isinstance(found, Row):
                reading.stored.append(_put(put_request(found), found.line))
            elif isinstance(found, RejectedRow):
                reading.rejected.append((found.line, found.row))
            yield

    return _feed(reading, chunks(example.body, example.cuts[1]), feed)


def by_proof(example: Example) -> Reading:
    """The proof's reader."""
    reader = ObjectReader(example.key, Dialect.from_environ(example.environ))
    reading = Reading()

    def feed(piece: bytes, final: bool) -> Iterator[None]:
        for rows in reader.feed(piece, final=final):
            reading.stored += rows.stored
            reading.rejected += rows.rejected
            yield

    return _feed(reading, chunks(example.body, example.cuts[2]), feed)


def malformed(read: Callable[[dict[str, str]], object], example: Example) -> str | None:
    """The error in the settings, or None."""
    try:
        read(example.environ)
    except (SettingsError, InputError) as refusal:
        return str(refusal)
    return None


def disagreement(example: Example) -> str | None:
    """What the readers disagree on, in one line; None if they agree, also on malformed settings.

    If an object is unreadable, the consumer may have stored what it had read, and the rejected rows are not recorded.
    It need not have stored every row before the fault: it holds back rows that it judges together, and those behind an
    open quote.
    """
    with within(example.bounds):
        consumer, proof_says = malformed(CsvDialect.from_environ, example), malformed(Dialect.from_environ, example)
        if (consumer is None) != (proof_says is None):
            return f"settings: {consumer!r} against {proof_says!r}"
        if consumer is not None:
            return None
        proof = by_proof(example)
        for name, read in (("items", by_items), ("rows", by_rows)):
            if found := _difference(read(example), proof):
                return f"{name} against the proof: {found}"
    return None


def _difference(consumer: Reading, proof: Reading) -> str | None:
    if (consumer.unreadable is None) != (proof.unreadable is None):
        return f"unreadable: {consumer.unreadable!r} against {proof.unreadable!r}"
    stored, rejected = sorted(consumer.stored, key=lambda row: row[2]), sorted(consumer.rejected)
    if consumer.unreadable is not None:
        surplus = Counter(stored) - Counter(proof.stored)
        return f"stored before the end, and unknown to the proof: {next(iter(surplus))!r}" if surplus else None
    if stored != proof.stored:
        return f"stored: {_first(stored, proof.stored)}"
    return None if rejected == proof.rejected else f"rejected: {_first(rejected, proof.rejected)}"


def _first(one: Sequence[object], other: Sequence[object]) -> str:
    for n, (mine, yours) in enumerate(zip(one, other, strict=False)):
        if mine != yours:
            return f"number {n} is {mine!r} against {yours!r}"
    return f"{len(one)} against {len(other)}, the next of which is {[*one, *other][min(len(one), len(other)) :][:1]!r}"
