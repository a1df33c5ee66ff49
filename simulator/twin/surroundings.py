"""What differs between a machine and a world: the clock, where the store is and how to reach it, what runs handlers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from simulator.base.chance import Seed
from simulator.base.clients import Clients, connect, offline_session, prepare
from simulator.base.clock import Clock
from simulator.base.workers import Worker
from simulator.faults.plane import NO_FAULTS, Plane
from simulator.functions.runtimes import Code, Runtime, RuntimeName
from simulator.functions.runtimes.faulty import FaultyRuntime
from simulator.functions.runtimes.inline import InlineRuntime
from simulator.stack.model import Stack
from simulator.store.store import Capacity, Store


@dataclass(frozen=True, slots=True)
class Engine:
    """What a twin stands on. `store` is None if another program's answers at `endpoint`.

    `tick_late_s` says for each tick of a schedule how late its function starts, `plane` which faults strike outside of
    the store; a store in this process asks the same one.
    """

    store: Store | None
    endpoint: str
    clients: Clients
    runtime: Runtime
    tick_late_s: Callable[[], float] = float
    plane: Plane = NO_FAULTS


class Surroundings(Protocol):
    """Where a twin runs."""

    @property
    def clock(self) -> Clock:
        """The time of everything in it."""

    def worker(self, name: str) -> Worker:
        """A new worker for blocking calls; the loop runs already."""

    def open(self, stack: Stack, code: Mapping[str, Code], seed: Seed) -> AbstractAsyncContextManager[Engine]:
        """An engine for the stack, with nothing in its store; it ends with the block.

        Raises `StockpipeError` when the store is not available, or as soon as it dies.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine in real time: our store in a process of its own, or whatever answers at `endpoint_url`."""

    clock: Clock
    runtime: RuntimeName = "inline"
    capacity: Capacity = "unlimited"
    store_port: int = 0
    endpoint_url: str | None = None

    def worker(self, name: str) -> Worker:
        """See `Surroundings`."""
        return Worker(name)

    @contextlib.asynccontextmanager
    async def open(self, stack: Stack, code: Mapping[str, Code], seed: Seed) -> AsyncIterator[Engine]:
        """See `Surroundings`."""
        async with contextlib.AsyncExitStack() as owned:
            store, session, plane = None, offline_session(), Plane(seed=seed)
            if self.endpoint_url is None:
                async with asyncio.TaskGroup() as meanwhile:
                    # The store's process needs half a second to start, on a core of its own.
                    meanwhile.create_task(prepare(session), name="prepare the clients")
                    opening = Store.open(port=self.store_port, capacity=self.capacity, seed=seed)
                    store = await owned.enter_async_context(opening)
                watching = await owned.enter_async_context(asyncio.TaskGroup())
                owned.callback(watching.create_task(store.wait_died(), name="watch the store").cancel)
            endpoint = self.endpoint_url or (store.endpoint if store else "")
            connections = connections_of(stack)
            clients = await owned.enter_async_context(connect(endpoint, session, connections=connections))
            runtime: Runtime
            if self.runtime == "process":
                from simulator.functions.runtimes.process import ProcessRuntime

                runtime = ProcessRuntime(endpoint, code, clock=self.clock)
            else:
                runtime = InlineRuntime(endpoint, session, code=code, clock=self.clock)
            yield Engine(store, endpoint, clients, FaultyRuntime(runtime, plane, self.clock), plane=plane)


def connections_of(stack: Stack) -> int:
    """How many connections the twin's own clients need: idle receivers of a mapping keep several each."""
    return 64 * max(1, len(stack.mappings))
