"""Bytes -> records: compression, encodings, line ends, quotes, and both sides of each bound."""

from __future__ import annotations

import csv
import gzip
import random
import zlib

import pytest

from pipeline import text
from pipeline.text import MAX_RECORD_CHARS, SHOWN_CHARS, SLICE_BYTES, Lines, ObjectUnreadable, Record, RecordReader

type_of_record = Lines | Record | text.RejectedRow


def packed(content: bytes) -> bytes:
    """One gzip member, the same at any time."""
    return gzip.compress(content, mtime=0)


def pieces(body: bytes, size: int) -> list[bytes]:
    """The body in chunks of this size."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def read(*chunks: bytes) -> list[type_of_record]:
    """The records of an object that arrives in these chunks, as they come."""
    reader = RecordReader()
    found = [record for chunk in chunks for record in reader.feed(chunk)]
    return [*found, *reader.feed(b"", final=True)]


def by_line(records: list[type_of_record]) -> list[tuple[int, object]]:
    """The same with whole lines taken apart, so that the cuts between chunks do not show; blank lines left out."""
    found: list[tuple[int, object]] = []
    for record in records:
        if isinstance(record, Lines):
            assert record.text.endswith("\n")
            lines = enumerate(record.text[:-1].split("\n"), record.line)
            found += [(number, line.split(",")) for number, line in lines if line]
        elif isinstance(record, Record):
            found.append((record.line, record.fields))
        else:
            found.append((record.line, (record.reason, *record.row)))
    return found


def test_plain_lines_stay_together():
    """A chunk of whole lines is one record, by the number of its first line; the rest waits for its line end."""
    assert read(b"a,b\n\nc,d\ne", b",f\n", b"g") == [Lines(1, "a,b\n\nc,d\n"), Lines(4, "e,f\n"), Lines(5, "g\n")]
    assert read(b"a\r\nb\r", b"\nc\n") == [Lines(1, "a\n"), Lines(2, "b\nc\n")]
    assert read(b"") == []


def test_the_reader_says_what_a_chunk_completes_at_once():
    """Nothing waits for the object's end but what has no line end yet."""
    reader = RecordReader()
    assert list(reader.feed(b"a\nb")) == [Lines(1, "a\n")]
    assert list(reader.feed(b"c\n", final=True)) == [Lines(2, "bc\n")]


QUOTED = b'a,"b\nc",d\r\n"",""\n\n"say ""hi""",\n"open\nx,y\n"z"w,1\nlone\rreturn\nlast,"one"'
"""One of each: a field of two lines, empty fields, a blank line, quotes in quotes, one that stays open, and so on."""


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 100])
def test_quotes_are_read_alike_wherever_the_chunks_are_cut(size):
    """Each record by the line it begins on; a quote that never closes costs its own line."""
    assert by_line(read(*pieces(QUOTED, size))) == [
        (1, ["a", "b\nc", "d"]),
        (3, ["", ""]),
        (5, ['say "hi"', ""]),
        (6, ("text after a closing quote", '"open\nx,y\n"z"w,1')),
        (9, ("a carriage return within a line", "lone\rreturn")),
        (10, ["last", "one"]),
    ]


def test_an_open_quote_gives_up_its_first_line_alone():
    """What follows it is read, and the lines are counted on; the reason shows the line without its end."""
    assert by_line(read(b'a,"b\r\nc,d\n\ne,f\n')) == [
        (1, ("a quoted field that does not end", 'a,"b')),
        (2, ["c", "d"]),
        (4, ["e", "f"]),
    ]


def test_what_follows_an_open_quote_is_read_as_strictly():
    """A quote in it that would be one of the open field's is looked at anew."""
    assert by_line(read(b'"a\n""c\n""\n')) == [
        (1, ("a quoted field that does not end", '"a')),
        (2, ("text after a closing quote", '""c')),
        (3, [""]),
    ]


@pytest.mark.parametrize("length", [SHOWN_CHARS, SHOWN_CHARS + 1])
def test_a_rejection_shows_so_many_characters(length):
    """The rest of a long line is left out."""
    ((_, (reason, shown)),) = by_line(read(b'"' + b"x" * (length - 1)))
    assert (reason, len(shown)) == ("a quoted field that does not end", SHOWN_CHARS)


