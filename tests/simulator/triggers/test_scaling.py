"""How a mapping's concurrency grows and shrinks, as arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import declare
from simulator.base import limits
from simulator.stack.model import ProvisionedPollers
from simulator.triggers.scaling import Pace, Scaler, ScalingPolicy, policy_of


def saturated(scaler: Scaler, until: float) -> list[tuple[float, int]]:
    """The trace of a scaler whose every permitted batch is in hand at once, stepping from change to change."""
    trace, now = [(0.0, scaler.concurrency)], 0.0
    scaler.load(scaler.concurrency, now)
    while (due_at := scaler.next_change_at) is not None and due_at <= until:
        now = due_at
        scaler.advance(now)
        scaler.load(scaler.concurrency, now)
        trace.append((now, scaler.concurrency))
    return trace


def closed_form(policy: ScalingPolicy, at: float) -> int:
    """AWS's sentence as a formula."""
    return min(policy.ceiling, policy.initial + math.floor(policy.growth_per_minute * at / 60 + 1e-6))


def test_ramp_is_the_closed_form() -> None:
    """Five at first, 300 more a minute, 1,250 at last, after 249 s: every step of the trace."""
    policy = policy_of(declare.mapping())
    trace = saturated(Scaler(policy, 0.0), until=600)
    assert [count for _, count in trace] == list(range(5, 1251))
    assert all(count == closed_form(policy, at) for at, count in trace)
    assert trace[-1][0] == pytest.approx(249.0)


@given(st.floats(0, 400, allow_nan=False))
def test_ramp_at_any_instant(at: float) -> None:
    """Asked at any instant, without a step between, the figure is the closed form's."""
    policy = ScalingPolicy(5, 2, 1250, 300, True, 5)
    scaler = Scaler(policy, 0.0)
    scaler.load(5, 0.0)
    scaler._loaded = 1250  # all that is permitted stays in hand meanwhile
    scaler.advance(at)
    assert scaler.concurrency == closed_form(policy, at)


@pytest.mark.parametrize(("maximum", "initial"), [(2, 2), (5, 5), (12, 5), (1000, 5)])
def test_maximum_concurrency(maximum: int, initial: int) -> None:
    """MaximumConcurrency is the ceiling, and the beginning if it is under five."""
    trace = saturated(Scaler(policy_of(declare.mapping(maximum_concurrency=maximum)), 0.0), until=600)
    assert (trace[0][1], trace[-1][1]) == (initial, maximum)


def test_provisioned_pollers() -> None:
    """Ten batches a poller from the minimum to the maximum, 1,000 more a minute."""
    policy = policy_of(declare.mapping(provisioned=ProvisionedPollers(3, 20)))
    trace = saturated(Scaler(policy, 0.0), until=600)
    assert (trace[0], trace[-1][1]) == ((0.0, 30), 200)
    assert trace[-1][0] == pytest.approx(170 * 60 / 1000)


def test_provisioned_pollers_have_a_rate() -> None:
    """Two pollers make 20 calls a second, and 2 MB of messages cost them a second."""
    pace = Pace(policy_of(declare.mapping(provisioned=ProvisionedPollers(2, 2))))
    assert [pace.call_at(20, 0.0) for _ in range(3)] == pytest.approx([0.0, 0.05, 0.10])
    pace.took(2 * 1024 * 1024, 20, 0.0)
    assert pace.call_at(20, 0.2) == pytest.approx(1.0)


def test_pollers_of_aws_have_none() -> None:
    """Without provisioned pollers no call waits."""
    pace = Pace(policy_of(declare.mapping()))
    assert [pace.call_at(5, 1.0) for _ in range(3)] == [1.0, 1.0, 1.0]


def test_no_growth_without_waiting_messages() -> None:
    """Fewer batches in hand than permitted, or a receive that came back empty: no growth."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    scaler.load(4, 0.0)
    scaler.advance(50.0)
    assert scaler.concurrency == 5
    scaler.load(5, 50.0)
    scaler.found_nothing(51.0)
    assert scaler.concurrency == 10
    scaler.load(5, 51.0)
    scaler.advance(55.0)
    assert scaler.concurrency == 10


def test_back_to_five_then_two() -> None:
    """Low traffic brings the mapping back to five, a quiet queue to two."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    scaler.load(5, 0.0)
    scaler._loaded = 50
    scaler.advance(10.0)
    assert scaler.concurrency == 55
    scaler.load(0, 10.0)
    assert scaler.next_change_at == 10.0 + limits.MAPPING_LOW_TRAFFIC_S
    scaler.advance(10.0 + limits.MAPPING_LOW_TRAFFIC_S)
    assert scaler.concurrency == 5
    scaler.advance(10.0 + limits.MAPPING_IDLE_S)
    assert scaler.concurrency == 2
    assert scaler.next_change_at is None


def test_low_traffic_leaves_twice_what_is_in_use() -> None:
    """After a minute under half of its capacity a mapping keeps room for as many batches again as it has in hand."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    scaler.load(5, 0.0)
    for second in range(1, 21):
        scaler.load(scaler.concurrency, float(second))
    assert scaler.concurrency == 100
    scaler.load(20, 20.0)
    scaler.advance(20.0 + limits.MAPPING_LOW_TRAFFIC_S - 0.1)
    assert scaler.concurrency == 100
    assert scaler.next_change_at == 20.0 + limits.MAPPING_LOW_TRAFFIC_S
    scaler.advance(20.0 + limits.MAPPING_LOW_TRAFFIC_S)
    assert scaler.concurrency == 40


def test_maximum_concurrency_keeps_its_pollers() -> None:
    """With MaximumConcurrency a quiet queue does not go below the beginning."""
    scaler = Scaler(policy_of(declare.mapping(maximum_concurrency=20)), 0.0)
    scaler.advance(10_000.0)
    assert scaler.concurrency == 5


def test_two_grow_again() -> None:
    """From two, waiting messages make it grow as from five."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    scaler.advance(limits.MAPPING_IDLE_S)
    scaler.load(2, 400.0)
    scaler.advance(400.2)
    assert scaler.concurrency == 3


def test_failures_slow_it_down() -> None:
    """Without partial batch responses each failed batch takes one away, down to two; with them none."""
    slowed, steady = (
        Scaler(policy_of(declare.mapping(reports_batch_item_failures=reports)), 0.0) for reports in (False, True)
    )
    for scaler in (slowed, steady):
        for second in range(10):
            scaler.invocation_failed(float(second))
    assert (slowed.concurrency, steady.concurrency) == (2, 5)


def test_repr_tells_the_trend() -> None:
    """The figure and its trend can be read at a glance."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    assert repr(scaler) == "<Scaler [0 loaded of 5, idle]>"
    scaler.load(5, 0.0)
    assert repr(scaler) == "<Scaler [5 loaded of 5, growing]>"
