"""What is in a file, found in one pass over all of it with the consumer's own reader, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from simulator.base import limits
from simulator.files.cells import looks_like
from simulator.files.gate import Progress
from simulator.files.reading import ObjectUnreadable, RejectedRow, Row, number_value, open_reader
from simulator.proof.partitions import Partitions

EXAMPLES = 3
EXAMPLE_CHARS = 60
KINDS = 50
"""How many kinds of rejections are counted separately."""
BLOCK_ROWS = 2_000
_Cell = tuple[str, Literal["N", "S"], str]


@dataclass(slots=True)
class Suspicion:
    """Text cells that resemble something else: how many, and a few of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ColumnFound:
    """One column as stored: how many of its cells are numbers and texts, a few of them, and suspicious ones."""

    name: str
    numbers: int = 0
    texts: int = 0
    examples: list[str] = field(default_factory=list)
    suspicions: dict[str, Suspicion] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["number", "text", "mixed", "empty"]:
        """What its cells are."""
        if self.numbers and self.texts:
            return "mixed"
        return "number" if self.numbers else "text" if self.texts else "empty"


@dataclass(slots=True)
class RejectedKind:
    """Rows that are rejected for one reason: how many, and the line, cell and setting of the first."""

    reason: str
    count: int
    line: int
    cell: str | None
    setting: str | None


@dataclass(slots=True)
class KeysFound:
    """Whether keys are unique. Counts rows that repeat a key: with equal cells, or with others, replacing the first.

    `first` is the key and the lines of the first two rows that differ.
    """

    distinct: int = 0
    repeated: int = 0
    replaced: int = 0
    first: tuple[str, str, int, int] | None = None


@dataclass(slots=True)
class Survey:
    """What a file holds. `unreadable` says why the consumer stopped reading, if it did.

    `columns` are in the header's order, None for those of the key. `header` holds the names as written; `header_line`
    is None if there is no header; `ticker_column` is None if the file's name is the ticker.
    """

    rows: int = 0
    columns: list[ColumnFound | None] = field(default_factory=list)
    rejected: dict[str, RejectedKind] = field(default_factory=dict)
    keys: KeysFound = field(default_factory=KeysFound)
    tickers: list[str] = field(default_factory=list)
    timestamps: list[str] = field(default_factory=list)
    unreadable: str | None = None
    header: tuple[str, ...] = ()
    header_line: int | None = None
    ticker_column: str | None = None
    timestamp_columns: tuple[str, ...] = ()

    @property
    def rejected_rows(self) -> int:
        """How many rows are rejected."""
        return sum(kind.count for kind in self.rejected.values())

    @property
    def all_rejected(self) -> bool:
        """Whether there are rows, but none of them would be stored."""
        return not self.rows and bool(self.rejected)


def survey(path: Path, key: str, environ: Mapping[str, str], progress: Progress = lambda _: None) -> Survey:
    """Read the whole file as the object at `key`.

    Keys that outgrow the memory go to a nameless temporary file. Raises OSError, `InputError` for a malformed setting,
    and `CouldNotFinish` when the disk is full.
    """
    reader, found, columns = open_reader(key, environ), Survey(), _Columns()
    with closing(Partitions()) as partitions:
        try:
            with path.open("rb") as file:
                final = False
                while not final:
                    chunk = file.read(limits.SOURCE_CHUNK_BYTES)
                    final = not chunk
                    rows = reader.feed(chunk, final=final)
                    while block := list(islice(rows, BLOCK_ROWS)):
                        _take(found, block, columns, partitions)
                    progress(len(chunk))
        except ObjectUnreadable as error:
            found.unreadable = str(error)
        if (schema := reader.schema) is not None:
            found.columns = [None if name is None else columns[name] for name in schema.names]
            found.header, found.header_line = schema.header, reader.header_line
            found.ticker_column = None if schema.ticker_at is None else schema.header[schema.ticker_at]
            found.timestamp_columns = tuple(schema.header[at] for at in schema.timestamp_at)
        _judge_keys(found.keys, partitions)
    return found


