"""A queue's messages as a data structure: instants are arguments, nothing waits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.base.counters import QueueCounters
from simulator.store.sqs.depot import MessageDepot
from simulator.store.sqs.receipt_handles import UnknownHandle

HOUR_MS = 3_600_000.0


@dataclass
class _Message:
    sent_timestamp: int = 0
    delayed_until: float = 0.0
    approximate_receive_count: int = 0


def test_messages_older_than_the_retention_are_dropped_and_counted() -> None:
    """MessageRetentionPeriod: a message older than that is not received any more."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(sent_timestamp=0), 0.0)
    depot.add(_Message(sent_timestamp=30_000), 30_000.0)
    received, _ = depot.take(10, 60_000.0, 30_000, 60_000, None)
    assert [held.sent_ms for held in received] == [30_000]
    assert (depot.totals.expired, depot.counts(60_000.0)) == (1, (0, 1, 0))


def test_a_message_may_be_hidden_until_somebody_else_has_it() -> None:
    """In flight, any of its handles works, afterwards only the last; deleted, none; an unknown handle is an error."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(), 0.0)
    held = depot.take(1, 0.0, 10, HOUR_MS, None)[0][0]
    first = depot.handle_of(held)
    assert depot.may_hide(first)
    depot.counts(20.0)
    assert (held.state, depot.may_hide(first)) == ("ready", True)
    depot.take(1, 20.0, 10, HOUR_MS, None)
    second = depot.handle_of(held)
    assert (depot.may_hide(first), depot.may_hide(second)) == (True, True)
    depot.counts(40.0)
    assert (depot.may_hide(first), depot.may_hide(second)) == (False, True)
    depot.delete(second, stale_deletes=False)
    assert not depot.may_hide(second)
    with pytest.raises(UnknownHandle):
        depot.may_hide("made up")


def test_a_message_that_was_hidden_while_it_was_ready_is_received_once() -> None:
    """It has been ready twice by then; one receive that hides nothing still returns it once."""
    depot = MessageDepot(b"secret")
    held = depot.add(_Message(), 0.0)
    depot.change_visibility(held, 0.0, 10.0)
    assert depot.counts(0.0) == (0, 1, 0)
    assert depot.counts(10.0) == (1, 0, 0)
    assert depot.take(10, 10.0, 0.0, HOUR_MS, None) == ([held], [])
    assert depot.counts(10.0) == (1, 0, 0)


def test_the_age_of_the_oldest_message_counts_until_it_is_deleted() -> None:
    """ApproximateAgeOfOldestMessage: hidden and delayed messages have an age too; a deleted one does not."""
    depot = MessageDepot(b"secret")
    assert depot.oldest_sent_ms() is None
    for sent in (10, 20):
        depot.add(_Message(sent_timestamp=sent, delayed_until=50.0), float(sent))
    first = depot.take(1, 60.0, HOUR_MS, HOUR_MS, None)[0][0]
    assert depot.oldest_sent_ms() == 10
    depot.delete(depot.handle_of(first), stale_deletes=False)
    assert depot.oldest_sent_ms() == 20


def test_a_handle_proves_its_origin() -> None:
    """A handle of another queue, or an invented one, is unknown; a used one stays known."""
    depot, other = MessageDepot(b"one"), MessageDepot(b"another")
    for each in (depot, other):
        each.add(_Message(), 0.0)
    held = depot.take(1, 1.0, HOUR_MS, HOUR_MS, None)[0][0]
    handle = depot.handle_of(held)
    for unknown in (other.handle_of(other.take(1, 1.0, HOUR_MS, HOUR_MS, None)[0][0]), "made-up", handle[:-4] + "AAAA"):
        with pytest.raises(UnknownHandle):
            depot.delete(unknown, stale_deletes=False)
    assert depot.delete(handle, stale_deletes=False) is held
    assert depot.delete(handle, stale_deletes=False) is None


@pytest.mark.parametrize(
    ("receive", "stale_deletes", "deleted"),
    [(2, False, True), (1, False, False), (1, True, True), (2, True, True)],
)
def test_a_stale_handle_deletes_in_moto_alone(receive: int, stale_deletes: bool, deleted: bool) -> None:
    """AWS deletes with the handle of the last receive (here the second); moto with any."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(), 0.0)
    handles = [depot.handle_of(depot.take(1, 1.0, 0.0, HOUR_MS, None)[0][0]) for _ in range(2)]
    assert (depot.delete(handles[receive - 1], stale_deletes=stale_deletes) is not None) is deleted
    assert sum(depot.counts(1.0)) == (0 if deleted else 1)


