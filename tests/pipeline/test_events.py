"""What SQS, S3 and the scheduler send, including what may be missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.events import (
    MalformedEvent,
    Message,
    ObjectReference,
    created_objects,
    sqs_messages,
    tick_time,
)


def created(name: str = "ObjectCreated:Put", bucket: str = "b", key: str = "k") -> dict[str, Any]:
    """A record in S3's notification."""
    return {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}


@pytest.mark.parametrize(
    ("members", "body", "receive_count"),
    [
        ({"body": "x", "attributes": {"ApproximateReceiveCount": "3"}}, "x", 3),
        ({"body": "x", "attributes": {"ApproximateReceiveCount": 2}}, "x", 2),
        ({"body": "x", "attributes": {"ApproximateReceiveCount": "often"}}, "x", 1),
        ({"body": "x", "attributes": {}}, "x", 1),
        ({"body": "x", "attributes": None}, "x", 1),
        ({"body": {"no": "text"}}, "", 1),
        ({}, "", 1),
    ],
)
def test_a_message_needs_only_its_id(members, body, receive_count):
    """The console's test message has hardly more; a message without a receive count is at its first receive."""
    assert sqs_messages({"Records": [{"messageId": "1"} | members]}) == [Message("1", body, receive_count)]


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.5", "2.6", "2.11"])
def test_every_version_2_of_a_record_is_read(version):
    """S3 adds members within a major version: 2.6 says whether copies have annotations."""
    record = created("ObjectCreated:Copy") | {"eventVersion": version}
    record["s3"]["object"]["hasObjectAnnotation"] = True
    assert created_objects(json.dumps({"Records": [record]})) == [ObjectReference("b", "k")]


@pytest.mark.parametrize("event", [None, [], {}, {"Records": None}, {"Records": {"messageId": "1"}}])
def test_an_event_without_records_is_not_a_batch(event):
    """The scheduler's and the console's events are not batches."""
    with pytest.raises(MalformedEvent, match="the event has no Records"):
        sqs_messages(event)


@pytest.mark.parametrize("record", ["1", None, {}, {"messageId": 1}])
def test_a_record_without_an_id_is_refused(record):
    """Its failure could not be reported."""
    with pytest.raises(MalformedEvent, match="a record without messageId"):
        sqs_messages({"Records": [record]})


@pytest.mark.parametrize(
    ("record", "references"),
    [
        (created("ObjectCreated:Put"), [("b", "k")]),
        (created("s3:ObjectCreated:CompleteMultipartUpload"), [("b", "k")]),
        (created("ObjectRemoved:Delete"), []),
        (created("ObjectRestore:Completed"), []),
        (created(key="a+b%2Fc%C3%A9%2B"), [("b", "a b/cé+")]),
    ],
)
def test_an_object_is_announced_when_it_is_created(record, references):
    """It holds however it was uploaded; its key is form-encoded."""
    expected = [ObjectReference(*reference) for reference in references]
    assert created_objects(json.dumps({"Records": [record]})) == expected
    assert created_objects(json.dumps({"Records": [record, created()]})) == [*expected, ObjectReference("b", "k")]


@pytest.mark.parametrize("record", [created(name=""), created(bucket=""), created(key=""), {}, "x", {"s3": None}])
def test_a_record_that_lacks_event_bucket_or_key_is_refused(record):
    """An empty value counts as missing."""
    with pytest.raises(MalformedEvent, match="does not name an event, a bucket and a key"):
        created_objects(json.dumps({"Records": [created(), record]}))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "the message is not JSON"),
        ("[" * 100_000, "the message is not JSON"),
        ("[]", "the message is not an S3 notification"),
        ('{"Event": "s3:Other"}', "the message is not an S3 notification: it has no Records"),
        ('{"Records": {}}', "the message is not an S3 notification: it has no Records"),
    ],
)
def test_a_body_that_is_not_a_notification_is_refused(body, reason):
    """It includes JSON nested too deeply to be read."""
    with pytest.raises(MalformedEvent) as refused:
        created_objects(body)
    assert str(refused.value) == reason


