"""The time axis that charts share: how long it is, what falls into its columns, and what stands under it."""

from __future__ import annotations

import re

import pytest

from simulator.dashboard import charts
from simulator.dashboard.charts import Axis
from simulator.dashboard.lines import Line
from simulator.telemetry.snapshot import Slots

SECONDS = Slots(0.0, 1.0)
SLID = Axis(1000.0, 40.0, 60.0, 55.0, 10)
"""Twenty seconds in ten columns, of which the last three seconds have not yet been."""


def text(line: Line) -> str:
    """A line without styles."""
    return "".join(segment.text for segment in line)


@pytest.mark.parametrize(
    ("elapsed_s", "planned_s", "expected"),
    [
        (0, 60, 60),
        (60, 60, 60),
        (61, 60, 70),
        (70, 60, 70),
        (95, 60, 100),
        (3, 2, 3),
        (8.5, 2, 9),
        (46, 45, 55),
        (301, 300, 350),
        (3601, 3600, 4200),
        (4201, 3600, 4800),
    ],
)
def test_the_axis_spans_the_plan_and_then_grows_in_steps(elapsed_s: float, planned_s: float, expected: float) -> None:
    """The planned length while it lasts; a drain beyond it takes sixths of that, in fives of seconds, or seconds."""
    assert charts.span(elapsed_s, planned_s, None) == (0, expected)
    assert charts.span(elapsed_s, planned_s, 1) == (0, expected)


@pytest.mark.parametrize(
    ("longest_s", "following_s"),
    [
        *[(10, 20), (20, 30), (30, 45), (45, 60), (60, 90), (90, 120), (120, 180), (180, 240), (240, 300)],
        *[(300, 450), (450, 600), (600, 900), (900, 1200), (1200, 1800), (1800, 2700), (2700, 3600)],
        *[(3600, 7200), (7200, 10800), (86400, 90000)],
    ],
)
def test_without_a_plan_the_axis_is_the_next_round_length(longest_s: float, following_s: float) -> None:
    """Each length holds until it is used up to the end; beyond an hour there is one for each hour."""
    assert charts.span(longest_s, None, None) == (0, longest_s)
    assert charts.span(longest_s + 0.25, None, None) == (0, following_s)


@pytest.mark.parametrize(
    ("elapsed_s", "expected"), [(0, (0, 10)), (449, (0, 450)), (500, (0, 600)), (501, (1, 501)), (4000, (3500, 4000))]
)
def test_without_an_end_in_sight_the_axis_slides(elapsed_s: float, expected: tuple[float, float]) -> None:
    """Once what is kept has passed, the axis is as long as that and ends now."""
    assert charts.span(elapsed_s, None, 500) == expected


@pytest.mark.parametrize(
    ("at", "column"), [(1039.9, -1), (1040, 0), (1041.9, 0), (1042, 1), (1059.9, 9), (1060, 10), (1000, -20)]
)
def test_an_instant_has_its_column(at: float, column: int) -> None:
    """It is counted from where the axis begins, and may lie before or after it."""
    assert SLID.column_s == 2
    assert SLID.column_of(at) == column


@pytest.mark.parametrize(
    ("now_s", "drawn"), [(0, 0), (39, 0), (40, 0), (40.1, 1), (42, 1), (42.1, 2), (59, 10), (60, 10), (99, 10)]
)
def test_a_column_is_drawn_once_it_has_begun(now_s: float, drawn: int) -> None:
    """At its first instant it has not; none is drawn before the axis begins or after it ends."""
    assert Axis(1000.0, 40.0, 60.0, now_s, 10).drawn == drawn


def test_columns_are_found_in_slots() -> None:
    """Slots of half a second that begin thirty seconds later than the axis counts from."""
    assert SLID.places(Slots(1030.0, 0.5)) == [(20 + 4 * column, 24 + 4 * column) for column in range(8)]


