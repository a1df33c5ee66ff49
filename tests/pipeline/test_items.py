"""Rows -> put requests: columns give exactly what rows give, and are used wherever possible."""

from __future__ import annotations

import json

import pytest

from pipeline.dialect import CsvDialect
from pipeline.items import TEMPLATES_MAX, ItemReader, Items, put_request
from pipeline.rows import MAX_PK_BYTES, ObjectUnreadable, RejectedRow, Row, RowReader

INSTANT = "2024-01-02T03:04:05.000000Z"


def blocks(body: str, columns: CsvDialect = CsvDialect(), key: str = "in/x.csv") -> list[Items | RejectedRow]:  # noqa: B008
    """The output of the item reader for an object in one chunk; it agrees with the row reader's."""
    by_columns, by_rows = ItemReader(key, columns), RowReader(key, columns)
    data = body.encode("utf-8", "surrogateescape")
    found = [*by_columns.feed(data), *by_columns.feed(b"", final=True)]
    rows = [*by_rows.feed(data), *by_rows.feed(b"", final=True)]
    stored = [row for row in rows if isinstance(row, Row)]
    items = [block for block in found if isinstance(block, Items)]
    assert [line for block in items for line in block.lines] == [row.line for row in stored]
    assert [key for block in items for key in block.keys] == [(row.ticker, row.timestamp) for row in stored]
    assert [put for block in items for put in block.puts] == [put_request(row) for row in stored]
    refused = [block for block in found if isinstance(block, RejectedRow)]
    assert refused == [row for row in rows if isinstance(row, RejectedRow)]
    return found


