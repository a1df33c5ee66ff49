"""Thresholds of a load test: its own figures, and those that guide a search."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.load.plan.slo import FIGURES, bounds_latency, judge_slo
from simulator.run import bounds
from simulator.run.bounds import parse, parse_all

SUMMARY: dict[str, Any] = {
    "planned": 200,
    "dropped": 0,
    "failed": 3,
    "latency_s": {"planned_to_stored": {"p99": 4.2, "p50": None}},
    "throughput": {"rows_per_s_mean": 2100.0},
    "table": {"throttled_requests": 7},
    "consumer": {"throttles": 9},
}


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        ("p99<5s", 4.2, True),
        ("p99<4200ms", 4.2, False),
        ("p99 <= 4200ms", 4.2, True),
        ("p99 <= 4200 ms", 4.2, True),
        ("p99>1m", 4.2, False),
        ("p50<1h", None, False),
        ("cost>0", None, False),
        ("rows_per_s>2000", 2100.0, True),
        ("rows_per_s>=2100.5", 2100.0, False),
        ("dropped<1", 0, True),
        ("dropped<=0%", 0.0, True),
        ("failed<1.5%", 1.5, False),
        ("throttles<8", 7, True),
        ("consumer_throttles<8", 9, False),
    ],
)
def test_a_threshold_is_judged_on_the_load_tests_own_figures(text: str, value: float | None, held: bool) -> None:
    """Its latencies and counts; what was not measured is missed. `throttles` are the table's, as they always were."""
    assert judge_slo(parse_all([text], FIGURES), SUMMARY) == [{"threshold": text, "value": value, "held": held}]


def test_a_load_test_can_bound_all_that_a_run_can() -> None:
    """Each figure of a run keeps its name and meaning, and every figure parses with a bound of its kind."""
    assert {name: FIGURES[name] for name in bounds.FIGURES} == bounds.FIGURES
    for name, figure in FIGURES.items():
        assert parse(f"{name}<1{'s' if figure.is_time else ''}", FIGURES).figure == name


def test_the_names_that_scripts_use_stay() -> None:
    """Each has the place in the summary that it always had."""
    kept = {
        "mean": "latency_s.planned_to_stored.mean",
        "p999": "latency_s.planned_to_stored.p999",
        "max": "latency_s.planned_to_stored.max",
        "send_p90": "latency_s.send.p90",
        "handler_max": "latency_s.handler.max",
        "lag_p99": "generator_lag_s.p99",
        "drain": "backlog.drain_s",
        "objects_per_s": "throughput.objects_per_s_mean",
        "rows_per_s": "throughput.rows_per_s_mean",
        "max_rate": "find_max.rate_per_s",
        "backlog": "backlog.peak",
        "dropped": "dropped",
        "failed": "failed",
        "errors": "consumer.errors",
        "throttles": "table.throttled_requests",
        "dead_lettered": "queue.dead_lettered",
        "cost": "cost.usd_per_million_rows",
    }
    assert {name: ".".join(FIGURES[name].path) for name in kept} == kept


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("p99<5", "needs a unit"),
        ("p98<5s", "did you mean 'p9"),
        ("backlog<5%", "not a share"),
        ("p99==5s", "p99==5s"),
    ],
)
def test_a_malformed_threshold_says_how_to_write_it(text: str, hint: str) -> None:
    """One line, with the way out."""
    with pytest.raises(ValueError, match=hint):
        parse(text, FIGURES)


def test_only_upper_bounds_on_the_way_to_the_table_guide_the_search() -> None:
    """A p99 below something does; a rate, a send time or a lower bound does not."""
    asked = ("p99<5s", "p50<=1s", "p99>1s", "rows_per_s<1", "send_p99<1s", "object_to_stored_p99<1s", "dropped<1")
    guides = [bound.text for bound in parse_all(asked, FIGURES) if bounds_latency(bound)]
    assert guides == ["p99<5s", "p50<=1s"]
