"""Bytes -> records: lines, quotes and encodings, each limit on both sides, wherever the bytes are cut."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes.proof_records import Read, in_pieces, records_of
from simulator.proof import records as records_module
from simulator.proof.dialect import Dialect
from simulator.proof.records import LONGEST_RECORD, SHOWN_CHARACTERS, Record, RecordParser
from simulator.proof.splitting import Split, Splitter

SLICE = 65_536


def _read(text: str, size: int = SLICE) -> list[Record]:
    found = records_of(in_pieces(text.encode("utf-8", "surrogateescape"), size))
    assert found.unreadable is None
    return found.records


@pytest.mark.parametrize("size", [1, 2, 3, SLICE])
@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("", []),
        ("\n", []),
        ("a,b\nc,d\n", [(1, ["a", "b"]), (2, ["c", "d"])]),
        # The last line needs no line end; LF, CRLF and a CR alone are one each.
        ("a\nb", [(1, ["a"]), (2, ["b"])]),
        ("a\r\nb\r", [(1, ["a"]), (2, ["b"])]),
        ("a\r\r\nb", [(1, ["a"]), (3, ["b"])]),
        ("a\rb\r\rc\n\rd", [(1, ["a"]), (2, ["b"]), (4, ["c"]), (6, ["d"])]),
        # A line with only blanks and tabs is not a record, but counts.
        ("a\n\n\r\n\r\r\nb\n\n", [(1, ["a"]), (6, ["b"])]),
        ("\n\na\n", [(3, ["a"])]),
        (" \n,\n\t \t\n", [(2, ["", ""])]),
        # Blanks and tabs around a cell without quotes are not part of it; other white space is.
        (" a\t,\u00a0b \n", [(1, ["a", "\u00a0b"])]),
        # Quoted fields.
        ('"a",b\n"c""d","e,f"\n', [(1, ["a", "b"]), (2, ['c"d', "e,f"])]),
        ('a,b\n"",""\n"""",\n', [(1, ["a", "b"]), (2, ["", ""]), (3, ['"', ""])]),
        ('a,b\n"c\nd",e\nf,g\n', [(1, ["a", "b"]), (2, ["c\nd", "e"]), (4, ["f", "g"])]),
        ('a,b\n"c\r\n\r\nd\re",f\r\n', [(1, ["a", "b"]), (2, ["c\r\n\r\nd\re", "f"])]),
        ('a,b\n"c""\n""d","""\n"""\n', [(1, ["a", "b"]), (2, ['c"\n"d', '"\n"'])]),
        ('"a\nb",c\nd,e\n', [(1, ["a\nb", "c"]), (3, ["d", "e"])]),
        ('a\n"b"\r\r\n"c"', [(1, ["a"]), (2, ["b"]), (4, ["c"])]),
        ('a,b\nc,"d"\re\n', [(1, ["a", "b"]), (2, ["c", "d"]), (3, ["e"])]),
        # Blanks and tabs around the quotes are not part of a cell, those within are.
        ('a , "b"\t\n"c" ,\t" d "\n', [(1, ["a", "b"]), (2, ["c", " d "])]),
        ('a,b\n "c\n d " , "e"\n', [(1, ["a", "b"]), (2, ["c\n d ", "e"])]),
        ('""\n  ""  \n', [(1, [""]), (2, [""])]),
        # A quote within a field that does not begin with one is text.
        ('a,b\nc"d,e"\n.\t"f", g"\n', [(1, ["a", "b"]), (2, ['c"d', 'e"']), (3, ['.\t"f"', 'g"'])]),
        # Text after a closing quote.
        ('a,b\n"c"d,e\nf,g\n', [(1, ["a", "b"]), (2, '"c"d,e'), (3, ["f", "g"])]),
        ('a,b\n "c" d,e \n', [(1, ["a", "b"]), (2, ' "c" d,e ')]),
        ('a,b\n"c"\u00a0,e\n', [(1, ["a", "b"]), (2, '"c"\u00a0,e')]),
        ('a,b\n"c\nd"e,f\n', [(1, ["a", "b"]), (2, '"c'), (3, ['d"e', "f"])]),
        # A carriage return ends a line wherever there are no quotes around it.
        ("a,b\nc\rd,e\nf,g\n", [(1, ["a", "b"]), (2, ["c"]), (3, ["d", "e"]), (4, ["f", "g"])]),
        ("a,b\nc,\r\n", [(1, ["a", "b"]), (2, ["c", ""])]),
        ("a,b\n\r,\n", [(1, ["a", "b"]), (3, ["", ""])]),
        ('a,b\rc,"d\re"\rf,"g\r', [(1, ["a", "b"]), (2, ["c", "d\re"]), (4, 'f,"g')]),
        # A quoted field that does not end costs its own line.
        ('a,b\nc,"d\ne,f\n', [(1, ["a", "b"]), (2, 'c,"d'), (3, ["e", "f"])]),
        ('a,b\nc,"d\r\ne,f\r\n', [(1, ["a", "b"]), (2, 'c,"d'), (3, ["e", "f"])]),
        ('a,b\n"', [(1, ["a", "b"]), (2, '"')]),
        ('a,b\n"""', [(1, ["a", "b"]), (2, '"""')]),
        ('a,b\n"c\n"d\n"e', [(1, ["a", "b"]), (2, '"c'), (3, '"d'), (4, '"e')]),
        # A record over several lines with a different number of fields from the header.
        ('a,b\nc,"d\ne,f"\ng\n', [(1, ["a", "b"]), (2, ["c", "d\ne,f"]), (4, ["g"])]),
        ('a,b\n"c\nd"\ne,f\n', [(1, ["a", "b"]), (2, '"c'), (3, ['d"']), (4, ["e", "f"])]),
        ('a,b\n"c\nd",e,f\n', [(1, ["a", "b"]), (2, '"c'), (3, ['d"', "e", "f"])]),
        ('a,b\n1,"c\nd","e\nf\n', [(1, ["a", "b"]), (2, '1,"c'), (3, ['d"', '"e'][:0] or 'd","e'), (4, ["f"])]),
        ('a,b\n1,2,3,"c\nd"\n', [(1, ["a", "b"]), (2, '1,2,3,"c'), (3, ['d"'])]),
        # What is found while looking for a record whose first line turns out broken applies to those after it.
        ('a,b\n1,"x\ny","z\nw"\n', [(1, ["a", "b"]), (2, '1,"x'), (3, ['y"', "z\nw"])]),
        ('a,b\n1,"c\n"x\ny",z\n', [(1, ["a", "b"]), (2, '1,"c'), (3, ["x\ny", "z"])]),
        ("a,b\nc, d\ne,\tf\n g,h\ni\t,j\n", [(n, list(t)) for n, t in enumerate(["ab", "cd", "ef", "gh", "ij"], 1)]),
        # One line with a different number of fields is judged elsewhere.
        ('a,b\n"c"\n"d",e,f\n', [(1, ["a", "b"]), (2, ["c"]), (3, ["d", "e", "f"])]),
    ],
)
def test_lines_and_quotes(text: str, records: list[Record], size: int) -> None:
    """A broken record is the text of the line on which it begins; reading continues with the next one."""
    assert _read(text, size) == records


