"""The store of a world: its answers, its counters without the machine's figures, and when they may have changed."""

from __future__ import annotations

import asyncio
import os

import pytest

from fakes.clock import ManualClock
from simulator.base.counters import OperationCounters, QueueCounters, StoreCounters
from simulator.store.front.application import Application
from simulator.store.store import ControlRefused
from simulator.store.wire.messages import CONTROL_PATH, Request, Response
from simulator.world.store import IDLE_LOOK_S, LOOK_S, WorldStore, as_a_stores


class Answers(Application):
    """An application that answers what it is given, and counts what it is told to."""

    def __init__(self, response: Response, **queues: QueueCounters) -> None:
        self.response, self.asked = response, list[Request]()
        self.counted = StoreCounters(
            5.0, cpu_s=1.5, memory_bytes=7, queues=queues, operations={"sqs": OperationCounters(requests=3)}
        )

    async def answer(self, request: Request) -> Response:
        """The one response."""
        self.asked.append(request)
        return self.response

    def counters(self) -> StoreCounters:
        """What is counted."""
        return self.counted


def opened(answers: Answers, clock: ManualClock | None = None) -> WorldStore:
    """A store."""
    return WorldStore(answers, ("127.0.0.1", 9), clock or ManualClock())


def test_it_says_where_it_is() -> None:
    """What handlers take for its endpoint."""
    assert opened(Answers(Response(200))).endpoint == "http://127.0.0.1:9"


async def test_a_control_call_is_answered_in_process() -> None:
    """Its arguments are escaped, what it says is decoded, and a refusal is the real store's, in one line."""
    answers = Answers(Response(200, b"[]"))
    store = opened(answers)
    assert [each async for each in store.peek("a queue&")] == []
    assert answers.asked[0].target == f"{CONTROL_PATH}messages?queue=a+queue%26&after=-1"
    answers.response = Response(400, b"there is\n no table 't'")
    with pytest.raises(ControlRefused, match=r"^there is no table 't'$"):
        await store.refuse_writes("t", 0.5)
    assert answers.asked[1].method == "POST"


@pytest.mark.parametrize(("held", "most_s"), [(None, IDLE_LOOK_S), (0, IDLE_LOOK_S), (1, LOOK_S)])
async def test_counters_are_read_now_and_then_although_nothing_happens(held: int | None, most_s: float) -> None:
    """More often while a queue holds a message, whose age grows; less before they were read at all."""
    clock = ManualClock(100)
    answers = Answers(Response(200), other=QueueCounters(), queue=QueueCounters(visible=held or 0))
    store = opened(answers, clock)
    if held is not None:
        assert await store.counters() is answers.counted
    waiting = asyncio.ensure_future(store.changed(100))
    await clock.advance(most_s - 0.1)
    assert not waiting.done()
    await clock.advance(0.1)
    assert waiting.done()


@pytest.mark.parametrize(("body", "ends"), [(b'{"Messages":[]}', True), (b"<Deleted/>", True), (b"{}", False)])
async def test_an_answer_ends_the_wait_for_a_change(body: bytes, ends: bool) -> None:
    """All who wait go on, unless it is that of an empty receive, which changes nothing that matters."""
    clock = ManualClock(100)
    store = opened(Answers(Response(200, body)), clock)
    waiting = [asyncio.ensure_future(store.changed(100)) for _ in range(2)]
    await clock.advance(1)
    assert (await store.answer(Request("POST", "/", {}, (), b""))).body == body
    await clock.advance(0)
    assert [each.done() for each in waiting] == [ends, ends]
    for each in waiting:
        each.cancel()


async def test_what_changed_before_the_wait_ends_it_at_once() -> None:
    """Since the counters were read, or at the same instant; what they already had does not."""
    clock = ManualClock(100)
    store = opened(Answers(Response(200)), clock)
    store.touch()
    waiting = asyncio.ensure_future(store.changed(100))
    late = asyncio.ensure_future(store.changed(100.5))
    await clock.advance(0)
    assert (waiting.done(), late.done()) == (True, False)
    late.cancel()


def test_the_users_aws_variables_do_not_reach_a_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a store of its own process; afterwards they are there again."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "999999999999")
    monkeypatch.setenv("THEIRS", "1")
    before = dict(os.environ)
    with as_a_stores():
        assert not {"AWS_PROFILE", "MOTO_ACCOUNT_ID"} & os.environ.keys()
        assert (os.environ["THEIRS"], os.environ["AWS_SECRET_ACCESS_KEY"]) == ("1", "testing")
    assert dict(os.environ) == before
