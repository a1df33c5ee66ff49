"""What S3 documents and moto does not do, each with its sentence. Against a running store."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import zlib
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import pytest
from botocore.exceptions import ClientError

from fakes.signatures import signed
from simulator.store.s3.rules import S3Rates
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request

ARN = "arn:aws:sqs:us-east-1:123456789012:"


@pytest.fixture
def bucket(s3: Any, name: str) -> str:
    """An empty bucket."""
    s3.create_bucket(Bucket=name)
    return name


def allow(sqs: Any, url: str, **condition: Any) -> None:
    """Let S3 send to a queue."""
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [statement | {"Resource": "*", "Condition": condition}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})


@pytest.fixture
def notified(s3: Any, sqs: Any, bucket: str) -> tuple[str, str]:
    """A bucket that notifies a queue of created objects under `stocks/`, and that queue without the test event."""
    url = str(sqs.create_queue(QueueName=bucket)["QueueUrl"])
    allow(
        sqs,
        url,
        ArnEquals={"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
        StringEquals={"aws:SourceAccount": "123456789012"},
    )
    configure(s3, bucket, bucket, ["s3:ObjectCreated:*"])
    test = receive(sqs, url)
    assert test["Event"] == "s3:TestEvent"
    return bucket, url


def configure(s3: Any, bucket: str, queue: str, events: list[str], prefix: str = "stocks/") -> None:
    """Set one notification to a queue."""
    rules = {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}}
    configuration = {"Id": "ingest", "QueueArn": ARN + queue, "Events": events, "Filter": rules}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )


def receive(sqs: Any, url: str) -> Any:
    """The next message's body; the message is deleted."""
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])


