"""The summary of a search and its page: all that was found and covered, safe to open and to parse."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from simulator.explore.case import WorldCase
from simulator.explore.explorer import SearchState, WorldFinding
from simulator.explore.judging import WorldProblem
from simulator.explore.report import line_text, page, summary
from simulator.explore.telling import Line, WorldStory
from simulator.faults import kinds
from simulator.faults.plane import Fault
from simulator.run.sources import TimedPut

DOCS = Path(__file__).resolve().parents[3] / "docs" / "exploring.md"
HOSTILE = "</script><img src=x onerror=alert(1)>&\"'{{CSS}}"
FAULT = Fault("s3.GetObject", 3, "s3-slow", 7.25)
STORY = WorldStory(
    (
        Line(0.0, "S3", "a.csv is put (plain, 84 bytes)"),
        Line(1.0, "S3", "FAULT s3-slow: S3 takes 7.25s longer (s3.GetObject)", "fault", "fault"),
        Line(61.5, "DynamoDB", "Consumer: BatchWriteItem of 3 rows: 200", "good", "call"),
    ),
    "a row is missing",
)


def a_finding(seed: int = 7, said: str = "a row is missing", worlds: int = 1) -> WorldFinding:
    """A finding with a fault and an object."""
    case = WorldCase(seed, 600.0, (TimedPut(0.0, "a.csv", b"x"),), faults=(FAULT,))
    return WorldFinding(WorldProblem("lost", said), case, case, list(range(seed, seed + worlds)))


def a_state(**changes: Any) -> SearchState:
    """A search of two hundred worlds."""
    plain: dict[str, Any] = {
        "worlds": 200,
        "objects": 2_500,
        "virtual_s": 720_000.1234,
        "failed": 3,
        "fired": Counter({"dynamodb-damaged": 4, "s3-slow": 1_234, "s3-gone": 0}),
        "arms": Counter(success=9, crash=2),
    }
    return SearchState(0.0, **(plain | changes))


def built(*stories: WorldStory, file: str = "world-7.json", **changes: Any) -> dict[str, Any]:
    """A summary with a finding for each story."""
    told = [(a_finding(7 + number, worlds=number + 1), story, file) for number, story in enumerate(stories)]
    changed: dict[str, Any] = {"options": {"seed": 5}, "interrupted": False, "machine": {"wall_s": 1.5}} | changes
    return summary(a_state(), told, **changed)


# The summary


def documented() -> tuple[set[str], set[str]]:
    """The keys in the documentation's table: of the summary, and of a finding."""
    table = (
        DOCS.read_text(encoding="utf-8").partition("The summary is `stockpipe.explore/1`")[2].partition("\n\nWhile")[0]
    )
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    keys = {key for cell, _ in rows for key in re.findall(r"`(\w+)`", cell)}
    (of_finding,) = [meaning for cell, meaning in rows if "`findings`" in cell]
    return keys, set(re.findall(r"`(\w+)`", of_finding))


def test_the_summary_has_exactly_the_documented_keys() -> None:
    """And what every summary has: which one it is."""
    keys, of_finding = documented()
    found = built(STORY)
    assert found.keys() == keys | {"schema", "command"}
    assert found["findings"][0].keys() == of_finding
    assert (found["schema"], found["command"]) == ("stockpipe.explore/1", "explore")


def test_the_summary_is_json() -> None:
    """It comes back as it is; with a hostile text, too."""
    for found in (built(), built(STORY), built(WorldStory((Line(0.0, HOSTILE, HOSTILE),), HOSTILE), file=HOSTILE)):
        assert json.loads(json.dumps(found)) == found


def test_a_finding_has_what_was_found() -> None:
    """Its world, how many showed it, and the story as lines."""
    assert built(STORY, STORY)["findings"][1] == {
        "signature": "lost · s3-slow at s3.GetObject",
        "problem": "lost",
        "said": "a row is missing",
        "seed": 8,
        "worlds": 2,
        "faults": [{"site": "s3.GetObject", "ordinal": 3, "kind": "s3-slow", "argument": 7.25}],
        "objects": 1,
        "story": [line_text(line) for line in STORY.lines],
        "replay": "world-7.json",
    }


def test_coverage_is_counted() -> None:
    """Kinds in the catalogue's order, without those that never struck; outcomes by name."""
    found = built()
    assert list(found["faults"].items()) == [("s3-slow", 1_234), ("dynamodb-damaged", 4)]
    assert list(found["settlements"].items()) == [("crash", 2), ("success", 9)]
    assert (found["worlds"], found["failed_worlds"], found["objects"], found["virtual_s"]) == (
        200,
        3,
        2_500,
        720_000.123,
    )
    assert (found["findings"], found["interrupted"], found["machine"]) == ([], False, {"wall_s": 1.5})


