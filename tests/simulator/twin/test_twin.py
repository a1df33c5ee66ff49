"""The twin as a whole: on one clock, and drained only when nothing is in flight any more."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from simulator.base.clock import SystemClock
from simulator.base.counters import QueueCounters, StoreCounters
from simulator.base.observations import InvocationEnded
from simulator.functions.runtimes import Code, Returned
from simulator.stack.model import Stack
from simulator.store import Store
from simulator.store.store import StoreDied
from simulator.twin.twin import Twin

HANDLERS = """
def remaining(event, context):
    return context.get_remaining_time_in_millis()

def failing(event, context):
    raise ValueError("not today")
"""


class LateClock(SystemClock):
    """A clock an hour behind the machine's."""

    def now(self) -> float:
        """Seconds since the epoch, an hour ago."""
        return super().now() - 3600.0


@pytest.fixture
def open_twin(
    store_endpoint: str, tmp_path: Path, fresh_stack: Callable[..., Stack], recorded: Any
) -> Callable[[str], Any]:
    """`open_twin(handler)`: a twin on a late clock, whose generator is a handler of `HANDLERS`."""

    @asynccontextmanager
    async def opened(handler: str) -> AsyncIterator[Twin]:
        (tmp_path / "twin_handlers.py").write_text(HANDLERS)
        stack = fresh_stack()
        function = dataclasses.replace(stack.functions["GeneratorLambda"], handler=f"twin_handlers.{handler}")
        stack = dataclasses.replace(stack, functions={**stack.functions, "GeneratorLambda": function})
        async with Twin.open(
            stack,
            clock=LateClock(),
            record=recorded.append,
            seed=1,
            endpoint_url=store_endpoint,
            code={"GeneratorLambda": Code(tmp_path)},
        ) as twin:
            yield twin

    return opened


async def test_a_twins_runtime_lives_on_the_twins_clock(open_twin: Callable[[str], Any]) -> None:
    """A handler's remaining time is counted on the twin's clock: never more than the function's timeout."""
    async with open_twin("remaining") as twin:
        result = await twin.service.invoke("GeneratorLambda", {})
        assert isinstance(result, Returned)
        assert 0 < result.payload <= twin.stack.functions["GeneratorLambda"].timeout_s * 1000


async def test_a_drained_twin_has_no_tick_pending(open_twin: Callable[[str], Any], recorded: Any) -> None:
    """A tick whose invocation failed is tried again a minute later; until then the twin is not drained."""
    async with open_twin("failing") as twin:
        twin.start_mappings()
        assert await twin.drained(20.0)
        twin.invoker.accept("GeneratorLambda", {})
        async with asyncio.timeout(20):
            while not recorded.of(InvocationEnded):
                await twin.clock.sleep(0.01)
        assert not await twin.drained(0.0)


@pytest.mark.parametrize(
    ("left", "drained"),
    [
        (QueueCounters(), True),
        (QueueCounters(delayed=1), False),
        (QueueCounters(test_events=1), False),
    ],
)
async def test_a_queue_with_a_test_event_is_not_drained(left: QueueCounters, drained: bool) -> None:
    """No figure of the queue has it, but the consumer must be done with it before the run ends."""

    async def counters() -> StoreCounters:
        return StoreCounters(at=0.0, queues={"q": left})

    parts = SimpleNamespace(queues=(SimpleNamespace(name="q"),))
    invoker = SimpleNamespace(pending=0)
    twin = SimpleNamespace(counters=counters, flow=parts, invoker=invoker, clock=SystemClock())
    assert await Twin.drained(cast("Twin", twin), 0.0) == drained


async def test_a_store_that_dies_while_resources_are_made_is_named(
    monkeypatch: pytest.MonkeyPatch, fresh_stack: Callable[..., Stack], recorded: Any
) -> None:
    """The store's death is reported, not the call that failed because of it."""
    open_store = Store.open

    @asynccontextmanager
    async def doomed(**given: Any) -> AsyncIterator[Store]:
        async with open_store(**given) as store:
            os.kill(store.pid, signal.SIGKILL)
            yield store

    monkeypatch.setattr(Store, "open", doomed)
    with pytest.raises(StoreDied, match=r"ended unexpectedly \(signal 9\)"):
        async with Twin.open(fresh_stack(), clock=SystemClock(), record=recorded.append, seed=1):
            raise AssertionError("it was opened")
