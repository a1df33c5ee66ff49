"""Fields -> the row that they make: its keys, its other cells, and how large it may be."""

from __future__ import annotations

import pytest

from fakes.proof_records import Read, in_pieces, rows_of
from simulator.base import limits
from simulator.proof.columns import Columns
from simulator.proof.content import item_content
from simulator.proof.dialect import Dialect
from simulator.proof.failures import NotStorable
from simulator.proof.rows import RowBuilder

SLICE = 65_536


def _read(text: str, key: str = "stocks/a.csv", dialect: Dialect | None = None, size: int = SLICE) -> Read:
    return rows_of(in_pieces(text.encode("utf-8", "surrogateescape"), size), key, dialect)


def test_a_row_is_its_keys_its_line_and_what_else_it_says() -> None:
    """Names are lower case with underscores, numbers count by value, empty cells are left out, quoted text is exact."""
    found = _read('Ticker,Date,Adj Close,N,note,"\x0b\u00a0",x\nA,2024-01-02,1.50, ,"x ",7, y z\n')
    texts = {"note": {"S": "x "}, "x": {"S": "y z"}}
    content = item_content({"adj_close": {"N": "1.5"}, "column_6": {"N": "7"}} | texts)
    assert found == Read(stored=[("A", "2024-01-02", 2, content)])


@pytest.mark.parametrize(
    ("key", "ticker"),
    [
        ("stocks/aapl.csv", "AAPL"),
        ("stocks/2024/brk.b.csv.gz", "BRK.B"),
        ("stocks/msft.CSV.GZ", "MSFT"),
        ("stocks/msft.gz", "MSFT.GZ"),
        ("stocks/a.csv.csv", "A.CSV"),
        ("plain", "PLAIN"),
        ("stocks/a b+é.csv", "A B+É"),
    ],
)
def test_without_a_ticker_column_the_files_name_is_the_ticker(key: str, ticker: str) -> None:
    """It is used without its folders and endings, in upper case."""
    assert [row[0] for row in _read("date,n\n2024-01-02,1\n", key).stored] == [ticker]


@pytest.mark.parametrize("key", ["stocks/", "stocks/.csv", "stocks/.csv.gz", "stocks/" + "x" * 2_049 + ".csv"])
def test_a_file_whose_name_is_not_a_key_has_only_rejected_rows(key: str) -> None:
    """It is empty, or longer than DynamoDB allows for a partition key."""
    assert _read("date,n\n2024-01-02,1\n", key) == Read(rejected=[(2, ("2024-01-02", "1"))])


@pytest.mark.parametrize(
    "row",
    [
        *("A,2024-01-02", "A,2024-01-02,1,2", ",2024-01-02,1", "A,,1", "A,someday,1", "A,2024-01-02,1e126"),
        *("A,2024-01-02,\udcff", "\udcff,2024-01-02,1", "A,2024-01-02\udcc3,1", "x" * 2_049 + ",2024-01-02,1", "A"),
        *("é" * 1_025 + ",2024-01-02,1", "A,2024-01-02," + "1" * 39),
    ],
)
def test_a_row_that_cannot_be_stored_is_rejected_as_it_was_read(row: str) -> None:
    """Its line and its fields are recorded; the rows around it are stored."""
    found = _read(f"ticker,date,n\nB,2024-01-02,1\n{row}\nB,2024-01-03,2\n")
    assert [line for _, _, line, _ in found.stored] == [2, 4]
    assert found.rejected == [(3, tuple(row.split(",")))]
    assert found.unreadable is None


