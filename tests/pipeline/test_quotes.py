"""Lines with quotes -> records: each rule at its edges, and any text against a plain reading of the rules."""

from __future__ import annotations

import csv
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes.records import COMMAS, Grammar, by_line, entries, pieces, read
from pipeline import quotes
from pipeline import text as text_module
from pipeline.dialect import CsvDialect
from pipeline.fields import Fields
from pipeline.quotes import MAX_RECORD_CHARS, ROWS_TOGETHER, SHOWN_CHARS, Parsed, QuoteParser, RejectedRow

UNENDED = "a quoted field that does not end"
AFTER = "text after a closing quote"


def over(lines: int, fields: int, width: int) -> str:
    """Why a record of several lines is not one."""
    return f"a quoted field over {lines} lines, and {fields} fields where the header has {width}"


QUOTED = b'a,"b\nc",d\r\n"",""\n\n"say ""hi""",\n"open\nx,y\n"z"w,1\nlone\rreturn\nlast,"one"'
"""One of each: a field of two lines, empty fields, a blank line, quotes in quotes, one that stays open, and so on."""


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 100])
def test_quotes_are_read_alike_wherever_the_chunks_are_cut(size):
    """Each record has the line it begins on; a broken one costs that line, and what it had swallowed is read."""
    assert by_line(read(*pieces(QUOTED, size))) == [
        (1, ["a", "b\nc", "d"]),
        (3, ["", ""]),
        (5, ['say "hi"', ""]),
        (6, (AFTER, '"open')),
        (7, ["x", "y"]),
        (8, (AFTER, '"z"w,1')),
        (9, ["lone"]),
        (10, ["return"]),
        (11, ["last", "one"]),
    ]


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('"a"', ["a"]),
        ('"a"  ', ["a"]),
        ('""', [""]),
        ('""""', ['"']),
        ('"a""b"', ['a"b']),
        ('"a,b",c', ["a,b", "c"]),
        ('a"b', ['a"b']),
        ('a"b"', ['a"b"']),
        ('a""b,"c"', ['a""b', "c"]),
        (' "a"', ["a"]),
        ('\t "a, " \t, "b"', ["a, ", "b"]),
        (' a , "b"', ["a", "b"]),
        ('"a" ', ["a"]),
        ('"a" , b ', ["a", "b"]),
        (' "a" b', AFTER),
        ('"a"b', AFTER),
        ('"a" "b"', AFTER),
        ('""a', AFTER),
        ('"a",b"c', ["a", 'b"c']),
        ('"a', UNENDED),
        ('"', UNENDED),
        ('"a""', UNENDED),
        ('b,"a,c', UNENDED),
        ('b,"a",c,"', UNENDED),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("before", ['"h"\n', '"h"\n"open\n'])
def test_a_single_line(line, fields, end, before):
    """A quote begins a field only at its beginning; after the closing one comes a comma or the line's end."""
    found = by_line(read((before + line + end).encode(), width=9))
    number = before.count("\n") + 1
    expected = fields if isinstance(fields, list) else (fields, line)
    assert found[-1] == (number, expected)
    assert len(found) == number


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('"a\nb",c', [(2, ["a\nb", "c"])]),
        ('c,"a\nb"', [(2, ["c", "a\nb"])]),
        ('"a\r\nb",c\r\n"d",e', [(2, ["a\r\nb", "c"]), (4, ["d", "e"])]),
        ('"a\n\n\nb",c', [(2, ["a\n\n\nb", "c"])]),
        ('"a\nb","c\nd"', [(2, ["a\nb", "c\nd"])]),
        ('"a""\nb",c', [(2, ['a"\nb', "c"])]),
        ('"a\n""",c', [(2, ['a\n"', "c"])]),
        ('"a\n","b"', [(2, ["a\n", "b"])]),
        ('"a\nb"', [(2, (over(2, 1, 2), '"a')), (3, ['b"'])]),
        ('"a\nb",c,d', [(2, (over(2, 3, 2), '"a')), (3, ['b"', "c", "d"])]),
        ('x,"a\nb,c\nd",y', [(2, (over(3, 3, 2), 'x,"a')), (3, ["b", "c"]), (4, ['d"', "y"])]),
        ('"a\nb"\nc,d', [(2, (over(2, 1, 2), '"a')), (3, ['b"']), (4, ["c", "d"])]),
        ('1,"x\ny","z\nw"', [(2, (over(3, 3, 2), '1,"x')), (3, ['y"', "z\nw"])]),
        ('1,"x\ny","z","u\nw"', [(2, (over(3, 4, 2), '1,"x')), (3, (over(2, 3, 2), 'y","z","u')), (4, ['w"'])]),
        ('"a\nb,c', [(2, (UNENDED, '"a')), (3, ["b", "c"])]),
        ('"a\nb"c,d', [(2, (AFTER, '"a')), (3, ['b"c', "d"])]),
        ('"a\rb",c\r"d",e', [(2, ["a\rb", "c"]), (4, ["d", "e"])]),
        ('"a\nb"\rc,d', [(2, (over(2, 1, 2), '"a')), (3, ['b"']), (4, ["c", "d"])]),
        (' "a\nb" ,c', [(2, ["a\nb", "c"])]),
        ('"a\n ", b', [(2, ["a\n ", "b"])]),
        ('"a\n"b\n"c",d', [(2, (AFTER, '"a')), (3, (AFTER, '"b')), (4, ["c", "d"])]),
        ('"a\n,"b\n,"c",d', [(2, (AFTER, '"a')), (3, (AFTER, ',"b')), (4, ["", "c", "d"])]),
        ('a","\na","\nb,c', [(2, (UNENDED, 'a","')), (3, (UNENDED, 'a","')), (4, ["b", "c"])]),
        ('a,"\nb,"\nc,d', [(2, ["a", "\nb,"]), (4, ["c", "d"])]),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_record_of_several_lines(lines, expected, size, end):
    """It must have the header's width; if broken, it costs its first line, and reading starts again at the next."""
    assert by_line(read(*pieces(("h,i\n" + lines + end).encode(), size))) == [(1, ["h", "i"]), *expected]


