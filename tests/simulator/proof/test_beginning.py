"""Where an object's records begin, and what separates their cells."""

from __future__ import annotations

import pytest

from fakes.proof_records import Read, in_pieces, rows_of
from simulator.proof.beginning import Beginning, DelimiterScan, named_delimiter
from simulator.proof.dialect import Dialect


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        *(
            ("sep=;", ";"),
            ("SEP=,", ","),
            ('"Sep=\t"', "\t"),
            ("sep= ", " "),
            ("sep==", "="),
            ("sep=é", "é"),
            ("sep=x", "x"),
        ),
        *(
            (line, None)
            for line in ("sep=", "sep=;;", "sep=; ", " sep=;", '"sep=;', 'sep=;"', 'sep="', '"sep="', "sep =;")
        ),
        *((line, None) for line in ("sep=\0", "sep=\udc80", "\u017fep=;", "sep", "", "xsep=;")),
    ],
)
def test_a_first_line_may_name_the_delimiter(line: str, delimiter: str | None) -> None:
    """Case does not matter, and it may be quoted as a whole; it is one character, alone on the line."""
    assert named_delimiter(line) == delimiter


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        *(("a,b", ","), ("a;b", ";"), ("a\tb", "\t"), ("a|b", "|"), ("a", ","), ("", ",")),
        ("a;b,c;d", ";"),
        ("a;b,c", ","),  # a tie
        ("a;b|c", ","),
        ('"a;b;c",d', ","),
        ('  "a;b;c",d', ","),
        ('a;"b,c,d"', ";"),
        ('a\t "b,c,d"', "\t"),
        # Quotes that are not at the beginning of a cell are text, and so is what follows closed ones.
        ('a "b;c;d",e', ";"),
        ('"a"b";c;d",e', ";"),
        ('"a""b;c;d",e', ","),
        ('"a;b', ","),
        ('.;"a,\r\n,,"\n', ";"),
        ('"a" "b;;;",c', ";"),
        ('x"a;b;c",d', ";"),
        ('"a""";b', ";"),
        ('"a;\n"";;;",b', ","),
        ('"a;\n";b|c|d', "|"),
        ('"a";b\n,,,,', ";"),
    ],
)
def test_the_most_frequent_sign_outside_of_quotes_is_the_delimiter(text: str, delimiter: str) -> None:
    """It is a comma if there is none, or a tie."""
    scan = DelimiterScan(1_000)
    for line in text.splitlines(keepends=True):
        if scan.feed(line):
            break
    assert scan.delimiter(None) == delimiter


@pytest.mark.parametrize(
    ("text", "columns", "delimiter"),
    [
        ("a;b;c,d", 2, ","),
        ("a;b;c,d", 3, ";"),
        ("a;b;c,d", 4, ";"),
        ("a;b,c;d", 2, ","),
        ("a;b|c;d", 2, "|"),
        ("a,b;c|d|e", 2, "|"),  # two signs make two columns, so that the most frequent counts
        ("a;b", 1, ";"),  # three signs make one
        ('"x";2|5|6', 2, ";"),
    ],
)
def test_the_number_of_columns_says_which_sign_it_is(text: str, columns: int, delimiter: str) -> None:
    """It applies if exactly one delimiter gives that number."""
    scan = DelimiterScan(1_000)
    assert scan.feed(text)
    assert scan.delimiter(columns) == delimiter


@pytest.mark.parametrize("quoted", ["", '"x\n\n;;;;"'])
@pytest.mark.parametrize(("longest", "delimiter"), [(1, ";"), (2, ","), (3, ","), (4, ","), (5, ";"), (6, ";")])
def test_no_more_characters_are_looked_at_than_a_record_may_have(longest: int, delimiter: str, quoted: str) -> None:
    """What follows makes no difference, on one line or several."""
    scan = DelimiterScan(len(quoted) + longest)
    ended = [scan.feed(line) for line in f"{quoted};,,;;|||||".splitlines(keepends=True)]
    assert ended == [False] * (len(ended) - 1) + [True]
    assert scan.delimiter(None) == delimiter
    short = DelimiterScan(2)
    assert [short.feed(line) for line in ('"a', '";;')] == [True, True]
    assert short.delimiter(None) == ","


def _passed(dialect: Dialect, *pieces: list[str], final: bool = True, longest: int = 1_000) -> tuple[int, str | None]:
    """How many lines come before the first record if they come in these pieces, and the delimiter."""
    beginning, left, passed = Beginning(dialect, longest), list[str](), 0
    delimiter = None
    for number, piece in enumerate(pieces, 1):
        left += piece
        more, delimiter = beginning.look(left, ["\n"] * len(left), final=final and number == len(pieces))
        del left[:more]
        passed += more
    return passed, delimiter


