"""Bytes of an object -> text: compression and encodings, in bounded memory. No I/O.

The output before an error depends on the object's bytes alone, not on how they are cut into chunks.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator

SLICE_BYTES = 64 * 1024
"""Bytes of text held at once."""
MAX_GZIP_RATIO = 250
"""Deflate reaches 1,032 : 1 on one repeated byte; rows that differ at all stay far below this limit."""
GZIP_RATIO_FREE_BYTES = 64 * 1024 * 1024
"""Below this size, the ratio is not checked."""
ESCAPE = "stockpipe-escape"
"""The error handler that `Decoder` gives to a codec: each byte that is not text becomes U+DC00 plus its value."""
_BIG_ENDIAN_MARKS = {"utf-16": codecs.BOM_UTF16_BE, "utf-32": codecs.BOM_UTF32_BE}
"""Encodings whose byte order a mark gives; without a mark, little-endian is assumed."""
_ESCAPES = ("unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape")
"""How Python writes text in source code: no file uses them, and they cannot be read in pieces."""
_FORMATS = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"PK\x07\x08": "a zip archive",
    b"PAR1\x15": "a Parquet file",
    **{b"BZh%d1AY&SY" % level: "a bzip2 file" for level in range(1, 10)},
    b"\xfd7zXZ\0": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook",
    b"%PDF-": "a PDF file",
    b"\x1f\x8b": "gzip within gzip",
}
"""What files of other formats begin with."""
_FORMATS_BY_BYTE: dict[bytes, list[tuple[bytes, str]]] = {}
for _format in _FORMATS.items():
    _FORMATS_BY_BYTE.setdefault(_format[0][:1], []).append(_format)
"""The same by the first byte, which hardly any text begins with."""


class ObjectUnreadable(Exception):
    """The object cannot be read at all, now or later; the message says why.

    `setting` is the environment variable that might fix it, `proposal` a value for it that is likely to; each is None
    where there is nothing to suggest.
    """

    def __init__(self, reason: str, setting: str | None = None, proposal: str | None = None) -> None:
        super().__init__(reason)
        self.setting = setting
        self.proposal = proposal


class Inflater:
    """Bytes -> bytes: gzip is recognised by its magic bytes (any number of members); anything else is passed through.

    A damaged stream yields everything that inflates when its bytes are fed one at a time, up to the byte at which zlib
    fails.
    """

    def __init__(self) -> None:
        self._head = b""
        self._gzip: bool | None = None
        self._member = zlib.decompressobj(wbits=31)
        self._bytes_in = 0
        self._bytes_out = 0

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[bytes]:
        """The inflated bytes, at most `SLICE_BYTES` at a time. Raises `ObjectUnreadable`."""
        if self._gzip is None:
            self._head += chunk
            if len(self._head) < 2 and not final:
                return
            self._gzip = self._head.startswith(b"\x1f\x8b")
            chunk, self._head = self._head, b""
        if self._gzip:
            yield from self._inflate(chunk)
            if final and not self._member.eof:
                raise ObjectUnreadable("the gzip stream ends early")
        else:
            for start in range(0, len(chunk), SLICE_BYTES):
                yield chunk[start : start + SLICE_BYTES]

    def _inflate(self, chunk: bytes) -> Iterator[bytes]:
        more = False
        while chunk or more:
            if self._member.eof:
                # Zero bytes may pad the last member; anything else must begin another one.
                padded = len(chunk)
                chunk = chunk.lstrip(b"\0")
                self._bytes_in += padded - len(chunk)
                if not chunk:
                    return
                self._member = zlib.decompressobj(wbits=31)
            before = self._member.copy()
            # Slices end at multiples of their size, so that the ratio is checked at the same places for any chunks.
            room = SLICE_BYTES - self._bytes_out % SLICE_BYTES
            try:
                out = self._member.decompress(chunk, room)
            except zlib.error as error:
                if len(chunk) <= 1:
                    raise ObjectUnreadable(f"the gzip stream is damaged: {error}") from None
                # What the call had inflated before it failed is lost: repeat it, byte by byte, up to the failing one.
                self._member = before
                for at in range(len(chunk)):
                    yield from self._inflate(chunk[at : at + 1])
                return
            rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._bytes_in += len(chunk) - len(rest)
            self._bytes_out += len(out)
            chunk, more = rest, len(out) == room
            if out:
                yield out
            if more or self._member.eof:
                self._check_ratio()

    def _check_ratio(self) -> None:
        if self._bytes_out > max(GZIP_RATIO_FREE_BYTES, MAX_GZIP_RATIO * self._bytes_in):
            raise ObjectUnreadable(
                f"a gzip bomb: {self._bytes_in} bytes inflate to more than {MAX_GZIP_RATIO} times as many"
            )


class Decoder:
    """Bytes -> text in `encoding`; None: UTF-16 if its mark is there, else UTF-8. Removes a leading byte order mark.

    Bytes that are not text become lone surrogates, each U+DC00 plus its value. The attribute `encoding` is the name to
    use in messages.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding or "UTF-8"
        self._given = None if encoding is None else codecs.lookup(encoding).name
        self._mark_bytes = len(_BIG_ENDIAN_MARKS.get(self._given or "", codecs.BOM_UTF8))
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = encoding is None

    def feed(self, chunk: bytes, *, final: bool = False) -> str:
        """The text that these bytes complete. Raises `ObjectUnreadable` for a file of another format."""
        if self._decoder is None:
            self._head += chunk
            for beginning, name in _FORMATS_BY_BYTE.get(self._head[:1], ()):
                if self._head.startswith(beginning):
                    raise ObjectUnreadable(f"the object is {name}, not CSV")
            if not final and self._undecided():
                return ""
            chunk, self._head = self._head, b""
            self._decoder, chunk = self._choose(chunk)
        text = self._decoder.decode(chunk, final)
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix("\ufeff")
        return text

    def _undecided(self) -> bool:
        """Whether more bytes could still reveal another format or another encoding."""
        if len(self._head) < self._mark_bytes:
            return True
        return any(beginning.startswith(self._head) for beginning, _ in _FORMATS_BY_BYTE.get(self._head[:1], ()))

    def _choose(self, chunk: bytes) -> tuple[codecs.IncrementalDecoder, bytes]:
        if self._given is not None:
            name = self._given
            if name.startswith("iso2022"):
                return _WholeEscapes(name), chunk
            if name in _BIG_ENDIAN_MARKS:
                name += "-be" if chunk.startswith(_BIG_ENDIAN_MARKS[name]) else "-le"
            return codecs.getincrementaldecoder(name)(ESCAPE), chunk
        for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
            if chunk.startswith(mark):
                self.encoding = "UTF-16"
                return codecs.getincrementaldecoder(name)(ESCAPE), chunk[len(mark) :]
        return codecs.getincrementaldecoder("utf-8")("surrogateescape"), chunk.removeprefix(codecs.BOM_UTF8)


