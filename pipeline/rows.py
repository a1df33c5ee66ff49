"""An object's bytes -> rows to store and rows to reject, by the rules of docs/handlers.md. No I/O, bounded memory.

Decides what makes a row storable. Compression, encodings and quotes are in `text.py`, the meaning of a header in
`header.py`, the form of an item in `items.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from pipeline.dialect import CsvDialect
from pipeline.fields import Fields
from pipeline.header import MAX_COLUMNS, SURROGATES, attribute_names, key_columns, other_format
from pipeline.text import Lines, ObjectUnreadable, Parsed, RecordReader, Records, RejectedRow
from pipeline.timestamps import joined_timestamp, timestamp_parser
from pipeline.uniqueness import Cells, FileKey, FirstRows, KeyedRow
from pipeline.values import Refusal, bad_number, number_reader

__all__ = ["Cell", "ObjectUnreadable", "RejectedRow", "Row", "RowReader", "Schema"]

MAX_ITEM_BYTES = 400 * 1024
"""The size of one item, names and values (DynamoDB Developer Guide, "Service quotas": items)."""
MAX_PK_BYTES = 2048
MAX_SK_BYTES = 1024
"""The size of key attributes (the same page: partition and sort keys)."""
CACHED_COLUMNS, CACHED_CHARS = 100, 4096
"""The header's meaning is cached if the header is no larger than this."""
MAX_NUMBER_BYTES = 21
"""Two digits per byte plus one byte, which is how DynamoDB counts a number of 38 digits."""

Cell = tuple[str, Literal["N", "S"], str]


class Row(NamedTuple):
    """One row to store. `line` is the physical line its record begins on, counted from 1; `cells` exclude the key."""

    line: int
    ticker: str
    timestamp: str
    cells: tuple[Cell, ...]


class Schema:
    """What one object's header says: where the key is, and what each other column is called in the table.

    `ticker_at` is None if the file's name is the ticker; the cells at `timestamp_at` together are the timestamp.
    `names[i]` belongs to field i; a key's is None. `safe_chars`: fields of at most this many characters, even of
    several rows, fit into one item. `encoding` is the encoding's name for messages, `header` the names.
    """

    def __init__(
        self, key: str, header: Sequence[str], dialect: CsvDialect, encoding: str = "UTF-8", delimiter: str = ","
    ) -> None:
        """Read the header of the object at `key`. Raises `ObjectUnreadable`."""
        # The objects of a run have few different headers.
        few = len(header) <= CACHED_COLUMNS and sum(map(len, header)) <= CACHED_CHARS
        read = _cached_columns if few else _columns
        found = read(tuple(header), dialect.ticker_column, dialect.timestamp_column, encoding, delimiter)
        self.ticker_at, self.timestamp_at, self.names, self.safe_chars = found
        self.width = len(header)
        self.file_ticker = _file_ticker(key)
        self.dialect = dialect
        self.header = tuple(header)
        self._encoding = encoding
        self.parse_timestamp = timestamp_parser(dialect.timestamp_format, dialect.time_zone)
        self.read_number = number_reader(dialect.decimal_separator, lenient=dialect.lenient_numbers)

    def file_key(self) -> FileKey | None:
        """What the key is made of if the ticker is the file's name; None if each row names its own."""
        if self.ticker_at is not None:
            return None
        return FileKey(
            self.file_ticker,
            [self.header[at].strip(" \t") or f"column_{at + 1}" for at in self.timestamp_at],
            {
                name: given if given.strip() else name
                for name, given in zip(self.names, self.header, strict=True)
                if name is not None
            },
            self.dialect.timestamp_column is not None,
        )

    def row(self, line: int, fields: Sequence[str]) -> Row | RejectedRow:
        """The row that these fields make, or its rejection."""
        if len(fields) != self.width:
            reason = f"{len(fields)} fields where the header has {self.width}"
            return RejectedRow(line, reason, tuple(fields), "another number of fields than the header has")
        try:
            return self._row(line, fields)
        except Refusal as refusal:
            return RejectedRow(line, str(refusal), tuple(fields), refusal.kind, refusal.cell, refusal.setting)

    def _row(self, line: int, fields: Sequence[str]) -> Row:
        """Raises `Refusal`, which says why they do not make a row."""
        text = "".join(fields)
        if not text.isascii() and SURROGATES.search(text):
            cell = next(filter(SURROGATES.search, fields))
            raise Refusal(f"the text is not valid {self._encoding}", cell=cell, setting="ENCODING")
        ticker = self.file_ticker if self.ticker_at is None else fields[self.ticker_at]
        if not ticker:
            raise Refusal("an empty ticker", setting="TICKER_COLUMN")
        if len(ticker.encode()) > MAX_PK_BYTES:
            raise Refusal(f"a ticker of more than {MAX_PK_BYTES} bytes", cell=ticker, setting="TICKER_COLUMN")
        moment = joined_timestamp([fields[at] for at in self.timestamp_at])
        if not moment:
            raise Refusal("an empty timestamp", setting="TIMESTAMP_COLUMN")
        timestamp = self.parse_timestamp(moment)
        cells: list[Cell] = []
        for name, cell in zip(self.names, fields, strict=True):
            if name is None or not cell:
                continue
            number = self.read_number(cell)
            if number is None:
                cells.append((name, "S", cell))
            elif reason := bad_number(number):
                raise Refusal(f"{name}: {reason}", "a number that DynamoDB cannot hold", cell)
            else:
                cells.append((name, "N", number))
        row = Row(line, ticker, timestamp, tuple(cells))
        if len(text) > self.safe_chars and (size := _item_bytes(row)) > MAX_ITEM_BYTES:
            reason = f"an item of {size} bytes; DynamoDB holds {MAX_ITEM_BYTES}"
            raise Refusal(reason, f"an item of more than {MAX_ITEM_BYTES} bytes")
        return row


