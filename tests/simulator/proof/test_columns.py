"""What a header's names mean: which columns are the key, and what the others are called."""

from __future__ import annotations

import pytest

from fakes.proof_records import SLICE, Read, keys_of, read
from simulator.proof.columns import HEADER_COLUMNS, NAME_BYTES, Columns, KeyColumns, joins_itself
from simulator.proof.dialect import Dialect
from simulator.proof.failures import Unreadable


@pytest.mark.parametrize(
    ("header", "dialect", "keys"),
    [
        ("ticker,timestamp", Dialect(), KeyColumns("ticker", "timestamp")),
        ('" Symbol ", DATE ', Dialect(), KeyColumns(" Symbol ", "DATE")),
        ("symbol,ticker,time,date,datetime,timestamp", Dialect(), KeyColumns("ticker", "timestamp")),
        ("symbol,time,date,datetime", Dialect(), KeyColumns("symbol", "datetime")),
        ("symbol,time,x,DATE", Dialect(), KeyColumns("symbol", "DATE+time")),
        ("<TICKER>,<DATE>,<TIME>", Dialect(), KeyColumns("<TICKER>", "<DATE>+<TIME>")),
        ("<date>,date,<ticker>,symbol", Dialect(), KeyColumns("<ticker>", "date")),
        ("symbol,time", Dialect(), KeyColumns("symbol", "time")),
        ("date,price", Dialect(), KeyColumns(None, "date")),
        (",price", Dialect(), KeyColumns(None, "")),
        ('" ",price', Dialect(), KeyColumns(None, " ")),
        ('"two\nlines",date', Dialect(), KeyColumns(None, "date")),
        ("who,when,ticker,date", Dialect("Who", " WHEN "), KeyColumns("who", "when")),
        ("who,date,ticker", Dialect("who"), KeyColumns("who", "date")),
        ("ticker,date,when", Dialect(None, "when"), KeyColumns("ticker", "when")),
        ("ticker,day,hour", Dialect(None, "Day + Hour"), KeyColumns("ticker", "day+hour")),
        ("ticker,a+b,a,b", Dialect(None, "a+b"), KeyColumns("ticker", "a+b")),
        ("ticker,a+b,c", Dialect(None, "a+b+c"), KeyColumns("ticker", "a+b+c")),
        ("ticker,a,b+c", Dialect(None, "a+b+c"), KeyColumns("ticker", "a+b+c")),
        ("ticker,<when>", Dialect("<Ticker>", "when"), KeyColumns("ticker", "<when>")),
        (",date", Dialect(" "), KeyColumns("", "date")),
        ("ticker,date", Dialect("date", "ticker"), KeyColumns("date", "ticker")),
    ],
)
def test_the_header_and_the_settings_say_where_the_keys_are(header: str, dialect: Dialect, keys: KeyColumns) -> None:
    """It is a setting's column, else the usual names in order, else the file's name and an unnamed first column."""
    assert keys_of(header, dialect) == keys


