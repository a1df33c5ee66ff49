"""A console draws texts from outside without being steered by them, and its own styles all the same."""

from __future__ import annotations

import io

from rich.segment import ControlType, Segment, Segments
from rich.table import Table
from rich.text import Text

from simulator.base.terminal import visible_console


def drawn(*things: object, **how: object) -> str:
    """What is written to a terminal of 60 columns with colours."""
    console = visible_console(file=io.StringIO(), force_terminal=True, width=60, color_system="truecolor", **how)
    for thing in things:
        console.print(thing, soft_wrap=True)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


HOSTILE = "a\x1b[31mb\x9b2J\u202ec\x07"
SHOWN = r"a\x1b[31mb\x9b2J\u202ec"


def test_texts_are_made_visible_wherever_they_are() -> None:
    """A string, a styled text, a cell of a table."""
    table = Table(box=None)
    table.add_column("")
    table.add_row(HOSTILE)
    for thing in (HOSTILE, Text(HOSTILE), table):
        assert SHOWN in drawn(thing, markup=False, highlight=False)


def test_styles_lines_and_controls_stay() -> None:
    """What steers the terminal is what we say ourselves."""
    assert drawn(Text("red\nline", style="red")) == "\x1b[31mred\x1b[0m\n\x1b[31mline\x1b[0m\n"
    clear = Segment("\x1b[J", None, [(ControlType.CLEAR,)])
    assert drawn(Segments([clear, Segment("x\x1b[J")])) == "\x1b[J" + r"x\x1b[J"
