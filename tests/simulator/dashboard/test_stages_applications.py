"""What the stages show of applications other than the pipeline: parts, origins and losses of any kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from simulator.base.counters import QueueCounters, StoreCounters, TableCounters
from simulator.dashboard.plain import plain_line
from simulator.dashboard.stages import anchor, dead_letters, losses, stages
from simulator.telemetry.snapshot import FunctionView, LoadView, Snapshot

Application = Callable[..., Snapshot]


def rows_of(snapshot: Snapshot, title: str, height: int) -> list[str]:
    """The labels of a stage's rows at this height."""
    (stage,) = [stage for stage in stages(snapshot) if stage.title == title]
    return ["" if figure is None else str(figure) for figure in stage.rows(height)]


def test_parts_without_room_are_counted(application: Application) -> None:
    """The parts come before the figures of all together; without room, the last row says how many more there are."""
    queues = tuple(f"q{number}" for number in range(7))
    shown = application(queues=queues, consumers=("f",))
    assert rows_of(shown, "SQS 7", 5) == ["q0 94", "q1 94", "q2 94", "q3 94", "and 3 more "]
    assert rows_of(shown, "SQS 7", 6)[-2:] == ["q4 94", "and 2 more "]
    assert rows_of(shown, "SQS 7", 7)[-2:] == ["q5 94", "q6 94"]
    assert rows_of(shown, "SQS 7", 9)[6:] == ["q6 94", "visible 308", "in flight 350"]


def test_a_function_with_errors_shows_them(application: Application) -> None:
    """They take the place of its invocations, in red."""
    shown = application(consumers=("quiet", "a-function-with-a-very-long-name", "broken"))
    (stage,) = [stage for stage in stages(shown) if stage.title == "Lambda 3"]
    assert [(figure.value, figure.tone) for figure in stage.parts] == [
        ("142", "moves"),
        ("12 errors", "lost"),
        ("24 errors", "lost"),
    ]
    one = dataclasses.replace(shown, functions={"quiet": FunctionView(errors=1)})
    assert rows_of(one, "Lambda 3", 1) == ["and 3 more "]
    assert rows_of(one, "Lambda 3", 3)[0] == "quiet 1 error"
    many = {"quiet": FunctionView(errors=2), "broken": FunctionView(errors=12_345)}
    assert rows_of(dataclasses.replace(shown, functions=many), "Lambda 3", 3)[::2] == [
        "quiet 2 errors",
        "broken 12k errors",
    ]


def test_several_schedules_have_their_next_ticks(application: Application) -> None:
    """One that has not fired yet has none; functions that a schedule and nothing else invokes are counted there."""
    schedules = (("rate(1 minute)", "Cleanup"), ("cron(0 8 * * ? *)", "Cleanup"))
    shown = application(options={"schedule": "rate(1 minute)", "speed": 60.0}, schedules=schedules, consumers=("Work",))
    ticked = dataclasses.replace(shown, next_ticks=(shown.at + 6, None))
    assert rows_of(ticked, "EventBridge 2", 4) == [
        "rate(1 minute) 6.0 s",
        "cron(0 8 * * ? *) -",
        "ticks 4",
        "running 0",
    ]
    assert stages(ticked)[0].name == "next in ×60"
    assert rows_of(shown, "EventBridge 2", 2) == ["rate(1 minute) -", "cron(0 8 * * ? *) -"]
    own = dataclasses.replace(ticked, roles=dataclasses.replace(ticked.roles, consumers=("Cleanup",)))
    assert rows_of(own, "EventBridge 2", 4)[2:] == ["ticks 4", ""]


@pytest.mark.parametrize(
    ("options", "title", "figures"),
    [
        ({"messages": 2_000}, "Source", ["messages 2,000", "sent 1,401", "to go 599"]),
        ({"invoked": "Function"}, "Source", ["events 1", "sent 1,401", "to go 0"]),
        ({"objects": 1_500}, "Source", ["objects 1,500", "put 1,401", "to go 99", "size 0 B"]),
        (
            {"objects": 1_500, "invoked": "Function"},
            "Source",
            ["objects 1,500", "events 1", "put 1,401", "to go 100", "size 0 B"],
        ),
        ({}, "Endpoint", ["messages 1,401"]),
    ],
)
def test_what_comes_in_is_the_origin(
    application: Application, options: dict[str, int], title: str, figures: list[str]
) -> None:
    """What the run sends itself, or what somebody else sends."""
    shown = application(options=options, queues=("q",), consumers=("f",))
    assert rows_of(shown, title, 9)[: len(figures) + 1] == [*figures, ""]


@pytest.mark.parametrize(
    ("joined", "name"),
    [
        ((), "send your own"),
        (("schedule>function",), "send your own"),
        (("bucket>queue",), "put your own"),
        (("bucket>queue", "schedule>function"), "put your own"),
    ],
)
def test_somebody_else_sends_to_where_data_enters(application: Application, joined: tuple[str, ...], name: str) -> None:
    """Objects if a bucket notifies anyone, else messages."""
    shown = application(joined, buckets=("b",), queues=("q",), consumers=("f",))
    assert stages(shown)[0].name == name


@pytest.mark.parametrize(
    ("joined", "kinds"),
    [
        (("bucket>queue",), ["anywhere>", "bucket>", "queue>", "function>", "table"]),
        (("bucket>queue", "schedule>bucket"), ["anywhere>", "bucket>", "queue>", "function>", "table"]),
        (("bucket>function",), ["anywhere>", "bucket", "queue>", "function>", "table"]),
        (("schedule>bucket",), ["anywhere>", "queue>", "function>", "table", "bucket"]),
        ((), ["anywhere>", "queue>", "function>", "table", "bucket"]),
    ],
)
def test_a_stage_leads_where_its_data_go(application: Application, joined: tuple[str, ...], kinds: list[str]) -> None:
    """A bucket that notifies nobody is written to, and comes last."""
    shown = application(joined, buckets=("b",), queues=("q",), consumers=("f",), tables=("t",))
    assert [stage.kind + ">" * stage.leads for stage in stages(shown)] == kinds


