"""What the pipeline's tests share: the fake AWS, an open consumer or generator, events and contexts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiobotocore.session import AioSession

from fakes.aws import FakeAws, serving
from fakes.handlers import Opened, environ, opened
from pipeline import consumer, generator


@pytest.fixture(scope="session")
def session() -> AioSession:
    """One session for all environments, as in the simulator: its loader reads botocore's models once."""
    return AioSession()


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """A stock moto server for the whole session."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are sent as soon as a request is full: for what happens between requests of a small object."""
    monkeypatch.setattr("pipeline.table.HELD_ROWS", 0)


@pytest.fixture
async def aws() -> AsyncIterator[FakeAws]:
    """The fake AWS, served at `aws.endpoint`."""
    fake = FakeAws()
    async with serving(fake.handle) as endpoint:
        fake.endpoint = endpoint
        yield fake


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off as usual, but a thousandth as long."""
    monkeypatch.setattr("pipeline.table.PAUSE_MAX_S", 0.002)
    monkeypatch.setattr("pipeline.objects.PAUSE_MAX_S", 0.002)
    monkeypatch.setattr("pipeline.rate.MINIMUM_RATE", 25_000.0)


@pytest.fixture(params=["signed", "aiobotocore"])
def batch_writer(request: pytest.FixtureRequest) -> str:
    """Both ways to write; a test that takes this runs over each."""
    return str(request.param)


@pytest.fixture
async def open_consumer(session: AioSession, aws: FakeAws, batch_writer: str) -> AsyncIterator[Callable[..., Any]]:
    """Call it with settings and await it: a consumer against `aws`, with each way to write."""
    async with AsyncExitStack() as stack:

        async def open_one(**settings: str) -> Opened:
            variables = environ(aws.endpoint, BATCH_WRITER=batch_writer, **settings)
            return await stack.enter_async_context(opened(consumer.handler, session, variables))

        yield open_one


@pytest.fixture
async def open_generator(session: AioSession, aws: FakeAws) -> AsyncIterator[Callable[..., Any]]:
    """Call it with settings and await it: a generator against `aws`."""
    async with AsyncExitStack() as stack:

        async def open_one(**settings: str) -> Opened:
            return await stack.enter_async_context(
                opened(generator.handler, session, environ(aws.endpoint, **settings))
            )

        yield open_one
