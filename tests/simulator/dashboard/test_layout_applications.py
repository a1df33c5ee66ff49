"""Frames of applications other than the pipeline: the kinds that they have, and several parts of a kind in one box."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters, together
from simulator.dashboard import render
from simulator.dashboard.description import described
from simulator.dashboard.plain import plain_line
from simulator.dashboard.stages import losses, stages
from simulator.dashboard.words import progress
from simulator.telemetry.snapshot import Event, FunctionView, Latency, LoadView, Rates, Roles, Snapshot

NAMES = ("shop-OrderPlaced", "shop-Refund", "shop-NotificationThatHasALongName")
BUSY = FunctionView(
    invocations=142, ended=137, busy=3, environments=4, cold_starts=4, duration_mean_s=0.084, batch_mean=9.8
)
PARTS = {"S3": "buckets", "SQS": "queues", "DLQ": "dead_letter_queues", "Lambda": "consumers", "DynamoDB": "tables"}
Application = Callable[..., Snapshot]


def text(snapshot: Snapshot, width: int, height: int) -> str:
    """A frame's lines without styles."""
    lines = render(snapshot, width, height).lines
    return "".join("".join(segment.text for segment in line) + "\n" for line in lines)


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


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 45)])
def test_one_queue_one_function_one_table(
    orders: Snapshot, golden: Callable[[str, str], Any], width: int, height: int
) -> None:
    """The whole frame has four stages, and no hole where the pipeline has its bucket."""
    golden(f"orders-{width}x{height}.txt", text(orders, width, height))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 45)])
def test_several_of_each_kind(shop: Snapshot, golden: Callable[[str, str], Any], width: int, height: int) -> None:
    """The whole frame has a row per part, and the figures of all together below."""
    golden(f"shop-{width}x{height}.txt", text(shop, width, height))


counts = st.integers(0, 3)


@given(
    parts=st.fixed_dictionaries(
        {
            "buckets": counts,
            "queues": counts,
            "dead_letter_queues": counts,
            "tables": counts,
            "consumers": st.integers(1, 3),
        }
    ),
    schedules=counts,
    joined=st.sets(st.sampled_from(["schedule>bucket", "schedule>function", "bucket>queue", "bucket>function"])),
    width=st.integers(40, 220),
    height=st.integers(16, 70),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_combination_has_its_frame(
    application: Application, parts: dict[str, int], schedules: int, joined: set[str], width: int, height: int
) -> None:
    """It is exact, has each kind that is there once with its number of parts, and cuts no name without an ellipsis."""
    expressions = tuple((f"rate({number + 1} minutes)", "Ticked") for number in range(schedules))
    shown = application(
        tuple(joined),
        {"schedule": "rate(1 minute)" if schedules else None},
        schedules=expressions,
        **{kind: NAMES[:number] for kind, number in parts.items()},
    )
    frame = text(shown, width, height)
    lines = frame.splitlines()
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}
    assert described(shown)
    assert plain_line(shown).isascii()
    words = " ".join(lines[2:20]).split()
    for title, kind in PARTS.items():
        number = parts[kind]
        if number == 0:
            assert title not in words or (title == "DLQ" and "no" in words)
            continue
        assert words.count(title) == 1
        assert number == 1 or words[words.index(title) + 1] == str(number)
    whole = {*NAMES, *(name.removeprefix("shop-") for name in NAMES), *(f"…{name[5:]}" for name in NAMES)}
    for word in (word.strip("│├╮╯,▶") for word in words):
        starts = [name for name in whole if len(word) > 5 and name.startswith(word)]
        assert not starts or word in whole or word.endswith("…"), word


@pytest.mark.parametrize(
    ("joined", "options", "arrows"),
    [
        (["bucket>queue"], {"objects": 9}, [True, True, True, True]),
        (["bucket>function"], {"objects": 9}, [True, False, True, True]),
        (["bucket>queue"], {"messages": 9}, [False, True, True, True]),
        (["bucket>queue", "schedule>bucket"], {"schedule": "rate(1 minute)"}, [True, True, True, True]),
        (["bucket>queue", "schedule>function"], {"schedule": "rate(1 minute)"}, [False, True, True, True]),
        (["bucket>queue"], {}, [True, True, True, True]),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 45)])
