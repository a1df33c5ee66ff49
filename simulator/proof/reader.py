"""An object's bytes -> the rows that belong in the table, and those that belong among the rejected. No I/O.

This is the proof's own reader: it follows docs/handlers.md and shares no code with the consumer, so that it notices a
row that the consumer drops, cuts or changes, and the reverse. `dialect.py` has the settings that matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simulator.proof.columns import Columns, KeyColumns
from simulator.proof.dialect import Dialect
from simulator.proof.failures import NotStorable, Unreadable
from simulator.proof.records import Record, RecordParser
from simulator.proof.rows import Row, RowBuilder

JUDGED_ROWS = 1_000
"""If the file name is the ticker, the first rows of an object must have different keys, or be the same rows."""
Rejected = tuple[int, tuple[str, ...]]
"""The line and the fields as read."""


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Some rows of an object, in order."""

    stored: list[Row]
    rejected: list[Rejected]


class ObjectReader:
    """Feed it the bytes of the object at `key` in any pieces; it returns the rows. `keys` is None before the header.

    If the settings name the columns, the first record is the first row. Without any record the object is unreadable.
    """

    def __init__(self, key: str, dialect: Dialect) -> None:
        self.keys: KeyColumns | None = None
        self._key = key
        self._dialect = dialect
        self._records = RecordParser(dialect)
        self._rows: RowBuilder | None = None
        self._held: list[Row] | None = None
        self._used: set[str] = set()
        if dialect.column_names is not None:
            self._records.expect(len(dialect.column_names))

    @property
    def used(self) -> set[str]:
        """The consumer's variables that differ from their defaults and made a difference."""
        used = self._used | self._records.used
        if self._rows is not None:
            used |= self._rows.used
        return used & self._dialect.chosen

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[ReadRows]:
        """The rows that `chunk`, or the object's end, completes. Raises `Unreadable`; exhaust it before the next call.

        An object that is refused for its keys yields no row, since nothing of it may be stored.
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
        builder = self._rows
        for line, fields in records:
            if builder is None:
                builder = self._begin(fields)
                if self._dialect.column_names is None:
                    continue
            if isinstance(fields, str):
                rows.rejected.append((line, (fields,)))
                continue
            try:
                rows.stored.append(builder.row(line, fields))
            except NotStorable:
                rows.rejected.append((line, tuple(fields)))
        if final and builder is None:
            raise Unreadable("no header: the object is empty")

    def _begin(self, fields: list[str] | str) -> RowBuilder:
        """Take the first record as the header, or the settings' names."""
        dialect = self._dialect
        names = dialect.column_names or fields
        if isinstance(names, str):
            raise Unreadable("no header: its first line is broken")
        columns = Columns(names, dialect.ticker_column, dialect.timestamp_column)
        self.keys = columns.keys
        self._rows = RowBuilder(self._key, columns, dialect)
        self._records.expect(len(names))
        if columns.ticker_at is None:
            self._held = []
        self._used = {"TICKER_COLUMN", "TIMESTAMP_COLUMN", "COLUMN_NAMES", "SKIP_LINES"}
        delimiter = self._records.delimiter
        if delimiter is not None and not delimiter[1] and not isinstance(fields, str) and len(fields) > 1:
            self._used.add("DELIMITER")
        return self._rows

    def _judge(self, rows: ReadRows, *, final: bool) -> None:
        """Hold the first rows back while their keys may still get the object refused."""
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
