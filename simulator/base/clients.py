"""AWS clients that talk to one loopback endpoint and never see the user's AWS variables, files or proxies."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import aioboto3
import aiohttp
import botocore.session
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.loaders import create_loader

from simulator.base import limits
from simulator.base.errors import ExitCode, OutOfMemory

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sqs import SQSClient

DUMMY_CREDENTIALS = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), "stockpipe")
"""What every simulated caller signs with; no local endpoint checks it."""
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Clients:
    """One client per service; the connection pool behind each serves many requests at once."""

    s3: S3Client
    sqs: SQSClient
    dynamodb: DynamoDBClient


def offline_session(kind: type[botocore.session.Session] = AioSession) -> Any:
    """A session of this kind that reads no AWS variables or files, whatever the user's shell has set.

    Otherwise an AWS_PROFILE that does not exist would fail every client, and one that exists would bring its region,
    retries and endpoints into the run.
    """
    without_environment = {
        name: (config_name, None, default, conversion)
        for name, (config_name, _, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    session = kind(session_vars=without_environment)
    session.register_component("data_loader", _loader())
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    return session


@cache
def _loader() -> Any:
    """What reads the services' models: one for all sessions, which reads each once."""
    return create_loader()


async def prepare(session: AioSession) -> None:
    """Load what the session needs to know about the services: 0.1 s of work that needs no endpoint yet."""
    where: dict[str, Any] = {"region_name": limits.REGION, "endpoint_url": _NOWHERE, **DUMMY_CREDENTIALS}
    for service in ("s3", "sqs", "dynamodb"):
        async with session.create_client(service, verify=False, **where):
            pass


@contextlib.asynccontextmanager
async def connect(endpoint: str, session: AioSession, *, connections: int = 64) -> AsyncIterator[Clients]:
    """Clients for one endpoint, closed at the end. A long poll may occupy a connection for 20 s.

    Connect a session only once: aioboto3 adds its S3 methods to a session's events each time.
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
    # Without this, botocore reads the authorities for plain HTTP too: 30 ms of processor time per client.
    how = {"verify": False if endpoint.startswith("http:") else None, "config": config}
    where: dict[str, Any] = {"region_name": limits.REGION, "endpoint_url": endpoint, **DUMMY_CREDENTIALS, **how}
    boto = aioboto3.Session(botocore_session=session)
    async with (
        boto.client("s3", **where) as s3,
        boto.client("sqs", **where) as sqs,
        boto.client("dynamodb", **where) as dynamodb,
    ):
        yield Clients(s3, sqs, dynamodb)


def _leave_out_broken_writes(loop: asyncio.AbstractEventLoop) -> None:
    """Silence the loop's report of one error, the failed write of a request that nobody awaits any more.

    aiohttp writes a request in a task of its own. If the server dies before its 100 Continue, the request fails with
    the connection's error, nobody reads the same error of the task, and asyncio would print its traceback.
    """
    if not isinstance(before := loop.get_exception_handler(), _Report):
        loop.set_exception_handler(_Report(before))


@dataclass(frozen=True, slots=True)
class _Report:
    """An exception handler that passes everything else to the one `before` it, or to the loop's own.

    When memory has run out, that would print a traceback per callback, endlessly; this handler stops the loop instead.
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
