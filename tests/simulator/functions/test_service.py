"""One invocation after another: outcomes, payloads, observations, the environments' ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from fakes import declare
from fakes.clock import ManualClock
from fakes.recorder import Recorder
from fakes.runtime import ScriptedRuntime
from simulator.base import limits
from simulator.base.observations import (
    EnvironmentRetired,
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
)
from simulator.functions.environments import Throttled
from simulator.functions.runtimes import Exited, Raised, Returned
from simulator.functions.service import Failed, LambdaService


class Lambda:
    """The service with a scripted handler that takes `takes_s` and answers `answer`."""

    def __init__(self, clock: ManualClock, recorded: Recorder) -> None:
        self.clock, self.recorded = clock, recorded
        self.runtime = ScriptedRuntime(self._behave)
        self.takes_s = 0.0
        self.answer: Any = Returned({"ok": True})
        self.service: LambdaService

    async def _behave(self, event: Any) -> Any:
        await self.clock.sleep(self.takes_s)
        return self.answer

    async def invoke(self, within_s: float = 1.0) -> Any:
        """Run the event."""
        task = asyncio.create_task(self.service.invoke("Consumer", {"n": 1}, 2))
        await self.clock.advance(within_s)
        assert task.done()
        return await task


@pytest_asyncio.fixture
async def lambda_(clock: ManualClock, recorded: Recorder) -> AsyncIterator[Lambda]:
    """The service, with one function that may run twice at once."""
    made = Lambda(clock, recorded)
    functions = {"Consumer": declare.function(timeout_s=3, reserved_concurrency=2)}
    async with LambdaService(
        functions, runtime=made.runtime, clock=clock, record=recorded.append, seed=1
    ) as made.service:
        yield made


async def test_cold_then_warm(lambda_: Lambda) -> None:
    """The first invocation starts an environment, the second finds it warm."""
    assert await lambda_.invoke() == Returned({"ok": True})
    assert await lambda_.invoke() == Returned({"ok": True})
    assert [each.cold for each in lambda_.recorded.of(InvocationStarted)] == [True, False]
    assert [each.messages for each in lambda_.recorded.of(InvocationEnded)] == [2, 2]
    assert [each.init_s is None for each in lambda_.recorded.of(InvocationEnded)] == [False, True]
    assert repr(lambda_.service) == "<LambdaService <EnvironmentPool [Consumer: 0 starting, 0 busy, 1 warm]>>"


async def test_timeout_payload(lambda_: Lambda) -> None:
    """The deadline kills it; the payload is the service's, and the environment is reset."""
    lambda_.takes_s = 10.0
    result = await lambda_.invoke(3.0)
    request_id = lambda_.recorded.of(InvocationStarted)[0].request_id
    assert isinstance(result, Failed)
    assert result.outcome == "timeout"
    assert result.payload == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 3.00 seconds",
    }
    assert lambda_.runtime.calls == ["start 0", "kill 0"]
    assert [each.reason for each in lambda_.recorded.of(EnvironmentRetired)] == ["reset"]
    assert lambda_.runtime.running == 0


async def test_crash_payload_and_reset(lambda_: Lambda) -> None:
    """A runtime that exits has its own error; the next invocation runs init again in that environment."""
    lambda_.answer = Exited("exit status 127")
    result = await lambda_.invoke()
    assert isinstance(result, Failed)
    assert (result.outcome, result.error_type) == ("crash", "Runtime.ExitError")
    assert result.message.endswith("Error: Runtime exited with error: exit status 127")
    lambda_.answer = Returned(None)
    assert await lambda_.invoke() == Returned(None)
    assert [each.environment for each in lambda_.recorded.of(EnvironmentStarted)] == [0, 0]
    assert lambda_.recorded.of(InvocationEnded)[1].init_s is None


async def test_exit_without_a_reason(lambda_: Lambda) -> None:
    """A clean exit during an invocation is an error, too."""
    lambda_.answer = Exited("")
    assert (await lambda_.invoke()).message.endswith("Error: Runtime exited without providing a reason")


async def test_exception_keeps_the_environment(lambda_: Lambda) -> None:
    """An exception of the handler becomes the caller's payload, unchanged; the environment stays warm."""
    payload = {"errorMessage": "no", "errorType": "ValueError", "requestId": "r", "stackTrace": []}
    lambda_.answer = Raised("ValueError", "no", payload)
    assert await lambda_.invoke() == Failed("error", "ValueError", "no", payload)
    await lambda_.invoke()
    assert lambda_.runtime.calls == ["start 0"]


