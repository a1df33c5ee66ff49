"""An object's bytes -> rows to store and rows to reject, by the rules of docs/handlers.md. No I/O, bounded memory.

Owns what a header means and what makes a row storable. Not compression, encodings or quotes (`text.py`), not the form
of an item (`items.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

from pipeline.dialect import CsvDialect
from pipeline.text import Lines, ObjectUnreadable, Parsed, RecordReader, Records, RejectedRow
from pipeline.uniqueness import Cells, FileKey, FirstRows, KeyedRow
from pipeline.values import JSON_NUMBER, Refusal, bad_number, shown, timestamp_parser

__all__ = ["Cell", "ObjectUnreadable", "RejectedRow", "Row", "RowReader", "Schema"]

MAX_ITEM_BYTES = 400 * 1024
"""Names and values of one item (DynamoDB Developer Guide, "Service quotas": items)."""
MAX_PK_BYTES = 2048
MAX_SK_BYTES = 1024
"""Key attributes (the same page: partition and sort keys)."""
MAX_NAME_BYTES = 65535
"""An attribute's name (the same page: attributes)."""
MAX_COLUMNS = 16_384
"""What a spreadsheet can hold: a header of more is hardly one, and takes the time of its neighbours."""
MAX_NUMBER_BYTES = 21
"""Two digits a byte and one more, which is how DynamoDB counts a number of 38 digits."""

_TICKER_NAMES = ("ticker", "symbol")
_TIMESTAMP_NAMES = ("timestamp", "datetime", "date", "time")
_SURROGATES = re.compile("[\ud800-\udfff]")
_COMPARED_CHARS = 64

Cell = tuple[str, Literal["N", "S"], str]


class Row(NamedTuple):
    """One row to store. `line` is the physical line its record begins on, the header being 1; `cells` without keys."""

    line: int
    ticker: str
    timestamp: str
    cells: tuple[Cell, ...]


