"""Charts as text, and their colours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from simulator.dashboard import charts
from simulator.dashboard.charts import LABEL_WIDTH, SOLID, STRIPED
from simulator.dashboard.lines import ACCENT, DIM, PLAIN, TONES, Line

COLOURS = {PLAIN: " ", DIM: "d", TONES["moves"]: "g", TONES["grows"]: "y", Style(color="red"): "r", ACCENT: "c"}


def labels(lines: list[Line]) -> list[str]:
    """What stands left of the plots."""
    return ["".join(segment.text for segment in line)[:LABEL_WIDTH] for line in lines]


def plots(lines: list[Line]) -> list[str]:
    """The plots' cells, without labels."""
    return ["".join(segment.text for segment in line)[LABEL_WIDTH:] for line in lines]


def colours(lines: list[Line]) -> list[str]:
    """A letter for each cell's colour; labels and what has no style are blank."""
    styled = ["".join(COLOURS[segment.style or PLAIN] * len(segment.text) for segment in line) for line in lines]
    assert {line[:LABEL_WIDTH] for line in styled} == {"d" * LABEL_WIDTH}
    return [line[LABEL_WIDTH:] for line in styled]


def test_an_area_is_drawn_in_eighths() -> None:
    """A value reaches as many eighths of a cell as its share of the top; a little is never nothing."""
    drawn = charts.area([([0, 1, 25, 50, 75, 100], SOLID, PLAIN)], 100, 6, 2)
    assert plots(drawn) == ["    ▄█", " ▁▄███"]


def test_what_lies_above_the_top_fills_the_column() -> None:
    """The chart's height is the most that is drawn, whatever the pattern."""
    assert plots(charts.area([([90, 101, 900], STRIPED, PLAIN)], 100, 3, 1)) == ["▌▌▌"]


def test_layers_are_stacked_and_differ_in_their_pattern() -> None:
    """The second layer stands on the first, so that both read without colour."""
    drawn = charts.area([([50, 0, 50], STRIPED, PLAIN), ([50, 100, 0], SOLID, PLAIN)], 100, 3, 2)
    assert plots(drawn) == ["██ ", "▌█▌"]


def test_a_thin_layer_below_a_thick_one_is_seen() -> None:
    """A layer that fills three eighths of a cell has it, less is left to the one above."""
    drawn = charts.area([([20, 10], STRIPED, PLAIN), ([80, 90], SOLID, PLAIN)], 100, 2, 2)
    assert plots(drawn) == ["██", "▌█"]


def test_a_layer_may_end_before_the_chart() -> None:
    """Where a layer has no value the other ones stand alone."""
    drawn = charts.area([([50], STRIPED, PLAIN), ([50, 50], SOLID, PLAIN)], 100, 3, 2)
    assert plots(drawn) == ["█  ", "▌█ "]


@pytest.mark.parametrize(
    ("lower", "upper", "drawn", "colour"),
    [
        (0, 0, " ", " "),
        (1, 0, "▁", "g"),
        (1, 1, "▂", "y"),
        (2, 1, "▃", "y"),
        (3, 1, "▖", "g"),
        (2, 6, "█", "y"),
        (3, 5, "▌", "g"),
        (6, 0, "▖", "g"),
        (7, 0, "▌", "g"),
    ],
)
def test_a_cell_has_the_colour_of_its_layer(lower: int, upper: int, drawn: str, colour: str) -> None:
    """The lower layer has the cell from three eighths on, or if it is all there is."""
    layers = [([lower], STRIPED, TONES["moves"]), ([upper], SOLID, TONES["grows"])]
    chart = charts.area(layers, 8, 1, 1)
    assert (plots(chart), colours(chart)) == ([drawn], [colour])


def test_what_is_empty_has_no_colour() -> None:
    """The blanks right above a column are of none of its layers; a run of one colour is one segment."""
    chart = charts.area([([1, 1, 2, 0, 2], SOLID, TONES["moves"])], 2, 5, 2)
    assert plots(chart) == ["  █ █", "███ █"]
    assert colours(chart) == ["  g g", "ggg g"]
    assert [segment.text for segment in chart[1]] == ["    1 ┤", "███", " ", "█"]


def test_an_outline_lies_over_the_area() -> None:
    """The second series is a line of dots at its height."""
    drawn = charts.area([([20, 80], SOLID, TONES["moves"])], 100, 2, 4, [60, 60])
    assert plots(drawn) == [" ▂", "••", " █", "▆█"]
    assert colours(drawn) == [" g", "cc", " g", "gg"]


def test_a_dot_stands_where_an_area_would_end() -> None:
    """In the cell of the value's eighth, in the highest for the top, in none for nothing or after its end."""
    values = [0, 0.5, 23, 24, 25, 48, 49, 73, 99, 100, 200]
    drawn = charts.area([([], SOLID, PLAIN)], 100, 12, 4, values)
    assert plots(drawn) == [
        "        ••• ",
        "      ••    ",
        "   •••      ",
        " ••         ",
    ]


