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
    """The trace of a scaler whose permitted batches are all in progress, from change to change."""
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
    """Five at first, 300 more per minute, 1,250 at last, after 249 s: every step of the trace agrees."""
    policy = policy_of(declare.mapping())
    trace = saturated(Scaler(policy, 0.0), until=600)
    assert [count for _, count in trace] == list(range(5, 1251))
    assert all(count == closed_form(policy, at) for at, count in trace)
    assert trace[-1][0] == pytest.approx(249.0)


@given(st.floats(0, 400, allow_nan=False))
def test_ramp_at_any_instant(at: float) -> None:
    """At any instant, without a step between, the figure is the closed form's."""
    policy = ScalingPolicy(5, 2, 1250, 300, True)
    scaler = Scaler(policy, 0.0)
    scaler.load(5, 0.0)
    scaler._loaded = 1250  # all that is permitted stays in hand meanwhile
    scaler.advance(at)
    assert scaler.concurrency == closed_form(policy, at)


@pytest.mark.parametrize(("maximum", "initial"), [(2, 2), (5, 5), (12, 5), (1000, 5)])
def test_maximum_concurrency(maximum: int, initial: int) -> None:
    """MaximumConcurrency is the ceiling, and also the start if it is under five."""
    trace = saturated(Scaler(policy_of(declare.mapping(maximum_concurrency=maximum)), 0.0), until=600)
    assert (trace[0][1], trace[-1][1]) == (initial, maximum)


def test_provisioned_pollers() -> None:
    """There are ten batches per poller from the minimum to the maximum, and 1,000 more per minute."""
    policy = policy_of(declare.mapping(provisioned=ProvisionedPollers(3, 20)))
    trace = saturated(Scaler(policy, 0.0), until=600)
    assert (trace[0], trace[-1][1]) == ((0.0, 30), 200)
    assert trace[-1][0] == pytest.approx(170 * 60 / 1000)


def test_provisioned_pollers_have_a_rate() -> None:
    """Two pollers make 20 calls per second, and 2 MB of messages take them a second."""
    pace = Pace(policy_of(declare.mapping(provisioned=ProvisionedPollers(2, 2))))
    assert [pace.call_at(20, 0.0) for _ in range(3)] == pytest.approx([0.0, 0.05, 0.10])
    pace.took(2 * 1024 * 1024, 20, 0.0)
    assert pace.call_at(20, 0.2) == pytest.approx(1.0)


def test_a_poller_begun_counts_as_one() -> None:
    """Fifteen batches need two pollers, five need one, with 10 calls per second each."""
    pace = Pace(policy_of(declare.mapping(provisioned=ProvisionedPollers(2, 2))))
    assert pace.call_at(15, 0.0) == 0.0
    assert pace.call_at(5, 0.0) == pytest.approx(0.05)
    assert pace.call_at(5, 0.0) == pytest.approx(0.15)


def test_bytes_of_two_receives_add_up() -> None:
    """The bytes of one receive wait for those of the receives before it."""
    pace = Pace(policy_of(declare.mapping(provisioned=ProvisionedPollers(2, 2))))
    for _ in range(3):
        pace.took(1024 * 1024, 20, 0.0)
    assert pace.call_at(20, 0.0) == pytest.approx(1.5)
    pace.took(1024 * 1024, 20, 9.0)
    assert pace.call_at(20, 0.0) == pytest.approx(9.5)


def test_pollers_of_aws_have_none() -> None:
    """Without provisioned pollers no call waits."""
    pace = Pace(policy_of(declare.mapping()))
    assert [pace.call_at(5, 1.0) for _ in range(3)] == [1.0, 1.0, 1.0]


def test_no_growth_without_waiting_messages() -> None:
    """Without enough batches, or after an empty receive, there is no growth."""
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
    """After a minute under half of its capacity, a mapping keeps room for twice the batches in progress."""
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


