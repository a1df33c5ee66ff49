"""Texts from outside do not steer the terminal, and a line of an error stays one."""

from __future__ import annotations

import unicodedata

import pytest

from simulator.base.shown import (
    LINE_CHARACTERS,
    error_line,
    is_usable,
    printable,
    sized,
    visible,
    visible_line,
    visible_lines,
)

STEERING = [
    *map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u061c\u200e\u200f",
    *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\ud800", "\udcff",
]  # fmt: skip


@pytest.mark.parametrize("shown", [visible, visible_line, printable, error_line])
def test_what_steers_a_terminal_is_written_as_an_escape(shown: object) -> None:
    """Control characters, bidirectional overrides, separators of lines and bytes that are not text."""
    assert callable(shown)
    for character in STEERING:
        text = shown(f"a{character}b")
        assert text.isprintable()
        assert text.encode()
        assert {unicodedata.category(each) for each in text} <= {"Ll", "Nd", "Po", "Zs"}


def test_what_can_be_seen_stays() -> None:
    """Letters of every script, signs, and the blank."""
    for text in ("", "a b", "naïve Ω 価格 👍 €", r"\x1b"):
        assert visible(text) == text
    assert visible("\x1b[31m\n\u202e") == r"\x1b[31m\n\u202e"
    assert visible("\U000e0001") == r"\U000e0001"


def test_tabs_and_line_ends_that_lay_text_out_are_blanks() -> None:
    """A tab of a log line, and all that is between the words of running text."""
    assert visible_line("\ta\tb") == "    a   b"
    assert printable(" a\r\n\tb\x1b ") == r"a b\x1b"


def test_lines_stay_lines() -> None:
    """Where a text has several by itself."""
    assert visible_lines("a\x1b\n\tb\r\n") == "a\\x1b\n    b\\r\n"


def test_a_long_error_keeps_its_beginning_and_its_end() -> None:
    """The way out is at its end; what fits is whole."""
    assert error_line("x" * 2_000) == "x" * 2_000
    assert error_line("x" * 1_400 + "y" * 601) == f"{'x' * 1_400} ... {'y' * 600}"
    line = error_line(f"what is wrong: {'x' * LINE_CHARACTERS}; the way out")
    assert line.startswith("what is wrong: xxx")
    assert line.endswith("xxx; the way out")
    assert " ... " in line
    assert len(line) == LINE_CHARACTERS + 5


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("", True),
        ("a\nb\x01\ufffd\U0001f600", True),
        ("\ud7ff\ue000", True),
        ("a\0", False),
        ("\ud800", False),
        ("b\udfff", False),
    ],
)
def test_no_text_with_nul_or_half_a_character_is_usable(text: str, usable: bool) -> None:
    """Neither a variable of a process nor an API takes such a text."""
    assert is_usable(text) is usable


def test_a_traceback_of_lambda_is_indented_by_blanks() -> None:
    """Lambda's runtime client writes no-break spaces, which would be escapes."""
    assert visible_line("\xa0\xa0File\tx") == "  File  x"


@pytest.mark.parametrize(
    ("text", "kept"), [("1", True), ("80", True), ("0", False), ("-1", False), ("²", False), ("", False)]
)
def test_a_size_that_is_none_is_not_passed_on(text: str, kept: bool) -> None:
    """Of both sizes; any other variable stays as it is."""
    for name in ("COLUMNS", "LINES"):
        assert (name in sized({name: text})) is kept
    assert sized({"TERM": "0", "X": "²"}) == {"TERM": "0", "X": "²"}
