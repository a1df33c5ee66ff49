"""A runtime whose handler is a coroutine of the test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from simulator.functions.runtimes import Answer, Exited, Invocation, Raised, Runtime, RuntimeEnvironment, Write
from simulator.stack.model import Function

Behaviour = Callable[[Any], Awaitable[Answer]]


class ScriptedRuntime:
    """Calls `behaviour` with each event, and counts the service's calls."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.init: Callable[[], Awaitable[Raised | Exited | None]] | None = None
        self.calls: list[str] = []
        self.events: list[Any] = []
        self.running = 0
        self.running_most = 0

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> ScriptedEnvironment:
        """An environment of the script."""
        return ScriptedEnvironment(self, number)

    async def close(self) -> None:
        """Record it."""
        self.calls.append("close runtime")


class ScriptedEnvironment:
    """An environment that follows the script."""

    memory_used_mb = 31

    def __init__(self, runtime: ScriptedRuntime, number: int) -> None:
        self._runtime, self._number = runtime, number

    async def start(self) -> Raised | Exited | None:
        """Record it, and run the script's init."""
        self._runtime.calls.append(f"start {self._number}")
        return await self._runtime.init() if self._runtime.init else None

    async def invoke(self, invocation: Invocation) -> Answer:
        """Run the event."""
        runtime = self._runtime
        runtime.events.append(invocation.event)
        runtime.running += 1
        runtime.running_most = max(runtime.running_most, runtime.running)
        try:
            return await runtime.behaviour(invocation.event)
        finally:
            runtime.running -= 1

    async def kill(self) -> None:
        """Record it."""
        self._runtime.calls.append(f"kill {self._number}")

    async def close(self) -> None:
        """Record it."""
        self._runtime.calls.append(f"close {self._number}")


_RUNTIME: type[Runtime] = ScriptedRuntime  # mypy sees that it is one
_ENVIRONMENT: type[RuntimeEnvironment] = ScriptedEnvironment  # and so is this
