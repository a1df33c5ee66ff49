"""Long polls on the loop: those that wait can be ended, and those that come later wait."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.clock import ManualClock
from fakes.fibers import Nobody
from simulator.base.chance import Identifiers, stream
from simulator.store.sqs import long_poll
from simulator.store.sqs.depot import MessageDepot
from simulator.store.sqs.long_poll import LongPolls, _wake
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request, Response, Routed
from simulator.store.wire.routing import route
from simulator.world.loop import VirtualLoop

EMPTY, FULL = Response(200, b"{}"), Response(200, b'{"Messages":[]}')
EPOCH = 1_000.0


class Depot:
    """A queue without messages; `dues` says when the next one in flight returns, in the order of asking."""

    def __init__(self, *dues: float | None) -> None:
        self.dues, self.arrived = list(dues), bool

    def announce(self, arrived: Any) -> None:
        """See `MessageDepot`."""
        self.arrived = arrived

    def next_due_ms(self) -> float | None:
        """See `MessageDepot`."""
        return self.dues.pop(0) if self.dues else None


class Counter:
    """Where messages are received, in virtual time: the instants of all looks, and what they find."""

    def __init__(self, *, announced: bool = True, fifo: bool = False, dues: tuple[float | None, ...] = ()) -> None:
        self.loop = asyncio.get_running_loop()
        clock: Any = SimpleNamespace(now=lambda: EPOCH + self.loop.time())
        self.depot, self.looks = Depot(*dues), list[float]()
        self.queue = SimpleNamespace(fifo_queue=fifo, _stockpipe_depot=self.depot)
        self.polls = LongPolls(clock, announced)
        self.found: Callable[[], Response] = lambda: EMPTY

    def receive(self, routed: Routed) -> Response:
        """One look."""
        assert json.loads(routed.request.body) == {"QueueUrl": "q", "WaitTimeSeconds": 0}
        self.looks.append(self.loop.time())
        assert len(self.looks) < 1000
        return self.found()

    async def poll(self, wait_s: int = 20) -> Response:
        """A receive."""
        return await self.polls.poll(asked(), self.queue, wait_s, self.receive)


def asked(**parameters: Any) -> Routed:
    """A receive's request."""
    body = json.dumps({"QueueUrl": "q", **parameters}).encode()
    request = Request("POST", "/", {"x-amz-target": "AmazonSQS.ReceiveMessage"}, (), body)
    return route(request, Identifiers(stream(0, "requests")))


def virtually(main: Callable[[], Any]) -> Any:
    """What `main` returns on a virtual loop."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(Nobody())) as runner:
        return runner.run(main())


@pytest.mark.parametrize(
    ("parameters", "wait_s"),
    [
        ({}, 7),
        ({"WaitTimeSeconds": 0}, 0),
        ({"WaitTimeSeconds": 20}, 20),
        ({"WaitTimeSeconds": 21}, 0),
        ({"WaitTimeSeconds": -1}, 0),
        ({"WaitTimeSeconds": "5"}, 0),
        (None, 7),
    ],
)
def test_how_long_a_receive_waits(parameters: dict[str, Any] | None, wait_s: int) -> None:
    """As long as it wants, else as its queue says; not at all if moto will refuse what it wants."""
    polls, queue = LongPolls(ManualClock(), announced=True), SimpleNamespace(receive_message_wait_time_seconds=7)
    routed = asked()._replace(parameters=None) if parameters is None else asked(**parameters)
    assert polls.wait_s(routed, queue) == wait_s


@pytest.mark.parametrize(
    ("found", "ends_at"),
    [
        (FULL, 0),
        (Response(200, b"<ReceiveMessageResult><Message></Message></ReceiveMessageResult>"), 0),
        (Response(200, b"<ReceiveMessageResponse><ReceiveMessageResult></ReceiveMessageResult>"), 20),
        (Response(200, b'{"no": "%s", "Messages": 0}' % (b"x" * 40)), 20),
        (Response(500, b"{}"), 0),
    ],
)
def test_only_an_empty_answer_waits(found: Response, ends_at: float) -> None:
    """In both protocols; a failure is answered at once, and the last answer is the one that is given."""

    async def main() -> tuple[Response, list[float], float]:
        counter = Counter()
        counter.found = lambda: found
        return await counter.poll(), counter.looks, counter.loop.time()

    assert virtually(main) == (found, [0], ends_at)


def test_too_many_in_flight_is_an_empty_answer_of_a_long_poll() -> None:
    """Any other refusal is one."""

    async def main() -> tuple[bytes, float]:
        counter = Counter()

        def refused(code: str) -> Response:
            raise AwsError(code, "no")

        counter.found = lambda: refused("AWS.SimpleQueueService.NonExistentQueue")
        with pytest.raises(AwsError):
            await counter.poll()
        counter.found = lambda: refused("OverLimit")
        return (await counter.poll()).body, counter.loop.time()

    assert virtually(main) == (b"{}", 20)


def test_a_message_that_comes_ends_the_wait() -> None:
    """At that instant; nobody looks before."""

    async def main() -> tuple[Response, list[float]]:
        counter = Counter()
        polling = asyncio.create_task(counter.poll())
        await asyncio.sleep(3)
        counter.found = lambda: FULL
        counter.depot.arrived()
        return await polling, counter.looks

    assert virtually(main) == (FULL, [0, 3])


@pytest.mark.parametrize(("announced", "fifo"), [(False, False), (True, True)])
def test_where_nobody_tells_it_looks_ten_times_a_second(announced: bool, fifo: bool) -> None:
    """Until its time is up, which is an instant, and not a second before."""

    async def main() -> tuple[float, int]:
        counter = Counter(announced=announced, fifo=fifo)
        await counter.poll()
        return counter.loop.time(), len(counter.looks)

    assert virtually(main) == (pytest.approx(20, abs=0.05), pytest.approx(201, abs=2))


def test_it_looks_again_when_a_message_returns() -> None:
    """One in flight or delayed, at its instant by the store's clock; one that is overdue, after a moment."""

    async def main() -> list[float]:
        counter = Counter(dues=((EPOCH + 5) * 1000, (EPOCH - 1) * 1000, (EPOCH + 30) * 1000))
        await counter.poll()
        assert counter.loop.time() == 20
        return counter.looks

    assert virtually(main) == pytest.approx([0, 5, 5.001])