def _take(found: Survey, block: Sequence[Row | RejectedRow], columns: _Columns, partitions: Partitions) -> None:
    rows = [row for row in block if isinstance(row, Row)]
    if len(rows) < len(block):
        for row in block:
            if isinstance(row, RejectedRow):
                _reject(found.rejected, row)
    if not rows:
        return
    found.rows += len(rows)
    for examples, texts in (
        (found.tickers, (row.ticker for row in rows)),
        (found.timestamps, (row.timestamp for row in rows)),
    ):
        if len(examples) < EXAMPLES:
            _add_examples(examples, texts)
    alike = columns.add([row.cells for row in rows])
    if alike:
        # The same number can be written in several ways, and is then not a different one.
        partitions.add(
            (row.ticker, row.timestamp, row.line, hash(tuple(map(alike.get, row.cells, row.cells))), "") for row in rows
        )
    else:
        partitions.add((row.ticker, row.timestamp, row.line, hash(row.cells), "") for row in rows)


def _reject(kinds: dict[str, RejectedKind], row: RejectedRow) -> None:
    reason = row.kind or row.reason
    if reason not in kinds and len(kinds) >= KINDS:
        reason = "other reasons"
    cell = None if row.cell is None else row.cell[:EXAMPLE_CHARS]
    known = kinds.setdefault(reason, RejectedKind(reason, 0, row.line, cell, row.setting))
    known.count += 1
    if row.line < known.line:
        known.line, known.cell = row.line, cell


class _Columns(dict[str, ColumnFound]):
    """Counts cells by column; each distinct cell of a block is examined once."""

    def __missing__(self, name: str) -> ColumnFound:
        found = self[name] = ColumnFound(name)
        return found

    def add(self, rows: Sequence[tuple[_Cell, ...]]) -> dict[_Cell, _Cell]:
        """Count the cells of these rows; returns the shortest notation of each number that is not written in it."""
        alike: dict[_Cell, _Cell] = {}
        for cell, count in Counter(chain.from_iterable(rows)).items():
            name, kind, text = cell
            column = self[name]
            if kind == "N":
                column.numbers += count
                if (text[-1] in "0." and "." in text) or "e" in text or "E" in text or text[0] == "-":
                    alike[cell] = (name, "N", _shortest(text))
            else:
                column.texts += count
                if (suspicion := looks_like(text)) is not None:
                    found_here = column.suspicions.setdefault(suspicion, Suspicion())
                    found_here.count += count
                    _add_examples(found_here.examples, (text,))
            if len(column.examples) < EXAMPLES:
                _add_examples(column.examples, (text,))
        return alike


def _add_examples(examples: list[str], texts: Iterable[str]) -> None:
    for text in texts:
        if len(examples) == EXAMPLES:
            return
        if text[:EXAMPLE_CHARS] not in examples:
            examples.append(text[:EXAMPLE_CHARS])


def _shortest(text: str) -> str:
    """A number in its shortest notation, the same for equal values."""
    if "e" not in text and "E" not in text:
        short = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if short == "-0" else short
    negative, digits, exponent = number_value(text)
    if not digits:
        return "0"
    # DynamoDB's numbers have exponents of at most three digits.
    if exponent >= 0:
        plain = digits + "0" * exponent
    else:
        digits = digits.rjust(1 - exponent, "0")
        plain = f"{digits[:exponent]}.{digits[exponent:]}"
    return f"-{plain}" if negative else plain


def _judge_keys(keys: KeysFound, partitions: Partitions) -> None:
    for statements in partitions.streams():
        firsts: dict[tuple[str, str], tuple[int, int]] = {}
        for ticker, timestamp, line, rest, _ in statements:
            first = firsts.setdefault((ticker, timestamp), (line, rest))
            if first[0] == line:
                continue
            if first[1] == rest:
                keys.repeated += 1
                continue
            keys.replaced += 1
            if keys.first is None or line < keys.first[3]:
                keys.first = (ticker, timestamp, first[0], line)
        keys.distinct += len(firsts)
