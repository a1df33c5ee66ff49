"""Requests that get no answer and are carried out late: no older row stays, whatever the schedule."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import pytest

from fakes.jumping import run
from pipeline import table
from pipeline.budget import Budget
from pipeline.counts import ConsumerCounts
from pipeline.failures import MessageFailure
from pipeline.items import Items, Key
from pipeline.table import ObjectWriter, TableWriter, WriteError

pytestmark = pytest.mark.usefixtures("sent_at_once")
LATEST_S = 60.0
VISIBILITY_S = 90.0
"""How late a request may be carried out at most, and when the message comes back: later than that."""
DELIVERIES_MAX = 200


class LateTable:
    """A transport to a table that, by a seed, leaves some requests unanswered and carries them out later, or never."""

    def __init__(self, seed: int, unanswered: float = 0.1) -> None:
        self.rows: dict[str, str] = {}
        self.late = 0
        self.unanswered = unanswered
        self._chance = random.Random(seed)

    async def write(self, puts: Iterable[str], _timeout_s: float) -> list[Key]:
        """A put is a key, a colon and a version."""
        rows = [put.split(":") for put in puts]
        await asyncio.sleep(self._chance.random() / 10)
        if self._chance.random() < self.unanswered:
            if self._chance.random() < 0.8:
                delay_s = self._chance.choice([0.01, 0.5, LATEST_S]) * self._chance.random()
                asyncio.get_running_loop().call_later(delay_s, self._take, rows)
                self.late += 1
            raise WriteError("connection", "no answer", "transient", unanswered=True)
        left = [row for row in rows if self._chance.random() < 0.03]
        self._take([row for row in rows if row not in left])
        return [(key, "x") for key, _ in left]

    def _take(self, rows: list[list[str]]) -> None:
        self.rows |= {key: version for key, version in rows}  # noqa: C416 - lists, not pairs


def some_object(seed: int) -> list[tuple[str, str]]:
    """Keys and versions: many rows repeat a key, some of them with the same content."""
    chance = random.Random(seed)
    return [(f"k{chance.randrange(300)}", str(chance.randrange(1000))) for _ in range(400)]


async def failure_of(writer: ObjectWriter, items: Items) -> MessageFailure | None:
    """Write these rows; returns why that failed."""
    try:
        for part in items.parts(40):
            await writer.add(part)
        await writer.finish()
    except MessageFailure as failure:
        await writer.settle()
        return failure
    return None


async def deliver(transport: LateTable, rows: list[tuple[str, str]], seed: int) -> tuple[int, ConsumerCounts]:
    """Store an object, and again after the visibility timeout if that fails; returns how often, and the last counts."""
    now = asyncio.get_running_loop().time
    items = Items([(key, "x") for key, _ in rows], range(len(rows)), [f"{key}:{version}" for key, version in rows])
    for delivery in range(1, DELIVERIES_MAX):
        counts = ConsumerCounts(rows_read=len(rows))
        budget = Budget(now(), now() + 60, now() + 61)
        writer = ObjectWriter(TableWriter(transport, 8), budget, counts, f"{seed}/{delivery}")
        failure = await failure_of(writer, items)
        if failure is None:
            return delivery, counts
        assert not failure.permanent
        await asyncio.sleep(VISIBILITY_S)
    raise AssertionError("it never succeeds")


def outcome(seed: int) -> tuple[int, int, int]:
    """One schedule's result: keys that end with an older row, deliveries, and late requests."""
    rows = some_object(seed)
    transport = LateTable(seed)

    async def main() -> int:
        deliveries, counts = await deliver(transport, rows, seed)
        await asyncio.sleep(LATEST_S)
        assert counts.rows_read == counts.rows_written + counts.rows_duplicate + counts.rows_rejected
        return deliveries

    deliveries = run(main())
    assert transport.rows.keys() == dict(rows).keys()
    return sum(transport.rows[key] != version for key, version in dict(rows).items()), deliveries, transport.late


def test_no_schedule_leaves_an_older_row(monkeypatch):
    """A share of them would, if the writer did not remember what may still be in flight."""
    seeds = range(150)
    found = [outcome(seed) for seed in seeds]
    assert [older for older, _, _ in found] == [0] * len(seeds)
    assert sum(deliveries > 1 for _, deliveries, _ in found) > len(seeds) / 4
    assert sum(late > 0 for _, _, late in found) > len(seeds) / 2

    monkeypatch.setattr(ObjectWriter, "_overtaken", lambda *_: None)
    forgetful = [outcome(seed) for seed in seeds]
    assert sum(older > 0 for older, _, _ in forgetful) > len(seeds) / 4
    assert {deliveries for _, deliveries, _ in forgetful} == {1}


class Once:
    """A transport that fails the first requests in these ways, and accepts all others."""

    def __init__(self, *failures: WriteError) -> None:
        self.failures = list(failures)
        self.asked: list[list[str]] = []

    async def write(self, puts: Iterable[str], _timeout_s: float) -> list[Key]:
        """Like a transport."""
        self.asked.append(list(puts))
        if self.failures:
            raise self.failures.pop(0)
        return []