@pytest.mark.parametrize("leave", ["dead-lettered", "carried off"])
def test_the_handle_of_a_message_that_left_for_another_queue_is_unknown(leave: str) -> None:
    """A redrive or move task has moved it, so it is not in this queue any more; a deleted one's handle stays known."""
    depot = MessageDepot(b"secret")
    for _ in range(2):
        depot.add(_Message(), 0.0)
    (deleted, moved), _ = depot.take(2, 1.0, 1.0, HOUR_MS, 1)
    handles = [depot.handle_of(held) for held in (deleted, moved)]
    depot.delete(handles[0], stale_deletes=False)
    if leave == "carried off":
        assert depot.carry_off(2.0) is moved
    else:
        assert depot.take(1, 2.0, 1.0, HOUR_MS, 1) == ([], [moved])
    assert depot.delete(handles[0], stale_deletes=False) is None
    for use in (depot.find, lambda handle: depot.delete(handle, stale_deletes=True)):
        with pytest.raises(UnknownHandle):
            use(handles[1])


def test_counters_say_what_happened_and_leave_test_events_out() -> None:
    """Each message is counted once as sent, received, deleted and so on; S3's test event never is.

    It has no part in depths and ages either. Clients see SQS's own numbers, with it.
    """
    depot = MessageDepot(b"secret")
    assert depot.counters(0.0) == QueueCounters()
    depot.add(_Message(), 0.0, is_test_event=True)
    assert depot.counts(0.0) == (1, 0, 0)
    assert depot.counters(0.0) == QueueCounters(test_events=1)
    for _ in range(6):
        depot.add(_Message(), 0.0)
    depot.add(_Message(), 0.0, counts_as_sent=False)
    expected = QueueCounters(visible=7, oldest_age_s=2.0, sent=6, test_events=1)
    assert depot.counters(2000.0) == expected

    received, _ = depot.take(4, 2000.0, 1000.0, HOUR_MS, None)
    assert [held.receives for held in received] == [1] * 4
    assert [held.received_ms for held in received] == [2000.0] * 4
    expected = dataclasses.replace(expected, visible=4, in_flight=3, received=3)
    assert depot.counters(2000.0) == expected
    depot.delete(depot.handle_of(received[1]), stale_deletes=False)
    expected = dataclasses.replace(expected, in_flight=2, deleted=1)
    assert depot.counters(2000.0) == expected

    again, dead = depot.take(2, 3000.0, 1000.0, HOUR_MS, 1)
    assert dead == [received[0], received[2], received[3]]
    assert [held.place for held in again] == [4, 5]
    expected = dataclasses.replace(
        expected, visible=2, in_flight=2, received=5, dead_lettered=2, test_events=0, oldest_age_s=3.0
    )
    assert depot.counters(3000.0) == expected
    carried = depot.carry_off(3000.0)
    assert carried is not None
    assert carried.place == 6
    expected = dataclasses.replace(expected, visible=1, redriven=1)
    assert depot.counters(3000.0) == expected
    depot.add(_Message(sent_timestamp=3000), 3000.0, is_test_event=True)
    depot.purge()
    expected = dataclasses.replace(expected, visible=0, in_flight=0, oldest_age_s=None, purged=3)
    assert depot.counters(3000.0) == expected
    assert list(depot.walk(3000.0)) == []


