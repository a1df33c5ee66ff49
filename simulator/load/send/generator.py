"""The load generator: a separate process, so that neither handlers nor dashboard delay an arrival.

`python -m simulator.load.send.generator` reads orders from standard input and answers on standard output, as
`protocol.py` describes; it ends when its input ends. It sends by the clock (open loop): if every sender is busy, it
drops and counts an arrival; the instants of the others show how late they were sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
from collections import deque
from typing import Any

import aiohttp
from yarl import URL

from simulator.base import limits
from simulator.base.children import send_to_owner, standard_input
from simulator.base.clock import Clock, SystemClock
from simulator.base.usage import process_cpu_s
from simulator.load.measure.recording import DROPPED, FAILED, SENT
from simulator.load.send import protocol
from simulator.load.send.ceiling import measure
from simulator.load.send.signing import SignedRequest, Signer


class Prepared:
    """Signed requests for the next numbers, prepared while there is time, within limits on memory and age."""

    def __init__(self, clock: Clock, hello: protocol.Hello, signer: Signer) -> None:
        self._clock, self._hello, self._signer = clock, hello, signer
        self._ready: deque[SignedRequest] = deque()
        self._next = self._end = 0
        size = max(1, len(hello.objects.body(0)))  # a file may be empty
        self._bound = max(16, min(limits.LOAD_PREPARED_OBJECTS, limits.LOAD_PREPARED_BYTES // size))

    async def begin(self, first: int, count: int, ahead: int) -> None:
        """Start at number `first` of `count`, and prepare up to `ahead` requests, as far as the limits allow."""
        self._ready.clear()
        self._next, self._end = first, first + count
        while len(self._ready) < min(ahead, self._bound):
            self._make()
            await self._clock.sleep(0)  # objects may be large, and the owner expects a sign of life

    def take(self) -> SignedRequest:
        """The next number's request, created now if it is not ready."""
        if not self._ready:
            self._make()
        return self._ready.popleft()

    def make_one(self) -> bool:
        """Prepare one more; False if there are enough."""
        if len(self._ready) >= self._bound or self._next >= self._end:
            return False
        self._make()
        return True

    def _make(self) -> None:
        hello, number = self._hello, self._next
        self._next += 1
        body = hello.objects.body(number)
        if hello.queue_url is None:
            request = self._signer.put_object(hello.bucket_url, hello.objects.key(number), body)
        else:
            message = json.dumps({"QueueUrl": hello.queue_url, "MessageBody": body.decode()}).encode()
            request = self._signer.call("sqs", "AmazonSQS.SendMessage", message)
        self._ready.append(request)


