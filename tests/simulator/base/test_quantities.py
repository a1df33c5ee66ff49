"""How durations, rates and bounds are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base.quantities import (
    Bound,
    duration_text,
    parse_bound,
    parse_duration,
    parse_rate,
    parse_share,
    rate_text,
    share_text,
)


def number(figure: str, text: str) -> float:
    """Any figure may be compared with a bare number."""
    return float(text)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_duration, "90s", 90.0),
        (parse_duration, "5m", 300.0),
        (parse_duration, "1h30m", 5400.0),
        (parse_duration, "2d", 172_800.0),
        (parse_duration, "0s", 0.0),
        (parse_duration, "250ms", 0.25),
        (parse_duration, "40us", 0.00004),
        (parse_duration, " 5 s ", 5.0),
        (parse_duration, "1h 30 m", 5400.0),
        (parse_rate, "200/s", 200.0),
        (parse_rate, "30/m", 0.5),
        (parse_rate, "0.5/s", 0.5),
        (parse_share, "0.1", 0.1),
        (parse_share, " 2.5% ", 0.025),
        (parse_share, "1", 1.0),
    ],
)
def test_text_becomes_its_value(parse: Callable[[str], float], text: str, value: float) -> None:
    """The results are seconds, and a rate per second."""
    assert parse(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *[(parse_duration, text) for text in ("", "5", "s", "5x", "-5s", "5 5s", "1h x", "5s,")],
        *[(parse_rate, text) for text in ("", "5", "0/s", "-1/s", "5/d", "/s")],
        *[(parse_share, text) for text in ("", "0", "0%", "101%", "2", "-1", "1e-3", "nan", "0.0000000001")],
    ],
)
def test_anything_else_is_refused_with_an_example(parse: Callable[[str], float], text: str) -> None:
    """The refusal repeats the text and shows how to write it."""
    with pytest.raises(ValueError, match=rf"'{text}' is not a .*; write .*\d"):
        parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.008, "8ms"), (1.5, "1.5s"), (60.0, "60s"), (90.0, "90s"), (120.0, "2m"), (3600.0, "1h")],
)
def test_duration_is_written_as_people_do(seconds: float, text: str) -> None:
    """The largest whole unit is used, except that a single minute is in seconds."""
    assert duration_text(seconds) == text


@given(st.floats(1e-9, 1))
def test_a_written_share_reads_back(share: float) -> None:
    """It is exact to a millionth of the least."""
    assert parse_share(share_text(share)) == pytest.approx(share, abs=1e-15)


@given(st.integers(0, 10**10))
def test_written_duration_reads_back(microseconds: int) -> None:
    """It is exact to the microsecond."""
    assert parse_duration(duration_text(microseconds / 1e6)) == pytest.approx(microseconds / 1e6)


@given(st.integers(1, 10**9))
def test_written_rate_reads_back(thousandths: int) -> None:
    """It is exact to a thousandth of an object per second."""
    assert parse_rate(rate_text(thousandths / 1000)) == pytest.approx(thousandths / 1000)


@pytest.mark.parametrize(
    ("text", "below", "equal", "above"),
    [
        ("rows < 3", True, False, False),
        ("rows<=3", True, True, False),
        ("rows > 3", False, False, True),
        ("rows >=3", False, True, True),
        ("rows==3", False, True, False),
        ("rows != 3", True, False, True),
    ],
)
def test_bound_holds_on_its_side(text: str, below: bool, equal: bool, above: bool) -> None:
    """There are six operators, with or without blanks."""
    bound = parse_bound(text, number)
    assert [bound.holds(value) for value in (2.0, 3.0, 4.0)] == [below, equal, above]


def test_figure_that_does_not_exist_holds_nothing() -> None:
    """It does not even count as unequal."""
    assert not any(Bound("rows", sign, 3.0).holds(None) for sign in ("<", "<=", ">", ">=", "==", "!="))


@pytest.mark.parametrize("text", ["", "rows", "rows 3", "rows = 3", "rows < three", "3 < rows", "rows < 3 and x > 1"])
def test_what_is_not_a_bound_is_refused(text: str) -> None:
    """The refusal repeats the text."""
    with pytest.raises(ValueError, match=f"'{text}' is not a figure, an operator and a number"):
        parse_bound(text, number)


def test_limit_is_read_for_its_figure() -> None:
    """The caller knows the figures and reads their limits, including signs and units."""
    seen: list[Any] = []

    def limit_of(figure: str, text: str) -> float:
        seen.append((figure, text))
        return 0.0

    for text in ("queue.visible >= -1.5", "p99<1 m 30 s", "share > 99 %", "p99 < 5 5s"):
        parse_bound(text, limit_of)
    assert seen == [("queue.visible", "-1.5"), ("p99", "1m 30s"), ("share", "99%"), ("p99", "5 5s")]
