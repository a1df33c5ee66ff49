"""The frame of a screen that is too small for the charts: whole figures only, the essential ones first."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment

from simulator.dashboard.figures import seconds
from simulator.dashboard.lines import BOLD, DIM, TONES, Line, cells, first_fitting, packed
from simulator.dashboard.stages import Figure, Stage, dead_letters, losses, stages
from simulator.dashboard.words import caption, events, header, last_line, progress_line
from simulator.telemetry.snapshot import Snapshot

_TITLE = 13
"""Columns of a stage's title."""
_WIDE = 50
"""Columns from which on there is room for longer words."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that are shown together or not at all; of what does not fit, the greatest `rank` goes first."""

    rank: int
    lines: list[Line]


def small(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """`height` lines at most. A line per stage; the events have what is left."""
    origin, bucket, queue, function, table = (_stage(stage, width) for stage in stages(snapshot))
    dead = dead_letters(snapshot)
    parts = [
        Part(0, [header(snapshot, width)]),
        Part(2, [progress_line(snapshot, width)]),
        Part(9, [origin]),
        Part(8, [bucket]),
        Part(4, [queue]),
        Part(7, [_dead_letters(dead, width)] if dead is not None else []),
        Part(5, [function]),
        Part(6, [table]),
        Part(3, _losses(snapshot, width)),
        Part(11, [_latency(snapshot, width)]),
    ]
    said = [line for line in caption(snapshot, width, 2) if line]
    ends = [Part(10, said), Part(1, [last_line(snapshot, width)])]
    while len(parts) > 1 and sum(len(part.lines) for part in (*parts, *ends)) > height:
        everything = [part for part in (*parts, *ends) if part.lines]
        least = max(everything, key=lambda part: part.rank)
        parts, ends = ([part for part in some if part is not least] for some in (parts, ends))
    top = [line for part in parts for line in part.lines]
    bottom = [line for part in ends for line in part.lines]
    return [*top, *events(snapshot, width, max(0, height - len(top) - len(bottom))), *bottom]


def _figure(figure: Figure) -> Line:
    return [Segment(f"{figure.label} ", DIM), Segment(figure.value, TONES[figure.tone])]


def _stage(stage: Stage, width: int) -> Line:
    """The title and as many figures as there is room for; one that does not fit makes room for a shorter one."""
    line: Line = [Segment(f" {stage.title:<{_TITLE}}", BOLD)]
    for number, figure in enumerate(stage.figures):
        added = [Segment("  " if number else ""), *_figure(figure)]
        if cells(line) + cells(added) < width:
            line += added
    return line


def _dead_letters(dead: Stage, width: int) -> Line:
    (held,) = dead.figures
    lead: Line = [Segment(f" {'└▶ ' + dead.title:<{_TITLE}}", TONES[held.tone] if held.number else BOLD)]
    number = Segment(held.value, TONES[held.tone])
    return [
        *lead,
        number,
        *([Segment(f"  {dead.name}", DIM)] if cells([*lead, number]) + len(dead.name) < width - 2 else []),
    ]


def _losses(snapshot: Snapshot, width: int) -> list[Line]:
    """The losses on as many lines as they need."""
    figures = losses(snapshot)
    style = TONES["lost"] if any(figure.tone == "lost" for figure in figures) else BOLD
    title = " lost or refused" if width >= _WIDE else " lost"
    return packed([Segment(title, style)], [_figure(figure) for figure in figures], width)


def _latency(snapshot: Snapshot, width: int) -> Line:
    """The percentiles on one line, the 90th first to go."""
    latency = (snapshot.load or snapshot).latency
    title = "object to stored" if snapshot.load is None else "planned to stored"
    figures = {
        name: _figure(Figure(name, seconds(value)))
        for name, value in (("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("max", latency.max))
    }
    ways = (("p50", "p90", "p99", "max"), ("p50", "p99", "max"), ("p50", "p99"), ("p99",))
    lines = [packed([Segment(f" {title}", BOLD)], [figures[name] for name in way], 1_000)[0] for way in ways]
    return first_fitting(lines, width)