SNS = {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Signature": "x"}


def from_eventbridge(**changes: Any) -> dict[str, Any]:
    """The event for an object that was created."""
    detail = {
        "version": "0",
        "bucket": {"name": "b"},
        "object": {"key": "a+b %2B/é.csv", "size": 3},
        "reason": "PutObject",
    }
    return {"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": detail} | changes


def test_a_notification_that_came_through_a_topic_is_read_like_s3s_own():
    """It comes in SNS's envelope, or bare with raw delivery; S3's test event comes through as well."""
    record = {"Records": [created(key="a+b"), created("ObjectRemoved:Delete")]}
    assert created_objects(json.dumps(SNS | {"Message": json.dumps(record)})) == [ObjectReference("b", "a b")]
    assert created_objects(json.dumps(SNS | {"Message": '{"Event": "s3:TestEvent"}'})) == []


def test_an_event_of_eventbridge_is_read_like_s3s_own():
    """Its key is not encoded; a topic may have forwarded it; other kinds of event announce nothing."""
    expected = [ObjectReference("b", "a+b %2B/é.csv")]
    assert created_objects(json.dumps(from_eventbridge())) == expected
    assert created_objects(json.dumps(SNS | {"Message": json.dumps(from_eventbridge())})) == expected
    for kind in ("Object Deleted", "Object Tags Added", "Object Restore Completed"):
        assert created_objects(json.dumps(from_eventbridge(**{"detail-type": kind}))) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (SNS | {"Message": "hello"}, "the message in the SNS envelope is not JSON"),
        (SNS | {"Message": "[]"}, "the message in the SNS envelope is not an S3 notification"),
        (
            SNS | {"Message": json.dumps(SNS | {"Message": "{}"})},
            "the message is not an S3 notification: it has no Records",
        ),
        (SNS, "the message is not an S3 notification: it has no Records"),
        (
            {"Type": "SubscriptionConfirmation", "TopicArn": "arn:t", "Token": "x"},
            "the message asks to confirm the queue's subscription to arn:t; confirm it there",
        ),
        (from_eventbridge(detail=None), "the EventBridge event does not name a bucket and a key"),
        (from_eventbridge(detail={"bucket": {"name": ""}, "object": {"key": "k"}}), "does not name a bucket and a key"),
        (from_eventbridge(detail={"bucket": {"name": "b"}, "object": {"key": ""}}), "does not name a bucket and a key"),
        (from_eventbridge(source="aws.ec2"), "the message is not an S3 notification: it has no Records"),
        ({"source": "aws.s3"}, "the message is not an S3 notification: it has no Records"),
    ],
)
def test_an_envelope_or_event_that_announces_nothing_it_should_is_refused(body, reason):
    """It includes an envelope within an envelope, which no topic creates."""
    with pytest.raises(MalformedEvent) as refused:
        created_objects(json.dumps(body))
    assert str(refused.value).endswith(reason)


def test_the_event_that_s3_sends_to_try_a_queue_announces_nothing():
    """It has no Records."""
    assert created_objects('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}') == []


@pytest.mark.parametrize(
    ("event", "time"),
    [
        ({"time": "2026-11-27T16:00:00Z"}, "2026-11-27T16:00:00Z"),
        ({"time": ""}, None),
        ({"time": 1}, None),
        ({}, None),
        (["time"], None),
        (None, None),
    ],
)
def test_a_scheduled_event_has_a_time(event, time):
    """A test event from the console has none, or can be anything."""
    assert tick_time(event) == time


@pytest.mark.parametrize(
    ("key", "is_hidden", "is_folder"),
    [
        ("in/_SUCCESS", True, False),
        ("in/.DS_Store", True, False),
        ("_a", True, False),
        ("_in/a.csv", False, False),
        ("in/.b/a_.csv", False, False),
        ("in/", False, True),
        ("_in/", False, True),
    ],
)
def test_a_key_says_what_is_not_data(key, is_hidden, is_folder):
    """Only its last name makes a key hidden; the slash at its end makes it a folder."""
    reference = ObjectReference("bucket", key)
    assert (reference.is_hidden, reference.is_folder) == (is_hidden, is_folder)