signs = st.lists(st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", "a", "é", "\0", "\ufeff", "b,c"]), max_size=40)


@given(signs.map("".join), st.lists(st.integers(0, 80), max_size=4))
@example('a,b\n"c\nd', [4])
@example("é", [1])
def test_where_the_bytes_are_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    """Any text has the same records in one piece, in any pieces and byte by byte, with each line at most once."""
    body = text.encode()
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(places)]
    whole = records_of([body])
    assert records_of(pieces) == records_of(in_pieces(body, 1)) == whole
    lines = [line for line, _ in whole.records]
    assert lines == sorted(set(lines))


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), max_size=12),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_pythons_writer_writes_is_read_as_it_was(table: list[list[str]], quoting: int, line_end: str) -> None:
    """Each record with any cells comes once, in order, with every character; blanks at the edges if quoted."""
    if quoting == csv.QUOTE_MINIMAL:
        # Some versions of CPython write a carriage return without quotes.
        table = [[cell.replace("\r", "").strip(" \t") for cell in row] for row in table]
    written = io.StringIO()
    writer = csv.writer(written, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerows([["x", "y", "z"], *table])
    assert [fields for _, fields in _read(written.getvalue())] == [["x", "y", "z"], *table]


@pytest.mark.parametrize("size", [1, 2, 3, SLICE])
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("é,😀\n".encode(), ["é", "😀"]),
        (b"\xef\xbb\xbf" + "é,b\n".encode(), ["é", "b"]),
        ("\ufeffé,😀\n".encode("utf-16-le"), ["é", "😀"]),
        ("\ufeffé,😀\n".encode("utf-16-be"), ["é", "😀"]),
        # Half of a pair is not text: its bytes become lone surrogates, each on its own.
        ("\ufeff\ud800,\udc01b\n".encode("utf-16-le", "surrogatepass"), ["\udc00\udcd8", "\udc01\udcdcb"]),
        ("\ufeffa,b".encode("utf-16-be") + b"\0", ["a", "b\udc00"]),
        # What is not UTF-8 becomes lone surrogates, including the beginning of a character that never ends.
        (b"a\xff,b\n", ["a\udcff", "b"]),
        (b"a,b\xf0\x9f", ["a", "b\udcf0\udc9f"]),
        (b"\xed\xa0\x80\n", ["\udced\udca0\udc80"]),
        (b"\x1f", ["\x1f"]),
        # A second mark is text.
        (b"\xef\xbb\xbf\xef\xbb\xbfa", ["\ufeffa"]),
    ],
)
def test_encodings_are_recognised_by_their_marks(body: bytes, fields: list[str], size: int) -> None:
    """UTF-16 is recognised by its mark; otherwise it is UTF-8, whose mark is dropped."""
    assert records_of(in_pieces(body, size)) == Read([(1, fields)])


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> int:
    """The longest record has this many characters; its rejection shows ten."""
    monkeypatch.setattr(records_module, "LONGEST_RECORD", 200)
    monkeypatch.setattr(records_module, "SHOWN_CHARACTERS", 10)
    return 200