def test_a_test_event_is_counted_in_no_total() -> None:
    """It holds however it leaves: deleted, expired, dead-lettered or moved."""
    depot = MessageDepot(b"secret")
    for _ in range(4):
        depot.add(_Message(), 0.0, is_test_event=True)
    (first, second), _ = depot.take(2, 0.0, 10.0, HOUR_MS, None)
    depot.delete(depot.handle_of(first), stale_deletes=False)
    assert depot.take(1, 10.0, 10.0, HOUR_MS, 1)[1] == [second]
    assert depot.carry_off(10.0) is not None
    assert depot.take(1, HOUR_MS, 10.0, 1.0, None) == ([], [])
    assert depot.counters(HOUR_MS) == QueueCounters()


def test_a_test_event_is_in_no_depth_and_no_age() -> None:
    """In any state, and also after the messages by age were put in order anew."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(delayed_until=5.0), 0.0, is_test_event=True)
    assert depot.counters(0.0) == QueueCounters(test_events=1)
    assert depot.counts(0.0) == (0, 0, 1)
    depot.take(1, 6.0, HOUR_MS, HOUR_MS, None)
    assert depot.counters(6.0) == QueueCounters(test_events=1)
    for _ in range(1_100):
        held = depot.add(_Message(sent_timestamp=10), 10.0)
        depot.delete(depot.handle_of(held), stale_deletes=True)
    depot.add(_Message(sent_timestamp=20), 20.0)
    assert len(depot._by_age) < 1_100
    assert depot.oldest_sent_ms() == 20


def test_a_message_from_the_future_has_no_age() -> None:
    """A sender's clock may be ahead of the store's."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(sent_timestamp=5000), 1000.0)
    assert depot.counters(1000.0).oldest_age_s == 0.0


def test_after_a_purge_nothing_comes_back() -> None:
    """It covers ready, hidden and delayed messages; only those sent afterwards are there."""
    depot = MessageDepot(b"secret")
    for delay in (0.0, 0.0, 50.0):
        depot.add(_Message(delayed_until=delay), 0.0)
    hidden = depot.take(1, 0.0, 30.0, HOUR_MS, None)[0][0]
    handle = depot.handle_of(hidden)
    depot.purge()
    assert depot.next_due_ms() is None
    assert depot.counts(100.0) == (0, 0, 0)
    assert depot.find(handle) is None
    new = depot.add(_Message(), 100.0)
    assert depot.take(10, 100.0, 30.0, HOUR_MS, None)[0] == [new]


def test_messages_come_back_when_their_time_is_over() -> None:
    """They are not a millisecond early; they come in the queue's order, not that of their return."""
    depot = MessageDepot(b"secret")
    added = [depot.add(_Message(delayed_until=delay), 0.0) for delay in (0.0, 0.0, 40.0)]
    assert depot.take(1, 0.0, 30.0, HOUR_MS, None)[0] == added[:1]
    assert depot.take(1, 0.0, 20.0, HOUR_MS, None)[0] == added[1:2]
    assert (depot.next_due_ms(), depot.counts(19.0)) == (20.0, (0, 2, 1))
    assert depot.counts(20.0) == (1, 1, 1)
    assert (depot.next_due_ms(), depot.counts(29.0)) == (30.0, (1, 1, 1))
    assert depot.counts(39.0) == (2, 0, 1)
    assert (depot.next_due_ms(), depot.counts(40.0)) == (40.0, (3, 0, 0))
    assert depot.next_due_ms() is None
    assert depot.take(10, 40.0, 10.0, HOUR_MS, None)[0] == added


