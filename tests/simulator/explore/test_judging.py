"""What is wrong with a world: each symptom from what shows it, and none from a world in which all is well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes.audited import EXACT
from simulator.base.observations import MessageSettled, MessagesReceived, PhaseChanged
from simulator.explore import judging
from simulator.explore.judging import Deeds, GivenUp, WorldProblem
from simulator.faults import kinds
from simulator.faults.plane import Fault, Struck
from simulator.proof.account import ObjectsAtRest
from simulator.proof.deliveries import Deliveries
from simulator.run.invariants import InvariantOutcome

TEST_EVENT = '{"Service":"Amazon S3","Event":"s3:TestEvent"}'
MISSING = "ACME 2020-01-01T00:00:00Z: missing, a.csv line 2 has it"
STALE = "ACME 2020-01-01T00:00:00Z: open should be 1.00, not 2.00"
EXTRA = "ACME 2020-01-01T00:00:00Z: extra, no object has it"
LEDGER = "the consumer reports 3 rows written, the store counted 2"


# The proof of the pipeline's rows


def of_audit(**changes: Any) -> list[WorldProblem]:
    """The problems of an exact audit with changes."""
    return list(judging.of_audit(replace(EXACT, **changes)))


def test_an_exact_audit_has_no_problem() -> None:
    """Nor has one whose only loss is rows that their own object replaces, or that of an empty world."""
    assert of_audit() == []
    assert of_audit(overwritten=3, duplicates=5, rejected=2, ambiguous=1, superseded=1) == []
    assert of_audit(extra=None, verdict="unproven") == []


def test_what_was_given_up_or_filtered_is_no_problem_of_the_rows() -> None:
    """Whether it had to be given up, the dead letters say."""
    assert of_audit(dead_lettered=ObjectsAtRest(1, 5, 0), filtered=ObjectsAtRest(1, 5, 0)) == []


@pytest.mark.parametrize(
    ("figure", "symptom", "said"),
    [("missing", "lost", MISSING), ("different", "stale", STALE), ("extra", "invented", EXTRA)],
)
def test_each_difference_of_a_row_has_its_symptom(figure: str, symptom: str, said: str) -> None:
    """With the first sentence about a row of its own sort, wherever that is among the others."""
    (problem,) = of_audit(**{figure: 1}, verdict="differs", differences=(LEDGER, EXTRA, STALE, MISSING))
    assert problem == (symptom, said, "")
    assert problem.sort == symptom


def test_a_row_without_a_sentence_of_its_own_has_the_first() -> None:
    """The list of differences is short; with none at all, nothing is said."""
    assert [problem.said for problem in of_audit(missing=1, verdict="differs", differences=(LEDGER,))] == [LEDGER]
    assert of_audit(missing=1, verdict="differs") == [("lost", "", "")]


def test_several_symptoms_come_with_the_worst_first() -> None:
    """What is lost before what is stale before what is invented."""
    found = of_audit(missing=2, different=1, extra=1, verdict="differs", differences=(EXTRA, STALE, MISSING))
    assert [(problem.symptom, problem.said) for problem in found] == [
        ("lost", MISSING),
        ("stale", STALE),
        ("invented", EXTRA),
    ]


def test_figures_that_differ_are_a_symptom_only_without_a_row_that_does() -> None:
    """The rows explain the figures, not the other way round."""
    assert of_audit(verdict="differs", differences=(LEDGER,)) == [("figures differ", LEDGER, "")]
    assert [problem.symptom for problem in of_audit(missing=1, verdict="differs", differences=(LEDGER,))] == ["lost"]


def test_objects_that_still_wait_are_not_drained() -> None:
    """One is enough."""
    (problem,) = of_audit(pending=ObjectsAtRest(1, 5, 5), verdict="unproven")
    assert problem == ("not drained", "1 object still waited when the time was up", "")


# An application's messages and events

SETTLED = Deliveries(sent=5, deleted=4, dead_lettered=1, is_over=True)


def test_settled_deliveries_have_no_problem() -> None:
    """A dead letter is a fate, too."""
    assert list(judging.of_deliveries(SETTLED)) == []


@pytest.mark.parametrize(
    ("changes", "symptom", "said"),
    [
        ({"deleted": 3, "remaining": 1}, "not drained", "1 message still waited when the time was up"),
        ({"events_waiting": 2}, "not drained", "2 messages still waited when the time was up"),
        ({"deleted": 3}, "lost", "1 message unaccounted for"),
        ({"deleted": 6}, "lost", "2 messages unaccounted for"),
        ({"events_lost": 1}, "lost", "1 event given up, and kept nowhere"),
    ],
)
def test_each_fate_that_is_none_has_its_symptom(changes: dict[str, Any], symptom: str, said: str) -> None:
    """A message that is nowhere, more messages than were sent, and events without a fate."""
    assert list(judging.of_deliveries(replace(SETTLED, **changes))) == [(symptom, said, "")]


def test_both_can_be_wrong() -> None:
    """Each is told."""
    found = judging.of_deliveries(replace(SETTLED, deleted=1, remaining=1, events_lost=3))
    assert [problem.symptom for problem in found] == ["not drained", "lost", "lost"]


# Dead letters


def letter(receives: int, readable: bool | None = True, maximum: int = 3, about: str = "") -> GivenUp:
    """A message that was given up."""
    return GivenUp("m-1", about, "DeadLetters", receives, maximum, readable)


def struck(count: int, kind: str = "s3-slow-down") -> list[Struck]:
    """So many faults."""
    return [Struck(float(number), Fault("s3.GetObject", number, kind, 1.0)) for number in range(count)]


@pytest.mark.parametrize(("receives", "early"), [(0, True), (2, True), (3, False), (4, False)])
def test_a_message_is_given_up_early_below_the_maximum(receives: int, early: bool) -> None:
    """Whatever it is about, and however many faults struck."""
    for readable in (True, False, None):
        found = list(judging.of_dead_letters([letter(receives, readable)], struck(9)))
        said = f"message m-1 was given up after {receives} receives of 3"
        assert found == ([("given up early", said, "")] if early else [])


@pytest.mark.parametrize(("faults", "without_cause"), [(0, True), (2, True), (3, False), (4, False)])
def test_a_readable_object_is_given_up_without_cause_below_a_fault_for_each_receive(
    faults: int, without_cause: bool
) -> None:
    """As many faults as receives may have spoilt them all."""
    found = list(judging.of_dead_letters([letter(3)], struck(faults)))
    assert [problem.symptom for problem in found] == (["given up without cause"] if without_cause else [])
    if faults == 2:
        assert found[0].said == "message m-1 was given up after 3 receives of 3, with 2 faults in all"


@pytest.mark.parametrize("readable", [False, None])
def test_what_nobody_can_read_or_knows_is_given_up_with_cause(readable: bool | None) -> None:
    """An unreadable object fails each time; of another application's message, nobody knows."""
    assert list(judging.of_dead_letters([letter(3, readable)], [])) == []


