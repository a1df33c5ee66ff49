"""What lives as long as the execution environment: the event loop, the clients, and the handler that uses them.

A handler's core is `open_environment(environ, session, write)`, an asynchronous context manager whose value is
`async invoke(event, context)`. It reads its settings from `environ` alone. `Handler` wraps the core as the plain
function that Lambda calls, with an event loop of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession
from botocore.credentials import ReadOnlyCredentials
from botocore.httpsession import get_cert_path

from pipeline.settings import SettingsError

Invoke = Callable[[Any, Any], Awaitable[Any]]
OpenEnvironment = Callable[[Mapping[str, str], AioSession, Callable[[str], None]], AbstractAsyncContextManager[Invoke]]

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0
"""Far above any healthy answer and far below a usual timeout: a connection that died in a freeze costs this once."""
KEEPALIVE_S = 5.0
"""We close idle connections before S3 does, so that a thawed environment opens new ones."""
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Access:
    """Where a service is and whose credentials to use, as far as the function's variables say; botocore finds the rest.

    `keys` holds access key, secret key and session token under botocore's names, or is empty.
    """

    region: str
    endpoint_url: str | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)


def access(environ: Mapping[str, str], service: Literal["s3", "dynamodb"]) -> Access:
    """The service's region, endpoint and credentials.

    With an endpoint (a local store) the credentials must be in `environ`, so that botocore never finds the user's own.
    Without one they come from botocore's provider, which renews them. Raises `SettingsError`.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    endpoint_url = environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get("AWS_ENDPOINT_URL") or None
    if endpoint_url is None:
        return Access(region)
    if not endpoint_url.startswith(("http://", "https://")):
        raise SettingsError(f"AWS_ENDPOINT_URL={endpoint_url!r} must begin with http:// or https://")
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    keys = {name: environ.get(name.upper()) or None for name in names}
    if not keys["aws_access_key_id"] or not keys["aws_secret_access_key"]:
        raise SettingsError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set where AWS_ENDPOINT_URL is")
    return Access(region, endpoint_url, keys)


def client(
    session: AioSession, service: Literal["s3", "dynamodb"], where: Access, *, connections: int, retries: int
) -> AbstractAsyncContextManager[Any]:
    """A client to enter. `retries` is how often botocore retries.

    Parameters are not validated: we write them ourselves, and validation is half of botocore's time.
    """
    return session.create_client(
        service,
        region_name=where.region,
        endpoint_url=where.endpoint_url,
        **where.keys,
        # Without this, botocore reads the authorities for plain HTTP too: 30 ms of processor time per client.
        verify=False if (where.endpoint_url or "").startswith("http:") else None,
        config=AioConfig(
            connector_args={"keepalive_timeout": KEEPALIVE_S},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            max_pool_connections=connections,
            parameter_validation=False,
            retries={"mode": "standard", "total_max_attempts": retries + 1},
            s3={"addressing_style": "path" if where.endpoint_url else "auto"},
            # A configured endpoint is reached directly, whatever proxy the process's variables name.
            proxies={} if where.endpoint_url else None,
            # The SDK's extra checksums cost a pass over the body; TLS and the content length already protect it.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


async def credentials_of(session: AioSession, where: Access) -> Callable[[], Awaitable[ReadOnlyCredentials]]:
    """A function that returns the current credentials. Raises `SettingsError` if there are none."""
    source = AioCredentials(*where.keys.values()) if where.keys else await session.get_credentials()
    if source is None:
        raise SettingsError("no AWS credentials: set AWS_ACCESS_KEY_ID, or any other source that botocore reads")
    frozen: Callable[[], Awaitable[ReadOnlyCredentials]] = source.get_frozen_credentials
    return frozen


def trusted_authorities(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The authorities that botocore trusts for TLS: `AWS_CA_BUNDLE` or its own bundle."""
    return ssl.create_default_context(cafile=environ.get("AWS_CA_BUNDLE") or get_cert_path(True))


class Handler:
    """The plain function that Lambda calls: it holds the loop and the core of one execution environment.

    On Lambda the core opens immediately, so that init pays for it.
    """

    def __init__(self, open_environment: OpenEnvironment) -> None:
        self.open_environment = open_environment
        self._core = AsyncExitStack()
        self._opened: tuple[asyncio.Runner, Invoke] | None = None
        if os.environ.get("AWS_LAMBDA_RUNTIME_API"):
            self._open()

    def __call__(self, event: Any, context: Any) -> Any:
        """Handle one event."""
        runner, invoke = self._opened or self._open()

        async def run() -> Any:
            return await invoke(event, context)

        try:
            return runner.run(run())
        except (asyncio.CancelledError, SystemExit) as error:
            # The runtime catches only `Exception`; these would end the process and cost a cold start.
            raise RuntimeError(f"the invocation was interrupted: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the core and the loop; the next call opens new ones."""
        if self._opened is not None:
            (runner, _), self._opened = self._opened, None
            atexit.unregister(self.close)
            with runner:
                runner.run(self._core.aclose())

    def _open(self) -> tuple[asyncio.Runner, Invoke]:
        """Open the core. Raises `SettingsError`."""
        runner = asyncio.Runner()
        try:
            core = self.open_environment(os.environ, AioSession(), _write_stdout)
            self._opened = runner, runner.run(self._core.enter_async_context(core))
        except BaseException:
            runner.close()
            raise
        # Lambda kills an environment, but any other process that calls a handler exits in order.
        atexit.register(self.close)
        return self._opened


def _write_stdout(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
