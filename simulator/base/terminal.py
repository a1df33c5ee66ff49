"""Consoles on which only our own styles control the terminal.

Rich first renders what is printed, and keeps colours and cursor movements separate from text. Then control characters
in the text are escaped, so text from outside shows them and does not send them.

A program cannot know whether a terminal is dark or light. So the colours named in code are replaced by ones that are
readable on black and on white, with a contrast of at least 4 to 1 against both.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from typing import Any

from rich.color import Color
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment
from rich.style import Style

from simulator.base.shown import sized, visible_lines

READABLE = {
    "green": Color.from_rgb(0, 138, 0),
    "yellow": Color.from_rgb(166, 106, 0),
    "red": Color.from_rgb(236, 0, 0),
    "cyan": Color.from_rgb(0, 135, 143),
}
"""The colour shown for a colour named in code, if the terminal has 256 colours or more."""
READABLE_GREY = Color.from_rgb(118, 118, 118)
"""The colour shown for dim text there, because terminals differ in how much they dim."""
READABLE_OF_16 = {"yellow": Color.parse("magenta"), "cyan": None}
"""The same for 16 colours, of which yellow and cyan are unreadable on white. None: the default text colour."""


def visible_console(*, trims: bool = False, **how: Any) -> Console:
    """A console; `how` goes to `rich.console.Console`. `trims` removes the blanks that pad the lines of a table."""
    made = Console(**{"_environ": sized(os.environ), **how})
    made.push_render_hook(_Hook(trims))
    return made


class _Hook(RenderHook):
    def __init__(self, trims: bool) -> None:
        self._trims = trims

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(renderable, self._trims) for renderable in renderables]


class _Visible:
    def __init__(self, renderable: RenderableType, trims: bool) -> None:
        self._renderable, self._trims = renderable, trims

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        colors = None if console.no_color else console.color_system
        segments = _visible(console.render(self._renderable, options), colors)
        return _trimmed(segments) if self._trims else segments


def _visible(segments: Iterable[Segment], colors: str | None) -> Iterator[Segment]:
    for segment in segments:
        if segment.control:
            yield segment
            continue
        text = segment.text if segment.text.isprintable() else visible_lines(segment.text)
        yield Segment(text, readable(segment.style, colors) if segment.style and colors else segment.style)


def _trimmed(segments: Iterable[Segment]) -> Iterator[Segment]:
    blanks: list[Segment] = []  # written only if a letter follows on the same line
    for segment in segments:
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
    """The style with colours that are readable on any background; `colors` is a console's `color_system`."""
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