@pytest.mark.parametrize("kind", list(kinds.ALL))
def test_one_fault_that_lasts_is_cause_enough(kind: str) -> None:
    """It may spoil every receive, as may what an object is replaced with; any other one spoils one."""
    found = list(judging.of_dead_letters([letter(3)], struck(1, kind)))
    assert (found == []) == (kinds.ALL[kind].scope != "call" or kind == "s3-replaced")


def test_a_message_is_named_by_its_objects() -> None:
    """If it has any."""
    found = judging.of_dead_letters([letter(1, about="a.csv, b.csv"), letter(3, about="a.csv")], [])
    assert [problem.said for problem in found] == [
        "the message of a.csv, b.csv was given up after 1 receive of 3",
        "the message of a.csv was given up after 3 receives of 3, with 0 faults in all",
    ]


def test_each_letter_is_judged() -> None:
    """One that is fine hides none that is not."""
    found = judging.of_dead_letters([letter(3, readable=False), letter(1), letter(3)], [])
    assert [problem.symptom for problem in found] == ["given up early", "given up without cause"]


# Deeds


def settled(
    message: str, times: int, reason: str = "success", mapping: str = "Mapping", body: str = "{}"
) -> MessageSettled:
    """The outcome of a delivery."""
    return MessageSettled(9.0, mapping, "Queue", message, body, 1.0, 2.0, times, reason == "success", reason)


def deeds(*observations: Any) -> Deeds:
    """What was counted of these."""
    found = Deeds()
    for observation in observations:
        found.record(observation)
    return found


def received(count: int, mapping: str = "Mapping") -> MessagesReceived:
    """A receive."""
    return MessagesReceived(2.0, mapping, "Queue", count)


def test_one_outcome_for_each_delivery_is_no_problem() -> None:
    """Also of a message that comes again, whose deliveries are two."""
    found = deeds(received(2), received(0), settled("a", 1, "error"), settled("b", 1), received(1), settled("a", 2))
    assert list(found.problems()) == []
    assert list(deeds(PhaseChanged(0.0, "running")).problems()) == []


def test_a_delivery_with_two_outcomes_is_a_problem() -> None:
    """It is told although the sums agree."""
    found = list(deeds(received(2), settled("a", 1), settled("a", 1)).problems())
    assert found == [("settled not once", "a delivery of message a was settled twice", "")]


def test_the_same_delivery_of_two_mappings_is_two() -> None:
    """A mapping counts for itself."""
    found = deeds(received(1), received(1, "Other"), settled("a", 1), settled("a", 1, mapping="Other"))
    assert list(found.problems()) == []


@pytest.mark.parametrize(("count", "text"), [(1, "1 message"), (3, "3 messages")])
def test_a_delivery_without_an_outcome_is_a_problem(count: int, text: str) -> None:
    """As is an outcome without a delivery."""
    (problem,) = deeds(received(count), *(settled(f"{number}", 1) for number in range(2))).problems()
    assert problem == ("settled not once", f"Mapping received {text} and settled 2", "")


def test_outcomes_are_counted_by_their_reason() -> None:
    """But for that of S3's test event, which is about no object."""
    found = deeds(settled("a", 1), settled("b", 1), settled("c", 1, "crash"), settled("d", 1, body=TEST_EVENT))
    assert found.arms == {"success": 2, "crash": 1}
    assert found.settled == {"Mapping": 4}


# Invariants


def test_an_invariant_that_does_not_hold_is_a_problem_by_its_name() -> None:
    """One that holds is none; two are of different sorts, and one without a message is told all the same."""
    outcomes = [
        InvariantOutcome("checks:a", held=True),
        InvariantOutcome("checks:b", held=False, message="3 are lost"),
        InvariantOutcome("checks:c", held=False),
    ]
    found = list(judging.of_invariants(outcomes))
    assert found == [
        ("invariant", "checks:b: 3 are lost", "checks:b"),
        ("invariant", "checks:c: does not hold", "checks:c"),
    ]
    assert [problem.sort for problem in found] == ["invariant checks:b", "invariant checks:c"]
    assert list(judging.of_invariants(outcomes[:1])) == []