class Schema:
    """What one object's header says: where the key is, and how each other column is named in the table.

    `ticker_at` is None where the file's name is the ticker. `names[i]` belongs to field i; a key's is None.
    `safe_chars`: fields of no more characters than this, even of several rows, are within the size of one item.
    `reads_iso_first`: no strptime format could read an ISO timestamp another way.
    """

    def __init__(self, key: str, header: list[str], dialect: CsvDialect) -> None:
        """Read the header of the object at `key`. Raises `ObjectUnreadable`."""
        if len(header) > MAX_COLUMNS:
            raise ObjectUnreadable(f"a header of {len(header)} columns; at most {MAX_COLUMNS} are read")
        if any("\0" in name or _SURROGATES.search(name) for name in header):
            raise ObjectUnreadable("the header is no text in UTF-8, nor in UTF-16 with a byte order mark")
        ticker_at = _find(header, dialect.ticker_column, _TICKER_NAMES, "TICKER_COLUMN")
        timestamp_at = _find(header, dialect.timestamp_column, _TIMESTAMP_NAMES, "TIMESTAMP_COLUMN")
        if timestamp_at is None:
            if header[0].strip():
                reason = f"no timestamp column in the header {shown(','.join(header), 120)}"
                raise ObjectUnreadable(reason, "TIMESTAMP_COLUMN")
            timestamp_at = 0
        self.width = len(header)
        self.ticker_at = ticker_at
        self.timestamp_at = timestamp_at
        if self.ticker_at == self.timestamp_at:
            raise ObjectUnreadable(
                f"the column {header[timestamp_at]!r} cannot be both ticker and timestamp",
                "TIMESTAMP_COLUMN" if dialect.ticker_column is None else "TICKER_COLUMN",
            )
        keys = {self.ticker_at, self.timestamp_at}
        # DynamoDB knows no nameless attribute, and pandas writes its index as a nameless column.
        named = [name.lower().replace(" ", "_") if name.strip() else f"column_{i + 1}" for i, name in enumerate(header)]
        twice = [name for name, count in Counter(named).items() if count > 1]
        if twice:
            raise ObjectUnreadable(f"the header has the column {min(twice)!r} twice")
        if any(len(name.encode()) > MAX_NAME_BYTES for name in named):
            raise ObjectUnreadable(f"a column name of more than {MAX_NAME_BYTES} bytes")
        # Four bytes a character at most, so that hardly any row needs its bytes counted.
        fixed_bytes = MAX_PK_BYTES + MAX_SK_BYTES + sum(len(name.encode()) for name in named)
        self.safe_chars = (MAX_ITEM_BYTES - fixed_bytes) // 4
        self.names: list[str | None] = [None if i in keys else name for i, name in enumerate(named)]
        self.file_ticker = _file_ticker(key)
        self._header = header
        self.parse_timestamp = timestamp_parser(dialect.timestamp_format)
        self.reads_iso_first = dialect.timestamp_format is None

    def file_key(self) -> FileKey | None:
        """What the key is made of where the ticker is the file's name; None where each row names its own."""
        if self.ticker_at is not None:
            return None
        return FileKey(
            self.file_ticker,
            self._header[self.timestamp_at] or f"column_{self.timestamp_at + 1}",
            {
                name: given if given.strip() else name
                for name, given in zip(self.names, self._header, strict=True)
                if name is not None
            },
            _TIMESTAMP_NAMES,
        )

    def row(self, line: int, fields: list[str]) -> Row | RejectedRow:
        """The row that these fields make."""
        if len(fields) != self.width:
            reason = f"{len(fields)} fields where the header has {self.width}"
            return RejectedRow(line, reason, tuple(fields), "another number of fields than the header has")
        try:
            return self._row(line, fields)
        except Refusal as refusal:
            return RejectedRow(line, str(refusal), tuple(fields), refusal.kind, refusal.cell, refusal.setting)

    def _row(self, line: int, fields: list[str]) -> Row:
        """Raises `Refusal`, which says why they make none."""
        text = "".join(fields)
        if not text.isascii() and _SURROGATES.search(text):
            raise Refusal("the text is not valid UTF-8", cell=next(filter(_SURROGATES.search, fields)))
        ticker = self.file_ticker if self.ticker_at is None else fields[self.ticker_at]
        if not ticker:
            raise Refusal("an empty ticker", setting="TICKER_COLUMN")
        if len(ticker.encode()) > MAX_PK_BYTES:
            raise Refusal(f"a ticker of more than {MAX_PK_BYTES} bytes", cell=ticker, setting="TICKER_COLUMN")
        if not fields[self.timestamp_at]:
            raise Refusal("an empty timestamp", setting="TIMESTAMP_COLUMN")
        timestamp = self.parse_timestamp(fields[self.timestamp_at])
        cells: list[Cell] = []
        for name, cell in zip(self.names, fields, strict=True):
            if name is None or not cell:
                continue
            if JSON_NUMBER.fullmatch(cell) is None:
                cells.append((name, "S", cell))
            elif reason := bad_number(cell):
                raise Refusal(f"{name}: {reason}", "a number that DynamoDB cannot hold", cell)
            else:
                cells.append((name, "N", cell))
        row = Row(line, ticker, timestamp, tuple(cells))
        if len(text) > self.safe_chars and (size := _item_bytes(row)) > MAX_ITEM_BYTES:
            reason = f"an item of {size} bytes; DynamoDB holds {MAX_ITEM_BYTES}"
            raise Refusal(reason, f"an item of more than {MAX_ITEM_BYTES} bytes")
        return row


