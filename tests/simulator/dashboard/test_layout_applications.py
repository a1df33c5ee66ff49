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

from simulator.base.counters import TableCounters
from simulator.dashboard import render
from simulator.dashboard.description import described
from simulator.dashboard.plain import plain_line
from simulator.dashboard.words import progress
from simulator.telemetry.snapshot import FunctionView, Latency, LoadView, Snapshot

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
    """The store counts items that are put; as soon as messages are done without any, these are the rate.

    What is done without queues has its own chart anyway.
    """
    shown = application(queues=("q",), tables=("t",), consumers=("f",))
    updating = dataclasses.replace(shown, table=TableCounters(rows=3))
    assert "messages/s █ 1,306 deleted" in text(updating, 80, 24)
    assert "items/s █" in text(dataclasses.replace(updating, latency=Latency()), 80, 24)
    without = dataclasses.replace(application(tables=("t",), consumers=("f",)), table=TableCounters(rows=3))
    assert "events/s █ 1,306 done" in text(without, 80, 24)
    assert "items/s █" in text(without, 80, 24)


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
    """They are planned and done, not stored."""
    load = LoadView(target="twin", unit="message", rate_planned=80.0, rate_stored=60.0)
    shown = dataclasses.replace(application(queues=("q",), consumers=("f",)), load=load)
    assert "messages/s • planned 80 █ done 60" in text(shown, 110, 30)


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
    shown = dataclasses.replace(shown, phase=phase, events_done=0 if queues else 3, events_given_up=0 if queues else 1)
    share, words = progress(shown)
    assert (share if share is None else round(share, 3), words) == expected


def test_a_long_name_gives_way_to_errors(application: Application) -> None:
    """It is cut with an ellipsis, before the blank that parts them."""
    frame = text(application(consumers=("f", "a-function-with-a-very-long-name")), 110, 30)
    assert "a-function-with-a-very-lo… 12 errors" in frame


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
