"""Screens below the charts' minimum: what they show, and that nothing on them is cut or runs together."""

from __future__ import annotations

import dataclasses

import pytest

from simulator.base.counters import QueueCounters
from simulator.dashboard import render
from simulator.telemetry.snapshot import Conclusion, Event, Snapshot

ENDED = Conclusion("differs", "the table does not match the objects", "lost", ("stored_rows>0 (0)",))


def rows(snapshot: Snapshot, width: int, height: int) -> list[str]:
    """A frame's lines without styles and without the blanks at their ends."""
    return ["".join(segment.text for segment in line).rstrip() for line in render(snapshot, width, height).lines]


@pytest.mark.parametrize("width", [40, 50, 60, 70, 77])
def test_every_loss_is_whole(snapshot: Snapshot, width: int) -> None:
    """On as many lines as they need, at any width."""
    text = "\n".join(rows(snapshot, width, 20))
    for loss in ("dead-lettered 1", "rejected rows 3", "failed ticks 0", "errors 2"):
        assert loss in text


def test_no_figure_is_cut(snapshot: Snapshot) -> None:
    """A figure that has no room is left out, and so are percentiles: the lines are those of a wide screen's figures."""
    wide = " ".join(rows(snapshot, 200, 21)) + " "
    for width in range(40, 78):
        frame = rows(snapshot, width, 24)
        shown = [line for line in frame if line.startswith((" S3 ", " SQS ", " Lambda ", " Dynamo"))]
        assert len(shown) == 4
        assert all(f"{figure} " in wide for line in shown for figure in line[14:].strip().split("  "))
        (percentiles,) = [line for line in frame if line.startswith(" object to stored")]
        assert percentiles.endswith((" 8.04 s", " 9.50 s"))
        assert all(len(line) < width for line in (*shown, percentiles))
        assert percentiles.endswith(" max 9.50 s") == (width >= 54)


def test_the_hint_and_its_note_do_not_run_together(snapshot: Snapshot) -> None:
    """The note is left out where there is no room for both, and the hint is shorter."""
    for width in range(40, 78):
        last = rows(snapshot, width, 20)[-1]
        hint = last.removesuffix("rates over 5 s")
        assert hint == last or hint.endswith("  ")
        assert hint.strip() in (
            "Ctrl-C stops, drains and audits",
            "Ctrl-C stops, drains and audits; a second one ends at once",
        )


@pytest.mark.parametrize(
    ("width", "losses"),
    [
        (49, " lost  dead-lettered 1  rejected rows 3"),
        (50, " lost or refused  dead-lettered 1"),
        (51, " lost or refused  dead-lettered 1  rejected rows 3"),
    ],
)
def test_the_title_of_the_losses_is_shorter_where_it_is_narrow(snapshot: Snapshot, width: int, losses: str) -> None:
    """From fifty columns on it is the one that other screens have; it is red as soon as something is lost."""
    frame = rows(snapshot, width, 20)
    assert losses in frame
    place = frame.index(losses)
    assert str(render(snapshot, width, 20).lines[place][0].style) == "bold red"
    calm = Snapshot(snapshot.at, snapshot.options)
    assert {str(line[0].style) for line in render(calm, width, 20).lines if "lost" in line[0].text} == {"bold"}


def test_a_template_without_a_dead_letter_queue_has_no_line_for_one(snapshot: Snapshot) -> None:
    """The line of the queue is followed by the function's."""
    roles = dataclasses.replace(snapshot.roles, dead_letter_queues=())
    assert "DLQ" not in "\n".join(rows(dataclasses.replace(snapshot, roles=roles), 60, 20))


@pytest.mark.parametrize(("name", "shown"), [("D" * 42, True), ("D" * 43, False)])
def test_the_name_of_the_dead_letter_queue_is_whole_or_left_out(snapshot: Snapshot, name: str, shown: bool) -> None:
    """The number is always there."""
    roles = dataclasses.replace(snapshot.roles, dead_letter_queues=(name,))
    (line,) = [line for line in rows(dataclasses.replace(snapshot, roles=roles), 60, 20) if "└▶" in line]
    assert line == " └▶ DLQ       1" + (f"  {name}" if shown else "")


def test_a_load_test_has_its_own_percentiles(load_snapshot: Snapshot) -> None:
    """From the planned instant, and so much of the line as has room."""
    (line,) = [line for line in rows(load_snapshot, 60, 20) if "planned to stored" in line]
    assert line == " planned to stored  p50 3.10 s  p99 9.80 s  max 11.0 s"


def test_the_dead_letter_queue_has_its_line(snapshot: Snapshot) -> None:
    """Right below the queue's, in red if something is in it."""
    frame = rows(snapshot, 60, 20)
    (place,) = [number for number, line in enumerate(frame) if line.startswith(" SQS ")]
    assert frame[place + 1] == " └▶ DLQ       1  StockDLQ"
    styles = [str(segment.style) for segment in render(snapshot, 60, 20).lines[place + 1]]
    assert styles[:2] == ["bold red", "bold red"]
    empty = dataclasses.replace(snapshot, dead_letter_queue=QueueCounters())
    assert str(render(empty, 60, 20).lines[place + 1][0].style) == "bold"


@pytest.mark.parametrize(
    ("height", "gone"),
    [
        (13, (" object to stored",)),
        (12, (" ▍",)),
        (10, (" EventBridge",)),
        (9, (" S3",)),
        (8, (" └▶",)),
        (7, (" DynamoDB",)),
        (6, (" Lambda",)),
        (5, (" SQS",)),
        (4, (" lost", "    ")),
        (2, (" ━",)),
        (1, (" differs",)),
    ],
)
def test_what_matters_least_goes_first(snapshot: Snapshot, height: int, gone: tuple[str, ...]) -> None:
    """Line by line, the percentiles first; how it ended and who it was are the last."""
    ended = dataclasses.replace(snapshot, phase="done", conclusion=ENDED)
    frame = rows(ended, 60, height)
    assert len(frame) == height
    more = rows(ended, 60, height + 1)
    missing = [line for line in more if line and line not in frame]
    assert missing
    assert all(line.startswith(gone) for line in missing)
    assert frame[0] == more[0]


def test_a_tiny_screen_has_the_first_and_the_last_line(snapshot: Snapshot) -> None:
    """Who runs and how it ended are the last to go."""
    ended = dataclasses.replace(snapshot, phase="done", conclusion=ENDED)
    assert rows(ended, 40, 2) == [" simulate · burst         differs 00:42", " differs; missed stored_rows>0 (0)"]
    assert rows(ended, 40, 1) == [" simulate · burst         differs 00:42"]


def test_a_caption_has_the_lines_that_it_needs(snapshot: Snapshot) -> None:
    """Two at most, and a short one leaves the other to the events."""
    for text, lines in (("word " * 40, 2), ("word", 1)):
        said = dataclasses.replace(snapshot, caption=Event(snapshot.at, text))
        frame = rows(said, 60, 24)
        assert [line.startswith(" ▍") for line in frame[-4:-1]] == [False] * (3 - lines) + [True] * lines
        crowded = rows(said, 60, 12 + lines)
        assert crowded[-lines - 2].startswith(" object to stored")
