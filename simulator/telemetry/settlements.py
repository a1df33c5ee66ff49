"""Whether each delivery is settled once, why deliveries failed, and where the polled queues' messages end. Pure."""

from __future__ import annotations

from simulator.base.counters import QueueCounters, StoreCounters
from simulator.base.observations import MessageSettled
from simulator.base.shown import printable
from simulator.proof.deliveries import Deliveries
from simulator.stack.model import Stack
from simulator.stack.wiring import Flow
from simulator.telemetry.reasons import REASON_CHARACTERS
from simulator.telemetry.snapshot import Facts, sums

MESSAGES_KEPT = 20_000
"""How many messages are remembered (about 10 MB if all failed), those settled last."""
_REASONS_KEPT = 5


class Settlements:
    """The deliveries of the stack's polled queues, without S3's test events."""

    def __init__(self, stack: Stack, parts: Flow) -> None:
        polled = {queue.logical_id for queue in parts.queues}
        into = (each for each in stack.queues.values() if each.redrive and each.redrive.dead_letter_queue in polled)
        self._into_polled = [each.name for each in into]
        self._any_twice = False
        self._settled: dict[str, int] = {}
        self._failed: dict[str, tuple[str, tuple[str, ...]]] = {}

    def settled(self, message: MessageSettled, cause: str) -> None:
        """A delivery has an outcome; `cause` says why it failed, if it did."""
        identifier, delivery = message.message_id, 1 << message.receive_count
        before = self._settled.pop(identifier, 0)
        self._settled[identifier] = before | delivery
        self._any_twice |= bool(before & delivery)
        _, reasons = self._failed.pop(identifier, ("", ()))
        if not message.deleted:
            reasons = tuple(dict.fromkeys((*reasons, printable(cause)[:REASON_CHARACTERS])))
            self._failed[identifier] = message.queue, reasons[-_REASONS_KEPT:]
        for kept in (self._settled, self._failed):
            if len(kept) > MESSAGES_KEPT:
                del kept[next(iter(kept))]

    def failed(self, message_id: str) -> tuple[str, tuple[str, ...]] | None:
        """The queue (logical id) that the message last failed in, and why its deliveries failed; None if unknown."""
        return self._failed.get(message_id)

    def view(self, polled: QueueCounters, store: StoreCounters, facts: Facts, unsettled: int) -> Deliveries:
        """The fates so far; `polled` are all polled queues together, `unsettled` the deliveries without an outcome."""
        # As sent, the store counts neither what a queue dead-letters nor, in the queue that it leaves, what is moved.
        into = sums(self._into_polled, store.queues, QueueCounters)
        return Deliveries(
            sent=polled.sent + into.dead_lettered - polled.redriven,
            deleted=polled.deleted + polled.purged,
            dead_lettered=polled.dead_lettered,
            remaining=polled.held,
            settled_once=not (unsettled or self._any_twice),
            events_lost=facts.events_lost,
            events_waiting=facts.events_waiting,
            is_over=facts.phase == "done",
        )
