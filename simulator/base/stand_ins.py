"""ASCII in place of what an output's encoding lacks: `->` for an arrow, `|` for a line of a box, `?` for a letter.

A handler of encoding errors, by name, for any stream of text. Nothing is replaced in UTF-8.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

REPLACE = "stockpipe.replace"
"""Stand-ins where there is one, and `?` for the rest: for standard output."""
ESCAPE = "stockpipe.escape"
"""Stand-ins where there is one, and escapes such as `\\xe9` for the rest: for standard error."""

_STAND_INS = {
    **dict.fromkeys("→▶►⇒", "->"),
    **dict.fromkeys("←◀⇐", "<-"),
    **dict.fromkeys("‐‑‒–—―−─━╸╶╴┄┈═", "-"),
    **dict.fromkeys("│┃║▍▏", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰╞╡┏┓┗┛╔╗╚╝╪╷╵", "+"),
    **dict.fromkeys("×✕✗✘", "x"),
    **dict.fromkeys("·•∙●▪", "*"),
    **dict.fromkeys("‘’‚′", "'"),
    **dict.fromkeys("“”„″", '"'),
    **dict.fromkeys("█▓", "#"),
    **dict.fromkeys("▒░▌▖▁▂▃▄▅▆▇", ":"),
    "▼": "v",
    "▲": "^",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "≈": "~",
    "±": "+-",
    "µ": "u",
    "μ": "u",
    "✓": "v",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
}


def stream_errors(encoding: str | None, errors: str | None) -> str:
    """The name of the handler for a stream that had the handler `errors`."""
    if errors == "backslashreplace":
        return ESCAPE
    # In UTF-8 the bytes of a file's name pass through as they are.
    return "surrogateescape" if encoding == "utf-8" and errors == "surrogateescape" else REPLACE


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    return _handled(error, lambda _: "?")


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    return _handled(error, lambda character: character.encode("ascii", "backslashreplace").decode("ascii"))


def _handled(error: UnicodeError, otherwise: Callable[[str], str]) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_STAND_INS.get(character) or otherwise(character) for character in lacking), error.end


codecs.register_error(REPLACE, _replace)
codecs.register_error(ESCAPE, _escape)
