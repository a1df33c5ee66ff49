"""How the objects of a deployed stack are read."""

from __future__ import annotations

import pytest

from simulator.base.errors import InputError
from stockpipe.deploy.cloudformation import DeployedStack
from stockpipe.deploy.deployed import Deployed, QueueAddress
from stockpipe.deploy.verification import Subject, read_otherwise

QUEUE = QueueAddress("https://queue/q", "arn:aws:sqs:us-east-1:123456789012:q", "q")
SUBJECT = Subject("b", "t", {"TABLE_NAME": "t", "TIMESTAMP_COLUMN": "Datum", "SKIP_LINES": "2"}, QUEUE, QUEUE)
PARAMETERS = {"TimestampColumn": "Datum", "SkipLines": "2", "GoneFromTheTemplate": "x"}
DEPLOYED = Deployed(
    DeployedStack("arn", "s", "CREATE_COMPLETE", "", PARAMETERS, {}),
    {"ConsumerLambda": ("AWS::Lambda::Function", "Consumer-1")},
)


def test_parameters_say_how_objects_are_read() -> None:
    """Those that differ from the deployed function's are named; the others stay as deployed."""
    subject, said = read_otherwise(SUBJECT, DEPLOYED, {"SkipLines": "1", "TickerColumn": "Name", "FileCount": "3"})
    assert subject.environ == {**SUBJECT.environ, "SKIP_LINES": "1", "TICKER_COLUMN": "Name"}
    assert sorted(said) == [
        "the audit reads objects with SKIP_LINES='1'; the deployed Consumer-1 has '2'",
        "the audit reads objects with TICKER_COLUMN='Name'; the deployed Consumer-1 has ''",
    ]


def test_what_is_deployed_needs_no_word() -> None:
    """The same values change nothing, nor does an empty one that the function does not have."""
    given = {"SkipLines": "2", "TimestampColumn": "Datum", "Comment": ""}
    assert read_otherwise(SUBJECT, DEPLOYED, given) == (SUBJECT, [])


def test_a_parameter_that_the_template_does_not_take_is_refused() -> None:
    """It is unknown, or out of its range."""
    with pytest.raises(InputError, match="has no parameter 'Tikker'"):
        read_otherwise(SUBJECT, DEPLOYED, {"Tikker": "x"})
    with pytest.raises(InputError, match="Numbers=loose"):
        read_otherwise(SUBJECT, DEPLOYED, {"Numbers": "loose"})
