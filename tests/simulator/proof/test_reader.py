"""An object's bytes -> the rows that belong in the table, and those that belong among the rejected."""

from __future__ import annotations

import gzip

import pytest

from fakes.proof_records import Read, in_pieces, rows_of
from simulator.base import limits
from simulator.proof import reader as reader_module
from simulator.proof.columns import HEADER_COLUMNS, NAME_BYTES, KeyColumns
from simulator.proof.content import item_content
from simulator.proof.dialect import Dialect
from simulator.proof.reader import JUDGED_ROWS, ObjectReader

SLICE = 65_536


def _read(text: str, key: str = "stocks/a.csv", dialect: Dialect | None = None, size: int = SLICE) -> Read:
    return rows_of(in_pieces(text.encode("utf-8", "surrogateescape"), size), key, dialect)


def _keys(header: str, dialect: Dialect | None = None) -> KeyColumns | None:
    reader = ObjectReader("stocks/a.csv", dialect or Dialect())
    for _ in reader.feed(f"{header}\n".encode().ljust(10, b"\n")):
        pass
    return reader.keys


def test_a_row_is_its_keys_its_line_and_what_else_it_says() -> None:
    """Names in lower case with underscores, numbers by value, empty cells left out, quoted texts to the last blank."""
    found = _read('Ticker,Date,Adj Close,N,note,"\x0b\u00a0",x\nA,2024-01-02,1.50, ,"x ",7, y z\n')
    texts = {"note": {"S": "x "}, "x": {"S": "y z"}}
    content = item_content({"adj_close": {"N": "1.5"}, "column_6": {"N": "7"}} | texts)
    assert found == Read(stored=[("A", "2024-01-02", 2, content)])


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
    """A setting's column, else the usual names in their order, else the file's name and an unnamed first column."""
    assert _keys(header, dialect) == keys


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
    """Nothing of it is read, and no later line is taken for the header."""
    assert _read(f"{header}\ndate,n\n2024-01-02,1\n" if header.strip() else header, "a.csv", dialect, size) == Read(
        unreadable=reason
    )


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_header_has_as_many_columns_as_a_spreadsheet(beyond: int) -> None:
    """16,384; one more makes the object unreadable."""
    header = ",".join(["date", *(f"c{number}" for number in range(HEADER_COLUMNS - 1 + beyond))])
    found = _read(f"{header}\n2024-01-02{',1' * (HEADER_COLUMNS - 1 + beyond)}\n")
    assert HEADER_COLUMNS == 16_384
    if beyond:
        assert found == Read(unreadable="a header of 16,385 columns; at most 16,384 are read")
    else:
        assert [(pk, line, len(content.split(","))) for pk, _, line, content in found.stored] == [("A", 2, 16_383)]


