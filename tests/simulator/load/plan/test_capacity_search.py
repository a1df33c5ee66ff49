"""The search against simulated queues whose capacity is known."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import replace

import pytest

from simulator.load.plan.capacity_search import PROBES_MAX, CapacitySearch, Probe, ProbeOutcome, SearchStage, slope


class Queue:
    """A pipeline in arithmetic: `servers` take objects in turn, each for a noisy time; slow at first, as cold ones are.

    Its capacity is `servers / service_s`.
    """

    def __init__(
        self, capacity_per_s: float, servers: int, noise: float = 0.3, warm_up_s: float = 0.0, seed: int = 1
    ) -> None:
        self.service_s = servers / capacity_per_s
        self.servers, self.noise, self.warm_up_s = servers, noise, warm_up_s
        self.chance = random.Random(seed)
        self.age_s = 0.0
        self.offered = 0

    def offer(self, probe: Probe, slo_s: float = 5.0) -> ProbeOutcome:
        """Let the probe's arrivals through from an empty queue, and measure as the runner does."""
        length_s = probe.warm_up_s + probe.window_s
        free = [0.0] * self.servers
        arrivals = [number / probe.rate_per_s for number in range(int(length_s * probe.rate_per_s))]
        stored = []
        for at in arrivals:
            start = max(at, heapq.heappop(free))
            cold = 3.0 if self.age_s + start < self.warm_up_s else 1.0
            end = start + self.service_s * cold * max(0.1, self.chance.gauss(1, self.noise))
            heapq.heappush(free, end)
            stored.append(end)
        self.age_s += length_s
        self.offered += len(arrivals)
        window = [number for number, at in enumerate(arrivals) if at >= probe.warm_up_s]
        out = [end for end in stored if probe.warm_up_s <= end < length_s]
        samples = []
        for tick in range(int(probe.window_s / 0.25) + 1):
            at = probe.warm_up_s + tick * 0.25
            samples.append((at, float(sum(a <= at for a in arrivals) - sum(end <= at for end in stored))))
        growth, error = slope(samples)
        latencies = sorted(stored[number] - arrivals[number] for number in window)
        return ProbeOutcome(
            probe.rate_per_s, len(out) / probe.window_s, growth, error, latencies[int(len(latencies) * 0.99)] < slo_s
        )


def search(queue: Queue, start_per_s: float) -> CapacitySearch:
    """Run a search to its end."""
    state = CapacitySearch(start_per_s)
    while (probe := state.probe) is not None:
        state = state.after(queue.offer(probe))
    return state


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("capacity", "servers"), [(12, 5), (47, 10), (180, 10), (900, 50)])
def test_the_answer_is_within_five_per_cent_of_a_noisy_queue(capacity: float, servers: int, seed: int) -> None:
    """Service times that vary by 30 % do not move the answer out of 5 %, wherever the search starts."""
    state = search(Queue(capacity, servers, seed=seed), start_per_s=capacity / 7)
    assert state.answer_per_s == pytest.approx(capacity, rel=0.05)
    assert state.confirmed


@pytest.mark.parametrize("seed", range(4))
def test_a_queue_that_warms_up_is_judged_warm(seed: int) -> None:
    """A second and a half at a third of the speed fall into the warm-up and do not lower the answer."""
    state = search(Queue(200, 10, noise=0.2, warm_up_s=1.5, seed=seed), start_per_s=100)
    assert state.answer_per_s == pytest.approx(200, rel=0.05)


@pytest.mark.parametrize("start", [1, 30, 390, 5000])
def test_the_start_does_not_matter(start: float) -> None:
    """From far below to far above, the answer is the same within 5 %."""
    assert search(Queue(300, 8, seed=3), start).answer_per_s == pytest.approx(300, rel=0.05)


def test_the_search_takes_few_probes() -> None:
    """From a quarter of the capacity it ends within nine probes: a person waits for it."""
    taken = [len(search(Queue(240, 10, seed=seed), 60).outcomes) for seed in range(10)]
    assert max(taken) <= 9


def test_the_latency_bound_can_be_what_limits() -> None:
    """Where the latency breaks its bound at 40/s though the backlog is level, the answer is just below 40/s."""
    state = CapacitySearch(10)
    while (probe := state.probe) is not None:
        rate = probe.rate_per_s
        state = state.after(ProbeOutcome(rate, rate, 0.0, 0.0, latency_held=rate < 40))
    assert state.answer_per_s is not None
    assert 38 <= state.answer_per_s < 40


