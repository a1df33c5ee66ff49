"""The consumer's own reader, for code that must know how the consumer will read a file. All such imports are here.

All other code outside the handlers uses the proof's own reader. Here that would be wrong: what we say about a file
before a run must be what the consumer says later, in the same words. What is imported `as` itself is for other files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.decoding import Inflater as Inflater
from pipeline.decoding import ObjectUnreadable as ObjectUnreadable
from pipeline.dialect import DELIMITERS as DELIMITERS
from pipeline.dialect import CsvDialect
from pipeline.header import HeaderNames as HeaderNames
from pipeline.header import bare_name as bare_name
from pipeline.header import folded_name as folded_name
from pipeline.rows import RejectedRow as RejectedRow
from pipeline.rows import Row as Row
from pipeline.rows import RowReader as RowReader
from pipeline.settings import SettingsError
from pipeline.values import number_reader as number_reader
from pipeline.values import number_value as number_value
from simulator.base.errors import InputError

FEW_OVERWRITTEN = 50
FILE_SETTINGS = {
    "ENCODING": "",
    "SKIP_LINES": "0",
    "COMMENT": "",
    "DELIMITER": "auto",
    "COLUMN_NAMES": "",
    "TICKER_COLUMN": "",
    "TIMESTAMP_COLUMN": "",
    "TIMESTAMP_FORMAT": "",
    "TIME_ZONE": "",
    "DECIMAL_SEPARATOR": ".",
    "NUMBERS": "json",
    "NULL_VALUES": "",
}
"""The settings for how files are written, in the order in which they take effect, each with its default."""


@dataclass(frozen=True, slots=True)
class HeadReading:
    """The consumer's reading of the first part of a file; if it cannot be read, `unreadable` and `setting` say why."""

    rows: tuple[Row, ...]
    rejected: tuple[RejectedRow, ...]
    unreadable: str | None = None
    setting: str | None = None

    def comes_to_the_same(self, other: HeadReading) -> bool:
        """Whether the same rows are stored, and as many rejected for the same reasons."""
        return (self.rows, self.unreadable) == (other.rows, other.unreadable) and [
            (row.line, row.kind) for row in self.rejected
        ] == [(row.line, row.kind) for row in other.rejected]

    @property
    def overwrites(self) -> bool:
        """Whether more than one row in `FEW_OVERWRITTEN` would replace a different one; numbers compare by value.

        A few always do in a file that repeats a few rows, whatever its key.
        """
        firsts: dict[tuple[str, str], Row] = {}
        overwritten = 0
        for row in self.rows:
            first = firsts.setdefault((row.ticker, row.timestamp), row)
            overwritten += first.cells != row.cells and _values(first) != _values(row)
        return overwritten * FEW_OVERWRITTEN > len(self.rows)

    @property
    def numbers(self) -> int:
        """How many cells are numbers."""
        return sum(kind == "N" for row in self.rows for _, kind, _ in row.cells)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return sum(len(row.cells) for row in self.rows)


def _values(row: Row) -> list[object]:
    return [(name, number_value(text) if kind == "N" else text) for name, kind, text in row.cells]


def dialect_of(environ: Mapping[str, str]) -> CsvDialect:
    """The dialect that these settings define. Raises `InputError` if one is malformed."""
    try:
        return CsvDialect.from_environ(environ)
    except SettingsError as error:
        raise InputError(str(error)) from None


def open_reader(key: str, environ: Mapping[str, str]) -> RowReader:
    """The reader of the object at `key` under these settings. Raises `InputError` if one is malformed."""
    return RowReader(key, dialect_of(environ))


def is_settable(key: str, environ: Mapping[str, str]) -> bool:
    """Whether the consumer would start under these settings."""
    try:
        open_reader(key, environ)
    except InputError:
        return False
    return True


def read_head(key: str, data: bytes, environ: Mapping[str, str]) -> HeadReading:
    """The rows of `data` read as a whole object, its first rows judged as usual; settings may turn out malformed."""
    try:
        reader = open_reader(key, environ)
    except InputError as error:
        return HeadReading((), (), str(error))
    rows: list[Row] = []
    rejected: list[RejectedRow] = []
    try:
        for row in reader.feed(data, final=True):
            if isinstance(row, Row):
                rows.append(row)
            else:
                rejected.append(row)
    except ObjectUnreadable as error:
        return HeadReading((), tuple(rejected), str(error), error.setting)
    return HeadReading(tuple(rows), tuple(rejected))


def fixed_settings(environ: Mapping[str, str]) -> frozenset[str]:
    """The settings that differ from their defaults."""
    return frozenset(name for name, default in FILE_SETTINGS.items() if environ.get(name, "") not in ("", default))
