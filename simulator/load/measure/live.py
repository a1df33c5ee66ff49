"""The load test's part of the dashboard: planned and stored rates, the heat strip, the verdict so far."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.load.measure.bottleneck import Bottleneck
from simulator.load.measure.recording import DROPPED, SENT
from simulator.load.plan.arrivals import Profile
from simulator.telemetry.history import Latencies, band
from simulator.telemetry.snapshot import LATENCY_BANDS_S, LoadView

SLOTS = 240
"""Slots kept for the charts. When they are full, pairs of slots are merged."""
SLOT_S = 0.25
RATE_WINDOW_S = 5.0


class Live:
    """Collects during the run; telemetry calls `view` at each snapshot. `objects` is the number planned in total."""

    def __init__(self, target: str, objects: int | None = None) -> None:
        self._target, self._objects = target, objects
        self._origin_at: float | None = None
        self._slot_s = SLOT_S
        self._planned: list[float] = []
        self._sent: list[float] = []
        self._stored: list[float] = []
        self._heat: list[list[int]] = []
        self._latencies = Latencies()
        self._lags = Latencies()
        self._profile: tuple[Profile, float] | None = None
        self._sent_count = self._dropped = 0
        self._verdict: Bottleneck | None = None

    def plan(self, instants: Iterable[float], profile: Profile, start_at: float) -> None:
        """Add planned arrivals, possibly in the future."""
        self._profile = (profile, start_at)
        for at in instants:
            slot = self._slot(at)  # must come first: it may replace the lists
            self._planned[slot] += 1

    def fate(self, planned_at: float, sent_at: float | None, status: int) -> None:
        """What became of an arrival."""
        self._sent_count += status == SENT
        self._dropped += status == DROPPED
        if sent_at is not None:
            slot = self._slot(sent_at)
            self._sent[slot] += 1
            self._lags.add(sent_at - planned_at)

    def stored(self, planned_at: float, at: float) -> None:
        """An object was stored."""
        slot = self._slot(at)
        self._stored[slot] += 1
        self._heat[slot][band(max(0.0, at - planned_at))] += 1
        self._latencies.add(at - planned_at)

    def judged(self, verdict: Bottleneck) -> None:
        """The verdict so far."""
        self._verdict = verdict

    def view(self, now: float) -> LoadView:
        """The picture as of `now`."""
        origin_at = self._origin_at if self._origin_at is not None else now
        verdict = self._verdict
        return LoadView(
            target=self._target,
            origin_at=origin_at,
            slot_s=self._slot_s,
            planned=tuple(self._planned),
            stored=tuple(self._stored),
            heat=tuple(map(tuple, self._heat)),
            objects=self._objects,
            sent=self._sent_count,
            dropped=self._dropped,
            lag_s=self._lags.view().p99,
            rate_planned=self._profile[0].rate_at(now - self._profile[1]) if self._profile else 0.0,
            rate_sent=self._rate(self._sent, now),
            rate_stored=self._rate(self._stored, now),
            latency=self._latencies.view(),
            verdict=verdict.text if verdict else None,
            verdict_tone="plain" if verdict is None else "moves" if verdict.kind == "none" else "grows",
        )

    def _slot(self, at: float) -> int:
        if self._origin_at is None:
            self._origin_at = at
        index = max(0, int((at - self._origin_at) / self._slot_s))
        while index >= SLOTS:
            self._halve()
            index = int((at - self._origin_at) / self._slot_s)
        while len(self._planned) <= index:
            for column in (self._planned, self._sent, self._stored):
                column.append(0.0)
            self._heat.append([0] * (len(LATENCY_BANDS_S) + 1))
        return index

    def _halve(self) -> None:
        self._slot_s *= 2
        pairs = range(0, len(self._planned), 2)
        self._planned, self._sent, self._stored = (
            [sum(column[slot : slot + 2]) for slot in pairs] for column in (self._planned, self._sent, self._stored)
        )
        self._heat = [[sum(counts) for counts in zip(*self._heat[slot : slot + 2], strict=True)] for slot in pairs]

    def _rate(self, column: list[float], now: float) -> float:
        """The mean over the slots that ended within the window."""
        if self._origin_at is None:
            return 0.0
        end = min(len(column), max(0, int((now - self._origin_at) / self._slot_s)))
        first = max(0, end - max(1, round(RATE_WINDOW_S / self._slot_s)))
        return sum(column[first:end]) / ((end - first) * self._slot_s) if end > first else 0.0
