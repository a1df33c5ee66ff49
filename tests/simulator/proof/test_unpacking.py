"""Compressed objects: any number of members, and from a damaged stream what its bytes give one at a time."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.proof_records import Read, in_pieces, records_of
from simulator.proof import unpacking as unpacking_module
from simulator.proof.failures import Unreadable
from simulator.proof.records import Record, RecordParser
from simulator.proof.unpacking import GZIP_FREE_BYTES, GZIP_RATIO, HEAD_BYTES, Unpacker, refuse_other_formats

SLICE = 65_536
SIZES = (1, 2, 7, 1_000, 10**9)


def _packed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


def _byte_by_byte(body: bytes) -> tuple[bytes, bool]:
    """What one member inflates to before zlib fails, fed a byte at a time, and whether it ends."""
    member = zlib.decompressobj(wbits=31)
    text: list[bytes] = []
    with suppress(zlib.error):
        for at in range(len(body)):
            text.append(member.decompress(body[at : at + 1]))
            if member.eof:
                break
    return b"".join(text), member.eof


def _inflated(body: bytes, size: int) -> bytes:
    unpacker = Unpacker()
    text: list[bytes] = []
    with suppress(Unreadable):
        for piece in in_pieces(body, size):
            for inflated in unpacker.feed(piece, final=False):
                text.append(inflated)  # noqa: PERF402 - what comes before the refusal counts
    return b"".join(text)


def test_a_format_is_recognised_by_as_many_bytes_as_the_longest_beginning_has() -> None:
    """The first bytes decide: later ones make no difference, and fewer decide nothing."""
    longest = b"BZh91AY&SY"
    assert len(longest) == HEAD_BYTES
    for head in (longest, longest + b"a"):
        with pytest.raises(Unreadable, match="the object is compressed by bzip2, not text"):
            refuse_other_formats(head)
    refuse_other_formats(longest[:-1])
    refuse_other_formats(b"a" + longest)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("body", [b"", b"a", b"\x1f", b"a,b\nc,d\n", b"\x1f\x8a", b"a\x1f\x8b"])
def test_what_is_not_packed_stays_as_it_is(body: bytes, size: int) -> None:
    """It includes a single byte, and the first of the two that gzip begins with."""
    unpacker = Unpacker()
    pieces = [(piece, False) for piece in in_pieces(body, size)]
    found = [each for piece, final in [*pieces, (b"", True)] for each in unpacker.feed(piece, final=final)]
    assert b"".join(found) == body
    assert b"".join(Unpacker().feed(body, final=True)) == body


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "body",
    [
        _packed(b"a,b\nc,d\n"),
        _packed(b"a,b\nc") + _packed(b",d\n"),
        _packed(b"a,b\n") + b"\0" * 9 + _packed(b"c,d\n") + b"\0\0",
        _packed(b"") + _packed(b"a,b\n") + _packed(b"") + _packed(b"c,d\n") + _packed(b""),
        b"".join(_packed(bytes([sign])) for sign in b"a,b\nc,d\n"),
        _packed("\ufeffa,b\nc,d\n".encode("utf-16-be")),
    ],
)
def test_members_are_one_text(body: bytes, size: int) -> None:
    """They come one after the other, including empty ones, with zero bytes after each."""
    assert records_of(in_pieces(body, size)) == Read([(1, ["a", "b"]), (2, ["c", "d"])])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("body", "records", "reason"),
    [
        (_packed(b"a\nb\n")[:-1], ["a", "b"], "the gzip stream ends early"),
        (b"\x1f\x8b", [], "the gzip stream ends early"),
        (b"\x1f\x8b\x09" + _packed(b"a\n")[3:], [], "the gzip stream is damaged"),
        (_packed(b"a\nb\n") + b"xx", ["a", "b"], "the gzip stream is damaged"),
        (_packed(b"a\nb\n") + zlib.compress(b"c\n"), ["a", "b"], "the gzip stream is damaged"),
        (_packed(b"a\nb\n") + b"\0\0xx", ["a", "b"], "the gzip stream is damaged"),
        (_packed(b"a\nb\n") + b"\0\x1f\x8b\x08", ["a", "b"], "the gzip stream ends early"),
        (_packed(b"a\nb\n")[:-8] + b"\0" * 8, ["a", "b"], "the gzip stream is damaged"),
        (_packed(b"a\nb\n")[:-4] + b"\0" * 4, ["a", "b"], "the gzip stream is damaged"),
    ],
)
def test_damage_makes_an_object_unreadable(body: bytes, records: list[str], reason: str, size: int) -> None:
    """It may be a cut, a wrong header, other bytes than zeros after a member, a wrong checksum, or a wrong length."""
    found = records_of(in_pieces(body, size))
    assert [fields for _, fields in found.records] == [[text] for text in records]
    assert found.unreadable is not None
    assert found.unreadable.startswith(reason)


def _long(rows: int = 60) -> bytes:
    """Rows that differ, repeat themselves and have long runs: every way in which deflate compresses."""
    chance = random.Random(1)
    return b"".join(
        b"%d,%s\n" % (n, chance.choice([b"x" * chance.randrange(500), chance.randbytes(20).hex().encode()]))
        for n in range(rows)
    )


@pytest.mark.parametrize("turned", [1, 128])
@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED])
def test_what_is_read_before_the_damage_does_not_depend_on_the_cuts(strategy: int, turned: int) -> None:
    """With bits flipped anywhere, the output is what a byte at a time inflates to, for pieces of every size."""
    deflater = zlib.compressobj(9, wbits=31, strategy=strategy)
    whole = deflater.compress(_long(24)) + deflater.flush()
    damaged = 0
    for place in range(10, len(whole), 17):
        body = bytearray(whole)
        body[place] ^= turned
        text, ends = _byte_by_byte(bytes(body))
        damaged += not ends
        for size in (2, 3, SLICE):
            assert _inflated(bytes(body), size) == text
    assert damaged > len(whole) // 17 * 0.9


def test_whole_lines_before_the_damage_are_read() -> None:
    """What has its line end is a line, and what comes after the damage is not."""
    whole = _packed(_long())
    body = whole[:-8] + bytes(8)
    for size in (1, 997, SLICE):
        found = records_of(in_pieces(body, size))
        assert str(found.unreadable).startswith("the gzip stream is damaged")
        assert [fields for _, fields in found.records] == [line.split(",") for line in _long().decode().splitlines()]


@pytest.mark.parametrize("slice_bytes", [1, 64, 1_000, SLICE])
@pytest.mark.parametrize("size", [13, SLICE])
def test_what_is_read_of_a_stream_that_ends_early_is_all_that_its_bytes_come_to(
    size: int, slice_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It includes a full slice of text with more after it, although all bytes are consumed."""
    monkeypatch.setattr(unpacking_module, "_SLICE_BYTES", slice_bytes)
    whole = _packed(b"\n".join(b"x" * n for n in range(0, 300, 7)))
    for length in range(20, len(whole), 11):
        text, _ = _byte_by_byte(whole[:length])
        found = records_of(in_pieces(whole[:length], size))
        assert found.unreadable == "the gzip stream ends early"
        assert [fields for _, fields in found.records] == [[line] for line in text.decode().split("\n")[:-1] if line]


