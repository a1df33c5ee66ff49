"""Figures in words: singular and plural, digits, units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base.words import counted, seconds, significant


@pytest.mark.parametrize(
    ("number", "plural", "text"),
    [
        (0, None, "0 rows"),
        (1, None, "1 row"),
        (1.0, None, "1 row"),
        (1_234_567, None, "1,234,567 rows"),
        (1_402.5, None, "1,402 rows"),
        (0.5, None, "0.5 rows"),
        (1, "rowses", "1 row"),
        (2, "rowses", "2 rowses"),
    ],
)
def test_things_are_counted_in_english(number: float, plural: str | None, text: str) -> None:
    """One of them is singular, all other numbers are plural, by its own form where it has one."""
    assert counted(number, "row", plural) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.012345, "0.0123"),
        (0.0999999, "0.1"),
        (9.996, "10"),
        (12.34, "12.3"),
        (99.95, "100"),
        (999.6, "1,000"),
        (1234.5, "1,234"),
        (-12.34, "-12.3"),
        (1e15, "1,000,000,000,000,000"),
    ],
)
def test_a_number_has_the_digits_that_matter(number: float, text: str) -> None:
    """Three of them, all before the point, and never an exponent."""
    assert significant(number) == text


@pytest.mark.parametrize(
    ("length_s", "text"),
    [
        (None, "-"),
        (0.0, "0 s"),
        (0.0000004, "0.4 us"),
        (0.00042, "420 us"),
        (0.0009994, "999 us"),
        (0.0009996, "1 ms"),
        (0.0123, "12.3 ms"),
        (0.99949, "999 ms"),
        (0.9996, "1.00 s"),
        (5.4321, "5.43 s"),
        (59.96, "59.96 s"),
        (3600.0, "3,600.00 s"),
    ],
)
def test_a_time_has_the_unit_that_reads_best(length_s: float | None, text: str) -> None:
    """Microseconds to seconds; what would round to a thousand of a unit is one of the next."""
    assert seconds(length_s) == text


@given(st.floats(1e-7, 1e6), st.integers(3, 8))
def test_no_time_reads_as_an_exponent_or_a_thousand(length_s: float, digits: int) -> None:
    """At any length and any number of digits."""
    number, unit = seconds(length_s, digits).split()
    assert "e" not in number
    assert unit == "s" or float(number) < 1_000
