"""An object's bytes -> the rows that belong in the table, and those that belong among the rejected."""

from __future__ import annotations

import gzip

import pytest

from fakes.proof_records import SLICE, Read, in_pieces, keys_of, read, rows_of
from simulator.proof import reader as reader_module
from simulator.proof.columns import KeyColumns
from simulator.proof.dialect import Dialect
from simulator.proof.reader import JUDGED_ROWS, ObjectReader


def test_a_broken_line_is_rejected_as_one_text() -> None:
    """What is not a record has no fields."""
    found = read('ticker,date,n\nA,2024-01-02,"x"y\nA,2024-01-03,1\n')
    assert found.rejected == [(2, ('A,2024-01-02,"x"y',))]
    assert [line for _, _, line, _ in found.stored] == [3]


def _days(rows: int) -> list[str]:
    return [f"2024-01-02T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d},1" for n in range(rows)]


def test_how_the_keys_were_chosen_is_known_with_the_header() -> None:
    """It is known by its names, which only the settings for columns change."""
    assert keys_of("") is None
    assert keys_of("symbol,Date,n") == KeyColumns("symbol", "Date")
    assert keys_of("date,n", Dialect(column_names=("when", "n"), timestamp_column="when")) == KeyColumns(None, "when")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "no header: the object is empty"),
        ("\n\n", "no header: the object is empty"),
        ('"a"b,date', "no header: its first line is broken"),
    ],
)
def test_without_a_header_an_object_is_unreadable(header: str, reason: str) -> None:
    """No later line is taken as the header."""
    assert read(f"{header}\ndate,n\n2024-01-02,1\n" if header.strip() else header) == Read(unreadable=reason)


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
    found = read("\n".join(["date,n", *lines]), size=size)
    if late < min(rows, JUDGED_ROWS):
        key = "A 2024-01-02T00:00:00.000000Z"
        assert found == Read(unreadable=f"lines 2 and {late + 2} have the same key, {key}, and differ")
    else:
        assert (len(found.stored), found.unreadable) == (rows, None)
        assert [line for _, _, line, _ in found.stored] == list(range(2, rows + 2))


@pytest.mark.parametrize("size", [1, 13, SLICE])
def test_rejected_rows_are_not_among_the_first_thousand(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storable rows count: of three that are judged the third may come late, and the fourth is free."""
    monkeypatch.setattr(reader_module, "JUDGED_ROWS", 3)
    begin = "date,n\n2024-01-01,1\nbad,1\n2024-01-02,1\nbad,2\n"
    third, fourth = f"{begin}2024-01-01,2\n", f"{begin}2024-01-03,1\n2024-01-01,2\n"
    assert read(third, size=size).unreadable == "lines 2 and 6 have the same key, A 2024-01-01, and differ"
    assert read(third, size=size).stored == []
    found = read(fourth, size=size)
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
    """One attribute more or less, or another type or value makes them differ; a number counts by its value."""
    found = read(f"date,n,note\n2024-01-02,{first}\n2024-01-02,{second}\n")
    assert (found.unreadable is None) == same
    assert len(found.stored) == (2 if same else 0)


@pytest.mark.parametrize("dialect", [Dialect(), Dialect("symbol")])
def test_a_file_with_a_ticker_column_is_not_judged(dialect: Dialect) -> None:
    """Its keys are its own; repeated ones are counted as overwritten once they are stored."""
    found = read("symbol,date,n\nA,2024-01-02,1\nA,2024-01-02,2\n", dialect=dialect)
    assert (len(found.stored), found.unreadable) == (2, None)


@pytest.mark.parametrize("size", [1, SLICE])
def test_damage_in_the_middle_leaves_what_was_read_before_it(size: int) -> None:
    """Rows held back for judging may have been stored, too."""
    body = gzip.compress(b"date,n\n2024-01-02,1\nbad,1\n2024-01-03,1\n", mtime=0)[:-8] + bytes(8)
    found = rows_of(in_pieces(body + b"more" * 100, size))
    assert [line for _, _, line, _ in found.stored] == [2, 4]
    assert found.rejected == [(3, ("bad", "1"))]
    assert str(found.unreadable).startswith("the gzip stream is damaged")


@pytest.mark.parametrize("size", [1, SLICE])
@pytest.mark.parametrize("tail", ["", "2024-01-02,2\n"])
def test_damage_in_the_first_thousand_rows_leaves_what_was_read(tail: str, size: int) -> None:
    """The rows before the damage may be stored, unless they make the object refused, wherever it is cut."""
    body = gzip.compress(f"date,n\n2024-01-02,1\n{tail}".encode(), mtime=0)[:-1]
    found = rows_of(in_pieces(body, size))
    if tail:
        assert (found.stored, found.unreadable) == ([], "lines 2 and 3 have the same key, A 2024-01-02, and differ")
    else:
        assert (len(found.stored), found.unreadable) == (1, "the gzip stream ends early")


def test_rows_are_handed_on_before_the_end_once_they_are_judged() -> None:
    """At most a thousand rows are held: an object of any size is read in bounded memory."""
    reader = ObjectReader("stocks/a.csv", Dialect())
    lines = _days(JUDGED_ROWS + 10)
    counts = [
        sum(len(rows.stored) for rows in reader.feed(f"{text}\n".encode()))
        for text in ["date,n", *["\n".join(lines[at : at + 100]) for at in range(0, len(lines), 100)]]
    ]
    assert counts == [0, *[0] * 9, JUDGED_ROWS, 10]
    assert [len(rows.stored) for rows in reader.feed(b"2024-05-01,1\n")] == [1]
    assert [len(rows.stored) for rows in reader.feed(b"", final=True)] == [0]