def test_an_arrival_that_could_not_be_sent_fails_the_rate() -> None:
    """A rate at which arrivals are dropped is not sustained, however good the rest looks."""
    assert not ProbeOutcome(100, 100, 0.0, 0.0, latency_held=True, refused=1).sustained


def test_a_ceiling_ends_the_climb() -> None:
    """With everything sustained, the search ends at the highest rate that can be offered, and says so."""
    state = CapacitySearch(10, ceiling_per_s=50)
    while (probe := state.probe) is not None:
        state = state.after(ProbeOutcome(probe.rate_per_s, probe.rate_per_s, 0.0, 0.0, latency_held=True))
    assert state.answer_per_s == 50
    assert "no higher rate can be offered" in state.reason


def test_a_queue_that_takes_nothing_ends_the_search_without_an_answer() -> None:
    """Nothing sustained: no figure is made up."""
    state = CapacitySearch(20)
    while (probe := state.probe) is not None:
        state = state.after(ProbeOutcome(probe.rate_per_s, 0.0, probe.rate_per_s, 0.0, latency_held=False))
    assert state.answer_per_s is None
    assert len(state.outcomes) <= PROBES_MAX
    assert "not even" in state.reason


def test_a_confirmation_that_fails_takes_the_answer_back() -> None:
    """A rate that held by luck and fails the longer look twice is not the answer."""
    lucky = Queue(100, 10, seed=1)
    state = CapacitySearch(50)
    failed_confirmations = 0
    while (probe := state.probe) is not None:
        outcome = lucky.offer(probe)
        if state.stage == "confirm" and failed_confirmations < 2:
            failed_confirmations += 1
            outcome = ProbeOutcome(
                probe.rate_per_s, probe.rate_per_s * 0.97, probe.rate_per_s * 0.03, 0.0, latency_held=False
            )
            refused = probe.rate_per_s
        state = state.after(outcome)
    assert failed_confirmations == 2
    assert state.answer_per_s is not None
    assert state.answer_per_s < refused


def test_a_confirmation_that_fails_once_is_looked_at_again() -> None:
    """A neighbour's second of CPU during the confirmation costs a probe, not the answer."""
    queue = Queue(100, 10, seed=1)
    state = CapacitySearch(50)
    disturbed = None
    while (probe := state.probe) is not None:
        outcome = queue.offer(probe)
        if state.stage == "confirm" and disturbed is None:
            disturbed = probe.rate_per_s
            outcome = ProbeOutcome(
                probe.rate_per_s, probe.rate_per_s / 2, probe.rate_per_s / 2, 0.0, latency_held=False
            )
        state = state.after(outcome)
    assert state.answer_per_s == disturbed
    assert state.answer_per_s == pytest.approx(100, rel=0.05)


def test_a_first_probe_in_a_bad_moment_is_recovered_from() -> None:
    """An overload that showed next to nothing (a cold start, a busy machine) does not make the search crawl."""
    queue = Queue(100, 10, seed=2)
    state = CapacitySearch(60).after(ProbeOutcome(60, 0.5, 59, 0.5, latency_held=True))
    while (probe := state.probe) is not None:
        state = state.after(queue.offer(probe))
    assert state.sustained_per_s > 55
    assert len(state.outcomes) <= 10


def test_a_search_out_of_time_gives_what_held() -> None:
    """Ended early it answers with the best rate so far, and does not call it confirmed."""
    state = CapacitySearch(10).after(ProbeOutcome(10, 10, 0.0, 0.0, latency_held=True))
    state = replace(state, stage="done")
    assert state.probe is None
    assert (state.answer_per_s, state.confirmed) == (10, False)
    assert CapacitySearch(10, stage="done").reason == "no probe was made"


def test_a_steep_growth_is_no_noise() -> None:
    """Half of what comes in stays: whatever the samples' scatter says, the backlog grows."""
    assert not ProbeOutcome(94, 41, 48, 20, latency_held=True).sustained


@pytest.mark.parametrize(
    ("growth", "error", "grows"),
    [(2, 0, False), (3, 0, True), (5, 2, False), (5.5, 2, True), (15, 10, False), (15.5, 10, True)],
)
def test_a_backlog_grows_when_noise_does_not_explain_it(growth: float, error: float, grows: bool) -> None:
    """At 100/s: not up to 2/s, nor up to 2.5 standard errors unless it is above 15/s."""
    assert ProbeOutcome(100, 90, growth, error, latency_held=True).backlog_grows == grows