def test_another_complaint_of_the_parser_is_passed_on():
    """A reason that has no wording of its own is Python's."""
    assert text._reason(csv.Error("something else")) == "something else"


OVERLONG = f"a line of more than {MAX_RECORD_CHARS} characters"


@pytest.mark.parametrize("size", [SLICE_BYTES, MAX_RECORD_CHARS, 2 * MAX_RECORD_CHARS])
@pytest.mark.parametrize("extra", [0, 1])
def test_a_line_has_so_many_characters_at_most(size, extra):
    """With its line end; a longer one is rejected by its first characters, and what follows it is read and counted."""
    line = "x" * (MAX_RECORD_CHARS - 1 + extra)
    found = by_line(read(*pieces(f"a\n{line}\nb\n".encode(), size)))
    assert found == [(1, ["a"]), (2, (OVERLONG, line[:SHOWN_CHARS]) if extra else [line]), (3, ["b"])]


@pytest.mark.parametrize("size", [SLICE_BYTES, 3 * MAX_RECORD_CHARS])
@pytest.mark.parametrize("extra", [0, 1])
def test_a_quoted_record_has_so_many_characters_at_most(size, extra):
    """All its lines and their ends; of a longer one the first line is given up, and what it held is read."""
    inner = "\n".join(["x" * 63] * (MAX_RECORD_CHARS // 64))
    record = f'"{inner[: MAX_RECORD_CHARS - 3 + extra]}"'
    found = by_line(read(*pieces(f'a\n{record}\n"b"\n'.encode(), size)))
    if not extra:
        assert found == [(1, ["a"]), (2, [record.strip('"')]), (2 + record.count("\n") + 1, ["b"])]
    else:
        first = record.partition("\n")[0]
        assert found[:3] == [(1, ["a"]), (2, ("a quoted field that does not end", first)), (3, ["x" * 63])]
        assert found[-1] == (2 + record.count("\n") + 1, ["b"])


@pytest.mark.parametrize("tail", [0, 1])
def test_an_open_record_is_kept_up_to_its_bound(tail):
    """The part of a line that has come counts too: one character more and the quote is given up."""
    begun = '"' + "x" * (MAX_RECORD_CHARS - 2) + "\n"
    reader = RecordReader()
    found = list(reader.feed((begun + "y" * tail).encode()))
    reasons = [record.reason for record in found if isinstance(record, text.RejectedRow)]
    assert reasons == (["a quoted field that does not end"] if tail else [])


def test_an_open_record_is_given_up_when_a_line_within_it_grows_beyond_the_bound():
    """What it held so far is read at once, the line that is not whole yet later."""
    reader = RecordReader()
    assert list(reader.feed(b'"a\nb,c\n' + b"d" * 100)) == []
    found = list(reader.feed(b"d" * MAX_RECORD_CHARS))
    assert by_line(found) == [
        (1, ("a quoted field that does not end", '"a')),
        (2, ["b", "c"]),
        (3, (OVERLONG, "d" * SHOWN_CHARS)),
    ]
    assert by_line([*reader.feed(b"d\ne,f\n"), *reader.feed(b"", final=True)]) == [(4, ["e", "f"])]


def test_an_endless_line_is_given_up_once():
    """Rejected when it passes the bound; the rest of it is skipped without being gathered, up to the object's end."""
    reader = RecordReader()
    found = [record for _ in range(5) for record in reader.feed(b"x" * MAX_RECORD_CHARS)]
    assert [(record.line, record.reason) for record in found] == [(1, OVERLONG)]
    assert reader._carry_chars == 0
    assert list(reader.feed(b"", final=True)) == []


def test_after_an_overlong_line_reading_goes_on_within_the_same_chunk():
    """The chunk that ends the long line holds lines of its own, and the beginning of one."""
    reader = RecordReader()
    assert len(list(reader.feed(b"x" * (MAX_RECORD_CHARS + 1)))) == 1
    assert list(reader.feed(b"xx\nb,c\nd")) == [Lines(2, "b,c\n")]
    assert list(reader.feed(b"e\nf\ng")) == [Lines(3, "de\nf\n")]
    assert list(reader.feed(b"", final=True)) == [Lines(5, "g\n")]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "body",
    [
        "é,😀\n".encode(),
        "\ufeffé,😀\n".encode(),
        "\ufeffé,😀\n".encode("utf-16-le"),
        "\ufeffé,😀\n".encode("utf-16-be"),
        packed("é,😀\n".encode()),
        packed("\ufeffé,😀\n".encode("utf-16-le")),
        packed("é,".encode()) + b"\0\0" + packed("😀\n".encode()) + b"\0",
    ],
)
def test_encodings_and_compression_are_told_by_their_first_bytes(body, size):
    """UTF-8 with a mark or without, UTF-16 by its mark, gzip of any number of members, padded or not."""
    assert by_line(read(*pieces(body, size))) == [(1, ["é", "😀"])]


def test_what_is_shorter_than_a_mark_is_read_at_the_end():
    """One byte of text is a text; the beginning of a mark alone is nothing."""
    assert read(b"a") == read(b"", b"a") == [Lines(1, "a\n")]
    assert read(b"\xef\xbb") == []
    assert read(b"\x1f") == [Lines(1, "\x1f\n")]


def test_bytes_that_are_no_text_become_lone_surrogates():
    """So that the reader above can reject their row alone; a character cut short by the end as well."""
    assert read(b"a\xff\nb\n") == [Lines(1, "a\udcff\nb\n")]
    assert read(b"a\xc3") == [Lines(1, "a\udcc3\n")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("\ufeffab".encode("utf-16-le")[:-1], "the text is not UTF-16: truncated data"),
        (packed(b"a,b\n")[:-1], "the gzip stream ends early"),
        (packed(b"a,b\n")[:2], "the gzip stream ends early"),
        (packed(b"a,b\n") + b"a", "the gzip stream ends early"),
        (packed(b"a,b\n") + b"not gzip", "the gzip stream is damaged: "),
        (packed(b"a,b\n") + zlib.compress(b"c,d\n"), "the gzip stream is damaged: "),
        (packed(b"a,b\n")[:-4] + b"1234", "the gzip stream is damaged: "),
    ],
)
def test_an_object_that_is_cut_or_damaged_is_unreadable(body, reason):
    """Whatever the chunks, it says what is the matter."""
    for size in (1, 1000):
        with pytest.raises(ObjectUnreadable) as refused:
            read(*pieces(body, size))
        assert str(refused.value).startswith(reason)