def test_an_event_record_is_of_version_2_5_with_identity_and_request(s3: Any, sqs: Any, notified: Any) -> None:
    """Event message structure: all members, slashes unescaped, the ids of the response that answered the put."""
    bucket, url = notified
    key = "stocks/2026 a+b=\u00e9.csv"
    answer = s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
    (record,) = receive(sqs, url)["Records"]
    described = record["s3"]["object"]
    assert (record["eventVersion"], record["eventName"], record["awsRegion"]) == (
        "2.5",
        "ObjectCreated:Put",
        "us-east-1",
    )
    assert described["key"] == "stocks/2026+a%2Bb%3D%C3%A9.csv"
    assert unquote_plus(described["key"]) == key
    assert (described["size"], described["eTag"]) == (5, answer["ETag"].strip('"'))
    assert record["userIdentity"] == {"principalId": "AWS:testing"}
    assert record["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert record["responseElements"] == {name: headers[name] for name in ("x-amz-request-id", "x-amz-id-2")}
    assert record["s3"]["configurationId"] == "ingest"
    assert record["s3"]["bucket"]["ownerIdentity"]["principalId"]


def test_no_client_can_give_a_bucket_the_tags_that_a_record_would_name(s3: Any, sqs: Any, notified: Any) -> None:
    """Event message structure: `awsGeneratedTags` are system tags (`aws:`); a request to set one is refused."""
    bucket, url = notified
    tags = {"TagSet": [{"Key": "aws:cloudformation:stack-name", "Value": "stockpipe"}]}
    with pytest.raises(ClientError, match="System tags cannot be added/updated by requester"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
    s3.put_object(Bucket=bucket, Key="stocks/x", Body=b"x")
    assert set(receive(sqs, url)["Records"][0]["s3"]["bucket"]) == {"name", "ownerIdentity", "arn"}


def test_the_sequencer_orders_the_events_of_a_key(s3: Any, sqs: Any, notified: Any) -> None:
    """Event message structure: the greater sequencer is the later event, compared as text."""
    bucket, url = notified
    sequencers = []
    for _ in range(5):
        s3.put_object(Bucket=bucket, Key="stocks/same", Body=b"x")
        sequencers.append(receive(sqs, url)["Records"][0]["s3"]["object"]["sequencer"])
    assert sequencers == sorted(set(sequencers))
    assert all(int(each, 16) and len(each) == len(sequencers[0]) for each in sequencers)


def test_a_multipart_upload_is_one_event(s3: Any, sqs: Any, notified: Any) -> None:
    """Supported event types: CompleteMultipartUpload, without a Put beside it."""
    bucket, url = notified
    upload = s3.create_multipart_upload(Bucket=bucket, Key="stocks/big")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="stocks/big", UploadId=upload, PartNumber=1, Body=b"part")
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="stocks/big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert receive(sqs, url)["Records"][0]["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_copy_is_an_event_and_another_prefix_is_none(s3: Any, sqs: Any, notified: Any) -> None:
    """A copy gives ObjectCreated:Copy; what the filter does not match is not reported."""
    bucket, url = notified
    s3.put_object(Bucket=bucket, Key="rejected/one", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="stocks/two", CopySource={"Bucket": bucket, "Key": "rejected/one"})
    (record,) = receive(sqs, url)["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Copy", "stocks/two")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@pytest.mark.parametrize(("prefix", "is_sent"), [("dt%3D2026+x/", True), ("dt=2026 x/", False), ("dt%3d", False)])
def test_a_prefix_is_compared_with_the_key_as_events_write_it(
    s3: Any, sqs: Any, notified: Any, prefix: str, is_sent: bool
) -> None:
    """Configuring event notifications using object key name filtering: special characters are written encoded."""
    bucket, url = notified
    configure(s3, bucket, bucket, ["s3:ObjectCreated:*"], prefix)
    assert receive(sqs, url)["Event"] == "s3:TestEvent"
    s3.put_object(Bucket=bucket, Key="dt=2026 x/a", Body=b"x")
    assert ("Messages" in sqs.receive_message(QueueUrl=url)) == is_sent


def test_the_test_event_carries_its_ids(s3: Any, sqs: Any, bucket: str) -> None:
    """How to enable notifications: the test event has Service, Event, Time, Bucket, RequestId and HostId."""
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    allow(sqs, url)
    configure(s3, bucket, bucket, ["s3:ObjectCreated:*"])
    event = receive(sqs, url)
    assert set(event) == {"Service", "Event", "Time", "Bucket", "RequestId", "HostId"}
    assert event["Bucket"] == bucket


def refused(s3: Any, bucket: str, queue: str) -> tuple[str, str, str]:
    """How a notification is refused: code, text, and what is wrong with the destination."""
    with pytest.raises(ClientError) as caught:
        configure(s3, bucket, queue, ["s3:ObjectCreated:*"])
    error = caught.value.response["Error"]
    return error["Code"], error["Message"], error["ArgumentValue1"]


def test_a_notification_goes_only_to_a_queue_that_exists(s3: Any, bucket: str) -> None:
    """PutBucketNotificationConfiguration: S3 verifies that the destination exists."""
    expected = (
        "InvalidArgument",
        "Unable to validate the following destination configurations",
        "The destination queue does not exist",
    )
    assert refused(s3, bucket, "no-such-queue") == expected


def test_a_queue_of_a_notification_is_an_arn(s3: Any, bucket: str) -> None:
    """What is not an ARN is named, before any queue is looked up, even if destinations are not validated."""
    queues = [
        {"QueueArn": arn, "Events": [event]}
        for arn, event in ((ARN + "no-such-queue", "s3:ObjectCreated:Put"), ("no-arn", "s3:ObjectCreated:Copy"))
    ]
    for skip in (False, True):
        with pytest.raises(ClientError, match="The ARN could not be parsed") as caught:
            s3.put_bucket_notification_configuration(
                Bucket=bucket,
                NotificationConfiguration={"QueueConfigurations": queues},
                SkipDestinationValidation=skip,
            )
        error = caught.value.response["Error"]
        assert (error["Code"], error["ArgumentName"], error["ArgumentValue"]) == ("InvalidArgument", "Queue", "no-arn")


@pytest.mark.parametrize(
    ("arn", "event", "text"),
    [
        ("arn:aws:sns:us-east-1:123456789012:t", "s3:ObjectCreated:*", "The ARN is not well formed"),
        (ARN.replace("us-east-1", "eu-west-1") + "q", "s3:ObjectCreated:*", "service region is not valid"),
        (ARN + "no-such-queue", "s3:NoSuchEvent", "The event 's3:NoSuchEvent' is not supported"),
    ],
)
def test_a_notification_is_read_before_its_queue_is_looked_for(
    s3: Any, bucket: str, arn: str, event: str, text: str
) -> None:
    """Another service's ARN, another Region than the bucket's and an unknown event have their own texts."""
    with pytest.raises(ClientError, match=text):
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": [event]}]}
        )


