"""An object's bytes -> its records, by the rules of docs/handlers.md. The proof's own reader; no I/O.

Clear before fast, and written from the rules alone. Memory is bounded by the longest record and the chunk.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator

LONGEST_RECORD = 2 * 1024 * 1024
"""Characters of one record, its line ends counted (docs/handlers.md, "Which rows are stored")."""
SHOWN_CHARACTERS = 1_000
"""Of a broken record's line, which its rejection shows."""
GZIP_RATIO, GZIP_FREE_BYTES = 250, 64 * 1024 * 1024
"""An object that unfolds to more than both is unreadable (the same page)."""
_SLICE_BYTES = 64 * 1024

Record = tuple[int, list[str] | str]
"""The physical line on which it begins, and its fields; of a broken record the text of that line."""


class Unreadable(Exception):
    """The object cannot be read at all; the message says why. What was read of it before stays read."""


class RecordParser:
    """Feed an object's bytes in any pieces, get its records; what comes out depends on the bytes alone.

    Once somebody says how many fields the header has, a record over several lines with another number of them began
    with a stray quote.
    """

    def __init__(self) -> None:
        self._width: int | None = None
        self._inflater = _Inflater()
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""
        self._rest = ""
        self._passing_over = False
        self._lines: list[str] = []
        self._open_lines = 0
        self._number = 1

    def expect(self, width: int) -> None:
        """The header has so many fields."""
        self._width = width

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[Record]:
        """The records that `chunk` completes, and those that the end does. Raises `Unreadable`; exhaust it first."""
        for piece in _gathered(self._inflater.feed(chunk, final=final)):
            yield from self._read(self._decoded(piece, final=False), final=False)
        if final:
            yield from self._read(self._decoded(b"", final=True), final=True)

    def _decoded(self, piece: bytes, *, final: bool) -> str:
        if self._decoder is None:
            self._head += piece
            if len(self._head) < 3 and not final:
                return ""
            piece, marked = self._head, self._head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            encoding, errors = ("utf-16", "surrogatepass") if marked else ("utf-8-sig", "surrogateescape")
            self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise Unreadable(f"the text is not UTF-16: {error.reason}") from None

    def _read(self, text: str, *, final: bool) -> Iterator[Record]:
        """Cut into lines what is whole; keep the rest."""
        if self._passing_over:
            _, end, text = text.partition("\n")
            if not end:
                return
            self._passing_over = False
            self._number += 1
        text = self._rest + text
        if final:
            text += "\n"  # which ends the last line, or is a line of its own with nothing in it
        *lines, self._rest = text.split("\n")
        self._lines += lines
        yield from self._records(final=final)
        if len(self._rest) >= LONGEST_RECORD:  # so that no record before it is open any more
            yield self._number, self._rest[:SHOWN_CHARACTERS]
            self._rest, self._passing_over = "", True

    def _records(self, *, final: bool) -> Iterator[Record]:
        """The records of the lines at hand; those of a record that is still open stay."""
        lines, at = self._lines, 0
        seen, self._open_lines = self._open_lines, 0
        if seen and not final and self._open_length(0) < LONGEST_RECORD and '"' not in "".join(lines[seen:]):
            self._open_lines = len(lines)
            return
        while at < len(lines):
            line = lines[at]
            if len(line) >= LONGEST_RECORD:
                yield self._number + at, line[:SHOWN_CHARACTERS]
            elif '"' not in line and "\r" not in line:
                if line:
                    yield self._number + at, line.split(",")
            elif line.strip("\r"):
                found = self._record(at)
                if found is None and not final and self._open_length(at) < LONGEST_RECORD:
                    self._open_lines = len(lines) - at
                    break
                if found is not None:
                    fields, after = found
                    yield self._number + at, fields
                    at = after
                    continue
                yield self._number + at, _shown(line)
            at += 1
        self._number += at
        del lines[:at]

    def _open_length(self, first: int) -> int:
        return sum(map(len, self._lines[first:])) + len(self._lines) - first + len(self._rest)

    def _record(self, first: int) -> tuple[list[str] | str, int] | None:
        """The record that begins on line `first`, and the line behind it; None if the lines at hand end within it.

        A broken one costs its first line alone.
        """
        lines, at, place = self._lines, first, 0
        broken = _shown(lines[first]), first + 1
        line, length = lines[first], len(lines[first]) + 1
        fields: list[str] = []
        while True:
            if not line.startswith('"', place):
                end = line.find(",", place)
                cell = line[place:end] if end >= 0 else line[place:].rstrip("\r")
                if "\r" in cell:
                    return broken
                place = end + 1 if end >= 0 else len(line)
                ended = end < 0
            else:
                begun, place = list[str](), place + 1
                while (end := _closing_quote(line, place)) < 0:
                    at += 1
                    if at == len(lines):
                        return None
                    begun.append(line[place:])
                    line, place = lines[at], 0
                    length += len(line) + 1
                    if length > LONGEST_RECORD:
                        return broken
                cell = "\n".join([*begun, line[place:end]]).replace('""', '"')
                place = end + 1
                ended = not line.startswith(",", place)
                if ended and line[place:].strip("\r"):
                    return broken
                place += 1
            fields.append(cell)
            if at > first and self._width is not None and ended != (len(fields) == self._width):
                return broken
            if ended:
                return fields, at + 1


def _closing_quote(line: str, place: int) -> int:
    """Where the first quote from `place` on is that is not doubled; -1 if there is none."""
    while (end := line.find('"', place)) >= 0 and line.startswith('"', end + 1):
        place = end + 2
    return end


def _shown(line: str) -> str:
    return line.rstrip("\r")[:SHOWN_CHARACTERS]


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in few pieces: each of them costs a look at what is still open."""
    gathered: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
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


class _Inflater:
    """Bytes -> bytes: gzip by its magic bytes, everything else as it is.

    From a damaged stream comes what inflates when its bytes are fed one at a time, however they really come.
    """

    def __init__(self) -> None:
        self._head = b""
        self._gzip: bool | None = None
        self._member = zlib.decompressobj(wbits=31)
        self._consumed = self._inflated = 0

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[bytes]:
        if self._gzip is None:
            chunk = self._head + chunk
            if len(chunk) < 2 and not final:
                self._head = chunk
                return
            self._gzip = chunk.startswith(b"\x1f\x8b")
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
            # A full slice may have more behind it, although all bytes are consumed.
            more = bool(text) and self._inflated % _SLICE_BYTES == 0
            if (more or self._member.eof) and self._inflated > max(GZIP_FREE_BYTES, GZIP_RATIO * self._consumed):
                raise Unreadable(f"a gzip bomb: {self._consumed} bytes unfold to more than {GZIP_RATIO} times as many")
