"""Thresholds on figures that a run cannot have."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.plans import plan
from simulator.base.errors import InputError
from simulator.load.plan.plan import Copies, Plan
from simulator.load.plan.slo import FIGURES, require_measured

OTHER = Copies("message", "Orders", "orders", "")


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
        *(({"copies": OTHER}, slo, "only the pipeline's rows are known") for slo in ("missing<1", "cost<1")),
        ({"backlog": 7, "copies": OTHER}, "drain_rows_per_s>1", "only the pipeline's rows are known"),
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
