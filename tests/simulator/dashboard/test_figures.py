"""Figures as short texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    ("form", "number", "expected"),
    [
        (figures.count, 34_812, "34,812"),
        (figures.count, 999_999, "999,999"),
        (figures.count, 1_234_567, "1.23M"),
        (figures.count, 123_456_789, "123.46M"),
        (figures.size, 0, "0 B"),
        (figures.size, 999.4, "999 B"),
        (figures.size, 999.5, "1.00 kB"),
        (figures.size, 1_500, "1.50 kB"),
        (figures.size, 9_995, "10.0 kB"),
        (figures.size, 99_950, "100 kB"),
        (figures.size, 999_600, "1.00 MB"),
        (figures.size, 12_400_000, "12.4 MB"),
        (figures.size, 124_000_000, "124 MB"),
        (figures.size, 1.05e9, "1.05 GB"),
        (figures.size, 1e15, "1000 TB"),
        (figures.seconds, None, "-"),
        (figures.seconds, -0.5, "0 ms"),
        (figures.seconds, 0.0, "0 ms"),
        (figures.seconds, 0.0004, "<1 ms"),
        (figures.seconds, 0.00099, "<1 ms"),
        (figures.seconds, 0.001, "1 ms"),
        (figures.seconds, 0.0842, "84 ms"),
        (figures.seconds, 0.9994, "999 ms"),
        (figures.seconds, 0.9995, "1.00 s"),
        (figures.seconds, 1.92, "1.92 s"),
        (figures.seconds, 9.995, "10.0 s"),
        (figures.seconds, 12.4, "12.4 s"),
        (figures.seconds, 59.96, "60.0 s"),
        (figures.seconds, 99.95, "1.7 min"),
        (figures.seconds, 192.0, "3.2 min"),
        (figures.seconds, 3569, "59.5 min"),
        (figures.seconds, 3570, "1.0 h"),
        (figures.seconds, 5400, "1.5 h"),
        (figures.seconds, 3_600_000, "1000.0 h"),
        (figures.wait, None, "-"),
        (figures.wait, -1.0, "0.0 s"),
        (figures.wait, 0.04, "0.0 s"),
        (figures.wait, 0.3, "0.3 s"),
        (figures.wait, 99.95, "1.7 min"),
        (figures.wait, 192.0, "3.2 min"),
        (figures.clock, -1.0, "00:00"),
        (figures.clock, 59.99, "00:59"),
        (figures.clock, 3599.9, "59:59"),
        (figures.clock, 3723, "1:02:03"),
        (figures.percent, 0.0, "0.0 %"),
        (figures.percent, 0.0004, "<0.1 %"),
        (figures.percent, 0.0005, "0.1 %"),
        (figures.percent, 0.123, "12.3 %"),
        (figures.percent, 0.9995, "100 %"),
        (figures.percent, 1.0, "100 %"),
        (figures.rate, 0, "0"),
        (figures.rate, 0.04, "<0.1"),
        (figures.rate, 0.05, "0.1"),
        (figures.rate, 2.34, "2.3"),
        (figures.rate, 9.95, "10"),
        (figures.rate, 12.0, "12"),
        (figures.rate, 3910.4, "3,910"),
        (figures.rate, 9_999.6, "10,000"),
    ],
)
def test_figures_as_written(form: Callable[[Any], str], number: float | None, expected: str) -> None:
    """The forms that the dashboard uses, and where one goes over into the next."""
    assert form(number) == expected


@pytest.mark.parametrize(
    ("number", "width", "expected"),
    [
        (1_234_567, 9, "1,234,567"),
        (12_345, 5, "12.3k"),
        (999_499, 5, "999k"),
        (999_500, 5, "1.00M"),
        (999_949, 6, "999.9k"),
        (999_999_999, 5, "1.00G"),
        (4.56e9, 7, "4.56G"),
        (1.2e12, 7, "1.20T"),
        (1e16, 5, "10000T"),
    ],
)
def test_a_count_is_as_exact_as_its_width_allows(number: float, width: int, expected: str) -> None:
    """In full where that fits, else in the least unit with as many digits as fit; nothing reads as 1000 of a unit."""
    assert figures.count(number, width) == expected


def test_a_clock_is_cut_to_tenths() -> None:
    """It never shows an instant that has not come."""
    assert [figures.clock(length_s, tenths=True) for length_s in (0, 41.29, 59.96, 7384.25)] == [
        "00:00.0",
        "00:41.2",
        "00:59.9",
        "2:03:04.2",
    ]