@pytest.fixture
def no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row-by-row path is closed: using it fails the test."""

    def closed(*_: object) -> None:
        raise AssertionError("by rows")

    monkeypatch.setattr("pipeline.items.ItemReader._by_rows", closed)


def items(body: str, columns: CsvDialect = CsvDialect()) -> list[str]:  # noqa: B008 - frozen
    """The items of an object, as JSON without the request around them."""
    reader = ItemReader("in/x.csv", columns)
    found = [*reader.feed(body.encode()), *reader.feed(b"", final=True)]
    puts = [put for block in found if isinstance(block, Items) for put in block.puts]
    return [json.dumps(json.loads(put)["PutRequest"]["Item"], ensure_ascii=False) for put in puts]


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_parts_are_complete_and_of_limited_size(rows):
    """They are in order and complete; what is small enough is passed on unchanged."""
    whole = Items([(str(i), "") for i in range(3)], range(5, 8), list("abc"))
    parts = list(whole.parts(rows))
    assert [len(part.keys) for part in parts] == {1: [1, 1, 1], 2: [2, 1], 3: [3], 4: [3]}[rows]
    assert [line for part in parts for line in part.lines] == [5, 6, 7]
    assert [key for part in parts for key in part.keys] == whole.keys
    assert "".join(put for part in parts for put in part.puts) == "abc"
    assert (parts[0] is whole) == (rows >= 3)


def test_a_put_request_is_one_element_of_a_batch():
    """Keys are strings, numbers are as in the file, and what JSON must escape is escaped."""
    row = Row(2, 'A"', INSTANT, (("open", "N", "1.50"), ('na"me', "S", "line\nend")))
    assert put_request(row) == (
        f'{{"PutRequest":{{"Item":{{"PK":{{"S":"A\\""}},"SK":{{"S":"{INSTANT}"}}'
        ',"open":{"N":"1.50"},"na\\"me":{"S":"line\\nend"}}}}'
    )


@pytest.mark.usefixtures("no_rows")
@pytest.mark.parametrize(
    "lines",
    [
        ["A,2024-01-02,1"],
        ["A,2024-01-02,1", "B,2024-01-03,-2.50", "", ""],
        ["A,2024-01-02T03:04:05Z,1", "A,2024-01-02 03:04:05,2"],
        [f"A,{INSTANT},1", "A,2024-01-03T03:04:05.123456Z,2"],
        ["A,2024-01-02T03:04,1", "A,2024-01-02,1"],
        ["A,2024-01-02,text", "A,2024-01-03,", "A,2024-01-04,1"],
        ["A,2024-01-02,1e5", "A,2024-01-02,-0", "A,2024-01-02,01"],
        ["A,2024-01-02,é", "ü,2024-01-03,\\"],
        ["%s,2024-01-02,%d %%", "%,2024-01-02,1"],
        [f"{'x' * (MAX_PK_BYTES // 4)},2024-01-02,1"],
        [f"A,2024-01-02,{'1' * 18}.{'1' * 18}", f"A,2024-01-02,{'1' * 38}"],
    ],
)
def test_what_is_plain_goes_by_columns(lines):
    """Whole lines never need the row-by-row path while each cell can be stored, whatever kinds a column mixes."""
    (block,) = blocks("\n".join(["ticker,date,n", *lines]) + "\n")
    assert isinstance(block, Items)
    assert len(block.keys) == len(list(filter(None, lines)))


def test_a_blank_line_among_others_is_not_a_row():
    """The lines after it keep their numbers."""
    (block,) = blocks("ticker,date,n\nA,2024-01-02,1\n\n\nB,2024-01-03,2\n")
    assert isinstance(block, Items)
    assert list(block.lines) == [2, 5]


@pytest.mark.usefixtures("no_rows")
def test_quoted_records_go_by_columns_too():
    """All records of a chunk go together; a line end within a cell does not make it two numbers."""
    body = "ticker,date,n\n" + "".join(f'"A","2024-01-02",{i}\n' for i in range(700))
    assert [len(block.keys) for block in blocks(body) if isinstance(block, Items)] == [700]
    for cell in ("1\n2", "1\n2\n3"):
        (item,) = items(f'ticker,date,n\n"A","2024-01-02","{cell}"\n')
        assert json.loads(item)["n"] == {"S": cell}


@pytest.mark.parametrize("cell", ["2024-01-02\n2024-01-03", "2024-01-02\n2024-01-03\n2024-01-04"])
def test_several_lines_of_timestamps_in_one_cell_are_none(cell):
    """Joined with the other cells they look like more cells."""
    (block,) = blocks(f'ticker,date,n\nA,"{cell}",1\n')
    assert isinstance(block, RejectedRow)


def test_one_large_record_among_small_ones_is_measured():
    """The largest of the records examined together decides."""
    found = blocks(f'ticker,date,n\n"A",2024-01-02,{"😀" * 110_000}\n"A",2024-01-02,1\n')
    assert [block.line for block in found if isinstance(block, RejectedRow)] == [2]
    assert [block.lines for block in found if isinstance(block, Items)] == [[3]]


@pytest.mark.usefixtures("no_rows")
@pytest.mark.parametrize("length", [1, MAX_PK_BYTES // 4])
def test_a_files_name_of_any_usual_length_goes_by_columns(length):
    """It holds from one character on, as long as its bytes need not be counted."""
    (block,) = blocks("date,n\n2024-01-02,1\n", key=f"in/{'x' * length}.csv")
    assert isinstance(block, Items)


@pytest.mark.usefixtures("no_rows")
def test_the_files_name_is_the_ticker_by_columns_too():
    """Per cent signs and quotes in it are text."""
    found = [
        json.loads(put)["PutRequest"]["Item"]["PK"]["S"]
        for block in blocks("date,n\n2024-01-02,1\n2024-01-03,x\n", key='in/a%s"b.csv')
        if isinstance(block, Items)
        for put in block.puts
    ]
    assert found == ['A%S"B'] * 2


@pytest.mark.parametrize(
    "line",
    [
        "A,2024-01-02",
        "A,2024-01-02,1,2",
        "A,2024-01-02,1,x,B,2024-01-02,2",
        "A,2024-01-02,1,x,B,2024-01-02,2,x,C,2024-01-02,3",
        ",2024-01-02,1",
        "A,,1",
        "A,2024-02-30,1",
        "A,2024-01-02,1e400",
        f"A,2024-01-02,{'1' * 39}",
        "A,2024-01-02,\udcff",
        "\udcff,2024-01-02,1",
        'A,2024-01-02,"x" y',
    ],
)
@pytest.mark.parametrize("before", ["", "B,2024-01-01,1\n", '"B",2024-01-01,1\n'])
@pytest.mark.parametrize("after", ["", "C,2024-01-01,1\n", '"C",2024-01-01,1\n'])
def test_an_unfit_row_costs_itself_alone(line, before, after):
    """Only that row is rejected, among lines or records, and the rows before and after it are stored."""
    found = blocks(f"ticker,date,n\n{before}{line}\n{after}")
    assert sum(isinstance(block, RejectedRow) for block in found) == 1
    assert sum(len(block.keys) for block in found if isinstance(block, Items)) == bool(before) + bool(after)


@pytest.mark.parametrize("first", ["A,2024-01-02\nB,1,2024-01-02,1", "A,2024-01-02\n2,B,2024-01-02,1"])
def test_rows_of_other_widths_that_make_up_for_each_other_are_rejected(first):
    """With one field too few and one too many, the cells add up, but the rows are wrong."""
    found = blocks(f"ticker,date,n\n{first}\n")
    assert [block.line for block in found if isinstance(block, RejectedRow)] == [2, 3]


@pytest.mark.parametrize("fields", range(1, 12))
@pytest.mark.parametrize(
    ("header", "row"),
    [("ticker,date,n", ["A", "2024-01-02", "1"]), ("date,n", ["2024-01-02", "1"]), ("date", ["2024-01-02"])],
)
def test_a_line_of_another_width_is_one_rejected_row(header, row, fields):
    """It includes one as long as several rows with something between them; the ticker may be the file's name."""
    line, good = ",".join(([*row, "x"] * 6)[:fields]), ",".join(row)
    found = blocks(f"{header}\n{good}\n{line}\n{good}\n")
    assert sum(isinstance(block, RejectedRow) for block in found) == (fields != len(row))


