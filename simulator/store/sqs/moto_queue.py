"""moto's standard queue, kept in a `MessageDepot`: every step costs the same at 10 messages and at 100,000.

FIFO queues keep moto's own code: each function here hands over to the one it replaces when the queue is one.
"""

from __future__ import annotations

from typing import Any

from simulator.base.clock import Clock, SystemClock
from simulator.store.moto.replacement import Replacement
from simulator.store.sqs.depot import Held, MessageDepot
from simulator.store.sqs.receipt_handles import UnknownHandle

_FIELD = "_stockpipe_depot"
_MODELS = "moto.sqs.models"

DEPTH = "sqs.depth"


class QueueTime:
    """What all queues share: one clock, so that their instants can be compared, and what a stale handle does."""

    clock: Clock = SystemClock()
    # moto deletes by any receipt handle a message ever had; AWS not.
    stale_deletes = True

    @classmethod
    def now_ms(cls) -> float:
        """Milliseconds since the epoch."""
        return cls.clock.now() * 1000


def depot_of(queue: Any) -> MessageDepot:
    """The depot of a moto standard queue, made on first use."""
    depot: MessageDepot | None = queue.__dict__.get(_FIELD)
    if depot is None:
        depot = MessageDepot()
        setattr(queue, _FIELD, depot)
    return depot


def is_test_event(body: str) -> bool:
    """Whether a message body is the event S3 sends when a notification is configured."""
    return body.startswith('{"Service"') and '"s3:TestEvent"' in body


def maximum_receives(queue: Any) -> int | None:
    """After how many receives a message goes to the dead-letter queue; None without one."""
    if queue.dead_letter_queue is None or not queue.redrive_policy:
        return None
    return int(queue.redrive_policy["maxReceiveCount"])


def add(queue: Any, message: Any, *, counts_as_sent: bool = True) -> Held:
    """Put a moto message into a standard queue."""
    return depot_of(queue).add(
        message,
        QueueTime.now_ms(),
        is_test_event=is_test_event(message.body),
        counts_as_sent=counts_as_sent,
    )


def receive(queue: Any, limit: int, visibility_timeout_s: int) -> list[Held]:
    """Receive up to `limit` messages now; what is due for the dead-letter queue moves there instead."""
    depot, now_ms = depot_of(queue), QueueTime.now_ms()
    received, dead = depot.take(
        limit, now_ms, visibility_timeout_s * 1000, queue.message_retention_period * 1000, maximum_receives(queue)
    )
    for held in received:
        message = held.message
        message.approximate_receive_count = held.receives
        message.receipt_handle = depot.handle_of(held)
        if not message.approximate_first_receive_timestamp:
            message.approximate_first_receive_timestamp = int(now_ms)
    for held in dead:
        held.message.dead_letter_source_arn = queue.queue_arn
        held.message.delayed_until = 0.0
        add(queue.dead_letter_queue, held.message, counts_as_sent=False)
    return received


def _install_depth() -> None:
    from moto.sqs import models

    _install_queue(models)
    _install_backend(models)


def _install_queue(models: Any) -> None:
    queue_class = models.Queue
    own = {name: queue_class.__dict__[name] for name in ("messages", "add_message", "delete_message")}
    counted = (
        "approximate_number_of_messages",
        "approximate_number_of_messages_not_visible",
        "approximate_number_of_messages_delayed",
    )

    def count_property(index: int, original: Any) -> property:
        def count(self: Any) -> int:
            if self.fifo_queue:
                return int(original.fget(self))
            return depot_of(self).counts(QueueTime.now_ms())[index]

        return property(count)

    for index, name in enumerate(counted):
        setattr(queue_class, name, count_property(index, queue_class.__dict__[name]))

    def messages(self: Any) -> list[Any]:
        if self.fifo_queue:
            return list(own["messages"].fget(self))
        walk = depot_of(self).walk(QueueTime.now_ms())
        return [held.message for held in walk if held.state == "ready"]

    def add_message(self: Any, message: Any) -> None:
        if self.fifo_queue:
            own["add_message"](self, message)
        else:
            add(self, message)

    def delete_message(self: Any, receipt_handle: str) -> None:
        if self.fifo_queue:
            own["delete_message"](self, receipt_handle)
            return
        try:
            depot_of(self).delete(receipt_handle, stale_deletes=QueueTime.stale_deletes)
        except UnknownHandle:
            raise models.ReceiptHandleIsInvalid from None

    queue_class.messages = property(messages)
    queue_class.add_message = add_message
    queue_class.delete_message = delete_message


