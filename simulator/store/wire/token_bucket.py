"""A rate as a token bucket. Pure: the instant is an argument, nothing waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """`rate` tokens a second flow in, `size` fit; it starts with `tokens`."""

    rate: float
    size: float
    tokens: float
    at: float

    def has(self, units: float, now: float) -> bool:
        """Whether `units` may be taken now. More than fits at all may be taken from a full bucket."""
        self.refill(now)
        return self.tokens >= min(units, self.size)

    def take(self, units: float, now: float) -> None:
        """Take `units`; what is overdrawn flows in first."""
        self.refill(now)
        self.tokens -= units

    def resize(self, rate: float, now: float) -> None:
        """From now on `rate` flows in a second, and as much fits; what it has grown by it holds at once."""
        self.refill(now)
        self.tokens += rate - self.size
        self.rate = self.size = rate

    def refill(self, now: float) -> None:
        """Let in what has flowed since the last look."""
        if now > self.at:
            self.tokens = min(self.size, self.tokens + (now - self.at) * self.rate)
            self.at = now
