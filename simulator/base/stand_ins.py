"""ASCII for characters that an output's encoding lacks: `->` for an arrow, `|` for a line of a box, `?` for a letter.

They are named handlers of encoding errors, for any text stream. In UTF-8, nothing is replaced.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

REPLACE = "stockpipe.replace"
"""For standard output: a stand-in if there is one, else `?`."""
ESCAPE = "stockpipe.escape"
"""For standard error: a stand-in if there is one, else an escape such as `\\xe9`."""

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
    **dict.fromkeys("▼✓", "v"),
    **dict.fromkeys("µμ", "u"),
    **dict.fromkeys("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", " "),
    "▲": "^",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "≈": "~",
    "±": "+-",
}


def stream_errors(encoding: str | None, errors: str | None) -> str:
    """The name of the handler for a stream whose handler was `errors`."""
    if errors == "backslashreplace":
        return ESCAPE
    # In UTF-8, the bytes of a file name pass through unchanged.
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
