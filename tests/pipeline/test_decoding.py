"""Bytes -> text: encodings, compression, and what is inflated from a damaged stream."""

from __future__ import annotations

import codecs
import encodings
import gzip
import pkgutil
import random
import zlib
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes.records import by_line, pieces, read
from pipeline import decoding
from pipeline.decoding import SLICE_BYTES, Decoder, Inflater, ObjectUnreadable, encoding_problem
from pipeline.dialect import CsvDialect
from pipeline.text import Lines, RecordReader


def packed(content: bytes) -> bytes:
    """One gzip member, the same at any time."""
    return gzip.compress(content, mtime=0)


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
def test_encodings_and_compression_are_recognised_by_their_first_bytes(body, size):
    """UTF-8 with or without a mark, UTF-16 with one, and gzip of any number of members, padded or not, are read."""
    assert by_line(read(*pieces(body, size))) == [(1, ["é", "😀"])]


def test_what_is_shorter_than_a_mark_is_read_at_the_end():
    """A single byte of text is a text; the beginning of a mark alone is bytes that are not text."""
    assert read(b"a") == read(b"", b"a") == [Lines(1, "a\n")]
    assert read(b"\xef\xbb") == [Lines(1, "\udcef\udcbb\n")]
    assert read(b"\x1f") == [Lines(1, "\x1f\n")]


def test_bytes_that_are_not_text_become_lone_surrogates():
    """So the reader above can reject only their row; this includes a character cut short by the end."""
    assert read(b"a\xff\nb\n") == [Lines(1, "a\udcff\nb\n")]
    assert read(b"a\xc3") == [Lines(1, "a\udcc3\n")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (packed(b"a,b\n")[:-1], "the gzip stream ends early"),
        (packed(b"a,b\n")[:2], "the gzip stream ends early"),
        (packed(b"a,b\n") + b"a", "the gzip stream ends early"),
        (packed(b"a,b\n") + b"not gzip", "the gzip stream is damaged: "),
        (packed(b"a,b\n") + zlib.compress(b"c,d\n"), "the gzip stream is damaged: "),
        (packed(b"a,b\n")[:-4] + b"1234", "the gzip stream is damaged: "),
    ],
)
def test_an_object_that_is_cut_or_damaged_is_unreadable(body, reason):
    """Whatever the chunks are, the reason says what is wrong."""
    for size in (1, 1000):
        with pytest.raises(ObjectUnreadable) as refused:
            read(*pieces(body, size))
        assert str(refused.value).startswith(reason)


