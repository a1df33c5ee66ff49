"""When a batch closes, and how large its event is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base import limits
from simulator.triggers.batching import (
    EVENT_BYTES,
    BatchPolicy,
    effective_visibility_s,
    fits,
    record_bytes,
    record_bytes_at_most,
)
from simulator.triggers.event_source_mapping import sqs_record


def message(body: str) -> dict[str, Any]:
    """A message as a receive returns it."""
    return {
        "MessageId": "6f3c2d2e-0000-4000-8000-000000000000",
        "ReceiptHandle": "r" * 200,
        "Body": body,
        "MD5OfBody": "d" * 32,
        "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1", "SenderId": "s" * 20},
    }


def test_size_closes() -> None:
    """A full batch is sent at once, whatever its window."""
    assert BatchPolicy(10, 300).closes(10, opened_at=0, now=0)
    assert not BatchPolicy(10, 300).closes(9, opened_at=0, now=299)


def test_window_closes() -> None:
    """A batch that is not full is sent when its window is over; an empty one never."""
    assert BatchPolicy(10, 5).closes(1, opened_at=100, now=105)
    assert not BatchPolicy(10, 5).closes(1, opened_at=100, now=104.9)
    assert not BatchPolicy(10, 0).closes(0, opened_at=0, now=1000)


def test_without_a_window_one_receive_is_a_batch() -> None:
    """With window 0, the messages of the first receive go to the function."""
    assert BatchPolicy(10, 0).closes(3, opened_at=7, now=7)


@pytest.mark.parametrize(("size", "count", "wants"), [(10, 0, 10), (10, 7, 3), (100, 7, 10), (3, 0, 3)])
def test_receive_asks_for_what_is_missing(size: int, count: int, wants: int) -> None:
    """A receive requests the rest of the batch, at most ten."""
    assert BatchPolicy(size, 1).wants(count) == wants


@given(st.lists(st.text(max_size=50), min_size=1, max_size=5))
def test_bytes_are_the_event_bytes(bodies: list[str]) -> None:
    """The wrapper and all counted records are exactly the event's JSON (plus one comma)."""
    records = [sqs_record(message(body), "arn:aws:sqs:us-east-1:123456789012:Queue", window=True) for body in bodies]
    event = json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False)
    assert EVENT_BYTES + sum(map(record_bytes, records)) - 1 == len(event.encode("utf-8", "surrogatepass"))


@given(st.text(max_size=300))
def test_cheap_bound_holds(body: str) -> None:
    """The bound from the body's length is never below the record's true size."""
    assert record_bytes(sqs_record(message(body), "arn", window=True)) <= record_bytes_at_most(body)


def test_cheap_bound_holds_for_what_grows_most() -> None:
    """A control character takes six bytes of JSON; even a long body with them stays within the bound."""
    record = sqs_record(message("\x00" * 10_000), "arn", window=True)
    assert 60_000 < record_bytes(record) <= record_bytes_at_most(record["body"])


def test_six_megabytes_with_the_wrapper() -> None:
    """Six megabytes include the event's wrapping: the last byte counts."""
    assert fits(EVENT_BYTES, limits.SYNC_PAYLOAD_BYTES - EVENT_BYTES)
    assert not fits(EVENT_BYTES, limits.SYNC_PAYLOAD_BYTES - EVENT_BYTES + 1)


@pytest.mark.parametrize(
    ("visibility", "window", "timeout", "effective"),
    [(30, 0, 60, 30), (30, 20, 60, 110), (80, 20, 60, 80), (79, 20, 60, 110), (30, 1, 60, 91)],
)
def test_window_may_lengthen_visibility(visibility: int, window: int, timeout: int, effective: int) -> None:
    """It does so only with a window, and only if the queue's visibility is too short: to both plus 30 s."""
    assert effective_visibility_s(visibility, window, timeout) == effective
