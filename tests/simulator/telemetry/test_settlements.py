"""What is counted of the deliveries of any application's queues."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import declare
from simulator.base.counters import QueueCounters, StoreCounters
from simulator.base.observations import EventSettled, MessageSettled, MessagesReceived, PhaseChanged, StoreSampled
from simulator.proof.deliveries import Deliveries
from simulator.stack.model import Redrive, Stack
from simulator.stack.wiring import flow
from simulator.telemetry import Telemetry, settlements
from simulator.telemetry.reasons import REASON_CHARACTERS
from simulator.telemetry.settlements import Settlements
from simulator.telemetry.snapshot import Facts, RunOptions

TEST_EVENT = '{"Service":"Amazon S3","Event":"s3:TestEvent"}'


def chained() -> Stack:
    """A polled queue that dead-letters into another polled one, and that one into a third, which nothing polls."""
    second = declare.queue("Second", redrive=Redrive("Third", 1))
    queues = [declare.queue(redrive=Redrive("Second", 1)), second, declare.queue("Third")]
    mappings = [declare.mapping(), declare.mapping(logical_id="Other", queue="Second")]
    return declare.stack(
        queues={each.logical_id: each for each in queues},
        mappings={each.logical_id: each for each in mappings},
        functions={"Consumer": declare.function()},
    )


def settled(message_id: str, receive_count: int = 1, **changes: Any) -> MessageSettled:
    """A delivery that was deleted."""
    plain = MessageSettled(2.0, "Mapping", "Queue", message_id, "{}", 1.0, 1.5, receive_count, True, "success")
    return dataclasses.replace(plain, **changes)


def telemetry() -> Telemetry:
    """Of a run of that stack."""
    return Telemetry(chained(), RunOptions("simulate", 7, "inline", 0.0))


def deliveries(observed: Telemetry) -> Deliveries:
    """What a snapshot says about them."""
    shown = observed.snapshot(9.0).deliveries
    assert shown is not None
    return shown


class Fates:
    """Random receives, outcomes and dead-letters of the chain's messages, as the store counts them."""

    def __init__(self) -> None:
        self.counters: dict[str, QueueCounters] = defaultdict(QueueCounters)
        self.observed = telemetry()
        self.outstanding: list[tuple[str, str, int]] = []

    def send(self, message: str) -> None:
        """A new message; its first receive is at once."""
        self.counters["Queue"].sent += 1
        self.receive(message, "Queue", 1)

    def receive(self, message: str, queue: str, count: int) -> None:
        """A mapping receives it."""
        self.counters[queue].received += 1
        self.counters[queue].in_flight += 1
        self.outstanding.append((message, queue, count))
        self.observed.record(MessagesReceived(1.0, "Mapping" if queue == "Queue" else "Other", queue, 1))

    def settle(self, chosen: int, *, deleted: bool) -> None:
        """One of the open deliveries has its outcome; a message that failed is dead-lettered."""
        message, queue, count = self.outstanding.pop(chosen % len(self.outstanding))
        self.counters[queue].in_flight -= 1
        self.observed.record(
            settled(message, count, mapping="Mapping" if queue == "Queue" else "Other", queue=queue, deleted=deleted)
        )
        if deleted:
            self.counters[queue].deleted += 1
            return
        self.counters[queue].dead_lettered += 1
        if queue == "Queue":
            self.receive(message, "Second", count + 1)

    def shown(self) -> Deliveries:
        """After a sample of the store."""
        self.observed.record(StoreSampled(2.0, StoreCounters(at=2.0, queues=dict(self.counters))))
        return deliveries(self.observed)


