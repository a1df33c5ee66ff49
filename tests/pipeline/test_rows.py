"""What a header means for an object's rows: what their key is made of, and which encoding it may be in."""

from __future__ import annotations

import contextlib

import pytest

from pipeline.dialect import CsvDialect
from pipeline.rows import ObjectUnreadable, Row, RowReader, Schema
from pipeline.uniqueness import FileKey


@pytest.mark.parametrize(
    ("header", "proposal"),
    [
        (["d\0a\0t\0e\0"], "utf-16-le"),
        (["d\0a\0t\0e"], "utf-16-le"),
        (["\0d\0a\0t\0e"], "utf-16-be"),
        (["\0d\0a\0t\0e\0"], "utf-16-be"),
        (["\0\0\0\0"], None),
        (["\0\0\0d\0\0\0a"], None),
        (["date", "\0"], None),
        (["d", "\0"], None),
        (["", "\0"], None),
        (["d\0at"], None),
    ],
)
def test_utf_16_read_as_bytes_is_proposed(header, proposal):
    """Then every other character of the first name is NUL, and no other."""
    with pytest.raises(ObjectUnreadable, match="the header is not text in cp1252") as refused:
        Schema("in/x.csv", header, CsvDialect(), "cp1252")
    assert (refused.value.setting, refused.value.proposal) == ("ENCODING", proposal)


@pytest.mark.parametrize("given", [None, "DATE"])
def test_where_the_files_name_is_the_ticker_the_rows_have_a_key_to_be_judged(given):
    """It depends on the header's names, and on whether the settings name the timestamp; otherwise nothing is judged."""
    found = Schema("in/aapl.csv", [" Date ", "Close ", ""], CsvDialect(timestamp_column=given)).file_key()
    assert found == FileKey("AAPL", ["Date"], {"close_": "Close ", "column_3": "column_3"}, given is not None)
    assert Schema("in/aapl.csv", ["date", "ticker"], CsvDialect(timestamp_column=given)).file_key() is None


NAMED = CsvDialect(column_names=("date", "n"), delimiter=",", comment="#")


@pytest.mark.parametrize("body", [b"\n#\n2024-01-02,1", b'\n#\n"2024-01-02",1\n'])
def test_with_names_the_first_row_is_the_first_line_that_has_something_on_it(body):
    """Blank lines and comments before it are skipped, even if they come alone."""
    (row,) = RowReader("in/a.csv", NAMED).feed(body, final=True)
    assert row == Row(3, "A", "2024-01-02", (("n", "N", "1"),))


def test_an_object_of_blank_lines_is_empty():
    """It holds with and without names."""
    for dialect in (NAMED, CsvDialect()):
        reader = RowReader("in/a.csv", dialect)
        assert list(reader.feed(b"\n \n")) == []
        with pytest.raises(ObjectUnreadable, match="no header: the object is empty"):
            list(reader.feed(b"", final=True))


@pytest.mark.parametrize(
    ("body", "dialect", "line"),
    [
        ("date,n\n2024-01-02,1\n", CsvDialect(), 1),
        ("\n \ndate,n\n2024-01-02,1\n", CsvDialect(), 3),
        ("title\n\n#x\ndate,n\n", CsvDialect(skip_lines=1, comment="#"), 4),
        ('\n"date","n"\n2024-01-02,1\n', CsvDialect(), 2),
        ('sep=;\n"da\nte";date\n', CsvDialect(), 2),
        ("2024-01-02,1\n", CsvDialect(column_names=("date", "n")), None),
        ("", CsvDialect(), None),
    ],
)
def test_the_header_is_known_by_its_line(body, dialect, line):
    """It is the physical line on which the header begins, whatever is above it; None if there is no header."""
    reader = RowReader("in/x.csv", dialect)
    with contextlib.suppress(ObjectUnreadable):
        list(reader.feed(body.encode(), final=True))
    assert reader.header_line == line


def test_a_reason_shows_the_header_by_its_own_delimiter():
    """It is shown as in the file, so that it can be found there."""
    reader = RowReader("in/x.csv", CsvDialect())
    with pytest.raises(ObjectUnreadable, match="no timestamp column in the header 'Datum;Kurs'"):
        list(reader.feed(b"Datum;Kurs\n1;2\n", final=True))
