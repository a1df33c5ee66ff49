"""Texts from outside as a terminal may show them: nothing in them steers it, and a line stays one. Pure.

Templates, parameters, names of files, log lines and errors of servers may hold anything. What moves the cursor, changes
colours, ends a line, turns the direction of writing or cannot be seen is written as Python would escape it, and so is
a byte of a name that is not text.
"""

from __future__ import annotations

import re

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
LINE_CHARACTERS = 2_000
"""The longest line of an error: the rest of a value of a megabyte would help nobody."""
_TAIL = 600


def is_usable(text: str) -> bool:
    """Whether a template, a scenario or a parameter may have the text: nobody takes NUL or half a surrogate pair."""
    return _UNUSABLE.search(text) is None


def visible(text: str) -> str:
    """The text on one line, each character that steers a terminal or is not seen in its escaped form."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def visible_lines(text: str) -> str:
    """The same of a text of several lines, which stay lines; tabs lay them out."""
    return "\n".join(map(visible_line, text.split("\n")))


def visible_line(text: str) -> str:
    """The same of a line of text that may be laid out with tabs, as log lines are."""
    return visible(text.expandtabs(4) if "\t" in text else text)


def printable(text: str) -> str:
    """The same of running text: lines are joined, and what is between words is one space."""
    return visible(" ".join(text.split()))


def error_line(text: str) -> str:
    """One line of an error: visible, and with its middle left out where it is longer than anybody reads."""
    line = visible(text)
    if len(line) <= LINE_CHARACTERS:
        return line
    return f"{line[: LINE_CHARACTERS - _TAIL]} ... {line[-_TAIL:]}"
