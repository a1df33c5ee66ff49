"""Bytes -> characters: by a mark, by a named encoding, and what is not text."""

from __future__ import annotations

import codecs

import pytest

from fakes.proof_records import in_pieces
from simulator.proof.decoding import TextDecoder, bad_encoding, is_ascii_and_more
from simulator.proof.failures import Unreadable


def _decoded(body: bytes, encoding: str | None, size: int) -> str:
    decoder = TextDecoder(encoding)
    return "".join([*map(decoder.feed, in_pieces(body, size)), decoder.feed(b"", final=True)])


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
@pytest.mark.parametrize(
    ("body", "encoding", "text"),
    [
        ("é,株\n".encode(), None, "é,株\n"),
        (codecs.BOM_UTF8 + b"\xef\xbb\xbfa", None, "\ufeffa"),
        (codecs.BOM_UTF16_LE + "é\ufeff".encode("utf-16-le"), None, "é\ufeff"),
        (codecs.BOM_UTF16_BE + "é".encode("utf-16-be"), None, "é"),
        # Bytes that are not text.
        (b"a\xff\xc3", None, "a\udcff\udcc3"),
        (codecs.BOM_UTF16_LE + b"a\0b", None, "a\udc62"),
        (codecs.BOM_UTF16_BE + b"\xd8\x01\0a\xdc\x02", None, "\udcd8\udc01a\udcdc\udc02"),
        # A named encoding applies whatever the marks are; its own mark is dropped.
        ("é€".encode("cp1252"), "cp1252", "é€"),
        (b"a\x81b", "cp1252", "a\udc81b"),
        (codecs.BOM_UTF8 + b"a", "cp1252", "ï»¿a"),
        (codecs.BOM_UTF8 + b"a", "utf-8", "a"),
        (codecs.BOM_UTF8 + b"\xef\xbb\xbfa", "utf-8-sig", "a"),
        (codecs.BOM_UTF16_LE + b"a\0", "utf-8", "\udcff\udcfea\0"),
        ("\ufeffé".encode("utf-16-le"), "utf-16-le", "é"),
        ("é\0".encode("utf-16-be"), "utf-16-be", "é\0"),
        ("\ufeffé".encode("utf-16-be"), "UTF16", "é"),
        ("\ufeffé".encode("utf-16-le"), "utf-16", "é"),
        ("é".encode("utf-16-le"), "utf_16", "é"),
        ("\ufeffé".encode("utf-32-be"), "utf-32", "é"),
        ("\ufeffé".encode("utf-32-le"), "utf-32", "é"),
        ("é".encode("utf-32-le"), "utf-32", "é"),
        (b"a\0\0\0\0\0\x11\0b", "utf-32-le", "a\udc00\udc00\udc11\udc00\udc62"),
        ("株式".encode("shift_jis"), "shift_jis", "株式"),
        (b"\x8a\xff\x82", "shift_jis", "\udc8a\udcff\udc82"),
        ("株".encode("iso2022_jp"), "iso2022_jp", "株"),
        (b"", "cp1252", ""),
        (b"", None, ""),
    ],
)
def test_bytes_become_text_and_what_is_not_text_lone_surrogates(
    body: bytes, encoding: str | None, text: str, size: int
) -> None:
    """It holds wherever they are cut."""
    assert _decoded(body, encoding, size) == text


