"""Reading any bytes never crashes, never drops rows silently, and gives the same outcome for every path and cut."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import text as text_module
from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader, Items, put_request
from pipeline.rows import ObjectUnreadable, Row, RowReader
from pipeline.text import MAX_RECORD_CHARS

KEY = "stocks/a.csv"


def cut(body: bytes, cuts: list[int]) -> list[bytes]:
    """The body in pieces, cut at these places."""
    places = [0, *sorted(place % (len(body) + 1) for place in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(places)]


def all_of(reader: Any, chunks: list[bytes]) -> tuple[list[Any], list[tuple[str, ...]]]:
    """A reader's output for these chunks and, if the object turns out unreadable, the reason."""
    found = []
    try:
        for number, chunk in enumerate([*chunks, b""]):
            for one in reader.feed(chunk, final=number == len(chunks)):
                found.append(one)  # noqa: PERF402 - what came before the reader raises counts
    except ObjectUnreadable as error:
        return found, [("unreadable", str(error), str(error.setting), str(error.proposal))]
    return found, []


def by_rows(chunks: list[bytes], columns: CsvDialect = CsvDialect(), key: str = KEY) -> list[tuple[str, ...]]:  # noqa: B008
    """The row reader's output in a comparable form, and the reason where it ends."""
    found, outcome = all_of(RowReader(key, columns), chunks)
    return outcome + sorted(
        ("put", str(row.line), put_request(row))
        if isinstance(row, Row)
        else ("no", str(row.line), row.reason, *row.row)
        for row in found
    )


def by_columns(chunks: list[bytes], columns: CsvDialect = CsvDialect(), key: str = KEY) -> list[tuple[str, ...]]:  # noqa: B008
    """The same for the item reader."""
    found, unreadable = all_of(ItemReader(key, columns), chunks)
    outcome: list[tuple[str, ...]] = []
    for block in found:
        if isinstance(block, Items):
            assert len(block.keys) == len(block.lines) == len(block.puts)
            for key, put in zip(block.keys, block.puts, strict=True):
                item = json.loads(put)["PutRequest"]["Item"]
                assert (item["PK"]["S"], item["SK"]["S"]) == key
            outcome += [("put", str(line), put) for line, put in zip(block.lines, block.puts, strict=True)]
        else:
            outcome.append(("no", str(block.line), block.reason, *block.row))
    return unreadable + sorted(outcome)


pieces = st.sampled_from(
    [
        *(
            "date",
            "ticker",
            "A",
            "2024-01-02",
            "2024-02-30",
            "2024-01-02T03:04:05Z",
            "2024-01-02 03:04:05",
            "1.5",
            "-0",
        ),
        *(
            "1e400",
            "01",
            "",
            " ",
            ",",
            ",",
            ",",
            ",",
            "\n",
            "\n",
            "\n",
            "\r\n",
            "\r",
            '"',
            '""',
            "é",
            "\ufeff",
            "\0",
            "%s",
        ),
        *("\\", "\t", "x" * 50, "1234567890" * 4, "\ud800"),
    ]
)
texts = st.lists(pieces, max_size=60).map("".join)
bodies = st.one_of(
    st.binary(max_size=300),
    texts.map(lambda text: ("ticker,date,n\n" + text).encode("utf-8", "surrogatepass")),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    texts.map(lambda text: ("\ufeffdate,n\n" + text).encode("utf-16-le", "surrogatepass")),
    texts.map(lambda text: gzip.compress(("date,n\n" + text).encode("utf-8", "surrogatepass"), mtime=0)),
)
lines = st.lists(
    st.sampled_from(
        [
            "A,2024-01-02,1",
            'B,2024-01-03,"2"',
            'B,2024-01-03,"',
            '"A,2024-01-02,3',
            'A,2024-01-02,"x" y',
            'A,2024-01-02,"a","',
            'C,"2024-01-02","a\nb"',
            "A,2024-01-02,1,2",
            "",
            '"',
        ]
    ),
    max_size=200,
).map(lambda lines: ("ticker,date,n\n" + "\n".join(lines)).encode())


