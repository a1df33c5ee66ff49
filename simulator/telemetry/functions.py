"""Counts of one function: its invocations, environments and own metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from simulator.base.observations import InvocationEnded, InvocationStarted
from simulator.telemetry.snapshot import FunctionView

_SHOWN = (
    *("invocations", "ended", "errors", "timeouts", "throttles", "left"),
    *("cold_starts", "busy_max", "concurrency", "messages"),
)
_GAUGES = ("busy", "environments")


class Ended(NamedTuple):
    """A function's work so far: invocations that ended, messages given to it, billed time."""

    invocations: int = 0
    messages: int = 0
    duration_s: float = 0.0


class FunctionTotals:
    """Counts of one function since the run began."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.invocations = self.ended = self.errors = self.timeouts = self.throttles = self.left = 0
        self.cold_starts = self.busy_max = self.messages = 0
        self.duration_s = 0.0
        self.concurrency: int | None = None
        self.metrics: Counter[str] = Counter()
        self._environments: set[int] = set()
        self._running: set[str] = set()

    def scaled(self, concurrency: int) -> bool:
        """Its mapping may have this many batches in progress; returns whether that is a change."""
        before, self.concurrency = self.concurrency, concurrency
        return before not in (None, concurrency)

    def started(self, invocation: InvocationStarted) -> None:
        """An environment received an event."""
        self.invocations += 1
        self.messages += invocation.messages
        self._environments.add(invocation.environment)
        self._running.add(invocation.request_id)
        self.busy_max = max(self.busy_max, len(self._running))

    def finished(self, invocation: InvocationEnded) -> None:
        """An invocation returned, failed or was killed."""
        self.ended += 1
        self.duration_s += invocation.duration_s
        self._running.discard(invocation.request_id)
        self.errors += invocation.outcome != "success"
        self.timeouts += invocation.outcome == "timeout"

    def opened(self, environment: int) -> None:
        """A cold start finished."""
        self.cold_starts += 1
        self._environments.add(environment)

    def retired(self, environment: int) -> None:
        """An environment has ended."""
        self._environments.discard(environment)

    @property
    def ended_so_far(self) -> Ended:
        """The totals so far; means come from the difference between two of them."""
        return Ended(self.ended, self.messages, self.duration_s)

    def view(self, before: Ended) -> FunctionView:
        """The totals, with means since `before`, or over the whole run if nothing has ended since."""
        if self.ended == before.invocations:
            before = Ended()
        ended, messages, duration_s = (now - then for now, then in zip(self.ended_so_far, before, strict=True))
        return FunctionView(
            **{name: getattr(self, name) for name in _SHOWN},
            busy=len(self._running),
            environments=len(self._environments),
            batch_mean=messages / ended if ended else None,
            duration_mean_s=duration_s / ended if ended else None,
            metrics=dict(self.metrics),
        )


def together(views: Iterable[FunctionView]) -> FunctionView:
    """Several functions as if they were one: counts add up (of maxima, too), means are over what ended."""
    several = list(views)
    if len(several) == 1:
        return several[0]
    summed: dict[str, Any] = {name: sum(getattr(view, name) or 0 for view in several) for name in (*_SHOWN, *_GAUGES)}
    summed["concurrency"] = summed["concurrency"] or None
    metrics: Counter[str] = Counter()
    for view in several:
        metrics.update(view.metrics)
    means: dict[str, Any] = {name: _mean(name, several) for name in ("batch_mean", "duration_mean_s")}
    return FunctionView(**summed, **means, metrics=dict(metrics))


def _mean(name: str, views: list[FunctionView]) -> float | None:
    weighed = [(getattr(view, name), view.ended) for view in views if getattr(view, name) is not None]
    ended = sum(count for _, count in weighed)
    return sum(mean * count for mean, count in weighed) / ended if ended else None
