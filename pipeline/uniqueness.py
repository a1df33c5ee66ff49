"""Whether the key that a header implies can be the key of an object's rows, judged by the first rows. No I/O.

If the ticker is the file's name, the timestamp alone must identify a row. In a file of many tickers under an arbitrary
name it does not: each row would replace the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from pipeline.decoding import ObjectUnreadable
from pipeline.header import TIMESTAMP_NAMES, bare_name
from pipeline.quotes import RejectedRow
from pipeline.values import number_value, shown

FIRST_ROWS = 1000
"""Rows that are held back until they have been judged."""
SEARCHED_CELLS = 200_000
"""How many cells are examined to find a column that would identify rows: in a wide header, those of fewer rows."""
SEARCHED_COLUMNS = 1000
"""In a wider header, no column is searched for: too few rows could be examined to decide."""
CANDIDATES = 3
"""How many such columns the message names."""

Block = TypeVar("Block")
Cells = Mapping[str, tuple[str, str]]
"""By attribute name, the type ("N" or "S") and the text of what a row holds in addition to its key."""


class FileKey(NamedTuple):
    """The key of rows whose ticker is their file's name: that name, the timestamp columns, and the other columns.

    `columns` maps attribute names to the header's names. `named`: a setting names the timestamp columns.
    """

    ticker: str
    timestamp_columns: Sequence[str]
    columns: Mapping[str, str]
    named: bool


class KeyedRow(NamedTuple):
    """One row: its line, its stored timestamp, and the source of the rest: hashable, equal for equal rows."""

    line: int
    timestamp: str
    source: Any


class FirstRows(Generic[Block]):
    """Holds an object's first rows back, and judges them when there are enough or no more come.

    `rows_of` gives the rows of a block, `cells_of` the cells of one row's source.
    """

    def __init__(self, rows_of: Callable[[Block], Iterator[KeyedRow]], cells_of: Callable[[Any], Cells]) -> None:
        self._rows_of = rows_of
        self._cells_of = cells_of
        self._blocks: list[Block] = []
        self._rows: list[KeyedRow] = []
        self._key: FileKey | None = None
        self._judged = False

    def hold(
        self, found: Iterator[Block | RejectedRow], key_of: Callable[[], FileKey | None], *, final: bool
    ) -> Iterator[Block | RejectedRow]:
        """The same blocks, each once its rows are judged. `key_of` is called once a row comes; None: rows have tickers.

        Raises `ObjectUnreadable`.
        """
        if self._judged:
            yield from found
            return
        for block in found:
            if self._judged or isinstance(block, RejectedRow):
                yield block
                continue
            if not self._blocks:
                self._key = key_of()
            self._blocks.append(block)
            if self._key is not None:
                self._rows += islice(self._rows_of(block), FIRST_ROWS - len(self._rows))
            if self._key is None or len(self._rows) == FIRST_ROWS:
                yield from self._judge()
        if final:
            yield from self._judge()

    def _judge(self) -> Iterator[Block]:
        if self._key is not None:
            _check(self._key, self._rows, self._cells_of)
        blocks, self._blocks, self._rows, self._judged = self._blocks, [], [], True
        yield from blocks


class _Contents:
    """The contents of rows, by each row's source, which is parsed on demand; `kept` of them are cached."""

    def __init__(self, cells_of: Callable[[Any], Cells], kept: int) -> None:
        self.cells = lru_cache(kept)(cells_of)
        self._by_source: dict[Any, int] = {}
        self._by_content: dict[str, int] = {}

    def number(self, source: Any) -> int:
        """A number that is equal for rows with equal contents; numbers compare by value."""
        found = self._by_source.get(source)
        if found is None:
            values = [
                (name, number_value(text) if kind == "N" else text) for name, (kind, text) in self.cells(source).items()
            ]
            # As text it takes no more room than its source; as objects it would take ten times that.
            found = self._by_content.setdefault(repr(values), len(self._by_content))
            self._by_source[source] = found
        return found


def _check(key: FileKey, rows: list[KeyedRow], cells_of: Callable[[Any], Cells]) -> None:
    """Raises `ObjectUnreadable` if two rows share their key and differ otherwise."""
    searched = SEARCHED_CELLS // max(len(key.columns), 1) if len(key.columns) <= SEARCHED_COLUMNS else 0
    contents = _Contents(cells_of, searched)
    clash = _clash(rows, contents)
    if clash is None:
        return
    first, second = clash
    found = _candidates(key, [first, second, *rows[:searched]], contents) if searched else []
    cure = f"{_either(found)} would distinguish them; " if found else ""
    is_time = bool(found) and bare_name(found[0]) in TIMESTAMP_NAMES
    column = "+".join(key.timestamp_columns)
    raise ObjectUnreadable(
        f"lines {first.line} and {second.line} have the same key but differ: ticker {shown(key.ticker)} (the file's "
        f"name), timestamp {first.timestamp} (column {shown(column)}); "
        f"{cure}TICKER_COLUMN and TIMESTAMP_COLUMN name the key's columns",
        "TIMESTAMP_COLUMN" if is_time else "TICKER_COLUMN",
        _proposal(key, found[0], is_time=is_time) if found else None,
    )


def _proposal(key: FileKey, candidate: str, *, is_time: bool) -> str:
    """What the setting should be: the likeliest column, joined to the timestamp's column if both mean a time."""
    if not is_time or not key.named or len(key.timestamp_columns) > 1:
        return candidate
    columns = [key.timestamp_columns[0], candidate.strip(" \t")]
    return "+".join(reversed(columns) if bare_name(candidate) == "date" else columns)


def _clash(rows: list[KeyedRow], contents: _Contents) -> tuple[KeyedRow, KeyedRow] | None:
    """The first row that differs from the first row with its key, after that one."""
    firsts: dict[str, KeyedRow] = {}
    for row in rows:
        first = firsts.setdefault(row.timestamp, row)
        if row.source != first.source and contents.number(row.source) != contents.number(first.source):
            return first, row
    return None


def _candidates(key: FileKey, rows: list[KeyedRow], contents: _Contents) -> list[str]:
    """The columns that would distinguish all these rows, likeliest first: texts before numbers, few values first."""
    distinct = list(dict.fromkeys((row.timestamp, row.source) for row in rows))
    held = [(timestamp, contents.cells(source)) for timestamp, source in distinct]
    number = cache(lambda at: contents.number(distinct[at][1]))
    possible: dict[str, set[tuple[str, str]]] = {}
    for name in key.columns:
        # An empty cell could not be a key.
        if not all(name in cells for _, cells in held):
            continue
        seen: dict[tuple[str, tuple[str, str]], int] = {}
        firsts = (seen.setdefault((timestamp, cells[name]), at) for at, (timestamp, cells) in enumerate(held))
        if all(first == at or number(first) == number(at) for at, first in enumerate(firsts)):
            possible[name] = {cell for _, cell in seen}
    texts = [name for name, values in possible.items() if any(kind == "S" for kind, _ in values)]
    ordered = sorted(texts or possible, key=lambda name: len(possible[name]))
    return [key.columns[name] for name in ordered[:CANDIDATES]]


def _either(names: list[str]) -> str:
    texts = list(map(shown, names))
    return texts[0] if len(texts) == 1 else f"each of {', '.join(texts[:-1])} and {texts[-1]}"
