"""The messages of one standard queue, kept so that every operation costs the same at any depth.

A message is ready, in flight or delayed. Ready ones wait in a heap by their place in the queue, the others in a heap by
the instant at which they return; every operation first moves those that are due. Deleted messages leave their heaps
lazily. Nothing here reads a clock: instants are arguments, in milliseconds since the epoch as in SQS.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from simulator.base.counters import QueueCounters
from simulator.store.sqs.receipt_handles import UnknownHandle, give_handle, read_handle

State = Literal["ready", "in_flight", "delayed"]
# A heap may have this many entries for messages that are gone before it is rebuilt.
_SLACK = 1_000


@dataclass(slots=True, eq=False)
class Held:
    """One message in its queue. `message` is moto's object; `place` orders the queue; `due_ms` is when it returns."""

    message: Any
    place: int
    sent_ms: int
    is_test_event: bool
    state: State = "ready"
    due_ms: float = 0.0
    receives: int = 0
    received_ms: float = 0.0


@dataclass(slots=True, eq=False)
class MessageDepot:
    """All messages of one queue, whose receipt handles are sealed with `secret`.

    `arrived` is called whenever a message may have become receivable.
    """

    secret: bytes
    totals: QueueCounters = field(default_factory=QueueCounters)
    arrived: Callable[[], object] = lambda: None
    _held: dict[int, Held] = field(default_factory=dict)
    _ready: list[int] = field(default_factory=list)
    _away: list[tuple[float, int]] = field(default_factory=list)
    _by_age: list[tuple[int, int]] = field(default_factory=list)
    _moved: set[int] = field(default_factory=set)
    _test_events: set[int] = field(default_factory=set)
    _next_place: int = 0
    _counts: dict[State, int] = field(default_factory=lambda: defaultdict(int))

    def announce(self, arrived: Callable[[], object]) -> None:
        """From now on, call `arrived`."""
        self.arrived = arrived

    # The content of the queue.

    def counts(self, now_ms: float) -> tuple[int, int, int]:
        """Ready, in flight, delayed, at `now_ms`, as SQS counts them: with S3's test events."""
        self._bring_back(now_ms)
        return self._counts["ready"], self._counts["in_flight"], self._counts["delayed"]

    def counters(self, now_ms: float) -> QueueCounters:
        """All of its figures at `now_ms`, without S3's test events."""
        visible, in_flight, delayed = self.counts(now_ms)
        tests = Counter(self._held[place].state for place in self._test_events)
        oldest_ms = self.oldest_sent_ms()
        return replace(
            self.totals,
            visible=visible - tests["ready"],
            in_flight=in_flight - tests["in_flight"],
            delayed=delayed - tests["delayed"],
            oldest_age_s=None if oldest_ms is None else max(0.0, (now_ms - oldest_ms) / 1000),
            test_events=len(self._test_events),
        )

    def oldest_sent_ms(self) -> int | None:
        """When the oldest message not yet deleted was sent, apart from S3's test events; None without any."""
        while self._by_age and self._by_age[0][1] not in self._held:
            heapq.heappop(self._by_age)
        return self._by_age[0][0] if self._by_age else None

    def next_due_ms(self) -> float | None:
        """When the next message in flight or delayed returns; None if there is none."""
        while self._away:
            due_ms, place = self._away[0]
            if self._due(due_ms, place) is not None:
                return due_ms
            heapq.heappop(self._away)
        return None

    def walk(self, now_ms: float, after: int = -1) -> Iterator[Held]:
        """Every message after the place `after`, in the queue's order, in any state; without side effects."""
        self._bring_back(now_ms)
        return (held for held in self._held.values() if held.place > after)

    # What happens to messages.

    def add(self, message: Any, now_ms: float, *, is_test_event: bool = False, counts_as_sent: bool = True) -> Held:
        """Append a message; it is delayed while `message.delayed_until` lies ahead."""
        held = Held(message, self._next_place, int(message.sent_timestamp), is_test_event)
        held.receives = message.approximate_receive_count
        self._next_place += 1
        self._held[held.place] = held
        self._compact()
        if is_test_event:
            self._test_events.add(held.place)
        else:
            heapq.heappush(self._by_age, (held.sent_ms, held.place))
            self.totals.sent += counts_as_sent
        if message.delayed_until > now_ms:
            self._put_away(held, "delayed", message.delayed_until)
        else:
            self._make_ready(held)
        self.arrived()
        return held

    def take(
        self,
        limit: int,
        now_ms: float,
        hide_ms: float,
        retention_ms: float,
        maximum_receives: int | None,
        *,
        last_first: bool = False,
    ) -> tuple[list[Held], list[Held]]:
        """Receive up to `limit` ready messages in order, or `last_first`, and hide them for `hide_ms`.

        Returns the received ones and those whose receive count had already reached `maximum_receives`; the latter have
        left this queue for the dead-letter queue. Messages older than the retention period are dropped.
        """
        self._bring_back(now_ms)
        received: list[Held] = []
        dead: list[Held] = []
        passed = list(iter(self._next_ready, None)) if last_first else []
        upcoming = passed.pop if last_first else self._next_ready
        while len(received) < limit and (passed or not last_first) and (held := upcoming()) is not None:
            if held.sent_ms + retention_ms <= now_ms:
                self._drop(held)
                self.totals.expired += not held.is_test_event
                continue
            if maximum_receives is not None and held.receives >= maximum_receives:
                self._drop(held)
                self._moved.add(held.place)
                self.totals.dead_lettered += not held.is_test_event
                dead.append(held)
                continue
            held.receives += 1
            held.received_ms = now_ms
            self.totals.received += not held.is_test_event
            received.append(held)
            if hide_ms > 0:
                self._put_away(held, "in_flight", now_ms + hide_ms)
        for held in passed:
            self._make_ready(held)
        if hide_ms <= 0 and received:
            for held in received:
                self._make_ready(held)
            self.arrived()
        return received, dead

    def delete(self, handle: str, *, stale_deletes: bool) -> Held | None:
        """Delete the handle's message. Deleting it again is not an error; None: there was nothing to delete.

        With a handle older than the last receive, SQS's DeleteMessage succeeds but may not delete; moto deletes
        (`stale_deletes`). Raises `UnknownHandle`.
        """
        held, receive = self._look_up(handle)
        if held is None or not (stale_deletes or receive == held.receives):
            return None
        self._counts[held.state] -= 1
        self._drop(held)
        self.totals.deleted += not held.is_test_event
        return held

    def find(self, handle: str) -> Held | None:
        """The handle's message, None once it is deleted. Raises `UnknownHandle`."""
        return self._look_up(handle)[0]

    def may_hide(self, handle: str) -> bool:
        """Whether the message is in flight, or was last received with this very handle. Raises `UnknownHandle`."""
        held, receive = self._look_up(handle)
        return held is not None and (held.state == "in_flight" or receive == held.receives)

    def change_visibility(self, held: Held, now_ms: float, hide_ms: float) -> None:
        """Make the message return after `hide_ms` from now; zero: at once."""
        self._counts[held.state] -= 1
        if hide_ms > 0:
            self._put_away(held, "in_flight", now_ms + hide_ms)
        else:
            self._make_ready(held)
        self.arrived()

    def hasten(self, held: Held, due_ms: float) -> bool:
        """Let a delayed message arrive at `due_ms`, unless it does earlier; returns whether it is delayed still."""
        if held.state != "delayed" or self._held.get(held.place) is not held:
            return False
        if due_ms < held.due_ms:
            self._counts["delayed"] -= 1
            self._put_away(held, "delayed", due_ms)
            self.arrived()
        return True

    def purge(self) -> None:
        """Drop every message."""
        for held in list(self._held.values()):
            self._drop(held)
            self.totals.purged += not held.is_test_event
        for kept in (self._ready, self._away, self._by_age, self._counts):
            kept.clear()

    def carry_off(self, now_ms: float) -> Held | None:
        """Take out the next ready message for a move task: neither received nor deleted. None: no message is ready."""
        self._bring_back(now_ms)
        held = self._next_ready()
        if held is not None:
            self._drop(held)
            self._moved.add(held.place)
            self.totals.redriven += not held.is_test_event
        return held

    def handle_of(self, held: Held) -> str:
        """The receipt handle of the message's last receive; it proves its own origin, so it need not be stored."""
        return give_handle(self.secret, held.place, held.receives)

    # The data structures.

    def _look_up(self, handle: str) -> tuple[Held | None, int]:
        place, receive = read_handle(self.secret, handle)
        if place in self._moved:
            raise UnknownHandle(handle)
        return self._held.get(place), receive

    def _compact(self) -> None:
        """Rebuild a heap once most of its entries are for messages that are gone, a few steps per message."""
        limit = 2 * len(self._held) + _SLACK
        if len(self._by_age) > limit:
            self._by_age = [(held.sent_ms, held.place) for held in self._held.values() if not held.is_test_event]
            heapq.heapify(self._by_age)
        if len(self._away) > limit:
            waiting = ("in_flight", "delayed")
            self._away = [(held.due_ms, held.place) for held in self._held.values() if held.state in waiting]
            heapq.heapify(self._away)
        if len(self._ready) > limit:
            self._ready = [held.place for held in self._held.values() if held.state == "ready"]

    def _due(self, due_ms: float, place: int) -> Held | None:
        """The message of an entry of `_away`, if the entry is still current."""
        held = self._held.get(place)
        waits = held is not None and held.state in ("in_flight", "delayed") and held.due_ms == due_ms
        return held if waits else None

    def _bring_back(self, now_ms: float) -> None:
        while self._away and self._away[0][0] <= now_ms:
            held = self._due(*heapq.heappop(self._away))
            if held is not None:
                self._counts[held.state] -= 1
                self._make_ready(held)

    def _next_ready(self) -> Held | None:
        """Take the next ready message off its heap; it is not counted until it is put somewhere else."""
        while self._ready:
            held = self._held.get(heapq.heappop(self._ready))
            if held is not None and held.state == "ready":
                self._counts["ready"] -= 1
                # A message that was hidden while it was ready is on the heap twice.
                held.state = "in_flight"
                return held
        return None

    def _make_ready(self, held: Held) -> None:
        held.state = "ready"
        self._counts["ready"] += 1
        heapq.heappush(self._ready, held.place)

    def _put_away(self, held: Held, state: State, due_ms: float) -> None:
        held.state, held.due_ms = state, due_ms
        self._counts[state] += 1
        heapq.heappush(self._away, (due_ms, held.place))

    def _drop(self, held: Held) -> None:
        del self._held[held.place]
        self._test_events.discard(held.place)
