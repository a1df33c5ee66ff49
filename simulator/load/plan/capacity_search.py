"""The search for the highest sustainable rate, as a state machine without clock or I/O.

A probe offers a constant rate: first a warm-up that does not count, then a window that does. Its outcome decides the
next probe. A rate is sustained if the latency meets its bound and the backlog does not grow. A probe above capacity
is worth more than a no, because the rate at which a never-empty queue drains *is* the capacity.

The search doubles the rate until the pipeline is overloaded, then narrows the bracket, each time aiming at the capacity
that the overload showed. A longer probe confirms the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import linear_regression, pvariance
from typing import Literal

from simulator.base.words import significant

RESOLUTION = 1.04
"""The bracket is narrow enough when its upper rate is at most this many times its lower one."""
STEP_UP = 2.0
"""The factor between probes until one is too much."""
BELOW_CAPACITY = 0.985
"""Where the next probe aims, as a share of the capacity that an overload showed."""
NEAR = 0.94
"""From this share of the shown capacity on, the next probe after a rate that held goes just above it."""
DISPROVED = 1.06
"""A rate that held, at more than this many times the shown capacity, proves that capacity wrong."""
JUST_ABOVE = 1.039
"""The factor by which it goes above: if that probe fails, the bracket is narrow enough."""
CLOSEST = 1.012
"""No probe comes closer than this factor to a rate whose outcome is known."""
GROWTH_SHARE = 0.02
"""A backlog that grows by less than this share of the offered rate counts as steady..."""
GROWTH_DEVIATIONS = 2.5
"""... and so does one whose growth is within this many standard errors of zero."""
GROWTH_BEYOND_DOUBT = 0.15
"""Noise alone never makes a backlog grow by this share of the rate through a whole window."""
PROBES_MAX = 14
"""The search ends after this many probes in any case, because each takes time."""
WINDOW_ARRIVALS = 300
"""A window should have this many arrivals, so that a growth of a few per cent stands out from the noise."""

SearchStage = Literal["climb", "close", "confirm", "done"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A rate to offer: `warm_up_s` that do not count, then `window_s` that do."""

    rate_per_s: float
    warm_up_s: float
    window_s: float


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What a probe showed in its window.

    `stored_per_s` counts what was stored in the window, whenever it was put. `growth_per_s` is the slope of the
    backlog, `growth_error_per_s` its standard error. `latency_held` says whether the latency met its bound; `refused`
    counts arrivals that were dropped, failed or could not be sent on time.
    """

    rate_per_s: float
    stored_per_s: float
    growth_per_s: float
    growth_error_per_s: float
    latency_held: bool
    refused: int = 0

    @property
    def backlog_grows(self) -> bool:
        """Whether the growth is more than noise and not a negligible share of the rate, or a large share of it."""
        excess = self.growth_per_s - GROWTH_DEVIATIONS * self.growth_error_per_s
        level = self.growth_per_s <= GROWTH_SHARE * self.rate_per_s
        return not level and (excess > 0 or self.growth_per_s > GROWTH_BEYOND_DOUBT * self.rate_per_s)

    @property
    def sustained(self) -> bool:
        """Whether the latency met its bound, the backlog was steady and every arrival was accepted."""
        return self.latency_held and not self.backlog_grows and self.refused == 0


@dataclass(frozen=True, slots=True)
class CapacitySearch:
    """The state of the search. `probe` is what to do next (None: done); pass its outcome to `after`.

    `sustained_per_s` is the highest rate that held (0: none has), `exceeded_per_s` the lowest that did not (infinite:
    none yet), `shown_per_s` the capacity that the latest overload showed. `doubted`: one confirmation has failed.
    """

    rate_per_s: float
    window_s: float = 4.0
    warm_up_s: float = 1.5
    ceiling_per_s: float = math.inf
    stage: SearchStage = "climb"
    sustained_per_s: float = 0.0
    exceeded_per_s: float = math.inf
    shown_per_s: float | None = None
    outcomes: tuple[ProbeOutcome, ...] = ()
    confirmed: bool = False
    doubted: bool = False

    @property
    def probe(self) -> Probe | None:
        """The next probe, or None when the search has ended. Low rates and the confirmation take longer windows."""
        if self.stage == "done":
            return None
        window_s = min(3 * self.window_s, max(self.window_s, WINDOW_ARRIVALS / self.rate_per_s))
        return Probe(self.rate_per_s, self.warm_up_s, window_s * (1.5 if self.stage == "confirm" else 1.0))

    @property
    def answer_per_s(self) -> float | None:
        """The highest rate that held, once the search is done; None if no rate did."""
        return self.sustained_per_s or None if self.stage == "done" else None

    @property
    def reason(self) -> str:
        """How the search ended, or where it is, in words."""
        if self.stage != "done":
            return f"{self.stage}, probe {len(self.outcomes) + 1}"
        if not self.outcomes:
            return "no probe was made"
        if not self.sustained_per_s:
            return f"not even {significant(self.outcomes[-1].rate_per_s)}/s was sustained"
        if self.exceeded_per_s == math.inf:
            return f"{significant(self.sustained_per_s, 4)}/s held, and no higher rate can be offered"
        kept = "confirmed by a longer probe" if self.confirmed else "not confirmed: time or probes ran out"
        return f"{significant(self.sustained_per_s, 4)}/s held, {significant(self.exceeded_per_s, 4)}/s did not; {kept}"

    def after(self, outcome: ProbeOutcome) -> CapacitySearch:
        """The state of the search after a probe with this outcome."""
        search = replace(self, outcomes=(*self.outcomes, outcome))
        search = _held(search, outcome) if outcome.sustained else _failed(search, outcome)
        return replace(search, stage="done") if len(search.outcomes) >= PROBES_MAX else search


def _held(state: CapacitySearch, outcome: ProbeOutcome) -> CapacitySearch:
    held = replace(state, sustained_per_s=outcome.rate_per_s)
    if state.stage == "confirm":
        return replace(held, stage="done", confirmed=True)
    if state.exceeded_per_s == math.inf:
        if outcome.rate_per_s >= state.ceiling_per_s:
            return replace(held, stage="done", confirmed=True)
        return replace(held, rate_per_s=min(state.ceiling_per_s, outcome.rate_per_s * STEP_UP))
    shown = state.shown_per_s
    if shown is not None and outcome.rate_per_s > DISPROVED * shown:
        # That overload came at a bad moment: what it showed is not the capacity.
        held, shown = replace(held, shown_per_s=None), None
    near = shown is not None and outcome.rate_per_s >= NEAR * shown
    return _aim(held, outcome.rate_per_s if near else shown or state.exceeded_per_s)


def _failed(state: CapacitySearch, outcome: ProbeOutcome) -> CapacitySearch:
    exceeded, sustained = outcome.rate_per_s, state.sustained_per_s
    if state.stage == "confirm":
        if not state.doubted:
            # One probe held and a longer one did not: on a shared machine, a third decides.
            return replace(state, doubted=True)
        # A longer probe disproved a shorter one; every lower rate has held.
        sustained = max((past.rate_per_s for past in state.outcomes if past.rate_per_s < exceeded), default=0.0)
    failed = replace(state, sustained_per_s=sustained, exceeded_per_s=exceeded, stage="close", doubted=False)
    # Only a queue that is never empty shows the capacity; with a smaller backlog, the rate itself is the upper limit.
    if not outcome.backlog_grows:
        return _aim(failed, exceeded)
    return _aim(replace(failed, shown_per_s=outcome.stored_per_s), outcome.stored_per_s * BELOW_CAPACITY)


def _aim(state: CapacitySearch, towards_per_s: float) -> CapacitySearch:
    """Choose the next rate in the bracket, as close to `towards_per_s` as is still informative."""
    upper, lower = state.exceeded_per_s, state.sustained_per_s
    if not lower:
        if upper < 0.1:
            return replace(state, stage="done")
        return replace(state, rate_per_s=min(upper / 1.1, max(towards_per_s, upper / 8)))
    if upper / lower <= RESOLUTION:
        return replace(state, stage="confirm", rate_per_s=lower)
    if towards_per_s < lower * CLOSEST:
        # That rate is already known to hold.
        towards_per_s = lower * JUST_ABOVE
    if towards_per_s > upper / CLOSEST:
        towards_per_s = math.sqrt(lower * upper)
    return replace(state, rate_per_s=towards_per_s)


def slope(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """The least-squares slope of (instant, value) samples and its standard error; (0, 0) with fewer than three.

    Neighbouring samples of a backlog are not independent, so their lag-one correlation widens the error.
    """
    if len(samples) < 3:
        return 0.0, 0.0
    instants = [at for at, _ in samples]
    spread = pvariance(instants) * len(samples)
    if spread == 0:
        return 0.0, 0.0
    found, start = linear_regression(instants, [value for _, value in samples])
    residuals = [value - start - found * at for at, value in samples]
    squares = math.fsum(residual**2 for residual in residuals)
    error = math.sqrt(squares / (len(samples) - 2) / spread)
    if squares > 0:
        joint = math.fsum(a * b for a, b in pairwise(residuals))
        correlation = min(0.9, max(0.0, joint / squares))
        error *= math.sqrt((1 + correlation) / (1 - correlation))
    return found, error
