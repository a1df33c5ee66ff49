"""The slots of an environment's requests: who waits, who is next, and that none is lost."""

from __future__ import annotations

import asyncio

import pytest

from fakes.waiting import until
from pipeline.budget import Budget
from pipeline.counts import ConsumerCounts
from pipeline.items import Items
from pipeline.table import BATCH_ROWS, ObjectWriter, RequestSlots, TableWriter

pytestmark = pytest.mark.usefixtures("sent_at_once")


async def test_a_free_slot_costs_no_turn_of_the_loop():
    """A task that finds a free one continues at once, even right after others have waited."""
    slots = RequestSlots(2)
    for left in (1, 0):
        with pytest.raises(StopIteration):
            slots.acquire().send(None)
        assert slots.free == left
    waiting = asyncio.ensure_future(slots.acquire())
    await asyncio.sleep(0)
    slots.release()
    slots.release()
    with pytest.raises(StopIteration):
        slots.acquire().send(None)
    await waiting
    assert slots.free == 0


async def test_who_has_waited_longest_is_next():
    """One that has given up waiting is skipped."""
    slots, order = RequestSlots(0), []

    async def take(name):
        await slots.acquire()
        order.append(name)

    tasks = [asyncio.ensure_future(take(name)) for name in "abc"]
    await asyncio.sleep(0)
    tasks[0].cancel()
    for _ in range(3):
        slots.release()
    await asyncio.wait(tasks)
    assert order == ["b", "c"]
    assert slots.free == 1


async def test_a_slot_that_was_handed_to_one_who_is_cancelled_goes_on_to_the_next():
    """It was cancelled between the hand-over and its turn."""
    slots = RequestSlots(0)
    first, second = (asyncio.ensure_future(slots.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    slots.release()
    first.cancel()
    await asyncio.wait([first])
    await asyncio.wait_for(second, 5)
    assert slots.free == 0


async def test_a_request_that_is_broken_off_before_its_first_step_gives_its_slot_back():
    """It has not run at all, and nothing of it is left."""

    class Never:
        async def write(self, _puts, _timeout_s):
            """Never called."""
            raise AssertionError

    table = TableWriter(Never(), 3)
    now = asyncio.get_running_loop().time()
    writer = ObjectWriter(table, Budget(now, now + 60, now + 60), ConsumerCounts(), "seed")
    keys = [("A", str(number)) for number in range(BATCH_ROWS)]
    await writer.add(Items(keys, range(BATCH_ROWS), [""] * BATCH_ROWS))
    assert table.slots.free == 2
    await writer.abandon()
    assert table.slots.free == 3
    assert not writer._keys_in_flight
    await until(lambda: not writer._in_flight)


async def test_requests_are_broken_off_in_the_order_in_which_they_were_sent():
    """So the store sees the same order in every run."""
    broken = []

    class Slow:
        async def write(self, puts, _timeout_s):
            """Never answers."""
            try:
                await asyncio.Event().wait()
            finally:
                broken.append(puts[0])

    now = asyncio.get_running_loop().time()
    writer = ObjectWriter(TableWriter(Slow(), 40), Budget(now, now + 60, now + 60), ConsumerCounts(), "seed")
    rows = range(40 * BATCH_ROWS)
    await writer.add(Items([("A", str(row)) for row in rows], rows, [str(row) for row in rows]))
    await asyncio.sleep(0)
    await writer.abandon()
    assert broken == [str(row) for row in rows[::BATCH_ROWS]]
