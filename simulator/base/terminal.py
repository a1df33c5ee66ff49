"""Consoles on which nothing but our own styles steers the terminal.

Whatever is printed is drawn first, and then the letters of the drawing are made visible: colours and the cursor are
rich's, which keeps them apart from text, and a text from outside that has control characters shows them.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment

from simulator.base.shown import visible_lines


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
        for segment in console.render(self._renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(visible_lines(segment.text), segment.style)


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
