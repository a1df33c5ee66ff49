"""A load test's target: what fails in it becomes one line, and what its audit will take is said before."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from simulator.base.errors import CouldNotFinish, InputError, StockpipeError
from simulator.load.plan.plan import AuditChoice
from simulator.load.target import announcement, in_one_line

ENDPOINT = "http://127.0.0.1:4566"


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
    ],
)
def test_what_an_engine_does_wrong_is_one_line(error: Exception, kind: type[StockpipeError], said: str) -> None:
    """Each failure of an engine or its client becomes a line with the way out."""
    raised = in_one_line(error, ENDPOINT)
    assert type(raised) is kind
    assert said in str(raised)
    assert "\n" not in str(raised)


def test_a_defect_of_ours_stays_a_defect() -> None:
    """What no engine did is not hidden in a line."""
    assert in_one_line(ZeroDivisionError(), ENDPOINT) is None


@pytest.mark.parametrize(
    ("choice", "objects", "rows", "said"),
    [
        ("full", 800, 100, "auditing 80,000 rows, about 4 s; --audit sample takes about 1 s"),
        ("full", 100, 100, "auditing 10,000 rows, about 1 s"),
        ("full", 1, 1, "auditing 1 row, about 1 s"),
        ("full", 10_000, 1, "auditing 10,000 rows, about 20 s; --audit sample takes about 1 s"),
        ("full", 10, 100_000, "auditing 1,000,000 rows, about 30 s"),
        ("sample", 40_000, 100, "auditing 2,000 of 40,000 objects, 200,000 rows, about 10 s"),
        ("sample", 1, 1, "auditing 1 of 1 object, 1 row, about 1 s"),
    ],
)
def test_how_long_an_audit_takes_is_said_before(choice: AuditChoice, objects: int, rows: int, said: str) -> None:
    """And, if that is long, what a sample would take, where it is smaller."""
    assert announcement(choice, objects, rows) == said
