"""When the consumer checks the time, and what it concludes, on a clock set by hand."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from pipeline.budget import Budget
from pipeline.consumer import _Ingest, _Invocation
from pipeline.counts import ConsumerCounts
from pipeline.failures import MessageFailure, OutOfTime
from pipeline.items import Items
from pipeline.log import Log
from pipeline.rows import RejectedRow


class Writer:
    """Accepts every row at once, after this many seconds of `clock`; `refused` holds rows that DynamoDB refuses."""

    def __init__(self, clock, takes_s=0.0):
        self.clock = clock
        self.takes_s = takes_s
        self.parts = []
        self.refused = []

    async def add(self, part):
        """Let time pass."""
        self.clock.now += self.takes_s
        self.parts.append(len(part.keys))

    async def finish(self):
        """There is nothing to wait for."""


class Rejected:
    """Counts rows, each after this many seconds of `clock`."""

    def __init__(self, clock, takes_s=0.0):
        self.clock = clock
        self.takes_s = takes_s
        self.rows = []
        self.completed = False

    @property
    def count(self):
        """The number of rows."""
        return len(self.rows)

    async def add(self, row):
        """Let time pass."""
        self.clock.now += self.takes_s
        self.rows.append(row.line)

    async def complete(self):
        """They are written."""
        self.completed = True


class Stream:
    """An object of this size, handed out in chunks of ten bytes."""

    def __init__(self, size, read=0):
        self.size_bytes = size
        self.bytes_read = read

    async def chunks(self):
        """Yield chunks until all are read."""
        while self.bytes_read < self.size_bytes:
            self.bytes_read += 10
            yield b"x" * 10


class Reader:
    """Turns each chunk, and the end, into the next of these lists of blocks."""

    def __init__(self, *blocks):
        self.blocks = list(blocks)

    def feed(self, chunk, *, final=False):
        """Like an `ItemReader`."""
        assert final is not bool(chunk)
        return iter(self.blocks.pop(0))


def items(count, first=0):
    """`count` rows in one block."""
    lines = range(first, first + count)
    return Items([(str(line), "x") for line in lines], lines, [str(line) for line in lines])


def rejected(count):
    """`count` rejected rows, one block each."""
    return [RejectedRow(line, "bad", ()) for line in range(count)]


class Clock:
    """A clock set by hand."""

    def __init__(self, now):
        self.now = now


async def invocation_at(clock, began_at=1000.0):
    """An invocation with a hundred seconds until its soft end, and one object being read."""
    environment = SimpleNamespace(log=Log(lambda _line: None, lambda: 0.0, "Function"))
    invocation = _Invocation(environment, None)
    invocation._now = lambda: clock.now
    invocation._budget = Budget(began_at, began_at + 100.0, began_at + 104.0)
    invocation._reading = 1
    return invocation


def ingest_of(clock, size, read, *blocks, began_at=1000.0, write_s=0.0, reject_s=0.0):
    """An object of which this much has been read."""
    rejected = Rejected(clock, reject_s)
    return _Ingest(Stream(size, read), Reader(*blocks), Writer(clock, write_s), rejected, began_at, may_be_empty=False)


@pytest.mark.parametrize(("now", "over"), [(1099.999, False), (1100.0, True), (1100.001, True)])
async def test_time_is_up_at_the_soft_end(now, over):
    """It holds even for an object that is nearly done."""
    clock = Clock(now)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 1_000_000, 1_000_000)
    if over:
        with pytest.raises(OutOfTime):
            invocation._check_time(ingest)
    else:
        invocation._check_time(ingest)


@pytest.mark.parametrize(
    ("began_at", "now", "judged"), [(1000, 1009.99, False), (1000, 1010, True), (1005, 1014, False)]
)
async def test_an_objects_speed_is_judged_after_a_tenth_of_the_time(began_at, now, judged):
    """The share is ten of a hundred seconds, from the object's beginning; before that, the first requests dominate."""
    clock = Clock(now)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 1_000_000, 1, began_at=began_at)
    if judged:
        with pytest.raises(MessageFailure, match="too large for the time left"):
            invocation._check_time(ingest)
    else:
        invocation._check_time(ingest)


@pytest.mark.parametrize("size", [None, 0])
async def test_an_object_of_no_known_size_is_not_judged(size):
    """It is unknown how much of it is left."""
    clock = Clock(1050.0)
    (await invocation_at(clock))._check_time(ingest_of(clock, size, 0))


@pytest.mark.parametrize(
    ("reading", "read", "seen", "added", "reason"),
    [
        pytest.param(
            1,
            4000,
            200,
            50,
            "1000 were stored in 20.0 s (50 bytes/s, 2 rows/s); 1980.0 s more",
            id="what is read counts as far as its rows are in the table",
        ),
        pytest.param(
            1,
            4000,
            0,
            0,
            "4000 were stored in 20.0 s (200 bytes/s, 0 rows/s); 480.0 s more",
            id="without a row all that is read counts",
        ),
        pytest.param(
            1,
            4000,
            200,
            0,
            "0 were stored in 20.0 s (0 bytes/s, 0 rows/s); 2000000.0 s more",
            id="nothing stored counts as a byte",
        ),
        pytest.param(
            4,
            4000,
            200,
            200,
            "4000 were stored in 20.0 s (200 bytes/s, 10 rows/s); 120.0 s more",
            id="one of four would be four times as fast by itself",
        ),
    ],
)
async def test_an_object_that_is_too_large_says_how_fast_it_went(reading, read, seen, added, reason):
    """The reason gives its size, what was stored, how fast, and what would be needed with the environment to itself."""
    clock = Clock(1020.0)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 100_000, read)
    invocation._reading = reading
    ingest.rows_seen += seen
    ingest.rows_added += added

    with pytest.raises(MessageFailure) as failed:
        invocation._check_time(ingest)

    before, after = "too large for the time left: 100000 bytes, of which", "are needed, 80.0 s are left"
    assert str(failed.value) == f"{before} {reason} {after}"