@pytest.mark.parametrize(
    ("rate", "stage", "window_s"),
    [(300, "climb", 4.0), (50, "close", 6.0), (10, "close", 12.0), (300, "confirm", 6.0), (10, "confirm", 18.0)],
)
def test_a_window_holds_300_arrivals_if_that_takes_no_twelve_seconds(
    rate: float, stage: SearchStage, window_s: float
) -> None:
    """It has four seconds at least; a confirmation looks half as long again. Each warms up for a second and a half."""
    assert CapacitySearch(rate, stage=stage).probe == Probe(rate, 1.5, window_s)


def held(rate: float) -> ProbeOutcome:
    """All was taken and kept its bound."""
    return ProbeOutcome(rate, rate, 0.0, 0.0, latency_held=True)


def slow(rate: float) -> ProbeOutcome:
    """The backlog is level, but the latency broke its bound."""
    return ProbeOutcome(rate, rate, 0.0, 0.0, latency_held=False)


def overloaded(rate: float, stored: float) -> ProbeOutcome:
    """The rest stayed in the queue."""
    return ProbeOutcome(rate, stored, rate - stored, 0.0, latency_held=False)


def between(lower: float, upper: float, shown: float | None = None) -> CapacitySearch:
    """A search whose bracket has these ends."""
    return CapacitySearch(1.0, stage="close", sustained_per_s=lower, exceeded_per_s=upper, shown_per_s=shown)


@pytest.mark.parametrize(
    ("state", "outcome", "stage", "rate"),
    [
        pytest.param(CapacitySearch(10), held(10), "climb", 20, id="it doubles"),
        pytest.param(CapacitySearch(10, ceiling_per_s=15), held(10), "climb", 15, id="up to what can be offered"),
        pytest.param(CapacitySearch(110), slow(110), "close", 110 / 1.1, id="the first is too slow: a tenth less"),
        pytest.param(CapacitySearch(80), overloaded(80, 60), "close", 60 * 0.985, id="just below what was shown"),
        pytest.param(CapacitySearch(80), overloaded(80, 0), "close", 10, id="but an eighth at least"),
        pytest.param(CapacitySearch(0.1), slow(0.1), "close", 0.1 / 1.1, id="one in ten seconds can be asked"),
        pytest.param(CapacitySearch(0.0999), slow(0.0999), "done", 0.0999, id="less is nothing"),
        pytest.param(between(50, 200), held(80), "close", math.sqrt(80 * 200), id="nothing is shown: the middle"),
        pytest.param(between(50, 200), slow(180), "close", math.sqrt(50 * 180), id="nor by a slow one"),
        pytest.param(between(50, 200, 100), held(93), "close", 100, id="what was shown is not near: it is next"),
        pytest.param(between(50, 200, 100), held(94), "close", 94 * 1.039, id="it is near: just above"),
        pytest.param(between(50, 200, 100), held(106), "close", 106 * 1.039, id="shown and held agree within 6 %"),
        pytest.param(between(50, 200, 100), held(107), "close", math.sqrt(107 * 200), id="what was shown is disproved"),
        pytest.param(
            between(100, 200), overloaded(190, 101), "close", 100 * 1.039, id="what was shown is known to hold"
        ),
        pytest.param(between(64, 200), overloaded(128, 64.768 / 0.985), "close", 64.768, id="1.2 % above is new"),
        pytest.param(between(50, 105.1468, 100), held(100), "close", 100 * 1.039, id="and so is 1.2 % below"),
        pytest.param(between(50, 104, 100), held(100), "confirm", 100, id="4 % apart: a longer look"),
        pytest.param(between(50, 104.1, 100), held(100), "close", math.sqrt(10_410), id="more: not yet"),
    ],
)
def test_what_a_probe_showed_decides_the_next(
    state: CapacitySearch, outcome: ProbeOutcome, stage: SearchStage, rate: float
) -> None:
    """The rate that leaves most to learn, by the rules in the module's text."""
    following = state.after(outcome)
    assert (following.stage, following.rate_per_s) == (stage, rate)