def test_a_column_holds_its_deepest_instant() -> None:
    """A column of several slots shows the deepest; one narrower than a slot shows that slot."""
    wide = Axis(0.0, 0.0, 4.0, 4.0, 2)
    assert charts.deepest([[1, 9, 3, 4]], SECONDS, wide) == [[9, 4]]
    narrow = Axis(0.0, 0.0, 2.0, 2.0, 4)
    assert charts.deepest([[5, 7]], SECONDS, narrow) == [[5, 5, 7, 7]]
    across = Axis(0.0, 0.0, 3.0, 3.0, 2)
    assert charts.deepest([[1, 9, 3]], SECONDS, across) == [[9, 9]]


def test_what_is_stacked_was_there_at_one_instant() -> None:
    """Ten visible, then ten in flight, are never twenty messages: the slot with the greatest sum gives both."""
    column = Axis(0.0, 0.0, 3.0, 3.0, 1)
    assert charts.deepest([[10, 4, 0], [0, 7, 10]], SECONDS, column) == [[4], [7]]


def test_columns_without_slots_are_empty() -> None:
    """Before a series begins and after it has ended there is nothing."""
    later = Slots(2.0, 1.0)
    assert charts.deepest([[5, 7, 2]], later, Axis(0.0, 0.0, 7.0, 7.0, 7)) == [[0, 0, 5, 7, 2, 0, 0]]
    assert charts.deepest([[], []], SECONDS, Axis(0.0, 0.0, 2.0, 2.0, 2)) == [[0, 0], [0, 0]]


def test_a_rate_is_taken_over_a_second_at_least() -> None:
    """With columns of half a second and slots of a quarter, each column is the mean of the second it ends.

    Nothing was there before the first slot: half a second of ten rows is not a rate of twenty per second.
    """
    axis = Axis(0.0, 0.0, 2.0, 2.0, 4)
    rates = charts.per_second([10, 0, 0, 0, 10, 0, 0, 0], Slots(0.0, 0.25), axis)
    assert rates == [10, 10, 10, 10]


def test_a_planned_rate_holds_from_its_first_instant() -> None:
    """Eight objects per second are planned in the first half second too."""
    axis = Axis(0.0, 0.0, 2.0, 2.0, 4)
    assert charts.per_second([2.0] * 8, Slots(0.0, 0.25), axis, planned=True) == [8, 8, 8, 8]


def test_the_last_column_ends_now() -> None:
    """A column that is not over yet is the mean of the second before now, so that no frame ends in a dip."""
    axis = Axis(0.0, 0.0, 8.0, 2.25, 4)
    assert charts.per_second([2.0] * 9, Slots(0.0, 0.25), axis) == [8, 8]
    later = Axis(100.0, 0.0, 8.0, 2.25, 4)
    assert charts.per_second([2.0] * 9, Slots(100.0, 0.25), later) == [8, 8]


def test_a_rate_over_wide_columns_adds_up() -> None:
    """The area under the rate is the amount."""
    axis = Axis(0.0, 0.0, 8.0, 8.0, 2)
    rates = charts.per_second([3, 1, 0, 0, 8, 0, 0, 4], SECONDS, axis)
    assert [rate * 4 for rate in rates] == [4, 12]


def test_a_column_has_its_part_of_a_slot() -> None:
    """What a slot holds is spread evenly over it, where a column ends within."""
    axis = Axis(0.0, 0.0, 6.0, 6.0, 4)
    rates = charts.per_second([3, 1, 0.5, 4, 0, 6], SECONDS, axis)
    assert [rate * 1.5 for rate in rates] == [3.5, 1, 4, 6]


def test_a_rate_ends_with_its_series() -> None:
    """A plan that is over before the axis ends is not carried on, and one that begins later is not brought forward."""
    axis = Axis(0.0, 0.0, 8.0, 8.0, 4)
    assert charts.per_second([6, 6, 6], SECONDS, axis, planned=True) == [6, 6, 0, 0]
    assert charts.per_second([6, 6, 0.5], Slots(4.0, 1.0), axis, planned=True) == [0, 0, 6, 0.5]
    assert charts.per_second([6, 6], Slots(3.0, 1.0), axis, planned=True) == [0, 6, 6, 0]
    assert charts.per_second([], SECONDS, axis) == [0, 0, 0, 0]


