"""When a drain has nothing to wait for any more. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulator.stack.wiring import Wiring
from simulator.telemetry.failures import LastDelivery
from simulator.triggers.batching import effective_visibility_s


def waits_for_nothing(left: int, for_good: Mapping[str, LastDelivery], path: Wiring, deadline_at: float) -> bool:
    """Whether all that is left in the path's queue cannot succeed, and stays there until the deadline.

    `left` are the messages in the queue, `for_good` those that failed for good, by id, with their last delivery. While
    the queue is about to give one of them up there is something to wait for: dead-lettered is an end.
    """
    if not 0 < left == len(for_good):
        return False
    return min(given_up_at(delivery, path) for delivery in for_good.values()) > deadline_at


def given_up_at(delivery: LastDelivery, path: Wiring) -> float:
    """When the queue moves a message to its dead-letter queue, at the earliest: each delivery to come fails at once."""
    redrive = path.queue.redrive
    if redrive is None:
        return math.inf
    deliveries = max(0, redrive.maximum_receives - delivery.receive_count)
    visibility_s = effective_visibility_s(
        path.queue.visibility_timeout_s, path.mapping.window_s, path.consumer.timeout_s
    )
    return delivery.received_at + visibility_s * (1 + deliveries)
