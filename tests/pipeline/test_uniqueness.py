"""An object's first rows are judged before any of them is passed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader, Items
from pipeline.rows import ObjectUnreadable, RejectedRow, RowReader
from pipeline.uniqueness import FIRST_ROWS, SEARCHED_CELLS, SEARCHED_COLUMNS, Cells, FileKey, FirstRows, KeyedRow

READERS = pytest.mark.parametrize("kind", [ItemReader, RowReader])


def lines_of(reader: ItemReader | RowReader, text: str, *, final: bool = False) -> list[int]:
    """The lines of the rows that come with this text."""
    found: list[int] = []
    for one in reader.feed(text.encode(), final=final):
        if isinstance(one, Items):
            found += one.lines
        elif not isinstance(one, RejectedRow):
            found.append(one.line)
    return found


def refusal(body: str, columns: CsvDialect = CsvDialect(), key: str = "in/x.csv") -> ObjectUnreadable:  # noqa: B008 - frozen
    """Why the object is unreadable; both readers agree, and neither passes on a row before."""
    refusals = []
    for reader in (ItemReader(key, columns), RowReader(key, columns)):
        found: list[int] = []
        with pytest.raises(ObjectUnreadable) as refused:
            found += lines_of(reader, body, final=True)
        assert found == []
        refusals.append(refused.value)
    said = [(str(found), found.setting, found.proposal) for found in refusals]
    assert said == [said[0]] * 2
    return refusals[0]


VECTORS = yaml.safe_load((Path(__file__).parent / "vectors" / "unique.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_keys_are_judged_as_written_down(vector):
    """The vectors say what differs, what does not, and which columns are named."""
    columns, key = CsvDialect(vector.get("ticker"), vector.get("timestamp")), vector.get("key", "stocks/aapl.csv")
    if "unreadable" in vector:
        assert str(refusal(vector["input"], columns, key)) == vector["unreadable"]
    else:
        for reader in (ItemReader(key, columns), RowReader(key, columns)):
            assert len(lines_of(reader, vector["input"], final=True)) == len(vector["items"])


def moments(first: int, last: int, value: str = "1") -> str:
    """A row for each line from `first` to `last`, each at its own time."""
    return "".join(f"2024-01-02T00:00:00.{i:06d}Z,{value}\n" for i in range(first, last + 1))


@READERS
def test_rows_are_held_back_until_there_are_a_thousand(kind):
    """Then all available rows are passed on, and later ones as they are read."""
    reader = kind("in/x.csv", CsvDialect())
    assert lines_of(reader, "date,n\n" + moments(2, FIRST_ROWS)) == []
    assert lines_of(reader, moments(FIRST_ROWS + 1, FIRST_ROWS + 1)) == list(range(2, FIRST_ROWS + 2))
    assert lines_of(reader, moments(FIRST_ROWS + 2, FIRST_ROWS + 3)) == [FIRST_ROWS + 2, FIRST_ROWS + 3]
    assert lines_of(reader, "", final=True) == []


@READERS
def test_an_object_of_fewer_rows_is_judged_at_its_end(kind):
    """Rejected rows are not held back, and do not count towards the thousand."""
    reader = kind("in/x.csv", CsvDialect())
    found = list(reader.feed(("date,n\n" + moments(2, 3) + "never,1\n").encode()))
    assert [one.line for one in found] == [4]
    assert lines_of(reader, moments(5, 5)) == []
    assert lines_of(reader, "", final=True) == [2, 3, 5]


@READERS
@pytest.mark.parametrize("last", [FIRST_ROWS - 1, FIRST_ROWS, FIRST_ROWS + 1])
@pytest.mark.parametrize("size", [7, 10**6])
def test_the_first_thousand_storable_rows_are_judged_and_no_more(kind, last, size):
    """The last of them differs from the first with its key; rejected rows between them do not count."""
    body = "date,n\n" + moments(2, last) + "never,1\n" * 10 + moments(2, 2, "2") + moments(last + 2, last + 300)
    reader = kind("in/x.csv", CsvDialect())
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    found: list[int] = []

    def read_all() -> None:
        for chunk in [*chunks, ""]:
            found.extend(lines_of(reader, chunk, final=not chunk))

    if last > FIRST_ROWS:
        read_all()
        assert len(found) == last + 299
    else:
        with pytest.raises(ObjectUnreadable, match=f"^lines 2 and {last + 11} have the same key but differ: "):
            read_all()
        assert found == []


@READERS
def test_where_rows_name_their_ticker_nothing_is_held_back(kind):
    """Nothing is examined either."""
    reader = kind("in/x.csv", CsvDialect())
    assert lines_of(reader, "ticker,date,n\nA,2024-01-02,1\n") == [2]
    assert lines_of(reader, "A,2024-01-02,2\n") == [3]
    assert lines_of(reader, "", final=True) == []


@READERS
@pytest.mark.parametrize("text", ["", "date,n\n", "date,n\nnever,1\n"])
def test_an_object_without_a_storable_row_has_nothing_to_judge(kind, text):
    """With a header it is fine; without one it is unreadable for that reason."""
    reader = kind("in/x.csv", CsvDialect())
    if text:
        assert lines_of(reader, text, final=True) == []
    else:
        with pytest.raises(ObjectUnreadable, match="no header"):
            lines_of(reader, text, final=True)


@pytest.mark.parametrize(
    ("header", "columns", "setting"),
    [
        ("date,Name", CsvDialect(), "TICKER_COLUMN"),
        ("Date,Time", CsvDialect(None, "Date"), "TIMESTAMP_COLUMN"),
        ("Date, TimeStamp ", CsvDialect(None, "Date"), "TIMESTAMP_COLUMN"),
        ("date,timely", CsvDialect(), "TICKER_COLUMN"),
    ],
)
def test_the_setting_that_might_fix_it_depends_on_the_column(header, columns, setting):
    """A column whose name means a time belongs to the timestamp."""
    assert refusal(f"{header}\n2024-01-02,X\n2024-01-02,Y\n", columns).setting == setting


@pytest.mark.parametrize(
    ("header", "columns", "proposal"),
    [
        ("date,Name", CsvDialect(), "Name"),
        ("Date,Time", CsvDialect(None, "Date"), "Date+Time"),
        ("Time,Date", CsvDialect(None, "Time"), "Date+Time"),
        ("<DTYYYYMMDD>,<TIME>", CsvDialect(None, "dtyyyymmdd"), "<DTYYYYMMDD>+<TIME>"),
        ("timestamp,time", CsvDialect(), "time"),
        ("date,timely", CsvDialect(None, "date"), "timely"),
    ],
)
def test_what_the_setting_should_be_is_proposed(header, columns, proposal):
    """It is the likeliest column; if that is a time beside the one that a setting names, both, the date first."""
    assert refusal(f"{header}\n2024-01-02,X\n2024-01-02,Y\n", columns).proposal == proposal


def test_a_timestamp_of_two_columns_is_not_joined_with_a_third():
    """In that case the likeliest column is proposed alone."""
    found = refusal("A,B,Time\n2024-01-02,09:30,X\n2024-01-02,09:30,Y\n", CsvDialect(None, "A+B"))
    assert (found.setting, found.proposal) == ("TIMESTAMP_COLUMN", "Time")


def test_without_a_column_that_would_do_the_ticker_is_missing():
    """Most such files have one somewhere."""
    found = refusal("date,a,b\n2024-01-02,1,\n2024-01-02,,1\n")
    assert (found.setting, found.proposal) == ("TICKER_COLUMN", None)
    assert "apart" not in str(found)


@pytest.mark.parametrize("columns", [SEARCHED_COLUMNS, SEARCHED_COLUMNS + 1])
def test_in_a_wide_header_no_column_is_looked_for(columns):
    """Too few rows could be examined to decide; up to a certain width a few are named."""
    names = ",".join(f"c{i}" for i in range(columns))
    row = ",".join(["X"] * columns)
    found = str(refusal(f"date,{names}\n2024-01-02,{row}\n2024-01-02,{row.replace('X', 'Y')}\n"))
    assert found.count("'c") == (3 if columns == SEARCHED_COLUMNS else 0)


class CountedRows:
    """Rows of one timestamp under a header of `width` columns: how often each is parsed when they are judged."""

    def __init__(self, width: int) -> None:
        self.parsed = Counter[str]()
        self._key = FileKey("X", ["date"], {f"c{i}": f"c{i}" for i in range(width)}, named=False)
        self._width = width

    def judge(self, *blocks: list[str]) -> str:
        """Why they are refused, or nothing. A row's cells are the words of its text, the last one repeated."""
        first = FirstRows[list[str]](self._rows_of, self._cells)
        try:
            assert list(first.hold(iter(blocks), lambda: self._key, final=True)) == [*blocks]
        except ObjectUnreadable as refused:
            return str(refused)
        return ""

    def _rows_of(self, rows: list[str]) -> Iterator[KeyedRow]:
        return (KeyedRow(line, "2024-01-02", row) for line, row in enumerate(rows, 2))

    def _cells(self, row: str) -> Cells:
        self.parsed[row] += 1
        words = row.split()
        words += words[-1:] * (self._width - len(words))
        return {f"c{i}": ("N" if word[0].isdigit() else "S", word) for i, word in enumerate(words)}