def test_records_that_are_split_together_are_split_alike():
    """It compares a line with blanks at its cells' edges and one that Python's parser reads correctly."""
    for first in (' a ,"b"', '\ta,"b"', 'a ,"b"'):
        assert by_line(read(f'h,i\n{first}\n"c",d\n'.encode())) == [(1, ["h", "i"]), (2, ["a", "b"]), (3, ["c", "d"])]


def test_null_words_are_words_in_the_header_only():
    """It also holds in lines with quotes."""
    dialect = CsvDialect(null_values=frozenset({"NA"}))
    assert entries(b'NA,"i"\n"x",NA\n"NA", NA \n', dialect=dialect) == [
        (1, ["NA", "i"]),
        (2, ["x", ""]),
        (3, ["NA", ""]),
    ]


def test_a_header_of_several_lines_has_the_width_that_it_has():
    """It is passed on before any record is checked for its width, even if the records after it are open."""
    body = b'"h\n1",i\n"a\nb",c\n"d\ne"\n'
    for size in (1, 4, 100):
        found = read(*pieces(body, size))
        assert isinstance(found[0], Parsed)
        assert len(found[0].rows) == 1
        assert by_line(found) == [(1, ["h\n1", "i"]), (3, ["a\nb", "c"]), (5, (over(2, 1, 2), '"d')), (6, ['e"'])]


