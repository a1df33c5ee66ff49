"""The verdict on what holds the pipeline back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.load.measure.bottleneck import Measurements, judge

KEPT_UP = Measurements(
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
