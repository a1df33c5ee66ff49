"""Bytes -> records: lines, their ends, and both sides of each limit."""

from __future__ import annotations

import pytest

from fakes.records import by_line, entries, pieces, read
from pipeline.dialect import CsvDialect
from pipeline.text import MAX_RECORD_CHARS, SHOWN_CHARS, SLICE_BYTES, Lines, Parsed, RecordReader, RejectedRow


def test_plain_lines_stay_together():
    """A chunk of whole lines is one record, with the number of its first line; the rest waits for its line end."""
    assert read(b"a,b\n\nc,d\ne", b",f\n", b"g") == [Lines(1, "a,b\n\nc,d\n"), Lines(4, "e,f\n"), Lines(5, "g\n")]
    assert read(b"a\r\nb\r", b"\nc\n") == [Lines(1, "a\n"), Lines(2, "b\nc\n")]
    assert read(b"a\rb\r", b"c\r") == [Lines(1, "a\n"), Lines(2, "b\n"), Lines(3, "c\n")]
    assert read(b"a\r\r\nb\r\n\r\r\nc\r") == [Lines(1, "a\n\nb\n\n\n"), Lines(6, "c\n")]
    assert read(b"") == []


def test_the_reader_says_what_a_chunk_completes_at_once():
    """Only text without a line end yet, and the second half of one, wait for the object's end."""
    reader = RecordReader(CsvDialect())
    assert list(reader.feed(b"a\nb")) == [Lines(1, "a\n")]
    assert list(reader.feed(b"c\r")) == []
    assert list(reader.feed(b"\nd\r")) == [Lines(2, "bc\n")]
    assert list(reader.feed(b"e\n", final=True)) == [Lines(3, "d\ne\n")]


OVERLONG = f"a line of more than {MAX_RECORD_CHARS} characters"


@pytest.mark.parametrize("size", [SLICE_BYTES, MAX_RECORD_CHARS, 2 * MAX_RECORD_CHARS])
@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_line_has_a_maximum_length(size, extra, end):
    """Its line end counts; a longer line is rejected with its first characters, and the rest is read and counted."""
    line = "x" * (MAX_RECORD_CHARS - len(end) + extra)
    found = by_line(read(*pieces(f"a{end}{line}{end}b{end}".encode(), size)))
    assert found == [(1, ["a"]), (2, (OVERLONG, line[:SHOWN_CHARS]) if extra else [line]), (3, ["b"])]


def test_an_endless_line_is_given_up_once():
    """It is rejected when it exceeds the limit; the rest is skipped without being collected, up to the object's end."""
    reader = RecordReader(CsvDialect())
    found = [record for _ in range(5) for record in reader.feed(b"x" * MAX_RECORD_CHARS)]
    assert found == [RejectedRow(1, OVERLONG, ("x" * SHOWN_CHARS,), OVERLONG, "x" * SHOWN_CHARS)]
    assert reader._carry_chars == 0
    assert list(reader.feed(b"", final=True)) == []


def test_after_an_overlong_line_reading_goes_on_within_the_same_chunk():
    """The chunk that ends the long line has lines of its own, and the beginning of one."""
    reader = RecordReader(CsvDialect())
    assert len(list(reader.feed(b"x" * (MAX_RECORD_CHARS + 1)))) == 1
    assert list(reader.feed(b"xx\nb,c\nd")) == [Lines(2, "b,c\n")]
    assert list(reader.feed(b"e\nf\ng")) == [Lines(3, "de\nf\n")]
    assert list(reader.feed(b"", final=True)) == [Lines(5, "g\n")]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("before", ["", "x"])
def test_the_end_of_an_overlong_line_may_begin_a_chunk(end, before):
    """It holds for any kind of end: the line after it is read, and has its number."""
    reader = RecordReader(CsvDialect())
    assert len(list(reader.feed(b"x" * (MAX_RECORD_CHARS + 1)))) == 1
    found = [*reader.feed(f"{before}{end}b\rc\n".encode()), *reader.feed(b"", final=True)]
    assert found == [Lines(2, "b\nc\n")]


@pytest.mark.parametrize(("mark", "encoding"), [("", "UTF-8"), ("\ufeff", "UTF-16")])
def test_the_encoding_has_a_name(mark, encoding):
    """It is the one that was found, once a record has come."""
    reader = RecordReader(CsvDialect())
    assert list(reader.feed(f"{mark}a\n".encode("utf-16-le" if mark else "utf-8"), final=True)) == [Lines(1, "a\n")]
    assert reader.encoding == encoding


