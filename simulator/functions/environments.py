"""The pool of execution environments of one account and Region: who may run now, in which environment.

Everything here decides synchronously and never awaits: an environment is busy from the very step that assigns it,
so no two invocations can be given the same one. The service (`service.py`) does what is decided.

AWS: Lambda Developer Guide, "Understanding Lambda function scaling" (lambda-concurrency, scaling-behavior) and
"Understanding the Lambda execution environment lifecycle" (lambda-runtime-environment).
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.base import limits
from simulator.base.chance import Identifiers, Seed, stream
from simulator.stack.model import Function


@dataclass(slots=True, eq=False)
class Environment:
    """One execution environment: at most one event at a time, from assignment to release.

    `needs_init` is true until its first init is over, and after a reset; `next_request_at` is the rate limiter's one
    figure (the instant up to which its ten requests a second are spent). `identifiers` are its invocations' own.
    """

    number: int
    function: str
    retires_at: float
    identifiers: Identifiers
    needs_init: bool = True
    was_reset: bool = False
    idle_since: float = 0.0
    next_request_at: float = 0.0

    def ready_at(self) -> float:
        """The earliest instant at which it may take one more request."""
        burst_s = (limits.ENVIRONMENT_REQUESTS_PER_S - 1) / limits.ENVIRONMENT_REQUESTS_PER_S
        return self.next_request_at - burst_s

    def spend_request(self, now: float) -> None:
        """Count one request, at `now`."""
        self.next_request_at = max(self.next_request_at, now) + 1 / limits.ENVIRONMENT_REQUESTS_PER_S


@dataclass(frozen=True, slots=True)
class Refused:
    """No environment now (429). `reason` is AWS's name for the limit that was reached, where it has one."""

    reason: str


@dataclass(slots=True)
class _Function:
    """What the pool keeps of a function. `warm` is in order of idleness, the longest idle first."""

    reserved: int | None
    warm: deque[Environment] = field(default_factory=deque)
    resting: list[tuple[float, int, Environment]] = field(default_factory=list)
    starting: int = 0
    busy: int = 0
    starts_spent_until: float = 0.0
    environments_made: int = 0

    @property
    def concurrency(self) -> int:
        return self.starting + self.busy


class EnvironmentPool:
    """All environments, by function. Every method is total and takes the instant it happens at.

    A function with reserved concurrency has that many for itself; all others share what the account has left. What is
    random in an environment is drawn from its own stream of `seed`: the function's n-th.
    """

    def __init__(self, functions: Mapping[str, Function], account_concurrency: int, seed: Seed) -> None:
        self._functions = {name: _Function(each.reserved_concurrency) for name, each in functions.items()}
        self._unreserved_limit = account_concurrency - sum(each.reserved or 0 for each in self._functions.values())
        self._unreserved = 0
        self._seed = seed
        self._numbers = itertools.count()

    def __repr__(self) -> str:
        each = (
            f"{name}: {state.starting} starting, {state.busy} busy, {len(state.warm) + len(state.resting)} warm"
            for name, state in self._functions.items()
        )
        return f"<EnvironmentPool [{' | '.join(each)}]>"

    def assign(self, function: str, now: float) -> Environment | Refused:
        """An environment for one request, busy (or starting) from now on, or the limit that stands in the way.

        Three cases, in this order: a warm one that may still take a request this second, the last used first; a new
        one, if the function may have one more; none.
        """
        state = self._functions[function]
        refused = self._refused(state)
        if refused is None:
            while state.resting and state.resting[0][0] <= now:
                state.warm.append(heapq.heappop(state.resting)[2])
            if state.warm:
                environment = state.warm.pop()
                return self._take(state, environment, now)
            refused = self._start_refused(state, now)
        if refused is not None:
            return refused
        state.starts_spent_until = max(state.starts_spent_until, now) + _START_INTERVAL_S
        chance = stream(self._seed, f"environment of {function}", state.environments_made)
        state.environments_made += 1
        retires_at = now + chance.uniform(*limits.ENVIRONMENT_AGE_S)
        environment = Environment(next(self._numbers), function, retires_at, Identifiers(chance))
        return self._take(state, environment, now)

    def started(self, environment: Environment) -> None:
        """Its init is over, it runs the event now."""
        state = self._functions[environment.function]
        state.starting -= 1
        state.busy += 1
        environment.needs_init = environment.was_reset = False

    def release(self, environment: Environment, now: float, *, reset: bool = False) -> bool:
        """The request is over. With `reset` (crash, timeout, failed init) the next request runs init again.

        Returns whether the environment stays; False: it has reached its age and is retired.
        """
        state = self._leave(environment)
        if now >= environment.retires_at:
            return False
        environment.idle_since = now
        if reset:
            environment.needs_init = environment.was_reset = True
        if environment.ready_at() > now:
            heapq.heappush(state.resting, (environment.ready_at(), environment.number, environment))
        else:
            state.warm.append(environment)
        return True

    def discard(self, environment: Environment) -> None:
        """The request was abandoned in the middle: the environment is gone."""
        self._leave(environment)

    def sweep(self, now: float) -> list[Environment]:
        """Retire and return the environments that have been idle too long."""
        retired = []
        for state in self._functions.values():
            while state.warm and state.warm[0].idle_since + limits.ENVIRONMENT_IDLE_S <= now:
                retired.append(state.warm.popleft())
        return retired

    def next_sweep_at(self) -> float | None:
        """When `sweep` will find the next one; None: nothing is idle."""
        idle = [state.warm[0].idle_since for state in self._functions.values() if state.warm]
        return min(idle) + limits.ENVIRONMENT_IDLE_S if idle else None

    def drain(self) -> list[Environment]:
        """Retire and return every idle environment: the end of the run."""
        retired = []
        for state in self._functions.values():
            retired += [*state.warm, *(environment for _, _, environment in state.resting)]
            state.warm.clear()
            state.resting.clear()
        return retired

    def _refused(self, state: _Function) -> Refused | None:
        if state.reserved is not None:
            full = state.concurrency >= state.reserved
            return Refused("ReservedFunctionConcurrentInvocationLimitExceeded") if full else None
        full = self._unreserved >= self._unreserved_limit
        return Refused("ConcurrentInvocationLimitExceeded") if full else None

    def _start_refused(self, state: _Function, now: float) -> Refused | None:
        # Asked only when none is warm.
        existing = state.concurrency + len(state.resting)
        if existing >= (self._unreserved_limit if state.reserved is None else state.reserved):
            prefix = "" if state.reserved is None else "Reserved"
            return Refused(f"{prefix}FunctionInvocationRateLimitExceeded")
        if state.starts_spent_until - now > limits.ENVIRONMENTS_BURST_S - _START_INTERVAL_S * 0.5:
            return Refused("EnvironmentStartRateExceeded")
        return None

    def _take(self, state: _Function, environment: Environment, now: float) -> Environment:
        environment.spend_request(now)
        state.starting += environment.needs_init
        state.busy += not environment.needs_init
        self._unreserved += state.reserved is None
        return environment

    def _leave(self, environment: Environment) -> _Function:
        state = self._functions[environment.function]
        state.starting -= environment.needs_init
        state.busy -= not environment.needs_init
        self._unreserved -= state.reserved is None
        return state


_START_INTERVAL_S = limits.ENVIRONMENTS_BURST_S / limits.ENVIRONMENTS_BURST
