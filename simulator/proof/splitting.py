"""A line -> the texts of its cells, by the rules of docs/handlers.md. Pure.

A quoted cell may contain line ends. So each line is split on its own, from its beginning or from within such a cell,
and a cell that it leaves open continues in the next line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BLANKS = " \t"
"""What is trimmed from a cell without quotes, unless it is the delimiter."""
_BLANKS_QUOTE = {blanks: re.compile(f'[{blanks}]*"') for blanks in (" ", "\t", " \t")}
_BLANKS = {blanks: re.compile(f"[{blanks}]*") for blanks in (" ", "\t", " \t")}


class Split(NamedTuple):
    """The cells of a line. `is_open`: the last one is quoted and continues in the next line.

    The first one is the end of a cell if the line was split from within it. `null`: there was a null word among them.
    """

    texts: list[str]
    is_open: bool
    null: bool


class Splitter:
    """Splits lines at a delimiter. Cells without quotes that are one of the `null_words` become empty."""

    def __init__(self, delimiter: str, null_words: frozenset[str] = frozenset()) -> None:
        self.delimiter = delimiter
        self.null_words = null_words
        self.blanks = BLANKS.replace(delimiter, "")
        self._blanks_quote = _BLANKS_QUOTE[self.blanks]
        self._after_quote = _BLANKS[self.blanks]

    def empty(self, null_words: frozenset[str]) -> None:
        """From now on, these are the null words."""
        self.null_words = null_words

    def is_blank(self, line: str) -> bool:
        """Whether it has only blank characters."""
        return not line.strip(self.blanks)

    def without_quotes(self, line: str) -> list[str]:
        """The cells of a line without quotes; null words are kept."""
        cells = line.split(self.delimiter)
        if " " in line or "\t" in line:
            return [cell.strip(self.blanks) for cell in cells]
        return cells

    def split(self, line: str, *, inside: bool = False) -> Split | None:
        """The cells of a line, which may begin within a quoted cell; None if there is text after a closing quote."""
        texts: list[str] = []
        null, place = False, 0
        while True:
            if not inside:
                opened = self._blanks_quote.match(line, place)
                if opened is None:
                    end = line.find(self.delimiter, place)
                    cell = (line[place:end] if end >= 0 else line[place:]).strip(self.blanks)
                    if cell in self.null_words:
                        cell, null = "", True
                    texts.append(cell)
                    if end < 0:
                        return Split(texts, False, null)
                    place = end + 1
                    continue
                place = opened.end()
            inside = False
            end = closing_quote(line, place)
            texts.append((line[place:end] if end >= 0 else line[place:]).replace('""', '"'))
            if end < 0:
                return Split(texts, True, null)
            after = self._after_quote.match(line, end + 1)
            place = after.end() if after else end + 1
            if place == len(line):
                return Split(texts, False, null)
            if not line.startswith(self.delimiter, place):
                return None
            place += 1


def words(text: str) -> list[str] | None:
    """The names or words in a setting: one record with commas, as in a file; None if it is not one."""
    splitter = Splitter(",")
    lines = re.split("(\r\n|\r|\n)", text)
    cells: list[list[str]] = []
    inside = False
    for line, end in zip(lines[::2], [*lines[1::2], ""], strict=True):
        split = splitter.split(line, inside=inside)
        if split is None or (end and not split.is_open):
            return None
        if inside:
            cells[-1].append(split.texts.pop(0))
        cells += [[each] for each in split.texts]
        inside = split.is_open
        if inside:
            cells[-1].append(end)
    return None if inside else ["".join(parts) for parts in cells]


def closing_quote(line: str, place: int) -> int:
    """The position of the first quote from `place` on that is not doubled; -1 if there is none."""
    while (end := line.find('"', place)) >= 0 and line.startswith('"', end + 1):
        place = end + 2
    return end
