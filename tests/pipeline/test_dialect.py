"""The settings that say how files are written: what each accepts, and how a malformed one is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dialect import CsvDialect
from pipeline.settings import SettingsError

SETTINGS = [
    *("TICKER_COLUMN", "TIMESTAMP_COLUMN", "TIMESTAMP_FORMAT", "TIME_ZONE", "DELIMITER", "DECIMAL_SEPARATOR"),
    *("SKIP_LINES", "COMMENT", "COLUMN_NAMES", "ENCODING", "NULL_VALUES", "NUMBERS"),
]

MOST = ("date", *(f"c{i}" for i in range(16_383)))


def test_nothing_is_set_unless_it_is():
    """Empty values count as unset."""
    assert CsvDialect.from_environ({}) == CsvDialect.from_environ(dict.fromkeys(SETTINGS, "")) == CsvDialect()


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("DELIMITER", "auto", "delimiter", None),
        ("DELIMITER", "TAB", "delimiter", "\t"),
        ("DELIMITER", "\t", "delimiter", "\t"),
        ("DELIMITER", r"\t", "delimiter", "\t"),
        ("DELIMITER", r"\T", "delimiter", "\t"),
        ("DELIMITER", "Bar", "delimiter", "|"),
        ("TIME_ZONE", "America/New_York", "time_zone", "America/New_York"),
        ("TIME_ZONE", "UTC", "time_zone", "UTC"),
        ("SKIP_LINES", "0", "skip_lines", 0),
        ("SKIP_LINES", "1000000", "skip_lines", 1_000_000),
        ("COMMENT", "# ", "comment", "# "),
        ("COLUMN_NAMES", ' date ,"a, b",\t"c""d"', "column_names", ("date", "a, b", 'c"d')),
        ("COLUMN_NAMES", ",".join(MOST), "column_names", MOST),
        ("COLUMN_NAMES", '" date",', "column_names", (" date", "")),
        ("ENCODING", "CP1252", "encoding", "CP1252"),
        ("ENCODING", "utf-16-le", "encoding", "utf-16-le"),
        ("NULL_VALUES", 'NA, null ,,""', "null_values", frozenset({"NA", "null"})),
        ("NUMBERS", "lenient", "lenient_numbers", True),
        ("NUMBERS", "json", "lenient_numbers", False),
        ("TIMESTAMP_COLUMN", "Date+Time", "timestamp_column", "Date+Time"),
        ("TIMESTAMP_COLUMN", "+", "timestamp_column", "+"),
        ("TIMESTAMP_FORMAT", "%d.%m.%Y %Z", "timestamp_format", "%d.%m.%Y %Z"),
    ],
)
def test_what_a_setting_says(name, value, field, expected):
    """It covers both ends of each range, and each way to write the same value."""
    assert getattr(CsvDialect.from_environ({name: value}), field) == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TIME_ZONE", "America/NewYork", "is not a time zone; the nearest is 'America/New_York'"),
        ("TIME_ZONE", "europe/berlin", "is not a time zone; the nearest is 'Europe/Berlin'"),
        ("TIME_ZONE", "../zones", "is not a time zone"),
        ("TIME_ZONE", "nowhere", "is not a time zone; a name is such as 'America/New_York'"),
        ("TIME_ZONE", "\0", "is not a time zone"),
        ("TIME_ZONE", "x" * 100_000, "is not a time zone"),
        ("DELIMITER", "::", "is not one of auto, comma"),
        ("DELIMITER", ":", "is not one of auto, comma"),
        ("DECIMAL_SEPARATOR", "comma", "is not one of ., ,"),
        ("SKIP_LINES", "-1", "is not between 0 and 1000000"),
        ("SKIP_LINES", "1000001", "is not between 0 and 1000000"),
        ("COMMENT", " #", "must not begin with a blank or a quote"),
        ("COMMENT", "\t#", "must not begin with a blank or a quote"),
        ("COMMENT", '"', "must not begin with a blank or a quote"),
        ("COMMENT", "#\r", "nor hold a line end"),
        ("COMMENT", "#\n", "nor hold a line end"),
        ("COLUMN_NAMES", "date,\udcff", "COLUMN_NAMES is not text in UTF-8"),
        ("COLUMN_NAMES", "date,a\0", "COLUMN_NAMES is not text in UTF-8"),
        ("COLUMN_NAMES", 'date,"n', "is not a list of words"),
        ("COLUMN_NAMES", 'date,"n"x', "is not a list of words"),
        ("COLUMN_NAMES", "date\nn", "is not a list of words"),
        ("COLUMN_NAMES", "date,a b,A_B", "the header has the column 'a_b' twice".replace("the header", "it")),
        ("COLUMN_NAMES", "when,n", "no timestamp column in the header 'when,n'"),
        ("COLUMN_NAMES", ",".join(["date", *(f"c{i}" for i in range(16_384))]), "has 16385 names; at most 16384"),
        ("NULL_VALUES", '"', "is not a list of words"),
        ("NUMBERS", "Lenient", "is not one of json, lenient"),
        ("TIMESTAMP_COLUMN", "Date+ <date> ", "joins a column with itself"),
        ("TIMESTAMP_FORMAT", "%Q", "is not a strptime format"),
        ("TIMESTAMP_FORMAT", "%H:%M", "has no year, so every time would be in 1900"),
        *(
            ("ENCODING", name, "is not a text encoding")
            for name in ("hex", "rot13", "base64", "zip", "cp99", "a\0b", "..", "unicode_escape", "Raw-Unicode-Escape")
        ),
        *(("ENCODING", name, "can decode arbitrary bytes") for name in ("idna", "punycode", "undefined")),
    ],
)
def test_a_malformed_setting_is_named(name, value, message):
    """One line says what would be valid."""
    with pytest.raises(SettingsError) as refused:
        CsvDialect.from_environ({name: value})
    assert str(refused.value).startswith(name)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_names_must_hold_the_columns_that_the_settings_name():
    """So a function with other names does not start."""
    names = {"COLUMN_NAMES": "paper,day,clock,n"}
    with pytest.raises(
        SettingsError, match="'Papre' is not among the columns paper,day,clock,n; the nearest is 'paper'"
    ):
        CsvDialect.from_environ(names | {"TICKER_COLUMN": "Papre", "TIMESTAMP_COLUMN": "day+clock"})
    with pytest.raises(SettingsError, match="the nearest is 'day\\+clock'"):
        CsvDialect.from_environ(names | {"TIMESTAMP_COLUMN": "day+clok"})
    assert CsvDialect.from_environ(names | {"TIMESTAMP_COLUMN": "day+clock"}).column_names == (
        "paper",
        "day",
        "clock",
        "n",
    )


@given(
    name=st.sampled_from(SETTINGS), value=st.text(max_size=20) | st.from_regex(r"[a-z0-9_.+/-]{1,12}", fullmatch=True)
)
def test_no_setting_ends_in_a_traceback(name, value):
    """It holds for any text, including surrogates and NUL."""
    try:
        CsvDialect.from_environ({name: value})
    except SettingsError as error:
        reason = str(error)
    else:
        reason = name
    assert reason.startswith(name)
