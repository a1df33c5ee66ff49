"""The load generator: a process of its own, so that neither handlers nor dashboard hold up an arrival.

`python -m simulator.load.send.generator` takes its orders as JSON lines on standard input and answers on standard
output; the end of its input ends it. It sends by the clock (open loop): an arrival that finds every sender busy is
dropped and counted, and how late the others went out is there in their instants.

Orders: `hello` (who, where, which objects), `offer` (a profile), `fill` (so many objects as fast as they are taken),
`ceiling` (bare requests), `stop` (end the order in hand). Answers: `ready`, `sent` (rows of number, sent instant,
answered instant, status), `done`, `failed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from yarl import URL

from simulator.base import limits
from simulator.base.clock import Clock, SystemClock
from simulator.base.usage import process_cpu_s
from simulator.load.measure.recording import DROPPED, FAILED, SENT
from simulator.load.plan.arrivals import Profile, Segment, poisson_offsets
from simulator.load.plan.objects import Objects
from simulator.load.send import ceiling
from simulator.load.send.signing import Identity, SignedRequest, Signer


class Prepared:
    """Signed requests for the numbers to come, made ahead while there is time, up to a bound on memory and age."""

    def __init__(self, objects: Objects, signer: Signer, bucket_url: str) -> None:
        self._objects, self._signer, self._bucket_url = objects, signer, bucket_url
        self._ready: deque[SignedRequest] = deque()
        self._next = self._end = 0
        size = len(objects.body(0))
        self._bound = max(16, min(limits.LOAD_PREPARED_OBJECTS, limits.LOAD_PREPARED_BYTES // size))

    def begin(self, first: int, count: int, ahead: int) -> None:
        """Start at number `first` of `count`; make as many as the bound allows of the `ahead` that are asked for."""
        self._ready.clear()
        self._next, self._end = first, first + count
        while len(self._ready) < min(ahead, self._bound):
            self._make()

    def take(self) -> SignedRequest:
        """The next number's request; made on the spot if none is ready."""
        if not self._ready:
            self._make()
        return self._ready.popleft()

    def make_one(self) -> bool:
        """Make one more ahead; False when there are enough."""
        if len(self._ready) >= self._bound or self._next >= self._end:
            return False
        self._make()
        return True

    def _make(self) -> None:
        number = self._next
        self._next += 1
        key, body = self._objects.key(number), self._objects.body(number)
        self._ready.append(self._signer.put_object(self._bucket_url, key, body, number))


class Generator:
    """Carries out orders, one at a time."""

    def __init__(self, clock: Clock, http: aiohttp.ClientSession, answer: Answers, hello: dict[str, Any]) -> None:
        self._clock, self._http, self._answer = clock, http, answer
        self._senders: int = hello["senders"]
        self._identity = Identity(**hello["identity"])
        self._endpoint: str = hello["endpoint"]
        self._signer = Signer(self._endpoint, self._identity)
        self.objects = Objects(**hello["objects"])
        self._prepared = Prepared(self.objects, self._signer, hello["bucket_url"])
        self._busy: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End the order in hand; what is being sent is finished."""
        self._stop.set()

    async def offer(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send by the plan: arrival n at `start_at` plus its offset, or not at all."""
        self._stop.clear()
        profile = Profile("offer", tuple(Segment(*segment) for segment in order["segments"]))
        poisson: int | None = order["poisson_seed"]
        offsets = profile.offsets() if poisson is None else poisson_offsets(profile, poisson)
        horizon = int(profile.peak_per_s * limits.LOAD_PREPARED_S) + 1
        self._prepared.begin(order["first"], profile.total, min(profile.total, horizon))
        start_at = max(order["start_at"], self._clock.now() + 0.02)
        self._answer.send({"started": start_at})
        number = order["first"]
        for offset in offsets:
            await self._until(start_at + offset)
            if self._stop.is_set():
                break
            request = self._prepared.take()
            if len(self._busy) >= self._senders:
                self._answer.row(number, None, None, DROPPED)
            else:
                self._start(request)
            number += 1
        await self._finished()
        return {"offered": number - order["first"]}

    async def fill(self, order: dict[str, Any]) -> dict[str, Any]:
        """Put `count` objects as fast as they are taken, a few at a time: a backlog, not a measurement."""
        self._stop.clear()
        self._prepared.begin(order["first"], order["count"], min(order["count"], 64))
        put = 0
        while put < order["count"] and not self._stop.is_set():
            self._start(self._prepared.take())
            put += 1
            while len(self._busy) >= order["senders"]:
                await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)
        await self._finished()
        return {"offered": put}

    async def ceiling(self, order: dict[str, Any]) -> dict[str, Any]:
        """Bare requests for a while: what the target takes when nothing but the target works."""
        self._stop.clear()
        return await ceiling.measure(order, self._http, self._signer, self.objects, self._clock, self._stop)

    def _start(self, request: SignedRequest) -> None:
        task = asyncio.get_running_loop().create_task(self._send(request))
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _send(self, request: SignedRequest) -> None:
        sent_at = self._clock.now()
        try:
            async with self._http.put(
                URL(request.url, encoded=True), data=request.body, headers=request.headers
            ) as response:
                text = await response.read()
                status, why = response.status, f"HTTP {response.status} {text[:200].decode(errors='replace')}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            status, why = 0, f"{type(error).__name__} {error}"
        now = self._clock.now()
        if status == 200:
            self._answer.row(request.about, sent_at, now, SENT)
        else:
            self._answer.row(request.about, sent_at, now, FAILED)
            self._answer.failure(" ".join(why.split()))

    async def _until(self, at: float) -> None:
        """Wait for an instant; the time until then goes into making objects ahead."""
        # Also when late: what was started before must get its turn.
        await self._clock.sleep(0)
        while (left := at - self._clock.now()) > 0:
            if left > limits.LOAD_PREPARE_SLACK_S and self._prepared.make_one():
                await self._clock.sleep(0)
                continue
            if left > 0.5:
                # Far from the next arrival, `stop` is looked at now and then.
                await self._clock.sleep(0.25)
                if self._stop.is_set():
                    return
            else:
                await self._clock.sleep(left)

    async def _finished(self) -> None:
        if self._busy:
            await asyncio.wait(set(self._busy))