def test_gzip_is_inflated_a_slice_at_a_time():
    """However much a chunk inflates to, at most one slice is held."""
    body = b"x" * 99 + b"\n"
    found = read(packed(body * 2000))
    lengths = [len(record.text) for record in found if isinstance(record, Lines)]
    assert sum(lengths) == 200_000
    assert max(lengths) < SLICE_BYTES + len(body)
    assert len(lengths) == -(-200_000 // SLICE_BYTES)


@pytest.mark.parametrize("spare", [0, -1])
def test_gzip_may_inflate_up_to_a_ratio(monkeypatch, spare):
    """At the limit it is read, one byte above it is a bomb; small data is not checked."""
    body = b"x,1\n" * 20_000
    member = packed(body)
    assert len(body) > 200 * len(member)
    monkeypatch.setattr(decoding, "MAX_GZIP_RATIO", 2)
    monkeypatch.setattr(decoding, "GZIP_RATIO_FREE_BYTES", len(body) + spare)
    if spare:
        with pytest.raises(ObjectUnreadable, match=rf"a gzip bomb: {len(member)} bytes inflate to more than 2 times"):
            read(member)
    else:
        assert sum(len(record.text) for record in read(member) if isinstance(record, Lines)) == len(body)


def test_the_ratio_counts_every_member():
    """Bytes in and out add up over the stream: a member that inflates a lot is offset by others that do not."""
    noise = random.Random(1).randbytes(3000).hex().encode() + b"\n"
    body = packed(noise) + packed(b"x" * 49_999 + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "GZIP_RATIO_FREE_BYTES", 1)
        patch.setattr(decoding, "MAX_GZIP_RATIO", 20)
        assert sum(len(record.text) for record in read(body) if isinstance(record, Lines)) == 56_001
        patch.setattr(decoding, "MAX_GZIP_RATIO", 10)
        with pytest.raises(ObjectUnreadable, match="a gzip bomb"):
            read(body)


def inflated(chunks: list[bytes]) -> tuple[bytes, str | None]:
    """The output for these chunks, and why it ends early."""
    inflater = Inflater()
    out = b""
    try:
        for number, chunk in enumerate([*chunks, b""]):
            for piece in inflater.feed(chunk, final=number == len(chunks)):
                out += piece
    except ObjectUnreadable as error:
        return out, str(error)
    return out, None


def a_byte_at_a_time(body: bytes) -> tuple[bytes, str | None]:
    """The same with zlib alone, byte by byte."""
    out, member = b"", zlib.decompressobj(wbits=31)
    for at in range(len(body)):
        byte = body[at : at + 1]
        if member.eof:
            if byte == b"\0":
                continue
            member = zlib.decompressobj(wbits=31)
        try:
            out += member.decompress(byte)
        except zlib.error as error:
            return out, f"the gzip stream is damaged: {error}"
    return out, None if member.eof else "the gzip stream ends early"


QUOTES = "".join(f"T{i % 7},2024-01-02,{i * i % 1013}.25\n" for i in range(300)).encode()
STREAMS = [
    packed(QUOTES),
    packed(b"") + packed(QUOTES) + b"\0\0\0",
    packed(QUOTES[:1000]) + b"\0" + packed(QUOTES[1000:]),
    gzip.compress(QUOTES, compresslevel=0, mtime=0),
    packed(b"x" * 200_000) + packed(QUOTES),
    packed(random.Random(1).randbytes(200).hex().encode() * 500),
]


@given(
    body=st.sampled_from(STREAMS),
    damage=st.sampled_from(["none", "a bit", "the end", "more"]),
    at=st.integers(0, 10**6),
    cuts=st.lists(st.integers(0, 10**6), max_size=4),
)
@settings(deadline=None)
@example(body=STREAMS[4], damage="the end", at=len(STREAMS[4]) - 9, cuts=[])
@example(body=STREAMS[1], damage="a bit", at=13, cuts=[])
def test_of_a_damaged_stream_all_is_read_that_comes_before_the_damage(body, damage, at, cuts):
    """It gives what inflates byte by byte, up to the byte at which zlib fails, however the stream is cut."""
    at %= len(body)
    if damage == "a bit":
        body = body[:at] + bytes([body[at] ^ 1 << at % 8]) + body[at + 1 :]
        body = b"\x1f\x8b" + body[2:]
    elif damage == "the end":
        body = body[: max(2, at)]
    elif damage == "more":
        body = body[:at] + b"\0\1" + body[at:]
        body = b"\x1f\x8b" + body[2:]
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    assert inflated([body[start:end] for start, end in pairwise(places)]) == a_byte_at_a_time(body)


@pytest.mark.parametrize("at", [10, 700, 1500, 2500])
def test_the_records_before_the_damage_are_read_whole(at):
    """However the chunks are cut, all lines that inflate whole are read, and not the one that is cut off."""
    body = bytearray(packed(b"".join(b"%d,%d\n" % (i, i * i * i % 9973) for i in range(2000))))
    body[at] ^= 16
    found = []
    for size in (1, 13, 4096, 10**6):
        reader = RecordReader(CsvDialect())
        records = (record for chunk in pieces(bytes(body), size) for record in reader.feed(chunk))
        found.append(list[str]())
        with pytest.raises(ObjectUnreadable, match="the gzip stream is damaged"):
            found[-1].extend(record.text for record in records if isinstance(record, Lines))
    whole = ["".join(lines) for lines in found]
    assert whole == [whole[0]] * 4
    assert (whole[0] == "") == (at == 10)
    assert whole[0] == "" or whole[0].endswith("\n")


@pytest.mark.parametrize("size", [1, 50, 1000, 10**6])
@pytest.mark.parametrize("behind", [0, 3000])
def test_a_bomb_is_measured_by_the_bytes_that_it_took(monkeypatch, size, behind):
    """What follows it in the same chunk does not dilute it, and how the chunks are cut does not matter."""
    monkeypatch.setattr(decoding, "GZIP_RATIO_FREE_BYTES", SLICE_BYTES)
    bomb = packed(b"x" * (10 * SLICE_BYTES))
    out, reason = inflated(pieces(bomb + packed(random.Random(1).randbytes(behind).hex().encode()), size))
    assert len(out) == 2 * SLICE_BYTES
    assert reason is not None
    assert reason.startswith("a gzip bomb: ")
    assert int(reason.split()[3]) < len(bomb) / 4


@pytest.mark.parametrize("size", [1, 10**6])
def test_padding_counts_as_bytes_that_were_taken(monkeypatch, size):
    """A member's input is known when it ends: with enough zeros before it, the second one is not a bomb."""
    monkeypatch.setattr(decoding, "GZIP_RATIO_FREE_BYTES", 1)
    monkeypatch.setattr(decoding, "MAX_GZIP_RATIO", 10)
    noise, dense = packed(random.Random(1).randbytes(400)), packed(b"x" * 5000)
    assert inflated(pieces(noise + dense, size))[1] is not None
    assert inflated(pieces(noise + bytes(200) + dense, size)) == (random.Random(1).randbytes(400) + b"x" * 5000, None)


def test_a_stream_that_ends_anywhere_gives_all_that_it_holds():
    """It also holds if the last byte received inflates beyond a slice."""
    body = packed(b"x" * 200_000)
    for end in range(2, len(body)):
        assert inflated([body[:end]]) == a_byte_at_a_time(body[:end])


@pytest.mark.parametrize("size", [2, 3])
def test_a_bit_that_is_wrong_anywhere_gives_all_before_it(size):
    """It uses the smallest chunks that hold more than the byte at which zlib fails."""
    good = packed(b"a,b,c\n1,2,3\n4,5,6\n" * 3 + b"7,8,9")
    for at in range(2, len(good)):
        for bit in range(8):
            body = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
            assert inflated(pieces(body, size)) == a_byte_at_a_time(body)


def test_plain_bytes_come_in_slices():
    """They are in order, and none comes twice."""
    body = bytes(range(256)) * 1000
    found = list(Inflater().feed(body, final=True))
    assert b"".join(found) == body
    assert [len(piece) for piece in found] == [SLICE_BYTES, SLICE_BYTES, SLICE_BYTES, 256_000 - 3 * SLICE_BYTES]


def test_no_byte_is_waited_for_that_is_not_needed():
    """Three bytes are enough to recognise any encoding."""
    assert Decoder().feed(b"abc") == "abc"
    assert Decoder().feed(b"ab") == ""
    assert Decoder().feed(b"\xef\xbb\xbf") == ""
    assert Decoder().feed(b"Pab") == "Pab"
    assert Decoder().feed(b"BZh101AY&SY") == "BZh101AY&SY"
    assert Decoder("utf-16").feed(b"a\0") == "a"


@pytest.mark.parametrize(
    ("body", "encoding", "name"),
    [
        (b"abc", None, "UTF-8"),
        (b"\xff\xfea\0", None, "UTF-16"),
        (b"\xfe\xff\0a", None, "UTF-16"),
        (b"\xff\xfea\0", "UTF-16LE", "UTF-16LE"),
        (b"abc", "cp1252", "cp1252"),
    ],
)
def test_an_encoding_is_called_as_it_was_named(body, encoding, name):
    """Or it is called what the mark says."""
    decoder = Decoder(encoding)
    decoder.feed(body)
    assert decoder.encoding == name


def test_why_an_object_is_unreadable_is_one_text():
    """The exception also has the setting that might fix it, and a value."""
    error = ObjectUnreadable("no header", "A_SETTING", "a value")
    assert (str(error), error.setting, error.proposal) == ("no header", "A_SETTING", "a value")
    assert ObjectUnreadable("no header").setting is None
    assert ObjectUnreadable("no header").proposal is None


def decoded(body: bytes, size: int, encoding: str | None = None) -> str:
    """The text of these bytes, in pieces."""
    decoder = Decoder(encoding)
    return "".join(map(decoder.feed, pieces(body, size))) + decoder.feed(b"", final=True)


def text_encodings() -> list[str]:
    """All encodings that Python has and `ENCODING` may name."""
    names = sorted({module.name for module in pkgutil.iter_modules(encodings.__path__)})
    return [name for name in names if encoding_problem(name) is None]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("utf-8", None),
        ("UTF-16", None),
        ("Shift JIS", None),
        ("base64", "is not a text encoding"),
        ("rot13", "is not a text encoding"),
        ("unicode-escape", "is not a text encoding"),
        ("raw_unicode_escape", "is not a text encoding"),
        ("undefined", "is not an encoding that can decode arbitrary bytes"),
        ("punycode", "is not an encoding that can decode arbitrary bytes"),
        ("latin-99", "is not a text encoding that Python knows, such as cp1252"),
        ("a\0", "is not a text encoding that Python knows, such as cp1252"),
    ],
)
def test_an_encoding_that_cannot_be_read_is_named(name, problem):
    """It covers codecs that do not make text, codecs that cannot decode all bytes, and names without a codec."""
    assert encoding_problem(name) == problem