@pytest.mark.parametrize(
    ("top", "height", "expected"),
    [
        (4, 1, ["    4 ┤"]),
        (4, 2, ["    4 ┤", "    2 ┤"]),
        (4, 3, ["    4 ┤", "      │", "      │"]),
        (4, 4, ["    4 ┤", "      │", "    2 ┤", "      │"]),
        (5, 4, ["    5 ┤", "      │", "      ┤", "      │"]),
        (6, 5, ["    6 ┤", "      │", "      │", "      │", "      │"]),
        (6, 6, ["    6 ┤", "      │", "      │", "    3 ┤", "      │", "      │"]),
        (8, 2, ["    8 ┤", "    4 ┤"]),
        (10, 2, ["   10 ┤", "    5 ┤"]),
        (30, 2, ["   30 ┤", "   15 ┤"]),
        (10_000, 2, ["10.0k ┤", "5,000 ┤"]),
        (20_000, 2, ["20.0k ┤", "10.0k ┤"]),
        (8_000_000, 2, ["8.00M ┤", "4.00M ┤"]),
    ],
)
def test_the_top_and_its_half_are_labelled(top: float, height: int, expected: list[str]) -> None:
    """The half has a mark where a line ends there, and a label if it is a whole number; none is wider than its room."""
    chart = charts.area([([], SOLID, PLAIN)], top, 3, height)
    assert labels(chart) == expected
    assert plots(chart) == ["   "] * height


@given(st.floats(0, 1e9, allow_nan=False))
def test_the_top_is_a_round_number_not_below(value: float) -> None:
    """The label of the top is at least the value and at most twice it."""
    top = charts.nice_top([value])
    assert top >= value
    assert top <= max(4, 2 * value)
    assert float(f"{top:.0e}") == top


@pytest.mark.parametrize(
    ("value", "top"),
    [
        *[(0, 4), (0.1, 4), (3.9, 4), (4, 4), (4.1, 5), (5, 5), (5.1, 6), (6, 6), (6.1, 8), (8, 8), (8.1, 10)],
        *[(10, 10), (11, 20), (20, 20), (21, 30), (30, 30), (31, 40), (40, 40), (41, 50), (50, 50), (51, 60)],
        *[(60, 60), (61, 80), (80, 80), (81, 100), (99.9, 100), (100, 100), (100.1, 200), (4_105, 5_000)],
    ],
)
def test_the_steps_of_the_top(value: float, top: float) -> None:
    """One digit and zeros, without 7 and 9, whose halves are not."""
    assert charts.nice_top([0.0, value, value / 2]) == top


def test_an_empty_chart_has_a_top() -> None:
    """It is the least there is, as that of a chart of zeros."""
    assert charts.nice_top([]) == 4


def test_the_heat_strip_is_dense_where_the_objects_are() -> None:
    """Slow bands are above, in red; a column's density is each band's share of it; each line has its band's name."""
    columns = [[4, 0, 0, 0, 0, 0, 0, 0], [1, 3, 0, 0, 0, 0, 0, 0], [0] * 8, [0, 0, 0, 0, 0, 0, 0, 2]]
    strip = charts.heat_strip(columns, 6, 8)
    assert plots(strip) == ["   █  ", "      ", "      ", "      ", "      ", "      ", " ▓    ", "█░    "]
    assert labels(strip) == [" ≥10 s│", " <10 s│", "  <5 s│", "  <2 s│", "  <1 s│", "<0.5 s│", "<0.2 s│", "<0.1 s│"]
    assert colours(strip) == ["rrrr  "] * 2 + ["yyyy  "] * 2 + ["gggg  "] * 4


def test_the_density_grows_in_quarters() -> None:
    """What is there is seen, however little; a quarter more is denser."""
    shares = [0, 1, 25, 26, 50, 51, 75, 76, 100]
    columns = [[100 - share, share, *[0] * 6] for share in shares]
    assert plots(charts.heat_strip(columns, 9, 8))[6:] == [" ░░▒▒▓▓██", "██▓▓▒▒░░ "]


@pytest.mark.parametrize(
    ("height", "names", "expected"),
    [
        (2, [" ≥10 s│", "  <1 s│"], [" ", "█"]),
        (3, [" ≥10 s│", "  <2 s│", "<0.5 s│"], [" ", "▒", "▓"]),
        (4, [" ≥10 s│", "  <5 s│", "  <1 s│", "<0.2 s│"], [" ", " ", "▓", "▒"]),
        (9, [" ≥10 s│", " <10 s│", "  <5 s│", "  <2 s│", "  <1 s│", "<0.5 s│", "<0.2 s│", "<0.1 s│"], [*"    ▒░▒ "]),
    ],
)
def test_a_low_heat_strip_joins_bands(height: int, names: list[str], expected: list[str]) -> None:
    """Neighbouring bands share a line, named after the slowest; there are no more lines than bands."""
    strip = charts.heat_strip([[0, 4, 1, 4, 0, 0, 0, 0]], 1, height)
    assert (labels(strip), plots(strip)) == (names, expected)


def test_a_heat_strip_of_one_line_shows_the_99th_percentile() -> None:
    """Its height is the band that holds the slowest hundredth's lower end."""
    columns = [[100] + [0] * 7, [98, 0, 0, 2] + [0] * 4, [99, 0, 1] + [0] * 5, [0] * 8, [0] * 7 + [5]]
    strip = charts.heat_strip(columns, 6, 1)
    assert (labels(strip), plots(strip), colours(strip)) == (["  p99 │"], ["▁▄▁ █ "], ["ggg r "])


def test_the_99th_percentile_has_its_bands_colour() -> None:
    """Below a second it is green, below five yellow, above red."""
    columns = [[0] * band + [1] + [0] * (7 - band) for band in range(8)]
    strip = charts.heat_strip(columns, 8, 0)
    assert (plots(strip), colours(strip)) == (["▁▂▃▄▅▆▇█"], ["ggggyyrr"])
