"""Who gets which environment: decided in one step, and shown by the pool's repr."""

from __future__ import annotations

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fakes import declare
from simulator.base import limits
from simulator.base.chance import stream
from simulator.functions.environments import Environment, EnvironmentPool, Throttled
from simulator.stack.model import AsynchronousInvocation, Function


def pool_of(*functions: Function, account: int = 1000) -> EnvironmentPool:
    """A pool for these functions."""
    return EnvironmentPool({each.logical_id: each for each in functions}, account, 1)


def started(pool: EnvironmentPool, function: str, now: float) -> Environment:
    """An environment that runs an event."""
    environment = pool.assign(function, now)
    assert isinstance(environment, Environment)
    if environment.needs_init:
        pool.started(environment)
    return environment


def test_life_of_an_environment() -> None:
    """It is starting, busy, warm, busy again: one environment, one cold start."""
    pool = pool_of(declare.function())
    environment = pool.assign("Consumer", 0.0)
    assert isinstance(environment, Environment)
    assert environment.needs_init
    assert not environment.was_reset
    assert repr(pool) == "<EnvironmentPool [Consumer: 1 starting, 0 busy, 0 warm]>"
    pool.started(environment)
    assert repr(pool) == "<EnvironmentPool [Consumer: 0 starting, 1 busy, 0 warm]>"
    assert pool.release(environment, 1.0)
    assert repr(pool) == "<EnvironmentPool [Consumer: 0 starting, 0 busy, 1 warm]>"
    assert pool.assign("Consumer", 2.0) is environment
    assert repr(pool) == "<EnvironmentPool [Consumer: 0 starting, 1 busy, 0 warm]>"


def test_assigned_is_busy_at_once() -> None:
    """Two requests in the same instant never get the same environment."""
    pool = pool_of(declare.function())
    first = started(pool, "Consumer", 0.0)
    pool.release(first, 0.0)
    assert pool.assign("Consumer", 1.0) is not pool.assign("Consumer", 1.0)


def test_the_last_used_is_taken_first() -> None:
    """Of several warm ones the last used one serves, so that the others can grow old."""
    pool = pool_of(declare.function())
    first, second = started(pool, "Consumer", 0.0), started(pool, "Consumer", 0.0)
    pool.release(second, 1.0)
    pool.release(first, 2.0)
    assert pool.assign("Consumer", 3.0) is first


def test_reserved_concurrency() -> None:
    """A function has no more than it reserved, and the refusal names the limit."""
    pool = pool_of(declare.function(reserved_concurrency=1))
    started(pool, "Consumer", 0.0)
    assert pool.assign("Consumer", 0.0) == Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")


def test_account_concurrency_is_shared() -> None:
    """Functions without a reservation share the rest of the account's concurrency; they do not affect a reservation."""
    pool = pool_of(
        declare.function("One"), declare.function("Two"), declare.function("Own", reserved_concurrency=2), account=4
    )
    started(pool, "One", 0.0)
    started(pool, "Two", 0.0)
    assert pool.assign("One", 0.0) == Throttled("ConcurrentInvocationLimitExceeded")
    assert isinstance(pool.assign("Own", 0.0), Environment)


def test_thousand_environments_in_ten_seconds() -> None:
    """A function gains 1,000 environments at once, and then one every 10 ms."""
    pool = pool_of(declare.function(), account=5000)
    for _ in range(limits.ENVIRONMENTS_BURST):
        assert isinstance(pool.assign("Consumer", 0.0), Environment)
    assert pool.assign("Consumer", 0.0) == Throttled("EnvironmentStartRateExceeded")
    assert isinstance(pool.assign("Consumer", 0.0101), Environment)
    assert isinstance(pool.assign("Consumer", 0.0101), Throttled)
    later = [isinstance(pool.assign("Consumer", 10.02), Environment) for _ in range(1001)]
    assert sum(later) == 1000