def test_a_delay_that_is_over_is_none() -> None:
    """A message delayed until now can be received now."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(delayed_until=10.0), 10.0)
    assert depot.counts(10.0) == (1, 0, 0)


def test_a_changed_visibility_counts_from_the_change() -> None:
    """The new time may be longer, shorter or zero: the first instant no longer brings the message back."""
    depot = MessageDepot(b"secret")
    added = [depot.add(_Message(), 0.0) for _ in range(3)]
    depot.take(3, 0.0, 10.0, HOUR_MS, None)
    depot.change_visibility(added[0], 5.0, 20.0)
    depot.change_visibility(added[1], 5.0, 1.0)
    depot.change_visibility(added[2], 5.0, 0.0)
    assert depot.counts(5.0) == (1, 2, 0)
    assert (depot.next_due_ms(), depot.counts(6.0)) == (6.0, (2, 1, 0))
    assert (depot.next_due_ms(), depot.counts(24.0)) == (25.0, (2, 1, 0))
    assert depot.counts(25.0) == (3, 0, 0)


def test_a_message_that_is_ready_again_is_not_due() -> None:
    """Nothing needs to wait for a ready message; a deleted one is not waited for either."""
    depot = MessageDepot(b"secret")
    shown, deleted = (depot.add(_Message(), 0.0) for _ in range(2))
    depot.take(2, 0.0, 10.0, HOUR_MS, None)
    depot.change_visibility(shown, 1.0, 0.0)
    depot.delete(depot.handle_of(deleted), stale_deletes=False)
    assert depot.next_due_ms() is None
    assert depot.counts(10.0) == (1, 0, 0)


def test_a_ready_message_can_be_deleted() -> None:
    """With visibility 0 it is ready while its handle is in use; it is not received again."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(), 0.0)
    handle = depot.handle_of(depot.take(1, 0.0, 0.0, HOUR_MS, None)[0][0])
    depot.delete(handle, stale_deletes=False)
    assert depot.counts(0.0) == (0, 0, 0)
    assert depot.take(1, 0.0, 0.0, HOUR_MS, None) == ([], [])


def test_a_receive_returns_as_many_as_were_requested() -> None:
    """They come in the order in which they were sent; earlier receives count against the redrive policy."""
    depot = MessageDepot(b"secret")
    added = [depot.add(_Message(approximate_receive_count=2), 0.0) for _ in range(5)]
    assert depot.take(2, 0.0, 10.0, HOUR_MS, 3)[0] == added[:2]
    assert depot.take(2, 0.0, 10.0, HOUR_MS, 3)[0] == added[2:4]
    assert depot.take(5, 10.0, 10.0, HOUR_MS, 3) == (added[4:], added[:4])


def test_a_walk_goes_on_behind_a_place_in_any_state() -> None:
    """Ready, hidden and delayed messages come alike, in the queue's order, as they are at that instant."""
    depot = MessageDepot(b"secret")
    added = [depot.add(_Message(delayed_until=delay), 0.0) for delay in (0.0, 0.0, 50.0, 0.0)]
    depot.take(1, 0.0, 10.0, HOUR_MS, None)
    assert list(depot.walk(5.0)) == added
    assert list(depot.walk(5.0, after=added[1].place)) == added[2:]
    assert [held.state for held in depot.walk(10.0)] == ["ready", "ready", "delayed", "ready"]


def test_who_waits_is_notified_of_what_may_be_received() -> None:
    """A sent message, or one whose visibility is changed, may be what a receiver waits for."""
    told: list[str] = []
    depot = MessageDepot(b"secret", arrived=lambda: told.append("arrived"))
    held = depot.add(_Message(), 0.0)
    assert len(told) == 1
    depot.take(1, 0.0, 10.0, HOUR_MS, None)
    assert len(told) == 1
    depot.change_visibility(held, 0.0, 0.0)
    assert len(told) == 2
    depot.announce(lambda: told.append("to another"))
    depot.add(_Message(), 0.0)
    assert told == ["arrived", "arrived", "to another"]