@pytest.mark.parametrize(
    ("dialect", "lines", "found"),
    [
        (Dialect(), ["a;b"], (0, ";")),
        (Dialect(), ["", " \t", "a;b"], (2, ";")),
        (Dialect(), ["sep=|", "", "a;b"], (2, "|")),
        (Dialect(delimiter=","), ["sep=|", "a;b"], (1, "|")),
        (Dialect(delimiter=","), ["a;b"], (0, ",")),
        (Dialect(delimiter="\t"), [" ", "\t", "a"], (1, "\t")),
        (Dialect(delimiter=" "), ["\t", " ", "a"], (1, " ")),
        (Dialect(), ["\t", "sep=|"], (1, "|")),
        (Dialect(skip_lines=2), ['"', "sep=|", "a;b"], (2, ";")),
        (Dialect(skip_lines=2), ["sep=|", '"', "", "a;b"], (3, "|")),
        (Dialect(skip_lines=1), ["sep=|", "a;b"], (1, "|")),
        (Dialect(skip_lines=3), ["a", "b"], (2, None)),
        (Dialect(comment="#"), ["#,,", " \t#", "", "a;b"], (3, ";")),
        (Dialect(comment="#"), ['"#"', "a"], (0, ",")),
        (Dialect(comment="#", skip_lines=1), ["a", "#", "b"], (2, ",")),
        (Dialect(), [], (0, None)),
        (Dialect(), [""], (1, None)),
        (Dialect(delimiter=","), [""], (1, None)),
        (Dialect(delimiter=","), ["sep=|"], (1, None)),
        (Dialect(), ['"a', "b;c", '";d'], (0, ";")),
        (Dialect(), ['"a', "b,c", "d,", '";e'], (0, ";")),
        (Dialect(), ['"a', "b", '";c'], (0, ";")),
    ],
)
def test_what_comes_before_the_first_record(dialect: Dialect, lines: list[str], found: tuple[int, str | None]) -> None:
    """It holds in whatever pieces its lines come."""
    assert _passed(dialect, lines) == found
    assert _passed(dialect, *([line] for line in lines), []) == found


def test_a_first_record_that_goes_on_is_waited_for() -> None:
    """Its delimiter is known where it ends, or when the object does."""
    assert _passed(Dialect(), ['"a', "b"], final=False) == (0, None)
    assert _passed(Dialect(), ['"a'], ["b"], final=False) == (0, None)
    assert _passed(Dialect(), ['"a'], ["b"], ["c"], ['";d'], final=False) == (0, ";")
    assert _passed(Dialect(), ['"a', "b"], [], final=True) == (0, ",")
    assert _passed(Dialect(), ['"a', "x" * 100], final=False, longest=50) == (0, ",")


@pytest.mark.parametrize("line", ["#" * 50, " " * 50])
def test_a_line_that_is_too_long_is_a_record_whatever_it_begins_with(line: str) -> None:
    """It is rejected, not skipped, because its end is unknown. One that is not too long is skipped."""
    dialect = Dialect(comment="#")
    assert _passed(dialect, [line, "a"], longest=50) == (0, ",")
    assert _passed(dialect, [line, "a"], longest=51) == (1, ",")


@pytest.mark.parametrize(
    ("line", "end", "is_record"),
    [
        ("#abc", "\n", False),
        ("#abc", "\r\n", True),
        ("#ab", "\r\n", False),
        ("#abc", "", False),
        ("#abcd", "", True),
        ("#abcd", "\n", True),
    ],
)
def test_a_lines_end_counts(line: str, end: str, is_record: bool) -> None:
    """The object's end counts as one character instead."""
    found = Beginning(Dialect(comment="#"), 5).look([line], [end], final=True)
    assert found == ((0, ",") if is_record else (1, None))


@pytest.mark.parametrize(
    ("lines", "named", "commented"),
    [(["a;b"], False, False), (["sep=|", "a"], True, False), (["", "#", "a"], False, True), (["", "a#"], False, False)],
)
def test_what_was_skipped_is_known(lines: list[str], named: bool, commented: bool) -> None:
    """It includes whether the object names the delimiter, and whether the comment setting made a difference."""
    beginning = Beginning(Dialect(comment="#"), 1_000)
    beginning.look(lines, ["\n"] * len(lines), final=True)
    assert (beginning.named, beginning.commented) == (named, commented)


@pytest.mark.parametrize("size", [1, 3, 65_536])
def test_skipped_lines_may_be_long_and_have_quotes(size: int) -> None:
    """The first record is on the line after them."""
    body = b'"' + b"x" * 3_000_000 + b'\r\n"\rdate,n\r\n2024-01-02,1'
    if size < 10:
        body = body.replace(b"x" * 3_000_000, b"x" * 3_000)
    found = rows_of(in_pieces(body, size), dialect=Dialect(skip_lines=2))
    assert found == Read(stored=[("A", "2024-01-02", 4, '"n":{"N":"1"}')])
