"""Who we are and where: found as the AWS CLI does, with one line if that fails."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.session import AioSession
from botocore import exceptions
from botocore.parsers import ResponseParserError

from simulator.base.errors import CouldNotFinish, InputError, StockpipeError
from stockpipe.deploy.aws import Aws, connect, dns_suffix, explain


@pytest.fixture(autouse=True)
def no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is none of the machine's own AWS configuration."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def refusal(code: str, message: str) -> exceptions.ClientError:
    """A refusal from AWS."""
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "CreateChangeSet")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (refusal("ExpiredToken", "x"), InputError, "have expired; sign in again"),
        (refusal("InvalidClientTokenId", "x"), InputError, "aws sts get-caller-identity"),
        (
            refusal("AccessDenied", "User: u is not authorized to perform: s3:PutObject"),
            CouldNotFinish,
            "a permission is missing: User: u is not authorized to perform: s3:PutObject; `stockpipe docs ",
        ),
        (refusal("403", "Forbidden"), CouldNotFinish, "a permission is missing: CreateChangeSet"),
        (refusal("LimitExceeded", "too many\nstacks"), CouldNotFinish, "was refused: too many stacks (LimitExceeded)"),
        (exceptions.ProfileNotFound(profile="p"), InputError, "aws configure list-profiles"),
        (exceptions.NoCredentialsError(), InputError, "run `aws configure`, or pass --profile"),
        (
            exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            InputError,
            "cannot be used",
        ),
        (exceptions.UnauthorizedSSOTokenError(), InputError, "aws sso login"),
        (exceptions.NoRegionError(), InputError, "pass --region"),
        (exceptions.EndpointConnectionError(endpoint_url="http://x"), CouldNotFinish, "run the same command again"),
        (exceptions.ParamValidationError(report="bad"), CouldNotFinish, "bad"),
        (ResponseParserError("<html>\n500"), CouldNotFinish, "<html> 500"),
    ],
)
def test_errors_are_one_line_with_the_way_out(error: Exception, kind: type[StockpipeError], words: str) -> None:
    """Each error of AWS or botocore becomes one line of the right kind."""
    explained = explain(error)
    assert type(explained) is kind
    assert words in str(explained)
    assert "\n" not in str(explained)


def test_errors_of_our_own_pass() -> None:
    """What is not an AWS error needs no explanation."""
    assert explain(ValueError("ours")) is None


async def test_a_missing_region_is_reported_before_any_call() -> None:
    """Without a region no request is made to AWS."""
    with pytest.raises(InputError, match="no AWS region is set; pass --region"):
        async with connect():
            pass


async def test_missing_credentials_are_reported() -> None:
    """Without credentials nothing is sent."""
    with pytest.raises(InputError, match="no AWS credentials were found"):
        async with connect(region="eu-central-1"):
            pass


async def test_unknown_profile_is_named() -> None:
    """A profile that does not exist is named."""
    with pytest.raises(InputError, match=r"\(nobody\) could not be found"):
        async with connect(profile="nobody"):
            pass


async def test_profile_gives_region_and_credentials(tmp_path: Path, aws_engine: str) -> None:
    """Region, credentials and endpoint come from the profile, as in the AWS CLI; STS says whose they are."""
    (tmp_path / "config").write_text(f"[profile p]\nregion = eu-north-1\nendpoint_url = {aws_engine}\n")
    (tmp_path / "credentials").write_text("[p]\naws_access_key_id = a\naws_secret_access_key = b\n")
    async with connect(profile="p") as aws:
        assert (aws.region, aws.account) == ("eu-north-1", "123456789012")
    async with connect(profile="p", region="eu-west-3") as aws:
        assert aws.region == "eu-west-3"


async def test_a_local_endpoint_never_sees_the_users_credentials(
    aws_engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loopback endpoint gets dummy credentials, in its own region, whatever the shell has set."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASECRET")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    async with connect(endpoint_url=aws_engine) as aws:
        s3 = await aws.s3()
        sent: list[str] = []
        s3.meta.events.register("before-send.s3", lambda request, **_: sent.append(str(request.headers)))
        await s3.list_buckets()
        assert aws.region == "us-east-1"
    assert "AKIASECRET" not in sent[0]
    assert "Credential=stockpipe/" in sent[0]


@pytest.mark.parametrize(
    ("region", "variables", "url"),
    [
        ("us-east-1", {}, r"https://data\.s3\.(us-east-1\.)?amazonaws\.com"),
        ("eu-west-1", {}, r"https://data\.s3\.eu-west-1\.amazonaws\.com"),
        ("cn-north-1", {}, r"https://data\.s3\.cn-north-1\.amazonaws\.com\.cn"),
        ("us-gov-west-1", {}, r"https://data\.s3\.us-gov-west-1\.amazonaws\.com"),
        ("eusc-de-east-1", {}, r"https://data\.s3\.eusc-de-east-1\.amazonaws\.eu"),
        ("eu-west-1", {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:5000"}, r"http://127\.0\.0\.1:5000/data"),
        ("eu-west-1", {"AWS_ENDPOINT_URL": "https://s3.internal.example"}, r"https://s3\.internal\.example/data"),
        (
            "eu-west-1",
            {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
            r"https://data\.s3\.dualstack\.eu-west-1\.amazonaws\.com",
        ),
        ("us-west-2", {"AWS_USE_FIPS_ENDPOINT": "true"}, r"https://data\.s3-fips\.us-west-2\.amazonaws\.com"),
    ],
)
async def test_a_buckets_address_is_the_sdks_own(
    region: str, variables: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects go where every other call for the bucket goes: the partition's address, or the endpoint that is set."""
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", **variables}.items():
        monkeypatch.setenv(name, value)
    async with AsyncExitStack() as stack:
        aws = Aws(region, None, AioSession(), stack)
        s3 = await aws.s3()
        empty = asyncio.StreamReader()
        empty.feed_eof()
        # Nothing is sent: a fake answer is used.
        s3.meta.events.register("before-send.s3", lambda **_: AioAWSResponse("", 200, {}, empty))
        assert re.fullmatch(url, await aws.bucket_url("data"))


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-west-1", "amazonaws.com"),
        ("us-gov-east-1", "amazonaws.com"),
        ("cn-northwest-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("us-iso-east-1", "c2s.ic.gov"),
    ],
)
def test_a_partition_has_its_own_suffix(region: str, suffix: str) -> None:
    """China, Europe's sovereign cloud and the isolated Regions have their own addresses."""
    assert dns_suffix(region) == suffix
