"""Long polls: they wait on the event loop, not in a thread, and end when a message comes or their time is up."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from simulator.base.clock import Clock
from simulator.base.limits import SQS_RECEIVE_WAIT_S
from simulator.store.sqs.depot import MessageDepot
from simulator.store.sqs.moto_queue import depot_of
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Response, Routed, empty_response
from simulator.store.wire.routing import with_parameters

# moto's own FIFO queues, and a replacement that is off, announce nothing: check them at this interval.
_BLIND_INTERVAL_S = 0.1


@dataclass(slots=True)
class LongPolls:
    """Everybody who waits for messages, by queue, in order of arrival; `announced`: queues report new messages."""

    clock: Clock
    announced: bool
    _waiting: dict[MessageDepot, deque[asyncio.Future[bool]]] = field(default_factory=lambda: defaultdict(deque))
    _ends: int = 0

    def end(self) -> None:
        """Everybody who waits now is answered at once with what there is, usually nothing."""
        self._ends += 1
        for waiting in self._waiting.values():
            while waiting:
                _wake(waiting)

    def wait_s(self, routed: Routed, queue: Any) -> int:
        """How long this receive may wait: as it requests, else as the queue is set; 0 if moto must refuse it."""
        wish = (routed.parameters or {}).get("WaitTimeSeconds")
        if wish is None:
            wish = queue.receive_message_wait_time_seconds
        low, high = SQS_RECEIVE_WAIT_S
        return wish if isinstance(wish, int) and low <= wish <= high else 0

    async def poll(self, routed: Routed, queue: Any, wait_s: int, receive: Callable[[Routed], Response]) -> Response:
        """Receive until the answer is not empty, for at most `wait_s` seconds, or until `end`."""
        loop = asyncio.get_running_loop()
        deadline, ends = loop.time() + wait_s, self._ends
        short = with_parameters(routed, WaitTimeSeconds=0)
        while True:
            try:
                response = receive(short)
            except AwsError as error:
                if error.code != "OverLimit":
                    raise
                # With too many messages in flight, a long poll gets an empty answer and no error.
                response = empty_response(routed)
            remaining_s = deadline - loop.time()
            if response.status != 200 or remaining_s <= 0 or ends != self._ends or _has_messages(response.body):
                return response
            if not await self._wait(queue, remaining_s):
                return response

    async def _wait(self, queue: Any, remaining_s: float) -> bool:
        """Whether something may have come meanwhile."""
        if queue.fifo_queue or not self.announced:
            await asyncio.sleep(min(remaining_s, _BLIND_INTERVAL_S))
            return True
        depot = depot_of(queue)
        waiting = self._waiting[depot]
        depot.announce(partial(_wake, waiting))
        due_ms = depot.next_due_ms()
        due_s = remaining_s if due_ms is None else max(0.001, due_ms / 1000 - self.clock.now())
        loop = asyncio.get_running_loop()
        arrival: asyncio.Future[bool] = loop.create_future()
        waiting.append(arrival)
        timer = loop.call_later(min(due_s, remaining_s), _end, arrival, due_s < remaining_s)
        try:
            return await arrival
        except asyncio.CancelledError:
            if not arrival.cancelled():
                # Its client left as it was woken: wake the next one for the message.
                _wake(waiting)
            raise
        finally:
            timer.cancel()
            if arrival in waiting:
                waiting.remove(arrival)


def _end(arrival: asyncio.Future[bool], came: bool) -> bool:
    """End a wait, unless it has ended and is only about to leave."""
    if arrival.done():
        return False
    arrival.set_result(came)
    return True


def _wake(waiting: deque[asyncio.Future[bool]]) -> None:
    while waiting and not _end(waiting.popleft(), True):
        pass


def _has_messages(body: bytes) -> bool:
    # An empty answer in XML names the operation, which contains the same word.
    return b'"Messages"' in body[:40] or b"<Message>" in body