@pytest.mark.parametrize("encoding", ["iso2022_jp", "iso2022_kr"])
def test_broken_escapes_are_bytes_that_are_not_text_wherever_they_are_cut(encoding: str) -> None:
    """It holds however many there are, and however far Python looks for the end of one."""
    for body in (
        b"a\x1b$\x1b0\x1b\x81\x1b$((\x1b\xffb",
        b"\x81u~\n\x1b$+u{\xffuu\xe3\xffBAJ\x81",
        b"\x1b+\\AA(Bu\x1b(($-\xe3",
    ):
        whole = _decoded(body, encoding, 1_000)
        assert "\udc1b" in whole or "\x1b" in whole
        assert [_decoded(body, encoding, size) for size in range(1, 20)] == [whole] * 19


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize(
    ("head", "what"),
    [
        *((b"PK\x03\x04", "a zip archive"), (b"PK\x05\x06", "a zip archive"), (b"PK\x07\x08", "a zip archive")),
        *((b"PAR1\x15", "a Parquet file"), (b"BZh91AY&SY", "compressed by bzip2"), (b"\xfd7zXZ\0", "compressed by xz")),
        *((b"\x28\xb5\x2f\xfd", "compressed by zstandard"), (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind"),
        *((b"%PDF-", "a PDF document"), (b"\x1f\x8b", "gzip within gzip")),
    ],
)
def test_an_object_of_another_format_is_refused_by_how_it_begins(head: bytes, what: str, size: int) -> None:
    """All of the beginning must be there, at the very start; an encoding makes no difference."""
    for encoding in (None, "latin-1"):
        for body in (head, head + b"\n" * 20):
            with pytest.raises(Unreadable, match=f"the object is {what}, not text"):
                _decoded(body, encoding, size)
        for body in (head[:-1], b" " + head, b"\n" * 10 + head):
            _decoded(body, encoding, size)


@pytest.mark.parametrize("beginning", [b"BZh01AY&SY", b"BZh:1AY&SY", b"PAR1,a", b"PK,a", b"PK\x03\x05", b"PARTICLE"])
def test_what_only_looks_alike_is_text(beginning: bytes) -> None:
    """A header may begin with the letters of a format."""
    assert _decoded(beginning, "latin-1", 1_000) == beginning.decode("latin-1")


def test_the_first_bytes_can_be_had_when_nothing_more_comes() -> None:
    """They are kept to recognise a format, and are text if the rest is damaged."""
    decoder = TextDecoder(None)
    assert decoder.feed(b"a\nb") == ""
    assert decoder.feed(b"", hasten=True) == "a\nb"
    assert decoder.feed(b"", hasten=True) == ""
    assert TextDecoder(None).feed(b"a\n3456789") == ""
    assert TextDecoder(None).feed(b"a\n34567890") == "a\n34567890"


@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_a_mark_is_one_at_the_beginning_only(encoding: str | None) -> None:
    """A mark that begins another piece is text."""
    decoder = TextDecoder(encoding)
    assert decoder.feed("\ufeff0123456789".encode()) == "0123456789"
    assert decoder.feed("\ufeffa".encode()) == "\ufeffa"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "UTF8", "cp1252", "shift_jis", "utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-7", "cp037"]
)
def test_text_encodings_can_be_read(encoding: str) -> None:
    """It holds under any of their names."""
    assert bad_encoding(encoding) is None


@pytest.mark.parametrize(
    "encoding",
    ["hex", "rot13", "zlib", "idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "x", "\0"],
)
def test_what_is_not_a_text_encoding_or_cannot_be_read_in_pieces_is_named(encoding: str) -> None:
    """UTF-16 and UTF-32 are included where a mark decides: without one they cannot be read."""
    assert bad_encoding(encoding)
    if encoding in ("hex", "rot13", "zlib", "x", "\0"):
        assert bad_encoding(encoding) == "not a text encoding that Python knows"


def test_a_codec_that_reads_a_text_only_whole_is_none_for_files() -> None:
    """Python has no such codec; somebody may have installed one."""

    def whole(name: str) -> codecs.CodecInfo | None:
        ascii_codec = codecs.lookup("ascii")
        return codecs.CodecInfo(ascii_codec.encode, ascii_codec.decode, name=name) if name == "whole" else None

    codecs.register(whole)
    try:
        assert bad_encoding("whole") == "an encoding that cannot be read in pieces"
    finally:
        codecs.unregister(whole)


@pytest.mark.parametrize(
    ("encoding", "more"),
    [("cp1252", True), ("shift_jis", True), ("cp037", False), ("utf-16-le", False), ("utf-32-le", False)],
)
def test_an_encoding_may_be_ascii_and_more(encoding: str, more: bool) -> None:
    """Or it may read ASCII's own bytes differently."""
    assert is_ascii_and_more(encoding) == more


def test_a_named_encoding_says_whether_it_was_needed() -> None:
    """Only a character beyond ASCII needs it."""
    decoder = TextDecoder("cp1252")
    decoder.feed(b"ticker,date\n")
    assert not decoder.beyond_ascii
    decoder.feed(b"\xe9")
    decoder.feed(b"a")
    assert decoder.beyond_ascii
