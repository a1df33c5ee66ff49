"""The data's way on a wide enough screen: the stages side by side, the dead-letter queue, the losses."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from simulator.dashboard.figures import NONE, count
from simulator.dashboard.lines import BOLD, DIM, TONES, Line, beside, first_fitting, fit, shorten
from simulator.dashboard.stages import Figure, Stage, anchor, losses
from simulator.telemetry.snapshot import Snapshot

_STAGES, _WIDEST = 5, 40
"""Fewer stages than this do not get wider than that; the arrows between them get longer."""
BAND_HEIGHT = 3
"""The height, in lines, of the band below the boxes."""


def columns(shown: Sequence[Stage], dead: Stage | None, width: int, figures: int) -> list[Line]:
    """The stages without boxes: titles joined by arrows, names, figures. The dead-letter queue is the queue's last."""
    cell, gap = _widths(shown, width)
    titles: Line = [Segment(" ")]
    names = [([Segment(shorten(stage.name, cell), DIM)], cell + gap) for stage in shown]
    below = [stage.rows(figures) for stage in shown]
    place = anchor(shown)
    if dead is not None or shown[place].kind == "queue":
        below[place] = [*shown[place].rows(figures - 1), _dead_letter_figure(dead)]
    for stage in shown:
        arrow = "─" * (cell + gap - len(stage.title) - 3) + "▶ "
        titles += [Segment(stage.title, BOLD), Segment(" " + (arrow if stage.leads else " " * len(arrow)), DIM)]
    rows = [[(_row(figure, cell), cell + gap) for figure in row] for row in zip(*below, strict=True)]
    return [titles, *([Segment(" "), *beside(row, "")] for row in (names, *rows))]


def boxes(shown: Sequence[Stage], dead: Stage | None, width: int, figures: int) -> list[Line]:
    """The stages in boxes, joined by arrows at the second figure; a line leads from the queue to the box below it."""
    cell, gap = _widths(shown, width)
    inner, place = cell - 4, anchor(shown)
    top: Line = [Segment(" ")]
    bottom: Line = [Segment(" ")]
    space = Segment(" " * gap)
    for index, stage in enumerate(shown):
        line = "─" * (cell - 5 - len(stage.title))
        top += [Segment("╭─ ", DIM), Segment(stage.title, BOLD), Segment(f" {line}╮", DIM), space]
        edge = "─" * (cell - 2)
        if index == place and dead is not None:
            edge = edge[: cell // 2 - 1] + "┬" + edge[cell // 2 :]
        bottom += [Segment(f"╰{edge}╯", DIM), space]
    frame = [top]
    below = [stage.rows(figures) for stage in shown]
    for row in range(-1, figures):
        cells: Line = [Segment(" ")]
        for stage, held in zip(shown, below, strict=True):
            joined = row == 1 and stage.leads
            inside = _row(held[row], inner) if row >= 0 else fit([Segment(shorten(stage.name, inner), DIM)], inner)
            cells += [Segment("│ ", DIM), *inside, Segment(" ├" if joined else " │", DIM)]
            cells.append(Segment("─" * (gap - 1) + "▶", DIM) if joined else space)
        frame.append(cells)
    return [*frame, bottom]


def band(snapshot: Snapshot, shown: Sequence[Stage], dead: Stage | None, width: int) -> list[Line]:
    """Below the boxes: the dead-letter queue's box under the queue's, and the losses where there is more room."""
    cell, gap = _widths(shown, width)
    left = width if dead is None else anchor(shown) * (cell + gap)
    right = width - 2 - left - cell - gap
    pitch = min(cell + 2, max(left, right) // 2)
    figures = losses(snapshot)
    title: Line = [Segment("lost or refused", losses_style(figures))]
    further = [_row(figure, pitch - (4 if pitch > 20 else 3)) for figure in figures]
    # Two fit on a line; anything longer is cut.
    parts = [[title, *further[4:]], further[:2], further[2:4]]
    lines = [[([], 1), *((part, pitch - 2) for part in line)] for line in parts]
    box = _dead_letter_box(dead, cell)
    if left >= right:
        return [[*fit(beside(line), 1 + left), *edge] for line, edge in zip(lines, box, strict=True)]
    return [beside([([], left - 1), (edge, cell + gap - 2), *line]) for line, edge in zip(lines, box, strict=True)]


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


def _widths(shown: Sequence[Stage], width: int) -> tuple[int, int]:
    """The width of a stage and that of the gap between two, so that they fill the line."""
    arrows = len(shown) - 1
    cell = (width - 2 - 2 * arrows) // len(shown)
    if len(shown) >= _STAGES or cell <= _WIDEST or not arrows:
        return cell, 2
    return _WIDEST, (width - 2 - _WIDEST * len(shown)) // arrows


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
