"""The search against simulated queues whose capacity is known."""

from __future__ import annotations

import heapq
import random
from dataclasses import replace

import pytest

from simulator.load.plan.capacity_search import PROBES_MAX, CapacitySearch, Probe, ProbeOutcome, slope


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
    assert state.sustained_per_s is not None
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
