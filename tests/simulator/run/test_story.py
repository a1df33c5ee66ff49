"""A scenario at work: when captions are said, how long they stay, what is done and what is skipped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import cast

import pytest

from fakes.clock import ManualClock
from simulator.base.counters import QueueCounters, StoreCounters, TableCounters
from simulator.base.observations import Noted, Observation
from simulator.run import scenario
from simulator.run.captions import reading_s
from simulator.run.story import Story
from simulator.stack import template
from simulator.telemetry.snapshot import RunOptions, Snapshot
from simulator.twin.twin import Twin

EMPTY = Snapshot(at=0.0, options=RunOptions("simulate", 0, "inline", 0.0))


class Stage:
    """A story on a clock of its own: what it put, and what it said at which instant."""

    def __init__(self, steps: str | scenario.Scenario, *, hurried: bool = False) -> None:
        self.clock, self.shown = ManualClock(), EMPTY
        self.put: list[tuple[float, str]] = []
        self.recorded: list[Observation] = []
        self.shares: list[float] = []
        self.faults: list[dict[str, float]] = []
        loaded = scenario.parse(f"title: t\nsteps:\n{steps}", "x", "x.yaml") if isinstance(steps, str) else steps
        bucket = SimpleNamespace(put_object=self._put)
        store = SimpleNamespace(refuse_writes=self._refuse)
        resources = SimpleNamespace(bucket="b", table="t")
        clients = SimpleNamespace(s3=bucket)
        twin = SimpleNamespace(store=store, resources=resources, clients=clients, set_faults=self._set_faults)
        self.story = Story(
            loaded, cast("Twin", twin), lambda: self.shown, self.clock, self.recorded.append, lambda: hurried
        )
        self.playing = asyncio.ensure_future(self.story.play())

    async def _put(self, *, Key: str, **_: object) -> None:  # noqa: N803 - boto3's own name
        self.put.append((self.clock.now(), Key))

    async def _refuse(self, _table: str, share: float) -> None:
        self.shares.append(share)

    async def _set_faults(self, shares: dict[str, float]) -> None:
        self.faults.append(shares)

    def said(self, kind: str = "caption") -> list[tuple[float, str]]:
        """When what was said."""
        noted = [each for each in self.recorded if isinstance(each, Noted) and each.kind == kind]
        return [(round(each.at, 3), each.text) for each in noted]


@pytest.mark.parametrize("name", scenario.names())
async def test_each_packaged_caption_stays_until_it_is_read(name: str) -> None:
    """However fast the moments come: two and a half words per second pass before the next one, and before the end."""
    loaded = scenario.load(name)
    filled = loaded.filled({**template.load(None, loaded.parameters).parameters, "ticks": "1"})
    at_once = replace(filled, steps=tuple(replace(step, when=()) for step in filled.steps))
    stage = Stage(at_once)
    await stage.clock.advance(200)
    await stage.playing
    said = stage.said()
    assert [text for _, text in said] == [step.caption for step in filled.steps]
    for (at, text), (next_at, _) in pairwise(said):
        assert next_at >= at + reading_s(text)
    # A step by the clock, and what it does, is not late for the captions before it.
    for step, (at, _) in zip(filled.steps, said, strict=True):
        assert step.at_s is None or at <= step.at_s + 0.2


async def test_a_moment_that_came_while_a_caption_was_read_is_not_lost() -> None:
    """The step is carried out when its turn has come, also if its figure has changed back by then."""
    stage = Stage(
        "- {at: 0s, caption: one two three four five}\n- {when: queue.visible >= 3, put: {key: a, text: b}}\n"
    )
    stage.shown = replace(EMPTY, queue=QueueCounters(visible=3))
    await stage.clock.advance(1)
    stage.shown = EMPTY
    assert stage.put == []
    await stage.clock.advance(2)
    await stage.playing
    assert [(round(at, 1), key) for at, key in stage.put] == [(2.0, "a")]
    assert stage.story.acted.is_set()


async def test_nobody_waits_for_captions_that_nobody_reads() -> None:
    """A hurried story carries out each step as soon as its moment has come."""
    stage = Stage("- {at: 0s, caption: one two three four five}\n- {caption: six}\n", hurried=True)
    await stage.clock.advance(0.1)
    await stage.playing
    assert stage.said() == [(0.0, "one two three four five"), (0.0, "six")]


async def test_what_was_skipped_is_kept_with_its_reason() -> None:
    """After the end of the drain, a moment that does not come is skipped, and so is what follows it at once."""
    stage = Stage(
        "- {at: 1h, caption: late}\n- {caption: later}\n- {when: queue.visible >= 3 and table.rows > 1}\n"
        "- {when: queue.visible == 0, caption: told}\n"
    )
    await stage.clock.advance(10)
    stage.story.ending(10.0)
    await stage.clock.advance(20)
    await stage.playing
    assert [(each.step, each.caption, each.reason) for each in stage.story.skipped] == [
        (
            1,
            "late",
            "it was due 3,600 s after the start; the queue was empty after 10.0 s and nothing else was to come",
        ),
        (2, "later", "it follows step 1"),
        (3, None, "'queue.visible >= 3 and table.rows > 1' did not come true in 11.1 s"),
    ]
    assert [text for _, text in stage.said()] == ["told"]
    assert stage.said("warning")[0][1].startswith("step 1 of the scenario was skipped: it was due 3,600 s")


async def test_a_moment_that_comes_while_the_last_caption_is_read_is_not_skipped() -> None:
    """The queue has long been empty, but the run still waits for the reader: what is due by then is carried out."""
    stage = Stage(
        "- {at: 0s, caption: one two three four five six seven eight nine ten}\n- {at: 3s, put: {key: a, text: b}}\n"
    )
    stage.story.ending(0.2)
    await stage.clock.advance(5)
    await stage.playing
    assert (stage.story.skipped, [(round(at, 1), key) for at, key in stage.put]) == ([], [(4.0, "a")])


async def test_a_wait_that_was_given_up_is_not_called_an_empty_queue() -> None:
    """The reason of a skipped step says which of the two ended the run."""
    stage = Stage("- {at: 1m, caption: late}\n")
    stage.story.ending(2.0, drained=False)
    await stage.clock.advance(5)
    await stage.playing
    assert [each.reason for each in stage.story.skipped] == [
        "it was due 60 s after the start; the wait for an empty queue ended after 2.0 s and nothing else was to come"
    ]


async def test_a_fault_ends_by_the_clock_and_with_the_story() -> None:
    """Writes are refused for the time that the step names, and no longer than the run."""
    stage = Stage("- {at: 1s, refuse_writes: {share: 0.5, for: 3s}}\n")
    await stage.clock.advance(6)
    await stage.playing
    assert stage.shares == [0.5, 0.0]
    assert [text for _, text in stage.said("fault")] == [
        "fault: table t refuses 50% of the writes",
        "the fault is over: table t takes writes again",
    ]
    stage = Stage("- {at: 0s, refuse_writes: {share: 0.5, for: 1h}}\n")
    await stage.clock.advance(1)
    stage.story.ending(1.0)
    await stage.clock.advance(1)
    await stage.playing
    assert stage.shares == [0.5, 0.0]


async def test_faults_of_each_kind_have_their_own_end() -> None:
    """Each strikes for the time of its step, a second step makes it longer, and each is said to begin and to end."""
    stage = Stage(
        "- {at: 1s, faults: {s3-slow: 0.5, tick-late: 2.5%, for: 2s}}\n- {at: 2s, faults: {s3-slow: 1, for: 3s}}\n"
    )
    await stage.clock.advance(10)
    await stage.playing
    begun, ended = [{"s3-slow": 0.5}, {"tick-late": 0.025}, {"s3-slow": 1.0}], [{"tick-late": 0.0}, {"s3-slow": 0.0}]
    assert stage.faults == begun + ended
    assert [text for _, text in stage.said("fault")] == [
        "fault: s3-slow strikes 50% of the times",
        "fault: tick-late strikes 2.5% of the times",
        "fault: s3-slow strikes 100% of the times",
        "the fault is over: tick-late",
        "the fault is over: s3-slow",
    ]


async def test_no_fault_outlives_the_story() -> None:
    """All that are on when it ends are ended, of either sort."""
    stage = Stage("- {at: 0s, refuse_writes: {share: 0.5, for: 1h}, faults: {s3-slow: 0.5, s3-gone: 1%, for: 1h}}\n")
    await stage.clock.advance(1)
    stage.story.ending(1.0)
    await stage.clock.advance(1)
    await stage.playing
    assert stage.shares == [0.5, 0.0]
    assert stage.faults[2:] == [{"s3-slow": 0.0}, {"s3-gone": 0.0}]


async def test_what_a_story_puts_after_the_drain_is_waited_for() -> None:
    """The steps after it have their time: the end that was seen before the put is no end any more."""
    stage = Stage("- {when: table.rows >= 0, put: {key: a, text: b}}\n- {when: queue.visible >= 1, caption: seen}\n")
    stage.shown = replace(EMPTY, table=TableCounters(rows=-1))
    await stage.clock.advance(5)
    stage.story.ending(5.0)
    stage.shown = EMPTY
    await stage.clock.advance(30)
    assert not stage.playing.done()
    stage.story.ending(35.0)
    await stage.clock.advance(0.5)
    stage.shown = replace(EMPTY, queue=QueueCounters(visible=1))
    await stage.clock.advance(0.5)
    await stage.playing
    assert (stage.story.skipped, [text for _, text in stage.said()]) == ([], ["seen"])


async def test_nothing_is_skipped_before_the_end_is_seen() -> None:
    """On a slow machine the last figures come late: a step waits for a sample from after the drain."""
    stage = Stage("- {when: queue.deleted >= 5, caption: all}\n")
    stage.shown = replace(EMPTY, store=StoreCounters(at=4.9))
    stage.story.ending(5.0)
    await stage.clock.advance(30)
    assert not stage.playing.done()
    stage.shown = replace(EMPTY, store=StoreCounters(at=5.1), queue=QueueCounters(deleted=5))
    await stage.clock.advance(1)
    await stage.playing
    assert [text for _, text in stage.said()] == ["all"]
