"""A rate as a token bucket. Pure: the instant is an argument, nothing waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """`rate` tokens per second flow in, and `size` fit; it starts with `tokens`."""

    rate: float
    size: float
    tokens: float
    at: float

    def has(self, units: float, now: float) -> bool:
        """Whether `units` may be taken now. A full bucket also allows more than it can hold."""
        self.refill(now)
        return self.tokens >= min(units, self.size)

    def take(self, units: float, now: float) -> None:
        """Take `units`; a deficit must flow in before more can be taken."""
        self.refill(now)
        self.tokens -= units

    def resize(self, rate: float, now: float) -> None:
        """From now on `rate` flows in per second, and as much fits; the growth is filled at once."""
        self.refill(now)
        self.tokens += rate - self.size
        self.rate = self.size = rate

    def refill(self, now: float) -> None:
        """Add what has flowed in since the last call."""
        if now > self.at:
            self.tokens = min(self.size, self.tokens + (now - self.at) * self.rate)
            self.at = now
