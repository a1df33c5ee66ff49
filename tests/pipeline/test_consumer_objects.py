"""What happens to one object, whatever reading it results in, and how many are read at once."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from fakes.handlers import Context
from pipeline import consumer
from pipeline.budget import Budget
from pipeline.consumer import _Invocation
from pipeline.counts import ConsumerCounts
from pipeline.events import ObjectReference
from pipeline.failures import MessageFailure, ObjectGone, ObjectSkipped, OutOfTime
from pipeline.functions import ConsumerSettings
from pipeline.log import Log
from pipeline.rows import ObjectUnreadable, RejectedRow

A, B, C = (ObjectReference("bucket", f"stocks/{name}.csv") for name in "abc")


class Invocation(_Invocation):
    """An invocation in which reading an object does `read`; its log lines are in `lines`."""

    def __init__(self, read, at_once=4):
        self.lines = []
        log = Log(lambda line: self.lines.append(json.loads(line)), lambda: 0.0, "Function")
        environment = SimpleNamespace(log=log, objects=asyncio.Semaphore(at_once))
        super().__init__(environment, Context())
        self._ingest = read


@pytest.mark.parametrize(
    ("raised", "reason", "permanent", "counted"),
    [
        (ObjectUnreadable("no header"), "the object cannot be read: no header", True, {"objects_unreadable": 1}),
        (MessageFailure("as told", permanent=True), "as told", True, {}),
        (MessageFailure("as told", permanent=False), "as told", False, {}),
        (OutOfTime(), "no time left in this invocation", False, {}),
        (KeyError("defect"), "KeyError: 'defect'", False, {}),
    ],
)
async def test_why_an_object_failed(raised, reason, permanent, counted):
    """A defect is a reason too, and another delivery may succeed: with the next version of the code."""

    async def read(_reference):
        raise raised

    invocation = Invocation(read)
    failure = await invocation._object(A)

    assert (failure.reason, failure.permanent) == (reason, permanent)
    assert invocation._counts == ConsumerCounts(**counted)
    assert invocation.lines == []


async def test_an_object_that_is_stored_or_gone_has_not_failed():
    """An object that is gone, or is not data, is logged, and there is nothing to do."""

    async def read(reference):
        if reference != A:
            raise ObjectGone if reference == B else ObjectSkipped

    invocation = Invocation(read)

    assert [await invocation._object(reference) for reference in (A, B, C)] == [None, None, None]
    assert invocation._counts == ConsumerCounts(objects_gone=1, objects_skipped=1)
    said = [(line["level"], line["message"], line["key"]) for line in invocation.lines]
    assert said == [("WARN", "object gone", B.key), ("INFO", "object skipped", C.key)]


@pytest.mark.parametrize("ending", [None, ObjectGone(), OutOfTime(), ValueError(), asyncio.CancelledError()])
async def test_how_many_are_being_read_is_known(ending):
    """However reading an object ends, the count decreases and its place is free."""
    seen = []

    async def read(reference):
        seen.append(invocation._reading)
        if reference == A and ending is not None:
            raise ending
        if reference == B:
            await invocation._object(C)
        seen.append(invocation._reading)

    invocation = Invocation(read, at_once=2)
    await asyncio.gather(invocation._object(A), return_exceptions=True)
    await invocation._object(B)

    assert seen == [1, *([1] if ending is None else []), 1, 2, 2, 1]
    assert invocation._reading == 0


async def test_no_more_are_read_at_once_than_the_environment_may():
    """The third object begins when one of the first two is done."""
    told = []
    may_end = {reference: asyncio.Event() for reference in (A, B, C)}

    async def read(reference):
        told.append(("begin", reference))
        await may_end[reference].wait()
        told.append(("end", reference))

    invocation = Invocation(read, at_once=2)
    async with asyncio.TaskGroup() as group:
        for reference in (A, B, C):
            group.create_task(invocation._object(reference))
        for _ in range(100):  # the third would come meanwhile
            await asyncio.sleep(0)
        assert told == [("begin", A), ("begin", B)]
        may_end[B].set()
        may_end[C].set()
        may_end[A].set()

    assert told.index(("end", B)) < told.index(("begin", C))


async def test_an_object_that_has_no_place_before_the_end_has_no_time():
    """The others used up the time; its message comes back."""
    begun = []

    async def read(reference):
        begun.append(reference)

    invocation = Invocation(read, at_once=1)
    now = asyncio.get_running_loop().time()
    invocation._budget = Budget(now - 10, now, now)
    await invocation._environment.objects.acquire()

    failure = await invocation._object(A)

    assert (failure.reason, failure.permanent) == ("no time left in this invocation", False)
    assert (begun, invocation._reading) == ([], 0)


class Writer:
    """A fake for an object's writer that records how it was ended."""

    def __init__(self, told):
        self.told = told

    async def settle(self):
        """Let what is in flight finish."""
        self.told.append("settle")

    async def abandon(self):
        """Cancel what is in flight."""
        self.told.append("abandon")


@pytest.fixture
def stored(monkeypatch):
    """Call it with what storing the object does: it returns an invocation at 1000 s, and its writer's calls."""

    def made(store):
        told = []
        monkeypatch.setattr(consumer, "ObjectWriter", lambda *_: Writer(told))
        invocation = Invocation(None)
        del invocation._ingest
        invocation._environment.settings = ConsumerSettings.from_environ({"TABLE_NAME": "T"})
        invocation._environment.s3 = invocation._environment.table = invocation._environment.seed = None
        invocation.clock = 1000.0
        invocation._now = lambda: invocation.clock

        async def storing(ingest):
            ingest.stream.bytes_read = 1234
            await store(invocation, ingest)

        invocation._store = storing
        return invocation, told

    return made


async def test_what_is_logged_about_a_stored_object(stored):
    """The line says where the object is, how many of its rows were stored and rejected, and how long it took."""

    async def store(invocation, ingest):
        invocation.clock += 12.3456784
        ingest.rows_added = 10
        for line in (2, 5, 9):
            await ingest.rejected.add(RejectedRow(line, "bad", ()))

    invocation, told = stored(store)
    assert await invocation._object(A) is None

    line, rejected = invocation.lines
    del line["timestamp"]
    assert (rejected["message"], rejected["key"], rejected["rejected"]) == ("rows rejected", "stocks/a.csv", 3)
    assert line == {
        "level": "INFO",
        "message": "object stored",
        "requestId": "request-1",
        "bucket": "bucket",
        "key": "stocks/a.csv",
        "rows": 7,
        "rejected": 3,
        "duration": 12.345678,
    }
    assert invocation._counts == ConsumerCounts(objects_ingested=1, bytes_read=1234)
    assert told == []


@pytest.mark.parametrize(
    ("raised", "left"),
    [
        (TimeoutError(), "settle"),
        (OutOfTime(), "settle"),
        (ValueError("defect"), "settle"),
        (asyncio.CancelledError(), "abandon"),
    ],
)
async def test_an_object_that_is_not_stored_leaves_nothing_in_flight(stored, raised, left):
    """What is in flight may finish, unless everything is cancelled; the object is not logged as stored."""

    async def store(_invocation, _ingest):
        raise raised

    invocation, told = stored(store)
    (outcome,) = await asyncio.gather(invocation._object(A), return_exceptions=True)

    assert isinstance(outcome, asyncio.CancelledError if left == "abandon" else MessageFailure)
    if isinstance(raised, TimeoutError):
        assert outcome.reason == "no time left in this invocation"
    assert told == [left]
    assert invocation.lines == []
    assert invocation._counts == ConsumerCounts(bytes_read=1234)
