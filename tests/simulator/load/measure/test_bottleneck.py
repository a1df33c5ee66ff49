"""The verdict on what holds the pipeline back."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from simulator.base import limits
from simulator.load.measure.bottleneck import Measurements, judge

KEPT_UP = Measurements(
    target="store",
    planned_per_s=20,
    stored_per_s=20,
    behind=0.0,
    lag_p99_s=0.002,
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
    ("measured", "kind"),
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
        (replace(BEHIND, machine_load=6.0, store_cpu=0.75, handler_cpu=0.6), "other work"),
        (replace(BEHIND, machine_load=6.0, store_cpu=0.75, handler_cpu=0.75), "unknown"),
        (BEHIND, "unknown"),
        (replace(BEHIND, store_cpu=None, handler_cpu=None, pollers=None, machine_load=None), "unknown"),
    ],
)
def test_the_verdict_names_the_cause(measured: Measurements, kind: str) -> None:
    """One row a cause; the generator before all, throttling before CPU, CPU before what follows from it."""
    assert judge(measured).kind == kind


@pytest.mark.parametrize(
    ("within", "beyond", "kind"),
    [
        (replace(KEPT_UP, behind=0.03), replace(KEPT_UP, behind=0.0301), "unknown"),
        (
            replace(KEPT_UP, lag_p99_s=limits.LOAD_LAG_P99_S),
            replace(KEPT_UP, lag_p99_s=limits.LOAD_LAG_P99_S + 0.001),
            "generator",
        ),
        (replace(BEHIND, table_throttled=24), replace(BEHIND, table_throttled=25), "table throttling"),
        (replace(BEHIND, batch_writes=0), replace(BEHIND, batch_writes=0, table_throttled=1), "table throttling"),
        (replace(BEHIND, errors=2), replace(BEHIND, errors=3), "function errors"),
        (replace(BEHIND, invocations=0), replace(BEHIND, invocations=0, errors=1), "function errors"),
        (replace(BEHIND, store_cpu=0.84), replace(BEHIND, store_cpu=0.85), "store CPU"),
        (replace(BEHIND, handler_cpu=0.84), replace(BEHIND, handler_cpu=0.85), "handler CPU"),
        (replace(BEHIND, machine_load=2.4), replace(BEHIND, machine_load=2.5), "other work"),
        (
            replace(BEHIND, machine_load=6.0, store_cpu=0.75, handler_cpu=0.65),
            replace(BEHIND, machine_load=6.0, store_cpu=0.75, handler_cpu=0.64),
            "other work",
        ),
        (replace(BEHIND, concurrency=7.9), replace(BEHIND, concurrency=8.0), "concurrency limit"),
        (
            replace(BEHIND, concurrency=8.0, pollers=None),
            replace(BEHIND, concurrency=8.0, pollers_limit=None),
            "concurrency limit",
        ),
        (
            replace(BEHIND, concurrency=None, pollers=9),
            replace(BEHIND, concurrency=8.0, pollers=9),
            "pollers ramping",
        ),
        (BEHIND, replace(BEHIND, invocations_throttled=1), "concurrency limit"),
        (KEPT_UP, replace(KEPT_UP, dropped=1), "target"),
        (KEPT_UP, replace(KEPT_UP, failed=1), "target"),
    ],
)
def test_a_cause_is_named_from_its_threshold_on(within: Measurements, beyond: Measurements, kind: str) -> None:
    """Just within it is not the cause, just beyond it is."""
    assert judge(within).kind != kind
    assert judge(beyond).kind == kind


def test_two_parts_at_their_limit_are_told_apart() -> None:
    """The store first when both are as busy; a sink's process is nobody's bottleneck."""
    assert judge(replace(BEHIND, store_cpu=0.9, handler_cpu=0.9)).kind == "store CPU"
    assert judge(replace(BEHIND, target="sink", store_cpu=0.99, handler_cpu=0.8)).kind == "unknown"


def test_what_nobody_measured_is_taken_for_idle() -> None:
    """On a machine of one core, unless it is said to have more."""
    behind = Measurements(target="store", planned_per_s=20, stored_per_s=12, behind=0.4, machine_load=1.25)
    assert judge(behind).kind == "other work"
    assert judge(replace(behind, store_cpu=0.3, handler_cpu=0.3)).kind == "other work"
    assert judge(replace(behind, cores=2)).kind == "unknown"


def test_failures_matter_only_to_who_is_behind() -> None:
    """Errors that are made up for hold nothing back."""
    assert judge(replace(KEPT_UP, errors=50)).kind == "none"
    assert judge(replace(KEPT_UP, errors=50, dropped=1)).kind == "target"


def test_the_verdict_is_one_sentence_with_its_figures() -> None:
    """What a person reads, and the same in the summary."""
    judged = judge(replace(KEPT_UP, dropped=1_500, failed=2, target="sink"))
    assert asdict(judged) == {
        "kind": "target",
        "text": "the target does not keep up with the puts (1,500 arrivals dropped, 2 puts failed, puts take 4 ms)",
        "evidence": (
            "while busy: planned 20.0/s, stored 20.0/s",
            "generator lag p99 2 ms",
            "1,500 arrivals dropped",
            "2 puts failed",
            "sink CPU 30%",
            "handler and twin CPU 20%",
            "3.0 invocations at once",
            "pollers 10 of 10",
        ),
        "measures_the_emulator": False,
    }
    bare = Measurements(target="stack", planned_per_s=20, stored_per_s=20, behind=0.0)
    assert judge(bare).evidence == ("while busy: planned 20.0/s, stored 20.0/s",)
    assert judge(replace(bare, errors=3, table_throttled=4, pollers=1)).evidence == (
        "while busy: planned 20.0/s, stored 20.0/s",
        "table throttled 4 requests",
        "3 invocations failed",
    )
    assert judge(replace(bare, pollers_limit=10)).evidence == judge(bare).evidence
    late = judge(replace(KEPT_UP, lag_p99_s=0.2)).text
    assert late == "the generator ran 200 ms late (p99): this machine could not keep to the plan"
    ours = judge(replace(BEHIND, machine_load=6.0)).text
    assert "(load 6.0 on 2 cores, of which this run uses 0.5)" in ours


def test_the_verdict_says_when_it_measured_the_emulator() -> None:
    """A store at its limit, or a run near the ceiling, does; the sink and a deployed stack never."""
    full = replace(BEHIND, store_cpu=0.97)
    assert judge(full).measures_the_emulator
    assert "measures the emulator, not the handlers" in judge(full).text
    assert judge(replace(KEPT_UP, stored_per_s=50)).measures_the_emulator
    assert "near its ceiling" in judge(replace(KEPT_UP, stored_per_s=50)).text
    assert judge(replace(KEPT_UP, stored_per_s=42)).measures_the_emulator
    assert not judge(replace(KEPT_UP, stored_per_s=41.9)).measures_the_emulator
    assert not judge(replace(KEPT_UP, stored_per_s=50, ceiling_per_s=None)).measures_the_emulator
    assert judge(replace(BEHIND, stored_per_s=50, target="endpoint")).measures_the_emulator
    assert judge(replace(KEPT_UP, dropped=9)).measures_the_emulator
    assert not judge(replace(KEPT_UP, dropped=9, target="stack")).measures_the_emulator
    assert not judge(replace(BEHIND, stored_per_s=50, concurrency=10.0)).measures_the_emulator
    assert not judge(KEPT_UP).measures_the_emulator
    assert not judge(replace(BEHIND, handler_cpu=0.95)).measures_the_emulator
    assert not judge(replace(KEPT_UP, target="sink", stored_per_s=50)).measures_the_emulator
    assert not judge(replace(BEHIND, target="stack", store_cpu=None)).measures_the_emulator


def test_the_evidence_is_given_in_figures() -> None:
    """Whoever doubts the verdict reads the numbers beside it."""
    said = " | ".join(judge(replace(BEHIND, store_cpu=0.97, dropped=3)).evidence)
    for part in ("while busy: planned 20.0/s, stored 12.0/s", "store CPU 97%", "3 arrivals dropped"):
        assert part in said
    assert "ceiling" not in said  # its share is that of the whole run, beside it
    assert judge(replace(BEHIND, planned_per_s=0.0)).evidence[0] == "while busy: stored 12.0/s"
