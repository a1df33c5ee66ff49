"""What a log line says about rejected rows: kinds, how often, and the first of each."""

from __future__ import annotations

import json

import pytest

from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader
from pipeline.reasons import CELL_CHARS, KINDS_REPORTED, Reasons
from pipeline.rows import RejectedRow


def reasons_of(*rows: RejectedRow) -> list[dict[str, object]]:
    """The reasons for these rows."""
    reasons = Reasons()
    for row in rows:
        reasons.add(row)
    return reasons.most_frequent()


def test_rows_are_counted_by_kind_and_the_first_is_shown():
    """The first has the lowest line, since rows are not rejected in order; the most frequent kind comes first."""
    assert reasons_of(
        RejectedRow(7, "bad 'x'", ("x",), "bad", "x", "SETTING"),
        RejectedRow(3, "worse", ("z",)),
        RejectedRow(5, "bad 'y'", ("y",), "bad", "y", None),
        RejectedRow(9, "bad 'z'", ("z",), "bad", "z", "SETTING"),
    ) == [
        {"reason": "bad", "count": 3, "line": 5, "cell": "y", "setting": None},
        {"reason": "worse", "count": 1, "line": 3, "cell": None, "setting": None},
    ]
    assert reasons_of() == []


def test_kinds_as_frequent_come_by_line_and_ten_at_most():
    """The others are in the file of rejected rows."""
    rows = [RejectedRow(99 - i, f"reason {i}", ()) for i in range(KINDS_REPORTED + 1)]
    found = reasons_of(*rows, rows[0])
    assert [entry["reason"] for entry in found] == ["reason 0", *(f"reason {i}" for i in range(10, 1, -1))]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("x" * CELL_CHARS, "x" * CELL_CHARS),
        ("x" * (CELL_CHARS + 1), "x" * CELL_CHARS + "..."),
        ("caf\udce9", "caf\\udce9"),
        ("", ""),
        ("two\nlines", "two\nlines"),
    ],
)
def test_the_offending_text_is_shortened(cell, shown):
    """It can also be written: bytes that are not text are shown as such."""
    (entry,) = reasons_of(RejectedRow(1, "bad", (), "bad", cell))
    assert entry["cell"] == shown
    assert json.dumps(entry, ensure_ascii=False).encode()


def test_rows_are_not_kept():
    """Their fields may be large, so only the summary stays."""
    reasons = Reasons()
    for line in (2, 1):
        reasons.add(RejectedRow(line, "bad", ("x" * 1000,)))
    (kind,) = reasons._kinds.values()
    assert kind.first.row == ()


LONG = "x" * 410_000


@pytest.mark.parametrize(
    ("row", "reason", "cell", "setting"),
    [
        ("A,never,1", "unreadable timestamp", "never", "TIMESTAMP_FORMAT"),
        ("A,2024-02-30,1", "unreadable timestamp: no such date or time", "2024-02-30", "TIMESTAMP_FORMAT"),
        (
            "A,2024-01-02T00:00:00.1234567Z,1",
            "unreadable timestamp: finer than a microsecond",
            "2024-01-02T00:00:00.1234567Z",
            None,
        ),
        ("A,,1", "an empty timestamp", None, "TIMESTAMP_COLUMN"),
        (",2024-01-02,1", "an empty ticker", None, "TICKER_COLUMN"),
        (f"{'t' * 2049},2024-01-02,1", "a ticker of more than 2048 bytes", "t" * 60 + "...", "TICKER_COLUMN"),
        ("A,2024-01-02", "another number of fields than the header has", None, None),
        ("A,2024-01-02,1,2", "another number of fields than the header has", None, None),
        ("A,2024-01-02,1e400", "a number that DynamoDB cannot hold", "1e400", None),
        (f"A,2024-01-02,{'1' * 39}", "a number that DynamoDB cannot hold", "1" * 39, None),
        (f"A,2024-01-02,{LONG}", "an item of more than 409600 bytes", None, None),
        ("A,2024-01-02,caf\udce9", "the text is not valid UTF-8", "caf\\udce9", "ENCODING"),
        ('A,2024-01-02,"x" y', "text after a closing quote", 'A,2024-01-02,"x" y', None),
        ('A,2024-01-02,"x', "a quoted field that does not end", 'A,2024-01-02,"x', None),
        (
            'A,"2024-01-02\n",1,2',
            "a quoted field over several lines, and not as many fields as the header has",
            'A,"2024-01-02',
            None,
        ),
        ("x" * 2**21, f"a line of more than {2**21} characters", "x" * 60 + "...", None),
    ],
)
def test_each_kind_says_what_is_the_matter_and_what_might_help(row, reason, cell, setting):
    """A kind has no part that varies by row; the cell is the one at fault."""
    reader = ItemReader("in/x.csv", CsvDialect())
    body = f"ticker,date,n\n{row}\n".encode(errors="surrogateescape")
    rejected = [one for one in [*reader.feed(body), *reader.feed(b"", final=True)] if isinstance(one, RejectedRow)]
    first = reasons_of(rejected[0])
    assert first == [{"reason": reason, "count": 1, "line": 2, "cell": cell, "setting": setting}]


def test_with_a_format_a_timestamp_that_it_does_not_fit_names_the_setting():
    """The format is the same for all rows."""
    reader = ItemReader("in/x.csv", CsvDialect(timestamp_format="%d.%m.%Y"))
    (rejected,) = reader.feed(b"ticker,date\nA,1/2/2024\n")
    assert isinstance(rejected, RejectedRow)
    assert reasons_of(rejected) == [
        {
            "reason": "unreadable timestamp: neither '%d.%m.%Y' nor ISO 8601",
            "count": 1,
            "line": 2,
            "cell": "1/2/2024",
            "setting": "TIMESTAMP_FORMAT",
        }
    ]