def test_what_a_template_does_not_have_has_no_stage(application: Application) -> None:
    """Nor does a stage have the pipeline's own figures."""
    shown = application({"bucket>function"}, buckets=("b",), consumers=("f",), tables=("t",))
    assert [stage.kind for stage in stages(shown)] == ["anywhere", "bucket", "function", "table"]
    labels = {figure.label for stage in stages(shown) for figure in stage.figures}
    assert not labels & {"last tick", "rejected", "writes/s", "refused"}
    assert {"puts/s", "takes", "units/s"} <= labels


def test_what_gives_up_to_the_dead_letter_queues(application: Application) -> None:
    """The queues, without any the functions; without either, the first stage keeps the place."""
    assert anchor(stages(application({"bucket>queue"}, buckets=("b",), queues=("q",), consumers=("f",)))) == 2
    assert anchor(stages(application({"bucket>function"}, buckets=("b",), consumers=("f",)))) == 2
    assert anchor(stages(application(consumers=("f",)))) == 1
    assert anchor(stages(application(consumers=(), tables=("t",)))) == 0


def test_dead_letter_queues_with_messages_come_first(shop: Snapshot) -> None:
    """Names lose how most of them begin; where that is not most of them, they are whole."""
    dead = dead_letters(shop)
    assert dead is not None
    assert dead.name == "…RefundDLQ, …OrderPlacedDLQ"


@pytest.mark.parametrize(
    ("queues", "consumer", "tables", "name"),
    [
        (("dev-in",), "dev-f", ("t", "u"), "dev-f"),
        (("dev-in",), "dev-f", ("t",), "…f"),
        (("dev_in",), "dev_f", ("t",), "…f"),
        (("dev-shop-in",), "dev-shop-f", ("dev-t",), "…f"),
        (("dev-in", "dev-out"), "dev-shop-f", ("dev-t",), "…shop-f"),
    ],
)
def test_a_name_loses_how_most_begin(
    application: Application, queues: tuple[str, ...], consumer: str, tables: tuple[str, ...], name: str
) -> None:
    """More than half of all: as many of its leading words as that."""
    shown = application(queues=queues, consumers=(consumer,), tables=tables)
    assert next(stage.name for stage in stages(shown) if stage.kind == "function") == name


def test_a_table_shows_as_many_rows_as_nine_cells_hold(application: Application) -> None:
    """In all, and each of several."""
    shown = application(consumers=("f",), tables=("t", "u"))
    for rows, said in ((1_234_567, "1,234,567"), (12_345_678, "12.35M")):
        tables = {"t": TableCounters(rows), "u": TableCounters(0)}
        store = StoreCounters(shown.at, tables=tables)
        counted = dataclasses.replace(shown, store=store, table=TableCounters(rows))
        assert rows_of(counted, "DynamoDB 2", 3) == [f"t {said}", "u 0", f"items {said}"]


def test_losses_are_those_of_any_application(application: Application) -> None:
    """No rows are rejected; events that were given up are lost, and so are the errors of every function."""
    shown = dataclasses.replace(application(queues=("q",), consumers=("f", "g")), events_given_up=3)
    assert [(loss.label, loss.value) for loss in losses(shown)] == [
        ("dead-lettered", "1"),
        ("failed events", "3"),
        ("errors", "12"),
    ]
    assert plain_line(shown).endswith(" dead_lettered=1 lost=16")
    loaded = dataclasses.replace(shown, load=LoadView(target="twin", dropped=7))
    assert [loss.label for loss in losses(loaded)] == ["dead-lettered", "failed events", "dropped", "errors"]


def test_several_functions_have_no_limit_in_common(application: Application) -> None:
    """The limit of one does not bound them all; that of a single one is shown."""
    for consumers, busy in ((("f",), "busy 3/2"), (("f", "g"), "busy 3")):
        shown = application(queues=("q",), consumers=consumers)
        shown = dataclasses.replace(shown, roles=dataclasses.replace(shown.roles, concurrency_limit=2))
        assert str(next(stage for stage in stages(shown) if stage.kind == "function").figures[0]) == busy


def test_a_queue_that_waits_is_yellow(application: Application) -> None:
    """One whose messages are all in flight moves, and an empty one is plain."""
    shown = application(queues=("waits", "moves", "empty"), consumers=("f",))
    queues = {"waits": QueueCounters(1, 2), "moves": QueueCounters(0, 2)}
    shown = dataclasses.replace(shown, store=StoreCounters(shown.at, queues=queues))
    (stage,) = [stage for stage in stages(shown) if stage.title == "SQS 3"]
    assert [(figure.value, figure.tone) for figure in stage.parts] == [("3", "grows"), ("2", "moves"), ("0", "plain")]


def test_a_load_test_enters_where_its_arrivals_do(application: Application) -> None:
    """Messages enter at the queue, where an arrow leads; they are done, not stored."""
    load = LoadView(target="twin", unit="message", rate_planned=80.0, rate_stored=60.0)
    shown = dataclasses.replace(application(queues=("q",), consumers=("f",)), load=load)
    assert rows_of(shown, "Arrivals", 6)[-1] == "done/s 60"
    assert stages(shown)[0].leads
    assert not stages(application(("bucket>queue",), buckets=("b",), queues=("q",), consumers=("f",)))[-1].leads
