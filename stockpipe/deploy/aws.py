"""One region of one account, found like the AWS CLI does: credentials, region, clients, and errors in one line.

A loopback endpoint never gets the user's credentials, and needs none.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partialmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import exceptions
from botocore.parsers import ResponseParserError

from simulator.base import limits
from simulator.base.clients import DUMMY_CREDENTIALS, offline_session
from simulator.base.clock import Clock, SystemClock
from simulator.base.doors import is_loopback_url
from simulator.base.errors import CouldNotFinish, InputError, StockpipeError, one_failure

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudwatch import CloudWatchClient
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_lambda import LambdaClient
    from types_aiobotocore_logs import CloudWatchLogsClient
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sts import STSClient

T = TypeVar("T")
_Client: TypeAlias = "partialmethod[Awaitable[T]]"
"""`await aws.s3()`: the client of a service."""
LONGEST_ANSWER_S = limits.FUNCTION_TIMEOUT_S[1] + 60
"""A function invoked by hand answers after its timeout at the latest."""

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_ABSENT = {
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NoSuchKey",
    "NotFound",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}
FORBIDDEN = {"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"}
"""Error codes for a missing permission."""


@dataclass
class Aws:
    """Clients of one region, each made on first use. `account` and `caller` are our identity according to STS.

    Whoever waits for AWS waits on `clock`.
    """

    region: str
    endpoint_url: str | None
    _session: AioSession
    _stack: AsyncExitStack
    account: str = ""
    caller: str = ""
    clock: Clock = field(default_factory=SystemClock)
    _clients: dict[str, Any] = field(default_factory=dict)

    async def _client(self, service: str) -> Any:
        if service not in self._clients:
            config = AioConfig(
                retries={"mode": "standard", "max_attempts": self._attempts(service)},
                connect_timeout=10,
                read_timeout=LONGEST_ANSWER_S if service == "lambda" else 60,
                s3={"addressing_style": "path"} if self.endpoint_url else {},
                user_agent_extra="stockpipe",
            )
            # Without TLS there is no certificate to check, and loading the trusted ones takes time.
            verify = False if (self.endpoint_url or "").startswith("http://") else None
            create: Any = self._session.create_client
            client = create(service, self.region, endpoint_url=self.endpoint_url, verify=verify, config=config)
            self._clients[service] = await self._stack.enter_async_context(client)
        return self._clients[service]

    cloudformation: ClassVar[_Client[CloudFormationClient]] = partialmethod(_client, "cloudformation")
    cloudwatch: ClassVar[_Client[CloudWatchClient]] = partialmethod(_client, "cloudwatch")
    dynamodb: ClassVar[_Client[DynamoDBClient]] = partialmethod(_client, "dynamodb")
    events: ClassVar[_Client[Any]] = partialmethod(_client, "events")
    functions: ClassVar[_Client[LambdaClient]] = partialmethod(_client, "lambda")
    logs: ClassVar[_Client[CloudWatchLogsClient]] = partialmethod(_client, "logs")
    s3: ClassVar[_Client[S3Client]] = partialmethod(_client, "s3")
    sqs: ClassVar[_Client[SQSClient]] = partialmethod(_client, "sqs")
    sts: ClassVar[_Client[STSClient]] = partialmethod(_client, "sts")

    async def credentials(self) -> tuple[str, str, str | None]:
        """The current access key, secret key and session token, for requests that are signed elsewhere."""
        found = await self._session.get_credentials()
        if found is None:
            raise exceptions.NoCredentialsError
        frozen = await found.get_frozen_credentials()
        return str(frozen.access_key), str(frozen.secret_key), frozen.token

    async def bucket_url(self, bucket: str) -> str:
        """Where the SDK sends requests for a bucket, without a final slash; found with one HeadBucket.

        The SDK itself decides on the partition, any endpoint settings and the form of the address.
        """
        s3, urls = await self.s3(), list[str]()

        def sent(request: Any, **_: Any) -> None:
            urls.append(request.url)

        s3.meta.events.register("before-send.s3.HeadBucket", sent)
        try:
            await s3.head_bucket(Bucket=bucket)
        finally:
            s3.meta.events.unregister("before-send.s3.HeadBucket", sent)
        return urls[-1].partition("?")[0].rstrip("/")

    def _attempts(self, service: str) -> int:
        """How often to try: a function must not be invoked twice, and a missing local store will not appear."""
        if service == "lambda":
            return 1
        return 2 if self.endpoint_url and is_loopback_url(self.endpoint_url) else 5


@asynccontextmanager
async def connect(
    region: str | None = None, profile: str | None = None, endpoint_url: str | None = None
) -> AsyncIterator[Aws]:
    """Find region and credentials and ask STS who we are. Any AWS error becomes one line.

    None means the environment and the AWS configuration files. Raises `InputError` for a region, profile or credentials
    that cannot be used, `CouldNotFinish` for what AWS refuses or does not answer.
    """
    with one_failure(explain):
        if endpoint_url and is_loopback_url(endpoint_url):
            session, default_region = offline_session(), limits.REGION
            session.set_credentials(*DUMMY_CREDENTIALS.values())
        else:
            session = AioSession(profile=profile)
            default_region = session.get_config_variable("region")
        region = region or os.environ.get("AWS_REGION") or default_region
        if not region:
            raise InputError("no AWS region is set", hint="pass --region, set AWS_REGION or run `aws configure`")
        async with AsyncExitStack() as stack:
            aws = Aws(region, endpoint_url, session, stack)
            identity = await (await aws.sts()).get_caller_identity()
            aws.account, aws.caller = identity["Account"], identity["Arn"]
            yield aws


def dns_suffix(region: str) -> str:
    """The domain of a Region's partition, such as `amazonaws.com`."""
    session: Any = offline_session()
    partition = session.get_partition_for_region(region)
    known = session.get_component("data_loader").load_data("partitions")["partitions"]
    return next(str(each["outputs"]["dnsSuffix"]) for each in known if each["id"] == partition)


