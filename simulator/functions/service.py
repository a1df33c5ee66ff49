"""Lambda's invoke: assign an environment, start it if it is cold, run the event under its deadline, tell the outcome.

Decisions are the pool's (`environments.py`), the handler's process or loop is the runtime's (`runtimes/`); this is
the thin shell between them. A function's own failure is a value; nothing is raised for it.

AWS: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

from simulator.base import limits
from simulator.base.chance import Seed
from simulator.base.clock import Clock
from simulator.base.observations import (
    EnvironmentRetired,
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
    Outcome,
    Record,
)
from simulator.base.waiting import wait_for_event
from simulator.functions.environments import Environment, EnvironmentPool, Refused
from simulator.functions.logs import LogStream
from simulator.functions.runtimes import Exited, Invocation, Raised, Returned, Runtime, RuntimeEnvironment
from simulator.stack.model import Function

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The handler returned `payload` (decoded JSON)."""

    payload: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The invocation failed. `payload` is what a synchronous caller gets: errorMessage, errorType and more."""

    outcome: Literal["error", "timeout", "crash", "init-error"]
    error_type: str
    message: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Throttled:
    """Lambda refused (429): `reason` is the limit that was reached. The handler did not run."""

    reason: str


InvokeResult = Succeeded | Failed | Throttled


@dataclass(slots=True)
class _Host:
    """What the service keeps for an environment of the pool."""

    runtime: RuntimeEnvironment
    stream: LogStream


class LambdaService:
    """The functions of one account and Region; an asynchronous context manager.

    Every environment, and the runtime, is closed when the block ends, however it ends.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        runtime: Runtime,
        clock: Clock,
        record: Record,
        seed: Seed,
        account_concurrency: int = limits.ACCOUNT_CONCURRENCY,
    ) -> None:
        self._functions, self._runtime, self._clock, self._record = functions, runtime, clock, record
        self._pool = EnvironmentPool(functions, account_concurrency, seed)
        self._hosts: dict[int, _Host] = {}
        self._retired: list[_Host] = []
        self._sweep_at: float | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = False
        self._woken = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._sweeper = asyncio.create_task(self._sweep())
        return self

    async def __aexit__(self, *_: object) -> None:
        # The sweeper is not cancelled: it may be in the middle of closing an environment.
        self._stopping = True
        self._woken.set()
        try:
            if self._sweeper is not None:
                await self._sweeper
            self._retire(self._pool.drain(), "shutdown")
            await self._close_retired()
        finally:
            await self._runtime.close()

    def __repr__(self) -> str:
        return f"<LambdaService {self._pool!r}>"

    async def invoke(self, function: str, event: Any, messages: int = 0) -> InvokeResult:
        """Run `event` in an environment of the function (logical id), and wait for the end.

        The event becomes the handler's, which may change it: pass a fresh one each time. `messages` is the size of
        a queue's batch, for the observations. Cancelling abandons the invocation and its environment.
        """
        declared = self._functions[function]
        now = self._clock.now()
        environment = self._pool.assign(function, now)
        if isinstance(environment, Refused):
            self._record(InvocationThrottled(now, function, environment.reason, messages))
            return Throttled(environment.reason)
        request_id = environment.identifiers.uuid()
        cold = environment.needs_init
        self._record(InvocationStarted(now, function, environment.number, request_id, messages, cold))
        host = self._host(declared, environment, now)
        try:
            result, duration_s, init_s = await self._run(declared, environment, host, request_id, event)
        except BaseException:
            # Only cancellation (a hard stop) or a fault of ours comes here: the environment is in an unknown state.
            self._pool.discard(environment)
            self._retire([environment], "abandoned")
            raise
        now = self._clock.now()
        outcome: Outcome = "success"
        error_type = message = None
        if isinstance(result, Failed):
            outcome, error_type, message = result.outcome, result.error_type, result.message
        memory_mb = host.runtime.memory_used_mb
        host.stream.ended(now, request_id, outcome, duration_s, init_s, memory_mb, error_type)
        reset = outcome in ("timeout", "crash", "init-error")
        stays = self._pool.release(environment, now, reset=reset)
        number = environment.number
        self._record(
            InvocationEnded(
                now, function, number, request_id, messages, outcome, duration_s, init_s, memory_mb, error_type, message
            )
        )
        if not stays:
            self._retire([environment], "recycled")
        elif reset:
            self._record(EnvironmentRetired(now, function, number, "reset"))
        if self._sweep_at is None:
            self._woken.set()
        return result

    async def _run(
        self, function: Function, environment: Environment, host: _Host, request_id: str, event: Any
    ) -> tuple[Succeeded | Failed, float, float | None]:
        """Init if needed, then the event; the result, its duration and a cold start's init (a reset's is duration).

        The limits: 10 s for a first init, the function's timeout for the rest.
        """
        clock, stream = self._clock, host.stream
        init_s: float | None = None
        if environment.needs_init and not environment.was_reset:
            began_at = clock.now()
            stream.init_started(began_at)
            failure = await self._within(limits.INIT_TIMEOUT_S, host, host.runtime.start())
            took_s = clock.now() - began_at
            if failure is None:
                init_s = took_s
                self._started(environment, took_s)
            else:
                # Lambda tries init once more as part of the invocation, under the function's own timeout.
                if not isinstance(failure, _TimedOut):
                    await host.runtime.kill()
                stream.init_failed(clock.now(), "init", took_s, failure.error_type)
        began_at = clock.now()
        deadline_at = began_at + function.timeout_s
        stream.started(began_at, request_id)
        answer: Returned | Raised | Exited | _TimedOut
        outcome: Literal["error", "init-error"] = "error"
        failure = None
        if environment.needs_init:
            failure = await self._within(function.timeout_s, host, host.runtime.start())
            if failure is None:
                self._started(environment, clock.now() - began_at)
        if failure is not None:
            answer, outcome = failure, "init-error"
            stream.init_failed(clock.now(), "invoke", clock.now() - began_at, failure.error_type)
        else:
            root, parent = environment.identifiers.token_hex(12), environment.identifiers.token_hex(8)
            trace_id = f"Root=1-{int(began_at):08x}-{root};Parent={parent};Sampled=0"
            invocation = Invocation(request_id, event, deadline_at, trace_id)
            answer = await self._within(deadline_at - clock.now(), host, host.runtime.invoke(invocation))
        if isinstance(answer, Exited):
            await host.runtime.kill()
        result = _result(answer, outcome, request_id, function.timeout_s)
        if isinstance(answer, _TimedOut):
            stream.timed_out(clock.now(), request_id, function.timeout_s)
        return result, clock.now() - began_at, init_s

    async def _within(self, seconds: float, host: _Host, work: Coroutine[Any, Any, T]) -> T | _TimedOut:
        """What `work` returns, or `_TimedOut` after `seconds`: the runtime is killed then, whatever it does."""
        task = asyncio.create_task(work)
        timer = asyncio.create_task(self._clock.sleep(seconds))
        try:
            await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            await _abandon(task)
            await host.runtime.kill()
            return _TimedOut()
        finally:
            timer.cancel()
            if not task.done():
                await _abandon(task)

    def _started(self, environment: Environment, took_s: float) -> None:
        self._pool.started(environment)
        self._record(EnvironmentStarted(self._clock.now(), environment.function, environment.number, took_s))

    def _host(self, function: Function, environment: Environment, now: float) -> _Host:
        host = self._hosts.get(environment.number)
        if host is None:
            stream = LogStream(function, environment.number, self._record, now)

            def write(line: str) -> None:
                stream.line(self._clock.now(), line)

            runtime = self._runtime.environment(function, environment.number, stream.name, write)
            host = self._hosts[environment.number] = _Host(runtime, stream)
        return host

    async def _sweep(self) -> None:
        """Retire idle environments when they are due, close retired ones; asleep in between, however many there are."""
        while not self._stopping:
            self._woken.clear()
            self._retire(self._pool.sweep(self._clock.now()), "idle")
            await self._close_retired()
            due_at = self._sweep_at = self._pool.next_sweep_at()
            await wait_for_event(self._woken, self._clock, None if due_at is None else due_at - self._clock.now())

    def _retire(self, environments: list[Environment], reason: str) -> None:
        """Record the end of these environments; the sweeper closes their runtimes."""
        now = self._clock.now()
        for environment in environments:
            self._record(EnvironmentRetired(now, environment.function, environment.number, reason))
            self._retired.append(self._hosts.pop(environment.number))
        if environments:
            self._woken.set()

    async def _close_retired(self) -> None:
        hosts, self._retired = self._retired, []
        for first in range(0, len(hosts), limits.ENVIRONMENTS_CLOSING):
            some = hosts[first : first + limits.ENVIRONMENTS_CLOSING]
            await asyncio.gather(*(host.runtime.close() for host in some))


