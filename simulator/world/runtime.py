"""Environments of a world: the inline runtime's, in the time that the model says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from simulator.base.chance import Seed, stream
from simulator.functions.runtimes import Answer, Exited, Invocation, Raised, Runtime, RuntimeEnvironment, Write
from simulator.stack.model import Function
from simulator.world import model
from simulator.world.pins import CALLER
from simulator.world.wire import Caller

T = TypeVar("T")


class WorldRuntime:
    """Makes the environments of `runtime`, each with a processor of its own and streams of its own of `seed`.

    `ended` is called whenever a handler has.
    """

    def __init__(self, runtime: Runtime, seed: Seed, ended: Callable[[], None]) -> None:
        self._runtime, self.seed, self.ended = runtime, seed, ended

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> RuntimeEnvironment:
        """A new environment, not started."""
        return _Environment(
            self._runtime.environment(function, number, log_stream, write),
            function,
            f"{function.logical_id}[{number}]",
            self,
        )

    async def close(self) -> None:
        """Release what the environments shared."""
        await self._runtime.close()


class _Environment:
    def __init__(self, environment: RuntimeEnvironment, function: Function, name: str, runtime: WorldRuntime) -> None:
        self._environment, self._function, self._runtime = environment, function, runtime
        self._caller = Caller(name, runtime.seed, function.memory_mb, function.is_own)
        self._chance = stream(runtime.seed, f"runtime of {name}")
        self._apart_s = 0.0

    @property
    def memory_used_mb(self) -> int | None:
        return self._environment.memory_used_mb

    async def start(self) -> Raised | Exited | None:
        await asyncio.sleep(model.cold_start_s(self._function, self._chance))
        self._caller.set_clock(self._apart_s)
        return await self._called(self._environment.start())

    async def invoke(self, invocation: Invocation) -> Answer:
        await asyncio.sleep(model.INVOKE.draw(self._chance))
        try:
            return await self._called(self._environment.invoke(invocation))
        finally:
            self._caller.put_out()
            self._runtime.ended()

    async def kill(self) -> None:
        self._die()
        await self._environment.kill()

    async def close(self) -> None:
        self._die()
        await self._environment.close()

    async def waited(self, times: int) -> None:
        """See `Hold`."""
        await self._caller.light(times).burnt.wait()

    async def halt(self) -> None:
        """See `Hold`."""
        self._caller.halt()

    def set_clock(self, apart_s: float) -> None:
        """See `Hold`."""
        self._apart_s = apart_s

    def _die(self) -> None:
        """Whatever the code still does has no effect any more."""
        self._caller.die()
        self._caller = self._caller.reborn()

    async def _called(self, work: Coroutine[Any, Any, T]) -> T:
        """What the environment's code returns; it is dead, with all that it has begun, once nobody waits for it."""
        token = CALLER.set(self._caller)
        try:
            working = asyncio.ensure_future(work)
        finally:
            CALLER.reset(token)
        try:
            await asyncio.wait((working,))
        except asyncio.CancelledError:
            self._die()
            working.cancel()
            await asyncio.wait((working,))
            raise
        return working.result()
