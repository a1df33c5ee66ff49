"""The pool of execution environments of one account and Region: which request may run now, in which environment.

Every method decides synchronously and never awaits: an environment is busy from the very step that assigns it, so that
no two invocations can get the same one. The service (`service.py`) carries out the decisions.

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

_START_INTERVAL_S = limits.ENVIRONMENTS_BURST_S / limits.ENVIRONMENTS_BURST


@dataclass(slots=True, eq=False)
class Environment:
    """One execution environment: at most one event at a time, from assignment to release.

    `needs_init` is true until the first init is over, and after a reset. `next_request_at` is the rate limiter's state:
    the instant up to which the ten requests per second are used up. `identifiers` are for its own invocations.
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
        """The earliest instant at which it may take one more request; the requests of one second may come at once."""
        return self.next_request_at - (1 - 1 / limits.ENVIRONMENT_REQUESTS_PER_S)


@dataclass(frozen=True, slots=True)
class Throttled:
    """Lambda refused (429). `reason` is AWS's name for the limit that was reached, if it has one. Nothing ran."""

    reason: str


@dataclass(slots=True)
class _Function:
    """What the pool keeps per function. `warm` is in order of idleness, the longest idle first.

    The `resting` environments have used up their requests: a heap by the instant at which each is warm again.
    """

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

    def rested(self, now: float) -> deque[Environment]:
        """The warm environments, including those that have rested by `now`."""
        while self.resting and self.resting[0][0] <= now:
            self.warm.append(heapq.heappop(self.resting)[2])
        return self.warm


class EnvironmentPool:
    """All environments, by function. No method raises, and each takes the instant at which it happens.

    A function with reserved concurrency has that much for itself; all others share the rest of the account's. Each
    environment draws its random values from its own stream of `seed`: for the function's n-th environment, the n-th.
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

    def assign(self, function: str, now: float) -> Environment | Throttled:
        """An environment for one request, busy (or starting) from now on, or the limit that prevents one.

        The last used comes first; a new one is made if none is warm and may still take a request this second.
        """
        state = self._functions[function]
        own = state.reserved is not None
        limit = self._unreserved_limit if state.reserved is None else state.reserved
        if (state.concurrency if own else self._unreserved) >= limit:
            kind = "ReservedFunctionConcurrent" if own else "Concurrent"
            return Throttled(f"{kind}InvocationLimitExceeded")
        if state.rested(now):
            environment = state.warm.pop()
        elif state.concurrency + len(state.resting) >= limit:
            return Throttled(f"{'Reserved' if own else ''}FunctionInvocationRateLimitExceeded")
        elif state.starts_spent_until - now > limits.ENVIRONMENTS_BURST_S - _START_INTERVAL_S * 0.5:
            return Throttled("EnvironmentStartRateExceeded")
        else:
            state.starts_spent_until = max(state.starts_spent_until, now) + _START_INTERVAL_S
            chance = stream(self._seed, f"environment of {function}", state.environments_made)
            state.environments_made += 1
            retires_at = now + chance.uniform(*limits.ENVIRONMENT_AGE_S)
            environment = Environment(next(self._numbers), function, retires_at, Identifiers(chance))
        environment.next_request_at = max(environment.next_request_at, now) + 1 / limits.ENVIRONMENT_REQUESTS_PER_S
        state.starting += environment.needs_init
        state.busy += not environment.needs_init
        self._unreserved += state.reserved is None
        return environment

    def started(self, environment: Environment) -> None:
        """Its init is over; it now runs the event."""
        state = self._functions[environment.function]
        state.starting -= 1
        state.busy += 1
        environment.needs_init = environment.was_reset = False

    def release(self, environment: Environment, now: float, *, reset: bool = False) -> bool:
        """The request is over. With `reset` (after a crash, timeout or failed init) the next request runs init again.

        Returns whether the environment stays; False: it has reached its maximum age and is retired.
        """
        self.discard(environment)
        if now >= environment.retires_at:
            return False
        environment.idle_since = now
        if reset:
            environment.needs_init = environment.was_reset = True
        state = self._functions[environment.function]
        if environment.ready_at() > now:
            heapq.heappush(state.resting, (environment.ready_at(), environment.number, environment))
        else:
            state.warm.append(environment)
        return True

    def discard(self, environment: Environment) -> None:
        """The request is over or abandoned; unless the environment was released, it is gone."""
        state = self._functions[environment.function]
        state.starting -= environment.needs_init
        state.busy -= not environment.needs_init
        self._unreserved -= state.reserved is None

    def sweep(self, now: float) -> list[Environment]:
        """Retire and return the environments that have been idle for too long; at infinity, all of them."""
        retired = []
        for state in self._functions.values():
            warm = state.rested(now)
            while warm and warm[0].idle_since + limits.ENVIRONMENT_IDLE_S <= now:
                retired.append(warm.popleft())
        return retired

    def next_sweep_at(self) -> float | None:
        """When `sweep` will next find one; None: no environment is idle."""
        warm = [state.warm[0] for state in self._functions.values() if state.warm]
        resting = [state.resting[0][2] for state in self._functions.values() if state.resting]
        idle = [environment.idle_since for environment in warm + resting]
        return min(idle) + limits.ENVIRONMENT_IDLE_S if idle else None
