"""Consoles on which nothing but our own styles steers the terminal.

Whatever is printed is drawn first, and then the letters of the drawing are made visible: colours and the cursor are
rich's, which keeps them apart from text, and a text from outside that has control characters shows them.

Nobody knows whether a terminal is dark or light. So the colours that the code names are shown as ones that can be read
on black and on white: at least 4 to 1 against either.
"""

from __future__ import annotations

import functools
from typing import Any

from rich.color import Color
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment
from rich.style import Style

from simulator.base.shown import visible_lines

READABLE = {
    "green": Color.from_rgb(0, 138, 0),
    "yellow": Color.from_rgb(166, 106, 0),
    "red": Color.from_rgb(236, 0, 0),
    "cyan": Color.from_rgb(0, 135, 143),
}
"""What a colour of the code is shown as where there are 256 colours or more."""
READABLE_GREY = Color.from_rgb(118, 118, 118)
"""What is dim there: terminals differ in how much of the text's colour they leave."""
READABLE_OF_16 = {"yellow": Color.parse("magenta"), "cyan": None}
"""The same where there are 16, of which yellow and cyan cannot be seen on white. None: the text's own colour."""


def visible_console(*, trims: bool = False, **how: Any) -> Console:
    """A console; `how` is `rich.console.Console`'s. `trims`: no line ends with the blanks that fill up a table's."""
    made = Console(**how)
    made.push_render_hook(_VisibleHook())
    if trims:
        made.push_render_hook(_TrimmedHook())
    return made


class _VisibleHook(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(renderable) for renderable in renderables]


class _Visible:
    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        colors = None if console.no_color else console.color_system
        for segment in console.render(self._renderable, options):
            if segment.control:
                yield segment
                continue
            text = segment.text if segment.text.isprintable() else visible_lines(segment.text)
            yield Segment(text, readable(segment.style, colors) if segment.style and colors else segment.style)


class _TrimmedHook(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Trimmed(renderable) for renderable in renderables]


class _Trimmed:
    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        blanks: list[Segment] = []  # written as soon as a letter follows on their line
        for segment in console.render(self._renderable, options):
            if segment.control:
                yield segment
                continue
            for number, part in enumerate(segment.text.split("\n")):
                if number:
                    blanks.clear()
                    yield Segment("\n")
                if inked := part.rstrip(" "):
                    yield from (*blanks, Segment(inked, segment.style))
                    blanks.clear()
                if len(inked) < len(part):
                    blanks.append(Segment(part[len(inked) :], segment.style))


@functools.lru_cache(maxsize=256)
def readable(style: Style, colors: str) -> Style:
    """The style with a colour that can be read on any background; `colors` is a console's `color_system`."""
    name = style.color.name if style.color is not None else None
    if colors == "standard":
        return _recoloured(style, READABLE_OF_16[name]) if name in READABLE_OF_16 else style
    if name in READABLE:
        return _recoloured(style, READABLE[name]) + Style(dim=False)
    if name is None and style.dim:
        return style + Style(color=READABLE_GREY, dim=False)
    return style


def _recoloured(style: Style, color: Color | None) -> Style:
    return style.without_color + Style(color=color, bgcolor=style.bgcolor)
