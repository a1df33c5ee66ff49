"""Lines of an exact width, by cells."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.segment import Segment

from simulator.dashboard import lines
from simulator.dashboard.lines import ACCENT, BOLD, DIM, PLAIN, TONES, Frame, Line


def text(line: Line) -> str:
    """A line without styles."""
    return "".join(segment.text for segment in line)


@pytest.mark.parametrize(
    ("segments", "width", "expected"),
    [
        (["ab", "cd"], 6, ["ab", "cd", "  "]),
        (["ab", "cd"], 4, ["ab", "cd"]),
        (["ab", "cd"], 3, ["ab", "c"]),
        (["ab", "cd"], 2, ["ab"]),
        (["ab"], 0, []),
        (["行情", "x"], 5, ["行情", "x"]),
        (["行情"], 3, ["行 "]),
        ([], 2, ["  "]),
    ],
)
def test_segments_are_cut_or_filled_up(segments: list[str], width: int, expected: list[str]) -> None:
    """A line has exactly its cells, two for a character of double width, and no segment without any."""
    fitted = lines.fit((Segment(part, BOLD) for part in segments), width)
    assert [segment.text for segment in fitted] == expected
    assert {segment.style for segment in fitted if segment.text.strip()} <= {BOLD}


@pytest.mark.parametrize(
    ("whole", "width", "expected"),
    [
        ("abcd", 4, "abcd"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("abcd", 1, "…"),
        ("abcd", 0, ""),
        ("abcd", -1, ""),
        ("行情", 4, "行情"),
        ("行情", 3, "行…"),
    ],
)
def test_a_text_is_shortened_with_an_ellipsis(whole: str, width: int, expected: str) -> None:
    """What fits is left as it is; no blank stands before the ellipsis, and nothing is in no room."""
    assert lines.shorten(whole, width) == expected


def test_panes_stand_beside_each_other() -> None:
    """Each has its width, and between two there is a gap."""
    panes = [([Segment("a")], 2), ([Segment("bcd")], 2), ([Segment("e")], 1)]
    assert text(lines.beside(panes)) == "a   bc  e"
    assert text(lines.beside(panes, "")) == "a bce"


@pytest.mark.parametrize(
    ("width", "expected"), [(8, "left  12"), (6, "left12"), (5, "lef12"), (2, "12"), (1, "1"), (0, "")]
)
def test_the_right_part_has_its_room_first(width: int, expected: str) -> None:
    """Where both do not fit, the left one gives way."""
    assert text(lines.apart([Segment("left")], [Segment("1"), Segment("2")], width)) == expected


def test_a_frame_is_its_lines_and_no_new_line_after_them() -> None:
    """A new line at the end would scroll the screen that the frame fills."""
    frame = Frame(([Segment("ab")], [Segment("c"), Segment("d")], [Segment("e ")]), 2)
    assert "".join(segment.text for segment in frame.segments()) == "ab\ncd\ne "


def test_a_printed_frame_has_its_colours() -> None:
    """What moves is green, what grows is yellow, and what is lost is red and bold; the rest has no colour."""
    shown = [*TONES.items(), ("BOLD", BOLD), ("DIM", DIM), ("PLAIN", PLAIN), ("ACCENT", ACCENT)]
    console = Console(file=(written := io.StringIO()), color_system="standard", force_terminal=True)
    console.print(Frame(tuple([Segment(name, style)] for name, style in shown), 6), end="")
    assert written.getvalue().replace("\x1b[0m", "").replace("\x1b", "").splitlines() == [
        "plain",
        "[32mmoves",
        "[33mgrows",
        "[1;31mlost",
        "[1mBOLD",
        "[2mDIM",
        "PLAIN",
        "[1;36mACCENT",
    ]


def test_labels_stand_left_of_what_they_label() -> None:
    """A blank label carries on the line above; a label is not broken, and nothing in a text is markup."""
    console = Console(file=(written := io.StringIO()), width=40, color_system="standard", force_terminal=True)
    console.print(lines.labelled([("the store", "[b] two"), ("", "more")]))
    assert "\x1b[2mthe store\x1b[0m" in written.getvalue()
    shown = re.sub(r"\x1b\[\d*m", "", written.getvalue())
    rows = [line.rstrip() for line in shown.splitlines()]
    assert rows == ["  the store  [b] two", "             more"]


def test_a_narrow_screen_has_no_column_of_labels() -> None:
    """A word per line is not readable: each label leads its text, and the text has the whole width."""
    console = Console(file=(written := io.StringIO()), width=lines.LEAST_LABELLED - 1)
    console.print(lines.labelled([("  the store", "one two three four five six seven eight"), ("", "more")]))
    rows = [line.rstrip() for line in written.getvalue().splitlines()]
    assert rows == ["the store: one two three four five six", "seven eight", "more"]


def test_the_first_line_that_fits_is_taken() -> None:
    """The last if none does; a line that is exactly as wide fits, and cells count, not characters."""
    made: list[Line] = [[Segment("行情"), Segment("!")], [Segment("abc")]]
    assert text(lines.first_fitting(made, 5)) == "行情!"
    assert text(lines.first_fitting(made, 4)) == "abc"
    assert text(lines.first_fitting(made, 1)) == "abc"
    assert lines.first_fitting([], 9) == []


@pytest.mark.parametrize(
    ("lead", "width", "expected"),
    [
        ("lost", 20, ["lost  a 1  bb 22", "      c 3"]),
        ("lost", 22, ["lost  a 1  bb 22  c 3"]),
        ("lost", 10, ["lost  a 1", "      bb 22", "      c 3"]),
        ("lost", 7, ["lost  a 1", "      bb 22", "      c 3"]),
        ("", 10, ["a 1  bb 22", "c 3"]),
    ],
)
def test_items_are_packed_whole(lead: str, width: int, expected: list[str]) -> None:
    """As many on a line as fit; the next one begins under the first item."""
    items: list[Line] = [[Segment("a "), Segment("1")], [Segment("bb 22")], [Segment("c 3")]]
    assert [text(line).rstrip() for line in lines.packed([Segment(lead)], items, width)] == [
        line.rstrip() for line in expected
    ]
