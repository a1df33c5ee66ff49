"""Failed messages: each counted once, for the reason of its last delivery, and what became of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.base.observations import InvocationEnded, InvocationThrottled, MessageSettled
from simulator.telemetry import failures
from simulator.telemetry.failures import Failures, LastDelivery, cause_of, cause_of_throttle
from simulator.telemetry.snapshot import Cause, Example

REPORTED = "batch item failure"
Make = Callable[..., Any]


def body(key: str) -> str:
    """The notification of one object."""
    return json.dumps({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]})


def said(identifier: str, receives: int, reason: str = "no time left", **fields: Any) -> str:
    """The consumer's line about a message that failed."""
    line = {"level": "ERROR", "message": "message failed", "messageId": identifier, "receiveCount": receives}
    return json.dumps({**line, "reason": reason, "permanent": False, "key": f"{identifier}.csv", **fields})


@pytest.fixture
def folded() -> Failures:
    """Of a queue that gives a message up after three deliveries."""
    return Failures({"TIMESTAMP_COLUMN": "TimestampColumn"}, 3)


@pytest.fixture
def left(folded: Failures, make: Make) -> Callable[..., str]:
    """`left(id, receives, cause)`: a delivery of the message failed; what is said of it."""

    def left(identifier: str, receives: int = 1, cause: str = REPORTED, key: str | None = None) -> str:
        message = make(
            MessageSettled,
            message_id=identifier,
            body=body(key or f"{identifier}.csv"),
            receive_count=receives,
            received_at=1000.0 + receives,
            deleted=False,
            reason=REPORTED if cause == REPORTED else "error",
        )
        failed = folded.settled(message, cause)
        assert failed is not None
        return failed.text

    return left


@pytest.fixture
def deleted(folded: Failures, make: Make) -> Callable[[str], None]:
    """`deleted(id)`: a delivery of the message succeeded."""
    return lambda identifier: folded.settled(make(MessageSettled, message_id=identifier, deleted=True), "") and None


def counts(folded: Failures) -> dict[str, tuple[int, int, int, int]]:
    """By reason: messages, and how many of them were deleted, given up, and remain."""
    return {cause.reason: (cause.count, cause.deleted, cause.dead_lettered, cause.remaining) for cause in folded.view()}


@pytest.mark.parametrize("log_first", [True, False])
def test_the_reason_is_the_consumers_own(folded: Failures, left: Callable[..., str], log_first: bool) -> None:
    """Whether its line comes before or after the delivery is over; object, permanence and parameter come with it."""
    line = said("m", 1, "no column 'x'", permanent=True, setting="TIMESTAMP_COLUMN")
    for step in [lambda: folded.logged(line), lambda: left("m")][:: 1 if log_first else -1]:
        step()
    assert folded.view() == (Cause("no column 'x'", True, 1, (Example("m.csv"),), "TimestampColumn", REPORTED),)
    assert folded.for_good == {"m": LastDelivery(1001.0, 1)}


def test_a_message_that_failed_five_times_is_one(folded: Failures, left: Callable[..., str]) -> None:
    """Messages are counted, not deliveries."""
    for receives in range(1, 6):
        folded.logged(said("m", receives))
        left("m", receives)
    assert counts(folded) == {"no time left": (1, 0, 0, 1)}


def test_the_last_delivery_decides_the_reason(folded: Failures, left: Callable[..., str]) -> None:
    """A message that was throttled, then failed in its own right, is counted for the latter alone; and the reverse."""
    left("a", 1, "throttled: reserved concurrency")
    folded.logged(said("a", 2))
    left("a", 2)
    folded.logged(said("b", 1, permanent=True))
    left("b", 1)
    assert set(folded.for_good) == {"b"}
    left("b", 2, "KeyError: 'x'")
    assert counts(folded) == {"no time left": (1, 0, 0, 1), "KeyError: 'x'": (1, 0, 0, 1)}
    assert folded.for_good == {}


def test_what_became_of_the_messages(
    folded: Failures, left: Callable[..., str], deleted: Callable[[str], None]
) -> None:
    """Deleted after all, given up (those first whose last delivery failed first), or still there."""
    for identifier in "abcd":
        folded.logged(said(identifier, 3, permanent=True))
        left(identifier, 3)
    left("e", 1)
    deleted("c")
    deleted("never failed")
    folded.dead_lettered(1)
    folded.dead_lettered(2)
    assert counts(folded) == {"no time left": (4, 1, 2, 1), "batch item failure": (1, 0, 0, 1)}
    assert set(folded.for_good) == {"d"}


