"""Handlers in files, and an environment of either runtime to run them in."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes import declare
from fakes.clock import ForwardClock
from fakes.recorder import Recorder
from fakes.waiting import until
from simulator.functions.runtimes import Code, Runtime
from simulator.functions.runtimes.inline import InlineRuntime
from simulator.functions.service import LambdaService

ENDPOINT = "http://127.0.0.1:9"
TIMEOUT_S = 60
Open = Callable[..., AbstractAsyncContextManager[Any]]


class Opened:
    """One function under one runtime; `invoke` runs an event."""

    def __init__(self, service: LambdaService, runtime: Runtime, recorded: Recorder, clock: ForwardClock) -> None:
        self.service, self.runtime, self.recorded, self._clock = service, runtime, recorded, clock

    async def invoke(self, event: Any = None) -> Any:
        """The result of one event."""
        return await self.service.invoke("Consumer", event)

    async def time_out(self, event: Any, at_work: str) -> Any:
        """The result of an event whose deadline comes when the handler has written a line with this beginning."""
        invocation = asyncio.create_task(self.invoke(event))
        await until(lambda: any(line.startswith(at_work) for line in self.recorded.lines()))
        self._clock.set_forward(TIMEOUT_S)
        return await invocation


@pytest.fixture
def open_function(tmp_path: Path, recorded: Recorder) -> Callable[..., Any]:
    """Open a function whose handler is in `source`, under the runtime named."""

    @asynccontextmanager
    async def open_it(kind: str, source: str, **changes: Any) -> AsyncIterator[Opened]:
        module = f"handler_{abs(hash(source)):x}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        function = declare.function(
            **{"handler": f"{module}.handler", "memory_mb": 512, "timeout_s": TIMEOUT_S} | changes
        )
        clock = ForwardClock()
        code = {"Consumer": Code(tmp_path)}
        runtime: Runtime
        if kind == "process":
            from simulator.functions.runtimes.process import ProcessRuntime

            runtime = ProcessRuntime(ENDPOINT, code, clock=clock)
        else:
            runtime = InlineRuntime(ENDPOINT, code=code, clock=clock)
        async with LambdaService(
            {"Consumer": function}, runtime=runtime, clock=clock, record=recorded.append, seed=1
        ) as service:
            yield Opened(service, runtime, recorded, clock)
        sys.modules.pop(module, None)

    return open_it