def test_gzip_is_inflated_a_slice_at_a_time():
    """However much a chunk unfolds to, no more than a slice is in hand."""
    body = b"x" * 99 + b"\n"
    found = read(packed(body * 2000))
    lengths = [len(record.text) for record in found if isinstance(record, Lines)]
    assert sum(lengths) == 200_000
    assert max(lengths) < SLICE_BYTES + len(body)
    assert len(lengths) == -(-200_000 // SLICE_BYTES)


@pytest.mark.parametrize("spare", [0, -1])
def test_gzip_may_unfold_to_so_many_times_as_many_bytes(monkeypatch, spare):
    """At the bound it is read, one byte above it is a bomb; what is small is nobody's business."""
    body = b"x,1\n" * 20_000
    member = packed(body)
    assert len(body) > 200 * len(member)
    monkeypatch.setattr(text, "MAX_GZIP_RATIO", 2)
    monkeypatch.setattr(text, "GZIP_RATIO_FREE_BYTES", len(body) + spare)
    if spare:
        with pytest.raises(ObjectUnreadable, match=rf"a gzip bomb: {len(member)} bytes unfold to more than 2 times"):
            read(member)
    else:
        assert sum(len(record.text) for record in read(member) if isinstance(record, Lines)) == len(body)


def test_the_ratio_counts_every_member():
    """Bytes in and out add up over the stream: one member that unfolds far is carried by others that do not."""
    noise = random.Random(1).randbytes(3000).hex().encode() + b"\n"
    body = packed(noise) + packed(b"x" * 49_999 + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "GZIP_RATIO_FREE_BYTES", 1)
        patch.setattr(text, "MAX_GZIP_RATIO", 20)
        assert sum(len(record.text) for record in read(body) if isinstance(record, Lines)) == 56_001
        patch.setattr(text, "MAX_GZIP_RATIO", 10)
        with pytest.raises(ObjectUnreadable, match="a gzip bomb"):
            read(body)
