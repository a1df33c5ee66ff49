"""What DynamoDB can and cannot hold: both sides of each limit, by rows and by columns."""

from __future__ import annotations

import pytest

from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader, Items
from pipeline.rows import ObjectUnreadable, RowReader, Schema
from pipeline.settings import SettingsError

KB = 1024


def reasons(body: str, key: str = "stocks/x.csv") -> list[str]:
    """Why rows of this object were rejected; both readers agree."""
    by_rows, by_columns = RowReader(key, CsvDialect()), ItemReader(key, CsvDialect())
    rows = [*by_rows.feed(body.encode()), *by_rows.feed(b"", final=True)]
    blocks = [*by_columns.feed(body.encode()), *by_columns.feed(b"", final=True)]
    found = [getattr(row, "reason", None) for row in rows]
    stored = sum(len(block.keys) for block in blocks if isinstance(block, Items))
    assert sorted(block.reason for block in blocks if not isinstance(block, Items)) == sorted(filter(None, found))
    assert stored == found.count(None)
    return [reason for reason in found if reason]


@pytest.mark.parametrize(
    ("ticker", "reason"),
    [
        ("x" * 512, None),
        ("x" * 513, None),
        ("x" * 2048, None),
        ("x" * 2049, "a ticker of more than 2048 bytes"),
        ("é" * 1024, None),
        ("é" * 1024 + "x", "a ticker of more than 2048 bytes"),
    ],
)
def test_a_ticker_has_at_most_2048_bytes(ticker, reason):
    """The limit counts bytes, not characters (DynamoDB: partition keys)."""
    assert reasons(f"ticker,date,a\n{ticker},2026-01-01,1\n") == ([reason] if reason else [])


