"""Puts, gets and deletes as a client sees them, whether the fast path or moto answers."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from fakes.signatures import signed


@pytest.fixture
def bucket(s3: Any, name: str) -> str:
    """An empty bucket."""
    s3.create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize("header", ["Content-Type", "Content-Disposition", "Cache-Control", "x-amz-meta-name"])
@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("attachment; filename=\"€_é.pdf\"".encode(), "attachment; filename=\"€_é.pdf\"".encode()),
        (b"plain", b"plain"),
        ("é".encode("latin-1"), "é".encode()),  # not UTF-8: read as Latin-1
    ],
)  # fmt: skip
def test_a_header_comes_back_as_it_was_sent(
    store_endpoint: str, bucket: str, header: str, sent: bytes, answered: bytes
) -> None:
    """It is the same byte for byte, even outside ASCII."""
    connection = http.client.HTTPConnection(urlsplit(store_endpoint).netloc)
    for method, range_ in (("PUT", ""), ("GET", ""), ("GET", "bytes=0-0")):
        headers: dict[str, Any] = {"Authorization": signed("s3")}
        headers |= {header: sent} if method == "PUT" else ({"Range": range_} if range_ else {})
        connection.request(method, f"/{bucket}/key", b"body" if method == "PUT" else None, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 206)
        if method == "GET":
            assert (answer.getheader(header) or "").encode("latin-1") == answered
    connection.close()


def test_requests_to_a_bucket_that_is_logged_are_logged(s3: Any, bucket: str) -> None:
    """Server access logging: each put, get and listing leaves an object in the target bucket."""
    s3.create_bucket(Bucket=f"{bucket}-logs")
    grants = [
        {
            "Grantee": {"URI": "http://acs.amazonaws.com/groups/s3/LogDelivery", "Type": "Group"},
            "Permission": permission,
        }
        for permission in ("WRITE", "READ_ACP")
    ]
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]
    s3.put_bucket_acl(Bucket=f"{bucket}-logs", AccessControlPolicy={"Grants": grants, "Owner": owner})
    enabled = {"TargetBucket": f"{bucket}-logs", "TargetPrefix": "log/"}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})
    before = s3.list_objects_v2(Bucket=f"{bucket}-logs")["KeyCount"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    s3.get_object(Bucket=bucket, Key="key")
    s3.list_objects_v2(Bucket=bucket)
    logged = [
        s3.get_object(Bucket=f"{bucket}-logs", Key=each["Key"])["Body"].read().decode()
        for each in s3.list_objects_v2(Bucket=f"{bucket}-logs")["Contents"]
    ]
    assert len(logged) == before + 3
    assert all(any(f"REST.{verb}." in line for line in logged) for verb in ("PUT", "GET"))


def test_the_only_version_of_a_key_can_be_deleted(s3: Any, bucket: str) -> None:
    """It is deleted by its id: then nothing is left of the key, and it can be written again."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="key", Body=b"y")
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"y"
