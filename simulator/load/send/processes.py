"""The load test's two helper processes, the generator and the sink, as their owner sees them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any

import aiohttp

from simulator.base import limits
from simulator.base.children import ModuleProcess
from simulator.base.clock import Clock
from simulator.base.counters import StoreCounters, from_json
from simulator.base.errors import CouldNotFinish
from simulator.load.plan.arrivals import Profile
from simulator.load.plan.objects import Objects
from simulator.load.send.signing import Identity

Fate = Callable[[int, float | None, float | None, int], None]
"""Told of each arrival: number, sent and answered instants, status."""


class GeneratorProcess:
    """The generator's process, as its owner sees it: one order at a time, fates told as they come."""

    def __init__(self, process: ModuleProcess) -> None:
        self._process = process
        self._order = asyncio.Lock()
        self.cpu_s = 0.0
        self.failures: list[str] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        *,
        endpoint: str,
        bucket_url: str,
        identity: Identity,
        objects: Objects,
        senders: int = limits.LOAD_SENDERS,
    ) -> AsyncIterator[GeneratorProcess]:
        """A generator that is ready for orders; its process ends with the block."""
        async with ModuleProcess.open("simulator.load.send.generator") as process:
            generator = cls(process)
            made = {name: getattr(objects, name) for name in ("prefix", "rows", "seed", "base_at", "tickers")}
            await generator._send(
                {
                    "endpoint": endpoint,
                    "bucket_url": bucket_url,
                    "identity": asdict(identity),
                    "objects": made,
                    "senders": senders,
                }
            )
            try:
                await generator._hear(limits.LOAD_GENERATOR_START_S)
            except TimeoutError:
                raise CouldNotFinish("the load generator did not start; is the machine overloaded?") from None
            yield generator

    async def offer(
        self,
        profile: Profile,
        *,
        first: int,
        start_at: float,
        poisson_seed: int | None,
        fate: Fate,
        started: Callable[[float], None],
    ) -> int:
        """Send by the plan; how many arrivals were offered. `started` is told the instant the plan counts from."""
        segments = [(segment.duration_s, segment.from_per_s, segment.to_per_s) for segment in profile.segments]
        order = {
            "do": "offer",
            "segments": segments,
            "first": first,
            "start_at": start_at,
            "poisson_seed": poisson_seed,
        }
        done = await self._carry_out(order, fate, started)
        return int(done["offered"])

    async def fill(self, count: int, *, first: int, fate: Fate) -> int:
        """Put `count` objects as fast as they are taken; how many were put."""
        order = {"do": "fill", "count": count, "first": first, "senders": limits.LOAD_FILL_SENDERS}
        return int((await self._carry_out(order, fate))["offered"])

    async def ceiling(self, order: dict[str, Any]) -> dict[str, float]:
        """Bare requests for a while; what the target took of them."""
        return await self._carry_out({"do": "ceiling", **order}, lambda *_: None)

    async def stop(self) -> None:
        """End the order in hand."""
        await self._send({"do": "stop"})

    async def _carry_out(
        self, order: dict[str, Any], fate: Fate, started: Callable[[float], None] | None = None
    ) -> dict[str, Any]:
        async with self._order:
            await self._send(order)
            while True:
                answer = await self._hear()
                for row in answer.get("sent", ()):
                    fate(*row)
                self.failures.extend(answer.get("failures", ()))
                del self.failures[limits.LOAD_FAILURES_SHOWN :]
                self.cpu_s = answer.get("cpu_s", self.cpu_s)
                if started is not None and "started" in answer:
                    started(answer["started"])
                if "failed" in answer:
                    raise CouldNotFinish(f"the load generator failed: {answer['failed']}")
                if "done" in answer:
                    done: dict[str, Any] = answer["done"]
                    return done

    async def _send(self, order: dict[str, Any]) -> None:
        try:
            await self._process.send(json.dumps(order).encode())
        except (BrokenPipeError, ConnectionResetError):
            raise await self._died() from None

    async def _hear(self, timeout_s: float | None = None) -> dict[str, Any]:
        line = await self._process.hear(timeout_s)
        if not line:
            raise await self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _died(self) -> CouldNotFinish:
        said = await self._process.last_words()
        return CouldNotFinish(f"the load generator's process ended: {said or self._process.exit_text}")


class SinkProcess:
    """The sink's process: its endpoint and its counters."""

    def __init__(self, endpoint: str, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.endpoint = endpoint
        self._http, self._clock = http, clock

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, clock: Clock, latency_s: float) -> AsyncIterator[SinkProcess]:
        """A sink that listens; its process ends with the block."""
        async with ModuleProcess.open("simulator.load.sink.server", "--latency", repr(latency_s)) as process:
            try:
                line = await process.hear(limits.LOAD_SINK_START_S)
            except TimeoutError:
                line = b""
            if not line:
                said = await process.last_words()
                raise CouldNotFinish(f"the sink did not start: {said or process.exit_text}")
            async with aiohttp.ClientSession(trust_env=False) as http:
                yield cls(json.loads(line)["endpoint"], http, clock)

    async def counters(self) -> StoreCounters:
        """Its counts in the store's shapes."""
        try:
            async with self._http.get(f"{self.endpoint}/_sink/counters") as response:
                counters = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError) as error:
            raise CouldNotFinish(f"the sink's process ended: {error}") from error
        return from_json({"at": self._clock.now(), **counters})