def test_ten_requests_a_second() -> None:
    """The eleventh request in a row gets a new environment although one is warm; one is free each tenth of a second."""
    pool = pool_of(declare.function())
    for number in range(10):
        pool.release(started(pool, "Consumer", 0.01 * number), 0.01 * number + 0.005)
    assert "0 busy, 1 warm" in repr(pool)
    pool.release(started(pool, "Consumer", 0.095), 0.095)
    assert "0 busy, 2 warm" in repr(pool)
    pool.release(started(pool, "Consumer", 1.5), 1.5)
    assert "0 busy, 2 warm" in repr(pool)


def test_ten_requests_a_second_and_concurrency() -> None:
    """A reservation of one serves ten requests per second, however short they are."""
    pool = pool_of(declare.function(reserved_concurrency=1))
    for number in range(10):
        pool.release(started(pool, "Consumer", 0.001 * number), 0.001 * number)
    assert pool.assign("Consumer", 0.02) == Throttled("ReservedFunctionInvocationRateLimitExceeded")
    assert isinstance(pool.assign("Consumer", 0.2), Environment)


def test_a_resting_environment_is_there_from_the_instant_at_which_it_may_be() -> None:
    """It is not an instant later: a task that waits for it wakes exactly then."""
    pool = pool_of(declare.function(reserved_concurrency=1))
    environment = started(pool, "Consumer", 0.0)
    pool.release(environment, 0.0)
    for _ in range(9):
        pool.release(started(pool, "Consumer", 0.0), 0.0)
    assert environment.ready_at() > 0.0
    assert pool.assign("Consumer", environment.ready_at()) is environment


def test_a_start_that_is_given_up_leaves_no_trace() -> None:
    """Abandoned before its init was over, an environment is neither starting nor busy any more."""
    pool = pool_of(declare.function())
    environment = pool.assign("Consumer", 0.0)
    assert isinstance(environment, Environment)
    pool.discard(environment)
    assert repr(pool) == "<EnvironmentPool [Consumer: 0 starting, 0 busy, 0 warm]>"


def test_reset_needs_init_again() -> None:
    """After a crash the environment stays, and runs init before its next event."""
    pool = pool_of(declare.function())
    environment = started(pool, "Consumer", 0.0)
    pool.release(environment, 1.0, reset=True)
    again = pool.assign("Consumer", 2.0)
    assert again is environment
    assert environment.needs_init
    assert environment.was_reset


def test_recycled_by_age() -> None:
    """An environment that has reached its maximum age is not kept."""
    pool = pool_of(declare.function())
    environment = started(pool, "Consumer", 0.0)
    assert limits.ENVIRONMENT_AGE_S[0] <= environment.retires_at <= limits.ENVIRONMENT_AGE_S[1]
    assert not pool.release(environment, environment.retires_at)
    assert pool.assign("Consumer", environment.retires_at) is not environment


def test_chance_is_the_functions_own() -> None:
    """A function's n-th environment has the same age and the same identifiers, whatever other functions did before."""

    def drawn(*order: str) -> dict[str, list[tuple[float, str]]]:
        pool = pool_of(declare.function("One"), declare.function("Two"))
        found: dict[str, list[tuple[float, str]]] = {"One": [], "Two": []}
        for function in order:
            environment = started(pool, function, 0.0)
            found[function].append((environment.retires_at, environment.identifiers.uuid()))
        return found

    one_by_one = drawn("One", "Two", "One", "Two")
    streams = [stream(1, "environment of Two", n) for n in range(2)]
    assert [age for age, _ in one_by_one["Two"]] == [each.uniform(*limits.ENVIRONMENT_AGE_S) for each in streams]
    assert one_by_one == drawn("Two", "Two", "One", "One")
    assert len({drawn for environments in one_by_one.values() for drawn in environments}) == 4


def test_idle_environments_are_swept() -> None:
    """The longest idle one goes first, each when its time has come."""
    pool = pool_of(declare.function())
    first, second = started(pool, "Consumer", 0.0), started(pool, "Consumer", 0.0)
    pool.release(first, 1.0)
    pool.release(second, 5.0)
    assert pool.next_sweep_at() == 1.0 + limits.ENVIRONMENT_IDLE_S
    assert pool.sweep(1.0 + limits.ENVIRONMENT_IDLE_S) == [first]
    assert pool.next_sweep_at() == 5.0 + limits.ENVIRONMENT_IDLE_S
    assert pool.sweep(math.inf) == [second]
    assert pool.next_sweep_at() is None


