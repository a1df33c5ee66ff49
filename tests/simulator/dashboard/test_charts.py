"""Charts as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.dashboard import charts
from simulator.dashboard.charts import LABEL_WIDTH, Axis
from simulator.dashboard.lines import PLAIN, Line
from simulator.telemetry.snapshot import Slots

SECONDS = Slots(0.0, 1.0)


def plots(lines: list[Line]) -> list[str]:
    """The plots' cells, without labels."""
    return ["".join(segment.text for segment in line)[LABEL_WIDTH:] for line in lines]


def test_an_area_is_drawn_in_eighths() -> None:
    """A value reaches as many eighths of a cell as its share of the top; a little is never nothing."""
    drawn = charts.area([([0, 1, 25, 50, 75, 100], "█", PLAIN)], 100, 6, 2)
    assert plots(drawn) == ["    ▄█", " ▁▄███"]


def test_layers_are_stacked_and_differ_in_their_pattern() -> None:
    """The second layer stands on the first, so that both read without colour."""
    drawn = charts.area([([50, 0, 50], "▒", PLAIN), ([50, 100, 0], "█", PLAIN)], 100, 3, 2)
    assert plots(drawn) == ["██ ", "▒█▒"]


def test_a_thin_layer_below_a_thick_one_is_seen() -> None:
    """A layer that fills three eighths of a cell has it, less is left to the one above."""
    drawn = charts.area([([20, 10], "▒", PLAIN), ([80, 90], "█", PLAIN)], 100, 2, 2)
    assert plots(drawn) == ["██", "▒█"]


def test_an_outline_lies_over_the_area() -> None:
    """The second series is a line of dots at its height."""
    drawn = charts.area([([20, 80], "█", PLAIN)], 100, 2, 4, [60, 60])
    assert plots(drawn) == [" ▂", "••", " █", "▆█"]


@given(st.floats(0, 1e9, allow_nan=False))
def test_the_top_is_a_round_number_not_below(value: float) -> None:
    """The label of the top is at least the value and less than twice it."""
    top = charts.nice_top(value)
    assert top >= value
    assert top <= max(4, 2 * value)
    assert float(f"{top:.0e}") == top


@pytest.mark.parametrize(
    ("elapsed_s", "planned_s", "keep_s", "expected"),
    [
        (0, 60, None, (0, 60)),
        (60, 60, None, (0, 60)),
        (61, 60, None, (0, 70)),
        (95, 60, 600, (0, 100)),
        (3, 2, None, (0, 3)),
        (5, None, None, (0, 10)),
        (31, None, 600, (0, 45)),
        (700, None, 600, (100, 700)),
        (4000, None, None, (0, 7200)),
    ],
)
def test_the_axis_spans_the_plan_and_then_grows_in_steps(
    elapsed_s: float, planned_s: float | None, keep_s: float | None, expected: tuple[float, float]
) -> None:
    """The planned length while it lasts; a drain beyond it takes the next round length; without an end it slides."""
    assert charts.span(elapsed_s, planned_s, keep_s) == expected


def test_columns_hold_the_peak_of_their_slots() -> None:
    """A column of several slots shows the deepest; one narrower than a slot shows that slot."""
    wide = Axis(0.0, 0.0, 4.0, 4.0, 2)
    assert charts.peaks([1, 9, 3, 4], SECONDS, wide) == [9, 4]
    narrow = Axis(0.0, 0.0, 2.0, 2.0, 4)
    assert charts.peaks([5, 7], SECONDS, narrow) == [5, 5, 7, 7]


def test_a_rate_is_taken_over_a_second_at_least() -> None:
    """With columns of half a second and slots of a quarter, each column is the mean of the second it ends.

    The first column has half a second to go by.
    """
    axis = Axis(0.0, 0.0, 2.0, 2.0, 4)
    rates = charts.per_second([10, 0, 0, 0, 10, 0, 0, 0], Slots(0.0, 0.25), axis)
    assert rates == [20, 10, 10, 10]


def test_a_rate_over_wide_columns_adds_up() -> None:
    """The area under the rate is the amount."""
    axis = Axis(0.0, 0.0, 8.0, 8.0, 2)
    rates = charts.per_second([3, 1, 0, 0, 8, 0, 0, 4], SECONDS, axis)
    assert [rate * 4 for rate in rates] == [4, 12]


def test_a_rate_ends_with_its_series() -> None:
    """A plan that is over before the axis ends is not carried on."""
    axis = Axis(0.0, 0.0, 8.0, 8.0, 4)
    assert charts.per_second([6, 6, 6], SECONDS, axis) == [6, 6, 0, 0]


def test_what_has_not_happened_is_not_drawn() -> None:
    """Columns after now are missing, not zero."""
    axis = Axis(100.0, 0.0, 10.0, 4.0, 10)
    assert len(charts.peaks([1] * 4, Slots(100.0, 1.0), axis)) == 4
    assert axis.drawn == 4


def test_ticks_are_marked_on_the_axis_and_times_under_it() -> None:
    """A tick stands in the column of its instant; labels are round times."""
    axis = Axis(1000.0, 0.0, 60.0, 30.0, 30)
    line = "".join(segment.text for segment in charts.axis_line(axis, [1000.0, 1010.0, 1059.9, 2000.0]))
    assert line == "    0 ┼┴────┴───────────────────────┴"
    labels = "".join(segment.text for segment in charts.axis_labels(axis))
    assert labels.split() == ["00:00", "00:20", "00:40", "01:00"]


def test_the_heat_strip_is_dense_where_the_objects_are() -> None:
    """Slow bands are above; a column's density is each band's share of it."""
    columns = [[4, 0, 0, 0, 0, 0, 0, 0], [1, 3, 0, 0, 0, 0, 0, 0], [0] * 8, [0, 0, 0, 0, 0, 0, 0, 2]]
    strip = plots(charts.heat_strip(columns, 4, 8))
    assert strip == ["   █", "    ", "    ", "    ", "    ", "    ", " ▓  ", "█░  "]


def test_a_low_heat_strip_joins_bands() -> None:
    """With four lines each holds two bands."""
    strip = plots(charts.heat_strip([[0, 1, 1, 0, 0, 0, 0, 0]], 1, 4))
    assert strip == [" ", " ", "▒", "▒"]


def test_a_heat_strip_of_one_line_shows_the_99th_percentile() -> None:
    """Its height is the band that holds the slowest hundredth's lower end."""
    columns = [[100] + [0] * 7, [98, 0, 0, 2] + [0] * 4, [0] * 8, [0] * 7 + [5]]
    assert plots(charts.heat_strip(columns, 4, 1)) == ["▁▄ █"]


def test_slots_of_the_heat_fall_into_columns() -> None:
    """A slot's counts belong to the column of its middle, and none is lost."""
    axis = Axis(0.0, 0.0, 4.0, 4.0, 2)
    heat = [(1,) + (0,) * 7] * 4
    assert [sum(column) for column in charts.heat_columns(heat, SECONDS, axis)] == [2, 2]
