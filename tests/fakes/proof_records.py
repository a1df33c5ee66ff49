"""Reads records and rows with the proof's own reader, in pieces of any size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.proof.columns import KeyColumns
from simulator.proof.dialect import Dialect
from simulator.proof.failures import Unreadable
from simulator.proof.reader import ObjectReader, Rejected
from simulator.proof.records import Record, RecordParser
from simulator.proof.rows import Row

SLICE = 65_536


def in_pieces(body: bytes, size: int) -> list[bytes]:
    """The body in pieces of this size."""
    return [body[start : start + size] for start in range(0, len(body), size)]


@dataclass(slots=True)
class Read:
    """What was read of an object, and the reason if that is not all of it, else None."""

    records: list[Record] = field(default_factory=list)
    stored: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    unreadable: str | None = None


def records_of(pieces: Iterable[bytes]) -> Read:
    """The records of an object that comes in these pieces, with the header first."""
    reader, read = RecordParser(), Read()
    width: int | None = None
    try:
        for piece, final in [*((piece, False) for piece in pieces), (b"", True)]:
            for record in reader.feed(piece, final=final):
                if width is None:
                    width = len(record[1])
                    reader.expect(width)
                read.records.append(record)
    except Unreadable as refusal:
        read.unreadable = str(refusal)
    return read


def rows_of(pieces: Iterable[bytes], key: str = "stocks/a.csv", dialect: Dialect | None = None) -> Read:
    """The rows of an object that comes in these pieces."""
    reader, read = ObjectReader(key, dialect or Dialect()), Read()
    try:
        for piece, final in [*((piece, False) for piece in pieces), (b"", True)]:
            for rows in reader.feed(piece, final=final):
                read.stored += rows.stored
                read.rejected += rows.rejected
    except Unreadable as refusal:
        read.unreadable = str(refusal)
    return read


def read(text: str, key: str = "stocks/a.csv", dialect: Dialect | None = None, size: int = SLICE) -> Read:
    """The rows of an object with this text, in pieces of this size."""
    return rows_of(in_pieces(text.encode("utf-8", "surrogateescape"), size), key, dialect)


def keys_of(header: str, dialect: Dialect | None = None) -> KeyColumns | None:
    """Which columns of this header are the key."""
    reader = ObjectReader("stocks/a.csv", dialect or Dialect())
    for _ in reader.feed(f"{header}\n".encode().ljust(10, b"\n")):
        pass
    return reader.keys
