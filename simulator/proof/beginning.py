"""Where an object's records begin, and what separates their cells if no setting says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simulator.proof.dialect import Dialect
from simulator.proof.splitting import BLANKS, closing_quote

CANDIDATES = ",;\t|"
"""What may separate the cells of a first record; the first of these if nothing else decides."""
_SEP = re.compile(r'sep=([^"\r\n\0\ud800-\udfff])|"sep=([^"\r\n\0\ud800-\udfff])"', re.IGNORECASE | re.ASCII)
_SIGNS = re.compile(f"[{CANDIDATES}]")
_OPENING = re.compile(' *"')


def named_delimiter(line: str) -> str | None:
    """The delimiter that the first line of an object names, as spreadsheets do: `sep=;`; None if it names none."""
    found = _SEP.fullmatch(line)
    return (found[1] or found[2]) if found else None


class DelimiterScan:
    """Feed it the lines of a first record with their ends; it counts the candidates outside quotes.

    At most `longest` characters are examined.
    """

    def __init__(self, longest: int) -> None:
        self._left = longest
        self._counts = dict.fromkeys(CANDIDATES, 0)
        self._inside = False

    def feed(self, line: str) -> bool:
        """Whether the record ends with this line, or no more is to be examined."""
        line = line[: self._left]
        self._left -= len(line)
        if '"' not in line and not self._inside:
            for sign in CANDIDATES:
                self._counts[sign] += line.count(sign)
            return True
        place, begins = 0, True
        while place < len(line):
            if self._inside:
                place = self._closed(line, place)
                begins = False
            elif begins and (opened := _OPENING.match(line, place)):
                place, self._inside = opened.end(), True
            elif found := _SIGNS.search(line, place):
                self._counts[found[0]] += 1
                place, begins = found.end(), True
            else:
                break
        return not self._inside or not self._left

    def _closed(self, line: str, place: int) -> int:
        """Where to continue after the quotes, if they close on this line."""
        end = closing_quote(line, place)
        self._inside = end < 0
        return end + 1 if end >= 0 else len(line)

    def delimiter(self, columns: int | None) -> str:
        """The most frequent candidate; if the number of columns is known, the only one that gives that number."""
        if columns is not None:
            fitting = [sign for sign, count in self._counts.items() if count == columns - 1]
            if len(fitting) == 1:
                return fitting[0]
        most = max(self._counts.values())
        first = [sign for sign, count in self._counts.items() if count == most]
        return first[0] if len(first) == 1 else CANDIDATES[0]


class Beginning:
    """Finds the first record among an object's first lines, and the delimiter of its cells.

    `named`: the object's first line names it. `commented`: a comment was skipped. A line of more than `longest`
    characters, including its end, is a record, whatever it begins with.
    """

    def __init__(self, dialect: Dialect, longest: int) -> None:
        self.named = False
        self.commented = False
        self._delimiter = dialect.delimiter
        self._comment = dialect.comment
        self._columns = None if dialect.column_names is None else len(dialect.column_names)
        self._longest = longest
        self._skip = dialect.skip_lines
        self._at_first_line = True
        self._scan = DelimiterScan(longest)
        self._scanned = 0

    def look(self, lines: Sequence[str], ends: Sequence[str], *, final: bool) -> tuple[int, str | None]:
        """How many of the lines come before the first record, and the delimiter; None: not known yet.

        The next call continues with the lines that are left, and more.
        """
        at = 0
        if self._at_first_line and lines:
            self._at_first_line = False
            if (named := named_delimiter(lines[0])) is not None:
                self.named, self._delimiter, at = True, named, 1
                self._skip -= 1
        if self._skip > 0:
            passed = min(self._skip, len(lines) - at)
            self._skip -= passed
            at += passed
        while at < len(lines) and self._is_nothing(lines[at], ends[at]):
            at += 1
        if at == len(lines) or self._delimiter is not None:
            return at, self._delimiter if at < len(lines) else None
        for number in range(at + self._scanned, len(lines)):
            self._scanned += 1
            if self._scan.feed(lines[number] + ends[number]):
                return at, self._scan.delimiter(self._columns)
        return at, self._scan.delimiter(self._columns) if final else None

    def _is_nothing(self, line: str, end: str) -> bool:
        if len(line) + len(end or "\n") > self._longest:
            return False
        text = line.lstrip(BLANKS.replace(self._delimiter or "", ""))
        if text and (self._comment is None or not text.startswith(self._comment)):
            return False
        self.commented |= bool(text)
        return True
