"""What each stage of the flow shows, and in which tone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from simulator.base.counters import QueueCounters, TableCounters
from simulator.dashboard.stages import NARROW_FIGURES, Figure, dead_letters, losses, stages
from simulator.telemetry.snapshot import FunctionView, RunOptions, Snapshot

NOTHING = Snapshot(100.0, RunOptions("simulate", 0, "inline", 100.0))


def said(figures: tuple[Figure, ...]) -> str:
    """Labels and values; a sign before those whose tone is not plain."""
    signs = {"plain": "", "moves": ">", "grows": "+", "lost": "!"}
    return ", ".join(f"{signs[figure.tone]}{figure.label} {figure.value}" for figure in figures)


def origin(snapshot: Snapshot, **options: Any) -> tuple[str, str, str]:
    """The first stage's title, name and figures."""
    stage = stages(dataclasses.replace(snapshot, options=dataclasses.replace(snapshot.options, **options)))[0]
    return stage.title, stage.name, said(stage.figures)


def test_a_schedule_is_the_origin(snapshot: Snapshot) -> None:
    """Its expression with the speed it runs at, when it fires next, and how its function does."""
    assert origin(snapshot) == (
        "EventBridge",
        "rate(1 minute) ×5",
        "next in 6.0 s, ticks 4, running 0, takes 310 ms, failed 0, cold starts 1, throttles 0",
    )
    ailing = dataclasses.replace(
        snapshot, next_tick_at=None, generator=FunctionView(busy=1, errors=2, cold_starts=3, throttles=4)
    )
    assert origin(ailing, speed=1.0, ticks=9) == (
        "EventBridge",
        "rate(1 minute)",
        "next in -, ticks 4/9, >running 1, takes -, !failed 2, cold starts 3, +throttles 4",
    )
    assert origin(snapshot, speed=2.0)[1] == "rate(1 minute) ×2"


def test_real_files_are_the_origin(snapshot: Snapshot) -> None:
    """How many are there, put and still to go; once all are put nothing moves."""
    files = {"schedule": None, "objects": 9}
    halfway = dataclasses.replace(snapshot, puts=7, put_bytes=8_000)
    assert origin(halfway, **files) == ("Source", "real files", "objects 9, >put 7, to go 2, size 8.00 kB")
    done = dataclasses.replace(halfway, puts=9)
    assert origin(done, **files)[2] == "objects 9, put 9, to go 0, size 8.00 kB"
    assert origin(dataclasses.replace(halfway, puts=10), **files)[2].startswith("objects 9, put 10, to go 0, ")


def test_whoever_uses_the_endpoint_is_the_origin(snapshot: Snapshot) -> None:
    """Without a schedule or files, what was put is all there is to say."""
    assert origin(snapshot, schedule=None) == ("No schedule", "put your own", "objects 1,401")


@pytest.mark.parametrize(("lag_s", "lag"), [(None, "lag p99 -"), (0.1, "lag p99 100 ms"), (0.11, "+lag p99 110 ms")])
def test_arrivals_are_the_origin_of_a_load_test(load_snapshot: Snapshot, lag_s: float | None, lag: str) -> None:
    """Planned against sent and stored; a generator that lags more than a tenth of a second stands out."""
    assert load_snapshot.load is not None
    view = dataclasses.replace(load_snapshot.load, lag_s=lag_s)
    assert origin(dataclasses.replace(load_snapshot, load=view)) == (
        "Arrivals",
        "target store",
        f"planned/s 80, >sent/s 80, sent 3,360, !dropped 12, {lag}, >stored/s 60",
    )


def test_a_busy_pipeline(snapshot: Snapshot, load_snapshot: Snapshot) -> None:
    """Every figure of the other four stages; a load test has no ticks, and its reads are not only the run's."""
    function = dataclasses.replace(snapshot.consumer, concurrency=None)
    roles = dataclasses.replace(snapshot.roles, concurrency_limit=None)
    table = TableCounters(rows=12_345_678, unprocessed_items=5, throttled_requests=6)
    queue = dataclasses.replace(snapshot.queue, delayed=7)
    busy = dataclasses.replace(snapshot, consumer=function, roles=roles, table=table, queue=queue)
    assert [(stage.title, stage.name, said(stage.figures)) for stage in stages(busy)[1:]] == [
        (
            "S3",
            *roles.buckets,
            "objects 1,401, holds 8.69 MB, >puts/s 70, last tick 350, !rejected 3, puts 1,401, gets 1,420",
        ),
        (
            "SQS",
            "StockQueue",
            "+visible 44, >in flight 50, delayed 7, oldest 6.20 s, received/s 36, deleted/s 36",
        ),
        (
            "Lambda",
            "ConsumerLambda",
            ">busy 5, warm 1, cold starts 6, !errors 2, +throttles 3, takes 84 ms, batch 9.8",
        ),
        (
            "DynamoDB",
            "StockData",
            "rows 12.35M, >rows/s 3,600, >writes/s 144, units/s 3,600, +refused 0.2 %, +unprocessed 5, +throttled 6",
        ),
    ]
    s3 = said(stages(load_snapshot)[1].figures)
    assert s3 == "objects 1,401, holds 8.69 MB, >puts/s 70, !rejected 3, puts 1,401"