def grown_to(concurrency: int) -> Scaler:
    """A scaler under full load since 0.0, at the instant at which it reaches this figure."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    scaler.load(5, 0.0)
    while scaler.concurrency < concurrency:
        at = scaler.next_change_at
        assert at is not None
        scaler.load(scaler.concurrency, at)
    assert scaler.concurrency == concurrency
    return scaler


def test_half_in_use_is_not_low() -> None:
    """With exactly half of its batches in progress a mapping keeps them; with one fewer it has low traffic."""
    half, fewer = grown_to(100), grown_to(100)
    for scaler, loaded in ((half, 50), (fewer, 49)):
        scaler.found_nothing(19.0)
        scaler.load(loaded, 19.0)
    assert half.next_change_at is None
    assert fewer.next_change_at == 19.0 + limits.MAPPING_LOW_TRAFFIC_S
    for scaler in (half, fewer):
        scaler.advance(19.0 + limits.MAPPING_LOW_TRAFFIC_S)
    assert (half.concurrency, fewer.concurrency) == (100, 98)
    assert fewer.next_change_at is None


def test_half_in_use_goes_on_growing() -> None:
    """Growth continues while half is in use, and ends with one batch fewer."""
    half, fewer = grown_to(100), grown_to(100)
    half.load(50, 19.0)
    fewer.load(49, 19.0)
    assert half.next_change_at == pytest.approx(19.2)
    assert fewer.next_change_at == 19.0 + limits.MAPPING_LOW_TRAFFIC_S


def test_low_traffic_begins_below_half() -> None:
    """The time at exactly half does not count as low traffic."""
    scaler = grown_to(100)
    scaler.found_nothing(19.0)
    scaler.load(50, 19.0)
    scaler.load(49, 60.0)
    assert scaler.next_change_at == 60.0 + limits.MAPPING_LOW_TRAFFIC_S


def test_growth_beyond_twice_the_use_ends() -> None:
    """Batches that are all in use when low traffic begins do not make a mapping grow endlessly; nothing is due then."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    scaler.load(5, 0.0)
    scaler.advance(1.2)
    assert (scaler.concurrency, scaler.next_change_at) == (11, None)


def test_growth_counts_from_its_beginning() -> None:
    """Repeated reports that all is in use do not slow the growth."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    for tenth in range(101):
        scaler.load(scaler.concurrency, tenth / 10)
    assert scaler.concurrency == 55


def test_a_quiet_queue_says_when_it_goes_to_two() -> None:
    """A mapping that never had a message is due once: at the end of the idle time."""
    scaler = Scaler(policy_of(declare.mapping()), 7.0)
    assert scaler.next_change_at == 7.0 + limits.MAPPING_IDLE_S
    scaler.load(0, 8.0)
    scaler.advance(7.0 + limits.MAPPING_IDLE_S - 0.1)
    assert scaler.concurrency == 5
    scaler.advance(7.0 + limits.MAPPING_IDLE_S)
    assert (scaler.concurrency, scaler.next_change_at) == (2, None)


def test_low_traffic_counts_from_its_beginning() -> None:
    """Low traffic does not start again with each batch; a busy instant restarts it."""
    scaler = grown_to(100)
    scaler.load(10, 20.0)
    scaler.load(11, 50.0)
    assert scaler.next_change_at == 20.0 + limits.MAPPING_LOW_TRAFFIC_S
    scaler.load(60, 60.0)
    scaler.load(11, 70.0)
    assert scaler.next_change_at == 70.0 + limits.MAPPING_LOW_TRAFFIC_S


def test_a_failure_takes_one_of_what_had_grown_by_then() -> None:
    """Growth up to the failure counts; growth after it needs a full load again."""
    scaler = Scaler(policy_of(declare.mapping(reports_batch_item_failures=False)), 0.0)
    scaler.load(5, 0.0)
    scaler._loaded = 1250
    scaler.invocation_failed(2.0)
    assert scaler.concurrency == 14
    scaler.advance(4.0)
    assert scaler.concurrency == 14


def test_maximum_concurrency_keeps_its_pollers() -> None:
    """With MaximumConcurrency a quiet queue does not go below the start."""
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


def test_a_failure_takes_one() -> None:
    """One failed batch is one step."""
    scaler = Scaler(policy_of(declare.mapping(reports_batch_item_failures=False)), 0.0)
    scaler.invocation_failed(0.0)
    assert scaler.concurrency == 4


def test_repr_shows_the_trend() -> None:
    """The figure and its trend can be read at a glance."""
    scaler = Scaler(policy_of(declare.mapping()), 0.0)
    assert repr(scaler) == "<Scaler [0 loaded of 5, idle]>"
    scaler.load(5, 0.0)
    assert repr(scaler) == "<Scaler [5 loaded of 5, growing]>"