def test_a_client_that_leaves_as_it_is_woken_passes_the_message_on() -> None:
    """To the next one; if it leaves before, it wakes nobody. Nothing is kept for it."""

    async def main() -> list[float]:
        counter = Counter()
        first, second, third = (asyncio.create_task(counter.poll()) for _ in range(3))
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.sleep(1)
        assert counter.looks == [0, 0, 0]
        counter.depot.arrived()
        second.cancel()
        await asyncio.sleep(1)
        assert (first.cancelled(), second.cancelled(), third.done()) == (True, True, False)
        assert counter.looks == [0, 0, 0, 2]
        third.cancel()
        await asyncio.sleep(0)
        assert [list(waiting) for waiting in counter.polls._waiting.values()] == [[]]
        loop: Any = counter.loop
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
        return counter.looks

    virtually(main)


async def test_one_message_wakes_one_who_still_waits() -> None:
    """Those whose time was up in the same instant are passed over; nobody has to be there."""
    loop = asyncio.get_running_loop()
    over, first, second = (loop.create_future() for _ in range(3))
    over.set_result(False)
    waiting = deque([over, first, second])
    _wake(waiting)
    assert (first.result(), second.done(), list(waiting)) == (True, False, [second])
    _wake(deque([over]))
    assert over.result() is False


@pytest.mark.parametrize("announced", [True, False])
async def test_those_who_wait_are_answered_when_polls_end(announced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each poll looks once more and answers with what it has; the next poll waits again."""
    monkeypatch.setattr(long_poll, "_BLIND_INTERVAL_S", 0.001)
    looks = 0

    def receive(_routed: Routed) -> Response:
        nonlocal looks
        looks += 1
        return Response(200, b"{}")

    routed = asked()
    polls = LongPolls(ManualClock(), announced)
    queues = [SimpleNamespace(fifo_queue=False, _stockpipe_depot=MessageDepot(b"")) for _ in range(2)]
    waiting = [asyncio.create_task(polls.poll(routed, queue, 20, receive)) for queue in (*queues, queues[0])]
    await asyncio.sleep(0)
    assert (looks, [poll.done() for poll in waiting]) == (3, [False] * 3)
    polls.end()
    later = asyncio.create_task(polls.poll(routed, queues[0], 20, receive))
    answers = await asyncio.gather(*waiting)
    assert [answer.body for answer in answers] == [b"{}"] * 3
    assert looks >= 7
    assert not later.done()
    later.cancel()