def test_an_environment_that_rests_is_swept_too() -> None:
    """One that has used up its requests is retired like any other, even if nothing requests it again."""
    pool = pool_of(declare.function())
    environments = []
    for _ in range(10):
        environments.append(started(pool, "Consumer", 0.0))
        pool.release(environments[-1], 0.0)
    assert len(set(map(id, environments))) == 1
    assert pool.next_sweep_at() == limits.ENVIRONMENT_IDLE_S
    assert pool.sweep(limits.ENVIRONMENT_IDLE_S - 0.1) == []
    assert pool.next_sweep_at() == limits.ENVIRONMENT_IDLE_S
    assert pool.sweep(limits.ENVIRONMENT_IDLE_S) == environments[:1]
    assert pool.next_sweep_at() is None


def test_the_sweep_is_due_for_the_function_that_has_been_idle_longest() -> None:
    """It holds whichever function comes first in the template."""
    pool = pool_of(declare.function("One"), declare.function("Two"))
    for function, at in (("One", 5.0), ("Two", 1.0)):
        pool.release(started(pool, function, 0.0), at)
    assert pool.next_sweep_at() == 1.0 + limits.ENVIRONMENT_IDLE_S


def test_a_drained_pool_is_empty() -> None:
    """Warm and resting environments are retired once."""
    pool = pool_of(declare.function())
    environment = started(pool, "Consumer", 0.0)
    pool.release(environment, 0.0)
    for _ in range(9):
        pool.release(started(pool, "Consumer", 0.0), 0.0)
    assert pool.sweep(math.inf) == [environment]
    assert pool.sweep(math.inf) == []


class Pool(RuleBasedStateMachine):
    """Any order of assignments, ends, resets and sweeps."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 3
        function = Function(
            "F", "F", "m.h", "python3.13", 128, 3, {}, self.limit, "Text", None, AsynchronousInvocation(), "arn"
        )
        self.pool = pool_of(function)
        self.now = 0.0
        self.out: list[Environment] = []

    @rule(seconds=st.floats(0, 500))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @rule()
    def assign(self) -> None:
        """A request comes."""
        environment = self.pool.assign("F", self.now)
        if isinstance(environment, Environment):
            assert environment not in self.out
            if environment.needs_init:
                self.pool.started(environment)
            self.out.append(environment)

    @rule(reset=st.booleans(), which=st.integers(0, 2))
    def release(self, reset: bool, which: int) -> None:
        """A request ends."""
        if which < len(self.out):
            self.pool.release(self.out.pop(which), self.now, reset=reset)

    @rule(which=st.integers(0, 2))
    def discard(self, which: int) -> None:
        """A request is abandoned."""
        if which < len(self.out):
            self.pool.discard(self.out.pop(which))

    @rule()
    def sweep(self) -> None:
        """Sweep the idle ones."""
        assert not set(map(id, self.pool.sweep(self.now))) & set(map(id, self.out))

    @invariant()
    def within_limits(self) -> None:
        """The busy ones are those handed out, never over the limit."""
        assert f"0 starting, {len(self.out)} busy" in repr(self.pool)
        assert len(self.out) <= self.limit


class TestPool(Pool.TestCase):  # type: ignore[name-defined,misc]
    """The number of busy ones never exceeds the limit, and no environment is handed out twice."""

    settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("how", ["release", "discard"])
@pytest.mark.parametrize("reserved", [None, 1])
def test_limit_is_given_back(how: str, reserved: int | None) -> None:
    """However a request ends, its place is free again, the function's own or the account's."""
    pool = pool_of(declare.function(reserved_concurrency=reserved), account=1 if reserved is None else 100)
    environment = started(pool, "Consumer", 0.0)
    if how == "release":
        pool.release(environment, 1.0)
    else:
        pool.discard(environment)
    assert isinstance(pool.assign("Consumer", 2.0), Environment)
    assert isinstance(pool.assign("Consumer", 2.0), Throttled)