def unanswered() -> WriteError:
    """An error for a missing answer."""
    return WriteError("connection", "as told", "transient", unanswered=True)


def batch(first_line: int, *puts: str) -> Items:
    """Rows whose put request begins with their key."""
    return Items([(put[0], "x") for put in puts], range(first_line, first_line + len(puts)), list(puts))


async def written(transport: Once, *batches: Items) -> ConsumerCounts:
    """Write these, each in its own request."""
    counts = ConsumerCounts()
    writer = ObjectWriter(TableWriter(transport, 4), Budget(0.0, 1e9, 1e9), counts, "seed")
    for items in batches:
        await writer.add(items)
        await writer.finish()
    return counts


@pytest.mark.parametrize(
    ("failures", "later", "fails"),
    [
        ([unanswered()], "a2", True),
        ([unanswered(), unanswered()], "a2", True),
        ([unanswered()], "a1", False),
        ([unanswered()], "c2", False),
        ([WriteError("InternalServerError", "as told", "transient")], "a2", False),
        ([WriteError("Throttled", "as told", "throttled")], "a2", False),
        ([], "a2", False),
    ],
)
def test_a_row_is_not_written_over_one_that_may_still_be_on_its_way(failures, later, fails):
    """It applies to another content of the same key; the same content is harmless, and so is what was answered."""
    transport = Once(*failures)
    attempts = len(failures) + 1
    if fails:
        with pytest.raises(MessageFailure) as failure:
            run(written(transport, batch(2, "a1", "b1"), batch(9, "d1", later)))
        assert not failure.value.permanent
        assert str(failure.value) == (
            "the row of line 2 may still be in flight, and would then replace that of line 10; "
            "another delivery writes them in order"
        )
        assert transport.asked == [["a1", "b1"]] * attempts
    else:
        run(written(transport, batch(2, "a1", "b1"), batch(9, "d1", later)))
        assert transport.asked == [*[["a1", "b1"]] * attempts, ["d1", later]]


def test_rows_without_an_answer_are_counted_each_time():
    """They are counted per request; answered ones are not."""
    transport = Once(unanswered(), unanswered(), WriteError("Code", "as told", "transient"))
    counts = run(written(transport, batch(2, "a1", "b1", "c1")))
    assert (counts.rows_unanswered, counts.rows_written, counts.batch_writes) == (6, 3, 4)


def test_rows_of_a_request_that_is_broken_off_are_without_an_answer():
    """It happens at the firm end of the time, or when the invocation is cancelled."""

    class Never:
        async def write(self, _puts: Iterable[str], _timeout_s: float) -> list[Key]:
            """Never answer."""
            await asyncio.Event().wait()
            raise AssertionError

    async def main() -> int:
        counts = ConsumerCounts()
        writer = ObjectWriter(TableWriter(Never(), 4), Budget(0.0, 1.0, 2.0), counts, "seed")
        await writer.add(batch(2, *(f"{letter}1" for letter in "abcdefghijklmnopqrstuvwxyz")))
        await asyncio.sleep(0)
        await writer.settle()
        return counts.rows_unanswered

    assert run(main()) == 25


@pytest.mark.parametrize("rows", [3, 4])
def test_no_more_rows_are_remembered_than_the_bound(monkeypatch, rows):
    """A table that answers so rarely fails the message before another row is written."""
    monkeypatch.setattr(table, "UNANSWERED_MAX", 3)
    transport = Once(unanswered())
    first, second = batch(2, *(f"{letter}1" for letter in "abcd"[:rows])), batch(9, "x1")
    if rows > 3:
        with pytest.raises(MessageFailure, match=r"^more than 3 rows may still be in flight$") as failure:
            run(written(transport, first, second))
        assert not failure.value.permanent
    else:
        run(written(transport, first, second))
    assert len(transport.asked) == (2 if rows > 3 else 3)


def test_a_failure_without_an_answer_is_the_writers_own():
    """Other objects of the environment are not affected."""
    transport = Once(unanswered())

    async def main() -> None:
        shared = TableWriter(transport, 4)
        for items in (batch(2, "a1"), batch(3, "a2")):
            writer = ObjectWriter(shared, Budget(0.0, 1e9, 1e9), ConsumerCounts(), "seed")
            await writer.add(items)
            await writer.finish()

    run(main())
    assert transport.asked == [["a1"], ["a1"], ["a2"]]


def test_an_earlier_failure_is_the_one_that_is_reported():
    """Consequences of it are ignored."""
    transport = Once(unanswered(), WriteError("Code", "as told", "permanent"))

    async def main() -> None:
        writer = ObjectWriter(TableWriter(transport, 4), Budget(0.0, 1e9, 1e9), ConsumerCounts(), "seed")
        for items in (batch(2, "a1"), batch(3, "a2")):
            await writer.add(items)
            with pytest.raises(MessageFailure, match="Code: as told"):
                await writer.finish()

    run(main())
