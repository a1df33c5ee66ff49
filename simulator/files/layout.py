"""A text as a table: its delimiter, the lines above its header, its comments, its header and first records. Pure.

This is a guess based on what most lines have in common. The resulting settings are tried afterwards with the consumer's
own reader.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from simulator.files.reading import DELIMITERS
from simulator.files.times import LONGEST, format_of, reads_without_format, share_read

MARKS = ("#", "//", "%", "--", "!", "*", "'", ";", "@")
"""What lines that are not rows begin with."""
RECORDS = 1_000
"""How many records are examined."""
LOOKED_AT = 60
"""How many records decide where the header is and what the delimiter is."""
MOST_COLUMNS = 100
"""How many columns decide what a line is."""
_ALPHANUMERIC = re.compile(r"[^\W_]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_SEP = re.compile(r'"?sep=([^"\r\n\0])"?', re.IGNORECASE)
_NUMBERLIKE = re.compile(
    r"(?=.*[0-9])[+-]?(?:[0-9]{1,3}(?:[ '.,][0-9]{3})+|[0-9]+)?(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+)?"
)


class Record(NamedTuple):
    """One record: the physical line that it begins on, counted from 1, and its cells without surrounding blanks."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the first part of a file looks like.

    `header` is None if there is none; `names` are then those of an unusable header: one with a different number of
    cells from the rows, or with a name twice. `skip` and `comment` are what must be skipped in addition to the given
    settings. `automatic` says that the consumer finds the delimiter without a setting.
    """

    delimiter: str
    automatic: bool
    header: Record | None
    names: tuple[str, ...] | None
    records: list[Record]
    skip: int
    comment: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """What is already given; None or empty for what is not."""

    delimiter: str | None = None
    skip: int | None = None
    comment: str | None = None
    names: tuple[str, ...] | None = None


def layout_of(text: str, given: Given) -> Layout | None:
    """The layout of the text; None if nothing in it looks like a table of at least two columns."""
    lines = _LINE_END.split(text)
    sep = _SEP.fullmatch(lines[0])
    first = max(1 if sep else 0, given.skip or 0)
    numbered = [(number, line) for number, line in enumerate(lines[first:], first + 1)]
    if given.comment is not None:
        numbered = [(number, line) for number, line in numbered if not line.lstrip(" \t").startswith(given.comment)]
    best: tuple[float, int, str, list[Record]] | None = None
    fixed = sep[1] if sep else given.delimiter
    for delimiter in (fixed,) if fixed else DELIMITERS:
        records = _records(numbered, delimiter, LOOKED_AT * 4)
        score, width = _score(records, given.names)
        if width >= 2 and (best is None or (score, width) > best[:2]):
            best = (score, width, delimiter, records)
    if best is None:
        return None
    _, width, delimiter, records = best
    comment = None if given.comment is not None else _comment(numbered, records, width, delimiter)
    if comment is not None:
        numbered = [(number, line) for number, line in numbered if not line.lstrip(" \t").startswith(comment)]
    records = _records(numbered, delimiter, RECORDS)
    return _with_header(records, width, delimiter, comment, given, named=fixed is not None)


def _with_header(
    records: list[Record], width: int, delimiter: str, comment: str | None, given: Given, *, named: bool
) -> Layout:
    header_at, data_at, names = _header(records, width, given)
    if header_at is not None and data_at < len(records) and (apart := _apart(records[header_at].cells)) is not None:
        header_at, names = None, apart
    begins_at = data_at if header_at is None else header_at
    begin = records[begins_at]
    skip = begin.line - 1 if begins_at > 0 and given.skip is None else 0
    header = None if header_at is None else begin
    automatic = named or _automatic(begin, delimiter)
    rows = [record for record in records[data_at:] if record.cells != [""]]
    return Layout(delimiter, automatic, header, names, rows, skip, comment)


def _records(numbered: Sequence[tuple[int, str]], delimiter: str, most: int) -> list[Record]:
    """The records of the lines, except those without letters and digits, such as rules in a printed table."""
    blank = " \t".replace(delimiter, "")
    found: list[Record] = []
    kept = [(number, line) for number, line in numbered if _ALPHANUMERIC.search(line)]
    reader = csv.reader((line + "\n" for _, line in kept), delimiter=delimiter, skipinitialspace=True)
    at = 0
    try:
        for cells in reader:
            found.append(Record(kept[at][0], [cell.strip(blank) for cell in cells]))
            at = reader.line_num
            if len(found) == most:
                break
    except csv.Error:
        pass  # a cell longer than the process's limit, or a NUL: what came before it is enough
    return found


def _score(records: list[Record], names: tuple[str, ...] | None) -> tuple[float, int]:
    """How much the records resemble a table, and its width."""
    widths = Counter(len(record.cells) for record in records)
    if names is not None:
        width = len(names)
    else:
        width = max(widths, key=lambda each: (widths[each] if each > 1 else 0, each), default=0)
    alike = [record for record in records if len(record.cells) == width]
    if width < 2 or not alike:
        return 0.0, 0
    cells = [cell for record in alike[:LOOKED_AT] for cell in record.cells[:MOST_COLUMNS]]
    typed = sum(is_numberlike(cell) or is_timelike(cell) or not cell for cell in cells) / len(cells)
    return len(alike) / len(records) * (0.5 + 0.5 * typed), width


def _comment(numbered: Sequence[tuple[int, str]], records: list[Record], width: int, delimiter: str) -> str | None:
    """What the lines that are neither header nor rows begin with; None if they have nothing in common."""
    by_line = {record.line: record for record in records}
    texts = {number: line.lstrip(" \t") for number, line in numbered if line.strip()}
    first_row = next((record.line for record in records if len(record.cells) == width and _is_data(record)), 0)
    for mark in MARKS:
        marked = [number for number, line in texts.items() if line.startswith(mark)]
        if not marked or mark == delimiter or (len(marked) * 2 > len(texts) and len(texts) > len(MARKS)):
            continue
        above = [number for number in texts if number < first_row]
        last = above[-1] if above else 0
        if last in marked and last in by_line and len(by_line[last].cells) == width:
            continue  # that line is the header
        if all(number < first_row or number not in by_line or len(by_line[number].cells) != width for number in marked):
            return mark
    return None


def _header(records: list[Record], width: int, given: Given) -> tuple[int | None, int, tuple[str, ...] | None]:
    """Where the header is, where the rows begin, and the names from a header that is too narrow for its rows."""
    if given.names is not None:
        return None, 0, None
    if given.skip:
        return (None, 0, None) if _is_row_of_many(records, 0) else (0, 1, None)
    data_at = next((at for at in range(min(len(records), LOOKED_AT)) if _begins_rows(records, at, width)), None)
    if data_at is None:
        at = next((at for at, record in enumerate(records) if len(record.cells) == width), 0)
        return at, at + 1, None
    above = [at for at in range(data_at) if _is_header(records[at], width)]
    candidates = [at for at in above if all(_is_header(record, width) for record in records[at:data_at])]
    full = [at for at in candidates if all(records[at].cells) and len(set(records[at].cells)) == width]
    half = [at for at in candidates if sum(map(bool, records[at].cells)) * 2 >= width]
    if best := full or half or candidates:
        return best[-1], data_at, None
    if _is_row_of_many(records, data_at):
        previous = records[data_at - 1].cells if data_at else []
        if len(previous) > width and not any(previous[width:]) and not _is_data(records[data_at - 1]):
            return None, data_at, tuple(previous[:width])
        if len(previous) == width - 1 and all(previous) and not _is_data(records[data_at - 1]):
            return None, data_at, (*previous, f"column_{width}")
        return None, data_at, None
    return data_at, data_at + 1, None


def _apart(names: Sequence[str]) -> tuple[str, ...] | None:
    """The names, with a number added to those that would be one attribute; None if there are none."""
    found: dict[str, str] = {}
    for at, name in enumerate(names):
        unique, number = name or f"\0{at}", 2
        while unique.lower().replace(" ", "_") in found:
            unique, number = f"{name}_{number}", number + 1
        found[unique.lower().replace(" ", "_")] = unique if name else ""
    apart = tuple(found.values())
    return apart if apart != tuple(names) else None


def _begins_rows(records: list[Record], at: int, width: int) -> bool:
    return all(len(record.cells) == width and _is_data(record) for record in records[at : at + 2])


def _is_header(record: Record, width: int) -> bool:
    return len(record.cells) == width and not _is_data(record)


def _is_data(record: Record) -> bool:
    return any(cell and (is_numberlike(cell) or is_timelike(cell)) for cell in record.cells[:MOST_COLUMNS])


def _is_row_of_many(records: list[Record], at: int) -> bool:
    """Whether this record is one of the rows and not their header."""
    first, width = records[at].cells, len(records[at].cells)
    rest = [record.cells for record in records[at + 1 : at + LOOKED_AT] if len(record.cells) == width]
    filled = [cell for cell in first if cell]
    if len(filled) >= 2 and all(map(is_numberlike, filled)):
        return True
    for column, cell in enumerate(first[:MOST_COLUMNS]):
        if is_timelike(cell) and re.search("[0-9].*[^0-9].*[0-9]|[0-9]{8}", cell):
            texts = [cell, *(cells[column] for cells in rest)]
            if share_read(texts, format_of(texts)) > 0.8:
                return True
    return False


def _automatic(record: Record, delimiter: str) -> bool:
    """Whether the consumer certainly finds the delimiter in the first record; if unsure, a trial decides."""
    # The cells are already split: candidates left inside them are other delimiters.
    others = (sum(cell.count(mark) for cell in record.cells) for mark in DELIMITERS if mark != delimiter)
    return all(count < len(record.cells) - 1 for count in others)


@lru_cache(4096)
def is_numberlike(cell: str) -> bool:
    """Whether the cell is a number in some notation."""
    return len(cell) <= LONGEST and _NUMBERLIKE.fullmatch(cell) is not None


@lru_cache(4096)
def is_timelike(cell: str) -> bool:
    """Whether the cell is a time in some notation."""
    return 6 <= len(cell) <= LONGEST and (reads_without_format(cell) or format_of([cell]) is not None)
