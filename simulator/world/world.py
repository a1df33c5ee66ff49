"""A world: virtual time, the store, the wires and the handlers, in one process. One world a process: moto is global."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from simulator.base import clients
from simulator.base.chance import Seed, stream
from simulator.base.clients import connect, offline_session
from simulator.base.clock import Clock
from simulator.base.errors import StockpipeError
from simulator.base.workers import Worker
from simulator.faults.plane import Plane
from simulator.functions.runtimes import Code
from simulator.functions.runtimes.faulty import FaultyRuntime
from simulator.functions.runtimes.inline import InlineRuntime
from simulator.stack.model import Stack
from simulator.store.front.application import assemble
from simulator.store.moto.application import load
from simulator.store.store import Capacity
from simulator.twin.surroundings import Engine, connections_of
from simulator.world import model, sockets
from simulator.world.borders import closed
from simulator.world.direct import DirectS3, DirectSqs
from simulator.world.fibers import Fibers
from simulator.world.loop import Deadlock, VirtualLoop
from simulator.world.memos import remembered
from simulator.world.pins import Pins, pinned
from simulator.world.playback import Playback
from simulator.world.runtime import WorldRuntime
from simulator.world.store import Call, WorldStore, as_a_stores
from simulator.world.wire import Caller, Wire

T = TypeVar("T")
HOST, PORT = "127.0.0.1", 9
"""What handlers take for the endpoint; outside of the world nothing answers there."""


class World:
    """One run's own time and place, which begins at `start_at`; `seed` decides everything that chance decides.

    `plane` says which faults strike.
    """

    def __init__(
        self,
        seed: Seed,
        start_at: float,
        capacity: Capacity = "unlimited",
        playback: Playback | None = None,
        plane: Plane | None = None,
    ) -> None:
        self._seed, self.start_at, self._capacity = seed, start_at, capacity
        self._plane = plane or Plane(seed=seed)
        self._told: Callable[[Call], object] | None = None
        self._playback = playback or Playback()
        self._failures: list[StockpipeError] = []
        self._failed = asyncio.Event()
        self._loop: VirtualLoop
        self._fibers: Fibers
        self._pins: Pins
        self.clock: Clock = self

    def tell(self, told: Callable[[Call], object] | None) -> None:
        """Whoever it is hears of each call to the store, once the world runs."""
        self._told = told

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `main` in the world; everything that it waits for is virtual. Raises what it raises, and `Deadlock`."""
        self._loop = loop = VirtualLoop(self)
        self._fibers = Fibers(loop, self._fail)
        with contextlib.ExitStack() as around:
            around.callback(gc.enable)
            gc.disable()  # what is collected runs code, at instants that depend on all that the process has done before
            self._pins = around.enter_context(pinned(self._seed, _ns(self.start_at), self._fibers.sleep))
            for each in (
                as_a_stores(),
                remembered(),
                closed(self._fail),
                sockets.installed(),
                self._fibers.installed(),
            ):
                around.enter_context(each)
            return around.enter_context(asyncio.Runner(loop_factory=lambda: loop)).run(main())

    def worker(self, name: str) -> Worker:
        """See `Surroundings`."""
        return self._fibers.worker(name)

    def now(self) -> float:
        """See `Clock`."""
        return self.start_at + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(max(0.0, seconds))

    def moved(self, now: float) -> None:
        """See `Passing`."""
        self._pins.move(_ns(self.start_at) + _ns(now))

    def signalled(self) -> bool:
        """Whether a signal waits to be handled."""
        return self._loop.signalled()

    def stuck(self, deadlock: Deadlock) -> bool:
        """See `Passing`; whoever watches ends the run, unless it is ending already."""
        self._fail(deadlock)
        return len(self._failures) == 1

    def _fail(self, failure: StockpipeError) -> None:
        self._failures.append(failure)
        self._failed.set()

    async def _watch(self) -> None:
        await self._failed.wait()
        raise self._failures[0]

    def until(self, now: float, when: float) -> float:
        """See `Passing`."""
        return self._playback.until(now, when)

    @contextlib.asynccontextmanager
    async def open(self, stack: Stack, code: Mapping[str, Code], seed: Seed) -> AsyncIterator[Engine]:
        """See `Surroundings`."""
        late, told = stream(seed, "ticks"), stream(seed, "notifications")
        notified_s = partial(model.NOTIFICATION.draw, told)
        plane = self._plane
        application = assemble(
            self, PORT, seed, capacity=self._capacity, strict=True, plane=plane, notified_s=notified_s
        )
        store, session = WorldStore(application, (HOST, PORT), self, self._told), offline_session()
        self._loop.lead_to(Wire(self, (HOST, PORT), store.answer).connect)
        async with contextlib.AsyncExitStack() as owned:
            watching = await owned.enter_async_context(asyncio.TaskGroup())
            owned.callback(watching.create_task(self._watch(), name="watch the world").cancel)
            connecting = connect(store.endpoint, session, connections=connections_of(stack))
            usual: Any = await owned.enter_async_context(connecting)
            poller = Caller("event source mappings", seed, 1769, is_own=True)
            s3, sqs = DirectS3(usual.s3, store.answer), DirectSqs(usual.sqs, store.answer, poller)
            inline = InlineRuntime(store.endpoint, session, clock=self, code=code, workers=self.worker)
            runtime = FaultyRuntime(WorldRuntime(inline, seed, store.touch), plane, self)
            clients, tick_late_s = replace(usual, s3=s3, sqs=sqs), partial(model.TICK.draw, late)
            yield Engine(store, store.endpoint, clients, runtime, tick_late_s, plane)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def prepare() -> None:
    """Load what every world needs, once for all that are forked from this process afterwards: most is moto."""
    load()
    asyncio.run(clients.prepare(offline_session()))
    gc.freeze()
