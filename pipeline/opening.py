"""The beginning of an object, up to its first record: the lines to skip, and the delimiter. No I/O.

The result depends on the text alone, not on how it is cut.
"""

from __future__ import annotations

import re

from pipeline.dialect import DELIMITERS
from pipeline.fields import fields_of

_SEP = re.compile(r'(?P<quote>"?)sep=(?P<sign>[^"\r\n\0\ud800-\udfff])(?P=quote)', re.IGNORECASE)
_SEP_CHARS = len('"sep=X"')
_LINE_END = re.compile(r"\r\n?|\n")
_CLOSED = r'(?:[^"]++|"")*+(?P<end>"|\Z)'
_QUOTED = re.compile(rf'(?P<before>\A|[{"".join(DELIMITERS)}]) *+"{_CLOSED}')
"""A quoted cell under any of the delimiters, with the delimiter before it; the last cell may be open."""
_REST = re.compile(_CLOSED)
"""The rest of a quoted cell that began on an earlier line."""


class FirstLines:
    """Skips a line `sep=X` and the lines that SKIP_LINES counts. Feed it all text, and read what it returns.

    `line` is the number of the next line, `delimiter` what `sep=` says, None if there is no such line. `done`: all of
    those lines have been skipped.
    """

    def __init__(self, skip_lines: int) -> None:
        self.line = 1
        self.delimiter: str | None = None
        self.done = False
        self._skip_lines = skip_lines
        self._looked = False
        self._held = ""

    def feed(self, text: str, *, final: bool) -> str:
        """The text after those lines; empty until then."""
        text, self._held = self._held + text, ""
        if not self._looked:
            end = _LINE_END.search(text)
            if end is None and len(text) <= _SEP_CHARS and not final:
                self._held = text
                return ""
            self._looked = True
            if sep := _SEP.fullmatch(text, 0, end.start() if end else len(text)):
                self.delimiter = sep["sign"]
                self._skip_lines = max(self._skip_lines, 1)
        at = 0
        while self.line <= self._skip_lines:
            end = _LINE_END.search(text, at)
            if end is None:
                return ""
            if end[0] == "\r" and end.end() == len(text) and not final:
                # It may be half of a line end.
                self._held = "\r"
                return ""
            at = end.end()
            self.line += 1
        self.done = True
        return text[at:]


class FirstRecord:
    """Skips blank lines and comments, and finds the delimiter in the first record.

    Feed it whole lines until `delimiter` is set: then `text` is the text to read, from the first record on, and
    `passed` is how many lines came before it. At most `longest` characters of a record are examined. `names` is how
    many fields each record should have, None if the record is the header.
    """

    def __init__(self, comment: str | None, names: int | None, longest: int) -> None:
        self.delimiter: str | None = None
        self.passed = 0
        self.left = longest
        """How many characters may still be examined."""
        self._names = names
        self._longest = longest
        # While the delimiter is unknown, spaces and tabs both count as blank.
        self._fields = fields_of(",", comment)
        self._texts: list[str] = []
        self._inside = False
        self._counts = dict.fromkeys(DELIMITERS, 0)

    @property
    def text(self) -> str:
        """The lines from the first record on."""
        return "".join(self._texts)

    def feed(self, text: str, *, final: bool) -> None:
        """Examine these lines. `final`: the object ends here, or the next line is too long to examine."""
        at = 0
        while not self._texts and at < len(text):
            end = _end(text, at)
            if end - at > self._longest or not self._fields.is_nothing(text[at:end]):
                break
            self.passed += 1
            at = end
        if at < len(text):
            self._texts.append(text[at:])
        while at < len(text) and self.delimiter is None:
            end = _end(text, at)
            self.look(text[at:end])
            at = end
        if final and self._texts and self.delimiter is None:
            self._decide()

    def look(self, line: str) -> None:
        """Count the delimiters in a line of the record, or in the beginning of a line that is too long."""
        line = line[: self.left]
        self.left -= len(line)
        if self._inside:
            rest = _REST.match(line)
            assert rest is not None  # noqa: S101 - it matches any text
            self._inside = not rest["end"]
            # A cell whose quotes have just closed cannot be opened by others.
            line = "\0" + line[rest.end() :]
        if not self._inside:
            if '"' in line:
                line = _QUOTED.sub(self._without, line)
            for sign in DELIMITERS:
                self._counts[sign] += line.count(sign)
        if not self._inside or not self.left:
            self._decide()

    def _without(self, quoted: re.Match[str]) -> str:
        """The parts of a cell outside quotes."""
        self._inside = not quoted["end"]
        return quoted["before"]

    def _decide(self) -> None:
        if self._names is not None:
            fitting = [sign for sign, count in self._counts.items() if count == self._names - 1]
            if len(fitting) == 1:
                self.delimiter = fitting[0]
                return
        most = max(self._counts.values())
        frequent = [sign for sign, count in self._counts.items() if count == most]
        self.delimiter = frequent[0] if len(frequent) == 1 else ","


def _end(text: str, at: int) -> int:
    """Where the line that begins there ends."""
    found = _LINE_END.search(text, at)
    return found.end() if found else len(text)
