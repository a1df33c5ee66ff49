"""What of a stack a run's figures are about, and where the template leads data."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from simulator.base.observations import PhaseChanged, TickFired
from simulator.stack import template
from simulator.stack.model import Notification, Stack
from simulator.stack.wiring import flow
from simulator.telemetry import Telemetry
from simulator.telemetry.roles import roles
from simulator.telemetry.snapshot import Roles, RunOptions

PIPELINE = template.load()


def application(variables: dict[str, str], **changes: Any) -> Stack:
    """The pipeline's parts under other names: `Feeder` is scheduled and has these variables, `Worker` is polled."""
    feeder = dataclasses.replace(PIPELINE.functions["GeneratorLambda"], logical_id="Feeder", environment=variables)
    worker = dataclasses.replace(PIPELINE.functions["ConsumerLambda"], logical_id="Worker", is_own=False)
    ((name, schedule),) = PIPELINE.schedules.items()
    ((key, mapping),) = PIPELINE.mappings.items()
    plain = {
        "functions": {"Feeder": feeder, "Worker": worker},
        "schedules": {name: dataclasses.replace(schedule, function="Feeder")},
        "mappings": {key: dataclasses.replace(mapping, function="Worker")},
    }
    return dataclasses.replace(PIPELINE, **{**plain, **changes})


def roles_of(stack: Stack) -> Roles:
    """What its figures are about."""
    return roles(stack, flow(stack))


QUEUE = PIPELINE.queues["StockQueue"].name
((BUCKET_ID, BUCKET),) = PIPELINE.buckets.items()


@pytest.mark.parametrize(
    ("variables", "fed"),
    [
        ({"BUCKET": BUCKET.name}, {("schedule", "bucket")}),
        ({"QUEUE_URL": f"http://127.0.0.1:1/123456789012/{QUEUE}"}, {("schedule", "queue")}),
        ({"BUCKET": "another"}, set()),
    ],
)
def test_a_scheduled_function_feeds_what_its_variables_name(
    variables: dict[str, str], fed: set[tuple[str, str]]
) -> None:
    """By name or URL; one that names nothing only tidies up."""
    assert roles_of(application(variables)).joined == {("bucket", "queue"), *fed}


def test_a_bucket_leads_to_whom_it_notifies() -> None:
    """To queues, to functions, or to nobody."""
    direct = dataclasses.replace(BUCKET, notifications=(Notification("Worker", ("s3:ObjectCreated:*",)),))
    assert roles_of(application({}, buckets={BUCKET_ID: direct})).joined == {("bucket", "function")}
    silent = dataclasses.replace(BUCKET, notifications=())
    assert roles_of(application({}, buckets={BUCKET_ID: silent})).joined == set()


def test_a_schedule_leads_to_the_functions_that_process() -> None:
    """Where nothing else invokes any, these are the scheduled ones."""
    alone = application({}, mappings={}, buckets={})
    assert roles_of(alone).joined == {("schedule", "function")}
    assert roles_of(alone).consumers == (PIPELINE.functions["GeneratorLambda"].name,)


def test_a_scheduled_function_that_the_run_invokes_processes() -> None:
    """It is not drawn as a generator of what its variables name as well."""
    stack = application({"BUCKET": BUCKET.name})
    assert roles(stack, flow(stack), "Feeder").joined == {("bucket", "queue"), ("schedule", "function")}


def test_without_a_trigger_all_functions_count() -> None:
    """An event that the user sends invokes one of them."""
    assert len(roles_of(application({}, mappings={}, buckets={}, schedules={})).consumers) == 2


def test_the_next_tick_is_the_first_of_all_schedules() -> None:
    """Each schedule has its own, in the template's order; after its last one, and in a drain, it has none."""
    ((name, schedule),) = PIPELINE.schedules.items()
    three = {key: dataclasses.replace(schedule, logical_id=key) for key in (name, "Hourly", "Never")}
    telemetry = Telemetry(dataclasses.replace(PIPELINE, schedules=three), RunOptions("simulate", 7, "inline", 1000.0))
    telemetry.record(TickFired(1001.0, "Hourly", "GeneratorLambda", 0, 4600.0))
    telemetry.record(TickFired(1002.0, name, "GeneratorLambda", 0, 1062.0))
    shown = telemetry.snapshot(1003.0)
    assert (shown.next_ticks, shown.next_tick_at, shown.ticks) == ((1062.0, 4600.0, None), 1062.0, 2)
    telemetry.record(TickFired(1062.0, name, "GeneratorLambda", 1, None))
    assert telemetry.snapshot(1063.0).next_tick_at == 4600.0
    telemetry.record(PhaseChanged(1064.0, "draining"))
    drained = telemetry.snapshot(1065.0)
    assert (drained.next_ticks, drained.next_tick_at) == ((), None)
