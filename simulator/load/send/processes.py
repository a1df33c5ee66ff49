"""The load test's two helper processes, the generator and the sink: started, spoken to, and ended with their owner.

Both live on their standard input: when it closes, be it because this process died, they end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any

import aiohttp

from simulator.base import limits
from simulator.base.children import child_environ, python_command
from simulator.base.clock import Clock
from simulator.base.counters import StoreCounters, from_json
from simulator.base.errors import CouldNotFinish
from simulator.load.plan.arrivals import Profile
from simulator.load.plan.objects import Objects
from simulator.load.send.signing import Identity

Fate = Callable[[int, float | None, float | None, int], None]
"""Told of each arrival: number, sent and answered instants, status."""

_LINE_BYTES = 2**24
_END_S = 5.0


@contextlib.asynccontextmanager
async def _child(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python child on pipes; at the end its input is closed, and it is killed if that does not end it."""
    process = await asyncio.create_subprocess_exec(
        *python_command(module, *arguments),
        env=child_environ(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


class GeneratorProcess:
    """The generator's process, as its owner sees it: one order at a time, fates told as they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
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
        async with _child("simulator.load.send.generator") as process:
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
                async with asyncio.timeout(limits.LOAD_GENERATOR_START_S):
                    await generator._hear()
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
        assert self._process.stdin is not None  # noqa: S101 - it was opened with a pipe
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise await self._died() from None

    async def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101
        line = await self._process.stdout.readline()
        if not line:
            raise await self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _died(self) -> CouldNotFinish:
        return CouldNotFinish(f"the load generator's process ended: {await _last_words(self._process)}")


class SinkProcess:
    """The sink's process: its endpoint and its counters."""

    def __init__(self, endpoint: str, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.endpoint = endpoint
        self._http, self._clock = http, clock

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, clock: Clock, latency_s: float) -> AsyncIterator[SinkProcess]:
        """A sink that listens; its process ends with the block."""
        async with _child("simulator.load.sink.server", "--latency", repr(latency_s)) as process:
            assert process.stdout is not None  # noqa: S101
            try:
                async with asyncio.timeout(limits.LOAD_SINK_START_S):
                    line = await process.stdout.readline()
            except TimeoutError:
                line = b""
            if not line:
                raise CouldNotFinish(f"the sink did not start: {await _last_words(process)}")
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


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """What a child that ended, or is made to, left on standard error: its last line."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    words = await process.stderr.read() if process.stderr is not None else b""
    await process.wait()
    lines = words.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {process.returncode}"
