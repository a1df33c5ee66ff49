"""The consumer's settings, as the proof reads them."""

from __future__ import annotations

import pytest

from simulator.base.errors import InputError
from simulator.proof.dialect import Dialect


@pytest.mark.parametrize(
    ("environ", "dialect"),
    [
        ({}, Dialect()),
        (dict.fromkeys(["TABLE_NAME", "TICKER_COLUMN", "TIME_ZONE", "COLUMN_NAMES", "SKIP_LINES"], ""), Dialect()),
        (
            dict.fromkeys(["DELIMITER", "DECIMAL_SEPARATOR", "COMMENT", "ENCODING", "NULL_VALUES", "NUMBERS"], ""),
            Dialect(),
        ),
        ({"TICKER_COLUMN": "Who "}, Dialect(ticker_column="Who ")),
        ({"TIMESTAMP_COLUMN": "When"}, Dialect(timestamp_column="When")),
        ({"TIMESTAMP_COLUMN": "Date+Time"}, Dialect(timestamp_column="Date+Time")),
        ({"TIMESTAMP_COLUMN": "+"}, Dialect(timestamp_column="+")),
        ({"TIMESTAMP_FORMAT": "%b %d %Y"}, Dialect(timestamp_format="%b %d %Y")),
        ({"TIMESTAMP_FORMAT": "%y?"}, Dialect(timestamp_format="%y?")),
        ({"TIMESTAMP_FORMAT": "100%% %G-%V-%u"}, Dialect(timestamp_format="100%% %G-%V-%u")),
        ({"TIME_ZONE": "Europe/Berlin"}, Dialect(time_zone="Europe/Berlin")),
        ({"TIME_ZONE": "UTC"}, Dialect()),
        *(({"DELIMITER": text}, Dialect(delimiter=",")) for text in (",", "comma", "COMMA")),
        *(({"DELIMITER": text}, Dialect(delimiter=";")) for text in (";", "Semicolon")),
        *(({"DELIMITER": text}, Dialect(delimiter="|")) for text in ("|", "bar", "Pipe")),
        *(({"DELIMITER": text}, Dialect(delimiter="\t")) for text in ("\t", r"\t", "TAB")),
        *(({"DELIMITER": text}, Dialect()) for text in ("auto", "Auto")),
        ({"DECIMAL_SEPARATOR": ","}, Dialect(decimal_separator=",")),
        ({"DECIMAL_SEPARATOR": "."}, Dialect()),
        ({"SKIP_LINES": "0"}, Dialect()),
        ({"SKIP_LINES": "1000000"}, Dialect(skip_lines=1_000_000)),
        ({"COMMENT": "# \t"}, Dialect(comment="# \t")),
        ({"COLUMN_NAMES": 'date, n ,"a,""b"" ", "c\nd" '}, Dialect(column_names=("date", "n", 'a,"b" ', "c\nd"))),
        ({"COLUMN_NAMES": ",n"}, Dialect(column_names=("", "n"))),
        ({"COLUMN_NAMES": "a,b", "TIMESTAMP_COLUMN": "B+A"}, Dialect(timestamp_column="B+A", column_names=("a", "b"))),
        ({"ENCODING": "cp1252"}, Dialect(encoding="cp1252")),
        ({"NULL_VALUES": '-, N/A ,,"a,b"," x "'}, Dialect(null_values=frozenset({"-", "N/A", "a,b", " x "}))),
        ({"NULL_VALUES": ","}, Dialect()),
        ({"NUMBERS": "lenient"}, Dialect(numbers="lenient")),
        ({"NUMBERS": "json"}, Dialect()),
    ],
)
def test_the_consumers_variables_say_how_files_are_written(environ: dict[str, str], dialect: Dialect) -> None:
    """What is unset or empty is left to the object, and to ISO 8601."""
    assert Dialect.from_environ(environ) == dialect


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("TIMESTAMP_FORMAT", ["%Q", "%", "%Y %", "%Y %Y", "%d%", "%Z %Z", "%H:%M", "%%Y %d", "?"]),
        ("TIMESTAMP_COLUMN", ["a+a", " Date + <date> "]),
        ("TIME_ZONE", ["utc", "Europe", "Europe/berlin", "../zones", "zone.tab", "localtime", "CST6CDT\0"]),
        ("DELIMITER", ["x", ",,", " ", '"', "\n", "colon"]),
        ("DECIMAL_SEPARATOR", ["point", "comma", ";", " ,"]),
        ("SKIP_LINES", ["-1", "1000001", "x", "1.5", "9" * 5_000]),
        ("COMMENT", [" #", "\t#", '"', "#\n", "a\rb"]),
        ("COLUMN_NAMES", ["a,b", "ticker", "date,Date", "date,a b,A_B", '"date', '"date"x', "date,n\n", "date,\udcff"]),
        ("ENCODING", ["nonsense", "hex", "rot13", "undefined", "idna", "punycode", "unicode_escape", "a\0", "\ud800"]),
        ("NULL_VALUES", ['"x', '"x"y', "a\nb"]),
        ("NUMBERS", ["JSON", "strict"]),
    ],
)
def test_what_is_malformed_is_refused_in_one_line(name: str, texts: list[str]) -> None:
    """The line names the variable and its value, whatever kind of mistake it is."""
    for text in texts:
        with pytest.raises(InputError) as refusal:
            Dialect.from_environ({name: text})
        said = str(refusal.value)
        assert said.startswith(f"the consumer's {name}={text!r} is ")
        assert "\n" not in said


@pytest.mark.parametrize("names", [16_384, 16_385])
def test_as_many_names_as_a_header_may_have(names: int) -> None:
    """One more is refused, in a line that does not list them all."""
    environ = {"COLUMN_NAMES": ",".join(["date", *(f"c{number}" for number in range(names - 1))])}
    if names == 16_384:
        assert len(Dialect.from_environ(environ).column_names or ()) == names
    else:
        with pytest.raises(InputError, match=r"is 16,385 names; at most 16,384 are read") as refusal:
            Dialect.from_environ(environ)
        assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, set()),
        ({"TIME_ZONE": "UTC", "DELIMITER": "auto", "SKIP_LINES": "0", "NUMBERS": "json", "NULL_VALUES": ","}, set()),
        ({"ENCODING": "UTF8", "DECIMAL_SEPARATOR": "."}, set()),
        ({"TIME_ZONE": "Etc/UTC", "DELIMITER": ",", "SKIP_LINES": "1"}, {"TIME_ZONE", "DELIMITER", "SKIP_LINES"}),
        ({"ENCODING": "utf-8-sig", "DECIMAL_SEPARATOR": ","}, {"ENCODING", "DECIMAL_SEPARATOR"}),
        ({"NUMBERS": "lenient", "NULL_VALUES": "-", "COMMENT": "#"}, {"NUMBERS", "NULL_VALUES", "COMMENT"}),
        ({"TICKER_COLUMN": "a", "TIMESTAMP_COLUMN": "b"}, {"TICKER_COLUMN", "TIMESTAMP_COLUMN"}),
        ({"TIMESTAMP_FORMAT": "%Y", "COLUMN_NAMES": "date"}, {"TIMESTAMP_FORMAT", "COLUMN_NAMES"}),
    ],
)
def test_a_default_that_is_written_out_is_not_chosen(environ: dict[str, str], chosen: set[str]) -> None:
    """Only variables that differ from their defaults count."""
    assert Dialect.from_environ(environ).chosen == chosen
