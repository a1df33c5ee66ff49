"""How long an invocation may keep working, as arithmetic."""

from __future__ import annotations

import pytest

from pipeline.budget import Budget


class Context:
    """Lambda's context with this many milliseconds left."""

    def __init__(self, remaining_ms: int) -> None:
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds left."""
        return self._remaining_ms


@pytest.mark.parametrize(
    ("context", "soft_s", "firm_s"),
    [
        (Context(1_000), 0.85, 0.95),
        (Context(20_000), 17.0, 19.0),
        (Context(60_000), 55.0, 59.0),
        (Context(900_000), 895.0, 899.0),
        (Context(0), 0.0, 0.0),
        (object(), 895.0, 899.0),
        (None, 895.0, 899.0),
    ],
)
def test_a_share_of_the_time_is_kept_up_to_a_bound(context, soft_s, firm_s):
    """It keeps 15 %, at most 5 s, for work in flight, and 5 %, at most 1 s, for the answer."""
    budget = Budget.of(context, 100.0)

    assert budget.started_at == 100.0
    assert (budget.soft_at, budget.firm_at) == pytest.approx((100.0 + soft_s, 100.0 + firm_s))
