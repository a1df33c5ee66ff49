"""Sends a session's objects to any target, by the clock or as a backlog."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable

from simulator.base import limits
from simulator.base.observations import MessageSent, ObjectPut
from simulator.load.measure.result import Span
from simulator.load.plan.arrivals import Profile
from simulator.load.plan.objects import VARIANTS
from simulator.load.send.processes import GeneratorProcess
from simulator.load.send.protocol import Fill, Offer
from simulator.load.session import LoadSession


class Sender:
    """Offers and fills for one session: records each arrival's fate, and shows it on the dashboard."""

    def __init__(self, session: LoadSession, generator: GeneratorProcess) -> None:
        self.session, self.generator = session, generator
        self._recording = session.result.recording
        self._body_bytes = [len(session.objects.body(number)) for number in range(VARIANTS)]
        self._offers = 0
        self._begun = session.clock.now(), generator.cpu_s

    @property
    def cpu(self) -> float | None:
        """The CPU that the generator has used since this sender was created, as a share of one core."""
        begun_at, cpu_s = self._begun
        took_s = self.session.clock.now() - begun_at
        return (self.generator.cpu_s - cpu_s) / took_s if took_s > 0 else None

    async def offer(self, profile: Profile, until: Callable[[Span], bool] = lambda _: False) -> Span:
        """Send objects by the plan. `until` may end it early, and the first signal does."""
        session, first = self.session, len(self._recording)
        seed = session.plan.seed if session.plan.poisson else None
        order = Offer(profile, first, session.clock.now() + 0.05, seed, self._offers)
        offsets = list(order.offsets())
        self._offers += 1
        span = self._begin(range(first, first), math.nan)

        def started(at: float) -> None:
            instants = [at + offset for offset in offsets]
            span.plan(self._recording.plan(instants), at, at + profile.duration_s)
            session.live.plan(instants, profile, at)

        async with self._stopping(span, until):
            offered = await self.generator.offer(order, self._fate, started)
        self._cut(span, offered)
        return span

    async def fill(self, count: int) -> Span:
        """Put a backlog as fast as the target accepts it, before the consumer starts; the span begins afterwards."""
        first = len(self._recording)
        span = self._begin(self._recording.plan([math.nan] * count), self.session.clock.now())
        async with self._stopping(span, lambda _: False):
            put = await self.generator.offer(Fill(count, first), self._fate)
        self._cut(span, put)
        now = self.session.clock.now()
        span.plan(span.numbers, now, now)
        return span

    def end(self, span: Span, *, drained: bool) -> None:
        """End a span: the pipeline stores no more of it."""
        stores = self._recording.stored_instants(span.numbers)
        span.end(drained, stores[-1] if stores else self.session.clock.now(), len(self.session.tap.durations_s))

    def _begin(self, numbers: range, at: float) -> Span:
        span = Span(numbers, at, at, slice(len(self.session.tap.durations_s), None))
        self.session.result.spans.append(span)
        return span

    def _cut(self, span: Span, count: int) -> None:
        if count < len(span.numbers):
            self._recording.truncate(span.numbers.start + count)
            span.cut(count, self.session.clock.now())

    def _fate(
        self, number: int, sent_at: float | None, answered_at: float | None, status: int, message_id: str | None = None
    ) -> None:
        session, recording = self.session, self._recording
        if not recording.fate(number, sent_at, answered_at, status):
            return
        session.live.fate(recording.planned[number], sent_at, status)
        if message_id is not None and answered_at is not None:
            session.tap.accepted(message_id, number)
            session.tap.record(MessageSent(answered_at, session.destination))
        elif answered_at is not None and not math.isnan(recording.answered[number]):
            copied, key = session.plan.copies is not None, session.objects.key(number)
            size = len(session.objects.body(number)) if copied else self._body_bytes[number % VARIANTS]
            session.tap.record(ObjectPut(answered_at, session.destination, key, size))

    @contextlib.asynccontextmanager
    async def _stopping(self, span: Span, until: Callable[[Span], bool]) -> AsyncIterator[None]:
        """While the block runs, end the generator's order at the first signal, or when `until` returns True."""

        async def watch() -> None:
            while not (self.session.stopped or until(span)):
                await self.session.clock.sleep(limits.SAMPLE_S)
            await self.generator.stop()

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
