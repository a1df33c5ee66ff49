"""The twin as a whole: on one clock, and drained only when nothing is in flight any more."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from fakes import declare
from fakes.clock import InstantClock, ManualClock
from fakes.recorder import Recorder
from simulator.base import limits
from simulator.base.clock import SystemClock
from simulator.base.counters import QueueCounters, StoreCounters, is_test_event
from simulator.base.observations import EventSettled, InvocationEnded, MessageSettled, Noted, StoreSampled
from simulator.functions.runtimes import Code, Returned
from simulator.stack.model import Notification, Queue, Redrive, Stack
from simulator.stack.wiring import flow
from simulator.store import Store
from simulator.store.store import StoreDied
from simulator.twin.surroundings import Machine
from simulator.twin.twin import Twin

HANDLERS = """
def remaining(event, context):
    return context.get_remaining_time_in_millis()

def failing(event, context):
    raise ValueError("not today")
"""


class LateClock(SystemClock):
    """A clock an hour behind the machine's."""

    def now(self) -> float:
        """Seconds since the epoch, an hour ago."""
        return super().now() - 3600.0


@pytest.fixture
def open_twin(
    store_endpoint: str, tmp_path: Path, fresh_stack: Callable[..., Stack], recorded: Any
) -> Callable[[str], Any]:
    """`open_twin(handler)`: a twin on a late clock, whose generator is a handler of `HANDLERS`."""

    @asynccontextmanager
    async def opened(handler: str) -> AsyncIterator[Twin]:
        (tmp_path / "twin_handlers.py").write_text(HANDLERS)
        stack = fresh_stack()
        function = dataclasses.replace(stack.functions["GeneratorLambda"], handler=f"twin_handlers.{handler}")
        stack = dataclasses.replace(stack, functions={**stack.functions, "GeneratorLambda": function})
        async with Twin.open(
            stack,
            Machine(clock=LateClock(), endpoint_url=store_endpoint),
            record=recorded.append,
            seed=1,
            code={"GeneratorLambda": Code(tmp_path)},
        ) as twin:
            yield twin

    return opened


@pytest.fixture
def open_stack(store_endpoint: str, tmp_path: Path, recorded: Recorder) -> Callable[..., Any]:
    """`open_stack(stack)`: a twin of a stack from `load_template`."""

    def opened(stack: Stack) -> AbstractAsyncContextManager[Twin]:
        return Twin.open(
            stack,
            Machine(clock=SystemClock(), endpoint_url=store_endpoint),
            record=recorded.append,
            seed=1,
            code={name: Code(tmp_path) for name in stack.functions},
        )

    return opened


async def test_a_twins_runtime_lives_on_the_twins_clock(open_twin: Callable[[str], Any]) -> None:
    """A handler's remaining time is counted on the twin's clock: never more than the function's timeout."""
    async with open_twin("remaining") as twin:
        result = await twin.service.invoke("GeneratorLambda", {})
        assert isinstance(result, Returned)
        assert 0 < result.payload <= twin.stack.functions["GeneratorLambda"].timeout_s * 1000


async def test_a_drained_twin_has_no_tick_pending(open_twin: Callable[[str], Any], recorded: Any) -> None:
    """A tick whose invocation failed is tried again a minute later; until then the twin is not drained."""
    async with open_twin("failing") as twin:
        twin.start_mappings()
        assert await twin.drained(20.0)
        twin.invoker.accept("GeneratorLambda", {})
        async with asyncio.timeout(20):
            while not recorded.of(InvocationEnded):
                await twin.clock.sleep(0.01)
        assert not await twin.drained(0.0)


@dataclass
class Drained:
    """What `Twin.drained` looks at: two queues, of which one may be unpolled, and the twin's own behind a bucket."""

    queues: dict[str, QueueCounters]
    unpolled: tuple[Queue, ...] = ()
    pending: int = 0
    settles: Iterator[int] = field(default_factory=lambda: itertools.repeat(0))
    looks: int = 0
    recorded: Recorder = field(default_factory=Recorder)

    async def counters(self) -> StoreCounters:
        """The store's counters, which take a while to come."""
        self.looks += 1
        none = dict.fromkeys(("Queue", "Other", "own"), QueueCounters())
        return StoreCounters(at=0.0, queues=none | self.queues)

    async def drained(self, timeout_s: float = 0.0) -> bool:
        """Whether they are."""
        look = SimpleNamespace(
            store=None,
            counters=self.counters,
            unpolled=self.unpolled,
            flow=SimpleNamespace(queues=(declare.queue(), declare.queue("Other"))),
            resources=SimpleNamespace(event_queues=(("http://store/123456789012/own", "Function"),)),
            invoker=self,
            clock=InstantClock(),
            record=self.recorded.append,
        )
        return await Twin.drained(cast("Twin", look), timeout_s)

    @property
    def settled(self) -> int:
        """How many events have settled at each look."""
        return next(self.settles)


