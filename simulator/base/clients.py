"""AWS clients that talk to one loopback engine and never see the user's AWS variables, files or proxies."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aioboto3
import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

from simulator.base import limits
from simulator.base.errors import ExitCode, OutOfMemory

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sqs import SQSClient

DUMMY_CREDENTIALS = {
    "aws_access_key_id": "stockpipe",
    "aws_secret_access_key": "stockpipe",
    "aws_session_token": "stockpipe",
}
"""What every simulated caller signs with; no engine here checks it."""
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Clients:
    """One client a service; the pool behind each serves many requests at once."""

    s3: S3Client
    sqs: SQSClient
    dynamodb: DynamoDBClient


def offline_session() -> AioSession:
    """A session that reads no AWS variable and no AWS file, whatever the user's shell has set.

    Without this, an AWS_PROFILE that names nothing fails every client, and one that names something lends its region,
    retries and endpoints to a run that must not know them.
    """
    without_environment = {
        name: (config_name, None, default, conversion)
        for name, (config_name, _, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    session = AioSession(session_vars=without_environment)
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    return session


async def prepare(session: AioSession) -> None:
    """Let the session read what it must know of the services: 0.1 s that need no engine yet."""
    where: dict[str, Any] = {"region_name": limits.REGION, "endpoint_url": _NOWHERE, **DUMMY_CREDENTIALS}
    for service in ("s3", "sqs", "dynamodb"):
        async with session.create_client(service, verify=False, **where):
            pass


@contextlib.asynccontextmanager
async def connect(endpoint: str, session: AioSession, *, connections: int = 64) -> AsyncIterator[Clients]:
    """Clients for one endpoint, closed at the end. A long poll may keep a connection for 20 s.

    A session is connected once: aioboto3 adds its S3 methods to a session's events each time.
    """
    _leave_out_broken_writes(asyncio.get_running_loop())
    config = AioConfig(
        max_pool_connections=connections,
        parameter_validation=False,
        proxies={},
        read_timeout=60,
        connect_timeout=5,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path"},
    )
    # Authorities are read for plain HTTP as well, 30 ms of processor time a client, unless there is no need.
    verify = False if endpoint.startswith("http:") else None
    where = {
        "region_name": limits.REGION,
        "endpoint_url": endpoint,
        "verify": verify,
        "config": config,
        **DUMMY_CREDENTIALS,
    }
    boto = aioboto3.Session(botocore_session=session)
    async with (
        boto.client("s3", **where) as s3,
        boto.client("sqs", **where) as sqs,
        boto.client("dynamodb", **where) as dynamodb,
    ):
        yield Clients(s3, sqs, dynamodb)


def _leave_out_broken_writes(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop report everything as before, but for the failed write of a request that nobody waits for any more.

    aiohttp writes a request in a task of its own. Where the server dies before its 100 Continue, the request fails
    with the connection's error, and the same error of the task is never read: asyncio would print its traceback.
    """
    if not isinstance(before := loop.get_exception_handler(), _Report):
        loop.set_exception_handler(_Report(before))


@dataclass(frozen=True, slots=True)
class _Report:
    """An exception handler that hands on to the one `before` it, or to the loop's own.

    Where there is no more memory that would print a traceback for each callback, without end: then the loop ends.
    """

    before: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], Any] | None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), MemoryError):
            raise OutOfMemory(ExitCode.COULD_NOT_FINISH)
        task = context.get("future")
        writes = isinstance(task, asyncio.Task) and getattr(task.get_coro(), "__name__", "") == "write_bytes"
        if writes and isinstance(context.get("exception"), aiohttp.ClientConnectionError):
            return
        if self.before is None:
            loop.default_exception_handler(context)
        else:
            self.before(loop, context)
