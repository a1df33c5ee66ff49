"""Reads records in tests: with the product's reader, and character by character, straight from the rules."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.dialect import CsvDialect
from pipeline.fields import Fields
from pipeline.text import Lines, Parsed, RecordReader, RejectedRow

Found = Lines | Parsed | RejectedRow
Entry = tuple[int, list[str] | tuple[str, ...]]
"""A line's number, with its fields, or with the reason for which it is rejected and its text."""
PLAIN = CsvDialect()
COMMAS = Fields(",")


def pieces(body: bytes, size: int) -> list[bytes]:
    """The body in chunks of this size."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def read(*chunks: bytes, width: int | None = None, dialect: CsvDialect = PLAIN) -> list[Found]:
    """The records of an object that arrives in these chunks, as they come; without `width`, the first one's counts."""
    return list(_read(RecordReader(dialect), chunks, width))


def entries(*chunks: bytes, width: int | None = None, dialect: CsvDialect = PLAIN) -> list[Entry]:
    """The same, separated and in order; the first record is the header unless the dialect has one."""
    reader = RecordReader(dialect)
    if dialect.column_names is not None:
        width = len(dialect.column_names)
    found = list(_read(reader, chunks, width))
    return by_line(found, reader.fields, header=width is None) if found else []


def _read(reader: RecordReader, chunks: Iterable[bytes], width: int | None) -> Iterable[Found]:
    if width is not None:
        reader.expect(width)
    chunks = [*chunks, b""]
    for number, chunk in enumerate(chunks, 1):
        for record in reader.feed(chunk, final=number == len(chunks)):
            yield record
            found = by_line([record], reader.fields)
            if width is None and found and isinstance(found[0][1], list):
                width = len(found[0][1])
                reader.expect(width)


def by_line(records: Iterable[Found], fields: Fields = COMMAS, *, header: bool = False) -> list[Entry]:
    """The same, separated and in order, so that the division into chunks does not show; blank lines are left out.

    `header`: the first record is a header, whose words are taken literally.
    """
    found: list[Entry] = []
    for record in records:
        if isinstance(record, Lines):
            assert record.text.endswith("\n")
            for number, line in enumerate(record.text[:-1].split("\n"), record.line):
                if not line.strip(fields.blanks):
                    continue
                rules = Fields(fields.delimiter) if header and not found else fields
                found.append((number, list(rules.plain(line))))
        elif isinstance(record, Parsed):
            found += zip(record.lines, record.rows, strict=True)
        else:
            found.append((record.line, (record.reason, *record.row)))
    return sorted(found, key=lambda entry: entry[0])


