"""Charts of block characters over one shared time axis. Pure: series in, lines of a given size out.

Charts are readable without colour: layers differ in pattern, and the heat strip differs in density.
"""

from __future__ import annotations

import itertools
import math
import operator
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from simulator.dashboard.figures import clock, count
from simulator.dashboard.lines import ACCENT, DIM, PLAIN, TONES, Line, fit
from simulator.telemetry.snapshot import LATENCY_BANDS_S, Slots

LABEL_WIDTH = 7
"""Columns to the left of a plot, for the label and the axis."""
_DENSITIES = " ░▒▓█"
_SPANS_S = (10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800, 2700)
_BAND_LABELS = ("<0.1 s", "<0.2 s", "<0.5 s", "<1 s", "<2 s", "<5 s", "<10 s", "≥10 s")
_BAND_STYLES = (*[TONES["moves"]] * 4, *[TONES["grows"]] * 2, *[Style(color="red")] * 2)


@dataclass(frozen=True, slots=True)
class Axis:
    """The time axis that charts share: `columns` columns over [`begin_s`, `end_s`), in seconds since `origin_at`.

    From `now_s` on, nothing is drawn.
    """

    origin_at: float
    begin_s: float
    end_s: float
    now_s: float
    columns: int

    @property
    def column_s(self) -> float:
        """Seconds per column."""
        return (self.end_s - self.begin_s) / self.columns

    def column_of(self, at: float) -> int:
        """The column of an instant; it may lie outside the axis."""
        return math.floor((at - self.origin_at - self.begin_s) / self.column_s)

    @property
    def drawn(self) -> int:
        """How many columns have begun."""
        return max(0, min(self.columns, math.ceil((self.now_s - self.begin_s) / self.column_s)))

    def places(self, slots: Slots) -> list[tuple[float, float]]:
        """Where each drawn column begins and ends, in slots."""
        begin = (self.origin_at + self.begin_s - slots.origin_at) / slots.slot_s
        step = self.column_s / slots.slot_s
        ends = [begin + column * step for column in range(self.drawn + 1)]
        return list(itertools.pairwise(ends))


def span(elapsed_s: float, planned_s: float | None, keep_s: float | None) -> tuple[float, float]:
    """The beginning and end of the axis: the planned length, plus as many sixths of it as the drain needs.

    Without a planned length, the axis has the next round length. For a run without an end, it slides after `keep_s`.
    """
    if planned_s is not None:
        step_s = max(1.0, 5.0 * round(planned_s / 30))
        return 0.0, planned_s + step_s * max(0, math.ceil((elapsed_s - planned_s) / step_s))
    if keep_s is not None and elapsed_s > keep_s:
        return elapsed_s - keep_s, elapsed_s
    length_s = next((each_s for each_s in _SPANS_S if elapsed_s <= each_s), math.ceil(elapsed_s / 3600) * 3600)
    return 0.0, float(length_s)


def nice_top(values: Iterable[float]) -> float:
    """The label of the top: a round number, at least 4, between the greatest value and twice that."""
    least = max([4.0, *values])
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= least)


def deepest(series: Sequence[Sequence[float]], slots: Slots, axis: Axis) -> list[list[float]]:
    """Each series in each drawn column, all from the slot in the column with the greatest sum.

    Separate maxima, stacked, would show more than there ever was. Zero where the series have no value.
    """
    stacks = list(zip(*series, strict=True))
    nothing = (0,) * len(series)
    columns = [
        max(stacks[max(0, math.floor(begin)) : max(0, math.ceil(end))], key=sum, default=nothing)
        for begin, end in axis.places(slots)
    ]
    return [[column[index] for column in columns] for index in range(len(series))]


def per_second(values: Sequence[float], slots: Slots, axis: Axis, *, planned: bool = False) -> list[float]:
    """The rate in each drawn column from amounts in slots, over the column or at least the last second before its end.

    Over a shorter time, single batches would show instead of the rate. Before the first slot there is nothing; a
    `planned` rate is not spread over that time.
    """
    sums, total = list(itertools.accumulate(values)), sum(values)
    length = max(axis.column_s, 1.0) / slots.slot_s
    now = (axis.origin_at + axis.now_s - slots.origin_at) / slots.slot_s

    def sum_until(place: float) -> float:
        if place >= min(now, len(values)):
            return total
        slot = math.ceil(place)
        return sums[slot - 1] - values[slot - 1] * (slot - place) if slot > 0 else 0.0

    columns = []
    for _, end in axis.places(slots):
        high = min(end, now)
        low = high - length
        amount = max(0.0, sum_until(high) - sum_until(low))
        over = min(high, len(values)) - max(low, 0.0) if planned else length
        columns.append(amount / (over * slots.slot_s) if amount else 0.0)
    return columns


SOLID, STRIPED = "▁▂▃▄▅▆▇█", "▁▁▖▖▖▖▌▌"
"""How a layer fills a cell, per eighth. Both patterns keep the full colour; a shade such as ▒ would change it."""
Layer = tuple[Sequence[float], str, Style]
"""The values, `SOLID` or `STRIPED`, and the style."""


