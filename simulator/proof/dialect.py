"""How the files are written: the consumer's settings that decide what a row of an object is, as one value.

This is the proof's own reading of them. It follows docs/handlers.md, not the consumer's code, so that the two do not
share a mistake.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from simulator.base.errors import InputError
from simulator.base.zones import zone_names
from simulator.proof.columns import HEADER_COLUMNS, Columns, joins_itself
from simulator.proof.decoding import bad_encoding
from simulator.proof.failures import Unreadable
from simulator.proof.splitting import words

SKIPPED_LINES = 1_000_000
_DELIMITERS = {
    **{sign: sign for sign in ",;|\t"},
    "auto": None,
    "comma": ",",
    "semicolon": ";",
    "bar": "|",
    "pipe": "|",
    "tab": "\t",
    r"\t": "\t",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the settings say, each under its name; None where the object itself, or ISO 8601, decides."""

    ticker_column: str | None = None
    timestamp_column: str | None = None
    timestamp_format: str | None = None
    time_zone: str = "UTC"
    delimiter: str | None = None
    decimal_separator: str = "."
    skip_lines: int = 0
    comment: str | None = None
    column_names: tuple[str, ...] | None = None
    encoding: str | None = None
    null_values: frozenset[str] = frozenset()
    numbers: str = "json"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Dialect:
        """Read the consumer's variables. Raises `InputError`, naming the malformed one."""
        given = {name: text for name, text in environ.items() if text}
        timestamp_format = given.get("TIMESTAMP_FORMAT")
        if timestamp_format is not None and (reason := _bad_format(timestamp_format)) is not None:
            raise _malformed("TIMESTAMP_FORMAT", timestamp_format, reason)
        time_zone = given.get("TIME_ZONE", "UTC")
        if time_zone not in zone_names():
            raise _malformed("TIME_ZONE", time_zone, "not a time zone of the tz database, like America/New_York")
        encoding = given.get("ENCODING")
        if encoding is not None and (reason := bad_encoding(encoding)) is not None:
            raise _malformed("ENCODING", encoding, reason)
        keys = given.get("TICKER_COLUMN"), given.get("TIMESTAMP_COLUMN")
        if keys[1] is not None and joins_itself(keys[1]):
            raise _malformed("TIMESTAMP_COLUMN", keys[1], "a column joined with itself, not two like Date+Time")
        return cls(
            *keys,
            timestamp_format,
            time_zone,
            _delimiter(given),
            _one_of(given, "DECIMAL_SEPARATOR", ".", ","),
            _skip_lines(given),
            _comment(given),
            _column_names(given, *keys),
            encoding,
            frozenset(_words(given, "NULL_VALUES")) - {""},
            _one_of(given, "NUMBERS", "json", "lenient"),
        )

    @property
    def chosen(self) -> frozenset[str]:
        """The variables that differ from their defaults."""
        chosen = {field.name.upper() for field in fields(self) if getattr(self, field.name) != field.default}
        if self.encoding is not None and codecs.lookup(self.encoding).name == "utf-8":
            chosen.discard("ENCODING")
        return frozenset(chosen)


def _malformed(name: str, text: str, what: str) -> InputError:
    return InputError(f"the consumer's {name}={text!r} is {what}")


def _bad_format(timestamp_format: str) -> str | None:
    try:
        datetime.strptime("?", timestamp_format)  # noqa: DTZ007 - only the format is of interest
    except (ValueError, re.error, IndexError) as error:
        if not str(error).startswith(("time data", "unconverted data")):
            return f"not a strptime format: {error}"
    if not re.search("%[YyGcxDF]", timestamp_format.replace("%%", "")):
        return "a format without a year"
    return None


def _delimiter(given: Mapping[str, str]) -> str | None:
    text = given.get("DELIMITER", "auto")
    if text.lower() not in _DELIMITERS:
        raise _malformed("DELIMITER", text, "not a delimiter: auto, comma, semicolon, bar, tab, or the character")
    return _DELIMITERS[text.lower()]


def _one_of(given: Mapping[str, str], name: str, default: str, other: str) -> str:
    text = given.get(name, default)
    if text not in (default, other):
        raise _malformed(name, text, f"neither {default} nor {other}")
    return text


def _skip_lines(given: Mapping[str, str]) -> int:
    text = given.get("SKIP_LINES", "0")
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= SKIPPED_LINES:
        raise _malformed("SKIP_LINES", text, f"not a whole number from 0 to {SKIPPED_LINES:,}")
    return number


def _comment(given: Mapping[str, str]) -> str | None:
    text = given.get("COMMENT")
    if text is None:
        return None
    if text[0] in ' \t"' or "\n" in text or "\r" in text:
        raise _malformed("COMMENT", text, "not a comment mark: it begins with a blank or a quote, or has a line end")
    return text


def _words(given: Mapping[str, str], name: str) -> list[str]:
    text = given.get(name)
    if text is None:
        return []
    if (found := words(text)) is None:
        raise _malformed(name, text, 'not a list with commas, like: a,b,"c,d"')
    return found


def _column_names(given: Mapping[str, str], ticker: str | None, timestamp: str | None) -> tuple[str, ...] | None:
    """The names, which must be a valid header on their own: no object could be read with others."""
    names = _words(given, "COLUMN_NAMES")
    if not names:
        return None
    line = given["COLUMN_NAMES"]
    if len(names) > HEADER_COLUMNS:
        said = f"{len(names):,} names; at most {HEADER_COLUMNS:,} are read"
        raise _malformed("COLUMN_NAMES", f"{line[:40]}...", said)
    try:
        Columns(names, ticker, timestamp)
    except Unreadable as reason:
        raise _malformed("COLUMN_NAMES", line, f"not a header: {reason}") from None
    return tuple(names)
