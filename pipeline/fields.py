"""How a line of a CSV file is cut into fields: which delimiter, and what is trimmed at a field's edges. Pure.

A field that begins with a quote, after optional blanks, is quoted and keeps every character. Any other field loses the
blanks at both ends, and becomes empty if the rest is a word for "no value". Every repetition in these expressions is
possessive, so a line is read in linear time, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

OPEN, AFTER = 1, 2
"""A quote is still open at the end of the line; there is text after a closing quote."""
_QUOTED = r'"(?:[^"]++|"")*+'


class Fields:
    """The rules for one delimiter.

    `blanks` are the characters trimmed at a field's edges: blank and tab, except the delimiter. A line that begins with
    `comment`, after optional blanks, is a comment. `nulls` are the words that mean "no value".
    """

    def __init__(self, delimiter: str, comment: str | None = None, nulls: frozenset[str] = frozenset()) -> None:
        self.delimiter = delimiter
        self.comment = comment
        self.nulls = nulls
        self.blanks = " \t".replace(delimiter, "")
        sign, blank = re.escape(delimiter), rf"[{self.blanks}]*+"
        field = rf'(?:{blank}{_QUOTED}"{blank}|(?!{blank}")[^{sign}]*+)'
        self._line = re.compile(
            rf'(?:{field}{sign})*+(?:{field}\Z|({blank}{_QUOTED})\Z|({blank}{_QUOTED}"))',
        )
        self._field = re.compile(rf'(?:\A|{sign})({blank}{_QUOTED}"?+|(?!{blank}")[^{sign}]*+)')
        """Each field of a line that is not broken; the last may be open."""
        self._comments = (
            re.compile(rf"^{blank}{re.escape(comment)}[^\n]*+", re.MULTILINE) if comment is not None else None
        )
        self._edges = [pair for blank in self.blanks for pair in _pairs(blank, delimiter)]

    def is_nothing(self, line: str) -> bool:
        """Whether a line on which a record would begin is blank or a comment."""
        text = line.lstrip(self.blanks)
        return text in ("", "\n", "\r", "\r\n") or (self.comment is not None and text.startswith(self.comment))

    def without_comments(self, text: str) -> str:
        r"""Whole lines, each ending in `\n` and without quotes, in which each comment is now an empty line."""
        if self._comments is None or self.comment is None or self.comment not in text:
            return text
        return self._comments.sub("", text)

    def plain(self, line: str) -> Sequence[str]:
        """The fields of a line without quotes and without its end, trimmed."""
        fields = line.split(self.delimiter)
        if any(blank in line for blank in self.blanks):
            fields = [field.strip(self.blanks) for field in fields]
        return self.emptied(fields)

    def emptied(self, fields: Sequence[str]) -> Sequence[str]:
        """The same fields, with words for "no value" emptied."""
        if self.nulls.isdisjoint(fields):
            return fields
        return ["" if field in self.nulls else field for field in fields]

    def split(self, record: str, *, emptied: bool) -> list[str]:
        """The fields of a whole record with its line end, quoted or not, trimmed."""
        fields = []
        for given in self._field.findall(record.rstrip("\r\n")):
            field = given.strip(self.blanks)
            if field.startswith('"'):
                field = field[1:-1].replace('""', '"')
            elif emptied and field in self.nulls:
                field = ""
            fields.append(field)
        return fields

    def problem(self, line: str) -> int | None:
        """Why a line without its end is not a whole record: `OPEN` or `AFTER`; None if it is one."""
        return self._line.match(line).lastindex  # type: ignore[union-attr]  # it matches any text

    def count(self, line: str) -> int:
        """How many fields a line has; the last may be open."""
        return len(self._field.findall(line))

    def simple(self, text: str) -> bool:
        """Whether Python's own parser reads the records of whole lines as we would, without a closer look at each."""
        if self.nulls or (self.comment is not None and self.comment in text):
            return False
        if not any(blank in text for blank in self.blanks):
            return True
        if text[0] in self.blanks or text[-1] in self.blanks:
            return False
        return not any(pair in text for pair in self._edges)

    def as_read(self, line: str, fields: list[str]) -> bool:
        """Whether `fields`, which Python's parser read for a record that begins at `line`, are what we would read."""
        return (
            self.nulls.isdisjoint(fields)
            and [field.strip(self.blanks) for field in fields] == fields
            and not self.is_nothing(line)
        )


@lru_cache(16)
def fields_of(delimiter: str, comment: str | None = None, nulls: frozenset[str] = frozenset()) -> Fields:
    """The rules for one delimiter; the objects of a run share them."""
    return Fields(delimiter, comment, nulls)


def _pairs(blank: str, delimiter: str) -> list[str]:
    """Every pair of characters that puts a blank at a field's edge, except at the text's beginning and end."""
    return [blank + delimiter, delimiter + blank, *(blank + end for end in "\r\n"), *(end + blank for end in "\r\n")]
