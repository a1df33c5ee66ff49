"""Which functions and resources the figures of a run are about."""

from __future__ import annotations

from typing import Any

from fakes import declare
from simulator.stack.model import Bucket, Notification, Redrive, Schedule, Stack
from simulator.stack.template import load
from simulator.stack.wiring import flow
from simulator.telemetry.functions import together
from simulator.telemetry.roles import consumers, generators, roles
from simulator.telemetry.snapshot import FunctionView


def schedule(function: str, *, enabled: bool = True) -> Schedule:
    """A schedule that fires a function."""
    return Schedule(f"{function}Tick", "tick", function, "rate(1 minute)", "rule", "arn", enabled=enabled)


def application(**changes: Any) -> Stack:
    """Functions behind a schedule, a queue and a bucket, and one that nothing invokes."""
    functions = {name: declare.function(name) for name in ("Tick", "Worker", "Reader", "Idle")}
    queue = declare.queue("Work", redrive=Redrive("Dead", 3))
    plain: dict[str, Any] = {
        "functions": functions,
        "queues": {"Work": queue, "Dead": declare.queue("Dead"), "Output": declare.queue("Output")},
        "mappings": {"Mapping": declare.mapping(queue="Work", function="Worker", maximum_concurrency=7)},
        "buckets": {"In": Bucket("In", "in", "arn", notifications=(Notification("Reader", ("s3:ObjectCreated:*",)),))},
        "schedules": {"TickTick": schedule("Tick")},
    }
    return declare.stack(**plain | changes)


def test_consumers_are_behind_a_queue_or_a_bucket() -> None:
    """A function that only a schedule invokes generates; one that nothing invokes has no role."""
    stack = application()
    assert consumers(stack, flow(stack)) == ("Worker", "Reader")
    assert generators(stack, flow(stack)) == ("Tick",)


def test_without_a_queue_and_a_bucket_the_scheduled_functions_are_the_consumers() -> None:
    """A disabled schedule invokes nothing."""
    stack = application(
        mappings={}, buckets={}, schedules={"T": schedule("Tick"), "I": schedule("Idle", enabled=False)}
    )
    assert consumers(stack, flow(stack)) == ("Tick",)
    assert generators(stack, flow(stack)) == ()


def test_queues_are_polled_or_given_up_to() -> None:
    """A queue that is only written to has no role; a dead-letter queue that is polled is a queue like others."""
    stack = application()
    shown = roles(stack, flow(stack))
    assert (shown.queues, shown.dead_letter_queues, shown.buckets) == (("Work",), ("Dead",), ("in",))
    assert (shown.schedules, shown.concurrency_limit) == ((("rate(1 minute)", "Tick"),), 7)
    polled = application(
        mappings={
            "Mapping": declare.mapping(queue="Work", function="Worker"),
            "Again": declare.mapping(logical_id="Again", queue="Dead", function="Reader"),
        }
    )
    shown = roles(polled, flow(polled))
    assert (shown.queues, shown.dead_letter_queues) == (("Work", "Dead"), ())


def test_the_pipeline_has_one_of_each() -> None:
    """Its generator is no consumer although a schedule invokes it."""
    stack = load()
    assert consumers(stack, flow(stack)) == ("ConsumerLambda",)
    assert generators(stack, flow(stack)) == ("GeneratorLambda",)


def test_several_functions_are_one_in_figures() -> None:
    """Counts add up, means are weighed by what ended, and one function keeps its own figures."""
    one = FunctionView(invocations=3, ended=2, errors=1, busy=1, batch_mean=4.0, metrics={"A": 1.0})
    other = FunctionView(invocations=5, ended=4, duration_mean_s=0.5, batch_mean=1.0, metrics={"A": 2.0, "B": 1.0})
    assert together([one]) is one
    assert together([]) == FunctionView()
    whole = together([one, other])
    assert (whole.invocations, whole.errors, whole.busy, whole.batch_mean) == (8, 1, 1, 2.0)
    assert (whole.duration_mean_s, whole.concurrency, whole.metrics) == (0.5, None, {"A": 3.0, "B": 1.0})
