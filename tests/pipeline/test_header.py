"""What a header means: key columns, missing columns that a setting names, and files that are something else."""

from __future__ import annotations

import pytest

from pipeline.decoding import ObjectUnreadable
from pipeline.dialect import CsvDialect
from pipeline.header import MAX_NAME_BYTES, attribute_names, bare_name, folded_name, key_columns
from pipeline.rows import RowReader


@pytest.mark.parametrize(
    ("name", "folded", "bare"),
    [
        (" A B\t", "a b", "a b"),
        ("<Date>", "<date>", "date"),
        ("<<a>>", "<<a>>", "<a>"),
        ("<a", "<a", "<a"),
        ("a>", "a>", "a>"),
        ("<", "<", "<"),
        ("<>", "<>", ""),
        ("\u00a0x", "\u00a0x", "\u00a0x"),
    ],
)
def test_a_name_is_compared_folded_and_then_bare(name, folded, bare):
    """Case and blanks do not count; one pair of brackets may be missing."""
    assert (folded_name(name), bare_name(name)) == (folded, bare)


@pytest.mark.parametrize(
    ("header", "ticker", "timestamp", "places"),
    [
        ("date,time", None, None, (None, (0, 1))),
        ("time,date", None, None, (None, (1, 0))),
        ("symbol,<ticker>,date", None, None, (1, (2,))),
        ("<symbol>,datetime,date,time", None, None, (0, (1,))),
        (",x", None, None, (None, (0,))),
        (",date", None, None, (None, (1,))),
        ("x,time", None, None, (None, (1,))),
        ("x,date,date", None, "DATE", (None, (1,))),
        ("<a>,a,date", "a", None, (1, (2,))),
        ("a,b,a+b", None, "a+b", (None, (2,))),
        ("b,a", None, "a+b", (None, (1, 0))),
        ("a+b,c", None, "a+b+c", (None, (0, 1))),
    ],
)
def test_the_keys_columns_are_found(header, ticker, timestamp, places):
    """A setting names them, or else their usual names in order."""
    assert key_columns(header.split(","), ticker, timestamp) == places


@pytest.mark.parametrize(
    ("header", "wanted", "proposal"),
    [
        ("Date,Time,n", "Dat+Time", "Date+Time"),
        ("Date,Time,n", "Date+Tim", "Date+Time"),
        ("Date,Time,n", "dat+tim", "Date+Time"),
        ("Date,Time,n", "Dtae", "Date"),
        ("Date,Clock", "Date+Date2", "Date+Clock"),
        ("Date", "Dat+Tim", "Date"),
    ],
)
def test_a_timestamp_that_is_missing_has_a_proposal(header, wanted, proposal):
    """If two are joined, both are proposed, and never one twice."""
    with pytest.raises(ObjectUnreadable) as refused:
        key_columns(header.split(","), None, wanted)
    assert (refused.value.setting, refused.value.proposal) == ("TIMESTAMP_COLUMN", proposal)


@pytest.mark.parametrize(
    ("body", "reason", "setting", "proposal"),
    [
        ("[1]", "no timestamp column in the header '[1]', which looks like JSON", None, None),
        ("x,y", "no timestamp column in the header 'x,y'", "TIMESTAMP_COLUMN", None),
        ("d\0a\0t\0e\0\n\0", "the header is not text in UTF-8", "ENCODING", "utf-16-le"),
        ("\0d\0a\0t\0e\0\n", "the header is not text in UTF-8", "ENCODING", "utf-16-be"),
        ("date,\0", "the header is not text in UTF-8", "ENCODING", None),
        ("date,\udcff", "the header is not text in UTF-8", "ENCODING", None),
    ],
)
def test_an_object_without_a_header_says_why(body, reason, setting, proposal):
    """The exception has the setting that might fix it, and its value if that is known."""
    with pytest.raises(ObjectUnreadable) as refused:
        list(RowReader("in/x.csv", CsvDialect()).feed(body.encode(errors="surrogateescape"), final=True))
    error = refused.value
    assert (str(error), error.setting, error.proposal) == (reason, setting, proposal)


@pytest.mark.parametrize(
    ("length", "shown"), [(119, "x" * 118 + ",y"), (120, "x" * 119 + ",..."), (300, "x" * 120 + "...")]
)
@pytest.mark.parametrize("wanted", [None, "z"])
def test_a_header_is_shown_up_to_a_length(length, shown, wanted):
    """A file of another kind may be one long line; a reason is not."""
    with pytest.raises(ObjectUnreadable) as refused:
        key_columns(["x" * (length - 1), "y"], None, wanted)
    if wanted is None:
        assert str(refused.value) == f"no timestamp column in the header {shown!r}"
    else:
        assert str(refused.value).startswith(f"TIMESTAMP_COLUMN 'z' is not among the columns {shown}; the nearest is")


@pytest.mark.parametrize(
    ("ticker", "timestamp", "reason", "setting"),
    [
        (
            "tikcer",
            None,
            "TICKER_COLUMN 'tikcer' is not among the columns ticker,date,x; the nearest is",
            "TICKER_COLUMN",
        ),
        ("date", None, "the column 'date' cannot be both ticker and timestamp", "TICKER_COLUMN"),
        (None, "ticker", "the column 'ticker' cannot be both ticker and timestamp", "TIMESTAMP_COLUMN"),
        (None, "x+<X>", "TIMESTAMP_COLUMN 'x\\+<X>' joins the column 'x' with itself", "TIMESTAMP_COLUMN"),
    ],
)
def test_columns_that_cannot_be_the_key_are_named(ticker, timestamp, reason, setting):
    """The exception has the setting at fault."""
    with pytest.raises(ObjectUnreadable, match=reason) as refused:
        key_columns(["ticker", "date", "x"], ticker, timestamp)
    assert refused.value.setting == setting


def test_a_header_has_a_maximum_number_of_columns():
    """The limit is what a spreadsheet can hold."""
    names = ["date", *(f"c{number}" for number in range(1, 16_384))]
    assert list(RowReader("in/x.csv", CsvDialect()).feed(",".join(names).encode(), final=True)) == []
    with pytest.raises(ObjectUnreadable, match="a header of 16385 columns; at most 16384 are read"):
        list(RowReader("in/x.csv", CsvDialect()).feed(",".join([*names, "x"]).encode(), final=True))


def test_no_two_columns_are_called_alike():
    """Names in the table have no case and no blanks; two equal ones are refused."""
    with pytest.raises(ObjectUnreadable, match="the header has the column 'a_b' twice"):
        attribute_names(["A B", "c", "a_b"])


def test_a_name_has_a_maximum_size():
    """The limit is counted in UTF-8, whatever the other names."""
    longest = "\u00e9" * (MAX_NAME_BYTES // 2) + "x"
    assert attribute_names(["a", longest]) == ["a", longest]
    with pytest.raises(ObjectUnreadable, match="a column name of more than 65535 bytes"):
        attribute_names(["a", longest + "x"])


def test_skipped_lines_may_be_all_there_are():
    """The setting that caused it is named."""
    with pytest.raises(ObjectUnreadable) as refused:
        list(RowReader("in/x.csv", CsvDialect(skip_lines=2)).feed(b"date,n\n2024-01-02,1", final=True))
    assert refused.value.setting == "SKIP_LINES"


def test_names_keep_their_brackets():
    """Brackets are ignored only when names are compared."""
    assert attribute_names(["<Open Price>", " ", "a"]) == ["<open_price>", "column_2", "a"]
