"""Makes text from outside safe for a terminal: it cannot control the terminal, and one line stays one line. Pure.

Templates, parameters, file names, log lines and server errors may contain anything. A character that moves the cursor,
changes colours, ends a line, changes the writing direction or is invisible is shown as a Python escape, and so is a
byte of a file name that is not text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
LINE_CHARACTERS = 2_000
"""The longest line of an error; more of a value of a megabyte would not help."""
_TAIL = 600


def is_usable(text: str) -> bool:
    """Whether a template, a scenario or a parameter may contain the text: NUL and lone surrogates work nowhere."""
    return _UNUSABLE.search(text) is None


def visible(text: str) -> str:
    """The text on one line, with every control or invisible character escaped."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def visible_lines(text: str) -> str:
    """The same for text of several lines, which stay lines; tabs stay too."""
    return "\n".join(map(visible_line, text.split("\n")))


def visible_line(text: str) -> str:
    """The same for a line that may contain tabs, and the no-break spaces with which Lambda indents a traceback."""
    return visible(text.expandtabs(4).replace("\xa0", " "))


def printable(text: str) -> str:
    """The same for running text: lines are joined, with one space between words."""
    return visible(" ".join(text.split()))


def error_line(text: str) -> str:
    """One line of an error: safe to show, and without its middle if it is too long to read."""
    line = visible(text)
    if len(line) <= LINE_CHARACTERS:
        return line
    return f"{line[: LINE_CHARACTERS - _TAIL]} ... {line[-_TAIL:]}"


def sized(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without `COLUMNS` and `LINES` that are not a size: the terminal's own size then counts."""
    return {
        name: value
        for name, value in environ.items()
        if name not in ("COLUMNS", "LINES") or (value.isascii() and value.isdigit() and int(value) >= 1)
    }
