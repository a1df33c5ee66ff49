"""A load test's target: what fails in it becomes one line."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from simulator.base.errors import CouldNotFinish, InputError, StockpipeError
from simulator.load.target import in_one_line

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
