"""From a recording to the evidence: when a run was behind, and what a probe showed."""

from __future__ import annotations

import pytest

from simulator.load.find_max import outcome_of
from simulator.load.measure.assess import busy_until, lag_of, pace, peak_backlog
from simulator.load.measure.bottleneck import Bottleneck
from simulator.load.measure.live import SLOTS, Live
from simulator.load.measure.recording import DROPPED, SENT, Recording
from simulator.load.measure.result import Span
from simulator.load.plan.arrivals import constant
from simulator.load.plan.capacity_search import Probe
from simulator.load.plan.slo import FIGURES
from simulator.run.bounds import parse


def a_span(rate: float, duration_s: float, capacity: float, *, cold_s: float = 0.0) -> tuple[Recording, Span]:
    """Arrivals at a rate into a pipeline that stores one after the other, after a cold start."""
    recording = Recording()
    numbers = recording.plan(1000 + offset for offset in constant(rate, duration_s).offsets())
    free_at = 1000 + cold_s
    for number in numbers:
        at = recording.planned[number]
        recording.fate(number, at, at + 0.002, SENT)
        free_at = max(free_at, at + 0.002) + 1 / capacity
        recording.store(number, free_at)
    return recording, Span(numbers, 1000.0, 1000.0 + duration_s, slice(None), drained_at=free_at)


def test_a_pipeline_that_keeps_up_is_not_behind() -> None:
    """Half the capacity: nothing lags, and the backlog is a single object."""
    recording, span = a_span(20, 20, 40)
    assert lag_of(recording, span, span.offered_at, 0.0).share == 0
    assert peak_backlog(recording, span)[0] <= 1


def test_a_cold_start_that_passes_is_not_held_against_it() -> None:
    """Two seconds without anything build a backlog that is gone by itself."""
    recording, span = a_span(20, 20, 60, cold_s=2.0)
    assert peak_backlog(recording, span)[0] >= 35
    assert lag_of(recording, span, span.offered_at, 0.0).share == 0


def test_half_the_capacity_is_behind_from_early_on() -> None:
    """Twice what it can take: half of the objects wait at the end, and the lag lasts to the end."""
    recording, span = a_span(40, 20, 20)
    lag = lag_of(recording, span, span.offered_at, 0.0)
    assert lag.share == pytest.approx(0.5, abs=0.03)
    assert lag.from_at is not None
    assert lag.to_at is not None
    assert lag.from_at < 1004
    assert lag.to_at > 1019
    depth, at = peak_backlog(recording, span)
    assert depth == pytest.approx(400, abs=10)
    assert at == pytest.approx(1020, abs=0.5)


def test_a_batching_window_is_no_lag() -> None:
    """With a window of five seconds, five seconds of arrivals wait by design."""
    recording, span = a_span(20, 20, 60, cold_s=5.0)
    assert lag_of(recording, span, 1006.0, 0.0).share > 0
    assert lag_of(recording, span, 1006.0, 5.0).share == 0


@pytest.mark.parametrize(("rate", "duration_s"), [(1, 1), (1, 3), (20, 1), (20, 20)])
def test_a_load_that_is_kept_up_with_has_its_own_rate(rate: float, duration_s: float) -> None:
    """Planned and stored, over the planned time: not over the milliseconds that a single object took."""
    recording, span = a_span(rate, duration_s, 200)
    end_at = busy_until(recording, span)
    assert end_at == span.offered_at
    assert pace(recording, span, span.begun_at, end_at) == (pytest.approx(rate), pytest.approx(rate))


def test_what_lasts_longer_than_the_arrivals_lowers_the_stored_rate_alone() -> None:
    """Twice the capacity: the stretch ends when nine tenths are stored; nothing of a span has no rate."""
    recording, span = a_span(40, 20, 20)
    end_at = busy_until(recording, span)
    assert end_at == pytest.approx(1036, abs=0.2)
    assert pace(recording, span, span.begun_at, end_at) == (pytest.approx(40), pytest.approx(20, rel=0.01))
    empty = Span(range(0), 1000.0, 1005.0, slice(None))
    assert busy_until(recording, empty) == 1005
    assert pace(recording, empty, 1000.0, 1005.0) == (0, 0)