async def test_throttle(lambda_: Lambda) -> None:
    """The third concurrent invocation of a reservation of two is refused; the handler does not see it."""
    lambda_.takes_s = 1.0
    tasks = [asyncio.create_task(lambda_.service.invoke("Consumer", number)) for number in range(3)]
    await lambda_.clock.advance(1.0)
    assert [await task for task in tasks] == [
        Returned({"ok": True}),
        Returned({"ok": True}),
        Throttled("ReservedFunctionConcurrentInvocationLimitExceeded"),
    ]
    assert lambda_.runtime.events == [0, 1]
    assert len(lambda_.recorded.of(InvocationThrottled)) == 1


async def test_init_error(lambda_: Lambda) -> None:
    """A failed init is tried once more within the invocation; then the invocation fails."""

    async def init() -> Raised:
        return Raised("Runtime.ImportModuleError", "no module", {"errorType": "Runtime.ImportModuleError"})

    lambda_.runtime.init = init
    result = await lambda_.invoke()
    assert isinstance(result, Failed)
    assert (result.outcome, result.error_type) == ("init-error", "Runtime.ImportModuleError")
    assert lambda_.runtime.calls == ["start 0", "kill 0"] * 2
    assert not lambda_.runtime.events


async def test_init_over_ten_seconds(lambda_: Lambda) -> None:
    """Init has ten seconds; it is repeated under the function's timeout, which then includes the event."""
    slow = iter([100.0, 1.0])

    async def init() -> None:
        await lambda_.clock.sleep(next(slow))

    lambda_.runtime.init = init
    task = asyncio.create_task(lambda_.service.invoke("Consumer", {}))
    await lambda_.clock.advance(limits.INIT_TIMEOUT_S - 0.1)
    assert lambda_.runtime.calls == ["start 0"]
    await lambda_.clock.advance(1.2)
    assert await task == Returned({"ok": True})
    assert lambda_.runtime.calls == ["start 0", "kill 0", "start 0"]
    assert lambda_.recorded.of(InvocationEnded)[0].duration_s == pytest.approx(1.0)


async def test_idle_environment_is_closed(lambda_: Lambda) -> None:
    """An environment that is not used is retired when its time has come, without a task or timer of its own."""
    await lambda_.invoke()
    await lambda_.clock.advance(limits.ENVIRONMENT_IDLE_S - 2)
    assert "close 0" not in lambda_.runtime.calls
    await lambda_.clock.advance(3)
    assert "close 0" in lambda_.runtime.calls
    assert lambda_.recorded.of(EnvironmentRetired)[-1].reason == "idle"


async def test_recycled_by_age(lambda_: Lambda) -> None:
    """A busy environment is recycled once it is hours old."""
    while not lambda_.recorded.of(EnvironmentRetired):
        await lambda_.invoke(300.0)
    assert lambda_.recorded.of(EnvironmentRetired)[0].reason == "recycled"
    age_s = lambda_.recorded.of(EnvironmentRetired)[0].at - lambda_.recorded.of(EnvironmentStarted)[0].at
    assert limits.ENVIRONMENT_AGE_S[0] <= age_s <= limits.ENVIRONMENT_AGE_S[1] + 300


async def test_cancelled_invocation_abandons_its_environment(lambda_: Lambda) -> None:
    """A hard stop during an invocation ends the handler, and that environment is never handed out again."""
    lambda_.takes_s = 100.0
    task = asyncio.create_task(lambda_.service.invoke("Consumer", {}))
    await lambda_.clock.advance(1.0)
    task.cancel()
    await lambda_.clock.advance(0.1)
    assert task.cancelled()
    assert lambda_.runtime.running == 0
    assert "close 0" in lambda_.runtime.calls
    assert "0 starting, 0 busy, 0 warm" in repr(lambda_.service)


async def test_everything_is_closed_at_the_end(clock: ManualClock, recorded: Recorder) -> None:
    """Leaving the service closes each environment and then the runtime."""
    made = Lambda(clock, recorded)
    functions = {"Consumer": declare.function()}
    async with LambdaService(
        functions, runtime=made.runtime, clock=clock, record=recorded.append, seed=1
    ) as made.service:
        await made.invoke()
    assert made.runtime.calls == ["start 0", "close 0", "close runtime"]
    assert recorded.of(EnvironmentRetired)[-1].reason == "shutdown"
