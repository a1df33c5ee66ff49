"""Rows -> DynamoDB put requests, as the JSON text that goes into a BatchWriteItem body. No I/O.

`put_request` defines an item, one row at a time. `ItemReader` gives the same for whole columns at once: a column of
nothing but plain numbers, or nothing but canonical timestamps, is checked by one regular expression and formatted by
one template, a quarter of the work of going cell by cell. Anything else is read row by row, so that `rows.py` holds the
only set of rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import repeat
from json.encoder import encode_basestring
from typing import NamedTuple

from pipeline.columns import TimestampColumn, number_column
from pipeline.dialect import CsvDialect
from pipeline.fields import Fields
from pipeline.rows import MAX_PK_BYTES, RejectedRow, Row, RowReader, Schema
from pipeline.text import Lines, Parsed
from pipeline.uniqueness import Cells, FirstRows, KeyedRow
from pipeline.values import bad_number

TEMPLATES_MAX = 64
"""How many templates are cached: columns may alternate between numbers and texts in any order."""

Key = tuple[str, str]

_ESCAPED = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')


class Items(NamedTuple):
    """Rows ready to be written, in order: the key, physical line and put request of each."""

    keys: list[Key]
    lines: Sequence[int]
    puts: list[str]

    def parts(self, rows: int) -> Iterator[Items]:
        """The same in pieces of at most `rows` rows."""
        if len(self.keys) <= rows:
            yield self
            return
        for i in range(0, len(self.keys), rows):
            yield Items(self.keys[i : i + rows], self.lines[i : i + rows], self.puts[i : i + rows])


def put_request(row: Row) -> str:
    """The row as one element of a BatchWriteItem request: JSON text with numbers exactly as in the file."""
    cells = "".join(
        f',{encode_basestring(name)}:{{"{kind}":{encode_basestring(text)}}}' for name, kind, text in row.cells
    )
    return (
        f'{{"PutRequest":{{"Item":{{"PK":{{"S":{encode_basestring(row.ticker)}}},'
        f'"SK":{{"S":{encode_basestring(row.timestamp)}}}{cells}}}}}}}'
    )


class ItemReader:
    """Reads the bytes of the object at `key`, and gives its items and rejected rows."""

    def __init__(self, key: str, dialect: CsvDialect) -> None:
        self._reader = RowReader(key, dialect)
        self._encoder: _ColumnEncoder | None = None
        self._first = FirstRows[Items](_keyed, _cells)

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[Items | RejectedRow]:
        """The items and rejected rows that `chunk`, or the object's end, completes. Raises `ObjectUnreadable`.

        Lazy: exhaust it before the next call.
        """
        return self._first.hold(self._blocks(chunk, final=final), self._reader.file_key, final=final)

    def _blocks(self, chunk: bytes, *, final: bool) -> Iterator[Items | RejectedRow]:
        for record in self._reader.records(chunk, final=final):
            if isinstance(record, Lines):
                yield from self._of_lines(record)
            elif isinstance(record, Parsed):
                yield from self._of_parsed(record)
            else:
                yield record

    def _of_lines(self, record: Lines) -> Iterator[Items | RejectedRow]:
        encoder = self._columns()
        text = record.text.rstrip("\n") + "\n"
        items = None
        if len(text) <= encoder.safe_chars:
            count = text.count("\n")
            items = encoder.items_of_lines(range(record.line, record.line + count), text)
            if items is None and not all(lines := [line.strip(encoder.blanks) for line in text.split("\n")[:-1]]):
                # Blank lines are not rows.
                numbers = [number for number, line in enumerate(lines, record.line) if line]
                rest = "".join(f"{line}\n" for line, kept in zip(text.split("\n"), lines, strict=False) if kept)
                items = encoder.items_of_lines(numbers, rest) if numbers else None
        if items is not None:
            yield items
        else:
            yield from self._by_rows(record)

    def _of_parsed(self, record: Parsed) -> Iterator[Items | RejectedRow]:
        encoder = self._columns()
        if (
            all(len(row) == encoder.width for row in record.rows)
            and max(sum(map(len, row)) for row in record.rows) <= encoder.safe_chars
        ):
            items = encoder.items(record.lines, list(zip(*record.rows, strict=True)), rough=False)
            if items is not None:
                yield items
                return
        yield from self._by_rows(record)

    def _by_rows(self, record: Lines | Parsed) -> Iterator[Items | RejectedRow]:
        rows: list[Row] = []
        for row in self._reader.rows_of(record):
            if isinstance(row, Row):
                rows.append(row)
            else:
                yield row
        if rows:
            yield Items(
                [(row.ticker, row.timestamp) for row in rows],
                [row.line for row in rows],
                [put_request(row) for row in rows],
            )

    def _columns(self) -> _ColumnEncoder:
        if self._encoder is None:
            assert self._reader.schema is not None  # noqa: S101 - records come after the header only
            self._encoder = _ColumnEncoder(self._reader.schema, self._reader.fields)
        return self._encoder


class _ColumnEncoder:
    """Columns of many rows -> their items, or None if any row must be read on its own."""

    def __init__(self, schema: Schema, fields: Fields) -> None:
        self.width = schema.width
        self.safe_chars = schema.safe_chars
        self.blanks = fields.blanks
        self._schema = schema
        self._fields = fields
        self._labels = {
            i: "," + encode_basestring(name) + ":" for i, name in enumerate(schema.names) if name is not None
        }
        dialect = schema.dialect
        self._timestamps = TimestampColumn(
            schema.parse_timestamp, dialect.time_zone, iso_first=dialect.timestamp_format is None
        )
        self._numbers = number_column(dialect.decimal_separator, lenient=dialect.lenient_numbers)
        self._templates: dict[tuple[bool, ...], str] = {}

    def items_of_lines(self, lines: Sequence[int], text: str) -> Items | None:
        r"""The items of lines without quotes, each ending in `\n`; `lines` holds their numbers."""
        width, delimiter = self.width, self._fields.delimiter
        stride = width + 1
        # A line end becomes a cell of its own: if every stride-th cell is one, every line has the right width.
        flat = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
        if len(flat) != len(lines) * stride + 1 or flat[width::stride].count("\n") != len(lines):
            return None
        cells: list[Sequence[str]] = [flat[i:-1:stride] for i in range(width)]
        rough = any(blank in text for blank in self.blanks)
        if self._fields.nulls:
            if rough:
                cells = [self._trimmed(column) for column in cells]
            cells = [self._fields.emptied(column) for column in cells]
            rough = False
        return self.items(lines, cells, rough=rough)

    def items(self, lines: Sequence[int], cells: Sequence[Sequence[str]], *, rough: bool) -> Items | None:
        """The items of these columns. `rough`: their cells may still have blanks at the edges that do not count."""
        schema = self._schema
        count = len(lines)
        timestamps = self._timestamps.read(self._moments(cells, rough=rough))
        if timestamps is None:
            return None
        tickers: Sequence[str] | repeat[str]
        if schema.ticker_at is None:
            if not 0 < len(schema.file_ticker) <= MAX_PK_BYTES // 4:
                return None
            tickers = repeat(schema.file_ticker, count)
            columns: list[Sequence[str]] = [timestamps]
        else:
            tickers = cells[schema.ticker_at]
            if rough:
                tickers = self._trimmed(tickers)
            if "" in tickers or max(map(len, tickers)) > MAX_PK_BYTES // 4 or _ESCAPED.search("".join(tickers)):
                return None
            columns = [tickers, timestamps]
        numbers = self._numbers
        shape = []
        for i, label in self._labels.items():
            column = cells[i]
            joined = "\n".join(column)
            plain = numbers.matches(joined)
            if rough and not plain:
                trimmed = self._trimmed(column)
                if trimmed is not column:
                    column, joined = trimmed, "\n".join(trimmed)
                    plain = numbers.matches(joined)
            plain = plain and joined.count("\n") == count - 1
            if not plain:
                fragments = self._fragments(label, column)
                if fragments is None:
                    return None
                column = fragments
            elif not numbers.as_written:
                column = numbers.read(column, joined)
            shape.append(plain)
            columns.append(column)
        template = self._template(tuple(shape))
        return Items(
            list(zip(tickers, timestamps, strict=True)), lines, [template % row for row in zip(*columns, strict=True)]
        )

    def _moments(self, cells: Sequence[Sequence[str]], *, rough: bool) -> list[Sequence[str]]:
        """The timestamp columns, trimmed if the first row's cells need it; otherwise the parser trims, row by row."""
        columns = [cells[at] for at in self._schema.timestamp_at]
        if rough and any(column[0] != column[0].strip(self.blanks) for column in columns):
            return [self._trimmed(column) for column in columns]
        return columns

    def _trimmed(self, column: Sequence[str]) -> Sequence[str]:
        """The column without blanks at the edges; the same object if it contains no blank."""
        joined = "".join(column)
        if not any(blank in joined for blank in self.blanks):
            return column
        return [cell.strip(self.blanks) for cell in column]

    def _fragments(self, label: str, column: Sequence[str]) -> list[str] | None:
        """`,"name":{...}` for each cell, empty for an empty one; None if a cell cannot be stored."""
        fragments = {"": ""}
        for text in set(column):
            if not text:
                continue
            number = self._schema.read_number(text)
            if number is not None:
                if bad_number(number):
                    return None
                fragments[text] = f'{label}{{"N":"{number}"}}'
            elif text.isascii() or not _ESCAPED.search(text):
                fragments[text] = f'{label}{{"S":{encode_basestring(text)}}}'
            else:
                # It may hold a lone surrogate, which is what remains of bytes that are not text.
                return None
        return [fragments[text] for text in column]

    def _template(self, shape: tuple[bool, ...]) -> str:
        """The put request of a row, with `%s` for each part that varies; it includes the labels of plain numbers."""
        template = self._templates.get(shape)
        if template is None:
            ticker = encode_basestring(self._schema.file_ticker).replace("%", "%%")
            key = ticker if self._schema.ticker_at is None else '"%s"'
            cells = "".join(
                label.replace("%", "%%") + '{"N":"%s"}' if plain else "%s"
                for label, plain in zip(self._labels.values(), shape, strict=True)
            )
            if len(self._templates) == TEMPLATES_MAX:
                self._templates.clear()
            template = f'{{"PutRequest":{{"Item":{{"PK":{{"S":{key}}},"SK":{{"S":"%s"}}{cells}}}}}}}'
            self._templates[shape] = template
        return template


def _keyed(items: Items) -> Iterator[KeyedRow]:
    return (KeyedRow(line, key[1], put) for key, line, put in zip(items.keys, items.lines, items.puts, strict=True))


def _cells(put: str) -> Cells:
    # The key is included: it is the same for all rows that are compared.
    return {name: next(iter(value.items())) for name, value in json.loads(put)["PutRequest"]["Item"].items()}
