"""The verdict about the messages and events of any application."""

from __future__ import annotations

import pytest

from simulator.proof.deliveries import Deliveries


def over(**figures: int | bool) -> Deliveries:
    """Of a run that has ended, in which ten messages were sent and are accounted for."""
    return Deliveries(**{"sent": 10, "deleted": 7, "dead_lettered": 3, "is_over": True, **figures})  # type: ignore[arg-type]


def test_dead_letters_are_a_fate() -> None:
    """A run whose messages are all deleted or dead-lettered is settled, and so is one without any queue."""
    assert over().verdict == "settled"
    assert Deliveries(is_over=True).verdict == "settled"


@pytest.mark.parametrize(
    ("figures", "lost"),
    [({"deleted": 6}, 1), ({"deleted": 8}, -1), ({"events_lost": 1}, 0), ({"settled_once": False}, 0)],
)
def test_what_is_unaccounted_for_differs(figures: dict[str, int], lost: int) -> None:
    """A lost message or event, a message too many, and a delivery with no outcome or several are each enough."""
    assert (over(**figures).verdict, over(**figures).lost) == ("differs", lost)


@pytest.mark.parametrize("figures", [{"deleted": 6, "remaining": 1}, {"events_waiting": 1}])
def test_what_still_waits_is_pending(figures: dict[str, int]) -> None:
    """A message in a queue or an event without an outcome: the drain did not wait for it."""
    assert over(**figures).verdict == "pending"


def test_the_first_verdict_that_applies_wins() -> None:
    """Nothing is proven of a run that was cut off, and a loss outweighs what still waits."""
    assert over(deleted=5, remaining=1, is_over=False).verdict == Deliveries().verdict == "unproven"
    assert over(deleted=5, remaining=1).verdict == "differs"
