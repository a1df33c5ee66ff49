"""Reading records in tests: by the product's reader, and character by character as the rules are written."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.text import Lines, Parsed, RecordReader, RejectedRow

Found = Lines | Parsed | RejectedRow
Entry = tuple[int, list[str] | tuple[str, ...]]
"""A line's number, with its fields, or with the reason for which it is rejected and its text."""


def pieces(body: bytes, size: int) -> list[bytes]:
    """The body in chunks of this size."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def read(*chunks: bytes, width: int | None = None) -> list[Found]:
    """The records of an object that arrives in these chunks, as they come; `width` None: the first one's."""
    reader = RecordReader()
    found: list[Found] = []
    if width is not None:
        reader.expect(width)
    for number, chunk in enumerate([*chunks, b""]):
        for record in reader.feed(chunk, final=number == len(chunks)):
            found.append(record)
            entries = by_line([record])
            if width is None and entries and isinstance(entries[0][1], list):
                width = len(entries[0][1])
                reader.expect(width)
    return found


def by_line(records: Iterable[Found]) -> list[Entry]:
    """The same taken apart and in order, so that the cuts between chunks do not show; blank lines left out."""
    found: list[Entry] = []
    for record in records:
        if isinstance(record, Lines):
            assert record.text.endswith("\n")
            lines = enumerate(record.text[:-1].split("\n"), record.line)
            found += [(number, line.split(",")) for number, line in lines if line]
        elif isinstance(record, Parsed):
            found += zip(record.lines, record.rows, strict=True)
        else:
            found.append((record.line, (record.reason, *record.row)))
    return sorted(found, key=lambda entry: entry[0])


class Grammar:
    """Records as docs/handlers.md has them, read as plainly as possible: a line and, if need be, those after it.

    `longest` and `shown` are the bounds on a record and on what its rejection shows.
    """

    def __init__(self, longest: int, shown: int) -> None:
        self.longest = longest
        self.shown = shown

    def read(self, text: str) -> list[Entry]:
        """All records, the first being the header."""
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        found: list[Entry] = []
        width: int | None = None
        at = 0
        while at < len(lines):
            line = lines[at].rstrip("\r")
            end = at + 1
            if line or len(lines[at]) >= self.longest:
                outcome, end = self._record(lines, at, width)
                if isinstance(outcome, str):
                    raw = lines[at] if len(lines[at]) >= self.longest else line
                    found.append((at + 1, (outcome, raw[: self.shown])))
                    end = at + 1
                else:
                    found.append((at + 1, outcome))
                    width = len(outcome) if width is None else width
            at = end
        return found

    def _record(self, lines: list[str], at: int, width: int | None) -> tuple[list[str] | str, int]:
        """Its fields, or why it has none, and the line after it."""
        if len(lines[at]) >= self.longest:
            return f"a line of more than {self.longest} characters", at + 1
        fields: list[str] = []
        end, place = at, 0
        while True:
            line = lines[end].rstrip("\r")
            if line[place : place + 1] != '"':
                stop = min(line.find(sign, place) % (len(line) + 1) for sign in ",\r")
                fields.append(line[place:stop])
            else:
                outcome = self._quoted(lines, at, end, place + 1)
                if outcome is None:
                    return "a quoted field that does not end", at + 1
                cell, end, stop = outcome
                line = lines[end].rstrip("\r")
                fields.append(cell)
                if line[stop : stop + 1] not in ("", ","):
                    return "text after a closing quote", at + 1
            if stop >= len(line):
                break
            if line[stop] == "\r":
                return "a carriage return within a line", at + 1
            place = stop + 1
        if end > at and width not in (None, len(fields)):
            count = f"a quoted field over {end + 1 - at} lines, and {len(fields)} fields where the header has {width}"
            return count, at + 1
        return fields, end + 1

    def _quoted(self, lines: list[str], at: int, end: int, place: int) -> tuple[str, int, int] | None:
        """The quoted field whose text begins here, and where its closing quote's line and successor are."""
        cell = ""
        while True:
            text = lines[end] + "\n"
            while place < len(text):
                if text[place] == '"' and text[place + 1] != '"':
                    return cell, end, place + 1
                cell += text[place]
                place += 1 + (text[place] == '"')
            end, place = end + 1, 0
            if end == len(lines) or sum(len(line) + 1 for line in lines[at : end + 1]) > self.longest:
                return None