class RowReader:
    """Feed the bytes of the object at `key`, get its rows, in order. What comes out depends on nothing but the bytes.

    `schema` is None until the header has been read.
    """

    def __init__(self, key: str, dialect: CsvDialect) -> None:
        self.schema: Schema | None = None
        self._key = key
        self._dialect = dialect
        self._records = RecordReader()
        self._first = FirstRows[Row](_keyed, _cells)

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[Row | RejectedRow]:
        """The rows that `chunk` completes, and those that the object's end does. Raises `ObjectUnreadable`.

        Lazy: exhaust it before the next call.
        """
        found = (row for record in self.records(chunk, final=final) for row in self.rows_of(record))
        return self._first.hold(found, self.file_key, final=final)

    def file_key(self) -> FileKey | None:
        """What the key is made of where the ticker is the file's name, once the header has been read."""
        assert self.schema is not None  # noqa: S101 - records come after the header only
        return self.schema.file_key()

    def records(self, chunk: bytes, *, final: bool) -> Records:
        """The records below the header, for a reader that makes rows itself; `schema` is set when one comes."""
        for record in self._records.feed(chunk, final=final):
            if self.schema is not None:
                yield record
            elif isinstance(record, Lines):
                text = record.text.lstrip("\n")
                if text:
                    header, _, rest = text.partition("\n")
                    self._take_header(header.split(","))
                    line = record.line + len(record.text) - len(text) + 1
                    if rest:
                        yield Lines(line, rest)
            elif isinstance(record, Parsed):
                self._take_header(record.rows[0])
            else:
                raise ObjectUnreadable(f"no header: {record.reason}")
        if final and self.schema is None:
            raise ObjectUnreadable("no header: the object is empty")

    def _take_header(self, header: list[str]) -> None:
        self.schema = Schema(self._key, header, self._dialect)
        self._records.expect(len(header))

    def rows_of(self, record: Lines | Parsed | RejectedRow) -> Iterator[Row | RejectedRow]:
        """The rows of one record below the header."""
        assert self.schema is not None  # noqa: S101 - records come after the header only
        if isinstance(record, Lines):
            for line, text in enumerate(record.text.split("\n"), record.line):
                if text:
                    yield self.schema.row(line, text.split(","))
        elif isinstance(record, Parsed):
            yield from map(self.schema.row, record.lines, record.rows)
        else:
            yield record


def _find(header: list[str], wanted: str | None, names: tuple[str, ...], setting: str) -> int | None:
    """Where the wanted name stands in the header, any case, or the first of the usual ones.

    Raises `ObjectUnreadable` if one is wanted and not there: another one would make other keys.
    """
    folded = [name.strip().lower() for name in header]
    for name in names if wanted is None else [wanted.strip().lower()]:
        if name in folded:
            return folded.index(name)
    if wanted is None:
        return None
    raise ObjectUnreadable(
        f"{setting} {shown(wanted)} is not among the columns {shown(','.join(header), 120)[1:-1]}; "
        f"the nearest is {shown(_nearest(wanted, header))}",
        setting,
    )


def _nearest(wanted: str, header: list[str]) -> str:
    """The name that a slip of the finger makes the wanted one, or what comes nearest."""
    import difflib  # hardly any object needs it

    text = wanted.strip().lower()[:_COMPARED_CHARS]

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, text, name.strip().lower()[:_COMPARED_CHARS]).ratio()

    return max(header, key=likeness)


def _keyed(row: Row) -> Iterator[KeyedRow]:
    yield KeyedRow(row.line, row.timestamp, row.cells)


def _cells(cells: tuple[Cell, ...]) -> Cells:
    return {name: (kind, text) for name, kind, text in cells}


def _item_bytes(row: Row) -> int:
    """Names and values in UTF-8, as DynamoDB counts an item (Developer Guide, "Item sizes and formats")."""
    size = len("PKSK") + len(row.ticker.encode()) + len(row.timestamp)
    for name, kind, text in row.cells:
        size += len(name.encode()) + (min(len(text), MAX_NUMBER_BYTES) if kind == "N" else len(text.encode()))
    return size


def _file_ticker(key: str) -> str:
    name = key.rpartition("/")[2].upper()
    return name.removesuffix(".GZ").removesuffix(".CSV") if name.endswith(".CSV.GZ") else name.removesuffix(".CSV")
