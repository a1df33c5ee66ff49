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
from simulator.dashboard import Frame, render
from simulator.dashboard.flow import BAND_HEIGHT
from simulator.dashboard.layout import Heights, heights
from simulator.dashboard.words import progress
from simulator.telemetry.snapshot import Event, LoadView, RunOptions, Snapshot


def text(frame: Frame) -> str:
    """The frame's lines without styles."""
    return "".join("".join(segment.text for segment in line) + "\n" for line in frame.lines)


@pytest.mark.parametrize(("width", "height"), [(40, 10), (60, 12), (60, 20), (78, 22), (80, 24), (120, 36), (160, 45)])
def test_a_busy_run(snapshot: Snapshot, golden: Callable[[str, str], Any], width: int, height: int) -> None:
    """The whole frame, as it stands in the golden file."""
    golden(f"run-{width}x{height}.txt", text(render(snapshot, width, height)))


@pytest.mark.parametrize(("width", "height"), [(60, 20), (77, 22), (80, 24), (110, 30), (160, 45), (200, 72)])
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


@given(width=st.integers(78, 240), height=st.integers(22, 90), load=st.booleans(), scenario=st.booleans())
def test_the_parts_share_the_screen_without_rest(width: int, height: int, load: bool, scenario: bool) -> None:
    """From 78x22 on, the parts' heights add up to the screen's, and both charts have at least three lines."""
    shares = heights(width, height, load=load, scenario=scenario)
    stages = shares.figures + (4 + BAND_HEIGHT if shares.boxed else 2 + 1)
    below = shares.events if shares.boxed else shares.events + shares.heat
    total = 2 + stages + 3 + shares.plot + 1 + below + shares.said + 1
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
    for label in ("visible", "in flight", "rows", "objects", "└▶ DLQ", "busy"):
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
    assert lost == " lost or refused  dead-lettered 1  rejected rows 3  failed ticks 0  errors 2    "


@pytest.mark.parametrize(
    ("changes", "share", "words"),
    [
        ({"phase": "starting"}, 0.0, "starting the store"),
        ({"phase": "draining", "queue": QueueCounters(sent=10, deleted=5, dead_lettered=1)}, 0.6, "4 messages to go"),
        ({"phase": "draining"}, 1.0, "0 messages to go"),
        ({"phase": "auditing", "audit_part": "objects", "audit_done": 30, "audit_total": 120}, 0.25, "objects 30/120"),
        (
            {"phase": "auditing", "audit_part": "items", "audit_done": 30, "audit_total": 120, "audit_left_s": 11.6},
            0.25,
            "items, about 12 s left",
        ),
        ({"phase": "auditing"}, 0.0, "audit 0/0"),
        ({"phase": "done"}, 1.0, "done"),
        ({}, None, "until Ctrl-C"),
        ({"duration_s": 60.0, "queue": QueueCounters(sent=10)}, 0.5, "10 messages on the way"),
        ({"duration_s": 20.0}, 1.0, "0 messages on the way"),
        ({"ticks": 8}, 0.25, "tick 2 of 8"),
        ({"objects": 8, "queue": QueueCounters(sent=7, deleted=5, dead_lettered=1)}, 0.75, "object 6 of 8"),
        ({"duration_s": 60.0, "ticks": 8}, 0.5, "0 messages on the way"),
        ({"duration_s": 300.0, "ticks": 8}, 0.25, "tick 2 of 8"),
        ({"load": LoadView(target="store", objects=10, sent=4, dropped=1)}, 0.5, "sent 4 of 10"),
        ({"load": LoadView(target="store", objects=10, sent=14)}, 1.0, "sent 14 of 10"),
        ({"load": LoadView(target="store"), "duration_s": 60.0}, 0.5, "0 messages on the way"),
    ],
)
def test_how_far_a_phase_is(changes: dict[str, Any], share: float | None, words: str) -> None:
    """Each phase has its own measure: messages left, audited objects, and of the ends of a run the nearest one."""
    ends = {name: changes.pop(name) for name in ("duration_s", "ticks", "objects") if name in changes}
    options = RunOptions("simulate", 0, "inline", 0.0, **ends)
    half_a_minute = Snapshot(30.0, options, phase="running", running_at=0.0, ticks=2)
    assert progress(dataclasses.replace(half_a_minute, **changes)) == (share, words)


@pytest.mark.parametrize(
    ("share", "bar"),
    [
        (0, "────────────                             0/24   0 % "),
        (1, "╸───────────                             1/24   4 % "),
        (12, "━━━━━━──────                            12/24  50 % "),
        (23, "━━━━━━━━━━━╸                            23/24  95 % "),
        (24, "━━━━━━━━━━━━                            24/24 100 % "),
    ],
)
def test_the_bar_is_drawn_in_half_cells(snapshot: Snapshot, share: int, bar: str) -> None:
    """It is full when all is done, and the share of one before it is cut."""
    shown = dataclasses.replace(snapshot, phase="auditing", audit_part=" ", audit_done=share, audit_total=24)
    assert text(render(shown, 48, 10)).splitlines()[1].split() == [*bar.split()]


def test_a_run_by_hand_has_no_bar(snapshot: Snapshot) -> None:
    """Where no end is in sight a line stands in the bar's place."""
    options = dataclasses.replace(snapshot.options, duration_s=None)
    line = text(render(dataclasses.replace(snapshot, options=options), 80, 24)).splitlines()[1]
    assert line == " " + "─" * 44 + "until Ctrl-C".rjust(34) + " "