def test_an_encoding_is_read_in_pieces(monkeypatch):
    """A codec that cannot be read in pieces is not usable for files."""
    monkeypatch.setattr(decoding.codecs, "lookup", lambda name: codecs.CodecInfo(len, len, name=name))
    assert encoding_problem("whole") == "is not a text encoding"


@pytest.mark.parametrize("encoding", text_encodings())
@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
def test_any_bytes_are_text_in_any_encoding(encoding):
    """What is not text becomes lone surrogates, wherever it is cut; nothing raises."""
    chance = random.Random(1)
    bodies = [bytes(range(256)), *(chance.randbytes(50) for _ in range(20))]
    bodies += [bytes(chance.choice(b'a,"\n~+\x1b$B(\x0e\x81\xff') for _ in range(50)) for _ in range(50)]
    for body in bodies:
        if not codecs.lookup(encoding).name.startswith("utf-7"):
            assert decoded(body, 1, encoding) == decoded(body, 7, encoding) == decoded(body, 1000, encoding)
        else:
            decoded(body, 1, encoding)


WITH_MARKS = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


@pytest.mark.parametrize(
    ("body", "encoding", "text"),
    [
        (b"\xef\xbb\xbf\xef\xbb\xbfa", None, "\ufeffa"),
        (b"\xef\xbb\xbf\xef\xbb\xbfa", "utf-8", "\ufeffa"),
        (b"\xff\xfe\xff\xfea\0", None, "\ufeffa"),
        (b"\xff\xfea\0b", None, "a\udc62"),
        (b"\xfe\xff\0a\xd8\0", None, "a\udcd8\udc00"),
        (b"\xff\xfe\0\xdca\0", None, "\udc00\udcdca"),
        (b"a\xf0\x9f\x98", None, "a\udcf0\udc9f\udc98"),
        (b"a\x81b", "cp1252", "a\udc81b"),
        (b"\x8a\x0ab\x8a", "shift_jis", "\udc8a\nb\udc8a"),
        (b"", "cp1252", ""),
        *((f"\ufeffa{name}".encode(name), name[:6], f"a{name}") for name in WITH_MARKS),
        ("a\ufeff".encode("utf-16-le"), "utf-16", "a\ufeff"),
        ("a\ufeff".encode("utf-32-le"), "utf-32", "a\ufeff"),
        ("\ufeffa".encode("gb18030"), "gb18030", "a"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_marks_and_bytes_that_are_not_text(body, encoding, text, size):
    """One mark is removed; each byte that is not text is one surrogate, including an odd one at the end."""
    assert decoded(body, size, encoding) == text


@pytest.mark.parametrize("beginning", [*decoding._FORMATS])
@pytest.mark.parametrize("encoding", [None, "latin-1"])
def test_another_format_is_known_by_its_first_bytes(beginning, encoding):
    """It is recognised as soon as those bytes have come, and not with fewer."""
    decoder = Decoder(encoding)
    for byte in beginning[:-1]:
        assert decoder.feed(bytes([byte])) == ""
    with pytest.raises(ObjectUnreadable, match=r"^the object is .*, not CSV$"):
        decoder.feed(beginning[-1:])
    with pytest.raises(ObjectUnreadable):
        Decoder(encoding).feed(beginning + b"and more, much more")
    assert decoded(beginning[:-1], 1, "latin-1") == beginning[:-1].decode("latin-1")
    assert decoded(b"a" + beginning, 100, "latin-1")[0] == "a"


def test_nothing_is_written_by_the_error_handler_for_reading():
    """A character that an encoding does not have is still an error when writing."""
    with pytest.raises(UnicodeEncodeError):
        "\u20ac".encode("ascii", decoding.ESCAPE)