def test_there_is_an_arrow_only_where_data_goes(
    application: Application,
    joined: tuple[str, ...],
    options: dict[str, Any],
    arrows: list[bool],
    width: int,
    height: int,
) -> None:
    """Between neighbours that the template joins, and from what comes in to where it enters."""
    one = dict.fromkeys(("buckets", "queues", "consumers", "tables"), ("shop",))
    lines = text(application(joined, options, **one), width, height).splitlines()
    titles = lines[2] if height < 30 else lines[3]
    places = [titles.index(title) for title in ("S3", "SQS", "Lambda", "DynamoDB")]
    row = lines[2] if height < 30 else lines[6]
    shown = ["▶" in row[before:place] for before, place in itertools.pairwise([0, *places])]
    assert shown == arrows


def test_a_bucket_that_notifies_nobody_comes_last(application: Application) -> None:
    """Functions write to it; between it and the tables there is no arrow."""
    shown = application(buckets=("out",), queues=("in",), consumers=("f",))
    titles = text(shown, 80, 24).splitlines()[2].split()
    assert [word for word in titles if "▶" not in word] == ["Endpoint", "SQS", "Lambda", "S3"]
    assert len(titles) == 7
    both = application(buckets=("out",), queues=("in",), consumers=("f",), tables=("t",))
    assert text(both, 80, 24).splitlines()[2].rstrip().endswith("▶ DynamoDB        S3")


def rows_of(snapshot: Snapshot, title: str, height: int) -> list[str]:
    """The labels of a stage's rows at this height."""
    (stage,) = [stage for stage in stages(snapshot) if stage.title == title]
    return ["" if figure is None else str(figure) for figure in stage.rows(height)]


def test_parts_without_room_are_counted(application: Application) -> None:
    """The parts come before the figures of all together; without room, the last row says how many more there are."""
    queues = tuple(f"q{number}" for number in range(7))
    shown = application(queues=queues, consumers=("f",))
    assert rows_of(shown, "SQS 7", 5) == ["q0 94", "q1 94", "q2 94", "q3 94", "and 3 more "]
    assert rows_of(shown, "SQS 7", 9)[6:] == ["q6 94", "visible 308", "in flight 350"]


def test_a_function_with_errors_shows_them(application: Application) -> None:
    """They take the place of its invocations, in red, and its name gives way to them, however long it is."""
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
    frame = text(application(consumers=("f", "a-function-with-a-very-long-name")), 110, 30)
    assert "a-function-with-a-very-lo… 12 errors" in frame


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
    ("names", "left", "right"),
    [
        ({"queues": ("q",), "tables": ("t",)}, "queue", "items/s"),
        ({"queues": ("q",)}, "queue", "messages/s █ 1,306 deleted"),
        ({"tables": ("t",)}, "events/s █ 1,306 done", "items/s"),
        ({}, "events/s █ 1,306 done", ""),
    ],
)
def test_the_charts_are_of_what_there_is(
    application: Application, names: dict[str, tuple[str, ...]], left: str, right: str
) -> None:
    """Without queues there is no depth, and without tables nothing is written; a single chart has the whole width."""
    lines = text(application(consumers=("f",), **names), 80, 24).splitlines()
    assert lines[10].startswith(f" {left}")
    assert lines[10][40:].strip().startswith(right)
    axis = next(line for line in lines if line.startswith("    0 ┼"))
    assert axis.count("┼") == (2 if right else 1)
    assert len(axis.rstrip()) > 75


def test_an_application_that_only_updates_items_shows_its_messages(application: Application) -> None:
    """The store counts items that are put; as soon as messages are done without any, these are the rate."""
    shown = application(queues=("q",), tables=("t",), consumers=("f",))
    updating = dataclasses.replace(shown, table=TableCounters(rows=3))
    assert "messages/s █ 1,306 deleted" in text(updating, 80, 24)
    assert "items/s █" in text(dataclasses.replace(updating, latency=Latency()), 80, 24)


@pytest.mark.parametrize(
    ("queues", "load", "title"),
    [
        (("q",), None, "sent to deleted"),
        ((), None, "event to done"),
        (("q",), LoadView(target="twin", unit="message"), "planned to deleted"),
        ((), LoadView(target="twin"), "planned to done"),
    ],
)
def test_the_latency_ends_where_the_application_does(
    application: Application, queues: tuple[str, ...], load: LoadView | None, title: str
) -> None:
    """With the deletion of a message, or with the event; on small screens and in sentences, too."""
    shown = dataclasses.replace(application(queues=queues, consumers=("f",)), load=load)
    assert f"\n {title}   p50" in text(shown, 80, 24)
    assert f"\n {title}  p" in text(shown, 60, 20)
    if load is None:
        assert f"{title.capitalize()}: median 31 ms" in described(shown)


