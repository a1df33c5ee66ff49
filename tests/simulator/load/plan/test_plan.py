"""What follows from what a load test is asked."""

from __future__ import annotations

import pytest

from simulator.load.plan.arrivals import constant
from simulator.load.plan.plan import Plan, TargetName


def plan(backlog: int = 0, find_max: bool = False, target: TargetName = "store") -> Plan:
    """A plan of ten seconds at four a second."""
    return Plan(
        constant(4.0, 10.0),
        rows=1,
        seed=1,
        poisson=False,
        backlog=backlog,
        find_max=find_max,
        target=target,
        endpoint_url=None,
        sink_latency_s=0.0,
        runtime="inline",
        slo=(),
        drain_timeout_s=60.0,
        port=0,
        window_s=0.0,
    )


def test_only_what_arrives_by_the_clock_has_a_length() -> None:
    """A backlog has its number alone, and a search ends when it has an answer."""
    assert (plan().duration_s, plan().objects) == (10.0, 40)
    assert (plan(backlog=7).duration_s, plan(backlog=7).objects) == (None, 7)
    assert (plan(find_max=True).duration_s, plan(find_max=True).objects) == (None, None)


@pytest.mark.parametrize(
    ("target", "local", "audited"),
    [("store", True, True), ("endpoint", True, True), ("sink", True, False), ("stack", False, False)],
)
def test_what_can_be_measured_and_proven_follows_from_the_target(
    target: TargetName, local: bool, audited: bool
) -> None:
    """A deployed stack runs elsewhere, and `verify` proves it; a sink keeps no rows to prove."""
    assert (plan(target=target).local, plan(target=target).audited) == (local, audited)
