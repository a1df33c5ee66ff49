"""The load test's two helper processes, the generator and the sink, seen from their owner."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import NoReturn, TypeVar

import aiohttp

from simulator.base import limits
from simulator.base.children import ModuleProcess
from simulator.base.clock import Clock
from simulator.base.counters import StoreCounters, from_json
from simulator.base.errors import CouldNotFinish
from simulator.load.measure.bottleneck import Ceiling
from simulator.load.send import protocol

FateSink = Callable[..., object]
"""Receives each arrival's fate: number, sent and answered instants, status, and the id of a message."""
_GENERATOR, _SINK = "load generator", "sink"
Ended = TypeVar("Ended", bound=protocol.Answer)


class GeneratorProcess:
    """The generator's process: carries out one order at a time, and passes on fates as they come.

    `used` receives its CPU time so far, in seconds.
    """

    def __init__(self, process: ModuleProcess, used: Callable[[float], None]) -> None:
        self._process, self._used = process, used
        self._order = asyncio.Lock()
        self.cpu_s = 0.0
        self.failures: list[str] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, hello: protocol.Hello, used: Callable[[float], None] = lambda _: None
    ) -> AsyncIterator[GeneratorProcess]:
        """Start a generator that is ready for orders; its process ends with the block."""
        async with ModuleProcess.open("simulator.load.send.generator") as process:
            generator = cls(process, used)
            await generator._carry_out(hello, protocol.Ready, timeout_s=limits.LOAD_GENERATOR_START_S)
            yield generator

    async def offer(
        self, order: protocol.Offer | protocol.Fill, fate: FateSink, started: Callable[[float], None] = lambda _: None
    ) -> int:
        """Send by a plan or put a backlog; returns how many arrivals. `started` receives the instant of the start."""
        return (await self._carry_out(order, protocol.Offered, fate, started)).count

    async def ceiling(self, order: protocol.MeasureCeiling) -> Ceiling:
        """Send bare requests for a while; returns the rates that the target reached."""
        return await self._carry_out(order, Ceiling)

    async def stop(self) -> None:
        """End the current order."""
        await self._send(protocol.Stop())

    async def _carry_out(
        self,
        order: protocol.Order,
        end: type[Ended],
        fate: FateSink = lambda *_: None,
        started: Callable[[float], None] = lambda _: None,
        timeout_s: float | None = None,
    ) -> Ended:
        """Carry out an order up to its final answer. `timeout_s` limits the wait for each answer."""
        timeout_s = timeout_s or limits.SILENCE_LOOKS * limits.SILENCE_LOOK_S
        async with self._order:
            await self._send(order)
            while True:
                answer = protocol.decode(await _line(self._process, _GENERATOR, timeout_s))
                if isinstance(answer, end):
                    return answer
                match answer:
                    case protocol.Sent(fates=fates, failures=failures, cpu_s=cpu_s):
                        for each in fates:
                            fate(*each)
                        self.failures = [*self.failures, *failures][: limits.LOAD_FAILURES_SHOWN]
                        self.cpu_s = cpu_s
                        self._used(cpu_s)
                    case protocol.Started(at=at):
                        started(at)
                    case protocol.OrderFailed(reason=reason):
                        raise CouldNotFinish(f"the load generator failed: {reason}")

    async def _send(self, order: protocol.Order) -> None:
        try:
            await self._process.send(protocol.encode(order))
        except (BrokenPipeError, ConnectionResetError):
            raise _ended(_GENERATOR, await self._process.fate()) from None


class SinkProcess:
    """The sink's process: its endpoint and its counters."""

    def __init__(self, process: ModuleProcess, endpoint: str, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.endpoint = endpoint
        self._process, self._http, self._clock = process, http, clock

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, clock: Clock, latency_s: float) -> AsyncIterator[SinkProcess]:
        """Start a sink that listens; its process ends with the block."""
        async with ModuleProcess.open("simulator.load.sink.server", "--latency", repr(latency_s)) as process:
            line = await _line(process, _SINK, limits.LOAD_SINK_START_S)
            async with aiohttp.ClientSession(trust_env=False) as http:
                yield cls(process, json.loads(line)["endpoint"], http, clock)

    async def counters(self) -> StoreCounters:
        """Its counters, in the store's form."""
        try:
            async with self._http.get(f"{self.endpoint}/_sink/counters") as response:
                counters = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError) as error:
            raise _ended(_SINK, await self._process.fate()) from error
        return from_json({"at": self._clock.now(), **counters})

    async def wait_lost(self) -> NoReturn:
        """Wait until the process ends unexpectedly, or stops answering, and raise `CouldNotFinish`."""
        raise _ended(_SINK, await self._process.wait_lost(self.counters, self._clock))


async def _line(process: ModuleProcess, name: str, timeout_s: float) -> bytes:
    """The process's next line. Raises `CouldNotFinish` if none comes, because it has ended or is silent."""
    with contextlib.suppress(TimeoutError):
        if line := await process.receive(timeout_s):
            return line
    raise _ended(name, await process.fate())


def _ended(name: str, fate: str) -> CouldNotFinish:
    return CouldNotFinish(f"the {name}'s process {fate}", hint="start the run again")
