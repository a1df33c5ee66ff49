"""The sending side of a load test: what is offered by the clock or put at once, whatever the target."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.interrupts import Interrupts
from simulator.base.observations import Noted, ObjectPut
from simulator.load.measure.live import Live
from simulator.load.measure.result import Result, Span
from simulator.load.measure.tap import Tap
from simulator.load.plan.arrivals import Profile, poisson_offsets
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import Plan
from simulator.load.send.processes import GeneratorProcess


class Sender:
    """The sending side of a load test that runs: offers and fills, each arrival's fate recorded and told."""

    def __init__(
        self,
        plan: Plan,
        bucket: str,
        generator: GeneratorProcess,
        objects: Objects,
        tap: Tap,
        live: Live,
        clock: Clock,
        interrupts: Interrupts,
        result: Result,
    ) -> None:
        self.plan, self.bucket, self.generator, self.objects = plan, bucket, generator, objects
        self.tap, self.live, self.clock, self.interrupts, self.result = tap, live, clock, interrupts, result
        self.recording = result.recording
        self._body_bytes = len(objects.body(0))
        self._offers = 0

    @property
    def stopped(self) -> bool:
        """The first signal has come: nothing new is begun."""
        return self.interrupts.soft.is_set()

    def note(self, text: str, kind: Any = "note") -> None:
        """A sentence for whoever watches."""
        self.tap.record(Noted(self.clock.now(), text, kind))

    async def offer(self, profile: Profile, until: Callable[[Span], bool] | None = None) -> Span:
        """Let objects arrive by the plan. `until` may end it early; the first signal does."""
        first = len(self.recording)
        seed = self.plan.seed + self._offers
        self._offers += 1
        offsets = list(poisson_offsets(profile, seed) if self.plan.poisson else profile.offsets())
        span = Span(range(first, first), math.nan, math.nan, durations=slice(len(self.tap.durations_s), None))

        def started(at: float) -> None:
            instants = [at + offset for offset in offsets]
            span.numbers, span.begun_at = self.recording.plan(instants), at
            span.offered_at = at + profile.duration_s
            self.live.plan(instants, profile, at)

        self.result.spans.append(span)
        async with self._stopping(span, until):
            offered = await self.generator.offer(
                profile,
                first=first,
                start_at=self.clock.now() + 0.05,
                poisson_seed=seed if self.plan.poisson else None,
                fate=self._fate,
                started=started,
            )
        if offered < len(span.numbers):
            self.recording.truncate(first + offered)
            span.numbers = range(first, first + offered)
            span.offered_at = self.clock.now()
        return span

    async def fill(self, count: int) -> Span:
        """Put a backlog: as fast as it is taken, for nobody consumes yet."""
        first = len(self.recording)
        begun_at = self.clock.now()
        span = Span(self.recording.plan([math.nan] * count), begun_at, begun_at)
        self.result.spans.append(span)
        async with self._stopping(span, None):
            put = await self.generator.fill(count, first=first, fate=self._fate)
        if put < count:
            self.recording.truncate(first + put)
            span.numbers = range(first, first + put)
        return span

    def _fate(self, number: int, sent_at: float | None, answered_at: float | None, status: int) -> None:
        if not self.recording.fate(number, sent_at, answered_at, status):
            return
        self.live.fate(self.recording.planned[number], sent_at, status)
        if answered_at is not None and not math.isnan(self.recording.answered[number]):
            self.tap.record(ObjectPut(answered_at, self.bucket, self.objects.key(number), self._body_bytes))

    @contextlib.asynccontextmanager
    async def _stopping(self, span: Span, until: Callable[[Span], bool] | None) -> AsyncIterator[None]:
        """While the block runs: end the generator's order at the first signal, or when `until` says so."""

        async def watch() -> None:
            while not self.stopped and not (until is not None and until(span)):
                await self.clock.sleep(limits.SAMPLE_S)
            await self.generator.stop()

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