SIZES = pytest.mark.parametrize("size", [1, 7, 199, SLICE])
BEYOND = pytest.mark.parametrize("beyond", [-1, 0, 1, 2, 300])


@SIZES
@BEYOND
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "", "\nz\n"])
def test_the_longest_line(end: str, quoted: bool, beyond: int, size: int, longest: int) -> None:
    """It has this many characters with its line end; a longer one is rejected, and the next line is read."""
    last = end[: end.find("\n") + 1] or "\n"
    cell = "x" * (longest + beyond - len("a,") - 2 * quoted - len(last))
    line = f'a,"{cell}"' if quoted else f"a,{cell}"
    expected: Record = (2, ["a", cell]) if beyond <= 0 else (2, line[:10])
    after = [(3, ["z"])] if "z" in end else []
    assert _read(f"x,y\n{line}{end}", size) == [(1, ["x", "y"]), expected, *after]


@SIZES
@BEYOND
@pytest.mark.parametrize("lines", [2, 3, 20])
@pytest.mark.parametrize("end", ["\n", "\r\n", "", "\nz,z\n"])
def test_the_longest_record_of_several_lines(end: str, lines: int, beyond: int, size: int, longest: int) -> None:
    """All its line ends count; of a longer one the first line is rejected, and the next ones are read."""
    last = end[: end.find("\n") + 1] or "\n"
    begin = "\n".join(["first", *["y"] * (lines - 2), ""])
    tail = "x" * (longest + beyond - len(f'a,"{begin}"{last}'))
    expected: list[Record] = [(2, ["a", begin + tail])]
    if beyond > 0:
        too_long = len(f'{tail}"') >= longest
        expected = [
            (2, 'a,"first'),
            *((number, ["y"]) for number in range(3, lines + 1)),
            (lines + 1, tail[:10] if too_long else [f'{tail}"']),
        ]
    after = [(lines + 2, ["z", "z"])] if "z" in end else []
    assert _read(f'x,y\na,"{begin}{tail}"{end}', size) == [(1, ["x", "y"]), *expected, *after]