@pytest.mark.parametrize(("letter", "beyond"), [("x", 0), ("x", 1), ("é", 0), ("é", 1)])
def test_a_columns_name_has_as_many_bytes_as_dynamodb_takes(letter: str, beyond: int) -> None:
    """65,535 in UTF-8; the key's own columns count as well."""
    name = (letter * NAME_BYTES)[: NAME_BYTES // len(letter.encode())] + "x" * (NAME_BYTES % len(letter.encode()))
    assert len(name.encode()) == NAME_BYTES == 65_535
    found = _read(f"date,{name}{'x' * beyond}\n2024-01-02,1\n")
    assert found.unreadable == ("a column's name is too long for DynamoDB" if beyond else None)
    assert len(found.stored) == 1 - beyond


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
    """Without its folders and endings, in upper case."""
    assert [row[0] for row in _read("date,n\n2024-01-02,1\n", key).stored] == [ticker]


@pytest.mark.parametrize("key", ["stocks/", "stocks/.csv", "stocks/.csv.gz", "stocks/" + "x" * 2_049 + ".csv"])
def test_a_file_whose_name_is_no_key_has_only_rejected_rows(key: str) -> None:
    """Nothing, or more than DynamoDB takes for a partition key."""
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
    """Its line and its fields; the rows around it are stored."""
    found = _read(f"ticker,date,n\nB,2024-01-02,1\n{row}\nB,2024-01-03,2\n")
    assert [line for _, _, line, _ in found.stored] == [2, 4]
    assert found.rejected == [(3, tuple(row.split(",")))]
    assert found.unreadable is None


@pytest.mark.parametrize("ticker", ["x" * 2_048, "é" * 1_024, " ", "\0", "a\nb"])
def test_any_text_of_2048_bytes_is_a_ticker(ticker: str) -> None:
    """Bytes of UTF-8; blanks are text."""
    assert [row[0] for row in _read(f'ticker,date,n\n"{ticker}",2024-01-02,1\n').stored] == [ticker]


def test_a_broken_line_is_rejected_as_one_text() -> None:
    """What is not a record has no fields."""
    found = _read('ticker,date,n\nA,2024-01-02,"x"y\nA,2024-01-03,1\n')
    assert found.rejected == [(2, ('A,2024-01-02,"x"y',))]
    assert [line for _, _, line, _ in found.stored] == [3]


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("letter", ["x", "é", "😀"])
def test_an_item_has_at_most_400_kb(letter: str, beyond: int) -> None:
    """Names and values in UTF-8, a number of any length 21 bytes at most, an empty cell nothing."""
    fixed = len("PK" + "AB" + "SK" + "2024-01-02" + "note" + "n") + 21 + len("m") + 3
    size = limits.DYNAMODB_ITEM_BYTES - fixed + beyond
    note = letter * (size // len(letter.encode())) + "x" * (size % len(letter.encode()))
    found = _read(f"ticker,date,note,n,m,empty\nAB,2024-01-02,{note},1{'0' * 100},1.5,\nA,2024-01-03,,,,\n")
    assert [line for _, _, line, _ in found.stored] == ([3] if beyond else [2, 3])
    assert [line for line, _ in found.rejected] == ([2] if beyond else [])


def test_an_item_of_long_keys_and_names_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in no cell counts as well: the file's name, the columns' names."""
    monkeypatch.setattr(limits, "DYNAMODB_ITEM_BYTES", 100)
    fitting = 100 - len("PKSK" + "T" * 20 + "2024-01-02" + "name" * 5)
    for beyond in (0, 1):
        found = _read(f"date,{'name' * 5}\n2024-01-02,{'x' * (fitting + beyond)}\n", "T" * 20 + ".csv")
        assert len(found.rejected) == beyond


@pytest.mark.parametrize("beyond", [0, 1])
def test_an_item_of_wide_characters_is_measured_by_its_bytes(beyond: int) -> None:
    """Four bytes a character, a column's name of 60,000, a file's name of 2,048: none is small by its characters."""
    name = "n" * 60_000
    notes = (limits.DYNAMODB_ITEM_BYTES - len("PKSK" + "A" + "2024-01-02" + name)) // 4 + beyond
    assert len(_read(f"ticker,date,{name}\nA,2024-01-02,{'😀' * notes}\n").rejected) == beyond
    notes = (limits.DYNAMODB_ITEM_BYTES - len("PKSK" + "2024-01-02" + "note") - 2_048) // 4 + beyond
    key = f"stocks/{'X' * 2_048}.csv"
    assert len(_read(f"date,note\n2024-01-02,{'😀' * notes}\n", key).rejected) == beyond


def _days(rows: int) -> list[str]:
    return [f"2024-01-02T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d},1" for n in range(rows)]


@pytest.mark.parametrize("rows", [JUDGED_ROWS - 1, JUDGED_ROWS, JUDGED_ROWS + 1, JUDGED_ROWS + 500])
@pytest.mark.parametrize("late", [JUDGED_ROWS - 2, JUDGED_ROWS - 1, JUDGED_ROWS])
@pytest.mark.parametrize("size", [997, SLICE, 10**7])
def test_the_first_thousand_rows_of_a_file_that_is_its_own_ticker_must_differ_in_their_keys(
    rows: int, late: int, size: int
) -> None:
    """The row of this number repeats a key with another content: refused if it is one of the first 1,000."""
    assert JUDGED_ROWS == 1_000
    lines = _days(rows)
    if late < rows:
        lines[late] = lines[0].replace(",1", ",2")
    found = _read("\n".join(["date,n", *lines]), size=size)
    if late < min(rows, JUDGED_ROWS):
        key = "A 2024-01-02T00:00:00.000000Z"
        assert found == Read(unreadable=f"lines 2 and {late + 2} have the same key, {key}, and differ")
    else:
        assert (len(found.stored), found.unreadable) == (rows, None)
        assert [line for _, _, line, _ in found.stored] == list(range(2, rows + 2))


@pytest.mark.parametrize("size", [1, 13, SLICE])
def test_rejected_rows_are_not_among_the_first_thousand(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storable rows count: of three that are judged the third may come late, and the fourth may do as it likes."""
    monkeypatch.setattr(reader_module, "JUDGED_ROWS", 3)
    begin = "date,n\n2024-01-01,1\nbad,1\n2024-01-02,1\nbad,2\n"
    third, fourth = f"{begin}2024-01-01,2\n", f"{begin}2024-01-03,1\n2024-01-01,2\n"
    assert _read(third, size=size).unreadable == "lines 2 and 6 have the same key, A 2024-01-01, and differ"
    assert _read(third, size=size).stored == []
    found = _read(fourth, size=size)
    assert ([row[2] for row in found.stored], [line for line, _ in found.rejected]) == ([2, 4, 6, 7], [3, 5])


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("1.5,x", "1.50,x", True),
        ("-0,x", "0,x", True),
        ("0e999999999999,x", "0.000,x", True),
        ("1e2,x", "100,x", True),
        (",", ",", True),
        ("1,x", "2,x", False),
        ("1,x", "1,y", False),
        ("1,x", "1,", False),
        (",x", "1,x", False),
        ("1,1", "1,01", False),
        ("1,x", "1,x ", True),
        ("1,x", '1,"x "', False),
        ("1,x", "x,1", False),
    ],
)
def test_rows_of_one_key_are_the_same_or_they_differ(first: str, second: str, same: bool) -> None:
    """An attribute more, less, of another type or value makes them differ; a number is its value."""
    found = _read(f"date,n,note\n2024-01-02,{first}\n2024-01-02,{second}\n")
    assert (found.unreadable is None) == same
    assert len(found.stored) == (2 if same else 0)


