"""Which columns make the key where neither a setting nor a usual name says so."""

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
    """Micro- and nanoseconds are hardly anything else; shorter ones may be amounts, and need a name that says time."""
    columns = time_columns(["volume", name], [["100", "200"], cells], None, None, None)
    assert (columns is not None and columns.setting == name) is found