def test_a_delivery_under_way_has_not_failed_for_good(folded: Failures, left: Callable[..., str]) -> None:
    """The function may say so before its invocation is over; until then the message is not what is left."""
    folded.logged(said("m", 1, permanent=True))
    assert folded.for_good == {}
    left("m")
    assert set(folded.for_good) == {"m"}
    folded.logged(said("m", 2, permanent=True))
    assert folded.for_good == {}


@pytest.mark.parametrize("permanent", [(True, True), (True, False), (False, True)])
def test_a_message_about_two_objects_fails_for_good_with_both(
    folded: Failures, left: Callable[..., str], permanent: tuple[bool, bool]
) -> None:
    """While one of them may succeed another delivery stores it; the first one's reason is the message's."""
    for key, for_good in zip("xy", permanent, strict=True):
        folded.logged(said("m", 1, f"{key}: no", permanent=for_good))
    left("m")
    assert (counts(folded), "m" in folded.for_good) == ({"x: no": (1, 0, 0, 1)}, all(permanent))


@pytest.mark.parametrize("said_permanent", [None, False, "true", 1])
def test_for_good_is_never_guessed(folded: Failures, left: Callable[..., str], said_permanent: Any) -> None:
    """Only `permanent: true`, of the function itself, is; a function that says nothing has no permanence at all."""
    folded.logged(said("m", 1, permanent=said_permanent))
    left("m")
    left("n", 3)
    assert folded.for_good == {}
    permanent = said_permanent if isinstance(said_permanent, bool) else None
    assert [cause.permanent for cause in folded.view()] == [permanent, None]


@pytest.mark.parametrize(
    ("permanent", "receives", "text"),
    [
        (True, 1, "m.csv failed for good: no time left (receive 1 of 3)"),
        (False, 2, "m.csv failed and comes back: no time left (receive 2 of 3)"),
        (False, 3, "m.csv failed for the last time: no time left (receive 3 of 3)"),
    ],
)
def test_a_failure_in_words(
    folded: Failures, left: Callable[..., str], permanent: bool, receives: int, text: str
) -> None:
    """The object first, then whether there is hope, and why."""
    folded.logged(said("m", receives, permanent=permanent))
    assert left("m", receives) == text


def test_a_queue_that_gives_nothing_up(make: Make) -> None:
    """Without a redrive policy there is no last delivery, and a body that is no notification names no object."""
    folded = Failures({}, None)
    failed = folded.settled(
        make(MessageSettled, deleted=False, receive_count=99, body="order 7", reason="error"), "KeyError: 'x'"
    )
    assert failed is not None
    assert failed.text == "a message failed and comes back: KeyError: 'x' (receive 99)"
    folded.dead_lettered(1)
    assert folded.view() == (Cause("KeyError: 'x'", None, 1, outcome="error"),)


def test_the_test_event_counts_where_nothing_else_does(folded: Failures, left: Callable[..., str], make: Make) -> None:
    """Queues leave S3's test event out of their figures; a function that fails on nothing else has its reason, too."""
    event = make(
        MessageSettled,
        deleted=False,
        message_id="t",
        body='{"Service": "Amazon S3", "Event": "s3:TestEvent"}',
        reason="error",
    )
    folded.settled(event, "KeyError: 'Records'")
    assert counts(folded) == {"KeyError: 'Records'": (1, 0, 0, 1)}
    left("m", 1, "KeyError: 'Records'")
    left("n", 1, "KeyError: 'Records'")
    assert counts(folded) == {"KeyError: 'Records'": (2, 0, 0, 2)}


@pytest.mark.parametrize("log_first", [True, False])
def test_the_test_event_may_fail_for_good(folded: Failures, make: Make, log_first: bool) -> None:
    """It is a message in the queue like any other, so it must not keep a run that ends for the others."""
    event = make(
        MessageSettled, deleted=False, message_id="t", body='{"Service": "Amazon S3", "Event": "s3:TestEvent"}'
    )
    for step in [lambda: folded.logged(said("t", 1, permanent=True)), lambda: folded.settled(event, "?")][
        :: 1 if log_first else -1
    ]:
        step()
    assert set(folded.for_good) == {"t"}
    assert counts(folded) == {"no time left": (1, 0, 0, 1)}
    for identifier in "mn":
        folded.logged(said(identifier, 1, permanent=True))
    assert counts(folded) == {"no time left": (2, 0, 0, 2)}
    folded.settled(make(MessageSettled, message_id="t", body=event.body), "")
    assert counts(folded) == {"no time left": (2, 0, 0, 2)}


