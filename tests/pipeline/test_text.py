"""Bytes -> records: lines, their ends, and both sides of each bound."""

from __future__ import annotations

import pytest

from fakes.records import by_line, pieces, read
from pipeline.text import MAX_RECORD_CHARS, SHOWN_CHARS, SLICE_BYTES, Lines, Parsed, RecordReader, RejectedRow


def test_plain_lines_stay_together():
    """A chunk of whole lines is one record, by the number of its first line; the rest waits for its line end."""
    assert read(b"a,b\n\nc,d\ne", b",f\n", b"g") == [Lines(1, "a,b\n\nc,d\n"), Lines(4, "e,f\n"), Lines(5, "g\n")]
    assert read(b"a\r\nb\r", b"\nc\n") == [Lines(1, "a\n"), Lines(2, "b\nc\n")]
    assert read(b"a\r\r\nb\r\n\r\r\nc\r") == [Lines(1, "a\nb\n\n"), Lines(4, "c\n")]
    assert read(b"") == []


def test_the_reader_says_what_a_chunk_completes_at_once():
    """Nothing waits for the object's end but what has no line end yet."""
    reader = RecordReader()
    assert list(reader.feed(b"a\nb")) == [Lines(1, "a\n")]
    assert list(reader.feed(b"c\n", final=True)) == [Lines(2, "bc\n")]


OVERLONG = f"a line of more than {MAX_RECORD_CHARS} characters"


@pytest.mark.parametrize("size", [SLICE_BYTES, MAX_RECORD_CHARS, 2 * MAX_RECORD_CHARS])
@pytest.mark.parametrize("extra", [0, 1])
def test_a_line_has_so_many_characters_at_most(size, extra):
    """With its line end; a longer one is rejected by its first characters, and what follows it is read and counted."""
    line = "x" * (MAX_RECORD_CHARS - 1 + extra)
    found = by_line(read(*pieces(f"a\n{line}\nb\n".encode(), size)))
    assert found == [(1, ["a"]), (2, (OVERLONG, line[:SHOWN_CHARS]) if extra else [line]), (3, ["b"])]


def test_an_endless_line_is_given_up_once():
    """Rejected when it passes the bound; the rest of it is skipped without being gathered, up to the object's end."""
    reader = RecordReader()
    found = [record for _ in range(5) for record in reader.feed(b"x" * MAX_RECORD_CHARS)]
    assert found == [RejectedRow(1, OVERLONG, ("x" * SHOWN_CHARS,), OVERLONG, "x" * SHOWN_CHARS)]
    assert reader._carry_chars == 0
    assert list(reader.feed(b"", final=True)) == []


def test_after_an_overlong_line_reading_goes_on_within_the_same_chunk():
    """The chunk that ends the long line holds lines of its own, and the beginning of one."""
    reader = RecordReader()
    assert len(list(reader.feed(b"x" * (MAX_RECORD_CHARS + 1)))) == 1
    assert list(reader.feed(b"xx\nb,c\nd")) == [Lines(2, "b,c\n")]
    assert list(reader.feed(b"e\nf\ng")) == [Lines(3, "de\nf\n")]
    assert list(reader.feed(b"", final=True)) == [Lines(5, "g\n")]


def test_an_open_record_is_given_up_when_a_line_within_it_grows_beyond_the_bound():
    """What it held so far is read at once, the line that is not whole yet later."""
    reader = RecordReader()
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
    """What holds no quote is left unsplit as soon as no record is open."""
    reader = RecordReader()
    reader.expect(1)
    assert list(reader.feed(b'"a\n')) == []
    assert list(reader.feed(b'b"\nc\n')) == [Parsed([1], [["a\nb"]]), Parsed([3], [["c"]])]
    assert list(reader.feed(b"d\n")) == [Lines(4, "d\n")]
    assert list(reader.feed(b"e\rf\n")) == [
        RejectedRow(5, "a carriage return within a line", ("e\rf",), "a carriage return within a line", "e\rf")
    ]
    assert list(reader.feed(b"g", final=True)) == [Lines(6, "g\n")]


def test_a_chunk_of_any_size_is_taken_in_slices():
    """However much is fed at once, no more than a slice is in hand."""
    line = b"x" * 99 + b"\n"
    lengths = [len(record.text) for record in read(line * 2000) if isinstance(record, Lines)]
    assert sum(lengths) == 200_000
    assert max(lengths) < SLICE_BYTES + len(line)


def test_what_is_left_at_the_end_is_read_then():
    """A line without an end, a character cut short, and a quote that stays open."""
    assert read(b"a\xc3") == [Lines(1, "a\udcc3\n")]
    assert by_line(read(b'"a\n')) == [(1, ("a quoted field that does not end", '"a'))]
    assert by_line(read(b'b\n"a')) == [(1, ["b"]), (2, ("a quoted field that does not end", '"a'))]


def test_a_record_of_several_lines_has_the_width_that_was_told():
    """Any other is broken; without being told, the first one may have any."""
    reader = RecordReader()
    assert by_line(reader.feed(b'"a\nb"\n')) == [(1, ["a\nb"])]
    reader.expect(2)
    assert by_line(reader.feed(b'"a\nb"\n')) == [
        (3, ("a quoted field over 2 lines, and 1 fields where the header has 2", '"a')),
        (4, ['b"']),
    ]