PROBE = Probe(40, 1.5, 4.0)
BOUNDS = (parse("p99<5s", FIGURES),)


def test_a_probe_below_capacity_is_sustained() -> None:
    """Level backlog, latency kept, everything taken."""
    recording, span = a_span(40, 5.5, 80)
    outcome = outcome_of(recording, span, PROBE, BOUNDS)
    assert outcome.sustained
    assert outcome.stored_per_s == pytest.approx(40, rel=0.05)


def test_a_probe_above_capacity_shows_the_capacity() -> None:
    """The whole busy stretch, drain included, tells the rate at which it works."""
    recording, span = a_span(40, 5.5, 25)
    outcome = outcome_of(recording, span, PROBE, BOUNDS)
    assert not outcome.sustained
    assert outcome.growth_per_s == pytest.approx(15, rel=0.1)
    assert outcome.stored_per_s == pytest.approx(25, rel=0.02)


def test_a_probe_whose_latency_breaks_the_bound_is_not_sustained() -> None:
    """The bound that was asked for decides."""
    recording, span = a_span(40, 5.5, 80)
    assert not outcome_of(recording, span, PROBE, (parse("p99<1ms", FIGURES),)).sustained


def test_a_probe_with_dropped_or_late_arrivals_is_not_sustained() -> None:
    """What could not be sent, or not on time, was not held."""
    recording = Recording()
    numbers = recording.plan(1000 + offset for offset in constant(40, 5.5).offsets())
    for number in numbers:
        at = recording.planned[number]
        if number == 100:
            recording.fate(number, None, None, DROPPED)
        else:
            recording.fate(number, at, at + 0.01, SENT)
            recording.store(number, at + 0.05)
    span = Span(numbers, 1000.0, 1005.5, slice(None), drained_at=1006.0)
    assert outcome_of(recording, span, PROBE, BOUNDS).refused == 1
    late = Recording()
    late.plan(recording.planned)
    for number in numbers:
        late.fate(number, late.planned[number] + 0.5, late.planned[number] + 0.6, SENT)
        late.store(number, late.planned[number] + 0.7)
    assert outcome_of(late, span, PROBE, BOUNDS).refused > 100


def test_the_live_picture_holds_planned_stored_and_heat() -> None:
    """Each slot has its counts; the plan runs ahead of now; the verdict's tone is the dashboard's."""
    live = Live("store")
    profile = constant(20, 10)
    live.plan([1000 + offset for offset in profile.offsets()], profile, 1000.0)
    for number in range(40):
        at = 1000 + number / 20
        live.fate(at, at + 0.001, SENT)
        live.stored(at, at + 0.3)
    live.fate(1002.0, None, DROPPED)
    view = live.view(1002.0)
    assert sum(view.planned) == 200
    assert sum(view.stored) == 40
    assert sum(map(sum, view.heat)) == 40
    assert (view.sent, view.dropped, view.rate_planned) == (40, 1, 20)
    assert view.rate_sent == pytest.approx(20)
    assert view.lag_s == pytest.approx(0.001, rel=0.05)
    assert view.latency.p50 == pytest.approx(0.3, rel=0.01)
    assert (view.verdict, view.verdict_tone) == (None, "plain")
    live.judged(Bottleneck("store CPU", "the store's CPU", (), measures_the_emulator=True))
    assert (live.view(1002.0).verdict, live.view(1002.0).verdict_tone) == ("the store's CPU", "grows")


def test_the_live_picture_stays_bounded() -> None:
    """An hour's plan halves the resolution instead of growing, and loses nothing."""
    live = Live("store")
    profile = constant(1, 3600)
    live.plan([1000 + offset for offset in profile.offsets()], profile, 1000.0)
    view = live.view(1001.0)
    assert len(view.planned) <= SLOTS
    assert sum(view.planned) == 3600
