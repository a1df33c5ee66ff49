"""When a drain has nothing to wait for any more."""

from __future__ import annotations

import dataclasses
import math

import pytest

from simulator.run.drain import given_up_at, waits_for_nothing
from simulator.stack import template
from simulator.stack.wiring import Wiring, wiring
from simulator.telemetry.failures import LastDelivery


def path(**parameters: int) -> Wiring:
    """The pipeline's path: visibility 360 s, five deliveries."""
    return wiring(template.load(None, {name: str(value) for name, value in parameters.items()}))


@pytest.mark.parametrize(
    ("left", "for_good", "ended"),
    [
        (0, [], False),
        (0, [LastDelivery(1000.0, 1)], False),
        (1, [], False),
        (1, [LastDelivery(1000.0, 1)], True),
        (2, [LastDelivery(1000.0, 1)], False),
        (2, [LastDelivery(1000.0, 1), LastDelivery(1000.0, 5)], True),
        (1, [LastDelivery(1000.0, 1), LastDelivery(1000.0, 1)], False),
    ],
)
def test_only_what_failed_for_good_is_not_waited_for(left: int, for_good: list[LastDelivery], ended: bool) -> None:
    """A message more than those may yet succeed; an empty queue is drained, which is another end."""
    messages = {str(number): delivery for number, delivery in enumerate(for_good)}
    assert waits_for_nothing(left, messages, path(), 1060.0) is ended


@pytest.mark.parametrize(
    ("receive_count", "parameters", "at"),
    [
        (5, {}, 1360.0),
        (6, {}, 1360.0),
        (4, {}, 1720.0),
        (1, {}, 2800.0),
        (1, {"MaxReceiveCount": 1, "VisibilityTimeout": 6, "ConsumerTimeout": 1}, 1006.0),
        (1, {"MaxReceiveCount": 2, "VisibilityTimeout": 6, "ConsumerTimeout": 1}, 1012.0),
    ],
)
def test_the_queue_gives_a_message_up(receive_count: int, parameters: dict[str, int], at: float) -> None:
    """After its last delivery's visibility timeout; each delivery before that takes as long."""
    assert given_up_at(LastDelivery(1000.0, receive_count), path(**parameters)) == at


def test_a_message_that_is_about_to_be_dead_lettered_is_waited_for() -> None:
    """As long as one of them is given up before the deadline: not at it, nor later."""
    messages = {"soon": LastDelivery(1000.0, 5), "late": LastDelivery(1000.0, 1)}
    assert waits_for_nothing(2, messages, path(), 1359.9)
    assert not waits_for_nothing(2, messages, path(), 1360.0)


def test_a_queue_without_a_dead_letter_queue_gives_nothing_up() -> None:
    """Nothing would ever change."""
    kept = path()
    kept = dataclasses.replace(kept, queue=dataclasses.replace(kept.queue, redrive=None))
    assert given_up_at(LastDelivery(1000.0, 99), kept) == math.inf
