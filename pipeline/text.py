"""Bytes of an object -> records of a CSV file, pushed in and pulled out, in bounded memory. No I/O.

This file handles line ends and the maximum size of a line or record. Compression and encodings are in `decoding.py`,
the lines before the first record in `opening.py`, quotes in `quotes.py`; columns play no part here. There are two kinds
of record: `Lines`, whole lines without quotes (the common case, left unsplit so that the reader above can process many
rows at once), and `Parsed`. `RejectedRow` is for what is not a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.decoding import SLICE_BYTES, Decoder, Inflater, ObjectUnreadable
from pipeline.dialect import CsvDialect
from pipeline.fields import Fields, fields_of
from pipeline.opening import FirstLines, FirstRecord
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


class Lines(NamedTuple):
    r"""Whole lines, each ending in `\n`, without quotes and carriage returns; `line` is the number of the first.

    They are as in the file: with blank lines, with blanks at fields' edges, and with words for "no value". Comments are
    empty lines.
    """

    line: int
    text: str


Records = Iterator[Lines | Parsed | RejectedRow]


class RecordReader:
    """Feed it an object's bytes; it returns the records. Blank lines and comments are not records.

    A line ends at LF, CRLF, or a CR without an LF after it. A quoted field may hold line ends. Of text that is not a
    record, only the line that it begins on is rejected; reading continues with the next. Memory is bounded by
    `MAX_RECORD_CHARS` and the chunk, and time is linear. The output so far depends on the bytes fed so far, not on how
    they were cut.

    `fields` says how a line is cut into fields, and is set before the first record.
    """

    fields: Fields
    _line: int
    """The number of the next line, once it is known where records begin."""

    def __init__(self, dialect: CsvDialect) -> None:
        self._dialect = dialect
        self._inflater = Inflater()
        self._decoder = Decoder(dialect.encoding)
        self._first: FirstLines | None = FirstLines(dialect.skip_lines)
        self._record: FirstRecord | None = None
        self._quotes: QuoteParser | None = None
        self._width: int | None = None
        self._carry: list[str] = []
        self._carry_chars = 0
        self._half = ""
        """A carriage return that may be half of a line end."""
        self._skipping = False

    @property
    def encoding(self) -> str:
        """The name of the text's encoding, once a record has come."""
        return self._decoder.encoding

    def expect(self, width: int) -> None:
        """The header has `width` fields: a record of several lines with another number is broken.

        Call this before the first record is read, or between the first and the second.
        """
        self._width = width
        if self._quotes is not None:
            self._quotes.expect(width)

    def feed(self, chunk: bytes, *, final: bool = False) -> Records:
        """The records that `chunk`, or the object's end, completes. Raises `ObjectUnreadable`."""
        for piece in self._inflater.feed(chunk, final=final):
            yield from self._text(self._decoder.feed(piece), final=False)
        if final:
            yield from self._text(self._decoder.feed(b"", final=True), final=True)
            rest = self._take_carry("")
            yield from self._whole(rest + "\n" if rest else "", final=True)

    def _text(self, text: str, *, final: bool) -> Records:
        """Cut `text` at its last line end, keep the rest, and pass on the whole lines."""
        if self._first is not None:
            text = self._first.feed(text, final=final)
            if not self._first.done:
                return
            self._begin(self._first)
        if self._half:
            text, self._half = self._half + text, ""
        if not final and text.endswith("\r"):
            text, self._half = text[:-1], "\r"
        if self._skipping:
            text = self._skip(text)
        end = text.rfind("\n") + 1
        end = max(end, text.rfind("\r", end) + 1)
        whole = self._take_carry(text[:end]) if end else ""
        if len(text) > end:
            self._carry.append(text[end:])
            self._carry_chars += len(text) - end
        yield from self._whole(whole, final=False)
        if self._record is not None and self._carry_chars >= self._record.left:
            yield from self._look_at_the_rest(self._record)
        if self._carry_chars > MAX_RECORD_CHARS:
            shown = self._take_carry("")[:SHOWN_CHARS]
            yield RejectedRow(self._line, overlong(), (shown,), overlong(), shown)
            self._skipping = True

    def _begin(self, first: FirstLines) -> None:
        """All lines to skip have come."""
        self._first = None
        self._line = first.line
        delimiter = first.delimiter or self._dialect.delimiter
        if delimiter is not None:
            self._delimited(delimiter)
        else:
            names = self._dialect.column_names
            self._record = FirstRecord(self._dialect.comment, len(names) if names else None, MAX_RECORD_CHARS)

    def _delimited(self, delimiter: str) -> None:
        self.fields = fields_of(delimiter, self._dialect.comment, self._dialect.null_values)
        self._quotes = QuoteParser(self.fields)
        if self._width is not None:
            self._quotes.expect(self._width)

    def _skip(self, text: str) -> str:
        """What follows the end of the line that is being skipped."""
        end = text.find("\n")
        at = text.find("\r", 0, end if end >= 0 else len(text))
        if at >= 0:
            end = at + 1 if text[at + 1 : at + 2] == "\n" else at
        if end < 0:
            return ""
        self._skipping = False
        self._line += 1
        return text[end + 1 :]

    def _take_carry(self, text: str) -> str:
        if self._carry:
            text = "".join([*self._carry, text])
            self._carry.clear()
            self._carry_chars = 0
        return text

    def _whole(self, text: str, *, final: bool) -> Records:
        """The records on whole lines, including those that were still open."""
        if self._record is not None:
            record = self._record
            record.feed(text, final=final)
            if record.delimiter is None:
                return
            text = self._found(record, record.delimiter)
        if self._quotes is None:
            return
        line = self._line
        if not self._quotes.pending:
            if not text:
                return
            if '"' not in text and len(text) <= MAX_RECORD_CHARS:
                if "\r" in text:
                    text = text.replace("\r\n", "\n").replace("\r", "\n")
                if self.fields.comment is not None:
                    text = self.fields.without_comments(text)
                self._line += text.count("\n")
                yield Lines(line, text)
                return
        self._line += text.count("\n")
        if "\r" in text:
            self._line += text.count("\r") - text.count("\r\n")
        yield from self._quotes.feed(line, text, self._carry_chars, final=final)

    def _found(self, record: FirstRecord, delimiter: str) -> str:
        """The delimiter is known: returns the text from the first record on."""
        self._record = None
        self._line += record.passed
        self._delimited(delimiter)
        return record.text

    def _look_at_the_rest(self, record: FirstRecord) -> Records:
        """The first record's line is too long to examine all of it for the delimiter."""
        rest = self._take_carry("")
        record.look(rest)
        if rest:
            self._carry.append(rest)
            self._carry_chars = len(rest)
        if record.delimiter is not None:
            yield from self._whole(self._found(record, record.delimiter), final=False)
