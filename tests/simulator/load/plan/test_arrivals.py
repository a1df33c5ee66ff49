"""The arrival profiles as arithmetic."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base.chance import stream
from simulator.load.plan.arrivals import Profile, Segment, constant, poisson_offsets, ramp, spike, steps

RATES = st.floats(min_value=0.5, max_value=2000)
DURATIONS = st.floats(min_value=0.1, max_value=5)


def test_a_constant_rate_plans_arrival_n_at_n_over_rate() -> None:
    """At 20/s the first arrival is at 0, the eleventh at half a second, and 30 s plan 600."""
    profile = constant(20, 30)
    assert profile.offset_s(0) == 0
    assert profile.offset_s(10) == 0.5
    assert profile.total == 600
    assert list(profile.offsets())[-1] == pytest.approx(29.95)


@pytest.mark.parametrize(
    ("rate", "duration", "total"),
    [
        (0.1, 30, 3),
        (0.3, 10, 3),
        (1 / 3, 9, 3),
        (2.5, 1, 3),
        (20, 0.01, 1),
        (7, 1 / 7, 1),
        (0.3, 7 / 0.3, 7),
        (2.3, 43_411_279.5652174, 99_845_943),
    ],
)
def test_the_total_counts_the_instants_before_the_end(rate: float, duration: float, total: int) -> None:
    """Rounding of floats neither adds an arrival nor takes one."""
    assert constant(rate, duration).total == total
    if total < 1000:
        assert len(list(constant(rate, duration).offsets())) == total


def test_a_ramp_plans_the_area_under_its_line() -> None:
    """From 10/s to 30/s in 10 s are 200 arrivals; arrival 125 falls where 10 t + t^2 = 125."""
    profile = ramp(10, 30, 10)
    assert profile.total == 200
    assert profile.offset_s(125) == pytest.approx((-10 + math.sqrt(100 + 500)) / 2)
    assert profile.rate_at(5) == 20
    assert profile.peak_per_s == 30
    assert ramp(30, 10, 10).peak_per_s == 30


def test_outside_of_the_run_nothing_is_planned() -> None:
    """Neither before it nor from its end on; what lies beyond the last arrival is planned for the end."""
    profile = constant(20, 30)
    assert [profile.rate_at(at) for at in (-0.1, 0, 29.9, 30)] == [0.0, 20, 20, 0.0]
    assert profile.offset_s(600) == profile.offset_s(1000) == 30


def test_a_ramp_may_start_at_zero_or_end_there() -> None:
    """From nothing to 20/s in 10 s are 100 arrivals, and the same downwards, mirrored."""
    up, down = ramp(0, 20, 10), ramp(20, 0, 10)
    assert up.total == down.total == 100
    assert up.offset_s(0) == 0
    assert up.offset_s(25) == pytest.approx(5)
    assert down.offset_s(75) == pytest.approx(5)


def test_steps_share_the_duration_equally() -> None:
    """Three steps in 6 s: 2 s each, and the second begins after the first one's arrivals."""
    profile = steps([10, 20, 40], 6)
    assert profile.total == 20 + 40 + 80
    assert [profile.rate_at(at) for at in (1, 3, 5)] == [10, 20, 40]
    assert profile.offset_s(20) == pytest.approx(2)
    assert profile.offset_s(60) == pytest.approx(4)


def test_a_spike_rises_at_two_fifths_and_falls_at_three() -> None:
    """100 s at 10/s with 200/s in the middle fifth."""
    profile = spike(10, 200, 100)
    assert [profile.rate_at(at) for at in (39.9, 40, 59.9, 60)] == [10, 200, 200, 10]
    assert profile.total == 400 + 4000 + 400
    assert profile.peak_per_s == 200


def planned_by(profile: Profile, offset_s: float) -> float:
    """The area under the rate from the start to an offset."""
    planned, start = 0.0, 0.0
    for segment in profile.segments:
        within = min(max(0.0, offset_s - start), segment.duration_s)
        slope = (segment.to_per_s - segment.from_per_s) / segment.duration_s
        planned += segment.from_per_s * within + slope * within**2 / 2
        start += segment.duration_s
    return planned


@given(st.lists(st.tuples(DURATIONS, RATES, RATES), min_size=1, max_size=4))
def test_offsets_undo_the_count_of_planned_arrivals(parts: list[tuple[float, float, float]]) -> None:
    """For any profile the offset of arrival n is where n arrivals are planned, rising, inside the run."""
    profile = Profile("any", tuple(Segment(*part) for part in parts))
    offsets = list(profile.offsets())
    assert len(offsets) == profile.total
    assert all(earlier <= later for earlier, later in pairwise(offsets))
    assert 0 <= offsets[0] <= offsets[-1] <= profile.duration_s + 1e-9
    for number in {0, len(offsets) // 2, len(offsets) - 1}:
        assert planned_by(profile, offsets[number]) == pytest.approx(number, abs=1e-6 * max(1, number))
        assert profile.offset_s(number) == pytest.approx(offsets[number], abs=1e-9)


def test_poisson_arrivals_have_the_rate_and_the_spread_of_chance() -> None:
    """4,000 planned: the count lies within four standard deviations, and the gaps vary as exponentials do."""
    offsets = list(poisson_offsets(constant(200, 20), seed=7))
    assert abs(len(offsets) - 4000) < 4 * math.sqrt(4000)
    gaps = [later - earlier for earlier, later in pairwise(offsets)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert deviation / mean == pytest.approx(1, abs=0.1)


def test_poisson_arrivals_follow_the_profile_and_the_seed() -> None:
    """In a spike four fifths of the arrivals come in its fifth; a seed repeats, another or a second offer differs."""
    profile = spike(50, 800, 10)
    offsets = list(poisson_offsets(profile, seed=1))
    assert sum(4 <= offset < 6 for offset in offsets) / len(offsets) == pytest.approx(0.8, abs=0.05)
    assert offsets == list(poisson_offsets(profile, seed=1)) != list(poisson_offsets(profile, seed=2))
    assert offsets != list(poisson_offsets(profile, seed=1, n=1))


def test_gaps_are_drawn_from_the_offers_own_stream() -> None:
    """One exponential draw for each arrival: at a constant rate an offset is their sum over the rate."""
    chance, reached, expected = stream(7, "arrivals", 2), 0.0, []
    while (reached := reached + chance.expovariate(1.0)) < 30:
        expected.append(pytest.approx(reached / 10))
    assert list(poisson_offsets(constant(10, 3), 7, n=2)) == expected


def test_steps_need_a_rate() -> None:
    """None at all is no profile."""
    with pytest.raises(ValueError, match="at least one rate"):
        steps([], 10)


@pytest.mark.parametrize(("start", "end"), [(-1, 20), (20, -1), (math.inf, 20), (20, math.nan)])
def test_both_ends_of_a_ramp_are_checked(start: float, end: float) -> None:
    """One impossible rate is enough."""
    with pytest.raises(ValueError, match="rate must be above zero"):
        ramp(start, end, 10)


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan])
def test_an_impossible_rate_is_refused(rate: float) -> None:
    """No profile has a rate of nothing, below nothing, or without bound."""
    with pytest.raises(ValueError, match="rate must be above zero"):
        constant(rate, 10)
    with pytest.raises(ValueError, match="length must be above zero"):
        constant(10, rate)