def test_rows_of_the_same_source_are_not_parsed():
    """They have the same content."""
    rows = CountedRows(5)
    assert rows.judge(["1.5"] * FIRST_ROWS) == ""
    assert not rows.parsed


def test_each_source_is_parsed_once_at_most():
    """It holds whether its rows are equal, differ, or are searched for a column that would distinguish them."""
    rows = CountedRows(SEARCHED_CELLS // FIRST_ROWS)
    sources = [f"{i} 1.5{'0' * (i % 7)} x{i}" for i in range(FIRST_ROWS)]
    assert "lines 2 and 3 have the same key" in rows.judge(sources)
    assert rows.parsed == dict.fromkeys(sources, 1)
    alike = CountedRows(5)
    sources = [f"1.{'0' * i}" for i in range(1, FIRST_ROWS)]
    assert alike.judge([*sources, *sources]) == ""
    assert alike.parsed == dict.fromkeys(sources, 1)


def test_a_column_is_named_though_one_before_it_has_an_empty_cell():
    """Each column is examined on its own."""
    assert "; 'b' would distinguish" in str(refusal("date,a,b\n2024-01-02,,X\n2024-01-02,U,Y\n"))


def test_a_column_may_repeat_where_the_rows_hold_the_same():
    """A number in another form does not make a row different."""
    found = str(refusal("date,n,a\n2024-01-02,1.5,X\n2024-01-02,1.50,X\n2024-01-02,2,Y\n"))
    assert "; 'a' would distinguish" in found


def test_rows_after_the_thousand_are_not_parsed_though_they_come_with_them():
    """A block may hold many more, whether the first one or a later one."""
    rows = CountedRows(2)
    alike = [f"1.{'0' * (i % 3)}0" for i in range(FIRST_ROWS)]
    assert rows.judge([*alike, *["2"] * 500]) == ""
    assert rows.judge(alike[:10], [*alike[10:], *["2"] * 500]) == ""
    assert set(rows.parsed) == {"1.0", "1.00", "1.000"}


def test_in_a_wide_file_fewer_rows_are_looked_at_for_a_column():
    """As many of the first rows are examined as keep their cells within the limit, plus the two that differ."""
    rows = CountedRows(SEARCHED_COLUMNS)
    searched = SEARCHED_CELLS // SEARCHED_COLUMNS
    sources = [f"a{i}" for i in range(FIRST_ROWS)]
    assert "each of 'c0', 'c1' and 'c2' would distinguish" in rows.judge(sources)
    assert rows.parsed == dict.fromkeys(sources[:searched], 1)
    # The same value in another form is not a difference, but a column that has it is not a key, and these two count.
    sources = [f"1.{'0' * (i + 1)} x" for i in range(FIRST_ROWS - 1)]
    found = CountedRows(SEARCHED_COLUMNS).judge([*sources, "2 x"])
    assert f"lines 2 and {FIRST_ROWS + 1} have the same key" in found
    assert "'c0' would distinguish" in found


@pytest.mark.parametrize(("repeated", "named"), [(-1, "'c1'"), (0, "'c0'")])
def test_a_column_that_repeats_among_the_rows_that_are_looked_at_is_not_named(repeated, named):
    """The last row examined counts, and the one after it does not."""
    searched = SEARCHED_CELLS // SEARCHED_COLUMNS
    sources = [f"a{i} b{i}" for i in range(FIRST_ROWS)]
    sources[searched + repeated] = f"a0 b{searched + repeated}"
    assert f"each of {named}" in CountedRows(SEARCHED_COLUMNS).judge(sources)


def test_names_and_the_ticker_are_shown_up_to_a_length():
    """The reason stays one line of bounded length, whatever the header holds."""
    long, broken = "n" * 500, '"two\nlines"'
    found = str(refusal(f"date,{long},{broken}\n2024-01-02,X,U\n2024-01-02,Y,V\n", key=f"in/{'t' * 500}.csv"))
    assert "\n" not in found
    assert f"'{'T' * 60}...'" in found
    assert f"each of '{'n' * 60}...' and 'two\\nlines'" in found


def test_a_column_without_a_name_is_named_by_its_place():
    """Its name is that of its attribute."""
    assert "; 'column_2' would distinguish" in str(refusal("date, \n2024-01-02,X\n2024-01-02,Y\n"))


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [("Instrumnet", "Instrument"), ("last", "Last Price"), ("trade_date", "Trade Date"), ("x" * 99, "Instrument")],
)
def test_a_column_that_is_not_there_has_a_nearest(wanted, nearest):
    """Names are compared by similarity, in any case; there is always a nearest one."""
    found = refusal("Instrument,Trade Date,Last Price\nA,2024-01-02,1\n", CsvDialect(wanted))
    assert (found.setting, found.proposal) == ("TICKER_COLUMN", nearest)
    assert str(found).endswith(f"is not among the columns Instrument,Trade Date,Last Price; the nearest is {nearest!r}")


def test_a_missing_ticker_is_reported_before_a_missing_timestamp():
    """They are reported one at a time."""
    assert refusal("a,b\n1,2\n", CsvDialect("x", "y")).setting == "TICKER_COLUMN"
    assert refusal("a,b\n1,2\n", CsvDialect("a", "y")).setting == "TIMESTAMP_COLUMN"


@pytest.mark.parametrize(
    ("columns", "setting"),
    [
        (CsvDialect("a", "a"), "TICKER_COLUMN"),
        (CsvDialect("date"), "TICKER_COLUMN"),
        (CsvDialect(None, "symbol"), "TIMESTAMP_COLUMN"),
    ],
)
def test_one_column_cannot_be_both(columns, setting):
    """The setting that made it so might fix it."""
    assert refusal("date,symbol,a\n1,2,3\n", columns).setting == setting


def test_a_missing_timestamp_column_can_be_fixed():
    """Naming the column fixes it."""
    assert refusal("Instrument,Trade Date\nA,1\n").setting == "TIMESTAMP_COLUMN"
    assert refusal("date,date\n1,2\n").setting is None