@pytest.mark.parametrize("key", ["in/.csv", f"in/{'x' * (MAX_PK_BYTES // 4 + 1)}.csv", f"in/{'x' * 2049}.csv"])
def test_a_files_name_that_may_be_no_ticker_is_looked_at_by_rows(key):
    """It may be empty, or so long that its bytes must be counted."""
    body = "date,n\n2024-01-02,1\n"
    stored = sum(len(block.keys) for block in blocks(body, key=key) if isinstance(block, Items))
    assert stored == (0 < len(key) - len("in/.csv") <= MAX_PK_BYTES)


@pytest.mark.parametrize("ticker", ["a\tb", 'a""b', "a\\b", "x" * (MAX_PK_BYTES // 4 + 1), "x" * (MAX_PK_BYTES + 1)])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_ticker_that_needs_care_is_looked_at_by_rows(ticker, quote):
    """It covers what JSON must escape, and what is long."""
    if quote or '"' not in ticker:
        blocks(f"ticker,date,n\n{quote}A{quote},2024-01-02,1\n{quote}{ticker}{quote},2024-01-02,1\n")


def test_a_strptime_format_is_not_taken_for_iso():
    """A format that reads an ISO date differently takes precedence, by columns too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr("pipeline.items.ItemReader._by_rows")
        found = items("ticker,date,n\nA,2024-01-02,1\n", CsvDialect(timestamp_format="%Y-%d-%m"))
    assert found == ['{"PK": {"S": "A"}, "SK": {"S": "2024-02-01"}, "n": {"N": "1"}}']
    blocks("ticker,date,n\nA,2024-01-02,1\nB,2024-13-01,2\n", CsvDialect(timestamp_format="%Y-%d-%m"))


@pytest.mark.usefixtures("no_rows")
def test_good_records_among_broken_ones_go_together():
    """A broken line between any two of them does not separate them, except from those before the first."""
    good, broken = '"A",2024-01-02,1\n', 'A,2024-01-02,"x" y\n'
    found = blocks("ticker,date,n\n" + (good + broken) * 100)
    assert [len(block.keys) for block in found if isinstance(block, Items)] == [1, 99]
    assert sum(isinstance(block, RejectedRow) for block in found) == 100


def test_no_more_templates_are_kept_than_may_be():
    """Columns that alternate between numbers and texts make many kinds of rows, and each is still read correctly."""
    names = [f"c{i}" for i in range(8)]
    reader = ItemReader("in/x.csv", CsvDialect())
    list(reader.feed(f"ticker,date,{','.join(names)}\n".encode()))
    for shape in range(2 * TEMPLATES_MAX + 1):
        cells = ["1" if shape >> i & 1 else "x" for i in range(8)]
        (block,) = reader.feed(f"A,2024-01-02,{','.join(cells)}\n".encode())
        assert isinstance(block, Items)
        item = json.loads(block.puts[0])["PutRequest"]["Item"]
        assert [item[name] for name in names] == [{"N": "1"} if cell == "1" else {"S": "x"} for cell in cells]
        assert reader._encoder is not None
        assert len(reader._encoder._templates) <= TEMPLATES_MAX


def test_rows_of_one_key_are_compared_by_what_they_hold():
    """If the ticker is the file's name, a different cell is refused, an equal one is not."""
    blocks('date,a,b\n2024-01-02,1.0,x\n2024-01-02,1,x\n"2024-01-02",1,"x"\n')
    with pytest.raises(ObjectUnreadable, match="lines 2 and 3 have the same key but differ"):
        blocks("date,a,b\n2024-01-02,1,x\n2024-01-02,1,y\n")


def test_records_and_lines_come_in_the_files_order():
    """What was quoted is passed on before the lines after it, and no block is empty."""
    body = 'ticker,date,n\n"A",2024-01-02,1\nB,2024-01-02,2\n'
    reader = ItemReader("in/x.csv", CsvDialect())
    found = [*reader.feed(body.encode() + b"C,2024"), *reader.feed(b"-01-02,3\n"), *reader.feed(b"", final=True)]
    assert [block.keys for block in found if isinstance(block, Items)] == [
        [("A", "2024-01-02"), ("B", "2024-01-02")],
        [("C", "2024-01-02")],
    ]
    rejected = blocks('ticker,date,n\nA,2024-01-02\n"A",2024-01-02\n')
    assert [type(block) for block in rejected] == [RejectedRow, RejectedRow]


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.usefixtures("no_rows")
def test_columns_are_taken_as_long_as_no_row_can_be_too_large(quote, extra):
    """The measure is characters: of all lines together, of each record; above it, the bytes of each row are counted."""
    reader = RowReader("in/x.csv", CsvDialect())
    list(reader.feed(b"ticker,date,n\n"))
    assert reader.schema is not None
    # A line counts with its commas and its end, a record with its cells.
    around = len("A2024-01-02") + (0 if quote else len(",,\n"))
    text = "x" * (reader.schema.safe_chars - around + extra)
    body = f"ticker,date,n\nA,2024-01-02,{quote}{text}{quote}\n"
    if extra:
        with pytest.raises(AssertionError, match="by rows"):
            items(body)
    else:
        assert len(items(body)) == 1


ALL = CsvDialect(
    timestamp_column="Day+Clock",
    time_zone="Asia/Kolkata",
    decimal_separator=",",
    comment="#",
    null_values=frozenset({"NA"}),
    lenient_numbers=True,
)


@pytest.mark.usefixtures("no_rows")
@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["A;2024-01-02;09:30;1,5;x"], 1),
        (["A;2024-01-02;09:30;1,5;x", "", " \t ", "# no", "A;2024-01-02;09:31;1,5;x"], 2),
        ([" A ; 2024-01-02 ; 09:30 ; 1,5 ; x y "], 1),
        (["A;2024-01-02;09:30;NA;NA", "A;2024-01-02;09:31;1.234,5;2"], 2),
        (["A;20240102;093000;+1;,5"], 1),
        (["A;2024-01-02;9:30;1;1", "A;2024-01-02;10:30;1;1"], 2),
        (["A;2024-01-02;;1;1"], 1),
        (['"A";2024-01-02;09:30;"1,5";"NA"', 'A; 2024-01-02 ;09:30; "x" ;NA'], 2),
        (["A;1704189600;;1;1", "A;1704189601;;1;1"], 2),
    ],
)
def test_what_a_dialect_reads_goes_by_columns(lines, count):
    """Semicolons, decimal commas, joined local times, blanks, comments and empty words never go row by row."""
    found = blocks("\n".join(["ticker;day;clock;n;m", *lines]) + "\n", ALL)
    assert sum(len(block.keys) for block in found if isinstance(block, Items)) == count
    assert not any(isinstance(block, RejectedRow) for block in found)