def test_every_destination_that_fails_is_named(s3: Any, bucket: str) -> None:
    """Each is named once, with a number."""
    queues = [
        {"QueueArn": f"{ARN}no-such-queue-{number}", "Events": [event]}
        for number, event in ((1, "s3:ObjectCreated:Put"), (2, "s3:ObjectCreated:Copy"), (1, "s3:ObjectCreated:Post"))
    ]
    with pytest.raises(ClientError, match="Unable to validate") as caught:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": queues}
        )
    named = {name: value for name, value in caught.value.response["Error"].items() if name.startswith("Argument")}
    assert named == {
        "ArgumentName1": ARN + "no-such-queue-1",
        "ArgumentValue1": "The destination queue does not exist",
        "ArgumentName2": ARN + "no-such-queue-2",
        "ArgumentValue2": "The destination queue does not exist",
    }


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::another"}},
        {"StringEquals": {"aws:SourceAccount": "000000000000"}},
    ],
)
def test_a_notification_goes_only_to_a_queue_whose_policy_allows_it(
    s3: Any, sqs: Any, bucket: str, condition: Any
) -> None:
    """PutBucketNotificationConfiguration: the bucket owner has permission to publish to it."""
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    if condition is not None:
        allow(sqs, url, **condition)
    assert "do not allow S3 to publish" in refused(s3, bucket, bucket)[2]


def test_events_are_lost_once_the_policy_no_longer_allows_them(s3: Any, sqs: Any, notified: Any) -> None:
    """Delivery needs the permission too, not only the configuration."""
    bucket, url = notified
    allow(sqs, url, StringEquals={"aws:SourceAccount": "000000000000"})
    s3.put_object(Bucket=bucket, Key="stocks/lost", Body=b"x")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_overlapping_rules_for_one_event_are_refused(s3: Any, sqs: Any, bucket: str) -> None:
    """Configuring notifications with key name filtering: overlapping prefixes for the same event type."""
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    allow(sqs, url)
    rules = [
        {
            "QueueArn": ARN + bucket,
            "Events": [event],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
        }
        for event, prefix in (("s3:ObjectCreated:*", "stocks/"), ("s3:ObjectCreated:Put", "stocks/2026/"))
    ]
    with pytest.raises(ClientError, match="ambiguously defined"):
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": rules}
        )


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("Content-MD5", base64.b64encode(hashlib.md5(b"other").digest()).decode(), "BadDigest"),
        ("Content-MD5", "no digest", "InvalidDigest"),
        ("x-amz-content-sha256", hashlib.sha256(b"other").hexdigest(), "XAmzContentSHA256Mismatch"),
        ("x-amz-checksum-crc32", base64.b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode(), "BadDigest"),
        ("x-amz-checksum-sha256", base64.b64encode(hashlib.sha256(b"other").digest()).decode(), "BadDigest"),
        ("x-amz-checksum-crc32c", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=", "BadDigest"),
        ("x-amz-checksum-sha512", base64.b64encode(hashlib.sha512(b"other").digest()).decode(), "BadDigest"),
        ("x-amz-checksum-md5", base64.b64encode(hashlib.md5(b"other").digest()).decode(), "BadDigest"),
    ],
)
def test_a_bad_digest_stores_nothing(
    s3: Any, store_endpoint: str, bucket: str, header: str, value: str, code: str
) -> None:
    """Checking object integrity: S3 rejects the upload when the digest does not match what it received."""
    connection = http.client.HTTPConnection(urlsplit(store_endpoint).netloc)
    connection.request("PUT", f"/{bucket}/key", b"body", {header: value, "Authorization": signed("s3")})
    answer = connection.getresponse()
    assert (answer.status, f"<Code>{code}</Code>".encode() in answer.read()) == (400, True)
    connection.close()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-sha512", base64.b64encode(hashlib.sha512(b"123456789").digest()).decode()),
        ("x-amz-checksum-md5", base64.b64encode(hashlib.md5(b"123456789").digest()).decode()),
    ],
)
def test_a_right_digest_of_every_kind_is_accepted(store_endpoint: str, bucket: str, header: str, value: str) -> None:
    """CRC-32C and CRC-64/NVME of `123456789` are the published check values."""
    connection = http.client.HTTPConnection(urlsplit(store_endpoint).netloc)
    connection.request("PUT", f"/{bucket}/key", b"123456789", {header: value, "Authorization": signed("s3")})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-xxhash3": "AAAAAAAAAAA="},
        {"x-amz-sdk-checksum-algorithm": "XXHASH64"},
        {"x-amz-checksum-algorithm": "xxhash128"},
    ],
)
def test_a_checksum_that_is_not_computed_is_refused(
    s3: Any, store_endpoint: str, bucket: str, headers: dict[str, str]
) -> None:
    """PutObject: S3 checks XXHASH64, XXHASH3 and XXHASH128; here an object is not stored unchecked."""
    connection = http.client.HTTPConnection(urlsplit(store_endpoint).netloc)
    connection.request("PUT", f"/{bucket}/key", b"body", {"Authorization": signed("s3"), **headers})
    answer = connection.getresponse()
    assert (answer.status, b"are not simulated" in answer.read()) == (501, True)
    connection.close()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_newest_events_can_be_asked_for_and_unknown_ones_cannot(s3: Any, sqs: Any, bucket: str) -> None:
    """Supported event types: annotations since June 2026; an event that S3 does not have is an InvalidArgument."""
    newest = ["s3:ObjectAnnotation:*", "s3:ObjectRetention:Put"]
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        configure(s3, bucket, bucket, newest)
    allow(sqs, url)
    configure(s3, bucket, bucket, newest)
    with pytest.raises(ClientError, match="The event 's3:ObjectCreated:Get' is not supported for notifications"):
        configure(s3, bucket, bucket, ["s3:ObjectCreated:Get"])


