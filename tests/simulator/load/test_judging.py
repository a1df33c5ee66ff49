"""Thresholds, cost and the verdict on what holds the pipeline back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.base.errors import InputError
from simulator.load.measure import cost
from simulator.load.measure.bottleneck import Evidence, judge
from simulator.load.plan.slo import FIGURES, parse
from simulator.load.plan.slo import judge as judge_slo

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
    assert judged.held is held


def test_a_figure_that_was_not_measured_keeps_no_promise() -> None:
    """Null is missed, for any bound."""
    assert [one.held for one in judge_slo((parse("p50<1h"), parse("cost>0")), SUMMARY)] == [False, False]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "write for example"),
        ("p99", "write for example"),
        ("p99<five", "write for example"),
        ("p99<5", "give it a unit"),
        ("p99<5rows", "give it a unit"),
        ("rows_per_s>5s", "bare number"),
        ("p98<5s", "there is no figure 'p98'"),
        ("p99<-5s", "write for example"),
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
    guides = [
        text for text in ("p99<5s", "p50<=1s", "p99>1s", "rows_per_s>1", "send_p99<1s") if parse(text).bounds_latency
    ]
    assert guides == ["p99<5s", "p50<=1s"]


WORK = cost.Work(
    rows=1_000_000,
    puts=1_000,
    gets=1_000,
    queue_requests=1_200,
    invocations=100,
    billed_s=1_000.0,
    memory_mb=512,
    architecture="arm64",
    write_units=1_000_000.0,
)


def test_a_million_rows_cost_what_the_price_list_says() -> None:
    """1,000 objects of 1,000 rows, 1,000 s at 512 MB on arm64: the writes dominate, and every line is the list's."""
    bill = cost.per_million_rows(WORK, "this machine")
    assert bill is not None
    lines = {line.item: line.usd for line in bill.lines}
    assert lines["dynamodb_write"] == pytest.approx(0.625)
    assert lines["s3_put"] == pytest.approx(0.005)
    assert lines["s3_get"] == pytest.approx(0.0004)
    assert lines["sqs"] == pytest.approx(0.00048)
    assert lines["lambda_arm64"] == pytest.approx(500 * 0.0000133334)
    assert lines["lambda_requests"] == pytest.approx(0.00002)
    assert bill.usd == pytest.approx(sum(lines.values()))
    assert bill.as_json()["durations"] == "this machine"
    assert all(line.source for line in bill.lines)


def test_the_cost_scales_with_the_rows_and_the_machine() -> None:
    """Half the rows for the same work is twice the price a million; x86_64 is dearer; no rows have no price."""
    base, half, intel = (
        cost.per_million_rows(work, "")
        for work in (WORK, replace(WORK, rows=500_000), replace(WORK, architecture="x86_64"))
    )
    assert base
    assert half
    assert intel
    assert half.usd == pytest.approx(2 * base.usd)
    assert intel.usd > base.usd
    assert cost.per_million_rows(replace(WORK, rows=0), "") is None


def test_lambda_bills_whole_milliseconds_and_init() -> None:
    """Each invocation is rounded up by itself; init counts since August 2025."""
    assert cost.billed_s([0.0101, 0.0001], [0.2]) == pytest.approx(0.011 + 0.001 + 0.2)
    assert cost.billed_s([0.003]) == pytest.approx(0.003)


KEPT_UP = Evidence(
    target="store",
    planned_per_s=20,
    stored_per_s=20,
    behind=0.0,
    lag_p99_s=0.002,
    sent=600,
    send_p50_s=0.004,
    store_cpu=0.3,
    handler_cpu=0.2,
    concurrency=3.0,
    pollers=10,
    pollers_limit=10,
    invocations=100,
    batch_writes=2_400,
    ceiling_per_s=60,
    machine_load=0.5,
    cores=2,
)
BEHIND = replace(KEPT_UP, stored_per_s=12, behind=0.4)


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (KEPT_UP, "none"),
        (replace(KEPT_UP, store_cpu=0.95), "none"),
        (replace(BEHIND, store_cpu=0.96), "store CPU"),
        (replace(BEHIND, store_cpu=0.9, handler_cpu=0.97), "handler CPU"),
        (replace(BEHIND, target="sink", store_cpu=0.99, handler_cpu=0.9), "handler CPU"),
        (replace(BEHIND, concurrency=9.5), "concurrency limit"),
        (replace(BEHIND, concurrency=5.0, pollers=5, pollers_limit=1250), "pollers ramping"),
        (replace(BEHIND, invocations_throttled=40), "concurrency limit"),
        (replace(BEHIND, table_throttled=600), "table throttling"),
        (replace(BEHIND, table_throttled=600, store_cpu=0.99), "table throttling"),
        (replace(BEHIND, errors=50), "function errors"),
        (replace(KEPT_UP, lag_p99_s=0.5), "generator"),
        (replace(BEHIND, lag_p99_s=0.5, store_cpu=0.99), "generator"),
        (replace(KEPT_UP, dropped=30), "target"),
        (replace(KEPT_UP, failed=30), "target"),
        (replace(BEHIND, machine_load=6.0), "other work"),
        (replace(BEHIND, machine_load=6.0, store_cpu=0.96), "store CPU"),
        (BEHIND, "unknown"),
        (replace(BEHIND, store_cpu=None, handler_cpu=None, pollers=None, machine_load=None), "unknown"),
    ],
)
def test_the_verdict_names_the_cause(evidence: Evidence, kind: str) -> None:
    """One row a cause; the generator before all, throttling before CPU, CPU before what follows from it."""
    assert judge(evidence).kind == kind


def test_the_verdict_says_when_it_measured_the_emulator() -> None:
    """A store at its limit, or a run near the ceiling, does; the sink and a deployed stack never."""
    full = replace(BEHIND, store_cpu=0.97)
    assert judge(full).emulator
    assert "measures the emulator, not the handlers" in judge(full).text
    assert judge(replace(KEPT_UP, stored_per_s=50)).emulator
    assert not judge(KEPT_UP).emulator
    assert not judge(replace(BEHIND, handler_cpu=0.95)).emulator
    assert not judge(replace(KEPT_UP, target="sink", stored_per_s=50)).emulator
    assert not judge(replace(BEHIND, target="stack", store_cpu=None)).emulator


def test_the_evidence_is_given_in_figures() -> None:
    """Whoever doubts the verdict reads the numbers beside it."""
    said = " | ".join(judge(replace(BEHIND, store_cpu=0.97, dropped=3)).evidence)
    for part in ("planned 20.0/s, stored 12.0/s", "store CPU 97%", "3 arrivals dropped", "20% of the raw ceiling"):
        assert part in said
