"""Where everything stands: the sections of a frame and how a screen's height is shared out among them.

From top to bottom: who and how far, the five stages, losses, the two charts over one time axis, latency, what happens
in words, and what Ctrl-C does. Every part has a fixed place and height for a given screen, so that nothing jumps.
"""

from __future__ import annotations

import operator
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.segment import Segment

from simulator.base import limits
from simulator.dashboard import charts
from simulator.dashboard.figures import clock, count, rate, seconds
from simulator.dashboard.lines import ACCENT, BOLD, DIM, TONES, Frame, Line, apart, beside, fit, shorten
from simulator.dashboard.stages import NARROW_FIGURES, Stage, losses, stages
from simulator.telemetry.snapshot import Event, Snapshot, Tone

_ARROW = "─▶"
_BOXED_WIDTH, _BOXED_HEIGHT = 110, 30
_CAPTION_WIDTH = 115
_PROGRESS_TEXT = 34
_GAP = 2
_EVENT_LINES = 2


@dataclass(frozen=True, slots=True)
class Heights:
    """Lines for the parts that may grow."""

    figures: int
    boxed: bool
    plot: int
    heat: int
    events: int
    said: int


def heights(width: int, height: int, *, load: bool = False, scenario: bool = False) -> Heights:
    """How `height` lines, 22 at least, are shared out; the sum of all parts is `height`."""
    boxed = width >= _BOXED_WIDTH and height >= _BOXED_HEIGHT
    figures = NARROW_FIGURES + 2 if boxed and height >= 40 else NARROW_FIGURES
    # A scenario's captions are sentences; a narrow screen needs two lines for one.
    said = 2 if scenario and width < _CAPTION_WIDTH else 1
    # Header and progress, stage titles and names (a box has a lower edge too, and blank lines around), losses, chart
    # titles, axis and its labels, percentiles, hint: always there.
    left = height - 2 - (5 if boxed else 2) - figures - 1 - 3 - 1 - said - 1
    if not boxed:
        heat = 1 if load else 0
        plot = min(left - heat - 1, 6 + (left - 8) // 2)
        return Heights(figures, boxed, plot, heat, left - heat - plot, said)
    # Heat strip and events share the lines below the charts, side by side.
    below = 8 if left >= 22 else 4 if left >= 12 else 3
    below += max(0, (left - 40) // 3)
    return Heights(figures, boxed, left - below, min(8, below), below, said)


def render(snapshot: Snapshot, width: int, height: int) -> Frame:
    """The dashboard as exactly `height` lines of exactly `width` cells.

    It is made for 80x24 and for anything larger; a smaller screen gets the figures without the charts.
    """
    frame = _small(snapshot, width) if width < 78 or height < 22 else _full(snapshot, width, height)
    return Frame(tuple(fit(line, width) for line in _filled(frame, height)), width)


def _filled(lines: list[Line], height: int) -> list[Line]:
    """Exactly `height` lines, blank ones at the end."""
    return [*lines, *[[]] * height][:height]


def _full(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    scenario = snapshot.options.scenario is not None
    shares = heights(width, height, load=snapshot.load is not None, scenario=scenario)
    frame = [_header(snapshot, width), _progress(snapshot, width)]
    if shares.boxed:
        frame += [[], *_boxes(stages(snapshot), width, shares.figures)]
    else:
        frame += _columns(stages(snapshot), width, shares.figures)
    frame.append(_losses(snapshot))
    if shares.boxed:
        frame.append([])
    pane = (width - 1 - _GAP) // 2
    axis = _axis(snapshot, pane - charts.LABEL_WIDTH)
    frame += _charts(snapshot, axis, pane, shares.plot)
    frame.append(_latency(snapshot))
    course = snapshot.load or snapshot.history
    heat = charts.heat_columns(course.heat, course, axis)
    strip = charts.heat_strip(heat, axis.columns, shares.heat) if shares.heat else []
    if shares.boxed:
        rows = zip(_filled(strip, shares.events), _events(snapshot, pane, shares.events), strict=True)
        frame += [beside([(left, pane), (right, pane)]) for left, right in rows]
    else:
        frame += strip
        frame += _events(snapshot, width, shares.events)
    frame += _said(snapshot, width, shares.said)
    frame.append(_hint(snapshot, width))
    return frame


def _small(snapshot: Snapshot, width: int) -> list[Line]:
    """A screen too small for the charts: one line a stage, losses first of what follows."""
    frame = [_header(snapshot, width), _progress(snapshot, width)]
    for stage in stages(snapshot):
        figures = "  ".join(f"{figure.label} {figure.value}" for figure in stage.figures[:NARROW_FIGURES])
        frame.append([Segment(f"{stage.title:<12}", BOLD), Segment(figures)])
    return [*frame, _losses(snapshot), _latency(snapshot), *_said(snapshot, width, 2), _hint(snapshot, width)]


def _header(snapshot: Snapshot, width: int) -> Line:
    options = snapshot.options
    name = f" stockpipe {options.command}"
    parts = [
        *([options.scenario] if options.scenario else []),
        f"seed {options.seed}",
        f"{options.runtime} runtime",
        (options.endpoint or "store is starting").removeprefix("http://"),
    ]
    while len(parts) > 1 and len(name) + sum(len(part) + 3 for part in parts) > width - 25:
        del parts[-2]
    heading = [Segment(name, BOLD), *(Segment(f" · {part}", DIM) for part in parts)]
    tones: dict[str, Tone] = {"running": "moves", "draining": "grows", "auditing": "grows"}
    clocked = clock(snapshot.elapsed_s)
    if options.duration_s is not None:
        clocked += f" / {clock(options.duration_s)}"
    phase = Segment(f"  {snapshot.phase} ", TONES[tones.get(snapshot.phase, "plain")])
    return apart(heading, [phase, Segment(f"{clocked} ", BOLD)], width)


def progress(snapshot: Snapshot) -> tuple[float | None, str]:
    """How much of the phase is done, as a share of one (None: no end in sight), and the same in words."""
    options = snapshot.options
    match snapshot.phase:
        case "starting":
            return 0.0, "starting the store"
        case "draining":
            sent = snapshot.queue.sent
            left = snapshot.remaining
            return ((sent - left) / sent if sent else 1.0), f"{count(left)} messages to go"
        case "auditing":
            total, done = snapshot.audit_total, snapshot.audit_done
            text = f"{snapshot.audit_part or 'audit'} {count(done)}/{count(total)}"
            if snapshot.audit_left_s is not None:
                text = f"{snapshot.audit_part}, about {max(1, round(snapshot.audit_left_s))} s left"
            return (done / total if total else 0.0), text
        case "done":
            return 1.0, "done"
    load = snapshot.load
    if load is not None and load.objects:
        return min(1.0, (load.sent + load.dropped) / load.objects), f"sent {count(load.sent)} of {count(load.objects)}"
    shares: list[tuple[float, str]] = []
    if options.duration_s:
        shares.append((snapshot.elapsed_s / options.duration_s, f"{count(snapshot.remaining)} messages on their way"))
    if options.ticks:
        shares.append((snapshot.ticks / options.ticks, f"tick {snapshot.ticks} of {options.ticks}"))
    if options.objects:
        stored = snapshot.queue.deleted + snapshot.queue.dead_lettered
        shares.append((stored / options.objects, f"object {count(stored)} of {count(options.objects)}"))
    if not shares:
        return None, "until Ctrl-C"
    return min(1.0, max(shares)[0]), max(shares)[1]


def _progress(snapshot: Snapshot, width: int) -> Line:
    share, text = progress(snapshot)
    cells = max(1, width - 2 - _PROGRESS_TEXT)
    label = shorten(text, _PROGRESS_TEXT - 7)
    if share is None:
        return fit([Segment(" " + "─" * cells, DIM), Segment(f"{label:>{_PROGRESS_TEXT}}")], width)
    halves = round(share * cells * 2)
    bar = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    label = f"{label:>{_PROGRESS_TEXT - 7}} {int(share * 100):>3} % "
    return fit([Segment(" "), Segment(bar, ACCENT), Segment("─" * (cells - len(bar)), DIM), Segment(label)], width)


def _stage_width(width: int) -> int:
    """Of five stages with four arrows between them."""
    return (width - 2 - 4 * len(_ARROW)) // 5


def _row(stage: Stage, row: int, width: int) -> Line:
    """A stage's figure of this row, or blanks, of exactly this width."""
    if row >= len(stage.figures):
        return fit([], width)
    figure = stage.figures[row]
    value, room = figure.value, width - len(figure.label) - 1
    if len(value) > room and figure.number is not None:
        value = count(figure.number, room)
    label = shorten(figure.label, width - len(value) - 1)
    gap = " " * (width - len(label) - len(value))
    return fit([Segment(label, DIM), Segment(gap), Segment(value, TONES[figure.tone])], width)


def _columns(shown: Sequence[Stage], width: int, figures: int) -> list[Line]:
    """The stages without boxes: titles joined by arrows, names, figures."""
    cell = _stage_width(width)
    titles: Line = [Segment(" ")]
    for stage in shown:
        title = shorten(stage.title, cell - 3)
        titles += [Segment(title, BOLD), Segment(" " + "─" * (cell - len(title) - 1) + "▶ ", DIM)]
    names = [([Segment(shorten(stage.name, cell), DIM)], cell + 2) for stage in shown]
    frame = [titles[:-1], [Segment(" "), *beside(names, "")]]
    for row in range(figures):
        frame.append([Segment(" ")])
        for stage in shown:
            frame[-1] += [*_row(stage, row, cell), Segment("  ")]
    return frame


def _boxes(shown: Sequence[Stage], width: int, figures: int) -> list[Line]:
    """The stages in boxes, joined by arrows at the second figure."""
    cell = _stage_width(width)
    inner = cell - 4
    top: Line = [Segment(" ")]
    bottom: Line = [Segment(" ")]
    gap = Segment("  ")
    for stage in shown:
        title = shorten(stage.title, inner)
        top += [Segment("╭─ ", DIM), Segment(title, BOLD), Segment(f" {'─' * (cell - 5 - len(title))}╮", DIM), gap]
        bottom += [Segment("╰" + "─" * (cell - 2) + "╯", DIM), gap]
    frame = [top]
    for row in range(-1, figures):
        line: Line = [Segment(" ")]
        for index, stage in enumerate(shown):
            joined = row == 1 and index < 4
            inside = _row(stage, row, inner) if row >= 0 else fit([Segment(shorten(stage.name, inner), DIM)], inner)
            line += [Segment("│ ", DIM), *inside, Segment(" ├" if joined else " │", DIM)]
            line.append(Segment(_ARROW if joined else "  ", DIM))
        frame.append(line)
    return [*frame, bottom]


def _losses(snapshot: Snapshot) -> Line:
    figures = losses(snapshot)
    anything = any(figure.tone == "lost" for figure in figures)
    line: Line = [Segment(" lost or refused", TONES["lost"] if anything else BOLD)]
    for figure in figures:
        line += [Segment(f"   {figure.label} ", DIM), Segment(figure.value, TONES[figure.tone])]
    return line


def _axis(snapshot: Snapshot, columns: int) -> charts.Axis:
    options = snapshot.options
    origin_at = snapshot.running_at if snapshot.running_at is not None else snapshot.at
    # What is not yet sampled is not yet drawn, or each frame would end in a dip.
    shown_s = snapshot.history.until_at - origin_at
    begin_s, end_s = charts.span(shown_s, options.duration_s, limits.HISTORY_KEEP_S if options.endless else None)
    return charts.Axis(origin_at, begin_s, end_s, shown_s, columns)


def _charts(snapshot: Snapshot, axis: charts.Axis, pane: int, height: int) -> list[Line]:
    """Queue depth on the left, write rate (in a load test: planned against stored rate) on the right."""
    left_title, left = _depth_chart(snapshot, axis, height)
    right_title, right = _rate_chart(snapshot, axis, height)
    axis_line = charts.axis_line(axis, snapshot.history.marks)
    labels = charts.axis_labels(axis)
    rows = [(left_title, right_title), *zip(left, right, strict=True), (axis_line, axis_line), (labels, labels)]
    return [beside([(line, pane) for line in row]) for row in rows]


def _depth_chart(snapshot: Snapshot, axis: charts.Axis, height: int) -> tuple[Line, list[Line]]:
    history, maxima = snapshot.history, snapshot.maxima
    visible = charts.peaks(history.visible, history, axis)
    in_flight = charts.peaks(history.in_flight, history, axis)
    top = charts.nice_top(map(operator.add, visible, in_flight))
    layers = [(in_flight, "▒", TONES["moves"]), (visible, "█", TONES["grows"])]
    title: Line = [Segment(" queue depth ", BOLD), Segment("█", TONES["grows"]), Segment(" visible ")]
    title += [Segment("▒", TONES["moves"]), Segment(" in flight ")]
    if maxima.depth_at is not None and snapshot.running_at is not None:
        peak = Segment(f" peak {count(maxima.depth)} at {clock(maxima.depth_at - snapshot.running_at)}", DIM)
        title += [peak] if _has_room([*title, peak], axis) else []
    return title, charts.area(layers, top, axis.columns, height)


def _rate_chart(snapshot: Snapshot, axis: charts.Axis, height: int) -> tuple[Line, list[Line]]:
    load, history, mean = snapshot.load, snapshot.history, snapshot.rows_per_s_mean
    planned: list[float] = []
    if load is not None:
        planned = charts.per_second(load.planned, load, replace(axis, now_s=axis.end_s))
        shown = charts.per_second(load.stored, load, axis)
        title = [Segment(" objects/s ", BOLD), Segment("•", ACCENT), Segment(f" planned {rate(load.rate_planned)} ")]
        title += [Segment("█", TONES["moves"]), Segment(f" stored {rate(load.rate_stored)}")]
        if not _has_room(title, axis):
            title[2] = Segment(" planned ")
    else:
        shown = charts.per_second(history.rows, history, axis)
        title = [Segment(" rows/s ", BOLD), Segment("█", TONES["moves"])]
        if mean is not None:
            title.append(Segment(f" mean {count(mean, 5)}  max {count(snapshot.table.rows_per_s_max, 5)}", DIM))
    top = charts.nice_top([*planned, *shown])
    return title, charts.area([(shown, "█", TONES["moves"])], top, axis.columns, height, planned)


def _has_room(title: Line, axis: charts.Axis) -> bool:
    """Whether a chart is wide enough for its title: a figure that is cut reads as a smaller one."""
    return sum(len(segment.text) for segment in title) <= axis.columns + charts.LABEL_WIDTH


def _latency(snapshot: Snapshot) -> Line:
    latency = (snapshot.load or snapshot).latency
    line: Line = [Segment(" object to stored" if snapshot.load is None else " planned to stored", BOLD)]
    for label, value in (("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("max", latency.max)):
        line += [Segment(f"   {label} ", DIM), Segment(f"{seconds(value):>7}")]
    return line


def _events(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """The last events, the newest at the bottom. What needs attention may go on in a second line, the rest is cut."""
    shown: list[Line] = []
    for event in reversed(snapshot.events):
        if event == snapshot.caption:
            continue
        if (left := height - len(shown)) <= 0:
            break
        lines = min(_EVENT_LINES, left) if event.tone in ("grows", "lost") else 1
        shown = [*_event(event, snapshot, width, lines), *shown]
    return _filled(shown, height)


def _event(event: Event, snapshot: Snapshot, width: int, height: int) -> list[Line]:
    often = f" (×{event.count:,})" if event.count > 1 else ""
    when = f" {clock(event.at - snapshot.began_at, tenths=True)}  "
    parts = _wrapped(event.text, width - len(when) - 1, height, often)
    leads = [when] + [" " * len(when)] * len(parts)
    style = TONES[event.tone]
    return [fit([Segment(leads[place], DIM), Segment(part, style)], width) for place, part in enumerate(parts)]


def _wrapped(text: str, width: int, height: int, end: str) -> list[str]:
    """`text` and `end` on at most `height` lines; the last one is cut with an ellipsis, but never `end`."""
    if cell_len(text) + len(end) <= width:
        return [text + end]
    parts = textwrap.wrap(text, width)
    if any(cell_len(part) > width for part in parts):
        parts = [text]  # wide characters, which textwrap does not measure
        height = 1
    last = shorten(" ".join(parts[height - 1 :]), width - len(end)) + end
    return [*parts[: height - 1], last.lstrip()]


def _said(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """What needs saying: the load test's verdict so far, or the scenario's caption, over `height` lines."""
    load, caption = snapshot.load, snapshot.caption
    lead, text, style = Segment(" "), "", BOLD
    if load is not None and load.verdict:
        lead, text, style = Segment(" so far: ", BOLD), load.verdict, TONES[load.verdict_tone]
    elif caption is not None:
        lead, text = Segment(" ▍", ACCENT), caption.text
    inner = max(1, width - len(lead.text) - 1)
    parts = textwrap.wrap(text, inner)
    shown = [*parts[: height - 1], shorten(" ".join(parts[height - 1 :]), inner)]
    return _filled([[lead, Segment(part, style)] for part in shown if part], height)


def _hint(snapshot: Snapshot, width: int) -> Line:
    text = {
        "starting": "Ctrl-C ends",
        "running": "Ctrl-C stops, drains and audits; a second one ends at once",
        "done": "",
    }.get(snapshot.phase, "Ctrl-C ends at once and leaves the run unproven")
    return apart([Segment(f" {text}", DIM)], [Segment(f"rates over {limits.RATE_WINDOW_S:g} s ", DIM)], width)
