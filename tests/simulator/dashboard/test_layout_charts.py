"""Where the charts stand in a frame, how long their axis is, and what their titles say."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from simulator.base.counters import BucketCounters, TableCounters
from simulator.dashboard import render
from simulator.telemetry.snapshot import History, Maxima, RunOptions, Snapshot


def rows(snapshot: Snapshot, width: int, height: int) -> list[str]:
    """A frame's lines without styles."""
    return ["".join(segment.text for segment in line) for line in render(snapshot, width, height).lines]


def row_of(snapshot: Snapshot, words: str, width: int, height: int = 24) -> str:
    """The only line of a frame with these words."""
    (row,) = [row for row in rows(snapshot, width, height) if words in row]
    return row


@pytest.mark.parametrize(
    ("width", "height", "charts"), [(77, 90, False), (78, 21, False), (240, 21, False), (78, 22, True)]
)
def test_charts_need_room(snapshot: Snapshot, width: int, height: int, charts: bool) -> None:
    """Below 78 columns or 22 lines the figures stand alone."""
    assert any("┼" in row for row in rows(snapshot, width, height)) is charts


@pytest.mark.parametrize(("width", "columns"), [(78, 30), (79, 31), (80, 31), (81, 32), (110, 46), (111, 47)])
def test_the_charts_share_the_width(snapshot: Snapshot, width: int, columns: int) -> None:
    """Both are as wide as can be with two columns between them and one on the right."""
    quiet = dataclasses.replace(snapshot, history=History())
    axis = "    0 ┼" + "─" * columns
    assert row_of(quiet, "┼", width) == f"{axis}  {axis}".ljust(width)


@pytest.mark.parametrize(
    ("ends", "until_s", "times"),
    [
        ({"duration_s": 60.0}, 50.0, ["00:00", "00:20", "00:40", "01:00"]),
        ({"ticks": 8}, 700.0, ["00:00", "05:00", "10:00", "15:00"]),
        ({"objects": 8}, 700.0, ["00:00", "05:00", "10:00", "15:00"]),
        ({}, 600.0, ["00:00", "03:20", "06:40", "10:00"]),
        ({}, 700.0, ["01:40", "05:00", "08:20", "11:40"]),
        ({}, -5.0, ["00:00", "00:05", "00:10"]),
    ],
)
def test_the_axis_slides_only_without_an_end(ends: dict[str, Any], until_s: float, times: list[str]) -> None:
    """A run with an end is shown whole; of one without, the last ten minutes."""
    options = RunOptions("simulate", 0, "inline", 100.0, **ends)
    history = History(100.0, 1.0, 100.0 + until_s)
    shown = Snapshot(900.0, options, phase="running", running_at=100.0, history=history)
    assert row_of(shown, times[0] + "  ", 80).split() == times * 2


def test_only_what_was_sampled_is_drawn() -> None:
    """Three quarters of a second into a minute the first column is drawn, and no other."""
    options = RunOptions("simulate", 0, "inline", 100.0, duration_s=60.0)
    history = History(
        100.0, 0.25, 100.75, visible=(8,) * 3, in_flight=(0,) * 3, rows=(100.0,) * 3, heat=((0,) * 8,) * 3
    )
    shown = Snapshot(101.0, options, phase="running", running_at=100.0, history=history)
    plot = rows(shown, 160, 45)[17:33]
    assert plot[-1].startswith("    0 ┼")
    assert {(row[6:9], row[86:89]) for row in plot[:-1]} == {("┤█ ", "┤█ "), ("│█ ", "│█ ")}


@pytest.mark.parametrize(
    ("width", "depth", "at_s", "expected"),
    [
        (78, 400, 36, "queue depth █ visible ▌ in flight"),
        (80, 400, 36, "queue █ visible ▌ in flight  peak 400"),
        (80, 4_000, 36, "queue depth █ visible ▌ in flight"),
        (90, 400, 36, "queue █ visible ▌ in flight  peak 400"),
        (91, 400, 36, "queue depth █ visible ▌ in flight  peak 400"),
        (108, 400, 36, "queue depth █ visible ▌ in flight  peak 400"),
        (109, 400, 36, "queue depth █ visible ▌ in flight  peak 400 at 00:36"),
        (121, 123_456, 3723, "queue depth █ visible ▌ in flight  peak 123,456 at 1:02:03"),
        (160, 400, None, "queue depth █ visible ▌ in flight"),
    ],
)
def test_the_peak_is_named_where_it_has_room(
    snapshot: Snapshot, width: int, depth: int, at_s: float | None, expected: str
) -> None:
    """Whole or not at all: a figure that is cut would read as another one. Its time goes first, then a word."""
    at = None if at_s is None else snapshot.began_at + at_s
    shown = dataclasses.replace(snapshot, maxima=Maxima(depth=depth, depth_at=at))
    left, _, _ = row_of(shown, " visible ▌", width).partition("rows/s")
    assert left.strip() == expected


