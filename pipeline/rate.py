"""How fast to write to the table: additive increase, multiplicative decrease, shared by the environment's writers.

Pure: instants are arguments, on any clock that does not go back.
"""

from __future__ import annotations

DECREASE = 0.7
INCREASE_SHARE = 0.05
"""Each second adds this share of the most that the table ever took in a second: a constant step, hence additive."""
MINIMUM_RATE = 25.0
"""Rows per second that are always allowed: one request."""
REACTION_S = 0.25
"""Refusals within this time count as one: they were all in flight before the first answer."""
BURST_S = 0.1
"""How much unused time may be made up for at once."""
WINDOW_S = 1.0
QUIET_S = 10.0
"""After this long without a refusal, a rate far above the demand limits nothing and is lifted."""


class WriteRate:
    """Rows per second, at most `maximum_rows_per_s`; without that, unlimited until the table first refuses a row.

    `rows_per_s` is None while unlimited. A refusal cuts it to a share of what the table has been taking. While the
    table takes everything, the rate grows, and above four times the demand it is lifted.
    """

    def __init__(self, maximum_rows_per_s: float | None = None) -> None:
        self.rows_per_s = maximum_rows_per_s
        self._maximum_rows_per_s = maximum_rows_per_s
        self._step = 0.0
        self._refused_at = float("-inf")
        self._increased_at = 0.0
        self._free_at = 0.0
        self._window_at = float("-inf")
        self._window_rows = 0
        self._taken_rows_per_s = 0.0
        self._best_rows_per_s = 0.0

    def wait_s(self, rows: int, now: float) -> float:
        """How long to wait before sending `rows` more rows; from then on they count as sent."""
        if self.rows_per_s is None:
            return 0.0
        self.rows_per_s = rows_per_s = self._increased(self.rows_per_s, now)
        if rows_per_s is None:
            return 0.0
        self._free_at = max(self._free_at, now - BURST_S)
        wait_s = max(0.0, self._free_at - now)
        self._free_at += rows / rows_per_s
        return wait_s

    def taken(self, rows: int, now: float) -> None:
        """The table took `rows`."""
        if now - self._window_at >= WINDOW_S:
            if now - self._window_at < 2 * WINDOW_S:
                self._taken_rows_per_s = self._window_rows / (now - self._window_at)
                self._best_rows_per_s = max(self._best_rows_per_s, self._taken_rows_per_s)
            self._window_at = now
            self._window_rows = 0
        self._window_rows += rows

    def refused(self, now: float) -> None:
        """The table refused a request, or part of one, for lack of capacity."""
        if now - self._refused_at < REACTION_S:
            return
        self._refused_at = now
        elapsed_s = max(now - self._window_at, REACTION_S)
        taken = max(self._taken_rows_per_s, self._window_rows / elapsed_s if elapsed_s < 2 * WINDOW_S else 0.0)
        self._best_rows_per_s = max(self._best_rows_per_s, taken)
        before = taken if self.rows_per_s is None else min(self.rows_per_s, max(taken, MINIMUM_RATE) * 2)
        self.rows_per_s = max(MINIMUM_RATE, before * DECREASE)
        self._step = max(MINIMUM_RATE, self._best_rows_per_s * INCREASE_SHARE)
        self._increased_at = now
        self._free_at = now

    def _increased(self, rows_per_s: float, now: float) -> float | None:
        elapsed_s = min(now - self._increased_at, WINDOW_S)
        self._increased_at = now
        rows_per_s += self._step * elapsed_s
        if self._maximum_rows_per_s is not None:
            return min(rows_per_s, self._maximum_rows_per_s)
        quiet_s = now - self._refused_at
        if quiet_s > QUIET_S and rows_per_s > 4 * max(self._taken_rows_per_s, MINIMUM_RATE):
            return None
        return rows_per_s