@pytest.mark.parametrize("dialect", [Dialect(), Dialect("symbol")])
def test_a_file_with_a_ticker_column_is_not_judged(dialect: Dialect) -> None:
    """Its keys are its own; what repeats is counted as overwritten once it is stored."""
    found = _read("symbol,date,n\nA,2024-01-02,1\nA,2024-01-02,2\n", dialect=dialect)
    assert (len(found.stored), found.unreadable) == (2, None)


@pytest.mark.parametrize("size", [1, SLICE])
def test_damage_in_the_middle_leaves_what_was_read_before_it(size: int) -> None:
    """Rows that were held back to be judged may be stored, too."""
    body = gzip.compress(b"date,n\n2024-01-02,1\nbad,1\n2024-01-03,1\n", mtime=0)[:-8] + bytes(8)
    found = rows_of(in_pieces(body + b"more" * 100, size))
    assert [line for _, _, line, _ in found.stored] == [2, 4]
    assert found.rejected == [(3, ("bad", "1"))]
    assert str(found.unreadable).startswith("the gzip stream is damaged")


@pytest.mark.parametrize("size", [1, SLICE])
@pytest.mark.parametrize("tail", ["", "2024-01-02,2\n"])
def test_damage_in_the_first_thousand_rows_leaves_what_was_read(tail: str, size: int) -> None:
    """The rows before the damage may be stored, unless they refuse the object by themselves, wherever it is cut."""
    body = gzip.compress(f"date,n\n2024-01-02,1\n{tail}".encode(), mtime=0)[:-1]
    found = rows_of(in_pieces(body, size))
    if tail:
        assert (found.stored, found.unreadable) == ([], "lines 2 and 3 have the same key, A 2024-01-02, and differ")
    else:
        assert (len(found.stored), found.unreadable) == (1, "the gzip stream ends early")


def test_rows_are_handed_on_before_the_end_once_they_are_judged() -> None:
    """Held are a thousand rows at most: an object of any size is read in bounded memory."""
    reader = ObjectReader("stocks/a.csv", Dialect())
    lines = _days(JUDGED_ROWS + 10)
    counts = [
        sum(len(rows.stored) for rows in reader.feed(f"{text}\n".encode()))
        for text in ["date,n", *["\n".join(lines[at : at + 100]) for at in range(0, len(lines), 100)]]
    ]
    assert counts == [0, *[0] * 9, JUDGED_ROWS, 10]
    assert [len(rows.stored) for rows in reader.feed(b"2024-05-01,1\n")] == [1]
    assert [len(rows.stored) for rows in reader.feed(b"", final=True)] == [0]
