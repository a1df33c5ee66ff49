"""moto's standard queue, kept in a `MessageDepot`: every operation costs the same at 10 messages and at 100,000.

FIFO queues keep moto's own code.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

from simulator.base.counters import is_test_event
from simulator.store.moto import state as moto_state
from simulator.store.moto.replacement import Replacement
from simulator.store.moto.scope import SCOPE, StoreContext
from simulator.store.sqs.depot import Held, MessageDepot
from simulator.store.sqs.receipt_handles import UnknownHandle
from simulator.store.wire.aws_errors import AnswerLost
from simulator.store.wire.messages import Routed


def queue_of(routed: Routed) -> Any:
    """The moto queue that a request names; None if there is no queue of that name."""
    url = (routed.parameters or {}).get("QueueUrl")
    return moto_state.queues(routed.home).get(url.rsplit("/", 1)[-1]) if isinstance(url, str) else None


def depot_of(queue: Any) -> MessageDepot:
    """The depot of a moto standard queue; an empty one if moto keeps the messages itself."""
    depot: MessageDepot | None = queue.__dict__.get("_stockpipe_depot")
    return MessageDepot(b"") if depot is None else depot


def new_message(store: StoreContext, body: str, delay_s: float = 0, system_attributes: Any = None) -> Any:
    """A moto message, sent now."""
    from moto.sqs.models import Message

    message, now_ms = Message(store.messages.uuid(), body, system_attributes), store.now_ms()
    message.sent_timestamp = int(now_ms)  # type: ignore[assignment]
    if delay_s:
        message.delayed_until = now_ms + delay_s * 1000
    return message


def add(queue: Any, message: Any, now_ms: float, *, counts_as_sent: bool = True) -> Held:
    """Put a moto message into a standard queue."""
    is_test = is_test_event(message.body)
    return depot_of(queue).add(message, now_ms, is_test_event=is_test, counts_as_sent=counts_as_sent)


def receive(queue: Any, limit: int, visibility_timeout_s: int, now_ms: float) -> list[Held]:
    """Receive up to `limit` messages now; those due for the dead-letter queue move there instead.

    Raises `AnswerLost` if a fault loses the answer.
    """
    depot, maximum_receives = depot_of(queue), None
    kind, late_s = _fault(depot, now_ms)
    if kind == "sqs-empty-receive":
        return []
    if queue.dead_letter_queue is not None and queue.redrive_policy:
        maximum_receives = int(queue.redrive_policy["maxReceiveCount"])
    retention_ms = queue.message_retention_period * 1000
    hide_ms = 0.0 if kind == "sqs-delivered-twice" else (visibility_timeout_s + late_s) * 1000
    last_first = kind == "sqs-out-of-order"
    received, dead = depot.take(limit, now_ms, hide_ms, retention_ms, maximum_receives, last_first=last_first)
    for held in received:
        message = held.message
        message.approximate_receive_count = held.receives
        message.receipt_handle = depot.handle_of(held)
        if not message.approximate_first_receive_timestamp:
            message.approximate_first_receive_timestamp = int(now_ms)
    for held in dead:
        held.message.dead_letter_source_arn = queue.queue_arn
        held.message.delayed_until = 0.0
        add(queue.dead_letter_queue, held.message, now_ms, counts_as_sent=False)
    if kind == "sqs-receive-lost":
        raise AnswerLost
    return received


def _fault(depot: MessageDepot, now_ms: float) -> tuple[str, float]:
    """The kind of the fault that strikes a receive, and how late a visibility takes effect; empty and 0 if none does.

    It is decided only if there is something to receive.
    """
    plane = SCOPE.get().store.plane
    if plane.is_calm or not depot.counts(now_ms)[0]:
        return "", 0.0
    fault = plane.at("sqs.ReceiveMessage", now_ms / 1000)
    return (fault.kind, fault.argument) if fault is not None else ("", 0.0)


def with_attributes(message: Any, names: list[str]) -> Any:
    """A copy of a moto message with only the attributes of those names."""
    from moto.sqs import models

    copied = copy(message)
    models._filter_message_attributes(copied, names)  # noqa: SLF001 moto's filter
    return copied


def _count(index: int, queue: Any) -> int:
    return depot_of(queue).counts(SCOPE.get().store.now_ms())[index]


def _messages(queue: Any) -> list[Any]:
    walk = depot_of(queue).walk(SCOPE.get().store.now_ms())
    return [held.message for held in walk if held.state == "ready"]


def _add_message(queue: Any, message: Any) -> None:
    add(queue, message, SCOPE.get().store.now_ms())


def _delete_message(queue: Any, receipt_handle: str) -> None:
    from moto.sqs.exceptions import ReceiptHandleIsInvalid

    try:
        depot_of(queue).delete(receipt_handle, stale_deletes=not SCOPE.get().store.strict)
    except UnknownHandle:
        raise ReceiptHandleIsInvalid from None


def _receive_message(
    queue: Any,
    count: int,
    wait_seconds_timeout: int,  # noqa: ARG001 waiting is the front's work: nothing may block the one thread
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Any]:
    received = receive(queue, count, int(visibility_timeout or 0), SCOPE.get().store.now_ms())
    return [with_attributes(held.message, message_attribute_names or []) for held in received]


def _change_message_visibility(queue: Any, receipt_handle: str, visibility_timeout: int) -> None:
    from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid

    depot, now_ms = depot_of(queue), SCOPE.get().store.now_ms()
    try:
        held = depot.find(str(receipt_handle))
    except UnknownHandle:
        held = None
    if held is None:
        raise ReceiptHandleIsInvalid
    hide_ms = int(visibility_timeout) * 1000
    # AWS counts the twelve hours from the receive, moto from the send.
    since_ms = held.received_ms if SCOPE.get().store.strict else held.sent_ms
    if now_ms + hide_ms - since_ms > 43_200_000:
        raise InvalidParameterValue(
            f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total "
            "VisibilityTimeout for the message is beyond the limit [43200 seconds]"
        )
    depot.change_visibility(held, now_ms, hide_ms)


def _install_depth() -> None:
    from moto.sqs.models import Queue, SQSBackend

    own_init, own_purge = Queue.__init__, SQSBackend.purge_queue

    def initialise(self: Any, *arguments: Any, **named: Any) -> None:
        own_init(self, *arguments, **named)
        self._stockpipe_depot = MessageDepot(SCOPE.get().store.receipts.token_bytes(16))

    def purge_queue(self: Any, queue_name: str) -> None:
        own_purge(self, queue_name)
        depot_of(self.get_queue(queue_name)).purge()

    Queue.__init__ = initialise  # type: ignore[method-assign]
    SQSBackend.purge_queue = purge_queue  # type: ignore[method-assign]
    reads: dict[str, Callable[[Any], Any]] = {
        "approximate_number_of_messages": partial(_count, 0),
        "approximate_number_of_messages_not_visible": partial(_count, 1),
        "approximate_number_of_messages_delayed": partial(_count, 2),
        "messages": _messages,
    }
    for name, read in reads.items():
        setattr(Queue, name, property(_for_standard(Queue.__dict__[name].fget, read)))
    Queue.add_message = _for_standard(Queue.add_message, _add_message)  # type: ignore[method-assign]
    Queue.delete_message = _for_standard(Queue.delete_message, _delete_message)  # type: ignore[method-assign]
    SQSBackend.receive_message = _of_backend(SQSBackend.receive_message, _receive_message)  # type: ignore[method-assign]
    own_change = SQSBackend.change_message_visibility
    SQSBackend.change_message_visibility = _of_backend(own_change, _change_message_visibility)  # type: ignore[method-assign]


# FIFO queues keep moto's own code; a replacement is called with the queue.


def _for_standard(own: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    return lambda queue, *arguments, **named: (own if queue.fifo_queue else replacement)(queue, *arguments, **named)


def _of_backend(own: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    def either(backend: Any, queue_name: str, *arguments: Any, **named: Any) -> Any:
        queue = backend.get_queue(queue_name)
        if queue.fifo_queue:
            return own(backend, queue_name, *arguments, **named)
        return replacement(queue, *arguments, **named)

    return either


DEPTH = Replacement("sqs.depth", _install_depth)
