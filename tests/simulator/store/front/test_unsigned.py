"""What a request without a signature may do, and AWS's answer to all others."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

Ask = Callable[..., tuple[int, bytes]]
PUBLIC = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def ask(store_endpoint: str) -> Iterator[Ask]:
    """Sends a request without a signature: status and body."""
    connection = http.client.HTTPConnection(urlsplit(store_endpoint).netloc)

    def send(method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, body, named)
        answer = connection.getresponse()
        return answer.status, answer.read()

    yield send
    connection.close()


@pytest.fixture
def bucket(s3: Any, name: str) -> str:
    """A private bucket with an object."""
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a key", Body=b"content")
    return name


def policy(bucket: str, action: str, resource: str, effect: str = "Allow") -> dict[str, Any]:
    """A statement for everybody."""
    return {"Effect": effect, "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}{resource}"}


@pytest.mark.parametrize(
    "request_line",
    [
        "GET {}/a%20key", "GET {}/missing", "GET {}", "GET {}?list-type=2", "GET {}?acl", "GET {}/a%20key?acl", "GET /",
        "PUT {}/new", "POST {}?delete", "DELETE {}/a%20key", "DELETE {}", "PUT {}?policy", "POST {}/new?uploads",
    ],
)  # fmt: skip
def test_what_is_private_is_refused(ask: Ask, s3: Any, bucket: str, request_line: str) -> None:
    """S3 denies what no policy and no ACL allows, whether or not the object exists; nothing is changed."""
    method, target = request_line.format(f"/{bucket}").split(" ")
    status, body = ask(method, target)
    assert (status, b"<Code>AccessDenied</Code><Message>Access Denied</Message>" in body) == (403, True)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a key"]


def test_a_head_of_what_is_private_has_no_body(ask: Ask, bucket: str) -> None:
    """The answer is a bare 403; a missing bucket is missing for everybody, and nobody can create it."""
    assert ask("HEAD", f"/{bucket}/a%20key") == (403, b"")
    status, body = ask("GET", "/no-such-bucket-at-all/key")
    assert (status, b"NoSuchBucket" in body) == (404, True)
    assert ask("PUT", "/no-such-bucket-at-all")[0] == 403
    assert ask("HEAD", "/no-such-bucket-at-all")[0] == 404


def test_an_acl_opens_an_object_or_a_bucket(ask: Ask, s3: Any, bucket: str) -> None:
    """public-read lets anyone read an object, or list a bucket; public-read-write lets them also write."""
    s3.put_object_acl(Bucket=bucket, Key="a key", ACL="public-read")
    assert ask("GET", f"/{bucket}/a%20key") == (200, b"content")
    assert ask("GET", f"/{bucket}")[0] == 403
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    status, body = ask("GET", f"/{bucket}?list-type=2")
    assert (status, b"<Key>a key</Key>" in body) == (200, True)
    assert ask("PUT", f"/{bucket}/new", b"x")[0] == 403
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert ask("PUT", f"/{bucket}/new", b"x")[0] == 200
    s3.put_object_acl(Bucket=bucket, Key="new", ACL="private")
    assert ask("PUT", f"/{bucket}/new", b"y")[0] == 200
    block = {"BlockPublicAcls": False, "IgnorePublicAcls": True, "BlockPublicPolicy": False}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**block, "RestrictPublicBuckets": False})
    assert ask("GET", f"/{bucket}/a%20key")[0] == ask("GET", f"/{bucket}")[0] == 403


def test_a_policy_opens_what_it_names(ask: Ask, s3: Any, bucket: str) -> None:
    """It applies to every principal, by action and resource; a deny wins; and a bucket may restrict public policies."""
    s3.put_object(Bucket=bucket, Key="secret", Body=b"")
    statements = [policy(bucket, "s3:GetObject", "/*"), policy(bucket, "s3:*", "/secret", "Deny")]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    assert ask("GET", f"/{bucket}/a%20key") == (200, b"content")
    assert ask("HEAD", f"/{bucket}/a%20key")[0] == 200
    for method, target in (("GET", "/secret"), ("GET", ""), ("PUT", "/a%20key")):
        assert ask(method, f"/{bucket}{target}")[0] == 403
    block = {"BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**block, "RestrictPublicBuckets": True})
    assert ask("GET", f"/{bucket}/a%20key")[0] == 403


def test_a_presigned_url_is_a_signature(ask: Ask, s3: Any, bucket: str) -> None:
    """It is in the query, in version 4's form or an earlier one."""
    url = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a key"}))
    assert ask("GET", f"{url.path}?{url.query}") == (200, b"content")
    assert ask("GET", f"/{bucket}/a%20key?AWSAccessKeyId=AKIA&Signature=x&Expires=4102444800") == (200, b"content")


def test_dynamodb_wants_a_signature(ask: Ask) -> None:
    """Error handling with DynamoDB: MissingAuthenticationTokenException, 400."""
    status, body = ask("POST", "/", b"{}", X_Amz_Target="DynamoDB_20120810.ListTables")
    shape = "com.amazon.coral.service#MissingAuthenticationTokenException"
    assert (status, json.loads(body)) == (400, {"__type": shape, "message": "Request is missing Authentication Token"})


def test_sqs_wants_a_signature_unless_the_queues_policy_does_not(ask: Ask, sqs: Any, name: str) -> None:
    """Common errors: MissingAuthenticationToken, 403, in either protocol; what the policy gives `*` is for everyone."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    request = json.dumps({"QueueUrl": url, "MessageBody": "m"}).encode()
    form = "application/x-www-form-urlencoded"
    refused = ask("POST", "/", request, X_Amz_Target="AmazonSQS.SendMessage")
    assert (refused[0], b"MissingAuthenticationTokenException" in refused[1]) == (403, True)
    refused = ask("POST", "/", f"Action=SendMessage&QueueUrl={url}&MessageBody=m".encode(), Content_Type=form)
    assert (refused[0], b"<Code>MissingAuthenticationToken</Code>" in refused[1]) == (403, True)
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    allowed = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SQS:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allowed]})})
    assert ask("POST", "/", request, X_Amz_Target="AmazonSQS.SendMessage")[0] == 200
    assert ask("POST", "/", request, X_Amz_Target="AmazonSQS.PurgeQueue")[0] == 403
    assert ask("POST", "/", b"Action=ListQueues&AWSAccessKeyId=A&Signature=x", Content_Type=form)[0] == 200
