"""The lines before the first record, and the delimiter: each rule on its own, wherever the text is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.records import Grammar, physical_lines
from pipeline.dialect import CsvDialect
from pipeline.opening import FirstLines, FirstRecord


def first_lines(text: str, skip_lines: int, size: int) -> tuple[str, int, str | None]:
    """What follows the skipped lines, the number of the line there, and what `sep=` says."""
    lines = FirstLines(skip_lines)
    rest = ""
    for at in range(0, len(text), size):
        piece = lines.feed(text[at : at + size], final=False)
        assert isinstance(piece, str)
        assert lines.done or piece == ""
        if lines.done:
            return rest + piece + text[at + size :], lines.line, lines.delimiter
    rest = lines.feed("", final=True)
    assert lines.done or rest == ""
    return rest, lines.line, lines.delimiter


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("sep=;", ";"),
        ("SEP=,", ","),
        ('"sep=|"', "|"),
        ("sep=\t", "\t"),
        ("sep= ", " "),
        ("sep=é", "é"),
        ('sep="', None),
        ('"sep=;', None),
        ('sep=;"', None),
        ("sep=", None),
        ("sep=;;", None),
        ('"sep=;;"', None),
        (" sep=;", None),
        ("sep=\0", None),
        ("sep=\udc80", None),
        ("sep=;,a,b", None),
    ],
)
def test_a_first_line_may_name_the_delimiter(line, sign, end, size):
    """If it is alone on the line, quoted or not, in any case, it is skipped; otherwise it is a line like others."""
    body = f"{line}{end}a{end}b{end}"
    after = f"a{end}b{end}" if sign else body
    assert first_lines(body, 0, size) == (after, 2 if sign else 1, sign)
    assert first_lines(body, 1, size) == (f"a{end}b{end}", 2, sign)
    assert first_lines(body, 2, size) == (f"b{end}", 3, sign)


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize(("text", "sign"), [("sep=;", ";"), ('"sep=;"', ";"), ("sep", None), ("", None), ("a\r", None)])
def test_an_object_may_end_with_its_first_line(text, sign, size):
    """It needs no line end; a line that names no delimiter is passed on, even a short one."""
    rest, _, delimiter = first_lines(text, 0, size)
    assert (rest, delimiter) == ("" if sign else text, sign)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("text", "skip_lines", "rest", "line"),
    [
        ("a\nb\nc\n", 1, "b\nc\n", 2),
        ("a\r\nb\rc\n", 2, "c\n", 3),
        ("\n\r\n\rx", 3, "x", 4),
        ("a\r\n\nb", 1, "\nb", 2),
        ("\r\r\nb", 1, "\r\nb", 2),
        ('"a\nb"\nc', 1, 'b"\nc', 2),
        ("a\nb", 2, "", 2),
        ("a\n", 1, "", 2),
        ("a\r", 1, "", 2),
        ("abcdefghijk", 1, "", 1),
        ("a\nsep=;\nb\nc\n", 3, "c\n", 4),
    ],
)
def test_the_given_number_of_lines_is_skipped(text, skip_lines, rest, line, size):
    """It holds whatever they contain, and whichever ends they have; there may be fewer."""
    assert first_lines(text, skip_lines, size) == (rest, line, None)


def test_nothing_is_waited_for_that_is_not_needed():
    """It covers a line longer than any that names a delimiter, and a line end that may be half of one."""
    lines = FirstLines(0)
    assert lines.feed("abcdefg", final=False) == ""
    assert not lines.done
    assert lines.feed("h", final=False) == "abcdefgh"
    assert lines.done
    lines = FirstLines(1)
    assert (lines.feed("a\n", final=False), lines.done) == ("", True)
    lines = FirstLines(1)
    assert (lines.feed("a\r", final=False), lines.done) == ("", False)
    assert (lines.feed("b", final=False), lines.done, lines.line) == ("b", True, 2)


def test_skipped_lines_are_not_collected():
    """It holds however long they are."""
    lines = FirstLines(1)
    for _ in range(3):
        assert lines.feed("x" * 1000, final=False) == ""
        assert lines._held == ""
    assert lines.feed("\nb", final=False) == "b"


def first_record(
    text: str, *, comment: str | None = None, names: int | None = None, longest: int = 1000, together: int = 1
) -> tuple[str | None, str, int]:
    """The delimiter, the text from the first record on, and how many lines came before it, fed in steps."""
    record = FirstRecord(comment, names, longest)
    lines = re.findall("[^\r\n]*(?:\r\n?|\n)|[^\r\n]+$", text)
    read = 0
    while record.delimiter is None and read < len(lines):
        record.feed("".join(lines[read : read + together]), final=read + together >= len(lines))
        read += together
    return record.delimiter, record.text + "".join(lines[read:]), record.passed


@pytest.mark.parametrize("together", [1, 2, 100])
@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n;;;\n", ","),
        ("a;b;c,d\n", ";"),
        ("a\tb\n,,\n", "\t"),
        ("a|b", "|"),
        ("a\n", ","),
        ("a;b|c\n", ","),
        ("a;b;c|d|e,f\n", ","),
        ('"a;b;c",d\n', ","),
        ('x;"a,b,c"\n', ";"),
        ('  "a;b;c",d\n', ","),
        ('x"a;b;c",d\n', ";"),
        ('"a;""b;c",d\n', ","),
        ('"a;\n;;;\nb;c",d|e|f\n;;;;\n', "|"),
        ('"a;\n;"";\nb;c"|d\n;;;;\n', "|"),
        ('"a\n";"b;;;\n;;",c,d\n', ","),
        ('"a\n" "b;;;",c\n', ";"),
        ('"a" "b;;;",c\n', ";"),
        ('a,"b;;"";"\n', ","),
        ('"a;b', ","),
        ('"a;b\n', ","),
        ('a|"b;\nc;;;\n', "|"),
        ('a;\t"b|||"\n', ","),
        ('a;\t"b|||";c\n', ";"),
    ],
)
def test_the_delimiter_is_what_the_first_record_has_most_of(text, delimiter, together):
    """Only characters outside quotes, up to the line end, count; a tie, or none at all, means a comma."""
    assert first_record(text, together=together) == (delimiter, text, 0)


@pytest.mark.parametrize("together", [1, 2, 100])
@pytest.mark.parametrize(
    ("before", "passed"), [("\n", 1), ("\r\n \t\n\r", 3), ("#;;;\n", 1), (" \t#;\n\n#\n", 3), ("", 0)]
)
def test_blank_lines_and_comments_come_before_the_first_record(before, passed, together):
    """They are skipped, and nothing in them delimits; later ones are not skipped."""
    record = "a|b\n#;;\n\n"
    assert first_record(before + record, comment="#", together=together) == ("|", record, passed)
    assert first_record(before, comment="#", together=together) == (None, "", passed)


@pytest.mark.parametrize("together", [1, 100])
def test_a_line_that_is_too_long_is_a_record(together):
    """It holds whatever it begins with; the delimiters in its beginning count."""
    assert first_record("\n#;;;;;\na,b\n", comment="#", longest=6, together=together) == (";", "#;;;;;\na,b\n", 1)
    assert first_record("\n#;;;;\na,b\n", comment="#", longest=6, together=together) == (",", "a,b\n", 2)


@pytest.mark.parametrize(
    ("text", "longest", "delimiter"),
    [
        ("|xx;;", 5, ";"),
        ("|xx;;", 4, ","),
        ("|xx;;", 3, "|"),
        ('"|\n|"|;;', 8, ";"),
        ('"|\n|"|;;', 7, ","),
        ('"|\n|"|;;', 6, "|"),
        ('|;;"a\n', 9, ";"),
        ('|,"a\n;;;\n"', 5, ","),
        ('|,|"a\n;;;\n"', 3, "|"),
    ],
)
def test_the_delimiter_is_searched_for_in_a_limited_number_of_characters(text, longest, delimiter):
    """The limit covers all lines of the record together, with their ends."""
    assert first_record(text, longest=longest)[:2] == (delimiter, text)


def test_how_much_is_yet_to_be_looked_at_is_known():
    """So a longer line can be examined before its end comes."""
    record = FirstRecord(None, None, 10)
    record.feed('\n"a\n', final=False)
    assert (record.left, record.delimiter, record.passed, record.text) == (7, None, 1, '"a\n')
    record.look('b";;c|d,e')
    assert (record.left, record.delimiter, record.text) == (0, ";", '"a\n')
    record = FirstRecord(None, None, 4)
    record.feed('|"a;;\n', final=False)
    assert (record.left, record.delimiter) == (0, "|")


@pytest.mark.parametrize(
    ("text", "names", "delimiter"),
    [
        ("1,5;2,5", 2, ";"),
        ("1,5;2,5;3", 4, ","),
        ("a;b|c", 2, ","),
        ("a;b|c|d", 2, ";"),
        ("a,b;c,d", 2, ";"),
        ("a;b;c,d", 9, ";"),
        ("a", 1, ","),
        ("a;b;c", 1, ";"),
        ("1,5|2,5;3,5;4", 2, "|"),
    ],
)
def test_with_names_the_delimiter_is_what_gives_that_number_of_fields(text, names, delimiter):
    """It applies if exactly one does; otherwise the most frequent one wins."""
    assert first_record(text, names=names)[0] == delimiter
    assert first_record(f"{text}\n", names=names)[0] == delimiter


@settings(max_examples=300, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(['"', '"', '""', ",", ";", "|", "\t", " ", "#", "a", "\n", "\r", "\r\n"]), max_size=30
    ),
    comment=st.sampled_from([None, "#"]),
    names=st.sampled_from([None, 1, 2, 3]),
    longest=st.sampled_from([5, 9, 1000]),
    together=st.sampled_from([1, 2, 100]),
)
def test_any_beginning_is_read_as_the_rules_say(text, comment, names, longest, together):
    """The rules are applied as written, character by character."""
    body = "".join([*text, "\n"])
    lines = physical_lines(body)
    grammar = Grammar(longest, 5, CsvDialect(comment=comment))
    grammar.blanks = " \t"
    passed = 0
    while passed < len(lines) and len(lines[passed]) <= longest and grammar._is_nothing(lines[passed]):
        passed += 1
    rest = "".join(lines[passed:])
    expected = grammar._most_frequent(rest, names) if rest else None
    found = first_record(body, comment=comment, names=names, longest=longest, together=together)
    assert found == (expected, rest, passed)