@SIZES
def test_the_longest_line_may_be_the_first(size: int, longest: int) -> None:
    """Another one may follow it."""
    line = "x" * (longest - 1)
    assert _read(f"{line}\n{line}\n", size) == [(1, [line]), (2, [line])]
    assert _read(f"{line}x\n{line}\n", size) == [(1, line[:10]), (2, [line])]


@SIZES
def test_a_record_is_measured_from_its_own_beginning(size: int, longest: int) -> None:
    """What was examined for the broken record before it does not matter."""
    cell = "y" * (longest - len('"x\n",z\n'))
    assert _read(f'a,b\n1,"c\n"x\n{cell}",z\n', size) == [(1, ["a", "b"]), (2, '1,"c'), (3, [f"x\n{cell}", "z"])]
    assert _read(f'a,b\n1,"c\n"x\n{cell}y",z\n', size)[2] == (3, '"x')
    # The same quotes end the one that is too long, and the one that begins within it.
    cell = "w" * 50
    found = _read(f'a,b\n"{"x" * 150}\ny","z\n{cell}"\n', size)
    assert found[1:] == [(2, '"' + "x" * 9), (3, ['y"', f"z\n{cell}"])]


def test_a_line_that_is_too_long_is_given_up_at_once(longest: int) -> None:
    """It is rejected before its end comes, and once; nothing more of it is collected."""
    parser = RecordParser()
    assert [number for number, _ in parser.feed(b"x,y\n" + b"a" * longest, final=False)] == [1, 2]
    assert list(parser.feed(b"a" * longest, final=False)) == []
    assert parser._rest == []
    assert list(parser.feed(b"a\nb,c\n", final=False)) == [(3, ["b", "c"])]


@pytest.mark.parametrize("size", [1, 2, SLICE])
@pytest.mark.parametrize(
    ("dialect", "text", "records", "used"),
    [
        (Dialect(comment="#"), "#,\na,b\n #\nc,#\n#d,e\n", [(2, ["a", "b"]), (4, ["c", "#"])], {"COMMENT"}),
        (Dialect(comment="#"), 'a,b\n"#",c\nd,e#\n', [(1, ["a", "b"]), (2, ["#", "c"]), (3, ["d", "e#"])], set()),
        (Dialect(comment="#"), "#,\na,b\n", [(2, ["a", "b"])], {"COMMENT"}),
        (Dialect(comment="#"), "a,b\n\t#c\n", [(1, ["a", "b"])], {"COMMENT"}),
        (Dialect(comment="#", delimiter="\t"), "a\tb\n\t#c\n", [(1, ["a", "b"]), (2, ["", "#c"])], set()),
        (
            Dialect(null_values=frozenset({"a", "-"})),
            'a,b\n-,c\n"-", - \nd,e\n',
            [(1, ["a", "b"]), (2, ["", "c"]), (3, ["-", ""]), (4, ["d", "e"])],
            {"NULL_VALUES"},
        ),
        (Dialect(null_values=frozenset({"a"})), 'a,b\n"a",c\n', [(1, ["a", "b"]), (2, ["a", "c"])], set()),
        (
            Dialect(null_values=frozenset({"-"})),
            '"a\n",b\n"c\n",-\n',
            [(1, ["a\n", "b"]), (3, ["c\n", ""])],
            {"NULL_VALUES"},
        ),
        (
            Dialect(comment="#", null_values=frozenset({"-"})),
            "a\n-\n#\n",
            [(1, ["a"]), (2, [""])],
            {"COMMENT", "NULL_VALUES"},
        ),
        (Dialect(skip_lines=2), 'x\n"\na,b\nc,d\n', [(3, ["a", "b"]), (4, ["c", "d"])], set()),
        (Dialect(skip_lines=9), "a\nb\n", [], set()),
        (Dialect(delimiter=";"), "a,b;c\nd;e,f\n", [(1, ["a,b", "c"]), (2, ["d", "e,f"])], set()),
        (Dialect(encoding="cp1252"), "a\n\u20ac\n", [(1, ["a"]), (2, ["\u20ac"])], {"ENCODING"}),
        (Dialect(encoding="cp1252"), "a\nb\n", [(1, ["a"]), (2, ["b"])], set()),
        (Dialect(encoding="utf-16-le"), "a\nb\n", [(1, ["a"]), (2, ["b"])], {"ENCODING"}),
    ],
)
def test_the_settings_say_how_lines_are_read(
    dialect: Dialect, text: str, records: list[Record], used: set[str], size: int
) -> None:
    """Null words and comments apply only where they are set, and the first record keeps its words."""
    parser, found = RecordParser(dialect), list[Record]()
    for piece in [*in_pieces(text.encode(dialect.encoding or "utf-8"), size), b""]:
        for record in parser.feed(piece, final=not piece):
            parser.expect(len(record[1]))
            found.append(record)
    assert found == records
    assert parser.used == used


