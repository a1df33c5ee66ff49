"""A queue's messages as a data structure: instants are arguments, nothing waits."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.store.sqs.depot import MessageDepot
from simulator.store.sqs.receipt_handles import UnknownHandle

HOUR_MS = 3_600_000.0


@dataclass
class _Message:
    sent_timestamp: int = 0
    delayed_until: float = 0.0
    approximate_receive_count: int = 0


def test_messages_older_than_the_retention_are_dropped_and_counted() -> None:
    """MessageRetentionPeriod: a message that outlived it is not received any more."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(sent_timestamp=0), 0.0)
    depot.add(_Message(sent_timestamp=30_000), 30_000.0)
    received, _ = depot.take(10, 60_000.0, 30_000, 60_000, None)
    assert [held.sent_ms for held in received] == [30_000]
    assert (depot.totals.expired, len(depot)) == (1, 1)


def test_the_age_of_the_oldest_message_counts_until_it_is_deleted() -> None:
    """ApproximateAgeOfOldestMessage: hidden and delayed messages have an age too; a deleted one has not."""
    depot = MessageDepot(b"secret")
    assert depot.oldest_sent_ms() is None
    for sent in (10, 20):
        depot.add(_Message(sent_timestamp=sent, delayed_until=50.0), float(sent))
    first = depot.take(1, 60.0, HOUR_MS, HOUR_MS, None)[0][0]
    assert depot.oldest_sent_ms() == 10
    depot.delete(depot.handle_of(first), stale_deletes=False)
    assert depot.oldest_sent_ms() == 20


def test_a_handle_proves_its_origin() -> None:
    """A handle of another queue, or one made up, is unknown; a used one stays known."""
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
    """AWS deletes by the handle of the last receive (here the second); moto by any."""
    depot = MessageDepot(b"secret")
    depot.add(_Message(), 0.0)
    handles = [depot.handle_of(depot.take(1, 1.0, 0.0, HOUR_MS, None)[0][0]) for _ in range(2)]
    assert (depot.delete(handles[receive - 1], stale_deletes=stale_deletes) is not None) is deleted
    assert len(depot) == (0 if deleted else 1)


@pytest.mark.parametrize("leave", ["dead-lettered", "carried off"])
def test_the_handle_of_a_message_that_left_for_another_queue_is_unknown(leave: str) -> None:
    """Moved by redrive or by a move task, it is not this queue's any more; a deleted one's handle stays known."""
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
    """Whatever happens, ready, in flight and delayed are what counting all messages one by one gives."""
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
        assert len(depot) == len(plain)