def test_a_load_test_of_messages_says_so(application: Application) -> None:
    """They are planned and done, not stored, and enter at the queue."""
    load = LoadView(target="twin", unit="message", rate_planned=80.0, rate_stored=60.0)
    shown = dataclasses.replace(application(queues=("q",), consumers=("f",)), load=load)
    assert "messages/s • planned 80 █ done 60" in text(shown, 110, 30)
    assert rows_of(shown, "Arrivals", 6)[-1] == "done/s 60"
    assert stages(shown)[0].leads
    assert not stages(application(("bucket>queue",), buckets=("b",), queues=("q",), consumers=("f",)))[-1].leads


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


def test_the_latency_of_another_application_needs_no_rows(application: Application) -> None:
    """The plain line has it as soon as there is one."""
    assert " p99_s=0.800 " in plain_line(application(queues=("q",), consumers=("f",)))


def test_an_application_is_described_by_its_parts(application: Application, shop: Snapshot) -> None:
    """Stage by stage, several of a kind together, and a kind that is not there is not told of."""
    assert (
        " Endpoint: messages 4,203. SQS 3: visible 132, in flight 150. Lambda 3: busy 3, warm 1. "
        "DynamoDB 2: items 2,608, items/s 36. DLQ 2: in DLQ 1. Lost or refused: dead-lettered 3, "
    ) in described(shop)
    assert "DynamoDB" not in described(application(queues=("q",), consumers=("f",)))


@pytest.mark.parametrize(
    ("phase", "queues", "options", "expected"),
    [
        ("running", ("q",), {"duration_s": 60.0}, (0.7, "94 messages on the way")),
        ("running", (), {"duration_s": 60.0}, (0.7, "6 invocations running")),
        ("running", ("q",), {"messages": 2_614}, (0.5, "message 1,307 of 2,614")),
        ("running", (), {"invoked": "Function"}, (1.0, "event 1 of 1")),
        ("running", (), {"objects": 8, "messages": 2}, (0.4, "object/message 4 of 10")),
        ("draining", (), {}, (None, "6 invocations to go")),
    ],
)
def test_how_far_an_application_is(
    application: Application, phase: Any, queues: tuple[str, ...], options: Any, expected: tuple[float | None, str]
) -> None:
    """Messages and events count as soon as they are settled; without queues, invocations are under way."""
    shown = application(options=options, queues=queues, consumers=("f", "g"))
    shown = dataclasses.replace(shown, phase=phase, events_done=0 if queues else 4)
    share, words = progress(shown)
    assert (share if share is None else round(share, 3), words) == expected


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


def test_losses_are_whole_beside_a_narrow_stage(application: Application) -> None:
    """Three stages on the narrowest screen with boxes: no label is cut, and a blank is before the box."""
    shown = application(queues=("q",), dead_letter_queues=("d",), consumers=("f",))
    lines = [line[:38] for line in text(shown, 110, 30).splitlines()[11:14]]
    assert lines[1:] == ["   dead-lettered 1   failed events 0 │", "   errors        0                   ╰"]


def test_functions_have_a_dead_letter_queue_only_if_there_is_one(application: Application) -> None:
    """The place of a queue's says that there is none; without a queue nothing is said."""
    assert "no DLQ" in text(application(queues=("q",), consumers=("f",)), 80, 24)
    assert "no DLQ" not in text(application(consumers=("f",)), 80, 24)
    shown = text(application(consumers=("f",), dead_letter_queues=("d",)), 80, 24).splitlines()
    assert "└▶ DLQ" in shown[8][40:]


def test_a_wide_title_keeps_its_distance_on_a_small_screen(application: Application) -> None:
    """However many parts there are, a blank is before the figures."""
    schedules = (("rate(1 minute)", "Cleanup"),) * 12
    shown = application(options={"schedule": "rate(1 minute)"}, schedules=schedules, consumers=("f",))
    assert " EventBridge 12 ticks 4  running 0" in text(shown, 60, 20)
