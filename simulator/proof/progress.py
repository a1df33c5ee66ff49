"""How far an audit is and how long it still takes, recorded a few times per second."""

from __future__ import annotations

from simulator.base.clock import Clock
from simulator.base.observations import AuditProgressed, Record

PERIOD_S = 0.1
SHARES = {"objects": 0.55, "rejected rows": 0.0, "items": 0.25, "comparison": 0.2}
"""What part of an audit's time each of its parts takes, in their order; measured with rows of seven fields."""
LEAST_SHARE = 0.02
"""From here on the time so far says something about the time to come."""


class Progress:
    """The progress of one audit."""

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record, self._clock = record, clock
        self._began_at = clock.now()
        self._recorded: tuple[str, float] = ("", 0.0)

    def made(self, part: str, done: int, total: int) -> None:
        """Take note of how much of a part is done; recorded a few times per second, and at the part's end."""
        now = self._clock.now()
        last_part, last_at = self._recorded
        if part != last_part or now - last_at >= PERIOD_S or done >= total:
            self._recorded = (part, now)
            self._record(AuditProgressed(now, part, done, total, left_s(part, done, total, now - self._began_at)))


def left_s(part: str, done: int, total: int, elapsed_s: float) -> float | None:
    """How long the rest takes at the speed so far; None while too little is done to say. Pure."""
    before = sum(SHARES[name] for name in list(SHARES)[: list(SHARES).index(part)])
    share = before + SHARES[part] * (min(1.0, done / total) if total else 1.0)
    return None if share < LEAST_SHARE or (not done and not before) else elapsed_s * (1 - share) / share
