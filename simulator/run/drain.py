"""When a drain has nothing left to wait for. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulator.stack.wiring import Wiring
from simulator.telemetry.failures import LastDelivery
from simulator.triggers.batching import effective_visibility_s


def waits_for_nothing(left: int, for_good: Mapping[str, LastDelivery], path: Wiring, deadline_at: float) -> bool:
    """Whether no message left in the path's queue can succeed, and all stay there until the deadline.

    `left` is the number of messages in the queue; `for_good` has those that failed for good, by id, with their last
    delivery. If the queue will move one of them to its dead-letter queue in time, that is worth waiting for.
    """
    if not 0 < left == len(for_good):
        return False
    return min(given_up_at(delivery, path) for delivery in for_good.values()) > deadline_at


def given_up_at(delivery: LastDelivery, path: Wiring) -> float:
    """The earliest instant at which the queue can dead-letter a message: each delivery still to come fails at once."""
    redrive = path.queue.redrive
    if redrive is None:
        return math.inf
    deliveries = max(0, redrive.maximum_receives - delivery.receive_count)
    visibility_s = effective_visibility_s(
        path.queue.visibility_timeout_s, path.mapping.window_s, path.consumer.timeout_s
    )
    return delivery.received_at + visibility_s * (1 + deliveries)
