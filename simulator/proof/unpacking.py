"""An object's bytes -> the bytes of its text: gzip is recognised by its magic bytes, anything else passes. No I/O.

It also recognises formats that are not text by their beginning. Memory is bounded by the chunk.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from simulator.proof.failures import Unreadable

GZIP_RATIO, GZIP_FREE_BYTES = 250, 64 * 1024 * 1024
"""An object that inflates to more than both is unreadable (docs/handlers.md, "Which rows are stored")."""
HEAD_BYTES = 10
"""How many bytes are examined to recognise a format."""
_SLICE_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"
_FORMATS = {
    rb"PK(?:\x03\x04|\x05\x06|\x07\x08)": "a zip archive",
    rb"PAR1\x15": "a Parquet file",
    rb"BZh[1-9]1AY&SY": "compressed by bzip2",
    rb"\xfd7zXZ\x00": "compressed by xz",
    rb"\x28\xb5\x2f\xfd": "compressed by zstandard",
    rb"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook of the old kind",
    rb"%PDF-": "a PDF document",
    rb"\x1f\x8b": "gzip within gzip",
}


def refuse_other_formats(head: bytes) -> None:
    """Raises `Unreadable` if an object with this beginning, of `HEAD_BYTES` if it has as many, is not text."""
    for beginning, name in _FORMATS.items():
        if re.match(beginning, head, re.DOTALL):
            raise Unreadable(f"the object is {name}, not text")


class Unpacker:
    """Feed it an object's bytes in any pieces; it returns those of the text.

    A damaged stream yields what inflates when its bytes are fed one at a time, however they really come.
    """

    def __init__(self) -> None:
        self._head = b""
        self._gzip: bool | None = None
        self._member = zlib.decompressobj(wbits=31)
        self._consumed = self._inflated = 0

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[bytes]:
        """The text's bytes from `chunk`, in pieces neither tiny nor huge. Raises `Unreadable` after the last."""
        gathered: list[bytes] = []
        size = 0
        try:
            for piece in self._unpacked(chunk, final=final):
                gathered.append(piece)
                size += len(piece)
                if size >= _SLICE_BYTES:
                    yield b"".join(gathered)
                    gathered.clear()
                    size = 0
        except Unreadable:
            yield b"".join(gathered)
            raise
        yield b"".join(gathered)

    def _unpacked(self, chunk: bytes, *, final: bool) -> Iterator[bytes]:
        if self._gzip is None:
            chunk = self._head + chunk
            if len(chunk) < len(_GZIP) and not final:
                self._head = chunk
                return
            self._gzip = chunk.startswith(_GZIP)
        if not self._gzip:
            yield chunk
            return
        yield from self._unfold(chunk)
        if final and not self._member.eof:
            raise Unreadable("the gzip stream ends early")

    def _unfold(self, chunk: bytes) -> Iterator[bytes]:
        more = False
        while chunk or more:
            if self._member.eof:
                self._consumed += len(chunk) - len(chunk.lstrip(b"\0"))
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    break
                self._member = zlib.decompressobj(wbits=31)
            before = self._member.copy() if len(chunk) > 1 else self._member
            try:
                # Up to the next multiple of a slice, so that a bomb is judged at the same places for any cuts.
                text = self._member.decompress(chunk, _SLICE_BYTES - self._inflated % _SLICE_BYTES)
            except zlib.error as error:
                if len(chunk) <= 1:
                    raise Unreadable(f"the gzip stream is damaged: {error}") from None
                self._member = before
                for i in range(len(chunk)):
                    yield from self._unfold(chunk[i : i + 1])
                return
            rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._consumed += len(chunk) - len(rest)
            self._inflated += len(text)
            chunk = rest
            yield text
            # After a full slice there may be more, although all bytes are consumed.
            more = bool(text) and self._inflated % _SLICE_BYTES == 0
            if (more or self._member.eof) and self._inflated > max(GZIP_FREE_BYTES, GZIP_RATIO * self._consumed):
                raise Unreadable(f"a gzip bomb: {self._consumed} bytes inflate to more than {GZIP_RATIO} times as many")