def test_no_peak_is_told_before_the_run(snapshot: Snapshot) -> None:
    """Its time is counted from when the run began to run."""
    starting = dataclasses.replace(snapshot, running_at=None)
    assert "peak" not in row_of(starting, "queue depth", 160)


@pytest.mark.parametrize(
    ("rows_written", "most", "expected"),
    [
        (0, 9_999, ""),
        (109_989, 9_999, " mean 9,999  max 9,999"),
        (135_795, 12_345, " mean 12.3k  max 12.3k"),
    ],
)
def test_the_rows_a_second_have_their_room(snapshot: Snapshot, rows_written: int, most: float, expected: str) -> None:
    """Mean and maximum are five wide at most; there is none before the first write."""
    table = TableCounters(rows_written=rows_written, rows_per_s_max=most, last_write_at=snapshot.began_at + 10)
    bucket = BucketCounters(first_put_at=snapshot.began_at)
    shown = dataclasses.replace(snapshot, table=table, bucket=bucket)
    assert row_of(shown, " visible ▌", 80)[40:].rstrip() == f" rows/s █{expected}"


@pytest.mark.parametrize(
    ("width", "planned", "stored", "expected"),
    [
        (80, 80, 60, "planned 80 █ stored 60"),
        (80, 980, 900, "planned 980 █ stored 900"),
        (80, 1_000, 900, "planned █ stored 900"),
        (84, 1_000, 1_000, "planned █ stored 1,000"),
        (85, 1_000, 1_000, "planned 1,000 █ stored 1,000"),
        (78, 100_000, 100_000, "planned █ stored 100,000"),
    ],
)
def test_a_load_tests_rates_are_never_cut(
    load_snapshot: Snapshot, width: int, planned: float, stored: float, expected: str
) -> None:
    """Where both have no room the planned rate, which the first stage tells as well, is left out."""
    assert load_snapshot.load is not None
    load = dataclasses.replace(load_snapshot.load, rate_planned=planned, rate_stored=stored)
    row = row_of(dataclasses.replace(load_snapshot, load=load), "objects/s", width)
    assert row[(width - 3) // 2 + 2 :].rstrip() == f" objects/s • {expected}"


def test_the_chart_agrees_with_the_peak(snapshot: Snapshot) -> None:
    """Visible, then in flight, within one column: the chart's top is the deepest instant's, as the title says."""
    history = History(100.0, 0.25, 160.0, visible=(30, 0) * 120, in_flight=(0, 30) * 120, rows=(0.0,) * 240)
    shown = dataclasses.replace(
        snapshot,
        running_at=100.0,
        history=dataclasses.replace(history, heat=((0,) * 8,) * 240),
        maxima=Maxima(visible=30, in_flight=30, depth=30, depth_at=100.0),
    )
    frame = rows(shown, 80, 24)
    assert "peak 30 " in frame[10]
    assert frame[11].startswith("   30 ┤█")


def test_no_column_of_rows_is_above_the_busiest_second(snapshot: Snapshot) -> None:
    """4,000 rows around the turn of a second are 2,000 in either: the chart does not say 4,000 per second."""
    slots = (0.0, 0.0, 2_000.0, 2_000.0, *(0.0,) * 4)
    history = History(100.5, 0.25, 102.5, (0,) * 8, (0,) * 8, slots, ((0,) * 8,) * 8)
    table = dataclasses.replace(snapshot.table, rows_per_s_max=2_000)
    shown = dataclasses.replace(snapshot, running_at=100.5, history=history, table=table)
    assert rows(shown, 80, 24)[11][40:].startswith("2,000 ┤█")


def test_the_parts_of_the_queue_have_one_colour_each(snapshot: Snapshot) -> None:
    """In the stage's figures, in the legend and in every cell of the chart."""
    frame = [segment for line in render(snapshot, 120, 36).lines for segment in line]
    in_flight = [segment for segment in frame if segment.text.strip("▌▖") == "" and segment.text]
    assert len(in_flight) > 3
    figures = [segment for segment in frame if segment.text in ("50", "44")]
    assert {str(segment.style) for segment in in_flight} == {"green"}
    assert [str(segment.style) for segment in figures] == ["yellow", "green"]
