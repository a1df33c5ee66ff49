"""The stages side by side, and what is below them: the dead-letter queue and the losses."""

from __future__ import annotations

import dataclasses
import re

import pytest

from simulator.base.counters import QueueCounters
from simulator.dashboard import render
from simulator.dashboard.flow import band, boxes, loss_line
from simulator.dashboard.stages import stages
from simulator.telemetry.snapshot import FunctionView, Snapshot


def rows(snapshot: Snapshot, width: int, height: int) -> list[str]:
    """A frame's lines without styles and without the blanks at their ends."""
    return ["".join(segment.text for segment in line).rstrip() for line in render(snapshot, width, height).lines]


def with_dead_letters(snapshot: Snapshot, held: int) -> Snapshot:
    """The same with so many messages in the dead-letter queue."""
    return dataclasses.replace(snapshot, dead_letter_queue=QueueCounters(visible=held))


def test_the_dead_letter_queue_is_a_box_below_the_queues(snapshot: Snapshot) -> None:
    """An arrow leads from one to the other, and the losses are beside it."""
    assert [row[45:67].rstrip() for row in rows(with_dead_letters(snapshot, 12_345), 110, 30)[10:14]] == [
        "╰─────────┬────────╯",
        "╭─ DLQ ───▼────────╮",
        "│ StockDLQ  12,345 │",
        "╰──────────────────╯",
    ]


@pytest.mark.parametrize(("held", "style", "title"), [(0, "dim", "bold"), (1, "bold red", "bold red")])
def test_the_box_is_red_when_something_is_in_it(snapshot: Snapshot, held: int, style: str, title: str) -> None:
    """Its edges, its title and its number."""
    frame = render(with_dead_letters(snapshot, held), 110, 30).lines
    styles = {segment.text.strip(): str(segment.style) for line in frame[11:14] for segment in line}
    assert (styles["╭─"], styles["DLQ"], styles["───▼────────╮"], styles["╰──────────────────╯"]) == (
        style,
        title,
        style,
        style,
    )
    numbers = [segment.style for segment in frame[12] if segment.text == f" {held}"]
    assert [str(number) for number in numbers] == ["none" if not held else "bold red"]


@pytest.mark.parametrize("name", ["StockDeadLetterQueue", "Q"])
def test_a_long_name_gives_way_to_the_number(snapshot: Snapshot, name: str) -> None:
    """It is cut with an ellipsis, a blank before the number; the box has its width whatever is in it."""
    named = dataclasses.replace(snapshot, roles=dataclasses.replace(snapshot.roles, dead_letter_queues=(name,)))
    row = rows(with_dead_letters(named, 1_234_567), 110, 30)[12]
    assert row[45:].rstrip() == ("│ StockDead… 1.23M │" if len(name) > 1 else "│ Q          1.23M │")


def test_a_template_without_a_dead_letter_queue_has_no_box(snapshot: Snapshot) -> None:
    """Nor an arrow to one; without boxes the place of its figure says so."""
    none = dataclasses.replace(snapshot, roles=dataclasses.replace(snapshot.roles, dead_letter_queues=()))
    frame = rows(none, 110, 30)
    assert "┬" not in frame[10]
    assert frame[11] == "   lost or refused"
    assert [row for row in rows(none, 80, 24) if "no DLQ       -" in row]


def test_a_defect_of_ours_has_its_place_among_the_losses(snapshot: Snapshot) -> None:
    """What telemetry could not count is beside the title; the others stay where they are."""
    defect = dataclasses.replace(snapshot, folding_errors=7, generator=FunctionView(errors=4))
    assert [row[:45].rstrip() for row in rows(defect, 110, 30)[11:14]] == [
        "   lost or refused       not counted      7",
        "   dead-lettered    1    rejected rows    3",
        "   failed ticks     4    errors           2",
    ]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            100,
            [
                "   lost or refused     not counted     7",
                "   dead-lettered   1   rejected rows   3",
                "   failed ticks    4   errors          2",
            ],
        ),
        (
            105,
            [
                "   lost or refused      not counted     7",
                "   dead-lettered   1    rejected rows   3",
                "   failed ticks    4    errors          2",
            ],
        ),
        (
            110,
            [
                "   lost or refused       not counted      7",
                "   dead-lettered    1    rejected rows    3",
                "   failed ticks     4    errors           2",
            ],
        ),
    ],
)
def test_without_a_box_the_losses_are_as_wide_as_stages(snapshot: Snapshot, width: int, expected: list[str]) -> None:
    """Two on a line, however much room is left; narrow ones are nearer to each other."""
    defect = dataclasses.replace(snapshot, folding_errors=7, generator=FunctionView(errors=4))
    lines = band(defect, stages(defect), None, width)
    assert ["".join(segment.text for segment in line).rstrip() for line in lines] == expected


@pytest.mark.parametrize(
    ("width", "number", "cell", "gap"),
    [
        (240, 5, 46, 2),
        (206, 5, 39, 2),
        (168, 4, 40, 2),
        (171, 4, 40, 2),
        (180, 4, 40, 6),
        (180, 2, 40, 98),
        (180, 1, 178, 2),
    ],
)
def test_a_few_stages_get_longer_arrows(snapshot: Snapshot, width: int, number: int, cell: int, gap: int) -> None:
    """A stage is no wider than 40 cells, unless there are five, or only one."""
    top = "".join(segment.text for segment in boxes(stages(snapshot)[:number], None, width, 5)[0])
    assert [len(part) for part in re.findall("╭.*?╮", top)] == [cell] * number
    assert {len(part) for part in re.findall("(?<=╮) +", top)} == {gap}


@pytest.mark.parametrize(
    ("width", "dead_lettered", "expected"),
    [
        (81, 1, " lost or refused   dead-lettered 1   rejected rows 3   failed ticks 0   errors 2"),
        (80, 1, " lost or refused  dead-lettered 1  rejected rows 3  failed ticks 0  errors 2"),
        (82, 12_345, " lost or refused  dead-lettered 12,345  rejected rows 3  failed ticks 0  errors 2"),
        (78, 123_456, " lost  dead-lettered 123,456  rejected rows 3  failed ticks 0  errors 2"),
        (71, 123_456, " lost  dead-lettered 123k  rejected rows 3  failed ticks 0  errors 2"),
    ],
)
def test_the_losses_are_never_cut(snapshot: Snapshot, width: int, dead_lettered: int, expected: str) -> None:
    """Where their line is narrow the blanks shrink, then the title, then the numbers; the last column stays free."""
    queue = dataclasses.replace(snapshot.queue, dead_lettered=dead_lettered)
    line = loss_line(dataclasses.replace(snapshot, queue=queue), width)
    assert "".join(segment.text for segment in line) == expected