@settings(max_examples=250, deadline=None)
@given(
    body=lines,
    damage=st.sampled_from(["none", "a bit", "the end", "not gzip"]),
    at=st.integers(0, 10**6),
    cuts=st.lists(st.integers(0, 10**6), max_size=5),
)
def test_stray_quotes_and_damage_have_one_outcome(body, damage, at, cuts):
    """The rows read before an object turns out unreadable, and the reason, depend on its bytes alone."""
    if damage != "not gzip":
        body = gzip.compress(body, mtime=0)
        at %= len(body)
    if damage == "a bit":
        body = body[:at] + bytes([body[at] ^ 1 << at % 8]) + body[at + 1 :]
    elif damage == "the end":
        body = body[:at]
    expected = by_rows([body])

    assert by_columns([body]) == expected
    assert by_rows(cut(body, cuts)) == expected
    assert by_columns(cut(body, cuts)) == expected
    assert by_rows([body[i : i + 1] for i in range(len(body))]) == expected


@settings(max_examples=250, deadline=None)
@given(body=bodies, cuts=st.lists(st.integers(0, 10_000), max_size=5))
@example(body=b"date,n\n2024-01-02,1\n2024-01-02,\xc3", cuts=[])
@example(body=b"date,n\r\n2024-01-02,1\r", cuts=[8])
@example(body=b'date,n\n"2024-01-02\n2024-01-03,1\n', cuts=[20])
def test_any_bytes_have_one_outcome(body, cuts):
    """No bytes crash a reader; rows, columns and cuts agree on every row and every reason."""
    expected = by_rows([body])

    assert by_columns([body]) == expected
    assert by_rows(cut(body, cuts)) == expected
    assert by_columns(cut(body, cuts)) == expected