def test_a_search_says_how_it_stands_and_how_it_ended() -> None:
    """In words, probe by probe, with the rates on both sides."""
    said = []
    state = CapacitySearch(10)
    for outcome in (held(10), held(20), overloaded(40, 30), held(29.55), slow(29.55 * 1.039), held(29.55)):
        assert state.probe is not None
        assert state.probe.rate_per_s == outcome.rate_per_s
        assert state.answer_per_s is None
        said.append(state.reason)
        state = state.after(outcome)
    assert said == [
        "climb, probe 1",
        "climb, probe 2",
        "climb, probe 3",
        "close, probe 4",
        "close, probe 5",
        "confirm, probe 6",
    ]
    assert (state.answer_per_s, state.confirmed) == (29.55, True)
    assert state.reason == "29.55/s held, 30.7/s did not; confirmed by a longer probe"
    state = CapacitySearch(10, ceiling_per_s=10).after(held(10))
    assert (state.answer_per_s, state.confirmed) == (10, True)
    assert state.reason == "10/s held, and no higher rate can be offered"
    state = CapacitySearch(0.2).after(slow(0.2)).after(slow(0.09))
    assert (state.answer_per_s, state.confirmed) == (None, False)
    assert state.reason == "not even 0.09/s was sustained"


@pytest.mark.parametrize(("before", "left"), [((20, 10), 20), ((), None)])
def test_what_a_longer_look_refuses_twice_is_taken_back(before: tuple[float, ...], left: float | None) -> None:
    """The highest of the lower rates that held is left, if there is one; the next confirmation has two looks again."""
    outcomes = tuple(held(rate) for rate in (*before, 100))
    state = replace(between(100, 103), stage="confirm", rate_per_s=100, outcomes=outcomes).after(slow(100))
    assert (state.stage, state.rate_per_s, state.sustained_per_s, state.doubted) == ("confirm", 100, 100, True)
    state = state.after(slow(100))
    assert (state.stage, state.exceeded_per_s, state.doubted) == ("close", 100, False)
    assert replace(state, stage="done").answer_per_s == left


def test_the_fourteenth_probe_is_the_last() -> None:
    """The best rate so far is the answer, and is not called confirmed."""
    state = replace(between(50, 200), outcomes=(held(50),) * 12).after(held(80))
    assert state.probe is not None
    state = state.after(held(100))
    assert (state.probe, state.answer_per_s, len(state.outcomes)) == (None, 100, 14)
    assert state.reason == "100/s held, 200/s did not; not confirmed: time or probes ran out"


def test_a_level_backlog_with_noise_has_no_slope() -> None:
    """A random level sequence is rarely judged to grow; a true growth of 5 % is."""
    grew = 0
    for seed in range(100):
        chance = random.Random(seed)
        growth, error = slope([(tick / 4, 20 + chance.gauss(0, 5)) for tick in range(30)])
        grew += ProbeOutcome(10, 10, growth, error, latency_held=True).backlog_grows
    assert grew <= 3
    growth, error = slope([(tick / 4, tick / 4 * 5 + random.Random(tick).gauss(0, 2)) for tick in range(30)])
    assert growth == pytest.approx(5, abs=0.6)
    assert ProbeOutcome(100, 95, growth, error, latency_held=True).backlog_grows


@pytest.mark.parametrize(
    ("samples", "growth", "error"),
    [
        ([(0, 5), (1, 9)], 0, 0),
        ([(3, 1), (3, 2), (3, 9)], 0, 0),
        ([(0, 1), (1, 3), (2, 5)], 2, 0),
        ([(0, 0), (1, 0.3), (2, 0)], 0, math.sqrt(0.03)),
        ([(0, 0), (1, 1), (2, 1), (3, 2)], 0.6, math.sqrt(0.02)),
        ([(at, value / 2) for at, value in enumerate((0, 0, 1, 1, 0, 0))], 0, math.sqrt(2 / 75) / 2),
        ([(at, value + at) for at, value in enumerate((1, 1, -1, -1, -1, -1, 1, 1), 10)], 1, math.sqrt(22 / 315)),
        ([(at / 4, abs(at - 50)) for at in range(101)], 0, math.sqrt(775504 / 1009899)),
    ],
)
def test_a_slope_has_the_error_that_its_scatter_leaves(
    samples: list[tuple[float, float]], growth: float, error: float
) -> None:
    """By hand: none without three instants, and more where neighbours are alike, up to a correlation of 0.9."""
    assert slope(samples) == (pytest.approx(growth), pytest.approx(error))