class RowReader:
    """Feed it the bytes of the object at `key`; it returns the rows, in order. The result depends only on the bytes.

    `schema` is None until the header has been read; `header_line`, the line it begins on, stays None if there is none.
    """

    def __init__(self, key: str, dialect: CsvDialect) -> None:
        self.schema: Schema | None = None
        self.header_line: int | None = None
        self._key = key
        self._dialect = dialect
        self._records = RecordReader(dialect)
        self._first = FirstRows[Row](_keyed, _cells)
        if dialect.column_names is not None:
            self._records.expect(len(dialect.column_names))

    @property
    def fields(self) -> Fields:
        """How a line is cut into fields, once the header has been read."""
        return self._records.fields

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[Row | RejectedRow]:
        """The rows that `chunk`, or the object's end, completes. Raises `ObjectUnreadable`.

        Lazy: exhaust it before the next call.
        """
        found = (row for record in self.records(chunk, final=final) for row in self.rows_of(record))
        return self._first.hold(found, self.file_key, final=final)

    def file_key(self) -> FileKey | None:
        """What the key is made of if the ticker is the file's name, once the header has been read."""
        assert self.schema is not None  # noqa: S101 - records come after the header only
        return self.schema.file_key()

    def records(self, chunk: bytes, *, final: bool) -> Records:
        """The records below the header, for a reader that makes rows itself; `schema` is set before the first."""
        for record in self._records.feed(chunk, final=final):
            if self.schema is not None:
                yield record
            elif self._dialect.column_names is not None:
                if isinstance(record, Lines) and all(map(self.fields.is_nothing, record.text.split("\n"))):
                    continue
                self._take_header(self._dialect.column_names)
                yield record
            elif isinstance(record, Lines):
                below = self._header_of(record)
                if below is not None and below.text:
                    yield below
            elif isinstance(record, Parsed):
                self.header_line = record.lines[0]
                self._take_header(record.rows[0])
            else:
                other = other_format(record.row[0])
                raise ObjectUnreadable(f"no header: {record.reason}{f'; it looks like {other}' if other else ''}")
        if final and self.schema is None:
            skipped = self._dialect.skip_lines
            if skipped:
                reason = f"no header: nothing follows the lines that SKIP_LINES={skipped} skips"
                raise ObjectUnreadable(reason, "SKIP_LINES")
            raise ObjectUnreadable("no header: the object is empty")

    def _header_of(self, record: Lines) -> Lines | None:
        """Take the first line that is not blank as the header; returns the lines below it."""
        line, text = record
        while text:
            first, _, text = text.partition("\n")
            line += 1
            if not self.fields.is_nothing(first):
                self.header_line = line - 1
                self._take_header([name.strip(self.fields.blanks) for name in first.split(self.fields.delimiter)])
                return Lines(line, text)
        return None

    def _take_header(self, header: Sequence[str]) -> None:
        self.schema = Schema(self._key, header, self._dialect, self._records.encoding, self.fields.delimiter)
        self._records.expect(len(header))

    def rows_of(self, record: Lines | Parsed | RejectedRow) -> Iterator[Row | RejectedRow]:
        """The rows of one record below the header."""
        assert self.schema is not None  # noqa: S101 - records come after the header only
        if isinstance(record, Lines):
            for line, text in enumerate(record.text.split("\n"), record.line):
                if text and text.strip(self.fields.blanks):
                    yield self.schema.row(line, self.fields.plain(text))
        elif isinstance(record, Parsed):
            yield from map(self.schema.row, record.lines, record.rows)
        else:
            yield record


class _Columns(NamedTuple):
    """What a header says, whatever the object's key."""

    ticker_at: int | None
    timestamp_at: tuple[int, ...]
    names: list[str | None]
    safe_chars: int


def _columns(
    header: tuple[str, ...], ticker: str | None, timestamp: str | None, encoding: str, delimiter: str
) -> _Columns:
    """Raises `ObjectUnreadable`."""
    if len(header) > MAX_COLUMNS:
        raise ObjectUnreadable(f"a header of {len(header)} columns; at most {MAX_COLUMNS} are read")
    if any("\0" in name or SURROGATES.search(name) for name in header):
        raise ObjectUnreadable(f"the header is not text in {encoding}", "ENCODING", _utf_16(header[0]))
    ticker_at, timestamp_at = key_columns(header, ticker, timestamp, delimiter)
    named = attribute_names(header)
    keys = {ticker_at, *timestamp_at}
    # At most four bytes per character, so that hardly any row needs its bytes counted.
    fixed_bytes = MAX_PK_BYTES + MAX_SK_BYTES + sum(len(name.encode()) for name in named)
    names = [None if i in keys else name for i, name in enumerate(named)]
    return _Columns(ticker_at, timestamp_at, names, (MAX_ITEM_BYTES - fixed_bytes) // 4)


_cached_columns = lru_cache(16)(_columns)


def _utf_16(name: str) -> str | None:
    """The UTF-16 encoding that a name shows when it is read byte by byte."""
    for encoding, high, low in (("utf-16-le", name[1::2], name[::2]), ("utf-16-be", name[::2], name[1::2])):
        if high and not high.strip("\0") and "\0" not in low:
            return encoding
    return None


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