def test_a_dialects_items_are_what_its_rules_say():
    """Numbers have a point, instants are in UTC, and blanks and empty words are gone."""
    found = items("ticker;day;clock;n;m\n A ;2024-01-02; 09:30 ;1.234,50; NA\nB;2024-01-02;00:00:01;,5; x \n", ALL)
    assert found == [
        '{"PK": {"S": "A"}, "SK": {"S": "2024-01-02T04:00:00.000000Z"}, "n": {"N": "1234.50"}}',
        '{"PK": {"S": "B"}, "SK": {"S": "2024-01-01T18:30:01.000000Z"}, "n": {"N": "0.5"}, "m": {"S": "x"}}',
    ]


@pytest.mark.usefixtures("no_rows")
@pytest.mark.parametrize("nulls", [frozenset[str](), frozenset({"NA"})])
@pytest.mark.parametrize(
    "line", [" A\t,\t2024-01-02 , 1\t,\tx ", "A , 2024-01-02,1 ,\tx", '\t"A" , "2024-01-02"\t, "1",\t"x" ']
)
@pytest.mark.parametrize("other", ["B,2024-01-03,2,y", " B\t,\t2024-01-03 ,\t2 , y\t"])
def test_blanks_at_edges_do_not_count_by_columns_either(nulls, line, other):
    """It holds for all blanks, in the key and other cells, in one cell of a column or in all."""
    body = f"ticker,date,n,m\n{line}\n{other}\n"
    blocks(body, CsvDialect(null_values=nulls))
    assert items(body, CsvDialect(null_values=nulls)) == [
        '{"PK": {"S": "A"}, "SK": {"S": "2024-01-02"}, "n": {"N": "1"}, "m": {"S": "x"}}',
        '{"PK": {"S": "B"}, "SK": {"S": "2024-01-03"}, "n": {"N": "2"}, "m": {"S": "y"}}',
    ]


@pytest.mark.usefixtures("no_rows")
@pytest.mark.parametrize("nulls", [frozenset[str](), frozenset({"NA"})])
def test_blanks_in_quotes_are_kept_by_columns_too(nulls):
    """It holds in a ticker and any other cell, and even if the cell would be a number without them."""
    body = 'ticker,date,n,m\n" A ","2024-01-02"," 1","\tx "\n'
    blocks(body, CsvDialect(null_values=nulls))
    assert items(body, CsvDialect(null_values=nulls)) == [
        '{"PK": {"S": " A "}, "SK": {"S": "2024-01-02"}, "n": {"S": " 1"}, "m": {"S": "\\tx "}}'
    ]