def _install_backend(models: Any) -> None:
    backend_class = models.SQSBackend
    own = {name: backend_class.__dict__[name] for name in ("receive_message", "change_message_visibility")}
    own_purge = backend_class.purge_queue

    def receive_message(
        self: Any,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Any]:
        queue = self.get_queue(queue_name)
        if queue.fifo_queue:
            original = own["receive_message"]
            return list(
                original(self, queue_name, count, wait_seconds_timeout, visibility_timeout, message_attribute_names)
            )
        # Waiting is the front's work: nothing may block the one thread that serves everybody.
        held = receive(queue, count, int(visibility_timeout or 0))
        copies = []
        for each in held:
            copied = copy_message(each.message)
            models._filter_message_attributes(copied, message_attribute_names or [])  # noqa: SLF001 moto's filter
            copies.append(copied)
        return copies

    def change_message_visibility(self: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        queue = self.get_queue(queue_name)
        if queue.fifo_queue:
            own["change_message_visibility"](self, queue_name, receipt_handle, visibility_timeout)
            return
        depot, now_ms = depot_of(queue), QueueTime.now_ms()
        try:
            held = depot.find(receipt_handle)
        except UnknownHandle:
            raise models.ReceiptHandleIsInvalid from None
        if held is None:
            raise models.ReceiptHandleIsInvalid
        hide_ms = int(visibility_timeout) * 1000
        if now_ms + hide_ms - held.sent_ms > 43_200_000:
            raise models.InvalidParameterValue(
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total "
                "VisibilityTimeout for the message is beyond the limit [43200 seconds]"
            )
        depot.change_visibility(held, now_ms, hide_ms)

    def purge_queue(self: Any, queue_name: str) -> None:
        own_purge(self, queue_name)
        queue = self.get_queue(queue_name)
        if not queue.fifo_queue:
            depot_of(queue).purge()

    backend_class.receive_message = receive_message
    backend_class.change_message_visibility = change_message_visibility
    backend_class.purge_queue = purge_queue


def copy_message(message: Any) -> Any:
    """A shallow copy: the caller replaces its attribute map and changes nothing else."""
    copied = message.__class__.__new__(message.__class__)
    copied.__dict__.update(message.__dict__)
    return copied


REPLACEMENTS = (
    Replacement(
        name=DEPTH,
        dated="2026-11-23",
        functions={
            f"{_MODELS}:Queue.approximate_number_of_messages": "d357a9506a56d2f8",
            f"{_MODELS}:Queue.approximate_number_of_messages_not_visible": "5dbecc4dda174358",
            f"{_MODELS}:Queue.approximate_number_of_messages_delayed": "c3c1dadb0c42ed5f",
            f"{_MODELS}:Queue.messages": "03a531dbcbcf9aee",
            f"{_MODELS}:Queue.add_message": "f27c9231c1f20433",
            f"{_MODELS}:Queue.delete_message": "fa6fd5b9bd2cafb4",
            f"{_MODELS}:SQSBackend.receive_message": "065f3e5e7d214408",
            f"{_MODELS}:SQSBackend.change_message_visibility": "f0e9df5f66627114",
            f"{_MODELS}:SQSBackend.purge_queue": "443ea1ae7b15230c",
        },
        why="each receive builds the counts of all messages several times for every message it returns, a delete "
        "rebuilds the list of messages, and a long poll blocks its thread",
        keeps="order of delivery, receive counts, visibility, delay, redrive, errors; receipt handles are opaque "
        "texts of another form; Lambda's event source mappings inside moto are not served",
        install=_install_depth,
    ),
)
