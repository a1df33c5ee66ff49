"""A console draws texts from outside without being steered by them, and its own styles all the same."""

from __future__ import annotations

import io

import pytest
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.segment import ControlType, Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text

from simulator.base.terminal import READABLE, READABLE_GREY, READABLE_OF_16, readable, visible_console


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
    assert drawn(Text("italic\nline", style="italic")) == "\x1b[3mitalic\x1b[0m\n\x1b[3mline\x1b[0m\n"
    clear = Segment("\x1b[J", None, [(ControlType.CLEAR,)])
    assert drawn(Segments([clear, Segment("x\x1b[J")])) == "\x1b[J" + r"x\x1b[J"


def test_a_line_ends_with_its_last_letter() -> None:
    """The blanks with which a table fills its lines up are not written; those between letters are."""
    table = Table.grid(padding=(0, 2), pad_edge=True)
    table.add_row("a", Text("b  c"))
    table.add_row("long", "")
    console = visible_console(trims=True, file=io.StringIO(), width=60)
    assert printed(console, table, Text("x \ny  "), Text("  ")) == "  a     b  c\n  long\nx\ny\n\n"


@pytest.mark.parametrize("unusable", ["0", "-1", "x", "²", ""])
def test_a_size_of_nothing_is_no_size(unusable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`COLUMNS` and `LINES` count if they are at least 1; otherwise it is as if they were not set."""
    monkeypatch.setenv("COLUMNS", unusable)
    monkeypatch.setenv("LINES", unusable)
    assert visible_console(file=io.StringIO()).size == (80, 25)
    monkeypatch.setenv("COLUMNS", "1")
    monkeypatch.setenv("LINES", "007")
    assert visible_console(file=io.StringIO()).size == (1, 7)


def contrast(color: Color, background: float) -> float:
    """The ratio that WCAG defines, 1 to 21, of a colour and black (0) or white (1)."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = map(linear, color.get_truecolor())
    dark, light = sorted((0.2126 * red + 0.7152 * green + 0.0722 * blue, background))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
@pytest.mark.parametrize("color", [*READABLE.values(), READABLE_GREY], ids=[*READABLE, "grey"])
def test_colours_can_be_read_on_black_and_on_white(color: Color, system: ColorSystem) -> None:
    """At least 4 to 1 against either, with 256 colours too."""
    shown = color.downgrade(system)
    assert round(min(contrast(shown, 0.0), contrast(shown, 1.0)), 1) >= 4.0


def test_a_terminal_of_16_colours_shows_no_yellow_and_no_cyan() -> None:
    """On white neither can be seen; red, green and dim stay as they are."""
    assert readable(Style.parse("bold yellow"), "standard") == Style.parse("bold magenta")
    assert readable(Style.parse("bold cyan"), "standard") == Style.parse("bold")
    assert set(READABLE_OF_16) == {"yellow", "cyan"}
    for kept in ("red", "green", "dim"):
        assert readable(Style.parse(kept), "standard") == Style.parse(kept)


def test_colours_are_shown_as_readable_ones() -> None:
    """Each that the code names; what is dim and has none is grey, whatever a terminal makes of dim."""
    for system in ("256", "truecolor"):
        assert readable(Style.parse("bold red"), system) == Style(color=READABLE["red"], bold=True, dim=False)
        assert readable(Style.parse("dim green"), system) == Style(color=READABLE["green"], dim=False)
        assert readable(Style.parse("dim"), system) == Style(color=READABLE_GREY, dim=False)
        assert readable(Style.parse("blue on red"), system) == Style.parse("blue on red")
    assert not drawn(Text("x", style="dim")).startswith("\x1b[2m")
    assert drawn(Text("x", style="yellow")) != drawn(Text("x", style="green")) != "x\n"


def test_without_colour_dim_stays_dim() -> None:
    """NO_COLOR takes the colours, and bold and dim are left."""
    assert drawn(Text("dim", style="dim"), Text("red", style="bold red"), no_color=True) == (
        "\x1b[2mdim\x1b[0m\n\x1b[1mred\x1b[0m\n"
    )
