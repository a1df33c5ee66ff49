"""Signature Version 4 against AWS's published test suite and against botocore."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.signing import PostSigner

SUITE_KEYS = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE_SECOND = int(datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp())
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7"
    "mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d"
    "+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "token", "body", "signature"),
    [
        ({}, None, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ({"My-Header1": "VALUE1"}, None, b"", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        ({}, TOKEN, b"", "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
        (FORM, None, b"Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ],
)
async def test_the_vectors_of_awss_test_suite(headers, token, body, signature):
    """AWS's Signature Version 4 test suite: the same POSTs, the same signatures."""

    async def given_credentials():
        return ReadOnlyCredentials(*SUITE_KEYS, token)

    signer = PostSigner(
        "example.amazonaws.com", "/", headers, "us-east-1", "service", given_credentials, lambda: SUITE_SECOND
    )
    head = (await signer.head(body)).decode()

    assert " Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " in head
    assert f"Signature={signature}\r\n" in head


def botocores_authorization(url, headers, body, credentials, region, instant):
    """The Authorization header that botocore gives the same POST at the same instant."""
    request = AWSRequest("POST", url, data=body, headers=dict(headers))
    with mock.patch("botocore.auth.get_current_datetime", return_value=instant.replace(tzinfo=None)):
        SigV4Auth(
            BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token), "dynamodb", region
        ).add_auth(request)
    return request.headers["Authorization"]


texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=2000),
    credentials=st.builds(ReadOnlyCredentials, texts.filter(lambda text: "/" not in text), texts, st.none() | texts),
    region=st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True),
    host=st.sampled_from(["dynamodb.us-east-1.amazonaws.com", "127.0.0.1:5000", "localhost:80"]),
    path=st.sampled_from(["/", "/prefix", "/a%20b/c~d/"]),
    second=st.integers(0, 4_000_000_000),
)
async def test_requests_are_signed_as_botocore_signs_them(body, credentials, region, host, path, second):
    """For any body, credentials, region, host, path and second, the whole Authorization header is botocore's."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem"}

    async def given_credentials():
        return credentials

    canonical_host = host.removesuffix(":80")
    signer = PostSigner(canonical_host, path, headers, region, "dynamodb", given_credentials, lambda: second + 0.5)
    lines = (await signer.head(body)).decode().split("\r\n")

    sent = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert lines[0] == f"POST {path} HTTP/1.1"
    assert sent["Content-Length"] == str(len(body))
    assert sent.get("X-Amz-Security-Token") == credentials.token
    instant = datetime.fromtimestamp(second, UTC)
    assert sent["Authorization"] == botocores_authorization(
        f"http://{host}{path}", headers, body, credentials, region, instant
    )


async def test_a_new_day_has_a_new_key():
    """A key is valid for one day in UTC: the second before midnight and midnight have different ones."""
    credentials = ReadOnlyCredentials("one", "x", None)
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    midnight = datetime(2026, 11, 28, tzinfo=UTC)

    async def given_credentials():
        return credentials

    instants = [midnight - timedelta(seconds=1), midnight]
    clock = iter([instants[0].timestamp() + 0.999, instants[1].timestamp()])
    signer = PostSigner("host", "/", headers, "us-east-1", "dynamodb", given_credentials, lambda: next(clock))
    for instant in instants:
        expected = botocores_authorization("http://host/", headers, b"a", credentials, "us-east-1", instant)
        assert f"Authorization: {expected}\r\n".encode() in await signer.head(b"a")


async def test_a_head_is_kept_for_its_second_and_renewed_with_the_next():
    """Credentials are requested once per second; new ones sign from then on, with their token."""
    given_out = iter([ReadOnlyCredentials("one", "x", None), ReadOnlyCredentials("two", "y", "token")])
    requested = []

    async def renewed():
        requested.append(next(given_out))
        return requested[-1]

    now = 1_000_000.0
    signer = PostSigner("host", "", {}, "us-east-1", "dynamodb", renewed, lambda: now)
    first, again = await signer.head(b"a"), await signer.head(b"a")
    now += 1

    assert first == again
    assert first.startswith(b"POST / HTTP/1.1\r\n")
    assert b"Credential=one/" in first
    renewed_head = await signer.head(b"a")
    assert b"Credential=two/" in renewed_head
    assert b"X-Amz-Security-Token: token\r\n" in renewed_head
    assert len(requested) == 2