@pytest.mark.parametrize(
    "body", [b'"h",i\n"a",b\n"c",d\n', b'h,i\r\n\r\n"a",b\n\n"c",d\n', b'\n\n"h",i\n"a",b\n"c",d\n']
)
def test_the_header_comes_alone(body):
    """So the caller can say how wide it is."""
    first, *others = read(body)
    assert isinstance(first, Parsed)
    assert len(first.rows) == 1
    assert [fields for _, fields in by_line([first, *others])] == [["h", "i"], ["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(("line", "reason"), [('"abcdef"', None), ('"abcdefg"', None), ('"abcdefgh"', "overlong")])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_with_quotes_has_a_bound(monkeypatch, line, reason, end):
    """Its line end counts, even if it has none."""
    for module in (quotes, text_module):
        monkeypatch.setattr(module, "MAX_RECORD_CHARS", 10)
    found = by_line(read(f'"b"c\n{line}{end}'.encode(), width=1))
    expected = ("a line of more than 10 characters", line) if reason else [line[1:-1]]
    assert found == [(1, (AFTER, '"b"c')), (2, expected)]


@pytest.mark.parametrize("length", [SHOWN_CHARS, SHOWN_CHARS + 1])
def test_a_rejection_shows_a_limited_number_of_characters(length):
    """The rest of a long line is left out, with the line's end."""
    ((_, (reason, shown)),) = by_line(read(b'"' + b"x" * (length - 1) + b"\r\n"))
    assert (reason, shown) == (UNENDED, ('"' + "x" * length)[:SHOWN_CHARS])


@pytest.mark.parametrize("chars", [100_000, MAX_RECORD_CHARS // 3])
@pytest.mark.parametrize("limit", [10, None])
def test_a_field_may_be_as_long_as_a_record(chars, limit):
    """It holds whatever limit the process has set for Python's own parser, without setting it."""
    before = csv.field_size_limit()
    try:
        if limit is not None:
            csv.field_size_limit(limit)
        allowed = csv.field_size_limit()
        long = 'x""\n' * (chars // 3)
        found = by_line(read(f'"h",i\n"{long}",2\r\n"{long}","\n"\n3,"a""b"\n'.encode()))
        assert csv.field_size_limit() == allowed
    finally:
        csv.field_size_limit(before)
    text = 'x"\n' * (chars // 3)
    lines = chars // 3
    assert found == [(1, ["h", "i"]), (2, [text, "2"]), (3 + lines, [text, "\n"]), (5 + 2 * lines, ["3", 'a"b'])]


@pytest.mark.parametrize("size", [text_module.SLICE_BYTES, 3 * MAX_RECORD_CHARS])
@pytest.mark.parametrize("extra", [0, 1])
def test_a_quoted_record_has_a_maximum_length(size, extra):
    """All its lines and their ends count; of a longer record the first line is rejected, and the rest is read."""
    inner = "\n".join(["x" * 63] * (MAX_RECORD_CHARS // 64))
    record = f'"{inner[: MAX_RECORD_CHARS - 3 + extra]}"'
    found = by_line(read(*pieces(f'a\n{record}\n"b"\n'.encode(), size)))
    if not extra:
        assert found == [(1, ["a"]), (2, [record.strip('"')]), (2 + record.count("\n") + 1, ["b"])]
    else:
        first = record.partition("\n")[0]
        assert found[:3] == [(1, ["a"]), (2, (UNENDED, first)), (3, ["x" * 63])]
        assert found[-1] == (2 + record.count("\n") + 1, ["b"])


def fed(parser: QuoteParser, number: int, text: str, unended: int = 0) -> list[Parsed | RejectedRow]:
    """A parser's output for these lines."""
    return list(parser.feed(number, text, unended, final=False))


@pytest.mark.parametrize(("unended", "given_up"), [(0, False), (1, False), (2, True)])
def test_an_open_record_is_kept_up_to_its_bound(monkeypatch, unended, given_up):
    """The unfinished line and its future line end count too: beyond the bound nothing can save the record."""
    monkeypatch.setattr(quotes, "MAX_RECORD_CHARS", 10)
    parser = QuoteParser(COMMAS)
    parser.expect(1)
    assert fed(parser, 1, '"a\nbcd\n') == []
    assert parser.pending
    assert fed(parser, 3, "", unended + 1) == (
        [RejectedRow(1, UNENDED, ('"a',), UNENDED, '"a'), Parsed([2], [["bcd"]])] if given_up else []
    )
    assert parser.pending != given_up


def test_a_record_is_kept_while_it_may_still_end():
    """None of it comes out before that, and what follows it comes with it."""
    parser = QuoteParser(COMMAS)
    parser.expect(2)
    assert fed(parser, 1, '"a\n') == fed(parser, 2, "b\n") == []
    assert fed(parser, 3, 'c",1\n"d",2\n') == [Parsed([1], [["a\nb\nc", "1"]]), Parsed([4], [["d", "2"]])]
    assert not parser.pending
    assert fed(parser, 5, '"e",3\n') == [Parsed([5], [["e", "3"]])]


def test_records_come_many_together():
    """Whole lines go in one batch, whatever their quotes; after a broken one, in limited batches."""
    parser = QuoteParser(COMMAS)
    parser.expect(1)
    good = '"a"\n' * (2 * ROWS_TOGETHER + 1)
    (whole,) = fed(parser, 1, good)
    assert isinstance(whole, Parsed)
    assert len(whole.rows) == 2 * ROWS_TOGETHER + 1
    after = fed(parser, 2 * ROWS_TOGETHER + 2, '"x"y\n' + good)
    assert [len(found.rows) for found in after if isinstance(found, Parsed)] == [ROWS_TOGETHER, ROWS_TOGETHER, 1]


marks = [
    '"',
    '"',
    '"',
    ",",
    ",",
    ";",
    "\t",
    " ",
    "#",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "a",
    "bb",
    "NA",
    '""',
    '\n"',
    '",',
    ' ,"',
]
marks += ['";', '\t"', "x" * 9]
texts = st.tuples(
    st.sampled_from(["h,i,j\n", "h,i\n", "h;i\r", 'sep=;\nh; "i"\n', '"h\n",i\n', " \n#x\nh\ti\n", "h\n", ""]),
    st.lists(st.sampled_from(marks), max_size=60),
).map(lambda parts: parts[0] + "".join(parts[1]))
dialects = st.builds(
    CsvDialect,
    delimiter=st.sampled_from([None, None, ",", ";", "\t", "|"]),
    skip_lines=st.sampled_from([0, 0, 0, 1, 3]),
    comment=st.sampled_from([None, None, "#", ",", "bb"]),
    column_names=st.sampled_from([None, None, ("h", "i"), ("h", "i", "j")]),
    null_values=st.sampled_from([frozenset[str](), frozenset({"NA"}), frozenset({"a", "#", "h"})]),
)


@given(
    text=texts,
    cuts=st.lists(st.integers(0, 200), max_size=8),
    longest=st.sampled_from([12, 20, 30, 60, 10**6]),
    limit=st.sampled_from([1, 5, 10**5]),
    dialect=st.just(CsvDialect()) | dialects,
)
@settings(max_examples=300, deadline=None)
@example(text='h\n"a\n"\n', cuts=[], longest=10**6, limit=1, dialect=CsvDialect())
@example(text="h,i\r\n", cuts=[4], longest=10**6, limit=1, dialect=CsvDialect())
def test_any_text_is_read_as_the_rules_say(text, cuts, longest, limit, dialect):
    """It holds wherever it is cut, however little a record may hold, and whatever Python's parser accepts."""
    body = text.encode()
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    chunks = [body[start:end] for start, end in pairwise(places)]
    before = csv.field_size_limit(limit)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for module in (quotes, text_module):
                patch.setattr(module, "MAX_RECORD_CHARS", longest)
                patch.setattr(module, "SHOWN_CHARS", 5)
            found = entries(*chunks, dialect=dialect)
    finally:
        csv.field_size_limit(before)
    assert found == Grammar(longest, 5, dialect).read(text)


class Watched:
    """Counts the characters shown to the rules that examine a line, and to Python's parser."""

    def __init__(self, delimiter: str) -> None:
        self.chars = self.parsed = 0
        self.Error = csv.Error
        self._delimiter = delimiter
        self._problem = Fields.problem

    def problem(self, rules: Fields, line: str) -> int | None:
        """Like the rules'."""
        assert rules.delimiter == self._delimiter
        self.chars += len(line)
        return self._problem(rules, line)

    def reader(self, lines, *, delimiter, strict):
        """Like csv's."""

        def shown():
            for line in lines:
                self.parsed += len(line)
                yield line

        return csv.reader(shown(), delimiter=delimiter, strict=strict)


@pytest.mark.parametrize(
    "line",
    [
        'a,b,"',
        '"a,b,c',
        'a,"x" y,c',
        'a","',
        'a,"x","',
        '"',
        'a,b,c\n"open',
        '"a\nb",c',
        '"a"",""b"',
        "a\rb",
        ' "a" , "',
    ],
)
@pytest.mark.parametrize("size", [64, 1000, 10**6])
@pytest.mark.parametrize(("delimiter", "end"), [(",", "\n"), (";", "\r"), ("\t", "\r\n")])
def test_each_line_is_looked_at_twice_at_most(line, size, delimiter, end, monkeypatch):
    """It holds however many stray quotes precede it, whatever a record may hold, and wherever the chunks are cut."""
    watched = Watched(delimiter)
    monkeypatch.setattr(Fields, "problem", lambda rules, line: watched.problem(rules, line))
    monkeypatch.setattr(quotes, "csv", watched)
    monkeypatch.setattr(quotes, "MAX_RECORD_CHARS", 150)
    dialect = CsvDialect(delimiter=delimiter)
    body = ("h,i,j\n" + f"{line}\n" * 150).replace("\n", end).replace(",", delimiter).encode()

    found = entries(*pieces(body, size), dialect=dialect)

    assert watched.chars <= 2 * len(body)
    assert watched.parsed <= 2 * len(body)
    monkeypatch.undo()
    assert found == Grammar(150, SHOWN_CHARS, dialect).read(body.decode())