def test_the_test_event_is_no_dead_letter(folded: Failures, left: Callable[..., str], make: Make) -> None:
    """The queue's figure of dead letters leaves it out, so none of them is it; nor one that is delivered once more."""
    event = make(
        MessageSettled,
        deleted=False,
        message_id="t",
        receive_count=3,
        body='{"Service": "Amazon S3", "Event": "s3:TestEvent"}',
    )
    folded.settled(dataclasses.replace(event, reason="error"), "y")
    left("again", 2, "x")
    left("m", 3, "x")
    folded.dead_lettered(1)
    assert counts(folded) == {"x": (2, 0, 1, 1), "y": (1, 0, 0, 1)}
    left("again", 3, "x")
    folded.dead_lettered(2)
    assert counts(folded) == {"x": (2, 0, 2, 0), "y": (1, 0, 0, 1)}


def test_an_object_that_the_log_does_not_name_is_the_messages(folded: Failures, left: Callable[..., str]) -> None:
    """The notification in the message says which one it is about."""
    folded.logged(said("m", 1, key=None))
    left("m", key="stocks/a.csv")
    assert [cause.examples for cause in folded.view()] == [(Example("stocks/a.csv"),)]


@pytest.mark.parametrize(
    "line",
    [
        "START RequestId: 1",
        '{"message": "message failed"',
        '{"message": "message failed"}',
        '{"message": "message failed", "messageId": 7, "receiveCount": 1, "reason": "r"}',
        '{"message": "message failed", "messageId": "m", "receiveCount": "1", "reason": "r"}',
        '{"message": "message failed", "messageId": "m", "receiveCount": true, "reason": "r"}',
        '{"message": "message failed", "messageId": "m", "receiveCount": 1, "reason": ""}',
        '["message failed"]',
    ],
)
def test_any_line_may_come(folded: Failures, line: str) -> None:
    """A line that is not the consumer's, or not whole, says nothing."""
    folded.logged(line)
    assert folded.view() == ()


def test_memory_is_bounded(
    folded: Failures, left: Callable[..., str], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages beyond the bound are counted by their first delivery, without their reason."""
    assert failures.MESSAGES_KEPT == 50_000
    monkeypatch.setattr(failures, "MESSAGES_KEPT", 2)
    for identifier in "abcd":
        for receives in (1, 2):
            folded.logged(said(identifier, receives))
            left(identifier, receives)
    folded.settled(
        make(MessageSettled, deleted=False, message_id="t", body='{"Service": "Amazon S3", "Event": "s3:TestEvent"}'),
        "x",
    )
    assert counts(folded) == {"no time left": (2, 0, 0, 2), "other reasons": (2, 0, 0, 2)}


@pytest.mark.parametrize(
    ("outcome", "error_type", "message", "cause"),
    [
        ("error", "KeyError", "'Records'", "KeyError: 'Records'"),
        ("error", "KeyError", "", "KeyError"),
        ("timeout", "Sandbox.Timedout", "RequestId: 1-2 Error: Task timed out after 3.00 seconds",
         "Task timed out after 3.00 seconds"),
        ("crash", "Runtime.ExitError", "RequestId: 1-2 Error: Runtime exited with error: signal: killed",
         "Runtime exited with error: signal: killed"),
        ("crash", None, None, "crash"),
    ],
)  # fmt: skip
def test_why_an_invocation_failed(make: Make, outcome: Any, error_type: Any, message: Any, cause: str) -> None:
    """The last line of a traceback, or the platform's sentence without the request that it names."""
    ended = make(InvocationEnded, outcome=outcome, error_type=error_type, error_message=message)
    assert cause_of(ended) == cause


def test_why_nothing_was_invoked() -> None:
    """The limit that was reached."""
    assert cause_of_throttle(InvocationThrottled(1.0, "F", "reserved concurrency", 3)) == (
        "throttled: reserved concurrency"
    )