def test_lines_before_the_first_record_are_counted():
    """It includes blank lines and comments while the delimiter is unknown."""
    reader = RecordReader(CsvDialect(comment="#"))
    assert list(reader.feed(b"\n#\n \na,b\nc\n")) == [Lines(4, "a,b\nc\n")]


def test_comments_are_empty_lines():
    """So the others keep their numbers."""
    reader = RecordReader(CsvDialect(comment="#", delimiter=","))
    assert list(reader.feed(b"a,b\n #c\n#\nd,#\n")) == [Lines(1, "a,b\n\n\nd,#\n")]


def test_lines_are_counted_by_their_ends():
    """It also holds after records with quotes, whichever ends they have."""
    reader = RecordReader(CsvDialect(delimiter=","))
    reader.expect(1)
    assert by_line(reader.feed(b'"a"\r\n"b"\r\n"c"\r"d"\n')) == [(1, ["a"]), (2, ["b"]), (3, ["c"]), (4, ["d"])]
    assert list(reader.feed(b"e\n")) == [Lines(5, "e\n")]


def test_a_width_may_be_known_before_anything_is_read():
    """Then it applies to the first record, too."""
    reader = RecordReader(CsvDialect())
    reader.expect(2)
    assert by_line(reader.feed(b'"a\nb"\nc,d\n', final=True)) == [
        (1, ("a quoted field over 2 lines, and 1 fields where the header has 2", '"a')),
        (2, ['b"']),
        (3, ["c", "d"]),
    ]


def test_an_open_record_is_given_up_when_a_line_within_it_grows_beyond_the_bound():
    """What it held so far is read at once, the unfinished line later."""
    reader = RecordReader(CsvDialect())
    reader.expect(2)
    assert list(reader.feed(b'"a\nb,c\n' + b"d" * 100)) == []
    found = list(reader.feed(b"d" * MAX_RECORD_CHARS))
    assert by_line(found) == [
        (1, ("a quoted field that does not end", '"a')),
        (2, ["b", "c"]),
        (3, (OVERLONG, "d" * SHOWN_CHARS)),
    ]
    assert list(reader.feed(b"d\ne,f\n")) == [Lines(4, "e,f\n")]
    assert list(reader.feed(b"", final=True)) == []


def test_lines_after_an_open_record_are_plain_again():
    """Lines without quotes are left unsplit as soon as no record is open."""
    reader = RecordReader(CsvDialect(delimiter=","))
    reader.expect(1)
    assert list(reader.feed(b'"a\n')) == []
    assert list(reader.feed(b'b"\nc\n')) == [Parsed([1], [["a\nb"]]), Parsed([3], [["c"]])]
    assert list(reader.feed(b"d\n")) == [Lines(4, "d\n")]
    assert list(reader.feed(b"e\rf\n")) == [Lines(5, "e\nf\n")]
    assert list(reader.feed(b"g", final=True)) == [Lines(7, "g\n")]


def test_a_chunk_of_any_size_is_taken_in_slices():
    """However much is fed at once, at most one slice is held."""
    line = b"x" * 99 + b"\n"
    lengths = [len(record.text) for record in read(line * 2000) if isinstance(record, Lines)]
    assert sum(lengths) == 200_000
    assert max(lengths) < SLICE_BYTES + len(line)


def test_what_is_left_at_the_end_is_read_then():
    """It covers a line without an end, a character cut short, and a quote that stays open."""
    assert read(b"a\xc3") == [Lines(1, "a\udcc3\n")]
    assert by_line(read(b'"a\n')) == [(1, ("a quoted field that does not end", '"a'))]
    assert by_line(read(b'b\n"a')) == [(1, ["b"]), (2, ("a quoted field that does not end", '"a'))]


def test_a_record_of_several_lines_has_the_expected_width():
    """Any other width is broken; before it is known, the first record may have any."""
    reader = RecordReader(CsvDialect())
    assert by_line(reader.feed(b'"a\nb"\n')) == [(1, ["a\nb"])]
    reader.expect(2)
    assert by_line(reader.feed(b'"a\nb"\n')) == [
        (3, ("a quoted field over 2 lines, and 1 fields where the header has 2", '"a')),
        (4, ['b"']),
    ]


def test_lines_are_skipped_however_long_they_are():
    """They are not parsed, despite their quotes, and not collected; those after them keep their numbers."""
    reader = RecordReader(CsvDialect(skip_lines=2))
    for _ in range(3):
        assert list(reader.feed(b'"x' * MAX_RECORD_CHARS)) == []
    assert reader._carry_chars == 0
    assert list(reader.feed(b"\r\n\ra\n")) == [Lines(3, "a\n")]


