"""Lambda's invoke: assign an environment, start it if it is cold, run the event under its deadline, report the outcome.

The pool (`environments.py`) decides, and the runtime (`runtimes/`) has the handler's process or loop; this is the thin
shell between them. A function's own failure is a value; nothing is raised for it.

AWS: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from simulator.base import limits, observations
from simulator.base.chance import Seed
from simulator.base.clock import Clock
from simulator.base.observations import Outcome, Record
from simulator.base.waiting import wait_for_event
from simulator.faults.plane import NO_FAULTS, Fault, Plane
from simulator.functions.environments import Environment, EnvironmentPool, Throttled
from simulator.functions.logs import LogStream
from simulator.functions.runtimes import Answer, Exited, Invocation, Raised, Returned, Runtime, RuntimeEnvironment
from simulator.stack.model import Function

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failed:
    """The invocation failed. `payload` is what a synchronous caller gets: errorMessage, errorType and more."""

    outcome: Outcome
    error_type: str
    message: str
    payload: dict[str, Any]


InvokeResult = Returned | Failed | Throttled


@dataclass(slots=True)
class _Host:
    """What the service keeps for each environment of the pool."""

    runtime: RuntimeEnvironment
    stream: LogStream


class LambdaService:
    """The functions of one account and Region; leaving its `async with` closes every environment and the runtime."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        runtime: Runtime,
        clock: Clock,
        record: Record,
        seed: Seed,
        plane: Plane = NO_FAULTS,
        account_concurrency: int = limits.ACCOUNT_CONCURRENCY,
    ) -> None:
        self._functions, self._runtime, self._clock, self._record = functions, runtime, clock, record
        self._plane = plane
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
        # The sweeper is not cancelled: it may be closing an environment.
        self._stopping = True
        self._woken.set()
        try:
            if self._sweeper is not None:
                await self._sweeper
            self._retire(self._pool.sweep(math.inf), "shutdown")
            await self._close_retired()
        finally:
            await self._runtime.close()

    def __repr__(self) -> str:
        return f"<LambdaService {self._pool!r}>"

    async def invoke(self, function: str, event: Any, messages: int = 0) -> InvokeResult:
        """Run `event` in an environment of the function (a logical id), and wait for the result.

        The handler owns the event and may change it: pass a new one each time. `messages` is the size of a queue's
        batch, for the observations. Cancelling abandons the invocation and its environment.
        """
        declared = self._functions[function]
        now = self._clock.now()
        fault = self._plane.at(f"invoke.{function}", now, function=function)
        if fault is not None and fault.kind == "lambda-throttled":
            environment: Environment | Throttled = Throttled("ConcurrentInvocationLimitExceeded")
        else:
            environment = self._pool.assign(function, now)
        if isinstance(environment, Throttled):
            self._record(observations.InvocationThrottled(now, function, environment.reason, messages))
            return environment
        request_id = environment.identifiers.uuid()
        cold = environment.needs_init
        self._record(observations.InvocationStarted(now, function, environment.number, request_id, messages, cold))
        host = self._host(declared, environment)
        try:
            result, duration_s, init_s = await self._run(declared, environment, host, request_id, event, fault)
        except BaseException:
            # Only cancellation (a hard stop) or our own fault leads here: the environment is in an unknown state.
            self._pool.discard(environment)
            self._retire([environment], "abandoned")
            raise
        now = self._clock.now()
        outcome: Outcome = "success"
        error_type = message = None
        if isinstance(result, Failed):
            outcome, error_type, message = result.outcome, result.error_type, result.message
        number, memory_mb = environment.number, host.runtime.memory_used_mb
        ended = observations.InvocationEnded(
            now, function, number, request_id, messages, outcome, duration_s, init_s, memory_mb, error_type, message
        )
        host.stream.ended(ended)
        reset = outcome in ("timeout", "crash", "init-error")
        stays = self._pool.release(environment, now, reset=reset)
        self._record(ended)
        if not stays:
            self._retire([environment], "recycled")
        elif reset:
            self._record(observations.EnvironmentRetired(now, function, number, "reset"))
        if self._sweep_at is None:
            self._woken.set()
        return result

    async def _run(
        self,
        function: Function,
        environment: Environment,
        host: _Host,
        request_id: str,
        event: Any,
        fault: Fault | None,
    ) -> tuple[Returned | Failed, float, float | None]:
        """Init if needed, then the event: the result, its duration and a cold start's init (a reset's is duration).

        The limits are 10 s for a first init, and the function's timeout for the rest.
        """
        clock, timeout_s = self._clock, function.timeout_s
        init_s = None
        if environment.needs_init and not environment.was_reset:
            host.stream.init_started()
            # If it fails, Lambda tries once more as part of the invocation, under the function's own timeout.
            took_s, failure = await self._init(environment, host, "init", limits.INIT_TIMEOUT_S)
            init_s = took_s if failure is None else None
        began_at = clock.now()
        host.stream.started(request_id)
        answer: Answer | _TimedOut | None = None
        if environment.needs_init:
            _, answer = await self._init(environment, host, "invoke", timeout_s)
        if answer is None:
            root, parent = environment.identifiers.token_hex(12), environment.identifiers.token_hex(8)
            trace_id = f"Root=1-{int(began_at):08x}-{root};Parent={parent};Sampled=0"
            deadline_at = began_at + timeout_s
            invocation = Invocation(request_id, event, deadline_at, trace_id, fault)
            answer = await self._within(deadline_at - clock.now(), host, host.runtime.invoke(invocation))
            if isinstance(answer, Exited):
                await host.runtime.kill()
        if isinstance(answer, _TimedOut):
            host.stream.timed_out(request_id)
        result = _result(answer, request_id, timeout_s, in_init=environment.needs_init)
        return result, clock.now() - began_at, init_s

    async def _init(
        self, environment: Environment, host: _Host, phase: str, seconds: float
    ) -> tuple[float, Raised | Exited | _TimedOut | None]:
        """How long init took, and its failure."""
        began_at = self._clock.now()
        failure = await self._within(seconds, host, host.runtime.start())
        now = self._clock.now()
        if failure is None:
            self._pool.started(environment)
            self._record(observations.EnvironmentStarted(now, environment.function, environment.number, now - began_at))
        else:
            if not isinstance(failure, _TimedOut):
                await host.runtime.kill()
            host.stream.init_failed(phase, now - began_at, failure.error_type)
        return now - began_at, failure

    async def _within(self, seconds: float, host: _Host, work: Coroutine[Any, Any, T]) -> T | _TimedOut:
        """The result of `work`, or `_TimedOut` after `seconds`, when the runtime is killed whatever it is doing."""
        task = asyncio.create_task(work)
        timer = asyncio.create_task(self._clock.sleep(seconds))
        try:
            await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            timer.cancel()
            if not task.done():
                # A handler that does not end is abandoned with its environment.
                task.cancel()
                await asyncio.wait((task,), timeout=limits.HANDLER_GRACE_S)
                if task.done() and not task.cancelled():
                    task.exception()  # retrieved, so that the loop does not complain about it
        await host.runtime.kill()
        return _TimedOut()

    def _host(self, function: Function, environment: Environment) -> _Host:
        number = environment.number
        if number not in self._hosts:
            stream = LogStream(function, number, self._record, self._clock)
            runtime = self._runtime.environment(function, number, stream.name, stream.output)
            self._hosts[number] = _Host(runtime, stream)
        return self._hosts[number]

    async def _sweep(self) -> None:
        """Retire idle environments when due, and close retired ones; sleeps in between, however many there are."""
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
            self._record(observations.EnvironmentRetired(now, environment.function, environment.number, reason))
            self._retired.append(self._hosts.pop(environment.number))
        if environments:
            self._woken.set()

    async def _close_retired(self) -> None:
        while some := self._retired[: limits.ENVIRONMENTS_CLOSING]:
            del self._retired[: len(some)]
            await asyncio.gather(*(host.runtime.close() for host in some))


class _TimedOut:
    """The time was up, and the runtime was killed."""

    error_type = None


def _result(answer: Answer | _TimedOut, request_id: str, timeout_s: float, *, in_init: bool) -> Returned | Failed:
    """The service's answer; its error payloads are those that a synchronous caller of Lambda gets."""
    outcome: Outcome
    match answer:
        case Returned():
            return answer
        case Raised(error_type, message, payload):
            return Failed("init-error" if in_init else "error", error_type, message, payload)
        case Exited(status, error_type):
            outcome = "init-error" if in_init else "crash"
            text = f"Runtime exited with error: {status}" if status else "Runtime exited without providing a reason"
        case _TimedOut():
            outcome, error_type = "timeout", "Sandbox.Timedout"
            text = f"Task timed out after {timeout_s:.2f} seconds"
    message = f"RequestId: {request_id} Error: {text}"
    return Failed(outcome, error_type, message, {"errorType": error_type, "errorMessage": message})