@pytest.mark.parametrize(
    ("width", "height", "kind", "expected"),
    [
        (80, 24, {}, Heights(5, False, 6, 0, 2, 1)),
        (80, 24, {"load": True}, Heights(5, False, 6, 1, 1, 1)),
        (80, 24, {"scenario": True}, Heights(5, False, 5, 0, 2, 2)),
        (114, 24, {"scenario": True}, Heights(5, False, 5, 0, 2, 2)),
        (115, 24, {"scenario": True}, Heights(5, False, 6, 0, 2, 1)),
        (78, 22, {"load": True, "scenario": True}, Heights(5, False, 3, 1, 1, 2)),
        (109, 40, {}, Heights(5, False, 14, 0, 10, 1)),
        (110, 29, {}, Heights(5, False, 8, 0, 5, 1)),
        (110, 30, {}, Heights(5, True, 7, 3, 3, 1)),
        (110, 31, {}, Heights(5, True, 7, 4, 4, 1)),
        (110, 39, {}, Heights(5, True, 15, 4, 4, 1)),
        (110, 40, {}, Heights(7, True, 14, 4, 4, 1)),
        (110, 43, {}, Heights(7, True, 13, 8, 8, 1)),
        (160, 63, {}, Heights(7, True, 33, 8, 8, 1)),
        (160, 64, {}, Heights(7, True, 33, 8, 9, 1)),
        (160, 90, {}, Heights(7, True, 51, 8, 17, 1)),
    ],
)
def test_who_gets_how_many_lines(width: int, height: int, kind: dict[str, bool], expected: Heights) -> None:
    """A large screen gives its lines to the charts first, then to the figures, the heat strip and the events."""
    assert heights(width, height, **kind) == expected


@pytest.mark.parametrize(
    ("phase", "interrupted", "scenario", "said", "style"),
    [
        ("starting", False, None, "Ctrl-C ends", "none"),
        ("running", False, None, "Ctrl-C stops, drains and audits; a second one ends at once", "green"),
        ("draining", False, None, "Ctrl-C twice ends at once and leaves the run unproven", "yellow"),
        ("draining", True, None, "Ctrl-C ends at once and leaves the run unproven", "yellow"),
        ("draining", False, "burst", "Ctrl-C skips the wait for captions; a second one ends at once", "yellow"),
        ("draining", True, "burst", "Ctrl-C ends at once and leaves the run unproven", "yellow"),
        ("auditing", False, "burst", "Ctrl-C twice ends at once and leaves the run unproven", "yellow"),
        ("auditing", True, None, "Ctrl-C ends at once and leaves the run unproven", "yellow"),
        ("done", True, None, "", "none"),
    ],
)
def test_ctrl_c_is_explained_for_the_phase(
    snapshot: Snapshot, phase: Any, interrupted: bool, scenario: str | None, said: str, style: str
) -> None:
    """While running it drains; later the first one does nothing but skip captions, and the second ends at once."""
    options = dataclasses.replace(snapshot.options, scenario=scenario)
    shown = dataclasses.replace(snapshot, phase=phase, interrupted=interrupted, options=options)
    frame = render(shown, 80, 24)
    assert text(frame).splitlines()[-1] == f" {said}".ljust(65) + "rates over 5 s "
    assert [str(segment.style) for segment in frame.lines[0] if segment.text.strip() == phase] == [style]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (95, "stockpipe simulate · burst · seed 7 · inline runtime · 127.0.0.1:41233"),
        (94, "stockpipe simulate · burst · seed 7 · 127.0.0.1:41233"),
        (78, "stockpipe simulate · burst · seed 7 · 127.0.0.1:41233"),
        (77, "stockpipe simulate · burst · 127.0.0.1:41233"),
        (69, "stockpipe simulate · burst · 127.0.0.1:41233"),
        (68, "simulate · burst · 127.0.0.1:41233"),
        (59, "simulate · burst · 127.0.0.1:41233"),
        (58, "simulate · burst"),
        (41, "simulate · burst"),
        (40, "simulate"),
    ],
)
def test_the_header_leaves_out_what_has_no_room(snapshot: Snapshot, width: int, expected: str) -> None:
    """What the run is stays longest, then the address; the time is always there, and nothing runs together."""
    header = text(render(snapshot, width, 24)).splitlines()[0]
    assert header == f" {expected}".ljust(width - 22) + "running 00:42 / 01:00 "


def test_what_was_lost_stands_out(snapshot: Snapshot) -> None:
    """The heading of the losses is red as soon as there is one."""
    none = Snapshot(snapshot.at, snapshot.options)
    headings = [render(shown, 80, 24).lines[9][0] for shown in (none, snapshot)]
    assert [str(heading.style) for heading in headings] == ["bold", "bold red"]


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


def test_nothing_is_drawn_before_the_run(snapshot: Snapshot) -> None:
    """A frame of the first instant is whole, with empty charts."""
    empty = Snapshot(snapshot.at, RunOptions("simulate", 0, "inline", snapshot.at), snapshot.roles)
    frame = text(render(empty, 160, 45))
    assert "store is starting" in frame
    assert "█" not in frame.replace("█ visible", "").replace("rows/s █", "")


@pytest.mark.parametrize("width", [160, 161, 162, 163])
def test_the_events_are_below_the_chart_beside_the_map(snapshot: Snapshot, width: int) -> None:
    """At whatever width: both halves of the screen are as wide as those above them."""
    lines = text(render(snapshot, width, 45)).splitlines()
    chart = next(line.index("rows/s █") for line in lines if "rows/s █" in line)
    assert {line.index(" 00:3") for line in lines if " 00:3" in line and "│" in line} == {chart - 1}
