"""Thresholds: how they are written, and when they hold."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.base.errors import InputError
from simulator.load.plan.slo import FIGURES, judge_slo, parse

SUMMARY: dict[str, Any] = {
    "latency_s": {"planned_to_stored": {"p99": 4.2, "p50": None}},
    "throughput": {"rows_per_s_mean": 2100.0},
    "dropped": 0,
}


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("p99<5s", True),
        ("p99<4200ms", False),
        ("p99 <= 4200ms", True),
        ("p99 <= 4200 ms", True),
        ("p99>1m", False),
        ("rows_per_s>2000", True),
        ("rows_per_s>=2100.5", False),
        ("dropped<1", True),
        ("dropped<=0", True),
    ],
)
def test_a_threshold_is_judged_in_its_unit(text: str, held: bool) -> None:
    """Times take any unit, numbers none; the bound itself counts only with an equals sign."""
    (judged,) = judge_slo((parse(text),), SUMMARY)
    assert judged == {"threshold": text, "value": judged["value"], "held": held}


def test_a_figure_that_was_not_measured_keeps_no_promise() -> None:
    """Null is missed, for any bound; so is what is no number."""
    assert [judged["held"] for judged in judge_slo((parse("p50<1h"), parse("cost>0")), SUMMARY)] == [False, False]
    for dropped in (True, "1", [1]):
        (judged,) = judge_slo((parse("dropped<5"),), {"dropped": dropped})
        assert (judged["value"], judged["held"]) == (None, False)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "write for example"),
        ("p99", "write for example"),
        ("p99<five", "write for example"),
        ("p99<5", "give it a unit"),
        ("p99<5rows", "give it a unit"),
        ("rows_per_s>5%", "bare number"),
        ("rows_per_s>5s", "bare number"),
        ("p98<5s", "there is no figure 'p98'"),
        ("p99<-5s", "give it a unit"),
        ("p99==5s", "write for example"),
    ],
)
def test_a_malformed_threshold_says_how_to_write_it(text: str, hint: str) -> None:
    """One line, with the way out."""
    with pytest.raises(InputError, match=hint):
        parse(text)


def test_every_figure_can_be_named() -> None:
    """Each name of the list parses with a bound of its kind."""
    for name, (unit, _) in FIGURES.items():
        assert parse(f"{name}<1{unit}").figure == name


def test_only_upper_bounds_on_the_way_to_the_table_guide_the_search() -> None:
    """A p99 below something does; a rate, a send time or a lower bound does not."""
    bounds = ("p99<5s", "p50<=1s", "p99>1s", "rows_per_s<1", "send_p99<1s", "dropped<1", "backlog<=9")
    guides = [text for text in bounds if parse(text).bounds_latency]
    assert guides == ["p99<5s", "p50<=1s"]