@given(st.lists(st.tuples(st.sampled_from(["send", "delete", "fail"]), st.integers(0, 9))))
def test_every_message_is_accounted_for_at_any_moment(steps: list[tuple[str, int]]) -> None:
    """Whatever is received and settled in whatever order, nothing is lost, and at the end each is settled once."""
    fates = Fates()
    for number, (step, chosen) in enumerate(steps):
        if step == "send":
            fates.send(f"m{number}")
        elif fates.outstanding:
            fates.settle(chosen, deleted=step == "delete")
        assert fates.shown().lost == 0
        assert fates.shown().settled_once == (not fates.outstanding)
    while fates.outstanding:
        fates.settle(0, deleted=True)
    fates.observed.record(PhaseChanged(3.0, "done"))
    assert fates.shown().verdict == "settled"


@given(st.integers(1, 5), st.data())
def test_a_second_outcome_of_one_delivery_shows(sent: int, data: st.DataObject) -> None:
    """Even if another delivery has none, so that the totals agree."""
    fates = Fates()
    for number in range(sent):
        fates.send(f"m{number}")
    again = data.draw(st.integers(0, sent - 1))
    for number in range(sent):
        if number != (again + 1) % sent or sent == 1:
            fates.observed.record(settled(f"m{number}"))
    fates.observed.record(settled(f"m{again}"))
    assert not fates.shown().settled_once


def test_late_outcomes_of_earlier_deliveries_are_no_repetition() -> None:
    """A message is delivered again while its first invocation still runs, which ends last."""
    observed = telemetry()
    observed.record(MessagesReceived(1.0, "Mapping", "Queue", 2))
    for count in (2, 1):
        observed.record(settled("m", count))
    assert deliveries(observed).settled_once


def test_test_events_are_no_messages() -> None:
    """S3's test event is neither received nor settled as far as the proof is concerned."""
    observed = telemetry()
    observed.record(MessagesReceived(1.0, "Mapping", "Queue", 1, test_events=1))
    observed.record(settled("m", body=TEST_EVENT))
    observed.record(settled("m", body=TEST_EVENT))
    assert deliveries(observed) == Deliveries()


@pytest.mark.parametrize(
    ("counters", "verdict"),
    [
        ({"Queue": QueueCounters(sent=3, deleted=2, purged=1)}, "settled"),
        ({"Queue": QueueCounters(sent=3, deleted=2, expired=1)}, "differs"),
        ({"Second": QueueCounters(sent=2, redriven=1, deleted=1)}, "settled"),
        ({"Queue": QueueCounters(sent=2, dead_lettered=1, deleted=1), "Third": QueueCounters(visible=1)}, "differs"),
        ({"Queue": QueueCounters(sent=1, delayed=1)}, "pending"),
    ],
)
def test_the_stores_counters_decide(counters: dict[str, QueueCounters], verdict: str) -> None:
    """Purged is deleted, expired is lost, moved counts where it arrives; a dead letter must arrive, too."""
    observed = telemetry()
    observed.record(StoreSampled(1.0, StoreCounters(at=1.0, queues=counters)))
    observed.record(PhaseChanged(2.0, "done"))
    assert deliveries(observed).verdict == verdict


def test_events_count_until_the_end() -> None:
    """A lost event differs; one that the drain did not wait for is pending, also after the phase has changed again."""
    observed = telemetry()
    observed.record(PhaseChanged(1.0, "auditing", events_waiting=1))
    assert deliveries(observed).verdict == "unproven"
    observed.record(PhaseChanged(2.0, "done"))
    assert deliveries(observed).verdict == "pending"
    observed.record(EventSettled(3.0, "Consumer", "{}", 1.0, succeeded=False, kept=True))
    assert deliveries(observed).verdict == "pending"
    observed.record(EventSettled(3.0, "Consumer", "{}", 1.0, succeeded=False))
    assert deliveries(observed).verdict == "differs"


def test_the_pipeline_has_its_own_proof(telemetry: Telemetry) -> None:
    """Its snapshots have no deliveries."""
    assert telemetry.snapshot(1000.0).deliveries is None


