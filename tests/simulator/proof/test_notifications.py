"""Message bodies -> objects."""

from __future__ import annotations

import json

import pytest

from simulator.proof.notifications import ObjectRef, objects_of


def _record(key: str) -> dict[str, object]:
    return {"eventSource": "aws:s3", "s3": {"bucket": {"name": "quotes"}, "object": {"key": key, "size": 3}}}


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("stocks/2026/a.csv", "stocks/2026/a.csv"),
        ("stocks%2F2026%2Fa.csv", "stocks/2026/a.csv"),
        ("stocks/a+b%2Bc%3D%C3%A9.csv", "stocks/a b+c=é.csv"),
    ],
)
def test_a_key_is_decoded_as_a_form(encoded: str, key: str) -> None:
    """S3 encodes keys as forms do, moto encodes the slash as well: both give the object's own key."""
    assert objects_of(json.dumps({"Records": [_record(encoded)]})) == (ObjectRef("quotes", key),)


def test_all_records_of_a_message_count() -> None:
    """A notification is a list of records, and each names an object."""
    body = json.dumps({"Records": [_record("stocks/a.csv"), _record("stocks/b.csv")]})
    assert [ref.key for ref in objects_of(body)] == ["stocks/a.csv", "stocks/b.csv"]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "quotes"}),
        "no JSON",
        "[]",
        '{"Records": 3}',
        '{"Records": [{"s3": {"bucket": {}}}, 7, {"s3": null}]}',
    ],
)
def test_what_is_no_notification_is_about_no_object(body: str) -> None:
    """A test event, or a message that somebody else sent, names no object and breaks nothing."""
    assert objects_of(body) == ()