def test_a_conditional_put_replaces_nothing_unseen(s3: Any, bucket: str) -> None:
    """PutObject: If-None-Match `*` writes a key once, If-Match only over the content that was seen."""
    first = s3.put_object(Bucket=bucket, Key="key", Body=b"first", IfNoneMatch="*")["ETag"]
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"00000000000000000000000000000000"'}):
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket=bucket, Key="key", Body=b"second", **condition)
    s3.put_object(Bucket=bucket, Key="key", Body=b"third", IfMatch=first)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"third"


def test_a_key_has_at_most_1024_bytes(s3: Any, bucket: str) -> None:
    """Object key names: UTF-8, at most 1,024 bytes."""
    s3.put_object(Bucket=bucket, Key="\u00e9" * 512, Body=b"")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="\u00e9" * 513, Body=b"")
    assert caught.value.response["Error"]["Code"] == "KeyTooLongError"


@pytest.mark.parametrize("wrong", ["Bad_Name", "ab", "-dash", "192.168.0.1", "two..dots"])
def test_a_bucket_name_follows_the_rules(store_endpoint: str, wrong: str) -> None:
    """Bucket naming rules: 3 to 63 lower-case letters, digits, dots and hyphens, no address."""
    connection = http.client.HTTPConnection(urlsplit(store_endpoint).netloc)
    connection.request("PUT", f"/{wrong}", headers={"Authorization": signed("s3")})
    answer = connection.getresponse()
    assert (answer.status, b"InvalidBucketName" in answer.read()) == (400, True)
    connection.close()


def test_s3_slows_down_beyond_3500_writes_and_5500_reads_a_second() -> None:
    """Optimizing performance: 503 SlowDown beyond the rates of one partitioned prefix."""
    rates = S3Rates()
    for method, rate in (("PUT", 3_500), ("GET", 5_500)):
        request = Request(method, "/bucket/key", {}, (), b"")
        for _ in range(rate):
            rates.admit(request, 0.0)
        with pytest.raises(AwsError, match="Please reduce your request rate") as caught:
            rates.admit(request, 0.0)
        assert (caught.value.code, caught.value.status) == ("SlowDown", 503)
        rates.admit(request, 0.001)
