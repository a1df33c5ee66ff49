"""Where each section of a frame is, and how many lines it gets.

From top to bottom: header and progress, the stages, losses and dead letters, the charts over one time axis,
latency, events, and what Ctrl-C does or how the run ended. On a given screen, every part has a fixed place and height,
so nothing jumps.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace

from rich.segment import Segment

from simulator.base import limits
from simulator.dashboard import charts
from simulator.dashboard.charts import SOLID, STRIPED
from simulator.dashboard.figures import clock, count, rate, seconds
from simulator.dashboard.flow import BAND_HEIGHT, band, boxes, columns, loss_line
from simulator.dashboard.lines import ACCENT, BOLD, DIM, TONES, Frame, Line, beside, first_fitting, fit
from simulator.dashboard.small import small
from simulator.dashboard.stages import NARROW_FIGURES, dead_letters, stages
from simulator.dashboard.words import caption, events, filled, header, last_line, latency_title, progress_line
from simulator.telemetry.snapshot import Snapshot

_CHARTS_WIDTH, _CHARTS_HEIGHT = 78, 22
_BOXED_WIDTH, _BOXED_HEIGHT = 110, 30
_CAPTION_WIDTH = 115
_GAP = 2


@dataclass(frozen=True, slots=True)
class Heights:
    """The heights, in lines, of the parts that may grow."""

    figures: int
    boxed: bool
    plot: int
    heat: int
    events: int
    said: int


def heights(width: int, height: int, *, load: bool = False, scenario: bool = False) -> Heights:
    """Share out `height` lines (at least 22); the parts add up to `height`."""
    boxed = width >= _BOXED_WIDTH and height >= _BOXED_HEIGHT
    figures = NARROW_FIGURES + 2 if boxed and height >= 40 else NARROW_FIGURES
    # A scenario's captions are sentences, which need two lines on a narrow screen.
    said = 2 if scenario and width < _CAPTION_WIDTH else 1
    # These are always there: header, progress, stage titles and names (boxes also have a lower edge, and a blank line
    # above), losses, chart titles, axis and labels, percentiles, last line.
    left = height - 2 - (4 if boxed else 2) - figures - (BAND_HEIGHT if boxed else 1) - 3 - 1 - said - 1
    if not boxed:
        heat = 1 if load else 0
        plot = min(left - heat - 1, 6 + (left - 8) // 2)
        return Heights(figures, boxed, plot, heat, left - heat - plot, said)
    # The heat strip and the events are side by side below the charts.
    below = 8 if left >= 21 else 4 if left >= 11 else 3
    below += max(0, (left - 39) // 3)
    return Heights(figures, boxed, left - below, min(8, below), below, said)


def render(snapshot: Snapshot, width: int, height: int) -> Frame:
    """The dashboard as exactly `height` lines of exactly `width` cells.

    The charts need at least 80x24; a smaller screen gets only the figures.
    """
    is_small = width < _CHARTS_WIDTH or height < _CHARTS_HEIGHT
    frame = small(snapshot, width, height) if is_small else _full(snapshot, width, height)
    return Frame(tuple(fit(line, width) for line in filled(frame, height)), width)


def _full(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    scenario = snapshot.options.scenario is not None
    shares = heights(width, height, load=snapshot.load is not None, scenario=scenario)
    frame = [header(snapshot, width), progress_line(snapshot, width)]
    shown, dead = stages(snapshot), dead_letters(snapshot)
    if shares.boxed:
        frame += [[], *boxes(shown, dead, width, shares.figures), *band(snapshot, shown, dead, width)]
    else:
        frame += [*columns(shown, dead, width, shares.figures), loss_line(snapshot, width)]
    pane = (width - 1 - _GAP) // 2
    axis = _axis(snapshot, pane - charts.LABEL_WIDTH)
    frame += _charts(snapshot, width - 1, shares.plot)
    frame.append(_latency(snapshot))
    course = snapshot.load or snapshot.history
    heat = charts.heat_columns(course.heat, course, axis)
    strip = charts.heat_strip(heat, axis.columns, shares.heat) if shares.heat else []
    if shares.boxed:
        rows = zip(filled(strip, shares.events), events(snapshot, pane, shares.events), strict=True)
        frame += [beside([(left, pane), (right, pane)]) for left, right in rows]
    else:
        frame += strip
        frame += events(snapshot, width, shares.events)
    frame += caption(snapshot, width, shares.said)
    frame.append(last_line(snapshot, width))
    return frame


def _axis(snapshot: Snapshot, columns: int) -> charts.Axis:
    options = snapshot.options
    origin_at = snapshot.running_at if snapshot.running_at is not None else snapshot.at
    # Draw only what has been sampled, or each frame would end in a dip.
    shown_s = snapshot.history.until_at - origin_at
    begin_s, end_s = charts.span(shown_s, options.duration_s, limits.HISTORY_KEEP_S if options.endless else None)
    return charts.Axis(origin_at, begin_s, end_s, shown_s, columns)


def _charts(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """Queue depth on the left; on the right the write rate or, in a load test, the planned and the stored rate.

    Without queues, what has been done is on the left; it is the only chart if nothing is written or planned either.
    """
    roles, draws = snapshot.roles, [_depth_chart, _rate_chart]
    if not (roles.is_pipeline or roles.queues):
        draws[0] = _done_chart
    # An application that only updates items puts none.
    puts = roles.tables and (snapshot.table.rows_written or not (roles.queues and snapshot.latency.count))
    if not (roles.is_pipeline or puts or snapshot.load is not None):
        draws[1:] = [_done_chart] if roles.queues else []
    pane = (width - _GAP * (len(draws) - 1)) // len(draws)
    axis = _axis(snapshot, pane - charts.LABEL_WIDTH)
    drawn = [draw(snapshot, axis, height) for draw in draws]
    axis_line = charts.axis_line(axis, snapshot.history.marks)
    labels = charts.axis_labels(axis)
    rows = [[title for title, _ in drawn], *zip(*(plot for _, plot in drawn), strict=True)]
    rows += [[axis_line] * len(draws), [labels] * len(draws)]
    return [beside([(line, pane) for line in row]) for row in rows]


def _depth_chart(snapshot: Snapshot, axis: charts.Axis, height: int) -> tuple[Line, list[Line]]:
    history, maxima = snapshot.history, snapshot.maxima
    in_flight, visible = charts.deepest((history.in_flight, history.visible), history, axis)
    top = charts.nice_top(map(operator.add, visible, in_flight))
    layers = [(in_flight, STRIPED, TONES["moves"]), (visible, SOLID, TONES["grows"])]

    def title(name: str, peak: str) -> Line:
        legend = [Segment("█", TONES["grows"]), Segment(" visible "), Segment("▌", TONES["moves"])]
        return [Segment(f" {name} ", BOLD), *legend, Segment(" in flight"), Segment(f"  {peak}" if peak else "", DIM)]

    titles = [title("queue depth", "")]
    if maxima.depth_at is not None and snapshot.running_at is not None:
        peak = f"peak {count(maxima.depth)}"
        at = f" at {clock(maxima.depth_at - snapshot.running_at)}"
        titles = [title("queue depth", peak + at), title("queue depth", peak), title("queue", peak), *titles]
    return first_fitting(titles, axis.columns + charts.LABEL_WIDTH), charts.area(layers, top, axis.columns, height)


def _rate_chart(snapshot: Snapshot, axis: charts.Axis, height: int) -> tuple[Line, list[Line]]:
    load, history, mean = snapshot.load, snapshot.history, snapshot.rows_per_s_mean
    planned: list[float] = []
    if load is not None:
        planned = charts.per_second(load.planned, load, replace(axis, now_s=axis.end_s), planned=True)
        shown = charts.per_second(load.stored, load, axis)
        # Once nothing more is planned, the current rates do not describe the chart.
        now = (rate(load.rate_planned), rate(load.rate_stored)) if snapshot.phase == "running" else ("", "")
        width = axis.columns + charts.LABEL_WIDTH
        said = (load.unit, "stored" if snapshot.roles.is_pipeline else "done")
        title = first_fitting([_rate_title(*said, *now), _rate_title(*said, "", now[1])], width)
    else:
        # The store counts whole seconds, and its busiest one is the maximum shown.
        busiest = snapshot.table.rows_per_s_max or math.inf
        shown = [min(each, busiest) for each in charts.per_second(history.rows, history, axis)]
        title = [Segment(" rows/s " if snapshot.roles.is_pipeline else " items/s ", BOLD), Segment("█", TONES["moves"])]
        if mean is not None:
            title.append(Segment(f" mean {count(mean, 5)}  max {count(snapshot.table.rows_per_s_max, 5)}", DIM))
    top = charts.nice_top([*planned, *shown])
    return title, charts.area([(shown, SOLID, TONES["moves"])], top, axis.columns, height, planned)


def _done_chart(snapshot: Snapshot, axis: charts.Axis, height: int) -> tuple[Line, list[Line]]:
    """Messages deleted and events done, per second."""
    history = snapshot.history
    shown = charts.per_second(list(map(sum, history.heat)), history, axis)
    name, verb = ("messages", "deleted") if snapshot.roles.queues else ("events", "done")
    title: Line = [Segment(f" {name}/s ", BOLD), Segment("█", TONES["moves"])]
    title.append(Segment(f" {count(snapshot.latency.count)} {verb}", DIM))
    return title, charts.area([(shown, SOLID, TONES["moves"])], charts.nice_top(shown), axis.columns, height)


def _rate_title(unit: str, verb: str, planned: str, stored: str) -> Line:
    legend = [Segment("•", ACCENT), Segment(f" planned {planned} " if planned else " planned ")]
    stored = f" {verb} {stored}".rstrip()
    return [Segment(f" {unit}s/s ", BOLD), *legend, Segment("█", TONES["moves"]), Segment(stored)]


def _latency(snapshot: Snapshot) -> Line:
    latency = (snapshot.load or snapshot).latency
    line: Line = [Segment(f" {latency_title(snapshot)}", BOLD)]
    for label, value in (("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("max", latency.max)):
        line += [Segment(f"   {label} ", DIM), Segment(f"{seconds(value):>7}")]
    return line
