"""An object's bytes -> the rows that belong in the table, and those that belong among the rejected. No I/O.

The proof's own reader: it follows docs/handlers.md and shares no code with the consumer, so that a row that one of
them drops, cuts or changes is seen by the other. Which of the settings decide is in `dialect.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from simulator.base import limits
from simulator.proof.cells import JSON_NUMBER, NotStorable, timestamp_reader, value
from simulator.proof.content import label
from simulator.proof.dialect import Dialect
from simulator.proof.records import Record, RecordParser, Unreadable

HEADER_COLUMNS = 16_384
"""A wider header makes the object unreadable (docs/handlers.md, "Which rows are stored")."""
JUDGED_ROWS = 1_000
"""The first rows of an object whose file name is the ticker must differ in their keys, or be the same rows."""
NAME_BYTES = 65_535
NUMBER_BYTES = 21
"""As many as a number of 38 digits takes."""
_CACHED_CHARACTERS = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_cached_value = lru_cache(65_536)(value)

Row = tuple[str, str, int, str]
"""Partition key, sort key, the physical line on which the row begins, and its content."""
Rejected = tuple[int, tuple[str, ...]]
"""The line and the fields as read."""


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Some rows of an object, in their order."""

    stored: list[Row]
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """Where an object's keys come from: `ticker` is a column's name, None: the file's name; `timestamp` a column."""

    ticker: str | None
    timestamp: str


class ObjectReader:
    """Feed the bytes of the object at `key` in any pieces, get its rows. `keys` is None until the header is read."""

    def __init__(self, key: str, dialect: Dialect) -> None:
        self.keys: KeyColumns | None = None
        self._key = key
        self._dialect = dialect
        self._records = RecordParser()
        self._header: _Header | None = None
        self._held: list[Row] | None = None

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[ReadRows]:
        """The rows that `chunk` completes, and those that the end does. Raises `Unreadable`; exhaust it first.

        No row comes of an object that is refused for its keys, since nothing of it may be stored.
        """
        rows = ReadRows([], [])
        refusal: Unreadable | None = None
        try:
            self._read(self._records.feed(chunk, final=final), rows, final=final)
        except Unreadable as damage:
            refusal = damage
        try:
            self._judge(rows, final=final or refusal is not None)
        except Unreadable as conflict:
            refusal = conflict
        yield rows
        if refusal is not None:
            raise refusal

    def _read(self, records: Iterable[Record], rows: ReadRows, *, final: bool) -> None:
        for line, fields in records:
            if self._header is None:
                self._take_header(fields)
            elif isinstance(fields, str):
                rows.rejected.append((line, (fields,)))
            else:
                try:
                    rows.stored.append(self._header.row(line, fields))
                except NotStorable:
                    rows.rejected.append((line, tuple(fields)))
        if final and self._header is None:
            raise Unreadable("no header: the object is empty")

    def _take_header(self, fields: list[str] | str) -> None:
        if isinstance(fields, str):
            raise Unreadable("no header: its first line is broken")
        self._header = _Header(self._key, fields, self._dialect)
        self.keys = self._header.keys
        self._records.expect(len(fields))
        if self._header.ticker_at is None:
            self._held = []

    def _judge(self, rows: ReadRows, *, final: bool) -> None:
        """Hold the first rows back while their keys may still refuse the object."""
        if self._held is None:
            return
        self._held += rows.stored
        rows.stored.clear()
        seen: dict[str, Row] = {}
        for row in self._held[:JUDGED_ROWS]:
            before = seen.setdefault(row[1], row)
            if before[3] != row[3]:
                raise Unreadable(f"lines {before[2]} and {row[2]} have the same key, {row[0]} {row[1]}, and differ")
        if final or len(self._held) >= JUDGED_ROWS:
            rows.stored[:] = self._held
            self._held = None


