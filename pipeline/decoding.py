"""Bytes of an object -> text: compression and encodings, in bounded memory. No I/O.

What comes out before the object turns out unreadable depends on its bytes alone, not on how they are cut into chunks.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator

SLICE_BYTES = 64 * 1024
"""Bytes of text in hand at once."""
MAX_GZIP_RATIO = 250
"""Deflate reaches 1,032 : 1 on one repeated byte; rows that differ at all stay far below this."""
GZIP_RATIO_FREE_BYTES = 64 * 1024 * 1024
"""Below this size, the ratio is not checked."""


class ObjectUnreadable(Exception):
    """The object cannot be read at all, now or later; the message says why.

    `setting` is the environment variable that might mend it, None where none would.
    """

    def __init__(self, reason: str, setting: str | None = None) -> None:
        super().__init__(reason)
        self.setting = setting


class Inflater:
    """Bytes -> bytes: gzip by its magic bytes (any number of members), everything else as it is.

    Of a damaged stream everything comes out that inflates when its bytes are fed one at a time, up to the byte at
    which zlib fails.
    """

    def __init__(self) -> None:
        self._head = b""
        self._gzip: bool | None = None
        self._member = zlib.decompressobj(wbits=31)
        self._bytes_in = 0
        self._bytes_out = 0

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[bytes]:
        """What these bytes come to, at most `SLICE_BYTES` at a time. Raises `ObjectUnreadable`."""
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
                # Zero bytes may pad the last member; anything else must be another one.
                padded = len(chunk)
                chunk = chunk.lstrip(b"\0")
                self._bytes_in += padded - len(chunk)
                if not chunk:
                    return
                self._member = zlib.decompressobj(wbits=31)
            before = self._member.copy()
            # Slices end at multiples of their size, so that the ratio is taken at the same places for any chunks.
            room = SLICE_BYTES - self._bytes_out % SLICE_BYTES
            try:
                out = self._member.decompress(chunk, room)
            except zlib.error as error:
                if len(chunk) <= 1:
                    raise ObjectUnreadable(f"the gzip stream is damaged: {error}") from None
                # What the call had inflated before it failed is lost: once more, up to the very byte.
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
                f"a gzip bomb: {self._bytes_in} bytes unfold to more than {MAX_GZIP_RATIO} times as many"
            )


class Decoder:
    """Bytes -> text. UTF-16 by its byte order mark, else UTF-8; what is not UTF-8 becomes lone surrogates."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes, *, final: bool = False) -> str:
        """The text that these bytes complete. Raises `ObjectUnreadable`."""
        if self._decoder is None:
            self._head += chunk
            if len(self._head) < 3 and not final:
                return ""
            chunk, self._head = self._head, b""
            utf16 = chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            encoding, errors = ("utf-16", "surrogatepass") if utf16 else ("utf-8-sig", "surrogateescape")
            self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        try:
            return self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            # Only an odd byte at the end of UTF-16 comes here: lone surrogates pass.
            raise ObjectUnreadable(f"the text is not UTF-16: {error.reason}") from None