fields = st.sampled_from(
    [
        *(
            "A",
            "b c",
            "NA",
            "-",
            "",
            " ",
            "\t",
            "#x",
            "é",
            '"q"',
            '"a;b"',
            ' "NA" ',
            '"two\nlines"',
            '"',
            "\0",
            "\udcff",
        ),
        *("1", "-1,5", "1.5", "+007", "1,234", "1.234,5", ",5", "5.", "1e400", "1,23", '"1,5"', '"1.234"', "-0", "01"),
        *("1,234,567,890,123,456,789.5", "12345678901234567890", " 7 ", "1e5", "+1.5e-3"),
    ]
)
moments = st.sampled_from(
    [
        *(
            "2024-01-02",
            "2024-03-10",
            "20240110",
            " 2024-11-03",
            "2024-02-29",
            "2024-02-30",
            "0001-01-01",
            "9999-12-31",
        ),
        *("2024-01-02 09:30", "2024-03-10 02:30:00", "2024-11-03T01:30:00", "2024-01-02 9:30:05.5", "20240102 153000"),
        *("2024-01-02 09:30:00.123", "2024-01-02T09:30:00.123456", "2024-01-02T09:30:00,123Z", "20240102T1530"),
        *("1704189600", "1704189600123", "1704189600123456", "1704189600123456000", "1704189600123456789", "170418960"),
        *(
            "2024-01-02T03:04:05Z",
            "2024-01-02T03:04:05+05:30",
            "02.01.2024 09:30 UTC",
            "02.01.2024 09:30 CET",
            '"2024-01-02"',
        ),
        *(
            "2024-04-07 01:45:00",
            "2024-10-06 02:15:00",
            "1890-01-01 00:00:00",
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
        ),
    ]
)
clocks = st.sampled_from(
    ["", "09:30", "09:30:00", "9:30", "02:30:00", "01:30:00", "093000", '"09:30:00.5"', "Z", "00:00:00.000001"]
)
headers = [
    ["ticker", "date", "n"],
    ["Date", "Time", "n"],
    ["<TICKER>", "<DATE>", "<TIME>", "<VOL>"],
    ["date", "n", "note"],
]
dialects = st.builds(
    CsvDialect,
    timestamp_format=st.sampled_from([None, None, "%d.%m.%Y %H:%M %Z", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"]),
    time_zone=st.sampled_from(
        [None, "UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia"]
    ),
    delimiter=st.sampled_from([None, None, ",", ";", "\t", "|"]),
    decimal_separator=st.sampled_from([".", ","]),
    skip_lines=st.sampled_from([0, 0, 0, 0, 1]),
    comment=st.sampled_from([None, "#"]),
    column_names=st.sampled_from([None, None, None, ("date", "n", "note")]),
    encoding=st.sampled_from([None, None, None, "utf-8", "cp1252", "shift_jis", "utf-16-be"]),
    null_values=st.sampled_from([frozenset[str](), frozenset({"NA", "-", "-0"})]),
    lenient_numbers=st.booleans(),
)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, CsvDialect]:
    """Settings, and a file that mostly fits them: columns of one kind each, with an occasional cell of another."""
    dialect = draw(dialects)
    header = draw(st.sampled_from(headers))
    sign = dialect.delimiter or draw(st.sampled_from([",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    kinds = [moments if "date" in name.lower() else clocks if "time" in name.lower() else fields for name in header]
    usual = [[draw(kind) for kind in kinds] for _ in range(2)]
    dirt = draw(st.sampled_from([1000, 10, 3]))
    lines = []
    for _ in range(draw(st.integers(0, 12))):
        row = [
            draw(kind) if draw(st.integers(1, dirt)) == dirt else draw(st.sampled_from(column))
            for kind, *column in zip(kinds, *usual, strict=True)
        ]
        if draw(st.integers(1, 2 * dirt)) == dirt:
            row.append(draw(fields))
        line = sign.join(row)
        lines.append(draw(st.sampled_from([line] * 5 + ["", " ", "# x", f" {line} "])) if dirt < 1000 else line)
    lines = ["skipped"] * dialect.skip_lines + [sign.join(header)] * (dialect.column_names is None) + lines
    text = (
        draw(st.sampled_from(["", "", "\ufeff", f"sep={sign}\n"])) + end.join(lines) + draw(st.sampled_from(["", end]))
    )
    if dialect.encoding in (None, "utf-8"):
        return text.encode("utf-8", "surrogateescape"), dialect
    return text.encode(dialect.encoding, "replace"), dialect


@settings(max_examples=300, deadline=None)
@given(
    example=files() | st.tuples(bodies, dialects),
    cuts=st.lists(st.integers(0, 10_000), max_size=5),
    key=st.sampled_from([KEY, "in/.csv"]),
)
def test_any_dialect_has_one_outcome(example, cuts, key):
    """Rows, columns and cuts agree on every row and every reason, whatever the settings are."""
    body, dialect = example
    expected = by_rows([body], dialect, key)

    assert by_columns([body], dialect, key) == expected
    assert by_rows(cut(body, cuts), dialect, key) == expected
    assert by_columns(cut(body, cuts), dialect, key) == expected
    assert by_columns([body[i : i + 1] for i in range(len(body))], dialect, key) == expected


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    table=st.lists(st.lists(cells, min_size=3, max_size=3), max_size=20),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_no_record_is_dropped(table, quoting):
    """Whatever Python's own CSV writer writes, each record comes out once, stored or rejected."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=quoting)
    writer.writerow(["ticker", "date", "n"])
    writer.writerows(table)

    outcome = by_columns([written.getvalue().encode()])

    assert len(outcome) == len(table)


def test_what_is_stored_is_what_was_written():
    """Numbers keep every digit as written, strings every character."""
    cells = ["0.10", "1e5", "-0", "12345678901234567890123456789012345678", "a,b", 'say "hi"', "line\nbreak", " x\n"]
    written = io.StringIO()
    csv.writer(written).writerows([["date", *(f"c{i}" for i in range(len(cells)))], ["2024-01-02", *cells]])
    reader = RowReader(KEY, CsvDialect())

    (row,) = [*reader.feed(written.getvalue().encode()), *reader.feed(b"", final=True)]

    assert isinstance(row, Row)
    assert [text for _, _, text in row.cells] == cells
    assert [kind for _, kind, _ in row.cells] == ["N", "N", "N", "N", "S", "S", "S", "S"]


def test_a_row_of_400_kb_is_stored_and_a_longer_one_rejected():
    """The limit applies to the item: names and values in UTF-8, not characters."""
    names = len("PKSK") + len("A") + len("2024-01-02") + len("note")
    fits = "é" * ((400 * 1024 - names) // 2)
    body = f"ticker,date,note\nA,2024-01-02,{fits}\nA,2024-01-02,{fits}é\nA,2024-01-03,short\n".encode()

    for read in (by_rows, by_columns):
        no, short, long = read([body])
        assert no[:3] == ("no", "3", "an item of 409601 bytes; DynamoDB holds 409600")
        assert (short[:2], long[:2]) == (("put", "2"), ("put", "4"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"2024-01-01," + b"x" * (MAX_RECORD_CHARS + 10), f"a line of more than {MAX_RECORD_CHARS} characters"),
        (b'2024-01-01,"' + b"x" * (MAX_RECORD_CHARS + 10), f"a line of more than {MAX_RECORD_CHARS} characters"),
        (b'2024-01-01,"' + (b"x" * 999 + b"\n") * (MAX_RECORD_CHARS // 1000 + 10), "a quoted field that does not end"),
    ],
)
def test_an_endless_record_costs_itself_alone(line, reason):
    """Neither an endless line nor an open quote grows without bound, and what follows is read."""
    body = b"date,n\n2024-01-02,1\n" + line + b"\n2024-01-03,2\n"

    outcome = by_columns([body[i : i + 65536] for i in range(0, len(body), 65536)])

    assert outcome == by_columns([body])
    assert {put for kind, _, put, *_ in outcome if kind == "put"} == {
        '{"PutRequest":{"Item":{"PK":{"S":"A"},"SK":{"S":"2024-01-02"},"n":{"N":"1"}}}}',
        '{"PutRequest":{"Item":{"PK":{"S":"A"},"SK":{"S":"2024-01-03"},"n":{"N":"2"}}}}',
    }
    assert ("no", "3", reason) in {entry[:3] for entry in outcome}


def read_through(reader: ItemReader, body: bytes) -> None:
    """Read all of it, and keep nothing."""
    for start in range(0, len(body), 65536):
        for _ in reader.feed(body[start : start + 65536]):
            pass


def test_a_gzip_bomb_is_refused_in_bounded_memory():
    """A megabyte that inflates to a gigabyte is rejected long before, with little memory in use."""
    deflater = zlib.compressobj(9, wbits=31)
    chunk = b"2024-01-02,1\n" * 80_000
    bomb = deflater.compress(b"date,n\n") + b"".join(deflater.compress(b"\0" * 2**20) for _ in range(100))
    bomb += deflater.compress(chunk) + deflater.flush()
    reader = ItemReader(KEY, CsvDialect())
    tracemalloc.start()
    try:
        with pytest.raises(ObjectUnreadable, match="a gzip bomb"):
            read_through(reader, bomb)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()


def test_several_gzip_members_and_padding_are_one_text():
    """`cat a.gz b.gz` makes such files, and tape archives pad them."""
    body = gzip.compress(b"date,n\n2024-01-02,1\n") + gzip.compress(b"2024-01-03,2\n") + b"\0\0\0"

    assert len(by_columns([body])) == len(by_columns(cut(body, [1, 20, 41, 60, 75]))) == 2


def test_memory_does_not_grow_with_the_object():
    """Ten times the rows need the same peak of memory."""

    def peak(rows: int) -> int:
        reader = ItemReader(KEY, CsvDialect())
        tracemalloc.start()
        for start in range(0, rows, 1000):
            chunk = "".join(f"2024-01-02T00:00:00.{i:06d}Z,{i}\n" for i in range(start, start + 1000))
            for _ in reader.feed((("date,n\n" if not start else "") + chunk).encode()):
                pass
        return_value = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return return_value

    peak(2000)
    assert peak(20_000) < 1.2 * peak(4000)


def test_the_limits_fit_together():
    """A chunk's rows fit into the limits of reading by columns."""
    reader = RowReader(KEY, CsvDialect())
    list(reader.feed(b"ticker,date,open,high,low,close,volume\n"))
    assert reader.schema is not None
    assert reader.schema.safe_chars > 1.2 * text_module.SLICE_BYTES