@pytest.mark.parametrize(
    ("left", "drained"),
    [
        (QueueCounters(), True),
        (QueueCounters(delayed=1), False),
        (QueueCounters(test_events=1), False),
    ],
)
async def test_a_queue_with_a_test_event_is_not_drained(left: QueueCounters, drained: bool) -> None:
    """No figure of the queue has it, but the consumer must be done with it before the run ends."""
    assert await Drained({"Queue": left}).drained() == drained


@pytest.mark.parametrize("left", [QueueCounters(visible=1), QueueCounters(in_flight=1)])
async def test_an_event_on_its_way_to_a_function_is_waited_for(left: QueueCounters) -> None:
    """It is in the twin's own queue, which no figure shows; a test event there is about no object."""
    assert not await Drained({"own": left}).drained()
    assert await Drained({"own": QueueCounters(test_events=1)}).drained()


async def test_an_event_that_ends_during_a_look_may_have_sent_messages() -> None:
    """The queues were counted before, so only the next look can say that nothing is left."""
    look = Drained({}, settles=itertools.chain([1], itertools.repeat(2)))
    assert await look.drained(1.0)
    assert look.looks == 2


async def test_what_nobody_takes_is_not_waited_for() -> None:
    """With only the messages of an unpolled queue left, the run is not drained and ends at once, not at its timeout."""
    other = (declare.queue("Other"),)
    look = Drained({"Other": QueueCounters(visible=3)}, other)
    assert not await look.drained(60.0)
    assert look.looks == 1
    assert [each.counters.queues["Other"].held for each in look.recorded.of(StoreSampled)] == [3]
    busy = Drained({"Other": QueueCounters(visible=3), "Queue": QueueCounters(visible=1)}, other)
    assert not await busy.drained(1.0)
    assert busy.looks > 10
    assert await Drained({"Other": QueueCounters(test_events=1)}, other).drained(60.0)


@pytest.mark.parametrize(("ours", "wait_s"), [(True, 20), (False, 1)])
def test_polls_are_long_where_the_twin_can_end_them(monkeypatch: pytest.MonkeyPatch, ours: bool, wait_s: int) -> None:
    """At a store that is not ours they are short instead, so that a stop need not wait for them."""
    waits: list[int] = []

    def mapping_run(**given: Any) -> Any:
        return SimpleNamespace(run=lambda: waits.append(given["wait_s"]))

    monkeypatch.setattr("simulator.twin.twin.MappingRun", mapping_run)
    twin = MagicMock(_mappings=[], store=object() if ours else None)
    twin.stack.mappings = {"Mapping": declare.mapping()}
    twin.resources.event_queues = (("url", "Function"),)
    Twin.start_mappings(twin)
    twin.invoker.take.assert_called_once_with("url", "Function", twin._stop_mappings, wait_s)
    assert waits == [wait_s]


async def test_a_stop_ends_the_long_polls_until_every_mapping_is_done(clock: ManualClock) -> None:
    """More than once, because a receive may have been on its way at first; and nothing is told that is not ours."""
    stop, done, began_at, told = asyncio.Event(), asyncio.Event(), clock.now(), list[float]()

    async def end_long_polls() -> None:
        assert stop.is_set()
        told.append(clock.now() - began_at)
        if len(told) == 3:
            done.set()

    async with asyncio.TaskGroup() as group:
        for store in (SimpleNamespace(end_long_polls=end_long_polls), None):
            mappings = [group.create_task(done.wait())]
            twin: Any = SimpleNamespace(store=store, clock=clock, _stop_mappings=stop, _mappings=mappings, _group=group)
            twin._end_long_polls = partial(Twin._end_long_polls, twin)
            stopping = group.create_task(Twin.stop_mappings(twin))
            await clock.advance(10.0)
            assert stopping.done()
            assert twin._mappings == []
    assert told == [0.0, limits.SAMPLE_S, 2 * limits.SAMPLE_S]


async def test_samples_follow_changes(clock: ManualClock, recorded: Recorder) -> None:
    """While the store says that nothing has changed since the last one, there is none; then there is one soon after."""
    began_at, changed, asked = clock.now(), asyncio.Event(), list[float]()

    async def counters() -> StoreCounters:
        return StoreCounters(at=clock.now() - 1000.0)

    async def wait_changed(since: float) -> None:
        asked.append(since + 1000.0 - began_at)
        await changed.wait()

    twin: Any = SimpleNamespace(
        clock=clock, record=recorded.append, counters=counters, store=SimpleNamespace(changed=wait_changed)
    )
    sampling = asyncio.create_task(Twin._sample_often(twin))
    await clock.advance(100.0)
    changed.set()
    await clock.advance(0.3)
    sampling.cancel()
    assert [each.at - began_at for each in recorded.of(StoreSampled)] == [0.0, 100.25]
    assert asked == [0.0, 100.25]