class Generator:
    """Carries out orders, one at a time."""

    def __init__(self, clock: Clock, http: aiohttp.ClientSession, answers: Answers, hello: protocol.Hello) -> None:
        self._clock, self._http, self._answers, self._hello = clock, http, answers, hello
        self._signer = Signer(hello.endpoint, hello.identity)
        self._prepared = Prepared(clock, hello, self._signer)
        self._busy: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End the current order, after the requests in flight."""
        self._stop.set()

    async def carry_out(self, order: protocol.Offer | protocol.Fill | protocol.MeasureCeiling) -> None:
        """Carry out an order, and answer how it ended."""
        self._stop.clear()
        answer: protocol.Answer
        try:
            match order:
                case protocol.Offer():
                    answer = protocol.Offered(await self._offer(order))
                case protocol.Fill():
                    answer = protocol.Offered(await self._fill(order))
                case protocol.MeasureCeiling():
                    objects = self._hello.objects
                    answer = await measure(order, self._http, self._signer, objects, self._clock, self._stop)
        except Exception as error:  # noqa: BLE001 - the owner waits for an answer in any case
            answer = protocol.OrderFailed(" ".join(f"{type(error).__name__}: {error}".split()))
        self._answers.send(answer)

    async def _offer(self, order: protocol.Offer) -> int:
        """Send each arrival at `start_at` plus its offset, or not at all."""
        profile = order.profile
        horizon = int(profile.peak_per_s * limits.LOAD_PREPARED_S) + 1
        await self._prepared.begin(order.first, profile.total, min(profile.total, horizon))
        start_at = max(order.start_at, self._clock.now() + 0.02)
        self._answers.send(protocol.Started(start_at))
        number = order.first
        for offset in order.offsets():
            await self._until(start_at + offset)
            if self._stop.is_set():
                break
            request = self._prepared.take()
            if len(self._busy) >= self._hello.senders:
                self._answers.fate(number, None, None, DROPPED)
            else:
                self._start(number, request)
            number += 1
        await self._finished()
        return number - order.first

    async def _fill(self, order: protocol.Fill) -> int:
        await self._prepared.begin(order.first, order.count, min(order.count, 64))
        put = 0
        while put < order.count and not self._stop.is_set():
            self._start(order.first + put, self._prepared.take())
            put += 1
            while len(self._busy) >= order.senders:
                await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)
        await self._finished()
        return put

    def _start(self, number: int, request: SignedRequest) -> None:
        task = asyncio.get_running_loop().create_task(self._send(number, request))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _send(self, number: int, request: SignedRequest) -> None:
        sent_at = self._clock.now()
        try:
            async with self._http.request(
                request.method, URL(request.url, encoded=True), data=request.body, headers=request.headers
            ) as response:
                text = await response.read()
                status, why = response.status, f"HTTP {response.status} {text[:200].decode(errors='replace')}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            status, why = 0, f"{type(error).__name__} {error}"
        now = self._clock.now()
        if status != 200:
            self._answers.fate(number, sent_at, now, FAILED)
            self._answers.failure(" ".join(why.split()))
        elif self._hello.queue_url is None:
            self._answers.fate(number, sent_at, now, SENT)
        else:
            self._answers.fate(number, sent_at, now, SENT, json.loads(text)["MessageId"])

    async def _until(self, at: float) -> None:
        """Wait for an instant, and prepare objects meanwhile."""
        # Even when late, because sends that have started must get their turn.
        await self._clock.sleep(0)
        while (left := at - self._clock.now()) > 0:
            if left > limits.LOAD_PREPARE_SLACK_S and self._prepared.make_one():
                await self._clock.sleep(0)
                continue
            if left > 0.5:
                # Far from the next arrival, check `stop` now and then.
                await self._clock.sleep(0.25)
                if self._stop.is_set():
                    return
            else:
                await self._clock.sleep(left)

    async def _finished(self) -> None:
        if self._busy:
            await asyncio.wait(set(self._busy))


class Answers:
    """Standard output, written only a few times per second to save time."""

    def __init__(self) -> None:
        self._fates: list[protocol.Fate] = []
        self._failures: list[str] = []

    def fate(self, *fate: Any) -> None:
        """What became of one arrival: the members of a `Fate`."""
        self._fates.append(fate)

    def failure(self, why: str) -> None:
        """Why a send failed, in one line; only the first few are reported."""
        if len(self._failures) < limits.LOAD_FAILURES_SHOWN:
            self._failures.append(why)

    def send(self, *answers: protocol.Answer) -> None:
        """Write all fates so far, then these answers."""
        sent = protocol.Sent(self._fates, self._failures, process_cpu_s())
        send_to_owner(*(protocol.encode(answer).decode() for answer in (sent, *answers)))
        self._fates, self._failures = [], []

    async def send_often(self, clock: Clock) -> None:
        """Write what has collected a few times per second, or, if there is nothing, a sign of life once per second."""
        silent_s = 0.0
        while True:
            await clock.sleep(limits.LOAD_REPORT_S)
            silent_s += limits.LOAD_REPORT_S
            if self._fates or silent_s >= limits.LOAD_PULSE_S:
                self.send()
                silent_s = 0.0


async def serve() -> None:
    """Carry out orders until the input ends."""
    clock, answers = SystemClock(), Answers()
    async with standard_input() as lines:
        if not (line := await lines.readline()):
            return
        hello: Any = protocol.decode(line)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=limits.LOAD_SEND_TIMEOUT_S),
            auto_decompress=False,
            trust_env=False,
        ) as http:
            generator = Generator(clock, http, answers, hello)
            flushing = asyncio.create_task(answers.send_often(clock))
            # Everything that exists now stays, so the garbage collector need not look at it between arrivals.
            gc.collect()
            gc.freeze()
            answers.send(protocol.Ready())
            tasks = {flushing}
            async for line in lines:
                order: Any = protocol.decode(line)
                if isinstance(order, protocol.Stop):
                    generator.stop()
                    continue
                await asyncio.gather(*tasks - {flushing})
                tasks = {flushing, asyncio.create_task(generator.carry_out(order))}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    """Run until the input ends. Ctrl-C is ignored, because the parent handles it and closes the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # It mostly sleeps, so it gets a core soon anyway; with a higher priority, where allowed, immediately.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, limits.LOAD_GENERATOR_NICE)
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