def test_a_ready_message_that_is_hidden_is_not_received() -> None:
    """No receive has it, but moto still hides it: it is not received until its time is over."""
    depot = MessageDepot(b"secret")
    held = depot.add(_Message(), 0.0)
    depot.change_visibility(held, 0.0, 10.0)
    assert depot.take(1, 0.0, 10.0, HOUR_MS, None) == ([], [])
    assert depot.counts(0.0) == (0, 1, 0)
    assert depot.take(1, 10.0, 10.0, HOUR_MS, None) == ([held], [])


def test_what_is_due_first_is_known_right_after_a_rebuild() -> None:
    """It holds in whatever order the messages were hidden."""
    depot = MessageDepot(b"secret")
    first, *_ = (depot.add(_Message(delayed_until=delay), 0.0) for delay in (95_000.0, 90_000.0, 80_000.0))
    for extra in range(1_100):
        depot.change_visibility(first, 0.0, 95_000.0 + extra)
    depot.add(_Message(), 0.0)
    assert len(depot._away) == 3
    assert depot.next_due_ms() == 80_000.0


def test_memory_follows_the_messages_held() -> None:
    """After many messages are gone the heaps are rebuilt: small, and in the right order whatever the ages are."""
    depot = MessageDepot(b"secret")
    kept = [
        depot.add(_Message(sent_timestamp=100 - number, delayed_until=delay), 0.0)
        for number, delay in enumerate((0.0, 90_000.0, 80_000.0, 0.0))
    ]
    assert depot.take(1, 0.0, 95_000.0, HOUR_MS, None)[0] == kept[:1]
    for now in range(4000):
        held = depot.add(_Message(sent_timestamp=200), float(now))
        depot.change_visibility(held, float(now), 1000.0 + now)
        depot.change_visibility(held, float(now), 0.0)
        depot.delete(depot.handle_of(held), stale_deletes=True)
    for heap in (depot._by_age, depot._away, depot._ready):
        assert len(heap) <= 1100
    assert depot.oldest_sent_ms() == 97
    assert depot.counts(4000.0) == (1, 1, 2)
    assert depot.counts(79_999.0) == (1, 1, 2)
    assert depot.counts(80_000.0) == (2, 1, 1)
    assert depot.counts(90_000.0) == (3, 1, 0)
    assert depot.take(10, 95_000.0, 10.0, HOUR_MS, None)[0] == kept


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 3)),
        st.tuples(st.just("take"), st.integers(0, 3)),
        st.tuples(st.just("delete"), st.integers(0, 30)),
        st.tuples(st.just("show"), st.integers(0, 30)),
        st.tuples(st.just("pass"), st.integers(1, 4)),
    ),
    max_size=60,
)


@given(steps=STEPS)
@settings(deadline=None)
def test_counts_are_those_of_a_plain_list_of_messages(steps: list[tuple[str, int]]) -> None:
    """Whatever happens, the counts of ready, in flight and delayed equal those from counting all messages."""
    depot, plain, now = MessageDepot(b"secret"), [], 0.0
    handles: list[str] = []
    for kind, number in steps:
        if kind == "add":
            plain.append(depot.add(_Message(sent_timestamp=int(now), delayed_until=now + number), now))
        elif kind == "take":
            received, _ = depot.take(3, now, float(number), HOUR_MS, None)
            handles += [depot.handle_of(held) for held in received]
        elif kind == "delete" and number < len(handles):
            deleted = depot.delete(handles[number], stale_deletes=True)
            plain = [held for held in plain if held is not deleted]
        elif kind == "show" and number < len(handles):
            held = depot.find(handles[number])
            if held is not None:
                depot.change_visibility(held, now, 0.0)
        elif kind == "pass":
            now += number
        depot.counts(now)
        states = [held.state for held in plain]
        assert depot.counts(now) == tuple(states.count(each) for each in ("ready", "in_flight", "delayed"))
        assert all(held.due_ms > now for held in plain if held.state != "ready")
        assert list(depot.walk(now)) == plain