@pytest.mark.parametrize("ticker", ["x" * 2_048, "é" * 1_024, " ", "\0", "a\nb"])
def test_any_text_of_2048_bytes_is_a_ticker(ticker: str) -> None:
    """The limit is in bytes of UTF-8; blanks are text."""
    assert [row[0] for row in _read(f'ticker,date,n\n"{ticker}",2024-01-02,1\n').stored] == [ticker]


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("letter", ["x", "é", "😀"])
def test_an_item_has_at_most_400_kb(letter: str, beyond: int) -> None:
    """Names and values count in UTF-8, a number of any length at most 21 bytes, an empty cell nothing."""
    fixed = len("PK" + "AB" + "SK" + "2024-01-02" + "note" + "n") + 21 + len("m") + 3
    size = limits.DYNAMODB_ITEM_BYTES - fixed + beyond
    note = letter * (size // len(letter.encode())) + "x" * (size % len(letter.encode()))
    found = _read(f"ticker,date,note,n,m,empty\nAB,2024-01-02,{note},1{'0' * 100},1.5,\nA,2024-01-03,,,,\n")
    assert [line for _, _, line, _ in found.stored] == ([3] if beyond else [2, 3])
    assert [line for line, _ in found.rejected] == ([2] if beyond else [])


def test_an_item_of_long_keys_and_names_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's name and the columns' names, which are in no cell, count as well."""
    monkeypatch.setattr(limits, "DYNAMODB_ITEM_BYTES", 100)
    fitting = 100 - len("PKSK" + "T" * 20 + "2024-01-02" + "name" * 5)
    for beyond in (0, 1):
        found = _read(f"date,{'name' * 5}\n2024-01-02,{'x' * (fitting + beyond)}\n", "T" * 20 + ".csv")
        assert len(found.rejected) == beyond


@pytest.mark.parametrize("beyond", [0, 1])
def test_an_item_of_wide_characters_is_measured_by_its_bytes(beyond: int) -> None:
    """At four bytes per character, long names are large although they have few characters."""
    name = "n" * 60_000
    notes = (limits.DYNAMODB_ITEM_BYTES - len("PKSK" + "A" + "2024-01-02" + name)) // 4 + beyond
    assert len(_read(f"ticker,date,{name}\nA,2024-01-02,{'😀' * notes}\n").rejected) == beyond
    notes = (limits.DYNAMODB_ITEM_BYTES - len("PKSK" + "2024-01-02" + "note") - 2_048) // 4 + beyond
    key = f"stocks/{'X' * 2_048}.csv"
    assert len(_read(f"date,note\n2024-01-02,{'😀' * notes}\n", key).rejected) == beyond


@pytest.mark.parametrize(
    ("header", "fields", "timestamp"),
    [
        (["date", "time"], ["2024-01-02", "09:30"], "2024-01-02T09:30:00.000000Z"),
        (["time", "date"], [" 09:30\t", " 2024-01-02 "], "2024-01-02T09:30:00.000000Z"),
        (["date", "time"], ["2024-01-02", " "], "2024-01-02"),
        (["date", "time"], ["", "2024-01-02"], "2024-01-02"),
        (["date"], ["2024-01-02 09:30"], "2024-01-02T09:30:00.000000Z"),
    ],
)
def test_the_cells_of_a_timestamp_are_joined_by_a_blank(header: list[str], fields: list[str], timestamp: str) -> None:
    """Cells that are not empty are joined, in the order of date and time."""
    assert RowBuilder("in/a.csv", Columns(header), Dialect()).row(7, fields) == ("A", timestamp, 7, "")


def test_a_row_says_which_settings_it_needed() -> None:
    """Each setting is listed once it was needed, in any cell; the key's cells are not numbers."""
    dialect = Dialect(decimal_separator=",", numbers="lenient", time_zone="Asia/Tokyo")
    builder = RowBuilder("in/a.csv", Columns(["date", "n", "m"]), dialect)
    for fields, used in (
        (["2024-01-02", "1", "x"], set()),
        (["2024-01-02", "", "+1"], {"NUMBERS"}),
        (["2024-01-02", "1", "1"], {"NUMBERS"}),
        (["2024-01-02 09:30", "1,5", "1"], {"NUMBERS", "DECIMAL_SEPARATOR", "TIME_ZONE"}),
    ):
        builder.row(2, fields)
        assert builder.used == used


@pytest.mark.parametrize("digits", [40, 41])
def test_a_cell_of_any_length_is_what_it_says(digits: int) -> None:
    """It includes one longer than those that are cached."""
    builder = RowBuilder("in/a.csv", Columns(["date", "b", "a"]), Dialect())
    number, text = "1" + "0" * (digits - 1), "x" * digits
    content = item_content({"a": {"S": text}, "b": {"N": number}})
    for _ in range(2):
        assert builder.row(2, ["2024-01-02", number, text]) == ("A", "2024-01-02", 2, content)
    for fields in (["2024-01-02", "1"], ["2024-01-02", "1", "2", "3"], ["2024-01-02", "\udcff", "x" * digits]):
        with pytest.raises(NotStorable):
            builder.row(2, fields)
