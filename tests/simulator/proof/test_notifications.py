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


@pytest.mark.parametrize("version", ["2.1", "2.5", "2.6"])
def test_every_version_2_of_a_record_is_read(version: str) -> None:
    """S3 adds members within a major version, as 2.6 did."""
    body = json.dumps({"Records": [_record("stocks/a.csv") | {"eventVersion": version, "hasObjectAnnotation": True}]})
    assert objects_of(body) == (ObjectRef("quotes", "stocks/a.csv"),)


def _in_envelope(message: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": message})


def _of_eventbridge(kind: str = "Object Created") -> str:
    detail = {"bucket": {"name": "quotes"}, "object": {"key": "stocks/a+b%20c.csv"}}
    return json.dumps({"source": "aws.s3", "detail-type": kind, "detail": detail})


def test_the_other_two_ways_of_wiring_are_read() -> None:
    """A notification may come through a topic, from EventBridge, whose key is plain, or both."""
    assert objects_of(_in_envelope(json.dumps({"Records": [_record("a+b.csv")]}))) == (ObjectRef("quotes", "a b.csv"),)
    assert objects_of(_of_eventbridge()) == (ObjectRef("quotes", "stocks/a+b%20c.csv"),)
    assert objects_of(_in_envelope(_of_eventbridge())) == objects_of(_of_eventbridge())


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "quotes"}),
        "no JSON",
        "[" * 100_000,
        _in_envelope("no JSON"),
        _in_envelope("7"),
        _in_envelope(_in_envelope(json.dumps({"Records": [_record("a")]}))),
        json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": None}),
        _of_eventbridge("Object Deleted"),
        json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": 1}}),
        "[]",
        '{"Records": 3}',
        '{"Records": [{"s3": {"bucket": {}}}, 7, {"s3": null}]}',
    ],
)
def test_what_is_not_a_notification_is_about_no_object(body: str) -> None:
    """A test event, or a message that somebody else sent, names no object and breaks nothing."""
    assert objects_of(body) == ()