@pytest.mark.parametrize("size", [1, 7, SLICE])
@pytest.mark.parametrize("text", ["a\nb\n", "a\nb\n" * 10, "a\nb\nc"])
def test_what_comes_before_the_damage_is_read(text: str, size: int) -> None:
    """It includes text too short to recognise a format, but not a line without its end; then it is unreadable."""
    packed = gzip.compress(text.encode(), mtime=0)
    found = records_of(in_pieces(packed[:-8] + bytes(8), size))
    assert [fields for _, fields in found.records] == [[line] for line in text.split("\n")[:-1]]
    assert found.unreadable is not None
    assert found.unreadable.startswith("the gzip stream is damaged")


def test_with_names_the_first_record_is_a_row() -> None:
    """Its null words are empty, too; the delimiter is known, and so is its origin."""
    dialect = Dialect(column_names=("x", "y"), null_values=frozenset({"-"}))
    for body, delimiter in (("-;b", (";", False)), ("sep=|\n-|b", ("|", True))):
        parser = RecordParser(dialect)
        parser.expect(2)
        assert parser.delimiter is None
        assert [fields for _, fields in parser.feed(body.encode(), final=True)] == [["", "b"]]
        assert parser.delimiter == delimiter


@pytest.mark.parametrize("beyond", [0, 1])
def test_the_longest_record_is_2_mib(beyond: int) -> None:
    """As docs/handlers.md says, line ends are included: for one line, and for several."""
    cell = "x" * (LONGEST_RECORD + beyond - len("a,\n"))
    lines = "\n" + "x" * (LONGEST_RECORD + beyond - len('a,"\n"\n'))
    found = _read(f'x,y\na,{cell}\na,"{lines}"\n')
    if beyond:
        assert found[1:3] == [(2, f"a,{cell}"[:SHOWN_CHARACTERS]), (3, 'a,"')]
    else:
        assert found[1:] == [(2, ["a", cell]), (3, ["a", lines])]
    assert LONGEST_RECORD == 2 * 1024 * 1024


def test_a_long_line_that_never_ends_is_rejected_once() -> None:
    """Whatever comes before its line end belongs to it, even what looks like a quoted field."""
    body = "x,y\n" + "a" * (3 * LONGEST_RECORD) + '"\n' + "b" * LONGEST_RECORD
    assert _read(body) == [(1, ["x", "y"]), (2, "a" * SHOWN_CHARACTERS), (3, "b" * SHOWN_CHARACTERS)]


def test_an_open_quote_before_a_long_line_costs_its_own_line() -> None:
    """The long line is rejected on its own, and the lines before and after it are read."""
    body = 'x,y\na,"b\nc,d\n' + "e" * (LONGEST_RECORD + 1) + "\nf,g\n"
    assert _read(body) == [
        (1, ["x", "y"]),
        (2, 'a,"b'),
        (3, ["c", "d"]),
        (4, "e" * SHOWN_CHARACTERS),
        (5, ["f", "g"]),
    ]


def test_a_rejection_shows_a_limited_number_of_characters() -> None:
    """It shows a thousand characters of a broken line, and not one more, without its line end."""
    assert SHOWN_CHARACTERS == 1_000
    for length in (SHOWN_CHARACTERS - 1, SHOWN_CHARACTERS, SHOWN_CHARACTERS + 1):
        line = '"a"' + "b" * (length - 3)
        assert _read(f"x\n{line}\r\n")[1] == (2, line[:SHOWN_CHARACTERS])


