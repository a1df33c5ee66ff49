"""The frames, as text: what stands where at which size."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from simulator.base.counters import BucketCounters, QueueCounters, TableCounters
from simulator.base.observations import Phase
from simulator.dashboard import Frame, plain_event, plain_line, render
from simulator.dashboard.layout import heights
from simulator.telemetry.snapshot import Event, RunOptions, Snapshot


def text(frame: Frame) -> str:
    """The frame's lines without styles."""
    return "".join("".join(segment.text for segment in line) + "\n" for line in frame.lines)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (160, 45)])
def test_a_busy_run(snapshot: Snapshot, golden: Callable[[str, str], Any], width: int, height: int) -> None:
    """The whole frame, as it stands in the golden file."""
    golden(f"run-{width}x{height}.txt", text(render(snapshot, width, height)))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 45)])
def test_a_load_test(load_snapshot: Snapshot, golden: Callable[[str, str], Any], width: int, height: int) -> None:
    """A load test shows arrivals, planned against stored rate, the heat strip and the verdict so far."""
    golden(f"load-{width}x{height}.txt", text(render(load_snapshot, width, height)))


@given(width=st.integers(1, 240), height=st.integers(1, 90))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_frame_fills_its_rectangle_exactly(
    snapshot: Snapshot, load_snapshot: Snapshot, width: int, height: int
) -> None:
    """At any size every line is exactly as wide as asked for, and there are exactly as many."""
    for shown in (snapshot, load_snapshot):
        frame = render(shown, width, height)
        assert len(frame.lines) == height
        assert {sum(cell_len(segment.text) for segment in line) for line in frame.lines} == {width}


@given(width=st.integers(78, 240), height=st.integers(24, 90), load=st.booleans(), scenario=st.booleans())
def test_the_parts_share_the_screen_without_rest(width: int, height: int, load: bool, scenario: bool) -> None:
    """From 80x24 on, the parts' heights add up to the screen's, and both charts have at least three lines."""
    shares = heights(width, height, load=load, scenario=scenario)
    stages = shares.figures + (5 if shares.boxed else 2)
    below = shares.events if shares.boxed else shares.events + shares.heat
    total = 2 + stages + 1 + 3 + shares.plot + 1 + below + shares.said + 1
    assert total == height
    assert shares.plot >= 3


def test_figures_do_not_move_as_they_grow(snapshot: Snapshot) -> None:
    """Whatever the figures, labels stand at the same place on the smallest screen."""
    small = dataclasses.replace(snapshot, queue=QueueCounters(), table=TableCounters(), bucket=BucketCounters())
    large = dataclasses.replace(
        snapshot,
        queue=QueueCounters(123_456, 98_765, 4_321, 86_000.0, 9_999_999, 9_999_999, 1, 12_345),
        table=TableCounters(rows=1_234_567_890, rows_written=1_234_567_890),
        bucket=BucketCounters(12_345_678, 98_765_432_100),
    )
    frames = [text(render(shown, 80, 24)).splitlines() for shown in (small, large)]
    for label in ("visible", "in flight", "rows", "objects", "in DLQ", "busy"):
        places = [next((line.find(label) for line in frame[4:9] if label in line), -1) for frame in frames]
        assert places[0] == places[1] > 0, label


def test_losses_have_their_place_even_at_zero(snapshot: Snapshot) -> None:
    """The line of what was lost or refused is there before anything is."""
    empty = Snapshot(snapshot.at, snapshot.options, snapshot.roles)
    line = text(render(empty, 80, 24)).splitlines()[9]
    assert line.split() == (
        "lost or refused dead-lettered 0 rejected rows 0 failed ticks 0 errors 0".split()  # noqa: SIM905
    )
    lost = text(render(snapshot, 80, 24)).splitlines()[9]
    assert "dead-lettered 1   rejected rows 3   failed ticks 0   errors 2" in lost


@pytest.mark.parametrize(
    ("phase", "label"),
    [
        ("starting", "starting the store"),
        ("running", "94 messages on their way  70 %"),
        ("draining", "94 messages to go  93 %"),
        ("auditing", "objects 30/120  25 %"),
        ("done", "100 %"),
    ],
)
def test_the_bar_says_how_far_the_phase_is(snapshot: Snapshot, phase: Phase, label: str) -> None:
    """Each phase has its own measure: time, messages left, audited objects."""
    shown = dataclasses.replace(snapshot, phase=phase, audit_part="objects", audit_done=30, audit_total=120)
    assert label in text(render(shown, 80, 24)).splitlines()[1]


