"""Lines of a CSV file that hold quotes -> records, in linear time whatever the quotes. No I/O.

A quoted field may hold line ends, so only its beginning shows where a record is. A broken record costs only the line it
begins on: the next record begins within the text that it had swallowed. Read naively, every stray quote would be
followed to the next one, once for each line in between. Here each line is examined at most twice: as the beginning of a
record, and as a line that a record reaches within quotes. The second result is the same for every such record, and is
remembered.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from pipeline.fields import AFTER, OPEN, Fields

MAX_RECORD_CHARS = 2 * 1024 * 1024
"""A longer record cannot be an item of 400 KB; it is rejected instead of being collected."""
SHOWN_CHARS = 1000
"""How much of a broken record's line its rejection shows."""
ROWS_TOGETHER = 1000
"""How many records are collected before they are handed on."""

_REASONS = {None: None, AFTER: "text after a closing quote"}
_UNENDED = "a quoted field that does not end"
_OTHER_WIDTH = "a quoted field over several lines, and not as many fields as the header has"


class RejectedRow(NamedTuple):
    """One row that cannot be stored: why, and its fields as read, or its line if it has no fields.

    `kind` is the reason without the parts that vary by row, `cell` the text at fault, `setting` the environment
    variable that might fix it; each may be missing.
    """

    line: int
    reason: str
    row: tuple[str, ...]
    kind: str | None = None
    cell: str | None = None
    setting: str | None = None


class Parsed(NamedTuple):
    """Parsed records: the physical line that each begins on, and its fields."""

    lines: list[int]
    rows: list[list[str]]


