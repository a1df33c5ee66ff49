"""What a client's error means for the message, by code, status and kind."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from pipeline.failures import MessageFailure, OutOfTime, answered, is_permanent


def refusal(status: int, code: str = "Code") -> ClientError:
    """What botocore raises for such an answer."""
    answer = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal(404, "NoSuchKey"), ("NoSuchKey", "why", 404)),
        (ClientError({}, "GetObject"), ("", "", 500)),
        (NoCredentialsError(), ("", "", 0)),
        (ReadTimeoutError(endpoint_url="https://s3"), ("", "", 0)),
    ],
)
def test_only_aws_says_code_and_status(error, said):
    """An empty answer counts as the server's own failure."""
    assert answered(error) == said


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (refusal(403, "AccessDenied"), True),
        (refusal(404, "NoSuchBucket"), True),
        (refusal(428), True),
        (refusal(429, "TooManyRequests"), False),
        (refusal(430), True),
        (refusal(499), True),
        (refusal(500, "InternalError"), False),
        (refusal(503), False),
        (refusal(400, "RequestTimeout"), False),
        (refusal(400, "SlowDown"), False),
        (refusal(400, "ExpiredToken"), False),
        (ClientError({}, "GetObject"), False),
        (NoCredentialsError(), True),
        (ReadTimeoutError(endpoint_url="https://s3"), False),
    ],
)
def test_a_request_that_is_wrong_itself_stays_wrong(error, permanent):
    """Too many requests, a server failure, a missing answer and expired credentials are temporary; others are not."""
    assert is_permanent(error) is permanent


@pytest.mark.parametrize("permanent", [True, False])
def test_a_failure_says_its_reason_and_whether_it_lasts(permanent):
    """Its text is the reason, for code that catches it as any exception."""
    failure = MessageFailure("bad", permanent=permanent)
    assert (str(failure), failure.reason, failure.permanent) == ("bad", "bad", permanent)
    assert failure.setting is None
    assert MessageFailure("bad", permanent=permanent, setting="A_SETTING").setting == "A_SETTING"


def test_time_that_ran_out_is_not_a_lasting_failure():
    """The next delivery has its own time."""
    failure = OutOfTime()
    assert str(failure) == failure.reason == "no time left in this invocation"
    assert failure.permanent is False
