"""Whether the key that a header gives to an object's rows can be their key: judged by the first rows. No I/O.

Where the ticker is the file's name, the timestamp alone must tell the rows apart. In a file of many tickers under a
name that nobody knows it does not: each row would replace the one before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from pipeline.decoding import ObjectUnreadable
from pipeline.quotes import RejectedRow
from pipeline.values import number_value, shown

FIRST_ROWS = 1000
"""Rows that are held back until they have been judged."""
SEARCHED_COLUMNS = 1000
"""In a wider header no column is looked for that would tell the rows apart: it would take seconds."""
CANDIDATES = 3
"""How many such columns are named."""

Block = TypeVar("Block")
Cells = Mapping[str, tuple[str, str]]
"""By attribute name, the type ("N" or "S") and the text of what a row holds beside its key."""


class FileKey(NamedTuple):
    """The key of rows whose ticker is their file's name: that, the timestamp's column, and the other columns.

    `columns` has the header's names by those of the attributes. `timestamp_names` are those that mean a time.
    """

    ticker: str
    timestamp_column: str
    columns: Mapping[str, str]
    timestamp_names: Sequence[str]


class KeyedRow(NamedTuple):
    """One row: its line, its timestamp as stored, and a function from `source` to what else it holds."""

    line: int
    timestamp: str
    source: Any


class FirstRows(Generic[Block]):
    """Holds an object's first rows back, and judges them when there are enough, or no more come.

    `rows_of` gives the rows of a block, `cells_of` what the source of one holds.
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
        """The same, rows once they are judged. `key_of` is asked for a row only; None: each row names its ticker.

        Raises `ObjectUnreadable`.
        """
        if self._judged:
            yield from found
            return
        for one in found:
            if self._judged or isinstance(one, RejectedRow):
                yield one
                continue
            if not self._blocks:
                self._key = key_of()
            self._blocks.append(one)
            if self._key is not None:
                self._rows += self._rows_of(one)
            if self._key is None or len(self._rows) >= FIRST_ROWS:
                yield from self._judge()
        if final:
            yield from self._judge()

    def _judge(self) -> Iterator[Block]:
        if self._key is not None:
            _check(self._key, self._rows[:FIRST_ROWS], self._cells_of)
        blocks, self._blocks, self._rows, self._judged = self._blocks, [], [], True
        yield from blocks


def _check(key: FileKey, rows: list[KeyedRow], cells_of: Callable[[Any], Cells]) -> None:
    """Raises `ObjectUnreadable` if two rows share their key and differ otherwise."""
    groups: dict[str, list[KeyedRow]] = defaultdict(list)
    for row in rows:
        groups[row.timestamp].append(row)
    repeated = [group for group in groups.values() if len(group) > 1]
    if not repeated:
        return
    clashes = [clash for group in repeated if (clash := _clash(group, cells_of))]
    if not clashes:
        return
    first, second = min(clashes, key=lambda clash: clash[1].line)
    found = _candidates(key, rows, repeated, cells_of)
    cure = f"{_either(found)} would tell such rows apart; " if found else ""
    is_time = bool(found) and found[0].strip().lower() in key.timestamp_names
    raise ObjectUnreadable(
        f"lines {first.line} and {second.line} have the same key but differ: ticker {shown(key.ticker)} (the file's "
        f"name), timestamp {first.timestamp} (column {shown(key.timestamp_column)}); "
        f"{cure}TICKER_COLUMN and TIMESTAMP_COLUMN name the key's columns",
        "TIMESTAMP_COLUMN" if is_time else "TICKER_COLUMN",
    )


def _clash(group: list[KeyedRow], cells_of: Callable[[Any], Cells]) -> tuple[KeyedRow, KeyedRow] | None:
    """The first row of one key, and the first that differs from it."""
    content = _content(cells_of(group[0].source))
    return next(((group[0], row) for row in group[1:] if _content(cells_of(row.source)) != content), None)


def _content(cells: Cells) -> dict[str, object]:
    """What can be compared: numbers by value."""
    return {name: number_value(text) if kind == "N" else text for name, (kind, text) in cells.items()}


def _candidates(
    key: FileKey, rows: list[KeyedRow], repeated: list[list[KeyedRow]], cells_of: Callable[[Any], Cells]
) -> list[str]:
    """The columns that would tell all these rows apart, likeliest first: texts before numbers, few values first."""
    if len(key.columns) > SEARCHED_COLUMNS:
        return []
    cells = {row.line: cells_of(row.source) for row in rows}
    # A cell that is empty could be no key.
    possible = {name for name in key.columns if all(name in cell for cell in cells.values())}
    for group in repeated:
        contents = [(cells[row.line], _content(cells[row.line])) for row in group]
        for name in list(possible):
            seen: dict[tuple[str, str], object] = {}
            if any(seen.setdefault(cell[name], content) != content for cell, content in contents):
                possible.discard(name)
    texts = {name for name in possible if any(cell[name][0] == "S" for cell in cells.values())}
    values = {name: len({cell[name] for cell in cells.values()}) for name in texts or possible}
    ordered = sorted((name for name in key.columns if name in values), key=values.__getitem__)
    return [key.columns[name] for name in ordered[:CANDIDATES]]


def _either(names: list[str]) -> str:
    texts = list(map(shown, names))
    return texts[0] if len(texts) == 1 else f"each of {', '.join(texts[:-1])} and {texts[-1]}"
