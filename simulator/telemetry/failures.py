"""Why messages failed, by reason: in the function's own words if it gave any, else what AWS sees. Pure.

The consumer says why in a log line (`message failed`), which may come before or after its invocation is over. If a
function says nothing, the reason is the outcome of the invocation: its exception, a timeout, a throttle.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from simulator.base.counters import is_test_event
from simulator.base.observations import InvocationEnded, InvocationThrottled, MessageSettled
from simulator.proof.notifications import objects_of
from simulator.telemetry.reasons import Causes, ReasonGroup, structured, text_in, whole_in
from simulator.telemetry.snapshot import Cause, Example

PARTIAL_RESPONSE = "batch item failure"
"""The outcome of a message that the function named in its response."""
MESSAGES_KEPT = 50_000
"""How many failed messages are tracked by id (about 15 MB); beyond it, only first deliveries count."""

_PLATFORM = re.compile(r"RequestId: \S+ Error: ")


class LastDelivery(NamedTuple):
    """When a message was last received, and how many times it had been received by then."""

    received_at: float
    receive_count: int


class FailedDelivery(NamedTuple):
    """A failed delivery, in words. Those of the same `kind` differ only in details."""

    kind: str
    text: str
    for_good: bool


@dataclass(slots=True, eq=False)
class _Message:
    """A message whose delivery number `receive_count` failed.

    `reported`: its function said why, and whether for good. `delivery` is None until that delivery is over.
    """

    group: ReasonGroup
    receive_count: int
    reported: bool
    permanent: bool
    is_test: bool = False
    delivery: LastDelivery | None = None

    def counts(self, by: int) -> None:
        """Add `by` to the count of its group; a negative number takes it out again."""
        if self.is_test:
            self.group.tests += by
        else:
            self.group.count += by


class Failures:
    """The failed messages of one queue. Each counts once, under the reason of its last delivery.

    `parameters` are the template parameters behind the function's settings. The queue dead-letters a message after
    `maximum_receives` deliveries (None: never). `for_good` has the messages in the queue that cannot succeed, by id:
    their function said so at the last finished delivery.
    """

    def __init__(self, parameters: Mapping[str, str], maximum_receives: int | None) -> None:
        self._parameters, self._maximum_receives = parameters, maximum_receives
        self._reasons = Causes()
        self._messages: dict[str, _Message] = {}
        self._exhausted: deque[str] = deque()
        self._dead_lettered = 0
        self.for_good: dict[str, LastDelivery] = {}

    def logged(self, line: str) -> None:
        """Read a line of the function's log, which may say why a message failed."""
        document = structured(line, "message failed") or {}
        identifier, reason, setting = (text_in(document, name) for name in ("messageId", "reason", "setting"))
        receive_count = whole_in(document, "receiveCount")
        if identifier is None or reason is None or receive_count is None:
            return
        said = document.get("permanent")
        message = self._messages.get(identifier)
        if message is not None and message.reported and message.receive_count == receive_count:
            # Another object of the same message, which fails for good only if all its objects do.
            message.permanent = message.permanent and said is True
        elif message is not None or len(self._messages) < MESSAGES_KEPT:
            group = self._reasons.group(reason, said if isinstance(said, bool) else None, setting, PARTIAL_RESPONSE)
            message = _Message(group, receive_count, reported=True, permanent=said is True)
            self._put(identifier, message, text_in(document, "key"))
        if message is not None:
            self._judge(identifier, message)

    def settled(self, message: MessageSettled, cause: str) -> FailedDelivery | None:
        """Record a delivery's outcome; returns the failure, if any. `cause` is the reason if its function gave none."""
        identifier = message.message_id
        if message.deleted:
            if (held := self._messages.pop(identifier, None)) is not None:
                held.group.deleted += not held.is_test
            self.for_good.pop(identifier, None)
            return None
        is_test = is_test_event(message.body)
        refs = objects_of(message.body)
        seen = refs[0].key if refs else None
        held = self._messages.get(identifier)
        if held is None and len(self._messages) >= MESSAGES_KEPT:
            group = self._reasons.others
            group.count += message.receive_count <= 1 and not is_test
            return self._failed(seen, group, message.receive_count)
        if held is None or held.receive_count != message.receive_count:
            group = self._reasons.group(cause, outcome=message.reason)
            held = _Message(group, message.receive_count, reported=False, permanent=False)
            self._put(identifier, held, seen)
        if is_test:
            held.counts(-1)
            held.is_test = True
            held.counts(+1)
        held.group.show(Example(seen) if seen else None)
        held.delivery = LastDelivery(message.received_at, message.receive_count)
        self._judge(identifier, held)
        if self._maximum_receives is not None and message.receive_count >= self._maximum_receives and not is_test:
            self._exhausted.append(identifier)
        return self._failed("s3:TestEvent" if is_test else seen, held.group, message.receive_count)

    def dead_lettered(self, total: int) -> None:
        """The queue has dead-lettered `total` messages so far; assume those that first failed their last delivery."""
        while self._dead_lettered < total and self._exhausted:
            identifier = self._exhausted.popleft()
            if (held := self._messages.pop(identifier, None)) is not None:
                held.group.dead_lettered += 1
                self._dead_lettered += 1
            self.for_good.pop(identifier, None)

    def view(self) -> tuple[Cause, ...]:
        """Every reason, the most frequent first."""
        return self._reasons.view(self._parameters)

    def _failed(self, key: str | None, group: ReasonGroup, receive_count: int) -> FailedDelivery:
        last = self._maximum_receives is not None and receive_count >= self._maximum_receives
        how = "failed for good" if group.permanent else "failed for the last time" if last else "failed and comes back"
        of = f" of {self._maximum_receives}" if self._maximum_receives is not None else ""
        text = f"{key or 'a message'} {how}: {group.text} (receive {receive_count}{of})"
        return FailedDelivery(f"{how}: {group.kind}", text, bool(group.permanent))

    def _put(self, identifier: str, message: _Message, key: str | None) -> None:
        """Move the message to this reason; an earlier one no longer counts."""
        if (before := self._messages.get(identifier)) is not None:
            before.counts(-1)
            message.is_test = before.is_test
            if before.receive_count == message.receive_count:
                message.delivery = before.delivery
        message.counts(+1)
        message.group.show(Example(key) if key else None)
        self._messages[identifier] = message

    def _judge(self, identifier: str, message: _Message) -> None:
        if message.permanent and message.delivery is not None:
            self.for_good[identifier] = message.delivery
        else:
            self.for_good.pop(identifier, None)


def cause_of(invocation: InvocationEnded) -> str:
    """Why an invocation failed: the last line of its traceback, or the platform's message."""
    message = invocation.error_message or ""
    if platform := _PLATFORM.match(message):
        return message[platform.end() :]
    return ": ".join(filter(None, (invocation.error_type, message))) or invocation.outcome


def cause_of_throttle(throttle: InvocationThrottled) -> str:
    """Why messages came back although their function never saw them."""
    return f"throttled: {throttle.reason}"