def explain(error: BaseException) -> StockpipeError | None:
    """Our exception for an error of botocore, with a message for the user; None if it is not one of botocore's."""
    if isinstance(error, exceptions.ClientError):
        return _explain_refusal(error)
    if isinstance(error, exceptions.ProfileNotFound):
        return InputError(str(error), hint="`aws configure list-profiles` lists those that exist")
    if isinstance(error, exceptions.NoCredentialsError):
        return InputError("no AWS credentials were found", hint="run `aws configure`, or pass --profile")
    if isinstance(error, exceptions.PartialCredentialsError | exceptions.CredentialRetrievalError):
        return InputError(f"the AWS credentials cannot be used: {error}")
    if isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError | exceptions.UnauthorizedSSOTokenError):
        return InputError(str(error), hint="sign in again with `aws sso login`")
    if isinstance(error, exceptions.NoRegionError | exceptions.InvalidRegionError):
        return InputError(str(error), hint="pass --region")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return CouldNotFinish(f"AWS does not answer: {error}", hint="run the same command again")
    if isinstance(error, ResponseParserError):
        return CouldNotFinish(
            f"an answer is not one of AWS's: {' '.join(str(error).split())[:120]}",
            hint="an endpoint must offer CloudFormation and Lambda, too; stockpipe's own store does not",
        )
    if isinstance(error, exceptions.BotoCoreError):
        return CouldNotFinish(" ".join(str(error).split()))
    return None


def error_code(error: exceptions.ClientError) -> str:
    """The error code of a refusal, such as `ValidationError`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_absent(error: exceptions.ClientError) -> bool:
    """Whether a refusal says that the resource does not exist."""
    return error_code(error) in _ABSENT


async def if_present(answer: Awaitable[T]) -> T | None:
    """AWS's answer; None if it says that the resource does not exist."""
    try:
        return await answer
    except exceptions.ClientError as error:
        if is_absent(error):
            return None
        raise


def error_message(error: exceptions.ClientError) -> str:
    """The refusal in AWS's own words, on one line."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())


def _explain_refusal(error: exceptions.ClientError) -> StockpipeError:
    code, message = error_code(error), error_message(error)
    if code in _EXPIRED:
        return InputError("the AWS credentials have expired", hint="sign in again and run the same command")
    if code in _UNKNOWN:
        check = "check them with `aws sts get-caller-identity`"
        return InputError(f"AWS does not accept these credentials ({code})", hint=check)
    if code in FORBIDDEN:
        reason = message if message and message != "Forbidden" else error.operation_name
        return CouldNotFinish(
            f"a permission is missing: {reason}",
            hint="`stockpipe docs deployer-policy` prints a policy that has all of them",
        )
    return CouldNotFinish(f"{error.operation_name} was refused: {message or 'no reason given'} ({code})")
