"""How files are written: the settings that decide what a row of an object is, checked, as one value. No I/O.

docs/handlers.md, "Which rows are stored", says what each of them means; what a header and a cell come to by them is
decided in `rows.py` and `values.py`.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.settings import SettingsError, choice_setting, integer_setting, text_setting
from pipeline.values import bad_strptime_format

DELIMITERS = (",", ";", "\t", "|")
"""Those that `DELIMITER` takes, and that are looked for in a header."""
MAX_SKIP_LINES = 1_000_000
_DELIMITER_WORDS = {"auto": None, "comma": ",", "semicolon": ";", "tab": "\t", r"\t": "\t", "bar": "|", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """What the settings say of the files; None where the file itself decides."""

    ticker_column: str | None = None
    timestamp_column: str | None = None
    timestamp_format: str | None = None
    time_zone: str | None = None
    delimiter: str | None = None
    decimal_separator: str = "."
    skip_lines: int = 0
    comment: str | None = None
    column_names: tuple[str, ...] | None = None
    encoding: str | None = None
    null_values: frozenset[str] = frozenset()
    lenient_numbers: bool = False

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> CsvDialect:
        """From the function's variables. Raises `SettingsError`, naming the one that is malformed."""
        timestamp_format = text_setting(environ, "TIMESTAMP_FORMAT")
        if timestamp_format is not None and (reason := bad_strptime_format(timestamp_format)):
            raise SettingsError(f"TIMESTAMP_FORMAT={timestamp_format!r} is not a strptime format: {reason}")
        names = _words(environ, "COLUMN_NAMES")
        return cls(
            text_setting(environ, "TICKER_COLUMN"),
            text_setting(environ, "TIMESTAMP_COLUMN"),
            timestamp_format,
            text_setting(environ, "TIME_ZONE"),
            _delimiter(environ),
            choice_setting(environ, "DECIMAL_SEPARATOR", (".", ",")),
            integer_setting(environ, "SKIP_LINES", 0, 0, MAX_SKIP_LINES),
            _comment(environ),
            names or None,
            _encoding(environ),
            frozenset(_words(environ, "NULL_VALUES")) - {""},
            choice_setting(environ, "NUMBERS", ("json", "lenient")) == "lenient",
        )


def _delimiter(environ: Mapping[str, str]) -> str | None:
    text = text_setting(environ, "DELIMITER") or "auto"
    if text in DELIMITERS:
        return text
    if text.lower() not in _DELIMITER_WORDS:
        raise SettingsError(f"DELIMITER={text!r} is none of auto, comma, semicolon, tab, bar")
    return _DELIMITER_WORDS[text.lower()]


def _comment(environ: Mapping[str, str]) -> str | None:
    text = text_setting(environ, "COMMENT")
    if text is not None and (text[0] in ' \t"' or "\r" in text or "\n" in text):
        raise SettingsError(f"COMMENT={text!r} must not begin with a blank or a quote, nor hold a line end")
    return text


def _words(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A list of words as a line of CSV has them."""
    text = text_setting(environ, name)
    if text is None:
        return ()
    try:
        (words,) = csv.reader([text], strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        raise SettingsError(f"{name}={text!r} is not a list of words separated by commas") from None
    return tuple(words)


def _encoding(environ: Mapping[str, str]) -> str | None:
    name = text_setting(environ, "ENCODING")
    if name is None:
        return None
    try:
        codecs.getincrementaldecoder(name)("surrogateescape").decode(b"a,b\n", True)
    except (LookupError, ValueError, TypeError):
        raise SettingsError(f"ENCODING={name!r} is not a text encoding that Python knows, such as cp1252") from None
    return name
