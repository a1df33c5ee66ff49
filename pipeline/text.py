"""Bytes of an object -> records of a CSV file, pushed in and pulled out, in bounded memory. No I/O.

Owns compression, encodings, line ends, quotes and the limits on all of them; knows no column. Two kinds of record come
out: `Lines`, whole lines of plain text that hold neither quote nor carriage return (the common case, left unsplit so
that the reader above can work on many rows at once), and single `Record`s, with `RejectedRow` for what is no record.
"""

from __future__ import annotations

import codecs
import csv
import zlib
from collections.abc import Iterator
from typing import NamedTuple

MAX_RECORD_CHARS = 2 * 1024 * 1024
"""A longer record cannot be an item of 400 KB; it is rejected rather than gathered."""
SLICE_BYTES = 64 * 1024
"""Inflated bytes in hand at once."""
MAX_GZIP_RATIO = 250
"""Deflate reaches 1,032 : 1 on one repeated byte; rows that differ at all stay far below this."""
GZIP_RATIO_FREE_BYTES = 64 * 1024 * 1024
"""Below this much text the ratio is nobody's business."""
SHOWN_CHARS = 1000
"""How much of an over-long record its rejection shows."""

csv.field_size_limit(MAX_RECORD_CHARS)


class ObjectUnreadable(Exception):
    """The object cannot be read at all, now or later; the message says why."""


class Lines(NamedTuple):
    r"""Whole lines, each ending in `\n`, free of quotes and carriage returns; `line` is the first one's number."""

    line: int
    text: str


class Record(NamedTuple):
    """One record that needed the CSV parser; `line` is the physical line it begins on."""

    line: int
    fields: list[str]


class RejectedRow(NamedTuple):
    """One row that cannot be stored: why, and its fields as read."""

    line: int
    reason: str
    row: tuple[str, ...]


Records = Iterator[Lines | Record | RejectedRow]


class _Inflater:
    """Bytes -> bytes: gzip by its magic bytes (any number of members), everything else as it is."""

    def __init__(self) -> None:
        self._head = b""
        self._gzip: bool | None = None
        self._member = zlib.decompressobj(wbits=31)
        self._bytes_in = 0
        self._bytes_out = 0

    def feed(self, chunk: bytes, *, final: bool) -> Iterator[bytes]:
        if self._gzip is None:
            self._head += chunk
            if len(self._head) < 2 and not final:
                return
            self._gzip = self._head.startswith(b"\x1f\x8b")
            chunk, self._head = self._head, b""
        if not self._gzip:
            yield chunk
            return
        self._bytes_in += len(chunk)
        while chunk:
            if self._member.eof:
                # Zero bytes may pad the last member; anything else must be another one.
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    return
                self._member = zlib.decompressobj(wbits=31)
            try:
                out = self._member.decompress(chunk, SLICE_BYTES)
            except zlib.error as error:
                raise ObjectUnreadable(f"the gzip stream is damaged: {error}") from None
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._bytes_out += len(out)
            if self._bytes_out > max(GZIP_RATIO_FREE_BYTES, MAX_GZIP_RATIO * self._bytes_in):
                raise ObjectUnreadable(
                    f"a gzip bomb: {self._bytes_in} bytes unfold to more than {MAX_GZIP_RATIO} times as many"
                )
            if out:
                yield out
        if final and not self._member.eof:
            raise ObjectUnreadable("the gzip stream ends early")


