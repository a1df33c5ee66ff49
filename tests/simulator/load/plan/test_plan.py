"""What follows from what a load test is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.base.errors import InputError
from simulator.load.plan.arrivals import constant
from simulator.load.plan.plan import AuditChoice, Plan, TargetName
from simulator.load.plan.slo import FIGURES, require_measured
from simulator.run.bounds import DEFAULTS, parse_all


def plan(
    backlog: int = 0,
    find_max: bool = False,
    target: TargetName = "store",
    slo: tuple[str, ...] = (),
    audit: AuditChoice = "full",
) -> Plan:
    """A plan of ten seconds at four a second."""
    return Plan(
        constant(4.0, 10.0),
        rows=1,
        seed=1,
        poisson=False,
        backlog=backlog,
        find_max=find_max,
        target=target,
        endpoint_url=None,
        sink_latency_s=0.0,
        runtime="inline",
        slo=parse_all(slo, FIGURES),
        drain_timeout_s=60.0,
        port=0,
        window_s=0.0,
        accepted=frozenset(),
        audit=audit,
    )


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


def test_a_load_by_the_clock_is_held_to_the_defaults() -> None:
    """Beside its own thresholds, which replace one on the same figure; a search and a backlog have only these."""
    assert plan().bounds == DEFAULTS
    asked = plan(slo=("p99<5s", "stored_rows>=0")).bounds
    assert [bound.text for bound in asked] == [
        *("dead_lettered<1", "objects_all_rejected<1", "objects_many_rejected<1"),
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


@pytest.mark.parametrize(
    ("asked", "slo", "reason"),
    [
        ({"audit": "none"}, "rejected<1%", "--audit none reads no rows"),
        ({"audit": "none"}, "pending_objects<1", "--audit none reads no rows"),
        ({"target": "sink"}, "stored_rows>0", "the sink keeps no rows to audit"),
        ({"target": "stack"}, "missing<1", "stockpipe verify audits a deployed stack"),
        ({"target": "stack"}, "received<100", "nobody outside a deployed stack can see this figure"),
        ({"target": "stack"}, "rows_per_s_max>1", "nobody outside a deployed stack can see this figure"),
        *(
            ({"audit": "sample"}, f"{name}<1", "--audit sample does not count the whole table")
            for name in ("parsed_rows", "expected_rows", "stored_rows", "extra")
        ),
        ({}, "max_rate>100", "only a search has a highest rate"),
        ({}, "drain_rows_per_s>100", "only a backlog has this rate"),
        ({"backlog": 7}, "lag_p99<1s", "with --backlog nothing is planned by the clock"),
    ],
)
def test_a_threshold_that_can_never_be_judged_is_refused(asked: dict[str, Any], slo: str, reason: str) -> None:
    """Before anything is sent, with the reason: the whole run would only end with `not measured`."""
    with pytest.raises(InputError) as refused:
        require_measured(plan(slo=("p99<5s", slo), **asked))
    assert refused.value.hint
    assert str(refused.value) == f"--slo: '{slo}' cannot be judged, because {reason}; {refused.value.hint}"


def test_a_threshold_that_may_be_judged_is_not_refused() -> None:
    """Every figure belongs to some run, and a default is no threshold of the user's."""
    every = tuple(f"{name}<1{'s' if figure.is_time else ''}" for name, figure in FIGURES.items())
    clock, backlog, search = (
        {bound for bound in every if passes(plan(slo=(bound,), **asked))}
        for asked in ({}, {"backlog": 7}, {"find_max": True})
    )
    assert clock | backlog | search == set(every)
    require_measured(plan(audit="none"))
    require_measured(plan(audit="sample", slo=("rejected<1%", "rows_per_s>1")))


def passes(asked: Plan) -> bool:
    """Whether the thresholds of a plan are not refused."""
    try:
        require_measured(asked)
    except InputError:
        return False
    return True