@pytest.mark.parametrize(
    "line", [b"x" * SLICE, b'"' + b"x" * 98 + b"\n", b"x" * 99 + b"\n"], ids=["one", "quotes", "open"]
)
def test_memory_does_not_grow_with_the_object(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an endless line nor a field without an end is collected beyond the longest record."""
    monkeypatch.setattr(records_module, "LONGEST_RECORD", LONGEST_RECORD // 16)
    reader = RecordParser()
    pieces = [b"x,y\n", b'a,"b\n', *[line * (SLICE // len(line))] * 20]
    tracemalloc.start()
    try:
        for piece in pieces:
            for _ in reader.feed(piece, final=False):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < LONGEST_RECORD // 2


def test_an_open_record_is_not_read_again_with_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a quote comes it cannot end: a stray quote costs one look, not one per piece of the rest."""
    looks = _counted_looks(monkeypatch)
    body = b'x,y\na,"b\n' + b"c,d\n" * 10_000
    assert len(records_of(in_pieces(body, 1_000)).records) == 10_002
    assert len(looks) == 1


@pytest.mark.parametrize("line", ['a","', 'a,"', '"', '",""', '1","2', '"""'])
def test_each_line_is_looked_at_twice_at_most(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at from its beginning and from within quotes, however wide the header and whatever precedes."""
    looks = _counted_looks(monkeypatch)
    header = ",".join(f"c{number}" for number in range(1_000))
    found = records_of(in_pieces(f"{header}\n{f'{line}{chr(10)}' * 3_000}".encode(), 1_000))
    assert [number for number, _ in found.records] == [*range(1, 3_002)]
    assert len(looks) <= 6_000


def _counted_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are split from now on."""
    looks: list[str] = []
    real = Splitter.split

    def counting(self: Splitter, line: str, *, inside: bool = False) -> Split | None:
        looks.append(line)
        return real(self, line, inside=inside)

    monkeypatch.setattr(Splitter, "split", counting)
    return looks


@pytest.mark.parametrize(
    ("pieces", "counts"),
    [
        # A record that ends is passed on when it does, whatever came before it and is still to come.
        (["x y z,y\n", "\na,b\n", '"c', "\nd", '",e\n', "f"], [0, 2, 0, 0, 1, 0]),
        (['x,y\na,b\n1,2\n3,"', "4\n", "5\n", '6"\n7,8\n'], [3, 0, 0, 2]),
        (['x,y\na,b\n"c\n', 'd",e\n'], [2, 1]),
        # A CR may be half of a line end.
        (["x,y\ra,b\rc,d\r", "\n", "e,f\r", "g"], [2, 1, 0, 1]),
        # So is a line that is known to be broken.
        (["x,y\n1,2\n3\n", '"a"b,c\n', '"a\n', 'b"c\n'], [3, 1, 0, 2]),
        (["x,y\n1,2\n3\n", '"a\nb",c,"\n', "d\n"], [3, 2, 1]),
        (["x,y\n1,2\n3\n", '"a\nb",c,d\n'], [3, 2]),
        (["x,y\n1,2\n3\n", '1,2,"\n'], [3, 1]),
    ],
)
def test_a_record_is_handed_on_as_soon_as_it_is_known(pieces: list[str], counts: list[int]) -> None:
    """It does not wait for the object's end, which may be far away or never come."""
    reader = RecordParser()
    found = []
    for piece in pieces:
        records = list(reader.feed(piece.encode(), final=False))
        reader.expect(2)
        found.append(len(records))
    assert found == counts


@pytest.mark.parametrize("rest", [0, 1, 7])
@pytest.mark.parametrize("short", [1, 0, -1])
def test_a_record_is_given_up_as_soon_as_it_is_too_long(rest: int, short: int, longest: int) -> None:
    """Its lines, their ends, and the part of the next one that has come count: it must end within the rest."""
    reader = RecordParser()
    list(reader.feed(b"x,y\n1,2\n3,4\n", final=False))
    reader.expect(2)
    begin = 'a,"b\n' + "c\n" * 20
    assert list(reader.feed(begin.encode(), final=False)) == []
    last = "d" * (longest - len(begin) - short - rest - 1) + "\n" + "e" * rest
    records = list(reader.feed(last.encode(), final=False))
    assert len(records) == (0 if short > 0 else 22)
