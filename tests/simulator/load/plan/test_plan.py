"""What follows from what a load test is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.plans import plan
from simulator.load.plan.plan import Copies, TargetName
from simulator.run.bounds import DEFAULTS


def test_only_what_arrives_by_the_clock_has_a_length() -> None:
    """A backlog has its number alone, and a search ends when it has an answer."""
    assert (plan().duration_s, plan().objects) == (10.0, 40)
    assert (plan(backlog=7).duration_s, plan(backlog=7).objects) == (None, 7)
    assert (plan(find_max=True).duration_s, plan(find_max=True).objects) == (None, None)


def test_what_keeps_rows_is_audited_unless_nobody_wants_it() -> None:
    """The store, and an endpoint; a sink keeps none, and another command audits a stack."""
    targets: tuple[TargetName, ...] = ("store", "endpoint", "sink", "stack")
    assert [plan(target=target).audited for target in targets] == [True, True, False, False]
    assert [replace(plan(), audit=audit).audited for audit in ("sample", "none")] == [True, False]


def test_another_applications_rows_are_not_audited() -> None:
    """What they are is not known; what is sent is an object or a message."""
    other = plan(copies=Copies("message", "Orders", "orders", ""))
    assert (other.audited, other.unit, plan().unit) == (False, "message", "object")


def test_a_load_by_the_clock_is_held_to_the_defaults() -> None:
    """Beside its own thresholds, which replace one on the same figure; a search and a backlog have only these."""
    assert plan().bounds == DEFAULTS
    asked = plan(slo=("p99<5s", "stored_rows>=0")).bounds
    assert [bound.text for bound in asked] == [
        *("dead_lettered<1", "events_given_up<1", "objects_all_rejected<1", "objects_many_rejected<1"),
        *("p99<5s", "stored_rows>=0"),
    ]
    assert plan(find_max=True).bounds == plan(backlog=7).bounds == ()
    assert [bound.text for bound in plan(backlog=7, slo=("drain<5s",)).bounds] == ["drain<5s"]


@pytest.mark.parametrize(
    ("target", "local", "audited"),
    [("store", True, True), ("endpoint", True, True), ("sink", True, False), ("stack", False, False)],
)
def test_what_can_be_measured_and_proven_follows_from_the_target(
    target: TargetName, local: bool, audited: bool
) -> None:
    """A deployed stack runs elsewhere, and `verify` proves it; a sink keeps no rows to audit."""
    assert (plan(target=target).local, plan(target=target).audited) == (local, audited)
