"""Signature Version 4 against AWS's published test suite and against botocore."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.signing import Credentials, PostSigner, Scope, authorization

SUITE_CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SUITE_SCOPE = Scope("20150830", "us-east-1", "service")
SUITE_HEADERS = {"Host": "example.amazonaws.com", "X-Amz-Date": "20150830T123600Z"}
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7"
    "mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d"
    "+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "signature"),
    [
        ("GET", "/", (), {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", (), {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST",
            "/",
            (("Param1", "value1"),),
            {},
            b"",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        ("GET", "/example space/", (), {}, b"", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("GET", "/ሴ", (), {}, b"", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        (
            "POST",
            "/",
            (),
            {"My-Header1": "VALUE1"},
            b"",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "POST",
            "/",
            (),
            {"X-Amz-Security-Token": TOKEN},
            b"",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
        ("POST", "/", (), FORM, b"Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        (
            "POST",
            "/",
            (("@#$%^", ""), ("+", '/,?><`";:\\|][{}')),
            {},
            b"",
            "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
        ),
    ],
)
def test_the_vectors_of_awss_test_suite(method, path, query, headers, body, signature):
    """AWS's Signature Version 4 test suite: the same requests, the same signatures."""
    header = authorization(method, path, query, SUITE_HEADERS | headers, body, SUITE_CREDENTIALS, SUITE_SCOPE)

    assert header.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ")
    assert header.endswith(f"Signature={signature}")


def botocores_authorization(url, headers, body, credentials, region, instant):
    """What botocore puts into the Authorization header of the same POST at the same instant."""
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
    credentials=st.builds(Credentials, texts.filter(lambda text: "/" not in text), texts, st.none() | texts),
    region=st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True),
    host=st.sampled_from(["dynamodb.us-east-1.amazonaws.com", "127.0.0.1:5000", "localhost:80"]),
    second=st.integers(0, 4_000_000_000),
)
async def test_requests_are_signed_as_botocore_signs_them(body, credentials, region, host, second):
    """For any body, credentials, region, host and second the whole Authorization header is botocore's."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem"}

    async def given_credentials():
        return credentials

    canonical_host = host.removesuffix(":80")
    signer = PostSigner(canonical_host, "/", headers, region, "dynamodb", given_credentials, lambda: second + 0.5)
    lines = (await signer.head(body)).decode().split("\r\n")

    sent = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert lines[0] == "POST / HTTP/1.1"
    assert sent["Content-Length"] == str(len(body))
    assert sent.get("X-Amz-Security-Token") == credentials.token
    instant = datetime.fromtimestamp(second, UTC)
    assert sent["Authorization"] == botocores_authorization(
        f"http://{host}/", headers, body, credentials, region, instant
    )


async def test_a_head_is_kept_for_its_second_and_renewed_with_the_next():
    """Credentials are asked for once a second; new ones sign from then on, with their token."""
    given_out = iter([Credentials("one", "x"), Credentials("two", "y", "token")])
    requested = []

    async def renewed():
        requested.append(next(given_out))
        return requested[-1]

    now = 1_000_000.0
    signer = PostSigner("host", "", {}, "us-east-1", "dynamodb", renewed, lambda: now)
    first, again = await signer.head(b"a"), await signer.head(b"a")
    now += 1

    assert first == again
    assert b"Credential=one/" in first
    renewed_head = await signer.head(b"a")
    assert b"Credential=two/" in renewed_head
    assert b"X-Amz-Security-Token: token\r\n" in renewed_head
    assert len(requested) == 2
