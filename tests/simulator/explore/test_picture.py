"""The picture of a story: a mark for each line, a lane for each part, and how long the waits are."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from simulator.explore.picture import clock, lanes_of, picture
from simulator.explore.telling import Line, WorldStory

HOSTILE = "</title><script>alert('1')</script>&\""


def drawn(*lines: Line, end: str = "it is lost") -> ET.Element:
    """A picture, read as the XML that it is."""
    return ET.fromstring(picture(WorldStory(lines, end)))


def texts(svg: ET.Element, kind: str) -> list[str | None]:
    """The texts of a class."""
    return [each.text for each in svg.iter("text") if each.get("class") == kind]


def at(*times: float, lane: str = "S3") -> list[Line]:
    """Lines at these times."""
    return [Line(time, lane, f"event {number}") for number, time in enumerate(times)]


@pytest.mark.parametrize("count", [0, 1, 2, 12])
def test_each_line_has_one_mark_with_its_number(count: int) -> None:
    """From one, from left to right, with what happened for whoever points at it."""
    svg = drawn(*at(*map(float, range(count))))
    assert texts(svg, "number") == [str(number) for number in range(1, count + 1)]
    places = [float(each.get("cx", "")) for each in svg.iter("circle")]
    assert len(places) == count
    assert places == sorted(set(places))
    assert [each.text for each in svg.findall("g/title")] == [
        f"{clock(number)} S3: event {number}" for number in range(count)
    ]
    assert len([each for each in svg.iter("line") if each.get("class") == "then"]) == max(0, count - 1)


def test_a_fault_has_a_mark_of_its_own_shape() -> None:
    """A triangle among circles; colours follow the tone."""
    svg = drawn(*(Line(0.0, "S3", "x", tone) for tone in ("plain", "fault", "good", "bad")))
    assert [each.get("fill") for each in svg.iter("path")] == ["var(--bad)"]
    assert [each.get("fill") for each in svg.iter("circle")] == ["var(--blue)", "var(--good)", "var(--warn)"]


def test_lanes_come_as_they_are_met_and_the_table_is_last() -> None:
    """Whoever is met first is on top; a story without the table has none."""
    lines = [Line(0.0, lane, "x") for lane in ("S3", "DynamoDB", "Queue", "S3", "Consumer")]
    assert lanes_of(lines) == ["S3", "Queue", "Consumer", "DynamoDB"]
    assert lanes_of(lines[2:]) == ["Queue", "S3", "Consumer"]
    assert lanes_of([]) == []
    svg = drawn(*lines)
    assert texts(svg, "lane") == ["S3", "Queue", "Consumer", "DynamoDB"]
    assert len([each for each in svg.iter("line") if each.get("class") == "way"]) == 4


def test_a_mark_is_in_its_lane() -> None:
    """At the height of the lane's line."""
    lanes = ("S3", "DynamoDB", "Queue")
    svg = drawn(*(Line(0.0, lane, "x") for lane in lanes))
    heights = dict(
        zip(
            texts(svg, "lane"), [each.get("y1") for each in svg.iter("line") if each.get("class") == "way"], strict=True
        )
    )
    assert [each.get("cy") for each in svg.iter("circle")] == [heights[lane] for lane in lanes]


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [
        (0.0, 4.999, None),
        (0.0, 5.0, "+0:05.000"),
        (3.2, 8.2, "+0:05.000"),
        (3.2, 8.199, None),
        (5.1, 65.1, "+1:00.000"),
        (100.0, 1_900.0, "+30:00"),
    ],
)
def test_a_wait_of_five_seconds_is_written(first: float, second: float, label: str | None) -> None:
    """Exactly five are long enough, however they are computed; a millisecond less is not."""
    assert texts(drawn(*at(first, second)), "gap") == ([label] if label else [])


def test_each_line_has_its_time_below() -> None:
    """All of them, also those at the same instant."""
    assert texts(drawn(*at(0.0, 0.0, 61.5)), "at") == ["0:00.000", "0:00.000", "1:01.500"]


@pytest.mark.parametrize(
    ("at_s", "text"),
    [
        (0.0, "0:00.000"),
        (59.999, "0:59.999"),
        (59.9999, "1:00.000"),
        (60.0, "1:00.000"),
        (899.999, "14:59.999"),
        (900.0, "15:00"),
        (7_259.9, "120:59"),
    ],
)
def test_a_time_is_minutes_and_seconds(at_s: float, text: str) -> None:
    """With milliseconds as long as they matter; there is never a sixtieth second."""
    assert clock(at_s) == text


def test_text_from_outside_is_escaped() -> None:
    """Lanes, events and the end are what they are, and nothing of them is markup."""
    svg = drawn(Line(0.0, HOSTILE, HOSTILE), end=HOSTILE)
    assert svg.findtext("title") == HOSTILE
    assert texts(svg, "lane") == [HOSTILE]
    assert svg.findtext("g/title") == f"0:00.000 {HOSTILE}: {HOSTILE}"
    assert not list(svg.iter("script"))


def test_all_is_within_the_picture() -> None:
    """Twelve events in six lanes, after long waits."""
    lines = [Line(number * 700.0, f"lane {number % 6}", "x") for number in range(12)]
    svg = drawn(*lines)
    width, height = (float(each) for each in svg.attrib["viewBox"].split()[2:])
    for each in svg.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(each.get(name, 0)) <= width
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(each.get(name, 0)) <= height
    assert not re.search(r"https?:", picture(WorldStory(tuple(lines), "")))
