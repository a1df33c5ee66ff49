"""Figures as short texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.dashboard import figures


@given(st.integers(0, 10**14), st.integers(5, 9))
def test_a_count_fits_its_width_and_says_the_number(number: int, width: int) -> None:
    """Never wider than asked for, and within two percent of the number."""
    shown = figures.count(number, width)
    assert len(shown) <= width
    unit = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(shown[-1])
    value = float(shown.rstrip("kMGT").replace(",", "")) * (unit or 1)
    assert value == pytest.approx(number, rel=0.02)


@given(st.floats(0, 1e15, allow_nan=False))
def test_a_size_is_short(size_bytes: float) -> None:
    """Seven cells are enough up to a petabyte."""
    assert len(figures.size(size_bytes)) <= 7


@given(st.floats(0, 5e6, allow_nan=False))
def test_a_length_of_time_is_short(length_s: float) -> None:
    """Seven or eight cells are enough for milliseconds as for weeks."""
    assert len(figures.seconds(length_s)) <= 8


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.count(34_812), "34,812"),
        (figures.count(1_234_567, 7), "1.23M"),
        (figures.count(999_999_999, 5), "1.00G"),
        (figures.size(0), "0 B"),
        (figures.size(999_600), "1.00 MB"),
        (figures.size(12_400_000), "12.4 MB"),
        (figures.seconds(None), "-"),
        (figures.seconds(0.0842), "84 ms"),
        (figures.seconds(0.9996), "1.00 s"),
        (figures.seconds(192.0), "3.2 min"),
        (figures.wait(0.04), "0.0 s"),
        (figures.wait(-1.0), "0.0 s"),
        (figures.clock(59.99), "00:59"),
        (figures.clock(3723), "1:02:03"),
        (figures.clock(41.29, tenths=True), "00:41.2"),
        (figures.percent(0.0), "0.0 %"),
        (figures.percent(0.0001), "<0.1 %"),
        (figures.percent(1.0), "100 %"),
        (figures.rate(0), "0"),
        (figures.rate(2.34), "2.3"),
        (figures.rate(3910.4), "3,910"),
    ],
)
def test_figures_as_written(shown: str, expected: str) -> None:
    """The forms that the dashboard uses."""
    assert shown == expected
