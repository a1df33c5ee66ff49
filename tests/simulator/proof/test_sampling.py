"""A sample of an audit: which objects are drawn, and what is found of them and of the others."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.hooks import HierarchicalEmitter

from fakes.audited import EXACT, Scene
from fakes.clock import InstantClock
from simulator.base import limits
from simulator.base.errors import CouldNotFinish, one_failure
from simulator.proof.account import Sampled
from simulator.proof.ledgers import Consumer, Ledgers
from simulator.proof.sampling import draw, read_back, sample_size

pytestmark = pytest.mark.asyncio(loop_scope="module")

OBJECTS = 24
SEED = 7


@pytest.mark.parametrize(
    ("objects", "size"),
    [(0, 0), (1, 1), (20, 20), (21, 20), (400, 20), (401, 21), (4_000, 200), (40_000, 2_000), (5_000_000, 2_000)],
)
async def test_a_sample_is_a_twentieth_within_bounds(objects: int, size: int) -> None:
    """Twenty objects at least, two thousand at most."""
    assert sample_size(objects) == size


async def test_a_seed_draws_the_same_objects() -> None:
    """Numbers from 1 on, each once, other ones for another seed."""
    drawn = draw(4_000, SEED)
    assert len(drawn) == 200
    assert min(drawn) >= 1
    assert max(drawn) <= 4_000
    assert drawn == draw(4_000, SEED) != draw(4_000, SEED + 1)


class _Throttled:
    """A table that processes one key of a request in some reads, and none in the others."""

    def __init__(self, progress: Collection[int]) -> None:
        self.progress, self.reads, self.meta = progress, 0, SimpleNamespace(events=HierarchicalEmitter())

    async def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Answer with an item per key that was processed."""
        self.reads += 1
        keys = RequestItems["T"]["Keys"]
        done = int(self.reads in self.progress)
        left = {"T": {"Keys": keys[done:]}} if keys[done:] else {}
        return {"Responses": {"T": keys[:done]}, "UnprocessedKeys": left}


@pytest.mark.parametrize("progress", [(1, 2, 3), (1, 2), (), (100, 200), (100, 200, 300), (101,)])
async def test_a_table_that_processes_no_key_ends_the_audit(progress: tuple[int, ...]) -> None:
    """As long as it processes any, the rest is read again; after a hundred reads in a row without one, never."""
    table, clock, taken = _Throttled(progress), InstantClock(), list[Any]()
    keys = [(f"T{number}", "2000-01-01") for number in range(3)]
    with contextlib.ExitStack() as stack:
        failure = None
        if len(progress) < len(keys):
            failure = stack.enter_context(pytest.raises(CouldNotFinish, match="'T': it processed none of"))
        with one_failure():
            await read_back(cast("Any", table), "T", keys, taken.extend, clock)
    done = [read for read in progress if read != 101]  # by then it has given up
    assert len(taken) == len(done)
    assert table.reads == max(done, default=0) + (limits.AUDIT_IDLE_READS if failure else 0)
    assert clock.now() == pytest.approx(limits.AUDIT_PAUSE_S * (table.reads - 1))


def _item(number: int, row: int) -> dict[str, dict[str, str]]:
    return {"PK": {"S": f"T{number:02}"}, "SK": {"S": f"{2000 + row}-01-01"}, "close": {"N": str(row)}}


async def _filled(scene: Scene) -> None:
    """Objects of two rows and one rejected row each, all of it stored and recorded."""
    for number in range(OBJECTS):
        rows = [f"T{number:02},{2000 + row}-01-01,{row}" for row in range(2)]
        key = f"stocks/{number:02}.csv"
        await scene.put(key, "\n".join(["ticker,date,close", *rows, "X,someday,1"]))
        record = {"line": 4, "reason": "unreadable", "row": ["X", "someday", "1"]}
        await scene.put_rejected(record, key=f"rejected/{key}.jsonl")
        for row in range(2):
            await scene.store(_item(number, row))


async def test_a_sample_is_proven_and_nothing_is_said_of_the_rest(empty: Scene) -> None:
    """Its rows, whole objects of them, and what is missing or different there; extra rows are not looked for."""
    await _filled(empty)
    ledgers = Ledgers(consumer=Consumer("C", OBJECTS, 0, 3 * OBJECTS, 2 * OBJECTS, OBJECTS, 0, 0), counted_rows=48)
    found = await empty.audit(sample_seed=SEED, ledgers=ledgers)
    assert found == dataclasses.replace(
        EXACT,
        parsed_rows=60,
        rejected=20,
        duplicates=0,
        expected_rows=40,
        stored_rows=40,
        extra=None,
        sampled=Sampled(20, OBJECTS),
    )
    drawn = draw(OBJECTS, SEED)
    inside, outside = min(drawn) - 1, min(set(range(1, OBJECTS + 1)) - set(drawn)) - 1
    await empty.delete(_item(outside, 0))
    await empty.store({"PK": {"S": "nobody"}, "SK": {"S": "2000-01-01"}})
    assert await empty.audit(sample_seed=SEED, ledgers=ledgers) == found
    await empty.delete(_item(inside, 0))
    await empty.change(_item(inside, 1), close={"N": "5"})
    worse = await empty.audit(sample_seed=SEED, ledgers=ledgers)
    assert (worse.verdict, worse.missing, worse.different, worse.stored_rows) == ("differs", 1, 1, 39)
    assert await empty.audit(sample_seed=SEED, drained=False) == dataclasses.replace(
        worse, verdict="unproven", differences=worse.differences
    )
