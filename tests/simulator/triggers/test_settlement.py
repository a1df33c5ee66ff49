"""The truth table of an invocation's outcome: which messages are deleted, and which stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.triggers.settlement import of_response

IDS = ("one", "two", "three")


def failures(*identifiers: Any) -> dict[str, Any]:
    """A response that lists these."""
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}],
    ids=["null response", "empty response", "empty list", "null list"],
)
def test_full_success(payload: Any) -> None:
    """AWS's four forms of full success delete the whole batch."""
    settled = of_response(IDS, payload, reports_batch_item_failures=True)
    assert [settled.deletes(each) for each in IDS] == [True, True, True]


@pytest.mark.parametrize(
    "payload",
    [
        "no JSON object",
        failures(""),
        failures(None),
        failures(["one"]),
        {"batchItemFailures": [{"wrongKey": "one"}]},
        failures("another batch's"),
        {"batchItemFailures": "one"},
        {"batchItemFailures": ["one"]},
        failures("one", "another batch's"),
        [{"foo": "notvalid"}],
    ],
    ids=[
        "invalid JSON",
        "empty identifier",
        "null identifier",
        "identifier is not text",
        "wrong key name",
        "unknown id",
        "no list",
        "entry is no object",
        "one good, one unknown",
        "a list",
    ],
)
def test_full_failure(payload: Any) -> None:
    """A response that AWS calls invalid leaves the whole batch in the queue."""
    settled = of_response(IDS, payload, reports_batch_item_failures=True)
    assert settled.failed == set(IDS)
    assert settled.reason == "invalid batch item failures"


def test_partial_failure() -> None:
    """Only the listed messages stay, the rest is deleted."""
    settled = of_response(IDS, failures("two"), reports_batch_item_failures=True)
    assert [settled.deletes(each) for each in IDS] == [True, False, True]


def test_duplicates_are_harmless() -> None:
    """An id listed twice fails once."""
    assert of_response(IDS, failures("two", "two"), reports_batch_item_failures=True).failed == {"two"}


def test_wrong_top_level_key_loses_messages() -> None:
    """A misspelt `BatchItemFailures` counts as an empty response: everything is deleted."""
    payload = {"BatchItemFailures": [{"itemIdentifier": "one"}]}
    assert of_response(IDS, payload, reports_batch_item_failures=True).failed == frozenset()


def test_without_the_setting_the_list_is_ignored() -> None:
    """Without ReportBatchItemFailures any return value deletes the whole batch."""
    assert of_response(IDS, failures("one"), reports_batch_item_failures=False).failed == frozenset()


@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(IDS),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["batchItemFailures", "itemIdentifier", "other"]), inner)
        ),
    ),
    reports=st.booleans(),
)
def test_every_message_is_settled(payload: Any, reports: bool) -> None:
    """Whatever a handler returns, each message is either deleted or left, and no other message is named."""
    settled = of_response(IDS, payload, reports_batch_item_failures=reports)
    assert settled.failed <= set(IDS)
    assert {each for each in IDS if settled.deletes(each)} == set(IDS) - settled.failed


@given(st.sets(st.sampled_from(IDS)), st.integers(1, 3))
def test_listed_is_left(listed: set[str], times: int) -> None:
    """Exactly the listed ids of the batch are left, however often each is listed."""
    payload = failures(*sorted(listed) * times)
    assert of_response(IDS, payload, reports_batch_item_failures=True).failed == listed