@pytest.mark.parametrize(
    ("ends", "label"),
    [
        ({"ticks": 8}, "tick 4 of 8  50 %"),
        ({"objects": 2_614}, "object 1,307 of 2,614  50 %"),
        ({}, "until Ctrl-C"),
    ],
)
def test_a_run_ends_by_ticks_by_objects_or_by_hand(snapshot: Snapshot, ends: dict[str, int], label: str) -> None:
    """Without a duration the bar follows what ends the run."""
    options = dataclasses.replace(snapshot.options, duration_s=None, **ends)
    assert label in text(render(dataclasses.replace(snapshot, options=options), 80, 24)).splitlines()[1]


def test_where_the_objects_come_from(snapshot: Snapshot) -> None:
    """The first stage is the schedule, the real files, or nothing of ours."""
    base = dataclasses.replace(snapshot.options, schedule=None, duration_s=None)
    for options, title in (
        (snapshot.options, "EventBridge"),
        (base, "No schedule"),
        (dataclasses.replace(base, objects=9), "Source"),
    ):
        assert title in text(render(dataclasses.replace(snapshot, options=options), 80, 24)).splitlines()[2]


def test_ctrl_c_is_explained_for_the_phase(snapshot: Snapshot) -> None:
    """While running it drains; later it ends at once."""
    running = text(render(snapshot, 80, 24)).splitlines()[-1]
    draining = text(render(dataclasses.replace(snapshot, phase="draining"), 80, 24)).splitlines()[-1]
    assert "Ctrl-C stops, drains and audits; a second one ends at once" in running
    assert "Ctrl-C ends at once and leaves the run unproven" in draining


def test_the_screen_reads_without_colour(snapshot: Snapshot) -> None:
    """With NO_COLOR no colour is sent, and the text is the same."""
    printed = []
    for no_color in (True, False):
        console = Console(
            file=io.StringIO(),
            width=120,
            height=36,
            force_terminal=True,
            color_system="256",
            no_color=no_color,
            legacy_windows=False,
        )
        console.print(render(snapshot, 120, 36), soft_wrap=True)
        printed.append(console.file.getvalue())  # type: ignore[attr-defined]
    assert not any(f"\x1b[{code}" in printed[0] for code in ("3", "1;3", "4", "9"))
    assert "\x1b[3" in printed[1]


def test_wide_characters_keep_the_columns(snapshot: Snapshot) -> None:
    """A caption in a script of double width is cut by cells, not by characters."""
    shown = dataclasses.replace(snapshot, caption=Event(snapshot.at, "行情" * 120, "moves"))
    frame = render(shown, 80, 24)
    assert {sum(cell_len(segment.text) for segment in line) for line in frame.lines} == {80}


def test_the_plain_line(snapshot: Snapshot, load_snapshot: Snapshot) -> None:
    """One line of ASCII with the same figures in the same order."""
    assert plain_line(snapshot) == (
        "00:42 running  | ticks 4 | objects 1,401 (8.69 MB) | queue 44 visible 50 in flight, oldest 6.20 s | busy 5 | "
        "rows 131,400 (3,600/s) | p99 8.04 s | dlq 1 | lost 6"
    )
    assert plain_line(load_snapshot).startswith("00:42 running  | sent 3,360 dropped 12 | ")
    assert "| lost 18" in plain_line(load_snapshot)
    draining = dataclasses.replace(snapshot, phase="draining")
    assert plain_line(draining).endswith("| lost 6 | 94 messages to go")
    assert plain_line(snapshot).isascii()


def test_a_plain_event(snapshot: Snapshot) -> None:
    """An event is a line with its time since the start and its number."""
    assert snapshot.running_at is not None
    line = plain_event(snapshot.events[0], snapshot.running_at)
    assert line == "00:00 -- ConsumerLambda environment 6: cold start 212 ms (x6)"


def test_nothing_is_drawn_before_the_run(snapshot: Snapshot) -> None:
    """A frame of the first instant is whole, with empty charts."""
    empty = Snapshot(snapshot.at, RunOptions("simulate", 0, "inline", snapshot.at), snapshot.roles)
    frame = text(render(empty, 160, 45))
    assert "store is starting" in frame
    assert "█" not in frame.replace("█ visible", "").replace("rows/s █", "")