@pytest.mark.parametrize(
    ("read", "reading", "refused"), [(200, 1, False), (199, 1, True), (100, 2, True), (112, 2, False)]
)
async def test_an_object_that_is_done_just_in_time_is_not_refused(read, reading, refused):
    """A fifth of it in a fifth of the time is enough; for one of two objects a ninth is, as the rest is faster."""
    clock = Clock(1020.0)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 1000, read)
    invocation._reading = reading
    if refused:
        with pytest.raises(MessageFailure, match="too large"):
            invocation._check_time(ingest)
    else:
        invocation._check_time(ingest)


@pytest.mark.parametrize(("began_at", "permanent"), [(1000, True), (1009, True), (1010, False), (1015, False)])
async def test_an_object_that_began_late_may_be_done_another_time(began_at, permanent):
    """It is permanently too large only if it had more time than had passed before it."""
    clock = Clock(1020.0)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 1_000_000, 1, began_at=began_at)
    if began_at == 1015:
        clock.now = 1026.0
    with pytest.raises(MessageFailure) as failed:
        invocation._check_time(ingest)
    assert failed.value.permanent is permanent


async def test_rows_are_added_in_parts_with_a_look_at_the_time_after_each():
    """After each part of 250 rows the time is checked, and nothing is begun after the soft end."""
    clock = Clock(1000.0)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, None, 0, write_s=40.0)

    with pytest.raises(OutOfTime):
        await invocation._take(ingest, iter([items(900)]))

    assert ingest.writer.parts == [250, 250, 250]
    assert (ingest.rows_seen, ingest.rows_added) == (900, 750)
    assert invocation._counts.rows_read == 900


async def test_rejected_rows_count_as_read_and_seen_and_added():
    """Each rejected row counts, together with the accepted ones."""
    clock = Clock(1000.0)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 1000, 1000)

    await invocation._take(ingest, iter([items(260), *rejected(2), items(3), *rejected(1)]))

    assert ingest.writer.parts == [250, 10, 3]
    assert (ingest.rows_seen, ingest.rows_added) == (266, 266)
    assert ingest.rejected.rows == [0, 1, 0]
    assert invocation._counts == ConsumerCounts(rows_read=266, rows_rejected=3)


async def test_the_time_is_looked_at_after_every_250_rejected_rows():
    """Reading an object of nothing but rejected rows also stops in time."""
    for takes_s, left in ((0.41, 250), (0.39, 500)):
        clock = Clock(1000.0)
        invocation, ingest = await invocation_at(clock), ingest_of(clock, 1000, 1000, reject_s=takes_s)
        with pytest.raises(OutOfTime):
            await invocation._take(ingest, iter(rejected(600)))
        assert ingest.rejected.count == left


async def test_what_dynamodb_refuses_is_taken_out_after_each_block():
    """Rows refused meanwhile are not kept until the object's end."""
    clock = Clock(1000.0)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 1000, 1000)
    ingest.writer.refused += rejected(2)

    await invocation._take(ingest, iter([items(1)]))

    assert ingest.writer.refused == []
    assert ingest.rejected.rows == [0, 1]
    assert invocation._counts == ConsumerCounts(rows_read=1, rows_rejected=2)


async def test_others_have_their_turn_after_each_block():
    """A long chunk whose rows all find a free slot does not block the loop."""
    clock = Clock(1000.0)
    invocation, ingest = await invocation_at(clock), ingest_of(clock, 1000, 1000)
    told = []

    async def other():
        while True:
            told.append("other")
            await asyncio.sleep(0)

    def blocks():
        for block in (items(1), *rejected(1), items(1)):
            told.append("block")
            yield block

    turns = asyncio.create_task(other())
    await invocation._take(ingest, blocks())
    turns.cancel()

    assert told == ["block", "other"] * 3


async def test_the_time_is_looked_at_after_each_chunk():
    """It also holds after a chunk without a row, such as the middle of a long one."""
    clock = Clock(1000.0)
    invocation = await invocation_at(clock)
    looked = []
    invocation._check_time = lambda ingest: looked.append((ingest.stream.bytes_read, ingest.rows_added))
    ingest = ingest_of(clock, 30, 0, [], [items(1)], [], [*rejected(1), items(260)])

    await invocation._store(ingest)

    assert looked == [(10, 0), (20, 1), (20, 1), (30, 1), (30, 252), (30, 262)]
    assert ingest.writer.parts == [1, 250, 10]
    assert ingest.rejected.rows == [0]
    assert ingest.rejected.completed