class QuoteParser:
    """Feed it whole lines; it returns their records, and rejects the rest. Blank lines and comments are not records.

    A line ends at LF, CRLF, or a CR without an LF after it. `rules` say how a record is cut into fields. A record still
    open where the lines end is kept until more come: at most `MAX_RECORD_CHARS`.
    """

    _number: int
    """The number of the first of `_lines`."""

    def __init__(self, rules: Fields) -> None:
        self._rules = rules
        self._width: int | None = None
        self._lines: list[str] = []
        self._at = 0
        """Where the next record begins, or the open one."""
        self._open = False
        self._reach = -1
        """The last line examined as one that a record reaches within quotes."""
        self._end: int | None = OPEN
        """The result; `OPEN`: it has not been examined, and all lines before it end within quotes."""
        self._starts = array("q", [0])
        """How many characters come before each line."""
        self._fields: array[int] | None = None
        """Cumulative counts of the fields that each line up to the last adds; None: not counted yet."""

    @property
    def pending(self) -> bool:
        """Whether a record is open."""
        return bool(self._lines)

    def expect(self, width: int) -> None:
        """A record of several lines must have `width` fields. Until this call, records come one at a time."""
        self._width = width

    def feed(self, number: int, text: str, unended: int, *, final: bool) -> Iterator[Parsed | RejectedRow]:
        """The records that are complete now. `text` is whole lines, the first of which is line `number` of the object.

        `unended` is how many characters of the next, unfinished line have come; `final`: no more will.
        """
        if not self._lines:
            self._number = number
        self._lines += io.StringIO(text, newline="")
        yield from self._one_by_one(unended, final=final, everything=False)
        if not self._open:
            if len(text) <= MAX_RECORD_CHARS:
                yield from self._in_one_go(simple=self._rules.simple(text))
            yield from self._one_by_one(unended, final=final, everything=True)
        self._forget()

    def _in_one_go(self, *, simple: bool) -> Iterator[Parsed]:
        """The records before the first one that is incomplete or that Python's parser would read differently."""
        found = Parsed([], [])
        lines = self._lines[self._at :]
        number = self._number + self._at
        parser = csv.reader(lines, delimiter=self._rules.delimiter, strict=True)
        at = 0
        try:
            for fields in parser:
                end = parser.line_num
                if (end - at > 1 and len(fields) != self._width) or not (
                    simple or not fields or self._rules.as_read(lines[at], fields)
                ):
                    break
                if fields:
                    found.lines.append(number + at)
                    found.rows.append(fields)
                at = end
        except csv.Error:
            pass  # broken, open at its end, or with a field longer than the process's limit
        self._at += at
        if found.lines:
            yield found

    def _one_by_one(self, unended: int, *, final: bool, everything: bool) -> Iterator[Parsed | RejectedRow]:
        """The complete records; unless `everything`, only those on lines that a record has reached, and the header."""
        found, texts = Parsed([], []), list[str]()
        lines = self._lines
        while self._at < len(lines) and (everything or self._at <= self._reach or self._width is None):
            at = self._at
            line = lines[at]
            text = line.rstrip("\r\n")
            end, reason = at + 1, None
            kind: str | None
            if self._open:
                what: int | None = OPEN
            elif len(line) > MAX_RECORD_CHARS:
                what = None
            elif self._rules.is_nothing(line):
                self._at = end
                continue
            else:
                what = self._rules.problem(text)
            if len(line) > MAX_RECORD_CHARS:
                kind = overlong()
            elif what != OPEN:
                kind = _REASONS[what]
            else:
                end, kind, reason = self._open_record(at, unended, final=final)
                self._open = not end
                if self._open:
                    break
            self._at = end
            if kind:
                shown = text[:SHOWN_CHARS]
                yield RejectedRow(self._number + at, reason or kind, (shown,), kind, shown)
            else:
                found.lines.append(self._number + at)
                texts.append(text if end == at + 1 else "".join(lines[at:end]))
                if len(texts) == ROWS_TOGETHER or self._width is None:
                    yield Parsed(found.lines, self._split(texts))
                    found, texts = Parsed([], []), []
        if texts:
            yield Parsed(found.lines, self._split(texts))

    def _open_record(self, at: int, unended: int, *, final: bool) -> tuple[int, str | None, str | None]:
        """Where the next record begins, after the one at `at`, whose own line ends within quotes; 0 if not known yet.

        Also, if that record is broken, the kind of problem, and the reason where that has more to say.
        """
        lines, starts = self._lines, self._starts
        if len(starts) <= len(lines):
            starts.extend(accumulate(map(len, lines[len(starts) - 1 :]), initial=starts.pop()))
        longest = starts[at] + MAX_RECORD_CHARS
        if at >= self._reach:
            self._reach = at + 1
            self._end = OPEN
            self._fields = None
        while self._end == OPEN and self._reach < len(lines):
            self._end = self._rules.problem('"' + lines[self._reach].rstrip("\r\n"))
            if self._end == OPEN:
                self._reach += 1
        if self._end == OPEN:
            may_end = not final and starts[self._reach] + unended < longest
            return (0, None, None) if may_end else (at + 1, _UNENDED, None)
        if starts[self._reach + 1] > longest:
            return at + 1, _UNENDED, None
        if kind := _REASONS[self._end]:
            return at + 1, kind, None
        if reason := self._other_width(at):
            return at + 1, _OTHER_WIDTH, reason
        return self._reach + 1, None, None

    def _other_width(self, at: int) -> str | None:
        """What is wrong if the record from `at` to `_reach` has a different number of fields from the header."""
        if self._fields is None:
            added = (self._rules.count('"' + line) - 1 for line in self._lines[at + 1 : self._reach + 1])
            self._fields = array("q", accumulate(added, initial=0))
        sums = self._fields
        fields = self._rules.count(self._lines[at]) + sums[-1] - sums[at - self._reach - 1]
        if self._width is None or fields == self._width:
            return None
        number = self._reach + 1 - at
        return f"a quoted field over {number} lines, and {fields} fields where the header has {self._width}"

    def _forget(self) -> None:
        """Drop the lines before the next record, and what was known about them."""
        del self._lines[: self._at]
        self._number += self._at
        self._reach -= self._at
        del self._starts[: self._at]
        if not self._starts:
            self._starts.append(0)
        self._at = 0

    def _split(self, texts: list[str]) -> list[list[str]]:
        """The fields of whole records; only the header keeps words for "no value"."""
        rules = self._rules
        if self._width is not None and all(map(rules.simple, texts)):
            try:
                return list(csv.reader(texts, delimiter=rules.delimiter, strict=True))
            except csv.Error:
                pass  # a field longer than `csv.field_size_limit`, which belongs to the process and is not ours to set
        return [rules.split(text, emptied=self._width is not None) for text in texts]


def overlong() -> str:
    """Why a line that is too long is rejected."""
    return f"a line of more than {MAX_RECORD_CHARS} characters"