class _WholeEscapes(codecs.IncrementalDecoder):
    """ISO 2022 in pieces: Python's own decoder fails where a piece ends within what is not an escape sequence."""

    def __init__(self, name: str) -> None:
        super().__init__(ESCAPE)
        self._decoder = codecs.getincrementaldecoder(name)(ESCAPE)
        self._tail = b""

    def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
        """Like every incremental decoder."""
        data = self._tail + data
        # The decoder looks at no more than 16 bytes after an escape.
        at = -1 if final else data.find(b"\x1b", max(0, len(data) - 16))
        data, self._tail = (data, b"") if at < 0 else (data[:at], data[at:])
        return self._decoder.decode(data, final)


def encoding_problem(name: str) -> str | None:
    """Why `Decoder` cannot read objects in the encoding of this name; None if it can."""
    try:
        info = codecs.lookup(name)
        if info.name in _BIG_ENDIAN_MARKS:
            return None
        if not getattr(info, "_is_text_encoding", True) or info.incrementaldecoder is None or info.name in _ESCAPES:
            return "is not a text encoding"
        info.incrementaldecoder(ESCAPE).decode(b"a,b\n", True)
    except UnicodeError:
        return "is not an encoding that can decode arbitrary bytes"
    except (LookupError, ValueError, TypeError):
        return "is not a text encoding that Python knows, such as cp1252"
    return None


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(ESCAPE, _escape)