@pytest.mark.parametrize(
    ("mappings", "function", "queue", "unpolled"),
    [
        ({"Mapping": {}}, {}, {}, False),
        ({"Mapping": {"enabled": False}}, {}, {}, True),
        ({"Mapping": {"enabled": False}, "Other": {}}, {}, {}, False),
        ({"Mapping": {}}, {"reserved_concurrency": 0}, {}, True),
        ({"Mapping": {}}, {"reserved_concurrency": 0}, {"redrive": Redrive("Queue", 3)}, False),
        ({"Mapping": {}}, {"reserved_concurrency": 1}, {}, False),
    ],
)
def test_a_queue_is_unpolled_if_its_messages_can_only_stay(
    mappings: dict[str, Any], function: dict[str, Any], queue: dict[str, Any], unpolled: bool
) -> None:
    """A disabled mapping takes none; a function that may not run gives none up unless the queue does so for it."""
    stack = declare.stack(
        functions={"Consumer": declare.function(**function)},
        queues={"Queue": declare.queue(**queue)},
        mappings={name: declare.mapping(logical_id=name, **changes) for name, changes in mappings.items()},
    )
    twin = SimpleNamespace(stack=stack, flow=flow(stack))
    assert [each.logical_id for each in Twin.unpolled.fget(twin)] == ["Queue"] * unpolled  # type: ignore[attr-defined]


async def test_a_bucket_invokes_a_function(
    load_template: Callable[..., Stack], open_stack: Callable[..., Any], recorded: Recorder
) -> None:
    """Each object under the prefix is one event, S3's own; the twin's own queue for it is nowhere to be seen."""
    stack = load_template()
    bucket = stack.buckets["Bucket"]
    notified = Notification("Function", ("s3:ObjectCreated:*",), "in/")
    stack = dataclasses.replace(stack, buckets={"Bucket": dataclasses.replace(bucket, notifications=(notified,))})
    async with open_stack(stack) as twin:
        twin.start_mappings()
        for key in ("in/a b", "in/c", "elsewhere"):
            await twin.clients.s3.put_object(Bucket=bucket.name, Key=key, Body=b"x")
        assert await twin.drained(20.0)
        shown = twin.resources.as_json()
    settled = recorded.of(EventSettled)
    records = [record for each in settled for record in json.loads(each.event)["Records"]]
    assert sorted(each["s3"]["object"]["key"] for each in records) == ["in/a+b", "in/c"]
    assert {each["eventName"] for each in records} == {"ObjectCreated:Put"}
    assert {(each.function, each.succeeded) for each in settled} == {("Function", True)}
    assert shown["buckets"] == {"Bucket": bucket.name}
    assert shown["queues"].keys() == stack.queues.keys()
    assert shown["tables"] == {"Table": stack.tables["Table"].name}
    assert not recorded.of(Noted)


async def test_two_functions_share_a_queue(
    load_template: Callable[..., Stack], open_stack: Callable[..., Any], recorded: Recorder
) -> None:
    """Two mappings of one queue take its messages from each other: each is delivered to one function only."""
    stack = load_template()
    (mapping,) = stack.mappings.values()
    second = dataclasses.replace(stack.functions["Function"], logical_id="Second", name="second")
    again = dataclasses.replace(mapping, logical_id="Again", function="Second")
    stack = dataclasses.replace(
        stack,
        functions={**stack.functions, "Second": second},
        mappings={**stack.mappings, "Again": again},
    )
    async with open_stack(stack) as twin:
        twin.start_mappings()
        for number in range(8):
            await twin.clients.sqs.send_message(QueueUrl=twin.resources.queue_urls["Queue"], MessageBody=str(number))
        assert await twin.drained(20.0)
    bodies = [each.body for each in recorded.of(MessageSettled) if each.deleted and not is_test_event(each.body)]
    assert sorted(bodies) == [str(number) for number in range(8)]


async def test_a_store_that_dies_while_resources_are_made_is_named(
    monkeypatch: pytest.MonkeyPatch, fresh_stack: Callable[..., Stack], recorded: Any
) -> None:
    """The store's death is reported, not the call that failed because of it."""
    open_store = Store.open

    @asynccontextmanager
    async def doomed(**given: Any) -> AsyncIterator[Store]:
        async with open_store(**given) as store:
            os.kill(store.pid, signal.SIGKILL)
            yield store

    monkeypatch.setattr(Store, "open", doomed)
    with pytest.raises(StoreDied, match=r"ended unexpectedly \(signal 9\)"):
        async with Twin.open(fresh_stack(), Machine(clock=SystemClock()), record=recorded.append, seed=1):
            raise AssertionError("it was opened")
