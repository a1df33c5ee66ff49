"""An object's bytes -> its records, by the rules of docs/handlers.md. The proof's own reader; no I/O.

Clarity comes before speed, and the code follows the documented rules alone. Memory is bounded by the longest record and
the chunk; each line is examined a fixed number of times, whatever quotes are in it and before it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from simulator.proof.beginning import Beginning
from simulator.proof.decoding import TextDecoder, is_ascii_and_more
from simulator.proof.dialect import Dialect
from simulator.proof.failures import Unreadable
from simulator.proof.splitting import Split, Splitter
from simulator.proof.unpacking import Unpacker

LONGEST_RECORD = 2 * 1024 * 1024
"""The most characters of one record, including line ends (docs/handlers.md, "Which rows are stored")."""
SHOWN_CHARACTERS = 1_000
"""How much of a broken record's line its rejection shows."""
_LINE_END = re.compile("(\r\n|\r|\n)")
LINE_END_CHARACTERS = 2
"""The length of the longest line end."""

Record = tuple[int, list[str] | str]
"""The physical line on which it begins, and its fields; for a broken record, the text of that line."""


class RecordParser:
    """Feed it an object's bytes in any pieces; it returns the records, which depend on the bytes alone.

    Once the number of the header's fields is known, a record over several lines with another number began with a stray
    quote, and null words become empty.
    """

    def __init__(self, dialect: Dialect | None = None) -> None:
        self._dialect = dialect or Dialect()
        self._unpacker = Unpacker()
        self._decoder = TextDecoder(self._dialect.encoding)
        self._beginning = Beginning(self._dialect, LONGEST_RECORD)
        self._splitter: Splitter | None = None
        self._width: int | None = None
        self._used: set[str] = set()
        # The text after the last line end, and a CR that may be half of one.
        self._rest: list[str] = []
        self._rest_length = 0
        self._half_end = ""
        self._passing_over = False
        # Lines that are in no record yet, and their ends; the last one of an object may have none.
        self._lines: list[str] = []
        self._ends: list[str] = []
        self._number = 1
        # How the first of them is split, if it begins a record that is still open.
        self._begun: Split | None = None
        # Cumulative per line: the cells that begin in it, if the line began within quotes, and its characters. Then the
        # numbers of the lines that leave the quotes in which they began, and whether a record may end there.
        self._up_to: list[tuple[int, int]] = []
        self._leaving: deque[tuple[int, bool]] = deque()

    @property
    def used(self) -> set[str]:
        """The settings about lines and cells that made a difference."""
        dialect, used = self._dialect, set(self._used)
        if self._beginning.commented:
            used.add("COMMENT")
        if dialect.encoding is not None and (self._decoder.beyond_ascii or not is_ascii_and_more(dialect.encoding)):
            used.add("ENCODING")
        return used

    @property
    def delimiter(self) -> tuple[str, bool] | None:
        """The delimiter, and whether the object itself names it; None until the first record is known."""
        return (self._splitter.delimiter, self._beginning.named) if self._splitter else None

    def expect(self, width: int) -> None:
        """The header has `width` fields, and what follows are rows."""
        self._width = width
        if self._splitter is not None:
            self._splitter.empty(self._dialect.null_values)

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[Record]:
        """The records that `chunk`, or the object's end, completes. Raises `Unreadable`; exhaust it first."""
        try:
            for piece in self._unpacker.feed(chunk, final=final):
                yield from self._read(self._decoder.feed(piece), final=False)
        except Unreadable:
            yield from self._read(self._decoder.feed(b"", hasten=True), final=False)
            raise
        if final:
            yield from self._read(self._decoder.feed(b"", final=True), final=True)

    def _read(self, text: str, *, final: bool) -> Iterator[Record]:
        self._cut(text, final=final)
        if self._splitter is None:
            passed, delimiter = self._beginning.look(self._lines, self._ends, final=final)
            self._drop(passed)
            if delimiter is None:
                return
            null_words = frozenset[str]() if self._width is None else self._dialect.null_values
            self._splitter = Splitter(delimiter, null_words)
        yield from self._records(self._splitter, final=final)

    def _cut(self, text: str, *, final: bool) -> None:
        """Cut whole lines; keep the rest, unless it is already too long for a line."""
        text = self._half_end + text
        self._half_end = ""
        if not final and text.endswith("\r"):
            self._half_end, text = "\r", text[:-1]
        if "\r" in text:
            pieces = _LINE_END.split(text)
            lines, ends = pieces[::2], pieces[1::2]
        else:
            lines = text.split("\n")
            ends = ["\n"] * (len(lines) - 1)
        last = lines.pop()
        if lines:
            if self._passing_over:
                self._passing_over = False
                del lines[0], ends[0]
            elif self._rest:
                lines[0] = "".join([*self._rest, lines[0]])
            self._rest, self._rest_length = [], 0
        self._lines += lines
        self._ends += ends
        if last and not self._passing_over:
            self._rest.append(last)
            self._rest_length += len(last)
        too_long = self._rest_length >= LONGEST_RECORD
        if too_long or (final and self._rest):
            self._lines.append("".join(self._rest))
            self._ends.append("")
            self._rest, self._rest_length = [], 0
            self._passing_over = too_long

    def _drop(self, count: int) -> None:
        """Forget the first `count` lines, which are done."""
        if count:
            self._number += count
            del self._lines[:count], self._ends[:count], self._up_to[:count]
            self._begun = None

    def _records(self, splitter: Splitter, *, final: bool) -> Iterator[Record]:
        """The records on the available lines; lines of a record that is still open stay."""
        lines, comment, at = self._lines, self._dialect.comment, 0
        delimiter, plain = splitter.delimiter, comment is None and not self._dialect.null_values
        while at < len(lines):
            line = lines[at]
            if len(line) + LINE_END_CHARACTERS > LONGEST_RECORD and self._length(at) > LONGEST_RECORD:
                yield self._number + at, line[:SHOWN_CHARACTERS]
            elif plain and line and '"' not in line and " " not in line and "\t" not in line:
                yield self._number + at, line.split(delimiter)
            elif splitter.is_blank(line):
                pass
            elif comment is not None and line.lstrip(splitter.blanks).startswith(comment):
                self._used.add("COMMENT")
            elif '"' not in line and not splitter.null_words:
                yield self._number + at, splitter.without_quotes(line)
            else:
                split = self._begun if at == 0 and self._begun else splitter.split(line)
                last = self._last_line(splitter, at, split, final=final)
                if last is None:
                    self._drop(at)
                    self._begun = split
                    return
                if last < at or split is None:
                    yield self._number + at, line[:SHOWN_CHARACTERS]
                else:
                    fields = self._joined(splitter, at, last, split)
                    yield self._number + at, fields
                    at = last
            at += 1
        self._drop(at)

    def _length(self, at: int) -> int:
        """The characters of a line with its end; the object's end counts as one character."""
        return len(self._lines[at]) + len(self._ends[at] or "\n")

    def _last_line(self, splitter: Splitter, first: int, split: Split | None, *, final: bool) -> int | None:
        """The line on which the record that begins on this one ends; -1 if it is broken, None if more must come."""
        if split is None:
            return -1
        if not split.is_open:
            return first
        cells, length = len(split.texts), self._length(first)
        up_to, leaving = self._up_to, self._leaving
        # Only differences count, so the values before the first line known to be within quotes do not matter.
        up_to += [up_to[-1] if up_to else (0, 0)] * (first + 1 - len(up_to))
        before = up_to[first]
        while leaving and leaving[0][0] <= self._number + first:
            leaving.popleft()
        while True:
            at = leaving[0][0] - self._number if leaving else len(up_to) - 1
            cells_more, length_more = up_to[at][0] - before[0], up_to[at][1] - before[1]
            if length + length_more > LONGEST_RECORD:
                return -1
            if leaving:
                whole = self._width is None or cells + cells_more == self._width
                return at if leaving[0][1] and whole else -1
            if self._width is not None and cells + cells_more > self._width:
                return -1
            if len(up_to) == len(self._lines):
                break
            self._look_within(splitter)
        return -1 if final or length + length_more + self._rest_length >= LONGEST_RECORD else None

    def _look_within(self, splitter: Splitter) -> None:
        """Examine the next line as one that begins within quotes."""
        at = len(self._up_to)
        cells, length = self._up_to[-1]
        line, line_length = self._lines[at], self._length(at)
        if '"' in line and line_length <= LONGEST_RECORD:
            split = splitter.split(line, inside=True)
            if split is None or not split.is_open:
                self._leaving.append((self._number + at, split is not None))
            cells += len(split.texts) - 1 if split else 0
        self._up_to.append((cells, length + line_length))

    def _joined(self, splitter: Splitter, first: int, last: int, split: Split) -> list[str]:
        """The fields of a record over these lines."""
        null = split.null
        if first == last:
            fields = split.texts
        else:
            cells = [[text] for text in split.texts]
            for at in range(first + 1, last + 1):
                more = splitter.split(self._lines[at], inside=True)
                if more is None:  # it was not when the last line was found
                    raise AssertionError(self._lines[at])
                cells[-1] += [self._ends[at - 1], more.texts[0]]
                cells += [[text] for text in more.texts[1:]]
                null |= more.null
            fields = ["".join(cell) for cell in cells]
        if null:
            self._used.add("NULL_VALUES")
        return fields
