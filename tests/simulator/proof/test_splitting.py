"""A line -> the texts of its cells."""

from __future__ import annotations

import pytest

from simulator.proof.splitting import Split, Splitter, words


@pytest.mark.parametrize(
    ("line", "delimiter", "texts"),
    [
        ("a,b;c", ",", ["a", "b;c"]),
        ("a,b;c", ";", ["a,b", "c"]),
        (" a\t|\tb c ", "|", ["a", "b c"]),
        ("\ta \t b\t", "\t", ["", "a", "b", ""]),
        (" a ,b c", ",", ["a", "b c"]),
        ("\ta\t,b\tc", ",", ["a", "b\tc"]),
        ("a b\t c", " ", ["a", "b", "c"]),
        ('"a,b" , "c"" d "', ",", ["a,b", 'c" d ']),
        ('"a"\t "b"\t', "\t", ["a", "b", ""]),
        ('"a" \t"b"', " ", ["a", "b"]),
        ('a"b",c"', ",", ['a"b"', 'c"']),
        ('""', ",", [""]),
        ("", ",", [""]),
        (",", ",", ["", ""]),
        ("\u00a0a\u00a0", ",", ["\u00a0a\u00a0"]),
    ],
)
def test_cells_are_between_delimiters(line: str, delimiter: str, texts: list[str]) -> None:
    """Surrounding blanks and tabs are removed, unless those are the delimiter; quoted text is unchanged."""
    splitter = Splitter(delimiter)
    assert splitter.split(line) == Split(texts, False, False)
    if '"' not in line:
        assert splitter.without_quotes(line) == texts


@pytest.mark.parametrize(
    ("line", "inside", "split"),
    [
        ('a,"b', False, Split(["a", "b"], True, False)),
        ('"', False, Split([""], True, False)),
        ('b",c', True, Split(["b", "c"], False, False)),
        ('b" ,"c', True, Split(["b", "c"], True, False)),
        ('""b",c', True, Split(['"b', "c"], False, False)),
        ('b""c', True, Split(['b"c'], True, False)),
        ("", True, Split([""], True, False)),
        ('"', True, Split([""], False, False)),
        ('" "', True, None),
        ('"a"b', False, None),
        ('"a" \u00a0', False, None),
        ('x"b', True, None),
    ],
)
def test_a_quoted_cell_may_go_on_in_the_next_line(line: str, inside: bool, split: Split | None) -> None:
    """None is a line with text after a closing quote."""
    assert Splitter(",").split(line, inside=inside) == split


def test_null_words_become_empty_where_there_are_no_quotes() -> None:
    """It holds anywhere in a line, in their own case, without surrounding blanks; a quoted one is text."""
    splitter = Splitter(",", frozenset({"-", "a b"}))
    assert splitter.split(' - ,"-", a b ,a  b,A B,--') == Split(["", "-", "", "a  b", "A B", "--"], False, True)
    assert splitter.split('"-",') == Split(["-", ""], False, False)


def test_null_words_may_be_known_later() -> None:
    """They are known once the header has been read."""
    splitter = Splitter(",")
    assert splitter.split("-,a") == Split(["-", "a"], False, False)
    splitter.empty(frozenset({"-"}))
    assert splitter.split("-,a") == Split(["", "a"], False, True)


@pytest.mark.parametrize(
    ("line", "delimiter", "blank"),
    [
        ("", ",", True),
        (" \t ", ",", True),
        (" \t", "\t", False),
        ("  ", "\t", True),
        ("\u00a0", ",", False),
        ("a ", ",", False),
    ],
)
def test_a_line_of_blanks_has_nothing_on_it(line: str, delimiter: str, blank: bool) -> None:
    """It is blank unless a blank is the delimiter."""
    assert Splitter(delimiter).is_blank(line) == blank


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", ["a"]),
        (" a ,b\t,,", ["a", "b", "", ""]),
        ('"a,b", " c ""d""" ', ["a,b", ' c "d"']),
        ('"a\nb","c\r\n\r\nd"', ["a\nb", "c\r\n\r\nd"]),
        ("a;b", ["a;b"]),
        ('"a', None),
        ('"a"b', None),
        ("a\nb", None),
        ("a\n", None),
        ('"a\nb"c', None),
    ],
)
def test_a_setting_with_commas_is_one_record(text: str, found: list[str] | None) -> None:
    """Names in quotes may hold anything; what is not one record is None."""
    assert words(text) == found
