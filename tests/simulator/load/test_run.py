"""The shell of a load test: what fails in it becomes one line."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from simulator.base.errors import CouldNotFinish, InputError, StockpipeError
from simulator.load import run
from simulator.load.plan.arrivals import constant
from simulator.load.plan.plan import Plan

PLAN = Plan(
    profile=constant(1, 1),
    rows=1,
    seed=0,
    poisson=False,
    backlog=0,
    find_max=False,
    target="endpoint",
    endpoint_url="http://127.0.0.1:4566",
    sink_latency_s=0.0,
    runtime="inline",
    slo=(),
    drain_timeout_s=60.0,
    port=0,
    window_s=0.0,
)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            ClientError({"Error": {"Code": "ResourceInUseException"}}, "CreateTable"),
            InputError,
            "--parameter TableName",
        ),
        (
            ClientError({"Error": {"Code": "Odd", "Message": "a\nb"}}, "PutObject"),
            CouldNotFinish,
            "refused PutObject: a b",
        ),
        (EndpointConnectionError(endpoint_url="http://x"), CouldNotFinish, "does not answer"),
        (InputError("as it is"), InputError, "as it is"),
    ],
)
def test_what_an_engine_does_wrong_is_one_line(error: Exception, kind: type[StockpipeError], said: str) -> None:
    """Each failure of an engine or its client becomes a line with the way out."""
    raised = run._as_error(error, PLAN)
    assert type(raised) is kind
    assert said in str(raised)
    assert "\n" not in str(raised)


def test_a_defect_of_ours_stays_a_defect() -> None:
    """What no engine did is not hidden in a line."""
    with pytest.raises(ZeroDivisionError):
        run._as_error(ZeroDivisionError(), PLAN)


def test_a_groups_failure_is_ours_if_there_is_one() -> None:
    """Of several failures at once, the one that explains the others is raised."""
    ours = CouldNotFinish("the sink's process ended")
    group = BaseExceptionGroup("", [OSError(), BaseExceptionGroup("", [ours])])
    assert run._first(group) is ours