class Grammar:
    """Reads records by the rules of docs/handlers.md, as plainly as possible: a line and, if necessary, those after it.

    `longest` and `shown` limit a record and what its rejection shows.
    """

    def __init__(self, longest: int, shown: int, dialect: CsvDialect = PLAIN) -> None:
        self.longest = longest
        self.shown = shown
        self.dialect = dialect
        self.delimiter = dialect.delimiter or ""
        self.blanks = ""

    def read(self, text: str) -> list[Entry]:
        """All records, the first being the header unless the dialect has one."""
        lines = physical_lines(text)
        names = self.dialect.column_names
        width = None if names is None else len(names)
        at = self.dialect.skip_lines
        first = lines[0].rstrip("\r\n") if lines else ""
        if len(first) >= 2 and first[0] == first[-1] == '"':
            first = first[1:-1]
        if first[:4].lower() == "sep=" and len(first) == 5 and len(lines[0].rstrip("\r\n")) in (5, 7):
            self.delimiter = first[4] if first[4] not in '"\0' and not "\ud800" <= first[4] <= "\udfff" else ""
            at = max(at, 1) if self.delimiter else at
            self.delimiter = self.delimiter or self.dialect.delimiter or ""
        self.blanks = " \t".replace(self.delimiter, "") if self.delimiter else " \t"
        while at < len(lines) and len(lines[at]) <= self.longest and self._is_nothing(lines[at]):
            at += 1
        if not self.delimiter:
            self.delimiter = self._most_frequent("".join(lines[at:]), width)
            self.blanks = " \t".replace(self.delimiter, "")
        found: list[Entry] = []
        while at < len(lines):
            end = at + 1
            if len(lines[at]) > self.longest or not self._is_nothing(lines[at]):
                outcome, end = self._record(lines, at, width)
                if isinstance(outcome, str):
                    found.append((at + 1, (outcome, lines[at].rstrip("\r\n")[: self.shown])))
                    end = at + 1
                else:
                    found.append((at + 1, outcome))
                    width = len(outcome) if width is None else width
            at = end
        return found

    def _is_nothing(self, line: str) -> bool:
        text = line.rstrip("\r\n").lstrip(self.blanks)
        return not text or (self.dialect.comment is not None and text.startswith(self.dialect.comment))

    def _most_frequent(self, text: str, names: int | None) -> str:
        """The delimiter of the record at the beginning of this text."""
        counts = dict.fromkeys(",;\t|", 0)
        at_start, inside, place = True, False, 0
        text = text[: self.longest]
        while place < len(text):
            sign = text[place]
            if inside:
                if sign == '"' and text[place + 1 : place + 2] == '"':
                    place += 1
                elif sign == '"':
                    inside = False
            elif sign in "\r\n":
                break
            elif sign in counts:
                counts[sign] += 1
                at_start = True
            elif sign == '"' and at_start:
                inside, at_start = True, False
            elif sign != " ":
                at_start = False
            place += 1
        if names is not None:
            fitting = [sign for sign, count in counts.items() if count == names - 1]
            if len(fitting) == 1:
                return fitting[0]
        most = [sign for sign, count in counts.items() if count == max(counts.values())]
        return most[0] if len(most) == 1 else ","

    def _record(self, lines: list[str], at: int, width: int | None) -> tuple[list[str] | str, int]:
        """Its fields, or why it has none, and the line after it."""
        if len(lines[at]) > self.longest:
            return f"a line of more than {self.longest} characters", at + 1
        nulls = frozenset[str]() if width is None else self.dialect.null_values
        fields: list[str] = []
        end, place = at, 0
        while True:
            line = lines[end].rstrip("\r\n")
            begin = place
            while line[begin : begin + 1] and line[begin] in self.blanks:
                begin += 1
            if line[begin : begin + 1] != '"':
                stop = line.find(self.delimiter, place) % (len(line) + 1)
                cell = line[place:stop].strip(self.blanks)
                fields.append("" if cell in nulls else cell)
            else:
                outcome = self._quoted(lines, at, end, begin + 1)
                if outcome is None:
                    return "a quoted field that does not end", at + 1
                cell, end, stop = outcome
                line = lines[end].rstrip("\r\n")
                fields.append(cell)
                while line[stop : stop + 1] and line[stop] in self.blanks:
                    stop += 1
                if line[stop : stop + 1] not in ("", self.delimiter):
                    return "text after a closing quote", at + 1
            if stop >= len(line):
                break
            place = stop + 1
        if end > at and width not in (None, len(fields)):
            count = f"a quoted field over {end + 1 - at} lines, and {len(fields)} fields where the header has {width}"
            return count, at + 1
        return fields, end + 1

    def _quoted(self, lines: list[str], at: int, end: int, place: int) -> tuple[str, int, int] | None:
        """The quoted field whose text begins here, and where its closing quote's line and successor are."""
        cell = ""
        while True:
            text = lines[end]
            while place < len(text):
                if text[place] == '"' and text[place + 1 : place + 2] != '"':
                    return cell, end, place + 1
                cell += text[place]
                place += 1 + (text[place] == '"')
            end, place = end + 1, 0
            if end == len(lines) or sum(len(line) for line in lines[at : end + 1]) > self.longest:
                return None


def physical_lines(text: str) -> list[str]:
    """The lines of a text with their ends; the last one gets one if it has none."""
    lines, begin, place = [], 0, 0
    while place < len(text):
        place += 2 if text[place : place + 2] == "\r\n" else 1
        if text[place - 1] in "\r\n":
            lines.append(text[begin:place])
            begin = place
    if begin < len(text):
        lines.append(text[begin:] + "\n")
    return lines
