"""How long an invocation may keep working: two instants before Lambda's deadline, on the event loop's clock. Pure."""

from __future__ import annotations

from dataclasses import dataclass

UNLIMITED_S = 900.0
"""Lambda's longest timeout, used for a caller without a context."""
FIRM_SHARE = 0.05
FIRM_MAX_S = 1.0
SOFT_SHARE = 0.15
SOFT_MAX_S = 5.0


@dataclass(frozen=True, slots=True)
class Budget:
    """After `soft_at` nothing new starts but work in flight may finish; after `firm_at` that is abandoned too.

    The time between `firm_at` and the deadline is for writing the answer. Both are instants of the event loop's clock.
    """

    started_at: float
    soft_at: float
    firm_at: float

    @classmethod
    def of(cls, context: object, now: float) -> Budget:
        """The budget for the time that the context has left at `now`."""
        remaining_of = getattr(context, "get_remaining_time_in_millis", None)
        remaining_s = remaining_of() / 1000 if callable(remaining_of) else UNLIMITED_S
        return cls(
            now,
            now + remaining_s - min(SOFT_MAX_S, remaining_s * SOFT_SHARE),
            now + remaining_s - min(FIRM_MAX_S, remaining_s * FIRM_SHARE),
        )
