"""A command to paste into a shell: the words are quoted, and lines are broken where the shell reads on."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.segment import Segment

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*=(?=.)")
# What `shlex.quote` and `$'...'` leave together.
_QUOTED_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def quoted(words: Sequence[str]) -> str:
    """The words as one line for a POSIX shell; control characters, and bytes that are not UTF-8, in bash's `$'...'`."""
    return " ".join(map(_quoted, words))


def with_option(words: Sequence[str], *option: str) -> tuple[str, ...]:
    """A command's words with this option (and its value, if it has one) in place of any earlier use of it.

    `--parameter NAME=VALUE` replaces only the value of that name.
    """
    flag, *value = option
    name = value[0].partition("=")[0] + "=" if flag == "--parameter" else ""
    end = words.index("--") if "--" in words else len(words)
    kept: list[str] = []
    place = 0
    while place < end:
        length = 1 + len(value)
        if words[place] == flag and (not value or words[place + 1].startswith(name)):
            place += length
        else:
            kept.append(words[place])
            place += 1
    return (*kept, *option, *words[end:])


def _quoted(word: str) -> str:
    if word.isprintable():
        name = _NAME.match(word)
        return name[0] + shlex.quote(word[name.end() :]) if name else shlex.quote(word)
    shown = re.sub(rb"[^\w./=-]", lambda byte: b"\\x%02x" % byte[0][0], os.fsencode(word)).decode()
    return f"$'{shown}'"


class ShellCommand:
    """A quoted command, printed so that it still runs when copied from the screen: it breaks only between options.

    A word wider than the screen is not broken, so print with `crop=False`.
    """

    def __init__(self, command: str, indent: int) -> None:
        self._command, self._indent = command, indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in broken(self._command, options.max_width - self._indent):
            yield Segment(" " * self._indent + line)
            yield Segment.line()


def broken(command: str, width: int) -> list[str]:
    """Break a quoted command into lines of `width`, with backslashes; a longer word gets a line of its own."""
    lines: list[str] = []
    line = ""
    for part in _parts(command):
        if line and len(line) + len(part) + 3 > width:
            lines.append(f"{line} \\")
            line = f"  {part}"
        else:
            line = f"{line} {part}" if line else part
    return [*lines, line]


def _parts(command: str) -> list[str]:
    """The command's words, each option together with its value."""
    parts: list[str] = []
    for word in _QUOTED_WORD.findall(command):
        if parts and re.fullmatch(r"-\S+", parts[-1]) and not word.startswith("-"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts
