"""Parts of the load test that its tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator.base.clients import Clients, connect, offline_session
from simulator.base.clock import SystemClock
from simulator.load.sink.server import listening


@pytest.fixture
async def sink_endpoint() -> AsyncIterator[str]:
    """A sink without latency, in this process."""
    async with listening(SystemClock(), 0.0) as (endpoint, _):
        yield endpoint


@pytest.fixture
async def sink_clients(sink_endpoint: str) -> AsyncIterator[Clients]:
    """Clients of that sink."""
    async with connect(sink_endpoint, offline_session()) as clients:
        yield clients