def area(layers: Sequence[Layer], top: float, columns: int, height: int, outline: Sequence[float] = ()) -> list[Line]:
    """A filled chart: layers stacked from the bottom, labels on the left.

    A layer's topmost cell is drawn only as high as the value reaches; solid layers are exact to an eighth. `outline` is
    a second series, no longer than `columns`, drawn as dots on top. A value above zero is always visible.
    """
    totals = [_levels(layers, column, top, height) for column in range(columns)]
    dots: dict[int, list[int]] = {}
    for column, value in enumerate(outline):
        if value > 0:
            dots.setdefault(min(height - 1, round(value / top * height * 8) // 8), []).append(column)
    lines = []
    for row in range(height - 1, -1, -1):
        cells = [_cell(layers, levels, row) for levels in totals]
        for column in dots.get(row, ()):
            cells[column] = "•", ACCENT
        lines.append([Segment(_label(row, height, top), DIM), *_runs(cells)])
    return lines


def _levels(layers: Sequence[Layer], column: int, top: float, height: int) -> list[int]:
    """The upper end of each layer in eighths of a cell; it may lie above the chart."""
    levels, total = [], 0.0
    for values, _, _ in layers:
        total += values[column] if column < len(values) else 0.0
        levels.append(max(1, round(total / top * height * 8)) if total > 0 else 0)
    return levels


def _cell(layers: Sequence[Layer], levels: Sequence[int], row: int) -> tuple[str, Style]:
    """A cell with the pattern and colour of the lowest layer that fills three eighths of it, as high as it is full."""
    base, whole = row * 8, levels[-1]
    if whole <= base:
        return " ", PLAIN
    enough = min(base + 2, whole - 1)
    index = next(index for index, level in enumerate(levels) if level > enough)
    _, glyphs, style = layers[index]
    return glyphs[min(8, whole - base) - 1], style


def _label(row: int, height: int, top: float) -> str:
    if row == height - 1:
        return f"{count(top, 5):>5} ┤"
    if (row + 1) * 2 == height:
        return f"{count(top / 2, 5) if top % 2 == 0 else '':>5} ┤"
    return "      │"


def _runs(cells: Iterable[tuple[str, Style]]) -> list[Segment]:
    """Cells as segments, one per run of the same style."""
    runs: list[tuple[list[str], Style]] = []
    for glyph, style in cells:
        if not runs or style is not runs[-1][1]:
            runs.append(([], style))
        runs[-1][0].append(glyph)
    return [Segment("".join(glyphs), style) for glyphs, style in runs]


def axis_line(axis: Axis, marks: Sequence[float]) -> Line:
    """The axis itself, with a mark at each tick of the schedule."""
    cells = ["─"] * axis.columns
    for mark in marks:
        column = axis.column_of(mark)
        if 0 <= column < axis.columns:
            cells[column] = "┴"
    return [Segment(f"{'0':>5} ┼" + "".join(cells), DIM)]


def axis_labels(axis: Axis) -> Line:
    """The labels under the axis: times since the start, evenly spaced."""
    # The last label ends where the chart ends, so it is closer to the previous label than the others are.
    apart, length_s = len(clock(axis.end_s)) + 5, axis.end_s - axis.begin_s
    most = max(2, axis.columns // apart)
    is_round = (places for places in range(most, 1, -1) if (length_s / places) % 5 == 0)
    places = next(is_round, max(2, axis.columns // 15))
    cells = [" "] * (axis.columns + LABEL_WIDTH)
    for place in range(places + 1):
        text = clock(axis.begin_s + length_s * place / places)
        column = round(axis.columns * place / places) + LABEL_WIDTH
        begin = min(max(column - len(text) // 2, LABEL_WIDTH - 1), len(cells) - len(text))
        cells[begin : begin + len(text)] = text
    return [Segment("".join(cells), DIM)]


def heat_columns(heat: Sequence[Sequence[int]], slots: Slots, axis: Axis) -> list[list[int]]:
    """The count of each latency band in each drawn column; a slot belongs to the column that contains its middle."""
    columns = [[0] * len(_BAND_LABELS) for _ in range(axis.drawn)]
    for slot, bands in enumerate(heat):
        if any(bands) and 0 <= (column := axis.column_of(slots.origin_at + (slot + 0.5) * slots.slot_s)) < len(columns):
            columns[column] = list(map(operator.add, columns[column], bands))
    return columns


def heat_strip(columns: Sequence[Sequence[int]], width: int, height: int) -> list[Line]:
    """Latency over time: slow at the top, fast at the bottom, denser where a band has more of the column's objects.

    A single line shows, as its height, the band of the 99th percentile. With fewer lines than bands, neighbouring bands
    share a line.
    """
    if height < 2:
        return [_percentile_line(columns, width)]
    height = min(height, len(_BAND_LABELS))
    ends = [round(len(_BAND_LABELS) * line / height) for line in range(height + 1)]
    lines = []
    for first, end in reversed(list(itertools.pairwise(ends))):
        shares = (sum(column[first:end]) / total if (total := sum(column)) else 0 for column in columns)
        text = "".join(_DENSITIES[math.ceil(share * 4)] for share in shares)
        lines.append([Segment(f"{_BAND_LABELS[end - 1]:>6}│", DIM), Segment(text, _BAND_STYLES[end - 1])])
    return [fit(line, width + LABEL_WIDTH) for line in lines]


def _percentile_line(columns: Sequence[Sequence[int]], width: int) -> Line:
    cells = []
    for column in columns:
        total = sum(column)
        band = bisect_left(list(itertools.accumulate(column)), total * 0.99)
        cells.append((SOLID[band], _BAND_STYLES[band]) if total else (" ", PLAIN))
    return fit([Segment("  p99 │", DIM), *_runs(cells)], width + LABEL_WIDTH)


assert len(_BAND_LABELS) == len(_BAND_STYLES) == len(LATENCY_BANDS_S) + 1 == len(SOLID)  # noqa: S101 - glyph, label and band go together