class Answers:
    """Standard output, written in lines a few times a second so that telling costs little."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, float | None, float | None, int]] = []
        self._failures: list[str] = []

    def row(self, number: int, sent_at: float | None, answered_at: float | None, status: int) -> None:
        """One arrival's fate."""
        self._rows.append((number, sent_at, answered_at, status))

    def failure(self, why: str) -> None:
        """Why a send failed, in one line; the first few are told."""
        if len(self._failures) < limits.LOAD_FAILURES_SHOWN:
            self._failures.append(why)

    def send(self, answer: dict[str, Any]) -> None:
        """Write an answer after all rows so far."""
        self.flush()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        rows, self._rows = self._rows, []
        failures, self._failures = self._failures, []
        if rows or failures:
            sys.stdout.write(json.dumps({"sent": rows, "failures": failures, "cpu_s": process_cpu_s()}) + "\n")
            sys.stdout.flush()

    async def often(self, clock: Clock) -> None:
        """Flush a few times a second."""
        while True:
            await clock.sleep(limits.LOAD_REPORT_S)
            self.flush()


@contextlib.asynccontextmanager
async def _orders() -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader(limit=2**20)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        yield reader
    finally:
        transport.close()


async def serve() -> None:
    """Take orders until the input ends."""
    clock, answer = SystemClock(), Answers()
    async with _orders() as orders:
        hello = json.loads(await orders.readline() or "{}")
        if not hello:
            return
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        timeout = aiohttp.ClientTimeout(total=limits.LOAD_SEND_TIMEOUT_S)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, trust_env=False, raise_for_status=False
        ) as http:
            generator = Generator(clock, http, answer, hello)
            telling = asyncio.create_task(answer.often(clock))
            # What exists now stays: the collector need not look at it between two arrivals.
            gc.collect()
            gc.freeze()
            answer.send({"ready": True})
            work: asyncio.Task[None] | None = None
            async for line in _lines(orders):
                order = json.loads(line)
                if order["do"] == "stop":
                    generator.stop()
                    continue
                if work is not None:
                    await work
                work = asyncio.create_task(_carry_out(generator, order, answer))
            generator.stop()
            telling.cancel()
            if work is not None:
                work.cancel()
            await asyncio.gather(telling, *([work] if work else []), return_exceptions=True)


async def _carry_out(generator: Generator, order: dict[str, Any], answer: Answers) -> None:
    carry_out = {"offer": generator.offer, "fill": generator.fill, "ceiling": generator.ceiling}[order["do"]]
    try:
        done = await carry_out(order)
    except Exception as error:  # noqa: BLE001 - whoever gave the order waits for an answer, whatever happened
        answer.send({"failed": " ".join(f"{type(error).__name__}: {error}".split())})
    else:
        answer.send({"done": done, "cpu_s": process_cpu_s()})


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while line := await reader.readline():
        yield line


def main() -> None:
    """Run until the input ends; signals are the parent's affair, which closes the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Sleeping most of the time it is soon given a core anyway; where the system allows, at once.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, limits.LOAD_GENERATOR_NICE)
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
