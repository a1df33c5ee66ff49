"""The store inside a world: the same application and the same control calls, without a process and a port."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from simulator.base.clock import Clock
from simulator.base.counters import StoreCounters
from simulator.base.principals import principal_of
from simulator.base.waiting import wait_for_event
from simulator.store.front.application import Application
from simulator.store.store import Store, environment
from simulator.store.wire.messages import Request, Response

LOOK_S, IDLE_LOOK_S = 10.0, 60.0
"""How often the counters are read although nothing happens; the second if no queue holds a message."""


@contextmanager
def as_a_stores() -> Iterator[None]:
    """In the block, this process has the variables of one with a store in it, because moto reads them."""
    before, after = dict(os.environ), environment()
    os.environ.clear()
    os.environ |= after
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


class Call(NamedTuple):
    """Somebody's request, and its answer at an instant; `function` and `environment` are a handler's."""

    at: float
    function: str
    environment: str
    request: Request
    response: Response


class WorldStore(Store):
    """A store that lives and dies with its world; nobody else can reach `endpoint`. `told` hears of each call."""

    def __init__(
        self,
        application: Application,
        address: tuple[str, int],
        clock: Clock,
        told: Callable[[Call], object] | None = None,
    ) -> None:
        self._application, self._clock, self._told = application, clock, told
        self._touched, self._touched_at, self._holds = asyncio.Event(), -math.inf, False
        self.endpoint = "http://{}:{}".format(*address)

    async def answer(self, request: Request) -> Response:
        """The response to anybody's request. An empty receive leaves the counters as they are."""
        response = await self._application.answer(request)
        if self._told is not None:
            caller = principal_of(request.headers.get("x-amz-security-token", ""))
            self._told(Call(self._clock.now(), *caller, request, response))
        if response.body != b"{}":
            self.touch()
        return response

    def touch(self) -> None:
        """Something has happened that somebody waits for in `changed`."""
        self._touched_at = self._clock.now()
        self._touched.set()
        self._touched = asyncio.Event()

    async def counters(self) -> StoreCounters:
        """See `Store.counters`. What this process uses of the machine is no fact of the world, and not among them."""
        counters = self._application.counters()
        self._holds = any(queue.held for queue in counters.queues.values())
        return counters

    async def changed(self, since: float) -> None:
        """Return once somebody was answered or a handler has ended; in any case after a while, as messages age."""
        if self._touched_at < since:
            await wait_for_event(self._touched, self._clock, LOOK_S if self._holds else IDLE_LOOK_S)

    async def _answer(self, method: str, target: str, timeout_s: float) -> tuple[int, bytes]:
        del timeout_s
        response = await self._application.answer(Request(method, target, {}, (), b""))
        return response.status, response.body
