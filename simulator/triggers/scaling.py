"""How many batches an event source mapping may process at once, over time. Pure: instants in, a number out.

AWS: Lambda Developer Guide, "Scaling behavior for SQS event source mappings" (services-sqs-scaling). While messages
wait, `concurrency(t) = min(ceiling, initial + floor(growth x t / 60))`, with t counted from the moment when all
permitted batches are in progress. AWS publishes no curve for scaling down: the figures for it in `limits.py` are our
own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.base import limits
from simulator.stack.model import EventSourceMapping


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """Where a mapping begins, how it grows, where it stops, and whether failures slow it down."""

    initial: int
    idle: int
    ceiling: int
    growth_per_minute: int
    slows_on_failure: bool
    provisioned: bool = False


def policy_of(mapping: EventSourceMapping) -> ScalingPolicy:
    """The policy for the mapping's settings; with `ReportBatchItemFailures` failed invocations do not slow it down."""
    slows = not mapping.reports_batch_item_failures
    if mapping.provisioned is not None:
        each, growth = limits.PROVISIONED_POLLER_CONCURRENCY, limits.PROVISIONED_GROWTH_PER_MINUTE
        least = mapping.provisioned.minimum * each
        most = min(mapping.provisioned.maximum * each, limits.PROVISIONED_CONCURRENCY)
        return ScalingPolicy(least, least, most, growth, slows, provisioned=True)
    ceiling = limits.MAPPING_CONCURRENCY if mapping.maximum_concurrency is None else mapping.maximum_concurrency
    initial = min(limits.MAPPING_INITIAL_CONCURRENCY, ceiling)
    idle = limits.MAPPING_IDLE_CONCURRENCY if mapping.maximum_concurrency is None else initial
    return ScalingPolicy(initial, idle, ceiling, limits.MAPPING_GROWTH_PER_MINUTE, slows)


class Scaler:
    """One mapping's concurrency. Report what happens, with the instant; then read `concurrency`.

    `next_change_at` is when `advance` would find a different figure if nothing else happens (None: never).
    """

    def __init__(self, policy: ScalingPolicy, now: float) -> None:
        self.policy = policy
        self.concurrency = policy.initial
        self._grows_since: tuple[float, int] | None = None  # the instant, and the concurrency at that time
        self._low_since: float | None = now
        self._idle_since: float | None = now
        self._loaded = 0  # batches in progress that have messages

    def __repr__(self) -> str:
        trend = "growing" if self._grows_since else "idle" if self._idle_since is not None else "level"
        return f"<Scaler [{self._loaded} loaded of {self.concurrency}, {trend}]>"

    def load(self, loaded: int, now: float) -> None:
        """`loaded` batches with messages are in progress. If that is all that is permitted, growth begins."""
        self.advance(now)
        self._loaded = loaded
        if loaded >= self.concurrency:
            self._grows_since = self._grows_since or (now, self.concurrency)
        self._low_since = None if loaded * 2 >= self.concurrency else self._low_since or now
        self._idle_since = None if loaded else self._idle_since or now
        self._stop_unused_growth()

    def found_nothing(self, now: float) -> None:
        """A receive found no message at first: none waits, so growth ends."""
        self.advance(now)
        self._grows_since = None

    def invocation_failed(self, now: float) -> None:
        """A function error or a throttle: one step down, unless the function reports batch item failures."""
        self.advance(now)
        if self.policy.slows_on_failure:
            self.concurrency = max(min(self.policy.idle, self.policy.initial), self.concurrency - 1)
            self._grows_since = None

    def advance(self, now: float) -> None:
        """Bring `concurrency` up to date."""
        if self._grows_since:
            since, base = self._grows_since
            # Dividing gives the instant of a step: without this nudge it would round to just before itself.
            grown = math.floor((now - since) * self.policy.growth_per_minute / 60 + 1e-6)
            self.concurrency = min(self.policy.ceiling, base + grown)
            self._stop_unused_growth()
        if self._low_since is not None and now >= self._low_since + limits.MAPPING_LOW_TRAFFIC_S:
            self.concurrency = min(self.concurrency, max(self.policy.initial, self._loaded * 2))
        if self._idle_since is not None and now >= self._idle_since + limits.MAPPING_IDLE_S:
            self.concurrency = min(self.concurrency, self.policy.idle)

    @property
    def next_change_at(self) -> float | None:
        """When the figure changes through time alone."""
        instants = []
        if self._grows_since and self.concurrency < self.policy.ceiling:
            since, base = self._grows_since
            instants.append(since + (self.concurrency + 1 - base) * 60 / self.policy.growth_per_minute)
        if self._low_since is not None and self.concurrency > max(self.policy.initial, self._loaded * 2):
            instants.append(self._low_since + limits.MAPPING_LOW_TRAFFIC_S)
        if self._idle_since is not None and self.concurrency > self.policy.idle:
            instants.append(self._idle_since + limits.MAPPING_IDLE_S)
        return min(instants, default=None)

    def _stop_unused_growth(self) -> None:
        """Less than half of what is permitted is used, so no message waits for more."""
        if self._loaded * 2 < self.concurrency:
            self._grows_since = None


class Pace:
    """How soon a mapping may poll the queue again: each provisioned poller has a limit for calls and for bytes."""

    def __init__(self, policy: ScalingPolicy) -> None:
        self._policy = policy
        self._calls_spent_until = 0.0
        self._bytes_spent_until = 0.0

    def call_at(self, concurrency: int, now: float) -> float:
        """Return the instant of the next allowed call, and consume it; `now` without a limit."""
        if not self._policy.provisioned:
            return now
        due_at = max(now, self._calls_spent_until, self._bytes_spent_until)
        self._calls_spent_until = due_at + 1 / (limits.PROVISIONED_POLLER_CALLS_PER_S * self._pollers(concurrency))
        return due_at

    def took(self, body_bytes: int, concurrency: int, now: float) -> None:
        """Count the bytes of the messages that a call received."""
        if self._policy.provisioned:
            spent_s = body_bytes / (limits.PROVISIONED_POLLER_BYTES_PER_S * self._pollers(concurrency))
            self._bytes_spent_until = max(now, self._bytes_spent_until) + spent_s

    @staticmethod
    def _pollers(concurrency: int) -> int:
        return math.ceil(concurrency / limits.PROVISIONED_POLLER_CONCURRENCY)
