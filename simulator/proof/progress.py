"""How far an audit is and how long it still takes, recorded a few times per second."""

from __future__ import annotations

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.observations import AuditProgressed, Record

PERIOD_S = 0.1
LEAST_SHARE = 0.02
"""From here on the time so far says something about the time to come."""


class Progress:
    """The progress of one audit."""

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record, self._clock = record, clock
        self._began_at = clock.now()
        self._recorded: tuple[str, float] = ("", 0.0)

    def made(self, part: str, done: int, total: int, rows_per_object: float) -> None:
        """Take note of how much of a part is done; recorded a few times per second, and at the part's end.

        `rows_per_object` is the mean so far. `total` is 0 for a listing, which ends when it ends.
        """
        now = self._clock.now()
        last_part, last_at = self._recorded
        if part != last_part or now - last_at >= PERIOD_S or done >= total:
            self._recorded = (part, now)
            share = done_share(part, done, total, rows_per_object)
            known = share >= LEAST_SHARE and (done or part != "objects")
            left_s = (now - self._began_at) * (1 - share) / share if known else None
            self._record(AuditProgressed(now, part, done, total, left_s))


def done_share(part: str, done: int, total: int, rows_per_object: float) -> float:
    """How much of an audit's time has passed: each object takes a time of its own, and each row one in each part."""
    a_row_s = rows_per_object * limits.AUDIT_ROW_S / 3
    costs = {
        "listing": 0.0,
        "objects": limits.AUDIT_OBJECT_S + a_row_s,
        "rejected rows": 0.0,
        "items": a_row_s,
        "comparison": a_row_s,
    }
    names = list(costs)
    before = sum(costs[name] for name in names[: names.index(part)])
    return (before + costs[part] * (min(1.0, done / total) if total else 1.0)) / sum(costs.values())