def test_why_a_message_failed_is_known_until_it_is_deleted() -> None:
    """The last five different reasons, each in one line; with the queue of the last delivery."""
    observed = telemetry()
    for count, reason in enumerate(["timeout", "no\nprice", "timeout"], 1):
        observed.record(settled("m", count, deleted=False, reason=reason))
    assert observed.failed("m") == ("Queue", ("timeout", "no price"))
    observed.record(settled("m", 4, mapping="Other", queue="Second", deleted=False, reason="error"))
    assert observed.failed("m") == ("Second", ("timeout", "no price", "error"))
    for count in range(5, 12):
        observed.record(settled("m", count, deleted=False, reason=f"error {count}"))
    assert observed.failed("m") == ("Queue", tuple(f"error {count}" for count in range(7, 12)))
    observed.record(settled("m", 12))
    assert observed.failed("m") is None


def test_the_latest_reasons_of_a_message_are_kept() -> None:
    """Five, and so many characters of each as of any other reason."""
    kept = Settlements(chained(), flow(chained()))
    for count in range(1, 8):
        kept.settled(settled("m", count, deleted=False), f"{count}" * 999)
    known = kept.failed("m")
    assert known is not None
    assert known[1] == tuple(f"{count}" * REASON_CHARACTERS for count in range(3, 8))


def test_only_the_latest_messages_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, however many messages there are."""
    monkeypatch.setattr(settlements, "MESSAGES_KEPT", 2)
    kept = Settlements(chained(), flow(chained()))
    for name in "abca":
        kept.settled(settled(name, deleted=False), "error")
    assert [name for name in "abc" if kept.failed(name)] == ["a", "c"]
    assert kept.view(QueueCounters(), StoreCounters(at=0.0), Facts(), 0).settled_once
    kept.settled(settled("c"), "")
    assert not kept.view(QueueCounters(), StoreCounters(at=0.0), Facts(), 0).settled_once


def test_latency_is_of_what_succeeded() -> None:
    """Deleted messages and events that succeeded; neither S3's test events nor what was given up."""
    observed = telemetry()
    observed.record(settled("a", body=TEST_EVENT))
    observed.record(settled("b", deleted=False, reason="error"))
    observed.record(EventSettled(9.0, "Consumer", "{}", 1.0, succeeded=False))
    assert observed.snapshot(9.0).latency.count == 0
    observed.record(settled("c"))
    observed.record(EventSettled(9.0, "Consumer", "{}", 4.0, succeeded=True))
    assert (observed.snapshot(9.0).latency.count, observed.snapshot(9.0).latency.max) == (2, 5.0)


def test_functions_that_share_a_queue_share_its_failures() -> None:
    """A message that one of them failed on and another deleted, or that was dead-lettered, is counted so once."""
    both = [declare.mapping(), declare.mapping(logical_id="Other", function="Second")]
    stack = declare.stack(
        queues={"Queue": declare.queue(redrive=Redrive("Dead", 2)), "Dead": declare.queue("Dead")},
        mappings={each.logical_id: each for each in both},
        functions={name: declare.function(name) for name in ("Consumer", "Second")},
    )
    observed = Telemetry(stack, RunOptions("simulate", 7, "inline", 0.0))
    for message_id, mapping, count in (("a", "Mapping", 1), ("b", "Mapping", 1), ("b", "Other", 2)):
        failed = settled(message_id, count, mapping=mapping, deleted=False, reason="error")
        observed.record(failed)
    observed.record(settled("a", 2, mapping="Other"))
    observed.record(StoreSampled(3.0, StoreCounters(at=3.0, queues={"Queue": QueueCounters()})))
    observed.record(StoreSampled(4.0, StoreCounters(at=4.0, queues={"Queue": QueueCounters(dead_lettered=1)})))
    causes = observed.snapshot(5.0).failures
    assert [(each.count, each.deleted, each.dead_lettered, each.remaining) for each in causes] == [(2, 1, 1, 0)]
