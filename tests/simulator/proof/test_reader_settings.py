"""How the reader reads an object with the settings, and which of them it needed."""

from __future__ import annotations

import gzip
from contextlib import suppress

import pytest

from fakes.proof_records import Read, in_pieces, rows_of
from simulator.proof.dialect import Dialect
from simulator.proof.failures import Unreadable
from simulator.proof.reader import ObjectReader

HEADER = "ticker,date,n\n"
ROW = "A,2024-01-02,1\n"


def _used(body: bytes | str, environ: dict[str, str]) -> set[str]:
    reader = ObjectReader("stocks/a.csv", Dialect.from_environ(environ))
    with suppress(Unreadable):
        for _ in reader.feed(body if isinstance(body, bytes) else body.encode(), final=True):
            pass
    return reader.used


@pytest.mark.parametrize(
    ("body", "environ"),
    [
        (HEADER, {"TICKER_COLUMN": "Ticker"}),
        (HEADER, {"TIMESTAMP_COLUMN": "DATE"}),
        (ROW, {"COLUMN_NAMES": "ticker,date,n"}),
        ("Report\n" + HEADER, {"SKIP_LINES": "1"}),
        ("Report\n" + ROW, {"SKIP_LINES": "1", "COLUMN_NAMES": "ticker,date,n"}),
        (HEADER, {"DELIMITER": ","}),
        ("A;2024-01-02\n", {"DELIMITER": ";", "COLUMN_NAMES": "ticker,date"}),
        (HEADER + "A,02.01.2024,1\n", {"TIMESTAMP_FORMAT": "%d.%m.%Y"}),
        (HEADER + "A,2024-01-02 09:30,1\n", {"TIME_ZONE": "Asia/Tokyo"}),
        ("ticker;date;n\nA;2024-01-02;1,5\n", {"DECIMAL_SEPARATOR": ","}),
        ("ticker;date;n\nA;2024-01-02;1.500\n", {"DECIMAL_SEPARATOR": ",", "NUMBERS": "lenient"}),
        (HEADER + "A,2024-01-02,+1\n", {"NUMBERS": "lenient"}),
        (HEADER + "A,2024-01-02,+1e999\n", {"NUMBERS": "lenient"}),
        (HEADER + "A,soon,+1\n", {"NUMBERS": "lenient"}),
        (HEADER + "A,2024-03-31 02:30,1\n", {"TIME_ZONE": "Europe/Berlin"}),
        (HEADER + "A,2024-01-02, - \n", {"NULL_VALUES": "-"}),
        (HEADER + '"A\n",2024-01-02,-\n', {"NULL_VALUES": "-"}),
        ("#\n" + HEADER, {"COMMENT": "#"}),
        (HEADER + ROW + " #", {"COMMENT": "#"}),
        ((HEADER + "A,2024-01-02,é\n").encode("cp1252"), {"ENCODING": "cp1252"}),
        ((HEADER + ROW).encode("utf-16-le"), {"ENCODING": "utf-16-le"}),
    ],
)
def test_a_setting_that_made_a_difference_is_used(body: bytes | str, environ: dict[str, str]) -> None:
    """With it, a header or a first row was found, or a line, a cell or a character read."""
    assert _used(body, environ) == environ.keys()


@pytest.mark.parametrize(
    ("body", "environ"),
    [
        ("Report\n", {"SKIP_LINES": "1", "TICKER_COLUMN": "a", "TIMESTAMP_COLUMN": "b"}),
        ("", {"COLUMN_NAMES": "ticker,date,n"}),
        ("sep=,\n" + HEADER, {"DELIMITER": ","}),
        ("date\n2024-01-02\n", {"DELIMITER": ","}),
        (HEADER + ROW, {"TIMESTAMP_FORMAT": "%d.%m.%Y", "TIME_ZONE": "Asia/Tokyo"}),
        (HEADER + "A,2024-01-02 09:30Z,1\n", {"TIME_ZONE": "Asia/Tokyo"}),
        ("ticker;date;n\nA;2024-01-02;1\nA;2024-01-03;1.5\n", {"DECIMAL_SEPARATOR": ","}),
        (HEADER + ROW + "A,2024-01-03,1.5e3\n", {"NUMBERS": "lenient"}),
        ("ticker,date,-\n" + ROW + '"-",2024-01-02,--\n', {"NULL_VALUES": "-"}),
        (HEADER + '"A,2024-01-02,-\n', {"NULL_VALUES": "-"}),
        (HEADER + '"#\n#",2024-01-02,#\n', {"COMMENT": "#"}),
        (HEADER + ROW, {"ENCODING": "cp1252"}),
        (HEADER + "A,2024-01-02,é\n", {"ENCODING": "UTF-8", "TIME_ZONE": "UTC", "NUMBERS": "json"}),
    ],
)
def test_a_setting_that_made_none_is_not(body: str, environ: dict[str, str]) -> None:
    """Nor is one that has its default value."""
    assert _used(body, environ) == set()


