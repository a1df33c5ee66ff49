"""A console draws texts from outside without being steered by them, and its own styles all the same."""

from __future__ import annotations

import io

from rich.console import Console
from rich.segment import ControlType, Segment, Segments
from rich.table import Table
from rich.text import Text

from simulator.base.terminal import visible_console


def drawn(*things: object, **how: object) -> str:
    """What is written to a terminal of 60 columns with colours."""
    return printed(
        visible_console(file=io.StringIO(), force_terminal=True, width=60, color_system="truecolor", **how), *things
    )


def printed(console: Console, *things: object) -> str:
    """What a console writes to its file."""
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


def test_a_line_ends_with_its_last_letter() -> None:
    """The blanks with which a table fills its lines up are not written; those between letters are."""
    table = Table.grid(padding=(0, 2), pad_edge=True)
    table.add_row("a", Text("b  c"))
    table.add_row("long", "")
    console = visible_console(trims=True, file=io.StringIO(), width=60)
    assert printed(console, table, Text("x \ny  "), Text("  ")) == "  a     b  c\n  long\nx\ny\n\n"