@given(st.binary(max_size=60), st.lists(st.integers(0, 120), max_size=3), st.integers(0, 400), st.integers(0, 7))
def test_any_damage_has_one_outcome(tail: bytes, cuts: list[int], place: int, bit: int) -> None:
    """Any text, any bit and any cuts give the same records, and the same result."""
    body = bytearray(_packed(b"a,b\n" + tail) + _packed(tail))
    body[place % len(body)] ^= 1 << bit
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [bytes(body[start:end]) for start, end in pairwise(places)]
    whole = records_of([bytes(body)])
    for found in (records_of(pieces), *(records_of(in_pieces(bytes(body), size)) for size in (1, 2, 3))):
        assert found.records == whole.records
        assert (found.unreadable is None) == (whole.unreadable is None)


def _ratio(monkeypatch: pytest.MonkeyPatch, ratio: int, free_bytes: int) -> None:
    monkeypatch.setattr(unpacking_module, "GZIP_RATIO", ratio)
    monkeypatch.setattr(unpacking_module, "GZIP_FREE_BYTES", free_bytes)


@pytest.mark.parametrize("size", [1, 100, SLICE])
@pytest.mark.parametrize("beyond", [0, 1])
def test_text_below_a_size_may_be_packed_as_tightly_as_it_likes(
    beyond: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond that size the ratio counts: one character more makes it a bomb."""
    _ratio(monkeypatch, 2, 10_000)
    found = records_of(in_pieces(_packed(b"x" * (9_999 + beyond) + b"\n"), size))
    assert (found.unreadable is None) == (beyond == 0)
    assert beyond == 0 or str(found.unreadable).startswith("a gzip bomb: ")


@pytest.mark.parametrize("size", [1, 100, SLICE])
@pytest.mark.parametrize("ratio_below", [0, 1])
def test_the_ratio_is_that_of_what_was_consumed(ratio_below: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the ratio it is not one, above it it is; bytes that still wait make no difference."""
    text = b"x" * 99_999 + b"\n"
    member = _packed(text)
    ratio = len(text) // len(member) + 1
    _ratio(monkeypatch, ratio - ratio_below * 5, 10)
    monkeypatch.setattr(unpacking_module, "_SLICE_BYTES", 2 * len(text))
    # What follows cannot be compressed, and does not excuse the first member.
    found = records_of(in_pieces(member + _packed(random.Random(1).randbytes(20_000)), size))
    assert str(found.unreadable).startswith("a gzip bomb") == bool(ratio_below)


@pytest.mark.parametrize("size", [1, 100, SLICE])
@pytest.mark.parametrize("padding", [0, 10_000])
def test_zero_bytes_between_members_are_consumed_too(padding: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two members are not a bomb with the bytes between them, and one without them is."""
    _ratio(monkeypatch, 2, 15_000)
    member = _packed(b"x" * 9_999 + b"\n")
    more = _packed(random.Random(1).randbytes(20_000).hex().encode())
    found = records_of(in_pieces(member + b"\0" * padding + member + more, size))
    assert (found.unreadable is None) == bool(padding)


def test_a_bomb_is_refused_in_bounded_memory() -> None:
    """A megabyte that inflates to a gigabyte is rejected long before, with little memory in use."""
    assert (GZIP_RATIO, GZIP_FREE_BYTES) == (250, 64 * 1024 * 1024)
    deflater = zlib.compressobj(9, wbits=31)
    bomb = b"".join(deflater.compress(b"x" * 2**20) for _ in range(100)) + deflater.flush()
    reader = RecordParser()

    def read() -> None:
        for piece in in_pieces(bomb[:-1_000], SLICE):
            for _ in reader.feed(piece, final=False):
                pass

    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="a gzip bomb"):
            read()
        assert tracemalloc.get_traced_memory()[1] < 24 * 2**20
    finally:
        tracemalloc.stop()


def test_many_small_members_come_in_few_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that is open over ten thousand members is read a few times, not once for each of them."""
    looks = 0
    real = RecordParser._read

    def counting(self: RecordParser, text: str, *, final: bool) -> Iterator[Record]:
        nonlocal looks
        looks += 1
        return real(self, text, final=final)

    monkeypatch.setattr(RecordParser, "_read", counting)
    body = _packed(b'a,b\nc,"d\n') + _packed(b'""\n') * 10_000 + _packed(b'"\n')
    found = records_of(in_pieces(body, SLICE))
    assert len(found.records) == 2
    assert looks <= len(body) // SLICE + 3