@pytest.mark.parametrize(("spare", "rejected"), [(0, False), (-1, True)])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_an_item_has_at_most_400_kb(letter, spare, rejected):
    """Names and values count in UTF-8: PK, SK, their values, the column's name and its text."""
    fixed = len("PK" + "A" + "SK" + "2026-01-01" + "note" + "n") + 21
    size = 400 * KB - fixed - spare
    text = letter * (size // len(letter.encode())) + "x" * (size % len(letter.encode()))
    number = "1" * 38
    found = reasons(f"ticker,date,note,n\nA,2026-01-01,{text},{number}\nA,2026-01-02,,1\n")
    assert found == (["an item of 409601 bytes; DynamoDB holds 409600"] if rejected else [])


@pytest.mark.parametrize(("length", "readable"), [(65_535, True), (65_536, False)])
def test_a_column_name_has_at_most_65535_bytes(length, readable):
    """A longer one makes the object unreadable, because no row of it could be stored."""
    body = f"ticker,date,{'n' * length}\nA,2026-01-01,1\n"
    if readable:
        assert reasons(body) == []
    else:
        with pytest.raises(ObjectUnreadable, match="a column name of more than 65535 bytes"):
            reasons(body)


@pytest.mark.parametrize(("columns", "readable"), [(16_384, True), (16_385, False)])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_header_has_at_most_as_many_columns_as_a_spreadsheet(columns, readable, quote):
    """The limit is 16,384; a row of as many fields is stored."""
    names = ",".join(["ticker", "date", *(f"{quote}c{i}{quote}" for i in range(columns - 2))])
    body = f"{names}\nA,2026-01-01{',1' * (columns - 2)}\n"
    if readable:
        assert reasons(body) == []
    else:
        with pytest.raises(ObjectUnreadable, match=r"^a header of 16385 columns; at most 16384 are read$"):
            reasons(body)


@pytest.mark.parametrize("columns", [4000, 16_384, 300_000])
def test_a_header_is_read_in_linear_time(columns):
    """Each name is examined a few times, however many there are; so are a row's fields, which may be far more."""
    looked_at = 0

    class Name(str):
        __slots__ = ()

        def lower(self):
            nonlocal looked_at
            looked_at += 1
            return Compared(str.lower(self))

        def strip(self, *_):
            return self

    class Compared(Name):
        __slots__ = ()

        def __eq__(self, other):
            nonlocal looked_at
            looked_at += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    header = [Name("date"), *(Name(f"c{i}") for i in range(columns - 1))]
    try:
        Schema("stocks/x.csv", header, CsvDialect())
    except ObjectUnreadable:
        assert columns > 16_384
    assert looked_at < 20 * columns


@pytest.mark.parametrize(("fields", "reason"), [(2, "2 fields"), (3, None), (4, "4 fields")])
def test_a_row_has_as_many_fields_as_the_header(fields, reason):
    """A row with one fewer or one more is rejected."""
    row = ",".join(["A", "2026-01-01", "1", "2"][:fields])
    assert reasons(f"ticker,date,a\n{row}\n") == ([f"{reason} where the header has 3"] if reason else [])


def test_an_item_of_wide_characters_and_a_long_ticker_is_measured():
    """At four bytes per character and with the longest keys, the number of characters alone proves nothing."""
    ticker = "😀" * 512
    fixed = len("PK") + 2048 + len("SK" + "2026-01-01" + "note")
    fitting = (400 * KB - fixed) // 4
    assert reasons(f"ticker,date,note\n{ticker},2026-01-01,{'😀' * fitting}\n") == []
    (reason,) = reasons(f"ticker,date,note\n{ticker},2026-01-01,{'😀' * (fitting + 1)}\n")
    assert reason.startswith("an item of ")


def test_an_item_with_a_long_name_is_measured():
    """The columns' names count like their values."""
    name = "n" * 60_000
    assert reasons(f"ticker,date,{name}\nA,2026-01-01,{'😀' * 80_000}\n") == []
    (reason,) = reasons(f"ticker,date,{name}\nA,2026-01-01,{'😀' * 90_000}\n")
    assert reason.startswith("an item of 420015 bytes")


def test_an_item_of_a_file_with_a_long_name_is_measured():
    """The ticker counts even though no cell holds it."""
    fitting = (400 * KB - len("PK" + "SK" + "2026-01-01" + "note") - 2048) // 4
    key = f"stocks/{'x' * 2048}.csv"
    assert reasons(f"date,note\n2026-01-01,{'😀' * fitting}\n", key) == []
    (reason,) = reasons(f"date,note\n2026-01-01,{'😀' * (fitting + 1)}\n", key)
    assert reason.startswith("an item of ")


@pytest.mark.parametrize("length", [120, 121])
def test_a_header_without_a_timestamp_is_shown_up_to_a_length(length):
    """The reason stays one line of bounded length."""
    header = "x" * length
    with pytest.raises(ObjectUnreadable) as refused:
        reasons(f"{header}\n1\n")
    shown = header if length == 120 else header[:120] + "..."
    assert str(refused.value) == f"no timestamp column in the header {shown!r}"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("date,a\0\n2026-01-01,1\n", "the header is not text in UTF-8"),
        ('"date"s,n\nticker,date\n', "no header: text after a closing quote"),
    ],
)
def test_a_header_that_cannot_be_read_is_not_looked_for_further_down(body, reason):
    """One bad name is enough, and no later line is taken as the header."""
    with pytest.raises(ObjectUnreadable) as refused:
        reasons(body)
    assert str(refused.value) == reason


def test_the_settings_name_the_columns_of_the_key():
    """If unset, the header decides; a format that strptime does not know is refused at once."""
    assert CsvDialect.from_environ({}) == CsvDialect(None, None, None)
    named = {"TICKER_COLUMN": "t", "TIMESTAMP_COLUMN": "at", "TIMESTAMP_FORMAT": "%d.%m.%Y"}
    assert CsvDialect.from_environ(named) == CsvDialect("t", "at", "%d.%m.%Y")
    with pytest.raises(SettingsError, match="TIMESTAMP_FORMAT='%!' is not a strptime format"):
        CsvDialect.from_environ({"TIMESTAMP_FORMAT": "%!"})