@pytest.mark.parametrize("cut", range(1, 12))
@pytest.mark.parametrize("line", ["sep=;", '"SEP=;"'])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_the_first_line_may_say_what_delimits(cut, line, end):
    """It holds wherever it is cut, and whatever the setting says; it counts as a line."""
    body = f"{line}{end}a;b,c{end}".encode()
    reader = RecordReader(CsvDialect(delimiter=","))
    found = [*reader.feed(body[:cut]), *reader.feed(body[cut:]), *reader.feed(b"", final=True)]
    assert by_line(found, reader.fields) == [(2, ["a", "b,c"])]


@pytest.mark.parametrize(
    "line", ["sep=", "sep=;;", '"sep=;', 'sep=;"', " sep=;", "sep=; ", "sep", "sep:;", 'sep="', "sep=\0", "sep=\udcff"]
)
def test_a_line_that_says_nothing_of_the_kind_is_a_line(line):
    """The line needs exactly these characters, and one that can delimit."""
    found = entries(f"{line}\nx;y\n".encode(errors="surrogateescape"), dialect=CsvDialect(delimiter="|"))
    assert [number for number, _ in found] == [1, 2]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b;c;d", ";"),
        ("a\tb\tc,d", "\t"),
        ("a|b", "|"),
        ("a", ","),
        ("a;b|c", ","),
        ("a;b;c|d|e,f", ","),
        ('"a;b;c",d', ","),
        (' "a;b;c",d', ","),
        ('x"a;b;c",d', ";"),
        ('"a;""b;c",d', ","),
        ('"a;\n\r;;c",d', ","),
        ('"a";"b,,,"x,,', ","),
        ('"a" "b;;;",c', ";"),
        ('a;\t"b|||"', ","),
        ("\n \t\n  a;b,c;d\n,,,,,", ";"),
        ("#,,,\na;b", ";"),
        ('"a;b', ","),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_delimiter_is_what_the_first_record_has_most_of(text, delimiter, size):
    """Only characters outside quotes, up to the line end, count; a tie decides nothing."""
    reader = RecordReader(CsvDialect(comment="#"))
    chunks = pieces(text.encode(), size)
    for chunk in chunks:
        list(reader.feed(chunk))
    list(reader.feed(b"", final=True))
    assert reader.fields.delimiter == delimiter


@pytest.mark.parametrize(
    ("row", "names", "delimiter"),
    [("1,5;2,5", 2, ";"), ("1,5;2,5;3", 4, ","), ("a;b|c", 2, ","), ("a,b;c,d", 2, ";"), ("a;b;c,d", 9, ";")],
)
def test_with_names_the_delimiter_is_what_gives_that_number_of_fields(row, names, delimiter):
    """It applies if exactly one does; otherwise the most frequent one wins."""
    reader = RecordReader(CsvDialect(column_names=tuple(f"c{i}" for i in range(names))))
    list(reader.feed(f"{row}\n".encode()))
    assert reader.fields.delimiter == delimiter


@pytest.mark.parametrize("size", [SLICE_BYTES, 2 * MAX_RECORD_CHARS])
@pytest.mark.parametrize("extra", [0, 1])
def test_the_delimiter_is_searched_for_in_a_limited_number_of_characters(size, extra):
    """A longer first record is judged by its beginning: the last of those characters counts, none after it."""
    reader = RecordReader(CsvDialect())
    text = "|" + "x" * (MAX_RECORD_CHARS - 3 + extra) + ";;" + "|" * 9
    for chunk in pieces(text.encode(), size):
        list(reader.feed(chunk))
    assert reader.fields.delimiter == ("," if extra else ";")


@pytest.mark.parametrize("sign", [" ", '" "', "\r", "#", '"', ' "', "# ", "\t", "a ", '""', ", ", ';"'])
@pytest.mark.parametrize(
    "dialect", [CsvDialect(), CsvDialect(comment="#", null_values=frozenset({" "}), delimiter=";")]
)
def test_two_megabytes_of_anything_are_read_in_linear_time(sign, dialect):
    """They may be blanks, quoted ones, line ends or comments: a quadratic reading would take hours."""
    body = b"a,b\n" + (sign * (2 * MAX_RECORD_CHARS // len(sign))).encode() + b"\nx,y\n"
    found = read(*pieces(body, SLICE_BYTES), dialect=dialect)
    assert found
