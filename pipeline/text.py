"""Bytes of an object -> records of a CSV file, pushed in and pulled out, in bounded memory. No I/O.

Owns line ends and what a line or a record may be at most; compression and encodings are in `decoding.py`, quotes in
`quotes.py`, and no column is known here. Two kinds of record come out: `Lines`, whole lines of plain text that hold
neither quote nor carriage return (the common case, left unsplit so that the reader above can work on many rows at
once), and `Parsed` ones, with `RejectedRow` for what is no record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.decoding import SLICE_BYTES, Decoder, Inflater, ObjectUnreadable
from pipeline.quotes import MAX_RECORD_CHARS, SHOWN_CHARS, Parsed, QuoteParser, RejectedRow, overlong

__all__ = [
    "MAX_RECORD_CHARS",
    "SHOWN_CHARS",
    "SLICE_BYTES",
    "Lines",
    "ObjectUnreadable",
    "Parsed",
    "RecordReader",
    "Records",
    "RejectedRow",
]

_LINE_END = re.compile(r"(?<!\r)\r+\n")


class Lines(NamedTuple):
    r"""Whole lines, each ending in `\n`, free of quotes and carriage returns; `line` is the first one's number."""

    line: int
    text: str


Records = Iterator[Lines | Parsed | RejectedRow]


class RecordReader:
    """Feed an object's bytes, get its records. Blank lines are no records.

    A line ends at LF; CRs before it belong to its end. A quoted field may hold line ends; what is no record costs the
    line that it begins on alone: the line is rejected and reading goes on with the next. Memory is bounded by
    `MAX_RECORD_CHARS` and the chunk, and time is linear. What has come out at any moment depends on the bytes fed so
    far, not on how they were cut.
    """

    def __init__(self) -> None:
        self._inflater = Inflater()
        self._decoder = Decoder()
        self._quotes = QuoteParser()
        self._line = 1
        self._carry: list[str] = []
        self._carry_chars = 0
        self._skipping = False

    def expect(self, width: int) -> None:
        """So many fields has the header: a record of several lines that has not is broken.

        To be called when the first record has come, before the next one is asked for.
        """
        self._quotes.expect(width)

    def feed(self, chunk: bytes, *, final: bool = False) -> Records:
        """The records that `chunk` completes, and those that the object's end does. Raises `ObjectUnreadable`."""
        for piece in self._inflater.feed(chunk, final=final):
            yield from self._text(self._decoder.feed(piece))
        if final:
            yield from self._text(self._decoder.feed(b"", final=True))
            rest = self._take_carry("")
            yield from self._whole(rest + "\n" if rest else "", final=True)

    def _text(self, text: str) -> Records:
        """Cut `text` at its last line end, keep the rest, hand on what is whole."""
        if self._skipping:
            text = self._skip(text)
        end = text.rfind("\n") + 1
        whole = self._take_carry(text[:end]) if end else ""
        if len(text) > end:
            self._carry.append(text[end:])
            self._carry_chars += len(text) - end
        yield from self._whole(whole, final=False)
        if self._carry_chars > MAX_RECORD_CHARS:
            shown = self._take_carry("")[:SHOWN_CHARS]
            yield RejectedRow(self._line, overlong(), (shown,), overlong(), shown)
            self._skipping = True

    def _skip(self, text: str) -> str:
        """What follows the end of the line that is being skipped."""
        end = text.find("\n") + 1
        if not end:
            return ""
        self._skipping = False
        self._line += 1
        return text[end:]

    def _take_carry(self, text: str) -> str:
        if self._carry:
            text = "".join([*self._carry, text])
            self._carry.clear()
            self._carry_chars = 0
        return text

    def _whole(self, text: str, *, final: bool) -> Records:
        """The records of whole lines, and of those before them that were open."""
        line = self._line
        if not self._quotes.pending:
            if not text:
                return
            if '"' not in text and len(text) <= MAX_RECORD_CHARS:
                plain = text.replace("\r\n", "\n") if "\r" in text else text
                if "\r" in plain:
                    plain = _LINE_END.sub("\n", plain)
                if "\r" not in plain:
                    self._line += plain.count("\n")
                    yield Lines(line, plain)
                    return
        self._line += text.count("\n")
        yield from self._quotes.feed(line, text, self._carry_chars, final=final)
