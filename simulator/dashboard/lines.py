"""Lines of styled text of an exact width, and a frame of them that rich can print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from simulator.telemetry.snapshot import Tone

Line = list[Segment]
LEAST_LABELLED = 40

BOLD = Style(bold=True)
DIM = Style(dim=True)
PLAIN = Style()
TONES: dict[Tone, Style] = {
    "plain": PLAIN,
    "moves": Style(color="green"),
    "grows": Style(color="yellow"),
    "lost": Style(color="red", bold=True),
}
ACCENT = Style(color="cyan", bold=True)


@dataclass(frozen=True, slots=True)
class Frame:
    """Lines that fill a rectangle: each is exactly `width` cells wide, so a frame overwrites the previous one."""

    lines: tuple[Line, ...]
    width: int

    def segments(self) -> Iterator[Segment]:
        """All lines, with a newline between two of them."""
        for index, line in enumerate(self.lines):
            if index:
                yield Segment.line()
            yield from line

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        return self.segments()


def fit(segments: Iterable[Segment], width: int) -> Line:
    """The segments, cut or padded with blanks to exactly `width` cells."""
    line: Line = []
    left = width
    for segment in segments:
        if left <= 0:
            break
        text = segment.text
        cells = len(text) if text.isascii() else cell_len(text)
        if cells > left:
            segment = Segment(set_cell_size(text, left), segment.style)
            cells = left
        line.append(segment)
        left -= cells
    if left > 0:
        line.append(Segment(" " * left))
    return line


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` cells, with an ellipsis if it was cut."""
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


def beside(panes: Sequence[tuple[Line, int]], gap: str = "  ") -> Line:
    """Panes of given widths, side by side."""
    line: Line = []
    for index, (pane, width) in enumerate(panes):
        if index:
            line.append(Segment(gap))
        line.extend(fit(pane, width))
    return line


def cells(segments: Iterable[Segment]) -> int:
    """The total width of the segments."""
    return sum(cell_len(segment.text) for segment in segments)


def first_fitting(lines: Iterable[Line], width: int) -> Line:
    """The first line that is no wider than this; else the last line, which is the shortest."""
    line: Line = []
    for line in lines:
        if cells(line) <= width:
            break
    return line


def packed(lead: Line, items: Iterable[Line], width: int, gap: int = 2) -> list[Line]:
    """The items after `lead`, none of them cut, on as many lines as needed; later lines begin under the first item."""
    indent = cells(lead)
    lines = [list(lead)]
    used = 0
    for item in items:
        if used and indent + used + gap + cells(item) > width:
            lines.append([Segment(" " * indent)])
            used = 0
        if used or indent:
            lines[-1].append(Segment(" " * gap))
            used += gap
        lines[-1] += item
        used += cells(item)
    return lines


def apart(left: Iterable[Segment], right: Sequence[Segment], width: int) -> Line:
    """`left` on the left and `right` flush right; if they do not both fit, `left` is cut."""
    taken = cells(right)
    return [*fit(left, max(0, width - taken)), *fit(right, min(taken, width))]


class Labelled:
    """Texts with their labels on the left, in `style`; an empty label continues the line above.

    A screen of fewer than `LEAST_LABELLED` columns has no room for both: there each label leads its text.
    """

    def __init__(self, lines: Iterable[tuple[Text, Text]], style: Style) -> None:
        self._lines, self._style = tuple(lines), style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if options.max_width < LEAST_LABELLED:
            for label, text in self._lines:
                lead = Text.assemble(Text(label.plain.strip(), label.style), style=self._style)
                yield Text.assemble(lead, ": ", text) if label else text
            return
        grid = Table.grid(padding=(0, 2), pad_edge=True)
        grid.add_column(style=self._style, no_wrap=True)
        for line in self._lines:
            grid.add_row(*line)
        yield grid


def labelled(lines: Iterable[tuple[str, str]]) -> Labelled:
    """Lines with dim labels on the left."""
    return Labelled(((Text(label), Text(text)) for label, text in lines), DIM)
