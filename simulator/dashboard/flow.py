"""An object's path on a wide enough screen: the stages side by side, the dead-letter queue, the losses."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from simulator.dashboard.figures import NONE, count
from simulator.dashboard.lines import BOLD, DIM, TONES, Line, beside, first_fitting, fit, shorten
from simulator.dashboard.stages import Figure, Stage, losses
from simulator.telemetry.snapshot import Snapshot

_ARROW = "─▶"
_QUEUE = 2
"""The stage that the dead-letter queue belongs to."""
BAND_HEIGHT = 3
"""The height, in lines, of the band below the boxes."""


def columns(shown: Sequence[Stage], dead: Stage | None, width: int, figures: int) -> list[Line]:
    """The stages without boxes: titles joined by arrows, names, figures. The dead-letter queue is the queue's last."""
    cell = _stage_width(width)
    titles: Line = [Segment(" ")]
    for stage in shown:
        line = "─" * (cell - len(stage.title) - 1)
        titles += [Segment(stage.title, BOLD), Segment(f" {line}▶ ", DIM)]
    names = [([Segment(shorten(stage.name, cell), DIM)], cell + 2) for stage in shown]
    frame = [titles[:-1], [Segment(" "), *beside(names, "")]]
    for row in range(figures):
        frame.append([Segment(" ")])
        for index, stage in enumerate(shown):
            last = index == _QUEUE and row == figures - 1
            figure = _dead_letter_figure(dead) if last else stage.figures[row] if row < len(stage.figures) else None
            frame[-1] += [*_row(figure, cell), Segment("  ")]
    return frame


def boxes(shown: Sequence[Stage], dead: Stage | None, width: int, figures: int) -> list[Line]:
    """The stages in boxes, joined by arrows at the second figure; a line leads from the queue to the box below it."""
    cell = _stage_width(width)
    inner = cell - 4
    top: Line = [Segment(" ")]
    bottom: Line = [Segment(" ")]
    gap = Segment("  ")
    for index, stage in enumerate(shown):
        line = "─" * (cell - 5 - len(stage.title))
        top += [Segment("╭─ ", DIM), Segment(stage.title, BOLD), Segment(f" {line}╮", DIM), gap]
        edge = "─" * (cell - 2)
        if index == _QUEUE and dead is not None:
            edge = edge[: cell // 2 - 1] + "┬" + edge[cell // 2 :]
        bottom += [Segment(f"╰{edge}╯", DIM), gap]
    frame = [top]
    for row in range(-1, figures):
        cells: Line = [Segment(" ")]
        for index, stage in enumerate(shown):
            joined = row == 1 and index < len(shown) - 1
            figure = stage.figures[row] if row < len(stage.figures) else None
            inside = _row(figure, inner) if row >= 0 else fit([Segment(shorten(stage.name, inner), DIM)], inner)
            cells += [Segment("│ ", DIM), *inside, Segment(" ├" if joined else " │", DIM)]
            cells.append(Segment(_ARROW if joined else "  ", DIM))
        frame.append(cells)
    return [*frame, bottom]


def band(snapshot: Snapshot, dead: Stage | None, width: int) -> list[Line]:
    """Below the boxes: the losses on the left, and the dead-letter queue's box under the queue's."""
    cell = _stage_width(width)
    figures = losses(snapshot)
    title: Line = [Segment("lost or refused", losses_style(figures))]
    further = [_row(figure, cell - 2) for figure in figures]
    # Two fit on a line; anything longer is cut.
    left = [[title, *further[4:]], further, further[2:]]
    lines = [beside([([], 1), *((part, cell) for part in parts)]) for parts in left]
    indented = [fit(line, 1 + _QUEUE * (cell + 2)) for line in lines]
    return [[*line, *box] for line, box in zip(indented, _dead_letter_box(dead, cell), strict=True)]


def loss_line(snapshot: Snapshot, width: int) -> Line:
    """The losses on one line. A narrow line loses blanks and words first, then digits, but never part of a figure."""
    figures = losses(snapshot)
    style = losses_style(figures)

    def line(title: str, gap: str, digits: int) -> Line:
        parts: Line = [Segment(f" {title}", style)]
        for figure in figures:
            value = count(figure.number or 0.0, digits)
            parts += [Segment(f"{gap}{figure.label} ", DIM), Segment(value, TONES[figure.tone])]
        return parts

    ways = (("lost or refused", "   ", 7), ("lost or refused", "  ", 7), ("lost", "  ", 7), ("lost", "  ", 5))
    return first_fitting((line(*way) for way in ways), width - 1)


def losses_style(figures: Sequence[Figure]) -> Style:
    """The style of the losses' title: red as soon as there is a loss."""
    return TONES["lost"] if any(figure.tone == "lost" for figure in figures) else BOLD


def _stage_width(width: int) -> int:
    """The width of a stage: five stages with four arrows between them fill the line."""
    return (width - 2 - 4 * len(_ARROW)) // 5


def _row(figure: Figure | None, width: int) -> Line:
    """A figure, or blanks, in exactly this width."""
    if figure is None:
        return fit([], width)
    value, room = figure.value, width - len(figure.label) - 1
    if len(value) > room and figure.number is not None:
        value = count(figure.number, room)
    label = shorten(figure.label, width - len(value) - 1)
    gap = " " * (width - len(label) - len(value))
    return fit([Segment(label, DIM), Segment(gap), Segment(value, TONES[figure.tone])], width)


def _dead_letter_figure(dead: Stage | None) -> Figure:
    if dead is None:
        return Figure("no DLQ", NONE)
    (held,) = dead.figures
    return Figure(f"└▶ {dead.title}", held.value, held.tone, held.number)


def _dead_letter_box(dead: Stage | None, cell: int) -> list[Line]:
    if dead is None:
        return [[]] * BAND_HEIGHT
    (held,) = dead.figures
    is_empty = held.tone == "plain"
    style = DIM if is_empty else TONES[held.tone]
    lead, tail = "─" * (cell // 2 - 4 - len(dead.title)), "─" * (cell - cell // 2 - 2)
    value = Segment(f" {held.value}", TONES[held.tone])
    room = cell - 4 - len(value.text)
    name = fit([Segment(shorten(dead.name, room), DIM)], room)
    return [
        [Segment("╭─ ", style), Segment(dead.title, BOLD if is_empty else style), Segment(f" {lead}▼{tail}╮", style)],
        [Segment("│ ", style), *name, value, Segment(" │", style)],
        [Segment(f"╰{'─' * (cell - 2)}╯", style)],
    ]