def test_a_broken_line_needs_no_delimiter() -> None:
    """If the settings have the names and a broken record comes first, no delimiter was needed."""
    assert _used('"A"x;2024-01-02\n', {"DELIMITER": ";", "COLUMN_NAMES": "ticker,date"}) == {"COLUMN_NAMES"}


@pytest.mark.parametrize("size", [1, 2, 7, 65_536])
def test_an_object_of_another_dialect_is_read_as_the_settings_say(size: int) -> None:
    """All of them apply at once, wherever it is cut: to rows, rejected rows as read, and their lines."""
    body = (
        'Kurse vom "Montag\r\n'
        "* erstellt von Hand\r\n"
        "\r\n"
        '"A, B" ; 02.01.2024 ; 09:30 ; 1.234,50 ; k.A. ; größer \r'
        " * k.A.\n"
        'C;02.01.2024;9:30;-,5;"k.A.";"x\r\n* y"\n'
        "C;31.03.2024;02:30;1;k.A.;\n"
        '"C"x;02.01.2024;10:30;1;2;3'
    )
    environ = {
        "SKIP_LINES": "1",
        "COMMENT": "* ",
        "COLUMN_NAMES": "ticker,day,hour,price,note,text",
        "TIMESTAMP_COLUMN": "day+hour",
        "TIMESTAMP_FORMAT": "%d.%m.%Y %H:%M",
        "TIME_ZONE": "Europe/Berlin",
        "DECIMAL_SEPARATOR": ",",
        "NUMBERS": "lenient",
        "NULL_VALUES": "k.A.",
        "ENCODING": "cp1252",
    }
    reader = rows_of(in_pieces(body.encode("cp1252"), size), dialect=Dialect.from_environ(environ))
    price, note, text = '"price":{"N":"%s"}', '"note":{"S":"k.A."}', '"text":{"S":"%s"}'
    assert reader == Read(
        stored=[
            ("A, B", "2024-01-02T08:30:00.000000Z", 4, ",".join([price % "1234.5", text % r"gr\u00f6\u00dfer"])),
            ("C", "2024-01-02T08:30:00.000000Z", 6, ",".join([note, price % "-0.5", text % r"x\r\n* y"])),
        ],
        rejected=[
            (8, ("C", "31.03.2024", "02:30", "1", "", "")),
            (9, ('"C"x;02.01.2024;10:30;1;2;3',)),
        ],
    )


@pytest.mark.parametrize("size", [1, 65_536])
def test_a_row_in_the_first_bytes_of_a_damaged_object_is_read(size: int) -> None:
    """They are kept to recognise a format."""
    body = gzip.compress(b"20240102\n", mtime=0)[:-1]
    dialect = Dialect.from_environ({"COLUMN_NAMES": "date"})
    found = rows_of(in_pieces(body, size), dialect=dialect)
    assert found == Read(stored=[("A", "2024-01-02", 1, "")], unreadable="the gzip stream ends early")


@pytest.mark.parametrize("body", [b"", b"\n \n", b"# a\n"])
def test_names_from_a_setting_do_not_make_an_object_of_nothing(body: bytes) -> None:
    """An object without a record is unreadable, wherever its names come from."""
    dialect = Dialect.from_environ({"COLUMN_NAMES": "ticker,date", "COMMENT": "#"})
    assert rows_of([body], dialect=dialect) == Read(unreadable="no header: the object is empty")
