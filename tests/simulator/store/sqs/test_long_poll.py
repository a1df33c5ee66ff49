"""Long polls on the loop: those that wait can be ended, and those that come later wait."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from fakes.clock import ManualClock
from simulator.base.chance import Identifiers, stream
from simulator.store.sqs import long_poll
from simulator.store.sqs.depot import MessageDepot
from simulator.store.sqs.long_poll import LongPolls
from simulator.store.wire.messages import Request, Response, Routed
from simulator.store.wire.routing import route


@pytest.mark.parametrize("announced", [True, False])
async def test_those_who_wait_are_answered_when_polls_end(announced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each poll looks once more and answers with what it has; the next poll waits again."""
    monkeypatch.setattr(long_poll, "_BLIND_INTERVAL_S", 0.001)
    looks = 0

    def receive(_routed: Routed) -> Response:
        nonlocal looks
        looks += 1
        return Response(200, b"{}")

    request = Request("POST", "/", {"x-amz-target": "AmazonSQS.ReceiveMessage"}, (), b'{"QueueUrl":"q"}')
    routed = route(request, Identifiers(stream(0, "requests")))
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
