"""Which columns make the key if neither a setting nor a usual name says so."""

from __future__ import annotations

import pytest

from simulator.files.columns import time_columns


@pytest.mark.parametrize(
    ("name", "cells", "found"),
    [
        ("window_start", ["1704171600000000000", "1704171660000000000"], True),
        ("window_start", ["1704171600000000", "1704171660000000"], True),
        ("market_cap", ["1704171600000", "1704171660000"], False),
        ("open_time", ["1704171600000", "1704171660000"], True),
        ("trades", ["1704171600", "1704171660"], False),
    ],
)
def test_digits_are_a_time_by_their_length_or_their_name(name: str, cells: list[str], found: bool) -> None:
    """Micro- and nanoseconds are hardly anything else; shorter ones may be amounts, and need a name."""
    columns = time_columns(["volume", name], [["100", "200"], cells], None, None, None)
    assert (columns is not None and columns.setting == name) is found


@pytest.mark.parametrize(("beside", "found"), [("Month", False), (" DAY ", False), ("GDP", True), ("Monthly", True)])
def test_a_year_is_a_time_where_it_is_not_part_of_one(beside: str, found: bool) -> None:
    """A date in three columns cannot be joined, and its year alone would not be a key."""
    columns = time_columns(["Year", beside], [["2023", "2024"], ["1", "2"]], None, None, None)
    assert (columns is not None and columns.setting == "Year") is found