def test_a_rate_falls_when_its_series_has_ended() -> None:
    """Six rows in a second of silence are three per second over the two."""
    axis = Axis(0.0, 0.0, 8.0, 8.0, 4)
    assert charts.per_second([6, 6, 6], SECONDS, axis) == [6, 3, 0, 0]


def test_what_has_not_happened_is_not_drawn() -> None:
    """Columns after now are missing, not zero."""
    axis = Axis(100.0, 0.0, 10.0, 4.0, 10)
    assert len(charts.deepest([[1] * 4], Slots(100.0, 1.0), axis)[0]) == 4
    assert axis.drawn == 4


def test_ticks_are_marked_on_the_axis() -> None:
    """A tick stands in the column of its instant; one before or after the axis in none."""
    axis = Axis(1000.0, 0.0, 60.0, 30.0, 30)
    line = text(charts.axis_line(axis, [999.9, 1000.0, 1010.0, 1059.9, 1060.0, 2000.0]))
    assert line == "    0 ┼┴────┴───────────────────────┴"


@pytest.mark.parametrize(
    ("begin_s", "end_s", "columns", "expected"),
    [
        (0, 60, 20, "      00:00    00:30  01:00"),
        (0, 60, 30, "      00:00    00:20     00:40  01:00"),
        (0, 60, 39, "      00:00       00:20        00:40     01:00"),
        (0, 60, 40, "      00:00    00:15     00:30     00:45  01:00"),
        (0, 70, 60, "      00:00                        00:35                      01:10"),
        (0, 75, 40, "      00:00       00:25         00:50     01:15"),
        (100, 700, 40, "      01:40    04:10     06:40     09:10  11:40"),
        (3000, 3600, 35, "      50:00            55:00       1:00:00"),
        (3000, 3600, 36, "      50:00      53:20       56:40  1:00:00"),
        (0, 7, 20, "      00:00    00:03  00:07"),
        (0, 7, 44, "      00:00                00:03              00:07"),
        (0, 7, 45, "      00:00         00:02          00:04       00:07"),
        (0, 7, 60, "      00:00         00:01          00:03          00:05       00:07"),
    ],
)
def test_round_times_stand_under_the_axis(begin_s: float, end_s: float, columns: int, expected: str) -> None:
    """As many times as have room and are multiples of five seconds apart, or some even parts if none are.

    Each is centred under its column, but for the first and the last, which stay within the chart.
    """
    assert text(charts.axis_labels(Axis(1000.0, begin_s, end_s, end_s, columns))) == expected


@pytest.mark.parametrize("end_s", [10, 60, 3599, 3600, 7200, 36_000, 360_000])
def test_times_under_the_axis_do_not_run_together(end_s: float) -> None:
    """However long the run and however narrow the chart, there is a blank between two times."""
    for columns in range(30, 120):
        line = text(charts.axis_labels(Axis(1000.0, 0.0, end_s, end_s, columns)))
        times = line.split()
        assert len(line) == columns + charts.LABEL_WIDTH
        assert len(times) >= 3
        assert all(re.fullmatch(r"(\d+:)?\d\d:\d\d", time) for time in times), line


def test_slots_of_the_heat_fall_into_columns() -> None:
    """A slot's counts belong to the column of its middle, and none is lost."""
    axis = Axis(0.0, 0.0, 4.0, 4.0, 2)
    heat = [(1,) + (0,) * 7] * 4
    assert [sum(column) for column in charts.heat_columns(heat, SECONDS, axis)] == [2, 2]


def test_a_slot_belongs_where_its_middle_lies() -> None:
    """A slot that reaches into two columns is not parted; what lies before or after what is drawn is left out."""
    axis = Axis(1000.0, 40.0, 52.0, 45.5, 4)
    heat = [(number,) + (0,) * 6 + (1,) for number in range(1, 10)]
    columns = charts.heat_columns(heat, Slots(1037.5, 2.0), axis)
    assert columns == [[2 + 3, 0, 0, 0, 0, 0, 0, 2], [4, 0, 0, 0, 0, 0, 0, 1]]
