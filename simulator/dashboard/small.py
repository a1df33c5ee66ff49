"""The frame for a screen too small for charts: only uncut figures, the most important first."""

from __future__ import annotations

from rich.segment import Segment

from simulator.dashboard.figures import seconds
from simulator.dashboard.flow import losses_style
from simulator.dashboard.lines import BOLD, DIM, TONES, Line, cells, first_fitting, packed
from simulator.dashboard.stages import Figure, Stage, anchor, dead_letters, losses, stages
from simulator.dashboard.words import caption, events, header, last_line, latency_title, progress_line
from simulator.telemetry.snapshot import Snapshot

_TITLE = 13
"""The width, in columns, of a stage's title."""
_WIDE = 50
"""From this many columns on, there is room for longer words."""


_LEAST_FIRST = (
    "latency", "caption", "origin", "bucket", "dead letters", "table", "function", "queue", "losses", "progress", "end"
)  # fmt: skip
"""The order in which sections are dropped if there are too few lines; the header never is."""


def small(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """The lines of the frame: one per stage, and the rest for the events."""
    shown, dead = stages(snapshot), dead_letters(snapshot)
    sections = {"header": [header(snapshot, width)], "progress": [progress_line(snapshot, width)]}
    for place, stage in enumerate(shown):
        sections[stage.kind if place else "origin"] = [_stage(stage, width)]
        if dead is not None and place == anchor(shown):
            sections["dead letters"] = [_dead_letters(dead, width)]
    sections |= {
        "losses": _losses(snapshot, width),
        "latency": [_latency(snapshot, width)],
        "events": [],
        "caption": [line for line in caption(snapshot, width, 2) if line],
        "end": [last_line(snapshot, width)],
    }
    free = height - sum(map(len, sections.values()))
    for name in _LEAST_FIRST:
        if free >= 0:
            break
        free += len(sections.pop(name, ()))
    sections["events"] = events(snapshot, width, free)
    return [line for lines in sections.values() for line in lines]


def _figure(figure: Figure) -> Line:
    return [Segment(f"{figure.label} ", DIM), Segment(figure.value, TONES[figure.tone])]


def _stage(stage: Stage, width: int) -> Line:
    """The title and as many figures as fit; if one does not fit, a shorter one may."""
    line: Line = [Segment(f" {stage.title:<{_TITLE - 1}} ", BOLD)]
    for number, figure in enumerate(stage.figures):
        added = [Segment("  " if number else ""), *_figure(figure)]
        if cells(line) + cells(added) < width:
            line += added
    return line


def _dead_letters(dead: Stage, width: int) -> Line:
    (held,) = dead.figures
    title = Segment(f" {'└▶ ' + dead.title:<{_TITLE}}", BOLD if held.tone == "plain" else TONES[held.tone])
    number = Segment(held.value, TONES[held.tone])
    name = Segment(f"  {dead.name}", DIM)
    return first_fitting([[title, number, name], [title, number]], width - 1)


def _losses(snapshot: Snapshot, width: int) -> list[Line]:
    """The losses, on as many lines as needed."""
    figures = losses(snapshot)
    style = losses_style(figures)
    title = " lost or refused" if width >= _WIDE else " lost"
    return packed([Segment(title, style)], [_figure(figure) for figure in figures], width - 1)


def _latency(snapshot: Snapshot, width: int) -> Line:
    """The percentiles on one line; if they do not fit, the 90th is dropped first."""
    latency = (snapshot.load or snapshot).latency
    ways = (("p50", "p90", "p99", "max"), ("p50", "p99", "max"), ("p50", "p99"), ("p99",))
    figures = {name: _figure(Figure(name, seconds(getattr(latency, name)))) for name in ways[0]}
    lead = Segment(f" {latency_title(snapshot)}", BOLD)
    lines = [[lead, *(segment for name in way for segment in (Segment("  "), *figures[name]))] for way in ways]
    return first_fitting(lines, width - 1)