def test_a_line_has_its_time_its_lane_and_its_text() -> None:
    """Times are below each other."""
    assert [line_text(line) for line in STORY.lines] == [
        "  0:00.000  S3: a.csv is put (plain, 84 bytes)",
        "  0:01.000  S3: FAULT s3-slow: S3 takes 7.25s longer (s3.GetObject)",
        "  1:01.500  DynamoDB: Consumer: BatchWriteItem of 3 rows: 200",
    ]
    assert line_text(Line(3_661.0, "S3", "x")) == "     61:01  S3: x"


# The page


class Page(HTMLParser):
    """What a browser makes of a page: its tags with their attributes, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """A text."""
        self.texts.append(data)

    def count(self, tag: str, **attributes: str) -> int:
        """How many tags there are with these attributes."""
        return sum(name == tag and attributes.items() <= held.items() for name, held in self.tags)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_page_has_every_finding_with_its_picture(count: int) -> None:
    """In their order, each with its story and how to run it again."""
    found = built(*[STORY] * count)
    text = page(found, [STORY] * count)
    shown = Page(text)
    assert shown.count("section", **{"class": "finding"}) == shown.count("svg") == count
    assert shown.count("ol", **{"class": "story"}) == count
    assert text.count("stockpipe explore --replay world-7.json") == count
    for number in range(1, count + 1):
        assert f"{number}. lost · s3-slow at s3.GetObject" in shown.texts
    assert shown.count("li", **{"class": "fault"}) == count
    assert sum("a.csv is put" in each for each in shown.texts) >= count
    assert any(("no findings" if not count else f"{count} finding") in each for each in shown.texts)


def test_the_page_says_how_many_worlds_showed_it() -> None:
    """The one that is shown, and more."""
    texts = Page(page(built(STORY, STORY, STORY), [STORY] * 3)).texts
    assert "The world of seed 7; shrunk to what is shown." in texts
    assert "The world of seed 8, and 1 more world; shrunk to what is shown." in texts
    assert "The world of seed 9, and 2 more worlds; shrunk to what is shown." in texts


def test_the_page_has_every_kind_with_its_count() -> None:
    """Also those that never struck, because they were not tested."""
    text = page(built(), [])
    rows = re.findall(r"<tr>(.*?)</tr>", text)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    counts = {row[0]: row[1] for row in cells if len(row) == 4}
    assert counts.keys() == kinds.ALL.keys()
    assert {kind: count for kind, count in counts.items() if count != "0"} == {
        "s3-slow": "1,234",
        "dynamodb-damaged": "4",
    }
    assert ["success", "9"] in cells
    assert "{}" not in "".join(row[2] for row in cells if len(row) == 4)
    shown = Page(text)
    assert f"2 of {len(kinds.ALL)}" in shown.texts
    assert {"200", "2,500", "1,238", "3"} <= set(shown.texts)


def test_a_search_that_was_interrupted_says_so() -> None:
    """One that was not does not."""
    assert "interrupted" in page(built(interrupted=True), [])
    assert "interrupted" not in page(built(), [])


def test_the_page_is_one_file() -> None:
    """Nothing is loaded from elsewhere, no script runs, and no placeholder is left."""
    text = page(built(STORY), [STORY])
    shown = Page(text)
    assert text.startswith("<!doctype html>")
    assert not {"script", "link", "iframe", "img", "object", "embed", "base"} & {tag for tag, _ in shown.tags}
    assert not [held for _, held in shown.tags if {"src", "href", "xlink:href", "action"} & held.keys()]
    assert not re.search(r"https?://|url\(|@import", text)
    assert "{{" not in text
    assert "}}" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_text_from_outside_is_escaped() -> None:
    """Names, texts and files are shown as they are, and none of them is markup or a placeholder."""
    story = WorldStory((Line(0.0, HOSTILE, HOSTILE, "bad"),), HOSTILE)
    found = built(story, file=HOSTILE)
    found["findings"][0]["signature"] = HOSTILE
    found["settlements"] = {HOSTILE: 1}
    shown = Page(page(found, [story]))
    assert not {"img", "script"} & {tag for tag, _ in shown.tags}
    assert sum(HOSTILE in text for text in shown.texts) >= 7
    assert not [held for _, held in shown.tags if "onerror" in held]
