"""What a request means, by its method, path, query and headers."""

from __future__ import annotations

import pytest

from simulator.base.chance import Identifiers, stream
from simulator.store.wire.messages import Request, Routed
from simulator.store.wire.routing import route


def routed(method: str, target: str, body: bytes = b"", **headers: str) -> Routed:
    """The request as interpreted; underscores in header names become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return route(Request(method, target, named, (), body), Identifiers(stream(0, "requests")))


@pytest.mark.parametrize(
    ("request_line", "operation"),
    [
        ("GET /", "ListBuckets"),
        ("PUT /bucket", "CreateBucket"),
        ("GET /bucket/", "ListObjects"),
        ("GET /bucket?list-type=2&prefix=a", "ListObjectsV2"),
        ("POST /bucket?delete", "DeleteObjects"),
        ("GET /bucket?uploads", "ListMultipartUploads"),
        ("PUT /bucket?notification", "PutBucketNotificationConfiguration"),
        ("DELETE /bucket?tagging", "DeleteBucketTagging"),
        ("PUT /bucket/key", "PutObject"),
        ("GET /bucket/a/key?x-id=GetObject", "GetObject"),
        ("HEAD /bucket/key", "HeadObject"),
        ("GET /bucket/key?tagging", "GetObjectTagging"),
        ("POST /bucket/key?uploads", "CreateMultipartUpload"),
        ("PUT /bucket/key?partNumber=1&uploadId=u", "UploadPart"),
        ("POST /bucket/key?uploadId=u", "CompleteMultipartUpload"),
        ("DELETE /bucket/key?uploadId=u", "AbortMultipartUpload"),
    ],
)
def test_an_operation_of_s3_is_named_by_method_path_and_query(request_line: str, operation: str) -> None:
    """S3's API reference: the request syntax of each; what nothing identifies is S3's."""
    found = routed(*request_line.split())
    assert (found.service, found.operation, found.parameters) == ("s3", operation, None)


@pytest.mark.parametrize(
    ("host", "target", "host_after"),
    [
        ("prices.localhost:5000", "/prices/a/k?x=1", "localhost:5000"),
        ("prices.localhost", "/prices/a/k?x=1", "localhost"),
        ("my.prices.localhost.", "/my.prices/a/k?x=1", "localhost"),
        ("prices.s3.localhost:1", "/prices/a/k?x=1", "localhost:1"),
        ("prices.s3.eu-west-1.localhost:1", "/prices/a/k?x=1", "localhost:1"),
        ("s3-data.localhost:1", "/s3-data/a/k?x=1", "localhost:1"),
        ("s3.localhost:1", "/a/k?x=1", "localhost:1"),
        ("s3.eu-west-1.localhost", "/a/k?x=1", "localhost"),
        ("localhost:5000", "/a/k?x=1", "localhost:5000"),
        ("127.0.0.1:5000", "/a/k?x=1", "127.0.0.1:5000"),
        ("[::1]:5000", "/a/k?x=1", "[::1]:5000"),
    ],
)
def test_a_bucket_in_the_host_is_the_one_that_is_meant(host: str, target: str, host_after: str) -> None:
    """Virtual-hosted-style requests: the first part of the path belongs to the key, whatever buckets there are."""
    asked = Request("PUT", "/a/k?x=1", {"host": host}, ((b"Host", host.encode()), (b"X", b"y")), b"")
    found = route(asked, Identifiers(stream(0, "requests")))
    assert (found.operation, found.request.target, found.request.headers["host"]) == ("PutObject", target, host_after)
    assert found.request.raw_headers == ((b"Host", host_after.encode()), (b"X", b"y"))


def test_a_copy_is_recognised_by_its_source() -> None:
    """CopyObject and UploadPartCopy differ from a put only in a header."""
    source = {"x_amz_copy_source": "bucket/other"}
    assert routed("PUT", "/bucket/key", **source).operation == "CopyObject"
    assert routed("PUT", "/bucket/key?partNumber=1&uploadId=u", **source).operation == "UploadPartCopy"


def test_the_other_services_are_named_by_their_target_or_their_action() -> None:
    """The JSON protocols name service and operation in a header, the older one has the operation in its form."""
    form = "application/x-www-form-urlencoded"
    by_target = routed("POST", "/", b'{"QueueUrl":"q"}', x_amz_target="AmazonSQS.SendMessage")
    assert by_target[1:4] == ("sqs", "SendMessage", {"QueueUrl": "q"})
    assert routed("POST", "/", b"no JSON", x_amz_target="DynamoDB_20120810.Scan")[1:4] == ("dynamodb", "Scan", None)
    by_form = routed("POST", "/", b"Action=ReceiveMessage&QueueUrl=q&MaxNumberOfMessages=2", content_type=form)
    assert by_form[1:4] == ("sqs", "ReceiveMessage", {"QueueUrl": "q", "MaxNumberOfMessages": 2})
    assert by_form.is_query
    assert routed("POST", "/", b"Action=GetCallerIdentity", content_type=form).service == "sts"
