"""Environments that faults strike: in init, while they work, in their clocks. For any runtime, in any time."""

from __future__ import annotations

import asyncio
from typing import Protocol

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.faults.plane import Plane
from simulator.functions.runtimes import (
    OUT_OF_MEMORY,
    Answer,
    Exited,
    Invocation,
    Raised,
    Runtime,
    RuntimeEnvironment,
    Write,
)
from simulator.stack.model import Function

WAIT_S = 0.002
"""In real time nobody counts what a handler waits for: each wait of a fault's argument is taken for so long."""
ENDS = {
    "lambda-crash": Exited("exit status 1"),
    "lambda-out-of-memory": OUT_OF_MEMORY,
    "lambda-deadline": None,
}
"""How a fault ends the runtime during an invocation; None: it goes no further, and waits to be killed."""


class Hold(Protocol):
    """What a fault needs of an environment besides the runtime's interface."""

    async def waited(self, times: int) -> None:
        """Return once its code has waited so often from now on."""

    async def halt(self) -> None:
        """Let its code go no further."""

    def set_clock(self, apart_s: float) -> None:
        """From its next start on, its clock is so far apart from everybody else's."""


class FaultyRuntime:
    """Makes the environments of `runtime`, which faults of `plane` strike."""

    def __init__(self, runtime: Runtime, plane: Plane, clock: Clock) -> None:
        self._runtime, self.plane, self.clock = runtime, plane, clock

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> RuntimeEnvironment:
        """A new environment, not started."""
        environment = self._runtime.environment(function, number, log_stream, write)
        return _Environment(environment, function, log_stream, self)

    async def close(self) -> None:
        """Release what the environments shared."""
        await self._runtime.close()


class _Environment:
    def __init__(self, environment: RuntimeEnvironment, function: Function, name: str, runtime: FaultyRuntime) -> None:
        self._environment, self._function, self._name, self._runtime = environment, function.logical_id, name, runtime
        has_hold = hasattr(environment, "waited")
        self._hold: Hold = environment if has_hold else _InRealTime(environment, runtime.clock)  # type: ignore[assignment]
        self.kill, self.close = environment.kill, environment.close

    @property
    def memory_used_mb(self) -> int | None:
        return self._environment.memory_used_mb

    async def start(self) -> Raised | Exited | None:
        now, site = self._runtime.clock.now(), f"init.{self._function}"
        fault = self._runtime.plane.at(site, now, function=self._function, environment=self._name)
        match fault and fault.kind:
            case "lambda-init-failed":
                return Exited("exit status 1")
            case "lambda-init-slow" if fault is not None:
                await self._runtime.clock.sleep(fault.argument)
            case "lambda-clock-apart" if fault is not None:
                self._hold.set_clock(fault.argument)
        return await self._environment.start()

    async def invoke(self, invocation: Invocation) -> Answer:
        fault = invocation.fault
        if fault is None or fault.kind not in ENDS:
            return await self._environment.invoke(invocation)
        work = asyncio.ensure_future(self._environment.invoke(invocation))
        moment = asyncio.ensure_future(self._hold.waited(int(fault.argument)))
        try:
            await asyncio.wait((work, moment), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if (end := ENDS[fault.kind]) is not None:
                return end
            if isinstance(self._hold, _InRealTime):  # whose code would go on without what it has open
                work.cancel()
                await asyncio.wait((work,), timeout=limits.HANDLER_GRACE_S)
            await self._hold.halt()
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")
        finally:
            moment.cancel()
            work.cancel()
            await asyncio.wait((work, moment))


class _InRealTime:
    """What can be done to an environment whose waits nobody sees."""

    def __init__(self, environment: RuntimeEnvironment, clock: Clock) -> None:
        self._environment, self._clock = environment, clock

    async def waited(self, times: int) -> None:
        await self._clock.sleep(times * WAIT_S)

    async def halt(self) -> None:
        await self._environment.kill()

    def set_clock(self, apart_s: float) -> None:
        setattr(self._environment, "clock_apart_s", apart_s)  # noqa: B010 - only processes have clocks of their own
