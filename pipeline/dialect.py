"""How files are written: the settings that decide what a row of an object is, checked, as one value. No I/O.

docs/handlers.md, "Which rows are stored", says what each setting means; `rows.py` and `values.py` apply them to headers
and cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.decoding import ObjectUnreadable, encoding_problem
from pipeline.fields import fields_of
from pipeline.header import MAX_COLUMNS, SURROGATES, attribute_names, bare_name, key_columns
from pipeline.settings import SettingsError, choice_setting, integer_setting, text_setting
from pipeline.timestamps import bad_strptime_format
from pipeline.values import shown
from pipeline.zones import nearest_zone_name, zone_names

DELIMITERS = (",", ";", "\t", "|")
"""The delimiters that `DELIMITER` accepts by name, and that are looked for in a header."""
MAX_SKIP_LINES = 1_000_000
_QUOTED = re.compile(r'(?:^|,)[ \t]*"(?:[^"]|"")*"')
_LINE_END = re.compile(r"[\r\n]")
_DELIMITER_WORDS = {"auto": None, "comma": ",", "semicolon": ";", "tab": "\t", r"\t": "\t", "bar": "|", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """What the settings say about the files; None where each file decides."""

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
        """Read the function's variables. Raises `SettingsError`, naming the malformed one."""
        timestamp_format = text_setting(environ, "TIMESTAMP_FORMAT")
        if timestamp_format is not None and (reason := bad_strptime_format(timestamp_format)):
            raise SettingsError(f"TIMESTAMP_FORMAT={timestamp_format!r} {reason}")
        ticker_column, timestamp_column = text_setting(environ, "TICKER_COLUMN"), _timestamp_column(environ)
        return cls(
            ticker_column,
            timestamp_column,
            timestamp_format,
            _time_zone(environ),
            _delimiter(environ),
            choice_setting(environ, "DECIMAL_SEPARATOR", (".", ",")),
            integer_setting(environ, "SKIP_LINES", 0, 0, MAX_SKIP_LINES),
            _comment(environ),
            _column_names(environ, ticker_column, timestamp_column),
            _encoding(environ),
            frozenset(_words(environ, "NULL_VALUES")) - {""},
            choice_setting(environ, "NUMBERS", ("json", "lenient")) == "lenient",
        )


def _delimiter(environ: Mapping[str, str]) -> str | None:
    text = text_setting(environ, "DELIMITER") or "auto"
    if text in DELIMITERS:
        return text
    if text.lower() not in _DELIMITER_WORDS:
        raise SettingsError(f"DELIMITER={text!r} is not one of auto, comma, semicolon, tab, bar")
    return _DELIMITER_WORDS[text.lower()]


def _comment(environ: Mapping[str, str]) -> str | None:
    text = text_setting(environ, "COMMENT")
    if text is not None and (text[0] in ' \t"' or "\r" in text or "\n" in text):
        raise SettingsError(f"COMMENT={text!r} must not begin with a blank or a quote, nor hold a line end")
    return text


def _timestamp_column(environ: Mapping[str, str]) -> str | None:
    text = text_setting(environ, "TIMESTAMP_COLUMN")
    if text is not None and text.count("+") == 1:
        first, second = map(bare_name, text.split("+"))
        if first and first == second:
            raise SettingsError(f"TIMESTAMP_COLUMN={text!r} joins a column with itself; name two, such as Date+Time")
    return text


def _time_zone(environ: Mapping[str, str]) -> str | None:
    name = text_setting(environ, "TIME_ZONE")
    if name is not None and name not in zone_names():
        nearest = nearest_zone_name(name)
        help_text = "a name is such as 'America/New_York'" if nearest is None else f"the nearest is {nearest!r}"
        raise SettingsError(f"TIME_ZONE={name!r} is not a time zone; {help_text}")
    return name


def _column_names(environ: Mapping[str, str], ticker: str | None, timestamp: str | None) -> tuple[str, ...] | None:
    names = _words(environ, "COLUMN_NAMES")
    if not names:
        return None
    if len(names) > MAX_COLUMNS:
        raise SettingsError(f"COLUMN_NAMES has {len(names)} names; at most {MAX_COLUMNS} columns are read")
    if SURROGATES.search("".join(names)) or any("\0" in name for name in names):
        raise SettingsError("COLUMN_NAMES is not text in UTF-8")
    try:
        attribute_names(names)
        key_columns(names, ticker, timestamp)
    except ObjectUnreadable as error:
        reason = str(error).replace("the header", "it") if error.setting is None else str(error)
        raise SettingsError(f"COLUMN_NAMES={shown(','.join(names), 120)} does not do as a header: {reason}") from None
    return names


def _words(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A list of words, read like a line of CSV: words without quotes lose surrounding blanks."""
    text = text_setting(environ, name)
    if text is None:
        return ()
    fields = fields_of(",")
    if fields.problem(text) or _LINE_END.search(_QUOTED.sub("", text)):
        raise SettingsError(f"{name}={shown(text, 120)} is not a list of words, quoted or not, separated by commas")
    return tuple(fields.split(text, emptied=False))


def _encoding(environ: Mapping[str, str]) -> str | None:
    name = text_setting(environ, "ENCODING")
    if name is not None and (problem := encoding_problem(name)):
        raise SettingsError(f"ENCODING={name!r} {problem}")
    return name
