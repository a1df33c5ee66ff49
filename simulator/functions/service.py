"""Lambda's invoke: assign an environment, start it if it is cold, run the event under its deadline, tell the outcome.

Decisions are the pool's (`environments.py`), the handler's process or loop is the runtime's (`runtimes/`); this is
the thin shell between them. A function's own failure is a value; nothing is raised for it.

AWS: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.observations import (
    EnvironmentRetired,
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
    Record,
)
from simulator.base.waiting import wait_for_event
from simulator.functions.environments import Environment, EnvironmentPool, FunctionStatistics, Refused
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


@dataclass(frozen=True, slots=True)
class _Ended:
    """How one run of an environment ended. `init_s` is a cold start's; a reset's init counts as duration."""

    result: Succeeded | Failed
    duration_s: float
    init_s: float | None


class LambdaService:
    """The functions of one account and Region. Open it with `LambdaService.open`."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        runtime: Runtime,
        clock: Clock,
        record: Record,
        rng: random.Random,
        account_concurrency: int,
    ) -> None:
        self._functions = functions
        self._runtime = runtime
        self._clock = clock
        self._record = record
        self._rng = rng
        self._pool = EnvironmentPool(functions, account_concurrency, rng)
        self._hosts: dict[int, _Host] = {}
        self._retired: list[_Host] = []
        self._sweep_at: float | None = None
        self._stopping = False
        self._woken = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        functions: Mapping[str, Function],
        *,
        runtime: Runtime,
        clock: Clock,
        record: Record,
        rng: random.Random,
        account_concurrency: int = limits.ACCOUNT_CONCURRENCY,
    ) -> AsyncIterator[LambdaService]:
        """The service for the length of the block; every environment is closed when it ends, however it ends."""
        service = cls(functions, runtime, clock, record, rng, account_concurrency)
        sweeper = asyncio.create_task(service._sweep())
        try:
            yield service
        finally:
            # Not cancelled: it may be in the middle of closing an environment.
            service._stopping = True
            service._woken.set()
            await sweeper
            await service._close()

    def __repr__(self) -> str:
        return f"<LambdaService {self._pool!r}>"

    def statistics(self, function: str) -> FunctionStatistics:
        """The figures of one function, by logical id, at this moment."""
        return self._pool.statistics(function)

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
        request_id = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        cold = environment.needs_init
        self._record(InvocationStarted(now, function, environment.number, request_id, messages, cold))
        host = self._host(declared, environment, now)
        try:
            ended = await self._run(declared, environment, host, request_id, event)
        except BaseException:
            # Only cancellation (a hard stop) or a fault of ours comes here: the environment is in an unknown state.
            self._pool.discard(environment)
            self._retire([environment], "abandoned")
            raise
        self._finish(environment, host, request_id, messages, ended)
        return ended.result

    async def _run(
        self, function: Function, environment: Environment, host: _Host, request_id: str, event: Any
    ) -> _Ended:
        """Init if needed, then the event. The limits: 10 s for a first init, the function's timeout for the rest."""
        clock, stream = self._clock, host.stream
        init_s: float | None = None
        if environment.needs_init and not environment.was_reset:
            began_at = clock.now()
            stream.init_started(began_at)
            failure = await self._start(host, limits.INIT_TIMEOUT_S)
            took_s = clock.now() - began_at
            if failure is None:
                init_s = took_s
                self._started(environment, took_s)
            else:
                # Lambda tries init once more as part of the invocation, under the function's own timeout.
                if not isinstance(failure, _TimedOut):
                    await host.runtime.kill()
                stream.init_failed(clock.now(), "init", took_s, _error_type(failure))
        began_at = clock.now()
        deadline_at = began_at + function.timeout_s
        stream.started(began_at, request_id)
        answer: Returned | Raised | Exited | _TimedOut
        outcome: Literal["error", "init-error"] = "error"
        failure = None
        if environment.needs_init:
            failure = await self._start(host, function.timeout_s)
            if failure is None:
                self._started(environment, clock.now() - began_at)
        if failure is not None:
            answer, outcome = failure, "init-error"
            stream.init_failed(clock.now(), "invoke", clock.now() - began_at, _error_type(failure))
        else:
            invocation = Invocation(request_id, event, deadline_at, self._trace_id(began_at))
            answer = await self._within(deadline_at - clock.now(), host, host.runtime.invoke(invocation))
        if isinstance(answer, Exited):
            await host.runtime.kill()
        result = _result(answer, outcome, request_id, function.timeout_s)
        if isinstance(answer, _TimedOut):
            stream.timed_out(clock.now(), request_id, function.timeout_s)
        return _Ended(result, clock.now() - began_at, init_s)

    async def _start(self, host: _Host, seconds: float) -> Raised | Exited | _TimedOut | None:
        return await self._within(seconds, host, host.runtime.start())

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
            return _TimedOut(seconds)
        finally:
            timer.cancel()
            if not task.done():
                await _abandon(task)

    def _started(self, environment: Environment, took_s: float) -> None:
        self._pool.started(environment)
        self._record(EnvironmentStarted(self._clock.now(), environment.function, environment.number, took_s))

    def _finish(self, environment: Environment, host: _Host, request_id: str, messages: int, ended: _Ended) -> None:
        """Record the end, write REPORT, give the environment back."""
        now = self._clock.now()
        failed = ended.result if isinstance(ended.result, Failed) else None
        outcome = failed.outcome if failed else "success"
        error_type, message = (failed.error_type, failed.message) if failed else (None, None)
        memory_mb = host.runtime.memory_used_mb
        host.stream.ended(now, request_id, outcome, ended.duration_s, ended.init_s, memory_mb, error_type)
        reset = outcome in ("timeout", "crash", "init-error")
        stays = self._pool.release(environment, now, reset=reset)
        self._record(
            InvocationEnded(
                now,
                environment.function,
                environment.number,
                request_id,
                messages,
                outcome,
                ended.duration_s,
                ended.init_s,
                memory_mb,
                error_type,
                message,
            )
        )
        if not stays:
            self._retire([environment], "recycled")
        elif reset:
            self._record(EnvironmentRetired(now, environment.function, environment.number, "reset"))
        if self._sweep_at is None:
            self._woken.set()

    def _host(self, function: Function, environment: Environment, now: float) -> _Host:
        host = self._hosts.get(environment.number)
        if host is None:
            stream = LogStream(function, environment.number, self._record, now)

            def write(line: str) -> None:
                stream.line(self._clock.now(), line)

            runtime = self._runtime.environment(function, environment.number, stream.name, write)
            host = self._hosts[environment.number] = _Host(runtime, stream)
        return host

    def _trace_id(self, now: float) -> str:
        root, parent = self._rng.getrandbits(96), self._rng.getrandbits(64)
        return f"Root=1-{int(now):08x}-{root:024x};Parent={parent:016x};Sampled=0"

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
        for some in _chunks(hosts, limits.ENVIRONMENTS_CLOSING):
            await asyncio.gather(*(host.runtime.close() for host in some))

    async def _close(self) -> None:
        """Every environment ends, then the runtime; what the handlers hold is given back even if one of them fails."""
        self._retire(self._pool.drain(), "shutdown")
        try:
            await self._close_retired()
        finally:
            await self._runtime.close()


@dataclass(frozen=True, slots=True)
class _TimedOut:
    """The time was over, the runtime was killed."""

    after_s: float


async def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancel, and wait a little: a handler that will not end is left behind with its environment."""
    task.cancel()
    await asyncio.wait((task,), timeout=limits.HANDLER_GRACE_S)
    if task.done() and not task.cancelled():
        task.exception()  # looked at, so that the loop does not complain of it


def _error_type(failure: Raised | Exited | _TimedOut) -> str | None:
    return None if isinstance(failure, _TimedOut) else failure.error_type


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
        text = (
            f"Runtime exited with error: {answer.status}"
            if answer.status
            else "Runtime exited without providing a reason"
        )
    message = f"RequestId: {request_id} Error: {text}"
    return Failed(kind, error_type, message, {"errorType": error_type, "errorMessage": message})


def _chunks(hosts: list[_Host], size: int) -> Iterator[list[_Host]]:
    return (hosts[start : start + size] for start in range(0, len(hosts), size))