def test_the_smallest_screen_shows_what_was_refused(snapshot: Snapshot) -> None:
    """Of each stage, the last figure for which there is always room is one of what went wrong.

    Of the queue that is the dead-letter queue, which takes the place of its last figure.
    """
    last = [stage.figures[NARROW_FIGURES - 1].label for stage in stages(snapshot)]
    assert last == ["failed", "rejected", "received/s", "throttles", "refused"]


def test_the_dead_letter_queue_shows_what_is_in_it_now(snapshot: Snapshot) -> None:
    """In red if that is something; a template without one has no such stage."""
    dead = dead_letters(snapshot)
    assert dead is not None
    assert (dead.title, dead.name, said(dead.figures)) == ("DLQ", "StockDLQ", "!in DLQ 1")
    emptied = dead_letters(dataclasses.replace(snapshot, dead_letter_queue=QueueCounters(sent=1)))
    assert emptied is not None
    assert said(emptied.figures) == "in DLQ 0"
    assert dead_letters(NOTHING) is None


def test_an_idle_pipeline() -> None:
    """At zero everything has its place, and nothing stands out."""
    assert [said(stage.figures) for stage in stages(NOTHING)] == [
        "objects 0",
        "objects 0, holds 0 B, puts/s 0, last tick -, rejected 0, puts 0, gets 0",
        "visible 0, in flight 0, delayed 0, oldest -, received/s 0, deleted/s 0",
        "busy 0, warm 0, cold starts 0, errors 0, throttles 0, takes -, batch -",
        "rows 0, rows/s 0, writes/s 0, units/s 0, refused 0.0 %, unprocessed 0, throttled 0",
    ]
    assert [stage.leads for stage in stages(NOTHING)] == [True, True, True, True, False]


def test_the_pipelines_names_are_shown_whole(snapshot: Snapshot) -> None:
    """Even if most of them begin alike."""
    names = {kind: (f"dev-{kind}",) for kind in ("buckets", "queues", "consumers", "tables")}
    alike = dataclasses.replace(snapshot, roles=dataclasses.replace(snapshot.roles, **names))
    assert [stage.name for stage in stages(alike)[1:]] == [name for (name,) in names.values()]


@pytest.mark.parametrize(
    ("concurrency", "limit", "busy"),
    [(5, 7, "busy 0/5"), (None, 7, "busy 0/7"), (None, None, "busy 0")],
)
def test_the_bound_of_a_function(concurrency: int | None, limit: int | None, busy: str) -> None:
    """What is known while it runs comes before the template's bound."""
    roles = dataclasses.replace(NOTHING.roles, concurrency_limit=limit)
    consumer = FunctionView(concurrency=concurrency)
    lambda_stage = stages(dataclasses.replace(NOTHING, roles=roles, consumer=consumer))[3]
    assert said(lambda_stage.figures).startswith(f"{busy}, ")


def test_figures_know_what_they_count() -> None:
    """A count can be written shorter where there is less room; a rate cannot."""
    assert Figure.of("rows", 12_345) == Figure("rows", "12,345", "plain", 12_345)
    assert Figure.of("rows", 1_234_567, "lost", width=9) == Figure("rows", "1,234,567", "lost", 1_234_567)
    assert Figure.rate("rows/s", 12.0) == Figure("rows/s", "12", "moves", None)


def test_losses_are_named_even_at_zero(snapshot: Snapshot, load_snapshot: Snapshot) -> None:
    """A load test can drop arrivals where a schedule's function can fail; a defect of ours is named if there is one."""
    assert said(losses(NOTHING)) == "dead-lettered 0, rejected rows 0, failed ticks 0, errors 0"
    failed = dataclasses.replace(snapshot, generator=FunctionView(errors=4), folding_errors=1)
    assert said(losses(failed)) == "!dead-lettered 1, !rejected rows 3, !failed ticks 4, !errors 2, !not counted 1"
    assert said(losses(load_snapshot)) == "!dead-lettered 1, !rejected rows 3, !dropped 12, !errors 2"