class _Decoder:
    """Bytes -> text. UTF-16 by its byte order mark, else UTF-8; what is no UTF-8 becomes lone surrogates."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes, *, final: bool = False) -> str:
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


class _NeedMore(Exception):
    """The lines at hand end within a record."""


class RecordReader:
    """Feed an object's bytes, get its records. Blank lines are no records.

    Line ends are LF or CRLF. A quoted field may hold line ends; a quote that never closes costs its own line only: the
    line is rejected and reading goes on with the next. Memory is bounded by `MAX_RECORD_CHARS` and the chunk.
    """

    def __init__(self) -> None:
        self._inflater = _Inflater()
        self._decoder = _Decoder()
        self._line = 1
        self._carry: list[str] = []
        self._carry_chars = 0
        self._skipping = False

    def feed(self, chunk: bytes, *, final: bool = False) -> Records:
        """The records that `chunk` completes, and those that the object's end does. Raises `ObjectUnreadable`."""
        for piece in self._inflater.feed(chunk, final=final):
            yield from self._text(self._decoder.feed(piece))
        if final:
            yield from self._text(self._decoder.feed(b"", final=True))
            rest = self._take_carry("")
            if rest:
                yield from self._whole(rest + "\n", "", final=True)

    def _text(self, text: str) -> Records:
        """Cut `text` at its last line end, keep the rest, hand on what is whole."""
        if self._skipping:
            text = self._skip(text)
        end = text.rfind("\n") + 1
        if end:
            # A record that is open since an earlier chunk cannot end before a line does.
            yield from self._whole(self._take_carry(text[:end]), text[end:], final=False)
        elif text:
            self._keep(text)
        if self._carry_chars > MAX_RECORD_CHARS:
            text = self._take_carry("")
            end = text.rfind("\n") + 1
            if end:
                yield from self._quoted(text[:end], text[end:], final=False)
            else:
                self._keep(text)
        if self._carry_chars > MAX_RECORD_CHARS:
            yield self._overlong(self._take_carry(""))
            self._skipping = True

    def _skip(self, text: str) -> str:
        """What follows the end of the line that is being skipped."""
        end = text.find("\n") + 1
        if not end:
            return ""
        self._skipping = False
        self._line += 1
        return text[end:]

    def _keep(self, text: str) -> None:
        self._carry.append(text)
        self._carry_chars += len(text)

    def _take_carry(self, text: str) -> str:
        if self._carry:
            text = "".join([*self._carry, text])
            self._carry.clear()
            self._carry_chars = 0
        return text

    def _whole(self, text: str, tail: str, *, final: bool) -> Records:
        """Records of whole lines; `tail` is the beginning of the line after them, kept for later."""
        if '"' not in text and len(text) <= MAX_RECORD_CHARS:
            plain = text.replace("\r\n", "\n") if "\r" in text else text
            if "\r" not in plain:
                line = self._line
                self._line += plain.count("\n")
                if tail:
                    self._keep(tail)
                yield Lines(line, plain)
                return
        yield from self._quoted(text, tail, final=final)

    def _quoted(self, text: str, tail: str, *, final: bool) -> Iterator[Record | RejectedRow]:
        """The same by the CSV parser; a record that is still open is kept with the tail."""
        lines = text.split("\n")
        lines.pop()  # what follows the last line end: nothing
        at = 0

        def supply() -> Iterator[str]:
            nonlocal at
            while at < len(lines):
                at += 1
                yield lines[at - 1] + "\n"
            raise _NeedMore

        # The generator ends when it raises, so a new parser goes with a new one.
        parser = csv.reader(supply(), strict=True)
        while at < len(lines):
            start = at
            fields: list[str] = []
            bad: str | None = None
            open_record = False
            try:
                fields = next(parser)
            except _NeedMore:
                open_record = True
            except csv.Error as error:
                # What the parser read up to its error is one line, or the lines of one quoted field.
                bad = _reason(error)
            chars = sum(map(len, lines[start:at])) + at - start
            if open_record and not final and chars + len(tail) <= MAX_RECORD_CHARS:
                self._keep("\n".join([*lines[start:], tail]))
                return
            if open_record or chars > MAX_RECORD_CHARS:
                # Its first line alone is given up, so that an open quote does not swallow what follows.
                at = start + 1
                parser = csv.reader(supply(), strict=True)
                first = lines[start]
                if len(first) < MAX_RECORD_CHARS:
                    yield self._rejected("a quoted field that does not end", first)
                else:
                    yield self._overlong(first)
            elif bad:
                yield self._rejected(bad, "\n".join(lines[start:at]))
            elif fields:
                yield Record(self._line, fields)
            self._line += at - start
        if tail:
            self._keep(tail)

    def _rejected(self, reason: str, text: str) -> RejectedRow:
        return RejectedRow(self._line, reason, (text.removesuffix("\n").removesuffix("\r")[:SHOWN_CHARS],))

    def _overlong(self, text: str) -> RejectedRow:
        return self._rejected(f"a line of more than {MAX_RECORD_CHARS} characters", text)


_REASONS = {
    "expected after": "text after a closing quote",
    "new-line character": "a carriage return within a line",
    "field larger": f"a field of more than {MAX_RECORD_CHARS} characters",
}


def _reason(error: csv.Error) -> str:
    text = str(error)
    return next((reason for part, reason in _REASONS.items() if part in text), text)