@pytest.mark.parametrize(
    ("header", "dialect", "reason"),
    [
        ("", Dialect(), "no header: the object is empty"),
        ("\n\n\r\n", Dialect(), "no header: the object is empty"),
        ('"a"b,date', Dialect(), "no header: its first line is broken"),
        ('"date', Dialect(), "no header: its first line is broken"),
        ("date,a\0", Dialect(), "the header is not text"),
        ("date,a\udcff", Dialect(), "the header is not text"),
        ("ticker,price", Dialect(), "no timestamp column in the header 'ticker,price'"),
        ("price,", Dialect(), "no timestamp column in the header 'price,'"),
        ('{"a": 1}', Dialect(), "no timestamp column in the header '{\"a\": 1}'; it looks like JSON"),
        ("[1", Dialect(), "no timestamp column in the header '[1'; it looks like JSON"),
        ("<HTML>", Dialect(), "no timestamp column in the header '<HTML>'; it looks like a web page or XML"),
        ("ticker,a+b,b,+a", Dialect(None, "a+b++a+b"), "TIMESTAMP_COLUMN 'a+b++a+b' is not in the header"),
        ("ticker,,b", Dialect(None, "+"), "TIMESTAMP_COLUMN '+' joins the column '' with itself"),
        ("ticker,a,b", Dialect(None, "a+c"), "TIMESTAMP_COLUMN 'a+c' is not in the header"),
        ("a,b", Dialect("b", "a+b"), "the column 'b' cannot be both ticker and timestamp"),
        ("date,time,Time", Dialect(), "the header has a column twice"),
        ("ticker,date", Dialect("instrument"), "TICKER_COLUMN 'instrument' is not in the header"),
        ("ticker,date", Dialect(None, "when"), "TIMESTAMP_COLUMN 'when' is not in the header"),
        ("ticker,date", Dialect(" "), "TICKER_COLUMN ' ' is not in the header"),
        ("date,n", Dialect("date"), "the column 'date' cannot be both ticker and timestamp"),
        ("ticker,n", Dialect(None, "ticker"), "the column 'ticker' cannot be both ticker and timestamp"),
        ("date,N,n", Dialect(), "the header has a column twice"),
        ("date,a b,A_B", Dialect(), "the header has a column twice"),
        ("date,Date", Dialect(), "the header has a column twice"),
        ("date,column_3,", Dialect(), "the header has a column twice"),
    ],
)
@pytest.mark.parametrize("size", [1, SLICE])
def test_a_header_that_makes_no_sense_makes_the_object_unreadable(
    header: str, dialect: Dialect, reason: str, size: int
) -> None:
    """Nothing of it is read, and no later line is taken as the header."""
    assert read(f"{header}\ndate,n\n2024-01-02,1\n" if header.strip() else header, "a.csv", dialect, size) == Read(
        unreadable=reason
    )


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_header_has_as_many_columns_as_a_spreadsheet(beyond: int) -> None:
    """The limit is 16,384; one more makes the object unreadable."""
    header = ",".join(["date", *(f"c{number}" for number in range(HEADER_COLUMNS - 1 + beyond))])
    found = read(f"{header}\n2024-01-02{',1' * (HEADER_COLUMNS - 1 + beyond)}\n")
    assert HEADER_COLUMNS == 16_384
    if beyond:
        assert found == Read(unreadable="a header of 16,385 columns; at most 16,384 are read")
    else:
        assert [(pk, line, len(content.split(","))) for pk, _, line, content in found.stored] == [("A", 2, 16_383)]


@pytest.mark.parametrize(("letter", "beyond"), [("x", 0), ("x", 1), ("é", 0), ("é", 1)])
def test_a_columns_name_has_as_many_bytes_as_dynamodb_takes(letter: str, beyond: int) -> None:
    """The limit is 65,535 in UTF-8; the key's own columns count as well."""
    name = (letter * NAME_BYTES)[: NAME_BYTES // len(letter.encode())] + "x" * (NAME_BYTES % len(letter.encode()))
    assert len(name.encode()) == NAME_BYTES == 65_535
    found = read(f"date,{name}{'x' * beyond}\n2024-01-02,1\n")
    assert found.unreadable == ("a column's name is too long for DynamoDB" if beyond else None)
    assert len(found.stored) == 1 - beyond


@pytest.mark.parametrize(
    ("timestamp_column", "joins"),
    [
        ("Date+Time", False),
        ("date", False),
        ("+", False),
        ("a+", False),
        ("+a", False),
        ("Date+ <date> ", True),
        ("a+A", True),
        ("a+a+a", False),
        ("<a>+a", True),
        ("<>+<>", False),
    ],
)
def test_a_setting_may_join_a_column_with_itself(timestamp_column: str, joins: bool) -> None:
    """It holds whatever the header is; nothing joined with nothing is a name."""
    assert joins_itself(timestamp_column) == joins


@pytest.mark.parametrize("length", [199, 200, 300])
def test_a_header_is_shown_up_to_a_length(length: int) -> None:
    """It is shown in the reason why it has no timestamp."""
    with pytest.raises(Unreadable) as refused:
        Columns(["x" * (length - 2), "y"])
    assert str(refused.value) == f"no timestamp column in the header {('x' * (length - 2) + ',y')[:200]!r}"


@pytest.mark.parametrize("name", ["date>", "<date", "xdate>", "<datex", "<", ">", "<<date>>"])
def test_only_a_pair_of_brackets_is_left_out(name: str) -> None:
    """A single one, or another sign, makes another name."""
    with pytest.raises(Unreadable, match="no timestamp column in the header"):
        Columns([name, "n"])
    assert Columns([name, "<date>"]).timestamp_at == (1,)
    assert Columns(["n", name, "time"], None, name).timestamp_at == (1,)


def test_places_and_attributes() -> None:
    """Positions are counted from zero; a name without a letter is its position, counted from one."""
    columns = Columns(["Open Price", " ", "Date", "", "<X>"])
    assert (columns.ticker_at, columns.timestamp_at) == (None, (2,))
    assert columns.attributes == ["open_price", "column_2", "date", "column_4", "<x>"]
    columns = Columns(["time", "symbol", "date"])
    assert (columns.ticker_at, columns.timestamp_at, columns.keys) == (1, (2, 0), KeyColumns("symbol", "date+time"))
