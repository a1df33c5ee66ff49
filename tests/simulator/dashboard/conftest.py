"""A snapshot of a busy run, made by arithmetic, and the comparison with golden text."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.templates import own_stack
from simulator.base.counters import (
    BucketCounters,
    OperationCounters,
    QueueCounters,
    StoreCounters,
    TableCounters,
    together,
)
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import (
    Event,
    FunctionView,
    History,
    Latency,
    LoadView,
    Maxima,
    Rates,
    Roles,
    RunOptions,
    Snapshot,
)

BEGAN_AT = 1_700_000_000.0
SLOTS = 168
_TICK_SLOTS = 48

BUSY = FunctionView(
    invocations=142, ended=137, busy=3, environments=4, cold_starts=4, duration_mean_s=0.084, batch_mean=9.8
)
Application = Callable[..., Snapshot]
CAPTION = "The queue is deep, and the table does not notice. It is written at the pace that two consumers keep."


@pytest.fixture
def snapshot() -> Snapshot:
    """Forty-two seconds into a minute: four ticks, a queue that swelled and drained with each, one poisoned object."""
    options = RunOptions(
        "simulate", 7, "inline", BEGAN_AT - 1, "http://127.0.0.1:41233", "rate(1 minute)", 5.0, 60.0, scenario="burst"
    )
    phase = [slot % _TICK_SLOTS for slot in range(SLOTS)]
    visible = tuple(max(0, 350 - 9 * place) for place in phase)
    in_flight = tuple(
        50 if depth else max(0, 50 - 8 * (place - 39)) for depth, place in zip(visible, phase, strict=True)
    )
    rows = tuple(900.0 if place < 44 else 0.0 for place in phase)
    heat = tuple(_bands(min(7, place // 6), 9) if place < 44 else (0,) * 8 for place in phase)
    ticks = tuple(BEGAN_AT + slot / 4 for slot in range(0, SLOTS, _TICK_SLOTS))
    table = TableCounters(
        rows=131_400,
        rows_written=131_400,
        rows_per_s_max=4105,
        first_write_at=BEGAN_AT + 0.4,
        last_write_at=BEGAN_AT + 42,
        batch_writes=5_256,
        write_units=131_400.0,
    )
    bucket = BucketCounters(1_401, 8_690_000, 1_401, BEGAN_AT + 0.1, BEGAN_AT + 36.3)
    queue = QueueCounters(44, 50, 0, 6.2, 1_401, 1_420, 1_306, 1)
    return Snapshot(
        at=BEGAN_AT + 42.0,
        options=options,
        roles=_roles(),
        phase="running",
        running_at=BEGAN_AT,
        first_at=BEGAN_AT,
        ticks=4,
        next_tick_at=BEGAN_AT + 48.0,
        last_written=(350, 35_000),
        generator=FunctionView(invocations=4, ended=4, cold_starts=1, environments=1, duration_mean_s=0.31),
        consumer=FunctionView(
            invocations=142,
            ended=137,
            errors=2,
            timeouts=1,
            throttles=3,
            left=5,
            cold_starts=6,
            busy=5,
            busy_max=6,
            environments=6,
            concurrency=5,
            batch_mean=9.8,
            duration_mean_s=0.084,
            metrics={"RowsRejected": 3.0},
        ),
        store=StoreCounters(BEGAN_AT + 42, operations={"s3.GetObject": OperationCounters(1_420)}),
        bucket=bucket,
        queue=queue,
        dead_letter_queue=QueueCounters(visible=1, sent=1),
        table=table,
        rates=Rates(
            rows=3_600.0,
            batch_writes=144.0,
            write_units=3_600.0,
            throttled_share=0.002,
            puts=70.0,
            received=36.4,
            deleted=36.0,
        ),
        maxima=Maxima(visible=350, in_flight=50, oldest_age_s=9.1, depth=400, depth_at=BEGAN_AT + 36.1),
        latency=Latency(1_306, p50=0.31, p90=0.842, p99=8.04, max=9.5),
        history=History(BEGAN_AT, 0.25, BEGAN_AT + 42.0, visible, in_flight, rows, heat, ticks),
        events=(
            Event(BEGAN_AT + 0.8, "ConsumerLambda environment 6: cold start 212 ms", count=6),
            Event(BEGAN_AT + 30.2, "moved from StockQueue to its dead-letter queue: received too often", "lost"),
            Event(BEGAN_AT + 36.2, "GeneratorLambda wrote 350 objects, 35,000 rows", "moves"),
            Event(BEGAN_AT + 41.2, CAPTION, "moves"),
        ),
        caption=Event(BEGAN_AT + 41.2, CAPTION, "moves"),
    )


@pytest.fixture
def load_snapshot(snapshot: Snapshot) -> Snapshot:
    """The same as a load test of 80 objects a second, of which 60 are stored."""
    load = LoadView(
        target="store",
        origin_at=BEGAN_AT,
        slot_s=1.0,
        planned=(80.0,) * 60,
        stored=(60.0,) * 42,
        heat=tuple(_bands(min(7, second // 5), 60) for second in range(42)),
        objects=4_800,
        sent=3_360,
        dropped=12,
        lag_s=0.0013,
        rate_planned=80.0,
        rate_sent=79.8,
        rate_stored=60.0,
        latency=Latency(2_520, p50=3.1, p90=7.2, p99=9.8, max=11.0),
        verdict="store CPU 96 %: you are measuring the store, not the handlers",
        verdict_tone="grows",
    )
    options = dataclasses.replace(snapshot.options, command="load-test", schedule=None, scenario=None)
    return dataclasses.replace(snapshot, load=load, options=options, caption=None)


@pytest.fixture
def application(snapshot: Snapshot) -> Application:
    """`application(joined, options, **names)`: a run of an application with parts of these names, all of them busy."""

    def build(joined: tuple[str, ...] = (), options: Any = None, **names: Any) -> Snapshot:
        began_at = snapshot.began_at
        held: Any = {
            "buckets": {name: BucketCounters(140, 8_690_000, 140) for name in names.get("buckets", ())},
            "queues": {name: QueueCounters(44, 50, 0, 6.2, 1_401, 1_420, 1_306, 1) for name in names.get("queues", ())},
            "tables": {
                name: TableCounters(1_304, 1_304, 41, began_at + 0.4, began_at + 42) for name in names.get("tables", ())
            },
        }
        letters = {name: QueueCounters(place) for place, name in enumerate(names.get("dead_letter_queues", ()))}
        functions = {name: dataclasses.replace(BUSY, errors=12 * at) for at, name in enumerate(names["consumers"])}
        steps = frozenset((giver, taker) for giver, taker in (step.split(">") for step in joined))
        plain = {"scenario": None, "schedule": None, "duration_s": None, "speed": 1.0}
        return dataclasses.replace(
            snapshot,
            roles=Roles(**names, is_pipeline=False, joined=steps),
            options=dataclasses.replace(snapshot.options, **{**plain, **(options or {})}),
            store=StoreCounters(snapshot.at, **{**held, "queues": {**held["queues"], **letters}}),
            bucket=together(BucketCounters, held["buckets"].values()),
            queue=together(QueueCounters, held["queues"].values()),
            table=together(TableCounters, held["tables"].values()),
            dead_letter_queue=together(QueueCounters, letters.values()),
            functions=functions,
            consumer=dataclasses.replace(BUSY, errors=sum(each.errors for each in functions.values())),
            generator=FunctionView(),
            rates=Rates(rows=36.0, write_units=36.0, received=36.4, deleted=36.0, puts=3.0),
            latency=Latency(1_306, p50=0.031, p90=0.084, p99=0.8, max=0.95),
            caption=None,
            events=(Event(began_at + 36.2, "RefundFunction failed: KeyError: 'total'", "lost", 12),),
            puts=1_401,
        )

    return build


@pytest.fixture
def shop(application: Application) -> Snapshot:
    """Three queues with two dead-letter queues, three functions, two tables."""
    return application(
        queues=tuple(f"shop-dev-{name}Queue" for name in ("OrderPlaced", "Refund", "Mail")),
        dead_letter_queues=("shop-dev-OrderPlacedDLQ", "shop-dev-RefundDLQ"),
        consumers=tuple(f"shop-dev-{name}Function" for name in ("OrderPlaced", "Refund", "Mail")),
        tables=("Orders", "Refunds"),
    )


@pytest.fixture
def orders(application: Application) -> Snapshot:
    """Messages of the user's own through a queue and a function to a table."""
    return application(
        options={"messages": 2_000},
        queues=("shop-OrdersQueue",),
        dead_letter_queues=("shop-OrdersDLQ",),
        consumers=("shop-OrdersFunction",),
        tables=("shop-Orders",),
    )


@functools.cache
def _roles() -> Roles:
    """Of the pipeline's own template, which takes longer to read than a test to run."""
    options = RunOptions("simulate", 7, "inline", BEGAN_AT)
    return Telemetry(own_stack(), options).snapshot(BEGAN_AT).roles


def _bands(band: int, objects: int) -> tuple[int, ...]:
    counts = [0] * 8
    counts[band] += objects - objects // 3
    counts[max(0, band - 1)] += objects // 3
    return tuple(counts)


@pytest.fixture
def golden() -> Callable[[str, str], Any]:
    """`golden(name, text)`: the text is what the file says. WRITE_GOLDEN=1 writes the files anew, to be looked at."""

    def compare(name: str, text: str) -> None:
        file = Path(__file__).with_name("golden") / name
        if os.environ.get("WRITE_GOLDEN"):
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")

    return compare