class _TimedOut:
    """The time was over, the runtime was killed."""

    error_type = None


async def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancel, and wait a little: a handler that will not end is left behind with its environment."""
    task.cancel()
    await asyncio.wait((task,), timeout=limits.HANDLER_GRACE_S)
    if task.done() and not task.cancelled():
        task.exception()  # looked at, so that the loop does not complain of it


def _result(
    answer: Returned | Raised | Exited | _TimedOut,
    outcome: Literal["error", "init-error"],
    request_id: str,
    timeout_s: float,
) -> Succeeded | Failed:
    """The service's answer, its error payloads as a synchronous caller of Lambda gets them."""
    if isinstance(answer, Returned):
        return Succeeded(answer.payload)
    if isinstance(answer, Raised):
        return Failed(outcome, answer.error_type, answer.message, answer.payload)
    if isinstance(answer, _TimedOut):
        kind: Literal["timeout", "crash", "init-error"] = "timeout"
        error_type, text = "Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds"
    else:
        kind = "crash" if outcome == "error" else "init-error"
        error_type = answer.error_type
        text = f"with error: {answer.status}" if answer.status else "without providing a reason"
        text = f"Runtime exited {text}"
    message = f"RequestId: {request_id} Error: {text}"
    return Failed(kind, error_type, message, {"errorType": error_type, "errorMessage": message})
