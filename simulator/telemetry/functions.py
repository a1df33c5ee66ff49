"""What one function does, counted: its invocations, environments and own metrics."""

from __future__ import annotations

from collections import Counter

from simulator.base.observations import InvocationEnded, InvocationStarted
from simulator.telemetry.snapshot import FunctionView


class FunctionTotals:
    """Counts of one function, from zero at the run's start."""

    def __init__(self) -> None:
        self.invocations = self.ended = self.errors = self.timeouts = self.throttles = self.left = 0
        self.cold_starts = self.busy_max = self.messages = 0
        self.duration_s = 0.0
        self.concurrency: int | None = None
        self.metrics: Counter[str] = Counter()
        self._environments: set[int] = set()
        self._running: set[str] = set()

    def started(self, invocation: InvocationStarted) -> None:
        """An environment was given an event."""
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
        """An environment is gone."""
        self._environments.discard(environment)

    def view(self, ended: float, messages: float, duration_s: float, window_s: float) -> FunctionView:
        """The totals, with means over the last `window_s`: what `ended`, `messages` and `duration_s` grew by in it.

        Where nothing ended in it, the means are those of the whole run.
        """
        rate = ended / window_s if window_s > 0 else 0.0
        if not ended:
            ended, messages, duration_s = self.ended, self.messages, self.duration_s
        return FunctionView(
            invocations=self.invocations,
            ended=self.ended,
            errors=self.errors,
            timeouts=self.timeouts,
            throttles=self.throttles,
            left=self.left,
            cold_starts=self.cold_starts,
            busy=len(self._running),
            busy_max=self.busy_max,
            environments=len(self._environments),
            concurrency=self.concurrency,
            messages=self.messages,
            invocations_per_s=rate,
            batch_mean=messages / ended if ended else None,
            duration_mean_s=duration_s / ended if ended else None,
            metrics=dict(self.metrics),
        )