class _Header:
    """What the header says. Raises `Unreadable` when it is made."""

    def __init__(self, key: str, names: list[str], dialect: Dialect) -> None:
        if len(names) > HEADER_COLUMNS:
            raise Unreadable(f"a header of {len(names):,} columns; at most {HEADER_COLUMNS:,} are read")
        if any("\0" in name or _SURROGATE.search(name) for name in names):
            raise Unreadable("the header is not text")
        plain = [name.strip().lower() for name in names]
        timestamp_at = _place(
            plain, dialect.timestamp_column, "TIMESTAMP_COLUMN", "timestamp", "datetime", "date", "time"
        )
        if timestamp_at is None:
            if plain[0]:
                raise Unreadable("no timestamp column in the header")
            timestamp_at = 0
        self.ticker_at = _place(plain, dialect.ticker_column, "TICKER_COLUMN", "ticker", "symbol")
        if self.ticker_at == timestamp_at:
            raise Unreadable(f"the column {names[timestamp_at]!r} cannot be both ticker and timestamp")
        attributes = [
            name.lower().replace(" ", "_") if name.strip() else f"column_{number}"
            for number, name in enumerate(names, 1)
        ]
        if len(set(attributes)) < len(attributes):
            raise Unreadable("the header has a column twice")
        if any(len(name.encode()) > NAME_BYTES for name in attributes):
            raise Unreadable("a column's name is too long for DynamoDB")
        ticker = None if self.ticker_at is None else names[self.ticker_at]
        self.keys = KeyColumns(ticker, names[timestamp_at])
        self._timestamp_at = timestamp_at
        self._read_timestamp = timestamp_reader(dialect.timestamp_format)
        self._file_ticker = _file_ticker(key)
        self._width = len(names)
        others = sorted((name, i) for i, name in enumerate(attributes) if i not in (self.ticker_at, timestamp_at))
        self._labels = [(i, label(name)) for name, i in others]
        self._name_bytes = [len(name.encode()) for name, _ in others]
        keys_bytes = limits.DYNAMODB_HASH_KEY_BYTES + limits.DYNAMODB_RANGE_KEY_BYTES
        self._surely_fits = (limits.DYNAMODB_ITEM_BYTES - keys_bytes - sum(self._name_bytes)) // 4

    def row(self, line: int, fields: list[str]) -> Row:
        """The row that these fields make. Raises `NotStorable`."""
        if len(fields) != self._width:
            raise NotStorable
        text = "".join(fields)
        if not text.isascii() and _SURROGATE.search(text):
            raise NotStorable
        ticker = self._file_ticker if self.ticker_at is None else fields[self.ticker_at]
        if not ticker or len(ticker.encode()) > limits.DYNAMODB_HASH_KEY_BYTES:
            raise NotStorable
        timestamp = self._read_timestamp(fields[self._timestamp_at])
        parts = []
        for i, name in self._labels:
            if cell := fields[i]:
                parts.append(name + (_cached_value(cell) if len(cell) <= _CACHED_CHARACTERS else value(cell)))
        if len(text) > self._surely_fits and self._item_bytes(ticker, timestamp, fields) > limits.DYNAMODB_ITEM_BYTES:
            raise NotStorable
        return ticker, timestamp, line, ",".join(parts)

    def _item_bytes(self, ticker: str, timestamp: str, fields: list[str]) -> int:
        """Names and values in UTF-8 (DynamoDB Developer Guide, "Item sizes and formats")."""
        size = len("PKSK") + len(ticker.encode()) + len(timestamp)
        for (i, _), name_bytes in zip(self._labels, self._name_bytes, strict=True):
            if cell := fields[i]:
                is_number = JSON_NUMBER.fullmatch(cell) is not None
                size += name_bytes + (min(len(cell), NUMBER_BYTES) if is_number else len(cell.encode()))
        return size


def _place(plain: list[str], wanted: str | None, setting: str, *usual: str) -> int | None:
    """Where a key column is: the one that a setting names, else the first of the usual ones, else nowhere."""
    if wanted is not None:
        if wanted.strip().lower() not in plain:
            raise Unreadable(f"{setting} {wanted!r} is not in the header")
        return plain.index(wanted.strip().lower())
    return next((plain.index(name) for name in usual if name in plain), None)


def _file_ticker(key: str) -> str:
    name = key.rsplit("/", 1)[-1].upper()
    for suffix in (".CSV.GZ", ".CSV"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name
